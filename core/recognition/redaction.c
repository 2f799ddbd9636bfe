#include "core/recognition/redaction.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define HIDDEN 0x60 /* the grey of what is not shown */

/* A row of figures is shown with this much around it, in heights of the row. */
#define MARGIN_ALONG 0.6
#define MARGIN_ACROSS 0.35

static void blank(struct gk_image *card, const struct guika_region *region)
{
    int x0 = (int)fmax(0, floor(region->left_mm * GK_CARD_PX_PER_MM));
    int y0 = (int)fmax(0, floor(region->top_mm * GK_CARD_PX_PER_MM));
    int x1 = (int)fmin(card->width_px, ceil((region->left_mm + region->width_mm) * GK_CARD_PX_PER_MM));
    int y1 = (int)fmin(card->height_px, ceil((region->top_mm + region->height_mm) * GK_CARD_PX_PER_MM));
    for (int y = y0; y < y1 && x1 > x0; y++) {
        memset(card->rgb + ((size_t)y * (size_t)card->width_px + (size_t)x0) * 3, HIDDEN,
               (size_t)(x1 - x0) * 3);
    }
}

/* Does this layout describe a face that the picture may show? */
static bool fits(const struct guika_layout *layout, const struct gk_redaction *redaction, bool portrait)
{
    return (layout->side == GUIKA_SIDE_FRONT ? redaction->front : redaction->back) &&
           layout->portrait == portrait;
}

static bool is_described(const struct gk_redaction *redaction, bool portrait)
{
    for (size_t i = 0; i < redaction->issuer_count; i++) {
        for (size_t j = 0; j < redaction->issuers[i]->layout_count; j++) {
            if (fits(&redaction->issuers[i]->layouts[j], redaction, portrait)) {
                return true;
            }
        }
    }
    return false;
}

static void hide_regions(struct gk_image *card, const struct gk_redaction *redaction)
{
    bool portrait = card->height_px > card->width_px;
    for (size_t i = 0; i < redaction->issuer_count; i++) {
        for (size_t j = 0; j < redaction->issuers[i]->layout_count; j++) {
            const struct guika_layout *layout = &redaction->issuers[i]->layouts[j];
            for (size_t k = 0; k < layout->redact_count && fits(layout, redaction, portrait); k++) {
                blank(card, &layout->redact[k]);
            }
        }
    }
}

static struct gk_point along(struct gk_point from, struct gk_point to, double share)
{
    return (struct gk_point){from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share};
}

/* The row with its margins. */
static struct gk_quad grown(const struct gk_quad *row)
{
    const struct gk_point *c = row->corner;
    double width = hypot(c[1].x - c[0].x, c[1].y - c[0].y), height = hypot(c[3].x - c[0].x, c[3].y - c[0].y);
    double share = width > 0 ? MARGIN_ALONG * height / width : 0;
    struct gk_quad wide = {{along(c[0], c[1], -share), along(c[0], c[1], 1 + share),
                            along(c[3], c[2], 1 + share), along(c[3], c[2], -share)}};
    const struct gk_point *w = wide.corner;
    return (struct gk_quad){{along(w[0], w[3], -MARGIN_ACROSS), along(w[1], w[2], -MARGIN_ACROSS),
                             along(w[1], w[2], 1 + MARGIN_ACROSS), along(w[0], w[3], 1 + MARGIN_ACROSS)}};
}

static bool is_inside(const struct gk_quad *quad, struct gk_point at)
{
    bool left = true, right = true;
    for (int i = 0; i < 4; i++) {
        struct gk_point a = quad->corner[i], b = quad->corner[(i + 1) % 4];
        double turn = (b.x - a.x) * (at.y - a.y) - (b.y - a.y) * (at.x - a.x);
        left = left && turn <= 0;
        right = right && turn >= 0;
    }
    return left || right;
}

/* Blanks all but the rows of figures; false where none of them lies on the card. */
static bool show_rows(struct gk_image *card, const struct gk_card_sight *sight)
{
    struct gk_quad rows[GK_SIGHT_ROWS_MOST];
    bool any = false;
    for (size_t i = 0; i < sight->row_count; i++) {
        rows[i] = grown(&sight->rows[i]);
    }
    for (int y = 0; y < card->height_px; y++) {
        for (int x = 0; x < card->width_px; x++) {
            struct gk_point at = gk_homography_apply(&sight->view, (struct gk_point){x + 0.5, y + 0.5});
            bool shown = false;
            for (size_t i = 0; i < sight->row_count && !shown; i++) {
                shown = is_inside(&rows[i], at);
            }
            if (!shown) {
                memset(card->rgb + ((size_t)y * (size_t)card->width_px + (size_t)x) * 3, HIDDEN, 3);
            }
            any = any || shown;
        }
    }
    return any;
}

bool gk_redaction_make(const uint8_t *data, size_t size, const struct gk_card_sight *sight,
                       const struct gk_redaction *redaction, uint8_t **ret_jpeg, size_t *ret_size)
{
    assert(sight != NULL && redaction != NULL && sight->row_count <= GK_SIGHT_ROWS_MOST);
    bool portrait = sight->view.height_px > sight->view.width_px;
    bool described = sight->position_known && is_described(redaction, portrait);
    bool sure_front = redaction->front && !redaction->back;
    if (!sight->card_found || (!described && !(sure_front && sight->row_count > 0))) {
        return false;
    }
    struct gk_picture picture;
    if (gk_picture_decode_colour(data, size, &picture, NULL) != GK_OK) {
        return false;
    }
    struct gk_image card;
    bool made = gk_rectify(&picture.image, &sight->view, true, &card);
    gk_picture_clear(&picture);
    if (!made) {
        return false;
    }
    if (described) {
        hide_regions(&card, redaction);
    } else {
        made = show_rows(&card, sight);
    }
    made = made && gk_picture_encode_jpeg(&card, ret_jpeg, ret_size);
    gk_image_clear(&card);
    return made;
}

#include "core/recognition/redaction.h"

#include <math.h>
#include <string.h>

static void blank(struct gk_image *card, double left, double top, double width, double height)
{
    int x0 = (int)fmax(0, floor(left)), x1 = (int)fmin(card->width_px, ceil(left + width));
    int y0 = (int)fmax(0, floor(top)), y1 = (int)fmin(card->height_px, ceil(top + height));
    for (int y = y0; y < y1 && x1 > x0; y++) {
        memset(card->rgb + ((size_t)y * (size_t)card->width_px + (size_t)x0) * 3, 0x60,
               (size_t)(x1 - x0) * 3);
    }
}

/* Blanks a region of the upright layout on the picture, which lies `turns` quarter turns clockwise from it.
 */
static void blank_turned(struct gk_image *card, const struct guika_region *region, int turns)
{
    double left = region->left_mm * GK_CARD_PX_PER_MM, top = region->top_mm * GK_CARD_PX_PER_MM;
    double width = region->width_mm * GK_CARD_PX_PER_MM, height = region->height_mm * GK_CARD_PX_PER_MM;
    switch (turns) {
    case 0:
        blank(card, left, top, width, height);
        break;
    case 1:
        blank(card, card->width_px - top - height, left, height, width);
        break;
    case 2:
        blank(card, card->width_px - left - width, card->height_px - top - height, width, height);
        break;
    default:
        blank(card, top, card->height_px - left - width, height, width);
        break;
    }
}

/* A layout that hides most of the face would leave an unread card's resolver nothing to look at; it counts
 * only where its issuer was recognised. */
static bool hides_most(const struct guika_layout *layout)
{
    double area = 0;
    for (size_t i = 0; i < layout->redact_count; i++) {
        area += (double)layout->redact[i].width_mm * (double)layout->redact[i].height_mm;
    }
    return area > GK_CARD_WIDTH_MM * GK_CARD_HEIGHT_MM / 2;
}

static void blank_layout(struct gk_image *card, const struct guika_layout *layout, bool position_known)
{
    bool portrait = card->height_px > card->width_px, same = layout->portrait == portrait;
    for (size_t i = 0; i < layout->redact_count; i++) {
        if (position_known && same) {
            blank_turned(card, &layout->redact[i], 0);
        }
        for (int turns = same ? 0 : 1; !position_known && turns < 4; turns += 2) {
            blank_turned(card, &layout->redact[i], turns);
        }
    }
}

bool gk_redaction_make(const struct gk_picture *picture, const struct gk_card_sight *sight,
                       const struct gk_redaction *redaction, uint8_t **ret_jpeg, size_t *ret_size)
{
    if (!sight->card_found || (!redaction->front && !redaction->recognised)) {
        return false;
    }
    struct gk_image card;
    if (!gk_rectify(&picture->image, &sight->view, true, &card)) {
        return false;
    }
    for (size_t i = 0; i < redaction->issuer_count; i++) {
        for (size_t j = 0; j < redaction->issuers[i]->layout_count; j++) {
            const struct guika_layout *layout = &redaction->issuers[i]->layouts[j];
            bool shown = layout->side == GUIKA_SIDE_FRONT ? redaction->front : redaction->back;
            if (shown && (redaction->recognised || !hides_most(layout))) {
                blank_layout(&card, layout, redaction->recognised && sight->position_known);
            }
        }
    }
    bool made = gk_picture_encode_jpeg(&card, ret_jpeg, ret_size);
    gk_image_clear(&card);
    return made;
}

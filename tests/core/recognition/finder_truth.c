#include "tests/core/recognition/finder_truth.h"

#include <math.h>
#include <string.h>
#include <time.h>

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double distance(struct gk_point a, struct gk_point b)
{
    return hypot(a.x - b.x, a.y - b.y);
}

/* From the card's frame to the picture. */
static struct gk_number_line to_picture(const struct gk_homography *frame, struct gk_number_line line)
{
    double dx = line.right.x - line.left.x, dy = line.right.y - line.left.y, length = hypot(dx, dy);
    struct gk_point *ends[2] = {&line.left, &line.right};
    double *heights[2] = {&line.left_height, &line.right_height};
    for (int i = 0; i < 2; i++) {
        double nx = -dy / length * *heights[i] / 2, ny = dx / length * *heights[i] / 2;
        struct gk_point above =
            gk_homography_apply(frame, (struct gk_point){ends[i]->x - nx, ends[i]->y - ny});
        struct gk_point below =
            gk_homography_apply(frame, (struct gk_point){ends[i]->x + nx, ends[i]->y + ny});
        *ends[i] = gk_homography_apply(frame, *ends[i]);
        *heights[i] = distance(above, below);
    }
    return line;
}

void look(struct gk_network *network, const struct gk_image *picture, struct found *found)
{
    struct gk_sight sight;
    struct gk_homography frame;
    double begin = now_ms();
    found->card_count = found->line_counts[0] = found->line_counts[1] = 0;
    if (gk_sight_of_picture(network, picture, &sight)) {
        found->card_count = gk_cards_find(&sight, picture, found->cards);
        found->line_counts[0] = gk_number_lines_find(&sight, found->lines[0]);
    }
    found->picture_ms = now_ms() - begin;
    if (found->card_count > 0 &&
        gk_homography_from_quad(&found->cards[0].quad, GK_CARD_WIDTH_PX, GK_CARD_HEIGHT_PX, &frame) &&
        gk_sight_of_card(network, picture, &frame, &sight)) {
        found->line_counts[1] = gk_number_lines_find(&sight, found->lines[1]);
        for (size_t i = 0; i < found->line_counts[1]; i++) {
            found->lines[1][i] = to_picture(&frame, found->lines[1][i]);
        }
    }
    found->card_ms = now_ms() - begin - found->picture_ms;
}

double corner_error(const struct gk_quad *found, const struct gk_quad *truth)
{
    double best = INFINITY, longest = 0;
    for (int turn = 0; turn < 4; turn++) {
        double worst = 0;
        for (int i = 0; i < 4; i++) {
            worst = fmax(worst, distance(found->corner[i], truth->corner[(i + turn) % 4]));
            longest = fmax(longest, distance(truth->corner[i], truth->corner[(i + 1) % 4]));
        }
        best = fmin(best, worst);
    }
    return best / longest;
}

static struct gk_point between(struct gk_point a, struct gk_point b, double share)
{
    return (struct gk_point){a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share};
}

static double off_line(const struct gk_number_line *line, struct gk_point point, double *ret_along)
{
    double length = distance(line->left, line->right);
    double dx = (line->right.x - line->left.x) / length, dy = (line->right.y - line->left.y) / length;
    double px = point.x - line->left.x, py = point.y - line->left.y;
    *ret_along = px * dx + py * dy;
    return fabs(py * dx - px * dy);
}

bool row_found(const struct truth *truth, int row, const struct gk_number_line *lines, size_t count)
{
    double step = truth->rows > 1 ? (1 - truth->row_share) / (truth->rows - 1) : 0;
    double down = truth->row_share / 2 + row * step;
    struct gk_point left = between(truth->digits.corner[0], truth->digits.corner[3], down);
    struct gk_point right = between(truth->digits.corner[1], truth->digits.corner[2], down);
    double height = truth->row_share *
                    (distance(truth->digits.corner[0], truth->digits.corner[3]) +
                     distance(truth->digits.corner[1], truth->digits.corner[2])) /
                    2;
    for (size_t i = 0; i < count; i++) {
        double along[2],
            off = fmax(off_line(&lines[i], left, &along[0]), off_line(&lines[i], right, &along[1]));
        double length = distance(lines[i].left, lines[i].right);
        double first = fmin(along[0], along[1]), last = fmax(along[0], along[1]);
        if (off < 0.25 * height && fabs(first) < height && fabs(last - length) < height) {
            return true;
        }
    }
    return false;
}

struct truth truth_of(const struct gk_mint_card *card, const struct gk_mint_picture *picture)
{
    struct truth truth = {.rows = picture->digits[0].x != 0, .row_share = 1};
    for (int i = 0; i < 4; i++) {
        truth.quad.corner[i] = (struct gk_point){picture->quad[i].x, picture->quad[i].y};
        truth.digits.corner[i] = (struct gk_point){picture->digits[i].x, picture->digits[i].y};
    }
    if (card->layout == GK_MINT_BLOCKS) {
        truth.rows = 4;
        truth.row_share = 3.4 / (3.4 + 3 * GK_MINT_PAYMENT_BLOCKS_STEP_MM);
    }
    return truth;
}

static bool to_image(const struct gk_mint_picture *picture, struct gk_image *ret_image)
{
    if (!gk_image_make((int)picture->width_px, (int)picture->height_px, true, ret_image)) {
        return false;
    }
    memcpy(ret_image->rgb, picture->rgb, (size_t)picture->width_px * picture->height_px * 3);
    gk_image_fill_grey(ret_image);
    return true;
}

int draw_minted(const struct gk_mint_card *card, const struct gk_mint_scene *scene,
                struct gk_image *ret_image, struct truth *ret_truth)
{
    struct gk_mint_picture picture;
    if (gk_mint_draw(card, scene, &picture) != 0) {
        return -1;
    }
    bool made = to_image(&picture, ret_image);
    *ret_truth = truth_of(card, &picture);
    gk_mint_picture_clear(&picture);
    return made ? 0 : -1;
}

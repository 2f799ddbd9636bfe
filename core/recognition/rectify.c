#include "core/recognition/rectify.h"

#include <assert.h>
#include <math.h>

/* Heckbert, "Fundamentals of Texture Mapping and Image Warping" (1989), 2.2.3: unit square to quadrilateral.
 */
bool gk_homography_from_quad(const struct gk_quad *quad, int width_px, int height_px,
                             struct gk_homography *ret_homography)
{
    const struct gk_point *c = quad->corner;
    double sum_x = c[0].x - c[1].x + c[2].x - c[3].x, sum_y = c[0].y - c[1].y + c[2].y - c[3].y;
    double dx1 = c[1].x - c[2].x, dx2 = c[3].x - c[2].x, dy1 = c[1].y - c[2].y, dy2 = c[3].y - c[2].y;
    double determinant = dx1 * dy2 - dx2 * dy1;
    if (!(fabs(determinant) > 1)) {
        return false;
    }
    double g = (sum_x * dy2 - dx2 * sum_y) / determinant, h = (dx1 * sum_y - sum_x * dy1) / determinant;
    double to_unit_x = 1.0 / width_px, to_unit_y = 1.0 / height_px;
    *ret_homography = (struct gk_homography){
        .m = {(c[1].x - c[0].x + g * c[1].x) * to_unit_x, (c[3].x - c[0].x + h * c[3].x) * to_unit_y, c[0].x,
              (c[1].y - c[0].y + g * c[1].y) * to_unit_x, (c[3].y - c[0].y + h * c[3].y) * to_unit_y, c[0].y,
              g * to_unit_x, h * to_unit_y, 1},
        .width_px = width_px,
        .height_px = height_px};
    return true;
}

struct gk_point gk_homography_apply(const struct gk_homography *homography, struct gk_point frame)
{
    const double *m = homography->m;
    double w = m[6] * frame.x + m[7] * frame.y + m[8];
    w = fabs(w) < 1e-9 ? 1e-9 : w;
    return (struct gk_point){(m[0] * frame.x + m[1] * frame.y + m[2]) / w,
                             (m[3] * frame.x + m[4] * frame.y + m[5]) / w};
}

void gk_homography_sample(const struct gk_homography *homography, const struct gk_image *picture, double x,
                          double y, double step, int count, float *ret_values)
{
    const double *m = homography->m;
    const float u = (float)(m[0] * x + m[1] * y + m[2]), v = (float)(m[3] * x + m[4] * y + m[5]);
    const float w = (float)(m[6] * x + m[7] * y + m[8]);
    const float du = (float)(m[0] * step), dv = (float)(m[3] * step), dw = (float)(m[6] * step);
    const float right = (float)picture->width_px - 1.001f, bottom = (float)picture->height_px - 1.001f;
    const size_t stride = (size_t)picture->width_px;
    /* To the neighbours; in a picture of one column or row the pixel is its own. */
    const size_t across = picture->width_px > 1, down = picture->height_px > 1 ? stride : 0;
    for (int i = 0; i < count; i++) {
        float scale = 1 / (w + (float)i * dw), at_x = (u + (float)i * du) * scale - 0.5f;
        float at_y = (v + (float)i * dv) * scale - 0.5f;
        /* Written so that NaN becomes an edge. */
        at_x = at_x < right ? at_x : right;
        at_y = at_y < bottom ? at_y : bottom;
        at_x = at_x > 0 ? at_x : 0;
        at_y = at_y > 0 ? at_y : 0;
        int column = (int)at_x, row = (int)at_y;
        const uint8_t *top = picture->grey + (size_t)row * stride + column, *below = top + down;
        float dx = at_x - (float)column, dy = at_y - (float)row;
        float upper = (float)top[0] + (float)(top[across] - top[0]) * dx;
        float lower = (float)below[0] + (float)(below[across] - below[0]) * dx;
        ret_values[i] = upper + (lower - upper) * dy;
    }
}

double gk_quad_area(const struct gk_quad *quad)
{
    double twice = 0;
    for (int i = 0; i < 4; i++) {
        const struct gk_point *a = &quad->corner[i], *b = &quad->corner[(i + 1) % 4];
        twice += a->x * b->y - b->x * a->y;
    }
    return fabs(twice) / 2;
}

struct gk_quad gk_quad_turned(const struct gk_quad *quad, int quarter_turns)
{
    struct gk_quad turned;
    for (int i = 0; i < 4; i++) {
        turned.corner[i] = quad->corner[(i + 4 - quarter_turns % 4) % 4];
    }
    return turned;
}

static void copy_rgb(const struct gk_image *picture, struct gk_point at, uint8_t *out)
{
    int x = (int)fmin(fmax(floor(at.x), 0), picture->width_px - 1);
    int y = (int)fmin(fmax(floor(at.y), 0), picture->height_px - 1);
    const uint8_t *from = picture->rgb + ((size_t)y * (size_t)picture->width_px + (size_t)x) * 3;
    out[0] = from[0];
    out[1] = from[1];
    out[2] = from[2];
}

bool gk_rectify(const struct gk_image *picture, const struct gk_homography *homography, bool with_rgb,
                struct gk_image *ret_card)
{
    assert(!with_rgb || picture->rgb != NULL);
    struct gk_image card;
    float row[GK_CARD_WIDTH_PX];
    assert(homography->width_px <= GK_CARD_WIDTH_PX);
    if (!gk_image_make(homography->width_px, homography->height_px, with_rgb, &card)) {
        return false;
    }
    for (int y = 0; y < card.height_px; y++) {
        gk_homography_sample(homography, picture, 0.5, y + 0.5, 1, card.width_px, row);
        for (int x = 0; x < card.width_px; x++) {
            size_t i = (size_t)y * (size_t)card.width_px + (size_t)x;
            card.grey[i] = (uint8_t)(row[x] + 0.5f);
            if (with_rgb) {
                copy_rgb(picture, gk_homography_apply(homography, (struct gk_point){x + 0.5, y + 0.5}),
                         card.rgb + i * 3);
            }
        }
    }
    *ret_card = card;
    return true;
}

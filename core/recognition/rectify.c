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

/* A picture's pixels along a line, a few at a time: that lets arithmetic go on in vectors between the reads.
 */
#define AT_A_TIME 64
struct samples {
    float x[AT_A_TIME], y[AT_A_TIME]; /* share of the right, of the lower neighbour */
    int column[AT_A_TIME], row[AT_A_TIME];
    int top_left[AT_A_TIME], top_right[AT_A_TIME], below_left[AT_A_TIME], below_right[AT_A_TIME]; /* grey */
};

/* Where a line of samples lies in the picture: numerators and denominator, and their steps. */
struct sample_line {
    float u, v, w, du, dv, dw;
    float right, bottom; /* the most that a place may be */
};

static void place_samples(const struct sample_line *line, int first, int count, struct samples *ret_samples)
{
    const float right = line->right, bottom = line->bottom;
    for (int i = 0; i < count; i++) {
        float at = (float)(first + i), scale = 1 / (line->w + at * line->dw);
        float x = (line->u + at * line->du) * scale - 0.5f, y = (line->v + at * line->dv) * scale - 0.5f;
        /* Written so that NaN becomes an edge. */
        x = x < right ? x : right;
        y = y < bottom ? y : bottom;
        x = x > 0 ? x : 0;
        y = y > 0 ? y : 0;
        ret_samples->column[i] = (int)x;
        ret_samples->row[i] = (int)y;
        ret_samples->x[i] = x - (float)(int)x;
        ret_samples->y[i] = y - (float)(int)y;
    }
}

static void fetch_samples(const struct gk_image *picture, int count, struct samples *samples)
{
    const size_t stride = (size_t)picture->width_px;
    /* To the neighbours; in a picture of one column or row the pixel is its own. */
    const size_t across = picture->width_px > 1, down = picture->height_px > 1 ? stride : 0;
    for (int i = 0; i < count; i++) {
        const uint8_t *top = picture->grey + (size_t)samples->row[i] * stride + samples->column[i];
        const uint8_t *below = top + down;
        samples->top_left[i] = top[0];
        samples->top_right[i] = top[across];
        samples->below_left[i] = below[0];
        samples->below_right[i] = below[across];
    }
}

static void mix_samples(const struct samples *samples, int count, float *restrict ret_values)
{
    for (int i = 0; i < count; i++) {
        float upper = (float)samples->top_left[i] +
                      (float)(samples->top_right[i] - samples->top_left[i]) * samples->x[i];
        float lower = (float)samples->below_left[i] +
                      (float)(samples->below_right[i] - samples->below_left[i]) * samples->x[i];
        ret_values[i] = upper + (lower - upper) * samples->y[i];
    }
}

void gk_homography_sample(const struct gk_homography *homography, const struct gk_image *picture, double x,
                          double y, double step, int count, float *ret_values)
{
    const double *m = homography->m;
    const struct sample_line line = {.u = (float)(m[0] * x + m[1] * y + m[2]),
                                     .v = (float)(m[3] * x + m[4] * y + m[5]),
                                     .w = (float)(m[6] * x + m[7] * y + m[8]),
                                     .du = (float)(m[0] * step),
                                     .dv = (float)(m[3] * step),
                                     .dw = (float)(m[6] * step),
                                     .right = (float)picture->width_px - 1.001f,
                                     .bottom = (float)picture->height_px - 1.001f};
    for (int first = 0; first < count; first += AT_A_TIME) {
        struct samples samples;
        const int some = count - first < AT_A_TIME ? count - first : AT_A_TIME;
        place_samples(&line, first, some, &samples);
        fetch_samples(picture, some, &samples);
        mix_samples(&samples, some, ret_values + first);
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
        const size_t first = (size_t)y * (size_t)card.width_px;
        for (int x = 0; x < card.width_px; x++) {
            card.grey[first + (size_t)x] = (uint8_t)(row[x] + 0.5f);
        }
        for (int x = 0; x < card.width_px && with_rgb; x++) {
            copy_rgb(picture, gk_homography_apply(homography, (struct gk_point){x + 0.5, y + 0.5}),
                     card.rgb + (first + (size_t)x) * 3);
        }
    }
    *ret_card = card;
    return true;
}

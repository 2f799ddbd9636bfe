/*
 * A pixel is ink times light: left = gain * ink * (1 + slope), right = ink * (1 - slope), where the gain of
 * one lamp against the other varies slowly over the card. Divided by their wide means, a and b, the two
 * differ in slope alone, and (a - b) / (a + b) is the slope: the ink is gone.
 *
 * The shift between the frames is where their ink agrees best. Relief has the opposite sign under the two
 * lamps and so agrees best where it is shifted by a stroke: a shift counts only where it makes the whole
 * picture agree much better, which digits alone cannot.
 */
#include "core/recognition/lamps.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#define MEAN_SHARE 24     /* the means reach 1/24 of the width each way: 43 px, a digit's height, on a card */
#define LEAST_RADIUS_PX 8 /* on narrow strips */
#define DARK 0.06f        /* of the frame's mean is added to all, so that noise on black ink is no relief */
#define BURNT_OUT 253.0f  /* grey level */
#define FULL_SCALE 254.0f /* levels for a slope of 1 */
#define STEP_PX 3         /* between the pixels that are compared for the shift */
#define WORTH 0.87        /* of the disagreement must a shift leave at most */
#define OUTLIER 0.25f     /* disagreement beyond this share of the light counts no more */

/* One further, so that a shift between pixels is found up to the most. */
#define REACH (GK_LAMPS_SHIFT_MOST_PX + 1)
#define SIDE (2 * REACH + 1)

/* A frame divided by its wide means: about 1 on plain ground, 0 where it is burnt out. */
struct plane {
    int width, height;
    float *share;
};

static bool plane_make(const struct gk_image *image, struct plane *ret_plane)
{
    int width = image->width_px, height = image->height_px, radius = width / MEAN_SHARE;
    size_t stride = (size_t)width + 1;
    uint32_t *sums = malloc(stride * ((size_t)height + 1) * sizeof *sums);
    float *share = calloc((size_t)width * (size_t)height, sizeof *share);
    if (sums == NULL || share == NULL) {
        free(sums);
        free(share);
        return false;
    }
    radius = radius < LEAST_RADIUS_PX ? LEAST_RADIUS_PX : radius;
    gk_image_integral(image->grey, width, height, sums);
    float dark = 1 + DARK * (float)sums[stride * ((size_t)height + 1) - 1] / (float)(width * height);
    for (int y = 0; y < height; y++) {
        int y0 = y > radius ? y - radius : 0, y1 = y + radius < height ? y + radius + 1 : height;
        const uint32_t *above = sums + (size_t)y0 * stride, *below = sums + (size_t)y1 * stride;
        for (int x = 0; x < width; x++) {
            int x0 = x > radius ? x - radius : 0, x1 = x + radius < width ? x + radius + 1 : width;
            size_t i = (size_t)y * (size_t)width + (size_t)x;
            uint32_t total = below[x1] - below[x0] - above[x1] + above[x0];
            float mean = (float)total / (float)((x1 - x0) * (y1 - y0)), grey = image->grey[i];
            share[i] = grey >= BURNT_OUT ? 0 : (grey + dark) / (mean + dark);
        }
    }
    free(sums);
    *ret_plane = (struct plane){width, height, share};
    return true;
}

/* How little the frames agree where `right` is shifted by whole pixels: mean square over the picture. */
static double disagreement(const struct plane *left, const struct plane *right, int dx, int dy)
{
    int count = 0;
    double total = 0;
    for (int y = REACH; y < left->height - REACH; y += STEP_PX) {
        const float *a = left->share + (size_t)y * (size_t)left->width;
        const float *b = right->share + (size_t)(y + dy) * (size_t)left->width + dx;
        float row = 0;
        for (int x = REACH; x < left->width - REACH; x += STEP_PX, count++) {
            row += fminf((a[x] - b[x]) * (a[x] - b[x]), OUTLIER * OUTLIER);
        }
        total += (double)row;
    }
    return count > 0 ? total / count : 0;
}

/* Where between its neighbours the least of three lies, -0.5 to 0.5. */
static double vertex(double before, double least, double after)
{
    double bend = before - 2 * least + after;
    return bend > 0 ? fmin(fmax((before - after) / (2 * bend), -0.5), 0.5) : 0;
}

static struct gk_point find_shift(const struct plane *left, const struct plane *right)
{
    double costs[SIDE][SIDE];
    int best_x = 0, best_y = 0;
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            costs[y][x] = disagreement(left, right, x - REACH, y - REACH);
            if (costs[y][x] < costs[best_y][best_x]) {
                best_x = x;
                best_y = y;
            }
        }
    }
    double least = costs[best_y][best_x];
    if ((best_x != REACH || best_y != REACH) && least >= WORTH * costs[REACH][REACH]) {
        return (struct gk_point){0, 0};
    }
    struct gk_point shift = {best_x - REACH, best_y - REACH};
    if (best_x > 0 && best_x < SIDE - 1) {
        shift.x += vertex(costs[best_y][best_x - 1], least, costs[best_y][best_x + 1]);
    }
    if (best_y > 0 && best_y < SIDE - 1) {
        shift.y += vertex(costs[best_y - 1][best_x], least, costs[best_y + 1][best_x]);
    }
    return shift;
}

/* The plane at a fixed offset from each pixel: four neighbours and their weights. */
struct tap {
    int x, y; /* of the first neighbour */
    float weights[4];
};

static struct tap tap_of(double x, double y)
{
    struct tap tap = {.x = (int)floor(x), .y = (int)floor(y)};
    float u = (float)(x - tap.x), v = (float)(y - tap.y);
    tap.weights[0] = (1 - u) * (1 - v);
    tap.weights[1] = u * (1 - v);
    tap.weights[2] = (1 - u) * v;
    tap.weights[3] = u * v;
    return tap;
}

static int clamp(int value, int most)
{
    return value < 0 ? 0 : value > most ? most : value;
}

/* 0 where a neighbour is burnt out. */
static float value_at(const struct plane *plane, const struct tap *tap, int x, int y)
{
    int x0 = clamp(x + tap->x, plane->width - 1), x1 = clamp(x + tap->x + 1, plane->width - 1);
    const float *above = plane->share + (size_t)clamp(y + tap->y, plane->height - 1) * (size_t)plane->width;
    const float *below =
        plane->share + (size_t)clamp(y + tap->y + 1, plane->height - 1) * (size_t)plane->width;
    if (above[x0] <= 0 || above[x1] <= 0 || below[x0] <= 0 || below[x1] <= 0) {
        return 0;
    }
    return above[x0] * tap->weights[0] + above[x1] * tap->weights[1] + below[x0] * tap->weights[2] +
           below[x1] * tap->weights[3];
}

static void fill_relief(const struct plane *left, const struct plane *right, struct gk_point shift,
                        struct gk_image *relief)
{
    struct tap left_tap = tap_of(-shift.x / 2, -shift.y / 2), right_tap = tap_of(shift.x / 2, shift.y / 2);
    for (int y = 0; y < relief->height_px; y++) {
        uint8_t *out = relief->grey + (size_t)y * (size_t)relief->width_px;
        for (int x = 0; x < relief->width_px; x++) {
            float a = value_at(left, &left_tap, x, y), b = value_at(right, &right_tap, x, y);
            float level = a > 0 && b > 0 ? 128.5f + FULL_SCALE * (a - b) / (a + b) : 128;
            out[x] = (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
        }
    }
}

bool gk_lamps_difference(const struct gk_image *left, const struct gk_image *right,
                         struct gk_image *ret_relief)
{
    assert(left != NULL && right != NULL && ret_relief != NULL);
    struct plane left_plane = {0}, right_plane = {0};
    struct gk_image relief = {0};
    bool made = left->width_px == right->width_px && left->height_px == right->height_px &&
                plane_make(left, &left_plane) && plane_make(right, &right_plane) &&
                gk_image_make(left->width_px, left->height_px, false, &relief);
    if (made) {
        fill_relief(&left_plane, &right_plane, find_shift(&left_plane, &right_plane), &relief);
    }
    free(left_plane.share);
    free(right_plane.share);
    *ret_relief = relief;
    return made;
}

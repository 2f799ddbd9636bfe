/*
 * A pixel is ink times light: left = gain * ink * (1 + slope), right = ink * (1 - slope), where the gain of
 * one lamp against the other varies slowly over the card. With the gain taken from wide means, (left - gain *
 * right) / (left + gain * right) is the slope, and the ink is gone.
 *
 * The shift between the frames is where their ink agrees best. Relief has the opposite sign under the two
 * lamps and so agrees best where it is shifted by a stroke: a shift counts only where it makes the whole
 * picture agree much better, which digits alone cannot.
 */
#include "core/recognition/lamps.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MEAN_SHARE 24     /* the means reach 1/24 of the width each way: 43 px, a digit's height, on a card */
#define LEAST_RADIUS_PX 8 /* on narrow strips */
#define DARK 6.0f         /* added to both means, so that the noise of black ink is no relief */
#define BURNT_OUT 253     /* grey level */
#define FULL_SCALE 254.0f /* levels for a slope of 1 */
#define STEP_PX 3         /* between the pixels that are compared for the shift */
#define WORTH 0.87        /* of the disagreement must a shift leave at most */
#define OUTLIER 0.25f     /* disagreement beyond this share of the light counts no more */

/* One further, so that a shift between pixels is found up to the most. */
#define REACH (GK_LAMPS_SHIFT_MOST_PX + 1)
#define SIDE (2 * REACH + 1)

/* Means over a square around each pixel. */
struct means {
    int width, height, radius;
    uint32_t *sums;
};

static bool means_make(const struct gk_image *image, struct means *ret_means)
{
    struct means means = {.width = image->width_px, .height = image->height_px};
    int radius = image->width_px / MEAN_SHARE;
    means.radius = radius < LEAST_RADIUS_PX ? LEAST_RADIUS_PX : radius;
    means.sums = malloc(((size_t)means.width + 1) * ((size_t)means.height + 1) * sizeof *means.sums);
    if (means.sums == NULL) {
        return false;
    }
    gk_image_integral(image->grey, means.width, means.height, means.sums);
    *ret_means = means;
    return true;
}

static float mean_at(const struct means *means, int x, int y)
{
    int x0 = x > means->radius ? x - means->radius : 0, y0 = y > means->radius ? y - means->radius : 0;
    int x1 = x + means->radius < means->width ? x + means->radius + 1 : means->width;
    int y1 = y + means->radius < means->height ? y + means->radius + 1 : means->height;
    size_t stride = (size_t)means->width + 1;
    const uint32_t *above = means->sums + (size_t)y0 * stride, *below = means->sums + (size_t)y1 * stride;
    uint32_t total = below[x1] - below[x0] - above[x1] + above[x0];
    return (float)total / (float)((x1 - x0) * (y1 - y0)) + DARK;
}

/* Means of both frames and the frames themselves. */
struct pair {
    const struct gk_image *left, *right;
    struct means left_means, right_means;
};

/* How little the frames agree where `right` is shifted by whole pixels: mean square over the picture. */
static double disagreement(const struct pair *pair, int dx, int dy)
{
    int width = pair->left->width_px, height = pair->left->height_px, count = 0;
    double total = 0;
    for (int y = REACH; y < height - REACH; y += STEP_PX) {
        const uint8_t *left = pair->left->grey + (size_t)y * (size_t)width;
        const uint8_t *right = pair->right->grey + (size_t)(y + dy) * (size_t)width;
        for (int x = REACH; x < width - REACH; x += STEP_PX, count++) {
            float a = ((float)left[x] + DARK) / mean_at(&pair->left_means, x, y);
            float b = ((float)right[x + dx] + DARK) / mean_at(&pair->right_means, x, y);
            total += fminf((a - b) * (a - b), OUTLIER * OUTLIER);
        }
    }
    return count > 0 ? total / count : 0;
}

/* Where between its neighbours the least of three lies, -0.5 to 0.5. */
static double vertex(double before, double least, double after)
{
    double bend = before - 2 * least + after;
    return bend > 0 ? fmin(fmax((before - after) / (2 * bend), -0.5), 0.5) : 0;
}

static struct gk_point find_shift(const struct pair *pair)
{
    double costs[SIDE][SIDE];
    int best_x = REACH, best_y = REACH;
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < SIDE; x++) {
            costs[y][x] = disagreement(pair, x - REACH, y - REACH);
            if (costs[y][x] < costs[best_y][best_x]) {
                best_x = x;
                best_y = y;
            }
        }
    }
    double least = costs[best_y][best_x];
    if ((best_x != REACH || best_y != REACH) && least > WORTH * costs[REACH][REACH]) {
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

static uint8_t slope_at(float left, float right, float gain)
{
    float slope = (left - gain * right) / (left + gain * right + 2 * DARK);
    float level = 128 + slope * FULL_SCALE;
    return (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level + 0.5f);
}

static void fill_relief(const struct pair *pair, struct gk_point shift, struct gk_image *relief)
{
    for (int y = 0; y < relief->height_px; y++) {
        uint8_t *out = relief->grey + (size_t)y * (size_t)relief->width_px;
        for (int x = 0; x < relief->width_px; x++) {
            double u = shift.x / 2, v = shift.y / 2;
            float left = (float)gk_image_grey_at(pair->left, x + 0.5 - u, y + 0.5 - v);
            float right = (float)gk_image_grey_at(pair->right, x + 0.5 + u, y + 0.5 + v);
            float gain = mean_at(&pair->left_means, x, y) / mean_at(&pair->right_means, x, y);
            out[x] = left >= BURNT_OUT || right >= BURNT_OUT ? 128 : slope_at(left, right, gain);
        }
    }
}

bool gk_lamps_difference(const struct gk_image *left, const struct gk_image *right,
                         struct gk_image *ret_relief)
{
    assert(left != NULL && right != NULL && ret_relief != NULL);
    struct pair pair = {.left = left, .right = right};
    struct gk_image relief = {0};
    bool made = left->width_px == right->width_px && left->height_px == right->height_px &&
                means_make(left, &pair.left_means) && means_make(right, &pair.right_means) &&
                gk_image_make(left->width_px, left->height_px, false, &relief);
    if (made) {
        fill_relief(&pair, find_shift(&pair), &relief);
    }
    free(pair.left_means.sums);
    free(pair.right_means.sums);
    *ret_relief = relief;
    return made;
}

/* Cuts the strips of number_line.h. */
#include "core/recognition/number_line.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define MOST_SAMPLES 4 /* of the picture for a pixel, along either axis */

/* The strip's corners in the line's pixels: a trapezoid where the digits' height changes along the line. */
static struct gk_quad strip_quad(const struct gk_number_line *line, bool upside_down,
                                 const struct gk_framing *framing)
{
    double dx = line->right.x - line->left.x, dy = line->right.y - line->left.y, length = hypot(dx, dy);
    double ux = dx / length, uy = dy / length, turn = upside_down ? -1 : 1;
    const struct gk_point ends[2] = {line->left, line->right};
    const double heights[2] = {line->left_height, line->right_height};
    struct gk_point corners[2][2]; /* end, above or below */
    for (int end = 0; end < 2; end++) {
        double out = (end == 0 ? -1 : 1) * GK_STRIP_MARGIN_HEIGHTS * heights[end];
        double half = heights[end] / framing->digit_share / 2,
               shift = turn * framing->centre_shift * heights[end],
               skew = (end == 0 ? 0.5 : -0.5) * framing->skew * heights[end];
        for (int side = 0; side < 2; side++) {
            double down = (side == 0 ? -half : half) + shift + skew;
            corners[end][side] =
                (struct gk_point){ends[end].x + out * ux - down * uy, ends[end].y + out * uy + down * ux};
        }
    }
    struct gk_quad quad = {{corners[0][0], corners[1][0], corners[1][1], corners[0][1]}};
    return upside_down ? gk_quad_turned(&quad, 2) : quad;
}

/* Strip to line's pixels to picture. */
static struct gk_homography chain(const struct gk_homography *first, const struct gk_homography *second)
{
    struct gk_homography both = {.width_px = first->width_px, .height_px = first->height_px};
    for (int row = 0; row < 3; row++) {
        for (int column = 0; column < 3; column++) {
            for (int i = 0; i < 3; i++) {
                both.m[row * 3 + column] += second->m[row * 3 + i] * first->m[i * 3 + column];
            }
        }
    }
    return both;
}

/* How many samples along an axis keep a strip's pixel from skipping pixels of the picture. */
static int samples_for(const struct gk_homography *map, double dx, double dy)
{
    struct gk_point middle = {map->width_px / 2.0, map->height_px / 2.0};
    struct gk_point a = gk_homography_apply(map, middle);
    struct gk_point b = gk_homography_apply(map, (struct gk_point){middle.x + dx, middle.y + dy});
    return (int)fmin(fmax(round(hypot(b.x - a.x, b.y - a.y)), 1), MOST_SAMPLES);
}

static void fill(const struct gk_image *picture, const struct gk_homography *map, struct gk_image *strip)
{
    int across = samples_for(map, 1, 0), down = samples_for(map, 0, 1), width = strip->width_px;
    float sums[GK_DIGIT_STRIP_MOST_WIDTH_PX], row[GK_DIGIT_STRIP_MOST_WIDTH_PX];
    for (int y = 0; y < strip->height_px; y++) {
        memset(sums, 0, sizeof sums);
        for (int i = 0; i < across * down; i++) {
            gk_homography_sample(map, picture, (i % across + 0.5) / across, y + (i / across + 0.5) / down, 1,
                                 width, row);
            for (int x = 0; x < width; x++) {
                sums[x] += row[x];
            }
        }
        for (int x = 0; x < width; x++) {
            strip->grey[y * width + x] = (uint8_t)(sums[x] / (float)(across * down) + 0.5f);
        }
    }
}

bool gk_number_line_cut(const struct gk_image *picture, const struct gk_homography *frame,
                        const struct gk_number_line *line, bool upside_down, const struct gk_framing *framing,
                        struct gk_image *ret_strip)
{
    assert(framing->digit_share > 0);
    double height = (line->left_height + line->right_height) / 2;
    double length = hypot(line->right.x - line->left.x, line->right.y - line->left.y);
    double width =
        (length / height + 2 * GK_STRIP_MARGIN_HEIGHTS) * framing->digit_share * GK_DIGIT_STRIP_HEIGHT_PX;
    if (!(length > 0 && height > 0 && width >= 8)) {
        return false;
    }
    struct gk_homography map;
    struct gk_image strip;
    struct gk_quad quad = strip_quad(line, upside_down, framing);
    int width_px =
        4 * (int)round(fmin(fmax(width, GK_DIGIT_STRIP_LEAST_WIDTH_PX), GK_DIGIT_STRIP_MOST_WIDTH_PX) / 4);
    if (!gk_homography_from_quad(&quad, width_px, GK_DIGIT_STRIP_HEIGHT_PX, &map) ||
        !gk_image_make(width_px, GK_DIGIT_STRIP_HEIGHT_PX, false, &strip)) {
        return false;
    }
    if (frame != NULL) {
        map = chain(&map, frame);
    }
    fill(picture, &map, &strip);
    *ret_strip = strip;
    return true;
}

/*
 * Pixels and points, shared by the steps of recognition.
 */
#ifndef GUIKA_CORE_RECOGNITION_IMAGE_H
#define GUIKA_CORE_RECOGNITION_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Eight bits a sample, rows without padding. `grey` is always there; `rgb` (3 bytes a pixel) may be NULL. */
struct gk_image {
    int width_px, height_px;
    uint8_t *grey;
    uint8_t *rgb;
};

struct gk_point {
    double x, y; /* pixels unless a name says otherwise; pixel centres are whole numbers plus 0.5 */
};

/* The upright card's top left, top right, bottom right, bottom left. */
struct gk_quad {
    struct gk_point corner[4];
};

/* An ID-1 card (ISO/IEC 7810) and the frame that it is rectified to. */
#define GK_CARD_WIDTH_MM 85.60
#define GK_CARD_HEIGHT_MM 53.98
#define GK_CARD_WIDTH_PX 1024
#define GK_CARD_HEIGHT_PX 646
#define GK_CARD_PX_PER_MM (GK_CARD_WIDTH_PX / GK_CARD_WIDTH_MM)

/* false where memory ran out; *ret_image is then empty. Free with gk_image_clear. [any] */
bool gk_image_make(int width_px, int height_px, bool with_rgb, struct gk_image *ret_image);
void gk_image_clear(struct gk_image *image); /* accepts an empty one */

/* Luma of one pixel of three bytes (ITU-R BT.601). [any] */
static inline uint8_t gk_image_luma(const uint8_t *rgb)
{
    return (uint8_t)((77 * rgb[0] + 150 * rgb[1] + 29 * rgb[2]) >> 8);
}

/* Fills `grey` from `rgb` (luma of ITU-R BT.601). [any] */
void gk_image_fill_grey(struct gk_image *image);

/* Grey value at a point, bilinear; outside the nearest edge pixel's. [any] */
double gk_image_grey_at(const struct gk_image *image, double x, double y);

/* A part of a picture, pixels. */
struct gk_window {
    double left, top, width, height;
};

/* The window as a picture of the given size, grey only: a triangle filter, widened where it shrinks; outside
 * the nearest edge pixel's value. [any] */
bool gk_image_resample(const struct gk_image *image, const struct gk_window *window, int width_px,
                       int height_px, struct gk_image *ret_image);

/* The picture in another size, grey only: by box averages where both sides shrink, else between pixels. [any]
 */
bool gk_image_resize(const struct gk_image *image, int width_px, int height_px, struct gk_image *ret_image);

/* sums[(y) * (width + 1) + x]: total of the pixels above and left of (x, y). [any] */
void gk_image_integral(const uint8_t *grey, int width_px, int height_px, uint32_t *ret_sums);

#endif

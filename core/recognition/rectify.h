/*
 * The homography between a picture and the card's own plane, and pictures resampled through it.
 */
#ifndef GUIKA_CORE_RECOGNITION_RECTIFY_H
#define GUIKA_CORE_RECOGNITION_RECTIFY_H

#include "core/recognition/image.h"

/* Maps pixels of the card's frame to pixels of the picture. The frame is GK_CARD_WIDTH_PX x
 * GK_CARD_HEIGHT_PX, or these swapped for a card that stands upright in portrait. */
struct gk_homography {
    double m[9];             /* a 3x3 matrix by rows */
    int width_px, height_px; /* of the frame */
};

/* false where the corners do not span a quadrilateral. [any] */
bool gk_homography_from_quad(const struct gk_quad *quad, int width_px, int height_px,
                             struct gk_homography *ret_homography);
struct gk_point gk_homography_apply(const struct gk_homography *homography, struct gk_point frame);

/* Grey values, bilinear, at `count` points of the frame: (x + i * step, y); outside the picture its nearest
 * edge pixel's. About 4 ns a point. [any] */
void gk_homography_sample(const struct gk_homography *homography, const struct gk_image *picture, double x,
                          double y, double step, int count, float *ret_values);

/* Its area, whichever way round its corners run. [any] */
double gk_quad_area(const struct gk_quad *quad);

/* How the card lies in the frame: quarter turns clockwise that bring it upright. */
struct gk_quad gk_quad_turned(const struct gk_quad *quad, int quarter_turns);

/* The card in its frame, grey, and rgb where asked for and the picture has it. [worker] */
bool gk_rectify(const struct gk_image *picture, const struct gk_homography *homography, bool with_rgb,
                struct gk_image *ret_card);

#endif

/*
 * Two frames of one fixed camera under opposite lamps, read as their difference. Ink looks the same under
 * both; a flank of an embossed digit is light under the one and dark under the other. The difference is
 * relief without artwork: it brings out worn digits, and silver on silver.
 */
#ifndef GUIKA_CORE_RECOGNITION_LAMPS_H
#define GUIKA_CORE_RECOGNITION_LAMPS_H

#include "core/recognition/image.h"

/* How far the two pictures may be shifted against each other, in pixels each way. */
#define GK_LAMPS_SHIFT_MOST_PX 2

/* Fills a grey picture of the same size: 128 is flat, lighter what faces `left`'s lamp, darker what faces
 * `right`'s; 127 levels are a share of half of the light. The two are the same card in the same frame
 * (rectified through one quadrilateral, or strips cut alike). Their brightness may differ, and slowly vary,
 * from place to place; a shift of up to GK_LAMPS_SHIFT_MOST_PX is found and undone, half on each side. What
 * is burnt out under one lamp is flat. false, with *ret_relief empty, where the sizes differ or memory ran
 * out; free with gk_image_clear. 18 ms of one core for a card of 1024x646 (bench sight). [worker] */
bool gk_lamps_difference(const struct gk_image *left, const struct gk_image *right,
                         struct gk_image *ret_relief);

#endif

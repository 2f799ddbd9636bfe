/*
 * Finds the card's quadrilateral: long straight edges (Hough transform over oriented gradients), paired into
 * quadrilaterals that may be an ID-1 card seen at a slant, scored by how much of their outline is edge.
 */
#ifndef GUIKA_CORE_RECOGNITION_CARD_FINDER_H
#define GUIKA_CORE_RECOGNITION_CARD_FINDER_H

#include "core/recognition/image.h"

#define GK_CARD_FINDER_MOST 4

struct gk_found_quad {
    struct gk_quad
        quad;     /* corners clockwise from a long side's left end; the reader must try it turned by 180 */
    double score; /* 0 to 1: share of the outline that is edge, lowered for an unlikely shape or size */
    bool whole_picture; /* nothing was found: the picture is taken to be the card */
};

/* Fills `ret_found` with 1 to GK_CARD_FINDER_MOST quadrilaterals in pixels of `image`, best first; the whole
 * picture comes last unless its shape excludes it. Returns how many; 0 where memory ran out. [worker] */
size_t gk_card_find(const struct gk_image *image, struct gk_found_quad ret_found[GK_CARD_FINDER_MOST]);

#endif

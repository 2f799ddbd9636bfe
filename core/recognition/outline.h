/*
 * The outlines of the cards in a sight: cells that are card and not border, parted into areas; each area's
 * edge to a fraction of a cell; four straight sides through it.
 */
#ifndef GUIKA_CORE_RECOGNITION_OUTLINE_H
#define GUIKA_CORE_RECOGNITION_OUTLINE_H

#include "core/recognition/sight.h"

#define GK_OUTLINES_MOST 8

struct gk_outline {
    struct gk_quad quad; /* corners clockwise as seen, in cells of the sight; may lie beyond it */
    bool cut[4];         /* the side from corner i to the next is the sight's edge, not the card's */
    double certainty;    /* 0 to 1: mean of the quadrilateral's cells' probability of being card */
    double border;       /* 0 to 1: share of the sides that are not cut that the network calls border */
    double fill;         /* 0 to 1: what the area and the quadrilateral have in common, of what either has */
    int cells;           /* of the area */
};

/* Fills `ret_outlines`, largest first; returns how many. Cells whose logit is above `level` are card. 0 also
 * where memory ran out. [any] */
size_t gk_outlines_find(const struct gk_sight *sight, float level,
                        struct gk_outline ret_outlines[GK_OUTLINES_MOST]);

#endif

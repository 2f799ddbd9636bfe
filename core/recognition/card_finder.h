/*
 * Finds the cards in a picture: the outlines that the finder's network sees, completed where the picture cuts
 * them and drawn to the picture's own edges.
 */
#ifndef GUIKA_CORE_RECOGNITION_CARD_FINDER_H
#define GUIKA_CORE_RECOGNITION_CARD_FINDER_H

#include "core/recognition/sight.h"

#define GK_CARD_FINDER_MOST 4

struct gk_found_card {
    /* Pixels of the picture, and beyond it where it cuts the card. Corners clockwise from a long side's left
     * end, the long side being the upper one: the reader must try it turned by 180 degrees. */
    struct gk_quad quad;
    double score; /* 0 to 1: how surely this is one whole card */
    bool guessed; /* the picture shows too little of the card: the quadrilateral is what is visible */
};

/* Scores from here on are cards. Estimated; card_finder_test.c shows what follows on minted pictures. */
#define GK_CARD_SCORE_SURE 0.5

/* Fills `ret_found` with what may be cards, best first; returns how many. Where none is sure, a picture of a
 * card's proportions is guessed to be one, with a score below that. `sight` is of this whole picture.
 * [worker] */
size_t gk_cards_find(const struct gk_sight *sight, const struct gk_image *picture,
                     struct gk_found_card ret_found[GK_CARD_FINDER_MOST]);

#endif

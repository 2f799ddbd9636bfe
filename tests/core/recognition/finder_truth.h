/*
 * What is true of a minted photograph and what the finder makes of it, for the tests and the measuring
 * program.
 */
#ifndef GUIKA_TESTS_CORE_RECOGNITION_FINDER_TRUTH_H
#define GUIKA_TESTS_CORE_RECOGNITION_FINDER_TRUTH_H

#include "core/recognition/card_finder.h"
#include "core/recognition/number_line.h"
#include "tests/mint/mint.h"

struct truth {
    struct gk_quad quad, digits; /* of the upright card, pixels */
    int rows;                    /* of the number, evenly spread in `digits` */
    double row_share;            /* of the height of `digits` that a row takes */
};

struct found {
    struct gk_found_card cards[GK_CARD_FINDER_MOST];
    size_t card_count;
    struct gk_number_line
        lines[2][GK_NUMBER_LINES_MOST]; /* in the picture's pixels; seen in the picture, on the best card */
    size_t line_counts[2];
    double picture_ms, card_ms; /* of this thread's processor */
};

struct truth truth_of(const struct gk_mint_card *card, const struct gk_mint_picture *picture);

/* Draws the card; free `*ret_image` with gk_image_clear. Returns 0 or -1. */
int draw_minted(const struct gk_mint_card *card, const struct gk_mint_scene *scene,
                struct gk_image *ret_image, struct truth *ret_truth);

void look(struct gk_network *network, const struct gk_image *picture, struct found *found);

/* The largest distance of a corner, in shares of the card's longest side; either way up. */
double corner_error(const struct gk_quad *found, const struct gk_quad *truth);

/* Does a line run through the middle of the row, at most a quarter of a digit off, and end within one height
 * of its ends? */
bool row_found(const struct truth *truth, int row, const struct gk_number_line *lines, size_t count);

#endif

/*
 * What the finder sees: a small network marks, cell by cell, where cards and the rows of numbers lie.
 *
 * training/finder.py trains it and says what goes in and comes out. It looks twice: at the whole picture, for
 * cards, and at a card that was found, for its numbers. card_finder.h and number_line.h make quadrilaterals
 * and lines of what it saw.
 */
#ifndef GUIKA_CORE_RECOGNITION_SIGHT_H
#define GUIKA_CORE_RECOGNITION_SIGHT_H

#include "core/recognition/image.h"
#include "core/recognition/network.h"
#include "core/recognition/rectify.h"

#define GK_SIGHT_NETWORK "finder" /* its name in the model file */
#define GK_SIGHT_LONG_SIDE_PX 320 /* of the picture that the network is given */
#define GK_SIGHT_CELL_PX 4        /* of that picture, a side */

/* The network's channels. */
enum gk_sight_channel {
    GK_SIGHT_ROW,    /* logit: the cell lies on the middle of a number's row */
    GK_SIGHT_COSINE, /* of twice the row's angle, clockwise from the x axis */
    GK_SIGHT_SINE,
    GK_SIGHT_HEIGHT, /* ln(digit's height / 8 px) */
    GK_SIGHT_CARD,   /* logit: the cell lies on a card */
    GK_SIGHT_BORDER, /* logit: the cell lies on a card's outline */
    GK_SIGHT_CHANNELS
};

/* `values` are the network's and hold until it runs again. The cell (x, y) is centred on
 * ((x + 0.5) * cell_width + left, (y + 0.5) * cell_height + top) of what was looked at. */
struct gk_sight {
    int columns, rows;
    const float *values; /* [rows][columns][GK_SIGHT_CHANNELS] */
    double left, top, cell_width, cell_height;
};

float gk_sight_value(const struct gk_sight *sight, int column, int row, enum gk_sight_channel channel);

/* Looks at a whole picture; the sight is in its pixels. false where memory ran out or the picture is narrower
 * than a twentieth of its length. 1280 x 960 take about 1 ms besides the network. [worker] */
bool gk_sight_of_picture(struct gk_network *network, const struct gk_image *picture,
                         struct gk_sight *ret_sight);

/* Looks at the card that `frame` maps to the picture (its frame lies on its long side, GK_CARD_WIDTH_PX
 * wide); the sight is in pixels of the frame, and of a narrow margin around it. [worker] */
bool gk_sight_of_card(struct gk_network *network, const struct gk_image *picture,
                      const struct gk_homography *frame, struct gk_sight *ret_sight);

#endif

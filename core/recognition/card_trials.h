/*
 * One way to look at a picture, a card in it or the picture itself, and what on it may be a number: an order
 * of things to try, each with what a glance at it showed. Inside of the card reader.
 */
#ifndef GUIKA_CORE_RECOGNITION_CARD_TRIALS_H
#define GUIKA_CORE_RECOGNITION_CARD_TRIALS_H

#include "core/recognition/card_reader.h"
#include "core/recognition/line_reader.h"
#include "core/recognition/number_line.h"

#define GK_TRIALS_MOST 30 /* lines, blocks, print and regions of layouts */

/* Strength of a line that makes trying print and the layouts' regions needless. */
#define GK_TRIAL_WHOLE_NUMBER 9.0

/* Something that may be a number, with its rows. */
struct gk_trial {
    struct gk_number_line rows[GK_STACK_MOST_ROWS];
    int row_count;
    bool passed_over; /* by the finder: a row of print */
    struct gk_line_glance glance;
    double strength; /* of the stronger direction */
};

/* One way to look at the picture: a card, or the picture itself (frame.width_px 0). */
struct gk_card_view {
    const struct gk_card_reader *reader;
    const struct gk_image *picture;
    struct gk_homography frame;
    struct gk_quad quad;
    size_t number; /* for the observer */
    struct gk_candidate_list *list;
    double enough; /* probability from which nothing more is read in this picture */
    struct gk_card_sight *sight;
    struct gk_number_line lines[GK_NUMBER_LINES_MOST];
    size_t line_count;
    struct gk_trial trials[GK_TRIALS_MOST];
    size_t trial_count;
};

/* Fills the view's trials from its lines, print and the layouts' regions, strongest first. [worker] */
void gk_trials_propose(struct gk_card_view *view);

/* The most that a glance at one of them showed; 0: there are none. [any] */
double gk_trials_strongest(const struct gk_card_view *view);

/* Quarter turns clockwise that bring text upright which runs along (dx, dy). [any] */
int gk_trials_turns(double dx, double dy, bool upside_down);

#endif

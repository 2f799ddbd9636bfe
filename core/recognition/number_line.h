/*
 * Rows of numbers: from what the finder's network marks to lines of digits, and from a line to the strip that
 * the reader is given.
 */
#ifndef GUIKA_CORE_RECOGNITION_NUMBER_LINE_H
#define GUIKA_CORE_RECOGNITION_NUMBER_LINE_H

#include "core/recognition/digit_net.h"
#include "core/recognition/sight.h"

#define GK_NUMBER_LINES_MOST 12

/* A row of digits. Pixels of what was looked at: a picture, or a card's frame. Which end is the number's
 * first is not known: `left` is the end that is further left or, in a row that stands upright, higher. */
struct gk_number_line {
    struct gk_point left, right;      /* the ends of the digits' centre line */
    double left_height, right_height; /* of a digit, across the line, at the ends */
    double score;                     /* 0 to 1: how surely the network takes it for a number */
};

/* Fills `ret_lines`, best first; returns how many. [any] */
size_t gk_number_lines_find(const struct gk_sight *sight,
                            struct gk_number_line ret_lines[GK_NUMBER_LINES_MOST]);

/* The box around its digits, from the left end's top, clockwise. [any] */
struct gk_quad gk_number_line_box(const struct gk_number_line *line);

/* A number in rows below each other, one group of 3 to 6 characters a row, as on some payment cards. */
#define GK_STACK_LEAST_ROWS 3
#define GK_STACK_MOST_ROWS 5
#define GK_NUMBER_STACKS_MOST 2

struct gk_number_stack {
    struct gk_number_line rows[GK_STACK_MOST_ROWS]; /* from the top, as `left` being left has it */
    int row_count;
};

/* Looks for such blocks among the lines; returns how many. [any] */
size_t gk_number_stacks_find(const struct gk_number_line *lines, size_t count,
                             struct gk_number_stack ret_stacks[GK_NUMBER_STACKS_MOST]);

/* How to cut a strip: heights of it that a digit takes. */
struct gk_framing {
    double digit_share;  /* of the strip's height; 0.625 makes digits of 20 pixels */
    double centre_shift; /* the strip's centre below the line's, in digit heights */
    double skew;         /* its left end below its right one, in digit heights, beside the line */
};

/* How far a strip goes on beyond the line's ends. */
#define GK_STRIP_MARGIN_HEIGHTS 0.8

/* Cuts the line from the picture: upright, or turned by 180 degrees. `frame` maps the line's pixels to the
 * picture's; NULL: they are the picture's. The strip is grey, GK_DIGIT_STRIP_HEIGHT_PX high, with
 * GK_STRIP_MARGIN_HEIGHTS digit heights beyond both ends; digits are of one height and pitch in it even where
 * the line recedes. false where memory ran out or the line is degenerate. About 0.1 ms. [worker] */
bool gk_number_line_cut(const struct gk_image *picture, const struct gk_homography *frame,
                        const struct gk_number_line *line, bool upside_down, const struct gk_framing *framing,
                        struct gk_image *ret_strip);

#endif

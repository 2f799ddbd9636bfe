/*
 * Lines of print on a rectified card: characters as connected components of local contrast, chained into
 * rows. Where the layouts say that numbers stand ranks the rows; it does not limit them.
 */
#ifndef GUIKA_CORE_RECOGNITION_NUMBER_LINE_H
#define GUIKA_CORE_RECOGNITION_NUMBER_LINE_H

#include "core/recognition/image.h"
#include "core/recognition/rectify.h"

#define GK_NUMBER_LINES_MOST 40

/* A row of characters of one height. Pixels of the card frame it was found in. */
struct gk_number_line {
    double left, right; /* of the outermost characters */
    double centre_y;    /* of the characters at x = (left + right) / 2 */
    double slope;       /* dy / dx */
    double height;      /* of a character */
    int characters;     /* components; touching characters are one */
    bool light_on_dark;
    double score; /* larger is likelier to be a number */
};

/* Fills `ret_lines`, best first; returns how many. Rows of at least `least_characters`. [worker] */
size_t gk_number_lines_find(const struct gk_image *card, int least_characters,
                            struct gk_number_line ret_lines[GK_NUMBER_LINES_MOST]);

/* A number in rows below each other, one group of 3 to 6 characters a row, as on some payment cards. */
#define GK_STACK_LEAST_ROWS 3
#define GK_STACK_MOST_ROWS 5
#define GK_STACK_LEAST_CHARACTERS 3 /* components a row */
#define GK_NUMBER_STACKS_MOST 2

struct gk_number_stack {
    struct gk_number_line rows[GK_STACK_MOST_ROWS]; /* from the top */
    int row_count;
};

/* Looks for such blocks among the lines; returns how many. [any] */
size_t gk_number_stacks_find(const struct gk_number_line *lines, size_t count,
                             struct gk_number_stack ret_stacks[GK_NUMBER_STACKS_MOST]);

/* How to cut a strip. */
struct gk_framing {
    double height_share; /* strip's height in character heights */
    double centre_shift; /* downwards, in character heights */
    bool normalise;      /* flatten the local contrast */
};

/* Characters of a strip are this high. */
#define GK_STRIP_CHARACTER_PX 40

/* Cuts the line from the picture through `homography` (frame to picture): upright or turned by 180 degrees,
 * dark print on light ground, stretched contrast. false where memory ran out or the line is degenerate.
 * [worker] */
bool gk_number_line_cut(const struct gk_image *picture, const struct gk_homography *homography,
                        const struct gk_number_line *line, bool upside_down, const struct gk_framing *framing,
                        struct gk_image *ret_strip);

#endif

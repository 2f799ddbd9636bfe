/*
 * One line of a card, read by the digit net in several vertical framings: what they say together, and which
 * numbers that may be under the issuers' rules.
 */
#ifndef GUIKA_CORE_RECOGNITION_READING_H
#define GUIKA_CORE_RECOGNITION_READING_H

#include "core/recognition/candidates.h"
#include "core/recognition/decoder.h"
#include "core/recognition/letters.h"

#define GK_READING_FRAMINGS_MOST 22
#define GK_READING_ROWS_MOST 5

/* About 200 KB. Start from {.framing_count = 0}; owns nothing. */
struct gk_reading {
    int framing_count;
    struct gk_digit_matrix framings[GK_READING_FRAMINGS_MOST];
    int pictures[GK_READING_FRAMINGS_MOST]; /* that each framing is of */
    int picture;                            /* that the next one is of */
    struct gk_letters letters;              /* in front of its digits, by another reader */
    int row_count;                          /* of a block; 0: one line */
    bool passed_over;                       /* print that the finder took for no number */
    int row_ends[GK_READING_FRAMINGS_MOST][GK_READING_ROWS_MOST]; /* first column behind each row */
};

/* Adds a framing: another height or offset of the same strip, from the same left to the same right end. (A
 * picture under another lamp or of another frame may be added too, after gk_reading_next_picture, where it is
 * certain that it is the same line; else it is a reading of its own: gk_candidates_add.) What is more than
 * GK_READING_FRAMINGS_MOST is left out. [any] */
void gk_reading_add(struct gk_reading *reading, const struct gk_digit_matrix *matrix);

/* What is added from now on is of another picture of the line: it says more than another framing. [any] */
void gk_reading_next_picture(struct gk_reading *reading);

/* Joins the rows of a block, 1 to GK_READING_ROWS_MOST, into one reading whose characters are the rows' in
 * order and whose groups are the rows. Framing i of the result is framing i of every row, which are of the
 * same picture: it has as many as the row with fewest. Rows that do not fit in GK_DIGIT_COLUMNS_MOST, blank
 * ends taken off, are cut at the right. `ret_reading` is none of the rows. [any] */
void gk_reading_join(const struct gk_reading *rows, int row_count, struct gk_reading *ret_reading);

/* What the line says under the rules. With no framing, or nothing but blanks, the verdict is empty. About
 * 0.4 ms for three framings, 0.6 for seven, 1.9 for fourteen of a line in doubt, 15 for sixteen of noise;
 * uses 1 MB of stack. [worker] */
void gk_reading_verdict(const struct gk_reading *reading, const struct gk_candidate_rules *rules,
                        struct gk_line_verdict *ret_verdict);

#endif

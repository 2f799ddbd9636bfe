/*
 * From the digit net's output to strings: connectionist temporal classification (Graves et al. 2006), decoded
 * by prefix beam search. What the strings mean is for reading.h.
 */
#ifndef GUIKA_CORE_RECOGNITION_DECODER_H
#define GUIKA_CORE_RECOGNITION_DECODER_H

#include "core/recognition/rules.h"

#include <stdint.h>

#define GK_DIGIT_CLASSES 12 /* 0 blank, 1 to 10 the digits 0 to 9, 11 X */
#define GK_DIGIT_COLUMNS_MOST 192
#define GK_DIGIT_CHARACTERS 11 /* the classes without the blank: 0-9 and X */

/* What the net says about one strip, 32 px high. */
struct gk_digit_matrix {
    int columns;                                                    /* 0 to GK_DIGIT_COLUMNS_MOST */
    float log_probability[GK_DIGIT_COLUMNS_MOST][GK_DIGIT_CLASSES]; /* natural logarithm, by column */
    double px_per_column;                                           /* of the strip: 4 */
};

/* A stretch of a matrix made ready: tempered (calibration.h), as probabilities, with neighbouring columns
 * that are certainly blank merged into one. */
struct gk_digit_sheet {
    int count;
    double column[GK_DIGIT_COLUMNS_MOST]; /* middle of the columns that the row stands for, in the matrix */
    double share[GK_DIGIT_COLUMNS_MOST][GK_DIGIT_CLASSES]; /* sum 1 by row */
};

/* Of the columns from `first` up to but not including `end`, 0 <= first <= end <= columns. A value that is no
 * number counts as impossible; a column of nothing else as blank. [any] */
void gk_digit_sheet_make(const struct gk_digit_matrix *matrix, int first, int end,
                         struct gk_digit_sheet *ret_sheet);

#define GK_DECODED_MOST 48 /* the width of the beam */

struct gk_decoded {
    char text[GK_NUMBER_SIZE]; /* at least one character */
    uint64_t key;              /* gk_decoder_key of it */
    double log_probability;    /* of all paths that were followed: a lower bound, and close to the whole */
};

struct gk_decoding {
    size_t count;
    struct gk_decoded items[GK_DECODED_MOST]; /* likeliest first */
};

/* The likeliest strings of 1 to GK_NUMBER_LONGEST characters. Leaves out those whose probability is less than
 * a millionth of the best one's. About 0.05 ms for a line of print; uses 110 KB of stack. [worker]
 */
void gk_decoder_search(const struct gk_digit_sheet *sheet, struct gk_decoding *ret_decoding);

/* A sum over the text (Fowler, Noll, Vo, 64 bits), for quick comparisons: unequal texts hardly ever have
 * equal ones. [any] */
uint64_t gk_decoder_key(const char *text);

/* Natural logarithm of the exact probability of `text` (0 to GK_NUMBER_LONGEST characters of 0-9 and X);
 * -HUGE_VAL: it cannot be, or is less likely than about 1e-250. [any] */
double gk_decoder_score(const struct gk_digit_sheet *sheet, const char *text);

/* Exact probabilities that the text has 0, 1, ... GK_NUMBER_LONGEST characters. [any] */
void gk_decoder_lengths(const struct gk_digit_sheet *sheet, double ret_share[GK_NUMBER_SIZE]);

/* Sums over a text's paths at one row: in the blank before each character and behind the last, and in each
 * character, which is one further along: 0 stands before the first and behind the last. */
struct gk_path_sums {
    double blank[GK_NUMBER_LONGEST + 1], character[GK_NUMBER_LONGEST + 2];
};

/* All paths of a text on a sheet. About 200 KB; owns nothing. */
struct gk_paths {
    const struct gk_digit_sheet *sheet; /* borrowed */
    int length;
    int classes[GK_NUMBER_SIZE];
    double probability;
    struct gk_path_sums forward[GK_DIGIT_COLUMNS_MOST + 1]; /* before each row, and behind the last */
    struct gk_path_sums backward[GK_DIGIT_COLUMNS_MOST];    /* behind each row */
};

/* false where the text is empty or less likely than about 1e-130; `ret_paths` is of no use then. [any] */
bool gk_decoder_follow(const struct gk_digit_sheet *sheet, const char *text, struct gk_paths *ret_paths);

/* As gk_decoder_score of the paths' sheet; cheaper, the more the text begins and ends as the paths' text
 * does. [any] */
double gk_decoder_score_beside(const struct gk_paths *paths, const char *text);

/* How a text lies on a sheet. */
struct gk_alignment {
    int length;
    double log_probability;           /* as gk_decoder_score */
    double column[GK_NUMBER_LONGEST]; /* middle of the character, in columns of the matrix */
    /* Probability of the text with this one character exchanged, divided by that of the text; 1 for the
     * character itself. Exact. */
    double ratio[GK_NUMBER_LONGEST][GK_DIGIT_CHARACTERS];
};

/* [any] */
void gk_decoder_align(const struct gk_paths *paths, struct gk_alignment *ret_alignment);

/* The distance of most neighbours, in columns; 0: there are none. [any] */
double gk_alignment_pitch(const struct gk_alignment *alignment);

/* The middle one of `count` values, which it sorts; 0: there are none. [any] */
double gk_median(double *values, int count);

#endif

/*
 * A run of number characters on one line, as alternatives with probabilities: made from one or more readings
 * of the same strip.
 */
#ifndef GUIKA_CORE_RECOGNITION_LATTICE_H
#define GUIKA_CORE_RECOGNITION_LATTICE_H

#include "core/recognition/rules.h"
#include "core/recognition/text.h"

#define GK_LATTICE_CHARACTERS 11 /* 0-9 and, last in a number, X */

struct gk_lattice_place {
    double share[GK_LATTICE_CHARACTERS]; /* probabilities by character, sum 1 */
};

struct gk_lattice {
    int count; /* characters */
    struct gk_lattice_place places[GK_NUMBER_LONGEST];
    char grouping[96];      /* as printed: "4-4-4-4", "9(1)" */
    double slip;            /* probability that a character is missing or too many */
    int readings;           /* that agree on the number of characters */
    double mean_confidence; /* Tesseract's, 0 to 100 */
};

#define GK_LATTICE_RUNS_MOST 4 /* number runs of one line */

/* Splits a reading into runs of at least `least` digits (letters that look like digits count where digits
 * surround them). Returns how many. [any] */
size_t gk_lattice_from_text(const struct gk_text_line *line, int least,
                            struct gk_lattice ret_runs[GK_LATTICE_RUNS_MOST]);

/* One lattice from `count` readings (at least 1) of the same run: those that agree on the number of
 * characters with most others are multiplied; the rest only raises the slip. Returns whether all agreed.
 * [any] */
bool gk_lattice_vote(const struct gk_lattice *readings, size_t count, struct gk_lattice *ret_lattice);

/* The likeliest characters, terminated. Returns their probability, slips left out. [any] */
double gk_lattice_best(const struct gk_lattice *lattice, char ret_number[GK_NUMBER_SIZE]);

#endif

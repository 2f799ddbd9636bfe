/* Made up output of the digit net: what tests of the decoder and of readings are fed. */
#ifndef GUIKA_TESTS_DIGIT_RIG_H
#define GUIKA_TESTS_DIGIT_RIG_H

#include "core/recognition/decoder.h"

#define RIG_PITCH 5 /* columns a character; a space is as wide */

/* A line of print: each character stands in one column with the probability `sure` (the others share the
 * rest), between blanks of a hundredth of the doubt. A space is a gap. */
void rig_draw(struct gk_digit_matrix *matrix, const char *text, double sure);

/* Gives the `index`th character drawn (spaces not counted) this share for `other`, taken from its own. */
void rig_doubt(struct gk_digit_matrix *matrix, const char *text, int index, char other, double share);

/* Random numbers that are the same everywhere. 0 to 1. */
double rig_random(uint64_t *state);

/* A line of print with noise, of which the probabilities are right by construction, temperature undone: each
 * character is seen through a channel of unit Gaussian noise and this strength for each of 0-9. At 3 about
 * one digit in 20 is misread, at 4.5 one in 500. */
void rig_observe(struct gk_digit_matrix *matrix, const char *text, double strength, uint64_t *state);

/* Every column random: exp(sharpness * u), u from 0 to 1, scaled. */
void rig_garbage(struct gk_digit_matrix *matrix, int columns, double sharpness, uint64_t *state);

#endif

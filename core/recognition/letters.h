/*
 * Letters in front of a number's digits, as Suica's "JE". Which ones there are the issuers' prefixes say: a
 * closed list, so that the few characters that Tesseract gives need only tell them apart. The digits behind
 * them are the digit net's.
 */
#ifndef GUIKA_CORE_RECOGNITION_LETTERS_H
#define GUIKA_CORE_RECOGNITION_LETTERS_H

#include <stdbool.h>
#include <stddef.h>

#define GK_LETTERS_MOST 4     /* letters that a prefix begins with */
#define GK_LETTERS_CHOICES 32 /* prefixes of the whole shelf */

struct gk_letters_choice {
    char text[GK_LETTERS_MOST + 1];
    double probability;
};

/* What stands in front of a row's digits; .count 0: nothing, or nothing that was looked at. */
struct gk_letters {
    size_t count;
    struct gk_letters_choice choices[GK_LETTERS_CHOICES]; /* sum to less than 1 */
    double end; /* where the digits begin, as a share of the strip's length */
};

struct gk_candidate_rules;
struct gk_card_reader;
struct gk_line_place;
struct gk_number_line;
struct gk_text_line;

/* May so many digits as the net saw on a row be a number of the shelf that begins with letters? The net makes
 * digits or nothing of those. `grouping` is how they are parted, as far as that is known: not where numbers
 * of digits alone are parted so. [any] */
bool gk_letters_may_stand(const struct gk_candidate_rules *rules, size_t digits, const char *grouping);

/* Reads the row by Tesseract and looks for a prefix of the shelf in front of its digits. False, and nothing
 * set, where there is none. About 15 ms. [worker] */
bool gk_letters_read(const struct gk_card_reader *reader, const struct gk_line_place *place,
                     const struct gk_number_line *row, bool upside_down, struct gk_letters *ret_letters);

/* The same from what Tesseract said of a strip of `width_px`. [any] */
bool gk_letters_find(const struct gk_candidate_rules *rules, const struct gk_text_line *text, int width_px,
                     struct gk_letters *ret_letters);

#endif

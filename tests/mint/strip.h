/*
 * Strips of number lines for training the digit net: a line of digits over artwork, in relief or in ink, as a
 * camera saw it at some distance, resampled to the height that the net reads. Nothing here aims at the look
 * of one card: what varies in real pictures (stroke, foil, wear, light, artwork, neighbours, size, blur,
 * noise, compression) varies here at least as much.
 */
#ifndef GUIKA_TESTS_MINT_STRIP_H
#define GUIKA_TESTS_MINT_STRIP_H

#include <stdbool.h>
#include <stdint.h>

/* More than the net's 32 rows, so that training can move and scale its window. */
#define GK_MINT_STRIP_HEIGHT_PX 40
#define GK_MINT_STRIP_WIDTH_PX 304
#define GK_MINT_STRIP_TEXT_SIZE 28

struct gk_mint_strip {
    char text[GK_MINT_STRIP_TEXT_SIZE]; /* what the net shall read: 0-9 and X; empty where nothing is to be
                                           read */
    float digit_height_px;              /* nominal, before tilt */
    uint8_t grey[GK_MINT_STRIP_HEIGHT_PX * GK_MINT_STRIP_WIDTH_PX];
};

/* The same seed gives the same strip in one build on one machine. Takes about 3 ms. Returns 0, or -1 where
 * memory ran out. [any] */
int gk_mint_strip_random(uint64_t seed, struct gk_mint_strip *ret_strip);

/* A whole number's line, for measuring. */
struct gk_mint_line {
    int width_px; /* about 200 for six digits, at most 900 */
    double digit_height_px;
    uint8_t *grey; /* GK_MINT_STRIP_HEIGHT_PX rows; the caller frees it */
};

/* Draws `number`, 1 to 27 characters of 0-9 and X, grouped as "4-4-4-4" says (one group: "16"), by the same
 * drawing, light and camera as the strips above. Print, artwork and photograph follow from the seed. Takes
 * about 8 ms for 16 digits. Returns 0, or -1 where the arguments are other or memory ran out. [any] */
int gk_mint_strip_number(const char *number, const char *grouping, bool embossed, uint64_t seed,
                         struct gk_mint_line *ret_line);

#endif

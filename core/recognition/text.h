/*
 * One line of print to characters with alternatives, by Tesseract. Its dictionaries are off and its whitelist
 * unused (tesseract#2923, #3856: a whitelist drops spaces and sets confidences to 0).
 */
#ifndef GUIKA_CORE_RECOGNITION_TEXT_H
#define GUIKA_CORE_RECOGNITION_TEXT_H

#include "core/recognition/image.h"
#include "rpc/status.h"

#define GK_TEXT_SYMBOLS_MOST 64
#define GK_TEXT_CHOICES_MOST 6

struct gk_text_choice {
    char character;
    float share; /* 0 to 1: Tesseract's own weight, not a probability */
};

struct gk_text_symbol {
    struct gk_text_choice choices[GK_TEXT_CHOICES_MOST]; /* best first */
    int choice_count;                                    /* at least 1 */
    float confidence;                                    /* of the best, 0 to 100 */
    int left, right;                                     /* pixels of the strip */
    bool starts_word;
};

struct gk_text_line {
    struct gk_text_symbol symbols[GK_TEXT_SYMBOLS_MOST];
    int count;
};

struct gk_text_reader;

/* Loads the English model: 60 to 120 ms, 17 MB. UNAVAILABLE where
 * Tesseract or its data is missing. */
enum gk_status gk_text_reader_open(struct gk_text_reader **ret_reader, struct gk_error *error);
void gk_text_reader_close(struct gk_text_reader *reader);

/* Reads a strip: dark print on light ground, one line. Symbols outside ASCII become '?'. false where
 * Tesseract failed or saw nothing. About 15 ms. [worker] */
bool gk_text_read(struct gk_text_reader *reader, const struct gk_image *strip, struct gk_text_line *ret_line);

#endif

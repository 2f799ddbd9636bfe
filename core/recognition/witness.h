/*
 * Second opinions on what the digit net read: Tesseract on the same line, and bar codes on the card. They
 * cost more than the net, so they are asked where it is in doubt.
 */
#ifndef GUIKA_CORE_RECOGNITION_WITNESS_H
#define GUIKA_CORE_RECOGNITION_WITNESS_H

#include "core/recognition/line_reader.h"

/* What Tesseract reads on the line; `*ret_width_px` is the length of the strip that it saw. False where it
 * saw nothing, or the row is degenerate. About 15 ms. [worker] */
bool gk_witness_read(const struct gk_card_reader *reader, const struct gk_line_place *place,
                     const struct gk_number_line *line, bool upside_down, struct gk_text_line *ret_text,
                     int *ret_width_px);

/* Tesseract reads the line; a candidate whose number it reads as well has a witness. For flat print: it reads
 * next to no embossed digits. About 15 ms. [worker] */
void gk_witness_text(const struct gk_card_reader *reader, const struct gk_line_place *place,
                     const struct gk_number_line *line, bool upside_down, struct gk_candidate_list *list);

/* Bar codes on the card that `frame` maps to the picture: witnesses of candidates, or readings of their own
 * where the rules know such a number. About 15 ms. [worker] */
void gk_witness_barcodes(const struct gk_card_reader *reader, const struct gk_image *picture,
                         const struct gk_homography *frame, struct gk_candidate_list *list);

#endif

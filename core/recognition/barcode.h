/*
 * Bar codes on a rectified card, by ZBar: many campus, library and parking cards carry their number as one.
 * A bar code has its own check, so that what is read is nearly always what was printed; whether it is the
 * card's number the issuers' rules must say.
 *
 * Owns one scanner, which keeps its working memory between cards. One thread at a time.
 */
#ifndef GUIKA_CORE_RECOGNITION_BARCODE_H
#define GUIKA_CORE_RECOGNITION_BARCODE_H

#include "core/recognition/image.h"
#include "rpc/status.h"

#define GK_BARCODES_MOST 8
#define GK_BARCODE_TEXT_SIZE 257 /* with the terminator; longer texts are given by their runs alone */

enum gk_barcode_symbology {
    GK_BARCODE_EAN, /* EAN-13, EAN-8, UPC-A, UPC-E */
    GK_BARCODE_CODE39,
    GK_BARCODE_CODE128,
    GK_BARCODE_ITF, /* interleaved 2 of 5: no check of its own unless the number has one */
    GK_BARCODE_CODABAR,
    GK_BARCODE_QR,
};

struct gk_barcode {
    enum gk_barcode_symbology symbology;
    bool is_part; /* a run of digits within a longer text, as in a QR code's address: weaker evidence */
    char text[GK_BARCODE_TEXT_SIZE]; /* printable ASCII, with a letter or digit; gk_rules_canonical takes it,
                                        or it is too long for a number */
};

struct gk_barcode_reader;

/* RESOURCE_EXHAUSTED where memory ran out. [any] */
enum gk_status gk_barcode_reader_open(struct gk_barcode_reader **ret_reader, struct gk_error *error);
void gk_barcode_reader_close(struct gk_barcode_reader *reader); /* accepts NULL */

/* Looks for bar codes on the grey card, whichever way up; whole texts come before parts. Returns how many of
 * `ret_codes` were filled; 0 where memory ran out. 8 to 12 ms of one core for a card of 1024x646, and 0.4 MB
 * resident (bench sight). [worker] */
size_t gk_barcodes_read(struct gk_barcode_reader *reader, const struct gk_image *card,
                        struct gk_barcode ret_codes[GK_BARCODES_MOST]);

#endif

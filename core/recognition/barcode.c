#include "core/recognition/barcode.h"

#include "core/recognition/rules.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <zbar.h>

#define SCAN_STEP_PX 2     /* between scan lines: the lowest bar codes on cards are 5 mm, 60 px, high */
#define LEAST_CHARACTERS 6 /* of a code whose symbology has no length or check of its own, and of a run */
#define LEAST_SCANS 2      /* lines that must agree on a code of bars; one alone may be chance */

struct gk_barcode_reader {
    zbar_image_scanner_t *scanner;
};

static const struct {
    zbar_symbol_type_t type;
    enum gk_barcode_symbology symbology;
    bool any_length;
} kinds[] = {
    {ZBAR_EAN13, GK_BARCODE_EAN, false},    {ZBAR_EAN8, GK_BARCODE_EAN, false},
    {ZBAR_UPCA, GK_BARCODE_EAN, false},     {ZBAR_UPCE, GK_BARCODE_EAN, false},
    {ZBAR_CODE39, GK_BARCODE_CODE39, true}, {ZBAR_CODE128, GK_BARCODE_CODE128, false},
    {ZBAR_I25, GK_BARCODE_ITF, true},       {ZBAR_CODABAR, GK_BARCODE_CODABAR, true},
    {ZBAR_QRCODE, GK_BARCODE_QR, false},
};
#define KINDS (sizeof kinds / sizeof *kinds)

enum gk_status gk_barcode_reader_open(struct gk_barcode_reader **ret_reader, struct gk_error *error)
{
    assert(ret_reader != NULL);
    struct gk_barcode_reader *reader = calloc(1, sizeof *reader);
    zbar_image_scanner_t *scanner = reader == NULL ? NULL : zbar_image_scanner_create();
    if (scanner == NULL) {
        free(reader);
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "out of memory for bar codes");
    }
    reader->scanner = scanner;
    zbar_image_scanner_set_config(scanner, ZBAR_NONE, ZBAR_CFG_ENABLE, 0);
    for (size_t i = 0; i < KINDS; i++) {
        zbar_image_scanner_set_config(scanner, kinds[i].type, ZBAR_CFG_ENABLE, 1);
        if (kinds[i].any_length) {
            zbar_image_scanner_set_config(scanner, kinds[i].type, ZBAR_CFG_MIN_LEN, LEAST_CHARACTERS);
        }
    }
    zbar_image_scanner_set_config(scanner, ZBAR_NONE, ZBAR_CFG_X_DENSITY, SCAN_STEP_PX);
    zbar_image_scanner_set_config(scanner, ZBAR_NONE, ZBAR_CFG_Y_DENSITY, SCAN_STEP_PX);
    *ret_reader = reader;
    return GK_OK;
}

void gk_barcode_reader_close(struct gk_barcode_reader *reader)
{
    if (reader != NULL) {
        zbar_image_scanner_destroy(reader->scanner);
        free(reader);
    }
}

/* What was read so far. */
struct harvest {
    struct gk_barcode *codes;
    size_t count;
};

static void add(struct harvest *harvest, enum gk_barcode_symbology symbology, bool is_part, const char *text,
                size_t length)
{
    assert(length < GK_BARCODE_TEXT_SIZE);
    for (size_t i = 0; i < harvest->count; i++) {
        if (strlen(harvest->codes[i].text) == length && memcmp(harvest->codes[i].text, text, length) == 0) {
            return;
        }
    }
    if (harvest->count < GK_BARCODES_MOST) {
        struct gk_barcode *code = &harvest->codes[harvest->count++];
        *code = (struct gk_barcode){.symbology = symbology, .is_part = is_part};
        memcpy(code->text, text, length);
    }
}

static void add_whole(struct harvest *harvest, enum gk_barcode_symbology symbology, const char *text,
                      size_t length)
{
    bool sayable = false;
    for (size_t i = 0; i < length; i++) {
        unsigned char character = (unsigned char)text[i];
        if (character < 0x20 || character > 0x7e) {
            return;
        }
        sayable = sayable || isalnum(character);
    }
    if (sayable && length < GK_BARCODE_TEXT_SIZE) {
        add(harvest, symbology, false, text, length);
    }
}

static void add_runs(struct harvest *harvest, enum gk_barcode_symbology symbology, const char *text,
                     size_t length)
{
    for (size_t start = 0; start < length;) {
        size_t run = 0;
        while (start + run < length && text[start + run] >= '0' && text[start + run] <= '9') {
            run++;
        }
        if (run >= LEAST_CHARACTERS && run <= GK_NUMBER_LONGEST && run < length) {
            add(harvest, symbology, true, text + start, run);
        }
        start += run + 1;
    }
}

/* Adds what the symbols say: the whole texts, or the runs of digits within them. */
static void harvest_symbols(const zbar_image_t *image, bool parts, struct harvest *harvest)
{
    for (const zbar_symbol_t *symbol = zbar_image_first_symbol(image); symbol != NULL;
         symbol = zbar_symbol_next(symbol)) {
        for (size_t i = 0; i < KINDS; i++) {
            bool is_qr = kinds[i].type == ZBAR_QRCODE;
            if (kinds[i].type == zbar_symbol_get_type(symbol) &&
                (is_qr || zbar_symbol_get_quality(symbol) >= LEAST_SCANS)) {
                (parts ? add_runs : add_whole)(harvest, kinds[i].symbology, zbar_symbol_get_data(symbol),
                                               zbar_symbol_get_data_length(symbol));
            }
        }
    }
}

size_t gk_barcodes_read(struct gk_barcode_reader *reader, const struct gk_image *card,
                        struct gk_barcode ret_codes[GK_BARCODES_MOST])
{
    assert(reader != NULL && card != NULL && card->grey != NULL && ret_codes != NULL);
    struct harvest harvest = {.codes = ret_codes};
    zbar_image_t *image = zbar_image_create();
    if (image == NULL) {
        return 0;
    }
    zbar_image_set_format(image, zbar_fourcc('Y', '8', '0', '0'));
    zbar_image_set_size(image, (unsigned)card->width_px, (unsigned)card->height_px);
    zbar_image_set_data(image, card->grey, (unsigned long)card->width_px * (unsigned long)card->height_px,
                        NULL);
    if (zbar_scan_image(reader->scanner, image) > 0) {
        harvest_symbols(image, false, &harvest);
        harvest_symbols(image, true, &harvest);
    }
    zbar_image_destroy(image);
    return harvest.count;
}

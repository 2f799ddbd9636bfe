/* A bar code on a white field, as campus, library and parking cards carry one. Drawn by Zint. */
#include "tests/mint/mint_internal.h"

#include <string.h>
#include <zint.h>

static bool is_set(const struct zint_symbol *symbol, int row, int column)
{
    return (symbol->encoded_data[row][column / 8] >> (column % 8) & 1) != 0;
}

static void draw_modules(cairo_t *cr, const struct zint_symbol *symbol, struct gk_box place, double quiet)
{
    double width = (place.right - place.left) / (symbol->width + 2 * quiet);
    bool square = symbol->rows > 1;
    double top = square ? place.top + quiet * width : place.top + 0.6;
    double height = square ? width : place.bottom - place.top - 1.2;
    for (int row = 0; row < symbol->rows; row++) {
        for (int column = 0; column < symbol->width; column++) {
            int end = column;
            while (end < symbol->width && is_set(symbol, row, end)) {
                end++;
            }
            if (end > column) {
                cairo_rectangle(cr, place.left + (quiet + column) * width, top + row * height,
                                (end - column) * width, height);
                column = end;
            }
        }
    }
}

int gk_barcode_draw(cairo_t *cr, const struct gk_mint_card *card, struct gk_box place)
{
    const char *text = card->barcode_text[0] != '\0' ? card->barcode_text : card->number;
    bool qr = card->barcode == GK_MINT_BARCODE_QR;
    struct zint_symbol *symbol = ZBarcode_Create();
    if (symbol == NULL) {
        return -1;
    }
    symbol->symbology = qr ? BARCODE_QRCODE : BARCODE_CODE128;
    int status = ZBarcode_Encode(symbol, (const unsigned char *)text, (int)strlen(text));
    if (status < ZINT_ERROR) {
        cairo_set_source_rgb(cr, 1, 1, 1);
        cairo_rectangle(cr, place.left, place.top, place.right - place.left, place.bottom - place.top);
        cairo_fill(cr);
        cairo_set_source_rgb(cr, 0.05, 0.05, 0.07);
        /* Quiet zones: ISO/IEC 15417 asks for 10 modules, ISO/IEC 18004 for 4. */
        draw_modules(cr, symbol, place, qr ? 4 : 10);
        cairo_fill(cr);
    }
    ZBarcode_Delete(symbol);
    return status < ZINT_ERROR ? 0 : -1;
}

/* The mint's own cards as faces of sketches: their print is nearer to real cards than the sketches' own. */
#include "tests/mint/sketch.h"

#include <math.h>

static void to_grey(cairo_surface_t *surface)
{
    cairo_surface_flush(surface);
    unsigned char *pixels = cairo_image_surface_get_data(surface);
    int width = cairo_image_surface_get_width(surface), height = cairo_image_surface_get_height(surface);
    int stride = cairo_image_surface_get_stride(surface);
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            unsigned char *at = pixels + (ptrdiff_t)y * stride + x * 4;
            at[0] = at[1] = at[2] = (unsigned char)((29 * at[0] + 150 * at[1] + 77 * at[2]) >> 8);
        }
    }
    cairo_surface_mark_dirty(surface);
}

static void note_rows(const struct gk_mint_card *card, struct gk_box digits, struct gk_sketch_face *face)
{
    if (card->number[0] == '\0' || digits.right <= digits.left) {
        return;
    }
    if (card->layout != GK_MINT_BLOCKS) {
        face->rows[face->row_count++] = digits;
        return;
    }
    double height = digits.bottom - digits.top - 3 * GK_MINT_PAYMENT_BLOCKS_STEP_MM;
    for (int i = 0; i < 4; i++) {
        struct gk_box row = digits;
        row.top = digits.top + i * GK_MINT_PAYMENT_BLOCKS_STEP_MM;
        row.bottom = row.top + height;
        face->rows[face->row_count++] = row;
    }
}

int gk_sketch_face_minted(struct gk_random *random, double scale, struct gk_sketch_face *ret_face)
{
    static const enum gk_mint_kind kinds[] = {GK_MINT_PAYMENT, GK_MINT_PAYMENT, GK_MINT_PAYMENT,
                                              GK_MINT_TRANSIT, GK_MINT_ID,      GK_MINT_CAMPUS,
                                              GK_MINT_PARKING};
    struct gk_mint_card card;
    struct gk_face drawn;
    gk_mint_card_random(kinds[gk_random_below(random, sizeof kinds / sizeof *kinds)], NULL,
                        gk_random_next(random), &card);
    struct gk_light light = {.azimuth = gk_random_between(random, 0, 2 * GK_PI),
                             .strength = gk_random_between(random, 0.2, 1),
                             .seed = gk_random_next(random)};
    if (gk_face_draw(&card, scale, light, &drawn) != 0) {
        return -1;
    }
    to_grey(drawn.surface);
    struct gk_sketch_face face = {.width_mm = drawn.width_mm, .height_mm = drawn.height_mm, .scale = scale};
    face.surface = cairo_surface_reference(drawn.surface);
    face.cr = cairo_reference(drawn.cr);
    note_rows(&card, drawn.digits, &face);
    gk_face_clear(&drawn);
    *ret_face = face;
    return 0;
}

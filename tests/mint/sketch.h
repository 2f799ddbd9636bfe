/*
 * Sketches: small grey scenes for training the finder of cards and numbers (core/recognition/sight.h). They
 * trade the likeness of the mint's photographs for variety and speed: everything that may vary does, and a
 * scene of 320 x 240 pixels takes about 10 ms (measured, one core). One seed gives one scene.
 */
#ifndef GUIKA_TESTS_MINT_SKETCH_H
#define GUIKA_TESTS_MINT_SKETCH_H

#include "tests/mint/mint_internal.h"

#define GK_SKETCH_ROWS_MOST 8
#define GK_SKETCH_FIGURES_MOST 32
#define GK_SKETCH_TAKEN_MOST 48

/* A card's face in grey, in millimetres from its top left corner. */
struct gk_sketch_face {
    double width_mm, height_mm;
    double scale; /* pixels a millimetre */
    cairo_surface_t *surface;
    cairo_t *cr;                                   /* scaled to millimetres */
    struct gk_box rows[GK_SKETCH_ROWS_MOST];       /* digits of the number; a row of a block each */
    struct gk_box figures[GK_SKETCH_FIGURES_MOST]; /* digits that are no number: dates, telephones */
    struct gk_box taken[GK_SKETCH_TAKEN_MOST];     /* where print stands already */
    size_t row_count, figure_count, taken_count;
};

/* How a line of characters is printed. */
struct gk_sketch_print {
    struct gk_font font;
    bool embossed;
    bool stamped;    /* the mint's own digits after Farrington 7B; needs digits alone */
    double pitch_mm; /* from character to character; 0: the font's own */
    double level;    /* grey, 0 .. 1 */
    double alpha;
    double relief_mm, light_x, light_y; /* of embossed print */
};

/* Draws a face of `scale` pixels a millimetre. Returns 0 or -1 (memory). Clear it with
 * gk_sketch_face_clear. */
int gk_sketch_face_draw(struct gk_random *random, double scale, struct gk_sketch_face *ret_face);
/* A card of the mint's (gk_mint_card_random), in grey; likewise. */
int gk_sketch_face_minted(struct gk_random *random, double scale, struct gk_sketch_face *ret_face);
void gk_sketch_face_clear(struct gk_sketch_face *face);

/* Artwork: everything under the print. */
void gk_sketch_artwork(struct gk_sketch_face *face, struct gk_random *random);

/* Lines of print. `y_mm` is the middle of a digit's height. Returns the width in millimetres. */
double gk_sketch_print(cairo_t *cr, const struct gk_sketch_print *print, double x_mm, double y_mm,
                       double height_mm, const char *text);
double gk_sketch_print_width(cairo_t *cr, const struct gk_sketch_print *print, double height_mm,
                             const char *text);
/* Random letters that look like words, Latin or Chinese; `text` holds 128 bytes. */
void gk_sketch_words(struct gk_random *random, int letters, char *text);
struct gk_font gk_sketch_font(struct gk_random *random, bool digits);

/* Fills a rectangle with noise of several sizes, as a photograph has them. Works on the surface's pixels. */
void gk_sketch_texture(cairo_surface_t *surface, struct gk_random *random, double strength);

/* Labels of a scene, one value a 4 x 4 pixels. */
#define GK_SKETCH_STRIDE_PX 4
enum gk_sketch_map {
    GK_SKETCH_ROW,        /* 0 .. 255: the cell lies on the middle of a number's row */
    GK_SKETCH_ROW_WEIGHT, /* 255, or 0 where the row map says nothing */
    GK_SKETCH_ANGLE,      /* the row's direction, 0 .. 255 for 0 to 180 degrees clockwise */
    GK_SKETCH_HEIGHT,     /* 128 + 48 * ln(digit height / 8 px) */
    GK_SKETCH_CARD,       /* 0 .. 255: the cell lies on a card */
    GK_SKETCH_BORDER,     /* 0 .. 255: the cell lies on a card's outline */
    GK_SKETCH_MAPS
};

struct gk_sketch_scene {
    int width_px, height_px; /* multiples of 16, set by the caller */
    bool filled;             /* one card fills the frame, as after rectifying; else a photograph */
    uint8_t *grey;           /* width * height, the caller's */
    uint8_t *maps;           /* GK_SKETCH_MAPS maps of width / 4 * height / 4, the caller's */
};

/* Returns 0 or -1 (memory). */
int gk_sketch_scene_draw(uint64_t seed, struct gk_sketch_scene *scene);

#endif

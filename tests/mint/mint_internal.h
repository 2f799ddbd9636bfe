/* What the mint's own files share: chance, the card's face, its relief, the background. */
#ifndef GUIKA_TESTS_MINT_MINT_INTERNAL_H
#define GUIKA_TESTS_MINT_MINT_INTERNAL_H

#include "tests/mint/mint.h"

#include <cairo.h>
#include <stdbool.h>

#define GK_PI 3.14159265358979323846

/* ---- chance: splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014) ----
 */

struct gk_random {
    uint64_t state;
};

/* `stream` parts the uses of one seed from each other. */
struct gk_random gk_random_new(uint64_t seed, uint64_t stream);
uint64_t gk_random_next(struct gk_random *random);
/* 0 .. bound - 1; bound at least 1 */
uint32_t gk_random_below(struct gk_random *random, uint32_t bound);
double gk_random_between(struct gk_random *random, double low, double high);
bool gk_random_chance(struct gk_random *random, double probability);

/* ---- a tile of smooth noise that repeats ---- */

#define GK_NOISE_SIZE 128

struct gk_noise {
    float value[GK_NOISE_SIZE * GK_NOISE_SIZE]; /* 0 .. 1 */
};

void gk_noise_fill(struct gk_noise *noise, struct gk_random *random);
/* Bilinear; one cell is 1 x 1; repeats every GK_NOISE_SIZE. */
float gk_noise_at(const struct gk_noise *noise, double x, double y);

/* ---- the face of a card ---- */

struct gk_colour {
    double r, g, b; /* 0 .. 1 */
};

struct gk_colour gk_colour_hsv(double hue_degrees, double saturation, double value);
double gk_colour_luminance(struct gk_colour colour);
struct gk_colour gk_colour_mix(struct gk_colour from, struct gk_colour to, double share);
void gk_colour_set(cairo_t *cr, struct gk_colour colour, double alpha);

struct gk_box {
    double left, top, right, bottom; /* millimetres */
};

/* A face while it is drawn. `cr` is scaled to millimetres. */
struct gk_face {
    double width_mm, height_mm;
    double scale; /* pixels a millimetre */
    cairo_surface_t *surface;
    cairo_t *cr;
    cairo_surface_t *raised; /* A8: what is embossed; NULL on flat cards */
    cairo_t *raised_cr;
    double emboss_line_mm;      /* stroke of a digit of full height */
    struct gk_colour base, ink; /* the artwork's main colour, and one that stands out from it */
    struct gk_box digits;       /* around the number; all 0 without one */
    bool failed;                /* memory ran out for a part of it */
};

struct gk_font {
    const char *family;
    bool bold, slanted;
};

struct gk_light {
    double azimuth; /* radians in the face's frame, 0 right, counter-clockwise as seen */
    double strength;
    double glare;  /* 0 .. 1 */
    uint64_t seed; /* of the glare's place */
};

void gk_face_size(const struct gk_mint_card *card, double *ret_width_mm, double *ret_height_mm);
/* Draws the face at `scale`. Returns 0 or -1 (memory). Clear what it returned with gk_face_clear. */
int gk_face_draw(const struct gk_mint_card *card, double scale, struct gk_light light,
                 struct gk_face *ret_face);
void gk_face_clear(struct gk_face *face);

/* One of the fonts that flat numbers are printed in. */
struct gk_font gk_face_number_font(struct gk_random *random);
/* The flat number from x on, at most `width_mm` wide, in the source colour set before; it is noted as the
 * face's digits. Returns its width. */
double gk_face_print_number(struct gk_face *face, struct gk_font font, double x_mm, double y_mm,
                            double height_mm, double width_mm, const char *text);
/* The number embossed, around the first character's centre. */
void gk_face_emboss_number(struct gk_face *face, double first_x_mm, double y_mm, double height_mm,
                           double pitch_mm, const char *text);
/* The card of an issuer's descriptor (GK_MINT_ISSUED). */
void gk_face_issued(struct gk_face *face, const struct gk_mint_card *card);
/* What years in a pocket leave, by `card->scratches`. */
void gk_face_scratch(struct gk_face *face, const struct gk_mint_card *card);

/* The card's bar code on a white field that fills `place`. Returns 0 or -1 (memory). */
int gk_barcode_draw(cairo_t *cr, const struct gk_mint_card *card, struct gk_box place);

/* Artwork under the print; sets base and ink. */
void gk_artwork_payment(struct gk_face *face, const struct gk_mint_card *card, struct gk_random *random);
void gk_artwork_plain(struct gk_face *face, struct gk_random *random);
void gk_artwork_resident_id(struct gk_face *face, struct gk_random *random);
void gk_artwork_person(cairo_t *cr, struct gk_box box, struct gk_random *random);

/* ---- text ---- */

/* One line. `height_mm` is that of a digit, y the middle of a digit's height. Returns the width in
 * millimetres. */
double gk_text_width(cairo_t *cr, struct gk_font font, double height_mm, const char *text);
double gk_text(cairo_t *cr, struct gk_font font, double x_mm, double y_mm, double height_mm,
               const char *text);
/* Narrowed so that it is at most `width_mm` wide. */
double gk_text_within(cairo_t *cr, struct gk_font font, double x_mm, double y_mm, double height_mm,
                      double width_mm, const char *text);

/* One embossed digit, our own drawing after the manner of Farrington 7B, stroked around a centre. */
void gk_glyph_embossed(cairo_t *cr, char digit, double x_mm, double y_mm, double height_mm, double line_mm);

/* ---- relief: lights what is raised and lays the foil on its top ---- */

/* Also lays a band of glare over the face. Returns 0 or -1 (memory). */
int gk_relief_apply(struct gk_face *face, const struct gk_mint_card *card, struct gk_light light);

/* ---- background ---- */

/* Fills an RGB picture. Returns 0 or -1 (memory). */
int gk_background_draw(const struct gk_mint_scene *scene, uint8_t *rgb);

#endif

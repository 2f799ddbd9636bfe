/* What the strip mint's files share: the surface that is drawn, its relief and the camera that looks at it.
 */
#ifndef GUIKA_TESTS_MINT_STRIP_INTERNAL_H
#define GUIKA_TESTS_MINT_STRIP_INTERNAL_H

#include "tests/mint/mint_internal.h"
#include "tests/mint/strip.h"

/* Grey values, 0 .. 255 in the open: light adds up before the camera clips it. */
struct gk_plane {
    int width, height;
    float *value;
};

/* Returns 0 or -1 (memory). Free `value`. */
int gk_plane_make(int width, int height, struct gk_plane *ret_plane);

/* What is written on a strip. Lengths in digit heights. */
struct gk_strip_plan {
    char text[GK_MINT_STRIP_TEXT_SIZE];       /* drawn in the middle of the strip */
    char gap_after[GK_MINT_STRIP_TEXT_SIZE];  /* is there a gap after character i? */
    bool words;                               /* letters alone: nothing to read */
    bool upside_down, embossed, drawn_glyphs; /* drawn_glyphs: after Farrington 7B, else a font */
    struct gk_font font;
    double pitch, gap, squeeze; /* pitch 0: the font's own advance */
    double line_mm;             /* stroke of drawn glyphs, for digits of 4 mm */
    double digit_mm;            /* what a digit height is on the card: scales the artwork */
    double scale;               /* surface pixels a digit height */
};

/* Of the line, in digit heights. */
double gk_strip_line_width(const struct gk_strip_plan *plan);

/* Draws artwork, distractors and ink on `face`, what is raised on its mask. */
void gk_strip_draw(struct gk_face *face, const struct gk_strip_plan *plan, struct gk_random *random);

/* Lights the surface. `ret_plane` is made. Returns 0 or -1 (memory). */
int gk_strip_light(struct gk_face *face, double scale, struct gk_random *random, struct gk_plane *ret_plane);

/* From the lit surface to the strip, `width_px` by GK_MINT_STRIP_HEIGHT_PX: tilt, lens, sensor, JPEG,
 * resampling. Returns 0 or -1 (memory). */
int gk_strip_photograph(const struct gk_plane *surface, double scale, double camera_px, double strip_px,
                        int width_px, struct gk_random *random, uint8_t *ret_grey);

#endif

/* What lies under the print: colours, gradients, motifs, guilloches, a portrait. All of it invented. */
#include "tests/mint/mint_internal.h"

#include <math.h>

struct gk_colour gk_colour_hsv(double hue_degrees, double saturation, double value)
{
    double sector = fmod(hue_degrees + 720, 360) / 60, rest = sector - floor(sector);
    double p = value * (1 - saturation), q = value * (1 - saturation * rest),
           t = value * (1 - saturation * (1 - rest));
    switch ((int)sector) {
    case 0:
        return (struct gk_colour){value, t, p};
    case 1:
        return (struct gk_colour){q, value, p};
    case 2:
        return (struct gk_colour){p, value, t};
    case 3:
        return (struct gk_colour){p, q, value};
    case 4:
        return (struct gk_colour){t, p, value};
    default:
        return (struct gk_colour){value, p, q};
    }
}

double gk_colour_luminance(struct gk_colour colour)
{
    return 0.299 * colour.r + 0.587 * colour.g + 0.114 * colour.b;
}

struct gk_colour gk_colour_mix(struct gk_colour from, struct gk_colour to, double share)
{
    return (struct gk_colour){from.r + (to.r - from.r) * share, from.g + (to.g - from.g) * share,
                              from.b + (to.b - from.b) * share};
}

void gk_colour_set(cairo_t *cr, struct gk_colour colour, double alpha)
{
    cairo_set_source_rgba(cr, colour.r, colour.g, colour.b, alpha);
}

static const struct gk_colour white = {1, 1, 1}, black = {0, 0, 0};

static void paint_gradient(struct gk_face *face, struct gk_colour from, struct gk_colour to,
                           struct gk_random *random)
{
    double angle = gk_random_between(random, 0, 2 * GK_PI), reach = face->width_mm / 2;
    double x = face->width_mm / 2, y = face->height_mm / 2;
    cairo_pattern_t *pattern = cairo_pattern_create_linear(x - cos(angle) * reach, y - sin(angle) * reach,
                                                           x + cos(angle) * reach, y + sin(angle) * reach);
    cairo_pattern_add_color_stop_rgb(pattern, 0, from.r, from.g, from.b);
    cairo_pattern_add_color_stop_rgb(pattern, 1, to.r, to.g, to.b);
    cairo_set_source(face->cr, pattern);
    cairo_paint(face->cr);
    cairo_pattern_destroy(pattern);
}

static void motif_waves(struct gk_face *face, struct gk_colour colour, struct gk_random *random)
{
    uint32_t count = 2 + gk_random_below(random, 4);
    for (uint32_t i = 0; i < count; i++) {
        double y = gk_random_between(random, 0.2, 1.1) * face->height_mm, w = face->width_mm;
        double swing = gk_random_between(random, -30, 30);
        cairo_move_to(face->cr, 0, y);
        cairo_curve_to(face->cr, w * 0.33, y + swing, w * 0.66, y - swing, w,
                       y + gk_random_between(random, -15, 15));
        cairo_line_to(face->cr, w, face->height_mm);
        cairo_line_to(face->cr, 0, face->height_mm);
        cairo_close_path(face->cr);
        gk_colour_set(face->cr, colour, gk_random_between(random, 0.1, 0.4));
        cairo_fill(face->cr);
    }
}

static void motif_discs(struct gk_face *face, struct gk_colour colour, struct gk_random *random)
{
    uint32_t count = 2 + gk_random_below(random, 7);
    for (uint32_t i = 0; i < count; i++) {
        cairo_arc(face->cr, gk_random_between(random, 0, face->width_mm),
                  gk_random_between(random, 0, face->height_mm), gk_random_between(random, 3, 26), 0,
                  2 * GK_PI);
        gk_colour_set(face->cr, colour, gk_random_between(random, 0.08, 0.3));
        cairo_fill(face->cr);
    }
}

static void motif_stripes(struct gk_face *face, struct gk_colour colour, struct gk_random *random)
{
    double step = gk_random_between(random, 3, 14), lean = gk_random_between(random, -40, 40);
    gk_colour_set(face->cr, colour, gk_random_between(random, 0.08, 0.3));
    cairo_set_line_width(face->cr, step * gk_random_between(random, 0.1, 0.6));
    for (double x = -50; x < face->width_mm + 50; x += step) {
        cairo_move_to(face->cr, x, -1);
        cairo_line_to(face->cr, x + lean, face->height_mm + 1);
    }
    cairo_stroke(face->cr);
}

static void motif_globe(struct gk_face *face, struct gk_colour colour, struct gk_random *random)
{
    double x = gk_random_between(random, 0.4, 0.9) * face->width_mm,
           radius = gk_random_between(random, 18, 40);
    double y = gk_random_between(random, 0.2, 0.8) * face->height_mm;
    gk_colour_set(face->cr, colour, gk_random_between(random, 0.2, 0.5));
    for (int i = -4; i <= 4; i++) {
        cairo_matrix_t before;
        cairo_get_matrix(face->cr, &before);
        cairo_translate(face->cr, x, y);
        cairo_scale(face->cr, fabs((double)i) / 4 + 0.02, 1);
        cairo_new_sub_path(face->cr);
        cairo_arc(face->cr, 0, 0, radius, 0, 2 * GK_PI);
        cairo_set_matrix(face->cr, &before);
        double chord = radius * sqrt(1 - i * i / 25.0), height = radius * i / 5.0;
        cairo_move_to(face->cr, x - chord, y + height);
        cairo_line_to(face->cr, x + chord, y + height);
    }
    cairo_set_line_width(face->cr, 0.3);
    cairo_stroke(face->cr);
}

static void motif_facets(struct gk_face *face, struct gk_colour colour, struct gk_random *random)
{
    uint32_t count = 4 + gk_random_below(random, 8);
    for (uint32_t i = 0; i < count; i++) {
        for (int corner = 0; corner < 3; corner++) {
            cairo_line_to(face->cr, gk_random_between(random, -0.2, 1.2) * face->width_mm,
                          gk_random_between(random, -0.2, 1.2) * face->height_mm);
        }
        cairo_close_path(face->cr);
        gk_colour_set(face->cr, colour, gk_random_between(random, 0.04, 0.18));
        cairo_fill(face->cr);
    }
}

/* Petals around a stem, drawn as thick curved lines. */
static void motif_flower(struct gk_face *face, struct gk_colour colour, struct gk_random *random)
{
    double x = gk_random_between(random, 0.2, 0.8) * face->width_mm, y = face->height_mm * 0.9;
    gk_colour_set(face->cr, colour, gk_random_between(random, 0.25, 0.55));
    cairo_set_line_cap(face->cr, CAIRO_LINE_CAP_ROUND);
    for (int i = 0; i < 9; i++) {
        double angle = -GK_PI * (0.1 + 0.1 * i) + gk_random_between(random, -0.1, 0.1);
        double length = gk_random_between(random, 20, 48), bend = gk_random_between(random, -0.6, 0.6);
        cairo_set_line_width(face->cr, gk_random_between(random, 0.4, 2.0));
        cairo_move_to(face->cr, x, y);
        cairo_curve_to(face->cr, x + cos(angle - bend) * length * 0.5, y + sin(angle - bend) * length * 0.5,
                       x + cos(angle) * length, y + sin(angle) * length, x + cos(angle + bend) * length,
                       y + sin(angle + bend) * length);
        cairo_stroke(face->cr);
    }
}

/* Fine waved lines, as on identity papers. */
static void guilloche(struct gk_face *face, struct gk_colour colour, double alpha, struct gk_random *random)
{
    double phase = gk_random_between(random, 0, 6), swing = gk_random_between(random, 1.5, 4);
    gk_colour_set(face->cr, colour, alpha);
    cairo_set_line_width(face->cr, 0.12);
    for (double y = -4; y < face->height_mm + 4; y += 1.1) {
        for (double x = 0; x <= face->width_mm; x += 2) {
            cairo_line_to(face->cr, x, y + swing * sin(x / 7 + phase + y / 9));
        }
        cairo_new_sub_path(face->cr);
    }
    cairo_stroke(face->cr);
}

/* The metallic grain of gold and silver stock. */
static void grain(struct gk_face *face, double depth, struct gk_random *random)
{
    cairo_surface_flush(face->surface);
    int width = cairo_image_surface_get_width(face->surface),
        height = cairo_image_surface_get_height(face->surface);
    int stride = cairo_image_surface_get_stride(face->surface);
    unsigned char *pixels = cairo_image_surface_get_data(face->surface);
    for (int y = 0; y < height; y++) {
        unsigned char *row = pixels + (ptrdiff_t)y * stride;
        for (int x = 0; x < width; x += 2) {
            uint64_t bits = gk_random_next(random);
            int change = (int)(depth * ((double)(bits & 255) - 128));
            for (int channel = 0; channel < 3; channel++) {
                for (int twin = 0; twin < 2 && x + twin < width; twin++) {
                    unsigned char *pixel = row + (x + twin) * 4 + channel;
                    int value = *pixel + (twin == 0 ? change : -change / 2);
                    *pixel = (unsigned char)(value < 0 ? 0 : value > 255 ? 255 : value);
                }
            }
        }
    }
    cairo_surface_mark_dirty(face->surface);
}

static struct gk_colour stock_colour(struct gk_random *random)
{
    switch (gk_random_below(random, 7)) {
    case 0:
        return gk_colour_hsv(gk_random_between(random, 40, 48), 0.5,
                             gk_random_between(random, 0.65, 0.85)); /* gold */
    case 1:
        return gk_colour_hsv(220, 0.05, gk_random_between(random, 0.6, 0.85)); /* silver */
    case 2:
        return gk_colour_hsv(gk_random_between(random, 0, 360), 0.15, gk_random_between(random, 0.1, 0.25));
    case 3:
        return gk_colour_hsv(gk_random_between(random, 0, 360), 0.1, gk_random_between(random, 0.85, 0.97));
    case 4:
        return gk_colour_hsv(gk_random_between(random, 205, 235), 0.75, gk_random_between(random, 0.35, 0.7));
    case 5:
        return gk_colour_hsv(gk_random_between(random, -12, 8), 0.8, gk_random_between(random, 0.5, 0.75));
    default:
        return gk_colour_hsv(gk_random_between(random, 0, 360), gk_random_between(random, 0.3, 0.7),
                             gk_random_between(random, 0.3, 0.8));
    }
}

static void set_colours(struct gk_face *face, struct gk_colour base)
{
    face->base = base;
    face->ink =
        gk_colour_luminance(base) > 0.5 ? gk_colour_mix(black, base, 0.08) : gk_colour_mix(white, base, 0.05);
}

void gk_artwork_payment(struct gk_face *face, const struct gk_mint_card *card, struct gk_random *random)
{
    static void (*const motifs[])(struct gk_face *, struct gk_colour, struct gk_random *) = {
        motif_waves, motif_discs, motif_stripes, motif_globe, motif_facets, motif_flower};
    struct gk_colour base = stock_colour(random);
    set_colours(face, base);
    bool light = gk_colour_luminance(base) > 0.5;
    paint_gradient(face, gk_colour_mix(base, white, light ? 0.25 : 0.08),
                   gk_colour_mix(base, black, light ? 0.08 : 0.35), random);
    uint32_t count = 1 + gk_random_below(random, 2);
    for (uint32_t i = 0; i < count; i++) {
        struct gk_colour colour =
            gk_random_chance(random, 0.6)
                ? gk_colour_mix(base, gk_random_chance(random, 0.5) ? white : black, 0.45)
                : gk_colour_mix(base, stock_colour(random), 0.6);
        motifs[gk_random_below(random, sizeof motifs / sizeof *motifs)](face, colour, random);
    }
    if (gk_random_chance(random, card->print == GK_MINT_EMBOSSED ? 0.4 : 0.2)) {
        grain(face, gk_random_between(random, 0.05, 0.16), random);
    }
}

void gk_artwork_plain(struct gk_face *face, struct gk_random *random)
{
    struct gk_colour accent =
        gk_colour_hsv(gk_random_between(random, 0, 360), gk_random_between(random, 0.4, 0.9),
                      gk_random_between(random, 0.4, 0.9));
    struct gk_colour paper = gk_colour_mix(white, accent, gk_random_between(random, 0.02, 0.14));
    paint_gradient(face, paper, gk_colour_mix(paper, white, 0.5), random);
    switch (gk_random_below(random, 3)) {
    case 0:
        motif_waves(face, gk_colour_mix(accent, white, 0.6), random);
        break;
    case 1:
        motif_facets(face, accent, random);
        break;
    default:
        motif_discs(face, gk_colour_mix(accent, white, 0.5), random);
        break;
    }
    gk_colour_set(face->cr, accent, 0.92);
    cairo_rectangle(face->cr, 0, 0, face->width_mm, gk_random_between(random, 9, 13));
    cairo_fill(face->cr);
    set_colours(face, paper);
    face->base = accent;
}

void gk_artwork_resident_id(struct gk_face *face, struct gk_random *random)
{
    struct gk_colour blue = {0.80, 0.88, 0.95}, pink = {0.96, 0.86, 0.90};
    cairo_pattern_t *pattern = cairo_pattern_create_linear(0, 0, face->width_mm, 0);
    cairo_pattern_add_color_stop_rgb(pattern, 0, blue.r, blue.g, blue.b);
    cairo_pattern_add_color_stop_rgb(pattern, 0.45, pink.r, pink.g, pink.b);
    cairo_pattern_add_color_stop_rgb(pattern, 1, blue.r, blue.g, blue.b);
    cairo_set_source(face->cr, pattern);
    cairo_paint(face->cr);
    cairo_pattern_destroy(pattern);
    guilloche(face, (struct gk_colour){0.45, 0.62, 0.82}, 0.45, random);
    guilloche(face, (struct gk_colour){0.85, 0.55, 0.68}, 0.4, random);
    face->base = (struct gk_colour){0.25, 0.45, 0.75};
    face->ink = (struct gk_colour){0.08, 0.08, 0.1};
}

/* Nobody's face: hair, head, shoulders. */
void gk_artwork_person(cairo_t *cr, struct gk_box box, struct gk_random *random)
{
    double width = box.right - box.left, height = box.bottom - box.top, x = box.left + width / 2;
    struct gk_colour skin =
        gk_colour_hsv(gk_random_between(random, 18, 32), gk_random_between(random, 0.25, 0.5),
                      gk_random_between(random, 0.6, 0.92));
    struct gk_colour coat =
        gk_colour_hsv(gk_random_between(random, 0, 360), 0.4, gk_random_between(random, 0.15, 0.6));
    cairo_save(cr);
    cairo_rectangle(cr, box.left, box.top, width, height);
    cairo_clip(cr);
    gk_colour_set(cr, (struct gk_colour){0.86, 0.89, 0.93}, 1);
    cairo_paint(cr);
    gk_colour_set(cr, coat, 1);
    cairo_arc(cr, x, box.bottom + width * 0.22, width * 0.52, GK_PI, 2 * GK_PI);
    cairo_fill(cr);
    gk_colour_set(cr, gk_colour_mix(skin, black, 0.12), 1);
    cairo_rectangle(cr, x - width * 0.1, box.top + height * 0.5, width * 0.2, height * 0.25);
    cairo_fill(cr);
    gk_colour_set(cr, gk_colour_hsv(25, 0.5, gk_random_between(random, 0.05, 0.3)), 1);
    cairo_arc(cr, x, box.top + height * 0.36, width * 0.29, 0, 2 * GK_PI);
    cairo_fill(cr);
    gk_colour_set(cr, skin, 1);
    cairo_save(cr);
    cairo_translate(cr, x, box.top + height * 0.43);
    cairo_scale(cr, width * 0.23, height * 0.24);
    cairo_arc(cr, 0, 0, 1, 0, 2 * GK_PI);
    cairo_restore(cr);
    cairo_fill(cr);
    gk_colour_set(cr, black, 0.7);
    for (int side = -1; side <= 1; side += 2) {
        cairo_arc(cr, x + side * width * 0.09, box.top + height * 0.41, width * 0.022, 0, 2 * GK_PI);
        cairo_fill(cr);
    }
    cairo_set_line_width(cr, width * 0.02);
    cairo_arc(cr, x, box.top + height * 0.49, width * 0.07, 0.4, GK_PI - 0.4);
    cairo_stroke(cr);
    cairo_restore(cr);
}

/* What lies under the print of sketched cards: gradients, shapes, textures, logos, chips, portraits. */
#include "tests/mint/sketch.h"

#include <math.h>

static void grey(cairo_t *cr, double level, double alpha)
{
    cairo_set_source_rgba(cr, level, level, level, alpha);
}

static double between(struct gk_random *random, double low, double high)
{
    return gk_random_between(random, low, high);
}

void gk_sketch_texture(cairo_surface_t *surface, struct gk_random *random, double strength)
{
    struct gk_noise noise;
    gk_noise_fill(&noise, random);
    cairo_surface_flush(surface);
    unsigned char *pixels = cairo_image_surface_get_data(surface);
    int stride = cairo_image_surface_get_stride(surface), width = cairo_image_surface_get_width(surface);
    int height = cairo_image_surface_get_height(surface), octaves = 1 + (int)gk_random_below(random, 3);
    double size = exp(between(random, log(2), log(60))), lean = exp(between(random, -1.6, 1.6));
    double turn = between(random, 0, GK_PI), c = cos(turn) / size, s = sin(turn) / size;
    bool hard = gk_random_chance(random, 0.3);
    for (int y = 0; y < height; y++) {
        unsigned char *row = pixels + (ptrdiff_t)y * stride;
        for (int x = 0; x < width; x++) {
            double u = (x * c + y * s) * lean, v = (y * c - x * s) / lean;
            float value = 0, weight = 1;
            for (int i = 0; i < octaves; i++, u *= 2.1, v *= 2.1, weight *= 0.55f) {
                value += (gk_noise_at(&noise, u, v) - 0.5f) * weight;
            }
            value = hard ? (value > 0 ? 0.4f : -0.4f) : value;
            for (int channel = 0; channel < 3; channel++) {
                float level = (float)row[x * 4 + channel] + value * 255 * (float)strength;
                row[x * 4 + channel] = (unsigned char)fminf(fmaxf(level, 0), 255);
            }
        }
    }
    cairo_surface_mark_dirty(surface);
}

static void shape(struct gk_sketch_face *face, struct gk_random *random)
{
    cairo_t *cr = face->cr;
    double w = face->width_mm, h = face->height_mm, x = between(random, 0, w), y = between(random, 0, h);
    double size = exp(between(random, log(2), log(50)));
    grey(cr, between(random, 0, 1), between(random, 0.05, 0.8));
    switch (gk_random_below(random, 6)) {
    case 0:
        cairo_arc(cr, x, y, size / 2, 0, 2 * GK_PI);
        break;
    case 1:
        cairo_rectangle(cr, x, y, size * between(random, 0.2, 2), size);
        break;
    case 2: /* a wave over the lower part */
        cairo_move_to(cr, 0, y);
        cairo_curve_to(cr, w * 0.33, y + between(random, -30, 30), w * 0.66, y + between(random, -30, 30), w,
                       between(random, 0, h));
        cairo_line_to(cr, w, h);
        cairo_line_to(cr, 0, h);
        break;
    case 3:
        for (int i = 0; i < 3 + (int)gk_random_below(random, 4); i++) {
            cairo_line_to(cr, x + between(random, -size, size), y + between(random, -size, size));
        }
        break;
    case 4: /* a stroke as of a brush */
        cairo_move_to(cr, x, y);
        cairo_curve_to(cr, between(random, 0, w), between(random, 0, h), between(random, 0, w),
                       between(random, 0, h), between(random, 0, w), between(random, 0, h));
        cairo_set_line_width(cr, exp(between(random, log(0.2), log(6))));
        cairo_stroke(cr);
        return;
    default: /* rings */
        cairo_set_line_width(cr, between(random, 0.2, 1.5));
        for (int i = 1; i < 6; i++) {
            cairo_new_sub_path(cr);
            cairo_arc(cr, x, y, size * i / 6, 0, 2 * GK_PI);
        }
        cairo_stroke(cr);
        return;
    }
    cairo_fill(cr);
}

static void stripes(struct gk_sketch_face *face, struct gk_random *random)
{
    double step = exp(between(random, log(0.8), log(10))), lean = between(random, -60, 60);
    grey(face->cr, between(random, 0, 1), between(random, 0.05, 0.4));
    cairo_set_line_width(face->cr, step * between(random, 0.1, 0.6));
    for (double x = -60; x < face->width_mm + 60; x += step) {
        cairo_move_to(face->cr, x, -1);
        cairo_line_to(face->cr, x + lean, face->height_mm + 1);
    }
    cairo_stroke(face->cr);
}

static void letters(struct gk_sketch_face *face, struct gk_random *random)
{
    char text[128];
    struct gk_font font = gk_sketch_font(random, false);
    gk_sketch_words(random, 2 + (int)gk_random_below(random, 7), text);
    cairo_save(face->cr);
    cairo_translate(face->cr, between(random, -5, face->width_mm * 0.6), between(random, 5, face->height_mm));
    cairo_rotate(face->cr, gk_random_chance(random, 0.3) ? between(random, -0.8, 0.8) : 0);
    const struct gk_sketch_print print = {
        .font = font, .level = between(random, 0, 1), .alpha = between(random, 0.1, 0.9)};
    gk_sketch_print(face->cr, &print, 0, 0, exp(between(random, log(4), log(18))), text);
    cairo_restore(face->cr);
}

static void round_box(cairo_t *cr, double x, double y, double w, double h, double r)
{
    cairo_new_sub_path(cr);
    cairo_arc(cr, x + w - r, y + r, r, -GK_PI / 2, 0);
    cairo_arc(cr, x + w - r, y + h - r, r, 0, GK_PI / 2);
    cairo_arc(cr, x + r, y + h - r, r, GK_PI / 2, GK_PI);
    cairo_arc(cr, x + r, y + r, r, GK_PI, 1.5 * GK_PI);
    cairo_close_path(cr);
}

static void chip(struct gk_sketch_face *face, struct gk_random *random)
{
    cairo_t *cr = face->cr;
    double x = between(random, 7, 14), y = between(random, 15, 22), level = between(random, 0.45, 0.9);
    double w = between(random, 10, 13), h = between(random, 8, 11);
    round_box(cr, x, y, w, h, 1.5);
    grey(cr, level, 1);
    cairo_fill(cr);
    grey(cr, level * 0.4, 0.8);
    cairo_set_line_width(cr, 0.3);
    for (int i = 1; i < 3; i++) {
        cairo_move_to(cr, x, y + h * i / 3);
        cairo_line_to(cr, x + w, y + h * i / 3);
        cairo_move_to(cr, x + w * i / 3, y);
        cairo_line_to(cr, x + w * i / 3, y + h);
    }
    cairo_stroke(cr);
    round_box(cr, x + w * 0.33, y + h * 0.2, w * 0.33, h * 0.6, 1);
    cairo_stroke(cr);
}

static void logo(struct gk_sketch_face *face, struct gk_random *random)
{
    cairo_t *cr = face->cr;
    bool right = gk_random_chance(random, 0.6), low = gk_random_chance(random, 0.6);
    double w = between(random, 10, 22), h = between(random, 6, 14), level = between(random, 0, 1);
    double x = right ? face->width_mm - w - between(random, 2, 6) : between(random, 3, 8);
    double y = low ? face->height_mm - h - between(random, 2, 6) : between(random, 2, 7);
    char text[128];
    switch (gk_random_below(random, 3)) {
    case 0:
        grey(cr, level, between(random, 0.6, 1));
        cairo_arc(cr, x + w * 0.35, y + h / 2, h / 2, 0, 2 * GK_PI);
        cairo_fill(cr);
        grey(cr, between(random, 0, 1), between(random, 0.5, 1));
        cairo_arc(cr, x + w * 0.35 + h * 0.6, y + h / 2, h / 2, 0, 2 * GK_PI);
        cairo_fill(cr);
        break;
    case 1:
        grey(cr, level, 1);
        round_box(cr, x, y, w, h, 1);
        cairo_fill(cr);
        grey(cr, level > 0.5 ? 0 : 1, 1);
        gk_sketch_words(random, 4 + (int)gk_random_below(random, 5), text);
        gk_text_within(cr, gk_sketch_font(random, false), x + 1, y + h / 2, h * 0.4, w - 2, text);
        break;
    default:
        grey(cr, level, 1);
        gk_sketch_words(random, 4 + (int)gk_random_below(random, 6), text);
        gk_text_within(cr, gk_sketch_font(random, false), x, y + h / 2, h * 0.6, w, text);
    }
}

static void portrait(struct gk_sketch_face *face, struct gk_random *random)
{
    cairo_t *cr = face->cr;
    double w = between(random, 14, 26), h = w * between(random, 1.1, 1.4), level = between(random, 0.3, 1);
    double x =
        gk_random_chance(random, 0.5) ? between(random, 2, 8) : face->width_mm - w - between(random, 2, 8);
    double y = between(random, 3, fmax(4, face->height_mm - h - 3));
    cairo_save(cr);
    cairo_rectangle(cr, x, y, w, h);
    cairo_clip(cr);
    grey(cr, level, 1);
    cairo_paint(cr);
    grey(cr, between(random, 0, 0.6), 1);
    cairo_arc(cr, x + w / 2, y + h * 1.05, w * 0.45, 0, 2 * GK_PI);
    cairo_fill(cr);
    cairo_arc(cr, x + w / 2, y + h * 0.38, w * 0.27, 0, 2 * GK_PI);
    cairo_fill(cr);
    grey(cr, between(random, 0.5, 0.9), 1);
    cairo_save(cr);
    cairo_translate(cr, x + w / 2, y + h * 0.45);
    cairo_scale(cr, w * 0.21, w * 0.27);
    cairo_arc(cr, 0, 0, 1, 0, 2 * GK_PI);
    cairo_restore(cr);
    cairo_fill(cr);
    cairo_restore(cr);
}

/* A bar code, a two-dimensional code, a magnetic stripe or a signature panel. */
static void panel(struct gk_sketch_face *face, struct gk_random *random)
{
    cairo_t *cr = face->cr;
    double w = face->width_mm, h = face->height_mm, x = between(random, 0.1, 0.6) * w,
           y = between(random, 0.1, 0.7) * h;
    uint32_t kind = gk_random_below(random, 4);
    grey(cr, kind == 2 ? between(random, 0, 0.25) : between(random, 0.75, 1), 1);
    if (kind == 2) {
        cairo_rectangle(cr, 0, between(random, 3, 7), w, between(random, 9, 13));
    } else {
        cairo_rectangle(cr, x, y, kind == 0 ? 30 : kind == 1 ? 14 : 50, kind == 1 ? 14 : 8);
    }
    cairo_fill(cr);
    grey(cr, between(random, 0, 0.2), 1);
    for (int i = 0; i < 14 * 14 && kind < 2; i++) {
        if (gk_random_chance(random, 0.5)) {
            double cell = kind == 0 ? 30.0 / (14 * 14) : 1;
            cairo_rectangle(cr, x + (kind == 0 ? i * cell : i % 14), y + (kind == 0 ? 0 : i / 14), cell,
                            kind == 0 ? 7 : 1);
        }
    }
    cairo_fill(cr);
}

static void base(struct gk_sketch_face *face, struct gk_random *random)
{
    double from = between(random, 0, 1), angle = between(random, 0, 2 * GK_PI), reach = face->width_mm / 2;
    double to = fmin(fmax(from + between(random, -0.5, 0.5), 0), 1);
    double x = face->width_mm / 2, y = face->height_mm / 2;
    if (gk_random_chance(random, 0.2)) {
        to = from;
    }
    cairo_pattern_t *pattern = cairo_pattern_create_linear(x - cos(angle) * reach, y - sin(angle) * reach,
                                                           x + cos(angle) * reach, y + sin(angle) * reach);
    cairo_pattern_add_color_stop_rgb(pattern, 0, from, from, from);
    cairo_pattern_add_color_stop_rgb(pattern, 1, to, to, to);
    cairo_set_source(face->cr, pattern);
    cairo_paint(face->cr);
    cairo_pattern_destroy(pattern);
}

void gk_sketch_artwork(struct gk_sketch_face *face, struct gk_random *random)
{
    base(face, random);
    double busy = between(random, 0, 1);
    for (int i = 0; i < (int)(busy * busy * 16); i++) {
        switch (gk_random_below(random, 8)) {
        case 0:
            stripes(face, random);
            break;
        case 1:
            letters(face, random);
            break;
        default:
            shape(face, random);
        }
    }
    if (gk_random_chance(random, 0.4)) {
        gk_sketch_texture(face->surface, random, exp(between(random, log(0.02), log(0.7))));
    }
    void (*const parts[])(struct gk_sketch_face *, struct gk_random *) = {chip, logo, logo, portrait, panel};
    const double chances[] = {0.5, 0.7, 0.5, 0.2, 0.15};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (gk_random_chance(random, chances[i])) {
            parts[i](face, random);
        }
    }
}

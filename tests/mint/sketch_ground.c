/* What lies around sketched cards: desks, wood, cloth, papers, things, hands. */
#include "tests/mint/sketch_internal.h"

#include <math.h>
#include <string.h>

static double between(struct gk_random *random, double low, double high)
{
    return gk_random_between(random, low, high);
}

static void grey(cairo_t *cr, double level, double alpha)
{
    cairo_set_source_rgba(cr, level, level, level, alpha);
}

static void paint_gradient(cairo_t *cr, struct gk_random *random, double width, double height, double from,
                           double to)
{
    double turn = between(random, 0, 2 * GK_PI), dx = cos(turn) * width / 2, dy = sin(turn) * height / 2;
    cairo_pattern_t *pattern =
        cairo_pattern_create_linear(width / 2 - dx, height / 2 - dy, width / 2 + dx, height / 2 + dy);
    cairo_pattern_add_color_stop_rgb(pattern, 0, from, from, from);
    cairo_pattern_add_color_stop_rgb(pattern, 1, to, to, to);
    cairo_set_source(cr, pattern);
    cairo_paint(cr);
    cairo_pattern_destroy(pattern);
}

/* A sheet with lines of print, as a receipt or a letter. */
static void draw_paper(cairo_t *cr, struct gk_random *random, double width, double height)
{
    double w = width * between(random, 0.2, 0.8),
           h = w * (gk_random_chance(random, 0.5) ? between(random, 1.9, 3) : between(random, 0.9, 1.35));
    double level = between(random, 0.6, 1), size = between(random, 3, 10);
    struct gk_font font = gk_sketch_font(random, false);
    char text[128];
    cairo_save(cr);
    cairo_translate(cr, between(random, 0, width), between(random, 0, height));
    cairo_rotate(cr, between(random, 0, 2 * GK_PI));
    cairo_rectangle(cr, -w / 2, -h / 2, w, h);
    grey(cr, level, 1);
    cairo_fill_preserve(cr);
    cairo_clip(cr);
    for (double y = -h / 2 + size; y < h / 2; y += size * between(random, 1.4, 2.2)) {
        gk_sketch_words(random, 4 + (int)gk_random_below(random, 25), text);
        grey(cr, level * between(random, 0, 0.6), 1);
        gk_text(cr, font, -w / 2 + size, y, size * 0.7, text);
    }
    cairo_restore(cr);
}

/* Keys of a keyboard, tiles, a grid. */
static void draw_grid(cairo_t *cr, struct gk_random *random, double width, double height)
{
    double step = between(random, 10, 60), gap = step * between(random, 0.05, 0.3),
           level = between(random, 0, 1);
    cairo_save(cr);
    cairo_translate(cr, width / 2, height / 2);
    cairo_rotate(cr, between(random, 0, GK_PI));
    for (double y = -width; y < width; y += step) {
        for (double x = -width; x < width; x += step) {
            grey(cr, fmin(fmax(level + between(random, -0.05, 0.05), 0), 1), 0.8);
            cairo_rectangle(cr, x, y, step - gap, step - gap);
            cairo_fill(cr);
        }
    }
    cairo_restore(cr);
}

/* Something with a straight or round outline. Its proportions are not a card's. */
static void draw_thing(cairo_t *cr, struct gk_random *random, double width, double height)
{
    double size = width * exp(between(random, log(0.03), log(0.5))), ratio = between(random, 2.1, 12);
    cairo_save(cr);
    cairo_translate(cr, between(random, 0, width), between(random, 0, height));
    cairo_rotate(cr, between(random, 0, 2 * GK_PI));
    grey(cr, between(random, 0, 1), between(random, 0.4, 1));
    switch (gk_random_below(random, 4)) {
    case 0:
        cairo_rectangle(cr, 0, 0, size, size / ratio);
        cairo_fill(cr);
        break;
    case 1:
        cairo_arc(cr, 0, 0, size / 2, 0, 2 * GK_PI);
        cairo_fill(cr);
        break;
    case 2:
        cairo_move_to(cr, -width, 0);
        cairo_curve_to(cr, -size, size, size, -size, width, between(random, -size, size));
        cairo_set_line_width(cr, between(random, 0.5, 12));
        cairo_stroke(cr);
        break;
    default: /* the edge of a table */
        cairo_rectangle(cr, 0, 0, 3 * width, 3 * width);
        cairo_fill(cr);
    }
    cairo_restore(cr);
}

void gk_sketch_ground(cairo_surface_t *surface, struct gk_random *random)
{
    double width = cairo_image_surface_get_width(surface), height = cairo_image_surface_get_height(surface);
    cairo_t *cr = cairo_create(surface);
    double from = between(random, 0.02, 1), to = fmin(fmax(from + between(random, -0.35, 0.35), 0), 1);
    uint32_t kind = gk_random_below(random, 10);
    paint_gradient(cr, random, width, height, from, kind == 0 ? from : to);
    int things = kind < 4 ? 0 : kind < 7 ? (int)gk_random_below(random, 4) : (int)gk_random_below(random, 14);
    if (kind >= 1 && gk_random_chance(random, 0.8)) {
        gk_sketch_texture(surface, random, exp(between(random, log(0.01), log(kind > 4 ? 0.6 : 0.15))));
    }
    if (kind == 8 && gk_random_chance(random, 0.6)) {
        draw_grid(cr, random, width, height);
    }
    for (int i = 0; i < things; i++) {
        if (gk_random_chance(random, 0.15)) {
            draw_paper(cr, random, width, height);
        } else {
            draw_thing(cr, random, width, height);
        }
    }
    cairo_destroy(cr);
    cairo_surface_flush(surface);
}

void gk_sketch_finger(cairo_t *cr, struct gk_random *random, const struct gk_sketch_face *face,
                      const struct gk_sketch_camera *camera)
{
    double w = face->width_mm, h = face->height_mm, depth = between(random, 1, 13),
           along = between(random, 0, 1);
    int side = (int)gk_random_below(random, 4);
    double tip[2] = {side == 0   ? depth
                     : side == 1 ? w - depth
                                 : along * w,
                     side == 2   ? depth
                     : side == 3 ? h - depth
                                 : along * h};
    double out = between(random, 30, 90), lean = between(random, -25, 25);
    double root[2] = {side == 0   ? -out
                      : side == 1 ? w + out
                                  : tip[0] + lean,
                      side == 2   ? -out
                      : side == 3 ? h + out
                                  : tip[1] + lean};
    struct gk_mint_point a = gk_sketch_project(camera->to_picture, tip[0], tip[1]);
    struct gk_mint_point b = gk_sketch_project(camera->to_picture, root[0], root[1]);
    struct gk_mint_point c = gk_sketch_project(camera->to_picture, tip[0] + 1, tip[1]);
    double pixels_per_mm = hypot(c.x - a.x, c.y - a.y), thick = between(random, 12, 22) * pixels_per_mm;
    double level = between(random, 0.25, 0.85);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    for (int i = 0; i < 4; i++) { /* rounder towards the middle */
        cairo_move_to(cr, a.x, a.y);
        cairo_line_to(cr, b.x, b.y);
        cairo_set_line_width(cr, thick * (1 - 0.22 * i));
        grey(cr, fmin(level * (0.75 + 0.09 * i), 1), i == 0 ? 0.9 : 0.6);
        cairo_stroke(cr);
    }
    if (gk_random_chance(random, 0.5)) { /* the nail */
        grey(cr, fmin(level * 1.2, 1), 0.6);
        cairo_arc(cr, a.x, a.y, thick * 0.3, 0, 2 * GK_PI);
        cairo_fill(cr);
    }
}

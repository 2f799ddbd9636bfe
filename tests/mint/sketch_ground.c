/* What lies around sketched cards: desks, wood, cloth, papers, things, hands. */
#include "tests/mint/sketch_internal.h"

#include <math.h>
#include <stdlib.h>

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

/* Lines of print down a sheet: words, a column of prices, both, or what a form has. */
static void print_sheet(cairo_t *cr, struct gk_random *random, double w, double h, double level)
{
    double size = w * exp(between(random, log(0.02), log(0.1))), step = size * between(random, 1.3, 2.4);
    struct gk_font font = gk_sketch_font(random, gk_random_chance(random, 0.5));
    bool prices = gk_random_chance(random, 0.6), words = !prices || gk_random_chance(random, 0.8);
    double ink = level * between(random, 0, 0.6);
    char text[128];
    for (double y = -h / 2 + size * 2; y < h / 2 - size; y += step) {
        grey(cr, ink, 1);
        if (words && gk_random_chance(random, 0.85)) {
            gk_sketch_words(random, 3 + (int)gk_random_below(random, prices ? 10 : 40), text);
            gk_text_within(cr, font, -w / 2 + size, y, size * 0.7, w - 2 * size, text);
        }
        if (prices && gk_random_chance(random, 0.85)) {
            snprintf(text, sizeof text, "%u.%02u", gk_random_below(random, 1000),
                     gk_random_below(random, 100));
            gk_text(cr, font, w / 2 - size * 4.5, y, size * 0.7, text);
        }
        if (gk_random_chance(random, 0.06)) {
            snprintf(text, sizeof text, "%04u-%02u-%02u %02u:%02u #%06u", 1990 + gk_random_below(random, 60),
                     1 + gk_random_below(random, 12), 1 + gk_random_below(random, 28),
                     gk_random_below(random, 24), gk_random_below(random, 60),
                     gk_random_below(random, 1000000));
            gk_text_within(cr, font, -w / 2 + size, y + step / 2, size * 0.7, w - 2 * size, text);
        }
    }
}

/* A sheet, as a receipt or a letter. */
static void draw_paper(cairo_t *cr, struct gk_random *random, double width, double height)
{
    double w = width * between(random, 0.15, 0.8), h = w * exp(between(random, log(0.7), log(3)));
    double level = gk_random_chance(random, 0.85) ? between(random, 0.55, 1) : between(random, 0.1, 0.55);
    cairo_save(cr);
    cairo_translate(cr, between(random, 0.1, 0.9) * width, between(random, 0.1, 0.9) * height);
    cairo_rotate(cr,
                 gk_random_chance(random, 0.5) ? between(random, -0.2, 0.2) : between(random, 0, 2 * GK_PI));
    cairo_rectangle(cr, -w / 2, -h / 2, w, h);
    grey(cr, level, 1);
    cairo_fill_preserve(cr);
    cairo_clip(cr);
    print_sheet(cr, random, w, h, level);
    cairo_restore(cr);
}

/* A tray, a mat, a window of light, a frame: a large rectangle that a card may lie in. */
static void draw_tray(cairo_t *cr, struct gk_random *random, double width, double height)
{
    double wall = width * exp(between(random, log(0.01), log(0.15))), w = width - 2 * wall,
           h = height - 2 * wall;
    double level = between(random, 0, 1), wall_level = between(random, 0, 1);
    cairo_save(cr);
    cairo_translate(cr, width / 2 + between(random, -0.1, 0.1) * wall,
                    height / 2 + between(random, -0.1, 0.1) * wall);
    if (gk_random_chance(random, 0.4)) {
        cairo_rotate(cr, between(random, -0.5, 0.5));
    }
    cairo_rectangle(cr, -w / 2, -h / 2, w, h);
    if (gk_random_chance(random, 0.4)) {
        grey(cr, level, 1);
        cairo_fill_preserve(cr);
    }
    grey(cr, wall_level, between(random, 0.3, 1));
    cairo_set_line_width(cr, gk_random_chance(random, 0.5) ? between(random, 0.7, 3) : wall);
    cairo_stroke(cr);
    if (gk_random_chance(random, 0.5)) {
        grey(cr, wall_level, 1);
        cairo_rectangle(cr, -width, -height, 2 * width, 2 * height);
        cairo_rectangle(cr, -w / 2, -h / 2, w, h);
        cairo_set_fill_rule(cr, CAIRO_FILL_RULE_EVEN_ODD);
        cairo_fill(cr);
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

/* One of the mint's own grounds. false where memory ran out. */
static bool lay_minted(cairo_surface_t *surface, struct gk_random *random)
{
    struct gk_mint_scene scene = {.width_px = (uint32_t)cairo_image_surface_get_width(surface),
                                  .height_px = (uint32_t)cairo_image_surface_get_height(surface),
                                  .background = gk_random_below(random, 5),
                                  .seed = gk_random_next(random)};
    uint8_t *rgb = malloc((size_t)scene.width_px * scene.height_px * 3);
    bool drawn = rgb != NULL && gk_background_draw(&scene, rgb) == 0;
    cairo_surface_flush(surface);
    unsigned char *pixels = cairo_image_surface_get_data(surface);
    ptrdiff_t stride = cairo_image_surface_get_stride(surface);
    for (size_t i = 0; drawn && i < (size_t)scene.width_px * scene.height_px; i++) {
        unsigned char *at = pixels + (ptrdiff_t)(i / scene.width_px) * stride + i % scene.width_px * 4;
        at[0] = at[1] = at[2] =
            (unsigned char)((77 * rgb[i * 3] + 150 * rgb[i * 3 + 1] + 29 * rgb[i * 3 + 2]) >> 8);
    }
    cairo_surface_mark_dirty(surface);
    free(rgb);
    return drawn;
}

static void lay_sketched(cairo_surface_t *surface, cairo_t *cr, struct gk_random *random, uint32_t kind)
{
    double width = cairo_image_surface_get_width(surface), height = cairo_image_surface_get_height(surface);
    double from = between(random, 0.02, 1), to = fmin(fmax(from + between(random, -0.35, 0.35), 0), 1);
    paint_gradient(cr, random, width, height, from, kind == 0 ? from : to);
    if (kind >= 1 && gk_random_chance(random, 0.8)) {
        gk_sketch_texture(surface, random, exp(between(random, log(0.01), log(kind > 4 ? 0.6 : 0.15))));
    }
    if (kind == 8 && gk_random_chance(random, 0.6)) {
        draw_grid(cr, random, width, height);
    }
}

void gk_sketch_ground(cairo_surface_t *surface, struct gk_random *random, bool bare)
{
    double width = cairo_image_surface_get_width(surface), height = cairo_image_surface_get_height(surface);
    cairo_t *cr = cairo_create(surface);
    uint32_t kind = gk_random_below(random, 10);
    bool minted = gk_random_chance(random, 0.3) && lay_minted(surface, random);
    if (!minted) {
        lay_sketched(surface, cr, random, kind);
    }
    if (gk_random_chance(random, 0.15)) {
        draw_tray(cr, random, width, height);
    }
    int things = minted || kind < 4 ? 0 : (int)gk_random_below(random, kind < 7 ? 4 : 14);
    for (int i = 0; i < things; i++) {
        if (gk_random_chance(random, 0.2)) {
            draw_paper(cr, random, width, height);
        } else {
            draw_thing(cr, random, width, height);
        }
    }
    if (bare && gk_random_chance(random, 0.65)) { /* what may be taken for a card */
        draw_paper(cr, random, width, height);
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

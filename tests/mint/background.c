/* What the card lies on: a desk, wood, cloth, a cluttered table, the tray of a recovery box. */
#include "tests/mint/mint_internal.h"

#include <math.h>
#include <stdlib.h>

static int shade_plain(const struct gk_mint_scene *scene, uint8_t *rgb, struct gk_colour colour, double depth,
                       double cell_x_px, double cell_y_px, double warp, struct gk_random *random)
{
    struct gk_noise *noise = malloc(sizeof *noise);
    if (noise == NULL) {
        return -1;
    }
    gk_noise_fill(noise, random);
    double angle = gk_random_between(random, 0, 2 * GK_PI), c = cos(angle), s = sin(angle);
    float base[3] = {(float)colour.r * 255, (float)colour.g * 255, (float)colour.b * 255};
    uint8_t *out = rgb;
    for (uint32_t y = 0; y < scene->height_px; y++) {
        for (uint32_t x = 0; x < scene->width_px; x++) {
            double u = (c * x + s * y) / cell_x_px, v = (c * y - s * x) / cell_y_px;
            float coarse = gk_noise_at(noise, u * 0.13, v * 0.13);
            float fine = gk_noise_at(noise, u, v + warp * coarse);
            float light = 1 + (float)depth * (fine * 0.5f + coarse * 0.9f - 0.7f);
            for (int channel = 0; channel < 3; channel++) {
                float value = base[channel] * light;
                *out++ = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
            }
        }
    }
    free(noise);
    return 0;
}

static void shade_cloth(const struct gk_mint_scene *scene, uint8_t *rgb, struct gk_colour colour,
                        struct gk_random *random)
{
    double thread_px = gk_random_between(random, 4, 9), angle = gk_random_between(random, 0, GK_PI);
    double c = cos(angle) / thread_px, s = sin(angle) / thread_px;
    float depth = (float)gk_random_between(random, 0.1, 0.3);
    float base[3] = {(float)colour.r * 255, (float)colour.g * 255, (float)colour.b * 255};
    uint8_t *out = rgb;
    for (uint32_t y = 0; y < scene->height_px; y++) {
        for (uint32_t x = 0; x < scene->width_px; x++) {
            float u = (float)(c * x + s * y), v = (float)(c * y - s * x);
            int over = ((int)floorf(u) + (int)floorf(v)) & 1;
            float across = over ? u - floorf(u) : v - floorf(v);
            float light = 1 - depth * (4 * (across - 0.5f) * (across - 0.5f)) - (over ? 0.06f : 0);
            for (int channel = 0; channel < 3; channel++) {
                *out++ = (uint8_t)(base[channel] * light);
            }
        }
    }
}

static void draw_sheet(cairo_t *cr, double width, double height, struct gk_random *random)
{
    static const char *const words[] = {"Invoice", "12 March", "tel 555 0142", "agenda",
                                        "41,90",   "notes",    "page 3"};
    gk_colour_set(
        cr, gk_colour_hsv(gk_random_between(random, 30, 60), 0.05, gk_random_between(random, 0.8, 0.98)), 1);
    cairo_rectangle(cr, 0, 0, width, height);
    cairo_fill(cr);
    gk_colour_set(cr, (struct gk_colour){0.2, 0.2, 0.25}, 0.8);
    struct gk_font font = {"Liberation Sans", false, false};
    for (double y = height * 0.1; y < height * 0.95; y += height * 0.07) {
        double x = width * 0.08;
        while (x < width * 0.75) {
            x += gk_text(cr, font, x, y, height * 0.022, words[gk_random_below(random, 7)]) + width * 0.04;
        }
    }
}

static void draw_clutter(cairo_t *cr, double width, double height, struct gk_random *random)
{
    uint32_t count = 5 + gk_random_below(random, 8);
    for (uint32_t i = 0; i < count; i++) {
        cairo_save(cr);
        cairo_translate(cr, gk_random_between(random, 0, width), gk_random_between(random, 0, height));
        cairo_rotate(cr, gk_random_between(random, 0, 2 * GK_PI));
        struct gk_colour colour =
            gk_colour_hsv(gk_random_between(random, 0, 360), gk_random_between(random, 0, 0.8),
                          gk_random_between(random, 0.1, 0.9));
        double size = width * gk_random_between(random, 0.05, 0.3);
        switch (gk_random_below(random, 4)) {
        case 0:
            draw_sheet(cr, size * 1.6, size * 2.2, random);
            break;
        case 1: /* a pen */
            gk_colour_set(cr, colour, 1);
            cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
            cairo_set_line_width(cr, width * 0.015);
            cairo_move_to(cr, -size, 0);
            cairo_line_to(cr, size, 0);
            cairo_stroke(cr);
            break;
        case 2: /* a coin or a cup */
            gk_colour_set(cr, colour, 1);
            cairo_arc(cr, 0, 0, size * 0.4, 0, 2 * GK_PI);
            cairo_fill_preserve(cr);
            gk_colour_set(cr, (struct gk_colour){0, 0, 0}, 0.5);
            cairo_set_line_width(cr, size * 0.05);
            cairo_stroke(cr);
            break;
        default: /* a book */
            gk_colour_set(cr, colour, 1);
            cairo_rectangle(cr, -size, -size * 0.6, size * 2, size * 1.2);
            cairo_fill(cr);
            break;
        }
        cairo_restore(cr);
    }
}

/* Matt walls around a lit floor. */
static void draw_tray(cairo_t *cr, double width, double height, struct gk_random *random)
{
    double wall = width * gk_random_between(random, 0.01, 0.05), grey = gk_random_between(random, 0.08, 0.3);
    cairo_set_line_width(cr, wall * 2);
    cairo_set_source_rgb(cr, grey, grey, grey);
    cairo_rectangle(cr, 0, 0, width, height);
    cairo_stroke(cr);
    cairo_set_line_width(cr, width * 0.004);
    cairo_set_source_rgba(cr, 0, 0, 0, 0.5);
    cairo_rectangle(cr, wall, wall, width - 2 * wall, height - 2 * wall);
    cairo_stroke(cr);
}

/* Draws over the picture with Cairo. */
static int overlay(const struct gk_mint_scene *scene, uint8_t *rgb,
                   void (*draw)(cairo_t *, double, double, struct gk_random *), struct gk_random *random)
{
    cairo_surface_t *surface =
        cairo_image_surface_create(CAIRO_FORMAT_ARGB32, (int)scene->width_px, (int)scene->height_px);
    if (cairo_surface_status(surface) != CAIRO_STATUS_SUCCESS) {
        cairo_surface_destroy(surface);
        return -1;
    }
    cairo_t *cr = cairo_create(surface);
    draw(cr, scene->width_px, scene->height_px, random);
    cairo_destroy(cr);
    cairo_surface_flush(surface);
    const unsigned char *pixels = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    for (uint32_t y = 0; y < scene->height_px; y++) {
        const uint32_t *row = (const uint32_t *)(const void *)(pixels + y * stride);
        uint8_t *out = rgb + (size_t)y * scene->width_px * 3;
        for (uint32_t x = 0; x < scene->width_px; x++, out += 3) {
            uint32_t under = 255 - (row[x] >> 24); /* premultiplied: over = colour + what shows through */
            if (under == 255) {
                continue;
            }
            out[0] = (uint8_t)(((row[x] >> 16) & 255) + out[0] * under / 255);
            out[1] = (uint8_t)(((row[x] >> 8) & 255) + out[1] * under / 255);
            out[2] = (uint8_t)((row[x] & 255) + out[2] * under / 255);
        }
    }
    cairo_surface_destroy(surface);
    return 0;
}

int gk_background_draw(const struct gk_mint_scene *scene, uint8_t *rgb)
{
    struct gk_random random = gk_random_new(scene->seed, 1);
    double hue = gk_random_between(&random, 0, 360), value = gk_random_between(&random, 0.15, 0.9);
    struct gk_colour grey = gk_colour_hsv(hue, gk_random_between(&random, 0, 0.15), value);
    double unit = scene->width_px / 1280.0;
    switch (scene->background) {
    case GK_MINT_WOOD:
        return shade_plain(scene, rgb,
                           gk_colour_hsv(gk_random_between(&random, 18, 36), 0.5, value * 0.8 + 0.1), 0.5,
                           120 * unit, 3 * unit, 14, &random);
    case GK_MINT_CLOTH:
        shade_cloth(scene, rgb, gk_colour_hsv(hue, gk_random_between(&random, 0, 0.6), value), &random);
        return 0;
    case GK_MINT_CLUTTER:
        if (shade_plain(scene, rgb, grey, 0.2, 40 * unit, 40 * unit, 0, &random) != 0) {
            return -1;
        }
        return overlay(scene, rgb, draw_clutter, &random);
    case GK_MINT_TRAY:
        if (shade_plain(scene, rgb, grey, 0.08, 50 * unit, 50 * unit, 0, &random) != 0) {
            return -1;
        }
        return overlay(scene, rgb, draw_tray, &random);
    case GK_MINT_DESK:
        break;
    }
    return shade_plain(scene, rgb, grey, 0.12, 40 * unit, 60 * unit, 0, &random);
}

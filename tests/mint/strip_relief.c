/*
 * Light on a strip. The raised mask, blurred, is a height map; its slope bends the light. Real digits differ
 * so much (foil on the tops, on the flanks, worn off, black, the card's own colour; one lamp, two, a window)
 * that the shading is drawn at random from a family: shade along a direction, mirror bands, one or two
 * highlights at given slopes, dark grooves, foil where the height passes a level and wear has not taken it.
 */
#include "tests/mint/strip_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int gk_plane_make(int width, int height, struct gk_plane *ret_plane)
{
    float *value = calloc((size_t)width * (size_t)height, sizeof *value);
    if (value == NULL) {
        return -1;
    }
    *ret_plane = (struct gk_plane){width, height, value};
    return 0;
}

static void box_line(float *line, float *copy, int count, size_t step, int radius)
{
    float sum = 0, share = 1.0f / (float)(2 * radius + 1);
    for (int i = 0; i < count; i++) {
        copy[i] = line[(size_t)i * step];
    }
    for (int i = -radius; i < count; i++) {
        sum += i + radius < count ? copy[i + radius] : 0;
        sum -= i - radius - 1 >= 0 ? copy[i - radius - 1] : 0;
        if (i >= 0) {
            line[(size_t)i * step] = sum * share;
        }
    }
}

/* Two box blurs each way. */
static int soften(struct gk_plane *plane, int radius)
{
    int longest = plane->width > plane->height ? plane->width : plane->height;
    float *copy = malloc((size_t)longest * sizeof *copy);
    if (copy == NULL) {
        return -1;
    }
    for (int pass = 0; pass < 2; pass++) {
        for (int y = 0; y < plane->height; y++) {
            box_line(plane->value + (size_t)y * (size_t)plane->width, copy, plane->width, 1, radius);
        }
        for (int x = 0; x < plane->width; x++) {
            box_line(plane->value + x, copy, plane->height, (size_t)plane->width, radius);
        }
    }
    free(copy);
    return 0;
}

struct shading {
    float slope;                /* of the flanks */
    float light_x, light_y;     /* shade along this direction */
    float mirror, bands, phase; /* bands of light and dark along the slope, as metal mirrors a room */
    float gloss[2], gloss_x[2], gloss_y[2], gloss_width; /* highlights where the slope is this */
    float groove;                                        /* darkening of steep flanks */
    float foil, foil_from, foil_grey, foil_shine, wear;  /* foil 0: none */
    double cell;                                         /* of wear, pixels */
};

static struct shading random_shading(double scale, struct gk_random *random)
{
    double angle = gk_random_between(random, 0, 2 * GK_PI), strength = gk_random_between(random, 0, 0.9);
    struct shading shading = {.slope = (float)gk_random_between(random, 0.6, 2.2)};
    shading.light_x = (float)(cos(angle) * strength);
    shading.light_y = (float)(sin(angle) * strength);
    shading.mirror = gk_random_chance(random, 0.5) ? (float)gk_random_between(random, 0, 0.8) : 0;
    shading.bands = (float)gk_random_between(random, 1.5, 7);
    shading.phase = (float)gk_random_between(random, 0, 2 * GK_PI);
    shading.gloss_width = (float)gk_random_between(random, 0.03, 0.3);
    for (int i = 0; i < 2; i++) {
        double towards = angle + (i == 0 ? gk_random_between(random, -0.5, 0.5)
                                         : GK_PI + gk_random_between(random, -1, 1));
        double steep = gk_random_between(random, 0.15, 0.9);
        shading.gloss[i] =
            gk_random_chance(random, i == 0 ? 0.75 : 0.45) ? (float)gk_random_between(random, 20, 190) : 0;
        shading.gloss_x[i] = (float)(cos(towards) * steep);
        shading.gloss_y[i] = (float)(sin(towards) * steep);
    }
    shading.groove = gk_random_chance(random, 0.6) ? (float)gk_random_between(random, 0, 0.8) : 0;
    static const float foils[] = {205, 215, 185, 245, 25, 160};
    shading.foil = gk_random_chance(random, 0.62) ? (float)gk_random_between(random, 0.4, 1) : 0;
    shading.foil_grey = foils[gk_random_below(random, 6)] + (float)gk_random_between(random, -20, 10);
    shading.foil_from = (float)gk_random_between(random, 0.08, 0.6);
    shading.foil_shine = (float)gk_random_between(random, 0.5, 1.5);
    shading.wear = gk_random_chance(random, 0.5) ? (float)gk_random_between(random, 0, 0.75) : 0;
    shading.cell = gk_random_between(random, 0.08, 0.4) * scale;
    return shading;
}

static float clamp01(float value)
{
    return value < 0 ? 0 : value > 1 ? 1 : value;
}

static float lit(const struct shading *shading, float under, float level, float gx, float gy, float spots)
{
    float steep = sqrtf(gx * gx + gy * gy), bent = steep / (1 + steep);
    float foil = shading->foil * clamp01((level - shading->foil_from) * 5) *
                 clamp01((spots + 0.6f - shading->wear * 1.3f) * 5);
    float shine = 1 + (shading->foil_shine - 1) * foil;
    float shade = 1 + shine * (gx * shading->light_x + gy * shading->light_y) / (1 + steep);
    float along = gx * shading->light_x + gy * shading->light_y;
    shade *= 1 + shine * shading->mirror * bent * cosf(shading->bands * along + shading->phase);
    shade *= 1 - shading->groove * bent * (1 - foil * 0.6f);
    float value = (under + (shading->foil_grey - under) * foil) * fmaxf(shade, 0.05f);
    for (int i = 0; i < 2; i++) {
        float dx = gx - shading->gloss_x[i], dy = gy - shading->gloss_y[i];
        value += shading->gloss[i] * shine * expf(-(dx * dx + dy * dy) / shading->gloss_width);
    }
    /* the flat card has its own highlight, which is none */
    for (int i = 0; i < 2; i++) {
        float flat = shading->gloss_x[i] * shading->gloss_x[i] + shading->gloss_y[i] * shading->gloss_y[i];
        value -= shading->gloss[i] * shine * expf(-flat / shading->gloss_width) * (1 - foil);
    }
    return value;
}

/* Clouds of noise in three sizes over the artwork: photographs, marble, leather. */
static void add_texture(struct gk_plane *grey, double scale, struct gk_random *random)
{
    struct gk_noise noise;
    double cell = gk_random_between(random, 0.2, 3) * scale, stretch = gk_random_between(random, 0.3, 3);
    float depth = (float)gk_random_between(random, 10, 110);
    gk_noise_fill(&noise, random);
    for (int y = 0; y < grey->height; y++) {
        for (int x = 0; x < grey->width; x++) {
            float sum = 0, share = 0.55f;
            double u = x / cell, v = y / cell * stretch;
            for (int octave = 0; octave < 3; octave++, u *= 2.3, v *= 2.3, share *= 0.55f) {
                sum += share * (gk_noise_at(&noise, u, v) - 0.5f);
            }
            grey->value[(size_t)y * (size_t)grey->width + (size_t)x] += depth * sum;
        }
    }
}

static void light_raised(struct gk_plane *grey, const struct gk_plane *level, double scale,
                         struct gk_random *random)
{
    struct shading shading = random_shading(scale, random);
    struct gk_noise noise;
    gk_noise_fill(&noise, random);
    float slope = (float)(shading.slope * scale * 0.06);
    for (int y = 1; y + 1 < grey->height; y++) {
        for (int x = 1; x + 1 < grey->width; x++) {
            size_t i = (size_t)y * (size_t)grey->width + (size_t)x, w = (size_t)grey->width;
            const float *h = level->value + i;
            float gx = (h[1] - h[-1]) * slope, gy = (h[w] - h[-(ptrdiff_t)w]) * slope;
            if (*h < 0.004f && fabsf(gx) + fabsf(gy) < 0.004f) {
                continue;
            }
            float spots = gk_noise_at(&noise, x / shading.cell, y / shading.cell) * 0.5f +
                          gk_noise_at(&noise, x / shading.cell * 0.15, y / shading.cell * 0.15) * 0.5f;
            grey->value[i] = lit(&shading, grey->value[i], *h, gx, gy, spots);
        }
    }
}

/* A burnt-out band, bent where the surface is raised. */
static void add_glare(struct gk_plane *grey, const struct gk_plane *level, double scale,
                      struct gk_random *random)
{
    double angle = gk_random_between(random, 0, GK_PI), half = gk_random_between(random, 0.6, 3.5) * scale;
    double place = gk_random_between(random, -0.45, 0.45) * grey->width,
           strength = gk_random_between(random, 30, 220);
    float c = (float)cos(angle), s = (float)sin(angle),
          bend = (float)gk_random_between(random, 0, 1.2 * scale * scale * 0.1);
    for (int y = 1; y + 1 < grey->height; y++) {
        for (int x = 1; x + 1 < grey->width; x++) {
            size_t i = (size_t)y * (size_t)grey->width + (size_t)x, w = (size_t)grey->width;
            const float *h = level->value + i;
            float away = c * (float)(x - grey->width / 2 - (int)place) + s * (float)(y - grey->height / 2);
            away += bend * ((h[1] - h[-1]) * c + (h[w] - h[-(ptrdiff_t)w]) * s);
            float near = 1 - away * away / (float)(half * half);
            if (near > 0) {
                grey->value[i] += (float)strength * near * near;
            }
        }
    }
}

int gk_strip_light(struct gk_face *face, double scale, struct gk_random *random, struct gk_plane *ret_plane)
{
    cairo_surface_flush(face->surface);
    cairo_surface_flush(face->raised);
    int width = cairo_image_surface_get_width(face->surface),
        height = cairo_image_surface_get_height(face->surface);
    struct gk_plane grey, level;
    if (gk_plane_make(width, height, &grey) != 0) {
        return -1;
    }
    if (gk_plane_make(width, height, &level) != 0) {
        free(grey.value);
        return -1;
    }
    size_t stride = (size_t)cairo_image_surface_get_stride(face->surface),
           raised_stride = (size_t)cairo_image_surface_get_stride(face->raised);
    const unsigned char *pixels = cairo_image_surface_get_data(face->surface);
    const unsigned char *raised = cairo_image_surface_get_data(face->raised);
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            const unsigned char *bgr = pixels + (size_t)y * stride + (size_t)x * 4;
            size_t i = (size_t)y * (size_t)width + (size_t)x;
            grey.value[i] = (float)(29 * bgr[0] + 150 * bgr[1] + 77 * bgr[2]) / 256;
            level.value[i] = (float)raised[(size_t)y * raised_stride + (size_t)x] / 255;
        }
    }
    int radius = (int)fmax(1, round(gk_random_between(random, 0.025, 0.065) * scale));
    int status = soften(&level, radius);
    if (status == 0) {
        if (gk_random_chance(random, 0.2)) {
            add_texture(&grey, scale, random);
        }
        light_raised(&grey, &level, scale, random);
        if (gk_random_chance(random, 0.15)) {
            add_glare(&grey, &level, scale, random);
        }
        *ret_plane = grey;
    } else {
        free(grey.value);
    }
    free(level.value);
    return status;
}

/*
 * Light on a face. What is embossed was drawn as a flat mask; blurred, it becomes a height map with rounded
 * shoulders. Its slope gives a normal, the normal light and shade (Lambert and Blinn-Phong); the plateau
 * carries foil, which is worn away where a noise tile lies below the card's wear. A band of glare is bent by
 * the same slope, so that digits still show in it, as they do under a lamp.
 */
#include "tests/mint/mint_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SLOPE 0.24        /* how steep the flanks stand for the light: height over the flank's width */
#define ELEVATION 0.75    /* of the lamp, radians */
#define FOIL_CELL_MM 0.45 /* size of the spots that wear away */
#define GLARE_BEND_MM 5.0 /* how far a full slope moves the band of glare */

struct relief {
    size_t width, height;
    float *level; /* 0 .. 1, rows [first_row, end_row) are not all 0 */
    size_t first_row, end_row;
};

static void blur_line(const float *from, float *to, size_t count, size_t step, size_t radius)
{
    float sum = 0, share = 1.0f / (float)(2 * radius + 1);
    for (size_t i = 0; i < count + radius; i++) {
        if (i < count) {
            sum += from[i * step];
        }
        if (i >= 2 * radius + 1) {
            sum -= from[(i - 2 * radius - 1) * step];
        }
        if (i >= radius) {
            to[(i - radius) * step] = sum * share;
        }
    }
}

/* Two box blurs each way, over the rows that hold something. */
static int blur(struct relief *relief, size_t radius)
{
    size_t rows = relief->end_row - relief->first_row, width = relief->width;
    float *scratch = malloc(rows * width * sizeof *scratch),
          *level = relief->level + relief->first_row * width;
    if (scratch == NULL) {
        return -1;
    }
    for (size_t y = 0; y < rows; y++) {
        blur_line(level + y * width, scratch + y * width, width, 1, radius);
        blur_line(scratch + y * width, level + y * width, width, 1, radius);
    }
    for (size_t x = 0; x < width; x++) {
        blur_line(level + x, scratch + x, rows, width, radius);
        blur_line(scratch + x, level + x, rows, width, radius);
    }
    free(scratch);
    return 0;
}

static int relief_from(const struct gk_face *face, double shoulder_mm, struct relief *ret_relief)
{
    cairo_surface_flush(face->raised);
    struct relief relief = {.width = (size_t)cairo_image_surface_get_width(face->raised),
                            .height = (size_t)cairo_image_surface_get_height(face->raised)};
    size_t stride = (size_t)cairo_image_surface_get_stride(face->raised);
    const unsigned char *mask = cairo_image_surface_get_data(face->raised);
    size_t radius = (size_t)fmax(1, round(shoulder_mm * face->scale)), margin = 2 * radius + 1;
    relief.level = calloc(relief.width * relief.height, sizeof *relief.level);
    if (relief.level == NULL) {
        return -1;
    }
    size_t first = relief.height, last = 0;
    for (size_t y = 0; y < relief.height; y++) {
        unsigned any = 0;
        for (size_t x = 0; x < relief.width; x++) {
            unsigned char value = mask[y * stride + x];
            relief.level[y * relief.width + x] = (float)value / 255;
            any |= value;
        }
        if (any != 0) {
            first = y < first ? y : first;
            last = y;
        }
    }
    if (first <= last) {
        relief.first_row = first > margin ? first - margin : 0;
        relief.end_row = last + margin < relief.height ? last + margin : relief.height;
        if (blur(&relief, radius) != 0) {
            free(relief.level);
            return -1;
        }
    }
    *ret_relief = relief;
    return 0;
}

static struct gk_colour foil_colour(enum gk_mint_foil foil)
{
    switch (foil) {
    case GK_MINT_FOIL_GOLD:
        return (struct gk_colour){0.86, 0.72, 0.38};
    case GK_MINT_FOIL_WHITE:
        return (struct gk_colour){0.96, 0.96, 0.95};
    case GK_MINT_FOIL_SILVER:
    case GK_MINT_FOIL_NONE:
        break;
    }
    return (struct gk_colour){0.80, 0.81, 0.83};
}

static float clamp01(float value)
{
    return value < 0 ? 0 : value > 1 ? 1 : value;
}

struct lamp {
    float x, y, z;                /* towards the light, y down */
    float half_x, half_y, half_z; /* between the light and the eye straight above */
    float shine, ambient;
};

static struct lamp lamp_from(struct gk_light light)
{
    double x = cos(light.azimuth) * cos(ELEVATION), y = -sin(light.azimuth) * cos(ELEVATION),
           z = sin(ELEVATION);
    double length = sqrt(x * x + y * y + (z + 1) * (z + 1));
    return (struct lamp){(float)x,
                         (float)y,
                         (float)z,
                         (float)(x / length),
                         (float)(y / length),
                         (float)((z + 1) / length),
                         (float)(0.25 + 0.6 * light.strength),
                         (float)(0.75 - 0.4 * light.strength)};
}

/* How this card's digits were made and what became of them, by the card's seed. */
struct finish {
    double shoulder_mm;         /* half the width of a digit's flank */
    float foil_from;            /* height from which there is foil: low where the flanks carry it too */
    float mirror, bands, phase; /* foil mirrors its surroundings in bands of light and dark along the slope */
};

static struct finish finish_of(const struct gk_mint_card *card)
{
    struct gk_random random = gk_random_new(card->seed, 5);
    struct finish finish;
    finish.shoulder_mm = gk_random_between(&random, 0.11, 0.2);
    finish.foil_from = (float)gk_random_between(&random, 0.1, 0.45);
    finish.mirror = (float)gk_random_between(&random, 0.2, 0.9);
    finish.bands = (float)gk_random_between(&random, 3, 7);
    finish.phase = (float)gk_random_between(&random, -1, 1);
    return finish;
}

/* Packed 0x00RRGGBB from floats of 0 .. 255. */
static uint32_t pack(const float *rgb)
{
    uint32_t packed = 0;
    for (int channel = 0; channel < 3; channel++) {
        float value = rgb[channel];
        packed = packed << 8 | (uint32_t)(value < 0 ? 0 : value > 255 ? 255 : value);
    }
    return packed;
}

static void light_rows(struct gk_face *face, const struct gk_mint_card *card, const struct relief *relief,
                       const struct gk_noise *noise, struct lamp lamp, struct finish finish)
{
    size_t stride = (size_t)cairo_image_surface_get_stride(face->surface), width = relief->width;
    unsigned char *pixels = cairo_image_surface_get_data(face->surface);
    struct gk_colour foil = foil_colour(card->foil);
    float colour[3] = {(float)foil.r * 255, (float)foil.g * 255, (float)foil.b * 255};
    float slope = (float)(SLOPE * face->scale), wear = (float)card->foil_wear;
    double cell = 1 / (FOIL_CELL_MM * face->scale);
    size_t first = relief->first_row > 0 ? relief->first_row : 1;
    size_t end = relief->end_row < relief->height ? relief->end_row : relief->height - 1;
    for (size_t y = first; y < end; y++) {
        const float *level = relief->level + y * width;
        uint32_t *row = (uint32_t *)(void *)(pixels + y * stride);
        for (size_t x = 1; x + 1 < width; x++) {
            float gx = (level[x + 1] - level[x - 1]) * slope,
                  gy = (level[x + width] - level[x - width]) * slope;
            if (level[x] < 0.004f && fabsf(gx) + fabsf(gy) < 0.004f) {
                continue;
            }
            float inverse = 1 / sqrtf(1 + gx * gx + gy * gy);
            float diffuse = fmaxf(0, (lamp.z - gx * lamp.x - gy * lamp.y) * inverse) / lamp.z;
            float half = fmaxf(0, (lamp.half_z - gx * lamp.half_x - gy * lamp.half_y) * inverse);
            float gloss = half * half * half * half, foiled = 0;
            gloss = gloss * gloss * gloss * gloss * lamp.shine;
            gloss -= powf(lamp.half_z, 16) * lamp.shine; /* the flat card has its own already */
            if (card->foil != GK_MINT_FOIL_NONE) {
                float spots = gk_noise_at(noise, (double)x * cell, (double)y * cell) * 0.55f +
                              gk_noise_at(noise, (double)x * cell * 0.13, (double)y * cell * 0.13) * 0.45f;
                foiled =
                    clamp01((level[x] - finish.foil_from) * 5) * clamp01((spots + 0.62f - wear * 1.25f) * 5);
            }
            float tilt = (gx * lamp.x + gy * lamp.y) * inverse;
            float mirrored = 1 + finish.mirror * (0.1f + cosf(finish.bands * tilt + finish.phase)) * 0.6f -
                             finish.mirror * 0.35f;
            float light = lamp.ambient + (1 - lamp.ambient) * diffuse, rgb[3];
            light *= 1 + foiled * (mirrored - 1);
            for (int channel = 0; channel < 3; channel++) {
                float under = (float)((row[x] >> (16 - 8 * channel)) & 255);
                float flat = under + (colour[channel] - under) * foiled;
                rgb[channel] = flat * light + fmaxf(0, gloss) * (90 + 130 * foiled);
            }
            row[x] = pack(rgb);
        }
    }
}

/* A soft-edged band across the card, burnt out along its middle. */
static void glare_over(struct gk_face *face, const struct relief *relief, struct gk_light light)
{
    struct gk_random random = gk_random_new(light.seed, 3);
    double angle = gk_random_between(&random, 0, GK_PI), half = gk_random_between(&random, 4, 14);
    double place = gk_random_between(&random, -0.3, 0.3) * face->height_mm;
    float c = (float)(cos(angle) / face->scale), s = (float)(sin(angle) / face->scale),
          reach = (float)(1 / half);
    float middle = (float)(cos(angle) * face->width_mm / 2 + sin(angle) * face->height_mm / 2 + place);
    float bend = (float)(GLARE_BEND_MM * SLOPE * face->scale);
    size_t width = (size_t)cairo_image_surface_get_width(face->surface);
    size_t height = (size_t)cairo_image_surface_get_height(face->surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(face->surface);
    unsigned char *pixels = cairo_image_surface_get_data(face->surface);
    for (size_t y = 0; y < height; y++) {
        uint32_t *row = (uint32_t *)(void *)(pixels + y * stride);
        bool raised = relief->level != NULL && y > relief->first_row && y + 1 < relief->end_row;
        const float *level = raised ? relief->level + y * width : NULL;
        for (size_t x = 0; x < width; x++) {
            float distance = c * (float)x + s * (float)y - middle;
            if (level != NULL && x > 0 && x + 1 < width) {
                distance += bend *
                            ((level[x + 1] - level[x - 1]) * c + (level[x + width] - level[x - width]) * s) *
                            (float)face->scale;
            }
            float near = 1 - distance * distance * reach * reach;
            if (near <= 0) {
                continue;
            }
            float rgb[3], added = (float)light.glare * 255 * near * near;
            for (int channel = 0; channel < 3; channel++) {
                rgb[channel] = (float)((row[x] >> (16 - 8 * channel)) & 255) + added;
            }
            row[x] = pack(rgb);
        }
    }
}

int gk_relief_apply(struct gk_face *face, const struct gk_mint_card *card, struct gk_light light)
{
    struct relief relief = {0};
    if (face->raised != NULL) {
        struct finish finish = finish_of(card);
        struct gk_noise *noise = malloc(sizeof *noise);
        if (noise == NULL || relief_from(face, finish.shoulder_mm, &relief) != 0) {
            free(noise);
            return -1;
        }
        struct gk_random random = gk_random_new(card->seed, 4);
        gk_noise_fill(noise, &random);
        light_rows(face, card, &relief, noise, lamp_from(light), finish);
        free(noise);
    }
    if (light.glare > 0) {
        glare_over(face, &relief, light);
    }
    free(relief.level);
    cairo_surface_mark_dirty(face->surface);
    return 0;
}

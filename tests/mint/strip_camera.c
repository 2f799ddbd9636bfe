/*
 * The camera of the strip mint. The surface is first seen at the camera's own resolution, from 8 to 40 pixels
 * a digit, where blur, noise and JPEG do their damage; only then is it resampled to the strip, as a reader
 * resamples a photograph.
 */
#include "tests/mint/strip_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

static float at(const struct gk_plane *plane, double x, double y)
{
    x = fmin(fmax(x - 0.5, 0), plane->width - 1.001);
    y = fmin(fmax(y - 0.5, 0), plane->height - 1.001);
    int column = (int)x, row = (int)y;
    float fx = (float)(x - column), fy = (float)(y - row);
    const float *top = plane->value + (size_t)row * (size_t)plane->width + column;
    const float *bottom = top + plane->width;
    float above = top[0] + (top[1] - top[0]) * fx, below = bottom[0] + (bottom[1] - bottom[0]) * fx;
    return above + (below - above) * fy;
}

/* Where a pixel of the photograph looks at the surface: affine about both middles. */
struct look {
    double xx, xy, yx, yy;
};

static struct look random_look(double scale, double camera_px, struct gk_random *random)
{
    double turn = gk_random_between(random, -1, 1) * gk_random_between(random, 0, 0.06);
    double shear = gk_random_between(random, -1, 1) * gk_random_between(random, 0, 0.25);
    double narrow = gk_random_chance(random, 0.5) ? gk_random_between(random, 0.72, 1.15) : 1;
    double step = scale / camera_px;
    return (struct look){step / narrow * cos(turn), step * (shear * cos(turn) - sin(turn)),
                         step / narrow * sin(turn), step * (cos(turn) + shear * sin(turn))};
}

static void expose(const struct gk_plane *surface, const struct look *look, struct gk_plane *photo)
{
    static const double taps[4][2] = {{-0.25, -0.25}, {0.25, -0.25}, {-0.25, 0.25}, {0.25, 0.25}};
    for (int y = 0; y < photo->height; y++) {
        for (int x = 0; x < photo->width; x++) {
            float sum = 0;
            for (int tap = 0; tap < 4; tap++) {
                double dx = x + 0.5 + taps[tap][0] - photo->width / 2.0;
                double dy = y + 0.5 + taps[tap][1] - photo->height / 2.0;
                sum += at(surface, surface->width / 2.0 + look->xx * dx + look->xy * dy,
                          surface->height / 2.0 + look->yx * dx + look->yy * dy);
            }
            photo->value[(size_t)y * (size_t)photo->width + (size_t)x] = sum / 4;
        }
    }
}

/* A Gaussian along one axis by direct sums; edges repeat. */
static int blur_axis(struct gk_plane *plane, double sigma_px, bool along_x)
{
    enum { MOST = 12 };
    int radius = (int)fmin(ceil(sigma_px * 2.5), MOST), length = along_x ? plane->width : plane->height;
    int lines = along_x ? plane->height : plane->width;
    size_t step = along_x ? 1 : (size_t)plane->width, across = along_x ? (size_t)plane->width : 1;
    float taps[2 * MOST + 1], sum = 0, *copy = malloc((size_t)length * sizeof *copy);
    if (copy == NULL) {
        return -1;
    }
    for (int i = -radius; i <= radius; i++) {
        taps[i + radius] = (float)exp(-i * i / (2 * sigma_px * sigma_px));
        sum += taps[i + radius];
    }
    for (int line = 0; line < lines; line++) {
        float *start = plane->value + (size_t)line * across;
        for (int i = 0; i < length; i++) {
            copy[i] = start[(size_t)i * step];
        }
        for (int i = 0; i < length; i++) {
            float total = 0;
            for (int tap = -radius; tap <= radius; tap++) {
                int from = i + tap < 0 ? 0 : i + tap >= length ? length - 1 : i + tap;
                total += taps[tap + radius] * copy[from];
            }
            start[(size_t)i * step] = total / sum;
        }
    }
    free(copy);
    return 0;
}

/* Out of focus both ways; now and then moved along one. */
static int blur(struct gk_plane *photo, double camera_px, struct gk_random *random)
{
    double focus = gk_random_chance(random, 0.25) ? gk_random_between(random, 0.5, camera_px * 0.09 + 0.5)
                                                  : gk_random_between(random, 0.2, 0.7);
    double x = focus, y = focus;
    if (gk_random_chance(random, 0.1)) {
        *(gk_random_chance(random, 0.5) ? &x : &y) += gk_random_between(random, 0, camera_px * 0.1);
    }
    return blur_axis(photo, x, true) != 0 || blur_axis(photo, y, false) != 0 ? -1 : 0;
}

static void sense(const struct gk_plane *photo, struct gk_random *random, uint8_t *ret_bytes)
{
    double noise =
        gk_random_chance(random, 0.3) ? gk_random_between(random, 2, 12) : gk_random_between(random, 0, 3);
    double gain = gk_random_between(random, 0.6, 1.15), lift = gk_random_between(random, -10, 25);
    double slope = gk_random_between(random, -0.4, 0.4) / photo->width;
    for (int y = 0; y < photo->height; y++) {
        for (int x = 0; x < photo->width; x++) {
            size_t i = (size_t)y * (size_t)photo->width + (size_t)x;
            uint64_t bits = gk_random_next(random);
            /* the sum of four 16-bit parts has a deviation of 37837 */
            double sum =
                (double)((bits & 0xffff) + ((bits >> 16) & 0xffff) + ((bits >> 32) & 0xffff) + (bits >> 48));
            double value = (double)photo->value[i] * gain * (1 + slope * (x - photo->width / 2.0)) + lift +
                           noise * (sum - 131070) / 37837;
            ret_bytes[i] = (uint8_t)fmin(fmax(value + 0.5, 0), 255);
        }
    }
}

/* Through JPEG and back, at a random quality. libjpeg ends the process on its own errors, which only broken
 * memory makes here. */
static void compress(uint8_t *bytes, int width, int height, struct gk_random *random)
{
    struct jpeg_error_mgr errors;
    struct jpeg_compress_struct out = {.err = jpeg_std_error(&errors)};
    unsigned char *file = NULL;
    unsigned long size = 0;
    jpeg_create_compress(&out);
    jpeg_mem_dest(&out, &file, &size);
    out.image_width = (JDIMENSION)width;
    out.image_height = (JDIMENSION)height;
    out.input_components = 1;
    out.in_color_space = JCS_GRAYSCALE;
    jpeg_set_defaults(&out);
    jpeg_set_quality(&out, (int)gk_random_between(random, 30, 96), TRUE);
    jpeg_start_compress(&out, TRUE);
    while (out.next_scanline < out.image_height) {
        JSAMPROW row = bytes + (size_t)out.next_scanline * (size_t)width;
        jpeg_write_scanlines(&out, &row, 1);
    }
    jpeg_finish_compress(&out);
    jpeg_destroy_compress(&out);
    struct jpeg_decompress_struct in = {.err = jpeg_std_error(&errors)};
    jpeg_create_decompress(&in);
    jpeg_mem_src(&in, file, size);
    jpeg_read_header(&in, TRUE);
    jpeg_start_decompress(&in);
    while (in.output_scanline < in.output_height) {
        JSAMPROW row = bytes + (size_t)in.output_scanline * (size_t)width;
        jpeg_read_scanlines(&in, &row, 1);
    }
    jpeg_finish_decompress(&in);
    jpeg_destroy_decompress(&in);
    free(file);
}

/* Resamples the photograph, `camera_px` a digit, to the strip, `strip_px` a digit; several taps where it
 * shrinks. */
static void resample(const struct gk_plane *photo, double step, int width_px, uint8_t *ret_grey)
{
    int taps = (int)fmax(1, ceil(step));
    for (int y = 0; y < GK_MINT_STRIP_HEIGHT_PX; y++) {
        for (int x = 0; x < width_px; x++) {
            float sum = 0;
            for (int tap = 0; tap < taps * taps; tap++) {
                double dx = x + (tap % taps + 0.5) / taps - width_px / 2.0;
                double dy = y + (tap / taps + 0.5) / taps - GK_MINT_STRIP_HEIGHT_PX / 2.0;
                sum += at(photo, photo->width / 2.0 + dx * step, photo->height / 2.0 + dy * step);
            }
            ret_grey[(size_t)y * (size_t)width_px + (size_t)x] = (uint8_t)(sum / (float)(taps * taps) + 0.5f);
        }
    }
}

int gk_strip_photograph(const struct gk_plane *surface, double scale, double camera_px, double strip_px,
                        int width_px, struct gk_random *random, uint8_t *ret_grey)
{
    struct gk_plane photo;
    double step = camera_px / strip_px;
    int width = (int)ceil(width_px * step) + 2, height = (int)ceil(GK_MINT_STRIP_HEIGHT_PX * step) + 2;
    struct look look = random_look(scale, camera_px, random);
    if (gk_plane_make(width, height, &photo) != 0) {
        return -1;
    }
    uint8_t *bytes = malloc((size_t)width * (size_t)height);
    expose(surface, &look, &photo);
    if (bytes == NULL || blur(&photo, camera_px, random) != 0) {
        free(bytes);
        free(photo.value);
        return -1;
    }
    sense(&photo, random, bytes);
    if (gk_random_chance(random, 0.8)) {
        compress(bytes, width, height, random);
    }
    for (size_t i = 0; i < (size_t)width * (size_t)height; i++) {
        photo.value[i] = bytes[i];
    }
    resample(&photo, step, width_px, ret_grey);
    free(bytes);
    free(photo.value);
    return 0;
}

/* PNG through libpng: plain files row by row, shrunk on the way; interlaced ones whole. */
#include "core/recognition/picture_codecs.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>

struct source {
    const uint8_t *data;
    size_t left; /* bytes */
};

static void read_bytes(png_structp png, png_bytep to, size_t size)
{
    struct source *source = png_get_io_ptr(png);
    if (size > source->left) {
        png_error(png, "cut off");
    }
    memcpy(to, source->data, size);
    source->data += size;
    source->left -= size;
}

static void on_error(png_structp png, png_const_charp message)
{
    gk_error_set(png_get_error_ptr(png), GK_INVALID_ARGUMENT, "PNG: %s", message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

/* What the two ways of decoding share; freed by the caller on every way out. */
struct work {
    png_bytep rows;   /* one row, or all of an interlaced picture */
    uint32_t *totals; /* of one row of the shrunk picture */
};

static void ask_for_rgb(png_structp png)
{
    png_color_16 white = {.red = 255, .green = 255, .blue = 255, .gray = 255};
    png_set_expand(png);
    png_set_scale_16(png);
    png_set_gray_to_rgb(png);
    png_set_background(png, &white, PNG_BACKGROUND_GAMMA_SCREEN, 0, 1.0);
    png_set_strip_alpha(png);
}

static void add_row(const uint8_t *row, int width_px, int step, bool colour, uint32_t *totals)
{
    for (int x = 0; x < width_px * step; x++) {
        const uint8_t *rgb = row + x * 3;
        if (!colour) {
            totals[x / step] += gk_image_luma(rgb);
            continue;
        }
        for (int channel = 0; channel < 3; channel++) {
            totals[x / step * 3 + channel] += rgb[channel];
        }
    }
}

/* Reads every row and keeps the average of each `step` x `step` pixels. What fails jumps. */
static void read_rows(png_structp png, struct gk_picture *picture, struct work *work, int passes, int step)
{
    struct gk_image *image = &picture->image;
    bool colour = image->rgb != NULL;
    uint8_t *rows = colour ? image->rgb : image->grey;
    size_t stride = (size_t)picture->stored_width_px * 3,
           samples = (size_t)image->width_px * (colour ? 3 : 1);
    bool whole = passes > 1;
    for (int pass = 0; pass + 1 < passes; pass++) {
        for (int y = 0; y < picture->stored_height_px; y++) {
            png_read_row(png, work->rows + (size_t)y * stride, NULL);
        }
    }
    for (int y = 0; y < picture->stored_height_px; y++) {
        png_bytep row = work->rows + (whole ? (size_t)y * stride : 0);
        png_read_row(png, row, NULL);
        if (y / step >= image->height_px) {
            continue;
        }
        add_row(row, image->width_px, step, colour, work->totals);
        if (y % step == step - 1) {
            uint8_t *out = rows + (size_t)(y / step) * samples;
            for (size_t i = 0; i < samples; i++) {
                out[i] = (uint8_t)(work->totals[i] / (uint32_t)(step * step));
                work->totals[i] = 0;
            }
        }
    }
    png_read_end(png, NULL);
}

/* From the header to the end. What fails in libpng jumps. */
static enum gk_status decode(png_structp png, png_infop info, bool colour, struct gk_picture *picture,
                             struct work *work, struct gk_error *error)
{
    png_read_info(png, info);
    uint32_t width = png_get_image_width(png, info), height = png_get_image_height(png, info);
    picture->stored_width_px = (int)width;
    picture->stored_height_px = (int)height;
    ask_for_rgb(png);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    if (png_get_rowbytes(png, info) != (size_t)width * 3) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "PNG: an unknown kind of pixel");
    }
    uint32_t longest = width > height ? width : height, shortest = width > height ? height : width;
    int step = (int)((longest + GK_PICTURE_LONG_SIDE_PX / 2) / GK_PICTURE_LONG_SIDE_PX);
    step = step < 1 ? 1 : step > (int)shortest ? (int)shortest : step;
    work->rows = malloc((size_t)width * 3 * (passes > 1 ? height : 1));
    work->totals = calloc((size_t)width * 3, sizeof *work->totals);
    if (work->rows == NULL || work->totals == NULL ||
        !gk_image_make((int)width / step, (int)height / step, colour, &picture->image)) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "out of memory for a picture");
    }
    read_rows(png, picture, work, passes, step);
    return GK_OK;
}

/* A function of its own, so that no variable changes between setjmp and longjmp. */
static enum gk_status decode_trapped(png_structp png, png_infop info, bool colour, struct gk_picture *picture,
                                     struct work *work, struct gk_error *error)
{
    if (setjmp(png_jmpbuf(png)) != 0) {
        return GK_INVALID_ARGUMENT;
    }
    return decode(png, info, colour, picture, work, error);
}

static uint32_t number_at(const uint8_t *data)
{
    return (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
}

/* The size stands behind the signature and the head of IHDR, before anything that libpng would unpack. */
static enum gk_status check_header(const uint8_t *data, size_t size, struct gk_error *error)
{
    if (size < 24 || memcmp(data + 12, "IHDR", 4) != 0) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "PNG: no header");
    }
    return gk_picture_check_size(number_at(data + 16), number_at(data + 20), error);
}

enum gk_status gk_png_decode(const uint8_t *data, size_t size, bool colour, struct gk_picture *ret_picture,
                             struct gk_error *error)
{
    struct gk_error own, *told = error == NULL ? &own : error;
    enum gk_status status = check_header(data, size, error);
    if (status != GK_OK) {
        return status;
    }
    struct source source = {data, size};
    struct work work = {0};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, told, on_error, on_warning);
    png_infop info = png == NULL ? NULL : png_create_info_struct(png);
    if (info == NULL) {
        png_destroy_read_struct(&png, NULL, NULL);
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "out of memory for a picture");
    }
    png_set_user_limits(png, 0x7fffffff, 0x7fffffff); /* ours are checked, with better words */
    png_set_chunk_malloc_max(png, GK_PICTURE_MAX_BYTES);
    png_set_read_fn(png, &source, read_bytes);
    status = decode_trapped(png, info, colour, ret_picture, &work, told);
    png_destroy_read_struct(&png, &info, NULL);
    free(work.rows);
    free(work.totals);
    if (status != GK_OK) {
        gk_image_clear(&ret_picture->image);
    }
    return status;
}

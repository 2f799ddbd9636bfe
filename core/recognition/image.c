#include "core/recognition/image.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool gk_image_make(int width_px, int height_px, bool with_rgb, struct gk_image *ret_image)
{
    assert(width_px > 0 && height_px > 0 && ret_image != NULL);
    size_t pixels = (size_t)width_px * (size_t)height_px;
    struct gk_image image = {.width_px = width_px, .height_px = height_px};
    image.grey = malloc(pixels);
    image.rgb = with_rgb ? malloc(pixels * 3) : NULL;
    if (image.grey == NULL || (with_rgb && image.rgb == NULL)) {
        gk_image_clear(&image);
        *ret_image = (struct gk_image){0};
        return false;
    }
    *ret_image = image;
    return true;
}

void gk_image_clear(struct gk_image *image)
{
    if (image == NULL) {
        return;
    }
    free(image->grey);
    free(image->rgb);
    *image = (struct gk_image){0};
}

void gk_image_fill_grey(struct gk_image *image)
{
    assert(image->rgb != NULL);
    size_t pixels = (size_t)image->width_px * (size_t)image->height_px;
    for (size_t i = 0; i < pixels; i++) {
        image->grey[i] = gk_image_luma(image->rgb + i * 3);
    }
}

static int clamp(int value, int most)
{
    return value < 0 ? 0 : value > most ? most : value;
}

/* The value between -1 and `most`; -1 where it is no number. */
static double limit(double value, int most)
{
    value = value > -1 ? value : -1;
    return value < most ? value : most;
}

static int whole_below(double value)
{
    int whole = (int)value;
    return value < whole ? whole - 1 : whole;
}

double gk_image_grey_at(const struct gk_image *image, double x, double y)
{
    double left = limit(x - 0.5, image->width_px), top = limit(y - 0.5, image->height_px);
    int x0 = whole_below(left), y0 = whole_below(top);
    double dx = left - x0, dy = top - y0;
    int x1 = clamp(x0 + 1, image->width_px - 1), y1 = clamp(y0 + 1, image->height_px - 1);
    x0 = clamp(x0, image->width_px - 1);
    y0 = clamp(y0, image->height_px - 1);
    const uint8_t *upper = image->grey + (size_t)y0 * (size_t)image->width_px;
    const uint8_t *lower = image->grey + (size_t)y1 * (size_t)image->width_px;
    return (upper[x0] * (1 - dx) + upper[x1] * dx) * (1 - dy) + (lower[x0] * (1 - dx) + lower[x1] * dx) * dy;
}

void gk_image_integral(const uint8_t *grey, int width_px, int height_px, uint32_t *ret_sums)
{
    size_t stride = (size_t)width_px + 1;
    memset(ret_sums, 0, stride * sizeof *ret_sums);
    for (int y = 0; y < height_px; y++) {
        uint32_t row = 0, *here = ret_sums + (size_t)(y + 1) * stride;
        here[0] = 0;
        for (int x = 0; x < width_px; x++) {
            row += grey[(size_t)y * (size_t)width_px + (size_t)x];
            here[x + 1] = here[x + 1 - (ptrdiff_t)stride] + row;
        }
    }
}

/* sums[x]: total of the rows top .. bottom - 1 in column x. */
static void add_rows(const struct gk_image *image, int top, int bottom, uint32_t *sums)
{
    size_t width = (size_t)image->width_px;
    memset(sums, 0, width * sizeof *sums);
    for (int y = top; y < bottom; y++) {
        const uint8_t *row = image->grey + (size_t)y * width;
        for (size_t x = 0; x < width; x++) {
            sums[x] += row[x];
        }
    }
}

static void average_row(const uint32_t *sums, const int *edges, int rows, int width, uint8_t *out)
{
    for (int x = 0; x < width; x++) {
        uint32_t total = 0;
        for (int i = edges[x]; i < edges[x + 1]; i++) {
            total += sums[i];
        }
        out[x] = (uint8_t)(total / (uint32_t)((edges[x + 1] - edges[x]) * rows));
    }
}

static bool fill_by_boxes(const struct gk_image *image, struct gk_image *small)
{
    int width = small->width_px, height = small->height_px;
    uint32_t *sums = malloc((size_t)image->width_px * sizeof *sums);
    int *edges = malloc(((size_t)width + 1) * sizeof *edges);
    bool done = sums != NULL && edges != NULL;
    for (int x = 0; done && x <= width; x++) {
        edges[x] = (int)((int64_t)x * image->width_px / width);
    }
    for (int y = 0; done && y < height; y++) {
        int top = (int)((int64_t)y * image->height_px / height);
        int bottom = (int)((int64_t)(y + 1) * image->height_px / height);
        add_rows(image, top, bottom, sums);
        average_row(sums, edges, bottom - top, width, small->grey + (size_t)y * (size_t)width);
    }
    free(sums);
    free(edges);
    return done;
}

static void fill_between_pixels(const struct gk_image *image, struct gk_image *large)
{
    double step_x = (double)image->width_px / large->width_px,
           step_y = (double)image->height_px / large->height_px;
    for (int y = 0; y < large->height_px; y++) {
        for (int x = 0; x < large->width_px; x++) {
            double level = gk_image_grey_at(image, (x + 0.5) * step_x, (y + 0.5) * step_y);
            large->grey[(size_t)y * (size_t)large->width_px + (size_t)x] = (uint8_t)(level + 0.5);
        }
    }
}

bool gk_image_resize(const struct gk_image *image, int width_px, int height_px, struct gk_image *ret_image)
{
    struct gk_image resized;
    if (!gk_image_make(width_px, height_px, false, &resized)) {
        return false;
    }
    if (width_px > image->width_px || height_px > image->height_px) {
        fill_between_pixels(image, &resized);
    } else if (!fill_by_boxes(image, &resized)) {
        gk_image_clear(&resized);
        return false;
    }
    *ret_image = resized;
    return true;
}

/* The taps of every output pixel along one axis: `most` weights each, of which those past the last are 0. */
struct axis {
    int most;
    int *first;     /* input pixel of the first tap, may lie outside */
    float *weights; /* sum 1 a pixel */
};

static void axis_clear(struct axis *axis)
{
    free(axis->first);
    free(axis->weights);
}

static bool axis_make(double start, double length, int out, struct axis *ret_axis)
{
    double step = length / out, reach = fmax(step, 1);
    struct axis axis = {.most = (int)ceil(2 * reach) + 1};
    axis.first = malloc((size_t)out * sizeof *axis.first);
    axis.weights = malloc((size_t)out * (size_t)axis.most * sizeof *axis.weights);
    if (axis.first == NULL || axis.weights == NULL) {
        axis_clear(&axis);
        return false;
    }
    for (int i = 0; i < out; i++) {
        double centre = start + (i + 0.5) * step - 0.5, sum = 0;
        float *weights = axis.weights + (size_t)i * (size_t)axis.most;
        axis.first[i] = (int)ceil(centre - reach);
        for (int tap = 0; tap < axis.most; tap++) {
            weights[tap] = (float)fmax(0, 1 - fabs(axis.first[i] + tap - centre) / reach);
            sum += (double)weights[tap];
        }
        for (int tap = 0; tap < axis.most; tap++) {
            weights[tap] /= (float)sum;
        }
    }
    *ret_axis = axis;
    return true;
}

/* One output row of `down` as a row of floats of the input's width. */
static void blend_rows(const struct gk_image *image, const struct axis *down, int y, float *ret_row)
{
    const float *weights = down->weights + (size_t)y * (size_t)down->most;
    memset(ret_row, 0, (size_t)image->width_px * sizeof *ret_row);
    for (int tap = 0; tap < down->most; tap++) {
        int from = clamp(down->first[y] + tap, image->height_px - 1);
        const uint8_t *row = image->grey + (size_t)from * (size_t)image->width_px;
        for (int x = 0; x < image->width_px && weights[tap] > 0; x++) {
            ret_row[x] += weights[tap] * (float)row[x];
        }
    }
}

static void blend_columns(const float *row, int row_px, const struct axis *along, int out, uint8_t *ret_grey)
{
    for (int x = 0; x < out; x++) {
        const float *weights = along->weights + (size_t)x * (size_t)along->most;
        float sum = 0.5f;
        for (int tap = 0; tap < along->most; tap++) {
            sum += weights[tap] * row[clamp(along->first[x] + tap, row_px - 1)];
        }
        ret_grey[x] = (uint8_t)fminf(sum, 255);
    }
}

bool gk_image_resample(const struct gk_image *image, const struct gk_window *window, int width_px,
                       int height_px, struct gk_image *ret_image)
{
    struct gk_image out = {0};
    struct axis along = {0}, down = {0};
    float *row = malloc((size_t)image->width_px * sizeof *row);
    bool made = row != NULL && axis_make(window->left, window->width, width_px, &along) &&
                axis_make(window->top, window->height, height_px, &down) &&
                gk_image_make(width_px, height_px, false, &out);
    for (int y = 0; y < height_px && made; y++) {
        blend_rows(image, &down, y, row);
        blend_columns(row, image->width_px, &along, width_px, out.grey + (size_t)y * (size_t)width_px);
    }
    free(row);
    axis_clear(&along);
    axis_clear(&down);
    if (made) {
        *ret_image = out;
    }
    return made;
}

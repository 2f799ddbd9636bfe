#include "core/recognition/sight.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MULTIPLE_PX 16   /* the network halves its input four times */
#define CARD_ROWS_PX 208 /* a card of 320 x 202 and a margin of 3 pixels */
#define REACH_PX 8       /* the window that contrast is measured in: 17 x 17 */
#define LEAST_DEVIATION 4.0f

float gk_sight_value(const struct gk_sight *sight, int column, int row, enum gk_sight_channel channel)
{
    assert(column >= 0 && row >= 0 && column < sight->columns && row < sight->rows);
    size_t cell = (size_t)row * (size_t)sight->columns + (size_t)column;
    return sight->values[cell * GK_SIGHT_CHANNELS + channel];
}

/* Running totals of the columns' window. */
struct columns {
    int32_t *sum, *square;
};

static void add_row(const struct gk_image *picture, int y, int sign, struct columns columns)
{
    if (y < 0 || y >= picture->height_px) {
        return;
    }
    const uint8_t *row = picture->grey + (size_t)y * (size_t)picture->width_px;
    for (int x = 0; x < picture->width_px; x++) {
        columns.sum[x] += sign * row[x];
        columns.square[x] += sign * row[x] * row[x];
    }
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int window_size(int at, int size)
{
    return least(at + REACH_PX, size - 1) - (at < REACH_PX ? 0 : at - REACH_PX) + 1;
}

struct levels {
    float mean, deviation;
};

static struct levels levels_of(const struct gk_image *picture)
{
    size_t pixels = (size_t)picture->width_px * (size_t)picture->height_px;
    uint64_t sum = 0, square = 0;
    for (size_t i = 0; i < pixels; i++) {
        sum += picture->grey[i];
        square += (uint64_t)picture->grey[i] * picture->grey[i];
    }
    double mean = (double)sum / (double)pixels;
    double variance = fmax((double)square / (double)pixels - mean * mean, 1);
    return (struct levels){(float)mean, (float)sqrt(variance)};
}

/* The windows around some pixels of a row. What one of them has from the one before is whole numbers; the
 * rest is computed for several at once. */
#define AT_A_TIME 64
struct windows {
    int32_t sum[AT_A_TIME], square[AT_A_TIME], pixels[AT_A_TIME];
    int32_t last_sum, last_square; /* of the window at hand */
};

/* Goes on to the windows of the pixels from `first` on. */
static void slide(struct columns columns, int width, int rows, int first, int count, struct windows *windows)
{
    int32_t sum = windows->last_sum, square = windows->last_square;
    for (int i = 0; i < count; i++) {
        const int x = first + i;
        if (x + REACH_PX < width) {
            sum += columns.sum[x + REACH_PX];
            square += columns.square[x + REACH_PX];
        }
        if (x > REACH_PX) {
            sum -= columns.sum[x - REACH_PX - 1];
            square -= columns.square[x - REACH_PX - 1];
        }
        windows->sum[i] = sum;
        windows->square[i] = square;
        windows->pixels[i] = rows * window_size(x, width);
    }
    windows->last_sum = sum;
    windows->last_square = square;
}

static void write_pixels(const uint8_t *restrict grey, struct levels levels, const struct windows *windows,
                         int count, float *restrict out)
{
    for (int i = 0; i < count; i++) {
        float share = 1.0f / (float)windows->pixels[i], near = (float)windows->sum[i] * share;
        float variance = (float)windows->square[i] * share - near * near;
        variance = variance > 0 ? variance : 0;
        out[2 * i] = ((float)grey[i] - levels.mean) / levels.deviation;
        out[2 * i + 1] = ((float)grey[i] - near) / (sqrtf(variance) + LEAST_DEVIATION);
    }
}

static void write_row(const struct gk_image *picture, int y, struct levels levels, struct columns columns,
                      float *out)
{
    const int width = picture->width_px, rows = window_size(y, picture->height_px);
    const uint8_t *row = picture->grey + (size_t)y * (size_t)width;
    struct windows windows;
    windows.last_sum = windows.last_square = 0;
    for (int x = 0; x < least(REACH_PX, width); x++) {
        windows.last_sum += columns.sum[x];
        windows.last_square += columns.square[x];
    }
    for (int first = 0; first < width; first += AT_A_TIME) {
        const int count = least(AT_A_TIME, width - first);
        slide(columns, width, rows, first, count, &windows);
        write_pixels(row + first, levels, &windows, count, out + (size_t)first * 2);
    }
}

/* The network's input, [height][width][2]; NULL where memory ran out. */
static float *prepare(const struct gk_image *picture)
{
    size_t width = (size_t)picture->width_px, height = (size_t)picture->height_px;
    struct columns columns = {calloc(width, sizeof(int32_t)), calloc(width, sizeof(int32_t))};
    float *input = malloc(width * height * 2 * sizeof *input);
    if (input != NULL && columns.sum != NULL && columns.square != NULL) {
        struct levels levels = levels_of(picture);
        for (int y = 0; y < REACH_PX; y++) {
            add_row(picture, y, 1, columns);
        }
        for (int y = 0; y < picture->height_px; y++) {
            add_row(picture, y + REACH_PX, 1, columns);
            add_row(picture, y - REACH_PX - 1, -1, columns);
            write_row(picture, y, levels, columns, input + (size_t)y * width * 2);
        }
    } else {
        free(input);
        input = NULL;
    }
    free(columns.sum);
    free(columns.square);
    return input;
}

/* Runs the network on a picture whose sides it takes. */
static bool look(struct gk_network *network, const struct gk_image *small, struct gk_sight *sight)
{
    struct gk_tensor output;
    float *input = prepare(small);
    bool seen = input != NULL && gk_network_run(network, input, small->height_px, small->width_px, &output);
    free(input);
    if (!seen) {
        return false;
    }
    assert(output.channels == GK_SIGHT_CHANNELS);
    sight->rows = output.height;
    sight->columns = output.width;
    sight->values = output.values;
    return true;
}

static int to_multiple(double side_px)
{
    return (int)fmax(round(side_px / MULTIPLE_PX), 1) * MULTIPLE_PX;
}

bool gk_sight_of_picture(struct gk_network *network, const struct gk_image *picture,
                         struct gk_sight *ret_sight)
{
    double longest = fmax(picture->width_px, picture->height_px);
    double scale = GK_SIGHT_LONG_SIDE_PX / longest;
    /* Sides are stretched to what the network takes, by 4% at most in common formats: it never sees a margin.
     */
    int width = to_multiple(picture->width_px * scale), height = to_multiple(picture->height_px * scale);
    struct gk_image small;
    struct gk_sight sight = {0};
    if (!gk_image_resize(picture, width, height, &small)) {
        return false;
    }
    bool seen = look(network, &small, &sight);
    gk_image_clear(&small);
    if (seen) {
        sight.cell_width = (double)GK_SIGHT_CELL_PX * picture->width_px / width;
        sight.cell_height = (double)GK_SIGHT_CELL_PX * picture->height_px / height;
        *ret_sight = sight;
    }
    return seen;
}

/* How many pixels of the picture the card has for one of the small frame, along its longest side. */
static double pixels_for_one(const struct gk_homography *frame)
{
    double longest = 0, width = frame->width_px, height = frame->height_px;
    const struct gk_point corners[4] = {{0, 0}, {width, 0}, {width, height}, {0, height}};
    for (int i = 0; i < 4; i += 2) {
        struct gk_point a = gk_homography_apply(frame, corners[i]);
        struct gk_point b = gk_homography_apply(frame, corners[i + 1]);
        longest = fmax(longest, hypot(b.x - a.x, b.y - a.y));
    }
    return longest / GK_SIGHT_LONG_SIDE_PX;
}

/* The card and a margin, as small as the network wants it. */
static bool shrink_card(const struct gk_image *picture, const struct gk_homography *frame,
                        struct gk_image *ret_small)
{
    struct gk_image shrunk = {0}, small;
    int factor = (int)fmax(1, fmin(round(pixels_for_one(frame)), 16));
    if (factor > 1 && !gk_image_resize(picture, (picture->width_px + factor - 1) / factor,
                                       (picture->height_px + factor - 1) / factor, &shrunk)) {
        return false;
    }
    if (!gk_image_make(GK_SIGHT_LONG_SIDE_PX, CARD_ROWS_PX, false, &small)) {
        gk_image_clear(&shrunk);
        return false;
    }
    const struct gk_image *from = factor > 1 ? &shrunk : picture;
    double pixel = (double)frame->width_px / GK_SIGHT_LONG_SIDE_PX;
    struct gk_homography map = {.width_px = small.width_px, .height_px = small.height_px};
    for (int row = 0; row < 3; row++) { /* pixels of `small` to the frame, to the picture, to `from` */
        const double *m = frame->m + (ptrdiff_t)row * 3;
        double scale = row == 0   ? (double)from->width_px / picture->width_px
                       : row == 1 ? (double)from->height_px / picture->height_px
                                  : 1;
        double top = (frame->height_px - CARD_ROWS_PX * pixel) / 2;
        map.m[row * 3] = m[0] * pixel * scale;
        map.m[row * 3 + 1] = m[1] * pixel * scale;
        map.m[row * 3 + 2] = (m[1] * top + m[2]) * scale;
    }
    for (int y = 0; y < small.height_px; y++) {
        float row[GK_SIGHT_LONG_SIDE_PX];
        gk_homography_sample(&map, from, 0.5, y + 0.5, 1, small.width_px, row);
        for (int x = 0; x < small.width_px; x++) {
            small.grey[(size_t)y * (size_t)small.width_px + (size_t)x] = (uint8_t)(row[x] + 0.5f);
        }
    }
    gk_image_clear(&shrunk);
    *ret_small = small;
    return true;
}

bool gk_sight_of_card(struct gk_network *network, const struct gk_image *picture,
                      const struct gk_homography *frame, struct gk_sight *ret_sight)
{
    assert(frame->width_px > frame->height_px);
    struct gk_image small;
    struct gk_sight sight = {0};
    if (!shrink_card(picture, frame, &small)) {
        return false;
    }
    bool seen = look(network, &small, &sight);
    gk_image_clear(&small);
    if (seen) {
        double pixel = (double)frame->width_px / GK_SIGHT_LONG_SIDE_PX;
        sight.cell_width = sight.cell_height = GK_SIGHT_CELL_PX * pixel;
        sight.top = (frame->height_px - CARD_ROWS_PX * pixel) / 2;
        *ret_sight = sight;
    }
    return seen;
}

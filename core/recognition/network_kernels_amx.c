/*
 * Convolution on the matrix unit of newer Xeons (AMX): inputs and weights in bfloat16, sums in floats. The
 * nets are trained with inputs and weights rounded so (training/), and read as well (models/README.md).
 *
 * In memory a filter's row over channels-last pixels is one run of width x channels numbers, so an output is
 * the sum over the filter's rows of a dot product. A tile of 16 outputs side by side is 16 such runs, each
 * one step to the right of the one before: what the unit loads as a matrix with the step as its stride. The
 * run is taken in chunks of 32 numbers; what the last chunk reaches beyond it meets weights of zero. Two by
 * two tiles of outputs and channels are summed at a time. Rows of the input are rounded once, into a ring of
 * as many as the filter is high.
 */
#include "core/recognition/network_rounding.h"

#include <assert.h>
#include <immintrin.h>
#include <stdint.h>

/* A tile has 16 rows of 64 bytes: 16 floats, or 32 bfloat16. */
enum {
    OUTPUTS = GK_ROUNDED_OUTPUTS,   /* of a tile */
    CHANNELS = GK_ROUNDED_CHANNELS, /* of a tile */
    CHUNK = GK_ROUNDED_CHUNK,       /* numbers of a run */
    TILE_BYTES = 1024,
    TILE_FLOATS = 256,
    GROUP_MOST = 2, /* tiles of channels that are summed together */
};

static size_t chunks_of(const struct gk_filter *filter)
{
    return (gk_run_of(filter) + CHUNK - 1) / CHUNK;
}

/* --- packing --- */

static int next_group(int left)
{
    return left < GROUP_MOST ? left : GROUP_MOST;
}

static const struct gk_rounded_order order = {.chunk = CHUNK, .next_group = next_group};

static size_t pack_floats(const struct gk_filter *filter)
{
    return gk_rounded_pack_floats(&order, filter);
}

static void pack(const struct gk_filter *filter, const float *weights, const float *bias)
{
    gk_rounded_pack(&order, filter, weights, bias);
}

/* --- convolution --- */

/* The tiles by their numbers, which the intrinsics want literally: sums of two tiles of outputs by two of
 * channels, and what is multiplied. */
#define SUM_00 0
#define SUM_01 1
#define SUM_10 2
#define SUM_11 3
#define OUTPUTS_0 4
#define OUTPUTS_1 5
#define CHANNELS_0 6
#define CHANNELS_1 7
#define TILES 8

static void configure(void)
{
    struct {
        uint8_t palette, start_row, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } config = {.palette = 1};

    for (int i = 0; i < TILES; i++) {
        config.row_bytes[i] = 64;
        config.rows[i] = 16;
    }
    _tile_loadconfig(&config);
}

/* What the blocks of one row and one group of channels share. */
struct blocks {
    const struct gk_filter *filter;
    const float *bias;           /* of the group */
    const uint8_t *weights;      /* its tiles */
    const uint16_t *const *rows; /* of the ring, as the filter's rows lie on them */
    float *output;               /* of the row's first pixel, the group's first channel */
    int channels;                /* of the group and after it */
    int width;                   /* of the row */
};

static void store_tile(const struct blocks *blocks, const float *sums, int x, int tile)
{
    const int left = blocks->channels - tile * CHANNELS;
    const __mmask16 mask = (__mmask16)(left >= CHANNELS ? 0xffff : (1 << left) - 1);
    const __m512 bias = _mm512_loadu_ps(blocks->bias + tile * CHANNELS);
    const size_t step = (size_t)blocks->filter->output_channels;
    float *to = blocks->output + (size_t)x * step + tile * CHANNELS;

    for (int i = 0; i < OUTPUTS && x + i < blocks->width; i++, to += step) {
        __m512 sum = _mm512_add_ps(_mm512_loadu_ps(sums + (size_t)i * CHANNELS), bias);
        sum = blocks->filter->relu ? _mm512_max_ps(sum, _mm512_setzero_ps()) : sum;
        _mm512_mask_storeu_ps(to, mask, sum);
    }
}

/* Two tiles of outputs, from x0 and from x1 on, by two of channels. */
static void sum_two(const struct blocks *blocks, int x0, int x1)
{
    const size_t step = gk_step_of(blocks->filter), chunks = chunks_of(blocks->filter);
    const int stride = (int)(step * sizeof(uint16_t));
    const uint8_t *weights = blocks->weights;
    float sums[TILE_FLOATS];

    _tile_zero(SUM_00);
    _tile_zero(SUM_01);
    _tile_zero(SUM_10);
    _tile_zero(SUM_11);
    for (int row = 0; row < blocks->filter->height; row++) {
        const uint16_t *from = blocks->rows[row];
        for (size_t i = 0; i < chunks; i++, from += CHUNK, weights += 2 * TILE_BYTES) {
            _tile_loadd(OUTPUTS_0, from + (size_t)x0 * step, stride);
            _tile_loadd(CHANNELS_0, weights, 64);
            _tile_dpbf16ps(SUM_00, OUTPUTS_0, CHANNELS_0);
            _tile_loadd(CHANNELS_1, weights + TILE_BYTES, 64);
            _tile_dpbf16ps(SUM_01, OUTPUTS_0, CHANNELS_1);
            _tile_loadd(OUTPUTS_1, from + (size_t)x1 * step, stride);
            _tile_dpbf16ps(SUM_10, OUTPUTS_1, CHANNELS_0);
            _tile_dpbf16ps(SUM_11, OUTPUTS_1, CHANNELS_1);
        }
    }
    _tile_stored(SUM_00, sums, 64);
    store_tile(blocks, sums, x0, 0);
    _tile_stored(SUM_01, sums, 64);
    store_tile(blocks, sums, x0, 1);
    _tile_stored(SUM_10, sums, 64);
    store_tile(blocks, sums, x1, 0);
    _tile_stored(SUM_11, sums, 64);
    store_tile(blocks, sums, x1, 1);
}

/* The same by one tile of channels. */
static void sum_one(const struct blocks *blocks, int x0, int x1)
{
    const size_t step = gk_step_of(blocks->filter), chunks = chunks_of(blocks->filter);
    const int stride = (int)(step * sizeof(uint16_t));
    const uint8_t *weights = blocks->weights;
    float sums[TILE_FLOATS];

    _tile_zero(SUM_00);
    _tile_zero(SUM_10);
    for (int row = 0; row < blocks->filter->height; row++) {
        const uint16_t *from = blocks->rows[row];
        for (size_t i = 0; i < chunks; i++, from += CHUNK, weights += TILE_BYTES) {
            _tile_loadd(OUTPUTS_0, from + (size_t)x0 * step, stride);
            _tile_loadd(CHANNELS_0, weights, 64);
            _tile_dpbf16ps(SUM_00, OUTPUTS_0, CHANNELS_0);
            _tile_loadd(OUTPUTS_1, from + (size_t)x1 * step, stride);
            _tile_dpbf16ps(SUM_10, OUTPUTS_1, CHANNELS_0);
        }
    }
    _tile_stored(SUM_00, sums, 64);
    store_tile(blocks, sums, x0, 0);
    _tile_stored(SUM_10, sums, 64);
    store_tile(blocks, sums, x1, 0);
}

/* All channels of one row. The last tile of outputs overlaps the one before where the row does not divide. */
static void convolve_row(struct blocks *blocks)
{
    const struct gk_filter *filter = blocks->filter;
    const int last = blocks->width > OUTPUTS ? blocks->width - OUTPUTS : 0;
    const size_t steps = (size_t)filter->height * chunks_of(filter);
    const float *packed = filter->packed;
    float *output = blocks->output;

    for (int done = 0; done < filter->output_channels;) {
        const int group = filter->output_channels - done > CHANNELS ? GROUP_MOST : 1;
        blocks->bias = packed;
        blocks->weights = (const uint8_t *)(packed + group * CHANNELS);
        blocks->output = output + done;
        blocks->channels = filter->output_channels - done;
        for (int x = 0; x < blocks->width; x += 2 * OUTPUTS) {
            const int x0 = x < last ? x : last, x1 = x + OUTPUTS < last ? x + OUTPUTS : last;
            if (group == GROUP_MOST) {
                sum_two(blocks, x0, x1);
            } else {
                sum_one(blocks, x0, x1);
            }
        }
        packed += (size_t)group * (CHANNELS + steps * TILE_FLOATS);
        done += group * CHANNELS;
    }
}

static void convolve(const struct gk_filter *filter, const struct gk_view *input,
                     const struct gk_view *output, float *scratch)
{
    struct gk_rounded_rows rows;
    struct blocks blocks = {.filter = filter, .rows = rows.rows, .width = output->width};

    assert(input->width >= (output->width - 1) * filter->stride_x + filter->width);
    gk_rounded_rows_begin(&rows, filter, input, (uint16_t *)(void *)scratch);
    configure();
    for (int y = 0; y < output->height; y++) {
        gk_rounded_rows_move(&rows, y);
        blocks.output = output->values + (size_t)y * output->row;
        convolve_row(&blocks);
    }
    _tile_release();
}

/* In no header: network_dispatch.c declares the tables that were built. */
extern const struct gk_convolution_kernels gk_convolution_amx;
const struct gk_convolution_kernels gk_convolution_amx = {
    .relative_error = 0x1p-9f,
    .pack_floats = pack_floats,
    .pack = pack,
    .scratch_floats = gk_rounded_rows_floats,
    .run = convolve,
};

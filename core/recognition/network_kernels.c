/*
 * Compiled once for each kind of processor (CMakeLists.txt): GK_CONVOLUTION and GK_LAYERS name the tables,
 * GK_LANES and GK_SUMS are as network_strips.h says. Measured (./run bench kernels): the network for digits
 * runs 85 G multiply-adds a second on a Xeon core that can do 109 G with AVX-512.
 */
#define GK_SUMS_LEAST 8 /* two multiply-adds a cycle, each of four */
#define GK_NUMBER float
#define GK_STEP 1
#include "core/recognition/network_strips.h"

#include <assert.h>

enum { DEPTHWISE_STRIP = 8 }; /* as many sums as hide the latency of two multiply-adds a cycle */

INLINE vector multiply_add(vector sum, const float *at, const float *weights)
{
    return sum + *at * *(const vector *)weights;
}

/* --- packing --- */

static size_t convolution_pack_floats(const struct gk_filter *filter)
{
    const size_t steps = (size_t)filter->height * (size_t)filter->width * (size_t)filter->input_channels;

    return (steps + 1) * (size_t)vectors_of(filter->output_channels) * GK_LANES;
}

/* For each strip's channels: their bias, then their weights, step by step. */
static void convolution_pack(const struct gk_filter *filter, const float *weights, const float *bias)
{
    const int channels = filter->output_channels;
    const size_t steps = (size_t)filter->height * (size_t)filter->width * (size_t)filter->input_channels;
    float *packed = filter->packed;

    for (int done = 0, left = vectors_of(channels); left > 0;) {
        const int vectors = next_vectors(left);
        const int first = done * GK_LANES;
        const int lanes = vectors * GK_LANES;
        const int used = channels - first < lanes ? channels - first : lanes;

        for (size_t step = 0; step <= steps; step++, packed += lanes) {
            const float *from = step == 0 ? bias : weights + (step - 1) * (size_t)channels;

            memcpy(packed, from + first, (size_t)used * sizeof *packed);
            memset(packed + used, 0, (size_t)(lanes - used) * sizeof *packed);
        }
        done += vectors;
        left -= vectors;
    }
}

static size_t depthwise_pack_floats(const struct gk_filter *filter)
{
    const size_t steps = (size_t)filter->height * (size_t)filter->width;

    return (steps + 1) * (size_t)vectors_of(filter->output_channels) * GK_LANES;
}

/* For each vector of channels: their bias, then their weights. */
static void depthwise_pack(const struct gk_filter *filter, const float *weights, const float *bias)
{
    const int channels = filter->output_channels;
    const int steps = filter->height * filter->width;
    float *packed = filter->packed;

    for (int first = 0; first < channels; first += GK_LANES) {
        const int used = channels - first < GK_LANES ? channels - first : GK_LANES;

        for (int step = 0; step <= steps; step++, packed += GK_LANES) {
            const float *from = step == 0 ? bias : weights + (step - 1) * channels;

            memcpy(packed, from + first, (size_t)used * sizeof *packed);
            memset(packed + used, 0, (size_t)(GK_LANES - used) * sizeof *packed);
        }
    }
}

/* --- convolution --- */

static void convolve(const struct gk_filter *filter, const struct gk_view *input,
                     const struct gk_view *output,
                     float *scratch) /* NOLINT(readability-non-const-parameter): other kernels write to it */
{
    const float *rows[GK_NETWORK_KERNEL_MOST];

    (void)scratch;
    assert(input->height >= (output->height - 1) * filter->stride_y + filter->height);
    assert(input->width >= (output->width - 1) * filter->stride_x + filter->width);
    assert(filter->height <= GK_NETWORK_KERNEL_MOST);
    for (int y = 0; y < output->height; y++) {
        for (int i = 0; i < filter->height; i++) {
            rows[i] = input->values + (size_t)(y * filter->stride_y + i) * input->row;
        }
        convolve_row(filter, rows, output->values + (size_t)y * output->row, output->width);
    }
}

/* --- the rest --- */

/* One vector of channels of `outputs` side by side. */
INLINE void depthwise_outputs(const struct gk_filter *filter, const float *packed, const float *input,
                              size_t input_row, float *output, const int outputs, int channels)
{
    const size_t pixel = (size_t)filter->input_channels;
    const size_t step = (size_t)filter->stride_x * pixel;
    vector sums[DEPTHWISE_STRIP];

#pragma GCC unroll 8
    for (int i = 0; i < outputs; i++) {
        sums[i] = *(const vector *)packed;
    }
    packed += GK_LANES;
    for (int y = 0; y < filter->height; y++, input += input_row) {
        const float *at = input;

        for (int x = 0; x < filter->width; x++, at += pixel, packed += GK_LANES) {
#pragma GCC unroll 8
            for (int i = 0; i < outputs; i++) {
                sums[i] += *(const vector *)(at + (size_t)i * step) * *(const vector *)packed;
            }
        }
    }
#pragma GCC unroll 8
    for (int i = 0; i < outputs; i++) {
        const vector done = filter->relu ? rectified(sums[i]) : sums[i];

        store_channels(output + (size_t)i * pixel, done, channels);
    }
}

static void depthwise(const struct gk_filter *filter, const struct gk_view *input,
                      const struct gk_view *output)
{
    const size_t channels = (size_t)filter->output_channels;
    const size_t step = (size_t)filter->stride_x * channels;
    const size_t packed_step = ((size_t)filter->height * (size_t)filter->width + 1) * GK_LANES;

    for (int y = 0; y < output->height; y++) {
        const float *from = input->values + (size_t)y * (size_t)filter->stride_y * input->row;
        float *to = output->values + (size_t)y * output->row;

        for (int first = 0; first < filter->output_channels; first += GK_LANES) {
            const float *packed = filter->packed + (size_t)(first / GK_LANES) * packed_step;
            const int left = filter->output_channels - first;

            if (output->width < DEPTHWISE_STRIP) {
                for (int x = 0; x < output->width; x++) {
                    depthwise_outputs(filter, packed, from + (size_t)x * step + first, input->row,
                                      to + (size_t)x * channels + first, 1, left);
                }
                continue;
            }
            for (int next = 0; next < output->width; next += DEPTHWISE_STRIP) {
                const int last = output->width - DEPTHWISE_STRIP;
                const size_t x = (size_t)(next < last ? next : last);

                depthwise_outputs(filter, packed, from + x * step + first, input->row,
                                  to + x * channels + first, DEPTHWISE_STRIP, left);
            }
        }
    }
}

static void max_pool(int height, int width, const struct gk_view *input, const struct gk_view *output)
{
    const size_t channels = (size_t)input->channels;

    for (int y = 0; y < output->height; y++) {
        for (int x = 0; x < output->width; x++) {
            const float *from =
                input->values + (size_t)(y * height) * input->row + (size_t)(x * width) * channels;
            float *to = output->values + (size_t)y * output->row + (size_t)x * channels;

            for (int first = 0; first < input->channels; first += GK_LANES) {
                vector most = *(const vector *)(from + first);

                for (int i = 1; i < height * width; i++) {
                    const vector other = *(const vector *)(from + (size_t)(i / width) * input->row +
                                                           (size_t)(i % width) * channels + first);
                    const bits more = (bits)(other > most);

                    most = (vector)(((bits)other & more) | ((bits)most & ~more));
                }
                store_channels(to + first, most, input->channels - first);
            }
        }
    }
}

static void add(bool relu, const struct gk_view *left, const struct gk_view *right,
                const struct gk_view *output)
{
    const size_t count = (size_t)output->width * (size_t)output->channels;

    for (int y = 0; y < output->height; y++) {
        const float *a = left->values + (size_t)y * left->row;
        const float *b = right->values + (size_t)y * right->row;
        float *to = output->values + (size_t)y * output->row;

        for (size_t i = 0; i < count; i += GK_LANES) {
            const vector sum = *(const vector *)(a + i) + *(const vector *)(b + i);
            const vector done = relu ? rectified(sum) : sum;

            store_channels(to + i, done, count - i < GK_LANES ? (int)(count - i) : GK_LANES);
        }
    }
}

/* A run of floats; the last vector overlaps the one before it. */
INLINE void copy_run(const float *from, size_t count, float *to)
{
    if (count < GK_LANES) {
        memcpy(to, from, count * sizeof *to);
        return;
    }
    for (size_t i = 0; i + GK_LANES < count; i += GK_LANES) {
        *(vector *)(to + i) = *(const vector *)(from + i);
    }
    *(vector *)(to + count - GK_LANES) = *(const vector *)(from + count - GK_LANES);
}

static void copy(int times, const struct gk_view *input, int first, const struct gk_view *output)
{
    const size_t channels = (size_t)input->channels;
    const size_t step = (size_t)output->channels;

    for (int y = 0; y < output->height; y++) {
        const float *from = input->values + (size_t)(y / times) * input->row;
        float *to = output->values + (size_t)y * output->row + first;

        for (int x = 0; x < input->width; x++, from += channels) {
            for (int i = 0; i < times; i++, to += step) {
                copy_run(from, channels, to);
            }
        }
    }
}

/* In no header: network_dispatch.c declares the tables that were built. */
extern const struct gk_convolution_kernels GK_CONVOLUTION;
const struct gk_convolution_kernels GK_CONVOLUTION = {
    .relative_error = 0x1p-24f,
    .pack_floats = convolution_pack_floats,
    .pack = convolution_pack,
    .run = convolve,
};

extern const struct gk_layer_kernels GK_LAYERS;
const struct gk_layer_kernels GK_LAYERS = {
    .depthwise_pack_floats = depthwise_pack_floats,
    .depthwise_pack = depthwise_pack,
    .depthwise = depthwise,
    .max_pool = max_pool,
    .add = add,
    .copy = copy,
};

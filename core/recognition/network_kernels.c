/*
 * Compiled once for each kind of processor (CMakeLists.txt): GK_CONVOLUTION and GK_LAYERS name the tables,
 * GK_LANES is the floats of a vector and GK_SUMS how many sums fit the registers beside weights and inputs.
 *
 * Convolution. In memory a filter's row over channels-last pixels is one run of width x channels floats, so
 * an output is the sum over the filter's rows of a dot product. A strip of up to 12 outputs side by side
 * times up to three vectors of output channels is summed in registers: each step loads the weights of one
 * input float for those channels and multiplies them with that float of each output. Weights lie in the order
 * of these steps, so they stream. Where a row does not divide into strips, the last one overlaps its
 * neighbour and computes some outputs twice. Measured (./run bench kernels): the network for digits runs 85 G
 * multiply-adds a second on a Xeon core that can do 109 G with AVX-512.
 */
#include "core/recognition/network_kernels.h"

#include <assert.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

typedef float vector __attribute__((vector_size(GK_LANES * sizeof(float)), aligned(4), may_alias));
typedef int bits __attribute__((vector_size(GK_LANES * sizeof(int))));

enum {
    VECTORS_MOST = 3,    /* of output channels in a strip */
    STRIP_MOST = 12,     /* outputs side by side in a strip */
    DEPTHWISE_STRIP = 8, /* as many sums as hide the latency of two multiply-adds a cycle */
};

static int vectors_of(int channels)
{
    return (channels + GK_LANES - 1) / GK_LANES;
}

/* How many vectors of output channels the next strip takes where `left` are left: threes, and twos rather
 * than a one at the end. */
static int next_vectors(int left)
{
    if (left == 2 || left == 4) {
        return 2;
    }
    return left == 1 ? 1 : VECTORS_MOST;
}

INLINE vector rectified(vector value)
{
    const vector zero = {0};

    return (vector)((bits)value & (bits)(value > zero));
}

/* The first `channels` lanes: all where it is more, none where it is negative. */
INLINE void store_channels(float *to, vector value, int channels)
{
    if (channels >= GK_LANES) {
        *(vector *)to = value;
    } else if (channels > 0) {
        memcpy(to, &value, (size_t)channels * sizeof *to);
    }
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

/* What the strips of one row and one group of channels share. */
struct strips {
    const float *packed;
    size_t rows, row;    /* of the filter, and floats between them in the input */
    size_t run;          /* floats of a filter's row */
    size_t input_step;   /* floats between the inputs of neighbouring outputs */
    size_t output_step;  /* floats between neighbouring outputs */
    int output_channels; /* to be stored */
    bool relu;
};

/* Both compilers unroll a loop whole where it runs exactly as often as the pragma says; a loop of constant
 * bounds inside has its unneeded rounds dropped. */
#define EACH_OUTPUT(i) _Pragma("GCC unroll 12") for (int i = 0; i < STRIP_MOST; i++) if (i < outputs)
#define EACH_VECTOR(v) _Pragma("GCC unroll 3") for (int v = 0; v < VECTORS_MOST; v++) if (v < vectors)

/* Sums a strip; `outputs` and `vectors` are constants where this is inlined. */
INLINE void sum_strip(const struct strips *strips, const float *input, float *output, const int outputs,
                      const int vectors)
{
    const size_t step = strips->input_step;
    const float *weights = strips->packed;
    vector sums[STRIP_MOST][VECTORS_MOST];

    EACH_OUTPUT(i)
    {
        EACH_VECTOR(v)
        {
            sums[i][v] = *(const vector *)(weights + v * GK_LANES);
        }
    }
    weights += vectors * GK_LANES;
    for (size_t y = 0; y < strips->rows; y++) {
        const float *at = input + y * strips->row;

        for (const float *end = at + strips->run; at < end; at++, weights += vectors * GK_LANES) {
            EACH_OUTPUT(i)
            {
                EACH_VECTOR(v)
                {
                    sums[i][v] += at[(size_t)i * step] * *(const vector *)(weights + v * GK_LANES);
                }
            }
        }
    }
    EACH_OUTPUT(i)
    {
        float *to = output + (size_t)i * strips->output_step;

        if (strips->relu) {
            EACH_VECTOR(v)
            {
                sums[i][v] = rectified(sums[i][v]);
            }
        }
        if (strips->output_channels >= vectors * GK_LANES) {
            EACH_VECTOR(v)
            {
                *(vector *)(to + v * GK_LANES) = sums[i][v];
            }
        } else {
            EACH_VECTOR(v)
            {
                store_channels(to + v * GK_LANES, sums[i][v], strips->output_channels - v * GK_LANES);
            }
        }
    }
}

typedef void (*strip_fn)(const struct strips *strips, const float *input, float *output);

#define STRIP(outputs, vectors)                                                                              \
    static void strip_##outputs##_##vectors(const struct strips *strips, const float *input, float *output)  \
    {                                                                                                        \
        sum_strip(strips, input, output, outputs, vectors);                                                  \
    }
#define STRIPS(vectors)                                                                                      \
    STRIP(1, vectors)                                                                                        \
    STRIP(2, vectors)                                                                                        \
    STRIP(3, vectors)                                                                                        \
    STRIP(4, vectors)                                                                                        \
    STRIP(6, vectors)                                                                                        \
    STRIP(8, vectors)                                                                                        \
    STRIP(10, vectors)                                                                                       \
    STRIP(12, vectors)
STRIPS(1)
STRIPS(2)
STRIPS(3)

enum { WIDTHS = 8 };

static const int strip_widths[WIDTHS] = {1, 2, 3, 4, 6, 8, 10, 12};
#define TABLE(v)                                                                                             \
    {                                                                                                        \
        strip_1_##v, strip_2_##v, strip_3_##v, strip_4_##v, strip_6_##v, strip_8_##v, strip_10_##v,          \
            strip_12_##v                                                                                     \
    }
static const strip_fn strip_fns[VECTORS_MOST][WIDTHS] = {TABLE(1), TABLE(2), TABLE(3)};

/* The strip whose repetition covers `width` outputs with the fewest steps' time: a step takes a
 * multiplication for each sum, at least one load for each output and vector, and no less than the latency of
 * an addition. */
static int choose_strip(int width, int vectors)
{
    int best = 0;
    long least = 0;

    for (int i = 0; i < WIDTHS && strip_widths[i] <= width && strip_widths[i] * vectors <= GK_SUMS; i++) {
        const int sums = strip_widths[i] * vectors;
        const long cost =
            (long)((width + strip_widths[i] - 1) / strip_widths[i]) * ((sums > 8 ? sums : 8) + 2);

        if (least == 0 || cost <= least) {
            least = cost;
            best = i;
        }
    }
    return best;
}

static void convolve_row(const struct gk_filter *filter, const float *input, size_t input_row, float *output,
                         int width)
{
    struct strips strips = {
        .packed = filter->packed,
        .rows = (size_t)filter->height,
        .row = input_row,
        .run = (size_t)filter->width * (size_t)filter->input_channels,
        .input_step = (size_t)filter->stride_x * (size_t)filter->input_channels,
        .output_step = (size_t)filter->output_channels,
        .output_channels = filter->output_channels,
        .relu = filter->relu,
    };
    for (int left = vectors_of(filter->output_channels); left > 0;) {
        const int vectors = next_vectors(left);
        const int chosen = choose_strip(width, vectors);
        const int strip = strip_widths[chosen];

        for (int x = 0; x < width; x += strip) {
            const size_t from = (size_t)(x + strip <= width ? x : width - strip);

            strip_fns[vectors - 1][chosen](&strips, input + from * strips.input_step,
                                           output + from * strips.output_step);
        }
        strips.packed += (strips.rows * strips.run + 1) * (size_t)vectors * GK_LANES;
        strips.output_channels -= vectors * GK_LANES;
        output += vectors * GK_LANES;
        left -= vectors;
    }
}

static void convolve(const struct gk_filter *filter, const struct gk_view *input,
                     const struct gk_view *output,
                     float *scratch) /* NOLINT(readability-non-const-parameter): other kernels write to it */
{
    (void)scratch;
    assert(input->height >= (output->height - 1) * filter->stride_y + filter->height);
    assert(input->width >= (output->width - 1) * filter->stride_x + filter->width);
    for (int y = 0; y < output->height; y++) {
        convolve_row(filter, input->values + (size_t)y * (size_t)filter->stride_y * input->row, input->row,
                     output->values + (size_t)y * output->row, output->width);
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

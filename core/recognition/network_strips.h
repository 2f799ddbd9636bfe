/*
 * Convolution in vector registers, for floats and for pairs of bfloat16. The file that includes this defines
 *
 *     GK_LANES       floats of a vector
 *     GK_SUMS        how many vectors of sums fit the registers beside weights and inputs
 *     GK_SUMS_LEAST  how many sums it takes to hide the latency of multiply_add
 *     GK_NUMBER      what the rows of an input consist of
 *     GK_STEP        how many of these a lane multiplies at once
 *     multiply_add   as declared below
 *
 * In memory a filter's row over channels-last pixels is one run of width x channels numbers, so an output is
 * the sum over the filter's rows of a dot product. A strip of up to 12 outputs side by side times up to three
 * vectors of output channels is summed in registers: each step loads the weights of one number, or of one
 * pair, for those channels and multiplies them with that of each output. The bias comes last, as on AMX, so
 * that kernels which round alike differ in the order of their sums alone. Weights lie in the order of these
 * steps, so they stream. Where a row does not divide into strips, the last one overlaps its neighbour and
 * computes some outputs twice.
 */
#ifndef GUIKA_CORE_RECOGNITION_NETWORK_STRIPS_H
#define GUIKA_CORE_RECOGNITION_NETWORK_STRIPS_H

#include "core/recognition/network_kernels.h"

#include <string.h>
#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))

typedef float vector __attribute__((vector_size(GK_LANES * sizeof(float)), aligned(4), may_alias));
typedef int bits __attribute__((vector_size(GK_LANES * sizeof(int))));

enum {
    VECTORS_MOST = 3, /* of output channels in a strip */
    STRIP_MOST = 12,  /* outputs side by side in a strip */
};

/* sum + the GK_STEP numbers at `at` x their weights for each lane. */
INLINE vector multiply_add(vector sum, const GK_NUMBER *at, const float *weights);

static inline int vectors_of(int channels)
{
    return (channels + GK_LANES - 1) / GK_LANES;
}

/* How many vectors of output channels the next strip takes where `left` are left: threes, and twos rather
 * than a one at the end. */
static inline int next_vectors(int left)
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
#if defined(__AVX512F__)
INLINE void store_channels(float *to, vector value, int channels)
{
    const int lanes = channels >= GK_LANES ? GK_LANES : channels > 0 ? channels : 0;

    _mm512_mask_storeu_ps(to, (__mmask16)((1u << lanes) - 1), (__m512)value);
}
#else
INLINE void store_channels(float *to, vector value, int channels)
{
    if (channels >= GK_LANES) {
        *(vector *)to = value;
    } else if (channels > 0) {
        memcpy(to, &value, (size_t)channels * sizeof *to);
    }
}
#endif

/* What the strips of one row and one group of channels share. */
struct strips {
    const float *packed;          /* the group's bias, then its weights step by step */
    const GK_NUMBER *const *rows; /* of the input, as the filter's rows lie on them */
    size_t row_count;
    size_t run;          /* numbers of a filter's row */
    size_t input_step;   /* numbers between the inputs of neighbouring outputs */
    size_t output_step;  /* floats between neighbouring outputs */
    int output_channels; /* to be stored */
    bool relu;
};

/* Both compilers unroll a loop whole where it runs exactly as often as the pragma says; a loop of constant
 * bounds inside has its unneeded rounds dropped. */
#define EACH_OUTPUT(i) _Pragma("GCC unroll 12") for (int i = 0; i < STRIP_MOST; i++) if (i < outputs)
#define EACH_VECTOR(v) _Pragma("GCC unroll 3") for (int v = 0; v < VECTORS_MOST; v++) if (v < vectors)

/* Sums a strip whose inputs begin `from` numbers into the rows; `outputs` and `vectors` are constants where
 * this is inlined. */
INLINE void sum_strip(const struct strips *strips, size_t from, float *output, const int outputs,
                      const int vectors)
{
    const size_t step = strips->input_step;
    const float *weights = strips->packed;
    vector sums[STRIP_MOST][VECTORS_MOST] = {0};

    weights += vectors * GK_LANES;
    for (size_t y = 0; y < strips->row_count; y++) {
        const GK_NUMBER *at = strips->rows[y] + from;

        for (const GK_NUMBER *end = at + strips->run; at < end;
             at += GK_STEP, weights += vectors * GK_LANES) {
            EACH_OUTPUT(i)
            {
                EACH_VECTOR(v)
                {
                    sums[i][v] = multiply_add(sums[i][v], at + (size_t)i * step, weights + v * GK_LANES);
                }
            }
        }
    }
    EACH_OUTPUT(i)
    {
        float *to = output + (size_t)i * strips->output_step;

        EACH_VECTOR(v)
        {
            sums[i][v] += *(const vector *)(strips->packed + v * GK_LANES);
        }
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

typedef void (*strip_fn)(const struct strips *strips, size_t from, float *output);

#define STRIP(outputs, vectors)                                                                              \
    static void strip_##outputs##_##vectors(const struct strips *strips, size_t from, float *output)         \
    {                                                                                                        \
        sum_strip(strips, from, output, outputs, vectors);                                                   \
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
        const long cost = (long)((width + strip_widths[i] - 1) / strip_widths[i]) *
                          ((sums > GK_SUMS_LEAST ? sums : GK_SUMS_LEAST) + 2);

        if (least == 0 || cost <= least) {
            least = cost;
            best = i;
        }
    }
    return best;
}

/* A row of outputs from the filter's rows of the input. */
static void convolve_row(const struct gk_filter *filter, const GK_NUMBER *const *rows, float *output,
                         int width)
{
    struct strips strips = {
        .packed = filter->packed,
        .rows = rows,
        .row_count = (size_t)filter->height,
        .run = (size_t)filter->width * (size_t)filter->input_channels,
        .input_step = (size_t)filter->stride_x * (size_t)filter->input_channels,
        .output_step = (size_t)filter->output_channels,
        .output_channels = filter->output_channels,
        .relu = filter->relu,
    };
    const size_t steps = strips.row_count * ((strips.run + GK_STEP - 1) / GK_STEP);

    for (int left = vectors_of(filter->output_channels); left > 0;) {
        const int vectors = next_vectors(left);
        const int chosen = choose_strip(width, vectors);
        const int strip = strip_widths[chosen];

        for (int x = 0; x < width; x += strip) {
            const size_t from = (size_t)(x + strip <= width ? x : width - strip);

            strip_fns[vectors - 1][chosen](&strips, from * strips.input_step,
                                           output + from * strips.output_step);
        }
        strips.packed += (steps + 1) * (size_t)vectors * GK_LANES;
        strips.output_channels -= vectors * GK_LANES;
        output += vectors * GK_LANES;
        left -= vectors;
    }
}

#endif

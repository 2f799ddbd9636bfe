/*
 * Convolution for processors with AVX-512 BF16: inputs and weights in bfloat16, sums in floats, as on AMX
 * (network_kernels_amx.c). A lane multiplies a pair of neighbouring numbers of a run at once, and adds both
 * products to its sum; where a run is odd, its last number's neighbour meets a weight of zero. Measured
 * (./run bench kernels): the network for digits runs 227 G multiply-adds a second on a Zen 5 core that can do
 * 252 G.
 */
#include <stdint.h>

#define GK_LANES 16
#define GK_SUMS 24
#define GK_SUMS_LEAST 12 /* two instructions a cycle, each of six (measured on Zen 5) */
#define GK_NUMBER uint16_t
#define GK_STEP 2
#include "core/recognition/network_strips.h"

#include "core/recognition/network_rounding.h"

#include <assert.h>
#include <immintrin.h>
#include <string.h>

INLINE vector multiply_add(vector sum, const uint16_t *at, const float *weights)
{
    int pair;

    memcpy(&pair, at, sizeof pair);
    return (vector)_mm512_dpbf16_ps((__m512)sum, (__m512bh)_mm512_loadu_ps(weights),
                                    (__m512bh)_mm512_set1_epi32(pair));
}

static const struct gk_rounded_order order = {.chunk = 2, .next_group = next_vectors};

static size_t pack_floats(const struct gk_filter *filter)
{
    return gk_rounded_pack_floats(&order, filter);
}

static void pack(const struct gk_filter *filter, const float *weights, const float *bias)
{
    gk_rounded_pack(&order, filter, weights, bias);
}

static void convolve(const struct gk_filter *filter, const struct gk_view *input,
                     const struct gk_view *output, float *scratch)
{
    struct gk_rounded_rows rows;

    assert(input->width >= (output->width - 1) * filter->stride_x + filter->width);
    gk_rounded_rows_begin(&rows, filter, input, (uint16_t *)(void *)scratch);
    for (int y = 0; y < output->height; y++) {
        gk_rounded_rows_move(&rows, y);
        convolve_row(filter, rows.rows, output->values + (size_t)y * output->row, output->width);
    }
}

/* In no header: network_dispatch.c declares the tables that were built. */
extern const struct gk_convolution_kernels gk_convolution_bf16;
const struct gk_convolution_kernels gk_convolution_bf16 = {
    .relative_error = 0x1p-9f,
    .pack_floats = pack_floats,
    .pack = pack,
    .scratch_floats = gk_rounded_rows_floats,
    .run = convolve,
};

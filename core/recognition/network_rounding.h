/*
 * What the kernels in bfloat16 share: weights, packed in pairs of a run's numbers, and rows of an input, each
 * rounded once. Rounding is to the nearest, ties to even; it and the sums of products take denormals for
 * zeros. For processors with AVX-512 BF16 alone.
 */
#ifndef GUIKA_CORE_RECOGNITION_NETWORK_ROUNDING_H
#define GUIKA_CORE_RECOGNITION_NETWORK_ROUNDING_H

#include "core/recognition/network_kernels.h"

#include <stdint.h>

enum {
    GK_ROUNDED_CHANNELS = 16, /* output channels whose weights lie beside each other: a vector of floats */
    GK_ROUNDED_CHUNK = 32,    /* bfloat16 of a vector */
    GK_ROUNDED_OUTPUTS = 16,  /* side by side, that are summed together at most */
};

/* How packed weights lie: for each group of vectors of output channels their bias, in floats; then for each
 * of the filter's rows, each chunk of its run and each vector of the group [chunk / 2][channels][2]. Zeros
 * stand beyond the run and beyond the last channel. */
struct gk_rounded_order {
    size_t chunk;                /* numbers of a run, an even count */
    int (*next_group)(int left); /* how many vectors are summed together where `left` are left */
};

/* As in struct gk_convolution_kernels. [any] */
size_t gk_rounded_pack_floats(const struct gk_rounded_order *order, const struct gk_filter *filter);
void gk_rounded_pack(const struct gk_rounded_order *order, const struct gk_filter *filter,
                     const float *weights, const float *bias);

/* The rows of an input that a filter lies on, in a ring of as many as it is high. */
struct gk_rounded_rows {
    const uint16_t *rows[GK_NETWORK_KERNEL_MOST]; /* as the filter's rows lie on them */
    const struct gk_filter *filter;
    const struct gk_view *input;
    uint16_t *ring;
    size_t size; /* numbers of a row in the ring */
    int rounded; /* rows of the input so far */
};

/* Floats of scratch that the ring takes. A row in it goes on with zeros for as far as GK_ROUNDED_OUTPUTS
 * reach, and for a chunk of GK_ROUNDED_CHUNK numbers that begins within that. [any] */
size_t gk_rounded_rows_floats(const struct gk_filter *filter, int input_width);

/* All three stay the caller's, and must outlive the ring. [any] */
void gk_rounded_rows_begin(struct gk_rounded_rows *rows, const struct gk_filter *filter,
                           const struct gk_view *input, uint16_t *ring);

/* Moves on to the output's row y, no earlier than where the ring is. [any] */
void gk_rounded_rows_move(struct gk_rounded_rows *rows, int y);

/* Numbers of a filter's row. */
static inline size_t gk_run_of(const struct gk_filter *filter)
{
    return (size_t)filter->width * (size_t)filter->input_channels;
}

/* Numbers between two neighbouring outputs' runs. */
static inline size_t gk_step_of(const struct gk_filter *filter)
{
    return (size_t)filter->stride_x * (size_t)filter->input_channels;
}

#endif

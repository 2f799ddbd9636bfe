/*
 * The arithmetic of networks, in one version for each kind of processor. network.c lays the tensors out with
 * zeros around them, so that no kernel knows of edges.
 */
#ifndef GUIKA_CORE_RECOGNITION_NETWORK_KERNELS_H
#define GUIKA_CORE_RECOGNITION_NETWORK_KERNELS_H

#include <stdbool.h>
#include <stddef.h>

/* Kernels may read, and ignore, this many floats after a tensor's last. */
#define GK_KERNEL_OVERREAD 16

/* The most rows that a filter has, and columns. */
#define GK_NETWORK_KERNEL_MOST 15

/* A tensor in working memory: `row` floats from one row's first pixel to the next one's. */
struct gk_view {
    float *values;
    int height, width, channels;
    size_t row;
};

/* A filter with its weights as one processor's kernels want them. */
struct gk_filter {
    int height, width, stride_y, stride_x;
    int input_channels, output_channels;
    bool relu;
    float *packed; /* pack_floats of them, on a boundary of 64 bytes */
};

/* Convolutions, which are nearly all of the work. */
struct gk_convolution_kernels {
    /* Of an input or a weight as they multiply them: half of the last bit that they keep. */
    float relative_error;

    /* How many floats `packed` has, and how it is filled. `filter` is without it; weights and bias as in the
     * model file (network.h), as floats. */
    size_t (*pack_floats)(const struct gk_filter *filter);
    void (*pack)(const struct gk_filter *filter, const float *weights, const float *bias);

    /* How many floats, on a boundary of 64 bytes, a run over an input of this width writes to. NULL: none. */
    size_t (*scratch_floats)(const struct gk_filter *filter, int input_width);

    /* `input` is the view that the filter covers from end to end: zeros that were added belong to it. */
    void (*run)(const struct gk_filter *filter, const struct gk_view *input, const struct gk_view *output,
                float *scratch);
};

/* Everything else. */
struct gk_layer_kernels {
    size_t (*depthwise_pack_floats)(const struct gk_filter *filter);
    void (*depthwise_pack)(const struct gk_filter *filter, const float *weights, const float *bias);
    void (*depthwise)(const struct gk_filter *filter, const struct gk_view *input,
                      const struct gk_view *output);
    void (*max_pool)(int height, int width, const struct gk_view *input, const struct gk_view *output);
    void (*add)(bool relu, const struct gk_view *left, const struct gk_view *right,
                const struct gk_view *output);

    /* Each input pixel fills `times` x `times` pixels of the output, there its channels from `first` on. */
    void (*copy)(int times, const struct gk_view *input, int first, const struct gk_view *output);
};

/* Numbers of a filter's row, width x channels, from which on it is no narrow one. The nets' first layers are:
 * they see the picture itself, which is not to be rounded. */
#define GK_KERNEL_WIDE 16

struct gk_kernels {
    const char *name;
    const struct gk_convolution_kernels *narrow, *wide;
    const struct gk_layer_kernels *layers;
};

/* [any] */
static inline const struct gk_convolution_kernels *gk_kernels_for(const struct gk_kernels *kernels,
                                                                  const struct gk_filter *filter)
{
    return filter->width * filter->input_channels < GK_KERNEL_WIDE ? kernels->narrow : kernels->wide;
}

/* Those that this processor can run, fastest first and the portable ones last; NULL past the last. [any] */
const struct gk_kernels *gk_kernels_available(size_t index);

#endif

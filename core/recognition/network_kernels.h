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

struct gk_kernels {
    const char *name;

    /* How many floats `packed` has, and how it is filled. `filter` is without it; weights and bias as in the
     * model file (network.h), as floats. */
    size_t (*convolution_pack_floats)(const struct gk_filter *filter);
    void (*convolution_pack)(const struct gk_filter *filter, const float *weights, const float *bias);
    size_t (*depthwise_pack_floats)(const struct gk_filter *filter);
    void (*depthwise_pack)(const struct gk_filter *filter, const float *weights, const float *bias);

    /* `input` is the view that the filter covers from end to end: zeros that were added belong to it. */
    void (*convolve)(const struct gk_filter *filter, const struct gk_view *input,
                     const struct gk_view *output);
    void (*depthwise)(const struct gk_filter *filter, const struct gk_view *input,
                      const struct gk_view *output);
    void (*max_pool)(int height, int width, const struct gk_view *input, const struct gk_view *output);
    void (*add)(bool relu, const struct gk_view *left, const struct gk_view *right,
                const struct gk_view *output);

    /* Each input pixel fills `times` x `times` pixels of the output, there its channels from `first` on. */
    void (*copy)(int times, const struct gk_view *input, int first, const struct gk_view *output);
};

/* Those that this processor can run, fastest first and the portable ones last; NULL past the last. [any] */
const struct gk_kernels *gk_kernels_available(size_t index);

#endif

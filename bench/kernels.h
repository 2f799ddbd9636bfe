/*
 * Networks of random weights for the bench of our kernels, and the libraries that run them beside ours.
 */
#ifndef GUIKA_BENCH_KERNELS_H
#define GUIKA_BENCH_KERNELS_H

#include "core/recognition/network_parts.h"

#define GK_BENCH_LAYERS_MOST 32

struct gk_bench_layer {
    enum gk_network_kind kind;
    int height, width, stride, pad_y, pad_x; /* of a kernel; of a pool only its sides */
    int channels; /* of a convolution's output; found by gk_bench_net_fill for others */
    bool relu;
    int inputs[2];               /* tensor 0 is the input, layer i makes tensor i + 1 */
    const float *weights, *bias; /* as in core/recognition/network.h, but floats */
};

struct gk_bench_shape {
    int height, width, channels;
};

struct gk_bench_net {
    const char *name;
    int layer_count;
    struct gk_bench_layer layers[GK_BENCH_LAYERS_MOST];
    struct gk_bench_shape shapes[GK_BENCH_LAYERS_MOST + 1]; /* [0] is given */
};

static inline size_t gk_bench_floats(const struct gk_bench_shape *shape)
{
    return (size_t)shape->height * (size_t)shape->width * (size_t)shape->channels;
}

/* Stops the bench with a message unless `holds`. */
void gk_bench_must(const char *what, bool holds);

/* A library's version of `net`, which stays the caller's and must outlast it; one thread; never freed. `run`
 * reads and writes pixels by rows, columns, channels. */
struct gk_bench_peer {
    const char *name;
    void *state;
    void (*run)(void *state, const float *input, float *output);
};

struct gk_bench_peer gk_bench_xnnpack(const struct gk_bench_net *net);
/* `rounded`: it may round inputs and weights to bfloat16. */
struct gk_bench_peer gk_bench_onednn(const struct gk_bench_net *net, bool rounded);

#endif

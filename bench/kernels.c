/*
 * How fast do our kernels run networks on one core, beside XNNPACK and oneDNN? Two networks of random
 * weights: the one that reads digits, as trained, and one of the finder's shape and size. The outputs have to
 * agree.
 */
#include "bench/kernels.h"

#include "bench/rounds.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUND_MS = 300, LONE_RUNS = 100 };

#define FILTER(h, w, s, c, from)                                                                             \
    GK_NETWORK_CONVOLUTION, h, w, s, (h) / 2, (w) / 2, c, true, {from}, NULL, NULL
#define POOL(h, w, from) GK_NETWORK_MAX_POOL, h, w, 0, 0, 0, 0, false, {from}, NULL, NULL
#define DOUBLED(from) GK_NETWORK_DOUBLE, 0, 0, 0, 0, 0, 0, false, {from}, NULL, NULL
#define JOINED(from, and) GK_NETWORK_CONCATENATE, 0, 0, 0, 0, 0, 0, false, {from, and}, NULL, NULL

static struct gk_bench_net digits = {
    .name = "digits",
    .shapes = {{32, 320, 1}},
    .layer_count = 10,
    .layers = {{FILTER(5, 5, 2, 16, 0)},
               {FILTER(3, 3, 1, 32, 1)},
               {POOL(2, 1, 2)},
               {FILTER(3, 3, 1, 48, 3)},
               {POOL(2, 2, 4)},
               {FILTER(3, 3, 1, 80, 5)},
               {POOL(2, 1, 6)},
               {GK_NETWORK_CONVOLUTION, 2, 5, 1, 0, 2, 128, true, {7}, NULL, NULL},
               {FILTER(1, 7, 1, 128, 8)},
               {GK_NETWORK_CONVOLUTION, 1, 1, 1, 0, 0, 12, false, {9}, NULL, NULL}},
};

static struct gk_bench_net finder = {
    .name = "finder",
    .shapes = {{240, 320, 1}},
    .layer_count = 17,
    .layers = {{FILTER(3, 3, 2, 16, 0)},
               {FILTER(3, 3, 1, 16, 1)},
               {FILTER(3, 3, 2, 24, 2)},
               {FILTER(3, 3, 1, 24, 3)},
               {FILTER(3, 3, 2, 48, 4)},
               {FILTER(3, 3, 1, 48, 5)},
               {GK_NETWORK_DEPTHWISE, 5, 5, 1, 2, 2, 48, true, {6}, NULL, NULL},
               {FILTER(1, 1, 1, 64, 7)},
               {POOL(2, 2, 8)},
               {FILTER(3, 3, 1, 64, 9)},
               {DOUBLED(10)},
               {JOINED(11, 8)},
               {FILTER(3, 3, 1, 32, 12)},
               {DOUBLED(13)},
               {JOINED(14, 4)},
               {FILTER(3, 3, 1, 16, 15)},
               {GK_NETWORK_CONVOLUTION, 1, 1, 1, 0, 0, 8, false, {16}, NULL, NULL}},
};

void gk_bench_must(const char *what, bool holds)
{
    if (!holds) {
        (void)fprintf(stderr, "kernels: %s failed\n", what);
        exit(1);
    }
}

/* --- networks --- */

static bool filters(const struct gk_bench_layer *layer)
{
    return layer->kind == GK_NETWORK_CONVOLUTION || layer->kind == GK_NETWORK_DEPTHWISE;
}

/* -1 to 1 in steps of 1/256: with a power of two as their factor, weights that halves hold exactly. */
static float random_step(void)
{
    static uint32_t state = 12345;

    state = state * 1664525 + 1013904223;
    return ((float)(state >> 23) - 256) / 256;
}

static float *random_floats(size_t count, float factor)
{
    float *values = malloc(count * sizeof *values);

    gk_bench_must("memory", values != NULL);
    for (size_t i = 0; i < count; i++) {
        values[i] = random_step() * factor;
    }
    return values;
}

/* Input channels that one output channel looks at. */
static size_t depth(const struct gk_bench_net *net, const struct gk_bench_layer *layer)
{
    return layer->kind == GK_NETWORK_DEPTHWISE ? 1 : (size_t)net->shapes[layer->inputs[0]].channels;
}

static size_t weight_count(const struct gk_bench_net *net, const struct gk_bench_layer *layer)
{
    return (size_t)layer->height * (size_t)layer->width * depth(net, layer) * (size_t)layer->channels;
}

/* Finds the shapes and makes weights under which values neither grow nor vanish. Returns multiply-adds. */
static double fill(struct gk_bench_net *net)
{
    double multiply_adds = 0;

    for (int i = 0; i < net->layer_count; i++) {
        struct gk_bench_layer *layer = &net->layers[i];
        struct gk_bench_shape shape = net->shapes[layer->inputs[0]];

        if (filters(layer)) {
            const size_t count = weight_count(net, layer);
            const double fan_in = (double)count / layer->channels;

            layer->weights = random_floats(count, exp2f(roundf(log2f(sqrtf(6 / (float)fan_in)))));
            layer->bias = random_floats((size_t)layer->channels, 0.25f);
            shape.height = (shape.height + 2 * layer->pad_y - layer->height) / layer->stride + 1;
            shape.width = (shape.width + 2 * layer->pad_x - layer->width) / layer->stride + 1;
            shape.channels = layer->channels;
            multiply_adds += (double)count * shape.height * shape.width;
        } else if (layer->kind == GK_NETWORK_MAX_POOL) {
            shape.height /= layer->height;
            shape.width /= layer->width;
        } else if (layer->kind == GK_NETWORK_DOUBLE) {
            shape.height *= 2;
            shape.width *= 2;
        } else {
            shape.channels += net->shapes[layer->inputs[1]].channels;
        }
        net->shapes[i + 1] = shape;
    }
    return multiply_adds;
}

/* --- ours, from a model file in memory --- */

struct ours {
    struct gk_network *network;
    const struct gk_bench_net *net;
    const float *input;
};

static void put(uint8_t **at, uint32_t number, int size)
{
    for (int i = 0; i < size; i++) {
        *(*at)++ = (uint8_t)(number >> (8 * i));
    }
}

static void put_float(uint8_t **at, float value, bool half)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    if (!half) {
        put(at, bits, 4);
    } else {
        put(at, value == 0 ? 0 : (bits >> 16 & 0x8000) | ((bits >> 13 & 0x3ffff) - (112 << 10)), 2);
    }
}

static void put_layer(uint8_t **at, const struct gk_bench_net *net, const struct gk_bench_layer *layer)
{
    put(at, layer->kind, 1);
    put(at, layer->relu, 1);
    put(at, (uint32_t)layer->inputs[0], 2);
    put(at, (uint32_t)layer->inputs[1], 2);
    if (filters(layer)) {
        const int bytes[] = {layer->height, layer->width, layer->stride, layer->stride,
                             layer->pad_y,  layer->pad_y, layer->pad_x,  layer->pad_x};

        for (size_t i = 0; i < sizeof bytes / sizeof bytes[0]; i++) {
            put(at, (uint32_t)bytes[i], 1);
        }
        put(at, (uint32_t)layer->channels, 2);
        for (size_t i = 0; i < weight_count(net, layer); i++) {
            put_float(at, layer->weights[i], true);
        }
        for (int i = 0; i < layer->channels; i++) {
            put_float(at, layer->bias[i], false);
        }
    } else if (layer->kind == GK_NETWORK_MAX_POOL) {
        put(at, (uint32_t)layer->height, 1);
        put(at, (uint32_t)layer->width, 1);
    }
}

static struct gk_network *load(const struct gk_kernels *kernels, const struct gk_bench_net *net)
{
    uint8_t *model = calloc(1, 1 << 22);
    uint8_t *at = model;
    struct gk_network *network = NULL;
    struct gk_error error = {0};

    gk_bench_must("memory", model != NULL);
    memcpy(model, "GKM1\1\0\0\0", 8);
    memcpy(model + 8, net->name, strlen(net->name));
    at = model + 28;
    put(&at, (uint32_t)net->shapes[0].channels, 2);
    put(&at, (uint32_t)net->layer_count, 2);
    for (int i = 0; i < net->layer_count; i++) {
        put_layer(&at, net, &net->layers[i]);
    }
    const size_t size = (size_t)(at - model);

    at = model + 24;
    put(&at, (uint32_t)(size - 28), 4);
    const enum gk_status status = gk_network_load_for(kernels, model, size, net->name, &network, &error);

    gk_bench_must(error.message, status == GK_OK);
    free(model);
    return network;
}

static void run_ours(void *state, const float *input, float *output)
{
    struct ours *ours = state;
    struct gk_tensor made;

    gk_bench_must("ours", gk_network_run(ours->network, input, ours->net->shapes[0].height,
                                         ours->net->shapes[0].width, &made));
    memcpy(output, made.values, gk_bench_floats(&ours->net->shapes[ours->net->layer_count]) * sizeof *output);
}

/* --- rounds --- */

struct contestant {
    struct gk_bench_peer peer;
    const float *input;
    float *output;
};

static uint64_t run_until(void *context, int64_t ends_ns)
{
    const struct contestant *contestant = context;
    uint64_t count = 0;

    for (; gk_bench_now_ns() < ends_ns; count++) {
        contestant->peer.run(contestant->peer.state, contestant->input, contestant->output);
    }
    return count;
}

static double fastest_ms(struct contestant *contestant)
{
    double fastest = INFINITY;

    for (int i = 0; i < LONE_RUNS; i++) {
        const int64_t began_ns = gk_bench_now_ns();

        contestant->peer.run(contestant->peer.state, contestant->input, contestant->output);
        fastest = fmin(fastest, (double)(gk_bench_now_ns() - began_ns) / 1e6);
    }
    return fastest;
}

static void check_same(const struct contestant *ours, const struct contestant *peer, size_t count,
                       float share)
{
    float largest = 0;
    float difference = 0;

    for (size_t i = 0; i < count; i++) {
        largest = fmaxf(largest, fabsf(ours->output[i]));
        difference = fmaxf(difference, fabsf(ours->output[i] - peer->output[i]));
    }
    if (!(difference <= share * largest)) {
        (void)fprintf(stderr, "kernels: %s differs by %g of %g\n", peer->peer.name, (double)difference,
                      (double)largest);
        exit(1);
    }
}

/* Kernels that round to bfloat16 meet a oneDNN that may do so too. */
static void compare(const struct gk_kernels *kernels, const struct gk_bench_net *net, double multiply_adds)
{
    const bool rounded = kernels->wide->relative_error > 1e-6f;
    struct ours ours = {.network = load(kernels, net), .net = net};
    const struct gk_bench_peer peers[] = {{.name = kernels->name, .state = &ours, .run = run_ours},
                                          gk_bench_xnnpack(net),
                                          gk_bench_onednn(net, rounded)};
    enum { PEERS = sizeof peers / sizeof peers[0] };
    struct contestant contestants[PEERS];
    const float *input = random_floats(gk_bench_floats(&net->shapes[0]), 1);
    const size_t count = gk_bench_floats(&net->shapes[net->layer_count]);

    (void)printf("%s, %.1f M multiply-adds, fastest of %d runs:", net->name, multiply_adds / 1e6, LONE_RUNS);
    for (int i = 0; i < PEERS; i++) {
        contestants[i] =
            (struct contestant){.peer = peers[i], .input = input, .output = random_floats(count, 1)};
        const double ms = fastest_ms(&contestants[i]);

        (void)printf("  %s %.3f ms (%.1f G/s)", peers[i].name, ms, multiply_adds / ms / 1e6);
    }
    (void)printf("; ours keeps %.1f MB\n", (double)gk_network_scratch_bytes(ours.network) / 1e6);
    for (int i = 1; i < PEERS; i++) {
        char what[64];

        check_same(&contestants[0], &contestants[i], count, rounded ? 2e-2f : 1e-3f);
        (void)snprintf(what, sizeof what, "%s, %s, peer %s", net->name, kernels->name, peers[i].name);
        gk_bench_compare(what, ROUND_MS, run_until, &contestants[0], run_until, &contestants[i]);
    }
    gk_network_free(ours.network);
}

int main(void)
{
    struct gk_bench_net *const nets[] = {&digits, &finder};
    const struct gk_kernels *kernels;

    for (size_t i = 0; i < sizeof nets / sizeof nets[0]; i++) {
        const double multiply_adds = fill(nets[i]);

        for (size_t k = 0; (kernels = gk_kernels_available(k)) != NULL; k++) {
            compare(kernels, nets[i], multiply_adds);
        }
    }
    return 0;
}

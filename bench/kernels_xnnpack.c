/*
 * A network through XNNPACK's operators: its own convolutions and pools. It has no nearest upsampling;
 * doubling and joining are plain copies, as ours are.
 */
#include "bench/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xnnpack.h>

struct state {
    const struct gk_bench_net *net;
    float *tensors[GK_BENCH_LAYERS_MOST + 1];
    xnn_operator_t operators[GK_BENCH_LAYERS_MOST];
};

/* XNNPACK wants [out][height][width][in]. */
static float *turned(const struct gk_bench_layer *layer, size_t inputs)
{
    const size_t taps = (size_t)layer->height * (size_t)layer->width;
    const size_t outputs = (size_t)layer->channels;
    float *weights = malloc(taps * inputs * outputs * sizeof *weights);

    gk_bench_must("memory", weights != NULL);
    for (size_t i = 0; i < taps * inputs; i++) {
        for (size_t o = 0; o < outputs; o++) {
            weights[o * taps * inputs + i] = layer->weights[i * outputs + o];
        }
    }
    return weights;
}

static void make_filter(struct state *state, int index)
{
    const struct gk_bench_layer *layer = &state->net->layers[index];
    const struct gk_bench_shape *input = &state->net->shapes[layer->inputs[0]];
    const bool depthwise = layer->kind == GK_NETWORK_DEPTHWISE;
    const size_t inputs = depthwise ? 1 : (size_t)input->channels;
    const size_t outputs = (size_t)layer->channels;
    float *weights = turned(layer, inputs);
    const uint32_t pad_y = (uint32_t)layer->pad_y;
    const uint32_t pad_x = (uint32_t)layer->pad_x;
    const uint32_t stride = (uint32_t)layer->stride;

    gk_bench_must("xnn_create_convolution2d_nhwc_f32",
                  xnn_create_convolution2d_nhwc_f32(
                      pad_y, pad_x, pad_y, pad_x, (uint32_t)layer->height, (uint32_t)layer->width, stride,
                      stride, 1, 1, depthwise ? (uint32_t)outputs : 1, inputs, depthwise ? 1 : outputs,
                      (size_t)input->channels, outputs, weights, layer->bias, layer->relu ? 0 : -INFINITY,
                      INFINITY, 0, &state->operators[index]) == xnn_status_success);
    gk_bench_must("xnn_setup_convolution2d_nhwc_f32",
                  xnn_setup_convolution2d_nhwc_f32(state->operators[index], 1, (size_t)input->height,
                                                   (size_t)input->width, state->tensors[layer->inputs[0]],
                                                   state->tensors[index + 1], NULL) == xnn_status_success);
    free(weights);
}

static void make_pool(struct state *state, int index)
{
    const struct gk_bench_layer *layer = &state->net->layers[index];
    const struct gk_bench_shape *input = &state->net->shapes[layer->inputs[0]];
    const uint32_t height = (uint32_t)layer->height;
    const uint32_t width = (uint32_t)layer->width;
    const size_t channels = (size_t)input->channels;

    gk_bench_must("xnn_create_max_pooling2d_nhwc_f32",
                  xnn_create_max_pooling2d_nhwc_f32(0, 0, 0, 0, height, width, height, width, 1, 1, channels,
                                                    channels, channels, -INFINITY, INFINITY, 0,
                                                    &state->operators[index]) == xnn_status_success);
    gk_bench_must("xnn_setup_max_pooling2d_nhwc_f32",
                  xnn_setup_max_pooling2d_nhwc_f32(state->operators[index], 1, (size_t)input->height,
                                                   (size_t)input->width, state->tensors[layer->inputs[0]],
                                                   state->tensors[index + 1], NULL) == xnn_status_success);
}

static void copy(const struct state *state, int index)
{
    const struct gk_bench_layer *layer = &state->net->layers[index];
    const struct gk_bench_shape *output = &state->net->shapes[index + 1];
    float *to = state->tensors[index + 1];

    for (int y = 0; y < output->height; y++) {
        for (int x = 0; x < output->width; x++) {
            for (int i = 0; i < (layer->kind == GK_NETWORK_CONCATENATE ? 2 : 1); i++) {
                const struct gk_bench_shape *input = &state->net->shapes[layer->inputs[i]];
                const int by = layer->kind == GK_NETWORK_DOUBLE ? 2 : 1;
                const size_t pixel = (size_t)(y / by) * (size_t)input->width + (size_t)(x / by);

                memcpy(to, state->tensors[layer->inputs[i]] + pixel * (size_t)input->channels,
                       (size_t)input->channels * sizeof *to);
                to += input->channels;
            }
        }
    }
}

static void run(void *context, const float *input, float *output)
{
    const struct state *state = context;
    const struct gk_bench_net *net = state->net;

    memcpy(state->tensors[0], input, gk_bench_floats(&net->shapes[0]) * sizeof *input);
    for (int i = 0; i < net->layer_count; i++) {
        if (state->operators[i] == NULL) {
            copy(state, i);
        } else {
            (void)xnn_run_operator(state->operators[i], NULL);
        }
    }
    memcpy(output, state->tensors[net->layer_count],
           gk_bench_floats(&net->shapes[net->layer_count]) * sizeof *output);
}

struct gk_bench_peer gk_bench_xnnpack(const struct gk_bench_net *net)
{
    struct state *state = calloc(1, sizeof *state);

    gk_bench_must("memory", state != NULL);
    gk_bench_must("xnn_initialize", xnn_initialize(NULL) == xnn_status_success);
    state->net = net;
    for (int i = 0; i <= net->layer_count; i++) {
        state->tensors[i] = aligned_alloc(64, (gk_bench_floats(&net->shapes[i]) + 32) / 16 * 64);
        gk_bench_must("memory", state->tensors[i] != NULL);
    }
    for (int i = 0; i < net->layer_count; i++) {
        if (net->layers[i].kind == GK_NETWORK_CONVOLUTION || net->layers[i].kind == GK_NETWORK_DEPTHWISE) {
            make_filter(state, i);
        } else if (net->layers[i].kind == GK_NETWORK_MAX_POOL) {
            make_pool(state, i);
        }
    }
    return (struct gk_bench_peer){.name = "XNNPACK", .state = state, .run = run};
}

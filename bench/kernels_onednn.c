/*
 * A network through oneDNN: its primitives in the layouts that they choose for themselves, weights laid out
 * once, ReLU fused into the convolutions.
 */
#include "bench/kernels.h"

#include <oneapi/dnnl/dnnl.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS_MOST = 4 * GK_BENCH_LAYERS_MOST, ARGUMENTS_MOST = 4 };

struct step {
    dnnl_primitive_t primitive;
    int count;
    dnnl_exec_arg_t arguments[ARGUMENTS_MOST];
};

struct state {
    const struct gk_bench_net *net;
    dnnl_engine_t engine;
    dnnl_stream_t stream;
    dnnl_memory_t tensors[GK_BENCH_LAYERS_MOST + 1];
    dnnl_memory_t input, output;
    int step_count;
    struct step steps[STEPS_MOST];
};

/* libgomp's, of which oneDNN takes its threads; its header comes with gcc alone. */
void omp_set_num_threads(int count);

static void must(const char *what, dnnl_status_t status)
{
    gk_bench_must(what, status == dnnl_success);
}

static dnnl_memory_t make_memory(const struct state *state, const dnnl_memory_desc_t *description)
{
    dnnl_memory_t memory;

    must("dnnl_memory_create", dnnl_memory_create(&memory, description, state->engine, DNNL_MEMORY_ALLOCATE));
    return memory;
}

static const dnnl_memory_desc_t *description_of(dnnl_memory_t memory)
{
    const dnnl_memory_desc_t *description;

    must("dnnl_memory_get_memory_desc", dnnl_memory_get_memory_desc(memory, &description));
    return description;
}

static dnnl_memory_desc_t describe(const struct gk_bench_shape *shape, dnnl_format_tag_t tag)
{
    const dnnl_dims_t sides = {1, shape->channels, shape->height, shape->width};
    dnnl_memory_desc_t description;

    must("dnnl_memory_desc_init_by_tag", dnnl_memory_desc_init_by_tag(&description, 4, sides, dnnl_f32, tag));
    return description;
}

static struct step *add_step(struct state *state, const_dnnl_primitive_desc_t description)
{
    struct step *step = &state->steps[state->step_count++];

    gk_bench_must("steps", state->step_count <= STEPS_MOST);
    must("dnnl_primitive_create", dnnl_primitive_create(&step->primitive, description));
    return step;
}

static void give(struct step *step, int as, dnnl_memory_t memory)
{
    step->arguments[step->count++] = (dnnl_exec_arg_t){as, memory};
}

static void add_reorder(struct state *state, dnnl_memory_t from, dnnl_memory_t to)
{
    dnnl_primitive_desc_t description;

    must("reorder", dnnl_reorder_primitive_desc_create(&description, description_of(from), state->engine,
                                                       description_of(to), state->engine, NULL));
    struct step *step = add_step(state, description);

    give(step, DNNL_ARG_FROM, from);
    give(step, DNNL_ARG_TO, to);
}

/* The tensor in the layout that a primitive wants. */
static dnnl_memory_t wanted(struct state *state, int tensor, const dnnl_memory_desc_t *description)
{
    const dnnl_memory_t memory = state->tensors[tensor];

    if (dnnl_memory_desc_equal(description_of(memory), description)) {
        return memory;
    }
    const dnnl_memory_t other = make_memory(state, description);

    add_reorder(state, memory, other);
    return other;
}

/* Runs the reorder that was added last, once, and takes it away. */
static void reorder_now(struct state *state)
{
    const struct step *step = &state->steps[--state->step_count];

    must("reorder", dnnl_primitive_execute(step->primitive, state->stream, step->count, step->arguments));
    must("wait", dnnl_stream_wait(state->stream));
    state->steps[state->step_count].count = 0;
}

static dnnl_memory_t weights_in(struct state *state, const struct gk_bench_layer *layer, int inputs,
                                const dnnl_memory_desc_t *description)
{
    const bool depthwise = layer->kind == GK_NETWORK_DEPTHWISE;
    const dnnl_dim_t out = layer->channels, in = depthwise ? 1 : inputs, height = layer->height,
                     width = layer->width;
    const dnnl_dims_t grouped = {out, 1, 1, height, width};
    const dnnl_dims_t grouped_strides = {1, 1, 1, width * out, out};
    const dnnl_dims_t plain = {out, in, height, width};
    const dnnl_dims_t plain_strides = {1, out, width * in * out, in * out};
    dnnl_memory_desc_t ours;
    dnnl_memory_t from;

    must("weights", dnnl_memory_desc_init_by_strides(&ours, depthwise ? 5 : 4, depthwise ? grouped : plain,
                                                     dnnl_f32, depthwise ? grouped_strides : plain_strides));
    must("weights", dnnl_memory_create(&from, &ours, state->engine, (void *)(uintptr_t)layer->weights));
    const dnnl_memory_t to = make_memory(state, description);

    add_reorder(state, from, to);
    reorder_now(state);
    return to;
}

static dnnl_primitive_attr_t relu_after(void)
{
    dnnl_primitive_attr_t attributes;
    dnnl_post_ops_t after;

    must("attributes", dnnl_primitive_attr_create(&attributes));
    must("attributes", dnnl_post_ops_create(&after));
    must("attributes", dnnl_post_ops_append_eltwise(after, 1, dnnl_eltwise_relu, 0, 0));
    must("attributes", dnnl_primitive_attr_set_post_ops(attributes, after));
    return attributes;
}

static void add_filter(struct state *state, int index)
{
    const struct gk_bench_layer *layer = &state->net->layers[index];
    const struct gk_bench_shape *shape = &state->net->shapes[layer->inputs[0]];
    const bool depthwise = layer->kind == GK_NETWORK_DEPTHWISE;
    const dnnl_dim_t out = layer->channels;
    const dnnl_dims_t grouped = {out, 1, 1, layer->height, layer->width};
    const dnnl_dims_t plain = {out, shape->channels, layer->height, layer->width};
    const dnnl_dims_t strides = {layer->stride, layer->stride};
    const dnnl_dims_t pads = {layer->pad_y, layer->pad_x};
    const dnnl_memory_desc_t source = describe(shape, dnnl_format_tag_any);
    const dnnl_memory_desc_t target = describe(&state->net->shapes[index + 1], dnnl_format_tag_any);
    dnnl_memory_desc_t weights, bias;
    dnnl_convolution_desc_t convolution;
    dnnl_primitive_desc_t description;
    dnnl_memory_t bias_memory;

    must("weights", dnnl_memory_desc_init_by_tag(&weights, depthwise ? 5 : 4, depthwise ? grouped : plain,
                                                 dnnl_f32, dnnl_format_tag_any));
    must("bias", dnnl_memory_desc_init_by_tag(&bias, 1, plain, dnnl_f32, dnnl_a));
    must("convolution",
         dnnl_convolution_forward_desc_init(&convolution, dnnl_forward_inference, dnnl_convolution_auto,
                                            &source, &weights, &bias, &target, strides, pads, pads));
    must("convolution", dnnl_primitive_desc_create(&description, &convolution,
                                                   layer->relu ? relu_after() : NULL, state->engine, NULL));
    must("bias", dnnl_memory_create(&bias_memory, &bias, state->engine, (void *)(uintptr_t)layer->bias));
    const dnnl_memory_t input =
        wanted(state, layer->inputs[0], dnnl_primitive_desc_query_md(description, dnnl_query_src_md, 0));
    const dnnl_memory_t kernel = weights_in(
        state, layer, shape->channels, dnnl_primitive_desc_query_md(description, dnnl_query_weights_md, 0));

    state->tensors[index + 1] =
        make_memory(state, dnnl_primitive_desc_query_md(description, dnnl_query_dst_md, 0));
    struct step *step = add_step(state, description);

    give(step, DNNL_ARG_SRC, input);
    give(step, DNNL_ARG_WEIGHTS, kernel);
    give(step, DNNL_ARG_BIAS, bias_memory);
    give(step, DNNL_ARG_DST, state->tensors[index + 1]);
}

/* A primitive of one source in the source's own layout. */
static void add_simple(struct state *state, int index, const_dnnl_op_desc_t operation)
{
    dnnl_primitive_desc_t description;

    must("primitive", dnnl_primitive_desc_create(&description, operation, NULL, state->engine, NULL));
    state->tensors[index + 1] =
        make_memory(state, dnnl_primitive_desc_query_md(description, dnnl_query_dst_md, 0));
    struct step *step = add_step(state, description);

    give(step, DNNL_ARG_SRC, state->tensors[state->net->layers[index].inputs[0]]);
    give(step, DNNL_ARG_DST, state->tensors[index + 1]);
}

static void add_pool(struct state *state, int index)
{
    const struct gk_bench_layer *layer = &state->net->layers[index];
    const dnnl_memory_desc_t *source = description_of(state->tensors[layer->inputs[0]]);
    const dnnl_memory_desc_t target = describe(&state->net->shapes[index + 1], dnnl_format_tag_any);
    const dnnl_dims_t sides = {layer->height, layer->width};
    const dnnl_dims_t none = {0, 0};
    dnnl_pooling_desc_t pool;

    must("pool", dnnl_pooling_forward_desc_init(&pool, dnnl_forward_inference, dnnl_pooling_max, source,
                                                &target, sides, sides, none, none));
    add_simple(state, index, &pool);
}

static void add_doubling(struct state *state, int index)
{
    const float factors[] = {2, 2};
    dnnl_resampling_desc_t resampling;
    const dnnl_memory_desc_t *source = description_of(state->tensors[state->net->layers[index].inputs[0]]);
    const dnnl_memory_desc_t target = describe(&state->net->shapes[index + 1], dnnl_format_tag_any);

    must("resampling", dnnl_resampling_forward_desc_init(&resampling, dnnl_forward_inference,
                                                         dnnl_resampling_nearest, factors, source, &target));
    add_simple(state, index, &resampling);
}

static void add_join(struct state *state, int index)
{
    const struct gk_bench_layer *layer = &state->net->layers[index];
    const dnnl_memory_t first = state->tensors[layer->inputs[0]];
    const dnnl_memory_t second = state->tensors[layer->inputs[1]];
    const dnnl_memory_desc_t sources[] = {*description_of(first), *description_of(second)};
    dnnl_primitive_desc_t description;

    must("concat", dnnl_concat_primitive_desc_create(&description, NULL, 2, 1, sources, NULL, state->engine));
    state->tensors[index + 1] =
        make_memory(state, dnnl_primitive_desc_query_md(description, dnnl_query_dst_md, 0));
    struct step *step = add_step(state, description);

    give(step, DNNL_ARG_MULTIPLE_SRC, first);
    give(step, DNNL_ARG_MULTIPLE_SRC + 1, second);
    give(step, DNNL_ARG_DST, state->tensors[index + 1]);
}

static void run(void *context, const float *input, float *output)
{
    struct state *state = context;

    must("input", dnnl_memory_set_data_handle(state->input, (void *)(uintptr_t)input));
    must("output", dnnl_memory_set_data_handle(state->output, output));
    for (int i = 0; i < state->step_count; i++) {
        const struct step *step = &state->steps[i];

        (void)dnnl_primitive_execute(step->primitive, state->stream, step->count, step->arguments);
    }
    must("run", dnnl_stream_wait(state->stream));
}

struct gk_bench_peer gk_bench_onednn(const struct gk_bench_net *net, bool rounded)
{
    struct state *state = calloc(1, sizeof *state);

    gk_bench_must("memory", state != NULL);
    omp_set_num_threads(1);
    must("dnnl_set_default_fpmath_mode",
         dnnl_set_default_fpmath_mode(rounded ? dnnl_fpmath_mode_bf16 : dnnl_fpmath_mode_strict));
    state->net = net;
    must("dnnl_engine_create", dnnl_engine_create(&state->engine, dnnl_cpu, 0));
    must("dnnl_stream_create", dnnl_stream_create(&state->stream, state->engine, dnnl_stream_default_flags));
    const dnnl_memory_desc_t from = describe(&net->shapes[0], dnnl_nhwc);
    const dnnl_memory_desc_t to = describe(&net->shapes[net->layer_count], dnnl_nhwc);

    must("input", dnnl_memory_create(&state->input, &from, state->engine, DNNL_MEMORY_NONE));
    must("output", dnnl_memory_create(&state->output, &to, state->engine, DNNL_MEMORY_NONE));
    state->tensors[0] = state->input;
    for (int i = 0; i < net->layer_count; i++) {
        switch (net->layers[i].kind) {
        case GK_NETWORK_CONVOLUTION:
        case GK_NETWORK_DEPTHWISE:
            add_filter(state, i);
            break;
        case GK_NETWORK_MAX_POOL:
            add_pool(state, i);
            break;
        case GK_NETWORK_DOUBLE:
            add_doubling(state, i);
            break;
        case GK_NETWORK_CONCATENATE:
            add_join(state, i);
            break;
        case GK_NETWORK_ADD:
            gk_bench_must("the bench adds nothing", false);
            break;
        }
    }
    add_reorder(state, state->tensors[net->layer_count], state->output);
    return (struct gk_bench_peer){.name = "oneDNN", .state = state, .run = run};
}

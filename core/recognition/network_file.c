/*
 * Reads networks from a model file. The file is ours, but nothing in it is believed: every field has bounds,
 * and every length is measured against the bytes that are left.
 */
#include "core/recognition/network_parts.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 16 };

static const char magic[4] = {'G', 'K', 'M', '1'};

/* Bytes still to be read. Past their end everything reads as 0 and `short_of` is set. */
struct reader {
    const uint8_t *at;
    size_t left;
    bool short_of;
};

static const uint8_t *take(struct reader *reader, size_t size)
{
    const uint8_t *taken = reader->at;

    if (size > reader->left) {
        reader->short_of = true;
        reader->left = 0;
        return NULL;
    }
    reader->at += size;
    reader->left -= size;
    return taken;
}

static uint32_t take_number(struct reader *reader, size_t size)
{
    const uint8_t *bytes = take(reader, size);
    uint32_t number = 0;

    for (size_t i = 0; bytes != NULL && i < size; i++) {
        number |= (uint32_t)bytes[i] << (8 * i);
    }
    return number;
}

static float from_bits(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE 754 binary16: a sign, 5 bits of exponent with a bias of 15, 10 of fraction. */
static float from_half(uint32_t half)
{
    const uint32_t exponent = half >> 10 & 31;
    const uint32_t fraction = half & 1023;
    const float sign = half >> 15 ? -1.0f : 1.0f;

    if (exponent == 0) {
        return sign * (float)fraction * 0x1p-24f;
    }
    if (exponent == 31) {
        return fraction != 0 ? NAN : sign * INFINITY;
    }
    return sign * from_bits((exponent + 127 - 15) << 23 | fraction << 13);
}

/* Floats of `count` numbers of `size` bytes each; false where one is none or they are not all there. */
static bool take_floats(struct reader *reader, size_t count, size_t size, float *ret_values)
{
    for (size_t i = 0; i < count; i++) {
        const uint32_t bits = take_number(reader, size);

        ret_values[i] = size == 2 ? from_half(bits) : from_bits(bits);
        if (!isfinite(ret_values[i])) {
            return false;
        }
    }
    return !reader->short_of;
}

static enum gk_status refuse(struct gk_error *error, int operation, const char *what)
{
    return gk_error_set(error, GK_INVALID_ARGUMENT, "broken model: operation %d: %s", operation, what);
}

static enum gk_status read_weights(const struct gk_kernels *kernels, int index, bool depthwise,
                                   struct reader *reader, struct gk_filter *filter, struct gk_error *error)
{
    const size_t outputs = (size_t)filter->output_channels;
    const size_t inputs = depthwise ? 1 : (size_t)filter->input_channels;
    const size_t weights = (size_t)filter->height * (size_t)filter->width * inputs * outputs;
    const size_t bytes = weights * 2 + outputs * 4;

    if (bytes > reader->left) {
        return refuse(error, index, "its weights are cut off");
    }
    const size_t floats = depthwise ? kernels->layers->depthwise_pack_floats(filter)
                                    : gk_kernels_for(kernels, filter)->pack_floats(filter);
    float *values = malloc((weights + outputs) * sizeof *values);

    filter->packed = aligned_alloc(64, (floats * sizeof(float) + 63) / 64 * 64);
    if (values == NULL || filter->packed == NULL) {
        free(values);
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for a model");
    }
    if (!take_floats(reader, weights, 2, values) || !take_floats(reader, outputs, 4, values + weights)) {
        free(values);
        return refuse(error, index, "a weight is no number");
    }
    if (depthwise) {
        kernels->layers->depthwise_pack(filter, values, values + weights);
    } else {
        gk_kernels_for(kernels, filter)->pack(filter, values, values + weights);
    }
    free(values);
    return GK_OK;
}

static bool within(int value, int least, int most)
{
    return value >= least && value <= most;
}

static enum gk_status read_filter(struct gk_network *network, int index, struct reader *reader,
                                  struct gk_error *error)
{
    struct gk_operation *operation = &network->operations[index];
    struct gk_filter *filter = &operation->filter;
    struct gk_border *pad = &operation->pad;
    const bool depthwise = operation->kind == GK_NETWORK_DEPTHWISE;

    filter->height = (int)take_number(reader, 1);
    filter->width = (int)take_number(reader, 1);
    filter->stride_y = (int)take_number(reader, 1);
    filter->stride_x = (int)take_number(reader, 1);
    pad->top = (int)take_number(reader, 1);
    pad->bottom = (int)take_number(reader, 1);
    pad->left = (int)take_number(reader, 1);
    pad->right = (int)take_number(reader, 1);
    filter->output_channels = (int)take_number(reader, 2);
    filter->input_channels = network->tensors[operation->inputs[0]].channels;
    filter->relu = operation->relu;
    if (!within(filter->height, 1, GK_NETWORK_KERNEL_MOST) ||
        !within(filter->width, 1, GK_NETWORK_KERNEL_MOST) ||
        !within(filter->stride_y, 1, GK_NETWORK_STRIDE_MOST) ||
        !within(filter->stride_x, 1, GK_NETWORK_STRIDE_MOST)) {
        return refuse(error, index, "kernel or strides out of range");
    }
    if (pad->top >= filter->height || pad->bottom >= filter->height || pad->left >= filter->width ||
        pad->right >= filter->width) {
        return refuse(error, index, "more zeros than the kernel reaches");
    }
    if (!within(filter->output_channels, 1, GK_NETWORK_CHANNELS_MOST) ||
        (depthwise && filter->output_channels != filter->input_channels)) {
        return refuse(error, index, "output channels out of range");
    }
    network->tensors[index + 1].channels = filter->output_channels;
    return read_weights(network->kernels, index, depthwise, reader, filter, error);
}

static enum gk_status read_pool(struct gk_network *network, int index, struct reader *reader,
                                struct gk_error *error)
{
    struct gk_filter *pool = &network->operations[index].filter;

    pool->height = (int)take_number(reader, 1);
    pool->width = (int)take_number(reader, 1);
    if (!within(pool->height, 1, GK_NETWORK_KERNEL_MOST) || !within(pool->width, 1, GK_NETWORK_KERNEL_MOST)) {
        return refuse(error, index, "pool out of range");
    }
    return GK_OK;
}

/* Sets the output's channels as the inputs say, and that both inputs are read here. */
static enum gk_status join(struct gk_network *network, int index, struct gk_error *error)
{
    const struct gk_operation *operation = &network->operations[index];
    const int first = network->tensors[operation->inputs[0]].channels;
    int *channels = &network->tensors[index + 1].channels;

    *channels = first;
    network->tensors[operation->inputs[0]].last_reader = index;
    if (!gk_operation_joins(operation)) {
        return operation->inputs[1] == 0 ? GK_OK : refuse(error, index, "a second input");
    }
    const int second = network->tensors[operation->inputs[1]].channels;

    network->tensors[operation->inputs[1]].last_reader = index;
    if (operation->kind == GK_NETWORK_ADD && first != second) {
        return refuse(error, index, "sum of unlike tensors");
    }
    if (operation->kind == GK_NETWORK_CONCATENATE) {
        *channels = first + second;
    }
    return *channels <= GK_NETWORK_CHANNELS_MOST ? GK_OK : refuse(error, index, "too many channels");
}

static enum gk_status read_operation(struct gk_network *network, int index, struct reader *reader,
                                     struct gk_error *error)
{
    struct gk_operation *operation = &network->operations[index];
    const uint32_t kind = take_number(reader, 1);
    const uint32_t flags = take_number(reader, 1);

    operation->inputs[0] = (int)take_number(reader, 2);
    operation->inputs[1] = (int)take_number(reader, 2);
    if (kind < GK_NETWORK_CONVOLUTION || kind > GK_NETWORK_ADD || flags > 1) {
        return refuse(error, index, "of no known kind");
    }
    if (operation->inputs[0] > index || operation->inputs[1] > index) {
        return refuse(error, index, "an input that is not made yet");
    }
    operation->kind = (enum gk_network_kind)kind;
    operation->relu = flags == 1;
    if (operation->relu && !gk_operation_filters(operation) && operation->kind != GK_NETWORK_ADD) {
        return refuse(error, index, "a ReLU that it cannot have");
    }
    enum gk_status status = join(network, index, error);

    if (status == GK_OK && gk_operation_filters(operation)) {
        status = read_filter(network, index, reader, error);
    } else if (status == GK_OK && operation->kind == GK_NETWORK_MAX_POOL) {
        status = read_pool(network, index, reader, error);
    }
    return status;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* A tensor has the border that its widest reader needs. */
static void set_borders(struct gk_network *network)
{
    for (int i = 0; i < network->operation_count; i++) {
        const struct gk_border *pad = &network->operations[i].pad;
        struct gk_border *border = &network->tensors[network->operations[i].inputs[0]].border;

        border->top = larger(border->top, pad->top);
        border->bottom = larger(border->bottom, pad->bottom);
        border->left = larger(border->left, pad->left);
        border->right = larger(border->right, pad->right);
    }
}

static enum gk_status read_network(struct gk_network *network, struct reader *reader, struct gk_error *error)
{
    const int channels = (int)take_number(reader, 2);
    const int count = (int)take_number(reader, 2);

    if (!within(channels, 1, GK_NETWORK_CHANNELS_MOST) || !within(count, 1, GK_NETWORK_OPERATIONS_MOST)) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "broken model: %d input channels, %d operations",
                            channels, count);
    }
    network->tensors[0].channels = channels;
    network->operation_count = count;
    for (int i = 0; i <= count; i++) {
        network->tensors[i].last_reader = -1;
    }
    for (int i = 0; i < count; i++) {
        const enum gk_status status = read_operation(network, i, reader, error);

        if (status != GK_OK) {
            return status;
        }
    }
    for (int i = 0; i < count; i++) {
        if (network->tensors[i].last_reader < 0) {
            return gk_error_set(error, GK_INVALID_ARGUMENT, "broken model: nothing reads tensor %d", i);
        }
    }
    if (reader->short_of || reader->left != 0) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "broken model: a network's length is wrong");
    }
    set_borders(network);
    return GK_OK;
}

/* Finds the bytes of the network `name`; goes through the whole file, so that a cut one is never good. */
static enum gk_status find_network(struct reader reader, const char *name, struct reader *ret_found,
                                   struct gk_error *error)
{
    const uint8_t *start = take(&reader, sizeof magic);
    bool found = false;

    if (start == NULL || memcmp(start, magic, sizeof magic) != 0) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "broken model: it does not begin with GKM1");
    }
    for (uint32_t left = take_number(&reader, 4); left > 0 && !reader.short_of; left--) {
        const uint8_t *its_name = take(&reader, NAME_BYTES);
        const size_t size = take_number(&reader, 4);
        const uint8_t *body = take(&reader, size);

        if (!reader.short_of && !found && strncmp((const char *)its_name, name, NAME_BYTES) == 0) {
            *ret_found = (struct reader){.at = body, .left = size};
            found = true;
        }
    }
    if (reader.short_of || reader.left != 0) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "broken model: its length is wrong");
    }
    return found ? GK_OK : gk_error_set(error, GK_NOT_FOUND, "the model has no network \"%s\"", name);
}

enum gk_status gk_network_load_for(const struct gk_kernels *kernels, const uint8_t *data, size_t size,
                                   const char *name, struct gk_network **ret, struct gk_error *error)
{
    assert(kernels != NULL && (data != NULL || size == 0) && ret != NULL);
    assert(strlen(name) > 0 && strlen(name) < NAME_BYTES);
    if (size > GK_NETWORK_FILE_MOST_BYTES) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "a model has at most %u bytes, got %zu",
                            GK_NETWORK_FILE_MOST_BYTES, size);
    }
    struct reader body = {0};
    enum gk_status status = find_network((struct reader){.at = data, .left = size}, name, &body, error);

    if (status != GK_OK) {
        return status;
    }
    struct gk_network *network = calloc(1, sizeof *network);

    if (network == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for a model");
    }
    network->kernels = kernels;
    status = read_network(network, &body, error);
    if (status != GK_OK) {
        gk_network_free(network);
        return status;
    }
    *ret = network;
    return GK_OK;
}

enum gk_status gk_network_load(const uint8_t *data, size_t size, const char *name, struct gk_network **ret,
                               struct gk_error *error)
{
    return gk_network_load_for(gk_kernels_available(0), data, size, name, ret, error);
}

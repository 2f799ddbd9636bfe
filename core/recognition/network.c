/*
 * Lays a network's tensors out in its arena and runs its operations.
 *
 * Each tensor lies in the arena with the border of zeros that its readers need, so that a convolution never
 * asks where an edge is. Where the tensors lie depends on the input's size alone, and is found anew when that
 * changes: in the order of their making, each takes the lowest gap among those that live at the same time.
 */
#include "core/recognition/network.h"

#include "core/recognition/network_parts.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Bounds on a run, so that no file can take the machine: the side of a tensor in pixels, the arena, and the
 * work in multiply-adds as work_of counts them. Ours take up to 1 M floats and 0.3 G. */
#define SIDE_MOST_PX 16384
#define ARENA_MOST_FLOATS ((size_t)16 << 20)
#define WORK_MOST 4e9

enum { ALIGNED_FLOATS = 16 };

/* --- layout --- */

/* Pixels that a filter's steps make of `size` with zeros added; at most 0 where it does not fit. */
static int filtered(int size, int before, int after, int kernel, int stride)
{
    const int room = size + before + after - kernel;

    return room < 0 ? 0 : room / stride + 1;
}

/* Height and width of the operation's output; false where it does not fit its inputs. */
static bool size_output(struct gk_network *network, int index)
{
    const struct gk_operation *operation = &network->operations[index];
    const struct gk_network_tensor *first = &network->tensors[operation->inputs[0]];
    const struct gk_network_tensor *second = &network->tensors[operation->inputs[1]];
    const struct gk_filter *filter = &operation->filter;
    const struct gk_border *pad = &operation->pad;
    int height = first->height;
    int width = first->width;

    switch (operation->kind) {
    case GK_NETWORK_CONVOLUTION:
    case GK_NETWORK_DEPTHWISE:
        height = filtered(height, pad->top, pad->bottom, filter->height, filter->stride_y);
        width = filtered(width, pad->left, pad->right, filter->width, filter->stride_x);
        break;
    case GK_NETWORK_MAX_POOL:
        height /= filter->height;
        width /= filter->width;
        break;
    case GK_NETWORK_DOUBLE:
        height *= 2;
        width *= 2;
        break;
    case GK_NETWORK_CONCATENATE:
    case GK_NETWORK_ADD:
        if (height != second->height || width != second->width) {
            return false;
        }
        break;
    }
    network->tensors[index + 1].height = height;
    network->tensors[index + 1].width = width;
    return height >= 1 && width >= 1 && height <= SIDE_MOST_PX && width <= SIDE_MOST_PX;
}

/* Multiply-adds of an operation whose output has its size; channels are done 16 at a time. */
static double work_of(const struct gk_network *network, int index)
{
    const struct gk_operation *operation = &network->operations[index];
    const struct gk_network_tensor *output = &network->tensors[index + 1];
    const struct gk_filter *filter = &operation->filter;
    double work = (double)output->height * output->width * ((output->channels + 15) / 16 * 16);

    if (operation->kind == GK_NETWORK_CONVOLUTION) {
        work *= filter->input_channels;
    }
    if (gk_operation_filters(operation) || operation->kind == GK_NETWORK_MAX_POOL) {
        work *= filter->height * filter->width;
    }
    return work;
}

static size_t row_floats(const struct gk_network_tensor *tensor)
{
    return (size_t)(tensor->border.left + tensor->width + tensor->border.right) * (size_t)tensor->channels;
}

/* Tensor i lives from operation i - 1, which makes it, to its last reader; the output to the next run. */
static bool live_together(const struct gk_network *network, int earlier, int later)
{
    const int last = network->tensors[earlier].last_reader;

    return last < 0 || last >= later - 1;
}

/* Puts tensor `index` into the lowest gap among the tensors before it that still live; returns its end. */
static size_t place(struct gk_network *network, int index)
{
    struct gk_network_tensor *tensor = &network->tensors[index];
    const int rows = tensor->border.top + tensor->height + tensor->border.bottom;

    tensor->floats =
        ((size_t)rows * row_floats(tensor) + ALIGNED_FLOATS - 1) / ALIGNED_FLOATS * ALIGNED_FLOATS;
    tensor->offset = 0;
    for (bool moved = true; moved;) {
        moved = false;
        for (int i = 0; i < index; i++) {
            const struct gk_network_tensor *other = &network->tensors[i];

            if (live_together(network, i, index) && tensor->offset < other->offset + other->floats &&
                other->offset < tensor->offset + tensor->floats) {
                tensor->offset = other->offset + other->floats;
                moved = true;
            }
        }
    }
    return tensor->offset + tensor->floats;
}

/* What the operation's kernel writes to beside the tensors. */
static size_t scratch_floats(const struct gk_network *network, int index)
{
    const struct gk_operation *operation = &network->operations[index];
    const struct gk_convolution_kernels *kernels = gk_kernels_for(network->kernels, &operation->filter);

    if (operation->kind != GK_NETWORK_CONVOLUTION || kernels->scratch_floats == NULL) {
        return 0;
    }
    return kernels->scratch_floats(&operation->filter, network->tensors[operation->inputs[0]].width +
                                                           operation->pad.left + operation->pad.right);
}

static bool grow_arena(struct gk_network *network, size_t floats)
{
    if (floats > network->arena_floats) {
        free(network->arena);
        network->arena_floats = 0;
        network->arena = aligned_alloc(64, (floats * sizeof(float) + 63) / 64 * 64);
        network->arena_floats = network->arena == NULL ? 0 : floats;
    }
    return floats <= network->arena_floats;
}

/* Lays out everything for an input of this size and sees that the arena is large enough. */
static bool lay_out(struct gk_network *network, int height, int width)
{
    size_t floats = 0, scratch = 0;
    double work = 0;

    if (height < 1 || width < 1 || height > SIDE_MOST_PX || width > SIDE_MOST_PX) {
        return false;
    }
    network->tensors[0].height = height;
    network->tensors[0].width = width;
    for (int i = 0; i <= network->operation_count; i++) {
        if (i > 0 && !size_output(network, i - 1)) {
            return false;
        }
        const size_t end = place(network, i);

        const size_t wanted = i > 0 ? scratch_floats(network, i - 1) : 0;

        work += i > 0 ? work_of(network, i - 1) : 0;
        floats = end > floats ? end : floats;
        scratch = wanted > scratch ? wanted : scratch;
        if (floats + scratch > ARENA_MOST_FLOATS || work > WORK_MOST) {
            return false;
        }
    }
    floats += GK_KERNEL_OVERREAD; /* a multiple of what the scratch begins on */
    if (!grow_arena(network, floats + scratch)) {
        return false;
    }
    network->scratch = network->arena + floats;
    return true;
}

/* --- running --- */

/* The tensor without its border. */
static struct gk_view view_of(const struct gk_network *network, int index)
{
    const struct gk_network_tensor *tensor = &network->tensors[index];
    const size_t row = row_floats(tensor);

    return (struct gk_view){
        .values = network->arena + tensor->offset + (size_t)tensor->border.top * row +
                  (size_t)(tensor->border.left * tensor->channels),
        .height = tensor->height,
        .width = tensor->width,
        .channels = tensor->channels,
        .row = row,
    };
}

/* The view with as much of its border as `pad` says. */
static struct gk_view padded(struct gk_view view, const struct gk_border *pad)
{
    view.values -= (size_t)pad->top * view.row + (size_t)(pad->left * view.channels);
    view.height += pad->top + pad->bottom;
    view.width += pad->left + pad->right;
    return view;
}

/* The memory may have been another tensor's: the zeros are written anew in each run. */
static void clear_border(const struct gk_network *network, int index)
{
    const struct gk_network_tensor *tensor = &network->tensors[index];
    const struct gk_border *border = &tensor->border;
    const size_t pixel = (size_t)tensor->channels * sizeof(float);
    const size_t row = row_floats(tensor);
    float *at = network->arena + tensor->offset;

    memset(at, 0, (size_t)border->top * row * sizeof *at);
    at += (size_t)border->top * row;
    for (int y = 0; y < tensor->height; y++, at += row) {
        memset(at, 0, (size_t)border->left * pixel);
        memset(at + row - (size_t)(border->right * tensor->channels), 0, (size_t)border->right * pixel);
    }
    memset(at, 0, (size_t)border->bottom * row * sizeof *at);
}

static void run_operation(const struct gk_network *network, int index)
{
    const struct gk_operation *operation = &network->operations[index];
    const struct gk_view first = view_of(network, operation->inputs[0]);
    const struct gk_view second = view_of(network, operation->inputs[1]);
    const struct gk_view output = view_of(network, index + 1);
    const struct gk_view covered = padded(first, &operation->pad);

    clear_border(network, index + 1);
    switch (operation->kind) {
    case GK_NETWORK_CONVOLUTION:
        gk_kernels_for(network->kernels, &operation->filter)
            ->run(&operation->filter, &covered, &output, network->scratch);
        break;
    case GK_NETWORK_DEPTHWISE:
        network->kernels->layers->depthwise(&operation->filter, &covered, &output);
        break;
    case GK_NETWORK_MAX_POOL:
        network->kernels->layers->max_pool(operation->filter.height, operation->filter.width, &first,
                                           &output);
        break;
    case GK_NETWORK_DOUBLE:
        network->kernels->layers->copy(2, &first, 0, &output);
        break;
    case GK_NETWORK_CONCATENATE:
        network->kernels->layers->copy(1, &first, 0, &output);
        network->kernels->layers->copy(1, &second, first.channels, &output);
        break;
    case GK_NETWORK_ADD:
        network->kernels->layers->add(operation->relu, &first, &second, &output);
        break;
    }
}

bool gk_network_run(struct gk_network *network, const float *input, int height, int width,
                    struct gk_tensor *ret_output)
{
    assert(network != NULL && input != NULL && ret_output != NULL);
    if (!lay_out(network, height, width)) {
        return false;
    }
    const struct gk_view own = view_of(network, 0);
    const size_t input_row = (size_t)width * (size_t)own.channels;

    clear_border(network, 0);
    for (int y = 0; y < height; y++) {
        memcpy(own.values + (size_t)y * own.row, input + (size_t)y * input_row, input_row * sizeof *input);
    }
    for (int i = 0; i < network->operation_count; i++) {
        run_operation(network, i);
    }
    const struct gk_view output = view_of(network, network->operation_count);

    assert(output.row == (size_t)output.width * (size_t)output.channels);
    *ret_output = (struct gk_tensor){output.height, output.width, output.channels, output.values};
    return true;
}

int gk_network_input_channels(const struct gk_network *network)
{
    return network->tensors[0].channels;
}

size_t gk_network_scratch_bytes(const struct gk_network *network)
{
    return network->arena_floats * sizeof *network->arena;
}

void gk_network_free(struct gk_network *network)
{
    if (network == NULL) {
        return;
    }
    for (int i = 0; i < network->operation_count; i++) {
        free(network->operations[i].filter.packed);
    }
    free(network->arena);
    free(network);
}

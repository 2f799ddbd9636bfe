/*
 * What a network consists of: shared by network_file.c, which reads one, and network.c, which runs it.
 */
#ifndef GUIKA_CORE_RECOGNITION_NETWORK_PARTS_H
#define GUIKA_CORE_RECOGNITION_NETWORK_PARTS_H

#include "core/recognition/network.h"
#include "core/recognition/network_kernels.h"

/* Far over what our models have (17 and about 30 operations, 128 channels); they bound what a broken file can
 * ask for. */
#define GK_NETWORK_OPERATIONS_MOST 256
#define GK_NETWORK_CHANNELS_MOST 1024
#define GK_NETWORK_STRIDE_MOST 4
#define GK_NETWORK_FILE_MOST_BYTES (4u << 20)

enum gk_network_kind {
    GK_NETWORK_CONVOLUTION = 1,
    GK_NETWORK_DEPTHWISE = 2,
    GK_NETWORK_MAX_POOL = 3,
    GK_NETWORK_DOUBLE = 4,
    GK_NETWORK_CONCATENATE = 5,
    GK_NETWORK_ADD = 6,
};

/* Pixels on each side of a tensor. */
struct gk_border {
    int top, bottom, left, right;
};

struct gk_operation {
    enum gk_network_kind kind;
    bool relu;
    int inputs[2];           /* tensors; the second is used by CONCATENATE and ADD alone */
    struct gk_filter filter; /* CONVOLUTION, DEPTHWISE; of MAX_POOL only height and width */
    struct gk_border pad;    /* CONVOLUTION, DEPTHWISE: zeros added */
};

/* Tensor i + 1 is made by operation i. */
struct gk_network_tensor {
    int channels;
    struct gk_border border; /* of zeros: what its widest reader needs */
    int last_reader;         /* operation, -1 where nobody reads it */
    /* For the size that the network was last laid out for: */
    int height, width;
    size_t offset, floats; /* in the arena, with its border */
};

struct gk_network {
    const struct gk_kernels *kernels;
    int operation_count;
    struct gk_operation operations[GK_NETWORK_OPERATIONS_MOST];
    struct gk_network_tensor tensors[GK_NETWORK_OPERATIONS_MOST + 1];
    float *arena; /* all tensors; those that do not live at the same time share memory */
    size_t arena_floats;
    float *scratch; /* behind them: what a kernel writes to beside the tensors */
};

/* gk_network_load with given kernels: tests run all that the machine has. */
enum gk_status gk_network_load_for(const struct gk_kernels *kernels, const uint8_t *data, size_t size,
                                   const char *name, struct gk_network **ret, struct gk_error *error);

static inline bool gk_operation_joins(const struct gk_operation *operation)
{
    return operation->kind == GK_NETWORK_CONCATENATE || operation->kind == GK_NETWORK_ADD;
}

static inline bool gk_operation_filters(const struct gk_operation *operation)
{
    return operation->kind == GK_NETWORK_CONVOLUTION || operation->kind == GK_NETWORK_DEPTHWISE;
}

#endif

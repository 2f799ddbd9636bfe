/*
 * Runs small convolutional networks: the models that find cards and read their numbers. One thread; floats,
 * or bfloat16 with sums in floats where the processor has AMX or AVX-512 BF16: outputs then differ in their
 * third digit.
 *
 * A model file holds named networks; training/export.py writes it. It begins with "GKM1" and a u32 count of
 * networks (all numbers little-endian). A network is its name in 16 bytes, padded with NULs, a u32 count of
 * the bytes that follow, u16 input channels and a u16 count of operations. Operation i makes tensor i + 1
 * from earlier tensors; tensor 0 is the network's input and the last one its output. An operation is
 *
 *     u8 kind (enum gk_network_kind), u8 flags (1: ReLU), u16 first input, u16 second input or 0
 *     CONVOLUTION, DEPTHWISE: u8 kernel height, width, stride y, x, zeros added on top, at the bottom, left,
 * right; u16 output channels; IEEE halves weights[height][width][input channels][output channels] (DEPTHWISE:
 * weights[height][width][channels]), floats bias[output channels] MAX_POOL: u8 height, width, which are also
 * its strides; a rest at the right and at the bottom is left out DOUBLE (each pixel becomes 2 x 2),
 * CONCATENATE (first channels, then second), ADD: nothing more
 */
#ifndef GUIKA_CORE_RECOGNITION_NETWORK_H
#define GUIKA_CORE_RECOGNITION_NETWORK_H

#include "rpc/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gk_network;

/* Pixels by rows, then columns, then channels, without gaps: values[(y * width + x) * channels + c]. */
struct gk_tensor {
    int height, width, channels;
    const float *values;
};

/* Loads the network `name` of a model file, which is not needed afterwards. GK_INVALID_ARGUMENT for a file
 * that is not whole or not sound, GK_NOT_FOUND for a name that it does not have, GK_RESOURCE_EXHAUSTED. Free
 * with gk_network_free. [worker] */
enum gk_status gk_network_load(const uint8_t *data, size_t size, const char *name, struct gk_network **ret,
                               struct gk_error *error);
void gk_network_free(struct gk_network *network); /* accepts NULL */

/* How many channels the input has. [any] */
int gk_network_input_channels(const struct gk_network *network);

/* Runs the network on height x width pixels, laid out as in struct gk_tensor. The output is the network's and
 * holds until its next run. false where the operations do not fit this size (a kernel larger than its input,
 * tensors of unlike sizes to join), a run would take over 64 MB or 4 G multiply-adds, or memory ran out. Not
 * to be called for one network from two threads at once. [worker] */
bool gk_network_run(struct gk_network *network, const float *input, int height, int width,
                    struct gk_tensor *ret_output);

/* Bytes of working memory that the network keeps: enough for its largest run so far. [any] */
size_t gk_network_scratch_bytes(const struct gk_network *network);

#endif

/* The public schemas as a serialised google.protobuf.FileDescriptorSet: what Reflection returns. */
#ifndef GUIKA_RPC_DESCRIPTOR_SET_H
#define GUIKA_RPC_DESCRIPTOR_SET_H

#include <stddef.h>
#include <stdint.h>

extern const uint8_t guika_v1_descriptor_set[];
extern const size_t guika_v1_descriptor_set_size; /* bytes */

#endif

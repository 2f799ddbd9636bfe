/*
 * One message on the wire: a length-delimited header (RequestHeader or ResponseHeader), then the payload.
 * No sockets, no clock: what the two sides share and what the fuzzer calls. [any]
 */
#ifndef GUIKA_RPC_MESSAGE_H
#define GUIKA_RPC_MESSAGE_H

#include "rpc/bytes.h"

#include <pb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longest message that our transports carry, 40 MiB: above the largest method limit (32 MiB and 4 KiB for
 * BoxService/Replay), with room for the header. */
#define GK_RPC_MAX_MESSAGE_BYTES 41943040U

enum {
    GK_RPC_FRAME_HEAD_SIZE = 4, /* bytes of length, big-endian, before a message on a stream socket */
};

struct gk_rpc_message {
    const pb_msgdesc_t *header_type;
    const void *header;
    const pb_msgdesc_t *payload_type; /* NULL: no payload */
    const void *payload;
};

/* Bytes of the encoded message, and of its payload alone. False where a field does not encode. */
bool gk_rpc_message_size(const struct gk_rpc_message *message, size_t *ret_size, size_t *ret_payload_size);

/* Writes the message into `to`, which has the `size` bytes of gk_rpc_message_size. */
bool gk_rpc_message_write(const struct gk_rpc_message *message, uint8_t *to, size_t size);

/* Decodes the header into `ret_header` (zeroed before, contents undefined on failure) and points
 * `ret_payload` at the rest of `bytes`. False where `bytes` does not begin with such a header. */
bool gk_rpc_message_split(struct gk_bytes bytes, const pb_msgdesc_t *header_type, void *ret_header,
                          struct gk_bytes *ret_payload);

void gk_rpc_frame_head_write(uint8_t head[GK_RPC_FRAME_HEAD_SIZE], size_t size);
size_t gk_rpc_frame_head_read(const uint8_t head[GK_RPC_FRAME_HEAD_SIZE]);

#endif

#include "rpc/message.h"

#include <pb_decode.h>
#include <pb_encode.h>

bool gk_rpc_message_size(const struct gk_rpc_message *message, size_t *ret_size, size_t *ret_payload_size)
{
    pb_ostream_t head = PB_OSTREAM_SIZING;
    size_t payload = 0;

    if (!pb_encode_ex(&head, message->header_type, message->header, PB_ENCODE_DELIMITED)) {
        return false;
    }
    if (message->payload_type != NULL &&
        !pb_get_encoded_size(&payload, message->payload_type, message->payload)) {
        return false;
    }
    *ret_size = head.bytes_written + payload;
    *ret_payload_size = payload;
    return true;
}

bool gk_rpc_message_write(const struct gk_rpc_message *message, uint8_t *to, size_t size)
{
    pb_ostream_t stream = pb_ostream_from_buffer(to, size);

    if (!pb_encode_ex(&stream, message->header_type, message->header, PB_ENCODE_DELIMITED)) {
        return false;
    }
    return (message->payload_type == NULL || pb_encode(&stream, message->payload_type, message->payload)) &&
           stream.bytes_written == size;
}

bool gk_rpc_message_split(struct gk_bytes bytes, const pb_msgdesc_t *header_type, void *ret_header,
                          struct gk_bytes *ret_payload)
{
    pb_istream_t stream = pb_istream_from_buffer(bytes.data, bytes.size);

    if (!pb_decode_ex(&stream, header_type, ret_header, PB_DECODE_DELIMITED)) {
        return false;
    }
    *ret_payload = (struct gk_bytes){bytes.data + (bytes.size - stream.bytes_left), stream.bytes_left};
    return true;
}

void gk_rpc_frame_head_write(uint8_t head[GK_RPC_FRAME_HEAD_SIZE], size_t size)
{
    head[0] = (uint8_t)(size >> 24);
    head[1] = (uint8_t)(size >> 16);
    head[2] = (uint8_t)(size >> 8);
    head[3] = (uint8_t)size;
}

size_t gk_rpc_frame_head_read(const uint8_t head[GK_RPC_FRAME_HEAD_SIZE])
{
    return (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | (size_t)head[3];
}

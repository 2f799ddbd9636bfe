/*
 * A view of bytes that somebody else owns, and the nanopb field codec for it.
 *
 * A `bytes` field whose .options entries say
 *     MESSAGE callback_function:"gk_bytes_field"
 *     MESSAGE.FIELD type:FT_CALLBACK callback_datatype:"struct gk_bytes"
 * is a struct gk_bytes in the generated message: decoding points it into the received message without a
 * copy, encoding writes what it points to. It is valid as long as that message is kept.
 */
#ifndef GUIKA_RPC_BYTES_H
#define GUIKA_RPC_BYTES_H

#include <pb.h>
#include <stddef.h>
#include <stdint.h>

struct gk_bytes {
    const uint8_t *data; /* borrowed; may be NULL when size is 0 */
    size_t size;         /* bytes */
};

/* nanopb's named callback of a view field. Decoding needs a stream made by pb_istream_from_buffer. [any] */
bool gk_bytes_field(pb_istream_t *istream, pb_ostream_t *ostream, const pb_field_iter_t *field);

#endif

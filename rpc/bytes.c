#include "rpc/bytes.h"

#include <pb_decode.h>
#include <pb_encode.h>

/* A view needs the bytes to lie in memory: the state of a buffer stream is its read position. */
static bool decode_view(pb_istream_t *stream, struct gk_bytes *view)
{
    view->data = stream->state;
    view->size = stream->bytes_left;
    return pb_read(stream, NULL, stream->bytes_left);
}

bool gk_bytes_field(pb_istream_t *istream, pb_ostream_t *ostream, const pb_field_iter_t *field)
{
    if (istream != NULL) {
        return decode_view(istream, field->pData);
    }
    const struct gk_bytes *view = field->pData;

    if (view->size == 0) {
        return true;
    }
    return pb_encode_tag_for_field(ostream, field) && pb_encode_string(ostream, view->data, view->size);
}

#include "rpc/repeated.h"

#include <pb_decode.h>
#include <pb_encode.h>
#include <stdlib.h>
#include <string.h>

enum { ITEM_FIELD = 1 };

enum gk_status gk_repeated_next(struct gk_bytes *rest, const pb_msgdesc_t *descriptor, void *ret_item)
{
    pb_istream_t stream = pb_istream_from_buffer(rest->data, rest->size);
    pb_istream_t item;
    pb_wire_type_t wire_type;
    uint32_t tag;
    bool eof;

    if (rest->size == 0) {
        return GK_NOT_FOUND;
    }
    if (!pb_decode_tag(&stream, &wire_type, &tag, &eof) || wire_type != PB_WT_STRING || tag != ITEM_FIELD ||
        !pb_make_string_substream(&stream, &item)) {
        return GK_INVALID_ARGUMENT;
    }
    if (!pb_decode(&item, descriptor, ret_item) || !pb_close_string_substream(&stream, &item)) {
        return GK_INVALID_ARGUMENT;
    }
    rest->data += rest->size - stream.bytes_left;
    rest->size = stream.bytes_left;
    return GK_OK;
}

static void reserve(struct gk_repeated *list, size_t more)
{
    if (list->capacity - list->size >= more) {
        return;
    }
    size_t capacity = list->capacity == 0 ? 4096 : list->capacity;

    while (capacity - list->size < more) {
        capacity *= 2;
    }
    uint8_t *data = realloc(list->data, capacity);

    if (data == NULL) {
        abort();
    }
    list->data = data;
    list->capacity = capacity;
}

void gk_repeated_append_encoded(struct gk_repeated *list, struct gk_bytes item)
{
    enum { HEAD_MAX = 11 }; /* as below */

    reserve(list, HEAD_MAX + item.size);
    pb_ostream_t stream = pb_ostream_from_buffer(list->data + list->size, list->capacity - list->size);

    /* There is room for it, so nothing can fail. */
    (void)pb_encode_tag(&stream, PB_WT_STRING, ITEM_FIELD);
    (void)pb_encode_string(&stream, item.data, item.size);
    list->size += stream.bytes_written;
}

enum gk_status gk_repeated_append(struct gk_repeated *list, const pb_msgdesc_t *descriptor, const void *item)
{
    /* One byte of tag and at most ten of length stand before the item. */
    enum { HEAD_MAX = 11 };
    size_t size;

    if (!pb_get_encoded_size(&size, descriptor, item)) {
        return GK_INTERNAL;
    }
    reserve(list, HEAD_MAX + size);
    pb_ostream_t stream = pb_ostream_from_buffer(list->data + list->size, list->capacity - list->size);

    if (!pb_encode_tag(&stream, PB_WT_STRING, ITEM_FIELD) ||
        !pb_encode_submessage(&stream, descriptor, item)) {
        return GK_INTERNAL;
    }
    list->size += stream.bytes_written;
    return GK_OK;
}

struct gk_bytes gk_repeated_bytes(const struct gk_repeated *list)
{
    return (struct gk_bytes){list->data, list->size};
}

void gk_repeated_free(struct gk_repeated *list)
{
    free(list->data);
    *list = (struct gk_repeated){0};
}

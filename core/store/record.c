#include "core/store/record.h"

#include <pb_decode.h>
#include <pb_encode.h>
#include <stdlib.h>

static enum gk_status refuse_encoding(struct gk_error *error, const char *problem)
{
    return gk_error_set(error, GK_INTERNAL, "a record does not encode: %s", problem);
}

enum gk_status gk_record_put(struct gk_transaction *transaction, enum gk_family family, struct gk_bytes key,
                             const pb_msgdesc_t *descriptor, const void *message, struct gk_error *error)
{
    size_t size = 0;

    if (!pb_get_encoded_size(&size, descriptor, message)) {
        return refuse_encoding(error, "it has no size");
    }
    uint8_t *bytes = malloc(size + 1);

    if (bytes == NULL) {
        abort();
    }
    pb_ostream_t stream = pb_ostream_from_buffer(bytes, size);
    enum gk_status status = GK_OK;

    if (pb_encode(&stream, descriptor, message)) {
        gk_transaction_put(transaction, family, key, (struct gk_bytes){.data = bytes, .size = size});
    } else {
        status = refuse_encoding(error, PB_GET_ERROR(&stream));
    }
    free(bytes);
    return status;
}

enum gk_status gk_record_decode(struct gk_bytes value, const pb_msgdesc_t *descriptor, void *ret_message,
                                struct gk_error *error)
{
    pb_istream_t stream = pb_istream_from_buffer(value.data, value.size);

    if (!pb_decode(&stream, descriptor, ret_message)) {
        return gk_error_set(error, GK_DATA_LOSS, "a record of %zu bytes does not decode: %s", value.size,
                            PB_GET_ERROR(&stream));
    }
    return GK_OK;
}

static enum gk_status decode_and_free(enum gk_status status, struct gk_value *value,
                                      const pb_msgdesc_t *descriptor, void *ret_message,
                                      struct gk_error *error)
{
    if (status == GK_OK) {
        status = gk_record_decode((struct gk_bytes){.data = value->data, .size = value->size}, descriptor,
                                  ret_message, error);
        gk_value_free(value);
    }
    return status;
}

enum gk_status gk_record_get(struct gk_transaction *transaction, enum gk_family family, struct gk_bytes key,
                             const pb_msgdesc_t *descriptor, void *ret_message, struct gk_error *error)
{
    struct gk_value value = {0};
    const enum gk_status status = gk_transaction_get(transaction, family, key, &value, error);

    return decode_and_free(status, &value, descriptor, ret_message, error);
}

enum gk_status gk_record_read(struct gk_store *store, enum gk_family family, struct gk_bytes key,
                              const pb_msgdesc_t *descriptor, void *ret_message, struct gk_error *error)
{
    struct gk_value value = {0};
    const enum gk_status status = gk_store_get(store, family, key, &value, error);

    return decode_and_free(status, &value, descriptor, ret_message, error);
}

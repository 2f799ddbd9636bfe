/*
 * Records as they rest in the store: nanopb messages of records.proto as values. One pair of functions for
 * all of them.
 */
#ifndef GUIKA_CORE_STORE_RECORD_H
#define GUIKA_CORE_STORE_RECORD_H

#include "core/store/store.h"

#include <pb.h>

/* Encodes `message` and puts it. INTERNAL where it does not encode (a bug). [committer] */
enum gk_status gk_record_put(struct gk_transaction *transaction, enum gk_family family, struct gk_bytes key,
                             const pb_msgdesc_t *descriptor, const void *message, struct gk_error *error);

/* Reads and decodes into `ret_message`. NOT_FOUND where there is none; DATA_LOSS where it does not decode.
 * [committer] */
enum gk_status gk_record_get(struct gk_transaction *transaction, enum gk_family family, struct gk_bytes key,
                             const pb_msgdesc_t *descriptor, void *ret_message, struct gk_error *error);

/* As gk_record_get, as last committed. [worker] */
enum gk_status gk_record_read(struct gk_store *store, enum gk_family family, struct gk_bytes key,
                              const pb_msgdesc_t *descriptor, void *ret_message, struct gk_error *error);

/* Decodes a record that a scan handed out. [any] */
enum gk_status gk_record_decode(struct gk_bytes value, const pb_msgdesc_t *descriptor, void *ret_message,
                                struct gk_error *error);

#endif

/*
 * Long lists of messages. A nanopb struct holds at most 64 KiB, so a long list stands in a message of its own
 * whose only field, number 1, is the repeated one (CardRows, NumberQuestions, NumberAnswers), and that
 * message is a view field (rpc/bytes.h): it is read and written item by item.
 */
#ifndef GUIKA_RPC_REPEATED_H
#define GUIKA_RPC_REPEATED_H

#include "rpc/bytes.h"
#include "rpc/status.h"

/* Decodes the next item of `*rest` into `ret_item` (a struct of `descriptor`'s type) and moves `*rest` behind
 * it. NOT_FOUND at the end, INVALID_ARGUMENT where the bytes are no such list. [any] */
enum gk_status gk_repeated_next(struct gk_bytes *rest, const pb_msgdesc_t *descriptor, void *ret_item);

/* A list under construction; starts zeroed, freed by gk_repeated_free. */
struct gk_repeated {
    uint8_t *data;
    size_t size; /* bytes written */
    size_t capacity;
};

/* Appends one item. INTERNAL where it does not encode. Aborts where memory is exhausted. [any] */
enum gk_status gk_repeated_append(struct gk_repeated *list, const pb_msgdesc_t *descriptor, const void *item);
/* Appends an item that is encoded already. [any] */
void gk_repeated_append_encoded(struct gk_repeated *list, struct gk_bytes item);
struct gk_bytes gk_repeated_bytes(const struct gk_repeated *list); /* borrowed */
void gk_repeated_free(struct gk_repeated *list);

#endif

/*
 * A look at some records of a family, from anywhere, round: those at one end do not hide the others from
 * whoever looks at a few at a time.
 */
#ifndef GUIKA_CORE_STORE_SWEEP_H
#define GUIKA_CORE_STORE_SWEEP_H

#include "core/store/store.h"

/* Calls `visit` for the records of the family, each once, from a key by chance upwards and then from the
 * first up to that key, until it returns false. Keys begin with at least 32 bytes that are as good as random.
 * Key and value are borrowed for the call. [worker] */
enum gk_status gk_store_sweep(struct gk_store *store, enum gk_family family,
                              bool (*visit)(void *context, struct gk_bytes key, struct gk_bytes value),
                              void *context, struct gk_error *error);

#endif

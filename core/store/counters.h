/* Counters of the statistics: day (yyyymmdd, UTC), 0x00, box id, 0x00, name -> a 64-bit sum. */
#ifndef GUIKA_CORE_STORE_COUNTERS_H
#define GUIKA_CORE_STORE_COUNTERS_H

#include "core/store/engine.h"

#define GK_COUNTER_TEXT_LIMIT 64                                    /* characters of a box id or a name */
#define GK_COUNTER_KEY_SIZE (8 + 1 + 2 * GK_COUNTER_TEXT_LIMIT + 1) /* bytes, the longest */

/* Writes the key of `name`, or with an empty name the prefix of all names; returns its length. [any] */
size_t gk_counter_key(int64_t now_ms, const char *box_id, const char *name,
                      uint8_t ret_key[GK_COUNTER_KEY_SIZE]);

/* See gk_store_counters. [worker] */
enum gk_status gk_counters_sum(struct gk_engine *engine, int64_t now_ms, const char *box_id, uint32_t days,
                               void (*visit)(void *context, const char *name, uint64_t value), void *context,
                               struct gk_error *error);

#endif

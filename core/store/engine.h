/*
 * RocksDB behind the store: one column family a kind of record.
 *
 * Owns: the database directory. The one file that knows RocksDB; another engine stands behind the same
 * functions.
 */
#ifndef GUIKA_CORE_STORE_ENGINE_H
#define GUIKA_CORE_STORE_ENGINE_H

#include "core/store/overlay.h"
#include "core/store/store.h"

struct gk_engine;

/* See gk_store_open. [worker] */
enum gk_status gk_engine_open(const char *path, size_t cache_bytes, struct gk_engine **ret_engine,
                              struct gk_error *error);
void gk_engine_close(struct gk_engine *engine);

/* NOT_FOUND sets no message. `cached`: from memory alone, UNAVAILABLE where the disk would be needed.
 * [any] with `cached`, else [worker], [committer] */
enum gk_status gk_engine_get(struct gk_engine *engine, enum gk_family family, struct gk_bytes key,
                             bool cached, struct gk_value *ret_value, struct gk_error *error);

/* See gk_store_multi_get and gk_store_scan. [worker] */
enum gk_status gk_engine_multi_get(struct gk_engine *engine, enum gk_family family,
                                   const struct gk_bytes *keys, size_t count, struct gk_value *ret_values,
                                   struct gk_error *error);
enum gk_status gk_engine_scan(struct gk_engine *engine, enum gk_family family, struct gk_bytes prefix,
                              struct gk_bytes start, bool backwards,
                              bool (*visit)(void *context, struct gk_bytes key, struct gk_bytes value),
                              void *context, struct gk_error *error);

/* Writes every change of `overlay` in its order, all or none, and syncs the log. [committer] */
enum gk_status gk_engine_write(struct gk_engine *engine, const struct gk_overlay *overlay,
                               struct gk_error *error);

/* See gk_store_checkpoint. [worker] */
enum gk_status gk_engine_checkpoint(struct gk_engine *engine, const char *directory, struct gk_error *error);

/* A copy that the caller frees with gk_value_free; its data is never NULL. */
struct gk_value gk_value_copy(struct gk_bytes bytes);

/* Sums rest as 8 bytes, little-endian (what RocksDB's uint64add merges). */
void gk_sum_encode(uint64_t sum, uint8_t ret_bytes[8]);

#endif

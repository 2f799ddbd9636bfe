#include "core/store/engine.h"

#include <rocksdb/c.h>
#include <stdlib.h>
#include <string.h>

#define MIB ((size_t)1 << 20)
#define DEFAULT_CACHE_BYTES (64 * MIB)
#define WRITE_BUFFER_BYTES (16 * MIB) /* a family; that of an import fills, the others hardly */
#define ALL_WRITE_BUFFERS_BYTES (64 * MIB)
#define LOG_LIMIT_BYTES (128 * MIB) /* a log kept for one quiet family is flushed away past this */
#define BLOOM_BITS_PER_KEY 10       /* 1% false positives, RocksDB's wiki "RocksDB Bloom Filter" */
#define BLOCK_CACHE_TIER 1          /* ReadTier::kBlockCacheTier of rocksdb/options.h */
#define SUCCESSIVE_MERGES 64        /* additions to one key in memory before they are folded */
#define BACKGROUND_JOBS 2           /* one flush and one compaction */
#define LOG_LEVEL_WARN 2            /* InfoLogLevel::WARN_LEVEL of rocksdb/env.h */
#define LOG_FILES_KEPT 4

/* One row a family. */
static const struct family {
    const char *name;
    size_t prefix_bytes; /* scans are by this prefix, and filters know it; 0: none */
    bool sums;
} families[GK_FAMILY_COUNT] = {
    [GK_FAMILY_META] = {"default", 0, false}, /* RocksDB insists on a family of this name */
    [GK_FAMILY_FOUND_CARDS] = {"found_cards", 0, false},
    [GK_FAMILY_FOUND_BY_CARD] = {"found_by_card", 32, false},
    [GK_FAMILY_FOUND_BY_TIME] = {"found_by_time", 0, false},
    [GK_FAMILY_DEPOSITS] = {"deposits", 0, false},
    [GK_FAMILY_CARDS] = {"cards", 0, false},
    [GK_FAMILY_HOLDERS] = {"holders", 0, false},
    [GK_FAMILY_DENSITY] = {"density", 0, true},
    [GK_FAMILY_ISSUER_ACCOUNTS] = {"issuer_accounts", 0, false},
    [GK_FAMILY_OUTBOX] = {"outbox", 0, false},
    [GK_FAMILY_OUTBOX_DUE] = {"outbox_due", 0, false},
    [GK_FAMILY_ENQUIRIES] = {"enquiries", 0, false},
    [GK_FAMILY_BOXES] = {"boxes", 0, false},
    [GK_FAMILY_CREDENTIALS] = {"credentials", 0, false},
    [GK_FAMILY_COUNTERS] = {"counters", 0, true},
    [GK_FAMILY_AUDIT] = {"audit", 0, false},
    [GK_FAMILY_ISSUER_QUEUE] = {"issuer_queue", 0, false},
    [GK_FAMILY_CONTACTS] = {"contacts", 40, false},
    [GK_FAMILY_FOUND_BY_HOLDER] = {"found_by_holder", 32, false},
    [GK_FAMILY_CODES] = {"codes", 0, false},
    [GK_FAMILY_WATCHES] = {"watches", 0, false},
    [GK_FAMILY_CLAIMS] = {"claims", 0, false},
    [GK_FAMILY_BY_PLACE] = {"by_place", 0, false},
    [GK_FAMILY_CLOCKS] = {"clocks", 0, false},
    [GK_FAMILY_OPENINGS] = {"openings", 0, false},
    [GK_FAMILY_DIFFICULT] = {"difficult", 0, false},
    [GK_FAMILY_OLDER_CARDS] = {"older_cards", 0, false},
    [GK_FAMILY_HAND_OVER] = {"hand_over", 0, false},
    [GK_FAMILY_AUDIT_BY_SUBJECT] = {"audit_by_subject", 16, false},
};

struct gk_engine {
    rocksdb_t *db;
    rocksdb_cache_t *cache;
    rocksdb_column_family_handle_t *handles[GK_FAMILY_COUNT];
    rocksdb_readoptions_t *read;
    rocksdb_readoptions_t *read_cached;
    rocksdb_writeoptions_t *write;
    rocksdb_writebatch_t *batch; /* the committer's; kept for its memory */
};

/* --- values --- */

struct gk_value gk_value_copy(struct gk_bytes bytes)
{
    struct gk_value value = {.data = malloc(bytes.size + 1), .size = bytes.size};

    if (value.data == NULL) {
        abort();
    }
    if (bytes.size > 0) {
        memcpy(value.data, bytes.data, bytes.size);
    }
    return value;
}

void gk_sum_encode(uint64_t sum, uint8_t ret_bytes[8])
{
    for (unsigned i = 0; i < 8; i++) {
        ret_bytes[i] = (uint8_t)(sum >> (8 * i));
    }
}

/* --- errors --- */

/* RocksDB's C API gives text alone; it begins with the kind (Status::ToString, util/status.cc). */
static enum gk_status status_of(const char *text)
{
    if (strncmp(text, "Corruption", 10) == 0) {
        return GK_DATA_LOSS;
    }
    if (strncmp(text, "Invalid argument", 16) == 0) {
        return GK_FAILED_PRECONDITION;
    }
    return GK_UNAVAILABLE;
}

/* Takes `text`; NULL is success. */
static enum gk_status take_error(char *text, const char *what, struct gk_error *error)
{
    if (text == NULL) {
        return GK_OK;
    }
    text[strcspn(text, "\n")] = '\0';
    const enum gk_status status = gk_error_set(error, status_of(text), "%s: %s", what, text);

    rocksdb_free(text);
    return status;
}

/* --- opening --- */

static rocksdb_options_t *make_options(const struct family *family, rocksdb_cache_t *cache)
{
    rocksdb_options_t *options = rocksdb_options_create();
    rocksdb_block_based_table_options_t *table = rocksdb_block_based_options_create();

    rocksdb_block_based_options_set_block_cache(table, cache);
    /* The table takes the filter policy over. */
    rocksdb_block_based_options_set_filter_policy(table,
                                                  rocksdb_filterpolicy_create_bloom_full(BLOOM_BITS_PER_KEY));
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_block_based_options_destroy(table);

    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_options_set_create_missing_column_families(options, 1);
    rocksdb_options_set_paranoid_checks(options, 1);
    /* A torn tail is what a crash leaves; damage anywhere else must be seen (mode 2, the default, drops what
     * follows it without a word). */
    rocksdb_options_set_wal_recovery_mode(options, rocksdb_tolerate_corrupted_tail_records_recovery);
    rocksdb_options_set_write_buffer_size(options, WRITE_BUFFER_BYTES);
    rocksdb_options_set_db_write_buffer_size(options, ALL_WRITE_BUFFERS_BYTES);
    rocksdb_options_set_max_total_wal_size(options, LOG_LIMIT_BYTES);
    rocksdb_options_set_max_background_jobs(options, BACKGROUND_JOBS);
    rocksdb_options_set_compression(options, rocksdb_lz4_compression);
    rocksdb_options_set_info_log_level(options, LOG_LEVEL_WARN);
    rocksdb_options_set_keep_log_file_num(options, LOG_FILES_KEPT);
    rocksdb_options_set_stats_dump_period_sec(options, 0);
    rocksdb_options_set_stats_persist_period_sec(options, 0);
    if (family->prefix_bytes > 0) {
        rocksdb_options_set_prefix_extractor(
            options, rocksdb_slicetransform_create_fixed_prefix(family->prefix_bytes));
    }
    if (family->sums) {
        rocksdb_options_set_uint64add_merge_operator(options);
        rocksdb_options_set_max_successive_merges(options, SUCCESSIVE_MERGES);
    }
    return options;
}

enum gk_status gk_engine_open(const char *path, size_t cache_bytes, struct gk_engine **ret_engine,
                              struct gk_error *error)
{
    struct gk_engine *engine = calloc(1, sizeof *engine);
    rocksdb_options_t *options[GK_FAMILY_COUNT];
    const char *names[GK_FAMILY_COUNT];
    char *problem = NULL;

    if (engine == NULL) {
        abort();
    }
    engine->cache = rocksdb_cache_create_lru(cache_bytes > 0 ? cache_bytes : DEFAULT_CACHE_BYTES);
    for (size_t i = 0; i < GK_FAMILY_COUNT; i++) {
        options[i] = make_options(&families[i], engine->cache);
        names[i] = families[i].name;
    }
    engine->db =
        rocksdb_open_column_families(options[0], path, GK_FAMILY_COUNT, names,
                                     (const rocksdb_options_t *const *)options, engine->handles, &problem);
    for (size_t i = 0; i < GK_FAMILY_COUNT; i++) {
        rocksdb_options_destroy(options[i]);
    }
    if (problem != NULL) {
        const bool is_held = strstr(problem, "lock file") != NULL;

        rocksdb_cache_destroy(engine->cache);
        free(engine);
        return take_error(problem,
                          is_held ? "another process has the store open: stop it, or configure another data"
                                  : "cannot open the store",
                          error);
    }
    engine->read = rocksdb_readoptions_create();
    engine->read_cached = rocksdb_readoptions_create();
    rocksdb_readoptions_set_read_tier(engine->read_cached, BLOCK_CACHE_TIER);
    engine->write = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(engine->write, 1);
    engine->batch = rocksdb_writebatch_create();
    *ret_engine = engine;
    return GK_OK;
}

void gk_engine_close(struct gk_engine *engine)
{
    if (engine == NULL) {
        return;
    }
    rocksdb_writebatch_destroy(engine->batch);
    rocksdb_writeoptions_destroy(engine->write);
    rocksdb_readoptions_destroy(engine->read_cached);
    rocksdb_readoptions_destroy(engine->read);
    for (size_t i = 0; i < GK_FAMILY_COUNT; i++) {
        rocksdb_column_family_handle_destroy(engine->handles[i]);
    }
    rocksdb_close(engine->db);
    rocksdb_cache_destroy(engine->cache);
    free(engine);
}

/* --- reading --- */

static struct gk_value copy_pinned(const rocksdb_pinnableslice_t *pinned)
{
    size_t size = 0;
    const char *data = rocksdb_pinnableslice_value(pinned, &size);

    return gk_value_copy((struct gk_bytes){.data = (const uint8_t *)data, .size = size});
}

enum gk_status gk_engine_get(struct gk_engine *engine, enum gk_family family, struct gk_bytes key,
                             bool cached, struct gk_value *ret_value, struct gk_error *error)
{
    char *problem = NULL;
    rocksdb_pinnableslice_t *pinned =
        rocksdb_get_pinned_cf(engine->db, cached ? engine->read_cached : engine->read,
                              engine->handles[family], (const char *)key.data, key.size, &problem);

    if (problem != NULL) {
        return take_error(problem, "cannot read the store", error);
    }
    if (pinned == NULL) {
        return GK_NOT_FOUND;
    }
    *ret_value = copy_pinned(pinned);
    rocksdb_pinnableslice_destroy(pinned);
    return GK_OK;
}

/* The arrays that the C API wants for one multi-get. */
struct multi_get {
    const char **keys;
    size_t *sizes;
    rocksdb_pinnableslice_t **pinned;
    char **problems;
};

static enum gk_status finish_multi_get(struct multi_get *arrays, size_t count, struct gk_value *ret_values,
                                       struct gk_error *error)
{
    enum gk_status status = GK_OK;

    for (size_t i = 0; i < count; i++) {
        const enum gk_status got = take_error(arrays->problems[i], "cannot read the store", error);

        status = got != GK_OK ? got : status;
    }
    for (size_t i = 0; i < count; i++) {
        if (status == GK_OK) {
            ret_values[i] = arrays->pinned[i] != NULL ? copy_pinned(arrays->pinned[i]) : (struct gk_value){0};
        }
        if (arrays->pinned[i] != NULL) {
            rocksdb_pinnableslice_destroy(arrays->pinned[i]);
        }
    }
    return status;
}

enum gk_status gk_engine_multi_get(struct gk_engine *engine, enum gk_family family,
                                   const struct gk_bytes *keys, size_t count, struct gk_value *ret_values,
                                   struct gk_error *error)
{
    struct multi_get arrays = {
        .keys = calloc(count + 1, sizeof *arrays.keys),
        .sizes = calloc(count + 1, sizeof *arrays.sizes),
        .pinned = calloc(count + 1, sizeof(rocksdb_pinnableslice_t *)),
        .problems = calloc(count + 1, sizeof(char *)),
    };

    if (arrays.keys == NULL || arrays.sizes == NULL || arrays.pinned == NULL || arrays.problems == NULL) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        arrays.keys[i] = (const char *)keys[i].data;
        arrays.sizes[i] = keys[i].size;
    }
    rocksdb_batched_multi_get_cf(engine->db, engine->read, engine->handles[family], count, arrays.keys,
                                 arrays.sizes, arrays.pinned, arrays.problems, false);
    const enum gk_status status = finish_multi_get(&arrays, count, ret_values, error);

    free(arrays.keys);
    free(arrays.sizes);
    free(arrays.pinned);
    free(arrays.problems);
    return status;
}

/* The first key after all that begin with `prefix`, in `ret_bound` (prefix.size bytes); returns its length, 0
 * where there is none. */
static size_t bound_after(struct gk_bytes prefix, uint8_t *ret_bound)
{
    size_t size = prefix.size;

    while (size > 0 && prefix.data[size - 1] == UINT8_MAX) {
        size--;
    }
    if (size > 0) {
        memcpy(ret_bound, prefix.data, size);
        ret_bound[size - 1]++;
    }
    return size;
}

static void seek(rocksdb_iterator_t *iterator, struct gk_bytes prefix, struct gk_bytes start, bool backwards)
{
    const struct gk_bytes from = start.size > 0 ? start : prefix;

    if (!backwards && from.size > 0) {
        rocksdb_iter_seek(iterator, (const char *)from.data, from.size);
    } else if (!backwards) {
        rocksdb_iter_seek_to_first(iterator);
    } else if (start.size > 0) {
        rocksdb_iter_seek_for_prev(iterator, (const char *)start.data, start.size);
    } else {
        rocksdb_iter_seek_to_last(iterator);
    }
}

static void visit_all(rocksdb_iterator_t *iterator, bool backwards,
                      bool (*visit)(void *context, struct gk_bytes key, struct gk_bytes value), void *context)
{
    while (rocksdb_iter_valid(iterator) != 0) {
        size_t key_size = 0;
        size_t value_size = 0;
        const char *key = rocksdb_iter_key(iterator, &key_size);
        const char *value = rocksdb_iter_value(iterator, &value_size);

        if (!visit(context, (struct gk_bytes){.data = (const uint8_t *)key, .size = key_size},
                   (struct gk_bytes){.data = (const uint8_t *)value, .size = value_size})) {
            return;
        }
        if (backwards) {
            rocksdb_iter_prev(iterator);
        } else {
            rocksdb_iter_next(iterator);
        }
    }
}

enum gk_status gk_engine_scan(struct gk_engine *engine, enum gk_family family, struct gk_bytes prefix,
                              struct gk_bytes start, bool backwards,
                              bool (*visit)(void *context, struct gk_bytes key, struct gk_bytes value),
                              void *context, struct gk_error *error)
{
    rocksdb_readoptions_t *options = rocksdb_readoptions_create();
    uint8_t *bound = malloc(prefix.size + 1);
    char *problem = NULL;

    if (bound == NULL) {
        abort();
    }
    const size_t bound_size = bound_after(prefix, bound);
    const size_t filtered = families[family].prefix_bytes;

    if (prefix.size > 0) {
        rocksdb_readoptions_set_iterate_lower_bound(options, (const char *)prefix.data, prefix.size);
    }
    if (bound_size > 0) {
        rocksdb_readoptions_set_iterate_upper_bound(options, (const char *)bound, bound_size);
    }
    /* The filter of prefixes answers only a scan that stays within one of them and goes upwards. */
    rocksdb_readoptions_set_total_order_seek(options, backwards || filtered == 0 || prefix.size < filtered);
    rocksdb_iterator_t *iterator = rocksdb_create_iterator_cf(engine->db, options, engine->handles[family]);

    seek(iterator, prefix, start, backwards);
    visit_all(iterator, backwards, visit, context);
    rocksdb_iter_get_error(iterator, &problem);
    rocksdb_iter_destroy(iterator);
    rocksdb_readoptions_destroy(options);
    free(bound);
    return take_error(problem, "cannot scan the store", error);
}

/* --- writing --- */

static void write_change(rocksdb_writebatch_t *batch, rocksdb_column_family_handle_t *handle,
                         const struct gk_change *change)
{
    const char *key = (const char *)change->key.data;
    const char *value = (const char *)change->value.data;
    uint8_t amount[8];

    switch (change->kind) {
    case GK_CHANGE_PUT:
        rocksdb_writebatch_put_cf(batch, handle, key, change->key.size, value, change->value.size);
        break;
    case GK_CHANGE_DELETE:
        rocksdb_writebatch_delete_cf(batch, handle, key, change->key.size);
        break;
    case GK_CHANGE_ADD:
        gk_sum_encode(change->amount, amount);
        rocksdb_writebatch_merge_cf(batch, handle, key, change->key.size, (const char *)amount,
                                    sizeof amount);
        break;
    case GK_CHANGE_DELETE_RANGE:
        rocksdb_writebatch_delete_range_cf(batch, handle, key, change->key.size, value, change->value.size);
        break;
    }
}

enum gk_status gk_engine_write(struct gk_engine *engine, const struct gk_overlay *overlay,
                               struct gk_error *error)
{
    const size_t count = gk_overlay_mark(overlay);
    char *problem = NULL;

    rocksdb_writebatch_clear(engine->batch);
    for (size_t i = 0; i < count; i++) {
        const struct gk_change change = gk_overlay_change(overlay, i);

        write_change(engine->batch, engine->handles[change.family], &change);
    }
    rocksdb_write(engine->db, engine->write, engine->batch, &problem);
    return take_error(problem, "cannot write the store", error);
}

/* --- checkpoints --- */

enum gk_status gk_engine_checkpoint(struct gk_engine *engine, const char *directory, struct gk_error *error)
{
    char *problem = NULL;
    rocksdb_checkpoint_t *checkpoint = rocksdb_checkpoint_object_create(engine->db, &problem);

    if (problem == NULL) {
        /* 0: what is in memory is flushed first, so that the copy needs no log. */
        rocksdb_checkpoint_create(checkpoint, directory, 0, &problem);
    }
    if (checkpoint != NULL) {
        rocksdb_checkpoint_object_destroy(checkpoint);
    }
    return take_error(problem, "cannot make a checkpoint", error);
}

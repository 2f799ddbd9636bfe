/*
 * How many transitions a second become durable? Ours: gk_store_commit with the records of a found card, its
 * audit entry and a counter. The peer: RocksDB with one synced WriteBatch of the same records, and of an
 * audit entry of the same size. Each caller waits for its transition before it makes the next.
 */
#include "bench/rounds.h"
#include "core/store/store.h"

#include <ftw.h>
#include <pthread.h>
#include <rocksdb/c.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUND_MS = 1000, CALLERS = 64, CASE_SIZE = 16, AUDIT_BYTES = 150, COUNTER_BYTES = 30 };

/* What one found card writes: sizes as guikad's own records have them, keys ahead of the case id. */
static const struct record {
    enum gk_family family;
    size_t key_prefix;
    size_t value_bytes;
} records[] = {
    {GK_FAMILY_FOUND_CARDS, 0, 220}, {GK_FAMILY_FOUND_BY_CARD, 32, 0}, {GK_FAMILY_FOUND_BY_TIME, 8, 0},
    {GK_FAMILY_DEPOSITS, 20, 130},   {GK_FAMILY_OUTBOX, 0, 180},
};

enum { RECORDS = sizeof records / sizeof records[0], KEY_MAX = 64 };

struct bench {
    char directory[sizeof GUIKA_BINARY_DIR + 32];
    struct gk_store *store;
    rocksdb_t *raw;
    rocksdb_writeoptions_t *synced;
    unsigned callers;
    atomic_ullong next;
};

static const uint8_t bytes[512]; /* what values are made of; neither log is compressed */

static size_t make_key(const struct record *record, uint64_t number, uint8_t key[KEY_MAX])
{
    /* Spread, as random case ids and tokens are. */
    const uint64_t spread = number * UINT64_C(0x9e3779b97f4a7c15);

    memset(key, 0, record->key_prefix + CASE_SIZE);
    memcpy(key, &spread, sizeof spread);
    memcpy(key + record->key_prefix, &spread, sizeof spread);
    memcpy(key + record->key_prefix + sizeof spread, &number, sizeof number);
    return record->key_prefix + CASE_SIZE;
}

static void must(const char *what, const char *problem)
{
    if (problem != NULL) {
        (void)fprintf(stderr, "commit: %s: %s\n", what, problem);
        exit(1);
    }
}

static enum gk_status apply(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const uint64_t *number = context;
    uint8_t key[KEY_MAX];

    (void)error;
    for (size_t i = 0; i < RECORDS; i++) {
        const size_t size = make_key(&records[i], *number, key);

        gk_transaction_put(transaction, records[i].family, (struct gk_bytes){key, size},
                           (struct gk_bytes){bytes, records[i].value_bytes});
    }
    gk_transaction_audit(transaction, "box:library-1", "card.decide", (struct gk_bytes){bytes, CASE_SIZE},
                         "identified");
    gk_transaction_count(transaction, "library-1", "deposits");
    return GK_OK;
}

static void commit_one(struct bench *bench)
{
    uint64_t number = atomic_fetch_add(&bench->next, 1);
    struct gk_error error;

    if (gk_store_commit_and_wait(bench->store, apply, &number, &error) != GK_OK) {
        must("commit", error.message);
    }
}

static void write_one(struct bench *bench)
{
    const uint64_t number = atomic_fetch_add(&bench->next, 1);
    rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
    uint8_t key[KEY_MAX];
    char *problem = NULL;

    for (size_t i = 0; i < RECORDS; i++) {
        const size_t size = make_key(&records[i], number, key);

        rocksdb_writebatch_put(batch, (const char *)key, size, (const char *)bytes, records[i].value_bytes);
    }
    rocksdb_writebatch_put(batch, (const char *)&number, sizeof number, (const char *)bytes, AUDIT_BYTES);
    rocksdb_writebatch_put(batch, "counter", 7, (const char *)bytes, COUNTER_BYTES);
    rocksdb_write(bench->raw, bench->synced, batch, &problem);
    must("write", problem);
    rocksdb_writebatch_destroy(batch);
}

/* --- callers
 * --------------------------------------------------------------------------------------------------------------
 */

struct caller {
    pthread_t thread;
    struct bench *bench;
    void (*work)(struct bench *bench);
    int64_t ends_ns;
    uint64_t count;
};

static void *call(void *context)
{
    struct caller *caller = context;

    while (gk_bench_now_ns() < caller->ends_ns) {
        caller->work(caller->bench);
        caller->count++;
    }
    return NULL;
}

static uint64_t run(struct bench *bench, void (*work)(struct bench *bench), int64_t ends_ns)
{
    struct caller callers[CALLERS];
    uint64_t count = 0;

    for (unsigned i = 0; i < bench->callers; i++) {
        callers[i] = (struct caller){.bench = bench, .work = work, .ends_ns = ends_ns};
        if (pthread_create(&callers[i].thread, NULL, call, &callers[i]) != 0) {
            must("thread", "cannot be started");
        }
    }
    for (unsigned i = 0; i < bench->callers; i++) {
        (void)pthread_join(callers[i].thread, NULL);
        count += callers[i].count;
    }
    return count;
}

static uint64_t run_ours(void *context, int64_t ends_ns)
{
    return run(context, commit_one, ends_ns);
}

static uint64_t run_raw(void *context, int64_t ends_ns)
{
    return run(context, write_one, ends_ns);
}

/* --- opening
 * --------------------------------------------------------------------------------------------------------------
 */

static int64_t now_ms(void *context)
{
    (void)context;
    return (int64_t)time(NULL) * 1000;
}

static void open_both(struct bench *bench)
{
    char path[sizeof bench->directory + 8];
    const struct gk_store_options options = {.path = path, .cache_bytes = 64 << 20, .now_ms = now_ms};
    rocksdb_options_t *raw = rocksdb_options_create();
    struct gk_error error;
    char *problem = NULL;

    (void)snprintf(bench->directory, sizeof bench->directory, GUIKA_BINARY_DIR "/commit-XXXXXX");
    if (mkdtemp(bench->directory) == NULL) {
        must(bench->directory, "cannot be made");
    }
    (void)snprintf(path, sizeof path, "%s/ours", bench->directory);
    if (gk_store_open(&options, &bench->store, &error) != GK_OK) {
        must("store", error.message);
    }
    (void)snprintf(path, sizeof path, "%s/raw", bench->directory);
    rocksdb_options_set_create_if_missing(raw, 1);
    rocksdb_options_set_compression(raw, rocksdb_lz4_compression);
    bench->raw = rocksdb_open(raw, path, &problem);
    must("RocksDB", problem);
    rocksdb_options_destroy(raw);
    bench->synced = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(bench->synced, 1);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status;
    (void)type;
    (void)where;
    return remove(path);
}

int main(void)
{
    struct bench bench = {.callers = 1};

    open_both(&bench);
    gk_bench_compare("durable transitions, 1 caller", ROUND_MS, run_ours, &bench, run_raw, &bench);
    bench.callers = CALLERS;
    gk_bench_compare("durable transitions, 64 callers", ROUND_MS, run_ours, &bench, run_raw, &bench);
    gk_store_close(bench.store);
    rocksdb_close(bench.raw);
    rocksdb_writeoptions_destroy(bench.synced);
    (void)nftw(bench.directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}

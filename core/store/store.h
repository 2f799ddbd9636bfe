/*
 * The store: named families of records, ordered by key, changed by one committer thread.
 *
 * Owns: the database directory and the committer thread. Everything that changes state goes through
 * gk_store_commit: the work's `apply` runs on the committer, sees every change before it, checks and writes
 * in one atomic batch, and may add an audit entry; what waits is grouped into one synchronous write, and
 * `done` is called once that is durable. So two works never interleave, and nobody hears of a change that
 * could be lost.
 *
 * Small enough that a distributed engine can stand behind it: get, multi-get, scan, commit, bulk write,
 * checkpoint.
 */
#ifndef GUIKA_CORE_STORE_STORE_H
#define GUIKA_CORE_STORE_STORE_H

#include "rpc/bytes.h"
#include "rpc/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One family a kind of record; records.proto describes keys and values. */
enum gk_family {
    GK_FAMILY_META,
    GK_FAMILY_FOUND_CARDS,
    GK_FAMILY_FOUND_BY_CARD, /* card token (32), case id (16) -> nothing */
    GK_FAMILY_FOUND_BY_TIME, /* received_at_ms (8, big-endian), case id (16) -> nothing */
    GK_FAMILY_DEPOSITS,
    GK_FAMILY_CARDS,
    GK_FAMILY_HOLDERS,
    GK_FAMILY_DENSITY, /* generation (8), level (1), token (32) -> count, a 64-bit sum */
    GK_FAMILY_ISSUER_ACCOUNTS,
    GK_FAMILY_OUTBOX,
    GK_FAMILY_OUTBOX_DUE,
    GK_FAMILY_ENQUIRIES,
    GK_FAMILY_BOXES,
    GK_FAMILY_CREDENTIALS,
    GK_FAMILY_COUNTERS, /* see gk_transaction_count */
    GK_FAMILY_AUDIT,
    GK_FAMILY_ISSUER_QUEUE,    /* account name, 0x00, case id (16) */
    GK_FAMILY_CONTACTS,        /* generation (8), contact token (32), holder token (32) -> nothing */
    GK_FAMILY_FOUND_BY_HOLDER, /* holder or contact token (32), case id (16) -> nothing */
    GK_FAMILY_CODES,
    GK_FAMILY_WATCHES,
    GK_FAMILY_CLAIMS,
    GK_FAMILY_BY_PLACE,  /* place, 0x00, case id (16) -> nothing */
    GK_FAMILY_CLOCKS,    /* due (8, big-endian ms), case id (16) -> nothing */
    GK_FAMILY_OPENINGS,  /* fencing token (8, big-endian) */
    GK_FAMILY_DIFFICULT, /* received_at_ms (8, big-endian), case id (16) -> nothing, while DIFFICULT */
    GK_FAMILY_OLDER_CARDS,
    GK_FAMILY_HAND_OVER, /* end of retention (8, big-endian ms), case id (16) -> nothing: EXPIRED or DIFFICULT
                          */
    GK_FAMILY_AUDIT_BY_SUBJECT, /* subject of 16 bytes, as a case id, sequence (8, big-endian) -> nothing */
    GK_FAMILY_COUNT
};

struct gk_store;
struct gk_transaction;

struct gk_store_options {
    const char *path;   /* directory, made if missing (0700) */
    size_t cache_bytes; /* block cache; 0: 64 MiB */
    int64_t (*now_ms)(
        void *context); /* Unix milliseconds, for audit entries and counters' days; the injected clock */
    void *now_context;
};

/* Opens or makes the store. Errors: FAILED_PRECONDITION for another schema version (says which), DATA_LOSS
 * where the log is damaged in its middle, UNAVAILABLE where another process has it open. */
enum gk_status gk_store_open(const struct gk_store_options *options, struct gk_store **ret_store,
                             struct gk_error *error);

/* Finishes what was handed to gk_store_commit, then closes. [worker] */
void gk_store_close(struct gk_store *store);

/* A value handed out; free with gk_value_free. */
struct gk_value {
    uint8_t *data;
    size_t size;
};
void gk_value_free(struct gk_value *value);

/* The sum that a record of GK_FAMILY_DENSITY or GK_FAMILY_COUNTERS holds (8 bytes, little-endian); 0 for a
 * value of any other length. [any] */
uint64_t gk_sum_decode(struct gk_bytes value);

/* Reads one record as last committed. NOT_FOUND leaves `ret_value` untouched and sets no message. May read
 * the disk. [any but loop] */
enum gk_status gk_store_get(struct gk_store *store, enum gk_family family, struct gk_bytes key,
                            struct gk_value *ret_value, struct gk_error *error);

/* As gk_store_get, from memory alone: UNAVAILABLE where the disk would be needed. [any] */
enum gk_status gk_store_get_cached(struct gk_store *store, enum gk_family family, struct gk_bytes key,
                                   struct gk_value *ret_value, struct gk_error *error);

/* Reads `count` records of one family; absent ones have data NULL. [worker] */
enum gk_status gk_store_multi_get(struct gk_store *store, enum gk_family family, const struct gk_bytes *keys,
                                  size_t count, struct gk_value *ret_values, struct gk_error *error);

/* Calls `visit` for the records whose key begins with `prefix` (may be empty), from `start` (may be empty:
 * the first) upwards, or downwards with `backwards`, until it returns false. Key and value are borrowed for
 * the call. A consistent snapshot. [worker] */
enum gk_status gk_store_scan(struct gk_store *store, enum gk_family family, struct gk_bytes prefix,
                             struct gk_bytes start, bool backwards,
                             bool (*visit)(void *context, struct gk_bytes key, struct gk_bytes value),
                             void *context, struct gk_error *error);

/* --- transitions --- */

/* One change. The caller owns the struct (usually embedded in its own) and keeps it until `done`. */
struct gk_work {
    /* [committer] Reads and writes through `transaction`; must not block. Returning other than GK_OK undoes
     * all that it wrote; `done` then gets that status. */
    enum gk_status (*apply)(struct gk_work *work, struct gk_transaction *transaction, struct gk_error *error);
    /* [committer] Durable (GK_OK) or refused. Hands over to its own thread; must not block. `error` is never
     * NULL and borrowed for the call; its message is empty with GK_OK. */
    void (*done)(struct gk_work *work, enum gk_status status, const struct gk_error *error);
    struct gk_work *next; /* the store's */
};

/* Hands `work` to the committer. Returns false where the queue (4096) is full or the store closes; then
 * `done` is not called. [any] */
bool gk_store_commit(struct gk_store *store, struct gk_work *work);

/* As gk_store_commit, but waits; for tests, tools and start-up. RESOURCE_EXHAUSTED where the queue is full or
 * the store closes. Not for the loop, nor for the committer. [worker] */
enum gk_status gk_store_commit_and_wait(struct gk_store *store,
                                        enum gk_status (*apply)(void *context,
                                                                struct gk_transaction *transaction,
                                                                struct gk_error *error),
                                        void *context, struct gk_error *error);

/* Within apply. Reads see the changes before, also those not yet durable. [committer] */
enum gk_status gk_transaction_get(struct gk_transaction *transaction, enum gk_family family,
                                  struct gk_bytes key, struct gk_value *ret_value, struct gk_error *error);
void gk_transaction_put(struct gk_transaction *transaction, enum gk_family family, struct gk_bytes key,
                        struct gk_bytes value);
void gk_transaction_delete(struct gk_transaction *transaction, enum gk_family family, struct gk_bytes key);
/* Adds to a 64-bit sum (GK_FAMILY_DENSITY and GK_FAMILY_COUNTERS alone). */
void gk_transaction_add(struct gk_transaction *transaction, enum gk_family family, struct gk_bytes key,
                        uint64_t amount);
/* Deletes the keys of [from, to). */
void gk_transaction_delete_range(struct gk_transaction *transaction, enum gk_family family,
                                 struct gk_bytes from, struct gk_bytes to);
/* Adds one entry to the hash chain; at most once a transition. `subject` at most 64 bytes, nothing personal
 * in any of them. */
void gk_transaction_audit(struct gk_transaction *transaction, const char *actor, const char *action,
                          struct gk_bytes subject, const char *detail);
/* Adds 1 to the counter `name` of today (UTC, by the store's clock) for `box_id` ("" where it belongs to
 * none) and for all. */
void gk_transaction_count(struct gk_transaction *transaction, const char *box_id, const char *name);

/* Unix milliseconds of this work, by the store's clock. [committer] */
int64_t gk_transaction_now_ms(const struct gk_transaction *transaction);

/* Unix milliseconds by the store's clock. [any] */
int64_t gk_store_now_ms(const struct gk_store *store);

/* --- statistics and audit --- */

/* Sums the counters of `box_id` ("": all) over today and `days` days before, by name in order. [worker] */
enum gk_status gk_store_counters(struct gk_store *store, const char *box_id, uint32_t days,
                                 void (*visit)(void *context, const char *name, uint64_t value),
                                 void *context, struct gk_error *error);

/* Recomputes the audit chain from its first entry. DATA_LOSS names the first entry that does not agree.
 * [worker] */
enum gk_status gk_store_verify_audit(struct gk_store *store, uint64_t *ret_entries, struct gk_error *error);

/* Makes the folder `directory` (absent; its parent there) and a store in it that holds all that was committed
 * when the call began. The files that never change are shared where the file system can. [worker] */
enum gk_status gk_store_checkpoint(struct gk_store *store, const char *directory, struct gk_error *error);
/* The newest durable entry of the audit chain; sequence 0: there is none. [worker] */
struct gk_audit_head;
enum gk_status gk_store_audit_head(struct gk_store *store, struct gk_audit_head *ret_head,
                                   struct gk_error *error);

/* Nothing is ever acknowledged from here on a write error of the disk: true once a write has failed; every
 * commit is then refused with UNAVAILABLE until a restart. [any] */
bool gk_store_failed(const struct gk_store *store);

#endif

#include "core/migration.h"

#include "core/found_card.h"
#include "core/memory.h"
#include "core/store/audit_chain.h"
#include "core/store/record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    VERSION = 1,
    BATCH = 2000, /* rows of one commit */
};

static const struct gk_bytes version_key = {(const uint8_t *)"indexes", sizeof "indexes" - 1};

/* Rows on their way into one commit. */
struct batch {
    struct gk_store *store;
    enum gk_family family;
    uint8_t (*keys)[GK_AUDIT_SUBJECT_KEY_SIZE];
    size_t count;
    size_t written;
    enum gk_status status;
    struct gk_error *error;
};

static_assert((int)GK_HAND_OVER_KEY_SIZE == (int)GK_AUDIT_SUBJECT_KEY_SIZE,
              "rows of both indexes have one length");

static enum gk_status apply_batch(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct batch *batch = context;

    (void)error;
    for (size_t i = 0; i < batch->count; i++) {
        gk_transaction_put(transaction, batch->family,
                           (struct gk_bytes){batch->keys[i], sizeof batch->keys[i]},
                           (struct gk_bytes){NULL, 0});
    }
    return GK_OK;
}

static bool flush(struct batch *batch)
{
    batch->status = gk_store_commit_and_wait(batch->store, apply_batch, batch, batch->error);
    batch->written += batch->count;
    batch->count = 0;
    return batch->status == GK_OK;
}

static bool take_card(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct batch *batch = context;
    guika_v1_internal_FoundCard card = {0};

    (void)key;
    batch->status = gk_record_decode(value, guika_v1_internal_FoundCard_fields, &card, batch->error);
    if (batch->status != GK_OK || !gk_found_card_hand_over_key(&card, batch->keys[batch->count])) {
        return batch->status == GK_OK;
    }
    batch->count++;
    return batch->count < BATCH || flush(batch);
}

/* An entry that does not decode is the verification's to find. */
static bool take_entry(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct batch *batch = context;
    guika_v1_internal_AuditEntry entry = guika_v1_internal_AuditEntry_init_zero;

    (void)key;
    if (gk_record_decode(value, guika_v1_internal_AuditEntry_fields, &entry, NULL) != GK_OK ||
        entry.subject.size != GK_AUDIT_SUBJECT_SIZE) {
        return true;
    }
    gk_audit_subject_key(entry.subject.bytes, entry.sequence, batch->keys[batch->count++]);
    return batch->count < BATCH || flush(batch);
}

static enum gk_status apply_version(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const uint8_t version = VERSION;

    (void)context;
    (void)error;
    gk_transaction_put(transaction, GK_FAMILY_META, version_key, (struct gk_bytes){&version, 1});
    return GK_OK;
}

static const struct {
    enum gk_family from;
    enum gk_family to;
    bool (*take)(void *context, struct gk_bytes key, struct gk_bytes value);
} rounds[] = {{GK_FAMILY_FOUND_CARDS, GK_FAMILY_HAND_OVER, take_card},
              {GK_FAMILY_AUDIT, GK_FAMILY_AUDIT_BY_SUBJECT, take_entry}};

static enum gk_status build(struct gk_store *store, size_t *ret_rows, struct gk_error *error)
{
    struct batch batch = {.store = store, .error = error};
    const struct gk_bytes all = {NULL, 0};

    batch.keys = calloc(BATCH, sizeof *batch.keys);
    if (batch.keys == NULL) {
        abort();
    }
    for (size_t i = 0; batch.status == GK_OK && i < sizeof rounds / sizeof rounds[0]; i++) {
        batch.family = rounds[i].to;
        const enum gk_status status =
            gk_store_scan(store, rounds[i].from, all, all, false, rounds[i].take, &batch, error);

        batch.status = batch.status == GK_OK ? status : batch.status;
        if (batch.status == GK_OK && batch.count > 0) {
            (void)flush(&batch);
        }
    }
    free(batch.keys);
    *ret_rows = batch.written;
    return batch.status;
}

enum gk_status gk_migrate(struct gk_store *store, const struct gk_log *log, struct gk_error *error)
{
    struct gk_value version = {0};
    size_t rows = 0;
    char number[24];
    enum gk_status status = gk_store_get(store, GK_FAMILY_META, version_key, &version, error);

    gk_value_free(&version);
    if (status != GK_NOT_FOUND) {
        return status;
    }
    status = build(store, &rows, error);
    if (status == GK_OK) {
        status = gk_store_commit_and_wait(store, apply_version, NULL, error);
    }
    if (status == GK_OK && rows > 0 && log != NULL) {
        gk_log(log, GK_LOG_INFO, "indexes_made", {"rows", gk_log_number((int64_t)rows, number)});
    }
    return status;
}

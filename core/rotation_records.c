#include "core/rotation_records.h"

#include "core/found_card.h"
#include "core/store/record.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 200, /* records of one commit */
    PLAIN_MAX = 1024,
};

static const struct gk_bytes progress_key = {(const uint8_t *)"rotation", sizeof "rotation" - 1};

enum gk_status gk_rotation_put(struct gk_transaction *transaction,
                               const guika_v1_internal_RotationRecord *progress, struct gk_error *error)
{
    return gk_record_put(transaction, GK_FAMILY_META, progress_key, guika_v1_internal_RotationRecord_fields,
                         progress, error);
}

struct batch {
    const struct gk_keys *keys;
    uint32_t from;
    guika_v1_internal_RotationRecord *progress;
    uint8_t (*record_keys)[64];
    size_t *record_sizes;
    size_t count;
    bool more;
};

/* --- parts of records --- */

static void wrap(const struct batch *batch, uint8_t *token, size_t size)
{
    if (size == GK_TOKEN_SIZE) {
        gk_keys_wrap(batch->keys, batch->from, batch->progress->to, token);
    }
}

/* Seals anew, in place, what was sealed for GK_SEAL_MASK with `context`. What does not open stays as it is:
 * it is nobody's to read, whatever the keys. */
static void reseal(const struct batch *batch, struct gk_bytes context, uint8_t *sealed, size_t size)
{
    uint8_t plain[PLAIN_MAX];

    if (size <= GK_SEAL_OVERHEAD || size > sizeof plain ||
        gk_keys_open_sealed(batch->keys, GK_SEAL_MASK, context, (struct gk_bytes){sealed, size}, plain,
                            NULL) != GK_OK) {
        return;
    }
    gk_keys_seal_in(batch->keys, batch->progress->to, GK_SEAL_MASK, context,
                    (struct gk_bytes){plain, size - GK_SEAL_OVERHEAD}, sealed);
    sodium_memzero(plain, sizeof plain);
}

/* --- found cards, and their index by card --- */

static void index_by_card(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *card,
                          bool put)
{
    uint8_t key[GK_TOKEN_SIZE + GK_CASE_ID_SIZE];

    if (card->card_token.size != GK_TOKEN_SIZE) {
        return;
    }
    memcpy(key, card->card_token.bytes, GK_TOKEN_SIZE);
    memcpy(key + GK_TOKEN_SIZE, card->case_id, GK_CASE_ID_SIZE);
    if (put) {
        gk_transaction_put(transaction, GK_FAMILY_FOUND_BY_CARD, (struct gk_bytes){key, sizeof key},
                           (struct gk_bytes){NULL, 0});
    } else {
        gk_transaction_delete(transaction, GK_FAMILY_FOUND_BY_CARD, (struct gk_bytes){key, sizeof key});
    }
}

static enum gk_status convert_card(const struct batch *batch, struct gk_transaction *transaction,
                                   struct gk_bytes key, struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    uint8_t context[GK_CASE_ID_SIZE + sizeof "candidates" - 1];
    const enum gk_status status = gk_record_get(transaction, GK_FAMILY_FOUND_CARDS, key,
                                                guika_v1_internal_FoundCard_fields, &card, error);

    if (status != GK_OK) {
        return status;
    }
    index_by_card(transaction, &card, false);
    wrap(batch, card.card_token.bytes, card.card_token.size);
    wrap(batch, card.holder_token.bytes, card.holder_token.size);
    wrap(batch, card.proposed_token.bytes, card.proposed_token.size);
    memcpy(context, card.case_id, GK_CASE_ID_SIZE);
    memcpy(context + GK_CASE_ID_SIZE, "candidates", sizeof "candidates" - 1);
    reseal(batch, (struct gk_bytes){context, GK_CASE_ID_SIZE}, card.sealed_mask.bytes, card.sealed_mask.size);
    reseal(batch, (struct gk_bytes){context, sizeof context}, card.sealed_candidates.bytes,
           card.sealed_candidates.size);
    card.key_epoch = batch->progress->to;
    index_by_card(transaction, &card, true);
    return gk_record_put(transaction, GK_FAMILY_FOUND_CARDS, key, guika_v1_internal_FoundCard_fields, &card,
                         error);
}

/* --- notices, enquiries --- */

static enum gk_status convert_notice(const struct batch *batch, struct gk_transaction *transaction,
                                     struct gk_bytes key, struct gk_error *error)
{
    guika_v1_internal_NoticeRecord notice = {0};
    const enum gk_status status = gk_record_get(transaction, GK_FAMILY_OUTBOX, key,
                                                guika_v1_internal_NoticeRecord_fields, &notice, error);

    if (status != GK_OK) {
        return status;
    }
    const bool of_case = notice.case_id.size == GK_CASE_ID_SIZE;

    wrap(batch, notice.holder_token.bytes, notice.holder_token.size);
    reseal(batch, (struct gk_bytes){of_case ? notice.case_id.bytes : notice.notice_id, GK_CASE_ID_SIZE},
           notice.sealed_mask.bytes, notice.sealed_mask.size);
    return gk_record_put(transaction, GK_FAMILY_OUTBOX, key, guika_v1_internal_NoticeRecord_fields, &notice,
                         error);
}

static enum gk_status convert_enquiry(const struct batch *batch, struct gk_transaction *transaction,
                                      struct gk_bytes key, struct gk_error *error)
{
    guika_v1_internal_EnquiryRecord enquiry = {0};
    const enum gk_status status = gk_record_get(transaction, GK_FAMILY_ENQUIRIES, key,
                                                guika_v1_internal_EnquiryRecord_fields, &enquiry, error);

    if (status != GK_OK) {
        return status;
    }
    for (pb_size_t i = 0; i < enquiry.card_tokens_count; i++) {
        wrap(batch, enquiry.card_tokens[i].bytes, enquiry.card_tokens[i].size);
    }
    return gk_record_put(transaction, GK_FAMILY_ENQUIRIES, key, guika_v1_internal_EnquiryRecord_fields,
                         &enquiry, error);
}

/* A family whose keys are of no epoch, so that its records can be converted where they are. */
static const struct {
    enum gk_family family;
    enum gk_status (*convert)(const struct batch *batch, struct gk_transaction *transaction,
                              struct gk_bytes key, struct gk_error *error);
} families[GK_ROTATION_FAMILIES] = {
    {GK_FAMILY_FOUND_CARDS, convert_card},
    {GK_FAMILY_OUTBOX, convert_notice},
    {GK_FAMILY_ENQUIRIES, convert_enquiry},
};

/* --- one batch --- */

static bool take_key(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct batch *batch = context;
    const guika_v1_internal_RotationRecord *progress = batch->progress;

    (void)value;
    if (key.size > sizeof batch->record_keys[0] ||
        (key.size == progress->cursor.size && memcmp(key.data, progress->cursor.bytes, key.size) == 0)) {
        return true;
    }
    if (batch->count == BATCH) {
        batch->more = true;
        return false;
    }
    memcpy(batch->record_keys[batch->count], key.data, key.size);
    batch->record_sizes[batch->count++] = key.size;
    return true;
}

static enum gk_status apply_batch(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct batch *batch = context;
    guika_v1_internal_RotationRecord *progress = batch->progress;
    enum gk_status status = GK_OK;

    for (size_t i = 0; status == GK_OK && i < batch->count; i++) {
        status = families[progress->step].convert(
            batch, transaction, (struct gk_bytes){batch->record_keys[i], batch->record_sizes[i]}, error);
    }
    if (status != GK_OK) {
        return status;
    }
    if (batch->more) {
        const size_t last = batch->count - 1;

        progress->cursor.size = (pb_size_t)batch->record_sizes[last];
        memcpy(progress->cursor.bytes, batch->record_keys[last], batch->record_sizes[last]);
    } else {
        progress->step++;
        progress->cursor.size = 0;
    }
    return gk_rotation_put(transaction, progress, error);
}

enum gk_status gk_rotation_records_step(struct gk_store *store, const struct gk_keys *keys, uint32_t from,
                                        guika_v1_internal_RotationRecord *progress, struct gk_error *error)
{
    struct batch batch = {.keys = keys,
                          .from = from,
                          .progress = progress,
                          .record_keys = calloc(BATCH, sizeof *batch.record_keys),
                          .record_sizes = calloc(BATCH, sizeof *batch.record_sizes)};
    const struct gk_bytes start = {progress->cursor.bytes, progress->cursor.size};

    if (batch.record_keys == NULL || batch.record_sizes == NULL) {
        abort();
    }
    enum gk_status status = gk_store_scan(store, families[progress->step].family, (struct gk_bytes){NULL, 0},
                                          start, false, take_key, &batch, error);

    if (status == GK_OK) {
        status = gk_store_commit_and_wait(store, apply_batch, &batch, error);
    }
    free(batch.record_keys);
    free(batch.record_sizes);
    return status;
}

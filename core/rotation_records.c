#include "core/rotation_records.h"

#include "core/found_card.h"
#include "core/store/record.h"
#include "core/watches.h"

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
    size_t capacity;
    bool more;
};

/* --- parts of records --- */

static void wrap(const struct batch *batch, uint8_t *token, size_t size)
{
    if (size == GK_TOKEN_SIZE) {
        gk_keys_wrap(batch->keys, batch->from, batch->progress->to, token);
    }
}

/* Seals anew, in place, what was sealed with `before`, with `after`. What does not open stays as it is: it is
 * nobody's to read, whatever the keys. */
static void rebind(const struct batch *batch, enum gk_seal use, struct gk_bytes before, struct gk_bytes after,
                   uint8_t *sealed, size_t size)
{
    uint8_t plain[PLAIN_MAX];

    if (size <= GK_SEAL_OVERHEAD || size > sizeof plain ||
        gk_keys_open_sealed(batch->keys, use, before, (struct gk_bytes){sealed, size}, plain, NULL) !=
            GK_OK) {
        return;
    }
    gk_keys_seal_in(batch->keys, batch->progress->to, use, after,
                    (struct gk_bytes){plain, size - GK_SEAL_OVERHEAD}, sealed);
    sodium_memzero(plain, sizeof plain);
}

static void reseal(const struct batch *batch, enum gk_seal use, struct gk_bytes context, uint8_t *sealed,
                   size_t size)
{
    rebind(batch, use, context, context, sealed, size);
}

/* Wraps a contact's token, which its address is sealed with. */
static void wrap_contact(const struct batch *batch, uint8_t *token, size_t token_size, uint8_t *sealed,
                         size_t size)
{
    uint8_t before[GK_TOKEN_SIZE];

    if (token_size == GK_TOKEN_SIZE) {
        memcpy(before, token, GK_TOKEN_SIZE);
        wrap(batch, token, token_size);
        rebind(batch, GK_SEAL_CONTACTS, (struct gk_bytes){before, GK_TOKEN_SIZE},
               (struct gk_bytes){token, GK_TOKEN_SIZE}, sealed, size);
    }
}

/* --- found cards, and their indexes --- */

static void index_one(struct gk_transaction *transaction, enum gk_family family, const uint8_t *token,
                      size_t size, const uint8_t *case_id, bool put)
{
    uint8_t key[GK_TOKEN_SIZE + GK_CASE_ID_SIZE];

    if (size != GK_TOKEN_SIZE) {
        return;
    }
    memcpy(key, token, GK_TOKEN_SIZE);
    memcpy(key + GK_TOKEN_SIZE, case_id, GK_CASE_ID_SIZE);
    if (put) {
        gk_transaction_put(transaction, family, (struct gk_bytes){key, sizeof key},
                           (struct gk_bytes){NULL, 0});
    } else {
        gk_transaction_delete(transaction, family, (struct gk_bytes){key, sizeof key});
    }
}

static void index_both(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *card, bool put)
{
    index_one(transaction, GK_FAMILY_FOUND_BY_CARD, card->card_token.bytes, card->card_token.size,
              card->case_id, put);
    index_one(transaction, GK_FAMILY_FOUND_BY_HOLDER, card->holder_token.bytes, card->holder_token.size,
              card->case_id, put);
}

static enum gk_status convert_card(const struct batch *batch, struct gk_transaction *transaction,
                                   struct gk_bytes key, struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    uint8_t context[GK_CASE_ID_SIZE + sizeof "candidates" - 1];
    const struct gk_bytes of_case = {context, GK_CASE_ID_SIZE};
    const enum gk_status status = gk_record_get(transaction, GK_FAMILY_FOUND_CARDS, key,
                                                guika_v1_internal_FoundCard_fields, &card, error);

    if (status != GK_OK) {
        return status;
    }
    index_both(transaction, &card, false);
    if (!card.own_key) { /* the issuer's key has not changed */
        wrap(batch, card.card_token.bytes, card.card_token.size);
        card.key_epoch = batch->progress->to;
    }
    wrap(batch, card.holder_token.bytes, card.holder_token.size);
    wrap(batch, card.proposed_token.bytes, card.proposed_token.size);
    memcpy(context, card.case_id, GK_CASE_ID_SIZE);
    memcpy(context + GK_CASE_ID_SIZE, "candidates", sizeof "candidates" - 1);
    reseal(batch, GK_SEAL_MASK, of_case, card.sealed_mask.bytes, card.sealed_mask.size);
    reseal(batch, GK_SEAL_MASK, (struct gk_bytes){context, sizeof context}, card.sealed_candidates.bytes,
           card.sealed_candidates.size);
    reseal(batch, GK_SEAL_CONTACTS, of_case, card.sealed_reference.bytes, card.sealed_reference.size);
    index_both(transaction, &card, true);
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
    wrap_contact(batch, notice.contact_token.bytes, notice.contact_token.size, notice.sealed_contact.bytes,
                 notice.sealed_contact.size);
    reseal(batch, GK_SEAL_MASK,
           (struct gk_bytes){of_case ? notice.case_id.bytes : notice.notice_id, GK_CASE_ID_SIZE},
           notice.sealed_mask.bytes, notice.sealed_mask.size);
    return gk_record_put(transaction, GK_FAMILY_OUTBOX, key, guika_v1_internal_NoticeRecord_fields, &notice,
                         error);
}

/* A token does not say whose key made it. Where it may have been an issuer's it is kept too, as far as there
 * is room. */
static void wrap_asked(const struct batch *batch, guika_v1_internal_EnquiryRecord *enquiry)
{
    const pb_size_t count = enquiry->card_tokens_count;
    const pb_size_t room = sizeof enquiry->card_tokens / sizeof enquiry->card_tokens[0];

    for (pb_size_t i = 0; i < count; i++) {
        if (enquiry->card_tokens_count < room) {
            enquiry->card_tokens[enquiry->card_tokens_count++] = enquiry->card_tokens[i];
        }
        wrap(batch, enquiry->card_tokens[i].bytes, enquiry->card_tokens[i].size);
    }
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
    wrap_asked(batch, &enquiry);
    wrap_contact(batch, enquiry.contact_token.bytes, enquiry.contact_token.size, enquiry.sealed_contact.bytes,
                 enquiry.sealed_contact.size);
    return gk_record_put(transaction, GK_FAMILY_ENQUIRIES, key, guika_v1_internal_EnquiryRecord_fields,
                         &enquiry, error);
}

/* --- what is under a token itself: one commit for all of a family, which is small --- */

static enum gk_status convert_watch(const struct batch *batch, struct gk_transaction *transaction,
                                    struct gk_bytes key, struct gk_error *error)
{
    guika_v1_internal_WatchRecord watch = {0};
    uint8_t mark[sizeof GK_CLAIM_PREFIX - 1 + GK_WATCH_ID_SIZE];
    uint8_t new_key[GK_TOKEN_SIZE + GK_WATCH_ID_SIZE];
    struct gk_value marked = {0};
    const enum gk_status status = gk_record_get(transaction, GK_FAMILY_WATCHES, key,
                                                guika_v1_internal_WatchRecord_fields, &watch, error);

    if (status != GK_OK) {
        return status;
    }
    const struct gk_bytes of_watch = {watch.watch_id, GK_WATCH_ID_SIZE};

    gk_transaction_delete(transaction, GK_FAMILY_WATCHES, key);
    wrap_contact(batch, watch.contact_token, GK_TOKEN_SIZE, watch.sealed_contact.bytes,
                 watch.sealed_contact.size);
    for (pb_size_t i = 0; i < watch.card_tokens_count; i++) {
        wrap(batch, watch.card_tokens[i], GK_TOKEN_SIZE);
    }
    reseal(batch, GK_SEAL_MASK, of_watch, watch.sealed_mask.bytes, watch.sealed_mask.size);
    reseal(batch, GK_SEAL_CONTACTS, of_watch, watch.sealed_description.bytes, watch.sealed_description.size);
    watch.key_epoch = batch->progress->to;
    memcpy(mark, GK_CLAIM_PREFIX, sizeof GK_CLAIM_PREFIX - 1);
    memcpy(mark + sizeof GK_CLAIM_PREFIX - 1, watch.watch_id, GK_WATCH_ID_SIZE);
    if (gk_transaction_get(transaction, GK_FAMILY_META, (struct gk_bytes){mark, sizeof mark}, &marked,
                           NULL) == GK_OK) {
        gk_value_free(&marked);
        gk_transaction_put(transaction, GK_FAMILY_META, (struct gk_bytes){mark, sizeof mark},
                           (struct gk_bytes){watch.contact_token, GK_TOKEN_SIZE});
    }
    memcpy(new_key, watch.contact_token, GK_TOKEN_SIZE);
    memcpy(new_key + GK_TOKEN_SIZE, watch.watch_id, GK_WATCH_ID_SIZE);
    return gk_record_put(transaction, GK_FAMILY_WATCHES, (struct gk_bytes){new_key, sizeof new_key},
                         guika_v1_internal_WatchRecord_fields, &watch, error);
}

static enum gk_status convert_claim(const struct batch *batch, struct gk_transaction *transaction,
                                    struct gk_bytes key, struct gk_error *error)
{
    guika_v1_internal_ClaimRecord claims = {0};
    uint8_t token[GK_TOKEN_SIZE];
    const enum gk_status status = gk_record_get(transaction, GK_FAMILY_CLAIMS, key,
                                                guika_v1_internal_ClaimRecord_fields, &claims, error);

    if (status != GK_OK || key.size != GK_TOKEN_SIZE) {
        return status;
    }
    gk_transaction_delete(transaction, GK_FAMILY_CLAIMS, key);
    for (pb_size_t i = 0; i < claims.watchers_count; i++) {
        wrap(batch, claims.watchers[i].contact_token, GK_TOKEN_SIZE);
    }
    memcpy(token, key.data, GK_TOKEN_SIZE);
    wrap(batch, token, GK_TOKEN_SIZE);
    return gk_record_put(transaction, GK_FAMILY_CLAIMS, (struct gk_bytes){token, sizeof token},
                         guika_v1_internal_ClaimRecord_fields, &claims, error);
}

/* A one-time code is the hash of its contact's token: those of the last ten minutes are void, and can be had
 * anew. */
static enum gk_status drop_code(const struct batch *batch, struct gk_transaction *transaction,
                                struct gk_bytes key, struct gk_error *error)
{
    (void)batch;
    (void)error;
    gk_transaction_delete(transaction, GK_FAMILY_CODES, key);
    return GK_OK;
}

/* `at_once`: the keys are of an epoch, so a record moves; one commit does all, and no cursor can meet what
 * moved. */
static const struct {
    enum gk_family family;
    bool at_once;
    enum gk_status (*convert)(const struct batch *batch, struct gk_transaction *transaction,
                              struct gk_bytes key, struct gk_error *error);
} families[GK_ROTATION_FAMILIES] = {
    {GK_FAMILY_FOUND_CARDS, false, convert_card},  {GK_FAMILY_OUTBOX, false, convert_notice},
    {GK_FAMILY_ENQUIRIES, false, convert_enquiry}, {GK_FAMILY_WATCHES, true, convert_watch},
    {GK_FAMILY_CLAIMS, true, convert_claim},       {GK_FAMILY_CODES, true, drop_code},
};

/* --- one batch --- */

static void make_room(struct batch *batch)
{
    if (batch->count < batch->capacity) {
        return;
    }
    batch->capacity = 2 * batch->capacity + BATCH;
    batch->record_keys = reallocarray(batch->record_keys, batch->capacity, sizeof *batch->record_keys);
    batch->record_sizes = reallocarray(batch->record_sizes, batch->capacity, sizeof *batch->record_sizes);
    if (batch->record_keys == NULL || batch->record_sizes == NULL) {
        abort();
    }
}

static bool take_key(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct batch *batch = context;
    const guika_v1_internal_RotationRecord *progress = batch->progress;

    (void)value;
    if (key.size > sizeof batch->record_keys[0] ||
        (key.size == progress->cursor.size && memcmp(key.data, progress->cursor.bytes, key.size) == 0)) {
        return true;
    }
    if (batch->count == BATCH && !families[progress->step].at_once) {
        batch->more = true;
        return false;
    }
    make_room(batch);
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
    struct batch batch = {.keys = keys, .from = from, .progress = progress};
    const struct gk_bytes start = {progress->cursor.bytes, progress->cursor.size};
    enum gk_status status = gk_store_scan(store, families[progress->step].family, (struct gk_bytes){NULL, 0},
                                          start, false, take_key, &batch, error);

    if (status == GK_OK) {
        status = gk_store_commit_and_wait(store, apply_batch, &batch, error);
    }
    free(batch.record_keys);
    free(batch.record_sizes);
    return status;
}

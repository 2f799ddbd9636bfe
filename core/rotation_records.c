#include "core/rotation_records.h"

#include "core/found_card.h"
#include "core/rotation_parts.h"
#include "core/store/record.h"

#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 200, /* records of one commit */
};

static const struct gk_bytes progress_key = {(const uint8_t *)"rotation", sizeof "rotation" - 1};

enum gk_status gk_rotation_put(struct gk_transaction *transaction,
                               const guika_v1_internal_RotationRecord *progress, struct gk_error *error)
{
    return gk_record_put(transaction, GK_FAMILY_META, progress_key, guika_v1_internal_RotationRecord_fields,
                         progress, error);
}

struct batch {
    struct gk_rotation_round round;
    uint8_t (*record_keys)[64];
    size_t *record_sizes;
    size_t count;
    bool more;
};

/* --- found cards, and their indexes by card and holder --- */

static void index_by(struct gk_transaction *transaction, enum gk_family family, const uint8_t *token,
                     size_t token_size, const uint8_t *case_id, bool put)
{
    uint8_t key[GK_TOKEN_SIZE + GK_CASE_ID_SIZE];

    if (token_size != GK_TOKEN_SIZE) {
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

static void index_card(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *card, bool put)
{
    index_by(transaction, GK_FAMILY_FOUND_BY_CARD, card->card_token.bytes, card->card_token.size,
             card->case_id, put);
    index_by(transaction, GK_FAMILY_FOUND_BY_HOLDER, card->holder_token.bytes, card->holder_token.size,
             card->case_id, put);
}

static enum gk_status convert_card(const struct gk_rotation_round *round, struct gk_transaction *transaction,
                                   struct gk_bytes key, struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    uint8_t context[GK_CASE_ID_SIZE + sizeof "candidates" - 1];
    const enum gk_status status = gk_record_get(transaction, GK_FAMILY_FOUND_CARDS, key,
                                                guika_v1_internal_FoundCard_fields, &card, error);

    if (status != GK_OK) {
        return status;
    }
    index_card(transaction, &card, false);
    if (!card.own_key) { /* the issuer's key has not changed */
        gk_rotation_wrap(round, card.card_token.bytes, card.card_token.size);
        card.key_epoch = round->progress->to;
    }
    gk_rotation_wrap(round, card.holder_token.bytes, card.holder_token.size);
    gk_rotation_wrap(round, card.proposed_token.bytes, card.proposed_token.size);
    memcpy(context, card.case_id, GK_CASE_ID_SIZE);
    memcpy(context + GK_CASE_ID_SIZE, "candidates", sizeof "candidates" - 1);
    gk_rotation_reseal(round, GK_SEAL_MASK, (struct gk_bytes){context, GK_CASE_ID_SIZE},
                       card.sealed_mask.bytes, card.sealed_mask.size);
    gk_rotation_reseal(round, GK_SEAL_MASK, (struct gk_bytes){context, sizeof context},
                       card.sealed_candidates.bytes, card.sealed_candidates.size);
    gk_rotation_reseal(round, GK_SEAL_CONTACTS, (struct gk_bytes){context, GK_CASE_ID_SIZE},
                       card.sealed_reference.bytes, card.sealed_reference.size);
    index_card(transaction, &card, true);
    return gk_record_put(transaction, GK_FAMILY_FOUND_CARDS, key, guika_v1_internal_FoundCard_fields, &card,
                         error);
}

/* --- notices, enquiries --- */

static enum gk_status convert_notice(const struct gk_rotation_round *round,
                                     struct gk_transaction *transaction, struct gk_bytes key,
                                     struct gk_error *error)
{
    guika_v1_internal_NoticeRecord notice = {0};
    const enum gk_status status = gk_record_get(transaction, GK_FAMILY_OUTBOX, key,
                                                guika_v1_internal_NoticeRecord_fields, &notice, error);

    if (status != GK_OK) {
        return status;
    }
    const bool of_case = notice.case_id.size == GK_CASE_ID_SIZE;

    gk_rotation_wrap(round, notice.holder_token.bytes, notice.holder_token.size);
    gk_rotation_reseal(round, GK_SEAL_MASK,
                       (struct gk_bytes){of_case ? notice.case_id.bytes : notice.notice_id, GK_CASE_ID_SIZE},
                       notice.sealed_mask.bytes, notice.sealed_mask.size);
    gk_rotation_contact(round, notice.contact_token.bytes, notice.contact_token.size,
                        notice.sealed_contact.bytes, notice.sealed_contact.size);
    return gk_record_put(transaction, GK_FAMILY_OUTBOX, key, guika_v1_internal_NoticeRecord_fields, &notice,
                         error);
}

/* A token does not say whose key made it. Where it may have been an issuer's it is kept too, as far as there
 * is room. */
static void wrap_asked(const struct gk_rotation_round *round, guika_v1_internal_EnquiryRecord *enquiry)
{
    const pb_size_t count = enquiry->card_tokens_count;
    const pb_size_t room = sizeof enquiry->card_tokens / sizeof enquiry->card_tokens[0];

    for (pb_size_t i = 0; i < count; i++) {
        if (enquiry->card_tokens_count < room) {
            enquiry->card_tokens[enquiry->card_tokens_count++] = enquiry->card_tokens[i];
        }
        gk_rotation_wrap(round, enquiry->card_tokens[i].bytes, enquiry->card_tokens[i].size);
    }
}

static enum gk_status convert_enquiry(const struct gk_rotation_round *round,
                                      struct gk_transaction *transaction, struct gk_bytes key,
                                      struct gk_error *error)
{
    guika_v1_internal_EnquiryRecord enquiry = {0};
    const enum gk_status status = gk_record_get(transaction, GK_FAMILY_ENQUIRIES, key,
                                                guika_v1_internal_EnquiryRecord_fields, &enquiry, error);

    if (status != GK_OK) {
        return status;
    }
    wrap_asked(round, &enquiry);
    gk_rotation_contact(round, enquiry.contact_token.bytes, enquiry.contact_token.size,
                        enquiry.sealed_contact.bytes, enquiry.sealed_contact.size);
    return gk_record_put(transaction, GK_FAMILY_ENQUIRIES, key, guika_v1_internal_EnquiryRecord_fields,
                         &enquiry, error);
}

/* The families whose records are converted one by one: where they are, or (rotation_watches.c) under another
 * key. */
static const struct {
    enum gk_family family;
    enum gk_status (*convert)(const struct gk_rotation_round *round, struct gk_transaction *transaction,
                              struct gk_bytes key, struct gk_error *error);
} families[GK_ROTATION_FAMILIES] = {
    {GK_FAMILY_FOUND_CARDS, convert_card},  {GK_FAMILY_OUTBOX, convert_notice},
    {GK_FAMILY_ENQUIRIES, convert_enquiry}, {GK_FAMILY_WATCHES, gk_rotation_watch},
    {GK_FAMILY_CLAIMS, gk_rotation_claims}, {GK_FAMILY_CODES, gk_rotation_code},
};

/* --- one batch --- */

static bool take_key(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct batch *batch = context;
    const guika_v1_internal_RotationRecord *progress = batch->round.progress;

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
    guika_v1_internal_RotationRecord *progress = batch->round.progress;
    enum gk_status status = GK_OK;

    for (size_t i = 0; status == GK_OK && i < batch->count; i++) {
        status = families[progress->step].convert(
            &batch->round, transaction, (struct gk_bytes){batch->record_keys[i], batch->record_sizes[i]},
            error);
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
    struct batch batch = {.round = {keys, from, progress},
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

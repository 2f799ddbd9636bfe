/* Watches, claims and codes under new keys: records whose keys are tokens themselves. */
#include "core/rotation_parts.h"
#include "core/store/record.h"
#include "core/watches.h"

#include <string.h>

static void convert_watch(const struct gk_rotation_round *round, guika_v1_internal_WatchRecord *watch)
{
    const struct gk_bytes context = {watch->watch_id, GK_WATCH_ID_SIZE};

    gk_rotation_contact(round, watch->contact_token, GK_TOKEN_SIZE, watch->sealed_contact.bytes,
                        watch->sealed_contact.size);
    for (pb_size_t i = 0; i < watch->card_tokens_count; i++) {
        gk_rotation_wrap(round, watch->card_tokens[i], GK_TOKEN_SIZE);
    }
    gk_rotation_reseal(round, GK_SEAL_MASK, context, watch->sealed_mask.bytes, watch->sealed_mask.size);
    gk_rotation_reseal(round, GK_SEAL_CONTACTS, context, watch->sealed_description.bytes,
                       watch->sealed_description.size);
    watch->key_epoch = round->progress->to;
}

enum gk_status gk_rotation_watch(const struct gk_rotation_round *round, struct gk_transaction *transaction,
                                 struct gk_bytes key, struct gk_error *error)
{
    guika_v1_internal_WatchRecord watch = guika_v1_internal_WatchRecord_init_zero;
    const enum gk_status status = gk_record_get(transaction, GK_FAMILY_WATCHES, key,
                                                guika_v1_internal_WatchRecord_fields, &watch, error);

    if (status != GK_OK || watch.key_epoch == round->progress->to) {
        return status;
    }
    gk_transaction_delete(transaction, GK_FAMILY_WATCHES, key);
    convert_watch(round, &watch);
    return gk_watches_put(transaction, &watch, error);
}

enum gk_status gk_rotation_claims(const struct gk_rotation_round *round, struct gk_transaction *transaction,
                                  struct gk_bytes key, struct gk_error *error)
{
    guika_v1_internal_ClaimRecord claims = guika_v1_internal_ClaimRecord_init_zero;
    uint8_t token[GK_TOKEN_SIZE];
    const enum gk_status status = gk_record_get(transaction, GK_FAMILY_CLAIMS, key,
                                                guika_v1_internal_ClaimRecord_fields, &claims, error);

    if (status != GK_OK || key.size != GK_TOKEN_SIZE || claims.key_epoch == round->progress->to) {
        return status;
    }
    gk_transaction_delete(transaction, GK_FAMILY_CLAIMS, key);
    memcpy(token, key.data, GK_TOKEN_SIZE);
    gk_rotation_wrap(round, token, GK_TOKEN_SIZE);
    for (pb_size_t i = 0; i < claims.watchers_count; i++) {
        gk_rotation_wrap(round, claims.watchers[i].contact_token, GK_TOKEN_SIZE);
    }
    claims.key_epoch = round->progress->to;
    return gk_record_put(transaction, GK_FAMILY_CLAIMS, (struct gk_bytes){token, sizeof token},
                         guika_v1_internal_ClaimRecord_fields, &claims, error);
}

enum gk_status gk_rotation_code(const struct gk_rotation_round *round, struct gk_transaction *transaction,
                                struct gk_bytes key, struct gk_error *error)
{
    (void)round;
    (void)error;
    gk_transaction_delete(transaction, GK_FAMILY_CODES, key);
    return GK_OK;
}

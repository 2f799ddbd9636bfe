/* Watches and claims whose number has a token from a newer index key. */
#include "core/found_card.h"
#include "core/holdings.h"
#include "core/store/record.h"
#include "core/watches.h"

#include <string.h>

enum gk_status gk_watches_renew_one(struct gk_transaction *transaction, const uint8_t key[GK_WATCH_KEY_SIZE],
                                    const uint8_t old_token[GK_TOKEN_SIZE],
                                    const uint8_t new_token[GK_TOKEN_SIZE], uint32_t base,
                                    struct gk_error *error)
{
    guika_v1_internal_WatchRecord watch = guika_v1_internal_WatchRecord_init_zero;
    const struct gk_bytes row = {key, GK_WATCH_KEY_SIZE};
    const enum gk_status status = gk_record_get(transaction, GK_FAMILY_WATCHES, row,
                                                guika_v1_internal_WatchRecord_fields, &watch, error);

    if (status != GK_OK) {
        return status == GK_NOT_FOUND ? GK_OK : status;
    }
    while (watch.card_bases_count < watch.card_tokens_count) {
        watch.card_bases[watch.card_bases_count++] = 1;
    }
    for (pb_size_t i = 0; i < watch.card_tokens_count; i++) {
        if (memcmp(watch.card_tokens[i], old_token, GK_TOKEN_SIZE) == 0) {
            memcpy(watch.card_tokens[i], new_token, GK_TOKEN_SIZE);
            watch.card_bases[i] = base;
        }
    }
    return gk_record_put(transaction, GK_FAMILY_WATCHES, row, guika_v1_internal_WatchRecord_fields, &watch,
                         error);
}

/* What a record of claims has no room for is seen by an operator: a watch without a place among the claims
 * has rivals. */
static void merge(struct gk_transaction *transaction, guika_v1_internal_ClaimRecord *into,
                  const guika_v1_internal_ClaimRecord *from)
{
    for (pb_size_t i = 0;
         i < from->watchers_count && into->watchers_count < sizeof into->watchers / sizeof into->watchers[0];
         i++) {
        into->watchers[into->watchers_count++] = from->watchers[i];
    }
    for (pb_size_t i = 0; i < from->case_ids_count; i++) {
        gk_watches_note_case(transaction, into, from->case_ids[i]);
    }
}

/* The watches and the found cards that the claims name. */
static enum gk_status renew_named(struct gk_transaction *transaction,
                                  const guika_v1_internal_ClaimRecord *claims,
                                  const uint8_t old_token[GK_TOKEN_SIZE],
                                  const uint8_t new_token[GK_TOKEN_SIZE], uint32_t base,
                                  struct gk_error *error)
{
    enum gk_status status = GK_OK;

    for (pb_size_t i = 0; status == GK_OK && i < claims->watchers_count; i++) {
        uint8_t key[GK_WATCH_KEY_SIZE];

        memcpy(key, claims->watchers[i].contact_token, GK_TOKEN_SIZE);
        memcpy(key + GK_TOKEN_SIZE, claims->watchers[i].watch_id, GK_WATCH_ID_SIZE);
        status = gk_watches_renew_one(transaction, key, old_token, new_token, base, error);
    }
    for (pb_size_t i = 0; status == GK_OK && i < claims->case_ids_count; i++) {
        status =
            gk_found_card_renew_token(transaction, claims->case_ids[i], old_token, new_token, base, error);
    }
    return status;
}

enum gk_status gk_watches_renew(struct gk_transaction *transaction, const uint8_t old_token[GK_TOKEN_SIZE],
                                const uint8_t new_token[GK_TOKEN_SIZE], uint32_t base, struct gk_error *error)
{
    guika_v1_internal_ClaimRecord old_claims = guika_v1_internal_ClaimRecord_init_zero;
    guika_v1_internal_ClaimRecord new_claims = guika_v1_internal_ClaimRecord_init_zero;
    const struct gk_bytes old_row = {old_token, GK_TOKEN_SIZE};
    const struct gk_bytes new_row = {new_token, GK_TOKEN_SIZE};
    enum gk_status status = gk_record_get(transaction, GK_FAMILY_CLAIMS, old_row,
                                          guika_v1_internal_ClaimRecord_fields, &old_claims, error);

    if (status != GK_OK) {
        return status == GK_NOT_FOUND ? GK_OK : status;
    }
    status = gk_record_get(transaction, GK_FAMILY_CLAIMS, new_row, guika_v1_internal_ClaimRecord_fields,
                           &new_claims, error);
    if (status != GK_OK && status != GK_NOT_FOUND) {
        return status;
    }
    /* Who came first stays first. */
    guika_v1_internal_ClaimRecord claims = old_claims;

    merge(transaction, &claims, &new_claims);
    claims.key_epoch = new_claims.key_epoch > claims.key_epoch ? new_claims.key_epoch : claims.key_epoch;
    claims.base_epoch = base;
    gk_transaction_delete(transaction, GK_FAMILY_CLAIMS, old_row);
    status = gk_record_put(transaction, GK_FAMILY_CLAIMS, new_row, guika_v1_internal_ClaimRecord_fields,
                           &claims, error);
    return status == GK_OK ? renew_named(transaction, &old_claims, old_token, new_token, base, error)
                           : status;
}

static bool note_card_here(void *context, const guika_v1_internal_FoundCard *card)
{
    *(bool *)context = !gk_found_card_is_closed(card);
    return gk_found_card_is_closed(card);
}

/* A list has the number under this token, or a card that lies here has it. */
static enum gk_status is_in_use(struct gk_registry *registry, struct gk_store *store,
                                const uint8_t token[GK_TOKEN_SIZE], bool *ret_used, struct gk_error *error)
{
    struct gk_registration registration = {0};
    const enum gk_status status = gk_registry_look_up_token(registry, token, &registration, error);

    *ret_used = status == GK_OK && registration.registered;
    return status != GK_OK || *ret_used ? status
                                        : gk_holdings_of_card(store, token, note_card_here, ret_used, error);
}

enum gk_status gk_watches_choose(struct gk_registry *registry, struct gk_store *store,
                                 struct gk_card_tokens *tokens, struct gk_error *error)
{
    enum gk_status status = GK_OK;
    size_t chosen = 0;
    bool used = tokens->count == 1;

    for (size_t i = 0; status == GK_OK && !used && i < tokens->count; i++) {
        status = is_in_use(registry, store, tokens->tokens[i], &used, error);
        chosen = used ? i : 0;
    }
    tokens->newest -= (uint32_t)chosen;
    tokens->count -= chosen;
    memmove(tokens->tokens[0], tokens->tokens[chosen], tokens->count * GK_TOKEN_SIZE);
    return status;
}

enum gk_status gk_watches_gather(struct gk_transaction *transaction, const struct gk_card_tokens *tokens,
                                 struct gk_error *error)
{
    enum gk_status status = GK_OK;

    for (size_t i = 1; status == GK_OK && i < tokens->count; i++) {
        status = gk_watches_renew(transaction, tokens->tokens[i], tokens->tokens[0], tokens->newest, error);
    }
    return status;
}

/* A case that still goes by the token. */
static bool has_card(struct gk_transaction *transaction, const guika_v1_internal_ClaimRecord *claims,
                     const uint8_t token[GK_TOKEN_SIZE])
{
    for (pb_size_t i = 0; i < claims->case_ids_count; i++) {
        guika_v1_internal_FoundCard card = {0};

        if (gk_record_get(transaction, GK_FAMILY_FOUND_CARDS,
                          (struct gk_bytes){claims->case_ids[i], GK_CASE_ID_SIZE},
                          guika_v1_internal_FoundCard_fields, &card, NULL) == GK_OK &&
            card.card_token.size == GK_TOKEN_SIZE &&
            memcmp(card.card_token.bytes, token, GK_TOKEN_SIZE) == 0) {
            return true;
        }
    }
    return false;
}

enum gk_status gk_watches_drop_idle(struct gk_transaction *transaction, const uint8_t token[GK_TOKEN_SIZE],
                                    struct gk_error *error)
{
    guika_v1_internal_ClaimRecord claims = guika_v1_internal_ClaimRecord_init_zero;
    const struct gk_bytes row = {token, GK_TOKEN_SIZE};
    const enum gk_status status = gk_record_get(transaction, GK_FAMILY_CLAIMS, row,
                                                guika_v1_internal_ClaimRecord_fields, &claims, error);

    if (status == GK_OK && claims.watchers_count == 0 && !has_card(transaction, &claims, token)) {
        gk_transaction_delete(transaction, GK_FAMILY_CLAIMS, row);
    }
    return status == GK_NOT_FOUND ? GK_OK : status;
}

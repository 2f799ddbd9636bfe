/* Cancelling a card of an account's list, and asking whether one was. */
#include "core/registry/generation.h"
#include "core/registry/registry_internal.h"
#include "core/security/issuer_keys.h"
#include "core/store/record.h"

#include <string.h>

struct revocation {
    const char *issuer_id;
    struct gk_card_tokens tokens;      /* of the number; the first is that of a list being imported */
    uint8_t card_token[GK_TOKEN_SIZE]; /* that of the list in force */
};

/* `token` from an older index key becomes the one under which the list has the card. */
static enum gk_status get_card(struct gk_transaction *transaction, uint64_t generation,
                               uint8_t token[GK_TOKEN_SIZE], guika_v1_internal_CardRecord *ret_card,
                               struct gk_error *error)
{
    uint8_t key_bytes[GK_GENERATION_KEY_SIZE];
    const struct gk_bytes key = {key_bytes, sizeof key_bytes};
    struct gk_value newer = {0};

    gk_generation_key(generation, token, key_bytes);
    enum gk_status status = gk_transaction_get(transaction, GK_FAMILY_OLDER_CARDS, key, &newer, error);

    if (status == GK_OK && newer.size == GK_TOKEN_SIZE) {
        memcpy(token, newer.data, GK_TOKEN_SIZE);
        gk_generation_key(generation, token, key_bytes);
    }
    gk_value_free(&newer);
    return status != GK_OK && status != GK_NOT_FOUND
               ? status
               : gk_record_get(transaction, GK_FAMILY_CARDS, key, guika_v1_internal_CardRecord_fields,
                               ret_card, error);
}

static enum gk_status put_cancelled(struct gk_transaction *transaction, uint64_t generation,
                                    const uint8_t token[GK_TOKEN_SIZE], guika_v1_internal_CardRecord *card,
                                    struct gk_error *error)
{
    uint8_t key[GK_GENERATION_KEY_SIZE];

    gk_generation_key(generation, token, key);
    card->cancelled = true;
    return gk_record_put(transaction, GK_FAMILY_CARDS, (struct gk_bytes){key, sizeof key},
                         guika_v1_internal_CardRecord_fields, card, error);
}

/* The card in the list in force, by whichever of its tokens. */
static enum gk_status get_in_force(struct gk_transaction *transaction, uint64_t generation,
                                   struct revocation *revocation, guika_v1_internal_CardRecord *ret_card,
                                   struct gk_error *error)
{
    enum gk_status status = GK_NOT_FOUND;

    for (size_t i = 0; generation != 0 && status == GK_NOT_FOUND && i < revocation->tokens.count; i++) {
        memcpy(revocation->card_token, revocation->tokens.tokens[i], GK_TOKEN_SIZE);
        status = get_card(transaction, generation, revocation->card_token, ret_card, error);
    }
    return status;
}

/* Cancels the card in the list in force and in the one being staged: there the mark is set even where the
 * card's row has not come yet, so that an import that began before the revocation does not undo it. */
static enum gk_status apply_revoke(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct revocation *revocation = context;
    guika_v1_internal_IssuerAccount account = guika_v1_internal_IssuerAccount_init_zero;
    guika_v1_internal_CardRecord card = guika_v1_internal_CardRecord_init_zero;
    guika_v1_internal_CardRecord staged = guika_v1_internal_CardRecord_init_zero;
    enum gk_status status = gk_registry_get_account(transaction, revocation->issuer_id, &account, error);

    if (status != GK_OK) {
        return status;
    }
    uint8_t *staged_token = revocation->tokens.tokens[0];
    const enum gk_status found = get_in_force(transaction, account.generation, revocation, &card, error);
    const enum gk_status found_staged =
        account.staging == 0 ? GK_NOT_FOUND
                             : get_card(transaction, account.staging, staged_token, &staged, error);

    if (found != GK_OK && found != GK_NOT_FOUND) {
        return found;
    }
    if (found_staged != GK_OK && found_staged != GK_NOT_FOUND) {
        return found_staged;
    }
    if (found == GK_NOT_FOUND && found_staged == GK_NOT_FOUND) {
        return gk_error_set(error, GK_NOT_FOUND, "this account's list has no such card");
    }
    const bool in_force = found == GK_OK && !card.cancelled;
    const bool staging = account.staging != 0 && !staged.cancelled;

    if (in_force) {
        status = put_cancelled(transaction, account.generation, revocation->card_token, &card, error);
    }
    if (status == GK_OK && staging) {
        card.older_count = 0; /* those of the other list */
        status = put_cancelled(transaction, account.staging, staged_token,
                               found_staged == GK_OK ? &staged : &card, error);
    }
    if (status == GK_OK && in_force) {
        account.changes++;
        status = gk_registry_put_account(transaction, &account, error);
    }
    if (in_force || staging) {
        gk_registry_audit(transaction, revocation->issuer_id, "registry.revoke",
                          (struct gk_bytes){revocation->card_token, GK_TOKEN_SIZE}, "");
    }
    return status;
}

static enum gk_status revoke(struct gk_registry *registry, const char *issuer_id,
                             const struct gk_card_tokens *tokens, struct gk_error *error)
{
    struct revocation revocation = {.issuer_id = issuer_id, .tokens = *tokens};

    return gk_store_commit_and_wait(registry->store, apply_revoke, &revocation, error);
}

enum gk_status gk_registry_revoke(struct gk_registry *registry, const char *issuer_id, const char *scheme,
                                  const char *number, struct gk_card_tokens *ret_tokens,
                                  struct gk_error *error)
{
    struct gk_card_tokens tokens = gk_keys_card_tokens(registry->keys, scheme, number);
    struct gk_issuer_terms terms = {.key_epoch = 0};

    if (!gk_registry_is_bound(registry, issuer_id, scheme, number)) {
        return gk_error_set(error, GK_PERMISSION_DENIED, "not among this account's schemes and prefixes");
    }
    enum gk_status status = revoke(registry, issuer_id, &tokens, error);

    (void)gk_accounts_terms(registry->accounts, issuer_id, &terms);
    for (uint32_t epoch = terms.key_epoch; status == GK_NOT_FOUND && epoch > 0; epoch--) {
        if (gk_issuer_keys_tokens(gk_keys_issuers(registry->keys), issuer_id, epoch, scheme, number,
                                  tokens.tokens[0], NULL)) {
            tokens.count = 1;
            status = revoke(registry, issuer_id, &tokens, error);
        }
    }
    if (status == GK_OK && ret_tokens != NULL) {
        *ret_tokens = tokens;
    }
    return status;
}

enum gk_status gk_registry_revoke_token(struct gk_registry *registry, const char *issuer_id,
                                        const char *scheme, const uint8_t token[GK_TOKEN_SIZE],
                                        struct gk_error *error)
{
    if (!gk_accounts_has_scheme(registry->accounts, issuer_id, scheme)) {
        return gk_error_set(error, GK_PERMISSION_DENIED, "not among this account's schemes");
    }
    struct gk_card_tokens tokens = {.count = 1};

    memcpy(tokens.tokens[0], token, GK_TOKEN_SIZE);
    return revoke(registry, issuer_id, &tokens, error);
}

enum gk_status gk_registry_is_cancelled(struct gk_transaction *transaction, const char *issuer_account,
                                        const uint8_t card_token[GK_TOKEN_SIZE], bool *ret_cancelled,
                                        struct gk_error *error)
{
    guika_v1_internal_IssuerAccount account = guika_v1_internal_IssuerAccount_init_zero;
    guika_v1_internal_CardRecord card = guika_v1_internal_CardRecord_init_zero;
    enum gk_status status = gk_registry_get_account(transaction, issuer_account, &account, error);

    *ret_cancelled = false;
    if (status == GK_OK && account.generation != 0) {
        uint8_t token[GK_TOKEN_SIZE];

        memcpy(token, card_token, GK_TOKEN_SIZE);
        status = get_card(transaction, account.generation, token, &card, error);
        *ret_cancelled = status == GK_OK && card.cancelled;
    }
    return status == GK_NOT_FOUND || status == GK_FAILED_PRECONDITION ? GK_OK : status;
}

/*
 * A holder's rights: what a list says of them, and having it forgotten. There is no index by holder, because
 * nothing else asks by one: a list is read through.
 */
#include "core/registry/contacts.h"
#include "core/registry/generation.h"
#include "core/registry/registry_internal.h"
#include "core/store/record.h"

#include <stdlib.h>
#include <string.h>

struct search {
    const uint8_t *holder_token;
    void (*visit)(void *context, guika_v1_CardKind kind, bool cancelled);
    void *context;
    uint8_t (*keys)[GK_GENERATION_KEY_SIZE]; /* of the holder's cards */
    size_t count;
};

static bool search_card(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct search *search = context;
    guika_v1_internal_CardRecord card = guika_v1_internal_CardRecord_init_zero;

    if (key.size != GK_GENERATION_KEY_SIZE ||
        gk_record_decode(value, guika_v1_internal_CardRecord_fields, &card, NULL) != GK_OK ||
        memcmp(card.holder_token, search->holder_token, GK_TOKEN_SIZE) != 0) {
        return true;
    }
    if (search->visit != NULL) {
        search->visit(search->context, card.kind, card.cancelled);
    }
    search->keys = reallocarray(search->keys, search->count + 1, sizeof *search->keys);
    if (search->keys == NULL) {
        abort();
    }
    memcpy(search->keys[search->count++], key.data, GK_GENERATION_KEY_SIZE);
    return true;
}

static enum gk_status search_list(struct gk_registry *registry, uint64_t generation, struct search *search,
                                  struct gk_error *error)
{
    uint8_t prefix[GK_GENERATION_SIZE];

    if (generation == 0) {
        return GK_OK;
    }
    gk_generation_write(generation, prefix);
    return gk_store_scan(registry->store, GK_FAMILY_CARDS, (struct gk_bytes){prefix, sizeof prefix},
                         (struct gk_bytes){NULL, 0}, false, search_card, search, error);
}

enum gk_status gk_registry_holder_cards(struct gk_registry *registry, const char *issuer_account,
                                        const uint8_t holder_token[GK_TOKEN_SIZE],
                                        void (*visit)(void *context, guika_v1_CardKind kind, bool cancelled),
                                        void *context, struct gk_error *error)
{
    struct search search = {.holder_token = holder_token, .visit = visit, .context = context};
    uint64_t version;
    const enum gk_status status = search_list(
        registry, gk_accounts_generation(registry->accounts, issuer_account, &version), &search, error);

    free(search.keys);
    return status;
}

struct forgetting {
    const char *issuer_account;
    const uint8_t *holder_token;
    const struct search *search;
    const struct gk_contact_keys *contacts;
    uint64_t generation;
    uint64_t staging;
    size_t in_force; /* of the cards found, those in the list in force */
    enum gk_status (*also)(void *context, struct gk_transaction *transaction, struct gk_error *error);
    void *context;
};

static void delete_holder(struct gk_transaction *transaction, uint64_t generation,
                          const uint8_t holder_token[GK_TOKEN_SIZE])
{
    uint8_t key[GK_GENERATION_KEY_SIZE];

    gk_generation_key(generation, holder_token, key);
    gk_transaction_delete(transaction, GK_FAMILY_HOLDERS, (struct gk_bytes){key, sizeof key});
}

/* The card's row, and those of its older tokens. */
static void delete_card(struct gk_transaction *transaction, const uint8_t key[GK_GENERATION_KEY_SIZE])
{
    const struct gk_bytes row = {key, GK_GENERATION_KEY_SIZE};
    guika_v1_internal_CardRecord card = guika_v1_internal_CardRecord_init_zero;

    if (gk_record_get(transaction, GK_FAMILY_CARDS, row, guika_v1_internal_CardRecord_fields, &card, NULL) ==
        GK_OK) {
        for (pb_size_t i = 0; i < card.older_count; i++) {
            uint8_t older[GK_GENERATION_KEY_SIZE];

            memcpy(older, key, GK_GENERATION_SIZE);
            memcpy(older + GK_GENERATION_SIZE, card.older[i], GK_TOKEN_SIZE);
            gk_transaction_delete(transaction, GK_FAMILY_OLDER_CARDS, (struct gk_bytes){older, sizeof older});
        }
    }
    gk_transaction_delete(transaction, GK_FAMILY_CARDS, row);
}

static enum gk_status apply_forget(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct forgetting *forgetting = context;
    guika_v1_internal_IssuerAccount account = guika_v1_internal_IssuerAccount_init_zero;
    const enum gk_status status =
        gk_registry_get_account(transaction, forgetting->issuer_account, &account, error);

    if (status != GK_OK) {
        return status;
    }
    if (account.generation != forgetting->generation || account.staging != forgetting->staging) {
        return gk_error_set(error, GK_ABORTED, "the issuer's list was replaced meanwhile; try again");
    }
    for (size_t i = 0; i < forgetting->search->count; i++) {
        delete_card(transaction, forgetting->search->keys[i]);
    }
    gk_contacts_delete(transaction, forgetting->contacts);
    delete_holder(transaction, account.generation, forgetting->holder_token);
    delete_holder(transaction, account.staging, forgetting->holder_token);
    account.changes++;
    account.rows -= forgetting->in_force < account.rows ? forgetting->in_force : account.rows;
    const enum gk_status put = gk_registry_put_account(transaction, &account, error);

    return put != GK_OK ? put : forgetting->also(forgetting->context, transaction, error);
}

enum gk_status gk_registry_forget_holder(
    struct gk_registry *registry, const char *issuer_account, const uint8_t holder_token[GK_TOKEN_SIZE],
    enum gk_status (*also)(void *context, struct gk_transaction *transaction, struct gk_error *error),
    void *context, size_t *ret_cards, struct gk_error *error)
{
    struct search search = {.holder_token = holder_token};
    struct gk_contact_keys contacts = {NULL, 0};
    guika_v1_internal_IssuerAccount account = guika_v1_internal_IssuerAccount_init_zero;
    enum gk_status status =
        gk_record_read(registry->store, GK_FAMILY_ISSUER_ACCOUNTS,
                       (struct gk_bytes){(const uint8_t *)issuer_account, strlen(issuer_account)},
                       guika_v1_internal_IssuerAccount_fields, &account, error);

    if (status == GK_NOT_FOUND) {
        return gk_error_set(error, GK_NOT_FOUND, "there is no issuer account of this name");
    }
    if (status == GK_OK) {
        status = search_list(registry, account.generation, &search, error);
    }
    const size_t in_force = search.count;

    if (status == GK_OK) {
        status = search_list(registry, account.staging, &search, error);
    }
    if (status == GK_OK) {
        status = gk_contacts_of_holder(registry->store, account.generation, holder_token, &contacts, error);
    }
    if (status == GK_OK) {
        status = gk_contacts_of_holder(registry->store, account.staging, holder_token, &contacts, error);
    }
    if (status == GK_OK) {
        struct forgetting forgetting = {issuer_account,  holder_token, &search, &contacts, account.generation,
                                        account.staging, in_force,     also,    context};

        status = gk_store_commit_and_wait(registry->store, apply_forget, &forgetting, error);
    }
    if (status == GK_OK) {
        *ret_cards = search.count;
    }
    free(contacts.keys);
    free(search.keys);
    return status;
}

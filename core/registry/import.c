/*
 * Taking a list of cards page by page.
 *
 * A list is staged in a generation of its own while the one in force goes on serving. One page is one
 * transaction: its rows, its counts and the account's record that says which page comes next. The last page
 * puts the staged generation in force in the same transaction; the old one is erased by ranges afterwards
 * (or at the next start).
 */
#include "core/registry/contacts.h"
#include "core/registry/generation.h"
#include "core/registry/import_rows.h"
#include "core/registry/registry_internal.h"
#include "core/store/record.h"

#include <stdio.h>
#include <string.h>

/* One page on its way through the committer. */
struct page {
    const char *issuer_id;
    const guika_v1_ImportCardsRequest *request;
    const struct gk_import_rows *rows;
    guika_v1_internal_IssuerAccount account; /* as it is after the page */
    uint64_t replaced;                       /* generation that went out of force; 0: none */
    uint32_t base;                           /* epoch of the service's tokens in the rows */
    bool flipped;
    bool out_of_order;
};

/* All tokens of one list that the issuer made are of one key. */
static enum gk_status note_key(struct page *page, const struct gk_import_row *row, struct gk_error *error)
{
    uint32_t *epoch = &page->account.staging_key_epoch;

    if (!row->own_key || *epoch == row->key_epoch) {
        return GK_OK;
    }
    if (*epoch != 0) {
        return gk_error_set(error, GK_FAILED_PRECONDITION,
                            "the index key was replaced while this import ran; make the tokens anew");
    }
    *epoch = row->key_epoch;
    return GK_OK;
}

/* Whoever has the number's token from an older index key finds the card by it, until nobody has it any more
 * (core/collapse.h). */
static void put_older(struct gk_transaction *transaction, uint64_t generation,
                      const struct gk_card_tokens *tokens, guika_v1_internal_CardRecord *card)
{
    card->older_count = 0;
    for (size_t i = 1; i < tokens->count; i++) {
        uint8_t key[GK_GENERATION_KEY_SIZE];

        gk_generation_key(generation, tokens->tokens[i], key);
        gk_transaction_put(transaction, GK_FAMILY_OLDER_CARDS, (struct gk_bytes){key, sizeof key},
                           (struct gk_bytes){tokens->tokens[0], GK_TOKEN_SIZE});
        memcpy(card->older[card->older_count++], tokens->tokens[i], GK_TOKEN_SIZE);
    }
}

static enum gk_status put_row(struct gk_transaction *transaction, struct page *page,
                              const struct gk_import_row *row, struct gk_density_tally *tally,
                              struct gk_error *error)
{
    guika_v1_internal_CardRecord card = guika_v1_internal_CardRecord_init_zero;
    uint8_t key_bytes[GK_GENERATION_KEY_SIZE];
    const struct gk_bytes key = {key_bytes, sizeof key_bytes};

    enum gk_status status = note_key(page, row, error);

    if (status != GK_OK) {
        return status;
    }
    gk_generation_key(page->account.staging, row->card_token, key_bytes);
    status =
        gk_record_get(transaction, GK_FAMILY_CARDS, key, guika_v1_internal_CardRecord_fields, &card, error);

    if (status == GK_NOT_FOUND) {
        gk_density_count(tally, &row->blocks);
        page->account.staging_rows++;
    } else if (status != GK_OK) {
        return status;
    }
    /* `cancelled` stays as it is: a card that was revoked while its list came in is dead. */
    memcpy(card.holder_token, row->holder_token, sizeof card.holder_token);
    card.kind = row->kind;
    card.key_epoch = row->key_epoch;
    card.own_key = row->own_key;
    put_older(transaction, page->account.staging, &row->all_tokens, &card);
    status =
        gk_record_put(transaction, GK_FAMILY_CARDS, key, guika_v1_internal_CardRecord_fields, &card, error);
    if (status != GK_OK) {
        return status;
    }
    gk_contacts_put(transaction, page->account.staging, row->contact_tokens, row->contact_count,
                    row->holder_token);
    gk_generation_key(page->account.staging, row->holder_token, key_bytes);
    return gk_record_put(transaction, GK_FAMILY_HOLDERS, key, guika_v1_internal_HolderRecord_fields,
                         &row->holder, error);
}

static enum gk_status stage_rows(struct gk_transaction *transaction, struct page *page,
                                 struct gk_error *error)
{
    struct gk_density_tally tally = {.transaction = transaction, .generation = page->account.staging};

    for (size_t i = 0; i < page->rows->count; i++) {
        if (page->rows->items[i].problem == NULL) {
            const enum gk_status status = put_row(transaction, page, &page->rows->items[i], &tally, error);

            if (status != GK_OK) {
                return status;
            }
        }
    }
    gk_density_finish(&tally);
    page->account.next_page++;
    return GK_OK;
}

/* Starts a fresh staging generation; an unfinished import is dropped. */
static enum gk_status begin(struct gk_transaction *transaction, struct page *page, struct gk_error *error)
{
    guika_v1_internal_IssuerAccount *account = &page->account;

    if (account->staging != 0) {
        gk_generation_delete(transaction, account->staging);
    }
    memcpy(account->import_id, page->request->import_id, sizeof account->import_id);
    account->next_page = 0;
    account->staging_rows = 0;
    account->staging_key_epoch = 0;
    return gk_generation_next(transaction, &account->staging, error);
}

static void finish(struct gk_transaction *transaction, struct page *page)
{
    guika_v1_internal_IssuerAccount *account = &page->account;
    char detail[64];

    if (account->staging_rows == 0) {
        /* An empty list would take every holder's card out of force; it is a mistake. The import is
         * forgotten, so that it can be sent again under the same id. */
        gk_generation_delete(transaction, account->staging);
        account->import_id[0] = '\0';
        account->next_page = 0;
    } else {
        page->replaced = account->generation;
        page->flipped = true;
        account->generation = account->staging;
        account->rows = account->staging_rows;
        account->list_key_epoch = account->staging_key_epoch;
        account->base_epoch = page->base;
        snprintf(detail, sizeof detail, "%llu cards in force", (unsigned long long)account->rows);
        gk_registry_audit(transaction, page->issuer_id, "registry.import",
                          (struct gk_bytes){(const uint8_t *)page->issuer_id, strlen(page->issuer_id)},
                          detail);
    }
    account->staging = 0;
    account->staging_rows = 0;
    account->staging_key_epoch = 0;
}

static enum gk_status refuse_order(struct page *page, struct gk_error *error)
{
    page->out_of_order = true;
    return gk_error_set(error, GK_INVALID_ARGUMENT, "page %u of this import is expected, page %u was sent",
                        page->account.next_page, page->request->page);
}

static enum gk_status apply_page(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct page *page = context;
    guika_v1_internal_IssuerAccount *account = &page->account;
    enum gk_status status = gk_registry_get_account(transaction, page->issuer_id, account, error);

    if (status != GK_OK) {
        return status;
    }
    if (strcmp(account->import_id, page->request->import_id) != 0) {
        if (page->request->page != 0) {
            account->next_page = 0;
            return refuse_order(page, error);
        }
        status = begin(transaction, page, error);
    } else if (page->request->page < account->next_page) {
        return GK_OK; /* taken before */
    } else if (page->request->page > account->next_page || account->staging == 0) {
        return refuse_order(page, error);
    }
    if (status == GK_OK) {
        status = stage_rows(transaction, page, error);
    }
    if (status == GK_OK && page->request->last) {
        finish(transaction, page);
    }
    return status == GK_OK ? gk_registry_put_account(transaction, account, error) : status;
}

static void answer(const struct page *page, guika_v1_ImportCardsResponse *ret_response)
{
    *ret_response = (guika_v1_ImportCardsResponse)guika_v1_ImportCardsResponse_init_zero;
    ret_response->next_page = page->account.next_page;
    ret_response->in_force = page->account.staging == 0 && page->account.import_id[0] != '\0';
    for (size_t i = 0; i < page->rows->count; i++) {
        const struct gk_import_row *row = &page->rows->items[i];

        if (row->problem == NULL) {
            ret_response->accepted++;
        } else {
            guika_v1_RejectedRow *rejected = &ret_response->rejected[ret_response->rejected_count++];

            rejected->row = (uint32_t)i;
            snprintf(rejected->reason, sizeof rejected->reason, "%s", row->problem);
        }
    }
}

static bool is_import_id(const char *text)
{
    static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

    return text[0] != '\0' && text[strspn(text, characters)] == '\0';
}

static enum gk_status commit_page(struct gk_registry *registry, struct page *page, struct gk_error *error)
{
    const enum gk_status status = gk_store_commit_and_wait(registry->store, apply_page, page, error);

    if (status != GK_OK || !page->flipped) {
        return status;
    }
    /* In this order: look-ups that still read the old generation see the change of version and read again. */
    gk_accounts_flip(registry->accounts, &page->account);
    if (page->replaced != 0) {
        /* The new list is in force and durable whatever becomes of the old one: the next start sweeps. */
        (void)gk_generation_erase(registry->store, page->replaced, NULL);
    }
    return GK_OK;
}

enum gk_status gk_registry_import_page(struct gk_registry *registry, const char *issuer_id,
                                       const guika_v1_ImportCardsRequest *request, struct gk_bytes answers,
                                       guika_v1_ImportCardsResponse *ret_response, struct gk_error *error)
{
    struct gk_import_rows rows;
    struct page page = {
        .issuer_id = issuer_id, .request = request, .rows = &rows, .base = gk_keys_epoch(registry->keys)};

    if (!is_import_id(request->import_id)) {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "an import's id has 1 to 64 characters of [A-Za-z0-9._-]");
    }
    enum gk_status status = gk_import_rows_read(registry, issuer_id, request, answers, &rows, error);

    if (status != GK_OK) {
        return status;
    }
    status = commit_page(registry, &page, error);
    if (status == GK_OK) {
        answer(&page, ret_response);
    } else if (page.out_of_order) {
        ret_response->next_page = page.account.next_page;
    }
    gk_import_rows_free(&rows);
    return status;
}

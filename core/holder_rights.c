#include "core/holder_rights.h"

#include "core/found_card_internal.h"
#include "core/issuer_queue.h"
#include "core/notification/outbox.h"
#include "core/store/record.h"

#include <stdlib.h>
#include <string.h>

struct search {
    const char *issuer_account;
    uint8_t holder_token[GK_TOKEN_SIZE];
    guika_v1_internal_FoundCard *cases;
    size_t case_count;
    uint8_t (*notices)[16];
    size_t notice_count;
};

static void *grow(void *array, size_t count, size_t size)
{
    void *grown = reallocarray(array, count, size);

    if (grown == NULL) {
        abort();
    }
    return grown;
}

static bool is_holder(const struct search *search, const char *issuer_account, const uint8_t *token,
                      size_t size)
{
    return size == GK_TOKEN_SIZE && memcmp(token, search->holder_token, GK_TOKEN_SIZE) == 0 &&
           strcmp(issuer_account, search->issuer_account) == 0;
}

static bool take_case(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct search *search = context;
    guika_v1_internal_FoundCard card = {0};

    (void)key;
    if (gk_record_decode(value, guika_v1_internal_FoundCard_fields, &card, NULL) == GK_OK &&
        is_holder(search, card.issuer_account, card.holder_token.bytes, card.holder_token.size)) {
        search->cases = grow(search->cases, search->case_count + 1, sizeof *search->cases);
        search->cases[search->case_count++] = card;
    }
    return true;
}

static bool take_notice(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct search *search = context;
    guika_v1_internal_NoticeRecord notice = {0};

    (void)key;
    if (gk_record_decode(value, guika_v1_internal_NoticeRecord_fields, &notice, NULL) == GK_OK &&
        is_holder(search, notice.issuer_account, notice.holder_token.bytes, notice.holder_token.size)) {
        search->notices = grow(search->notices, search->notice_count + 1, sizeof *search->notices);
        memcpy(search->notices[search->notice_count++], notice.notice_id, 16);
    }
    return true;
}

static enum gk_status find(const struct gk_holder_rights *rights, const char *issuer_account,
                           const char *holder_id, struct search *ret_search, struct gk_error *error)
{
    const struct gk_bytes all = {NULL, 0};

    *ret_search = (struct search){.issuer_account = issuer_account};
    gk_keys_holder_token(rights->keys, issuer_account, holder_id, ret_search->holder_token);
    const enum gk_status status =
        gk_store_scan(rights->store, GK_FAMILY_FOUND_CARDS, all, all, false, take_case, ret_search, error);

    return status != GK_OK ? status
                           : gk_store_scan(rights->store, GK_FAMILY_OUTBOX, all, all, false, take_notice,
                                           ret_search, error);
}

static void clear(struct search *search)
{
    free(search->cases);
    free(search->notices);
}

/* --- export --- */

struct audit {
    const char *actor;
    const uint8_t *holder_token;
};

static enum gk_status apply_export(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct audit *audit = context;

    (void)error;
    gk_transaction_audit(transaction, audit->actor, "holder.export",
                         (struct gk_bytes){audit->holder_token, GK_TOKEN_SIZE}, "");
    return GK_OK;
}

static void count_card(void *context, guika_v1_CardKind kind, bool cancelled)
{
    struct gk_holder_export *result = context;

    (void)kind;
    result->cards++;
    result->cancelled += cancelled;
}

enum gk_status gk_holder_export(const struct gk_holder_rights *rights, const char *issuer_account,
                                const char *holder_id, const char *actor, struct gk_holder_export *ret_export,
                                struct gk_error *error)
{
    struct gk_holder_export result = {0};
    struct search search;
    enum gk_status status = find(rights, issuer_account, holder_id, &search, error);

    if (status == GK_OK) {
        status = gk_registry_holder(rights->registry, issuer_account, search.holder_token, &result.contacts,
                                    error);
        if (status == GK_NOT_FOUND && search.case_count > 0) {
            status = GK_OK; /* the list has forgotten the holder, the cases have not */
        }
    }
    if (status == GK_OK) {
        status = gk_registry_holder_cards(rights->registry, issuer_account, search.holder_token, count_card,
                                          &result, error);
    }
    if (status == GK_OK) {
        struct audit audit = {actor, search.holder_token};

        status = gk_store_commit_and_wait(rights->store, apply_export, &audit, error);
    }
    if (status == GK_OK) {
        result.cases = search.cases;
        result.case_count = search.case_count;
        search.cases = NULL;
        *ret_export = result;
    }
    clear(&search);
    return status;
}

/* --- forget --- */

struct forgetting {
    const struct search *search;
    const char *actor;
};

static enum gk_status unlink_case(struct gk_transaction *transaction,
                                  const guika_v1_internal_FoundCard *found, struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    bool removed;
    enum gk_status status = gk_found_card_get(transaction, found->case_id, &card, error);

    if (status == GK_OK) { /* the issuer has nobody to tell any more */
        status = gk_issuer_queue_remove(transaction, card.issuer_account, card.case_id, &removed, error);
    }
    if (status != GK_OK) {
        return status;
    }
    card.holder_token.size = 0;
    card.issuer_account[0] = '\0';
    return gk_found_card_write(transaction, &card, error);
}

static enum gk_status apply_forget(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct forgetting *forgetting = context;
    const struct search *search = forgetting->search;
    enum gk_status status = GK_OK;

    for (size_t i = 0; status == GK_OK && i < search->notice_count; i++) {
        status = gk_outbox_forget(transaction, search->notices[i], error);
    }
    for (size_t i = 0; status == GK_OK && i < search->case_count; i++) {
        status = unlink_case(transaction, &search->cases[i], error);
    }
    gk_transaction_audit(transaction, forgetting->actor, "holder.forget",
                         (struct gk_bytes){search->holder_token, GK_TOKEN_SIZE}, "");
    return status;
}

enum gk_status gk_holder_forget(const struct gk_holder_rights *rights, const char *issuer_account,
                                const char *holder_id, const char *actor,
                                struct gk_holder_forgotten *ret_forgotten, struct gk_error *error)
{
    struct search search;
    guika_v1_internal_HolderContacts contacts;
    size_t cards = 0;
    enum gk_status status = find(rights, issuer_account, holder_id, &search, error);

    if (status == GK_OK) {
        status = gk_registry_holder(rights->registry, issuer_account, search.holder_token, &contacts, error);
        if (status == GK_NOT_FOUND && search.case_count + search.notice_count > 0) {
            status = GK_OK;
        }
        memset(&contacts, 0, sizeof contacts);
    }
    if (status == GK_OK) {
        struct forgetting forgetting = {&search, actor};

        status = gk_registry_forget_holder(rights->registry, issuer_account, search.holder_token,
                                           apply_forget, &forgetting, &cards, error);
    }
    if (status == GK_OK) {
        *ret_forgotten = (struct gk_holder_forgotten){cards, search.case_count, search.notice_count};
    }
    clear(&search);
    return status;
}

#include "core/registry/contacts.h"

#include "core/registry/contact.h"
#include "core/registry/generation.h"
#include "core/registry/registry_internal.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_SIZE = GK_GENERATION_KEY_SIZE + GK_TOKEN_SIZE }; /* generation, contact token, holder token */

void gk_contacts_put(struct gk_transaction *transaction, uint64_t generation,
                     const uint8_t tokens[][GK_TOKEN_SIZE], size_t count,
                     const uint8_t holder_token[GK_TOKEN_SIZE])
{
    uint8_t key[KEY_SIZE];

    for (size_t i = 0; i < count; i++) {
        gk_generation_key(generation, tokens[i], key);
        memcpy(key + GK_GENERATION_KEY_SIZE, holder_token, GK_TOKEN_SIZE);
        gk_transaction_put(transaction, GK_FAMILY_CONTACTS, (struct gk_bytes){key, sizeof key},
                           (struct gk_bytes){NULL, 0});
    }
}

struct search {
    const char *account;
    struct gk_contact_holder *holders;
    size_t count;
    size_t room;
};

static bool visit_holder(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct search *search = context;
    struct gk_contact_holder *holder = &search->holders[search->count];

    (void)value;
    if (key.size != KEY_SIZE) {
        return true;
    }
    *holder = (struct gk_contact_holder){.contact = 0};
    (void)snprintf(holder->issuer_account, sizeof holder->issuer_account, "%s", search->account);
    memcpy(holder->holder_token, key.data + GK_GENERATION_KEY_SIZE, GK_TOKEN_SIZE);
    return ++search->count < search->room;
}

static enum gk_status search_list(struct gk_registry *registry, const struct gk_account_list *list,
                                  const uint8_t contact_token[GK_TOKEN_SIZE], struct search *search,
                                  struct gk_error *error)
{
    uint8_t prefix[GK_GENERATION_KEY_SIZE];

    if (search->count == search->room) {
        return GK_OK;
    }
    search->account = list->name;
    gk_generation_key(list->generation, contact_token, prefix);
    return gk_store_scan(registry->store, GK_FAMILY_CONTACTS, (struct gk_bytes){prefix, sizeof prefix},
                         (struct gk_bytes){NULL, 0}, false, visit_holder, search, error);
}

/* All lists in force; again where one was replaced meanwhile. */
static enum gk_status search_lists(struct gk_registry *registry, const uint8_t contact_token[GK_TOKEN_SIZE],
                                   struct search *search, struct gk_error *error)
{
    for (;;) {
        struct gk_account_list *lists;
        enum gk_status status = GK_OK;
        uint64_t version;
        size_t count;

        search->count = 0;
        gk_accounts_covering(registry->accounts, NULL, NULL, &lists, &count, &version);
        for (size_t i = 0; i < count && status == GK_OK; i++) {
            status = search_list(registry, &lists[i], contact_token, search, error);
        }
        free(lists);
        if (status != GK_OK || gk_accounts_version(registry->accounts) == version) {
            return status;
        }
    }
}

/* Which of the holder's contacts has the token; false where none has (any more): two rows of a list may
 * disagree on a holder, and the last one counts. */
static bool confirm(struct gk_registry *registry, const uint8_t contact_token[GK_TOKEN_SIZE],
                    struct gk_contact_holder *holder)
{
    guika_v1_internal_HolderContacts contacts = guika_v1_internal_HolderContacts_init_zero;
    bool found = false;

    if (gk_registry_holder(registry, holder->issuer_account, holder->holder_token, &contacts, NULL) !=
        GK_OK) {
        return false;
    }
    for (pb_size_t i = 0; i < contacts.contacts_count && !found; i++) {
        uint8_t token[GK_TOKEN_SIZE];

        found = gk_registry_contact_token(registry, contacts.contacts[i], token) &&
                memcmp(token, contact_token, GK_TOKEN_SIZE) == 0;
        holder->contact = i;
    }
    memcpy(holder->address, contacts.contacts[holder->contact], sizeof holder->address);
    memcpy(holder->language, contacts.language, sizeof holder->language);
    sodium_memzero(&contacts, sizeof contacts);
    return found;
}

bool gk_registry_contact_token(const struct gk_registry *registry, const char *text,
                               uint8_t ret_token[GK_TOKEN_SIZE])
{
    struct gk_contact contact;

    if (!gk_contact_read(text, &contact)) {
        return false;
    }
    gk_keys_contact_token(registry->keys, contact.text, ret_token);
    return true;
}

enum gk_status gk_registry_contact_holders(struct gk_registry *registry,
                                           const uint8_t contact_token[GK_TOKEN_SIZE],
                                           struct gk_contact_holder *ret_holders, size_t room,
                                           size_t *ret_count, struct gk_error *error)
{
    struct search search = {.holders = ret_holders, .room = room};
    const enum gk_status status = search_lists(registry, contact_token, &search, error);
    size_t kept = 0;

    if (status != GK_OK) {
        return status;
    }
    for (size_t i = 0; i < search.count; i++) {
        if (confirm(registry, contact_token, &ret_holders[i])) {
            ret_holders[kept++] = ret_holders[i];
        }
    }
    *ret_count = kept;
    return GK_OK;
}

#include "core/holdings.h"

#include "core/found_card.h"
#include "core/store/record.h"
#include "core/watches.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static bool note_one(void *context, struct gk_bytes key, struct gk_bytes value)
{
    (void)key;
    (void)value;
    *(bool *)context = true;
    return false;
}

static void take_holder(const struct gk_contact_holder *holder, struct gk_owner *ret_owner)
{
    *ret_owner = (struct gk_owner){.contact = holder->contact};
    memcpy(ret_owner->issuer_account, holder->issuer_account, sizeof ret_owner->issuer_account);
    memcpy(ret_owner->token, holder->holder_token, GK_TOKEN_SIZE);
    memcpy(ret_owner->language, holder->language, sizeof ret_owner->language);
    memcpy(ret_owner->address, holder->address, sizeof ret_owner->address);
}

enum gk_status gk_holdings_owners(struct gk_registry *registry, struct gk_store *store,
                                  const uint8_t contact_token[GK_TOKEN_SIZE], struct gk_owner *ret_owners,
                                  size_t *ret_count, struct gk_error *error)
{
    const struct gk_bytes prefix = {contact_token, GK_TOKEN_SIZE};
    struct gk_contact_holder holders[GK_OWNERS_MAX - 1];
    bool watches = false;
    size_t count = 0;
    enum gk_status status =
        gk_registry_contact_holders(registry, contact_token, holders, GK_OWNERS_MAX - 1, &count, error);

    if (status == GK_OK) {
        status = gk_store_scan(store, GK_FAMILY_WATCHES, prefix, (struct gk_bytes){NULL, 0}, false, note_one,
                               &watches, error);
    }
    for (size_t i = 0; i < count && status == GK_OK; i++) {
        take_holder(&holders[i], &ret_owners[i]);
    }
    if (status == GK_OK && watches) {
        ret_owners[count] = (struct gk_owner){.contact = 0};
        memcpy(ret_owners[count++].token, contact_token, GK_TOKEN_SIZE);
    }
    if (status == GK_OK) {
        *ret_count = count;
    }
    sodium_memzero(holders, sizeof holders);
    return status;
}

struct visiting {
    struct gk_store *store;
    struct gk_registry *registry;
    const struct gk_owner *owner; /* NULL: anybody's */
    gk_holding_fn visit;
    void *context;
    guika_v1_internal_FoundCard card;
};

/* The registry may have another holder for the card by now, or none. A watcher's card is in no list. */
static bool is_theirs(const struct visiting *visiting)
{
    const guika_v1_internal_FoundCard *card = &visiting->card;
    const struct gk_owner *owner = visiting->owner;
    struct gk_registration registration = {0};

    if (owner == NULL) {
        return true;
    }
    if (card->card_token.size != GK_TOKEN_SIZE || card->holder_token.size != GK_TOKEN_SIZE ||
        memcmp(card->holder_token.bytes, owner->token, GK_TOKEN_SIZE) != 0 ||
        gk_registry_look_up_token(visiting->registry, card->card_token.bytes, &registration, NULL) != GK_OK) {
        return false;
    }
    if (owner->issuer_account[0] == '\0') {
        return !registration.registered;
    }
    return registration.registered && !registration.cancelled &&
           memcmp(registration.holder_token, owner->token, GK_TOKEN_SIZE) == 0;
}

/* Keys end with the case id. */
static bool visit_case(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct visiting *visiting = context;
    const struct gk_bytes case_id = {key.data + key.size - GK_CASE_ID_SIZE, GK_CASE_ID_SIZE};

    (void)value;
    visiting->card = (guika_v1_internal_FoundCard){0};
    return gk_record_read(visiting->store, GK_FAMILY_FOUND_CARDS, case_id, guika_v1_internal_FoundCard_fields,
                          &visiting->card, NULL) != GK_OK ||
           !is_theirs(visiting) || visiting->visit(visiting->context, &visiting->card);
}

static enum gk_status scan(enum gk_family family, const uint8_t token[GK_TOKEN_SIZE],
                           struct visiting *visiting, struct gk_error *error)
{
    return gk_store_scan(visiting->store, family, (struct gk_bytes){token, GK_TOKEN_SIZE},
                         (struct gk_bytes){NULL, 0}, false, visit_case, visiting, error);
}

enum gk_status gk_holdings_of_card(struct gk_store *store, const uint8_t card_token[GK_TOKEN_SIZE],
                                   gk_holding_fn visit, void *context, struct gk_error *error)
{
    struct visiting visiting = {.store = store, .visit = visit, .context = context};

    return scan(GK_FAMILY_FOUND_BY_CARD, card_token, &visiting, error);
}

enum gk_status gk_holdings_of_owner(struct gk_registry *registry, struct gk_store *store,
                                    const struct gk_owner *owner, gk_holding_fn visit, void *context,
                                    struct gk_error *error)
{
    struct visiting visiting = {
        .store = store, .registry = registry, .owner = owner, .visit = visit, .context = context};

    return scan(GK_FAMILY_FOUND_BY_HOLDER, owner->token, &visiting, error);
}

enum gk_status gk_holdings_contacts(struct gk_registry *registry, struct gk_store *store,
                                    const struct gk_keys *keys, const char *issuer_account,
                                    const uint8_t holder_token[GK_TOKEN_SIZE],
                                    guika_v1_internal_HolderContacts *ret_contacts, struct gk_error *error)
{
    return issuer_account[0] == '\0'
               ? gk_watches_holder(store, keys, holder_token, ret_contacts, error)
               : gk_registry_holder(registry, issuer_account, holder_token, ret_contacts, error);
}

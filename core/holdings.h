/*
 * Which found cards are whose: of a card's number, of a holder, and of everybody who can be reached at a
 * contact. A card is shown to its holder only while the registry agrees that it is theirs.
 */
#ifndef GUIKA_CORE_HOLDINGS_H
#define GUIKA_CORE_HOLDINGS_H

#include "core/registry/registry.h"
#include "core/store/store.h"

/* Who a notice goes to. */
struct gk_owner {
    char issuer_account[33]; /* empty: a watcher, whose token is that of their contact */
    uint8_t token[GK_TOKEN_SIZE];
    uint32_t contact; /* which of the holder's contacts is meant */
    char language[16];
    char address[129]; /* that contact, CHANNEL:ADDRESS; wipe after use; empty for a watcher */
};

#define GK_OWNERS_MAX 9 /* holders that one contact may stand for, and the watcher */

/* Everybody who can be reached at a contact: registered holders first, then the watcher, where there is one.
 * `ret_owners` has room for GK_OWNERS_MAX. [worker] */
enum gk_status gk_holdings_owners(struct gk_registry *registry, struct gk_store *store,
                                  const uint8_t contact_token[GK_TOKEN_SIZE], struct gk_owner *ret_owners,
                                  size_t *ret_count, struct gk_error *error);

/* Visits found cards; false ends it. `card` is borrowed for the call. */
typedef bool (*gk_holding_fn)(void *context, const guika_v1_internal_FoundCard *card);

/* The found cards with a number, by its token. [worker] */
enum gk_status gk_holdings_of_card(struct gk_store *store, const uint8_t card_token[GK_TOKEN_SIZE],
                                   gk_holding_fn visit, void *context, struct gk_error *error);

/* The found cards of an owner, of those that the registry still says are theirs. [worker] */
enum gk_status gk_holdings_of_owner(struct gk_registry *registry, struct gk_store *store,
                                    const struct gk_owner *owner, gk_holding_fn visit, void *context,
                                    struct gk_error *error);

/* Name, language and contacts of a found card's holder: of the account's list, or, without an account, of a
 * watcher. NOT_FOUND where there is no such holder (any more). [worker] */
enum gk_status gk_holdings_contacts(struct gk_registry *registry, struct gk_store *store,
                                    const struct gk_keys *keys, const char *issuer_account,
                                    const uint8_t holder_token[GK_TOKEN_SIZE],
                                    guika_v1_internal_HolderContacts *ret_contacts, struct gk_error *error);

#endif

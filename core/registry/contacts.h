/*
 * The contact index: who can be reached at a telephone number or e-mail address, keyed like the cards.
 *
 * Owns: the family contacts. Imports keep it up: each list brings its own, in its generation.
 */
#ifndef GUIKA_CORE_REGISTRY_CONTACTS_H
#define GUIKA_CORE_REGISTRY_CONTACTS_H

#include "core/registry/generation.h"
#include "core/registry/registry.h"

enum { GK_CONTACT_KEY_SIZE = GK_GENERATION_KEY_SIZE + GK_TOKEN_SIZE }; /* generation, contact, holder */

/* Writes the tokens of a holder's contacts into `generation`. [committer] */
void gk_contacts_put(struct gk_transaction *transaction, uint64_t generation,
                     const uint8_t tokens[][GK_TOKEN_SIZE], size_t count,
                     const uint8_t holder_token[GK_TOKEN_SIZE]);

/* The keys of one holder's contacts in a list. */
struct gk_contact_keys {
    uint8_t (*keys)[GK_CONTACT_KEY_SIZE]; /* owned; free */
    size_t count;
};

/* Reads the contacts of `generation` (0: none) through and adds the holder's keys to `keys`. [worker] */
enum gk_status gk_contacts_of_holder(struct gk_store *store, uint64_t generation,
                                     const uint8_t holder_token[GK_TOKEN_SIZE], struct gk_contact_keys *keys,
                                     struct gk_error *error);

/* Deletes them. [committer] */
void gk_contacts_delete(struct gk_transaction *transaction, const struct gk_contact_keys *keys);

#endif

/*
 * The contact index: who can be reached at a telephone number or e-mail address, keyed like the cards.
 *
 * Owns: the family contacts. Imports keep it up: each list brings its own, in its generation.
 */
#ifndef GUIKA_CORE_REGISTRY_CONTACTS_H
#define GUIKA_CORE_REGISTRY_CONTACTS_H

#include "core/registry/registry.h"

/* Writes the tokens of a holder's contacts into `generation`. [committer] */
void gk_contacts_put(struct gk_transaction *transaction, uint64_t generation,
                     const uint8_t tokens[][GK_TOKEN_SIZE], size_t count,
                     const uint8_t holder_token[GK_TOKEN_SIZE]);

#endif

/*
 * Lists under a new key: each list in force is copied into a generation of its own, with every token wrapped
 * once more and every contact sealed anew, while the list goes on serving; all copies come into force at
 * once.
 *
 * Owns: in the family meta, "rewrap/" and an account's name: how far its copy has come. A copy whose list was
 * replaced or changed is begun again.
 */
#ifndef GUIKA_CORE_REGISTRY_REWRAP_H
#define GUIKA_CORE_REGISTRY_REWRAP_H

#include "core/registry/registry.h"

#define GK_REWRAP_PREFIX "rewrap/"

/* Copies the next batch of rows from epoch `from` to epoch `to`. `*ret_done`: every list in force has its
 * copy, as it is now. Survives a crash at any point. [worker] */
enum gk_status gk_rewrap_step(struct gk_store *store, const struct gk_keys *keys, uint32_t from, uint32_t to,
                              bool *ret_done, struct gk_error *error);

/* Puts one account's copy in force, drops an import that is under way (its tokens are of the old epoch) and
 * forgets the record of the copy. No registry may be open; the next one erases the old list. [committer] */
enum gk_status gk_rewrap_flip(struct gk_transaction *transaction, const guika_v1_internal_RewrapRecord *copy,
                              const char *issuer_account, struct gk_error *error);

/* Visits the copies there are. [worker] */
enum gk_status gk_rewrap_each(struct gk_store *store,
                              void (*visit)(void *context, const char *issuer_account,
                                            const guika_v1_internal_RewrapRecord *copy),
                              void *context, struct gk_error *error);

#endif

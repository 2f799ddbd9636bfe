/*
 * The end of an index key that no record needs any more.
 *
 * Whether one is needed can only be said while nobody writes, so an operator's word is noted, the service
 * begins anew, and what was noted is done before it serves: the records are counted, the lowest epoch that
 * they need is written down, and the files below it are deleted. A crash at any point repeats it.
 *
 * Owns: in the family meta, "key_retire" and "key_floor".
 */
#ifndef GUIKA_CORE_RETIREMENT_H
#define GUIKA_CORE_RETIREMENT_H

#include "core/security/keys.h"
#include "core/store/store.h"

/* Notes that the index keys below `lowest` are to go, in a transition that writes its own audit entry.
 * [committer] */
void gk_retirement_note(struct gk_transaction *transaction, uint32_t lowest);

/* The lowest epoch whose index key the data need; 1 unless keys were retired. [worker] */
enum gk_status gk_retirement_floor(struct gk_store *store, uint32_t *ret_floor, struct gk_error *error);

/* Does what was noted, as far as the records allow it; before the registry is opened, after
 * gk_rotation_settle. FAILED_PRECONDITION where an index key that the data need is not there (data from
 * before a retirement). [worker] */
enum gk_status gk_retirement_settle(struct gk_store *store, struct gk_keys *keys, const char *keys_directory,
                                    struct gk_error *error);

#endif

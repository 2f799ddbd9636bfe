/*
 * How full the number space is around a number.
 *
 * Cards are counted by the blocks that they lie in: the number without its last 3, 4 and 6 characters (one
 * campus, one day's issue, one bank's range), each block under a keyed token in the family density:
 * generation (8), characters cut (1), block token (32) -> count. A number is never written.
 */
#ifndef GUIKA_CORE_REGISTRY_DENSITY_H
#define GUIKA_CORE_REGISTRY_DENSITY_H

#include "core/registry/accounts.h"
#include "core/security/keys.h"
#include "core/store/store.h"

enum { GK_DENSITY_LEVELS = 3 };

/* The blocks around one number. */
struct gk_blocks {
    uint8_t tokens[GK_DENSITY_LEVELS][GK_TOKEN_SIZE];
    size_t count; /* the levels for which the number is long enough */
};

struct gk_blocks gk_density_blocks(const struct gk_keys *keys, const char *scheme, const char *number);

/* Counts cards of one generation into a transaction, those of one block together. Starts with `transaction`
 * and `generation` set and the rest zeroed. [committer] */
struct gk_density_tally {
    struct gk_transaction *transaction;
    uint64_t generation;
    uint8_t tokens[GK_DENSITY_LEVELS][GK_TOKEN_SIZE];
    uint64_t pending[GK_DENSITY_LEVELS];
};

void gk_density_count(struct gk_density_tally *tally, const struct gk_blocks *blocks);
void gk_density_finish(struct gk_density_tally *tally);

/* The share of the valid numbers near one that are registered in any of the lists, 0 to 1: the largest over
 * the blocks, `self` cards left out (those that have the number itself). [worker] */
enum gk_status gk_density_share(struct gk_store *store, const struct gk_account_list *lists,
                                size_t list_count, const struct gk_blocks *blocks, uint64_t self,
                                double *ret_share, struct gk_error *error);

#endif

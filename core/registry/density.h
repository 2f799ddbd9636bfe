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
#include "core/security/index_key.h"
#include "core/store/store.h"

/* The blocks around one number, under the service's own key, from epoch `base`. */
struct gk_blocks gk_density_blocks(const struct gk_keys *keys, uint32_t base, const char *scheme,
                                   const char *number);

/* Counts cards of one generation into a transaction, those of one block together. Starts with `transaction`
 * and `generation` set and the rest zeroed. [committer] */
struct gk_density_tally {
    struct gk_transaction *transaction;
    uint64_t generation;
    uint8_t tokens[GK_BLOCK_LEVELS][GK_TOKEN_SIZE];
    uint64_t pending[GK_BLOCK_LEVELS];
};

void gk_density_count(struct gk_density_tally *tally, const struct gk_blocks *blocks);
void gk_density_finish(struct gk_density_tally *tally);

/* One number's blocks in one list. */
struct gk_density_view {
    uint64_t generation;
    struct gk_blocks blocks; /* under the key that the list's cards were counted with */
};

/* The share of the valid numbers near one that are registered in any of the lists, 0 to 1: the largest over
 * the blocks, `self` cards left out (those that have the number itself). [worker] */
enum gk_status gk_density_share(struct gk_store *store, const struct gk_density_view *views, size_t count,
                                uint64_t self, double *ret_share, struct gk_error *error);

#endif

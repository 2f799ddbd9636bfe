/* Which index keys the records still need. */
#ifndef GUIKA_CORE_KEY_CENSUS_H
#define GUIKA_CORE_KEY_CENSUS_H

#include "core/security/keys.h"
#include "core/store/store.h"

/* Records whose tokens were first made with the index key of one epoch. They need that key and all later
 * ones. */
struct gk_key_use {
    uint64_t lists;       /* of issuers, in force */
    uint64_t cards;       /* in those lists */
    uint64_t found_cards; /* whose number is known and not erased */
    uint64_t watches;     /* numbers that somebody watches for; a number under two schemes counts twice */
    uint64_t claims;      /* of numbers that nobody registered */
};

/* By epoch, 1 to GK_KEY_EPOCHS_MAX. */
struct gk_key_census {
    struct gk_key_use epochs[GK_KEY_EPOCHS_MAX + 1];
};

/* Counts the records as last committed; it reads all found cards. [worker] */
enum gk_status gk_key_census_take(struct gk_store *store, struct gk_key_census *ret_census,
                                  struct gk_error *error);

/* The lowest epoch that records need, at most `newest`. [any] */
uint32_t gk_key_census_lowest(const struct gk_key_census *census, uint32_t newest);

#endif

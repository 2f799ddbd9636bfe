/* What becomes of found cards against a large registry. Tables over the journal of a series of deposits or
 * strips. */
#ifndef GUIKA_BENCH_DEPOSITS_H
#define GUIKA_BENCH_DEPOSITS_H

#include "bench/listing.h"
#include "bench/series.h"

/* Decides on every deposit as the core does, and prints what came of it. Adds to `*wrong` how many
 * were accepted for a card that they are not. False, after saying why, where the registry cannot be read. */
bool gk_bench_deposits_print(const struct gk_bench_series *series, const struct gk_bench_journal *journal,
                             struct gk_bench_listing *listing, uint64_t *wrong);

#endif

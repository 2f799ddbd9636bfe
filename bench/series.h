/*
 * Series of minted pictures for the calibration bench, and their reading by several processes into a
 * journal. A picture follows from the seed, the series and its index.
 */
#ifndef GUIKA_BENCH_SERIES_H
#define GUIKA_BENCH_SERIES_H

#include "bench/journal.h"
#include "tests/mint/mint.h"

enum gk_bench_series_kind {
    GK_BENCH_CARDS,    /* all kinds, prints and layouts, a few without any number */
    GK_BENCH_DEPOSITS, /* found cards of issuers.h, every other one unregistered */
    GK_BENCH_STRIPS,   /* number lines alone of such cards, cut already */
};

struct gk_bench_series {
    enum gk_bench_series_kind kind;
    uint64_t seed;
    uint64_t all_rows; /* of the registry; not for GK_BENCH_CARDS */
    bool second_frame; /* the box takes one under the opposite lamp where the reader says that it may help */
};

/* What is on picture `index`. */
void gk_bench_series_card(const struct gk_bench_series *series, uint64_t index,
                          struct gk_mint_card *ret_card);

/* Of GK_BENCH_DEPOSITS and GK_BENCH_STRIPS. */
size_t gk_bench_series_issuer(uint64_t index);
bool gk_bench_series_registered(uint64_t index);

/* Reads the pictures that the journal lacks in `workers` processes, and says on stderr how far it is. False,
 * after saying why, where one of them failed. */
bool gk_bench_series_read(const struct gk_bench_series *series, const char *name,
                          const struct gk_bench_journal *journal, unsigned workers);

#endif

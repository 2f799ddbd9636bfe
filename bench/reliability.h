/* Are the reader's probabilities true? Tables over the journal of the series of cards. */
#ifndef GUIKA_BENCH_RELIABILITY_H
#define GUIKA_BENCH_RELIABILITY_H

#include "bench/series.h"

void gk_bench_reliability_print(const struct gk_bench_series *series, const struct gk_bench_journal *journal);

#endif

/*
 * Rounds of two contestants in turn, and what they come to. One thread.
 */
#ifndef GUIKA_BENCH_ROUNDS_H
#define GUIKA_BENCH_ROUNDS_H

#include <stdint.h>

#define GK_BENCH_ROUNDS 9

/* Works until `ends_ns` on CLOCK_MONOTONIC; returns how many operations it finished. */
typedef uint64_t (*gk_bench_fn)(void *context, int64_t ends_ns);

int64_t gk_bench_now_ns(void);

/* Runs both in turn for `round_ms` each, after one round that does not count, and prints a line. */
void gk_bench_compare(const char *what, unsigned round_ms, gk_bench_fn ours, void *ours_context,
                      gk_bench_fn peer, void *peer_context);

#endif

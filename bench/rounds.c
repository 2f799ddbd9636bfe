#include "bench/rounds.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int64_t gk_bench_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static double rate_of(gk_bench_fn run, void *context, unsigned round_ms)
{
    const int64_t began_ns = gk_bench_now_ns();
    const uint64_t count = run(context, began_ns + (int64_t)round_ms * 1000000);

    return (double)count * 1e9 / (double)(gk_bench_now_ns() - began_ns);
}

static int by_value(const void *left, const void *right)
{
    const double a = *(const double *)left;
    const double b = *(const double *)right;

    return (a > b) - (a < b);
}

static void sort(double values[GK_BENCH_ROUNDS])
{
    qsort(values, GK_BENCH_ROUNDS, sizeof values[0], by_value);
}

void gk_bench_compare(const char *what, unsigned round_ms, gk_bench_fn ours, void *ours_context,
                      gk_bench_fn peer, void *peer_context)
{
    double our_rates[GK_BENCH_ROUNDS];
    double peer_rates[GK_BENCH_ROUNDS];
    double ratios[GK_BENCH_ROUNDS];
    const int middle = GK_BENCH_ROUNDS / 2;

    (void)rate_of(ours, ours_context, round_ms);
    (void)rate_of(peer, peer_context, round_ms);
    for (int i = 0; i < GK_BENCH_ROUNDS; i++) {
        our_rates[i] = rate_of(ours, ours_context, round_ms);
        peer_rates[i] = rate_of(peer, peer_context, round_ms);
        ratios[i] = our_rates[i] / peer_rates[i];
    }
    sort(our_rates);
    sort(peer_rates);
    sort(ratios);
    (void)printf("%-34s ours %8.0f/s [%.0f..%.0f]   peer %8.0f/s [%.0f..%.0f]   ratio %.2f [%.2f..%.2f]\n",
                 what, our_rates[middle], our_rates[0], our_rates[GK_BENCH_ROUNDS - 1], peer_rates[middle],
                 peer_rates[0], peer_rates[GK_BENCH_ROUNDS - 1], ratios[middle], ratios[0],
                 ratios[GK_BENCH_ROUNDS - 1]);
    (void)fflush(stdout);
}

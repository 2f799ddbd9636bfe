/* What the service makes of a reading against the registry. */
#ifndef GUIKA_BENCH_DECIDE_H
#define GUIKA_BENCH_DECIDE_H

#include "bench/journal.h"
#include "core/registry/match.h"

/* As core/decision.c does it, with guikad's defaults. An error of the registry is returned as it is. */
enum gk_status gk_bench_decide(struct gk_registry *registry, const struct gk_bench_record *record,
                               struct gk_match *ret_match, struct gk_error *error);

#endif

#include "bench/decide.h"

/* guikad's defaults (core/configuration.c). */
static const double THRESHOLD = 0.999;
static const double REGISTERED_SHARE = 0.5;

enum gk_status gk_bench_decide(struct gk_registry *registry, const struct gk_bench_record *record,
                               struct gk_match *ret_match, struct gk_error *error)
{
    guika_v1_internal_Candidate candidates[GK_BENCH_CANDIDATES_MAX];
    struct gk_registration registrations[GK_BENCH_CANDIDATES_MAX] = {{.registered = false}};

    gk_bench_record_candidates(record, candidates);
    for (size_t i = 0; i < record->count; i++) {
        const enum gk_status status = gk_registry_look_up(registry, &candidates[i], &registrations[i], error);

        if (status != GK_OK) {
            return status;
        }
    }
    *ret_match = gk_match_decide(candidates, registrations, record->count, (guika_v1_Reason)record->reason,
                                 THRESHOLD, REGISTERED_SHARE);
    return GK_OK;
}

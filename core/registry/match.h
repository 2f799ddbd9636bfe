/*
 * From candidates and registrations to a decision. It never guesses.
 */
#ifndef GUIKA_CORE_REGISTRY_MATCH_H
#define GUIKA_CORE_REGISTRY_MATCH_H

#include "core/registry/registry.h"
#include "guika/v1/types.pb.h"

struct gk_match {
    bool accepted;          /* a live registered card, above the threshold */
    guika_v1_Reason reason; /* where not accepted */
    size_t candidate;       /* index of the number that the decision is about; SIZE_MAX: none */
    double probability;     /* its posterior */
};

/* Weighs `count` (0 to 20) candidates, each with its registration, against each other, against those that are
 * not registered, and against the numbers that did not make the list. `reader_reason` is what the reader
 * thought; it stands where no candidate is certain. `threshold` 0.5 to 1, default 0.999; `registered_share`
 * is the prior that a found card is registered, 0.01 to 0.99, default 0.5. Pure. [any] */
struct gk_match gk_match_decide(const guika_v1_internal_Candidate *candidates,
                                const struct gk_registration *registrations, size_t count,
                                guika_v1_Reason reader_reason, double threshold, double registered_share);

#endif

/*
 * From strings with probabilities to numbers that issuers have: Bayes' rule with the issuers' rules as prior.
 * What one line says is one weighing; it may hold several runs of figures.
 */
#ifndef GUIKA_CORE_RECOGNITION_WEIGHING_H
#define GUIKA_CORE_RECOGNITION_WEIGHING_H

#include "core/recognition/candidates.h"

struct gk_weighing {
    const struct gk_candidate_rules *rules;
    struct gk_line_verdict *verdict; /* its candidates' probabilities are weights until the end */
    double total;                    /* weight of all candidates, kept or not */
    double unseen;                   /* weight of what was not weighed one by one */
};

/* A run of figures of the line. */
struct gk_run {
    const char *best;     /* what was read likeliest */
    double alien_factor;  /* 1, or more where something else speaks against it */
    double seen, density; /* own: probability weighed so far; its mean weight before checks, summed up */
};

/* Starts with an empty list; the verdict's other fields are left alone. [any] */
void gk_weighing_begin(struct gk_weighing *weighing, const struct gk_candidate_rules *rules,
                       struct gk_line_verdict *ret_verdict);

/* Weighs a number of the run: `probability` is that it is printed there, by the reading alone; `grouping` is
 * how it would be printed, "": unknown. Give each number of a run once. [any] */
void gk_weighing_add(struct gk_weighing *weighing, struct gk_run *run, const char *number,
                     const char *grouping, double probability);

/* After the run's numbers: `probability` that something is printed there that was not given. [any] */
void gk_weighing_close_run(struct gk_weighing *weighing, const struct gk_run *run, double probability);

/* Makes probabilities of the weights. [any] */
void gk_weighing_end(struct gk_weighing *weighing);

/* Sets `check_failed` and `unknown_issuer` of the verdict by what `best` lacks. [any] */
void gk_weighing_explain(struct gk_weighing *weighing, const char *best);

#endif

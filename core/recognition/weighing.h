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
    const char *best;    /* what was read likeliest */
    double alien_factor; /* 1, or more where something else speaks against it */
    /* Own, by length: probability weighed so far; that times its density before checks. */
    double seen[GK_NUMBER_SIZE], density[GK_NUMBER_SIZE];
};

/* Starts with an empty list; the verdict's other fields are left alone. [any] */
void gk_weighing_begin(struct gk_weighing *weighing, const struct gk_candidate_rules *rules,
                       struct gk_line_verdict *ret_verdict);

/* Weighs a number of the run: `probability` is that it is printed there, by the reading alone; `grouping` is
 * how it would be printed, "": unknown. Give each number of a run once. [any] */
void gk_weighing_add(struct gk_weighing *weighing, struct gk_run *run, const char *number,
                     const char *grouping, double probability);

/* After the run's numbers: probabilities that something else is printed there, by its length (NULL: 0 for
 * all) and of any length. [any] */
void gk_weighing_close_run(struct gk_weighing *weighing, const struct gk_run *run,
                           const double unseen[GK_NUMBER_SIZE], double unseen_of_any);

/* Makes probabilities of the weights. [any] */
void gk_weighing_end(struct gk_weighing *weighing);

/* Sets `check_failed` and `unknown_issuer` of the verdict by what `best` lacks. [any] */
void gk_weighing_explain(struct gk_weighing *weighing, const char *best);

#endif

/*
 * The conformance kit: is an issuer plugin fit for the shelf? Seven steps, each in a process of its own
 * (trial.h), from the file's symbols to minted cards of its layouts that a real reader has to read.
 */
#ifndef GUIKA_PLUGINS_SDK_CONFORMANCE_CONFORMANCE_H
#define GUIKA_PLUGINS_SDK_CONFORMANCE_CONFORMANCE_H

#include "plugins/sdk/conformance/trial.h"

/* In the order in which they run. */
enum gk_conformance_step {
    GK_STEP_SYMBOLS,    /* what the file exports, needs and does when it is loaded */
    GK_STEP_DESCRIPTOR, /* does it load, is its data within the header's limits? */
    GK_STEP_LAYOUTS,    /* are the regions on the card and of use? */
    GK_STEP_RULES,      /* do rules, examples and counter-examples agree? */
    GK_STEP_HOOK,       /* is `accepts` pure, total and quick? */
    GK_STEP_CLASHES,    /* with other issuers of the shelf */
    GK_STEP_READING,    /* are minted cards of its layouts read? */
};
#define GK_CONFORMANCE_STEPS 7

enum gk_conformance_verdict { GK_CONFORMANCE_PASSED, GK_CONFORMANCE_WARNED, GK_CONFORMANCE_FAILED };

struct gk_conformance_options {
    const char *file;
    const char *issuers; /* the shelf that it joins: a folder of plugins */
    const char *sheet; /* a folder for <id>.png, the minted cards and what was read; made where it is missing;
                          NULL: none */
    unsigned cards;    /* to be minted of each layout, 1 to 100 */
};

struct gk_conformance_report {
    struct gk_trial steps[GK_CONFORMANCE_STEPS];
    enum gk_conformance_verdict verdict;
};

/* "symbols" and so on. [any] */
const char *gk_conformance_step_name(enum gk_conformance_step step);

/* Checks the plugin; `on_step` (may be NULL) hears of each step as it ends. A step whose ground another one
 * has taken away is not run. Takes about a second, and half a second a minted card. From one thread alone;
 * the process must have no others. */
void gk_conformance_run(const struct gk_conformance_options *options,
                        void (*on_step)(void *context, enum gk_conformance_step step,
                                        const struct gk_trial *trial),
                        void *context, struct gk_conformance_report *ret_report);

#endif

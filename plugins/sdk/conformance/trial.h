/*
 * Runs one step of a check in a process of its own, with a time limit, so that a plugin that crashes, hangs
 * or leaves is a finding and not the end of the check.
 *
 * A trial lies in memory that both processes share: what the step found before it ended is kept. The step is
 * not trusted with it; what the parent reads of it is bounded and terminated.
 */
#ifndef GUIKA_PLUGINS_SDK_CONFORMANCE_TRIAL_H
#define GUIKA_PLUGINS_SDK_CONFORMANCE_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GK_TRIAL_FINDINGS_MOST 12
#define GK_TRIAL_TEXT_SIZE 288

/* How a step ended. */
enum gk_trial_end {
    GK_TRIAL_NOT_RUN = 0,
    GK_TRIAL_DONE,
    GK_TRIAL_CRASHED, /* a signal ended it */
    GK_TRIAL_HUNG,    /* killed at its time limit */
    GK_TRIAL_LEFT,    /* the process exited by itself */
};

struct gk_trial_finding {
    bool fails; /* else a warning */
    char text[GK_TRIAL_TEXT_SIZE];
};

/* What the plugin says that it is; set by the step that reads its descriptor. All zero where it could not be
 * loaded; the id and the version alone where its data is not sound. */
struct gk_trial_about {
    char id[40], version[40], scheme[40];
    unsigned abi_major, abi_minor;
    unsigned layouts;
};

/* How minted cards were read. */
struct gk_trial_reading {
    unsigned pictures;
    unsigned likeliest_right; /* the likeliest number is the card's, sure or not */
    unsigned read;            /* of these, read with certainty */
    unsigned wrong;           /* read with certainty, and wrong */
};

struct gk_trial {
    bool done;
    enum gk_trial_end end;
    int signal_number; /* where it crashed */
    struct gk_trial_finding findings[GK_TRIAL_FINDINGS_MOST];
    size_t finding_count;
    size_t left_out;                  /* findings for which there was no room */
    char summary[GK_TRIAL_TEXT_SIZE]; /* one line, where the step went through */
    char doing[96];                   /* what it is about, for who hears of a crash */
    struct gk_trial_about about;
    struct gk_trial_reading reading;
};

/* Runs `step` in a child for at most `limit_ms` milliseconds; its output goes nowhere. The child's memory is
 * a copy: results are what it notes in the trial. [any], but one thread of this process alone may run. */
void gk_trial_run(void (*step)(void *context, struct gk_trial *trial), void *context, unsigned limit_ms,
                  struct gk_trial *ret_trial);

/* For steps. */
__attribute__((format(printf, 3, 4))) void gk_trial_note(struct gk_trial *trial, bool fails,
                                                         const char *format, ...);
__attribute__((format(printf, 2, 3))) void gk_trial_doing(struct gk_trial *trial, const char *format, ...);
__attribute__((format(printf, 2, 3))) void gk_trial_sum_up(struct gk_trial *trial, const char *format, ...);

/* Has it a finding that fails, or did it not end as it should? [any] */
bool gk_trial_failed(const struct gk_trial *trial);

#endif

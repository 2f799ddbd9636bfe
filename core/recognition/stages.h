/*
 * Where a reader's processor time goes. The reader marks the beginning and the end of each stage; who wants
 * to know hands it a struct gk_stages, all others NULL, which costs one branch a mark.
 */
#ifndef GUIKA_CORE_RECOGNITION_STAGES_H
#define GUIKA_CORE_RECOGNITION_STAGES_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum gk_stage {
    GK_STAGE_DECODE,  /* JPEG or PNG to pixels */
    GK_STAGE_SIGHT,   /* where the card is, and its digits */
    GK_STAGE_RECTIFY, /* the card's face made upright */
    GK_STAGE_LINES,   /* lines that may carry a number */
    GK_STAGE_CUT,     /* a line's strip cut out and evened out */
    GK_STAGE_DIGITS,  /* the digit net */
    GK_STAGE_RULES,   /* candidates from the net's output and the issuers' rules */
    GK_STAGE_TEXT,    /* other print */
    GK_STAGE_BARCODE,
    GK_STAGE_COUNT
};

/* Sums over all calls since it was zeroed. */
struct gk_stages {
    int64_t cpu_ns[GK_STAGE_COUNT]; /* CLOCK_THREAD_CPUTIME_ID of the calling thread */
    uint64_t calls[GK_STAGE_COUNT];
};

/* The thread's processor time, nanoseconds; 0 where `stages` is NULL. [any] */
static inline int64_t gk_stage_begin(const struct gk_stages *stages)
{
    struct timespec now;

    if (stages == NULL) {
        return 0;
    }
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Counts one call of `stage` that began at `began_ns`, from gk_stage_begin on the same thread. Stages do not
 * nest: what runs within another one counts in both. Does nothing where `stages` is NULL. [any] */
static inline void gk_stage_end(struct gk_stages *stages, enum gk_stage stage, int64_t began_ns)
{
    if (stages != NULL) {
        stages->cpu_ns[stage] += gk_stage_begin(stages) - began_ns;
        stages->calls[stage]++;
    }
}

#endif

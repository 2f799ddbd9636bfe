/*
 * Who reads the same pictures: this reader, Tesseract's command and PaddleOCR's mobile models. Each works in
 * a process of its own (Tesseract's command in one a picture), so that its memory and its processor time are
 * its own alone. One thread.
 */
#ifndef GUIKA_BENCH_CONTESTANTS_H
#define GUIKA_BENCH_CONTESTANTS_H

#include "bench/pictures.h"
#include "core/recognition/stages.h"

#include <stdio.h>
#include <sys/types.h>

struct gk_bench_answer {
    bool read;               /* ours: the first candidate is the number; others: a line of text holds it */
    bool accepted;           /* ours alone: it says so itself with certainty */
    double cpu_ms;           /* processor time, user and system */
    struct gk_stages stages; /* ours alone */
};

struct gk_bench_contestant {
    const char *name;
    /* Starts it; false, after saying why on stderr, where it cannot. */
    bool (*open)(struct gk_bench_contestant *contestant);
    /* False where it failed for good. */
    bool (*read)(struct gk_bench_contestant *contestant, const struct gk_bench_picture *picture,
                 struct gk_bench_answer *ret_answer);
    /* Stops it, and sets peak_kb. */
    void (*close)(struct gk_bench_contestant *contestant);
    bool accepts;  /* its answers say whether it is certain */
    bool no_check; /* ours alone: check characters and prefixes are ignored */
    long peak_kb;  /* the most resident memory, after `close` */
    pid_t process;
    FILE *to, *from;
};

/* Not started yet. */
struct gk_bench_contestant gk_bench_ours(const char *name, bool no_check);
struct gk_bench_contestant gk_bench_tesseract(void);
struct gk_bench_contestant gk_bench_paddle(void);

#endif

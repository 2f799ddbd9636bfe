/*
 * The readers at work: so many processes, each with the shelf that it was started with, and their change to a
 * new shelf without a gap.
 *
 * Owns: one supervisor and one trail a reader. For a new shelf, one place after the other gets a fresh reader
 * beside the old one; once the fresh one has announced itself, the old one gets no more jobs, finishes the
 * one that it has, and leaves. So there are never fewer readers than configured, and at most one more that
 * starts. A reader that dies is started again, with the newest shelf. Everything runs on the loop.
 */
#ifndef GUIKA_CORE_PLUGINS_READERS_H
#define GUIKA_CORE_PLUGINS_READERS_H

#include "core/plugins/shelf_folder.h"
#include "core/reader_jobs.h"

struct gk_readers;

/* How a reader ended that nobody had asked to. */
struct gk_reader_death {
    const char *reader_id;
    int signal_number;
    int64_t exit_status;
    uint32_t restart_ms;                /* GK_SUPERVISOR_NEVER: another one takes its place */
    const struct gk_shelf_copy *blamed; /* whose plugin's fault it was; NULL: nobody's */
    const char *why;                    /* with `blamed` */
};

struct gk_readers_options {
    uv_loop_t *loop;
    const char *program; /* borrowed while open */
    unsigned count;
    uint32_t start_ms;           /* a reader that is not ready by then is killed */
    uint32_t lease_ms;           /* a job takes so long at most */
    struct gk_reader_jobs *jobs; /* borrowed */
    /* A reader was started; the callee owns `fd`, the service's end of its socket pair. */
    void (*adopt)(void *context, const char *reader_id, int process_id, int fd);
    void (*on_died)(void *context, const struct gk_reader_death *death);
    void (*on_failed)(void *context, const char *reader_id, const struct gk_error *error);
    /* All readers have this shelf now. */
    void (*on_changed)(void *context, const struct gk_shelf_folder *shelf);
    void *context;
};

/* Nothing is started before the first shelf. Never NULL. */
struct gk_readers *gk_readers_open(const struct gk_readers_options *options);

/* From now on readers have this shelf; it gets a user of its own. */
void gk_readers_change(struct gk_readers *readers, struct gk_shelf_folder *shelf);

/* The reader has announced itself. True: with the newest shelf. */
bool gk_readers_ready(struct gk_readers *readers, const char *reader_id);

/* The reader's lease has run out: it is killed. */
void gk_readers_overdue(struct gk_readers *readers, const char *reader_id);

/* Ends all within `grace_ms`, frees the readers and calls `on_closed`. */
void gk_readers_close(struct gk_readers *readers, uint32_t grace_ms, void (*on_closed)(void *context),
                      void *context);

#endif

/*
 * Keeps a number of child processes of one program running.
 *
 * Owns: the processes and, until it hands it over, the service's end of the socket pair that each child
 * inherits as descriptor 3. A child that ends is started again, at once the first time and then after a
 * growing pause (100 ms, doubling to 30 s; a minute of life resets it). Children get SIGTERM at the stop, and
 * SIGKILL where they outlive the grace. Everything runs on the loop.
 */
#ifndef GUIKA_CORE_HOST_SUPERVISOR_H
#define GUIKA_CORE_HOST_SUPERVISOR_H

#include "rpc/status.h"

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define GK_SUPERVISOR_NEVER UINT32_MAX

struct gk_supervisor;

struct gk_supervisor_options {
    const char *program;          /* path; copied */
    const char *const *arguments; /* after the program's name, ended by NULL; copied */
    unsigned count;               /* processes */
    uint32_t start_ms;            /* a child that is not ready by then is killed; 0: no limit */
    int page_fd; /* every child inherits it as descriptor 4 (a trail, see trail.h); borrowed; 0: none */
    /* Takes the service's end of child `index`'s socket pair: the callee owns `fd`. */
    void (*on_started)(void *context, unsigned index, int process_id, int fd);
    /* Child `index` has ended; it will be started again in `restart_ms`, GK_SUPERVISOR_NEVER where it was
     * retired. */
    void (*on_ended)(void *context, unsigned index, int process_id, int64_t exit_status, int signal_number,
                     uint32_t restart_ms);
    /* Child `index` could not be started. */
    void (*on_failed)(void *context, unsigned index, const struct gk_error *error);
    void *context;
};

/* Starts the children. Never NULL. */
struct gk_supervisor *gk_supervisor_open(uv_loop_t *loop, const struct gk_supervisor_options *options);

/* Child `index` has begun to work: its start is over. */
void gk_supervisor_ready(struct gk_supervisor *supervisor, unsigned index);

/* Kills child `index` (SIGKILL): it holds a lease that has run out. It is started again like any that ended.
 */
void gk_supervisor_kill(struct gk_supervisor *supervisor, unsigned index);

/* Child `index` is not started again once it has ended. */
void gk_supervisor_retire(struct gk_supervisor *supervisor, unsigned index);

/* Ends all children within `grace_ms`, frees the supervisor and calls `on_closed`. */
void gk_supervisor_close(struct gk_supervisor *supervisor, uint32_t grace_ms,
                         void (*on_closed)(void *context), void *context);

#endif

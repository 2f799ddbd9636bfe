/*
 * The two ways off the loop and back: a task runs on a worker, a commit goes through the store's committer.
 * Both structs are embedded in the caller's own and come back to it on the loop.
 */
#ifndef GUIKA_CORE_TASK_H
#define GUIKA_CORE_TASK_H

#include "core/mailbox.h"
#include "core/store/store.h"

#include <uv.h>

struct gk_task {
    uv_work_t work;
    void (*run)(struct gk_task *task);  /* [worker] may block */
    void (*done)(struct gk_task *task); /* [loop] */
};

/* Runs `task` on a worker, then calls `done`. [loop] */
void gk_task_start(uv_loop_t *loop, struct gk_task *task);

struct gk_commit {
    struct gk_work work;
    struct gk_mail mail;
    struct gk_mailbox *mailbox;
    /* [committer] As gk_work.apply. */
    enum gk_status (*apply)(struct gk_commit *commit, struct gk_transaction *transaction,
                            struct gk_error *error);
    /* [loop] `status` and `error` say what became of it. */
    void (*done)(struct gk_commit *commit);
    enum gk_status status;
    struct gk_error error;
};

/* Commits; `done` is called in any case, from the mailbox where the committer takes nothing more
 * (UNAVAILABLE). [loop] */
void gk_commit_start(struct gk_store *store, struct gk_mailbox *mailbox, struct gk_commit *commit);

/* The struct that `member` is embedded in. */
#define gk_container_of(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif

#include "core/task.h"

#include <assert.h>

static void on_run(uv_work_t *work)
{
    struct gk_task *task = work->data;

    task->run(task);
}

static void on_done(uv_work_t *work, int status)
{
    struct gk_task *task = work->data;

    assert(status == 0); /* tasks are never cancelled */
    (void)status;
    task->done(task);
}

void gk_task_start(uv_loop_t *loop, struct gk_task *task)
{
    task->work.data = task;
    const int failed = uv_queue_work(loop, &task->work, on_run, on_done);

    assert(failed == 0);
    (void)failed;
}

static enum gk_status on_apply(struct gk_work *work, struct gk_transaction *transaction,
                               struct gk_error *error)
{
    struct gk_commit *commit = gk_container_of(work, struct gk_commit, work);

    return commit->apply(commit, transaction, error);
}

static void on_committed(struct gk_work *work, enum gk_status status, const struct gk_error *error)
{
    struct gk_commit *commit = gk_container_of(work, struct gk_commit, work);

    commit->status = status;
    if (status != GK_OK) {
        commit->error = *error;
    }
    gk_mailbox_post(commit->mailbox, &commit->mail);
}

static void on_mail(struct gk_mail *mail)
{
    struct gk_commit *commit = gk_container_of(mail, struct gk_commit, mail);

    commit->done(commit);
}

void gk_commit_start(struct gk_store *store, struct gk_mailbox *mailbox, struct gk_commit *commit)
{
    commit->mailbox = mailbox;
    commit->mail.deliver = on_mail;
    commit->work.apply = on_apply;
    commit->work.done = on_committed;
    if (!gk_store_commit(store, &commit->work)) {
        commit->status =
            gk_error_set(&commit->error, GK_UNAVAILABLE, "the store takes no changes now; try again");
        gk_mailbox_post(mailbox, &commit->mail);
    }
}

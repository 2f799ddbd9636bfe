#include "core/store/committer.h"

#include "core/store/transaction.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_BYTES ((size_t)4 << 20) /* a group takes no further work once its changes fill this */

/* A work of the group, and what is to be said to it. */
struct outcome {
    struct gk_work *work;
    enum gk_status status;
    struct gk_error error;
};

struct gk_committer {
    const struct gk_store *store;
    pthread_t thread;
    atomic_bool failed;

    pthread_mutex_t mutex; /* guards the queue */
    pthread_cond_t wake;
    struct gk_work *first;
    struct gk_work **last;
    size_t waiting;
    bool stopping;

    /* The thread's own. */
    struct gk_transaction transaction;
    struct outcome group[GK_COMMIT_GROUP];
    size_t group_size;
};

/* --- the queue --- */

bool gk_committer_submit(struct gk_committer *committer, struct gk_work *work)
{
    work->next = NULL;
    pthread_mutex_lock(&committer->mutex);
    const bool taken = !committer->stopping && committer->waiting < GK_COMMIT_QUEUE;

    if (taken) {
        *committer->last = work;
        committer->last = &work->next;
        committer->waiting++;
        if (committer->waiting == 1) {
            pthread_cond_signal(&committer->wake);
        }
    }
    pthread_mutex_unlock(&committer->mutex);
    return taken;
}

/* The oldest work. Waits for one where `wait`; NULL where there is none (then, with `wait`, none will come).
 */
static struct gk_work *next_work(struct gk_committer *committer, bool wait)
{
    pthread_mutex_lock(&committer->mutex);
    while (wait && committer->first == NULL && !committer->stopping) {
        pthread_cond_wait(&committer->wake, &committer->mutex);
    }
    struct gk_work *work = committer->first;

    if (work != NULL) {
        committer->first = work->next;
        committer->waiting--;
        if (committer->first == NULL) {
            committer->last = &committer->first;
        }
    }
    pthread_mutex_unlock(&committer->mutex);
    return work;
}

/* --- the thread --- */

static void refuse(struct outcome *outcome, enum gk_status status, const char *message)
{
    outcome->status = gk_error_set(&outcome->error, status, "%s", message);
}

static void apply_one(struct gk_committer *committer, struct outcome *outcome)
{
    struct gk_transaction *transaction = &committer->transaction;
    const struct gk_audit_head head = transaction->head;

    outcome->error.status = GK_OK;
    outcome->error.message[0] = '\0';
    transaction->mark = gk_overlay_mark(transaction->overlay);
    transaction->now_ms = gk_store_now_ms(committer->store);
    transaction->audited = false;
    outcome->status = outcome->work->apply(outcome->work, transaction, &outcome->error);
    if (outcome->status != GK_OK) {
        outcome->error.status = outcome->status;
        gk_overlay_rollback(transaction->overlay, transaction->mark);
        transaction->head = head;
    }
}

static void write_group(struct gk_committer *committer, const struct gk_audit_head *before)
{
    struct gk_transaction *transaction = &committer->transaction;
    struct gk_error error;

    if (transaction->head.sequence != before->sequence) {
        gk_audit_save(transaction->overlay, &transaction->head);
    }
    if (gk_overlay_mark(transaction->overlay) > 0 &&
        gk_engine_write(transaction->engine, transaction->overlay, &error) != GK_OK) {
        atomic_store(&committer->failed, true);
        /* A refused work too: what it was refused for may be a change that is lost now. */
        for (size_t i = 0; i < committer->group_size; i++) {
            refuse(&committer->group[i], GK_UNAVAILABLE, error.message);
        }
    }
    gk_overlay_rollback(transaction->overlay, 0);
}

/* Applies `work` and what waits behind it, writes, and tells. */
static void commit_group(struct gk_committer *committer, struct gk_work *work)
{
    const struct gk_audit_head before = committer->transaction.head;

    committer->group_size = 0;
    while (work != NULL) {
        struct outcome *outcome = &committer->group[committer->group_size++];

        outcome->work = work;
        if (atomic_load(&committer->failed)) {
            refuse(outcome, GK_UNAVAILABLE, "the store's disk has failed: restart once it works again");
        } else {
            apply_one(committer, outcome);
        }
        const bool full = committer->group_size == GK_COMMIT_GROUP ||
                          gk_overlay_bytes(committer->transaction.overlay) >= GROUP_BYTES;

        work = full ? NULL : next_work(committer, false);
    }
    write_group(committer, &before);
    for (size_t i = 0; i < committer->group_size; i++) {
        const struct outcome *outcome = &committer->group[i];

        outcome->work->done(outcome->work, outcome->status, &outcome->error);
    }
}

static void *run(void *context)
{
    struct gk_committer *committer = context;
    struct gk_work *work = next_work(committer, true);

    while (work != NULL) {
        commit_group(committer, work);
        work = next_work(committer, true);
    }
    return NULL;
}

/* --- beginning and end --- */

static void destroy(struct gk_committer *committer)
{
    gk_overlay_free(committer->transaction.overlay);
    (void)pthread_cond_destroy(&committer->wake);
    (void)pthread_mutex_destroy(&committer->mutex);
    free(committer);
}

enum gk_status gk_committer_start(const struct gk_store *store, struct gk_engine *engine,
                                  const struct gk_audit_head *head, struct gk_committer **ret_committer,
                                  struct gk_error *error)
{
    struct gk_committer *committer = calloc(1, sizeof *committer);

    if (committer == NULL || pthread_mutex_init(&committer->mutex, NULL) != 0 ||
        pthread_cond_init(&committer->wake, NULL) != 0) {
        abort();
    }
    committer->store = store;
    committer->last = &committer->first;
    committer->transaction.engine = engine;
    committer->transaction.overlay = gk_overlay_new();
    committer->transaction.head = *head;

    const int failure = pthread_create(&committer->thread, NULL, run, committer);

    if (failure != 0) {
        destroy(committer);
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "cannot start the committer thread: %s",
                            strerror(failure));
    }
    *ret_committer = committer;
    return GK_OK;
}

void gk_committer_stop(struct gk_committer *committer)
{
    if (committer == NULL) {
        return;
    }
    assert(!pthread_equal(pthread_self(), committer->thread));
    pthread_mutex_lock(&committer->mutex);
    committer->stopping = true;
    pthread_cond_signal(&committer->wake);
    pthread_mutex_unlock(&committer->mutex);
    (void)pthread_join(committer->thread, NULL);
    destroy(committer);
}

bool gk_committer_failed(const struct gk_committer *committer)
{
    return atomic_load(&committer->failed);
}

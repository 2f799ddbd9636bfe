/*
 * The committer: one thread that applies works in the order in which they came, writes what waits as one
 * batch with one sync, and tells each work what became of it.
 *
 * Owns: the thread and the bounded queue.
 */
#ifndef GUIKA_CORE_STORE_COMMITTER_H
#define GUIKA_CORE_STORE_COMMITTER_H

#include "core/store/audit.h"
#include "core/store/engine.h"
#include "core/store/store.h"

#define GK_COMMIT_QUEUE 4096 /* works that wait */
#define GK_COMMIT_GROUP 256  /* works of one write */

struct gk_committer;

/* `store` is asked for the time; `head` is the audit chain's. [worker] */
enum gk_status gk_committer_start(const struct gk_store *store, struct gk_engine *engine,
                                  const struct gk_audit_head *head, struct gk_committer **ret_committer,
                                  struct gk_error *error);

/* Refuses new works, finishes the others, and ends the thread. [worker] */
void gk_committer_stop(struct gk_committer *committer);

/* See gk_store_commit. [any] */
bool gk_committer_submit(struct gk_committer *committer, struct gk_work *work);

/* See gk_store_failed. [any] */
bool gk_committer_failed(const struct gk_committer *committer);

#endif

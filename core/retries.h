/*
 * Difficult cards are tried again, by themselves, when a plugin came that may read them.
 *
 * What is tried: cards whose reason a plugin can cure (UNKNOWN_ISSUER, UNREADABLE, CHECK_FAILED) and of which
 * a picture was kept, oldest first, one at a time and only while nothing else waits for a reader. The picture
 * is read, matched and decided on as a deposit's is. Only an identification, or a number that was read with
 * certainty and is nobody's (UNREGISTERED, CANCELLED), changes the card.
 *
 * Owns: the sweep over the found cards. A mark in the store (meta, "retry") says that one is under way: after
 * a restart it begins again. On the loop.
 */
#ifndef GUIKA_CORE_RETRIES_H
#define GUIKA_CORE_RETRIES_H

#include "core/clock.h"
#include "core/log.h"
#include "core/mailbox.h"
#include "core/reader_jobs.h"
#include "core/registry/registry.h"
#include "core/security/keys.h"
#include "core/store/picture_vault.h"
#include "core/store/store.h"

struct gk_retries;

/* All borrowed while open. */
struct gk_retries_parts {
    uv_loop_t *loop;
    struct gk_mailbox *mailbox;
    const struct gk_log *log;
    struct gk_clock clock;
    const struct gk_keys *keys;
    struct gk_store *store;
    struct gk_registry *registry;
    struct gk_picture_vault *vault;
    struct gk_reader_jobs *jobs;
    double threshold; /* see gk_match_decide */
    double registered_share;
    void (*on_notice_due)(void *context); /* a notice may leave */
    void *on_notice_due_context;
};

/* Goes on with a sweep that a stop cut short. Never NULL. */
struct gk_retries *gk_retries_open(const struct gk_retries_parts *parts);

/* Tries all of them, from the oldest on; one that is under way begins again once it is through. */
void gk_retries_begin(struct gk_retries *retries);

/* After the readers' jobs were closed. Frees it once nothing is under way. */
void gk_retries_close(struct gk_retries *retries, void (*on_closed)(void *context), void *context);

#endif

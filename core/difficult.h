/*
 * The queue of difficult cards: what an operator does with them, and what is tried again by itself.
 *
 * Owns: the attempts in hand and the walk through the queue. Everything runs on the loop unless tagged. An
 * attempt finds out again whose card it is (by the number that a person typed, by the token that was kept, or
 * by reading the kept picture again) and goes the same way through match and decision as a deposit; where the
 * card was changed meanwhile it begins again.
 */
#ifndef GUIKA_CORE_DIFFICULT_H
#define GUIKA_CORE_DIFFICULT_H

#include "core/clock.h"
#include "core/found_card_queue.h"
#include "core/log.h"
#include "core/mailbox.h"
#include "core/reader_jobs.h"
#include "core/registry/registry.h"
#include "core/security/keys.h"
#include "core/store/picture_vault.h"
#include "core/store/store.h"

struct gk_difficult;

/* What the queue works with; all borrowed. */
struct gk_difficult_parts {
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

struct gk_difficult *gk_difficult_open(const struct gk_difficult_parts *parts); /* never NULL */

/* Stops walking and frees the queue once nothing is in hand any more. */
void gk_difficult_close(struct gk_difficult *difficult, void (*on_closed)(void *context), void *context);

/* What became of an attempt. */
struct gk_difficult_result {
    enum gk_status status; /* the rest is set where OK */
    struct gk_error error;
    enum gk_settled settled;
    guika_v1_internal_FoundCard card;
};

/* `result` is borrowed for the call. */
typedef void (*gk_difficult_done_fn)(void *context, const struct gk_difficult_result *result);

/* Looks a card whose token is kept up again; reads the picture of any other again. FAILED_PRECONDITION where
 * it is not difficult, or there is nothing to try again; UNAVAILABLE where no reader is free. `actor` as in
 * gk_found_card_settle, at most 48 bytes. */
void gk_difficult_retry(struct gk_difficult *difficult, const uint8_t case_id[GK_CASE_ID_SIZE],
                        const char *actor, gk_difficult_done_fn done, void *context);

/* A person typed the number: the reader checks it by the rules of `scheme` ("": of all), then as above.
 * INVALID_ARGUMENT where it is not valid, or is so under several schemes (the message names them). */
void gk_difficult_resolve(struct gk_difficult *difficult, const uint8_t case_id[GK_CASE_ID_SIZE],
                          const char *actor, const char *scheme, const char *number,
                          gk_difficult_done_fn done, void *context);

/* Erases what the vault has of a card that needs no picture any more; a failure is tried again by the next
 * start. */
void gk_difficult_erase(struct gk_difficult *difficult, const uint8_t case_id[GK_CASE_ID_SIZE]);

/* Goes through the queue in the background, one card at a time: looks up every card whose token is kept. For
 * a start, and whenever a list came into force. */
void gk_difficult_rematch(struct gk_difficult *difficult);

/* As gk_difficult_rematch, and reads the pictures of the others again: for when the shelf has changed. How
 * far it has come rests in the family meta, "difficult_walk". */
void gk_difficult_retry_all(struct gk_difficult *difficult);

/* For a start: goes on with a gk_difficult_retry_all that did not come to its end, from the card it was at;
 * then, or at once where there is none, gk_difficult_rematch. Before the two others. */
void gk_difficult_resume(struct gk_difficult *difficult);

#endif

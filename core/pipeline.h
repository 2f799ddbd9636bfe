/*
 * READ FIRST. The way of a card through the core: receive, recognise, match, decide, notify; one function a
 * step, in that order, in pipeline.c.
 *
 * Owns: the deposits in hand and the frames of those that wait for more. Everything runs on the loop unless
 * tagged; nothing rests before the decision does, so a crash loses only what no box was told.
 *
 * All calls about one deposit (its frames, more frames, where it ended up) go through one lane in the order
 * they came: a retry finds what the first call decided.
 */
#ifndef GUIKA_CORE_PIPELINE_H
#define GUIKA_CORE_PIPELINE_H

#include "core/boxes.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/mailbox.h"
#include "core/reader_jobs.h"
#include "core/registry/registry.h"
#include "core/security/keys.h"
#include "core/store/picture_vault.h"
#include "core/store/store.h"
#include "guika/v1/box.pb.h"
#include "rpc/server.h"

struct gk_pipeline;

/* What the pipeline works with; all borrowed. */
struct gk_pipeline_parts {
    uv_loop_t *loop;
    struct gk_mailbox *mailbox;
    const struct gk_log *log;
    struct gk_clock clock;
    const struct gk_keys *keys;
    struct gk_store *store;
    struct gk_registry *registry;
    struct gk_picture_vault *vault;
    struct gk_reader_jobs *jobs;
    const struct gk_boxes *boxes;
    double threshold; /* see gk_match_decide */
    double registered_share;
    uint32_t frames_wait_ms;              /* for more frames; 0: GK_WAITING_FRAMES_MS */
    void (*on_notice_due)(void *context); /* [loop] a notice may leave */
    void *on_notice_due_context;
};

struct gk_pipeline *gk_pipeline_open(const struct gk_pipeline_parts *parts); /* never NULL */

/* Deposits, frames and confirmations in hand, and what is announced. */
size_t gk_pipeline_in_hand(const struct gk_pipeline *pipeline);

/* Something for the pipeline is being unpacked elsewhere: it counts as in hand until gk_pipeline_announced,
 * which is called once it was handed over or came to nothing. */
void gk_pipeline_announce(struct gk_pipeline *pipeline);
void gk_pipeline_announced(struct gk_pipeline *pipeline);

/* Frees the pipeline once nothing is in hand any more. */
void gk_pipeline_close(struct gk_pipeline *pipeline, void (*on_closed)(void *context), void *context);

/* How a box's call is answered: by the method's own response, or as the answer to a replayed spool entry. */
struct gk_pipeline_call {
    struct gk_rpc_call *call;
    void (*answer_deposit)(struct gk_rpc_call *call, const guika_v1_DepositResponse *answer);
    void (*answer_confirm)(struct gk_rpc_call *call);
    void (*release)(void *request); /* frees what the request lives in, after the answer; may be NULL */
    void *request;
    bool replayed; /* from the spool: the card already lies in the box, so nothing is asked and nothing given
                      back */
};

/* Each takes a checked or unchecked request and answers the call. `request` lives until then. */
void gk_pipeline_deposit(struct gk_pipeline *pipeline, const struct gk_pipeline_call *call,
                         const guika_v1_DepositRequest *request);
void gk_pipeline_add_frames(struct gk_pipeline *pipeline, const struct gk_pipeline_call *call,
                            const guika_v1_AddFramesRequest *request);
void gk_pipeline_confirm(struct gk_pipeline *pipeline, const struct gk_pipeline_call *call,
                         const guika_v1_ConfirmStoredRequest *request);

#endif

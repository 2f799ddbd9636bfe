#include "core/pipeline.h"

#include "core/case_number.h"
#include "core/decision.h"
#include "core/found_card.h"
#include "core/frames.h"
#include "core/memory.h"
#include "core/pipeline_internal.h"
#include "core/security/hex.h"
#include "core/store/record.h"
#include "core/task.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { BUSY_RETRY_MS = 500 };

/* One Deposit or AddFrames on its way. */
struct deposit {
    struct gk_errand errand;
    struct gk_pipeline *pipeline;
    struct gk_pipeline_call call;
    struct gk_task task;
    struct gk_commit commit;
    char box_id[33];
    char deposit_id[65];
    uint32_t sequence; /* 0: Deposit; else AddFrames */
    const guika_v1_Frame *sent;
    size_t sent_count;
    uint8_t digest[GK_DIGEST_SIZE]; /* of what was sent */
    enum gk_status found_status;    /* of `found`, the deposit as it rests */
    guika_v1_internal_DepositRecord found;
    struct gk_error error;
    struct gk_evidence evidence;
    uint8_t *picture; /* redacted, copied from what the reader sent */
    struct gk_found_card_decision decision;
    guika_v1_internal_DepositRecord decided;
    bool wants_picture; /* the card as it rests */
    uint64_t began_ms;  /* on the loop's clock */
};

/* One ConfirmStored on its way. */
struct confirm {
    struct gk_errand errand;
    struct gk_pipeline *pipeline;
    struct gk_pipeline_call call;
    struct gk_commit commit;
    char box_id[33];
    guika_v1_ConfirmStoredRequest request;
    uint8_t case_id[GK_CASE_ID_SIZE];
    bool wants_picture; /* the card as it rests */
};

static void end_deposit(struct deposit *deposit)
{
    gk_lanes_finish(deposit->pipeline->lanes, &deposit->errand);
    sodium_memzero(&deposit->evidence, sizeof deposit->evidence);
    free(deposit->picture);
    free(deposit);
}

static void fail_deposit(struct deposit *deposit, enum gk_status status, const char *message)
{
    gk_pipeline_fail_call(&deposit->call, status, message);
    end_deposit(deposit);
}

/* --- 1. receive: is it new? --- */

/* [worker] */
static void run_receive(struct gk_task *task)
{
    struct deposit *deposit = gk_container_of(task, struct deposit, task);
    struct gk_pipeline *pipeline = deposit->pipeline;
    uint8_t key[GK_DEPOSIT_KEY_SIZE];
    const struct gk_bytes deposit_key = {key, gk_deposit_key(deposit->box_id, deposit->deposit_id, key)};

    gk_frames_digest(pipeline->parts.keys, deposit->sent, deposit->sent_count, deposit->digest);
    deposit->found_status =
        gk_record_read(pipeline->parts.store, GK_FAMILY_DEPOSITS, deposit_key,
                       guika_v1_internal_DepositRecord_fields, &deposit->found, &deposit->error);
    if (deposit->found_status == GK_NOT_FOUND && deposit->sequence == 0 &&
        gk_case_number_draw(pipeline->parts.store, deposit->decision.card.case_id, &deposit->error) !=
            GK_OK) {
        deposit->found_status = deposit->error.status;
    }
}

static void recognise(struct deposit *deposit);
static void end_wait_and_answer(struct deposit *deposit, const guika_v1_internal_DepositRecord *found);

/* Gives the answer that the deposit has. */
static void answer_found(struct deposit *deposit, const guika_v1_internal_DepositRecord *found)
{
    if (found->answer.decision == guika_v1_DepositResponse_Decision_MORE_FRAMES && deposit->call.replayed) {
        /* The box did not wait: it stored the card by itself. */
        end_wait_and_answer(deposit, found);
        return;
    }
    deposit->call.answer_deposit(deposit->call.call, &found->answer);
    gk_pipeline_release_call(&deposit->call);
    end_deposit(deposit);
}

static void begin_deposit(struct deposit *deposit)
{
    deposit->evidence.frame_count = deposit->sent_count;
    memcpy(deposit->evidence.frames, deposit->sent, deposit->sent_count * sizeof *deposit->sent);
    deposit->decision.card.received_at_ms = gk_clock_now_ms(&deposit->pipeline->parts.clock);
    memcpy(deposit->decision.deposit.frames_digest, deposit->digest, GK_DIGEST_SIZE);
    recognise(deposit);
}

static void on_received(struct gk_task *task)
{
    struct deposit *deposit = gk_container_of(task, struct deposit, task);

    if (deposit->found_status == GK_NOT_FOUND) {
        begin_deposit(deposit);
    } else if (deposit->found_status != GK_OK) {
        fail_deposit(deposit, deposit->found_status, deposit->error.message);
    } else if (memcmp(deposit->found.frames_digest, deposit->digest, GK_DIGEST_SIZE) != 0) {
        fail_deposit(deposit, GK_ALREADY_EXISTS, "this deposit_id was used before with other frames");
    } else {
        answer_found(deposit, &deposit->found);
    }
}

/* Adds the frames to those that wait; they begin a second reading. */
static void continue_deposit(struct deposit *deposit, const struct gk_waiting_deposit *waiting)
{
    const size_t count = waiting->frame_count + deposit->sent_count;
    const enum gk_status status = gk_frames_check_sum(waiting->frames, waiting->frame_count, deposit->sent,
                                                      deposit->sent_count, &deposit->error);

    if (status != GK_OK) {
        fail_deposit(deposit, status, deposit->error.message);
        return;
    }
    memcpy(deposit->evidence.frames, waiting->frames, waiting->frame_count * sizeof *waiting->frames);
    memcpy(deposit->evidence.frames + waiting->frame_count, deposit->sent,
           deposit->sent_count * sizeof *deposit->sent);
    deposit->evidence.frame_count = count;
    deposit->decision.deposit = deposit->found;
    deposit->decision.deposit.sequence = deposit->sequence;
    deposit->decision.deposit.added_digest.size = GK_DIGEST_SIZE;
    memcpy(deposit->decision.deposit.added_digest.bytes, deposit->digest, GK_DIGEST_SIZE);
    memcpy(deposit->decision.card.case_id, deposit->found.case_id, GK_CASE_ID_SIZE);
    recognise(deposit);
}

/* These frames are the latest that were added. */
static bool is_same_addition(const struct deposit *deposit)
{
    return deposit->found.added_digest.size == GK_DIGEST_SIZE &&
           memcmp(deposit->found.added_digest.bytes, deposit->digest, GK_DIGEST_SIZE) == 0;
}

static void answer_repeated(struct deposit *deposit)
{
    if (is_same_addition(deposit)) {
        answer_found(deposit, &deposit->found);
    } else {
        fail_deposit(deposit, GK_ALREADY_EXISTS, "other frames were added with this sequence before");
    }
}

static void on_more_received(struct gk_task *task)
{
    struct deposit *deposit = gk_container_of(task, struct deposit, task);
    const guika_v1_internal_DepositRecord *found = &deposit->found;

    if (deposit->found_status == GK_NOT_FOUND) {
        fail_deposit(deposit, GK_NOT_FOUND, "this box has made no such deposit");
    } else if (deposit->found_status != GK_OK) {
        fail_deposit(deposit, deposit->found_status, deposit->error.message);
    } else if (deposit->sequence == found->sequence) {
        answer_repeated(deposit);
    } else if (found->answer.decision != guika_v1_DepositResponse_Decision_MORE_FRAMES) {
        answer_found(deposit, found);
    } else if (deposit->sequence != found->answer.sequence) {
        fail_deposit(deposit, GK_ALREADY_EXISTS,
                     "frames with this sequence were added before, or were never asked for");
    } else {
        const struct gk_waiting_deposit *waiting =
            gk_waiting_frames_find(deposit->pipeline->waiting, deposit->box_id, deposit->deposit_id);

        if (waiting != NULL) {
            continue_deposit(deposit, waiting);
        } else {
            end_wait_and_answer(deposit, found);
        }
    }
}

static void start_deposit(struct gk_errand *errand)
{
    struct deposit *deposit = gk_container_of(errand, struct deposit, errand);

    deposit->task.run = run_receive;
    deposit->task.done = deposit->sequence == 0 ? on_received : on_more_received;
    gk_task_start(deposit->pipeline->parts.loop, &deposit->task);
}

static void receive(struct gk_pipeline *pipeline, const struct gk_pipeline_call *call, const char *deposit_id,
                    uint32_t sequence, const guika_v1_Frame *frames, size_t frame_count)
{
    struct deposit *deposit = gk_allocate(sizeof *deposit);

    deposit->pipeline = pipeline;
    deposit->call = *call;
    deposit->errand.start = start_deposit;
    deposit->sequence = sequence;
    deposit->sent = frames;
    deposit->sent_count = frame_count;
    deposit->began_ms = uv_now(pipeline->parts.loop);
    (void)snprintf(deposit->box_id, sizeof deposit->box_id, "%.32s", gk_rpc_call_principal(call->call)->id);
    (void)snprintf(deposit->deposit_id, sizeof deposit->deposit_id, "%s", deposit_id);
    gk_pipeline_enter_lane(pipeline, deposit->box_id, deposit->deposit_id, &deposit->errand);
}

void gk_pipeline_deposit(struct gk_pipeline *pipeline, const struct gk_pipeline_call *call,
                         const guika_v1_DepositRequest *request)
{
    if (gk_pipeline_check_deposit_id(call, request->deposit_id) &&
        gk_pipeline_check_frames(call, request->frames, request->frames_count)) {
        receive(pipeline, call, request->deposit_id, 0, request->frames, request->frames_count);
    }
}

void gk_pipeline_add_frames(struct gk_pipeline *pipeline, const struct gk_pipeline_call *call,
                            const guika_v1_AddFramesRequest *request)
{
    if (request->sequence == 0) {
        gk_pipeline_fail_call(call, GK_INVALID_ARGUMENT,
                              "sequence must be the one that MORE_FRAMES gave, 1 or more");
        return;
    }
    if (gk_pipeline_check_deposit_id(call, request->deposit_id) &&
        gk_pipeline_check_frames(call, request->frames, request->frames_count)) {
        receive(pipeline, call, request->deposit_id, request->sequence, request->frames,
                request->frames_count);
    }
}

/* --- 2. recognise: a reader makes candidates of the frames --- */

static void match(struct deposit *deposit);

static void on_recognised(void *context, enum gk_status status,
                          const guika_v1_internal_CompleteRecognitionRequest *result)
{
    struct deposit *deposit = context;

    if (status == GK_UNAVAILABLE) {
        fail_deposit(deposit, GK_UNAVAILABLE, "no reader is free to read the pictures; try again");
        return;
    }
    if (result == NULL) {
        deposit->evidence.read.reason = guika_v1_Reason_REASON_UNREADABLE;
    } else {
        const struct gk_bytes picture = result->redacted_picture;

        deposit->evidence.read = *result;
        if (picture.size > 0) {
            deposit->picture = gk_allocate(picture.size);
            memcpy(deposit->picture, picture.data, picture.size);
        }
        deposit->evidence.read.redacted_picture = (struct gk_bytes){deposit->picture, picture.size};
    }
    match(deposit);
}

static void recognise(struct deposit *deposit)
{
    struct gk_pipeline *pipeline = deposit->pipeline;

    if (!gk_reader_jobs_recognise(pipeline->parts.jobs, deposit->evidence.frames,
                                  deposit->evidence.frame_count, on_recognised, deposit)) {
        gk_rpc_fail_busy(deposit->call.call, BUSY_RETRY_MS, "too many pictures wait to be read");
        gk_pipeline_release_call(&deposit->call);
        end_deposit(deposit);
    }
}

/* --- 3. match: whose card is it, and what is to be done with it? --- */

static void decide(struct deposit *deposit);

/* A person looks at difficult cards, and a card that waits for frames may become one. */
static bool may_need_picture(guika_v1_CardState state)
{
    return state == guika_v1_CardState_CARD_STATE_DIFFICULT ||
           state == guika_v1_CardState_CARD_STATE_RECEIVED;
}

/* [worker] */
static void run_match(struct gk_task *task)
{
    struct deposit *deposit = gk_container_of(task, struct deposit, task);
    const struct gk_pipeline_parts *parts = &deposit->pipeline->parts;
    struct gk_found_card_decision *decision = &deposit->decision;
    enum gk_status status = gk_decision_make(parts->registry, parts->store, parts->keys, &deposit->evidence,
                                             decision, &deposit->error);

    if (status == GK_OK && deposit->picture != NULL && may_need_picture(decision->card.state)) {
        status = gk_picture_vault_put(parts->vault, decision->card.case_id, 0,
                                      deposit->evidence.read.redacted_picture, &deposit->error);
        decision->card.pictures = 1;
    }
    deposit->found_status = status;
}

static void on_matched(struct gk_task *task)
{
    struct deposit *deposit = gk_container_of(task, struct deposit, task);

    if (deposit->found_status != GK_OK) {
        fail_deposit(deposit, deposit->found_status, deposit->error.message);
        return;
    }
    decide(deposit);
}

static void match(struct deposit *deposit)
{
    struct gk_pipeline *pipeline = deposit->pipeline;
    struct gk_evidence *evidence = &deposit->evidence;
    const size_t bytes = gk_frames_bytes(evidence->frames, evidence->frame_count);

    evidence->abilities = gk_boxes_abilities(pipeline->parts.boxes, deposit->box_id);
    evidence->may_ask = !deposit->call.replayed && gk_waiting_frames_has_room(pipeline->waiting, bytes);
    evidence->in_box = deposit->call.replayed;
    evidence->asked = deposit->sequence;
    evidence->threshold = pipeline->parts.threshold;
    evidence->registered_share = pipeline->parts.registered_share;
    evidence->now_ms = gk_clock_now_ms(&pipeline->parts.clock);
    (void)snprintf(deposit->decision.card.box_id, sizeof deposit->decision.card.box_id, "%s",
                   deposit->box_id);
    (void)snprintf(deposit->decision.card.deposit_id, sizeof deposit->decision.card.deposit_id, "%s",
                   deposit->deposit_id);
    deposit->task.run = run_match;
    deposit->task.done = on_matched;
    gk_task_start(pipeline->parts.loop, &deposit->task);
}

/* --- 4. decide: one durable write, and only then the answer --- */

static const char *state_word(guika_v1_CardState state)
{
    switch (state) {
    case guika_v1_CardState_CARD_STATE_IDENTIFIED:
        return "identified";
    case guika_v1_CardState_CARD_STATE_DIFFICULT:
        return "difficult";
    case guika_v1_CardState_CARD_STATE_GIVEN_BACK:
        return "given_back";
    default:
        return "waits_for_frames";
    }
}

static void log_decision(const struct deposit *deposit)
{
    const guika_v1_internal_FoundCard *card = &deposit->decision.card;
    char case_id[2 * GK_CASE_ID_SIZE + 1];
    char reason[24];
    char took[24];

    gk_hex_encode(card->case_id, GK_CASE_ID_SIZE, case_id);
    gk_log(deposit->pipeline->parts.log, GK_LOG_INFO, "deposit_decided", {"box", deposit->box_id},
           {"case", case_id}, {"state", state_word(card->state)},
           {"reason", gk_log_number(card->reason, reason)},
           {"took_ms",
            gk_log_number((int64_t)(uv_now(deposit->pipeline->parts.loop) - deposit->began_ms), took)},
           {"request", gk_rpc_call_request_id(deposit->call.call)});
}

/* The card as it will rest keeps a picture. */
static bool wants_picture(struct gk_transaction *transaction, const uint8_t *case_id)
{
    guika_v1_internal_FoundCard card = {0};

    return gk_record_get(transaction, GK_FAMILY_FOUND_CARDS, (struct gk_bytes){case_id, GK_CASE_ID_SIZE},
                         guika_v1_internal_FoundCard_fields, &card, NULL) == GK_OK &&
           card.pictures > 0;
}

static enum gk_status apply_decision(struct gk_commit *commit, struct gk_transaction *transaction,
                                     struct gk_error *error)
{
    struct deposit *deposit = gk_container_of(commit, struct deposit, commit);
    const enum gk_status status =
        gk_found_card_decide(transaction, &deposit->decision, &deposit->decided, error);

    if (status == GK_OK) {
        deposit->wants_picture = wants_picture(transaction, deposit->decision.card.case_id);
    }
    return status;
}

static void on_decided(struct gk_commit *commit)
{
    struct deposit *deposit = gk_container_of(commit, struct deposit, commit);
    struct gk_pipeline *pipeline = deposit->pipeline;

    if (commit->status != GK_OK) {
        fail_deposit(deposit, commit->status, commit->error.message);
        return;
    }
    log_decision(deposit);
    if ((deposit->sequence > 0 || deposit->decision.card.pictures > 0) && !deposit->wants_picture) {
        gk_pipeline_erase_pictures(pipeline, deposit->decision.card.case_id);
    }
    if (deposit->decided.answer.decision == guika_v1_DepositResponse_Decision_MORE_FRAMES) {
        gk_waiting_frames_keep(pipeline->waiting, deposit->decided.case_id, deposit->box_id,
                               deposit->deposit_id, deposit->evidence.frames, deposit->evidence.frame_count,
                               uv_now(pipeline->parts.loop) + pipeline->parts.frames_wait_ms);
    } else {
        gk_waiting_frames_forget(pipeline->waiting, deposit->box_id, deposit->deposit_id);
    }
    answer_found(deposit, &deposit->decided);
}

static void decide(struct deposit *deposit)
{
    const struct gk_pipeline_parts *parts = &deposit->pipeline->parts;

    deposit->commit.apply = apply_decision;
    deposit->commit.done = on_decided;
    gk_commit_start(parts->store, parts->mailbox, &deposit->commit);
}

/* --- when the frames never come --- */

static enum gk_status apply_stop_waiting(struct gk_commit *commit, struct gk_transaction *transaction,
                                         struct gk_error *error)
{
    struct deposit *deposit = gk_container_of(commit, struct deposit, commit);
    uint8_t key[GK_DEPOSIT_KEY_SIZE];
    const struct gk_bytes deposit_key = {key, gk_deposit_key(deposit->box_id, deposit->deposit_id, key)};
    enum gk_status status = gk_found_card_stop_waiting(transaction, deposit->decision.card.case_id, error);

    if (status != GK_OK) {
        return status;
    }
    return gk_record_get(transaction, GK_FAMILY_DEPOSITS, deposit_key, guika_v1_internal_DepositRecord_fields,
                         &deposit->decided, error);
}

static void on_stopped_waiting(struct gk_commit *commit)
{
    struct deposit *deposit = gk_container_of(commit, struct deposit, commit);

    if (commit->status != GK_OK) {
        fail_deposit(deposit, commit->status, commit->error.message);
        return;
    }
    gk_waiting_frames_forget(deposit->pipeline->waiting, deposit->box_id, deposit->deposit_id);
    answer_found(deposit, &deposit->decided);
}

/* Nothing more will be known of this deposit: it is difficult, and that is the answer. */
static void end_wait_and_answer(struct deposit *deposit, const guika_v1_internal_DepositRecord *found)
{
    memcpy(deposit->decision.card.case_id, found->case_id, GK_CASE_ID_SIZE);
    deposit->commit.apply = apply_stop_waiting;
    deposit->commit.done = on_stopped_waiting;
    gk_commit_start(deposit->pipeline->parts.store, deposit->pipeline->parts.mailbox, &deposit->commit);
}

/* --- 5. notify: the box has stored the card, so the notice may leave --- */

static void end_confirm(struct confirm *confirm)
{
    gk_lanes_finish(confirm->pipeline->lanes, &confirm->errand);
    free(confirm);
}

static enum gk_status apply_confirm(struct gk_commit *commit, struct gk_transaction *transaction,
                                    struct gk_error *error)
{
    struct confirm *confirm = gk_container_of(commit, struct confirm, commit);
    const enum gk_status status =
        gk_found_card_confirm(transaction, confirm->box_id, &confirm->request, confirm->case_id, error);

    if (status == GK_OK) {
        confirm->wants_picture = wants_picture(transaction, confirm->case_id);
    }
    return status;
}

static void on_confirmed(struct gk_commit *commit)
{
    struct confirm *confirm = gk_container_of(commit, struct confirm, commit);
    struct gk_pipeline *pipeline = confirm->pipeline;

    if (commit->status != GK_OK) {
        gk_pipeline_fail_call(&confirm->call, commit->status, commit->error.message);
    } else {
        gk_waiting_frames_forget(pipeline->waiting, confirm->box_id, confirm->request.deposit_id);
        if (!confirm->wants_picture &&
            (confirm->request.outcome == guika_v1_ConfirmStoredRequest_Outcome_TAKEN_BACK ||
             confirm->request.outcome == guika_v1_ConfirmStoredRequest_Outcome_FULL)) {
            gk_pipeline_erase_pictures(pipeline, confirm->case_id);
        }
        pipeline->parts.on_notice_due(pipeline->parts.on_notice_due_context);
        confirm->call.answer_confirm(confirm->call.call);
        gk_pipeline_release_call(&confirm->call);
    }
    end_confirm(confirm);
}

static void start_confirm(struct gk_errand *errand)
{
    struct confirm *confirm = gk_container_of(errand, struct confirm, errand);

    confirm->commit.apply = apply_confirm;
    confirm->commit.done = on_confirmed;
    gk_commit_start(confirm->pipeline->parts.store, confirm->pipeline->parts.mailbox, &confirm->commit);
}

void gk_pipeline_confirm(struct gk_pipeline *pipeline, const struct gk_pipeline_call *call,
                         const guika_v1_ConfirmStoredRequest *request)
{
    if (!gk_pipeline_check_confirm(call, request)) {
        return;
    }
    struct confirm *confirm = gk_allocate(sizeof *confirm);

    confirm->pipeline = pipeline;
    confirm->call = *call;
    confirm->request = *request;
    confirm->errand.start = start_confirm;
    (void)snprintf(confirm->box_id, sizeof confirm->box_id, "%.32s", gk_rpc_call_principal(call->call)->id);
    gk_pipeline_enter_lane(pipeline, confirm->box_id, confirm->request.deposit_id, &confirm->errand);
}

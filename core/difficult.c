#include "core/difficult.h"

#include "core/decision.h"
#include "core/difficult_internal.h"
#include "core/memory.h"
#include "core/security/hex.h"
#include "core/store/record.h"
#include "core/task.h"
#include "rpc/repeated.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum {
    ATTEMPTS = 3, /* where the card is changed under the attempt's hands */
};

struct attempt {
    struct gk_difficult *difficult;
    struct gk_task task;
    struct gk_commit commit;
    char actor[49];
    bool by_itself;                       /* writes only what is new */
    bool tokens_alone;                    /* reads no picture */
    bool typed;                           /* `number` is what a person typed */
    guika_v1_internal_NumberMatch number; /* as the reader has it */
    struct gk_repeated question;
    unsigned tries;
    bool needs_reading;
    struct gk_value picture;
    struct gk_evidence evidence;
    struct gk_found_card_decision decision;
    uint8_t case_id[GK_CASE_ID_SIZE];
    guika_v1_internal_FoundCard card; /* as it rests */
    struct gk_difficult_result result;
    gk_difficult_done_fn done;
    void *context;
};

/* --- the end of an attempt --- */

void gk_difficult_leave(struct gk_difficult *difficult)
{
    assert(difficult->in_hand > 0);
    difficult->in_hand--;
    if (difficult->in_hand == 0 && difficult->on_closed != NULL) {
        void (*on_closed)(void *context) = difficult->on_closed;
        void *context = difficult->on_closed_context;

        free(difficult);
        on_closed(context);
    }
}

static void end(struct attempt *attempt)
{
    struct gk_difficult *difficult = attempt->difficult;

    attempt->done(attempt->context, &attempt->result);
    if (attempt->question.data != NULL) {
        sodium_memzero(attempt->question.data, attempt->question.size);
    }
    gk_repeated_free(&attempt->question);
    gk_value_free(&attempt->picture);
    sodium_memzero(attempt, sizeof *attempt);
    free(attempt);
    gk_difficult_leave(difficult);
}

static void fail(struct attempt *attempt, enum gk_status status, const char *message)
{
    attempt->result.status = gk_error_set(&attempt->result.error, status, "%s", message);
    end(attempt);
}

/* --- pictures that nobody needs any more --- */

struct erasure {
    struct gk_task task;
    struct gk_difficult *difficult;
    uint8_t case_id[GK_CASE_ID_SIZE];
    struct gk_error error;
    enum gk_status status;
};

/* [worker] */
static void run_erasure(struct gk_task *task)
{
    struct erasure *erasure = gk_container_of(task, struct erasure, task);

    erasure->status =
        gk_picture_vault_erase(erasure->difficult->parts.vault, erasure->case_id, &erasure->error);
}

static void on_erased(struct gk_task *task)
{
    struct erasure *erasure = gk_container_of(task, struct erasure, task);
    struct gk_difficult *difficult = erasure->difficult;

    if (erasure->status != GK_OK) {
        gk_log(difficult->parts.log, GK_LOG_WARNING, "pictures_not_erased", {"why", erasure->error.message});
    }
    free(erasure);
    gk_difficult_leave(difficult);
}

void gk_difficult_erase(struct gk_difficult *difficult, const uint8_t case_id[GK_CASE_ID_SIZE])
{
    struct erasure *erasure = gk_allocate(sizeof *erasure);

    erasure->difficult = difficult;
    memcpy(erasure->case_id, case_id, GK_CASE_ID_SIZE);
    erasure->task.run = run_erasure;
    erasure->task.done = on_erased;
    difficult->in_hand++;
    gk_task_start(difficult->parts.loop, &erasure->task);
}

/* --- 3. write what was decided --- */

static void load(struct attempt *attempt);

static enum gk_status apply_settle(struct gk_commit *commit, struct gk_transaction *transaction,
                                   struct gk_error *error)
{
    struct attempt *attempt = gk_container_of(commit, struct attempt, commit);
    const struct gk_settlement settlement = {
        .decision = &attempt->decision,
        .version = attempt->card.version,
        .actor = attempt->actor,
        .action = attempt->typed ? "found_card.resolve" : "found_card.retry",
        .typed = attempt->typed,
    };

    return gk_found_card_settle(transaction, &settlement, &attempt->result.settled, &attempt->result.card,
                                error);
}

static void log_settled(const struct attempt *attempt)
{
    char case_id[2 * GK_CASE_ID_SIZE + 1];

    gk_hex_encode(attempt->case_id, GK_CASE_ID_SIZE, case_id);
    gk_log(attempt->difficult->parts.log, GK_LOG_INFO, "difficult_settled", {"case", case_id},
           {"by", attempt->actor},
           {"identified",
            attempt->result.card.state == guika_v1_CardState_CARD_STATE_IDENTIFIED ? "yes" : "no"});
}

static void on_settled(struct gk_commit *commit)
{
    struct attempt *attempt = gk_container_of(commit, struct attempt, commit);
    const struct gk_difficult_parts *parts = &attempt->difficult->parts;

    if (commit->status == GK_ABORTED && ++attempt->tries < ATTEMPTS) {
        load(attempt);
        return;
    }
    attempt->result.status = commit->status;
    attempt->result.error = commit->error;
    if (commit->status == GK_OK) {
        log_settled(attempt);
        if (attempt->result.card.state == guika_v1_CardState_CARD_STATE_IDENTIFIED) {
            gk_difficult_erase(attempt->difficult, attempt->case_id);
            parts->on_notice_due(parts->on_notice_due_context);
        }
    }
    end(attempt);
}

/* What was tried by itself and changes nothing leaves no trace. */
static bool is_news(const struct attempt *attempt)
{
    return !attempt->by_itself || attempt->decision.card.state == guika_v1_CardState_CARD_STATE_IDENTIFIED ||
           attempt->decision.card.reason != attempt->card.reason;
}

static void settle(struct attempt *attempt)
{
    const struct gk_difficult_parts *parts = &attempt->difficult->parts;

    if (attempt->result.status != GK_OK) {
        end(attempt);
    } else if (!is_news(attempt)) {
        attempt->result.card = attempt->card;
        end(attempt);
    } else {
        attempt->commit.apply = apply_settle;
        attempt->commit.done = on_settled;
        gk_commit_start(parts->store, parts->mailbox, &attempt->commit);
    }
}

/* --- 2. whose is it, by the number or by what a reader makes of the picture? --- */

/* [worker] */
static enum gk_status decide(struct attempt *attempt)
{
    const struct gk_difficult_parts *parts = &attempt->difficult->parts;

    attempt->evidence.in_box = true;
    attempt->evidence.threshold = parts->threshold;
    attempt->evidence.registered_share = parts->registered_share;
    attempt->evidence.now_ms = gk_clock_now_ms(&parts->clock);
    return gk_decision_make(parts->registry, parts->store, parts->keys, &attempt->evidence,
                            &attempt->decision, &attempt->result.error);
}

/* [worker] */
static void run_decide(struct gk_task *task)
{
    struct attempt *attempt = gk_container_of(task, struct attempt, task);

    attempt->result.status = decide(attempt);
}

static void on_decided(struct gk_task *task)
{
    settle(gk_container_of(task, struct attempt, task));
}

static void on_recognised(void *context, enum gk_status status,
                          const guika_v1_internal_CompleteRecognitionRequest *result)
{
    struct attempt *attempt = context;

    if (status == GK_UNAVAILABLE) {
        fail(attempt, GK_UNAVAILABLE, "no reader is free to read the picture; try again");
        return;
    }
    if (result == NULL) {
        attempt->evidence.read.reason = guika_v1_Reason_REASON_UNREADABLE;
    } else {
        attempt->evidence.read = *result;
        attempt->evidence.read.redacted_picture = (struct gk_bytes){NULL, 0}; /* what is kept stays */
    }
    attempt->task.run = run_decide;
    attempt->task.done = on_decided;
    gk_task_start(attempt->difficult->parts.loop, &attempt->task);
}

static void recognise(struct attempt *attempt)
{
    attempt->evidence.frames[0].picture = (struct gk_bytes){attempt->picture.data, attempt->picture.size};
    attempt->evidence.frame_count = 1;
    if (!gk_reader_jobs_recognise_kept(attempt->difficult->parts.jobs, attempt->evidence.frames,
                                       !attempt->by_itself, on_recognised, attempt)) {
        fail(attempt, GK_UNAVAILABLE, "too many pictures wait to be read; try again");
    }
}

/* --- 1. the card as it rests, and what there is to go by --- */

/* A number that a person typed is certain. [worker] */
static enum gk_status decide_typed(struct attempt *attempt)
{
    guika_v1_internal_Candidate *candidate = &attempt->evidence.read.candidates[0];
    const guika_v1_internal_NumberMatch *number = &attempt->number;

    attempt->evidence.read.candidates_count = 1;
    (void)snprintf(candidate->issuer, sizeof candidate->issuer, "%s", number->issuer);
    (void)snprintf(candidate->scheme, sizeof candidate->scheme, "%s", number->scheme);
    (void)snprintf(candidate->number, sizeof candidate->number, "%s", number->number);
    (void)snprintf(candidate->masked, sizeof candidate->masked, "%s", number->masked);
    candidate->kind = number->kind;
    candidate->probability = 1;
    return decide(attempt);
}

/* Asks the lists for the card's token, and for those that issuers would have made of its number. [worker] */
static enum gk_status look_up_tokens(struct attempt *attempt, struct gk_registration *ret_registration)
{
    struct gk_registry *registry = attempt->difficult->parts.registry;
    const guika_v1_internal_FoundCard *card = &attempt->card;
    enum gk_status status = gk_registry_look_up_card(registry, card->card_token.bytes, card->kind,
                                                     ret_registration, &attempt->result.error);

    for (size_t i = 0; status == GK_OK && !ret_registration->registered && i < card->own_tokens_count; i++) {
        status = gk_registry_look_up_card(registry, card->own_tokens[i], card->kind, ret_registration,
                                          &attempt->result.error);
    }
    return status;
}

/* [worker] */
static enum gk_status decide_token(struct attempt *attempt)
{
    const struct gk_difficult_parts *parts = &attempt->difficult->parts;
    struct gk_registration registration = {0};
    const enum gk_status status = look_up_tokens(attempt, &registration);

    if (status != GK_OK) {
        return status;
    }
    if (registration.registered && !registration.cancelled) {
        return gk_decision_accept(parts->registry, parts->keys, &registration, gk_clock_now_ms(&parts->clock),
                                  &attempt->decision, &attempt->result.error);
    }
    if (registration.registered) {
        gk_decision_cancelled(&registration, &attempt->decision);
    } else { /* by now somebody may watch for it */
        attempt->decision.card.reason = guika_v1_Reason_REASON_UNREGISTERED;
        gk_found_card_decision_notice_id(parts->keys, &attempt->card, attempt->decision.claim_notice_id);
    }
    return GK_OK;
}

/* [worker] */
static enum gk_status go_by(struct attempt *attempt, struct gk_error *error)
{
    if (attempt->card.state != guika_v1_CardState_CARD_STATE_DIFFICULT) {
        return gk_error_set(error, GK_FAILED_PRECONDITION, "the card is not difficult (any more)");
    }
    if (attempt->typed) {
        return decide_typed(attempt);
    }
    if (attempt->card.card_token.size == GK_TOKEN_SIZE) {
        return decide_token(attempt);
    }
    if (attempt->card.pictures == 0 || attempt->tokens_alone) {
        return gk_error_set(
            error, GK_FAILED_PRECONDITION,
            "neither number nor picture of this card is kept: resolve it by typing its number");
    }
    gk_value_free(&attempt->picture);
    attempt->needs_reading = true;
    return gk_picture_vault_get(attempt->difficult->parts.vault, attempt->case_id, 0, &attempt->picture,
                                error);
}

/* Whose the card was thought to be is found out anew. */
static void forget_whose(guika_v1_internal_FoundCard *card)
{
    card->issuer_account[0] = '\0';
    card->holder_token.size = 0;
    card->sealed_reference.size = 0;
    card->policy = guika_v1_IssuerPolicy_ISSUER_POLICY_UNSPECIFIED;
    card->disposition = guika_v1_Disposition_DISPOSITION_UNSPECIFIED;
}

/* [worker] */
static void run_load(struct gk_task *task)
{
    struct attempt *attempt = gk_container_of(task, struct attempt, task);
    struct gk_error *error = &attempt->result.error;
    enum gk_status status;

    memset(&attempt->card, 0, sizeof attempt->card);
    status = gk_record_read(attempt->difficult->parts.store, GK_FAMILY_FOUND_CARDS,
                            (struct gk_bytes){attempt->case_id, GK_CASE_ID_SIZE},
                            guika_v1_internal_FoundCard_fields, &attempt->card, error);
    if (status == GK_NOT_FOUND) {
        status = gk_error_set(error, GK_NOT_FOUND, "there is no such case");
    } else if (status == GK_OK) {
        attempt->decision = (struct gk_found_card_decision){.card = attempt->card};
        forget_whose(&attempt->decision.card);
        memset(&attempt->evidence, 0, sizeof attempt->evidence);
        status = go_by(attempt, error);
    }
    attempt->result.status = status;
}

static void on_loaded(struct gk_task *task)
{
    struct attempt *attempt = gk_container_of(task, struct attempt, task);

    if (attempt->result.status == GK_OK && attempt->needs_reading) {
        recognise(attempt);
    } else {
        settle(attempt);
    }
}

static void load(struct attempt *attempt)
{
    attempt->needs_reading = false;
    attempt->task.run = run_load;
    attempt->task.done = on_loaded;
    gk_task_start(attempt->difficult->parts.loop, &attempt->task);
}

static struct attempt *begin(struct gk_difficult *difficult, const uint8_t case_id[GK_CASE_ID_SIZE],
                             const char *actor, gk_difficult_done_fn done, void *context)
{
    struct attempt *attempt = gk_allocate(sizeof *attempt);

    attempt->difficult = difficult;
    memcpy(attempt->case_id, case_id, GK_CASE_ID_SIZE);
    (void)snprintf(attempt->actor, sizeof attempt->actor, "%s", actor);
    attempt->done = done;
    attempt->context = context;
    difficult->in_hand++;
    return attempt;
}

void gk_difficult_retry(struct gk_difficult *difficult, const uint8_t case_id[GK_CASE_ID_SIZE],
                        const char *actor, gk_difficult_done_fn done, void *context)
{
    load(begin(difficult, case_id, actor, done, context));
}

/* --- 0. a typed number is checked by a reader --- */

/* The one match of the answer; else says why it cannot be taken. */
static enum gk_status take_answer(struct attempt *attempt, struct gk_bytes answers, struct gk_error *error)
{
    guika_v1_internal_NumberAnswer answer = {0};
    enum gk_status status = gk_repeated_next(&answers, guika_v1_internal_NumberAnswer_fields, &answer);

    if (status != GK_OK) {
        status = gk_error_set(error, GK_INTERNAL, "the reader gave no answer");
    } else if (answer.matches_count == 0) {
        status = gk_error_set(error, GK_INVALID_ARGUMENT, "not a valid number: %s",
                              answer.problem[0] == '\0' ? "no issuer has such numbers" : answer.problem);
    } else if (answer.matches_count > 1) {
        status =
            gk_error_set(error, GK_INVALID_ARGUMENT,
                         "the number is valid under several schemes, as %s and %s: name the card's scheme",
                         answer.matches[0].scheme, answer.matches[1].scheme);
    } else {
        attempt->number = answer.matches[0];
    }
    sodium_memzero(&answer, sizeof answer);
    return status;
}

static void on_checked(void *context, enum gk_status status, struct gk_bytes answers)
{
    struct attempt *attempt = context;

    if (status != GK_OK || answers.size == 0) {
        fail(attempt, GK_UNAVAILABLE, "no reader could check the number; try again");
        return;
    }
    attempt->result.status = take_answer(attempt, answers, &attempt->result.error);
    if (attempt->result.status != GK_OK) {
        end(attempt);
    } else {
        load(attempt);
    }
}

void gk_difficult_resolve(struct gk_difficult *difficult, const uint8_t case_id[GK_CASE_ID_SIZE],
                          const char *actor, const char *scheme, const char *number,
                          gk_difficult_done_fn done, void *context)
{
    struct attempt *attempt = begin(difficult, case_id, actor, done, context);
    guika_v1_internal_NumberQuestion question = {0};

    attempt->typed = true;
    (void)snprintf(question.scheme, sizeof question.scheme, "%s", scheme);
    (void)snprintf(question.number, sizeof question.number, "%s", number);
    if (gk_repeated_append(&attempt->question, guika_v1_internal_NumberQuestion_fields, &question) != GK_OK) {
        fail(attempt, GK_INTERNAL, "the number could not be handed on");
    } else if (!gk_reader_jobs_check_numbers(difficult->parts.jobs, gk_repeated_bytes(&attempt->question),
                                             on_checked, attempt)) {
        fail(attempt, GK_UNAVAILABLE, "too much waits for the readers; try again");
    }
    sodium_memzero(&question, sizeof question);
}

void gk_difficult_try(struct gk_difficult *difficult, const uint8_t case_id[GK_CASE_ID_SIZE],
                      bool tokens_alone, gk_difficult_done_fn done, void *context)
{
    struct attempt *attempt = begin(difficult, case_id, "core", done, context);

    attempt->by_itself = true;
    attempt->tokens_alone = tokens_alone;
    load(attempt);
}

/* --- start and end --- */

struct gk_difficult *gk_difficult_open(const struct gk_difficult_parts *parts)
{
    struct gk_difficult *difficult = gk_allocate(sizeof *difficult);

    difficult->parts = *parts;
    return difficult;
}

void gk_difficult_close(struct gk_difficult *difficult, void (*on_closed)(void *context), void *context)
{
    difficult->on_closed = on_closed;
    difficult->on_closed_context = context;
    difficult->in_hand++;
    gk_difficult_leave(difficult);
}

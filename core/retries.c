#include "core/retries.h"

#include "core/decision.h"
#include "core/found_card.h"
#include "core/memory.h"
#include "core/security/hex.h"
#include "core/store/record.h"
#include "core/task.h"

#include <stdio.h>
#include <string.h>

#define MARK "retry"

enum {
    KEY_SIZE = 8 + GK_CASE_ID_SIZE, /* of the index by time */
    LOOKED_AT_MOST = 512,           /* cards in one go on a worker */
    PAUSE_MS = 1000,                /* where readers take no job, or the store no write */
};

struct gk_retries {
    struct gk_retries_parts parts;
    uv_timer_t pause;
    struct gk_task task;
    struct gk_commit commit;
    bool busy;
    bool wanted; /* a sweep shall begin */
    bool mark;   /* what `commit` writes */

    /* The sweep. */
    uint8_t after[KEY_SIZE]; /* the last card looked at */
    size_t after_size;
    size_t looked_at;
    bool at_end;
    unsigned tried, identified;

    /* The card in hand. */
    bool has_card;
    guika_v1_internal_FoundCard card;
    struct gk_value picture;
    guika_v1_Frame frame;
    struct gk_evidence *evidence;
    struct gk_found_card_decision *decision;
    bool changed;
    enum gk_status status;
    struct gk_error error;

    void (*on_closed)(void *context);
    void *on_closed_context;
};

static void look_for_next(struct gk_retries *retries);

static void on_pause_closed(uv_handle_t *handle)
{
    struct gk_retries *retries = handle->data;
    void (*on_closed)(void *context) = retries->on_closed;
    void *context = retries->on_closed_context;

    free(retries);
    on_closed(context);
}

static void drop_card(struct gk_retries *retries)
{
    gk_value_free(&retries->picture);
    free(retries->evidence);
    free(retries->decision);
    retries->picture = (struct gk_value){NULL, 0};
    retries->evidence = NULL;
    retries->decision = NULL;
    retries->has_card = false;
}

/* Nothing is on its way: closes where that was asked for. True: it does. */
static bool is_closing(struct gk_retries *retries)
{
    if (retries->on_closed == NULL) {
        return false;
    }
    drop_card(retries);
    retries->busy = false;
    uv_close((uv_handle_t *)&retries->pause, on_pause_closed);
    return true;
}

/* --- the mark that a sweep is under way --- */

static const struct gk_bytes mark_key = {(const uint8_t *)MARK, sizeof MARK - 1};

static enum gk_status apply_mark(struct gk_commit *commit, struct gk_transaction *transaction,
                                 struct gk_error *error)
{
    const struct gk_retries *retries = gk_container_of(commit, struct gk_retries, commit);

    (void)error;
    if (retries->mark) {
        gk_transaction_put(transaction, GK_FAMILY_META, mark_key, (struct gk_bytes){NULL, 0});
    } else {
        gk_transaction_delete(transaction, GK_FAMILY_META, mark_key);
    }
    return GK_OK;
}

static void begin(struct gk_retries *retries);

static void on_marked(struct gk_commit *commit)
{
    struct gk_retries *retries = gk_container_of(commit, struct gk_retries, commit);

    if (is_closing(retries)) {
        return;
    }
    /* Without the mark a stop would cut the sweep short, no more. */
    if (retries->mark) {
        look_for_next(retries);
    } else {
        retries->busy = false;
        begin(retries);
    }
}

static void write_mark(struct gk_retries *retries, bool mark)
{
    retries->mark = mark;
    retries->commit.apply = apply_mark;
    retries->commit.done = on_marked;
    gk_commit_start(retries->parts.store, retries->parts.mailbox, &retries->commit);
}

static void begin(struct gk_retries *retries)
{
    if (retries->busy || !retries->wanted) {
        return;
    }
    retries->busy = true;
    retries->wanted = false;
    retries->after_size = 0;
    retries->tried = 0;
    retries->identified = 0;
    write_mark(retries, true);
}

static void end_sweep(struct gk_retries *retries)
{
    char tried[24], identified[24];

    if (retries->tried > 0) {
        gk_log(retries->parts.log, GK_LOG_INFO, "difficult_cards_tried_again",
               {"cards", gk_log_number(retries->tried, tried)},
               {"identified", gk_log_number(retries->identified, identified)});
    }
    write_mark(retries, retries->wanted);
    if (retries->wanted) {
        retries->wanted = false;
        retries->after_size = 0;
        retries->tried = 0;
        retries->identified = 0;
    }
}

/* --- 1. the next card that may be read now --- */

static bool may_be_cured(const guika_v1_internal_FoundCard *card)
{
    return card->state == guika_v1_CardState_CARD_STATE_DIFFICULT && card->pictures > 0 &&
           card->place.kind != guika_v1_internal_Place_Kind_PLACE_FINDER &&
           (card->reason == guika_v1_Reason_REASON_UNKNOWN_ISSUER ||
            card->reason == guika_v1_Reason_REASON_UNREADABLE ||
            card->reason == guika_v1_Reason_REASON_CHECK_FAILED);
}

static bool look_at(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct gk_retries *retries = context;
    const struct gk_bytes case_id = {key.data + 8, GK_CASE_ID_SIZE};

    (void)value;
    if (key.size != KEY_SIZE ||
        (retries->after_size == KEY_SIZE && memcmp(key.data, retries->after, KEY_SIZE) == 0)) {
        return true;
    }
    memcpy(retries->after, key.data, KEY_SIZE);
    retries->after_size = KEY_SIZE;
    retries->card = (guika_v1_internal_FoundCard){0};
    retries->has_card = gk_record_read(retries->parts.store, GK_FAMILY_FOUND_CARDS, case_id,
                                       guika_v1_internal_FoundCard_fields, &retries->card, NULL) == GK_OK &&
                        may_be_cured(&retries->card) &&
                        gk_picture_vault_get(retries->parts.vault, retries->card.case_id, 0,
                                             &retries->picture, NULL) == GK_OK;
    retries->at_end = false;
    return !retries->has_card && ++retries->looked_at < LOOKED_AT_MOST;
}

/* [worker] */
static void run_look(struct gk_task *task)
{
    struct gk_retries *retries = gk_container_of(task, struct gk_retries, task);

    retries->looked_at = 0;
    retries->at_end = true;
    retries->status = gk_store_scan(retries->parts.store, GK_FAMILY_FOUND_BY_TIME, (struct gk_bytes){NULL, 0},
                                    (struct gk_bytes){retries->after, retries->after_size}, false, look_at,
                                    retries, &retries->error);
}

static void read_again(struct gk_retries *retries);

static void on_looked(struct gk_task *task)
{
    struct gk_retries *retries = gk_container_of(task, struct gk_retries, task);

    if (is_closing(retries)) {
        return;
    }
    if (retries->status != GK_OK) {
        gk_log(retries->parts.log, GK_LOG_ERROR, "retries_stopped", {"why", retries->error.message});
        end_sweep(retries);
    } else if (retries->has_card) {
        read_again(retries);
    } else if (retries->at_end) {
        end_sweep(retries);
    } else {
        look_for_next(retries);
    }
}

static void look_for_next(struct gk_retries *retries)
{
    drop_card(retries);
    retries->task.run = run_look;
    retries->task.done = on_looked;
    gk_task_start(retries->parts.loop, &retries->task);
}

/* --- 2. a reader reads its picture --- */

static void match(struct gk_retries *retries, const guika_v1_internal_CompleteRecognitionRequest *result);

static void on_recognised(void *context, enum gk_status status,
                          const guika_v1_internal_CompleteRecognitionRequest *result)
{
    struct gk_retries *retries = context;

    if (is_closing(retries)) {
        return;
    }
    if (status == GK_OK) {
        retries->tried++;
        match(retries, result);
    } else if (status == GK_UNAVAILABLE) {
        retries->busy = false; /* the service stops; the mark stays */
    } else {
        look_for_next(retries); /* it broke two readers */
    }
}

static void on_pause_over(uv_timer_t *timer)
{
    read_again(timer->data);
}

static void read_again(struct gk_retries *retries)
{
    retries->frame = (guika_v1_Frame){.picture = {retries->picture.data, retries->picture.size}};
    if (!gk_reader_jobs_recognise_again(retries->parts.jobs, &retries->frame, on_recognised, retries)) {
        (void)uv_timer_start(&retries->pause, on_pause_over, PAUSE_MS, 0);
    }
}

/* --- 3. whose card is it? --- */

/* [worker] */
static void run_match(struct gk_task *task)
{
    struct gk_retries *retries = gk_container_of(task, struct gk_retries, task);

    retries->status = gk_decision_make(retries->parts.registry, retries->parts.keys, retries->evidence,
                                       retries->decision, &retries->error);
}

static void decide(struct gk_retries *retries);

static void on_matched(struct gk_task *task)
{
    struct gk_retries *retries = gk_container_of(task, struct gk_retries, task);

    if (is_closing(retries)) {
        return;
    }
    if (retries->status == GK_OK && retries->decision->card.card_token.size > 0) {
        decide(retries);
    } else {
        look_for_next(retries);
    }
}

static void match(struct gk_retries *retries, const guika_v1_internal_CompleteRecognitionRequest *result)
{
    struct gk_evidence *evidence = gk_allocate(sizeof *evidence);
    struct gk_found_card_decision *decision = gk_allocate(sizeof *decision);

    evidence->frame_count = 1;
    evidence->frames[0] = retries->frame;
    evidence->read = *result;
    evidence->read.redacted_picture = (struct gk_bytes){NULL, 0};
    evidence->in_box = true;
    evidence->threshold = retries->parts.threshold;
    evidence->registered_share = retries->parts.registered_share;
    evidence->now_ms = gk_clock_now_ms(&retries->parts.clock);
    memcpy(decision->card.case_id, retries->card.case_id, GK_CASE_ID_SIZE);
    memcpy(decision->card.box_id, retries->card.box_id, sizeof decision->card.box_id);
    memcpy(decision->card.deposit_id, retries->card.deposit_id, sizeof decision->card.deposit_id);
    decision->card.version = retries->card.version;
    retries->evidence = evidence;
    retries->decision = decision;
    retries->task.run = run_match;
    retries->task.done = on_matched;
    gk_task_start(retries->parts.loop, &retries->task);
}

/* --- 4. one durable write --- */

/* [worker] */
static void run_erasure(struct gk_task *task)
{
    struct gk_retries *retries = gk_container_of(task, struct gk_retries, task);

    /* Where it fails the next start tries again. */
    (void)gk_picture_vault_erase(retries->parts.vault, retries->card.case_id, NULL);
}

static void on_erased(struct gk_task *task)
{
    struct gk_retries *retries = gk_container_of(task, struct gk_retries, task);

    if (!is_closing(retries)) {
        look_for_next(retries);
    }
}

static void log_identified(const struct gk_retries *retries)
{
    char case_id[2 * GK_CASE_ID_SIZE + 1];

    gk_hex_encode(retries->card.case_id, GK_CASE_ID_SIZE, case_id);
    gk_log(retries->parts.log, GK_LOG_INFO, "difficult_card_identified", {"case", case_id},
           {"box", retries->card.box_id}, {"issuer", retries->decision->card.issuer});
}

static enum gk_status apply_decision(struct gk_commit *commit, struct gk_transaction *transaction,
                                     struct gk_error *error)
{
    struct gk_retries *retries = gk_container_of(commit, struct gk_retries, commit);

    return gk_found_card_retry(transaction, retries->decision, &retries->changed, error);
}

static void on_decided(struct gk_commit *commit)
{
    struct gk_retries *retries = gk_container_of(commit, struct gk_retries, commit);
    const bool identified = commit->status == GK_OK && retries->changed &&
                            retries->decision->card.state == guika_v1_CardState_CARD_STATE_IDENTIFIED;

    if (commit->status != GK_OK) {
        gk_log(retries->parts.log, GK_LOG_ERROR, "retry_not_recorded", {"why", commit->error.message});
    }
    if (identified) {
        retries->identified++;
        log_identified(retries);
        retries->parts.on_notice_due(retries->parts.on_notice_due_context);
    }
    if (is_closing(retries)) {
        return;
    }
    if (identified) {
        retries->task.run = run_erasure;
        retries->task.done = on_erased;
        gk_task_start(retries->parts.loop, &retries->task);
    } else {
        look_for_next(retries);
    }
}

static void decide(struct gk_retries *retries)
{
    retries->changed = false;
    retries->commit.apply = apply_decision;
    retries->commit.done = on_decided;
    gk_commit_start(retries->parts.store, retries->parts.mailbox, &retries->commit);
}

/* --- start and end --- */

/* [worker] */
static void run_begin(struct gk_task *task)
{
    struct gk_retries *retries = gk_container_of(task, struct gk_retries, task);
    struct gk_value value = {NULL, 0};

    retries->status = gk_store_get(retries->parts.store, GK_FAMILY_META, mark_key, &value, NULL);
    gk_value_free(&value);
}

static void on_begun(struct gk_task *task)
{
    struct gk_retries *retries = gk_container_of(task, struct gk_retries, task);

    if (is_closing(retries)) {
        return;
    }
    retries->busy = false;
    retries->wanted = retries->wanted || retries->status == GK_OK;
    begin(retries);
}

struct gk_retries *gk_retries_open(const struct gk_retries_parts *parts)
{
    struct gk_retries *retries = gk_allocate(sizeof *retries);

    retries->parts = *parts;
    (void)uv_timer_init(parts->loop, &retries->pause);
    retries->pause.data = retries;
    retries->busy = true;
    retries->task.run = run_begin;
    retries->task.done = on_begun;
    gk_task_start(parts->loop, &retries->task);
    return retries;
}

void gk_retries_begin(struct gk_retries *retries)
{
    retries->wanted = true;
    begin(retries);
}

void gk_retries_close(struct gk_retries *retries, void (*on_closed)(void *context), void *context)
{
    const bool pausing = uv_is_active((uv_handle_t *)&retries->pause);

    retries->on_closed = on_closed;
    retries->on_closed_context = context;
    (void)uv_timer_stop(&retries->pause);
    if (!retries->busy || pausing) {
        (void)is_closing(retries);
    }
}

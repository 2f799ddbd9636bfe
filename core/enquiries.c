#include "core/enquiries.h"

#include "core/found_card_issuer.h"
#include "core/memory.h"
#include "core/notification/outbox.h"
#include "core/store/record.h"
#include "core/task.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum {
    KEY_SIZE = 16,       /* asked_at_ms (8, big-endian), random (8) */
    RESTING_MAX = 10000, /* enquiries that may wait; more are refused alike */
    BATCH = 64,          /* looked up at a time */
    TURN_MS = 200,       /* between two batches: answers never follow an enquiry's own time */
    DAY_MS = 24 * 3600 * 1000,
    OWN_TOKENS_MAX = 16, /* of one scheme: issuers whose lists may have one number */
};

struct gk_enquiries {
    struct gk_enquiries_parts parts;
    uv_timer_t turn;
    struct gk_task task;
    struct gk_commit commit;
    bool busy;
    bool look;            /* something may rest that no turn has seen */
    size_t resting;       /* about: what waits to be answered */
    size_t taken_in_turn; /* since the turn began */
    size_t taking;        /* on their way into the store */
    struct found *batch;
    size_t batch_count;
    enum gk_status status; /* of this turn's look-ups */
    struct gk_error error;
    void (*on_closed)(void *context);
    void *on_closed_context;
};

/* One enquiry and what is true of it. */
struct found {
    uint8_t key[KEY_SIZE];
    guika_v1_internal_EnquiryRecord record;
    bool has_notice;
    guika_v1_internal_NoticeRecord notice;
};

struct taking {
    struct gk_commit commit;
    struct gk_enquiries *enquiries;
    uint8_t key[KEY_SIZE];
    guika_v1_internal_EnquiryRecord record;
    void (*done)(void *context, enum gk_status status, const struct gk_error *error);
    void *context;
};

static void put_be64(uint8_t *to, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++) {
        to[i] = (uint8_t)(value >> (56 - 8 * i));
    }
}

static void on_turn_closed(uv_handle_t *handle)
{
    struct gk_enquiries *enquiries = handle->data;
    void (*on_closed)(void *context) = enquiries->on_closed;
    void *context = enquiries->on_closed_context;

    free(enquiries);
    on_closed(context);
}

/* Closes where that was asked for and nothing is on its way. */
static void finish_close(struct gk_enquiries *enquiries)
{
    if (enquiries->on_closed != NULL && !enquiries->busy && enquiries->taking == 0) {
        uv_close((uv_handle_t *)&enquiries->turn, on_turn_closed);
    }
}

/* --- taking one in --- */

static enum gk_status apply_taking(struct gk_commit *commit, struct gk_transaction *transaction,
                                   struct gk_error *error)
{
    const struct taking *taking = gk_container_of(commit, struct taking, commit);

    gk_transaction_count(transaction, "", "enquiries");
    return gk_record_put(transaction, GK_FAMILY_ENQUIRIES, (struct gk_bytes){taking->key, KEY_SIZE},
                         guika_v1_internal_EnquiryRecord_fields, &taking->record, error);
}

static void on_taken(struct gk_commit *commit)
{
    struct taking *taking = gk_container_of(commit, struct taking, commit);

    struct gk_enquiries *enquiries = taking->enquiries;

    if (commit->status == GK_OK) {
        enquiries->resting++;
        enquiries->taken_in_turn++;
        enquiries->look = true;
    }
    taking->done(taking->context, commit->status, &commit->error);
    free(taking);
    enquiries->taking--;
    finish_close(enquiries);
}

/* Capital letters and digits alone: the canonical form of every scheme. */
static void canonicalise(const char *number, char ret_canonical[65])
{
    size_t length = 0;

    for (; *number != '\0' && length < 64; number++) {
        if (isalnum((unsigned char)*number)) {
            ret_canonical[length++] = (char)toupper((unsigned char)*number);
        }
    }
    ret_canonical[length] = '\0';
}

/* The number's tokens under the keys of issuers who hand no numbers over. How many there are follows from the
 * issuers' bindings, not from what is registered. */
static void add_own_tokens(const struct gk_enquiries *enquiries, const char *scheme, const char *canonical,
                           guika_v1_internal_EnquiryRecord *record)
{
    uint8_t tokens[OWN_TOKENS_MAX][GK_TOKEN_SIZE];
    const size_t room = sizeof record->card_tokens / sizeof record->card_tokens[0];
    const size_t count =
        gk_registry_own_tokens(enquiries->parts.registry, scheme, canonical, tokens, OWN_TOKENS_MAX);

    for (size_t i = 0; i < count && record->card_tokens_count < room; i++) {
        record->card_tokens[record->card_tokens_count].size = GK_TOKEN_SIZE;
        memcpy(record->card_tokens[record->card_tokens_count++].bytes, tokens[i], GK_TOKEN_SIZE);
    }
}

void gk_enquiries_take(struct gk_enquiries *enquiries, const char *number,
                       void (*done)(void *context, enum gk_status status, const struct gk_error *error),
                       void *context)
{
    char schemes[GK_SHELF_SCHEMES_MAX][32];
    const size_t count = gk_shelf_schemes(enquiries->parts.shelf, schemes);
    char canonical[65];
    struct gk_error error;

    if (enquiries->resting >= RESTING_MAX) {
        done(context, gk_error_set(&error, GK_RESOURCE_EXHAUSTED, "too many enquiries wait; try again later"),
             &error);
        return;
    }
    if (count == 0) {
        done(context,
             gk_error_set(&error, GK_UNAVAILABLE, "the service has just started; try again in a moment"),
             &error);
        return;
    }
    struct taking *taking = gk_allocate(sizeof *taking);

    canonicalise(number, canonical);
    for (size_t i = 0; i < count; i++) {
        taking->record.card_tokens[i].size = GK_TOKEN_SIZE;
        gk_keys_card_token(enquiries->parts.keys, schemes[i], canonical, taking->record.card_tokens[i].bytes);
    }
    taking->record.card_tokens_count = (pb_size_t)count;
    for (size_t i = 0; i < count; i++) {
        add_own_tokens(enquiries, schemes[i], canonical, &taking->record);
    }
    sodium_memzero(canonical, sizeof canonical);
    taking->record.asked_at_ms = gk_clock_now_ms(&enquiries->parts.clock);
    put_be64(taking->key, (uint64_t)taking->record.asked_at_ms);
    randombytes_buf(taking->key + 8, 8);
    taking->enquiries = enquiries;
    taking->done = done;
    taking->context = context;
    enquiries->taking++;
    taking->commit.apply = apply_taking;
    taking->commit.done = on_taken;
    gk_commit_start(enquiries->parts.store, enquiries->parts.mailbox, &taking->commit);
}

/* --- finding out what is true --- */

static bool collect(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct gk_enquiries *enquiries = context;
    struct found *found = &enquiries->batch[enquiries->batch_count];

    if (key.size != KEY_SIZE ||
        gk_record_decode(value, guika_v1_internal_EnquiryRecord_fields, &found->record, NULL) != GK_OK) {
        return true;
    }
    memcpy(found->key, key.data, KEY_SIZE);
    return ++enquiries->batch_count < BATCH;
}

struct latest {
    struct gk_store *store;
    guika_v1_internal_FoundCard card;
    bool found;
};

static bool is_at_hand(const guika_v1_internal_FoundCard *card)
{
    return card->place.kind != guika_v1_internal_Place_Kind_PLACE_FINDER && card->stored_at_ms != 0 &&
           (card->state == guika_v1_CardState_CARD_STATE_IDENTIFIED ||
            card->state == guika_v1_CardState_CARD_STATE_NOTIFIED);
}

/* Keys end with the case id. The card found last is the one that is told of. */
static bool visit_case(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct latest *latest = context;
    guika_v1_internal_FoundCard card = {0};
    const struct gk_bytes case_id = {key.data + key.size - GK_CASE_ID_SIZE, GK_CASE_ID_SIZE};

    (void)value;
    if (gk_record_read(latest->store, GK_FAMILY_FOUND_CARDS, case_id, guika_v1_internal_FoundCard_fields,
                       &card, NULL) == GK_OK &&
        is_at_hand(&card) && (!latest->found || card.received_at_ms > latest->card.received_at_ms)) {
        latest->card = card;
        latest->found = true;
    }
    return true;
}

static void describe_case(guika_v1_internal_NoticeRecord *notice, const guika_v1_internal_FoundCard *card)
{
    notice->case_id.size = GK_CASE_ID_SIZE;
    memcpy(notice->case_id.bytes, card->case_id, GK_CASE_ID_SIZE);
    memcpy(notice->box_id, card->box_id, sizeof notice->box_id);
    memcpy(notice->issuer, card->issuer, sizeof notice->issuer);
    notice->sealed_mask.size = card->sealed_mask.size;
    memcpy(notice->sealed_mask.bytes, card->sealed_mask.bytes, card->sealed_mask.size);
}

/* One message a card and day: the message's id says which. */
static void name_notice(const struct gk_enquiries *enquiries, struct found *found, const uint8_t *card_token)
{
    uint8_t subject[GK_TOKEN_SIZE + 8];

    memcpy(subject, card_token, GK_TOKEN_SIZE);
    put_be64(subject + GK_TOKEN_SIZE, (uint64_t)(found->record.asked_at_ms / DAY_MS));
    gk_keys_message_id(enquiries->parts.keys, "enquiry", (struct gk_bytes){subject, sizeof subject},
                       found->notice.notice_id);
}

static enum gk_status apply_ask_issuer(void *context, struct gk_transaction *transaction,
                                       struct gk_error *error)
{
    return gk_found_card_ask_issuer(transaction, context, error);
}

/* Of a card that the issuer registered by a token of its own the service knows no contact: where such a card
 * waits until its holder asks, the issuer learns of it now. */
static enum gk_status ask_issuer(struct gk_enquiries *enquiries, struct latest *latest,
                                 struct gk_error *error)
{
    return latest->found ? gk_store_commit_and_wait(enquiries->parts.store, apply_ask_issuer,
                                                    latest->card.case_id, error)
                         : GK_OK;
}

static enum gk_status write_notice(struct gk_enquiries *enquiries, struct found *found,
                                   const struct gk_registration *registration, struct gk_error *error)
{
    struct latest latest = {.store = enquiries->parts.store};
    guika_v1_internal_NoticeRecord *notice = &found->notice;
    const struct gk_bytes token = {registration->card_token, GK_TOKEN_SIZE};

    const enum gk_status status =
        gk_store_scan(enquiries->parts.store, GK_FAMILY_FOUND_BY_CARD, token, (struct gk_bytes){NULL, 0},
                      false, visit_case, &latest, error);

    if (status != GK_OK) {
        return status;
    }
    if (registration->own_key) {
        return ask_issuer(enquiries, &latest, error);
    }
    name_notice(enquiries, found, registration->card_token);
    (void)snprintf(notice->template_id, sizeof notice->template_id, "%s",
                   latest.found ? "enquiry_found" : "enquiry_not_found");
    notice->state = guika_v1_internal_NoticeRecord_State_NOTICE_DUE;
    (void)snprintf(notice->issuer_account, sizeof notice->issuer_account, "%s", registration->issuer_account);
    notice->holder_token.size = GK_TOKEN_SIZE;
    memcpy(notice->holder_token.bytes, registration->holder_token, GK_TOKEN_SIZE);
    notice->created_at_ms = gk_clock_now_ms(&enquiries->parts.clock);
    notice->due_at_ms = notice->created_at_ms;
    if (latest.found) {
        describe_case(notice, &latest.card);
    }
    found->has_notice = true;
    return GK_OK;
}

static enum gk_status find_out(struct gk_enquiries *enquiries, struct found *found, struct gk_error *error)
{
    for (size_t i = 0; i < found->record.card_tokens_count; i++) {
        struct gk_registration registration = {0};
        const enum gk_status status = gk_registry_look_up_token(
            enquiries->parts.registry, found->record.card_tokens[i].bytes, &registration, error);

        if (status != GK_OK) {
            return status;
        }
        if (registration.registered && !registration.cancelled) {
            return write_notice(enquiries, found, &registration, error);
        }
    }
    return GK_OK;
}

/* [worker] */
static void run_turn(struct gk_task *task)
{
    struct gk_enquiries *enquiries = gk_container_of(task, struct gk_enquiries, task);
    const struct gk_bytes all = {NULL, 0};

    enquiries->batch = gk_allocate(BATCH * sizeof *enquiries->batch);
    enquiries->batch_count = 0;
    enquiries->status = gk_store_scan(enquiries->parts.store, GK_FAMILY_ENQUIRIES, all, all, false, collect,
                                      enquiries, &enquiries->error);
    for (size_t i = 0; i < enquiries->batch_count && enquiries->status == GK_OK; i++) {
        enquiries->status = find_out(enquiries, &enquiries->batch[i], &enquiries->error);
    }
}

static enum gk_status answer(struct gk_transaction *transaction, const struct found *found,
                             struct gk_error *error)
{
    const struct gk_bytes notice_id = {found->notice.notice_id, sizeof found->notice.notice_id};
    struct gk_value told = {NULL, 0};

    gk_transaction_delete(transaction, GK_FAMILY_ENQUIRIES, (struct gk_bytes){found->key, KEY_SIZE});
    if (!found->has_notice) {
        return GK_OK;
    }
    const enum gk_status status = gk_transaction_get(transaction, GK_FAMILY_OUTBOX, notice_id, &told, error);

    if (status == GK_OK) {
        gk_value_free(&told);
        return GK_OK;
    }
    return status == GK_NOT_FOUND ? gk_outbox_add(transaction, &found->notice, error) : status;
}

static enum gk_status apply_turn(struct gk_commit *commit, struct gk_transaction *transaction,
                                 struct gk_error *error)
{
    const struct gk_enquiries *enquiries = gk_container_of(commit, struct gk_enquiries, commit);

    for (size_t i = 0; i < enquiries->batch_count; i++) {
        const enum gk_status status = answer(transaction, &enquiries->batch[i], error);

        if (status != GK_OK) {
            return status;
        }
    }
    return GK_OK;
}

static void end_turn(struct gk_enquiries *enquiries)
{
    free(enquiries->batch);
    enquiries->batch = NULL;
    enquiries->busy = false;
    finish_close(enquiries);
}

/* A batch that is not full held all that rested when the turn began. */
static void count_answered(struct gk_enquiries *enquiries)
{
    if (enquiries->batch_count < BATCH) {
        enquiries->resting = enquiries->taken_in_turn;
    } else {
        enquiries->resting -= enquiries->resting < BATCH ? enquiries->resting : BATCH;
        enquiries->look = true;
    }
}

/* The enquiries of this turn rest as they are, for the next one. */
static void put_off(struct gk_enquiries *enquiries, const struct gk_error *error)
{
    gk_log(enquiries->parts.log, GK_LOG_ERROR, "enquiries_not_answered", {"why", error->message});
    enquiries->look = true;
}

static void on_turn_committed(struct gk_commit *commit)
{
    struct gk_enquiries *enquiries = gk_container_of(commit, struct gk_enquiries, commit);

    if (commit->status == GK_OK) {
        count_answered(enquiries);
        enquiries->parts.on_notice_due(enquiries->parts.on_notice_due_context);
    } else {
        put_off(enquiries, &commit->error);
    }
    end_turn(enquiries);
}

static void on_turn_found(struct gk_task *task)
{
    struct gk_enquiries *enquiries = gk_container_of(task, struct gk_enquiries, task);

    if (enquiries->status != GK_OK) {
        put_off(enquiries, &enquiries->error);
        end_turn(enquiries);
        return;
    }
    if (enquiries->batch_count == 0) {
        count_answered(enquiries);
        end_turn(enquiries);
        return;
    }
    enquiries->commit.apply = apply_turn;
    enquiries->commit.done = on_turn_committed;
    gk_commit_start(enquiries->parts.store, enquiries->parts.mailbox, &enquiries->commit);
}

static void on_turn(uv_timer_t *timer)
{
    struct gk_enquiries *enquiries = timer->data;

    if (enquiries->busy || !enquiries->look) {
        return;
    }
    enquiries->busy = true;
    enquiries->look = false;
    enquiries->taken_in_turn = 0;
    enquiries->task.run = run_turn;
    enquiries->task.done = on_turn_found;
    gk_task_start(enquiries->parts.loop, &enquiries->task);
}

struct gk_enquiries *gk_enquiries_open(const struct gk_enquiries_parts *parts)
{
    struct gk_enquiries *enquiries = gk_allocate(sizeof *enquiries);

    enquiries->parts = *parts;
    enquiries->look = true; /* there may be some from before the start */
    (void)uv_timer_init(parts->loop, &enquiries->turn);
    enquiries->turn.data = enquiries;
    (void)uv_timer_start(&enquiries->turn, on_turn, TURN_MS, TURN_MS);
    return enquiries;
}

void gk_enquiries_close(struct gk_enquiries *enquiries, void (*on_closed)(void *context), void *context)
{
    enquiries->on_closed = on_closed;
    enquiries->on_closed_context = context;
    (void)uv_timer_stop(&enquiries->turn);
    finish_close(enquiries);
}

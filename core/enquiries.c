#include "core/enquiries.h"

#include "core/codes.h"
#include "core/enquiry_answer.h"
#include "core/memory.h"
#include "core/registry/contact.h"
#include "core/security/contact_seal.h"
#include "core/store/record.h"
#include "core/task.h"
#include "core/watches.h"

#include <assert.h>
#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum {
    RESTING_MAX = 10000, /* enquiries that may wait; more are refused alike */
    BATCH = 256,         /* looked up at a time */
    TURN_MS = 200,       /* between two batches: answers never follow an enquiry's own time */
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
    struct gk_enquiry_answer *batch;
    uint8_t expired[GK_CODES_SWEPT][GK_TOKEN_SIZE]; /* codes to forget */
    size_t expired_count;
    uint8_t stale[GK_WATCHES_SWEPT][GK_WATCH_KEY_SIZE]; /* watches to forget */
    size_t stale_count;
    size_t batch_count;
    enum gk_status status; /* of this turn's look-ups */
    struct gk_error error;
    void (*on_closed)(void *context);
    void *on_closed_context;
};

struct taking {
    struct gk_commit commit;
    struct gk_enquiries *enquiries;
    uint8_t key[GK_ENQUIRY_KEY_SIZE];
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
    return gk_record_put(transaction, GK_FAMILY_ENQUIRIES,
                         (struct gk_bytes){taking->key, GK_ENQUIRY_KEY_SIZE},
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

/* What there is no room for is not asked by: GK_SHELF_SCHEMES_MAX schemes and a few index keys fit. */
static void add_token(guika_v1_internal_EnquiryRecord *record, const uint8_t token[GK_TOKEN_SIZE])
{
    const size_t room = sizeof record->card_tokens / sizeof record->card_tokens[0];

    if (record->card_tokens_count < room) {
        record->card_tokens[record->card_tokens_count].size = GK_TOKEN_SIZE;
        memcpy(record->card_tokens[record->card_tokens_count++].bytes, token, GK_TOKEN_SIZE);
    }
}

/* The number's tokens under the keys of issuers who hand no numbers over. How many there are follows from the
 * issuers' bindings, not from what is registered. */
static void add_own_tokens(const struct gk_enquiries *enquiries, const char *scheme, const char *canonical,
                           guika_v1_internal_EnquiryRecord *record)
{
    uint8_t tokens[GK_OWN_TOKENS_MAX][GK_TOKEN_SIZE];
    const size_t count =
        gk_registry_own_tokens(enquiries->parts.registry, scheme, canonical, tokens, GK_OWN_TOKENS_MAX);

    for (size_t i = 0; i < count; i++) {
        add_token(record, tokens[i]);
    }
}

/* The number's tokens under every scheme of the shelf and every index key, and under issuers' own keys;
 * UNAVAILABLE where the shelf is empty. */
static enum gk_status take_number(struct gk_enquiries *enquiries, const char *number,
                                  guika_v1_internal_EnquiryRecord *record, struct gk_error *error)
{
    char schemes[GK_SHELF_SCHEMES_MAX][32];
    const size_t count = gk_shelf_schemes(enquiries->parts.shelf, schemes);
    char canonical[65];

    if (count == 0) {
        return gk_error_set(error, GK_UNAVAILABLE, "the service has just started; try again in a moment");
    }
    canonicalise(number, canonical);
    for (size_t i = 0; i < count; i++) {
        const struct gk_card_tokens tokens =
            gk_keys_card_tokens(enquiries->parts.keys, schemes[i], canonical);

        record->bases = (uint32_t)tokens.count;
        for (size_t k = 0; k < tokens.count; k++) {
            add_token(record, tokens.tokens[k]);
        }
    }
    for (size_t i = 0; i < count; i++) {
        add_own_tokens(enquiries, schemes[i], canonical, record);
    }
    sodium_memzero(canonical, sizeof canonical);
    return GK_OK;
}

/* False where it is no contact. */
static bool take_contact(struct gk_enquiries *enquiries, const char *text,
                         guika_v1_internal_EnquiryRecord *record)
{
    struct gk_contact contact;
    char address[GK_ADDRESS_SIZE];

    if (!gk_contact_read(text, &contact)) {
        return false;
    }
    record->contact_token.size = GK_TOKEN_SIZE;
    gk_keys_contact_token(enquiries->parts.keys, contact.text, record->contact_token.bytes);
    if (record->kind != guika_v1_internal_EnquiryRecord_Kind_ENQUIRY_STATUS) {
        gk_contact_address(&contact, address);
        record->sealed_contact.size = (pb_size_t)gk_contact_seal(
            enquiries->parts.keys, record->contact_token.bytes, address, record->sealed_contact.bytes);
    }
    sodium_memzero(&contact, sizeof contact);
    sodium_memzero(address, sizeof address);
    return true;
}

/* A number may be a telephone's as well as a card's: it is asked by both. */
static enum gk_status fill(struct gk_enquiries *enquiries, const struct gk_enquiry *enquiry,
                           guika_v1_internal_EnquiryRecord *record, struct gk_error *error)
{
    record->kind = enquiry->kind;
    (void)snprintf(record->language, sizeof record->language, "%.15s", enquiry->language);
    (void)snprintf(record->box_id, sizeof record->box_id, "%.32s", enquiry->box_id);
    if (enquiry->contact != NULL) {
        return take_contact(enquiries, enquiry->contact, record)
                   ? GK_OK
                   : gk_error_set(error, GK_INVALID_ARGUMENT,
                                  "contact must be a telephone number or an e-mail address");
    }
    (void)take_contact(enquiries, enquiry->number, record);
    return take_number(enquiries, enquiry->number, record, error);
}

void gk_enquiries_take(struct gk_enquiries *enquiries, const struct gk_enquiry *enquiry,
                       void (*done)(void *context, enum gk_status status, const struct gk_error *error),
                       void *context)
{
    struct gk_error error;

    assert((enquiry->number == NULL) != (enquiry->contact == NULL));
    if (enquiries->resting >= RESTING_MAX) {
        done(context, gk_error_set(&error, GK_RESOURCE_EXHAUSTED, "too many enquiries wait; try again later"),
             &error);
        return;
    }
    struct taking *taking = gk_allocate(sizeof *taking);
    const enum gk_status status = fill(enquiries, enquiry, &taking->record, &error);

    if (status != GK_OK) {
        free(taking);
        done(context, status, &error);
        return;
    }
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
    struct gk_enquiry_answer *answer = &enquiries->batch[enquiries->batch_count];

    if (key.size != GK_ENQUIRY_KEY_SIZE ||
        gk_record_decode(value, guika_v1_internal_EnquiryRecord_fields, &answer->record, NULL) != GK_OK) {
        return true;
    }
    memcpy(answer->key, key.data, GK_ENQUIRY_KEY_SIZE);
    return ++enquiries->batch_count < BATCH;
}

/* Codes and watches that ran out go with the turns that make new ones. */
static enum gk_status find_expired(struct gk_enquiries *enquiries)
{
    const int64_t now_ms = gk_clock_now_ms(&enquiries->parts.clock);
    struct gk_store *store = enquiries->parts.store;

    enquiries->expired_count = enquiries->stale_count = 0;
    if (enquiries->batch_count == 0) {
        return GK_OK;
    }
    const enum gk_status status =
        gk_codes_expired(store, now_ms, enquiries->expired, &enquiries->expired_count, &enquiries->error);

    return status == GK_OK ? gk_watches_expired(store, now_ms, enquiries->stale, &enquiries->stale_count,
                                                &enquiries->error)
                           : status;
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
        enquiries->status = gk_enquiry_answer_find(
            enquiries->parts.store, enquiries->parts.registry, enquiries->parts.keys,
            gk_clock_now_ms(&enquiries->parts.clock), &enquiries->batch[i], &enquiries->error);
    }
    if (enquiries->status == GK_OK) {
        enquiries->status = find_expired(enquiries);
    }
}

static enum gk_status apply_turn(struct gk_commit *commit, struct gk_transaction *transaction,
                                 struct gk_error *error)
{
    const struct gk_enquiries *enquiries = gk_container_of(commit, struct gk_enquiries, commit);

    for (size_t i = 0; i < enquiries->batch_count; i++) {
        const enum gk_status status = gk_enquiry_answer_write(transaction, &enquiries->batch[i], error);

        if (status != GK_OK) {
            return status;
        }
    }
    for (size_t i = 0; i < enquiries->expired_count; i++) {
        gk_codes_forget(transaction, enquiries->expired[i]);
    }
    for (size_t i = 0; i < enquiries->stale_count; i++) {
        const enum gk_status status = gk_watches_forget(transaction, enquiries->stale[i], error);

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

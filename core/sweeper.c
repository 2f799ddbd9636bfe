#include "core/sweeper.h"

#include "core/found_card_custody.h"
#include "core/memory.h"
#include "core/store/record.h"
#include "core/task.h"

#include <string.h>

enum {
    TURN_MS = 1000,
    BATCH = 256,     /* cards a sweep takes */
    ROUNDS_MAX = 8,  /* things due for one card at once; what is left waits for the next sweep */
    OTHERS_MAX = 16, /* cases of one card that are looked at */
    ROW_SIZE = 8 + GK_CASE_ID_SIZE,
};

struct gk_sweeper {
    struct gk_sweeper_parts parts;
    uv_timer_t turn;
    struct gk_task task;
    bool busy;
    struct gk_swept swept;
    enum gk_status status;
    struct gk_error error;
    void (*on_closed)(void *context);
    void *on_closed_context;
};

/* Cases that a scan found. */
struct cases {
    uint64_t until_ms; /* of rows that begin with a time */
    size_t room;
    size_t count;
    bool more;
    uint8_t ids[BATCH][GK_CASE_ID_SIZE];
};

static bool collect_due(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct cases *cases = context;
    uint64_t due_ms = 0;

    (void)value;
    for (size_t i = 0; i < 8 && i < key.size; i++) {
        due_ms = due_ms << 8 | key.data[i];
    }
    if (key.size != ROW_SIZE || due_ms > cases->until_ms) {
        return key.size != ROW_SIZE;
    }
    if (cases->count == cases->room) {
        cases->more = true;
        return false;
    }
    memcpy(cases->ids[cases->count++], key.data + 8, GK_CASE_ID_SIZE);
    return true;
}

/* Keys end with the case id. */
static bool collect_case(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct cases *cases = context;

    (void)value;
    memcpy(cases->ids[cases->count++], key.data + key.size - GK_CASE_ID_SIZE, GK_CASE_ID_SIZE);
    return cases->count < cases->room;
}

/* --- one card --- */

struct ticking {
    const struct gk_sweeper_parts *parts;
    const uint8_t *case_id;
    const uint8_t *other; /* of which it is the same card found again */
    struct gk_tick tick;
};

static enum gk_status apply_tick(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct ticking *ticking = context;

    return gk_found_card_tick(transaction, ticking->parts->keys, ticking->parts->retention, ticking->case_id,
                              &ticking->tick, error);
}

static enum gk_status apply_supersede(void *context, struct gk_transaction *transaction,
                                      struct gk_error *error)
{
    const struct ticking *ticking = context;

    return gk_found_card_supersede(transaction, ticking->other, ticking->case_id, error);
}

/* A card that is in our keeping now: older cases of the same card may have to end. */
static enum gk_status look_for_others(const struct gk_sweeper_parts *parts, const uint8_t *case_id,
                                      struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    struct cases others = {.room = OTHERS_MAX};
    enum gk_status status =
        gk_record_read(parts->store, GK_FAMILY_FOUND_CARDS, (struct gk_bytes){case_id, GK_CASE_ID_SIZE},
                       guika_v1_internal_FoundCard_fields, &card, error);
    const struct gk_bytes token = {card.card_token.bytes, card.card_token.size};

    if (status != GK_OK || token.size == 0 || card.stored_at_ms == 0 || gk_found_card_is_closed(&card) ||
        card.place.uncertain) {
        return status;
    }
    status = gk_store_scan(parts->store, GK_FAMILY_FOUND_BY_CARD, token, (struct gk_bytes){NULL, 0}, false,
                           collect_case, &others, error);
    for (size_t i = 0; i < others.count && status == GK_OK; i++) {
        struct ticking ticking = {parts, case_id, others.ids[i], {0}};

        if (memcmp(others.ids[i], case_id, GK_CASE_ID_SIZE) != 0) {
            status = gk_store_commit_and_wait(parts->store, apply_supersede, &ticking, error);
        }
    }
    return status;
}

static void tick_card(const struct gk_sweeper_parts *parts, const uint8_t *case_id, struct gk_swept *swept,
                      enum gk_status *status, struct gk_error *error)
{
    struct ticking ticking = {parts, case_id, NULL, {.again = true}};
    enum gk_status ticked = GK_OK;

    for (unsigned i = 0; i < ROUNDS_MAX && ticking.tick.again && ticked == GK_OK; i++) {
        ticked = gk_store_commit_and_wait(parts->store, apply_tick, &ticking, error);
        swept->ticks += ticked == GK_OK;
        swept->lapsed += ticked == GK_OK && ticking.tick.opening_lapsed;
        swept->notice = swept->notice || (ticked == GK_OK && ticking.tick.notice);
    }
    swept->more = swept->more || (ticked == GK_OK && ticking.tick.again);
    if (ticked != GK_OK) {
        *status = ticked;
    }
}

/* --- all that are due --- */

struct setting {
    const struct gk_sweeper_parts *parts;
    const struct cases *due;
    bool set[BATCH];
};

/* What cannot be read is passed over here; its tick will say so. */
static enum gk_status apply_set_clocks(void *context, struct gk_transaction *transaction,
                                       struct gk_error *error)
{
    struct setting *setting = context;

    for (size_t i = 0; i < setting->due->count; i++) {
        (void)gk_found_card_set_clocks(transaction, setting->parts->retention, setting->due->ids[i],
                                       &setting->set[i], error);
    }
    return GK_OK;
}

enum gk_status gk_sweep(const struct gk_sweeper_parts *parts, struct gk_swept *ret_swept,
                        struct gk_error *error)
{
    const struct gk_bytes all = {NULL, 0};
    struct cases due = {.until_ms = (uint64_t)gk_clock_now_ms(&parts->clock), .room = BATCH};
    struct setting setting = {parts, &due, {false}};
    enum gk_status status =
        gk_store_scan(parts->store, GK_FAMILY_CLOCKS, all, all, false, collect_due, &due, error);

    *ret_swept = (struct gk_swept){.more = due.more};
    if (status != GK_OK || due.count == 0) {
        return status;
    }
    status = gk_store_commit_and_wait(parts->store, apply_set_clocks, &setting, error);
    for (size_t i = 0; i < due.count && status == GK_OK; i++) {
        if (setting.set[i]) {
            status = look_for_others(parts, due.ids[i], error);
        }
    }
    /* One card that cannot be read does not stop the clocks of the others. */
    for (size_t i = 0; i < due.count; i++) {
        tick_card(parts, due.ids[i], ret_swept, &status, error);
    }
    return status;
}

/* --- on the loop --- */

static void on_turn_closed(uv_handle_t *handle)
{
    struct gk_sweeper *sweeper = handle->data;
    void (*on_closed)(void *context) = sweeper->on_closed;
    void *context = sweeper->on_closed_context;

    free(sweeper);
    on_closed(context);
}

static void finish_close(struct gk_sweeper *sweeper)
{
    if (sweeper->on_closed != NULL && !sweeper->busy) {
        uv_close((uv_handle_t *)&sweeper->turn, on_turn_closed);
    }
}

/* [worker] */
static void run_turn(struct gk_task *task)
{
    struct gk_sweeper *sweeper = gk_container_of(task, struct gk_sweeper, task);

    sweeper->status = gk_sweep(&sweeper->parts, &sweeper->swept, &sweeper->error);
}

static void on_turn(uv_timer_t *timer);

static void on_swept(struct gk_task *task)
{
    struct gk_sweeper *sweeper = gk_container_of(task, struct gk_sweeper, task);
    const struct gk_sweeper_parts *parts = &sweeper->parts;
    char number[24];

    sweeper->busy = false;
    if (sweeper->status != GK_OK) {
        gk_log(parts->log, GK_LOG_ERROR, "sweep_failed", {"why", sweeper->error.message});
    }
    if (sweeper->swept.lapsed > 0) {
        gk_log(parts->log, GK_LOG_WARNING, "openings_lapsed",
               {"count", gk_log_number((int64_t)sweeper->swept.lapsed, number)});
    }
    if (sweeper->swept.notice) {
        parts->on_notice_due(parts->on_notice_due_context);
    }
    if (sweeper->status == GK_OK && sweeper->swept.more && sweeper->on_closed == NULL) {
        on_turn(&sweeper->turn);
    }
    finish_close(sweeper);
}

static void on_turn(uv_timer_t *timer)
{
    struct gk_sweeper *sweeper = timer->data;

    if (sweeper->busy) {
        return;
    }
    sweeper->busy = true;
    sweeper->swept = (struct gk_swept){0};
    sweeper->task.run = run_turn;
    sweeper->task.done = on_swept;
    gk_task_start(sweeper->parts.loop, &sweeper->task);
}

struct gk_sweeper *gk_sweeper_open(const struct gk_sweeper_parts *parts)
{
    struct gk_sweeper *sweeper = gk_allocate(sizeof *sweeper);

    sweeper->parts = *parts;
    if (parts->turn_ms == 0) {
        sweeper->parts.turn_ms = TURN_MS;
    }
    (void)uv_timer_init(parts->loop, &sweeper->turn);
    sweeper->turn.data = sweeper;
    (void)uv_timer_start(&sweeper->turn, on_turn, sweeper->parts.turn_ms, sweeper->parts.turn_ms);
    return sweeper;
}

void gk_sweeper_close(struct gk_sweeper *sweeper, void (*on_closed)(void *context), void *context)
{
    sweeper->on_closed = on_closed;
    sweeper->on_closed_context = context;
    (void)uv_timer_stop(&sweeper->turn);
    finish_close(sweeper);
}

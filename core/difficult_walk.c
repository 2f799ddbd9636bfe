/* The walk through the queue of difficult cards, one card at a time, and the mark by which a start goes on
 * with one. */
#include "core/difficult_internal.h"

#include <string.h>

static void next(struct gk_difficult *difficult);

/* --- the mark: the card that was done last, or nothing where none is --- */

static const struct gk_bytes mark_key = {(const uint8_t *)"difficult_walk", sizeof "difficult_walk" - 1};

/* How a step changes the mark. */
struct marking {
    struct gk_bytes at;
    bool erase;
};

static enum gk_status apply_mark(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct marking *marking = context;

    (void)error;
    if (marking->erase) {
        gk_transaction_delete(transaction, GK_FAMILY_META, mark_key);
    } else {
        gk_transaction_put(transaction, GK_FAMILY_META, mark_key, marking->at);
    }
    return GK_OK;
}

/* Without a mark the walk is begun anew, which costs time alone: a failure is no reason to stop. [worker] */
static void leave_mark(const struct gk_difficult *difficult, struct gk_bytes at, bool erase)
{
    struct marking marking = {at, erase};

    (void)gk_store_commit_and_wait(difficult->parts.store, apply_mark, &marking, NULL);
}

/* Where the walk that has a mark goes on. [worker] */
static void read_mark(struct gk_difficult *difficult)
{
    struct gk_value mark = {0};

    difficult->has_mark =
        gk_store_get(difficult->parts.store, GK_FAMILY_META, mark_key, &mark, NULL) == GK_OK;
    difficult->has_at = mark.size == GK_QUEUE_KEY_SIZE;
    if (difficult->has_at) {
        memcpy(difficult->at, mark.data, GK_QUEUE_KEY_SIZE);
    }
    gk_value_free(&mark);
}

/* --- the walk --- */

static bool take_key(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct gk_difficult *difficult = context;

    (void)value;
    if (key.size != GK_QUEUE_KEY_SIZE ||
        (difficult->has_at && memcmp(key.data, difficult->at, GK_QUEUE_KEY_SIZE) == 0)) {
        return true;
    }
    memcpy(difficult->at, key.data, GK_QUEUE_KEY_SIZE);
    difficult->has_next = true;
    return false;
}

/* The step in hand is one of the walk that has the mark. */
static bool ends_walk(const struct gk_difficult *difficult)
{
    return difficult->mark == GK_MARK_BEGIN || difficult->mark == GK_MARK_AT ||
           (difficult->resumes && difficult->has_mark);
}

/* [worker] */
static void run_next(struct gk_task *task)
{
    struct gk_difficult *difficult = gk_container_of(task, struct gk_difficult, next_task);
    uint8_t done[GK_QUEUE_KEY_SIZE];
    struct gk_bytes start = {done, 0};

    if (difficult->resumes) {
        read_mark(difficult);
    }
    if (difficult->has_at) {
        memcpy(done, difficult->at, sizeof done);
        start.size = sizeof done;
    }
    if (difficult->mark != GK_MARK_KEEP) {
        leave_mark(difficult, difficult->mark == GK_MARK_AT ? start : (struct gk_bytes){NULL, 0}, false);
    }
    difficult->has_next = false;
    const enum gk_status status =
        gk_store_scan(difficult->parts.store, GK_FAMILY_DIFFICULT, (struct gk_bytes){NULL, 0}, start, false,
                      take_key, difficult, NULL);

    difficult->has_next = difficult->has_next && status == GK_OK;
    difficult->has_at = difficult->has_next;
    if (!difficult->has_next && status == GK_OK && ends_walk(difficult)) {
        leave_mark(difficult, start, true);
    }
}

/* A card that cannot be tried again waits for a person. One that no reader could be had for (too much waits,
 * or the service ends) is not passed: the mark stays before it. */
static void on_walked(void *context, const struct gk_difficult_result *result)
{
    struct gk_difficult *difficult = context;

    if (result->status == GK_UNAVAILABLE && difficult->walk == GK_WALK_ALL) {
        difficult->halted = true;
        difficult->walk = GK_WALK_NONE;
        difficult->wanted = GK_WALK_NONE;
        difficult->has_at = false;
        return;
    }
    next(difficult);
}

static void want(struct gk_difficult *difficult, enum gk_walk walk)
{
    difficult->wanted = difficult->wanted > walk ? difficult->wanted : walk;
}

static void on_next(struct gk_task *task)
{
    struct gk_difficult *difficult = gk_container_of(task, struct gk_difficult, next_task);

    if (difficult->resumes && difficult->has_mark) {
        difficult->walk = GK_WALK_ALL;
        want(difficult, GK_WALK_TOKENS); /* of the cards that it has passed */
    }
    difficult->resumes = false;
    if (!difficult->has_next || difficult->on_closed != NULL) {
        difficult->walk = difficult->on_closed != NULL ? GK_WALK_NONE : difficult->wanted;
        difficult->wanted = GK_WALK_NONE;
        difficult->has_at = false;
        if (difficult->walk != GK_WALK_NONE) {
            next(difficult);
        }
    } else {
        gk_difficult_try(difficult, difficult->at + 8, difficult->walk == GK_WALK_TOKENS, on_walked,
                         difficult);
    }
    gk_difficult_leave(difficult);
}

static void next(struct gk_difficult *difficult)
{
    difficult->in_hand++;
    if (difficult->wanted == GK_WALK_ALL) {
        difficult->mark = GK_MARK_WANTED; /* whatever this walk has done yet, the next does it again */
    } else if (difficult->walk == GK_WALK_ALL) {
        difficult->mark = difficult->has_at ? GK_MARK_AT : GK_MARK_BEGIN;
    } else {
        difficult->mark = GK_MARK_KEEP;
    }
    difficult->next_task.run = run_next;
    difficult->next_task.done = on_next;
    gk_task_start(difficult->parts.loop, &difficult->next_task);
}

/* A walk that runs has passed some cards already: what is asked for meanwhile is another one, after it. */
static void start_walk(struct gk_difficult *difficult, enum gk_walk walk)
{
    if (difficult->on_closed != NULL) {
        return;
    }
    if (difficult->walk != GK_WALK_NONE) {
        want(difficult, walk);
        return;
    }
    if (difficult->halted && walk == GK_WALK_TOKENS) {
        gk_difficult_resume(difficult);
        return;
    }
    difficult->walk = walk;
    next(difficult);
}

void gk_difficult_resume(struct gk_difficult *difficult)
{
    if (difficult->on_closed != NULL || difficult->walk != GK_WALK_NONE) {
        want(difficult, GK_WALK_TOKENS); /* the walk that runs has the mark */
        return;
    }
    difficult->halted = false;
    difficult->resumes = true;
    difficult->walk = GK_WALK_TOKENS; /* unless there is a mark */
    next(difficult);
}

void gk_difficult_rematch(struct gk_difficult *difficult)
{
    start_walk(difficult, GK_WALK_TOKENS);
}

void gk_difficult_retry_all(struct gk_difficult *difficult)
{
    start_walk(difficult, GK_WALK_ALL);
}

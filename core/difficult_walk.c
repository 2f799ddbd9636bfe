/* The walk through the queue of difficult cards, one card at a time. */
#include "core/difficult_internal.h"

#include <string.h>

static void next(struct gk_difficult *difficult);

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

/* [worker] */
static void run_next(struct gk_task *task)
{
    struct gk_difficult *difficult = gk_container_of(task, struct gk_difficult, next_task);
    const struct gk_bytes start = {difficult->at, difficult->has_at ? GK_QUEUE_KEY_SIZE : 0};

    difficult->has_next = false;
    if (gk_store_scan(difficult->parts.store, GK_FAMILY_DIFFICULT, (struct gk_bytes){NULL, 0}, start, false,
                      take_key, difficult, NULL) != GK_OK) {
        difficult->has_next = false;
    }
    difficult->has_at = difficult->has_next;
}

static void on_walked(void *context, const struct gk_difficult_result *result)
{
    (void)result; /* a card that cannot be tried again waits for a person */
    next(context);
}

static void on_next(struct gk_task *task)
{
    struct gk_difficult *difficult = gk_container_of(task, struct gk_difficult, next_task);

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
        difficult->wanted = difficult->wanted > walk ? difficult->wanted : walk;
        return;
    }
    difficult->walk = walk;
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

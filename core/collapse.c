#include "core/collapse.h"

#include "core/found_card.h"
#include "core/memory.h"
#include "core/store/record.h"
#include "core/task.h"
#include "core/watches.h"

#include <stdlib.h>
#include <string.h>

/* --- what is to be looked up --- */

/* A record under an older token. */
struct item {
    uint8_t token[GK_TOKEN_SIZE];
    uint8_t key[GK_WATCH_KEY_SIZE]; /* of the found card or the watch; nothing of claims */
};

struct items {
    const struct gk_keys *keys;
    struct item *items;
    size_t count;
};

static void add(struct items *items, const uint8_t token[GK_TOKEN_SIZE], struct gk_bytes key)
{
    if ((items->count & (items->count + 1)) == 0) { /* 0, 1, 3, 7, ...: full */
        items->items = reallocarray(items->items, 2 * items->count + 1, sizeof *items->items);
        if (items->items == NULL) {
            abort();
        }
    }
    struct item *item = &items->items[items->count++];

    memcpy(item->token, token, GK_TOKEN_SIZE);
    if (key.size <= sizeof item->key && key.size > 0) {
        memcpy(item->key, key.data, key.size);
    }
}

/* What does not decode is not ours to mend here. */
static bool take_card(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct items *items = context;
    guika_v1_internal_FoundCard card = {0};

    if (gk_record_decode(value, guika_v1_internal_FoundCard_fields, &card, NULL) == GK_OK && !card.own_key &&
        card.card_token.size == GK_TOKEN_SIZE && card.base_epoch < gk_keys_epoch(items->keys)) {
        add(items, card.card_token.bytes, key);
    }
    return true;
}

static bool take_claims(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct items *items = context;
    guika_v1_internal_ClaimRecord claims = guika_v1_internal_ClaimRecord_init_zero;

    if (key.size == GK_TOKEN_SIZE &&
        gk_record_decode(value, guika_v1_internal_ClaimRecord_fields, &claims, NULL) == GK_OK &&
        claims.base_epoch < gk_keys_epoch(items->keys)) {
        add(items, key.data, (struct gk_bytes){NULL, 0});
    }
    return true;
}

static bool take_watch(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct items *items = context;
    guika_v1_internal_WatchRecord watch = guika_v1_internal_WatchRecord_init_zero;

    if (gk_record_decode(value, guika_v1_internal_WatchRecord_fields, &watch, NULL) != GK_OK ||
        watch.state != guika_v1_internal_WatchRecord_State_WATCH_WAITING) {
        return true;
    }
    for (pb_size_t i = 0; i < watch.card_tokens_count; i++) {
        if (gk_watches_base(&watch, i) < gk_keys_epoch(items->keys)) {
            add(items, watch.card_tokens[i], key);
        }
    }
    return true;
}

/* --- one number --- */

struct renewal {
    enum gk_family family;
    const struct item *item;
    uint8_t new_token[GK_TOKEN_SIZE];
    uint32_t base;
};

static enum gk_status apply(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct renewal *renewal = context;
    const struct item *item = renewal->item;
    const enum gk_status status =
        gk_watches_renew(transaction, item->token, renewal->new_token, renewal->base, error);

    if (status != GK_OK) {
        return status;
    }
    switch (renewal->family) {
    case GK_FAMILY_FOUND_CARDS:
        return gk_found_card_renew_token(transaction, item->key, item->token, renewal->new_token,
                                         renewal->base, error);
    case GK_FAMILY_WATCHES:
        return gk_watches_renew_one(transaction, item->key, item->token, renewal->new_token, renewal->base,
                                    error);
    default:
        return GK_OK;
    }
}

static enum gk_status apply_drop(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct item *item = context;

    return gk_watches_drop_idle(transaction, item->token, error);
}

static enum gk_status renew(const struct gk_collapse_parts *parts, enum gk_family family, struct item *item,
                            size_t *ret_count, struct gk_error *error)
{
    struct renewal renewal = {.family = family, .item = item};
    enum gk_status status =
        gk_registry_newer_token(parts->registry, item->token, renewal.new_token, &renewal.base, error);

    if (status == GK_NOT_FOUND) { /* no list has it, or it is not to be renewed yet */
        return family == GK_FAMILY_CLAIMS ? gk_store_commit_and_wait(parts->store, apply_drop, item, error)
                                          : GK_OK;
    }
    if (status != GK_OK) {
        return status;
    }
    status = gk_store_commit_and_wait(parts->store, apply, &renewal, error);
    *ret_count += status == GK_OK;
    return status;
}

static const struct {
    enum gk_family family;
    bool (*take)(void *context, struct gk_bytes key, struct gk_bytes value);
} rounds[] = {
    {GK_FAMILY_FOUND_CARDS, take_card}, {GK_FAMILY_CLAIMS, take_claims}, {GK_FAMILY_WATCHES, take_watch}};

enum gk_status gk_collapse_run(const struct gk_collapse_parts *parts, size_t *ret_count,
                               struct gk_error *error)
{
    const struct gk_bytes all = {NULL, 0};
    enum gk_status status = GK_OK;

    *ret_count = 0;
    if (gk_keys_lowest(parts->keys) == gk_keys_epoch(parts->keys)) {
        return GK_OK;
    }
    for (size_t i = 0; status == GK_OK && i < sizeof rounds / sizeof rounds[0]; i++) {
        struct items items = {.keys = parts->keys};

        status =
            gk_store_scan(parts->store, rounds[i].family, all, all, false, rounds[i].take, &items, error);
        for (size_t k = 0; status == GK_OK && k < items.count; k++) {
            status = renew(parts, rounds[i].family, &items.items[k], ret_count, error);
        }
        free(items.items);
    }
    return status;
}

/* --- in the background --- */

struct gk_collapse {
    struct gk_collapse_parts parts;
    struct gk_task task;
    bool running;
    bool again;
    size_t count;
    enum gk_status status;
    struct gk_error error;
    void (*on_closed)(void *context);
    void *on_closed_context;
};

/* [worker] */
static void run_pass(struct gk_task *task)
{
    struct gk_collapse *collapse = gk_container_of(task, struct gk_collapse, task);

    collapse->status = gk_collapse_run(&collapse->parts, &collapse->count, &collapse->error);
}

static void free_closed(struct gk_collapse *collapse)
{
    void (*on_closed)(void *context) = collapse->on_closed;
    void *context = collapse->on_closed_context;

    free(collapse);
    on_closed(context);
}

static void on_passed(struct gk_task *task)
{
    struct gk_collapse *collapse = gk_container_of(task, struct gk_collapse, task);
    char number[24];

    collapse->running = false;
    if (collapse->status != GK_OK) {
        /* The next pass finds what is left. */
        gk_log(collapse->parts.log, GK_LOG_ERROR, "older_tokens_left", {"why", collapse->error.message});
    } else if (collapse->count > 0) {
        gk_log(collapse->parts.log, GK_LOG_INFO, "tokens_renewed",
               {"count", gk_log_number((int64_t)collapse->count, number)});
    }
    if (collapse->on_closed != NULL) {
        free_closed(collapse);
    } else if (collapse->again) {
        gk_collapse_poke(collapse);
    }
}

void gk_collapse_poke(struct gk_collapse *collapse)
{
    collapse->again = collapse->running;
    if (collapse->running) {
        return;
    }
    collapse->running = true;
    collapse->task.run = run_pass;
    collapse->task.done = on_passed;
    gk_task_start(collapse->parts.loop, &collapse->task);
}

struct gk_collapse *gk_collapse_open(const struct gk_collapse_parts *parts)
{
    struct gk_collapse *collapse = gk_allocate(sizeof *collapse);

    collapse->parts = *parts;
    gk_collapse_poke(collapse);
    return collapse;
}

void gk_collapse_close(struct gk_collapse *collapse, void (*on_closed)(void *context), void *context)
{
    collapse->on_closed = on_closed;
    collapse->on_closed_context = context;
    if (!collapse->running) {
        free_closed(collapse);
    }
}

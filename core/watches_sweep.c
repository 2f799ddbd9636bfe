/* When a watch is forgotten: after half a year, or with the card that it was matched with. */
#include "core/found_card.h"
#include "core/store/record.h"
#include "core/store/sweep.h"
#include "core/watches.h"

#include <string.h>

struct sweep {
    struct gk_store *store;
    int64_t now_ms;
    uint8_t (*keys)[GK_WATCH_KEY_SIZE];
    size_t count;
    size_t seen;
};

/* The case forgot its card and holder, or is gone. */
static bool is_erased(struct gk_store *store, const guika_v1_internal_WatchRecord *watch)
{
    guika_v1_internal_FoundCard card = {0};
    const enum gk_status status =
        gk_record_read(store, GK_FAMILY_FOUND_CARDS, (struct gk_bytes){watch->case_id.bytes, GK_CASE_ID_SIZE},
                       guika_v1_internal_FoundCard_fields, &card, NULL);

    return status == GK_NOT_FOUND || (status == GK_OK && card.holder_token.size == 0);
}

static bool visit(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct sweep *sweep = context;
    guika_v1_internal_WatchRecord watch = guika_v1_internal_WatchRecord_init_zero;

    if (key.size == GK_WATCH_KEY_SIZE &&
        gk_record_decode(value, guika_v1_internal_WatchRecord_fields, &watch, NULL) == GK_OK &&
        (watch.state == guika_v1_internal_WatchRecord_State_WATCH_MATCHED
             ? is_erased(sweep->store, &watch)
             : sweep->now_ms - watch.filed_at_ms >= GK_WATCH_LIFE_MS)) {
        memcpy(sweep->keys[sweep->count++], key.data, GK_WATCH_KEY_SIZE);
    }
    return ++sweep->seen < GK_WATCHES_SWEPT;
}

enum gk_status gk_watches_expired(struct gk_store *store, int64_t now_ms,
                                  uint8_t ret_keys[GK_WATCHES_SWEPT][GK_WATCH_KEY_SIZE], size_t *ret_count,
                                  struct gk_error *error)
{
    struct sweep sweep = {.store = store, .now_ms = now_ms, .keys = ret_keys};
    const enum gk_status status = gk_store_sweep(store, GK_FAMILY_WATCHES, visit, &sweep, error);

    *ret_count = sweep.count;
    return status;
}

enum gk_status gk_watches_forget(struct gk_transaction *transaction, const uint8_t key[GK_WATCH_KEY_SIZE],
                                 struct gk_error *error)
{
    const enum gk_status status = gk_watches_end(transaction, key, key + GK_TOKEN_SIZE, error);

    if (status == GK_NOT_FOUND) { /* matched, or gone meanwhile */
        gk_transaction_delete(transaction, GK_FAMILY_WATCHES, (struct gk_bytes){key, GK_WATCH_KEY_SIZE});
        return GK_OK;
    }
    return status;
}

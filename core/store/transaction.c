#include "core/store/transaction.h"

#include "core/store/counters.h"

#include <assert.h>
#include <stdlib.h>

enum gk_status gk_transaction_get(struct gk_transaction *transaction, enum gk_family family,
                                  struct gk_bytes key, struct gk_value *ret_value, struct gk_error *error)
{
    const struct gk_overlay_view view = gk_overlay_look(transaction->overlay, family, key);
    struct gk_value base = {0};
    enum gk_status status = GK_NOT_FOUND;

    if (view.base == GK_VIEW_VALUE) {
        base = gk_value_copy(view.value);
        status = GK_OK;
    } else if (view.base == GK_VIEW_UNTOUCHED) {
        status = gk_engine_get(transaction->engine, family, key, false, &base, error);
    }
    if (view.added && (status == GK_OK || status == GK_NOT_FOUND)) {
        uint8_t sum[8];

        gk_sum_encode(gk_sum_decode((struct gk_bytes){.data = base.data, .size = base.size}) + view.amount,
                      sum);
        gk_value_free(&base);
        base = gk_value_copy((struct gk_bytes){.data = sum, .size = sizeof sum});
        status = GK_OK;
    }
    if (status == GK_OK) {
        *ret_value = base;
    }
    return status;
}

void gk_transaction_put(struct gk_transaction *transaction, enum gk_family family, struct gk_bytes key,
                        struct gk_bytes value)
{
    gk_overlay_put(transaction->overlay, family, key, value);
}

void gk_transaction_delete(struct gk_transaction *transaction, enum gk_family family, struct gk_bytes key)
{
    gk_overlay_delete(transaction->overlay, family, key);
}

void gk_transaction_add(struct gk_transaction *transaction, enum gk_family family, struct gk_bytes key,
                        uint64_t amount)
{
    assert(family == GK_FAMILY_DENSITY || family == GK_FAMILY_COUNTERS);
    gk_overlay_add(transaction->overlay, family, key, amount, transaction->mark);
}

void gk_transaction_delete_range(struct gk_transaction *transaction, enum gk_family family,
                                 struct gk_bytes from, struct gk_bytes to)
{
    gk_overlay_delete_range(transaction->overlay, family, from, to);
}

void gk_transaction_audit(struct gk_transaction *transaction, const char *actor, const char *action,
                          struct gk_bytes subject, const char *detail)
{
    assert(!transaction->audited);
    transaction->audited = true;
    gk_audit_append(transaction->overlay, &transaction->head, transaction->now_ms, actor, action, subject,
                    detail);
}

static void count_one(struct gk_transaction *transaction, const char *box_id, const char *name)
{
    uint8_t key[GK_COUNTER_KEY_SIZE];
    const size_t size = gk_counter_key(transaction->now_ms, box_id, name, key);

    gk_transaction_add(transaction, GK_FAMILY_COUNTERS, (struct gk_bytes){.data = key, .size = size}, 1);
}

void gk_transaction_count(struct gk_transaction *transaction, const char *box_id, const char *name)
{
    count_one(transaction, "", name);
    if (box_id[0] != '\0') {
        count_one(transaction, box_id, name);
    }
}

int64_t gk_transaction_now_ms(const struct gk_transaction *transaction)
{
    return transaction->now_ms;
}

#include "core/retirement.h"

#include "core/key_census.h"

#include <stdio.h>

static const struct gk_bytes note_key = {(const uint8_t *)"key_retire", sizeof "key_retire" - 1};
static const struct gk_bytes floor_key = {(const uint8_t *)"key_floor", sizeof "key_floor" - 1};

static void put_epoch(struct gk_transaction *transaction, struct gk_bytes key, uint32_t epoch)
{
    const uint8_t value[4] = {(uint8_t)(epoch >> 24), (uint8_t)(epoch >> 16), (uint8_t)(epoch >> 8),
                              (uint8_t)epoch};

    gk_transaction_put(transaction, GK_FAMILY_META, key, (struct gk_bytes){value, sizeof value});
}

/* `absent` where there is none. */
static enum gk_status read_epoch(struct gk_store *store, struct gk_bytes key, uint32_t absent,
                                 uint32_t *ret_epoch, struct gk_error *error)
{
    struct gk_value value = {0};
    enum gk_status status = gk_store_get(store, GK_FAMILY_META, key, &value, error);

    if (status == GK_NOT_FOUND) {
        *ret_epoch = absent;
        return GK_OK;
    }
    if (status == GK_OK && value.size != 4) {
        status = gk_error_set(error, GK_DATA_LOSS, "the store's record of retired keys is damaged");
    }
    if (status == GK_OK) {
        *ret_epoch = (uint32_t)value.data[0] << 24 | (uint32_t)value.data[1] << 16 |
                     (uint32_t)value.data[2] << 8 | (uint32_t)value.data[3];
    }
    gk_value_free(&value);
    return status;
}

void gk_retirement_note(struct gk_transaction *transaction, uint32_t lowest)
{
    put_epoch(transaction, note_key, lowest);
}

enum gk_status gk_retirement_floor(struct gk_store *store, uint32_t *ret_floor, struct gk_error *error)
{
    return read_epoch(store, floor_key, 1, ret_floor, error);
}

struct ending {
    uint32_t before;
    uint32_t lowest;
    bool all; /* only the newest key is left */
};

static enum gk_status apply_floor(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct ending *ending = context;

    (void)error;
    put_epoch(transaction, floor_key, ending->lowest);
    return GK_OK;
}

static enum gk_status apply_end(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    static const uint8_t last[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    const struct ending *ending = context;
    char detail[48];

    (void)error;
    gk_transaction_delete(transaction, GK_FAMILY_META, note_key);
    if (ending->lowest == ending->before) {
        (void)snprintf(detail, sizeof detail, "epoch %u is needed after all", (unsigned)ending->before);
    } else {
        (void)snprintf(detail, sizeof detail, "epochs below %u", (unsigned)ending->lowest);
    }
    if (ending->all) { /* nobody can have an older token */
        gk_transaction_delete_range(transaction, GK_FAMILY_OLDER_CARDS, (struct gk_bytes){NULL, 0},
                                    (struct gk_bytes){last, sizeof last});
    }
    gk_transaction_audit(transaction, "core", "keys.retire", (struct gk_bytes){NULL, 0}, detail);
    return GK_OK;
}

/* `noted`: the epoch below which an operator wants the keys gone. */
static enum gk_status retire(struct gk_store *store, struct gk_keys *keys, const char *keys_directory,
                             uint32_t noted, struct gk_error *error)
{
    struct gk_key_census census;
    struct ending ending = {.before = gk_keys_lowest(keys)};
    enum gk_status status = gk_key_census_take(store, &census, error);

    if (status != GK_OK) {
        return status;
    }
    ending.lowest = gk_key_census_lowest(&census, gk_keys_epoch(keys));
    if (noted < ending.lowest) {
        ending.lowest = noted;
    }
    if (ending.lowest < ending.before) {
        ending.lowest = ending.before;
    }
    ending.all = ending.lowest == gk_keys_epoch(keys);
    if (ending.lowest > ending.before) {
        status = gk_store_commit_and_wait(store, apply_floor, &ending, error);
    }
    if (status == GK_OK) {
        status = gk_keys_retire(keys_directory, keys, ending.lowest, error);
    }
    return status == GK_OK ? gk_store_commit_and_wait(store, apply_end, &ending, error) : status;
}

enum gk_status gk_retirement_settle(struct gk_store *store, struct gk_keys *keys, const char *keys_directory,
                                    struct gk_error *error)
{
    uint32_t needed = 1;
    uint32_t noted = 0;
    enum gk_status status = gk_retirement_floor(store, &needed, error);

    if (status == GK_OK) {
        status = read_epoch(store, note_key, 0, &noted, error);
    }
    if (status == GK_OK && gk_keys_lowest(keys) > needed) {
        status =
            gk_error_set(error, GK_FAILED_PRECONDITION,
                         "the data are from before index keys were retired, and need those of epoch %u and "
                         "later, but %s has them from epoch %u on: put the files back from a backup of the "
                         "keys",
                         (unsigned)needed, keys_directory, (unsigned)gk_keys_lowest(keys));
    }
    return status == GK_OK && noted != 0 ? retire(store, keys, keys_directory, noted, error) : status;
}

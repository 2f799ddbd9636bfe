#include "core/registry/generation.h"

#include <stdlib.h>
#include <string.h>

static const char COUNTER_KEY[] = "registry.generation";
static const enum gk_family FAMILIES[] = {GK_FAMILY_CARDS, GK_FAMILY_HOLDERS, GK_FAMILY_DENSITY,
                                          GK_FAMILY_CONTACTS, GK_FAMILY_OLDER_CARDS};

enum { FAMILY_COUNT = sizeof FAMILIES / sizeof FAMILIES[0] };

void gk_generation_write(uint64_t generation, uint8_t ret_bytes[GK_GENERATION_SIZE])
{
    for (int i = GK_GENERATION_SIZE - 1; i >= 0; i--) {
        ret_bytes[i] = (uint8_t)generation;
        generation >>= 8;
    }
}

static uint64_t read_generation(const uint8_t bytes[GK_GENERATION_SIZE])
{
    uint64_t generation = 0;

    for (int i = 0; i < GK_GENERATION_SIZE; i++) {
        generation = generation << 8 | bytes[i];
    }
    return generation;
}

void gk_generation_key(uint64_t generation, const uint8_t token[GK_TOKEN_SIZE],
                       uint8_t ret_key[GK_GENERATION_KEY_SIZE])
{
    gk_generation_write(generation, ret_key);
    memcpy(ret_key + GK_GENERATION_SIZE, token, GK_TOKEN_SIZE);
}

enum gk_status gk_generation_next(struct gk_transaction *transaction, uint64_t *ret_generation,
                                  struct gk_error *error)
{
    const struct gk_bytes key = {(const uint8_t *)COUNTER_KEY, sizeof COUNTER_KEY - 1};
    uint8_t bytes[GK_GENERATION_SIZE];
    struct gk_value value;
    uint64_t last = 0;
    const enum gk_status status = gk_transaction_get(transaction, GK_FAMILY_META, key, &value, error);

    if (status != GK_OK && status != GK_NOT_FOUND) {
        return status;
    }
    if (status == GK_OK) {
        const bool whole = value.size == GK_GENERATION_SIZE;

        last = whole ? read_generation(value.data) : 0;
        gk_value_free(&value);
        if (!whole) {
            return gk_error_set(error, GK_DATA_LOSS, "the counter of list generations is damaged");
        }
    }
    gk_generation_write(last + 1, bytes);
    gk_transaction_put(transaction, GK_FAMILY_META, key, (struct gk_bytes){bytes, sizeof bytes});
    *ret_generation = last + 1;
    return GK_OK;
}

void gk_generation_delete(struct gk_transaction *transaction, uint64_t generation)
{
    uint8_t from[GK_GENERATION_SIZE];
    uint8_t to[GK_GENERATION_SIZE];

    gk_generation_write(generation, from);
    gk_generation_write(generation + 1, to);
    for (size_t i = 0; i < FAMILY_COUNT; i++) {
        gk_transaction_delete_range(transaction, FAMILIES[i], (struct gk_bytes){from, sizeof from},
                                    (struct gk_bytes){to, sizeof to});
    }
}

static enum gk_status apply_erase(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    (void)error;
    gk_generation_delete(transaction, *(const uint64_t *)context);
    return GK_OK;
}

enum gk_status gk_generation_erase(struct gk_store *store, uint64_t generation, struct gk_error *error)
{
    return gk_store_commit_and_wait(store, apply_erase, &generation, error);
}

static bool visit_first(void *context, struct gk_bytes key, struct gk_bytes value)
{
    uint64_t *generation = context;

    (void)value;
    *generation = key.size < GK_GENERATION_SIZE ? 0 : read_generation(key.data);
    return false;
}

static bool is_among(const uint64_t *named, size_t count, uint64_t generation)
{
    for (size_t i = 0; i < count; i++) {
        if (named[i] == generation) {
            return true;
        }
    }
    return false;
}

enum gk_status gk_generation_sweep(struct gk_store *store, const uint64_t *named, size_t count,
                                   struct gk_error *error)
{
    for (size_t i = 0; i < FAMILY_COUNT; i++) {
        uint64_t from = 1;

        /* One seek a generation: the first key at or above `from` says which is the next one there is. */
        for (;;) {
            uint8_t start[GK_GENERATION_SIZE];
            uint64_t generation = 0;

            gk_generation_write(from, start);
            enum gk_status status =
                gk_store_scan(store, FAMILIES[i], (struct gk_bytes){NULL, 0},
                              (struct gk_bytes){start, sizeof start}, false, visit_first, &generation, error);

            if (status == GK_OK && generation != 0 && !is_among(named, count, generation)) {
                status = gk_generation_erase(store, generation, error);
            }
            if (status != GK_OK) {
                return status;
            }
            if (generation == 0) {
                break;
            }
            from = generation + 1;
        }
    }
    return GK_OK;
}

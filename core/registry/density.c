#include "core/registry/density.h"

#include "core/registry/generation.h"

#include <stdlib.h>
#include <string.h>

/* Valid numbers in a block of each level. The core does not know the scheme's rules, so it takes the case
 * that makes a block fullest: digits alone, and one of them a check digit (10^cut / 10). */
static const double VALID_NUMBERS[GK_BLOCK_LEVELS] = {1e2, 1e3, 1e5};

enum { BLOCK_KEY_SIZE = GK_GENERATION_SIZE + 1 + GK_TOKEN_SIZE };

struct gk_blocks gk_density_blocks(const struct gk_keys *keys, uint32_t base, const char *scheme,
                                   const char *number)
{
    const size_t length = strlen(number);
    struct gk_blocks blocks = {.count = 0};

    while (blocks.count < GK_BLOCK_LEVELS && length > gk_block_cut(blocks.count)) {
        gk_keys_block_token(keys, base, scheme, number, length - gk_block_cut(blocks.count),
                            blocks.tokens[blocks.count]);
        blocks.count++;
    }
    return blocks;
}

static void block_key(uint64_t generation, size_t level, const uint8_t token[GK_TOKEN_SIZE],
                      uint8_t ret_key[BLOCK_KEY_SIZE])
{
    gk_generation_write(generation, ret_key);
    ret_key[GK_GENERATION_SIZE] = (uint8_t)gk_block_cut(level);
    memcpy(ret_key + GK_GENERATION_SIZE + 1, token, GK_TOKEN_SIZE);
}

static void write_level(struct gk_density_tally *tally, size_t level)
{
    uint8_t key[BLOCK_KEY_SIZE];

    if (tally->pending[level] == 0) {
        return;
    }
    block_key(tally->generation, level, tally->tokens[level], key);
    gk_transaction_add(tally->transaction, GK_FAMILY_DENSITY, (struct gk_bytes){key, sizeof key},
                       tally->pending[level]);
    tally->pending[level] = 0;
}

void gk_density_count(struct gk_density_tally *tally, const struct gk_blocks *blocks)
{
    for (size_t level = 0; level < blocks->count && level < GK_BLOCK_LEVELS; level++) {
        if (memcmp(tally->tokens[level], blocks->tokens[level], GK_TOKEN_SIZE) != 0) {
            write_level(tally, level);
            memcpy(tally->tokens[level], blocks->tokens[level], GK_TOKEN_SIZE);
        }
        tally->pending[level]++;
    }
}

void gk_density_finish(struct gk_density_tally *tally)
{
    for (size_t level = 0; level < GK_BLOCK_LEVELS; level++) {
        write_level(tally, level);
    }
}

/* The cards of one level's block over all lists. A view whose number is too short for it counts nothing. */
static enum gk_status read_level(struct gk_store *store, const struct gk_density_view *views, size_t count,
                                 size_t level, uint64_t *ret_sum, struct gk_error *error)
{
    uint8_t(*key_bytes)[BLOCK_KEY_SIZE] = calloc(count, sizeof *key_bytes);
    struct gk_bytes *keys = calloc(count, sizeof *keys);
    struct gk_value *values = calloc(count, sizeof *values);
    size_t wanted = 0;

    if (key_bytes == NULL || keys == NULL || values == NULL) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        if (level < views[i].blocks.count) {
            block_key(views[i].generation, level, views[i].blocks.tokens[level], key_bytes[wanted]);
            keys[wanted] = (struct gk_bytes){key_bytes[wanted], sizeof key_bytes[wanted]};
            wanted++;
        }
    }
    const enum gk_status status = gk_store_multi_get(store, GK_FAMILY_DENSITY, keys, wanted, values, error);
    uint64_t sum = 0;

    for (size_t i = 0; i < wanted; i++) {
        if (status == GK_OK && values[i].data != NULL) {
            sum += gk_sum_decode((struct gk_bytes){values[i].data, values[i].size});
        }
        gk_value_free(&values[i]);
    }
    if (status == GK_OK) {
        *ret_sum = sum;
    }
    free(values);
    free(keys);
    free(key_bytes);
    return status;
}

enum gk_status gk_density_share(struct gk_store *store, const struct gk_density_view *views, size_t count,
                                uint64_t self, double *ret_share, struct gk_error *error)
{
    double share = 0;

    for (size_t level = 0; level < GK_BLOCK_LEVELS; level++) {
        uint64_t sum = 0;
        const enum gk_status status = read_level(store, views, count, level, &sum, error);

        if (status != GK_OK) {
            return status;
        }
        const double others = sum > self ? (double)(sum - self) : 0;

        if (others / VALID_NUMBERS[level] > share) {
            share = others / VALID_NUMBERS[level];
        }
    }
    *ret_share = share < 1 ? share : 1;
    return GK_OK;
}

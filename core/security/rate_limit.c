/*
 * Each bucket is one number: the time at which it will be full again (the virtual scheduling form of the
 * leaky bucket, ITU-T I.371's generic cell rate algorithm). A call moves it `refill_ms` on; a call finds the
 * bucket empty where that time lies more than `burst - 1` refills ahead.
 *
 * Buckets live in one array; a chained hash table finds them, a list from the newest to the oldest use says
 * which one gives way.
 */
#include "core/security/rate_limit.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

#define NONE UINT32_MAX

struct bucket {
    uint64_t key;
    int64_t full_at_ms;
    uint32_t chain; /* next of the same hash */
    uint32_t newer;
    uint32_t older;
};

struct gk_rate_limit {
    int64_t refill_ms;
    int64_t depth_ms; /* burst refills */
    uint64_t seed;    /* unknown outside, so that nobody can choose keys that share a chain */
    struct bucket *buckets;
    uint32_t *heads;
    uint32_t size; /* buckets and heads */
    uint32_t used;
    uint32_t newest;
    uint32_t oldest;
};

struct gk_rate_limit *gk_rate_limit_new(uint32_t burst, uint32_t refill_ms, size_t keys)
{
    assert(burst > 0 && keys > 0 && keys < NONE);
    struct gk_rate_limit *limit = calloc(1, sizeof *limit);

    if (limit == NULL || sodium_init() < 0) {
        abort();
    }
    limit->refill_ms = refill_ms;
    limit->depth_ms = (int64_t)burst * refill_ms;
    limit->size = (uint32_t)keys;
    limit->buckets = calloc(keys, sizeof *limit->buckets);
    limit->heads = calloc(keys, sizeof *limit->heads);
    if (limit->buckets == NULL || limit->heads == NULL) {
        abort();
    }
    for (size_t i = 0; i < keys; i++) {
        limit->heads[i] = NONE;
    }
    limit->newest = limit->oldest = NONE;
    randombytes_buf(&limit->seed, sizeof limit->seed);
    return limit;
}

void gk_rate_limit_free(struct gk_rate_limit *limit)
{
    if (limit != NULL) {
        free(limit->buckets);
        free(limit->heads);
        free(limit);
    }
}

/* The finaliser of MurmurHash3 (Appleby): every bit of the key reaches every bit of the result. */
static uint32_t *head_of(const struct gk_rate_limit *limit, uint64_t key)
{
    uint64_t mixed = key ^ limit->seed;

    mixed = (mixed ^ mixed >> 33) * UINT64_C(0xff51afd7ed558ccd);
    mixed = (mixed ^ mixed >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return &limit->heads[(mixed ^ mixed >> 33) % limit->size];
}

static void unlink_use(struct gk_rate_limit *limit, uint32_t index)
{
    const struct bucket *bucket = &limit->buckets[index];

    *(bucket->newer == NONE ? &limit->newest : &limit->buckets[bucket->newer].older) = bucket->older;
    *(bucket->older == NONE ? &limit->oldest : &limit->buckets[bucket->older].newer) = bucket->newer;
}

static void link_newest(struct gk_rate_limit *limit, uint32_t index)
{
    limit->buckets[index].newer = NONE;
    limit->buckets[index].older = limit->newest;
    *(limit->newest == NONE ? &limit->oldest : &limit->buckets[limit->newest].newer) = index;
    limit->newest = index;
}

/* A bucket that nobody uses: a fresh one, or the one whose last use is longest ago. */
static uint32_t vacate(struct gk_rate_limit *limit)
{
    if (limit->used < limit->size) {
        return limit->used++;
    }
    const uint32_t index = limit->oldest;
    uint32_t *link = head_of(limit, limit->buckets[index].key);

    while (*link != index) {
        link = &limit->buckets[*link].chain;
    }
    *link = limit->buckets[index].chain;
    unlink_use(limit, index);
    return index;
}

static struct bucket *bucket_of(struct gk_rate_limit *limit, uint64_t key, int64_t now_ms)
{
    uint32_t *head = head_of(limit, key);
    uint32_t index = *head;

    while (index != NONE && limit->buckets[index].key != key) {
        index = limit->buckets[index].chain;
    }
    if (index == NONE) {
        index = vacate(limit);
        limit->buckets[index] = (struct bucket){.key = key, .full_at_ms = now_ms, .chain = *head};
        *head = index;
    } else {
        unlink_use(limit, index);
    }
    link_newest(limit, index);
    return &limit->buckets[index];
}

bool gk_rate_limit_take(struct gk_rate_limit *limit, uint64_t key, int64_t now_ms,
                        uint32_t *ret_retry_after_ms)
{
    struct bucket *bucket = bucket_of(limit, key, now_ms);

    /* A clock that was set back must not lock anybody out for longer than an empty bucket takes. */
    if (bucket->full_at_ms < now_ms) {
        bucket->full_at_ms = now_ms;
    } else if (bucket->full_at_ms > now_ms + limit->depth_ms) {
        bucket->full_at_ms = now_ms + limit->depth_ms;
    }
    const int64_t wait_ms = bucket->full_at_ms + limit->refill_ms - (now_ms + limit->depth_ms);

    if (wait_ms > 0) {
        if (ret_retry_after_ms != NULL) {
            *ret_retry_after_ms = (uint32_t)wait_ms; /* at most refill_ms */
        }
        return false;
    }
    bucket->full_at_ms += limit->refill_ms;
    return true;
}

#include "core/store/counters.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAYS_LIMIT 3660 /* ten years */
#define DAY_MS INT64_C(86400000)

/* Writes yyyymmdd; years outside 0 to 9999 do not occur. */
static void put_day(int64_t now_ms, uint8_t ret_day[8])
{
    const time_t seconds = (time_t)(now_ms / 1000);
    struct tm day = {0};

    (void)gmtime_r(&seconds, &day);
    unsigned number =
        (unsigned)(day.tm_year + 1900) * 10000 + (unsigned)(day.tm_mon + 1) * 100 + (unsigned)day.tm_mday;

    for (int i = 7; i >= 0; i--) {
        ret_day[i] = (uint8_t)('0' + number % 10);
        number /= 10;
    }
}

size_t gk_counter_key(int64_t now_ms, const char *box_id, const char *name,
                      uint8_t ret_key[GK_COUNTER_KEY_SIZE])
{
    const size_t box_size = strnlen(box_id, GK_COUNTER_TEXT_LIMIT);
    const size_t name_size = strnlen(name, GK_COUNTER_TEXT_LIMIT);
    uint8_t *at = ret_key;

    assert(box_id[box_size] == '\0' && name[name_size] == '\0');
    put_day(now_ms, at);
    at += 8;
    *at++ = 0;
    memcpy(at, box_id, box_size);
    at += box_size;
    *at++ = 0;
    memcpy(at, name, name_size);
    return (size_t)(at - ret_key) + name_size;
}

struct counter {
    char name[GK_COUNTER_TEXT_LIMIT + 1];
    uint64_t sum;
};

/* The counters met so far, by name in order. */
struct summation {
    struct counter *counters;
    size_t count;
    size_t capacity;
    size_t prefix_size;
};

/* Where `name` stands or belongs. */
static size_t place_of(const struct summation *summation, const char *name)
{
    size_t low = 0;
    size_t high = summation->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (strcmp(summation->counters[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static struct counter *insert(struct summation *summation, size_t place, const char *name)
{
    if (summation->count == summation->capacity) {
        summation->capacity = 2 * summation->capacity + 64;
        summation->counters =
            reallocarray(summation->counters, summation->capacity, sizeof *summation->counters);
        if (summation->counters == NULL) {
            abort();
        }
    }
    struct counter *counter = &summation->counters[place];

    memmove(counter + 1, counter, (summation->count - place) * sizeof *counter);
    summation->count++;
    *counter = (struct counter){0};
    (void)snprintf(counter->name, sizeof counter->name, "%s", name);
    return counter;
}

static bool add_counter(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct summation *summation = context;
    char name[GK_COUNTER_TEXT_LIMIT + 1];

    (void)snprintf(name, sizeof name, "%.*s", (int)(key.size - summation->prefix_size),
                   (const char *)key.data + summation->prefix_size);
    const size_t place = place_of(summation, name);
    struct counter *counter = place < summation->count && strcmp(summation->counters[place].name, name) == 0
                                  ? &summation->counters[place]
                                  : insert(summation, place, name);

    counter->sum += gk_sum_decode(value);
    return true;
}

enum gk_status gk_counters_sum(struct gk_engine *engine, int64_t now_ms, const char *box_id, uint32_t days,
                               void (*visit)(void *context, const char *name, uint64_t value), void *context,
                               struct gk_error *error)
{
    struct summation summation = {0};
    enum gk_status status = GK_OK;

    if (days > DAYS_LIMIT) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "statistics go back 0 to %d days, not %u", DAYS_LIMIT,
                            days);
    }
    for (uint32_t ago = 0; status == GK_OK && ago <= days; ago++) {
        uint8_t key[GK_COUNTER_KEY_SIZE];

        summation.prefix_size = gk_counter_key(now_ms - ago * DAY_MS, box_id, "", key);
        status = gk_engine_scan(engine, GK_FAMILY_COUNTERS,
                                (struct gk_bytes){.data = key, .size = summation.prefix_size},
                                (struct gk_bytes){0}, false, add_counter, &summation, error);
    }
    for (size_t i = 0; status == GK_OK && i < summation.count; i++) {
        visit(context, summation.counters[i].name, summation.counters[i].sum);
    }
    free(summation.counters);
    return status;
}

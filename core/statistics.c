#include "core/statistics.h"

#include "core/words.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/*
 * Key: '#' and the day (yyyymmdd), or '=' alone; box id, 0x00; issuer, 0x00; kind; reason; what; bucket. What
 * is a gk_statistic, or DURATION_BASE and a gk_duration; the bucket is 0 for a count.
 */
enum {
    DAY_SIZE = 8,
    TEXT_MAX = 32,
    TAIL_SIZE = 4,
    KEY_SIZE = 1 + DAY_SIZE + 2 * (TEXT_MAX + 1) + TAIL_SIZE,
    DURATION_BASE = 128,
    BUCKETS_AN_OCTAVE = 4,
};

#define DAY_MS INT64_C(86400000)
#define TOTALS UINT32_MAX

static const char DAY_MARK = '#';
static const char TOTAL_MARK = '=';

const char *gk_statistic_word(enum gk_statistic statistic)
{
    static const char *const words[GK_STATISTIC_COUNT] = {
        [GK_STATISTIC_FOUND] = "found",           [GK_STATISTIC_READ] = "read",
        [GK_STATISTIC_DIFFICULT] = "difficult",   [GK_STATISTIC_RESOLVED] = "resolved",
        [GK_STATISTIC_GIVEN_BACK] = "given_back", [GK_STATISTIC_NOTIFIED] = "notified",
        [GK_STATISTIC_COLLECTED] = "collected",   [GK_STATISTIC_EXPIRED] = "expired",
        [GK_STATISTIC_RETURNED] = "returned",     [GK_STATISTIC_HANDED_OVER] = "handed_over",
        [GK_STATISTIC_DESTROYED] = "destroyed",
    };

    assert(statistic > 0 && statistic < GK_STATISTIC_COUNT);
    return words[statistic];
}

/* --- keys --- */

static void put_day(int64_t at_ms, char ret_day[DAY_SIZE + 1])
{
    const time_t seconds = (time_t)(at_ms / 1000);
    struct tm day = {0};

    (void)gmtime_r(&seconds, &day);
    (void)snprintf(ret_day, DAY_SIZE + 1, "%04u%02u%02u", (unsigned)(day.tm_year + 1900) % 10000U,
                   (unsigned)(day.tm_mon + 1) % 100U, (unsigned)day.tm_mday % 100U);
}

static size_t put_text(uint8_t *at, const char *text)
{
    const size_t size = strnlen(text, TEXT_MAX);

    memcpy(at, text, size);
    at[size] = 0;
    return size + 1;
}

static void add(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *card, unsigned what,
                unsigned bucket)
{
    const uint8_t tail[TAIL_SIZE] = {(uint8_t)card->kind, (uint8_t)card->reason, (uint8_t)what,
                                     (uint8_t)bucket};
    uint8_t key[KEY_SIZE];
    char day[DAY_SIZE + 1];
    size_t size = 1 + DAY_SIZE;

    put_day(gk_transaction_now_ms(transaction), day);
    key[0] = (uint8_t)DAY_MARK;
    memcpy(key + 1, day, DAY_SIZE);
    size += put_text(key + size, card->box_id);
    size += put_text(key + size, card->issuer);
    memcpy(key + size, tail, TAIL_SIZE);
    size += TAIL_SIZE;
    gk_transaction_add(transaction, GK_FAMILY_COUNTERS, (struct gk_bytes){key, size}, 1);
    key[DAY_SIZE] = (uint8_t)TOTAL_MARK;
    gk_transaction_add(transaction, GK_FAMILY_COUNTERS, (struct gk_bytes){key + DAY_SIZE, size - DAY_SIZE},
                       1);
}

/* --- counting --- */

double gk_duration_bound_s(size_t bucket)
{
    return exp2((double)(bucket + 1) / BUCKETS_AN_OCTAVE) - 1;
}

static void add_duration(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *card,
                         enum gk_duration duration)
{
    const int64_t took_ms = gk_transaction_now_ms(transaction) - card->received_at_ms;
    const double seconds = took_ms > 0 ? (double)took_ms / 1000 : 0;
    const double bucket = floor(BUCKETS_AN_OCTAVE * log2(1 + seconds));

    add(transaction, card, DURATION_BASE + (unsigned)duration,
        bucket < GK_DURATION_BUCKETS ? (unsigned)bucket : GK_DURATION_BUCKETS - 1);
}

static bool is_read(const guika_v1_internal_FoundCard *card)
{
    return card->state == guika_v1_CardState_CARD_STATE_IDENTIFIED ||
           card->reason == guika_v1_Reason_REASON_UNREGISTERED ||
           card->reason == guika_v1_Reason_REASON_CANCELLED;
}

static unsigned statistic_of(guika_v1_CardState state)
{
    switch (state) {
    case guika_v1_CardState_CARD_STATE_DIFFICULT:
        return GK_STATISTIC_DIFFICULT;
    case guika_v1_CardState_CARD_STATE_GIVEN_BACK:
        return GK_STATISTIC_GIVEN_BACK;
    case guika_v1_CardState_CARD_STATE_NOTIFIED:
        return GK_STATISTIC_NOTIFIED;
    case guika_v1_CardState_CARD_STATE_COLLECTED:
        return GK_STATISTIC_COLLECTED;
    case guika_v1_CardState_CARD_STATE_EXPIRED:
        return GK_STATISTIC_EXPIRED;
    case guika_v1_CardState_CARD_STATE_RETURNED:
        return GK_STATISTIC_RETURNED;
    case guika_v1_CardState_CARD_STATE_HANDED_OVER:
        return GK_STATISTIC_HANDED_OVER;
    case guika_v1_CardState_CARD_STATE_DESTROYED:
        return GK_STATISTIC_DESTROYED;
    default:
        return 0;
    }
}

void gk_statistics_count(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *before,
                         const guika_v1_internal_FoundCard *after)
{
    const bool was_undecided = before == NULL || before->state == guika_v1_CardState_CARD_STATE_RECEIVED;
    const unsigned statistic = statistic_of(after->state);

    if ((before != NULL && before->state == after->state) ||
        after->state == guika_v1_CardState_CARD_STATE_RECEIVED) {
        return;
    }
    if (was_undecided) {
        add(transaction, after, GK_STATISTIC_FOUND, 0);
        if (is_read(after)) {
            add(transaction, after, GK_STATISTIC_READ, 0);
        }
    }
    if (statistic != 0) {
        add(transaction, after, statistic, 0);
    } else if (!was_undecided && before->state == guika_v1_CardState_CARD_STATE_DIFFICULT) {
        add(transaction, after, GK_STATISTIC_RESOLVED, 0);
    }
    if (statistic == GK_STATISTIC_NOTIFIED) {
        add_duration(transaction, after, GK_DURATION_TO_NOTICE);
    } else if (statistic == GK_STATISTIC_COLLECTED) {
        add_duration(transaction, after, GK_DURATION_TO_COLLECTION);
    }
}

/* --- reading --- */

struct visiting {
    size_t prefix_size;
    int64_t day_ms;
    void (*visit)(void *context, const struct gk_statistics_item *item);
    void *context;
};

/* Takes one text off `*rest`; false where there is none. */
static bool take_text(struct gk_bytes *rest, char ret_text[TEXT_MAX + 1])
{
    const uint8_t *end = memchr(rest->data, 0, rest->size);
    const size_t size = end == NULL ? SIZE_MAX : (size_t)(end - rest->data);

    if (size > TEXT_MAX) {
        return false;
    }
    memcpy(ret_text, rest->data, size + 1);
    rest->data += size + 1;
    rest->size -= size + 1;
    return true;
}

static bool visit_sum(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct visiting *visiting = context;
    struct gk_bytes rest = {key.data + visiting->prefix_size, key.size - visiting->prefix_size};
    struct gk_statistics_item item = {.labels.day_ms = visiting->day_ms, .duration_bucket = SIZE_MAX};

    if (!take_text(&rest, item.labels.box_id) || !take_text(&rest, item.labels.issuer) ||
        rest.size != TAIL_SIZE) {
        return true;
    }
    item.labels.kind = (guika_v1_CardKind)rest.data[0];
    item.labels.reason = (guika_v1_Reason)rest.data[1];
    item.value = gk_sum_decode(value);
    if (rest.data[2] >= DURATION_BASE + GK_DURATION_COUNT || rest.data[3] >= GK_DURATION_BUCKETS ||
        (rest.data[2] < DURATION_BASE && (rest.data[2] == 0 || rest.data[2] >= GK_STATISTIC_COUNT))) {
        return true;
    }
    if (rest.data[2] >= DURATION_BASE) {
        item.duration = (enum gk_duration)(rest.data[2] - DURATION_BASE);
        item.duration_bucket = rest.data[3];
    } else {
        item.statistic = (enum gk_statistic)rest.data[2];
    }
    visiting->visit(visiting->context, &item);
    return true;
}

static enum gk_status scan(struct gk_store *store, const char *prefix, struct visiting *visiting,
                           struct gk_error *error)
{
    visiting->prefix_size = strlen(prefix);
    return gk_store_scan(store, GK_FAMILY_COUNTERS,
                         (struct gk_bytes){(const uint8_t *)prefix, visiting->prefix_size},
                         (struct gk_bytes){NULL, 0}, false, visit_sum, visiting, error);
}

enum gk_status gk_statistics_each(struct gk_store *store, int64_t now_ms, uint32_t days,
                                  void (*visit)(void *context, const struct gk_statistics_item *item),
                                  void *context, struct gk_error *error)
{
    struct visiting visiting = {.visit = visit, .context = context};
    enum gk_status status = GK_OK;

    if (days == TOTALS) {
        return scan(store, (const char[]){TOTAL_MARK, '\0'}, &visiting, error);
    }
    for (uint32_t ago = 0; status == GK_OK && ago <= days; ago++) {
        char prefix[1 + DAY_SIZE + 1] = {DAY_MARK};
        const int64_t at_ms = now_ms - (int64_t)ago * DAY_MS;

        put_day(at_ms, prefix + 1);
        visiting.day_ms = at_ms - at_ms % DAY_MS;
        status = scan(store, prefix, &visiting, error);
    }
    return status;
}

/* --- tables --- */

struct table {
    const char *box_id;
    enum gk_statistics_by by;
    struct gk_statistics_row *rows;
    size_t count;
    size_t capacity;
};

static void name_group(enum gk_statistics_by by, const struct gk_statistics_labels *labels,
                       char ret_group[33])
{
    const time_t seconds = (time_t)(labels->day_ms / 1000);
    struct tm day = {0};
    const char *text = "all";

    switch (by) {
    case GK_STATISTICS_BY_BOX:
        text = labels->box_id;
        break;
    case GK_STATISTICS_BY_ISSUER:
        text = labels->issuer[0] == '\0' ? "unknown" : labels->issuer;
        break;
    case GK_STATISTICS_BY_KIND:
        text = gk_kind_word(labels->kind);
        break;
    case GK_STATISTICS_BY_REASON:
        text = labels->reason == guika_v1_Reason_REASON_UNSPECIFIED ? "none" : gk_reason_word(labels->reason);
        break;
    case GK_STATISTICS_BY_DAY:
        (void)gmtime_r(&seconds, &day);
        (void)strftime(ret_group, 33, "%Y-%m-%d", &day);
        return;
    case GK_STATISTICS_BY_NOTHING:
        break;
    }
    (void)snprintf(ret_group, 33, "%s", text);
}

static struct gk_statistics_row *row_of(struct table *table, const char *group)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->rows[i].group, group) == 0) {
            return &table->rows[i];
        }
    }
    if (table->count == table->capacity) {
        table->capacity = 2 * table->capacity + 16;
        table->rows = reallocarray(table->rows, table->capacity, sizeof *table->rows);
        if (table->rows == NULL) {
            abort();
        }
    }
    struct gk_statistics_row *row = &table->rows[table->count++];

    memset(row, 0, sizeof *row);
    (void)snprintf(row->group, sizeof row->group, "%s", group);
    return row;
}

static void add_to_table(void *context, const struct gk_statistics_item *item)
{
    struct table *table = context;
    char group[33];

    if (table->box_id[0] != '\0' && strcmp(table->box_id, item->labels.box_id) != 0) {
        return;
    }
    name_group(table->by, &item->labels, group);
    struct gk_statistics_row *row = row_of(table, group);

    if (item->duration_bucket == SIZE_MAX) {
        row->counts[item->statistic] += item->value;
    } else {
        row->durations[item->duration][item->duration_bucket] += item->value;
    }
}

static int compare_rows(const void *a, const void *b)
{
    return strcmp(((const struct gk_statistics_row *)a)->group, ((const struct gk_statistics_row *)b)->group);
}

enum gk_status gk_statistics_table(struct gk_store *store, int64_t now_ms, uint32_t days, const char *box_id,
                                   enum gk_statistics_by by, struct gk_statistics_row **ret_rows,
                                   size_t *ret_count, struct gk_error *error)
{
    struct table table = {.box_id = box_id, .by = by};
    const enum gk_status status = gk_statistics_each(store, now_ms, days, add_to_table, &table, error);

    if (status != GK_OK) {
        free(table.rows);
        return status;
    }
    if (table.count > 0) {
        qsort(table.rows, table.count, sizeof *table.rows, compare_rows);
    }
    *ret_rows = table.rows;
    *ret_count = table.count;
    return GK_OK;
}

int64_t gk_statistics_median_ms(const struct gk_statistics_row *row, enum gk_duration duration)
{
    const uint64_t *buckets = row->durations[duration];
    uint64_t total = 0;
    uint64_t below = 0;
    size_t bucket = 0;

    for (size_t i = 0; i < GK_DURATION_BUCKETS; i++) {
        total += buckets[i];
    }
    if (total == 0) {
        return -1;
    }
    while (2 * (below + buckets[bucket]) < total) {
        below += buckets[bucket++];
    }
    const double low = bucket == 0 ? 0 : gk_duration_bound_s(bucket - 1);
    const double high = gk_duration_bound_s(bucket);
    const double share = ((double)total / 2 - (double)below) / (double)buckets[bucket];

    return (int64_t)(1000 * (low + (high - low) * share));
}

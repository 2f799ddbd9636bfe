#include "core/web/metrics.h"

#include "core/box_alerts.h"
#include "core/statistics.h"
#include "core/store/record.h"
#include "core/words.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every eighth bucket ends at a whole number of seconds, 2^n - 1: those are shown, 3 s to two years. */
#define SHOWN_EVERY 8
#define SHOWN_LAST 103

/* Every day that was counted: see gk_statistics_each. */
#define ALL_DAYS UINT32_MAX

/* The histograms of one box. */
struct box_times {
    char box_id[33];
    uint64_t buckets[GK_DURATION_COUNT][GK_DURATION_BUCKETS];
    uint64_t sum_s[GK_DURATION_COUNT];
};

struct figures {
    struct gk_statistics_item *counts;
    size_t count;
    size_t capacity;
    struct box_times *boxes;
    size_t box_count;
};

static void *grow(void *array, size_t count, size_t size)
{
    void *grown = reallocarray(array, count, size);

    if (grown == NULL) {
        abort();
    }
    return grown;
}

static struct box_times *times_of(struct figures *figures, const char *box_id)
{
    for (size_t i = 0; i < figures->box_count; i++) {
        if (strcmp(figures->boxes[i].box_id, box_id) == 0) {
            return &figures->boxes[i];
        }
    }
    figures->boxes = grow(figures->boxes, figures->box_count + 1, sizeof *figures->boxes);
    struct box_times *times = &figures->boxes[figures->box_count++];

    memset(times, 0, sizeof *times);
    memcpy(times->box_id, box_id, sizeof times->box_id);
    return times;
}

static void take(void *context, const struct gk_statistics_item *item)
{
    struct figures *figures = context;

    if (item->duration_bucket == GK_DURATION_SUM) {
        times_of(figures, item->labels.box_id)->sum_s[item->duration] += item->value;
    } else if (item->duration_bucket != SIZE_MAX) {
        times_of(figures, item->labels.box_id)->buckets[item->duration][item->duration_bucket] += item->value;
    } else {
        if (figures->count == figures->capacity) {
            figures->capacity = 2 * figures->capacity + 64;
            figures->counts = grow(figures->counts, figures->capacity, sizeof *figures->counts);
        }
        figures->counts[figures->count++] = *item;
    }
}

/* A label's value, as the format wants it. */
static void put_label(FILE *out, const char *name, const char *value)
{
    (void)fprintf(out, "%s=\"", name);
    for (; *value != '\0'; value++) {
        if (*value == '\n') {
            (void)fputs("\\n", out);
        } else {
            if (*value == '"' || *value == '\\') {
                (void)fputc('\\', out);
            }
            (void)fputc(*value, out);
        }
    }
    (void)fputc('"', out);
}

static void put_head(FILE *out, const char *name, const char *type, const char *help)
{
    (void)fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_count(FILE *out, const char *name, const struct gk_statistics_item *item)
{
    (void)fprintf(out, "%s{", name);
    put_label(out, "box", item->labels.box_id);
    (void)fputc(',', out);
    put_label(out, "issuer", item->labels.issuer);
    (void)fputc(',', out);
    put_label(out, "kind", gk_kind_word(item->labels.kind));
    (void)fputc(',', out);
    put_label(out, "reason", gk_reason_word(item->labels.reason));
    (void)fprintf(out, "} %" PRIu64 "\n", item->value);
}

static void put_counts(FILE *out, const struct figures *figures)
{
    static const char *const help[GK_STATISTIC_COUNT] = {
        [GK_STATISTIC_FOUND] = "Cards first decided on.",
        [GK_STATISTIC_READ] = "Cards whose number was certain when they were found.",
        [GK_STATISTIC_DIFFICULT] = "Cards that became difficult.",
        [GK_STATISTIC_RESOLVED] = "Difficult cards that were identified after all.",
        [GK_STATISTIC_GIVEN_BACK] = "Cards that the finder has.",
        [GK_STATISTIC_NOTIFIED] = "Cards whose holder was told.",
        [GK_STATISTIC_COLLECTED] = "Cards that were collected.",
        [GK_STATISTIC_EXPIRED] = "Cards that nobody collected in time.",
        [GK_STATISTIC_RETURNED] = "Cards that were sent back.",
        [GK_STATISTIC_HANDED_OVER] = "Cards that went to their issuer or the police.",
        [GK_STATISTIC_DESTROYED] = "Cards that were destroyed.",
    };

    for (int statistic = 1; statistic < GK_STATISTIC_COUNT; statistic++) {
        char name[64];

        (void)snprintf(name, sizeof name, "guika_cards_%s_total",
                       gk_statistic_word((enum gk_statistic)statistic));
        put_head(out, name, "counter", help[statistic]);
        for (size_t i = 0; i < figures->count; i++) {
            if ((int)figures->counts[i].statistic == statistic) {
                put_count(out, name, &figures->counts[i]);
            }
        }
    }
}

static void put_histogram(FILE *out, const char *name, const struct box_times *times,
                          enum gk_duration duration)
{
    uint64_t below = 0;

    for (size_t i = 0; i < GK_DURATION_BUCKETS; i++) {
        below += times->buckets[duration][i];
        if ((i + 1) % SHOWN_EVERY == 0 && i <= SHOWN_LAST) {
            (void)fprintf(out, "%s_bucket{", name);
            put_label(out, "box", times->box_id);
            (void)fprintf(out, ",le=\"%.0f\"} %" PRIu64 "\n", gk_duration_bound_s(i), below);
        }
    }
    (void)fprintf(out, "%s_bucket{", name);
    put_label(out, "box", times->box_id);
    (void)fprintf(out, ",le=\"+Inf\"} %" PRIu64 "\n%s_sum{", below, name);
    put_label(out, "box", times->box_id);
    (void)fprintf(out, "} %" PRIu64 "\n%s_count{", times->sum_s[duration], name);
    put_label(out, "box", times->box_id);
    (void)fprintf(out, "} %" PRIu64 "\n", below);
}

static void put_times(FILE *out, const struct figures *figures)
{
    static const char *const names[GK_DURATION_COUNT] = {"guika_drop_to_notice_seconds",
                                                         "guika_drop_to_collection_seconds"};
    static const char *const help[GK_DURATION_COUNT] = {"From the drop until the holder was told.",
                                                        "From the drop until the card was collected."};

    for (int duration = 0; duration < GK_DURATION_COUNT; duration++) {
        put_head(out, names[duration], "histogram", help[duration]);
        for (size_t i = 0; i < figures->box_count; i++) {
            put_histogram(out, names[duration], &figures->boxes[i], (enum gk_duration)duration);
        }
    }
}

static bool count_one(void *context, struct gk_bytes key, struct gk_bytes value)
{
    (void)key;
    (void)value;
    ++*(uint64_t *)context;
    return true;
}

static void put_gauge(FILE *out, const char *name, const char *help, uint64_t value)
{
    put_head(out, name, "gauge", help);
    (void)fprintf(out, "%s %" PRIu64 "\n", name, value);
}

/* --- boxes --- */

struct box_page {
    FILE *out;
    const char *name;
    int64_t (*since_ms)(const guika_v1_internal_BoxAlertRecord *record);
    const char *zone;
};

static int64_t silent_ms(const guika_v1_internal_BoxAlertRecord *record)
{
    return record->silent_since_ms;
}

static int64_t normal_full_ms(const guika_v1_internal_BoxAlertRecord *record)
{
    return record->normal_full_since_ms;
}

static int64_t difficult_full_ms(const guika_v1_internal_BoxAlertRecord *record)
{
    return record->difficult_full_since_ms;
}

static bool put_box(void *context, struct gk_bytes key, struct gk_bytes value)
{
    const struct box_page *page = context;
    const size_t prefix = sizeof GK_ALERT_PREFIX - 1;
    guika_v1_internal_BoxAlertRecord record = {0};
    char box_id[33];

    if (gk_record_decode(value, guika_v1_internal_BoxAlertRecord_fields, &record, NULL) == GK_OK) {
        (void)snprintf(box_id, sizeof box_id, "%.*s", (int)(key.size - prefix),
                       (const char *)key.data + prefix);
        (void)fprintf(page->out, "%s{", page->name);
        put_label(page->out, "box", box_id);
        if (page->zone != NULL) {
            (void)fputc(',', page->out);
            put_label(page->out, "zone", page->zone);
        }
        (void)fprintf(page->out, "} %d\n", page->since_ms(&record) != 0);
    }
    return true;
}

static enum gk_status put_boxes(FILE *out, struct gk_store *store, struct gk_error *error)
{
    const struct gk_bytes prefix = {(const uint8_t *)GK_ALERT_PREFIX, sizeof GK_ALERT_PREFIX - 1};
    struct box_page pages[] = {{out, "guika_box_silent", silent_ms, NULL},
                               {out, "guika_box_full", normal_full_ms, "normal"},
                               {out, "guika_box_full", difficult_full_ms, "difficult"}};
    enum gk_status status = GK_OK;

    put_head(out, pages[0].name, "gauge", "1: nothing was heard of the box for too long.");
    for (size_t i = 0; status == GK_OK && i < sizeof pages / sizeof pages[0]; i++) {
        if (i == 1) {
            put_head(out, pages[i].name, "gauge", "1: no compartment of the zone is free.");
        }
        status = gk_store_scan(store, GK_FAMILY_META, prefix, (struct gk_bytes){NULL, 0}, false, put_box,
                               &pages[i], error);
    }
    return status;
}

enum gk_status gk_metrics_write(const struct gk_metrics_source *source, char **ret_text, size_t *ret_size,
                                struct gk_error *error)
{
    const struct gk_bytes all = {NULL, 0};
    struct figures figures = {0};
    uint64_t waiting = 0;
    enum gk_status status = gk_statistics_each(source->store, 0, ALL_DAYS, take, &figures, error);

    if (status == GK_OK) {
        status =
            gk_store_scan(source->store, GK_FAMILY_DIFFICULT, all, all, false, count_one, &waiting, error);
    }
    FILE *out = status == GK_OK ? open_memstream(ret_text, ret_size) : NULL;

    if (status == GK_OK && out == NULL) {
        abort();
    }
    if (out != NULL) {
        put_counts(out, &figures);
        put_times(out, &figures);
        put_gauge(out, "guika_difficult_cards", "Difficult cards that wait for a person.", waiting);
        put_gauge(out, "guika_registered_cards", "Cards in the lists in force.",
                  source->registered_cards(source->context));
        put_gauge(out, "guika_store_failed", "1: the disk refused a write, and the service takes no changes.",
                  gk_store_failed(source->store));
        status = put_boxes(out, source->store, error);
        (void)fclose(out);
        if (status != GK_OK) {
            free(*ret_text);
        }
    }
    free(figures.counts);
    free(figures.boxes);
    return status;
}

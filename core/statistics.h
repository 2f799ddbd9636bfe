/*
 * What became of the cards, counted as it happens: by day, box, issuer, kind and reason.
 *
 * Owns: the keys of GK_FAMILY_COUNTERS that begin with '#' (of one day, UTC) and '=' (of all days). Every
 * transition of a card is counted where it is written, in the same batch. Nothing personal is in a key: a
 * box's id, a plugin's id, and numbers of the schema's enums.
 *
 * Times are kept as histograms of four buckets an octave, so a median is within 10% of the true one.
 */
#ifndef GUIKA_CORE_STATISTICS_H
#define GUIKA_CORE_STATISTICS_H

#include "core/store/store.h"
#include "guika/v1/internal/records.pb.h"

/* What is counted. The numbers rest in the store. */
enum gk_statistic {
    GK_STATISTIC_FOUND = 1,  /* first decided on, whatever was decided */
    GK_STATISTIC_READ,       /* its number was certain then: identified, unregistered or cancelled */
    GK_STATISTIC_DIFFICULT,  /* became difficult */
    GK_STATISTIC_RESOLVED,   /* was difficult and is identified */
    GK_STATISTIC_GIVEN_BACK, /* to the finder */
    GK_STATISTIC_NOTIFIED,
    GK_STATISTIC_COLLECTED,
    GK_STATISTIC_EXPIRED,
    GK_STATISTIC_RETURNED,
    GK_STATISTIC_HANDED_OVER,
    GK_STATISTIC_DESTROYED,
    GK_STATISTIC_COUNT
};

/* "found", "read", ... [any] */
const char *gk_statistic_word(enum gk_statistic statistic);

/* How long it took from the drop. */
enum gk_duration { GK_DURATION_TO_NOTICE, GK_DURATION_TO_COLLECTION, GK_DURATION_COUNT };

#define GK_DURATION_BUCKETS 128 /* the last one begins at 2^(127/4) - 1 s, some hundred years */

/* The end of bucket `bucket`, in seconds: 2^((bucket + 1) / 4) - 1. [any] */
double gk_duration_bound_s(size_t bucket);

/* Counts a card's step from `before` (NULL: it is new) to `after`. Without effect where its state stays.
 * [committer] */
void gk_statistics_count(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *before,
                         const guika_v1_internal_FoundCard *after);

struct gk_statistics_labels {
    char box_id[33];
    char issuer[33]; /* plugin id; "" where it is not known */
    guika_v1_CardKind kind;
    guika_v1_Reason reason;
    int64_t day_ms; /* the day's beginning, Unix milliseconds; 0 for totals */
};

/* One sum; each is visited by itself. `duration_bucket` is SIZE_MAX for a count. */
struct gk_statistics_item {
    struct gk_statistics_labels labels;
    enum gk_statistic statistic; /* of a count */
    enum gk_duration duration;   /* of a histogram */
    size_t duration_bucket;
    uint64_t value;
};

/* Visits the sums of today (by `now_ms`) and `days` days before, or with days UINT32_MAX those of all days
 * since the beginning together. [worker] */
enum gk_status gk_statistics_each(struct gk_store *store, int64_t now_ms, uint32_t days,
                                  void (*visit)(void *context, const struct gk_statistics_item *item),
                                  void *context, struct gk_error *error);

enum gk_statistics_by {
    GK_STATISTICS_BY_NOTHING,
    GK_STATISTICS_BY_BOX,
    GK_STATISTICS_BY_ISSUER,
    GK_STATISTICS_BY_KIND,
    GK_STATISTICS_BY_REASON,
    GK_STATISTICS_BY_DAY,
};

struct gk_statistics_row {
    char group[33]; /* "library-1", "unionpay", "PAYMENT", "GLARE", "2026-05-01"; "all" by nothing */
    uint64_t counts[GK_STATISTIC_COUNT];
    uint64_t durations[GK_DURATION_COUNT][GK_DURATION_BUCKETS];
};

/* The median, in milliseconds; -1 where nothing was counted. [any] */
int64_t gk_statistics_median_ms(const struct gk_statistics_row *row, enum gk_duration duration);

/* Sums by group, sorted by it, into an array that the caller frees. `box_id` "": all. [worker] */
enum gk_status gk_statistics_table(struct gk_store *store, int64_t now_ms, uint32_t days, const char *box_id,
                                   enum gk_statistics_by by, struct gk_statistics_row **ret_rows,
                                   size_t *ret_count, struct gk_error *error);

#endif

#include "bench/reliability.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The upper ends of the bins; the last one takes 1 as well. */
static const double bin_ends[] = {0.5, 0.9, 0.99, 0.999, 0.9999, 1};
static const double thresholds[] = {0.9, 0.99, 0.999, 0.9999, 0.99999};
static const char *const group_names[] = {"payment, embossed",
                                          "payment, flat line",
                                          "payment, flat low",
                                          "payment, blocks",
                                          "payment, portrait",
                                          "transit",
                                          "resident ID",
                                          "campus",
                                          "parking",
                                          "receipt",
                                          "nothing"};

enum {
    BINS = sizeof bin_ends / sizeof bin_ends[0],
    THRESHOLDS = sizeof thresholds / sizeof thresholds[0],
    GROUPS = sizeof group_names / sizeof group_names[0],
};

struct bin {
    uint64_t count, right;
    double expected; /* sum of the probabilities */
};

struct acceptance {
    uint64_t right, wrong, difficult;
};

struct group {
    uint64_t cards, first, five; /* with the number as first candidate, among the first five */
    struct acceptance at_default;
};

struct tally {
    const struct gk_bench_series *series;
    struct bin first[BINS], forced[BINS], all[BINS]; /* first candidates, those of them forced; every one */
    struct acceptance acceptance[THRESHOLDS];
    struct group groups[GROUPS];
};

static size_t group_of(const struct gk_mint_card *card)
{
    switch (card->kind) {
    case GK_MINT_PAYMENT:
        return card->print == GK_MINT_EMBOSSED ? 0 : 1 + (size_t)card->layout;
    case GK_MINT_TRANSIT:
        return 5;
    case GK_MINT_ID:
        return 6;
    case GK_MINT_CAMPUS:
        return 7;
    case GK_MINT_PARKING:
        return 8;
    case GK_MINT_RECEIPT:
        return 9;
    case GK_MINT_NOTHING:
    case GK_MINT_ISSUED:
        break;
    }
    return 10;
}

static void count_bin(struct bin *bins, double probability, bool right)
{
    size_t at = 0;

    while (at + 1 < BINS && probability >= bin_ends[at]) {
        at++;
    }
    bins[at].count++;
    bins[at].right += right;
    bins[at].expected += probability;
}

static void count_acceptance(struct acceptance *acceptance, bool accepted, bool right)
{
    acceptance->right += accepted && right;
    acceptance->wrong += accepted && !right;
    acceptance->difficult += !accepted;
}

static void visit(void *context, const struct gk_bench_record *record)
{
    struct tally *tally = context;
    const struct gk_bench_candidate *first = record->count > 0 ? &record->candidates[0] : NULL;
    const double certainty = first == NULL || first->forced ? 0 : first->probability;
    struct gk_mint_card card;
    bool right_first = false;
    bool right_five = false;

    gk_bench_series_card(tally->series, record->index, &card);
    for (size_t i = 0; i < record->count; i++) {
        const struct gk_bench_candidate *candidate = &record->candidates[i];
        const bool right = strcmp(candidate->number, card.number) == 0;

        count_bin(tally->all, candidate->probability, right);
        if (i == 0) {
            count_bin(candidate->forced ? tally->forced : tally->first, candidate->probability, right);
        }
        right_first = right_first || (right && i == 0);
        right_five = right_five || (right && i < 5);
    }
    for (size_t i = 0; i < THRESHOLDS; i++) {
        count_acceptance(&tally->acceptance[i], certainty >= thresholds[i], right_first);
    }
    struct group *group = &tally->groups[group_of(&card)];

    group->cards++;
    group->first += right_first;
    group->five += right_five;
    count_acceptance(&group->at_default, certainty >= 0.999, right_first);
}

/* --- tables --- */

static void print_bins(const char *title, const struct bin bins[BINS])
{
    double begin = 0;

    (void)printf("%-34s %10s %10s %12s %12s\n", title, "count", "right", "share right", "expected");
    for (size_t i = 0; i < BINS; i++) {
        (void)printf("  %6g to %-22g %10llu %10llu", begin, bin_ends[i], (unsigned long long)bins[i].count,
                     (unsigned long long)bins[i].right);
        if (bins[i].count > 0) {
            (void)printf(" %12.5f %12.5f", (double)bins[i].right / (double)bins[i].count,
                         bins[i].expected / (double)bins[i].count);
        }
        (void)printf("\n");
        begin = bin_ends[i];
    }
}

static void print_acceptance(const struct tally *tally)
{
    (void)printf("%-34s %10s %10s %12s\n", "accepted without a registry at", "right", "wrong", "difficult");
    for (size_t i = 0; i < THRESHOLDS; i++) {
        const struct acceptance *acceptance = &tally->acceptance[i];

        (void)printf("  %-32g %10llu %10llu %12llu\n", thresholds[i], (unsigned long long)acceptance->right,
                     (unsigned long long)acceptance->wrong, (unsigned long long)acceptance->difficult);
    }
}

static void print_groups(const struct tally *tally)
{
    (void)printf("%-34s %10s %10s %12s %12s %10s\n", "by card; accepted at 0.999", "cards", "first",
                 "first five", "acc. right", "wrong");
    for (size_t i = 0; i < GROUPS; i++) {
        const struct group *group = &tally->groups[i];

        if (group->cards > 0) {
            (void)printf("  %-32s %10llu %10llu %12llu %12llu %10llu\n", group_names[i],
                         (unsigned long long)group->cards, (unsigned long long)group->first,
                         (unsigned long long)group->five, (unsigned long long)group->at_default.right,
                         (unsigned long long)group->at_default.wrong);
        }
    }
}

void gk_bench_reliability_print(const struct gk_bench_series *series, const struct gk_bench_journal *journal)
{
    struct tally tally = {.series = series};

    gk_bench_journal_visit(journal, visit, &tally);
    print_bins("first candidates, not forced", tally.first);
    print_bins("first candidates, forced", tally.forced);
    print_bins("all candidates", tally.all);
    print_acceptance(&tally);
    print_groups(&tally);
}

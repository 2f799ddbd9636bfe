#include "bench/deposits.h"

#include "bench/decide.h"
#include "bench/issuers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct outcomes {
    uint64_t cards;
    uint64_t accepted_right, accepted_wrong;
    uint64_t called_right, called_wrong; /* unregistered, by the right or by a wrong number */
    uint64_t difficult;
};

struct tally {
    const struct gk_bench_series *series;
    struct gk_registry *registry;
    struct outcomes registered[GK_BENCH_ISSUERS], unregistered[GK_BENCH_ISSUERS];
    struct gk_error error;
    bool failed;
};

static void count(struct outcomes *outcomes, const struct gk_match *match, bool right)
{
    const bool called = !match->accepted && match->reason == guika_v1_Reason_REASON_UNREGISTERED;

    outcomes->cards++;
    outcomes->accepted_right += match->accepted && right;
    outcomes->accepted_wrong += match->accepted && !right;
    outcomes->called_right += called && right;
    outcomes->called_wrong += called && !right;
    outcomes->difficult += !match->accepted && !called;
}

/* Is the card on its issuer's list or not, as it shall be? Else what is measured is not what is meant. */
static bool is_as_meant(struct tally *tally, const struct gk_bench_issuer *issuer, const char *number,
                        bool registered)
{
    guika_v1_internal_Candidate candidate = {.kind = issuer->kind};
    struct gk_registration registration = {.registered = false};

    (void)snprintf(candidate.scheme, sizeof candidate.scheme, "%s", issuer->scheme);
    (void)snprintf(candidate.number, sizeof candidate.number, "%s", number);
    if (gk_registry_look_up(tally->registry, &candidate, &registration, &tally->error) != GK_OK) {
        return false;
    }
    if (registration.registered != registered) {
        (void)gk_error_set(&tally->error, GK_INTERNAL, "%s is %sregistered", number,
                           registered ? "not " : "");
        return false;
    }
    return true;
}

static void visit(void *context, const struct gk_bench_record *record)
{
    struct tally *tally = context;
    const size_t issuer = gk_bench_series_issuer(record->index);
    const bool registered = gk_bench_series_registered(record->index);
    struct gk_mint_card card;
    struct gk_match match;

    gk_bench_series_card(tally->series, record->index, &card);
    if (tally->failed || !is_as_meant(tally, gk_bench_issuer(issuer), card.number, registered) ||
        gk_bench_decide(tally->registry, record, &match, &tally->error) != GK_OK) {
        tally->failed = true;
        return;
    }
    const bool right =
        match.candidate != SIZE_MAX && strcmp(record->candidates[match.candidate].number, card.number) == 0 &&
        strcmp(record->candidates[match.candidate].scheme, gk_bench_issuer(issuer)->scheme) == 0;

    count(registered ? &tally->registered[issuer] : &tally->unregistered[issuer], &match, right);
}

static void add(struct outcomes *sum, const struct outcomes *outcomes)
{
    sum->cards += outcomes->cards;
    sum->accepted_right += outcomes->accepted_right;
    sum->accepted_wrong += outcomes->accepted_wrong;
    sum->called_right += outcomes->called_right;
    sum->called_wrong += outcomes->called_wrong;
    sum->difficult += outcomes->difficult;
}

static void print_row(const char *name, const struct outcomes *outcomes)
{
    (void)printf("  %-24s %9llu %10llu %10llu %12llu %12llu %10llu\n", name,
                 (unsigned long long)outcomes->cards, (unsigned long long)outcomes->accepted_right,
                 (unsigned long long)outcomes->accepted_wrong, (unsigned long long)outcomes->called_right,
                 (unsigned long long)outcomes->called_wrong, (unsigned long long)outcomes->difficult);
}

/* Returns how many were accepted wrongly. */
static uint64_t print_table(const char *title, const struct outcomes outcomes[GK_BENCH_ISSUERS])
{
    struct outcomes sum = {.cards = 0};

    (void)printf("%-26s %9s %10s %10s %12s %12s %10s\n", title, "cards", "acc. right", "acc. wrong",
                 "unreg. right", "unreg. wrong", "difficult");
    for (size_t i = 0; i < GK_BENCH_ISSUERS; i++) {
        print_row(gk_bench_issuer(i)->account, &outcomes[i]);
        add(&sum, &outcomes[i]);
    }
    print_row("all", &sum);
    return sum.accepted_wrong;
}

bool gk_bench_deposits_print(const struct gk_bench_series *series, const struct gk_bench_journal *journal,
                             struct gk_bench_listing *listing, uint64_t *wrong)
{
    struct tally *tally = calloc(1, sizeof *tally);

    if (tally == NULL) {
        abort();
    }
    tally->series = series;
    tally->registry = listing->registry;
    gk_bench_journal_visit(journal, visit, tally);
    const bool good = !tally->failed;

    if (good) {
        (void)printf("registry: %llu cards\n", (unsigned long long)gk_registry_cards(listing->registry));
        *wrong += print_table("registered", tally->registered);
        /* Nobody's card: whatever it is accepted for is wrong. */
        *wrong += print_table("unregistered", tally->unregistered);
    } else {
        (void)fprintf(stderr, "calibration: registry: %s\n", tally->error.message);
    }
    free(tally);
    return good;
}

#include "core/recognition/candidates.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Priors, estimated and not measured: the chance that a run of figures on a card is not the kind of number
 * that some rule describes (a telephone number, a date, another issuer's). Long runs are hardly ever anything
 * else.
 */
#define ALIEN_LONG 0.02      /* 15 characters and more */
#define ALIEN_MIDDLE 0.3     /* 10 to 14 */
#define ALIEN_SHORT 1.0      /* up to 9: as likely as not */
#define ALIEN_GROUPED 0.2    /* times this, where it is grouped as the rule says */
#define ALIEN_BRACKETS 0.002 /* or this, where the grouping has brackets: hardly anything else has */
#define ALIEN_BARE 10        /* or this, where the rule demands brackets and there are none */
/* Or this, where the grouping is none of the rule's and the rule also has numbers one character shorter or
 * longer: then a lost or doubled character makes another good number one time in ten. */
#define ALIEN_LENGTH_OPEN 100
/* Share of good numbers that fail a check that only weighs. Unknown; card-validator#112 shows that there are
 * some. */
#define GOOD_BUT_FAILS 0.01
/* A second sight of a line may repeat the first one's error. */
#define SECOND_SIGHT 0.7

/* Paths are the likeliest characters with up to two exchanged. */
#define ALTERNATIVES 2 /* a place, besides the likeliest */

struct search {
    const struct gk_lattice *lattice;
    const struct gk_candidate_rules *rules;
    struct gk_line_verdict *verdict;
    char best[GK_NUMBER_SIZE];
    double total;   /* weight of all candidates, kept or not */
    double seen;    /* probability of all paths that were weighed */
    double density; /* the largest prefix density among them: what unseen paths would weigh */
};

static bool demands_brackets(const struct guika_rule *rule)
{
    for (size_t i = 0; i < rule->grouping_count; i++) {
        if (strchr(rule->groupings[i], '(') == NULL) {
            return false;
        }
    }
    return rule->grouping_count > 0;
}

static bool admits_length(const struct guika_rule *rule, int length)
{
    for (size_t i = 0; i < rule->length_count; i++) {
        if (rule->lengths[i] == length) {
            return true;
        }
    }
    return false;
}

static double alien_prior(const struct gk_lattice *lattice, const struct guika_rule *rule)
{
    double prior = lattice->count >= 15 ? ALIEN_LONG : lattice->count >= 10 ? ALIEN_MIDDLE : ALIEN_SHORT;
    bool brackets = strchr(lattice->grouping, '(') != NULL;
    if (rule == NULL) {
        return prior;
    }
    if (!gk_rules_grouping_known(rule, lattice->grouping)) {
        if (demands_brackets(rule) && !brackets) {
            return prior * ALIEN_BARE;
        }
        return admits_length(rule, lattice->count - 1) || admits_length(rule, lattice->count + 1)
                   ? prior * ALIEN_LENGTH_OPEN
                   : prior;
    }
    bool telling = strchr(lattice->grouping, '-') != NULL || lattice->count >= 15;
    return prior * (brackets ? ALIEN_BRACKETS : telling ? ALIEN_GROUPED : 1);
}

/* How much likelier the number is among the issuer's than any string of its prefixes would be. */
static double check_density(const struct gk_judgement *judgement)
{
    const struct guika_rule *rule = judgement->rule;
    double values = rule->check == GUIKA_CHECK_ISO7064_MOD11_2 ? 11 : 10;
    if (rule->check == GUIKA_CHECK_NONE) {
        return 1;
    }
    if (rule->force == GUIKA_CHECK_BINDS) {
        return values;
    }
    return judgement->check_passes ? values * (1 - GOOD_BUT_FAILS) : values / (values - 1) * GOOD_BUT_FAILS;
}

static void keep(struct search *search, const char *number, const struct guika_issuer *issuer, double weight)
{
    struct gk_line_verdict *verdict = search->verdict;
    size_t at = verdict->count;
    search->total += weight;
    if (at == GK_CANDIDATES_MOST) {
        if (verdict->candidates[--at].probability >= weight) {
            return;
        }
    } else {
        verdict->count++;
    }
    while (at > 0 && verdict->candidates[at - 1].probability < weight) {
        verdict->candidates[at] = verdict->candidates[at - 1];
        at--;
    }
    struct gk_candidate candidate = {.issuer = issuer, .probability = weight};
    (void)snprintf(candidate.number, sizeof candidate.number, "%s", number);
    candidate.forced = strcmp(number, search->best) != 0;
    verdict->candidates[at] = candidate;
}

/* Checks are off: prefixes only name the issuer. */
static void weigh_unchecked(struct search *search, const char *number, double probability)
{
    const struct guika_issuer *named = NULL;
    size_t longest = 0;
    for (size_t i = 0; i < search->rules->issuer_count; i++) {
        struct gk_judgement judgement;
        if (gk_rules_judge(search->rules->issuers[i], number, &judgement) != GK_FIT_NONE &&
            (named == NULL || judgement.prefix_length > longest)) {
            named = search->rules->issuers[i];
            longest = judgement.prefix_length;
        }
    }
    keep(search, number, named, probability);
}

static void weigh(struct search *search, const char *number, double probability)
{
    search->seen += probability;
    if (search->rules->no_check) {
        weigh_unchecked(search, number, probability);
        return;
    }
    struct gk_judgement matches[4];
    bool check_failed;
    size_t count = gk_rules_match(search->rules->issuers, search->rules->issuer_count, number, matches,
                                  sizeof matches / sizeof *matches, &check_failed);
    for (size_t i = 0; i < count; i++) {
        /* Relative to aliens, of which only a few begin with the prefix and are grouped so. */
        double density =
            1 / gk_rules_prefix_share(matches[i].rule) / alien_prior(search->lattice, matches[i].rule);
        search->density = fmax(search->density, density);
        keep(search, number, matches[i].issuer, probability * check_density(&matches[i]) * density);
    }
    if (strcmp(number, search->best) == 0) {
        search->verdict->check_failed = count == 0 && check_failed;
        search->verdict->unknown_issuer = count == 0 && !check_failed;
    }
}

/* The `rank`th likeliest character of a place, 0 the best. */
static int ranked(const struct gk_lattice_place *place, int rank)
{
    bool used[GK_LATTICE_CHARACTERS] = {false};
    int best = 0;
    for (int i = 0; i <= rank; i++) {
        best = -1;
        for (int digit = 0; digit < GK_LATTICE_CHARACTERS; digit++) {
            if (!used[digit] && (best < 0 || place->share[digit] > place->share[best])) {
                best = digit;
            }
        }
        used[best] = true;
    }
    return best;
}

static void exchange_two(struct search *search, double probability)
{
    const struct gk_lattice *lattice = search->lattice;
    char number[GK_NUMBER_SIZE];
    (void)snprintf(number, sizeof number, "%s", search->best);
    for (int i = 0; i < lattice->count; i++) {
        double best_i = lattice->places[i].share[ranked(&lattice->places[i], 0)];
        for (int a = 1; a <= ALTERNATIVES; a++) {
            int digit_i = ranked(&lattice->places[i], a);
            double with_one = probability / best_i * lattice->places[i].share[digit_i];
            if (with_one < probability * 1e-3) {
                continue;
            }
            number[i] = "0123456789X"[digit_i];
            for (int j = i + 1; j < lattice->count; j++) {
                int best_j = ranked(&lattice->places[j], 0), digit_j = ranked(&lattice->places[j], 1);
                number[j] = "0123456789X"[digit_j];
                weigh(search, number,
                      with_one / lattice->places[j].share[best_j] * lattice->places[j].share[digit_j]);
                number[j] = search->best[j];
            }
        }
        number[i] = search->best[i];
    }
}

static void exchange_one(struct search *search, double probability)
{
    const struct gk_lattice *lattice = search->lattice;
    char number[GK_NUMBER_SIZE];
    (void)snprintf(number, sizeof number, "%s", search->best);
    for (int i = 0; i < lattice->count; i++) {
        int best = ranked(&lattice->places[i], 0);
        for (int digit = 0; digit < GK_LATTICE_CHARACTERS; digit++) {
            bool allowed = digit != best && (digit < 10 || i + 1 == lattice->count);
            if (allowed) {
                number[i] = "0123456789X"[digit];
                weigh(search, number,
                      probability / lattice->places[i].share[best] * lattice->places[i].share[digit]);
            }
        }
        number[i] = search->best[i];
    }
}

void gk_candidates_from_lattice(const struct gk_lattice *lattice, const struct gk_candidate_rules *rules,
                                struct gk_line_verdict *ret_verdict)
{
    assert(lattice->count > 0);
    *ret_verdict = (struct gk_line_verdict){0};
    struct search search = {.lattice = lattice, .rules = rules, .verdict = ret_verdict};
    double probability = gk_lattice_best(lattice, search.best);
    weigh(&search, search.best, probability);
    exchange_one(&search, probability);
    exchange_two(&search, probability);
    /* What is not on the list: paths not weighed, slips, and (alien) numbers that no rule describes. */
    double density = fmax(search.density, 1);
    double unseen = (fmax(0, 1 - search.seen) + lattice->slip) * density;
    double alien = rules->no_check ? alien_prior(lattice, NULL) : 1;
    double sum = search.total + unseen + alien;
    for (size_t i = 0; i < ret_verdict->count; i++) {
        ret_verdict->candidates[i].probability /= sum;
    }
}

static struct gk_candidate *find(struct gk_candidate_list *list, const struct gk_candidate *wanted)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].number, wanted->number) == 0 && list->items[i].issuer == wanted->issuer) {
            return &list->items[i];
        }
    }
    return NULL;
}

static int compare_candidates(const void *a, const void *b)
{
    const struct gk_candidate *x = a, *y = b;
    return (x->probability < y->probability) - (x->probability > y->probability);
}

/* Rivals share what is certain: a place's probabilities sum to at most 1. */
static void share_place(struct gk_candidate_list *list, uint32_t place)
{
    double total = 0;
    for (size_t i = 0; i < list->count; i++) {
        total += list->items[i].place == place ? list->items[i].probability : 0;
    }
    for (size_t i = 0; i < list->count && total > 1; i++) {
        if (list->items[i].place == place) {
            list->items[i].probability /= total;
        }
    }
}

static void insert(struct gk_candidate_list *list, const struct gk_candidate *candidate)
{
    if (list->count < GK_CANDIDATES_MOST) {
        list->items[list->count++] = *candidate;
        return;
    }
    size_t worst = 0;
    for (size_t i = 1; i < list->count; i++) {
        worst = list->items[i].probability < list->items[worst].probability ? i : worst;
    }
    if (candidate->probability > list->items[worst].probability) {
        list->items[worst] = *candidate;
    }
}

void gk_candidates_add(struct gk_candidate_list *list, const struct gk_line_verdict *verdict)
{
    if (verdict->count == 0) {
        return;
    }
    uint32_t place = list->places;
    double most = 0;
    for (size_t i = 0; i < verdict->count; i++) {
        const struct gk_candidate *known = find(list, &verdict->candidates[i]);
        if (known != NULL && verdict->candidates[i].probability > most) {
            place = known->place;
            most = verdict->candidates[i].probability;
        }
    }
    list->places += place == list->places;
    for (size_t i = 0; i < verdict->count; i++) {
        struct gk_candidate candidate = verdict->candidates[i];
        candidate.place = place;
        struct gk_candidate *known = find(list, &candidate);
        if (known == NULL) {
            insert(list, &candidate);
            continue;
        }
        double more = fmax(known->probability, candidate.probability);
        double less = fmin(known->probability, candidate.probability);
        known->probability = 1 - (1 - more) * (1 - SECOND_SIGHT * less);
        known->forced = known->forced && candidate.forced;
    }
    share_place(list, place);
    qsort(list->items, list->count, sizeof *list->items, compare_candidates);
}

/*
 * The list over several sights of a card.
 *
 * Two sights of one place say p and q, each a distribution over the numbers it names and `other`, all the
 * rest. Were they independent, the numbers would have p(n) q(n), scaled; a number that only one sight names
 * has a small part of the other's rest, and that both have the same unnamed number in mind is rarer still.
 * But a second sight often says again what the first one said, errors and all. So with the probability
 * GK_SIGHT_REPEATS (or what a witness's is) only the surer of the two is believed, else both:
 *
 *     repeats * (the surer of p and q)  +  (1 - repeats) * p q / sum.
 *
 * Two sights that agree at 0.99 give 0.9975. One that was certain keeps its number against any other; against
 * one that is nearly as sure of another number it may lose the certainty.
 *
 * All of this is about how the figures read. Whether figures that read so are a card's number at all, and not
 * a telephone number, is no clearer for being read again: what the surer sight has for that stays.
 */
#include "core/recognition/candidates.h"

#include "core/recognition/calibration.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A place counts as seen again by a shared number from this product of its two probabilities on. */
#define LEAST_SHARED 1e-6
/* Or where this share of the characters differs at most: two readings of one number. */
#define MOST_DIFFERENT 0.25
/* From here on a witness takes away that a number was forced. */
#define LEAST_WITNESS 0.5

/* What a sight says of a place. */
struct sight {
    const struct gk_candidate *items;
    size_t count;
    uint32_t place; /* only those items of it */
    double alien;   /* that it holds no issuer's number; what is said of numbers is said for where it does */
};

/* What is said of a place of `items`. */
static struct sight sight_of(const struct gk_candidate *items, size_t count, uint32_t place)
{
    struct sight sight = {items, count, place, 0};
    for (size_t i = 0; i < count; i++) {
        sight.alien = items[i].place == place ? items[i].alien : sight.alien;
    }
    return sight;
}

/* The probability of one of its items where the place holds an issuer's number. */
static double given_number(const struct sight *sight, const struct gk_candidate *item)
{
    return sight->alien < 1 ? item->probability / (1 - sight->alien) : 0;
}

static const struct gk_candidate *find(const struct sight *sight, const struct gk_candidate *wanted)
{
    for (size_t i = 0; i < sight->count; i++) {
        const struct gk_candidate *item = &sight->items[i];
        if (item->place == sight->place && strcmp(item->number, wanted->number) == 0 &&
            item->issuer == wanted->issuer) {
            return item;
        }
    }
    return NULL;
}

/* What it leaves to numbers that it does not name. */
static double rest_of(const struct sight *sight)
{
    double total = 0;
    for (size_t i = 0; i < sight->count; i++) {
        total += sight->items[i].place == sight->place ? given_number(sight, &sight->items[i]) : 0;
    }
    return fmax(0, 1 - total);
}

/* The likeliest, NULL: none. */
static const struct gk_candidate *top_of(const struct sight *sight)
{
    const struct gk_candidate *top = NULL;
    for (size_t i = 0; i < sight->count; i++) {
        const struct gk_candidate *item = &sight->items[i];
        if (item->place == sight->place && (top == NULL || item->probability > top->probability)) {
            top = item;
        }
    }
    return top;
}

static bool is_surer(const struct sight *p, const struct sight *q)
{
    const struct gk_candidate *top_p = top_of(p), *top_q = top_of(q);
    return top_q == NULL || (top_p != NULL && top_p->probability >= top_q->probability);
}

static int compare_candidates(const void *a, const void *b)
{
    const struct gk_candidate *x = a, *y = b;
    return (x->probability < y->probability) - (x->probability > y->probability);
}

/* Both name it: is it still forced, and from what? */
static void join_forced(struct gk_candidate *candidate, const struct gk_candidate *other)
{
    bool same_misreading = strcmp(candidate->read_as, other->read_as) == 0;
    candidate->forced = candidate->forced && other->forced && same_misreading;
    if (!candidate->forced) {
        candidate->read_as[0] = '\0';
    }
}

struct joined {
    struct gk_candidate items[2 * GK_CANDIDATES_MOST];
    double independent[2 * GK_CANDIDATES_MOST]; /* p q of each */
    double surer[2 * GK_CANDIDATES_MOST];       /* what the surer sight gives it */
    size_t count;
    double total; /* of p q, unnamed numbers included */
};

static void join_items(struct joined *joined, const struct sight *from, const struct sight *other,
                       bool from_is_surer, bool skip_shared)
{
    double rest = rest_of(other);
    for (size_t i = 0; i < from->count; i++) {
        const struct gk_candidate *item = &from->items[i];
        if (item->place != from->place) {
            continue;
        }
        const struct gk_candidate *also = find(other, item);
        if (also != NULL && skip_shared) {
            continue;
        }
        double here = given_number(from, item);
        double there = also != NULL ? given_number(other, also) : 0;
        size_t at = joined->count++;
        joined->items[at] = *item;
        joined->independent[at] = here * (also != NULL ? there : rest * GK_SIGHT_UNNAMED);
        joined->surer[at] = from_is_surer ? here : there;
        joined->total += joined->independent[at];
        if (also != NULL) {
            join_forced(&joined->items[at], also);
        }
    }
}

/* One distribution from two sights of a place, where that holds an issuer's number but for `alien`. */
static void join(const struct sight *p, const struct sight *q, double repeats, double alien,
                 struct joined *ret_joined)
{
    bool p_is_surer = is_surer(p, q);
    ret_joined->count = 0;
    ret_joined->total = rest_of(p) * rest_of(q) * GK_SIGHT_UNNAMED * GK_SIGHT_UNNAMED;
    join_items(ret_joined, p, q, p_is_surer, false);
    join_items(ret_joined, q, p, !p_is_surer, true);
    for (size_t i = 0; i < ret_joined->count; i++) {
        double both = ret_joined->total > 0 ? ret_joined->independent[i] / ret_joined->total : 0;
        ret_joined->items[i].probability =
            (1 - alien) * (repeats * ret_joined->surer[i] + (1 - repeats) * both);
        ret_joined->items[i].alien = alien;
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

/* Adds the sight to a place of the list, or as a new one. `alien`: that the place holds no issuer's number,
 * after both. */
static void add_sight(struct gk_candidate_list *list, uint32_t place, const struct sight *seen,
                      double repeats, double alien)
{
    struct joined joined;
    const struct sight before = sight_of(list->items, list->count, place);
    if (top_of(&before) == NULL) {
        joined.count = 0;
        for (size_t i = 0; i < seen->count; i++) {
            joined.items[joined.count++] = seen->items[i];
        }
    } else {
        join(&before, seen, repeats, alien, &joined);
    }
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].place != place) {
            list->items[kept++] = list->items[i];
        }
    }
    list->count = kept;
    for (size_t i = 0; i < joined.count; i++) {
        joined.items[i].place = place;
        insert(list, &joined.items[i]);
    }
    qsort(list->items, list->count, sizeof *list->items, compare_candidates);
}

static bool is_alike(const char *a, const char *b)
{
    size_t length = strlen(a), different = 0;
    for (size_t i = 0; i < length && b[i] != '\0'; i++) {
        different += a[i] != b[i];
    }
    return strlen(b) == length && (double)different <= MOST_DIFFERENT * (double)length;
}

/* The place that the sight is of; list->places: a new one. */
static uint32_t place_of(const struct gk_candidate_list *list, const struct sight *seen)
{
    const struct gk_candidate *top = top_of(seen);
    uint32_t shared = list->places, alike = list->places;
    double most = LEAST_SHARED;
    for (size_t i = 0; i < list->count; i++) {
        const struct gk_candidate *item = &list->items[i], *also = find(seen, item);
        const struct sight place = {list->items, list->count, item->place, 0};
        double product = also != NULL ? item->probability * also->probability : 0;
        if (product > most) {
            most = product;
            shared = item->place;
        }
        if (alike == list->places && top_of(&place) == item && is_alike(item->number, top->number)) {
            alike = item->place;
        }
    }
    return shared != list->places ? shared : alike;
}

void gk_candidates_add(struct gk_candidate_list *list, const struct gk_line_verdict *verdict)
{
    if (verdict->count == 0) {
        return;
    }
    const struct sight seen = sight_of(verdict->candidates, verdict->count, verdict->candidates[0].place);
    uint32_t place = place_of(list, &seen);
    const struct sight before = sight_of(list->items, list->count, place);
    list->places += place == list->places;
    add_sight(list, place, &seen, GK_SIGHT_REPEATS, is_surer(&before, &seen) ? before.alien : seen.alien);
}

bool gk_candidates_witness(struct gk_candidate_list *list, const char *number, double strength,
                           enum gk_witness witness)
{
    assert(strength >= 0 && strength <= 1);
    struct gk_candidate said[GK_CANDIDATES_MOST];
    struct sight seen = {said, 0, 0, 0};
    double total = 0;
    /* The likeliest place of the number, and there all issuers that have it. */
    for (size_t i = 0; i < list->count; i++) {
        const struct gk_candidate *item = &list->items[i];
        if (strcmp(item->number, number) == 0 && (seen.count == 0 || item->place == seen.place)) {
            said[seen.count++] = *item;
            seen.place = item->place;
            total += item->probability;
        }
    }
    for (size_t i = 0; i < seen.count; i++) {
        said[i].probability = total > 0 ? strength * said[i].probability / total : 0;
        said[i].forced = said[i].forced && strength < LEAST_WITNESS;
    }
    if (seen.count > 0) {
        bool of_code = witness == GK_WITNESS_OF_CODE;
        add_sight(list, seen.place, &seen, of_code ? GK_CODE_REPEATS : GK_SIGHT_REPEATS,
                  said[0].alien * (of_code ? GK_CODE_REPEATS : 1));
    }
    return seen.count > 0;
}

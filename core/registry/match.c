/*
 * From candidates and registrations to a decision.
 *
 * What a registration is worth. The reader says how well each number c fits the pictures: p_c, as if every
 * valid number were equally likely; p_0 = 1 - sum(p_c) is left for numbers that are not on its list. The
 * registry knows better than "equally likely". Let a share rho of the found cards be registered, and let a
 * neighbourhood hold N valid numbers of which a share d is registered. Before any picture is taken,
 *     a registered number of it has the probability   rho / (d N),
 *     an unregistered one                             (1 - rho) / ((1 - d) N),
 * where the reader assumed 1 / N. So Bayes' rule multiplies p_c by
 *     rho / d               where c is registered,
 *     (1 - rho) / (1 - d)   where it is not.
 * Of the numbers behind p_0 we do not know which are registered. On average over the neighbourhood their
 * factor is d * rho / d + (1 - d) * (1 - rho) / (1 - d) = 1, so p_0 stays as it is. The posterior of c is its
 * weight divided by the sum of all weights of its place, p_0 included.
 *
 * In numbers, rho = 0.5.
 *   A bank's list, d = 1e-5. The reader holds A for 0.92 and B for 0.05, and 0.03 is left; A is registered, B
 *   not: 0.92 * 50000 = 46000 against 0.05 * 0.5 + 0.03 = 0.055. A has 0.999999: a number that a misreading
 *   hits by chance is hardly ever registered.
 *   A campus that registered every number, d = 1. The reader holds A for 0.6 and B for 0.3; A registered, B
 * (a gap in the list) not: 0.6 * 0.5 = 0.3 against 0.3 * 50 + 0.1 = 15.1. Nothing is accepted. Had B not been
 * on the list at all, and p_0 = 0.4, A would have 0.3 / 0.7 = 0.43: less than the reader gave it.
 *
 * Where this is careful on purpose:
 *   - d has a floor (DENSITY_MIN), so that one match in empty space is strong, but finite.
 *   - d is the share of a block of numbers that begin alike. Numbers a misread digit away may begin unlike,
 * and nobody counts how many of those are registered: so the registry decides for no number that the reader
 *     gives less than READ_MIN, and for none that no check character protects and whose characters the
 *     reader gives less than UNCHECKED_READ_MIN.
 *   - d is capped in the unregistered factor alone (DENSITY_MAX). The registry estimates d too high rather
 *     than too low, which makes registered numbers lighter and unregistered ones heavier.
 *   - A candidate whose check digit, not the picture, decided a character ("forced") is one of a set that was
 *     filtered by the very rule that all registered numbers pass. It is believed only where it is the only
 *     registered number of its place and its neighbourhood is sparse; it never makes a card UNREGISTERED.
 *
 * Two places of one card. They carry numbers that are not rivals: the errors of places that point to one
 * holder with different numbers are independent and multiply. The same number read twice counts once (its
 * errors are not independent). A place that points to another holder contradicts: AMBIGUOUS.
 */
#include "core/registry/match.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { CANDIDATES_MAX = 20 };

/* The widest block that the registry counts has 10^6 / 10 valid numbers: it sees no density below one in
 * those. */
static const double DENSITY_MIN = 1e-5;
/* An unregistered number in a full block gains at most 1 / (1 - 0.99) = 100 times (1 - rho). */
static const double DENSITY_MAX = 0.99;
/* The most that still counts as sparse for a forced candidate: a chance hit is rarer than one in a thousand.
 */
static const double DENSITY_SPARSE = 1e-3;
/* What the reader must give a number before the registry may decide for it. `./run bench calibration --strips
 * 2400`, registered neighbours a digit away: below 0.9 one reading in four was wrong, from 0.9 to 0.99 one in
 * eighty. */
static const double READ_MIN = 0.9;
/* What the reader must give the characters of a number that no check character protects: there every misread
 * digit makes another good number. `./run bench calibration --strips 100000`, such numbers, registered
 * neighbours a digit away: without this 3 of 16,666 were accepted wrongly, read at 0.937, 0.995 and 0.998. */
static const double UNCHECKED_READ_MIN = 0.999;
/* From this posterior on a place contradicts another one: it is more likely than not. */
static const double CONTRADICTION_MIN = 0.5;
/* From this posterior on a candidate counts as one of several when nothing is certain. */
static const double WEIGHT_MIN = 0.01;

struct evidence {
    const guika_v1_internal_Candidate *candidates;
    const struct gk_registration *registrations;
    size_t count;
    double posterior[CANDIDATES_MAX];
};

/* The reader's probability, made harmless where it is none. */
static double reader_probability(const guika_v1_internal_Candidate *candidate)
{
    const double p = candidate->probability;

    if (!(p > 0)) {
        return 0;
    }
    return p < 1 ? p : 1;
}

static double membership_factor(const struct gk_registration *registration, double registered_share)
{
    const double density = isnan(registration->density) ? 1 : registration->density;

    if (registration->registered) {
        return registered_share / fmax(fmin(density, 1), DENSITY_MIN);
    }
    return (1 - registered_share) / (1 - fmin(fmax(density, 0), DENSITY_MAX));
}

/* Fills in the posterior of each candidate of the place of candidate `first`. */
static void weigh_place(struct evidence *evidence, size_t first, double registered_share)
{
    const uint32_t place = evidence->candidates[first].place;
    double listed = 0;
    double total = 0;

    for (size_t i = first; i < evidence->count; i++) {
        if (evidence->candidates[i].place == place) {
            const double p = reader_probability(&evidence->candidates[i]);

            listed += p;
            evidence->posterior[i] = p * membership_factor(&evidence->registrations[i], registered_share);
            total += evidence->posterior[i];
        }
    }
    /* Where a reader claims more than certainty, its claims are scaled down and nothing is left beside them:
     * that is the same as comparing the weights among themselves. */
    total += fmax(1 - listed, 0);
    for (size_t i = first; i < evidence->count; i++) {
        if (evidence->candidates[i].place == place) {
            evidence->posterior[i] /= total;
        }
    }
}

static bool is_first_of_place(const struct evidence *evidence, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (evidence->candidates[i].place == evidence->candidates[index].place) {
            return false;
        }
    }
    return true;
}

static bool is_only_registered_of_place(const struct evidence *evidence, size_t index)
{
    for (size_t i = 0; i < evidence->count; i++) {
        if (i != index && evidence->candidates[i].place == evidence->candidates[index].place &&
            evidence->registrations[i].registered) {
            return false;
        }
    }
    return true;
}

/* True where the registry's word on the candidate may decide: see above. */
static bool is_trusted(const struct evidence *evidence, size_t index)
{
    const double unchecked = evidence->candidates[index].unchecked_reading;

    if (reader_probability(&evidence->candidates[index]) < READ_MIN ||
        (unchecked > 0 && unchecked < UNCHECKED_READ_MIN)) {
        return false;
    }
    if (!evidence->candidates[index].forced) {
        return true;
    }
    return evidence->registrations[index].registered &&
           evidence->registrations[index].density <= DENSITY_SPARSE &&
           is_only_registered_of_place(evidence, index);
}

static bool is_live(const struct gk_registration *registration)
{
    return registration->registered && !registration->cancelled;
}

static bool same_holder(const struct gk_registration *a, const struct gk_registration *b)
{
    return strcmp(a->issuer_account, b->issuer_account) == 0 &&
           memcmp(a->holder_token, b->holder_token, GK_TOKEN_SIZE) == 0;
}

/* True where a candidate before `index` that supports the same holder is the better one of the same place, or
 * is the same number read at another place: then `index` adds nothing. Candidates are compared by posterior,
 * equal ones by order. */
static bool is_overshadowed(const struct evidence *evidence, size_t index)
{
    for (size_t i = 0; i < evidence->count; i++) {
        const bool better = evidence->posterior[i] > evidence->posterior[index] ||
                            (evidence->posterior[i] >= evidence->posterior[index] && i < index);
        const bool rival = evidence->candidates[i].place == evidence->candidates[index].place ||
                           memcmp(evidence->registrations[i].card_token,
                                  evidence->registrations[index].card_token, GK_TOKEN_SIZE) == 0;

        if (i != index && better && rival && is_live(&evidence->registrations[i]) &&
            is_trusted(evidence, i) &&
            same_holder(&evidence->registrations[i], &evidence->registrations[index])) {
            return true;
        }
    }
    return false;
}

/* The probability that the card belongs to the holder of candidate `index`, over all places. */
static double holder_probability(const struct evidence *evidence, size_t index)
{
    double error = 1;

    for (size_t i = 0; i < evidence->count; i++) {
        if (is_live(&evidence->registrations[i]) && is_trusted(evidence, i) &&
            same_holder(&evidence->registrations[i], &evidence->registrations[index]) &&
            !is_overshadowed(evidence, i)) {
            error *= 1 - evidence->posterior[i];
        }
    }
    return 1 - error;
}

static bool is_contradicted(const struct evidence *evidence, size_t index)
{
    for (size_t i = 0; i < evidence->count; i++) {
        if (evidence->registrations[i].registered && evidence->posterior[i] >= CONTRADICTION_MIN &&
            !same_holder(&evidence->registrations[i], &evidence->registrations[index])) {
            return true;
        }
    }
    return false;
}

enum kind { LIVE, CANCELLED, UNREGISTERED, ANY };

static bool is_of_kind(const struct evidence *evidence, size_t index, enum kind kind)
{
    const struct gk_registration *registration = &evidence->registrations[index];

    switch (kind) {
    case LIVE:
        return is_live(registration) && is_trusted(evidence, index);
    case CANCELLED:
        return registration->registered && registration->cancelled && is_trusted(evidence, index);
    case UNREGISTERED:
        return !registration->registered && is_trusted(evidence, index);
    case ANY:
        break;
    }
    return true;
}

/* The candidate of `kind` with the highest posterior; SIZE_MAX where there is none. */
static size_t likeliest(const struct evidence *evidence, enum kind kind)
{
    size_t best = SIZE_MAX;

    for (size_t i = 0; i < evidence->count; i++) {
        if (is_of_kind(evidence, i, kind) &&
            (best == SIZE_MAX || evidence->posterior[i] > evidence->posterior[best])) {
            best = i;
        }
    }
    return best;
}

static struct gk_match difficult(const struct evidence *evidence, size_t candidate, guika_v1_Reason reason)
{
    return (struct gk_match){.accepted = false,
                             .reason = reason,
                             .candidate = candidate,
                             .probability = candidate == SIZE_MAX ? 0 : evidence->posterior[candidate]};
}

/* The live candidate whose holder is the likeliest; SIZE_MAX where there is none. */
static size_t likeliest_holder(const struct evidence *evidence, double *ret_probability)
{
    size_t best = SIZE_MAX;
    double best_probability = 0;

    for (size_t i = 0; i < evidence->count; i++) {
        if (is_of_kind(evidence, i, LIVE)) {
            const double probability = holder_probability(evidence, i);

            if (best == SIZE_MAX || probability > best_probability ||
                (probability >= best_probability && evidence->posterior[i] > evidence->posterior[best])) {
                best = i;
                best_probability = probability;
            }
        }
    }
    *ret_probability = best_probability;
    return best;
}

static struct gk_match undecided(const struct evidence *evidence, guika_v1_Reason reader_reason)
{
    const size_t best = likeliest(evidence, ANY);
    size_t with_weight = 0;

    if (reader_reason != guika_v1_Reason_REASON_UNSPECIFIED) {
        return difficult(evidence, best, reader_reason);
    }
    for (size_t i = 0; i < evidence->count; i++) {
        with_weight += evidence->posterior[i] >= WEIGHT_MIN;
    }
    return difficult(evidence, best,
                     with_weight >= 2 ? guika_v1_Reason_REASON_AMBIGUOUS : guika_v1_Reason_REASON_UNREADABLE);
}

struct gk_match gk_match_decide(const guika_v1_internal_Candidate *candidates,
                                const struct gk_registration *registrations, size_t count,
                                guika_v1_Reason reader_reason, double threshold, double registered_share)
{
    struct evidence evidence = {.candidates = candidates, .registrations = registrations, .count = count};
    double probability;

    assert(count <= CANDIDATES_MAX);
    assert(threshold >= 0.5 && registered_share > 0 && registered_share < 1);
    for (size_t i = 0; i < count; i++) {
        if (is_first_of_place(&evidence, i)) {
            weigh_place(&evidence, i, registered_share);
        }
    }
    const size_t cancelled = likeliest(&evidence, CANCELLED);

    if (cancelled != SIZE_MAX && evidence.posterior[cancelled] >= threshold) {
        return difficult(&evidence, cancelled, guika_v1_Reason_REASON_CANCELLED);
    }
    const size_t live = likeliest_holder(&evidence, &probability);

    if (live != SIZE_MAX && probability >= threshold) {
        if (is_contradicted(&evidence, live)) {
            return difficult(&evidence, live, guika_v1_Reason_REASON_AMBIGUOUS);
        }
        return (struct gk_match){.accepted = true, .candidate = live, .probability = probability};
    }
    const size_t unregistered = likeliest(&evidence, UNREGISTERED);

    if (unregistered != SIZE_MAX && evidence.posterior[unregistered] >= threshold) {
        return difficult(&evidence, unregistered, guika_v1_Reason_REASON_UNREGISTERED);
    }
    return undecided(&evidence, reader_reason);
}

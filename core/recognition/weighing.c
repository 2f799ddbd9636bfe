/*
 * The weight of a number n, with the alternatives' that it is weighed against:
 *
 *     P(reading | n) P(n)   ~   p(n) * check(n) / prefix / alien
 *
 * p(n) is what the reading gives the string. A string of the rule's length, alphabet and prefix that passes a
 * binding check is ten (eleven) times likelier among the issuer's numbers than among all such strings; one
 * that fails has 0. The prefix is `prefix`, as a share of all strings: what the issuer has there, it has not
 * elsewhere. `alien` is the odds that figures so long and grouped so are no number of the rule at all. In
 * these units a line that carries no issuer's number has weight 1.
 *
 * What was not weighed one by one is taken to be as good, on average, as what was, checks left out: as those
 * of its length, where there were any. Where there were none, nothing is known of its grouping, and it is no
 * better than strings by chance are: of those a rule's prefix takes a share, and divides by it.
 */
#include "core/recognition/weighing.h"

#include "core/recognition/calibration.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* What numbers look like where rules are off: lengths and groupings that are common on cards. */
static const uint8_t usual_lengths[] = {6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};
static const char *const usual_groupings[] = {"4-4-4-4", "6-13", "4-4-4-4-3", "5-4-5-5", "4-6-5",
                                              "4-6-4",   "18",   "9(1)",      "8(1)"};
static const struct guika_rule usual = {.brand = "usual",
                                        .alphabet = "0123456789",
                                        .last_alphabet = "0123456789X",
                                        .lengths = usual_lengths,
                                        .length_count = sizeof usual_lengths,
                                        .groupings = usual_groupings,
                                        .grouping_count = sizeof usual_groupings / sizeof *usual_groupings};

static bool has_length(const struct guika_rule *rule, size_t length)
{
    return memchr(rule->lengths, (int)length, rule->length_count) != NULL;
}

static bool demands_brackets(const struct guika_rule *rule)
{
    for (size_t i = 0; i < rule->grouping_count; i++) {
        if (strchr(rule->groupings[i], '(') == NULL) {
            return false;
        }
    }
    return rule->grouping_count > 0;
}

static double alien_odds_of_length(size_t length)
{
    return length >= 15   ? GK_ALIEN_LONG
           : length >= 10 ? GK_ALIEN_MIDDLE
           : length >= 7  ? GK_ALIEN_SHORT
                          : GK_ALIEN_SHORTEST;
}

/* Odds that figures so long and grouped so are no number of the rule. */
static double alien_odds(const struct guika_rule *rule, const char *number, const char *grouping)
{
    size_t length = strlen(number);
    double odds = alien_odds_of_length(length);
    if (rule->grouping_count == 0) {
        return odds;
    }
    switch (gk_rules_grouping_fit(rule, grouping)) {
    case GK_GROUPING_BRACKETS:
        return odds * GK_ALIEN_BRACKETS;
    case GK_GROUPING_KNOWN:
        /* One group alone tells something only where it is long. */
        return odds * (strchr(grouping, '-') != NULL || length >= 10 ? GK_ALIEN_GROUPED : 1);
    case GK_GROUPING_COARSER:
        return odds * (demands_brackets(rule) ? GK_ALIEN_BARE : GK_ALIEN_UNBROKEN);
    default:
        break;
    }
    /* A lost or doubled character shows as a wrong gap. Where the rule has numbers one shorter or longer it
     * makes another good number one time in ten, and more where the check only weighs. */
    bool length_open = has_length(rule, length - 1) || has_length(rule, length + 1);
    return odds * (length_open ? GK_ALIEN_RAGGED : GK_ALIEN_IRREGULAR);
}

/* Where rules are off: how common cards with so long a number are, beside those with 16 digits. Estimated:
 * nearly every payment card has 16, most Chinese ones 19, the resident ID 18, transit and campus cards 8 to
 * 12; the others belong to few brands (15 American Express, 14 Diners, 13 and 17 hardly any). */
static double commonness(size_t length)
{
    static const double of_lengths[] = {
        [6] = 0.03,  [7] = 0.03,  [8] = 0.2,  [9] = 0.2, [10] = 0.3,  [11] = 0.1, [12] = 0.2,
        [13] = 0.01, [14] = 0.02, [15] = 0.1, [16] = 1,  [17] = 0.01, [18] = 0.3, [19] = 0.5};
    return length < sizeof of_lengths / sizeof *of_lengths ? of_lengths[length] : 0;
}

/* How much likelier the number is among the issuer's than any string of its prefixes would be. */
static double check_density(const struct guika_rule *rule, bool passes)
{
    double values = rule->check == GUIKA_CHECK_ISO7064_MOD11_2 ? 11 : 10;
    if (rule->check == GUIKA_CHECK_NONE) {
        return 1;
    }
    if (rule->force == GUIKA_CHECK_BINDS) {
        return passes ? values : 0;
    }
    return passes ? values * (1 - GK_GOOD_BUT_FAILS) : values / (values - 1) * GK_GOOD_BUT_FAILS;
}

static void keep(struct gk_weighing *weighing, const struct gk_run *run, const char *number,
                 const struct guika_issuer *issuer, double weight)
{
    struct gk_line_verdict *verdict = weighing->verdict;
    struct gk_candidate candidate = {.issuer = issuer, .probability = weight};
    (void)snprintf(candidate.number, sizeof candidate.number, "%s", number);
    candidate.forced = strcmp(number, run->best) != 0;
    if (candidate.forced) {
        (void)snprintf(candidate.read_as, sizeof candidate.read_as, "%s", run->best);
    }
    weighing->total += weight;
    size_t at = 0;
    while (at < verdict->count && (verdict->candidates[at].issuer != issuer ||
                                   strcmp(verdict->candidates[at].number, number) != 0)) {
        at++;
    }
    if (at < verdict->count) {
        /* Another run gave it: the unforced one says how it was read. */
        const struct gk_candidate *known = &verdict->candidates[at];
        candidate.probability += known->probability;
        if (!known->forced) {
            candidate.forced = false;
            candidate.read_as[0] = '\0';
        }
    } else if (at == GK_CANDIDATES_MOST) {
        if (verdict->candidates[--at].probability >= weight) {
            return;
        }
    } else {
        verdict->count++;
    }
    while (at > 0 && verdict->candidates[at - 1].probability < candidate.probability) {
        verdict->candidates[at] = verdict->candidates[at - 1];
        at--;
    }
    verdict->candidates[at] = candidate;
}

/* Rules are off: prefixes only name the issuer. Returns the density. */
static double weigh_unchecked(struct gk_weighing *weighing, const struct gk_run *run, const char *number,
                              const char *grouping, double probability)
{
    const struct guika_issuer *named = NULL;
    size_t longest = 0;
    if (!has_length(&usual, strlen(number))) {
        return 0;
    }
    for (size_t i = 0; i < weighing->rules->issuer_count; i++) {
        struct gk_judgement judgement;
        if (gk_rules_judge(weighing->rules->issuers[i], number, &judgement) != GK_FIT_NONE &&
            (named == NULL || judgement.prefix_length > longest)) {
            named = weighing->rules->issuers[i];
            longest = judgement.prefix_length;
        }
    }
    double density = commonness(strlen(number)) / (alien_odds(&usual, number, grouping) * run->alien_factor);
    keep(weighing, run, number, named, probability * density);
    return density;
}

/* Returns the density before checks: that of the rule that fits best. */
static double weigh_checked(struct gk_weighing *weighing, const struct gk_run *run, const char *number,
                            const char *grouping, double probability)
{
    struct gk_judgement matches[4];
    bool check_failed;
    double most = 0;
    size_t count = gk_rules_match(weighing->rules->issuers, weighing->rules->issuer_count, number, matches,
                                  sizeof matches / sizeof *matches, &check_failed);
    for (size_t i = 0; i < count; i++) {
        const struct guika_rule *rule = matches[i].rule;
        double odds = alien_odds(rule, number, grouping) * run->alien_factor;
        double density = 1 / matches[i].share / odds;
        most = fmax(most, density);
        keep(weighing, run, number, matches[i].issuer,
             probability * check_density(rule, matches[i].check_passes) * density);
    }
    if (count > 0 || !check_failed) {
        return most;
    }
    for (size_t i = 0; i < weighing->rules->issuer_count; i++) {
        struct gk_judgement judgement;
        if (gk_rules_judge(weighing->rules->issuers[i], number, &judgement) == GK_FIT_CHECK_FAILED) {
            double odds = alien_odds(judgement.rule, number, grouping) * run->alien_factor;
            most = fmax(most, 1 / gk_rules_prefix_share(judgement.rule) / odds);
        }
    }
    return most;
}

void gk_weighing_begin(struct gk_weighing *weighing, const struct gk_candidate_rules *rules,
                       struct gk_line_verdict *ret_verdict)
{
    ret_verdict->count = 0;
    *weighing = (struct gk_weighing){.rules = rules, .verdict = ret_verdict};
}

void gk_weighing_add(struct gk_weighing *weighing, struct gk_run *run, const char *number,
                     const char *grouping, double probability)
{
    assert(number[0] != '\0' && run->alien_factor > 0);
    double density = weighing->rules->no_check ? weigh_unchecked(weighing, run, number, grouping, probability)
                                               : weigh_checked(weighing, run, number, grouping, probability);
    run->seen[strlen(number)] += probability;
    run->density[strlen(number)] += probability * density;
}

void gk_weighing_close_run(struct gk_weighing *weighing, const struct gk_run *run,
                           const double unseen[GK_NUMBER_SIZE], double unseen_of_any)
{
    double seen = 0, density = 0;
    for (size_t length = 0; length < GK_NUMBER_SIZE; length++) {
        seen += run->seen[length];
        density += run->density[length];
    }
    double mean = seen > 0 ? density / seen : 0;
    weighing->unseen += unseen_of_any * mean;
    for (size_t length = 0; length < GK_NUMBER_SIZE && unseen != NULL; length++) {
        bool known = run->seen[length] > 0;
        double by_chance = 1 / (alien_odds_of_length(length) * GK_ALIEN_IRREGULAR * run->alien_factor);
        weighing->unseen += unseen[length] * (known ? run->density[length] / run->seen[length] : by_chance);
    }
}

void gk_weighing_end(struct gk_weighing *weighing)
{
    double alien = 1, sum = weighing->total + weighing->unseen + alien;
    for (size_t i = 0; i < weighing->verdict->count; i++) {
        weighing->verdict->candidates[i].probability /= sum;
        weighing->verdict->candidates[i].alien = alien / sum;
    }
}

void gk_weighing_explain(struct gk_weighing *weighing, const char *best)
{
    struct gk_judgement match;
    bool check_failed = false;
    size_t count = gk_rules_match(weighing->rules->issuers, weighing->rules->issuer_count, best, &match, 1,
                                  &check_failed);
    bool explained = count > 0 || weighing->rules->no_check;
    weighing->verdict->check_failed = !explained && check_failed;
    weighing->verdict->unknown_issuer = !explained && !check_failed;
}

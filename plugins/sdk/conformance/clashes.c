/* With whom of the shelf would this issuer quarrel over a number? */
#include "core/recognition/descriptor.h"
#include "plugins/sdk/conformance/numbers.h"
#include "plugins/sdk/conformance/steps.h"

#include <string.h>

#define SHARED_MOST 0.25 /* of its numbers that an issuer of another scheme may have as well */

static bool share_a_length(const struct guika_rule *a, const struct guika_rule *b)
{
    for (size_t i = 0; i < a->length_count; i++) {
        if (memchr(b->lengths, a->lengths[i], b->length_count) != NULL) {
            return true;
        }
    }
    return false;
}

/* Of one scheme the longest prefix wins; prefixes of one length that overlap leave it open who does. */
static void look_at_rules(struct gk_trial *trial, const struct guika_rule *ours,
                          const struct guika_issuer *other, const struct guika_rule *theirs)
{
    if (!share_a_length(ours, theirs)) {
        return;
    }
    if (ours->prefix_count == 0 && theirs->prefix_count == 0) {
        gk_trial_note(trial, true, "rule \"%s\" has no prefix and neither has \"%s\" of %s, in one scheme",
                      ours->brand, theirs->brand, other->id);
    }
    for (size_t i = 0; i < ours->prefix_count; i++) {
        for (size_t j = 0; j < theirs->prefix_count; j++) {
            const struct guika_prefix_range *a = &ours->prefixes[i], *b = &theirs->prefixes[j];
            if (strlen(a->first) == strlen(b->first) && strcmp(a->first, b->last) <= 0 &&
                strcmp(b->first, a->last) <= 0) {
                gk_trial_note(
                    trial, true,
                    "rule \"%s\" claims %s-%s, and so does \"%s\" of %s with %s-%s, in one scheme: take "
                    "longer prefixes",
                    ours->brand, a->first, a->last, theirs->brand, other->id, b->first, b->last);
            }
        }
    }
}

static void look_at_scheme(struct gk_trial *trial, const struct guika_issuer *ours,
                           const struct guika_issuer *other)
{
    for (size_t i = 0; i < ours->rule_count; i++) {
        for (size_t j = 0; j < other->rule_count; j++) {
            look_at_rules(trial, &ours->rules[i], other, &other->rules[j]);
        }
    }
}

static void look_at_numbers(struct gk_trial *trial, const struct guika_issuer *ours,
                            const struct guika_issuer *other)
{
    size_t valid = 0, shared = 0;
    for (size_t i = 0; i < GK_STEP_NUMBERS; i++) {
        char number[GK_NUMBER_SIZE];
        struct gk_judgement judgement;
        gk_numbers_make(&ours->rules[i % ours->rule_count], i, number);
        bool is_ours = gk_rules_judge(ours, number, &judgement) == GK_FIT_VALID;
        valid += is_ours;
        shared += is_ours && gk_rules_judge(other, number, &judgement) == GK_FIT_VALID;
    }
    if (valid > 0 && (double)shared > SHARED_MOST * (double)valid) {
        gk_trial_note(
            trial, false,
            "%zu of %zu of its numbers are numbers of %s (scheme %s) as well: cards of both are told apart "
            "by a registry alone",
            shared, valid, other->id, other->scheme);
    }
}

void gk_step_clashes(void *options, struct gk_trial *trial)
{
    const struct gk_conformance_options *from = options;
    const struct guika_issuer *ours = gk_step_open(from, trial, gk_rules_check_parts);
    struct gk_plugin **plugins = NULL;
    struct gk_error error = {0};
    size_t count = 0, others = 0;
    bool replaces = false;
    if (ours == NULL) {
        return;
    }
    gk_trial_doing(trial, "the shelf was being loaded");
    if (gk_plugin_open_all(from->issuers, gk_descriptor_kind(), NULL, NULL, &plugins, &count, &error) !=
        GK_OK) {
        gk_trial_note(trial, false, "no shelf to compare with: %s", error.message);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const struct guika_issuer *other =
            (const struct guika_issuer *)(const void *)gk_plugin_head(plugins[i]);
        gk_trial_doing(trial, "it was compared with %s", other->id);
        if (strcmp(other->id, ours->id) == 0) {
            replaces = true;
            continue;
        }
        others++;
        if (strcmp(other->scheme, ours->scheme) == 0) {
            look_at_scheme(trial, ours, other);
        } else {
            look_at_numbers(trial, ours, other);
        }
    }
    gk_trial_sum_up(trial, "none with %zu issuers of the shelf%s", others,
                    replaces ? "; it takes the place of one of its name" : "");
}

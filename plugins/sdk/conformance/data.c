/* The steps that look at the descriptor's data: descriptor, layouts, rules. */
#include "core/recognition/descriptor.h"
#include "plugins/sdk/conformance/numbers.h"
#include "plugins/sdk/conformance/steps.h"

#include <stdio.h>
#include <string.h>

#define LEAST_LINE_MM 2.0f   /* height of a region around a line of digits */
#define LEAST_WIDTH_MM 10.0f /* of one */
#define ID1_WIDTH_MM 85.60f  /* ISO/IEC 7810 */
#define ID1_HEIGHT_MM 53.98f
#define SLACK_MM 0.1f /* as the loader has it */

static bool has_name(const struct guika_issuer *issuer, const char *language)
{
    for (size_t i = 0; i < issuer->name_count; i++) {
        if (strcmp(issuer->names[i].language, language) == 0) {
            return true;
        }
    }
    return false;
}

void gk_step_descriptor(void *options, struct gk_trial *trial)
{
    const struct gk_conformance_options *from = options;
    const struct guika_issuer *issuer = gk_step_open(from, trial, NULL);
    const char *slash = strrchr(from->file, '/'), *name = slash == NULL ? from->file : slash + 1;
    char wanted[64];
    size_t codes = 0;
    struct gk_error error = {0};
    if (issuer == NULL) {
        return;
    }
    snprintf(trial->about.id, sizeof trial->about.id, "%s", issuer->id);
    trial->about.abi_major = issuer->abi_major;
    trial->about.abi_minor = issuer->abi_minor;
    gk_trial_doing(trial, "its descriptor was being read");
    if (gk_rules_check_parts((const struct gk_plugin_head *)(const void *)issuer, &error) != GK_OK) {
        gk_trial_note(trial, true, "%s", error.message);
        return;
    }
    snprintf(trial->about.version, sizeof trial->about.version, "%s", issuer->version);
    snprintf(trial->about.scheme, sizeof trial->about.scheme, "%s", issuer->scheme);
    trial->about.layouts = (unsigned)issuer->layout_count;
    snprintf(wanted, sizeof wanted, "%s.so", issuer->id);
    if (strcmp(name, wanted) != 0) {
        gk_trial_note(trial, false, "the file is called %.64s; name it %s, after its id", name, wanted);
    }
    if (!has_name(issuer, "zh") || !has_name(issuer, "en")) {
        gk_trial_note(trial, false, "has no name in %s: notices in that language show another one",
                      has_name(issuer, "en") ? "Chinese (zh)" : "English (en)");
    }
    (void)gk_descriptor_barcodes(issuer, &codes);
    gk_trial_sum_up(trial, "%s %s, scheme %s, interface %u.%u; rules: %zu, layouts: %zu, bar codes: %zu",
                    issuer->id, issuer->version, issuer->scheme, issuer->abi_major, issuer->abi_minor,
                    issuer->rule_count, issuer->layout_count, codes);
}

/* ---- layouts ---- */

static void look_at_region(struct gk_trial *trial, const struct guika_layout *layout,
                           const struct guika_region *region, const char *what, size_t index)
{
    float width = layout->portrait ? ID1_HEIGHT_MM : ID1_WIDTH_MM;
    float height = layout->portrait ? ID1_WIDTH_MM : ID1_HEIGHT_MM;
    /* Written so that NaN lies outside as well. */
    if (!(region->left_mm >= 0 && region->top_mm >= 0 && region->width_mm > 0 && region->height_mm > 0 &&
          region->left_mm + region->width_mm <= width + SLACK_MM &&
          region->top_mm + region->height_mm <= height + SLACK_MM)) {
        gk_trial_note(
            trial, true,
            "layout \"%.32s\": %s %zu (left %.2f, top %.2f, %.2f x %.2f mm) lies outside the card of %.2f x "
            "%.2f mm",
            layout->name, what, index, (double)region->left_mm, (double)region->top_mm,
            (double)region->width_mm, (double)region->height_mm, (double)width, (double)height);
    } else if (what[0] == 'n' && (region->height_mm < LEAST_LINE_MM || region->width_mm < LEAST_WIDTH_MM)) {
        gk_trial_note(trial, false, "layout \"%.32s\": %s %zu is too small to go around a line of digits",
                      layout->name, what, index);
    }
}

static bool covers(const struct guika_region *a, const struct guika_region *b)
{
    return a->left_mm <= b->left_mm && a->top_mm <= b->top_mm &&
           a->left_mm + a->width_mm >= b->left_mm + b->width_mm &&
           a->top_mm + a->height_mm >= b->top_mm + b->height_mm;
}

/* An area that the number covers would be hidden, and the number left to be seen. */
static void look_at_overlaps(struct gk_trial *trial, const struct guika_layout *layout)
{
    for (size_t i = 0; i < layout->redact_count; i++) {
        for (size_t j = 0; j < layout->number_count; j++) {
            if (covers(&layout->redact[i], &layout->numbers[j])) {
                gk_trial_note(trial, false, "layout \"%.32s\": redact %zu hides all of number %zu",
                              layout->name, i, j);
            }
        }
    }
}

/* The header's limits, of which the descriptor's step tells. */
static bool is_readable(const struct guika_layout *layout)
{
    return layout->name != NULL && layout->number_count <= 8 && layout->redact_count <= 16 &&
           (layout->numbers != NULL || layout->number_count == 0) &&
           (layout->redact != NULL || layout->redact_count == 0);
}

void gk_step_layouts(void *options, struct gk_trial *trial)
{
    const struct guika_issuer *issuer = gk_step_open(options, trial, NULL);
    size_t regions = 0;
    if (issuer == NULL || issuer->layouts == NULL || issuer->layout_count > 16) {
        return; /* the descriptor's step has told */
    }
    gk_trial_doing(trial, "its layouts were being read");
    for (size_t i = 0; i < issuer->layout_count; i++) {
        const struct guika_layout *layout = &issuer->layouts[i];
        if (!is_readable(layout)) {
            return;
        }
        for (size_t j = 0; j < layout->number_count; j++) {
            look_at_region(trial, layout, &layout->numbers[j], "number", j);
        }
        for (size_t j = 0; j < layout->redact_count; j++) {
            look_at_region(trial, layout, &layout->redact[j], "redact", j);
        }
        look_at_overlaps(trial, layout);
        for (size_t j = 0; j < i; j++) {
            if (strcmp(layout->name, issuer->layouts[j].name) == 0) {
                gk_trial_note(trial, true, "two layouts are called \"%.32s\"", layout->name);
            }
        }
        regions += layout->number_count + layout->redact_count;
    }
    gk_trial_sum_up(trial, "all regions lie on the card: %zu", regions);
}

/* ---- rules ---- */

static void look_at_examples(struct gk_trial *trial, const struct guika_issuer *issuer)
{
    for (size_t i = 0; i < issuer->example_count + issuer->counter_example_count; i++) {
        bool good = i < issuer->example_count;
        size_t index = good ? i : i - issuer->example_count;
        const char *number = good ? issuer->examples[index] : issuer->counter_examples[index];
        char canonical[GK_NUMBER_SIZE] = "";
        struct gk_judgement judgement;
        if (number == NULL || strnlen(number, GK_NUMBER_LONGEST + 1) > GK_NUMBER_LONGEST ||
            number[0] == '\0') {
            gk_trial_note(trial, true, "%s %zu is no string of 1 to 32 characters",
                          good ? "example" : "counter-example", index);
            continue;
        }
        gk_trial_doing(trial, "it was asked about %s %zu", good ? "example" : "counter-example", index);
        enum gk_fit fit = gk_rules_judge(issuer, number, &judgement);
        if (good && fit != GK_FIT_VALID) {
            gk_trial_note(trial, true, "example %zu, %s, is not valid: %s", index, number,
                          fit == GK_FIT_CHECK_FAILED
                              ? "its check character is wrong"
                              : "no rule has its length, characters and beginning, or the "
                                "hook says no");
        }
        if (!good && fit == GK_FIT_VALID) {
            gk_trial_note(trial, true, "counter-example %zu, %s, is valid by the rule \"%s\"", index, number,
                          judgement.rule->brand);
        }
        if (good && (gk_rules_canonical(number, canonical) == 0 || strcmp(canonical, number) != 0)) {
            gk_trial_note(trial, true, "example %zu, %s, is not canonical: digits and capital letters alone",
                          index, number);
        }
    }
}

static bool has_length(const struct guika_rule *rule, size_t length)
{
    return memchr(rule->lengths, (int)length, rule->length_count) != NULL;
}

static void look_at_rule(struct gk_trial *trial, const struct guika_issuer *issuer,
                         const struct guika_rule *rule)
{
    size_t valid = 0, shown = 0;
    struct gk_judgement judgement;
    for (size_t i = 0; i < rule->grouping_count; i++) {
        if (!has_length(rule, gk_numbers_grouped(rule->groupings[i]))) {
            gk_trial_note(trial, false,
                          "rule \"%s\": the grouping %s has %zu characters, which is none of its lengths",
                          rule->brand, rule->groupings[i], gk_numbers_grouped(rule->groupings[i]));
        }
    }
    gk_trial_doing(trial, "it was asked about numbers of the rule \"%s\"", rule->brand);
    for (size_t i = 0; i < GK_STEP_NUMBERS; i++) {
        char number[GK_NUMBER_SIZE];
        gk_numbers_make(rule, i, number);
        valid += number[0] != '\0' && gk_rules_judge(issuer, number, &judgement) == GK_FIT_VALID;
    }
    for (size_t i = 0; i < issuer->example_count; i++) {
        shown +=
            gk_rules_judge(issuer, issuer->examples[i], &judgement) == GK_FIT_VALID && judgement.rule == rule;
    }
    if (valid == 0) {
        gk_trial_note(trial, true, "rule \"%s\": none of %d numbers made by its data is valid", rule->brand,
                      GK_STEP_NUMBERS);
    } else if (shown == 0) {
        gk_trial_note(trial, false, "rule \"%s\" has no example", rule->brand);
    }
}

void gk_step_rules(void *options, struct gk_trial *trial)
{
    const struct guika_issuer *issuer = gk_step_open(options, trial, gk_rules_check_parts);
    if (issuer == NULL) {
        return;
    }
    look_at_examples(trial, issuer);
    for (size_t i = 0; i < issuer->rule_count; i++) {
        look_at_rule(trial, issuer, &issuer->rules[i]);
    }
    gk_trial_sum_up(trial, "they agree with all examples (%zu) and counter-examples (%zu)",
                    issuer->example_count, issuer->counter_example_count);
}

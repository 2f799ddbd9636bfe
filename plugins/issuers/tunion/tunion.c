/*
 * China T-Union, the transit cards of most Chinese cities: 19 digits (Metrodroid). The prefix 31 and the Luhn
 * digit are common knowledge, so the check only weighs.
 */
#include "guika/issuer.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct guika_prefix_range prefixes[] = {{"31", "31"}};
static const uint8_t lengths[] = {19};
static const char *const groupings[] = {"4-4-4-4-3", "19"};

static const struct guika_rule rules[] = {{
    .brand = "t-union",
    .alphabet = "0123456789",
    .prefixes = prefixes,
    .prefix_count = COUNT(prefixes),
    .lengths = lengths,
    .length_count = COUNT(lengths),
    .groupings = groupings,
    .grouping_count = COUNT(groupings),
    .check = GUIKA_CHECK_LUHN,
    .force = GUIKA_CHECK_WEIGHS,
}};

static const struct guika_region numbers[] = {{3.0f, 44.0f, 78.0f, 7.0f}};

static const struct guika_layout layouts[] = {
    {.name = "front",
     .side = GUIKA_SIDE_FRONT,
     .print = GUIKA_PRINT_FLAT,
     .numbers = numbers,
     .number_count = COUNT(numbers)},
    {.name = "back",
     .side = GUIKA_SIDE_BACK,
     .print = GUIKA_PRINT_FLAT,
     .numbers = numbers,
     .number_count = COUNT(numbers)},
};

/* Made up; the second fails the check, which is allowed. */
static const char *const examples[] = {"3104870000000000012", "3104870000000000011"};
static const char *const counter_examples[] = {"6204870000000000014", "310487000000000001"};

static const struct guika_text names[] = {{"zh", "交通联合卡"}, {"en", "China T-Union card"}};

GUIKA_EXPORT const struct guika_issuer guika_issuer = {
    .struct_size = sizeof(struct guika_issuer),
    .abi_major = GUIKA_ISSUER_ABI_MAJOR,
    .abi_minor = GUIKA_ISSUER_ABI_MINOR,
    .id = "tunion",
    .version = "1.0",
    .scheme = "t-union",
    .kind = GUIKA_KIND_TRANSIT,
    .names = names,
    .name_count = COUNT(names),
    .rules = rules,
    .rule_count = COUNT(rules),
    .layouts = layouts,
    .layout_count = COUNT(layouts),
    .examples = examples,
    .example_count = COUNT(examples),
    .counter_examples = counter_examples,
    .counter_example_count = COUNT(counter_examples),
};

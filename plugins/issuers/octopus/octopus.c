/*
 * Octopus (Hong Kong): 8 or 9 digits and a check digit in brackets, as the operator explains it for
 * 102012507(0) and 102012508(9). The oldest cards have 8 digits and no bracket.
 */
#include "guika/issuer.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const uint8_t checked_lengths[] = {10, 9};
static const uint8_t oldest_lengths[] = {8};
static const char *const checked_groupings[] = {"9(1)", "8(1)"};
static const char *const oldest_groupings[] = {"8"};

static const struct guika_rule rules[] = {
    {.brand = "octopus",
     .alphabet = "0123456789",
     .lengths = checked_lengths,
     .length_count = COUNT(checked_lengths),
     .groupings = checked_groupings,
     .grouping_count = COUNT(checked_groupings),
     .check = GUIKA_CHECK_OCTOPUS,
     .force = GUIKA_CHECK_BINDS},
    {.brand = "octopus-oldest",
     .alphabet = "0123456789",
     .lengths = oldest_lengths,
     .length_count = COUNT(oldest_lengths),
     .groupings = oldest_groupings,
     .grouping_count = COUNT(oldest_groupings),
     .check = GUIKA_CHECK_NONE},
};

/* The number stands at the bottom of the back; the regions are generous, for prints differ. */
static const struct guika_region numbers[] = {{30.0f, 44.0f, 52.0f, 7.0f}, {3.0f, 40.0f, 80.0f, 12.0f}};

static const struct guika_layout layouts[] = {
    {.name = "back",
     .side = GUIKA_SIDE_BACK,
     .print = GUIKA_PRINT_FLAT,
     .numbers = numbers,
     .number_count = COUNT(numbers)},
};

static const char *const examples[] = {"1020125070", "1020125089", "12345678"};
static const char *const counter_examples[] = {"1020125071", "1020125088", "1234567"};

static const struct guika_text names[] = {{"zh", "八达通"}, {"en", "Octopus"}};

GUIKA_EXPORT const struct guika_issuer guika_issuer = {
    .struct_size = sizeof(struct guika_issuer),
    .abi_major = GUIKA_ISSUER_ABI_MAJOR,
    .abi_minor = GUIKA_ISSUER_ABI_MINOR,
    .id = "octopus",
    .version = "1.0",
    .scheme = "octopus",
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

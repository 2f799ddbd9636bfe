/*
 * The invented garages of the mint's specimen cards (tests/mint): nine digits and nothing else, so that only
 * the registry can be sure.
 */
#include "guika/issuer.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const uint8_t lengths[] = {9};
static const char *const groupings[] = {"3-3-3"};

static const struct guika_rule rules[] = {{
    .brand = "guihai-parking",
    .alphabet = "0123456789",
    .lengths = lengths,
    .length_count = COUNT(lengths),
    .groupings = groupings,
    .grouping_count = COUNT(groupings),
    .check = GUIKA_CHECK_NONE,
}};

static const struct guika_region numbers[] = {{5.0f, 38.0f, 50.0f, 8.0f}};

static const struct guika_layout layouts[] = {
    {.name = "front",
     .side = GUIKA_SIDE_FRONT,
     .print = GUIKA_PRINT_FLAT,
     .numbers = numbers,
     .number_count = COUNT(numbers)},
};

static const char *const examples[] = {"123456789"};
static const char *const counter_examples[] = {"12345678", "1234567890"};

static const struct guika_text names[] = {{"zh", "归海停车卡"}, {"en", "Guihai parking card"}};

GUIKA_EXPORT const struct guika_issuer guika_issuer = {
    .struct_size = sizeof(struct guika_issuer),
    .abi_major = GUIKA_ISSUER_ABI_MAJOR,
    .abi_minor = GUIKA_ISSUER_ABI_MINOR,
    .id = "guihai_parking",
    .version = "1.0",
    .scheme = "guihai-parking",
    .kind = GUIKA_KIND_PARKING,
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

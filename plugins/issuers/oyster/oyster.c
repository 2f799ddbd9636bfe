/*
 * Oyster, London: 12 digits on the back, without a check digit that is known. Both are common knowledge: an
 * old card may begin with zeroes, so there is no prefix either, and only the registry can be sure. In one
 * group: figures in fours and threes are rather a telephone number.
 */
#include "guika/issuer.h"

static const uint8_t lengths[] = {12};
static const char *const groupings[] = {"12"};

static const struct guika_rule rules[] = {
    {.brand = "oyster",
     .alphabet = "0123456789",
     .lengths = GUIKA_LIST(lengths),
     .groupings = GUIKA_LIST(groupings),
     .check = GUIKA_CHECK_NONE},
};

/* At the top right of the back; generous. */
static const struct guika_region numbers[] = {{40.0f, 3.0f, 42.0f, 7.0f}, {4.0f, 44.0f, 78.0f, 7.0f}};

static const struct guika_layout layouts[] = {
    {.name = "back", .side = GUIKA_SIDE_BACK, .print = GUIKA_PRINT_FLAT, .numbers = GUIKA_LIST(numbers)},
};

/* Made up. */
static const char *const examples[] = {"012345678901", "069876543210"};
static const char *const counter_examples[] = {"01234567890", "0123456789012"};

static const struct guika_text names[] = {{"zh", "Oyster 卡(伦敦)"}, {"en", "Oyster card"}};

GUIKA_EXPORT const struct guika_issuer guika_issuer = {
    GUIKA_ISSUER_HEAD,
    .id = "oyster",
    .version = "1.0",
    .scheme = "oyster",
    .kind = GUIKA_KIND_TRANSIT,
    .names = GUIKA_LIST(names),
    .rules = GUIKA_LIST(rules),
    .layouts = GUIKA_LIST(layouts),
    .examples = GUIKA_LIST(examples),
    .counter_examples = GUIKA_LIST(counter_examples),
};

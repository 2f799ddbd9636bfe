/*
 * Opal, Sydney: 308522, nine digits and a check digit, in groups of four (Metrodroid, OpalTransitData, which
 * formats it so and reads the last digit off the chip). How the check digit is computed is not published:
 * none is applied.
 */
#include "guika/issuer.h"

static const struct guika_prefix_range prefixes[] = {{"308522", "308522"}};
static const uint8_t lengths[] = {16};
static const char *const groupings[] = {"4-4-4-4", "16"};

static const struct guika_rule rules[] = {
    {.brand = "opal",
     .alphabet = "0123456789",
     .prefixes = GUIKA_LIST(prefixes),
     .lengths = GUIKA_LIST(lengths),
     .groupings = GUIKA_LIST(groupings),
     .check = GUIKA_CHECK_NONE},
};

/* On the back, below the middle. */
static const struct guika_region numbers[] = {{4.0f, 38.0f, 70.0f, 7.0f}};

static const struct guika_layout layouts[] = {
    {.name = "back", .side = GUIKA_SIDE_BACK, .print = GUIKA_PRINT_FLAT, .numbers = GUIKA_LIST(numbers)},
};

/* Made up. */
static const char *const examples[] = {"3085221234567890", "3085220000000018"};
static const char *const counter_examples[] = {"3085231234567890", "308522123456789"};

static const struct guika_text names[] = {{"zh", "澳宝卡(悉尼)"}, {"en", "Opal card"}};

GUIKA_EXPORT const struct guika_issuer guika_issuer = {
    GUIKA_ISSUER_HEAD,
    .id = "opal",
    .version = "1.0",
    .scheme = "opal",
    .kind = GUIKA_KIND_TRANSIT,
    .names = GUIKA_LIST(names),
    .rules = GUIKA_LIST(rules),
    .layouts = GUIKA_LIST(layouts),
    .examples = GUIKA_LIST(examples),
    .counter_examples = GUIKA_LIST(counter_examples),
};

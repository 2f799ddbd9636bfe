/*
 * Myki, Melbourne: 308425, eight digits and a Luhn digit (Metrodroid, MykiTransitData). How they are grouped
 * is common knowledge.
 */
#include "guika/issuer.h"

static const struct guika_prefix_range prefixes[] = {{"308425", "308425"}};
static const uint8_t lengths[] = {15};
static const char *const groupings[] = {"1-5-8-1", "6-9", "15"};

static const struct guika_rule rules[] = {
    {.brand = "myki",
     .alphabet = "0123456789",
     .prefixes = GUIKA_LIST(prefixes),
     .lengths = GUIKA_LIST(lengths),
     .groupings = GUIKA_LIST(groupings),
     .check = GUIKA_CHECK_LUHN,
     .force = GUIKA_CHECK_BINDS},
};

/* On the back, at the bottom. */
static const struct guika_region numbers[] = {{4.0f, 43.0f, 70.0f, 7.0f}};

static const struct guika_layout layouts[] = {
    {.name = "back", .side = GUIKA_SIDE_BACK, .print = GUIKA_PRINT_FLAT, .numbers = GUIKA_LIST(numbers)},
};

/* Made up. */
static const char *const examples[] = {"308425012345672", "308425998877664"};
static const char *const counter_examples[] = {"308425012345673", "308426012345670", "30842501234567"};

static const struct guika_text names[] = {{"zh", "Myki 卡(墨尔本)"}, {"en", "Myki card"}};

GUIKA_EXPORT const struct guika_issuer guika_issuer = {
    GUIKA_ISSUER_HEAD,
    .id = "myki",
    .version = "1.0",
    .scheme = "myki",
    .kind = GUIKA_KIND_TRANSIT,
    .names = GUIKA_LIST(names),
    .rules = GUIKA_LIST(rules),
    .layouts = GUIKA_LIST(layouts),
    .examples = GUIKA_LIST(examples),
    .counter_examples = GUIKA_LIST(counter_examples),
};

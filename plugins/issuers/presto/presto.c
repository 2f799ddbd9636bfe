/*
 * Presto, Toronto: 312401, eight digits, 00 and a Luhn digit, in groups of 6-4-4-3 (Metrodroid,
 * PrestoTransitData).
 */
#include "guika/issuer.h"

#include <string.h>

static const struct guika_prefix_range prefixes[] = {{"312401", "312401"}};
static const uint8_t lengths[] = {17};
static const char *const groupings[] = {"6-4-4-3", "17"};

static const struct guika_rule rules[] = {
    {.brand = "presto",
     .alphabet = "0123456789",
     .prefixes = GUIKA_LIST(prefixes),
     .lengths = GUIKA_LIST(lengths),
     .groupings = GUIKA_LIST(groupings),
     .check = GUIKA_CHECK_LUHN,
     .force = GUIKA_CHECK_BINDS},
};

/* On the back, at the bottom. */
static const struct guika_region numbers[] = {{4.0f, 43.0f, 78.0f, 7.0f}};

static const struct guika_layout layouts[] = {
    {.name = "back", .side = GUIKA_SIDE_BACK, .print = GUIKA_PRINT_FLAT, .numbers = GUIKA_LIST(numbers)},
};

/* Made up. */
static const char *const examples[] = {"31240101234567007", "31240199887766009"};
static const char *const counter_examples[] = {"31240101234567008", "31240101234567106", "31240201234567005"};

static const struct guika_text names[] = {{"zh", "Presto 卡(多伦多)"}, {"en", "Presto card"}};

static bool accepts(const char *number)
{
    return strlen(number) > 15 && number[14] == '0' && number[15] == '0';
}

GUIKA_EXPORT const struct guika_issuer guika_issuer = {
    GUIKA_ISSUER_HEAD,
    .id = "presto",
    .version = "1.0",
    .scheme = "presto",
    .kind = GUIKA_KIND_TRANSIT,
    .names = GUIKA_LIST(names),
    .rules = GUIKA_LIST(rules),
    .layouts = GUIKA_LIST(layouts),
    .examples = GUIKA_LIST(examples),
    .counter_examples = GUIKA_LIST(counter_examples),
    .accepts = accepts,
};

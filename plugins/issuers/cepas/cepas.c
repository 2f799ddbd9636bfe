/*
 * CEPAS, the stored-value cards of Singapore: a card application number of 16 digits. That it begins with 100
 * on EZ-Link's and with 111 on NETS's cards: Metrodroid (EZLinkTransitData). 8009 on concession cards is
 * common knowledge. No check digit is known.
 */
#include "guika/issuer.h"

static const struct guika_prefix_range prefixes[] = {{"100", "100"}, {"111", "111"}, {"8009", "8009"}};
static const uint8_t lengths[] = {16};
static const char *const groupings[] = {"4-4-4-4", "16"};

static const struct guika_rule rules[] = {
    {.brand = "cepas-can",
     .alphabet = "0123456789",
     .prefixes = GUIKA_LIST(prefixes),
     .lengths = GUIKA_LIST(lengths),
     .groupings = GUIKA_LIST(groupings),
     .check = GUIKA_CHECK_NONE},
};

/* On the back below the middle; the mint's choice, wide enough for the prints that are known. */
static const struct guika_region numbers[] = {{4.0f, 40.0f, 78.0f, 8.0f}};

static const struct guika_layout layouts[] = {
    {.name = "back", .side = GUIKA_SIDE_BACK, .print = GUIKA_PRINT_FLAT, .numbers = GUIKA_LIST(numbers)},
};

/* Made up. */
static const char *const examples[] = {"1000120034005600", "1110120034005600", "8009170012345678"};
static const char *const counter_examples[] = {"1010120034005600", "100012003400560"};

static const struct guika_text names[] = {{"zh", "易通卡(CEPAS)"}, {"en", "EZ-Link and NETS card (CEPAS)"}};

GUIKA_EXPORT const struct guika_issuer guika_issuer = {
    GUIKA_ISSUER_HEAD,
    .id = "cepas",
    .version = "1.0",
    .scheme = "cepas",
    .kind = GUIKA_KIND_TRANSIT,
    .names = GUIKA_LIST(names),
    .rules = GUIKA_LIST(rules),
    .layouts = GUIKA_LIST(layouts),
    .examples = GUIKA_LIST(examples),
    .counter_examples = GUIKA_LIST(counter_examples),
};

/*
 * Suica and its kin, the transit cards of Japan: two letters for the operator and 15 digits. The letters:
 * Metrodroid's page on IC cards of Japan; the ten operators whose cards are valid everywhere. That 15 digits
 * follow, and that they are printed in groups of 5-4-4-4 with the letters in the first, is common knowledge.
 * There is no check digit.
 */
#include "guika/issuer.h"

static const struct guika_prefix_range prefixes[] = {
    {"JE", "JE"}, /* Suica, JR East */
    {"PB", "PB"}, /* PASMO, Tokyo's private railways */
    {"JW", "JW"}, /* ICOCA, JR West */
    {"JC", "JC"}, /* TOICA, JR Central */
    {"TP", "TP"}, /* manaca, Nagoya */
    {"JK", "JK"}, /* SUGOCA, JR Kyushu */
    {"NR", "NR"}, /* nimoca, Nishitetsu */
    {"JH", "JH"}, /* Kitaca, JR Hokkaido */
    {"FC", "FC"}, /* Hayakaken, Fukuoka City */
    {"SK", "SK"}, /* icsca, Sendai City */
};
static const uint8_t lengths[] = {17};
static const char *const groupings[] = {"5-4-4-4", "17"};

static const struct guika_rule rules[] = {
    {.brand = "suica",
     .alphabet = "0123456789BCEFHJKNPRSTW",
     .prefixes = GUIKA_LIST(prefixes),
     .lengths = GUIKA_LIST(lengths),
     .groupings = GUIKA_LIST(groupings),
     .check = GUIKA_CHECK_NONE},
};

/* On the back, at the bottom right; generous, for the operators' prints differ. Common knowledge. */
static const struct guika_region numbers[] = {{34.0f, 44.0f, 48.0f, 7.0f}, {4.0f, 44.0f, 78.0f, 7.0f}};

static const struct guika_layout layouts[] = {
    {.name = "back", .side = GUIKA_SIDE_BACK, .print = GUIKA_PRINT_FLAT, .numbers = GUIKA_LIST(numbers)},
};

/* Made up. */
static const char *const examples[] = {"JE301234567890123", "PB107000000000045", "FC999999999999999"};
static const char *const counter_examples[] = {"JX301234567890123", "JE3012345678901234", "301234567890123",
                                               "JE30123456789012E"};

static const struct guika_text names[] = {{"zh", "Suica 等日本交通卡"}, {"en", "Suica and its kin"}};

/* Letters stand in front alone. */
static bool accepts(const char *number)
{
    if (number[0] == '\0' || number[1] == '\0') {
        return false;
    }
    for (const char *at = number + 2; *at != '\0'; at++) {
        if (*at < '0' || *at > '9') {
            return false;
        }
    }
    return true;
}

GUIKA_EXPORT const struct guika_issuer guika_issuer = {
    GUIKA_ISSUER_HEAD,
    .id = "suica",
    .version = "1.0",
    .scheme = "suica",
    .kind = GUIKA_KIND_TRANSIT,
    .names = GUIKA_LIST(names),
    .rules = GUIKA_LIST(rules),
    .layouts = GUIKA_LIST(layouts),
    .examples = GUIKA_LIST(examples),
    .counter_examples = GUIKA_LIST(counter_examples),
    .accepts = accepts,
};

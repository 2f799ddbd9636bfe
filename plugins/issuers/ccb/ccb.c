/*
 * China Construction Bank, 中国建设银行: debit cards of 19 digits, credit cards of 16.
 * Prefixes and lengths: the list of hexindai/bcbc (data/bin.csv), an excerpt: the commonest of its CCB rows.
 * How the numbers are grouped is common knowledge, so every usual grouping is listed. The check digit only
 * weighs, as for all of UnionPay (braintree/card-validator#112).
 */
#include "guika/issuer.h"

static const struct guika_prefix_range debit[] = {
    {"621700", "621700"}, {"622700", "622700"}, {"622280", "622280"},
    {"621284", "621284"}, {"621467", "621467"}, {"621598", "621598"},
    {"621621", "621621"}, {"623668", "623668"}, {"436742", "436742"}};
static const struct guika_prefix_range credit[] = {
    {"622166", "622166"}, {"622168", "622168"}, {"622675", "622677"}, {"622708", "622708"},
    {"625362", "625363"}, {"625964", "625966"}, {"628366", "628366"}, {"436748", "436748"}};
static const uint8_t debit_lengths[] = {19};
static const uint8_t credit_lengths[] = {16};
static const char *const debit_groupings[] = {"4-4-4-4-3", "6-13"};
static const char *const credit_groupings[] = {"4-4-4-4"};

static const struct guika_rule rules[] = {
    {.brand = "ccb-debit",
     .alphabet = "0123456789",
     .prefixes = GUIKA_LIST(debit),
     .lengths = GUIKA_LIST(debit_lengths),
     .groupings = GUIKA_LIST(debit_groupings),
     .check = GUIKA_CHECK_LUHN,
     .force = GUIKA_CHECK_WEIGHS},
    {.brand = "ccb-credit",
     .alphabet = "0123456789",
     .prefixes = GUIKA_LIST(credit),
     .lengths = GUIKA_LIST(credit_lengths),
     .groupings = GUIKA_LIST(credit_groupings),
     .check = GUIKA_CHECK_LUHN,
     .force = GUIKA_CHECK_WEIGHS},
};

/* The embossed line's centre is 32.56 mm from the top (ISO/IEC 7811-3); flat numbers also stand lower. */
static const struct guika_region embossed[] = {{4.0f, 28.5f, 78.0f, 8.0f}};
static const struct guika_region flat[] = {{4.0f, 37.5f, 78.0f, 8.0f}, {4.0f, 28.5f, 78.0f, 8.0f}};

static const struct guika_layout layouts[] = {
    {.name = "embossed",
     .side = GUIKA_SIDE_FRONT,
     .print = GUIKA_PRINT_EMBOSSED,
     .numbers = GUIKA_LIST(embossed)},
    {.name = "flat", .side = GUIKA_SIDE_FRONT, .print = GUIKA_PRINT_FLAT, .numbers = GUIKA_LIST(flat)},
};

/* Made up; the last one fails the check, which is allowed. */
static const char *const examples[] = {"6217000000000000079", "6221660000000035", "6217000000000000070"};
static const char *const counter_examples[] = {"4111111111111111", "621700000000000007",
                                               "9217000000000000079"};

static const struct guika_text names[] = {{"zh", "建设银行卡"}, {"en", "China Construction Bank card"}};

GUIKA_EXPORT const struct guika_issuer guika_issuer = {
    GUIKA_ISSUER_HEAD,
    .id = "ccb",
    .version = "1.0",
    .scheme = "iso7812",
    .kind = GUIKA_KIND_PAYMENT,
    .names = GUIKA_LIST(names),
    .rules = GUIKA_LIST(rules),
    .layouts = GUIKA_LIST(layouts),
    .examples = GUIKA_LIST(examples),
    .counter_examples = GUIKA_LIST(counter_examples),
};

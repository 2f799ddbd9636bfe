/*
 * Bank of China, 中国银行: debit cards of 19 digits, credit cards of 16.
 * Prefixes and lengths: the list of hexindai/bcbc (data/bin.csv), an excerpt: the commonest of its BOC rows.
 * How the numbers are grouped is common knowledge, so every usual grouping is listed. The check digit only
 * weighs, as for all of UnionPay (braintree/card-validator#112).
 */
#include "guika/issuer.h"

static const struct guika_prefix_range debit[] = {
    {"621660", "621663"}, {"621666", "621669"}, {"621725", "621725"}, {"621756", "621759"},
    {"621785", "621790"}, {"621330", "621332"}, {"621283", "621283"}, {"621568", "621569"},
    {"601382", "601382"}, {"456351", "456351"}};
static const struct guika_prefix_range credit[] = {{"622750", "622765"},
                                                   {"625905", "625910"},
                                                   {"625337", "625337"},
                                                   {"628312", "628312"},
                                                   {"518476", "518476"}};
static const uint8_t debit_lengths[] = {19};
static const uint8_t credit_lengths[] = {16};
static const char *const debit_groupings[] = {"6-13", "4-4-4-4-3"};
static const char *const credit_groupings[] = {"4-4-4-4"};

static const struct guika_rule rules[] = {
    {.brand = "boc-debit",
     .alphabet = "0123456789",
     .prefixes = GUIKA_LIST(debit),
     .lengths = GUIKA_LIST(debit_lengths),
     .groupings = GUIKA_LIST(debit_groupings),
     .check = GUIKA_CHECK_LUHN,
     .force = GUIKA_CHECK_WEIGHS},
    {.brand = "boc-credit",
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
static const char *const examples[] = {"6216600000000000075", "6227500000000037", "6216600000000000076"};
static const char *const counter_examples[] = {"4111111111111111", "621660000000000007",
                                               "9216600000000000075"};

static const struct guika_text names[] = {{"zh", "中国银行卡"}, {"en", "Bank of China card"}};

GUIKA_EXPORT const struct guika_issuer guika_issuer = {
    GUIKA_ISSUER_HEAD,
    .id = "boc",
    .version = "1.0",
    .scheme = "iso7812",
    .kind = GUIKA_KIND_PAYMENT,
    .names = GUIKA_LIST(names),
    .rules = GUIKA_LIST(rules),
    .layouts = GUIKA_LIST(layouts),
    .examples = GUIKA_LIST(examples),
    .counter_examples = GUIKA_LIST(counter_examples),
};

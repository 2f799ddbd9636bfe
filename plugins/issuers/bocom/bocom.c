/*
 * Bank of Communications, 交通银行: debit cards of 19 digits, older ones of 17, credit cards of 16.
 * Prefixes and lengths: the list of hexindai/bcbc (data/bin.csv), an excerpt: the commonest of its BOCOM
 * rows. How the numbers are grouped is common knowledge, so every usual grouping is listed. The check digit
 * only weighs, as for all of UnionPay (braintree/card-validator#112).
 */
#include "guika/issuer.h"

static const struct guika_prefix_range debit[] = {
    {"622260", "622262"}, {"621069", "621069"}, {"62105680", "62105680"}};
static const struct guika_prefix_range credit[] = {{"622251", "622253"},
                                                   {"622284", "622285"},
                                                   {"622656", "622656"},
                                                   {"458123", "458124"},
                                                   {"520169", "520169"}};
static const uint8_t debit_lengths[] = {19};
static const uint8_t credit_lengths[] = {16};
static const char *const debit_groupings[] = {"6-13", "4-4-4-4-3"};
static const char *const credit_groupings[] = {"4-4-4-4"};
static const struct guika_prefix_range old[] = {
    {"622258", "622259"}, {"405512", "405512"}, {"601428", "601428"}};
static const uint8_t old_lengths[] = {17};
static const char *const old_groupings[] = {"6-11", "4-4-4-4-1"};

static const struct guika_rule rules[] = {
    {.brand = "bocom-debit",
     .alphabet = "0123456789",
     .prefixes = GUIKA_LIST(debit),
     .lengths = GUIKA_LIST(debit_lengths),
     .groupings = GUIKA_LIST(debit_groupings),
     .check = GUIKA_CHECK_LUHN,
     .force = GUIKA_CHECK_WEIGHS},
    {.brand = "bocom-credit",
     .alphabet = "0123456789",
     .prefixes = GUIKA_LIST(credit),
     .lengths = GUIKA_LIST(credit_lengths),
     .groupings = GUIKA_LIST(credit_groupings),
     .check = GUIKA_CHECK_LUHN,
     .force = GUIKA_CHECK_WEIGHS},
    {.brand = "bocom-old",
     .alphabet = "0123456789",
     .prefixes = GUIKA_LIST(old),
     .lengths = GUIKA_LIST(old_lengths),
     .groupings = GUIKA_LIST(old_groupings),
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
static const char *const examples[] = {"6222600000000000073", "6222510000000031", "62225800000000093",
                                       "6222600000000000074"};
static const char *const counter_examples[] = {"4111111111111111", "622260000000000007",
                                               "9222600000000000073"};

static const struct guika_text names[] = {{"zh", "交通银行卡"}, {"en", "Bank of Communications card"}};

GUIKA_EXPORT const struct guika_issuer guika_issuer = {
    GUIKA_ISSUER_HEAD,
    .id = "bocom",
    .version = "1.0",
    .scheme = "iso7812",
    .kind = GUIKA_KIND_PAYMENT,
    .names = GUIKA_LIST(names),
    .rules = GUIKA_LIST(rules),
    .layouts = GUIKA_LIST(layouts),
    .examples = GUIKA_LIST(examples),
    .counter_examples = GUIKA_LIST(counter_examples),
};

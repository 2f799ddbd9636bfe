/*
 * Agricultural Bank of China, 中国农业银行: debit cards of 19 digits in groups 6-13, older ones that begin
 * with 95599 in groups 5-4-5-5, credit cards of 16. Prefixes and lengths: the list of hexindai/bcbc
 * (data/bin.csv), an excerpt: the commonest of its ABC rows. How the numbers are grouped is common knowledge,
 * so every usual grouping is listed. The check digit only weighs, as for all of UnionPay
 * (braintree/card-validator#112).
 */
#include "guika/issuer.h"

static const struct guika_prefix_range debit[] = {
    {"622848", "622848"}, {"622821", "622828"}, {"622841", "622841"},
    {"622843", "622847"}, {"622849", "622849"}, {"621336", "621336"},
    {"621282", "621282"}, {"623052", "623052"}, {"623206", "623206"}};
static const struct guika_prefix_range credit[] = {
    {"622836", "622839"}, {"625826", "625827"}, {"625996", "625998"}, {"519412", "519412"}};
static const uint8_t debit_lengths[] = {19};
static const uint8_t credit_lengths[] = {16};
static const char *const debit_groupings[] = {"6-13", "4-4-4-4-3"};
static const char *const credit_groupings[] = {"4-4-4-4"};
static const struct guika_prefix_range old[] = {{"95595", "95599"}};
static const uint8_t old_lengths[] = {19};
static const char *const old_groupings[] = {"5-4-5-5", "6-13"};

static const struct guika_rule rules[] = {
    {.brand = "abc-debit",
     .alphabet = "0123456789",
     .prefixes = GUIKA_LIST(debit),
     .lengths = GUIKA_LIST(debit_lengths),
     .groupings = GUIKA_LIST(debit_groupings),
     .check = GUIKA_CHECK_LUHN,
     .force = GUIKA_CHECK_WEIGHS},
    {.brand = "abc-credit",
     .alphabet = "0123456789",
     .prefixes = GUIKA_LIST(credit),
     .lengths = GUIKA_LIST(credit_lengths),
     .groupings = GUIKA_LIST(credit_groupings),
     .check = GUIKA_CHECK_LUHN,
     .force = GUIKA_CHECK_WEIGHS},
    {.brand = "abc-old",
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
static const char *const examples[] = {"6228480000000000075", "6228360000000035", "9559500000000000092",
                                       "6228480000000000076"};
static const char *const counter_examples[] = {"4111111111111111", "622848000000000007",
                                               "9228480000000000075"};

static const struct guika_text names[] = {{"zh", "农业银行卡"}, {"en", "Agricultural Bank of China card"}};

GUIKA_EXPORT const struct guika_issuer guika_issuer = {
    GUIKA_ISSUER_HEAD,
    .id = "abc",
    .version = "1.0",
    .scheme = "iso7812",
    .kind = GUIKA_KIND_PAYMENT,
    .names = GUIKA_LIST(names),
    .rules = GUIKA_LIST(rules),
    .layouts = GUIKA_LIST(layouts),
    .examples = GUIKA_LIST(examples),
    .counter_examples = GUIKA_LIST(counter_examples),
};

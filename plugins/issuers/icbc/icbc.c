/*
 * Industrial and Commercial Bank of China, 中国工商银行: debit cards of 19 digits, credit cards of 16.
 * Prefixes and lengths: the list of hexindai/bcbc (data/bin.csv), an excerpt: the commonest of its ICBC rows.
 * How the numbers are grouped is common knowledge, so every usual grouping is listed. The check digit only
 * weighs, as for all of UnionPay (braintree/card-validator#112).
 */
#include "guika/issuer.h"

static const struct guika_prefix_range debit[] = {
    {"622202", "622203"}, {"622200", "622200"}, {"622208", "622208"},
    {"621225", "621227"}, {"621558", "621559"}, {"621720", "621724"},
    {"621281", "621281"}, {"623062", "623062"}, {"95588", "95588"}};
static const struct guika_prefix_range credit[] = {
    {"622210", "622215"}, {"622230", "622240"}, {"622245", "622246"}, {"622597", "622597"},
    {"622599", "622599"}, {"625915", "625917"}, {"625858", "625859"}};
static const uint8_t debit_lengths[] = {19};
static const uint8_t credit_lengths[] = {16};
static const char *const debit_groupings[] = {"4-4-4-4-3", "6-13"};
static const char *const credit_groupings[] = {"4-4-4-4"};

static const struct guika_rule rules[] = {
    {.brand = "icbc-debit",
     .alphabet = "0123456789",
     .prefixes = GUIKA_LIST(debit),
     .lengths = GUIKA_LIST(debit_lengths),
     .groupings = GUIKA_LIST(debit_groupings),
     .check = GUIKA_CHECK_LUHN,
     .force = GUIKA_CHECK_WEIGHS},
    {.brand = "icbc-credit",
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
/* The panel of signature and security code: anywhere between the stripe and the middle. */
static const struct guika_region back_redact[] = {{0.0f, 14.0f, 85.6f, 16.0f}};

static const struct guika_layout layouts[] = {
    {.name = "embossed",
     .side = GUIKA_SIDE_FRONT,
     .print = GUIKA_PRINT_EMBOSSED,
     .numbers = GUIKA_LIST(embossed)},
    {.name = "flat", .side = GUIKA_SIDE_FRONT, .print = GUIKA_PRINT_FLAT, .numbers = GUIKA_LIST(flat)},
    {.name = "back",
     .side = GUIKA_SIDE_BACK,
     .print = GUIKA_PRINT_FLAT,
     .numbers = GUIKA_LIST(flat),
     .redact = GUIKA_LIST(back_redact)},
};

/* Made up; the last one fails the check, which is allowed. */
static const char *const examples[] = {"6222020000000000075", "6222100000000031", "6222020000000000076"};
static const char *const counter_examples[] = {"4111111111111111", "622202000000000007",
                                               "9222020000000000075"};

static const struct guika_text names[] = {{"zh", "工商银行卡"}, {"en", "ICBC card"}};

GUIKA_EXPORT const struct guika_issuer guika_issuer = {
    GUIKA_ISSUER_HEAD,
    .id = "icbc",
    .version = "1.0",
    .scheme = "iso7812",
    .kind = GUIKA_KIND_PAYMENT,
    .names = GUIKA_LIST(names),
    .rules = GUIKA_LIST(rules),
    .layouts = GUIKA_LIST(layouts),
    .examples = GUIKA_LIST(examples),
    .counter_examples = GUIKA_LIST(counter_examples),
};

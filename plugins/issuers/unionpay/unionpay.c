/*
 * UnionPay. Prefixes and lengths: braintree/credit-card-type. The check digit only weighs: some valid cards
 * fail it (braintree/card-validator#112).
 */
#include "guika/issuer.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct guika_prefix_range prefixes[] = {{"62", "62"}, {"810", "810"}, {"8110", "8171"}};
static const uint8_t lengths[] = {16, 19, 17, 18, 14, 15};
/* 5-4-5-5 is an older layout of the Agricultural Bank. */
static const char *const groupings[] = {"4-4-4-4", "6-13", "4-4-4-4-3", "5-4-5-5"};

static const struct guika_rule rules[] = {{
    .brand = "unionpay",
    .alphabet = "0123456789",
    .prefixes = prefixes,
    .prefix_count = COUNT(prefixes),
    .lengths = lengths,
    .length_count = COUNT(lengths),
    .groupings = groupings,
    .grouping_count = COUNT(groupings),
    .check = GUIKA_CHECK_LUHN,
    .force = GUIKA_CHECK_WEIGHS,
}};

/* The embossed line's centre is 32.56 mm from the top (ISO/IEC 7811-3); flat numbers also stand lower. */
static const struct guika_region front_numbers[] = {
    {4.0f, 28.5f, 78.0f, 8.0f}, {4.0f, 37.5f, 78.0f, 8.0f}, {44.0f, 12.0f, 38.0f, 27.0f}};
static const struct guika_region portrait_numbers[] = {{3.0f, 54.0f, 48.0f, 8.0f}};
static const struct guika_region back_redact[] = {{0.0f, 14.0f, 85.6f, 16.0f}};

static const struct guika_layout layouts[] = {
    {.name = "front",
     .side = GUIKA_SIDE_FRONT,
     .print = GUIKA_PRINT_EITHER,
     .numbers = front_numbers,
     .number_count = COUNT(front_numbers)},
    {.name = "portrait",
     .side = GUIKA_SIDE_FRONT,
     .portrait = true,
     .print = GUIKA_PRINT_FLAT,
     .numbers = portrait_numbers,
     .number_count = COUNT(portrait_numbers)},
    {.name = "back",
     .side = GUIKA_SIDE_BACK,
     .print = GUIKA_PRINT_FLAT,
     .numbers = front_numbers,
     .number_count = 2,
     .redact = back_redact,
     .redact_count = COUNT(back_redact)},
};

/* UnionPay's published test numbers; the second example is made up and fails Luhn, which is allowed. */
static const char *const examples[] = {"6200000000000005", "6200000000000006", "6205500000000000004",
                                       "8171999900000000021"};
static const char *const counter_examples[] = {"4111111111111111", "62000000000", "8172000000000000"};

static const struct guika_text names[] = {{"zh", "银联卡"}, {"en", "UnionPay card"}};

GUIKA_EXPORT const struct guika_issuer guika_issuer = {
    .struct_size = sizeof(struct guika_issuer),
    .abi_major = GUIKA_ISSUER_ABI_MAJOR,
    .abi_minor = GUIKA_ISSUER_ABI_MINOR,
    .id = "unionpay",
    .version = "1.0",
    .scheme = "iso7812",
    .kind = GUIKA_KIND_PAYMENT,
    .names = names,
    .name_count = COUNT(names),
    .rules = rules,
    .rule_count = COUNT(rules),
    .layouts = layouts,
    .layout_count = COUNT(layouts),
    .examples = examples,
    .example_count = COUNT(examples),
    .counter_examples = counter_examples,
    .counter_example_count = COUNT(counter_examples),
};

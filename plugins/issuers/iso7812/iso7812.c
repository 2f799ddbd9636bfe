/*
 * Payment cards by brand, UnionPay apart. Prefixes and lengths: braintree/credit-card-type, except Mir and
 * RuPay, which are common knowledge. The check digit is that of ISO/IEC 7812-1, annex B, and binds.
 */
#include "guika/issuer.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define DIGITS "0123456789"

static const struct guika_prefix_range visa[] = {{"4", "4"}};
static const struct guika_prefix_range mastercard[] = {{"51", "55"}, {"2221", "2720"}};
static const struct guika_prefix_range amex[] = {{"34", "34"}, {"37", "37"}};
static const struct guika_prefix_range diners[] = {{"300", "305"}, {"36", "36"}, {"38", "39"}};
static const struct guika_prefix_range discover[] = {{"6011", "6011"}, {"644", "649"}, {"65", "65"}};
static const struct guika_prefix_range jcb[] = {{"3528", "3589"}, {"2131", "2131"}, {"1800", "1800"}};
static const struct guika_prefix_range mir[] = {{"2200", "2204"}};
static const struct guika_prefix_range rupay[] = {
    {"50850", "50899"}, {"606985", "607984"}, {"608001", "608500"}, {"652150", "653149"}};

static const uint8_t visa_lengths[] = {16, 13, 18, 19};
static const uint8_t sixteen[] = {16};
static const uint8_t fifteen[] = {15};
static const uint8_t diners_lengths[] = {14, 16, 19};
static const uint8_t discover_lengths[] = {16, 19};
static const uint8_t jcb_lengths[] = {16, 15, 17, 18, 19};
static const uint8_t mir_lengths[] = {16, 17, 18, 19};

static const char *const fours[] = {"4-4-4-4", "4-4-4-4-3"};
static const char *const amex_groups[] = {"4-6-5"};
static const char *const diners_groups[] = {"4-6-4", "4-4-4-4", "4-4-4-4-3"};

#define LUHN_RULE(name, lengths_of, groups)                                                                  \
    {                                                                                                        \
        .brand = #name, .alphabet = DIGITS, .prefixes = name, .prefix_count = COUNT(name),                   \
        .lengths = lengths_of, .length_count = COUNT(lengths_of), .groupings = groups,                       \
        .grouping_count = COUNT(groups), .check = GUIKA_CHECK_LUHN, .force = GUIKA_CHECK_BINDS               \
    }

static const struct guika_rule rules[] = {
    LUHN_RULE(visa, visa_lengths, fours),         LUHN_RULE(mastercard, sixteen, fours),
    LUHN_RULE(amex, fifteen, amex_groups),        LUHN_RULE(diners, diners_lengths, diners_groups),
    LUHN_RULE(discover, discover_lengths, fours), LUHN_RULE(jcb, jcb_lengths, fours),
    LUHN_RULE(mir, mir_lengths, fours),           LUHN_RULE(rupay, sixteen, fours),
};

/* The embossed line's centre is 32.56 mm from the top (ISO/IEC 7811-3); flat numbers also stand lower. */
static const struct guika_region front_numbers[] = {
    {4.0f, 28.5f, 78.0f, 8.0f}, {4.0f, 37.5f, 78.0f, 8.0f}, {44.0f, 12.0f, 38.0f, 27.0f}};
static const struct guika_region back_numbers[] = {{4.0f, 28.5f, 78.0f, 8.0f}, {4.0f, 37.5f, 78.0f, 8.0f}};
static const struct guika_region portrait_numbers[] = {{3.0f, 54.0f, 48.0f, 8.0f}};
/* The panel of signature and security code: anywhere between the stripe and the middle. */
static const struct guika_region back_redact[] = {{0.0f, 14.0f, 85.6f, 16.0f}};
/* American Express prints its code on the front, above the number's right end. */
static const struct guika_region front_redact[] = {{64.0f, 21.0f, 17.0f, 7.0f}};

static const struct guika_layout layouts[] = {
    {.name = "front",
     .side = GUIKA_SIDE_FRONT,
     .print = GUIKA_PRINT_EITHER,
     .numbers = front_numbers,
     .number_count = COUNT(front_numbers),
     .redact = front_redact,
     .redact_count = COUNT(front_redact)},
    {.name = "portrait",
     .side = GUIKA_SIDE_FRONT,
     .portrait = true,
     .print = GUIKA_PRINT_FLAT,
     .numbers = portrait_numbers,
     .number_count = COUNT(portrait_numbers)},
    {.name = "back",
     .side = GUIKA_SIDE_BACK,
     .print = GUIKA_PRINT_FLAT,
     .numbers = back_numbers,
     .number_count = COUNT(back_numbers),
     .redact = back_redact,
     .redact_count = COUNT(back_redact)},
};

/* Test numbers that the brands and their acquirers publish. */
static const char *const examples[] = {
    "4111111111111111", "4012888888881881", "4222222222222",  "5555555555554444", "2223003122003222",
    "378282246310005",  "371449635398431",  "30569309025904", "6011111111111117", "3530111333300000"};
static const char *const counter_examples[] = {"4111111111111112", "378282246310006", "1234567812345670",
                                               "411111111111111"};

static const struct guika_text names[] = {{"zh", "支付卡"}, {"en", "Payment card"}};

GUIKA_EXPORT const struct guika_issuer guika_issuer = {
    .struct_size = sizeof(struct guika_issuer),
    .abi_major = GUIKA_ISSUER_ABI_MAJOR,
    .abi_minor = GUIKA_ISSUER_ABI_MINOR,
    .id = "iso7812",
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

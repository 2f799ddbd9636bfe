/*
 * The Chinese resident identity card, GB 11643-1999: region, birth date, sequence, check character (ISO 7064
 * MOD 11-2).
 */
#include "guika/issuer.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Regions begin with 11 to 82 (GB/T 2260), foreigners' permanent residence with 9. */
static const struct guika_prefix_range prefixes[] = {{"11", "15"}, {"21", "23"}, {"31", "37"},
                                                     {"41", "46"}, {"50", "54"}, {"61", "65"},
                                                     {"71", "71"}, {"81", "83"}, {"9", "9"}};
static const uint8_t lengths[] = {18};
static const char *const groupings[] = {"18"};

static const struct guika_rule rules[] = {{
    .brand = "resident-id",
    .alphabet = "0123456789",
    .last_alphabet = "0123456789X",
    .prefixes = prefixes,
    .prefix_count = COUNT(prefixes),
    .lengths = lengths,
    .length_count = COUNT(lengths),
    .groupings = groupings,
    .grouping_count = COUNT(groupings),
    .check = GUIKA_CHECK_ISO7064_MOD11_2,
    .force = GUIKA_CHECK_BINDS,
}};

/* Read off the published specimen. The portrait and everything above the number is personal. */
static const struct guika_region numbers[] = {{24.0f, 42.5f, 58.0f, 7.5f}};
static const struct guika_region redact[] = {{0.0f, 0.0f, 85.6f, 42.0f}};

static const struct guika_layout layouts[] = {
    {.name = "front",
     .side = GUIKA_SIDE_FRONT,
     .print = GUIKA_PRINT_FLAT,
     .numbers = numbers,
     .number_count = COUNT(numbers),
     .redact = redact,
     .redact_count = COUNT(redact)},
};

/* GB 11643-1999. */
static const char *const examples[] = {"11010519491231002X", "440524188001010014"};
static const char *const counter_examples[] = {"110105194912310021", "110105194913310023",
                                               "44052418800101001"};

static const struct guika_text names[] = {{"zh", "居民身份证"}, {"en", "Chinese resident ID card"}};

static int two_digits(const char *text)
{
    return (text[0] - '0') * 10 + text[1] - '0';
}

/* The birth date must be a day of some calendar; the century is not judged. */
static bool accepts(const char *number)
{
    if (strlen(number) < 14) {
        return false;
    }
    int month = two_digits(number + 10), day = two_digits(number + 12);
    return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

GUIKA_EXPORT const struct guika_issuer guika_issuer = {
    .struct_size = sizeof(struct guika_issuer),
    .abi_major = GUIKA_ISSUER_ABI_MAJOR,
    .abi_minor = GUIKA_ISSUER_ABI_MINOR,
    .id = "cn_resident_id",
    .version = "1.0",
    .scheme = "cn-resident-id",
    .kind = GUIKA_KIND_ID,
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
    .accepts = accepts,
};

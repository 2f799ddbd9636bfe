/* An issuer as its engineer wrote it against 1.0: it is built with the frozen header and nothing else. */
#include <guika/issuer.h>

#include <string.h>

static const struct guika_prefix_range prefixes[] = {{"2018", "2026"}};
static const uint8_t lengths[] = {10};
static const char *const groupings[] = {"10"};
static const struct guika_rule rules[] = {{
    .brand = "old-campus",
    .alphabet = "0123456789",
    .prefixes = prefixes,
    .prefix_count = 1,
    .lengths = lengths,
    .length_count = 1,
    .groupings = groupings,
    .grouping_count = 1,
}};
static const struct guika_region numbers[] = {{18.0f, 27.5f, 40.0f, 7.0f}};
static const struct guika_layout layouts[] = {{.name = "front",
                                               .side = GUIKA_SIDE_FRONT,
                                               .print = GUIKA_PRINT_FLAT,
                                               .numbers = numbers,
                                               .number_count = 1}};
static const struct guika_text names[] = {{"en", "Old campus card"}};
static const char *const examples[] = {"2021000123"};
static const char *const counter_examples[] = {"2017000123", "2020000000"};

static bool accepts(const char *number)
{
    return strcmp(number, "2020000000") != 0;
}

GUIKA_EXPORT const struct guika_issuer guika_issuer = {
    .struct_size = sizeof(struct guika_issuer),
    .abi_major = GUIKA_ISSUER_ABI_MAJOR,
    .abi_minor = GUIKA_ISSUER_ABI_MINOR,
    .id = "old_issuer",
    .version = "1.0",
    .scheme = "old-campus",
    .kind = GUIKA_KIND_CAMPUS,
    .names = names,
    .name_count = 1,
    .rules = rules,
    .rule_count = 1,
    .layouts = layouts,
    .layout_count = 1,
    .examples = examples,
    .example_count = 1,
    .counter_examples = counter_examples,
    .counter_example_count = 2,
    .accepts = accepts,
};

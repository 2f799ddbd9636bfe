/*
 * The invented schools of the mint's specimen cards (tests/mint): the demo's campus, and the example of an
 * issuer that has neither a check character nor a number of its own kind. Ten digits: year of entry, running
 * number.
 */
#include "guika/issuer.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const struct guika_prefix_range prefixes[] = {{"2018", "2026"}};
static const uint8_t lengths[] = {10};
static const char *const groupings[] = {"10"};

static const struct guika_rule rules[] = {{
    .brand = "guihai-campus",
    .alphabet = "0123456789",
    .prefixes = prefixes,
    .prefix_count = COUNT(prefixes),
    .lengths = lengths,
    .length_count = COUNT(lengths),
    .groupings = groupings,
    .grouping_count = COUNT(groupings),
    .check = GUIKA_CHECK_NONE,
}};

static const struct guika_region numbers[] = {{18.0f, 27.5f, 40.0f, 7.0f}};
/* The portrait. */
static const struct guika_region redact[] = {{60.0f, 12.0f, 24.0f, 32.0f}};

static const struct guika_layout layouts[] = {
    {.name = "front",
     .side = GUIKA_SIDE_FRONT,
     .print = GUIKA_PRINT_FLAT,
     .numbers = numbers,
     .number_count = COUNT(numbers),
     .redact = redact,
     .redact_count = COUNT(redact)},
};

/* The number again, alone, as Code 128 or QR. */
static const struct guika_barcode barcodes[] = {{.symbology = GUIKA_CODE_128, .length = 10},
                                                {.symbology = GUIKA_CODE_QR, .length = 10}};

static const char *const examples[] = {"2021000123", "2026999999"};
static const char *const counter_examples[] = {"2017000123", "202100012"};

static const struct guika_text names[] = {{"zh", "归海校园卡"}, {"en", "Guihai campus card"}};

GUIKA_EXPORT const struct guika_issuer guika_issuer = {
    .struct_size = sizeof(struct guika_issuer),
    .abi_major = GUIKA_ISSUER_ABI_MAJOR,
    .abi_minor = GUIKA_ISSUER_ABI_MINOR,
    .id = "guihai_campus",
    .version = "1.0",
    .scheme = "guihai-campus",
    .kind = GUIKA_KIND_CAMPUS,
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
    .barcodes = barcodes,
    .barcode_count = COUNT(barcodes),
};

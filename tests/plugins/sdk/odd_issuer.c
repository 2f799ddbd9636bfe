/* A small issuer; one macro at a time makes it misbehave. */
#include <guika/issuer.h>

#include <stdlib.h>
#include <string.h>

#ifdef ODD_CLASHES
#define SCHEME "iso7812"
static const struct guika_prefix_range prefixes[] = {{"4", "4"}};
static const uint8_t lengths[] = {16};
static const char *const groupings[] = {"4-4-4-4"};
static const char *const examples[] = {"4111111111111111"};
#else
#define SCHEME "odd"
static const struct guika_prefix_range prefixes[] = {{"771", "779"}};
static const uint8_t lengths[] = {11};
static const char *const examples[] = {"77100012341"};
#ifdef ODD_GROUPING
static const char *const groupings[] = {"3-4-4", "4-4-4"};
#else
static const char *const groupings[] = {"3-4-4"};
#endif
#endif
static const struct guika_rule rules[] = {{.brand = "odd",
                                           .alphabet = "0123456789",
                                           .prefixes = GUIKA_LIST(prefixes),
                                           .lengths = GUIKA_LIST(lengths),
                                           .groupings = GUIKA_LIST(groupings),
                                           .check = GUIKA_CHECK_LUHN,
                                           .force = GUIKA_CHECK_BINDS}};
#ifdef ODD_EXAMPLE
static const char *const counter_examples[] = {"77987654322"};
#else
static const char *const counter_examples[] = {"77100012342"};
#endif

#ifdef ODD_OUTSIDE
static const struct guika_region numbers[] = {{50.0f, 27.0f, 40.0f, 8.0f}};
#else
static const struct guika_region numbers[] = {{18.0f, 27.0f, 40.0f, 8.0f}};
#endif
static const struct guika_layout layouts[] = {
    {.name = "front", .side = GUIKA_SIDE_FRONT, .print = GUIKA_PRINT_FLAT, .numbers = GUIKA_LIST(numbers)},
#ifdef ODD_TWICE
    {.name = "front", .side = GUIKA_SIDE_BACK, .print = GUIKA_PRINT_FLAT, .numbers = GUIKA_LIST(numbers)},
#endif
};
static const struct guika_barcode barcodes[] = {{.symbology = GUIKA_CODE_QR, .marker = "?n="}};
static const struct guika_text names[] = {{"en", "Odd card"}, {"zh", "怪卡"}};

#ifdef ODD_EXPORTS
GUIKA_EXPORT int helper(void);
GUIKA_EXPORT int helper(void)
{
    return 1;
}
#endif

#ifdef ODD_HOST
bool gk_rules_check_passes(int check, const char *number);
#endif

#ifdef ODD_LOADS
__attribute__((constructor)) static void load(void)
{
    abort();
}
#endif

static bool accepts(const char *number)
{
#if defined(ODD_CRASHES)
    return number[0] == '7' || number[40] == '0' || *(volatile const char *)(number + 5000) == 0;
#elif defined(ODD_HANGS)
    while (strlen(number) < 3) {
    }
    return true;
#elif defined(ODD_LEAVES)
    if (strlen(number) < 3) {
        exit(0);
    }
    return true;
#elif defined(ODD_IMPURE)
    static int count;
    return count++ < 10000;
#elif defined(ODD_LEAKS)
    char *copy = malloc(100);
    if (copy != NULL) {
        strncpy(copy, number, 99);
    }
    return copy != NULL;
#elif defined(ODD_WRITES)
    *(char *)(uintptr_t)number = '7';
    return true;
#elif defined(ODD_HOST)
    return gk_rules_check_passes(1, number);
#else
    return number != NULL;
#endif
}

GUIKA_EXPORT const struct guika_issuer guika_issuer = {
    GUIKA_ISSUER_HEAD,
    .id = "odd",
    .version = "1.0",
    .scheme = SCHEME,
    .kind = GUIKA_KIND_CAMPUS,
    .names = GUIKA_LIST(names),
    .rules = GUIKA_LIST(rules),
    .layouts = GUIKA_LIST(layouts),
    .examples = GUIKA_LIST(examples),
    .counter_examples = GUIKA_LIST(counter_examples),
    .accepts = accepts,
#ifdef ODD_CODES
    .barcodes = GUIKA_LIST(barcodes),
    .masking = {.first = 3, .last = 2},
#else
    .barcodes = barcodes,
    .barcode_count = 0,
#endif
};

/* A tiny issuer; one macro at a time makes it misbehave. */
#include "guika/issuer.h"

static const uint8_t lengths[] = {8};
static const struct guika_rule rules[] = {
    {.brand = "test", .alphabet = "0123456789", .lengths = lengths, .length_count = 1}};
static const struct guika_region numbers[] = {{5.0f, 30.0f, 70.0f, 8.0f}};
static const struct guika_layout layouts[] = {
    {.name = "front", .side = GUIKA_SIDE_FRONT, .numbers = numbers, .number_count = 1}};
#ifdef PLUGIN_BAD_EXAMPLE
static const char *const examples[] = {"123"};
#else
static const char *const examples[] = {"12345678"};
#endif
static const char *const counter_examples[] = {"1234567"};
static const struct guika_text names[] = {{"en", "Test"}};

#if defined(PLUGIN_SHORT)
/* Only the head: it says that it is larger than it is. */
struct head {
    uint32_t struct_size;
    uint16_t abi_major, abi_minor;
    const char *id, *version;
};
extern GUIKA_EXPORT const struct head short_issuer __asm__("guika_issuer");
const struct head short_issuer = {sizeof(struct guika_issuer), 1, 0, "short", "1"};
#define DESCRIPTOR long_issuer
#elif defined(PLUGIN_MISSING)
#define DESCRIPTOR another_symbol
#else
#define DESCRIPTOR guika_issuer
#endif

extern GUIKA_EXPORT const struct guika_issuer DESCRIPTOR;
const struct guika_issuer DESCRIPTOR = {
#ifdef PLUGIN_STALE_SIZE
    .struct_size = offsetof(struct guika_issuer, barcodes),
#else
    .struct_size = sizeof(struct guika_issuer),
#endif
#if defined(PLUGIN_MAJOR)
    .abi_major = GUIKA_ISSUER_ABI_MAJOR + 1,
#elif defined(PLUGIN_OLD_MAJOR)
    .abi_major = GUIKA_ISSUER_ABI_MAJOR - 1,
#else
    .abi_major = GUIKA_ISSUER_ABI_MAJOR,
#endif
#ifdef PLUGIN_MINOR
    .abi_minor = GUIKA_ISSUER_ABI_MINOR + 1,
#else
    .abi_minor = GUIKA_ISSUER_ABI_MINOR,
#endif
#ifdef PLUGIN_BAD_ID
    .id = "No Id",
#else
    .id = "good",
#endif
    .version = "1",
    .scheme = "test",
    .kind = GUIKA_KIND_OTHER,
    .names = names,
    .name_count = 1,
    .rules = rules,
    .rule_count = 1,
    .layouts = layouts,
    .layout_count = 1,
    .examples = examples,
    .example_count = 1,
    .counter_examples = counter_examples,
    .counter_example_count = 1,
};

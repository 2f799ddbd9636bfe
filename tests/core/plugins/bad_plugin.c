/* An issuer of Visa-like numbers that behaves on its own example, and on any other number as one macro says.
 */
#include "guika/issuer.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern GUIKA_EXPORT const struct guika_issuer guika_issuer;

static bool misbehave(void)
{
#if defined(BAD_CRASH)
    *(volatile int *)(uintptr_t)8 = 1;
#elif defined(BAD_LOOP)
    for (volatile unsigned turns = 0;; turns++) {
    }
#elif defined(BAD_LEAK)
    void *memory = malloc((size_t)48 << 20);
    if (memory != NULL) {
        memset(memory, 1, (size_t)48 << 20);
    }
    __asm__ volatile("" : : "r"(memory) : "memory");
#elif defined(BAD_SCRIBBLE)
    char *memory = malloc(24);
    __asm__ volatile("" : "+r"(memory));
    memset(memory, 0xff, 8192); /* over what the heap keeps beside it */
#elif defined(BAD_DESCRIPTOR)
    struct guika_issuer *mine = (struct guika_issuer *)(uintptr_t)&guika_issuer;
    __asm__ volatile("" : "+r"(mine));
    mine->kind = GUIKA_KIND_OTHER;
#elif defined(BAD_CLOSE)
    for (int fd = 3; fd < 64; fd++) {
        (void)close(fd);
    }
#elif defined(BAD_EXIT)
    _exit(0);
#endif
    return true;
}

#if defined(BAD_LOAD_CRASH)
__attribute__((constructor)) static void at_load(void)
{
    abort();
}
#elif defined(BAD_LOAD_HANG)
__attribute__((constructor)) static void at_load(void)
{
    for (;;) {
        (void)pause();
    }
}
#endif

static bool accepts(const char *number)
{
    return strcmp(number, "4111111111111111") == 0 || misbehave();
}

static const uint8_t lengths[] = {16};
static const struct guika_prefix_range prefixes[] = {{"4", "4"}};
static const struct guika_rule rules[] = {{.brand = "bad",
                                           .alphabet = "0123456789",
                                           .prefixes = prefixes,
                                           .prefix_count = 1,
                                           .lengths = lengths,
                                           .length_count = 1,
                                           .check = GUIKA_CHECK_LUHN,
                                           .force = GUIKA_CHECK_BINDS}};
static const struct guika_region numbers[] = {{5.0f, 30.0f, 70.0f, 8.0f}};
static const struct guika_layout layouts[] = {
    {.name = "front", .side = GUIKA_SIDE_FRONT, .numbers = numbers, .number_count = 1}};
static const char *const examples[] = {"4111111111111111"};
static const char *const counter_examples[] = {"4111111111111112"};
static const struct guika_text names[] = {{"en", "Bad"}};

const struct guika_issuer guika_issuer = {
    .struct_size = sizeof(struct guika_issuer),
    .abi_major = GUIKA_ISSUER_ABI_MAJOR,
    .abi_minor = GUIKA_ISSUER_ABI_MINOR,
    .id = "bad",
    .version = "1",
    .scheme = "bad",
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
    .accepts = accepts,
};

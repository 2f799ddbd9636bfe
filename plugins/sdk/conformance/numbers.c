#include "plugins/sdk/conformance/numbers.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

uint64_t gk_numbers_chance(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static char any_of(const char *alphabet, uint64_t *chance)
{
    return alphabet[gk_numbers_chance(chance) % strlen(alphabet)];
}

/* A string between both ends of the range: characters are drawn while what stands before is an end's own. */
static void draw_prefix(const struct guika_prefix_range *range, const char *alphabet, uint64_t *chance,
                        char *ret_prefix)
{
    bool at_first = true, at_last = true;
    for (size_t i = 0; range->first[i] != '\0'; i++) {
        char least = at_first ? range->first[i] : '\0', most = at_last ? range->last[i] : '\x7f', drawn;
        size_t tries = 0;
        do {
            drawn = any_of(alphabet, chance);
        } while ((drawn < least || drawn > most) && tries++ < 1000);
        ret_prefix[i] = tries > 1000 ? range->first[i] : drawn;
        at_first = at_first && ret_prefix[i] == range->first[i];
        at_last = at_last && ret_prefix[i] == range->last[i];
    }
}

/* Puts in the last character that the check wants; false where none of its alphabet does. */
static bool put_check(const struct guika_rule *rule, size_t length, char *number)
{
    const char *last = rule->last_alphabet != NULL ? rule->last_alphabet : rule->alphabet;
    for (const char *c = last; rule->check != GUIKA_CHECK_NONE && *c != '\0'; c++) {
        number[length - 1] = *c;
        if (gk_rules_check_passes(rule->check, number)) {
            return true;
        }
    }
    return rule->check == GUIKA_CHECK_NONE;
}

void gk_numbers_make(const struct guika_rule *rule, uint64_t *chance, char ret_number[GK_NUMBER_SIZE])
{
    size_t length = rule->lengths[gk_numbers_chance(chance) % rule->length_count];
    const char *last = rule->last_alphabet != NULL ? rule->last_alphabet : rule->alphabet;
    char number[GK_NUMBER_SIZE] = "";
    for (size_t i = 0; i < length; i++) {
        number[i] = any_of(i + 1 == length ? last : rule->alphabet, chance);
    }
    if (rule->prefix_count > 0) {
        const struct guika_prefix_range *range =
            &rule->prefixes[gk_numbers_chance(chance) % rule->prefix_count];
        if (strlen(range->first) > length) {
            ret_number[0] = '\0';
            return;
        }
        draw_prefix(range, rule->alphabet, chance, number);
    }
    /* Of some beginnings no digit is the check character: X of MOD 11-2 where X is not allowed. */
    for (int tries = 0; !put_check(rule, length, number) && tries < 100 && length > 8; tries++) {
        number[length - 2] = any_of(rule->alphabet, chance);
    }
    memcpy(ret_number, number, sizeof number);
}

size_t gk_numbers_grouped(const char *grouping)
{
    size_t sum = 0;
    while (*grouping != '\0') {
        char *end = NULL;
        sum += isdigit((unsigned char)*grouping) ? strtoul(grouping, &end, 10) : 0;
        grouping = end != NULL ? end : grouping + 1;
    }
    return sum;
}

const char *gk_numbers_grouping(const struct guika_rule *rule, size_t length, size_t index)
{
    size_t fitting = 0;
    for (size_t i = 0; i < rule->grouping_count; i++) {
        fitting += gk_numbers_grouped(rule->groupings[i]) == length;
    }
    for (size_t i = 0, seen = 0; i < rule->grouping_count && fitting > 0; i++) {
        if (gk_numbers_grouped(rule->groupings[i]) == length && seen++ == index % fitting) {
            return rule->groupings[i];
        }
    }
    return NULL;
}

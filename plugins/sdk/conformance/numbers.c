#include "plugins/sdk/conformance/numbers.h"

#include "tests/mint/issued.h"

#include <ctype.h>
#include <stdlib.h>

void gk_numbers_make(const struct guika_rule *rule, uint64_t seed, char ret_number[GK_NUMBER_SIZE])
{
    const struct guika_issuer bare = {.rules = rule, .rule_count = 1};
    char grouping[24];
    ret_number[0] = '\0';
    if (!gk_mint_issue_number(&bare, 0, seed, ret_number, grouping)) {
        ret_number[0] = '\0';
    }
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

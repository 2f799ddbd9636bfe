/* Numbers by an issuer's rules, at random but the same for the same seed. Everything here is pure. */
#ifndef GUIKA_PLUGINS_SDK_CONFORMANCE_NUMBERS_H
#define GUIKA_PLUGINS_SDK_CONFORMANCE_NUMBERS_H

#include "core/recognition/rules.h"

#include <stdint.h>

/* A number that the rule's data lets pass, made by the mint; "" where it finds none. A hook is not asked. */
void gk_numbers_make(const struct guika_rule *rule, uint64_t seed, char ret_number[GK_NUMBER_SIZE]);

/* How many characters a grouping holds: 10 for "9(1)". */
size_t gk_numbers_grouped(const char *grouping);

#endif

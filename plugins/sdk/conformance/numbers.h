/* Numbers by an issuer's rules, at random but the same for the same seed. Everything here is pure. */
#ifndef GUIKA_PLUGINS_SDK_CONFORMANCE_NUMBERS_H
#define GUIKA_PLUGINS_SDK_CONFORMANCE_NUMBERS_H

#include "core/recognition/rules.h"

#include <stdint.h>

/* splitmix64 (Steele, Lea, Flood, 2014): the next of a row that `state` stands for. */
uint64_t gk_numbers_chance(uint64_t *state);

/* A number that the rule's data lets pass, its check character right; "" where the rule has none, as with a
 * prefix longer than the number. A hook is not asked. */
void gk_numbers_make(const struct guika_rule *rule, uint64_t *chance, char ret_number[GK_NUMBER_SIZE]);

/* A grouping of the rule that fits `length` characters, the index-th of them in turn; NULL where none does.
 */
const char *gk_numbers_grouping(const struct guika_rule *rule, size_t length, size_t index);

/* How many characters a grouping holds: 10 for "9(1)". */
size_t gk_numbers_grouped(const char *grouping);

#endif

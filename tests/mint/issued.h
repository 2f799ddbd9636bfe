/*
 * Cards after issuers' descriptors (guika/issuer.h): numbers by their rules, printed in their groups, where
 * their layouts have them. What the descriptor says is all that the mint knows of the issuer; the check
 * characters are the mint's own, so that a rule and its checker are not one piece of code.
 */
#ifndef GUIKA_TESTS_MINT_ISSUED_H
#define GUIKA_TESTS_MINT_ISSUED_H

#include "guika/issuer.h"
#include "tests/mint/mint.h"

#include <stdbool.h>

/* A number of rule `rule` that the issuer accepts and a grouping that its length has, likelier ones more
 * often. False where none was found in many tries: a hook that lets almost nothing pass. */
bool gk_mint_issue_number(const struct guika_issuer *issuer, size_t rule, uint64_t seed, char ret_number[32],
                          char ret_grouping[24]);

/* A worn card with that number in one of the issuer's layouts, chosen by the seed. Resident ID, Octopus,
 * T-Union and the mint's own campus and garages have faces of their own, payment cards theirs where the
 * number is in front; all others are GK_MINT_ISSUED. False as above. */
bool gk_mint_issue_card(const struct guika_issuer *issuer, size_t rule, uint64_t seed,
                        struct gk_mint_card *ret_card);

#endif

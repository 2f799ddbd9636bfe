/*
 * Pickup codes: what a holder types at the box, or says at a desk, to be handed their card.
 *
 * A code is computed whenever it is needed and never rests: HMAC-SHA256 under a subkey of its own over the
 * case, the issue and the place, cut to decimal digits. So another issue is another code, and so is another
 * compartment: a code is worth nothing anywhere else.
 *
 * Guessing. The holder names the case first, so a try is compared with the code of one case, however many are
 * live. A code of 8 digits is hit with probability 10^-8. One of 6 digits is taken only together with the
 * last four digits of the holder's telephone: 10^-6 even for somebody who knows the case number and the
 * telephone, 10^-10 for who knows the case number alone. (Were a bare code compared with all of 1,000 live
 * ones, it would be 10^-3.) The remainder of a 64-bit value by 10^digits is uneven by less than 10^8 / 2^64 <
 * 10^-11. tests/core/security/test_pickup_code.c has this calculation, and a simulation.
 */
#ifndef GUIKA_CORE_SECURITY_PICKUP_CODE_H
#define GUIKA_CORE_SECURITY_PICKUP_CODE_H

#include "core/security/keys.h"

#define GK_PICKUP_SHORT 6     /* digits, with a telephone tail */
#define GK_PICKUP_LONG 8      /* digits, without one */
#define GK_PICKUP_TAIL 4      /* digits: the end of the holder's telephone number */
#define GK_PICKUP_CODE_SIZE 9 /* bytes of the longest code with the terminator */

/* What a code is bound to. Strings are borrowed. */
struct gk_pickup_binding {
    const uint8_t *case_id;  /* 16 bytes */
    uint32_t issue;          /* from 1; another one makes another code */
    const char *place;       /* box or desk id */
    const char *compartment; /* "" at a desk */
};

/* Writes the code of `digits` (GK_PICKUP_SHORT or GK_PICKUP_LONG) digits and the terminator. [any] */
void gk_pickup_code_make(const struct gk_keys *keys, const struct gk_pickup_binding *binding, unsigned digits,
                         char ret_code[GK_PICKUP_CODE_SIZE]);

/* Is `code`, as it was typed, the binding's? Spaces and dashes do not matter. A code of 8 digits stands
 * alone; one of 6 needs `typed_tail` to be `tail`, the end of the holder's telephone number (NULL or "": the
 * holder has none, and no code of 6 digits is taken). In constant time. [any] */
bool gk_pickup_code_matches(const struct gk_keys *keys, const struct gk_pickup_binding *binding,
                            const char *code, const char *tail, const char *typed_tail);

/* The last four digits of a contact, where it is a telephone: an address (what is behind the first colon) of
 * digits, spaces, dashes, dots and brackets with an optional leading '+', 7 to 15 digits in all (ITU-T
 * E.164). False, and `ret_tail` untouched, for any other contact. [any] */
bool gk_pickup_telephone_tail(const char *contact, char ret_tail[GK_PICKUP_TAIL + 1]);

#endif

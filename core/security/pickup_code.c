#include "core/security/pickup_code.h"

#include "core/security/key_material.h"

#include <assert.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define CASE_SIZE 16 /* bytes */

/* The terminators keep ("a", "bc") and ("ab", "c") apart; the digits keep a short code from being part of the
 * long one. */
static uint64_t bind(const struct gk_keys *keys, const struct gk_pickup_binding *binding, unsigned digits)
{
    const uint8_t head[5] = {(uint8_t)digits, (uint8_t)(binding->issue >> 24),
                             (uint8_t)(binding->issue >> 16), (uint8_t)(binding->issue >> 8),
                             (uint8_t)binding->issue};
    crypto_auth_hmacsha256_state state;
    uint8_t hash[crypto_auth_hmacsha256_BYTES];
    uint64_t value = 0;

    crypto_auth_hmacsha256_init(&state, keys->pickup, GK_SUBKEY_SIZE);
    crypto_auth_hmacsha256_update(&state, head, sizeof head);
    crypto_auth_hmacsha256_update(&state, binding->case_id, CASE_SIZE);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)binding->place, strlen(binding->place) + 1);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)binding->compartment,
                                  strlen(binding->compartment) + 1);
    crypto_auth_hmacsha256_final(&state, hash);
    for (unsigned i = 0; i < 8; i++) {
        value = value << 8 | hash[i];
    }
    sodium_memzero(&state, sizeof state);
    sodium_memzero(hash, sizeof hash);
    return value;
}

void gk_pickup_code_make(const struct gk_keys *keys, const struct gk_pickup_binding *binding, unsigned digits,
                         char ret_code[GK_PICKUP_CODE_SIZE])
{
    assert(digits == GK_PICKUP_SHORT || digits == GK_PICKUP_LONG);
    const uint64_t modulus = digits == GK_PICKUP_SHORT ? UINT64_C(1000000) : UINT64_C(100000000);

    (void)snprintf(ret_code, GK_PICKUP_CODE_SIZE, "%0*" PRIu64, (int)digits,
                   bind(keys, binding, digits) % modulus);
}

/* The digits of `text` without spaces and dashes; 0 where there is anything else, or more than `most`. */
static size_t read_digits(const char *text, char *ret_digits, size_t most)
{
    size_t count = 0;

    for (; text != NULL && *text != '\0'; text++) {
        if (*text == ' ' || *text == '-') {
            continue;
        }
        if (!isdigit((unsigned char)*text) || count == most) {
            return 0;
        }
        ret_digits[count++] = *text;
    }
    ret_digits[count] = '\0';
    return count;
}

bool gk_pickup_code_matches(const struct gk_keys *keys, const struct gk_pickup_binding *binding,
                            const char *code, const char *tail, const char *typed_tail)
{
    char typed[GK_PICKUP_CODE_SIZE];
    char typed_end[GK_PICKUP_TAIL + 1];
    char right[GK_PICKUP_CODE_SIZE];
    const size_t digits = read_digits(code, typed, GK_PICKUP_LONG);

    if (digits != GK_PICKUP_SHORT && digits != GK_PICKUP_LONG) {
        return false;
    }
    gk_pickup_code_make(keys, binding, (unsigned)digits, right);
    const bool same = sodium_memcmp(typed, right, digits) == 0;

    sodium_memzero(right, sizeof right);
    if (digits == GK_PICKUP_LONG) {
        return same;
    }
    if (tail == NULL || strlen(tail) != GK_PICKUP_TAIL ||
        read_digits(typed_tail, typed_end, GK_PICKUP_TAIL) != GK_PICKUP_TAIL) {
        return false;
    }
    return (sodium_memcmp(typed_end, tail, GK_PICKUP_TAIL) == 0) & same;
}

bool gk_pickup_telephone_tail(const char *contact, char ret_tail[GK_PICKUP_TAIL + 1])
{
    enum { LEAST = 7, MOST = 15 };
    const char *address = strchr(contact, ':');
    char digits[MOST];
    size_t count = 0;

    if (address == NULL) {
        return false;
    }
    address += 1 + (address[1] == '+');
    for (; *address != '\0'; address++) {
        if (strchr(" -.()", *address) != NULL) {
            continue;
        }
        if (!isdigit((unsigned char)*address) || count == MOST) {
            return false;
        }
        digits[count++] = *address;
    }
    if (count < LEAST) {
        return false;
    }
    memcpy(ret_tail, digits + count - GK_PICKUP_TAIL, GK_PICKUP_TAIL);
    ret_tail[GK_PICKUP_TAIL] = '\0';
    return true;
}

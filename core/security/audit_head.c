#include "core/security/audit_head.h"

#include "core/security/key_material.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_BEGINS "guika-audit-head:"
#define KEY_BEGINS "guika-audit-key:"

static_assert(GK_AUDIT_PUBLIC_SIZE == crypto_sign_PUBLICKEYBYTES, "an Ed25519 key");

void gk_audit_head_sign(const struct gk_keys *keys, const struct gk_signed_head *head,
                        char ret_line[GK_AUDIT_LINE_SIZE])
{
    char hash[2 * sizeof head->hash + 1];
    char text[2 * crypto_sign_BYTES + 1];
    uint8_t signature[crypto_sign_BYTES];

    (void)sodium_bin2hex(hash, sizeof hash, head->hash, sizeof head->hash);
    const int length = snprintf(ret_line, GK_AUDIT_LINE_SIZE, HEAD_BEGINS "%" PRIu64 ":%" PRId64 ":%s",
                                head->sequence, head->at_ms, hash);

    (void)crypto_sign_detached(signature, NULL, (const uint8_t *)ret_line, (unsigned long long)length,
                               keys->audit_secret);
    (void)sodium_bin2hex(text, sizeof text, signature, sizeof signature);
    (void)snprintf(ret_line + length, GK_AUDIT_LINE_SIZE - (size_t)length, ":%s", text);
}

/* Takes a decimal number up to a colon; false where there is none. */
static bool take_number(const char **rest, uint64_t largest, uint64_t *ret_number)
{
    uint64_t number = 0;
    const char *at = *rest;

    for (; *at >= '0' && *at <= '9'; at++) {
        const uint64_t digit = (uint64_t)(*at - '0');

        if (number > (largest - digit) / 10) {
            return false;
        }
        number = number * 10 + digit;
    }
    if (at == *rest || *at != ':') {
        return false;
    }
    *ret_number = number;
    *rest = at + 1;
    return true;
}

/* Takes exactly `size` bytes in hexadecimal. */
static bool take_hex(const char **rest, uint8_t *ret_bytes, size_t size)
{
    size_t length = 0;

    if (strnlen(*rest, 2 * size) < 2 * size ||
        sodium_hex2bin(ret_bytes, size, *rest, 2 * size, NULL, &length, NULL) != 0 || length != size) {
        return false;
    }
    *rest += 2 * size;
    return true;
}

static bool is_end(const char *rest)
{
    return rest[strspn(rest, "\r\n")] == '\0';
}

enum gk_status gk_audit_head_read(const char *line, const uint8_t public_key[GK_AUDIT_PUBLIC_SIZE],
                                  struct gk_signed_head *ret_head, struct gk_error *error)
{
    struct gk_signed_head head = {0};
    uint8_t signature[crypto_sign_BYTES];
    uint64_t at_ms = 0;
    const char *rest = line + strlen(HEAD_BEGINS);

    if (strncmp(line, HEAD_BEGINS, strlen(HEAD_BEGINS)) != 0 ||
        !take_number(&rest, UINT64_MAX, &head.sequence) || !take_number(&rest, INT64_MAX, &at_ms) ||
        !take_hex(&rest, head.hash, sizeof head.hash) || *rest != ':') {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "this is no signed head of an audit chain");
    }
    const size_t signed_size = (size_t)(rest - line);

    rest++;
    if (!take_hex(&rest, signature, sizeof signature) || !is_end(rest)) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "this is no signed head of an audit chain");
    }
    if (crypto_sign_verify_detached(signature, (const uint8_t *)line, signed_size, public_key) != 0) {
        return gk_error_set(error, GK_DATA_LOSS, "the signature is not of this key, or the line was changed");
    }
    head.at_ms = (int64_t)at_ms;
    *ret_head = head;
    return GK_OK;
}

void gk_audit_public_write(const struct gk_keys *keys, char ret_line[GK_AUDIT_LINE_SIZE])
{
    char text[2 * GK_AUDIT_PUBLIC_SIZE + 1];

    (void)sodium_bin2hex(text, sizeof text, keys->audit_public, sizeof keys->audit_public);
    (void)snprintf(ret_line, GK_AUDIT_LINE_SIZE, KEY_BEGINS "%s", text);
}

enum gk_status gk_audit_public_read(const char *line, uint8_t ret_key[GK_AUDIT_PUBLIC_SIZE],
                                    struct gk_error *error)
{
    const char *rest = line + strlen(KEY_BEGINS);
    uint8_t key[GK_AUDIT_PUBLIC_SIZE];

    if (strncmp(line, KEY_BEGINS, strlen(KEY_BEGINS)) != 0 || !take_hex(&rest, key, sizeof key) ||
        !is_end(rest)) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "this is no public key of an audit chain");
    }
    memcpy(ret_key, key, sizeof key);
    return GK_OK;
}

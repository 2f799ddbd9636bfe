#include "core/security/pickup_grant.h"

#include <assert.h>
#include <pb_decode.h>
#include <pb_encode.h>
#include <sodium.h>
#include <string.h>

#define CONTEXT "guika-pickup-grant:"

enum { CONTEXT_SIZE = sizeof CONTEXT - 1, SHORT = 6, LONG = 8, TAIL = 4 };

static_assert(GK_GRANT_KEY_SIZE == crypto_sign_PUBLICKEYBYTES, "an Ed25519 key");
static_assert(GK_GRANT_SECRET_SIZE == crypto_sign_SECRETKEYBYTES, "an Ed25519 key");
static_assert(GK_GRANT_SALT_SIZE == crypto_pwhash_SALTBYTES, "Argon2's salt");
static_assert(GK_GRANT_MEMORY_BYTES >= crypto_pwhash_MEMLIMIT_MIN, "Argon2's memory");
static_assert(sizeof((guika_v1_SignedGrant *)NULL)->signature == crypto_sign_BYTES, "an Ed25519 signature");
static_assert(sizeof((guika_v1_SignedGrant *)NULL)->grant.bytes >= guika_v1_PickupGrant_size,
              "the largest grant fits");

int64_t gk_pickup_wait_after(uint32_t failed_tries)
{
    int64_t wait_ms = GK_PICKUP_FIRST_WAIT_MS;

    if (failed_tries < GK_PICKUP_FREE_TRIES) {
        return 0;
    }
    for (uint32_t i = GK_PICKUP_FREE_TRIES; i < failed_tries && wait_ms < GK_PICKUP_LONGEST_WAIT_MS; i++) {
        wait_ms *= 2;
    }
    return wait_ms < GK_PICKUP_LONGEST_WAIT_MS ? wait_ms : GK_PICKUP_LONGEST_WAIT_MS;
}

/* Takes the digits of `text`, passing over spaces and dashes; at most `room`. SIZE_MAX where it has others.
 */
static size_t take_digits(const char *text, char *ret_digits, size_t room)
{
    size_t count = 0;

    for (; *text != '\0'; text++) {
        if (*text == ' ' || *text == '-') {
            continue;
        }
        if (*text < '0' || *text > '9' || count == room) {
            return SIZE_MAX;
        }
        ret_digits[count++] = *text;
    }
    return count;
}

bool gk_grant_code(const char *code, const char *tail, char ret_text[GK_GRANT_CODE_SIZE])
{
    memset(ret_text, 0, GK_GRANT_CODE_SIZE);
    const size_t digits = take_digits(code, ret_text, LONG);

    if (digits == LONG || (digits == SHORT && take_digits(tail, ret_text + SHORT, TAIL) == TAIL)) {
        return true;
    }
    memset(ret_text, 0, GK_GRANT_CODE_SIZE);
    return false;
}

enum gk_status gk_grant_verifier(const char *text, const uint8_t salt[GK_GRANT_SALT_SIZE],
                                 uint8_t ret_verifier[GK_GRANT_VERIFIER_SIZE], struct gk_error *error)
{
    return crypto_pwhash(ret_verifier, GK_GRANT_VERIFIER_SIZE, text, strlen(text), salt, GK_GRANT_PASSES,
                         GK_GRANT_MEMORY_BYTES, crypto_pwhash_ALG_ARGON2ID13) == 0
               ? GK_OK
               : gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory (%u bytes) to check a code",
                              GK_GRANT_MEMORY_BYTES);
}

/* What is signed; returns its length. */
static size_t signed_text(const guika_v1_SignedGrant *grant,
                          uint8_t ret_text[CONTEXT_SIZE + sizeof grant->grant.bytes])
{
    memcpy(ret_text, CONTEXT, CONTEXT_SIZE);
    memcpy(ret_text + CONTEXT_SIZE, grant->grant.bytes, grant->grant.size);
    return CONTEXT_SIZE + grant->grant.size;
}

enum gk_status gk_grant_sign(const guika_v1_PickupGrant *grant, const uint8_t secret[GK_GRANT_SECRET_SIZE],
                             guika_v1_SignedGrant *ret_signed, struct gk_error *error)
{
    guika_v1_SignedGrant made = {0};
    uint8_t text[CONTEXT_SIZE + sizeof made.grant.bytes];
    pb_ostream_t stream = pb_ostream_from_buffer(made.grant.bytes, sizeof made.grant.bytes);

    if (!pb_encode(&stream, guika_v1_PickupGrant_fields, grant)) {
        return gk_error_set(error, GK_INTERNAL, "grant: %s", PB_GET_ERROR(&stream));
    }
    made.grant.size = (pb_size_t)stream.bytes_written;
    (void)crypto_sign_detached(made.signature, NULL, text, signed_text(&made, text), secret);
    *ret_signed = made;
    return GK_OK;
}

static bool is_name(const char *text)
{
    return text[0] != '\0' &&
           text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")] == '\0';
}

enum gk_status gk_grant_open(const guika_v1_SignedGrant *signed_grant, const uint8_t key[GK_GRANT_KEY_SIZE],
                             const char *box_id, guika_v1_PickupGrant *ret_grant, struct gk_error *error)
{
    guika_v1_PickupGrant grant = {0};
    uint8_t text[CONTEXT_SIZE + sizeof signed_grant->grant.bytes];
    const size_t size = signed_text(signed_grant, text);

    if (crypto_sign_verify_detached(signed_grant->signature, text, size, key) != 0) {
        return gk_error_set(error, GK_PERMISSION_DENIED, "the grant was not signed by the service");
    }
    pb_istream_t stream = pb_istream_from_buffer(signed_grant->grant.bytes, signed_grant->grant.size);

    if (!pb_decode(&stream, guika_v1_PickupGrant_fields, &grant) || !is_name(grant.compartment) ||
        (grant.deposit_id[0] != '\0' && !is_name(grant.deposit_id)) || grant.issue == 0 ||
        (grant.code_digits != SHORT && grant.code_digits != LONG)) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "this is no grant");
    }
    if (strcmp(grant.box_id, box_id) != 0) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "the grant is another box's");
    }
    *ret_grant = grant;
    return GK_OK;
}

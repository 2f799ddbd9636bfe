/*
 * Pickup grants: leave for a box to open one compartment once, for who knows the code, while it cannot reach
 * the service. What both sides compute: the verifier of a code, the bytes that are signed, the waits after
 * wrong tries. The service makes grants (core/grants.h), the box maker's library keeps and uses them
 * (clients/c/grants.h). Owns nothing; needs libsodium and the messages alone.
 *
 * The verifier is Argon2id with 19 MiB and two passes, the least that the OWASP Password Storage Cheat Sheet
 * recommends: 12 ms of a server's core (test_pickup_grant prints it), and well under a second on a small
 * board. Whoever copies a box's grants can try 10^8 codes, or 10^6 where they know the telephone: two weeks,
 * or three hours, of such a core for one case. That is why a grant is short-lived (GK_GRANT_LIFE_MS) and
 * opens nothing but one compartment of one box.
 */
#ifndef GUIKA_CORE_SECURITY_PICKUP_GRANT_H
#define GUIKA_CORE_SECURITY_PICKUP_GRANT_H

#include "guika/v1/box.pb.h"
#include "rpc/status.h"

#include <stdbool.h>
#include <stdint.h>

#define GK_GRANT_KEY_SIZE 32      /* bytes: an Ed25519 public key, RFC 8032 */
#define GK_GRANT_SECRET_SIZE 64   /* bytes: libsodium's Ed25519 secret key */
#define GK_GRANT_SALT_SIZE 16     /* bytes: crypto_pwhash */
#define GK_GRANT_VERIFIER_SIZE 32 /* bytes */
#define GK_GRANT_PASSES 2         /* Argon2id's time cost */
#define GK_GRANT_MEMORY_BYTES (19U * 1024U * 1024U)
#define GK_GRANT_CODE_SIZE 13 /* bytes: 8 digits, or 6 and 4, and the terminator, with room */

#define GK_PICKUP_FREE_TRIES 5              /* of an issue, before waits begin */
#define GK_PICKUP_FIRST_WAIT_MS (60 * 1000) /* after the fifth wrong try; doubles with each one more, */
#define GK_PICKUP_LONGEST_WAIT_MS (24 * 3600 * 1000) /* up to this */

/* How long a case waits after its `failed_tries`th wrong try; 0: not at all. [any] */
int64_t gk_pickup_wait_after(uint32_t failed_tries);

/* The text that a verifier is made of: the digits of `code`, as typed (spaces and dashes do not matter), and
 * behind one of 6 digits those of `tail`. False, and `ret_text` empty, where it is neither 8 digits nor 6
 * with a tail of 4. [any] */
bool gk_grant_code(const char *code, const char *tail, char ret_text[GK_GRANT_CODE_SIZE]);

/* RESOURCE_EXHAUSTED where there is no memory for it. [worker] */
enum gk_status gk_grant_verifier(const char *text, const uint8_t salt[GK_GRANT_SALT_SIZE],
                                 uint8_t ret_verifier[GK_GRANT_VERIFIER_SIZE], struct gk_error *error);

/* Encodes and signs. The same grant under the same key is the same bytes. [any] */
enum gk_status gk_grant_sign(const guika_v1_PickupGrant *grant, const uint8_t secret[GK_GRANT_SECRET_SIZE],
                             guika_v1_SignedGrant *ret_signed, struct gk_error *error);

/* Checks the signature, decodes, and checks what every grant must be: of `box_id`, with a compartment of
 * [A-Za-z0-9._-], an issue and a code of 6 or 8 digits. PERMISSION_DENIED for a signature of another key,
 * INVALID_ARGUMENT for another box's grant or none. [any] */
enum gk_status gk_grant_open(const guika_v1_SignedGrant *signed_grant, const uint8_t key[GK_GRANT_KEY_SIZE],
                             const char *box_id, guika_v1_PickupGrant *ret_grant, struct gk_error *error);

#endif

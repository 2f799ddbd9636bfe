/*
 * Signed heads of the audit chain: one line each,
 *     guika-audit-head:SEQUENCE:UNIX MILLISECONDS:HASH:SIGNATURE
 * with hash and signature (Ed25519, over the line up to and without its last colon) in hexadecimal. Who keeps
 * such lines, and the public key guika-audit-key:64 hexadecimal digits away from the service can prove that
 * no entry up to the last of them was changed or cut off. Pure.
 */
#ifndef GUIKA_CORE_SECURITY_AUDIT_HEAD_H
#define GUIKA_CORE_SECURITY_AUDIT_HEAD_H

#include "core/security/keys.h"

#include <stdio.h>

enum {
    GK_AUDIT_LINE_SIZE = 320, /* bytes with the terminator, without the line's end */
    GK_AUDIT_PUBLIC_SIZE = 32 /* bytes: Ed25519 */
};

/* What a line states. */
struct gk_signed_head {
    uint64_t sequence;
    int64_t at_ms; /* Unix milliseconds of the signing */
    uint8_t hash[32];
};

/* Writes the line, without its end. */
void gk_audit_head_sign(const struct gk_keys *keys, const struct gk_signed_head *head,
                        char ret_line[GK_AUDIT_LINE_SIZE]);

/* Reads a line, whose end may be there. INVALID_ARGUMENT where it is none; DATA_LOSS where the signature is
 * not of `public_key`. */
enum gk_status gk_audit_head_read(const char *line, const uint8_t public_key[GK_AUDIT_PUBLIC_SIZE],
                                  struct gk_signed_head *ret_head, struct gk_error *error);

/* The line of the public key, and reading it. */
void gk_audit_public_write(const struct gk_keys *keys, char ret_line[GK_AUDIT_LINE_SIZE]);
enum gk_status gk_audit_public_read(const char *line, uint8_t ret_key[GK_AUDIT_PUBLIC_SIZE],
                                    struct gk_error *error);

#endif

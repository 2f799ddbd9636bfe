/*
 * Signatures of plugins: Ed25519 (RFC 8032) over the bytes of the shared object, detached in a file of one
 * line beside it (FILE.so.sig), by keys that the operator trusts.
 *
 *   FILE.so.sig   "guika-signature ID BASE64", ID of the key, 64 bytes of signature
 *   secret key    "guika-plugin-secret BASE64", 64 bytes; a file that its owner alone can read
 *   public key    BASE64 of 32 bytes: what guikad's configuration lists in readers { trusted_keys }
 *
 * Everything here is pure but for the random key. BASE64 is RFC 4648's, with padding.
 */
#ifndef GUIKA_CORE_SECURITY_PLUGIN_SIGNATURE_H
#define GUIKA_CORE_SECURITY_PLUGIN_SIGNATURE_H

#include "rpc/bytes.h"
#include "rpc/status.h"

#include <stddef.h>
#include <stdint.h>

#define GK_PLUGIN_KEY_ID_SIZE 17     /* 16 hexadecimal digits and the terminator */
#define GK_PLUGIN_KEY_TEXT_SIZE 128  /* bytes, of either key's line with the terminator */
#define GK_PLUGIN_SIGNATURE_SIZE 160 /* bytes, of the signature's line with the terminator */
#define GK_PLUGIN_SIGNATURE_SUFFIX ".sig"

struct gk_plugin_key {
    uint8_t bytes[32];
    char id[GK_PLUGIN_KEY_ID_SIZE]; /* of BLAKE2b over the key */
};

/* Makes a pair; both are lines without a line feed. [any] */
void gk_plugin_key_make(char ret_secret[GK_PLUGIN_KEY_TEXT_SIZE], char ret_public[GK_PLUGIN_KEY_TEXT_SIZE]);

/* Reads a public key. INVALID_ARGUMENT. [any] */
enum gk_status gk_plugin_key_read(const char *text, struct gk_plugin_key *ret_key, struct gk_error *error);

/* Signs `file` with the secret key's line; a line feed at its end does not matter. INVALID_ARGUMENT where it
 * is no such key. [any] */
enum gk_status gk_plugin_sign(const char *secret, struct gk_bytes file,
                              char ret_signature[GK_PLUGIN_SIGNATURE_SIZE], struct gk_error *error);

/* Did one of the `count` keys sign these very bytes? `signature` is the content of the signature's file,
 * empty where there is none; `ret_id` is the key's. PERMISSION_DENIED says what is wrong and what to do.
 * [any] */
enum gk_status gk_plugin_verify(const struct gk_plugin_key *keys, size_t count, struct gk_bytes file,
                                struct gk_bytes signature, char ret_id[GK_PLUGIN_KEY_ID_SIZE],
                                struct gk_error *error);

#endif

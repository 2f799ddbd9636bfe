/*
 * The index keys that the service shares with issuers, one an issuer and epoch.
 *
 * Owns: the key material, in locked memory, and the files <keys>/issuers/ISSUER.EPOCH.key. A key is added
 * while others are in use; none is ever changed or dropped while the service runs.
 */
#ifndef GUIKA_CORE_SECURITY_ISSUER_KEYS_H
#define GUIKA_CORE_SECURITY_ISSUER_KEYS_H

#include "core/security/index_key.h"

struct gk_issuer_keys;

/* Reads the folder "issuers" in `keys_directory`, which need not be there. FAILED_PRECONDITION where a file
 * in it is no key or is readable by others. [worker] */
enum gk_status gk_issuer_keys_open(const char *keys_directory, struct gk_issuer_keys **ret_keys,
                                   struct gk_error *error);
void gk_issuer_keys_close(struct gk_issuer_keys *keys); /* takes NULL */

/* Makes the key of an issuer's epoch, durably, and gives its text for the issuer. A key that is there already
 * is given as it is: nobody had it yet, because the record that names its epoch is written after it.
 * `issuer_id` is one that the registry takes. [worker] */
enum gk_status gk_issuer_keys_make(struct gk_issuer_keys *keys, const char *issuer_id, uint32_t epoch,
                                   char ret_text[GK_INDEX_KEY_TEXT_SIZE], struct gk_error *error);

/* Tokens under the key of `issuer_id` and `epoch`; false where there is no such key. `ret_blocks` may be
 * NULL. [any] */
bool gk_issuer_keys_tokens(struct gk_issuer_keys *keys, const char *issuer_id, uint32_t epoch,
                           const char *scheme, const char *number, uint8_t ret_card_token[GK_TOKEN_SIZE],
                           struct gk_blocks *ret_blocks);

#endif

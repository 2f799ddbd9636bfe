/*
 * One-time codes that prove a contact: eight random digits, good for ten minutes and five tries.
 *
 * Owns: the family codes. What rests is a nonce; the code is its keyed hash and is made when its message
 * leaves. A record is written for every contact that is asked about, known or not, and for every try: so
 * neither asking nor trying shows who is registered.
 */
#ifndef GUIKA_CORE_CODES_H
#define GUIKA_CORE_CODES_H

#include "core/security/keys.h"
#include "core/store/store.h"

#include <stdbool.h>

#define GK_CODE_LIFE_MS (10 * 60 * 1000)
#define GK_CODE_TRIES 5

/* Puts a code of `nonce` in force for a contact, in place of the one before. [committer] */
enum gk_status gk_codes_issue(struct gk_transaction *transaction, const uint8_t contact_token[GK_TOKEN_SIZE],
                              const uint8_t nonce[GK_NONCE_SIZE], struct gk_error *error);

/* The code in force for a contact at `now_ms`. NOT_FOUND where there is none (any more). [worker] */
enum gk_status gk_codes_read(struct gk_store *store, const struct gk_keys *keys,
                             const uint8_t contact_token[GK_TOKEN_SIZE], int64_t now_ms,
                             char ret_code[GK_CONTACT_CODE_SIZE], struct gk_error *error);

/* One try. `*ret_right` says whether `code` was the one in force, which it then is no more. A try costs the
 * same whatever it finds. [committer] */
enum gk_status gk_codes_try(struct gk_transaction *transaction, const struct gk_keys *keys,
                            const uint8_t contact_token[GK_TOKEN_SIZE], const char *code, bool *ret_right,
                            struct gk_error *error);

/* Records that have run out, some of them at a time. [worker] */
#define GK_CODES_SWEPT 128
enum gk_status gk_codes_expired(struct gk_store *store, int64_t now_ms,
                                uint8_t ret_tokens[GK_CODES_SWEPT][GK_TOKEN_SIZE], size_t *ret_count,
                                struct gk_error *error);
/* Forgets one of them, where it has run out. [committer] */
void gk_codes_forget(struct gk_transaction *transaction, const uint8_t contact_token[GK_TOKEN_SIZE]);

#endif

/*
 * The service's keys, and everything that is computed with them.
 *
 * Owns: the key material, in locked memory (sodium_malloc). Keys live as files outside the data directory,
 * 0600 in a 0700 directory; each derived use has its own subkey (crypto_kdf), so that no two uses share one.
 * Every function here is pure over const keys and may run on any thread.
 */
#ifndef GUIKA_CORE_SECURITY_KEYS_H
#define GUIKA_CORE_SECURITY_KEYS_H

#include "rpc/bytes.h"
#include "rpc/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GK_TOKEN_SIZE 32       /* bytes: HMAC-SHA256 */
#define GK_SEAL_OVERHEAD 40    /* bytes that sealing adds: XChaCha20-Poly1305 nonce (24) and tag (16) */
#define GK_SPOOL_KEY_SIZE 32   /* bytes: X25519 public key */
#define GK_NONCE_SIZE 16       /* bytes: random, what a one-time code is made from */
#define GK_CONTACT_CODE_SIZE 9 /* bytes with the terminator: eight digits */
#define GK_CREDENTIAL_SIZE 64  /* bytes with the terminator: text of a bearer token */

#define GK_KEY_EPOCHS_MAX 64 /* rotations of one service */

struct gk_keys;

/* Makes fresh key files in `directory` (made if missing). ALREADY_EXISTS where any is there: keys are never
 * overwritten. [worker] */
enum gk_status gk_keys_generate(const char *directory, struct gk_error *error);

/* Makes the key that signs heads of the audit chain, in a folder of keys from before there was one.
 * `*ret_made`: false where it is there. FAILED_PRECONDITION where other keys are missing too. [worker] */
enum gk_status gk_keys_add_audit(const char *directory, bool *ret_made, struct gk_error *error);

/* Reads the key files. FAILED_PRECONDITION where one is missing, of the wrong length, or readable by others.
 * grant.key alone is made where it is missing: folders of before there were grants have none. [worker] */
enum gk_status gk_keys_open(const char *directory, struct gk_keys **ret_keys, struct gk_error *error);
void gk_keys_close(struct gk_keys *keys);

/* The index keys that the service shares with issuers; borrowed. Not pure: keys may be added to them. */
struct gk_issuer_keys *gk_keys_issuers(const struct gk_keys *keys);

/* Makes the key files of the next epoch, index.N.key and seal.N.key; those before stay: tokens are wrapped
 * once more, token(N) = HMAC(key N, token(N - 1)), because the numbers are gone, and what was sealed before
 * can be opened until it is sealed anew. In force once the keys are opened again. RESOURCE_EXHAUSTED after
 * GK_KEY_EPOCHS_MAX; FAILED_PRECONDITION where GK_BASES_MAX index keys are there that were not retired.
 * [worker] */
enum gk_status gk_keys_add_epoch(const char *directory, uint32_t *ret_epoch, struct gk_error *error);

/* Deletes the index keys of the epochs below `lowest` (2 to the newest): no record has a number's token from
 * them any more. What else was derived from them (tokens of holders and contacts, message ids) stays, in
 * kept.key and kept.N.key, which cannot make a number's token. Survives a crash at any point: call it again.
 * [worker] */
enum gk_status gk_keys_retire(const char *directory, struct gk_keys *keys, uint32_t lowest,
                              struct gk_error *error);

/* The epoch of the index and sealing keys in force: the newest, unless gk_keys_use says another; 1 from the
 * first day. */
uint32_t gk_keys_epoch(const struct gk_keys *keys);

/* The newest epoch that there are key files of. */
uint32_t gk_keys_newest(const struct gk_keys *keys);

/* Puts `epoch` in force: that of the records in the store, until they are those of a newer one. Before
 * anybody else has the keys. FAILED_PRECONDITION where the files of that epoch are missing. */
enum gk_status gk_keys_use(struct gk_keys *keys, uint32_t epoch, struct gk_error *error);

/* The lowest epoch whose index key is whole: numbers have tokens under it and all later ones. */
uint32_t gk_keys_lowest(const struct gk_keys *keys);

/* Makes the token of epoch `from` (1 or more) that of epoch `to`, `from` to the newest. Tokens of cards,
 * holders and blocks alike. */
void gk_keys_wrap(const struct gk_keys *keys, uint32_t from, uint32_t to, uint8_t token[GK_TOKEN_SIZE]);

/* HMAC-SHA256(index key of epoch `base`, scheme, 0x00, canonical number), wrapped up to the epoch in force:
 * the only form in which a number rests. A number has one token under each base, `gk_keys_lowest` to the
 * epoch in force: where the number is at hand it gets the newest, and what was stored before a rotation keeps
 * its base until a list brings the number again (core/collapse.h). */
void gk_keys_card_token_from(const struct gk_keys *keys, uint32_t base, const char *scheme,
                             const char *number, uint8_t ret_token[GK_TOKEN_SIZE]);
/* Under the epoch in force. */
void gk_keys_card_token(const struct gk_keys *keys, const char *scheme, const char *number,
                        uint8_t ret_token[GK_TOKEN_SIZE]);

enum { GK_BASES_MAX = 16 /* index keys at once that numbers may have tokens under */ };

/* All tokens of one number: tokens[i] is of base `newest` - i. */
struct gk_card_tokens {
    uint32_t newest;
    size_t count;
    uint8_t tokens[GK_BASES_MAX][GK_TOKEN_SIZE];
};
struct gk_card_tokens gk_keys_card_tokens(const struct gk_keys *keys, const char *scheme, const char *number);

/* HMAC of (issuer account, holder id), wrapped from the first epoch to that in force. */
void gk_keys_holder_token(const struct gk_keys *keys, const char *issuer_account, const char *holder_id,
                          uint8_t ret_token[GK_TOKEN_SIZE]);
/* HMAC of a contact in the form of gk_contact_read, wrapped likewise: the only form in which it is looked up.
 */
void gk_keys_contact_token(const struct gk_keys *keys, const char *contact, uint8_t ret_token[GK_TOKEN_SIZE]);
/* The one-time code that proves a contact: eight digits, the keyed hash of its token and a random nonce. The
 * nonce rests, the code never does; the key is another file's than that of the tokens. */
void gk_keys_contact_code(const struct gk_keys *keys, const uint8_t contact_token[GK_TOKEN_SIZE],
                          const uint8_t nonce[GK_NONCE_SIZE], char ret_code[GK_CONTACT_CODE_SIZE]);
/* HMAC of (scheme, length of the number, its first `kept` characters), from `base` as
 * gk_keys_card_token_from: names the block of numbers around one. */
void gk_keys_block_token(const struct gk_keys *keys, uint32_t base, const char *scheme, const char *number,
                         size_t kept, uint8_t ret_token[GK_TOKEN_SIZE]);
/* Message id: HMAC of `purpose` and `subject`, cut to 16 bytes; the same inputs give the same id. */
void gk_keys_message_id(const struct gk_keys *keys, const char *purpose, struct gk_bytes subject,
                        uint8_t ret_id[16]);

/* Keyed digest of one frame or a run of bytes (BLAKE2b-256), fed in parts. */
struct gk_digest;
struct gk_digest *gk_digest_start(const struct gk_keys *keys);           /* never NULL */
void gk_digest_add(struct gk_digest *digest, struct gk_bytes bytes);     /* its length is hashed too */
void gk_digest_finish(struct gk_digest *digest, uint8_t ret_digest[32]); /* and frees */

/* What is sealed under which subkey. */
enum gk_seal { GK_SEAL_CONTACTS = 1, GK_SEAL_MASK = 2, GK_SEAL_PICTURE = 3 };

/* XChaCha20-Poly1305 under the epoch in force, with a random nonce; `context` is authenticated and must be
 * given again to open. `ret_sealed` has room for plain.size + GK_SEAL_OVERHEAD bytes. */
void gk_keys_seal(const struct gk_keys *keys, enum gk_seal use, struct gk_bytes context,
                  struct gk_bytes plain, uint8_t *ret_sealed);
/* As gk_keys_seal, under `epoch`, 1 to the newest. */
void gk_keys_seal_in(const struct gk_keys *keys, uint32_t epoch, enum gk_seal use, struct gk_bytes context,
                     struct gk_bytes plain, uint8_t *ret_sealed);
/* Opens what was sealed in any epoch. `ret_plain` has room for sealed.size - GK_SEAL_OVERHEAD bytes.
 * DATA_LOSS where it was not sealed by these keys for this use and context, or was changed. */
enum gk_status gk_keys_open_sealed(const struct gk_keys *keys, enum gk_seal use, struct gk_bytes context,
                                   struct gk_bytes sealed, uint8_t *ret_plain, struct gk_error *error);

/* The public half that boxes seal their spool to, and opening what they sealed (crypto_box_seal: 48 bytes of
 * overhead). */
void gk_keys_spool_public(const struct gk_keys *keys, uint8_t ret_key[GK_SPOOL_KEY_SIZE]);
enum gk_status gk_keys_open_spooled(const struct gk_keys *keys, struct gk_bytes sealed, uint8_t *ret_plain,
                                    struct gk_error *error);

/* A new bearer token, "gk_<role>_<43 characters of base64url>": 256 random bits. `role_name` at most 12
 * characters. */
void gk_credential_make(const char *role_name, char ret_text[GK_CREDENTIAL_SIZE]);
/* The form in which a token rests: HMAC under its own subkey. */
void gk_keys_credential_hash(const struct gk_keys *keys, const char *token, uint8_t ret_hash[GK_TOKEN_SIZE]);

#endif

/* The inside of struct gk_keys, and the HMACs that tokens are; for this folder alone. */
#ifndef GUIKA_CORE_SECURITY_KEY_MATERIAL_H
#define GUIKA_CORE_SECURITY_KEY_MATERIAL_H

#include "core/security/keys.h"

#include <sodium.h>

#define GK_SUBKEY_SIZE 32 /* bytes; what crypto_kdf takes and HMAC-SHA256, BLAKE2b and XChaCha20 use */
#define GK_SEAL_COUNT (GK_SEAL_PICTURE + 1)

/* One subkey a use. The files' own keys are wiped once these are derived. */
struct gk_keys {
    uint32_t epoch; /* in force */
    uint32_t newest;
    uint32_t lowest;                                      /* that numbers' tokens can be made under */
    uint8_t card[GK_KEY_EPOCHS_MAX + 1][GK_SUBKEY_SIZE];  /* by epoch, `lowest` and more */
    uint8_t block[GK_KEY_EPOCHS_MAX + 1][GK_SUBKEY_SIZE]; /* by epoch, `lowest` and more */
    uint8_t holder[GK_SUBKEY_SIZE];
    uint8_t message[GK_SUBKEY_SIZE];
    uint8_t contact[GK_SUBKEY_SIZE];
    uint8_t code[GK_SUBKEY_SIZE];
    uint8_t digest[GK_SUBKEY_SIZE];
    uint8_t credential[GK_SUBKEY_SIZE];
    uint8_t
        pickup[GK_SUBKEY_SIZE]; /* of the token key: a new index key leaves the codes of live cases alone */
    uint8_t wrap[GK_KEY_EPOCHS_MAX + 1]
                [GK_SUBKEY_SIZE]; /* by epoch, 2 and more: what wraps the tokens before */
    uint8_t seal[GK_KEY_EPOCHS_MAX + 1][GK_SEAL_COUNT]
                [GK_SUBKEY_SIZE]; /* by epoch and enum gk_seal; 0 unused */
    uint8_t spool_secret[crypto_box_SECRETKEYBYTES];
    uint8_t spool_public[crypto_box_PUBLICKEYBYTES];
    uint8_t audit_secret[crypto_sign_SECRETKEYBYTES];
    uint8_t audit_public[crypto_sign_PUBLICKEYBYTES];
    uint8_t grant_secret[crypto_sign_SECRETKEYBYTES];
    uint8_t grant_public[crypto_sign_PUBLICKEYBYTES];
    uint8_t grant_salt[GK_SUBKEY_SIZE];
    struct gk_issuer_keys *issuers; /* owned */
};

/* grant_key.c. A folder that was made before there were grants has no key for them: makes it, where the other
 * keys are there. It takes nothing away: what a box holds under another key is void, and it fetches anew.
 * [worker] */
enum gk_status gk_grant_key_make_missing(const char *directory, struct gk_error *error);

/* What is computed from the 32 bytes of grant.key. */
void gk_grant_key_take(struct gk_keys *keys, const uint8_t *file);

/* HMAC-SHA256(key, name, 0x00, rest): the terminator keeps ("ab", "c") and ("a", "bc") apart. */
void gk_hmac_named(const uint8_t key[GK_SUBKEY_SIZE], const char *name, const void *rest, size_t size,
                   uint8_t ret_hash[GK_TOKEN_SIZE]);

/* HMAC-SHA256(key, scheme, 0x00, length of the number, kept, its first `kept` characters). */
void gk_hmac_block(const uint8_t key[GK_SUBKEY_SIZE], const char *scheme, const char *number, size_t kept,
                   uint8_t ret_token[GK_TOKEN_SIZE]);

#define GK_KEY_FILE_SIZE 32   /* bytes: crypto_kdf's master key, X25519's secret */
#define GK_KEY_PATH_SIZE 4096 /* bytes with the terminator, PATH_MAX */

/* Reads a key file of `size` bytes. FAILED_PRECONDITION where it is missing, of another length, or readable
 * by others. */
enum gk_status gk_key_file_read(const char *path, uint8_t *ret_key, size_t size, struct gk_error *error);

/* The subkey of `master` for one use, which is named in 8 characters. */
void gk_key_derive(uint8_t ret_subkey[GK_SUBKEY_SIZE], const char *use,
                   const uint8_t master[GK_KEY_FILE_SIZE]);

/* Reads the files of all epochs there are, and puts the newest in force. */
enum gk_status gk_key_epochs_read(const char *directory, struct gk_keys *keys, struct gk_error *error);

#endif

/* The inside of struct gk_keys, for the files of this folder that compute with keys alone. */
#ifndef GUIKA_CORE_SECURITY_KEY_MATERIAL_H
#define GUIKA_CORE_SECURITY_KEY_MATERIAL_H

#include "core/security/keys.h"

#include <sodium.h>

#define GK_SUBKEY_SIZE 32 /* bytes; what crypto_kdf takes and HMAC-SHA256, BLAKE2b and XChaCha20 use */
#define GK_SEAL_COUNT (GK_SEAL_PICTURE + 1)

/* One subkey a use. The files' own keys are wiped once these are derived. */
struct gk_keys {
    uint32_t epoch;
    uint8_t card[GK_SUBKEY_SIZE];
    uint8_t holder[GK_SUBKEY_SIZE];
    uint8_t block[GK_SUBKEY_SIZE];
    uint8_t message[GK_SUBKEY_SIZE];
    uint8_t contact[GK_SUBKEY_SIZE];
    uint8_t code[GK_SUBKEY_SIZE];
    uint8_t digest[GK_SUBKEY_SIZE];
    uint8_t credential[GK_SUBKEY_SIZE];
    uint8_t
        pickup[GK_SUBKEY_SIZE]; /* of the token key: a new index key leaves the codes of live cases alone */
    uint8_t seal[GK_SEAL_COUNT][GK_SUBKEY_SIZE]; /* by enum gk_seal; 0 unused */
    uint8_t spool_secret[crypto_box_SECRETKEYBYTES];
    uint8_t spool_public[crypto_box_PUBLICKEYBYTES];
};

#endif

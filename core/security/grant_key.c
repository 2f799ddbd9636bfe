#include "core/security/grant_key.h"

#include "core/security/file.h"
#include "core/security/key_material.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum gk_status gk_grant_key_make_missing(const char *directory, struct gk_error *error)
{
    char path[PATH_MAX], audit[PATH_MAX];
    struct stat found;
    uint8_t key[crypto_sign_SEEDBYTES];

    if ((size_t)snprintf(path, sizeof path, "%s/grant.key", directory) >= sizeof path ||
        (size_t)snprintf(audit, sizeof audit, "%s/audit.key", directory) >= sizeof audit ||
        lstat(path, &found) == 0 || errno != ENOENT || lstat(audit, &found) != 0) {
        return GK_OK; /* it is there, or this is no folder of keys, which who reads the others says */
    }
    randombytes_buf(key, sizeof key);
    const enum gk_status status = gk_file_create(path, 0600, (struct gk_bytes){key, sizeof key}, error);

    sodium_memzero(key, sizeof key);
    return status == GK_OK ? gk_file_sync_directory(directory, error) : status;
}

void gk_grant_key_take(struct gk_keys *keys, const uint8_t *file)
{
    (void)crypto_sign_seed_keypair(keys->grant_public, keys->grant_secret, file);
    crypto_kdf_derive_from_key(keys->grant_salt, sizeof keys->grant_salt, 1, "gk_gsalt", file);
}

void gk_keys_grant_public(const struct gk_keys *keys, uint8_t ret_key[GK_GRANT_KEY_SIZE])
{
    memcpy(ret_key, keys->grant_public, GK_GRANT_KEY_SIZE);
}

/* With the terminator, so that what follows is not taken for a part of it. */
static void take_text(crypto_generichash_state *state, const char *text)
{
    (void)crypto_generichash_update(state, (const uint8_t *)text, strlen(text) + 1);
}

void gk_keys_grant_salt(const struct gk_keys *keys, const struct gk_pickup_binding *binding, const char *text,
                        uint8_t ret_salt[GK_GRANT_SALT_SIZE])
{
    crypto_generichash_state state;
    const uint8_t issue[] = {(uint8_t)(binding->issue >> 24), (uint8_t)(binding->issue >> 16),
                             (uint8_t)(binding->issue >> 8), (uint8_t)binding->issue};

    (void)crypto_generichash_init(&state, keys->grant_salt, sizeof keys->grant_salt, GK_GRANT_SALT_SIZE);
    (void)crypto_generichash_update(&state, binding->case_id, 16);
    (void)crypto_generichash_update(&state, issue, sizeof issue);
    take_text(&state, binding->place);
    take_text(&state, binding->compartment);
    take_text(&state, text);
    (void)crypto_generichash_final(&state, ret_salt, GK_GRANT_SALT_SIZE);
}

enum gk_status gk_keys_sign_grant(const struct gk_keys *keys, const guika_v1_PickupGrant *grant,
                                  guika_v1_SignedGrant *ret_signed, struct gk_error *error)
{
    return gk_grant_sign(grant, keys->grant_secret, ret_signed, error);
}

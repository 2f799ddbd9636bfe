#include "core/security/plugin_signature.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define SECRET_WORD "guika-plugin-secret "
#define SIGNATURE_WORD "guika-signature "
#define VARIANT sodium_base64_VARIANT_ORIGINAL

static void identify(struct gk_plugin_key *key)
{
    uint8_t hash[crypto_generichash_BYTES_MIN];

    (void)crypto_generichash(hash, sizeof hash, key->bytes, sizeof key->bytes, NULL, 0);
    (void)sodium_bin2hex(key->id, sizeof key->id, hash, (sizeof key->id - 1) / 2);
}

/* Exactly `size` bytes of BASE64, up to the end or a line feed. */
static bool read_base64(const char *text, uint8_t *ret_bytes, size_t size)
{
    size_t length = 0;
    const char *end = NULL;

    return sodium_base642bin(ret_bytes, size, text, strlen(text), NULL, &length, &end, VARIANT) == 0 &&
           length == size && (end[0] == '\0' || strcmp(end, "\n") == 0);
}

void gk_plugin_key_make(char ret_secret[GK_PLUGIN_KEY_TEXT_SIZE], char ret_public[GK_PLUGIN_KEY_TEXT_SIZE])
{
    uint8_t secret[crypto_sign_SECRETKEYBYTES], public[crypto_sign_PUBLICKEYBYTES];
    const size_t word = strlen(SECRET_WORD);

    (void)crypto_sign_keypair(public, secret);
    (void)snprintf(ret_secret, GK_PLUGIN_KEY_TEXT_SIZE, "%s", SECRET_WORD);
    (void)sodium_bin2base64(ret_secret + word, GK_PLUGIN_KEY_TEXT_SIZE - word, secret, sizeof secret,
                            VARIANT);
    (void)sodium_bin2base64(ret_public, GK_PLUGIN_KEY_TEXT_SIZE, public, sizeof public, VARIANT);
    sodium_memzero(secret, sizeof secret);
}

enum gk_status gk_plugin_key_read(const char *text, struct gk_plugin_key *ret_key, struct gk_error *error)
{
    struct gk_plugin_key key;

    if (!read_base64(text, key.bytes, sizeof key.bytes)) {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "\"%.60s\" is no public key: `guika plugin keygen` prints 44 characters", text);
    }
    identify(&key);
    *ret_key = key;
    return GK_OK;
}

enum gk_status gk_plugin_sign(const char *secret, struct gk_bytes file,
                              char ret_signature[GK_PLUGIN_SIGNATURE_SIZE], struct gk_error *error)
{
    uint8_t key[crypto_sign_SECRETKEYBYTES], signature[crypto_sign_BYTES];
    char text[sodium_base64_ENCODED_LEN(crypto_sign_BYTES, VARIANT)];
    struct gk_plugin_key public;
    const size_t word = strlen(SECRET_WORD);

    if (strncmp(secret, SECRET_WORD, word) != 0 || !read_base64(secret + word, key, sizeof key)) {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "no secret key of a plugin's maker: `guika plugin keygen` makes one");
    }
    (void)crypto_sign_ed25519_sk_to_pk(public.bytes, key);
    identify(&public);
    (void)crypto_sign_detached(signature, NULL, file.data, file.size, key);
    sodium_memzero(key, sizeof key);
    (void)sodium_bin2base64(text, sizeof text, signature, sizeof signature, VARIANT);
    (void)snprintf(ret_signature, GK_PLUGIN_SIGNATURE_SIZE, SIGNATURE_WORD "%s %s", public.id, text);
    return GK_OK;
}

/* Takes a signature's line apart. */
static bool read_signature(struct gk_bytes text, char ret_id[GK_PLUGIN_KEY_ID_SIZE], uint8_t *ret_signature)
{
    char line[GK_PLUGIN_SIGNATURE_SIZE + 1];
    const size_t word = strlen(SIGNATURE_WORD), id = GK_PLUGIN_KEY_ID_SIZE - 1;

    if (text.size >= sizeof line || memchr(text.data, '\0', text.size) != NULL) {
        return false;
    }
    memcpy(line, text.data, text.size);
    line[text.size] = '\0';
    if (strncmp(line, SIGNATURE_WORD, word) != 0 || strspn(line + word, "0123456789abcdef") != id ||
        line[word + id] != ' ' || !read_base64(line + word + id + 1, ret_signature, crypto_sign_BYTES)) {
        return false;
    }
    memcpy(ret_id, line + word, id);
    ret_id[id] = '\0';
    return true;
}

enum gk_status gk_plugin_verify(const struct gk_plugin_key *keys, size_t count, struct gk_bytes file,
                                struct gk_bytes signature, char ret_id[GK_PLUGIN_KEY_ID_SIZE],
                                struct gk_error *error)
{
    char id[GK_PLUGIN_KEY_ID_SIZE];
    uint8_t bytes[crypto_sign_BYTES];

    if (signature.size == 0) {
        return gk_error_set(
            error, GK_PERMISSION_DENIED,
            "it is not signed, and this service takes signed plugins alone; its maker signs it "
            "with `guika plugin sign`");
    }
    if (!read_signature(signature, id, bytes)) {
        return gk_error_set(error, GK_PERMISSION_DENIED,
                            "its signature's file is damaged; its maker signs it with `guika plugin sign`");
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(keys[i].id, id) == 0) {
            if (crypto_sign_verify_detached(bytes, file.data, file.size, keys[i].bytes) != 0) {
                return gk_error_set(error, GK_PERMISSION_DENIED,
                                    "its signature is not of this file: one of the two was changed");
            }
            memcpy(ret_id, id, sizeof id);
            return GK_OK;
        }
    }
    return gk_error_set(error, GK_PERMISSION_DENIED,
                        "it is signed with the key %s, which is not among readers { trusted_keys }", id);
}

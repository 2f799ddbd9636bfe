/* What is computed with the keys: tokens, digests, credentials. */
#include "core/security/key_material.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- tokens --- */

void gk_keys_wrap(const struct gk_keys *keys, uint32_t from, uint32_t to, uint8_t token[GK_TOKEN_SIZE])
{
    assert(from >= 1 && from <= to && to <= keys->newest);
    for (uint32_t epoch = from + 1; epoch <= to; epoch++) {
        uint8_t wrapped[GK_TOKEN_SIZE];

        crypto_auth_hmacsha256(wrapped, token, GK_TOKEN_SIZE, keys->wrap[epoch]);
        memcpy(token, wrapped, GK_TOKEN_SIZE);
    }
}

void gk_keys_card_token_from(const struct gk_keys *keys, uint32_t base, const char *scheme,
                             const char *number, uint8_t ret_token[GK_TOKEN_SIZE])
{
    assert(base >= keys->lowest && base <= keys->epoch);
    gk_hmac_named(keys->card[base], scheme, number, strlen(number), ret_token);
    gk_keys_wrap(keys, base, keys->epoch, ret_token);
}

void gk_keys_card_token(const struct gk_keys *keys, const char *scheme, const char *number,
                        uint8_t ret_token[GK_TOKEN_SIZE])
{
    gk_keys_card_token_from(keys, keys->epoch, scheme, number, ret_token);
}

struct gk_card_tokens gk_keys_card_tokens(const struct gk_keys *keys, const char *scheme, const char *number)
{
    struct gk_card_tokens all = {.newest = keys->epoch, .count = keys->epoch - keys->lowest + 1};

    assert(all.count <= GK_BASES_MAX);
    for (uint32_t i = 0; i < all.count; i++) {
        gk_keys_card_token_from(keys, keys->epoch - i, scheme, number, all.tokens[i]);
    }
    return all;
}

void gk_keys_holder_token(const struct gk_keys *keys, const char *issuer_account, const char *holder_id,
                          uint8_t ret_token[GK_TOKEN_SIZE])
{
    gk_hmac_named(keys->holder, issuer_account, holder_id, strlen(holder_id), ret_token);
    gk_keys_wrap(keys, 1, keys->epoch, ret_token);
}

void gk_keys_contact_token(const struct gk_keys *keys, const char *contact, uint8_t ret_token[GK_TOKEN_SIZE])
{
    gk_hmac_named(keys->contact, "contact", contact, strlen(contact), ret_token);
    gk_keys_wrap(keys, 1, keys->epoch, ret_token);
}

void gk_keys_contact_code(const struct gk_keys *keys, const uint8_t contact_token[GK_TOKEN_SIZE],
                          const uint8_t nonce[GK_NONCE_SIZE], char ret_code[GK_CONTACT_CODE_SIZE])
{
    uint8_t subject[GK_TOKEN_SIZE + GK_NONCE_SIZE];
    uint8_t hash[GK_TOKEN_SIZE];
    uint64_t number = 0;

    memcpy(subject, contact_token, GK_TOKEN_SIZE);
    memcpy(subject + GK_TOKEN_SIZE, nonce, GK_NONCE_SIZE);
    gk_hmac_named(keys->code, "contact", subject, sizeof subject, hash);
    for (size_t i = 0; i < sizeof number; i++) {
        number = number << 8 | hash[i];
    }
    /* Of 2^64 values: no code is likelier than another by more than 10^8 / 2^64 < 10^-11 of itself. */
    (void)snprintf(ret_code, GK_CONTACT_CODE_SIZE, "%08u", (unsigned)(number % 100000000));
    sodium_memzero(hash, sizeof hash);
}

void gk_keys_block_token(const struct gk_keys *keys, uint32_t base, const char *scheme, const char *number,
                         size_t kept, uint8_t ret_token[GK_TOKEN_SIZE])
{
    assert(base >= keys->lowest && base <= keys->epoch);
    gk_hmac_block(keys->block[base], scheme, number, kept, ret_token);
    gk_keys_wrap(keys, base, keys->epoch, ret_token);
}

void gk_keys_message_id(const struct gk_keys *keys, const char *purpose, struct gk_bytes subject,
                        uint8_t ret_id[16])
{
    uint8_t hash[GK_TOKEN_SIZE];

    gk_hmac_named(keys->message, purpose, subject.data, subject.size, hash);
    memcpy(ret_id, hash, 16);
}

/* --- digests --- */

struct gk_digest {
    crypto_generichash_state state;
};

struct gk_digest *gk_digest_start(const struct gk_keys *keys)
{
    /* sodium_malloc ends an allocation at a page's end, so a whole number of 64 bytes is aligned as the state
     * wants it. */
    static_assert(sizeof(struct gk_digest) % 64 == 0, "the state is aligned to 64 bytes");
    struct gk_digest *digest = sodium_malloc(sizeof *digest);

    if (digest == NULL) {
        abort();
    }
    crypto_generichash_init(&digest->state, keys->digest, GK_SUBKEY_SIZE, 32);
    return digest;
}

void gk_digest_add(struct gk_digest *digest, struct gk_bytes bytes)
{
    uint8_t length[8];

    for (size_t i = 0; i < sizeof length; i++) {
        length[i] = (uint8_t)((uint64_t)bytes.size >> (8 * i));
    }
    crypto_generichash_update(&digest->state, length, sizeof length);
    crypto_generichash_update(&digest->state, bytes.data, bytes.size);
}

void gk_digest_finish(struct gk_digest *digest, uint8_t ret_digest[32])
{
    crypto_generichash_final(&digest->state, ret_digest, 32);
    sodium_free(digest);
}

/* --- credentials --- */

void gk_credential_make(const char *role_name, char ret_text[GK_CREDENTIAL_SIZE])
{
    uint8_t secret[32];
    char text[sodium_base64_ENCODED_LEN(sizeof secret, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];

    if (sodium_init() < 0) {
        abort();
    }
    assert(strlen(role_name) <= 12);
    randombytes_buf(secret, sizeof secret);
    sodium_bin2base64(text, sizeof text, secret, sizeof secret, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    (void)snprintf(ret_text, GK_CREDENTIAL_SIZE, "gk_%.12s_%s", role_name, text);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(text, sizeof text);
}

void gk_keys_credential_hash(const struct gk_keys *keys, const char *token, uint8_t ret_hash[GK_TOKEN_SIZE])
{
    gk_hmac_named(keys->credential, "bearer", token, strlen(token), ret_hash);
}

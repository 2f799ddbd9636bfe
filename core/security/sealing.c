/* Sealing: what rests is XChaCha20-Poly1305 under a subkey of its use; what boxes spool is crypto_box_seal.
 */
#include "core/security/key_material.h"
#include "core/security/keys.h"

#include <assert.h>

#define NONCE_SIZE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_SIZE crypto_aead_xchacha20poly1305_ietf_ABYTES

static_assert(GK_SEAL_OVERHEAD == NONCE_SIZE + TAG_SIZE, "sealed is nonce, cipher text, tag");
static_assert(GK_SUBKEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES, "a seal takes one subkey");

void gk_keys_seal(const struct gk_keys *keys, enum gk_seal use, struct gk_bytes context,
                  struct gk_bytes plain, uint8_t *ret_sealed)
{
    gk_keys_seal_in(keys, keys->epoch, use, context, plain, ret_sealed);
}

void gk_keys_seal_in(const struct gk_keys *keys, uint32_t epoch, enum gk_seal use, struct gk_bytes context,
                     struct gk_bytes plain, uint8_t *ret_sealed)
{
    assert(epoch >= 1 && epoch <= keys->newest);
    assert(use >= GK_SEAL_CONTACTS && use <= GK_SEAL_PICTURE);
    randombytes_buf(ret_sealed, NONCE_SIZE);
    crypto_aead_xchacha20poly1305_ietf_encrypt(ret_sealed + NONCE_SIZE, NULL, plain.data, plain.size,
                                               context.data, context.size, NULL, ret_sealed,
                                               keys->seal[epoch][use]);
}

enum gk_status gk_keys_open_sealed(const struct gk_keys *keys, enum gk_seal use, struct gk_bytes context,
                                   struct gk_bytes sealed, uint8_t *ret_plain, struct gk_error *error)
{
    assert(use >= GK_SEAL_CONTACTS && use <= GK_SEAL_PICTURE);
    if (sealed.size < GK_SEAL_OVERHEAD) {
        return gk_error_set(error, GK_DATA_LOSS, "sealed data has %zu bytes, wanted at least %d", sealed.size,
                            GK_SEAL_OVERHEAD);
    }
    /* The tag is checked before anything is written to ret_plain; it agrees for one epoch at most. */
    for (uint32_t epoch = keys->newest; epoch > 0; epoch--) {
        if (crypto_aead_xchacha20poly1305_ietf_decrypt(ret_plain, NULL, NULL, sealed.data + NONCE_SIZE,
                                                       sealed.size - NONCE_SIZE, context.data, context.size,
                                                       sealed.data, keys->seal[epoch][use]) == 0) {
            return GK_OK;
        }
    }
    return gk_error_set(error, GK_DATA_LOSS,
                        "sealed data was changed, or sealed by other keys or for another record");
}

void gk_keys_spool_public(const struct gk_keys *keys, uint8_t ret_key[GK_SPOOL_KEY_SIZE])
{
    for (size_t i = 0; i < GK_SPOOL_KEY_SIZE; i++) {
        ret_key[i] = keys->spool_public[i];
    }
}

enum gk_status gk_keys_open_spooled(const struct gk_keys *keys, struct gk_bytes sealed, uint8_t *ret_plain,
                                    struct gk_error *error)
{
    if (sealed.size < crypto_box_SEALBYTES) {
        return gk_error_set(error, GK_DATA_LOSS, "a spooled entry has %zu bytes, wanted at least %d",
                            sealed.size, (int)crypto_box_SEALBYTES);
    }
    if (crypto_box_seal_open(ret_plain, sealed.data, sealed.size, keys->spool_public, keys->spool_secret) !=
        0) {
        return gk_error_set(error, GK_DATA_LOSS,
                            "a spooled entry was changed, or sealed to another service's key");
    }
    return GK_OK;
}

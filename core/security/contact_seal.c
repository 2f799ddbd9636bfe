#include "core/security/contact_seal.h"

#include <sodium.h>
#include <string.h>

size_t gk_contact_seal(const struct gk_keys *keys, const uint8_t contact_token[GK_TOKEN_SIZE],
                       const char *address, uint8_t ret_sealed[GK_SEALED_ADDRESS_MAX])
{
    const struct gk_bytes plain = {(const uint8_t *)address, strnlen(address, GK_ADDRESS_SIZE - 1)};

    gk_keys_seal(keys, GK_SEAL_CONTACTS, (struct gk_bytes){contact_token, GK_TOKEN_SIZE}, plain, ret_sealed);
    return plain.size + GK_SEAL_OVERHEAD;
}

enum gk_status gk_contact_open(const struct gk_keys *keys, const uint8_t contact_token[GK_TOKEN_SIZE],
                               struct gk_bytes sealed, char ret_address[GK_ADDRESS_SIZE],
                               struct gk_error *error)
{
    uint8_t plain[GK_ADDRESS_SIZE] = {0};

    if (sealed.size <= GK_SEAL_OVERHEAD || sealed.size > GK_SEALED_ADDRESS_MAX) {
        return gk_error_set(error, GK_DATA_LOSS, "a sealed contact has the wrong length");
    }
    const enum gk_status status = gk_keys_open_sealed(
        keys, GK_SEAL_CONTACTS, (struct gk_bytes){contact_token, GK_TOKEN_SIZE}, sealed, plain, error);

    if (status == GK_OK) {
        memcpy(ret_address, plain, sizeof plain);
    }
    sodium_memzero(plain, sizeof plain);
    return status;
}

#include "core/rotation_parts.h"

#include <sodium.h>
#include <string.h>

enum { PLAIN_MAX = 1024 };

void gk_rotation_wrap(const struct gk_rotation_round *round, uint8_t *token, size_t size)
{
    if (size == GK_TOKEN_SIZE) {
        gk_keys_wrap(round->keys, round->from, round->progress->to, token);
    }
}

/* As gk_rotation_reseal, with another context from now on. */
static void reseal(const struct gk_rotation_round *round, enum gk_seal use, struct gk_bytes before,
                   struct gk_bytes after, uint8_t *sealed, size_t size)
{
    uint8_t plain[PLAIN_MAX];

    if (size <= GK_SEAL_OVERHEAD || size > sizeof plain ||
        gk_keys_open_sealed(round->keys, use, before, (struct gk_bytes){sealed, size}, plain, NULL) !=
            GK_OK) {
        return;
    }
    gk_keys_seal_in(round->keys, round->progress->to, use, after,
                    (struct gk_bytes){plain, size - GK_SEAL_OVERHEAD}, sealed);
    sodium_memzero(plain, sizeof plain);
}

void gk_rotation_reseal(const struct gk_rotation_round *round, enum gk_seal use, struct gk_bytes context,
                        uint8_t *sealed, size_t size)
{
    reseal(round, use, context, context, sealed, size);
}

void gk_rotation_contact(const struct gk_rotation_round *round, uint8_t *token, size_t token_size,
                         uint8_t *sealed, size_t size)
{
    uint8_t before[GK_TOKEN_SIZE];

    if (token_size != GK_TOKEN_SIZE) {
        return;
    }
    memcpy(before, token, GK_TOKEN_SIZE);
    gk_rotation_wrap(round, token, GK_TOKEN_SIZE);
    reseal(round, GK_SEAL_CONTACTS, (struct gk_bytes){before, GK_TOKEN_SIZE},
           (struct gk_bytes){token, GK_TOKEN_SIZE}, sealed, size);
}

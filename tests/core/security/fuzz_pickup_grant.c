/* What a box is given as a grant: bytes that are not signed, and the same with a signature that is right. */
#include "core/security/pickup_grant.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define CONTEXT "guika-pickup-grant:"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t seed[crypto_sign_SEEDBYTES] = {1};
    uint8_t public[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
    guika_v1_SignedGrant made = {0};
    guika_v1_PickupGrant grant;
    uint8_t text[sizeof CONTEXT + sizeof made.grant.bytes];

    if (size > sizeof made.grant.bytes) {
        return 0;
    }
    (void)crypto_sign_seed_keypair(public, secret, seed);
    made.grant.size = (pb_size_t)size;
    memcpy(made.grant.bytes, data, size);
    assert(gk_grant_open(&made, public, "library-1", &grant, NULL) != GK_OK);
    memcpy(text, CONTEXT, sizeof CONTEXT - 1);
    memcpy(text + sizeof CONTEXT - 1, data, size);
    (void)crypto_sign_detached(made.signature, NULL, text, sizeof CONTEXT - 1 + size, secret);
    if (gk_grant_open(&made, public, "library-1", &grant, NULL) == GK_OK) {
        assert(strcmp(grant.box_id, "library-1") == 0 && grant.compartment[0] != '\0' && grant.issue > 0);
    }
    return 0;
}

/*
 * What the service's grant key does: it signs pickup grants, and makes their salts. Key material is
 * core/security/keys.h's; everything here is pure over it and may run on any thread.
 */
#ifndef GUIKA_CORE_SECURITY_GRANT_KEY_H
#define GUIKA_CORE_SECURITY_GRANT_KEY_H

#include "core/security/keys.h"
#include "core/security/pickup_code.h"
#include "core/security/pickup_grant.h"

/* The half that boxes check grants with. */
void gk_keys_grant_public(const struct gk_keys *keys, uint8_t ret_key[GK_GRANT_KEY_SIZE]);

/* The salt of a grant: keyed BLAKE2b over what the code is bound to and the text that is entered. So the same
 * code has the same salt, before and after a restart, and two codes never share one. */
void gk_keys_grant_salt(const struct gk_keys *keys, const struct gk_pickup_binding *binding, const char *text,
                        uint8_t ret_salt[GK_GRANT_SALT_SIZE]);

/* As gk_grant_sign, with the service's key. */
enum gk_status gk_keys_sign_grant(const struct gk_keys *keys, const guika_v1_PickupGrant *grant,
                                  guika_v1_SignedGrant *ret_signed, struct gk_error *error);

#endif

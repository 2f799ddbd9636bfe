/*
 * Who holds which bearer token: the table that the RPC server asks for every call.
 *
 * Owns: a hash table in memory, filled from the store at start and kept in step by whoever adds a credential.
 * Reads take no lock that a writer holds for long, so they may run on the receiving threads.
 */
#ifndef GUIKA_CORE_SECURITY_CREDENTIALS_H
#define GUIKA_CORE_SECURITY_CREDENTIALS_H

#include "core/security/keys.h"
#include "rpc/server.h"

struct gk_credentials;

struct gk_credentials *gk_credentials_new(const struct gk_keys *keys); /* keys borrowed; never NULL */
void gk_credentials_free(struct gk_credentials *credentials);

/* [any] */
void gk_credentials_add(struct gk_credentials *credentials, const uint8_t hash[GK_TOKEN_SIZE],
                        const struct gk_principal *principal);
void gk_credentials_remove(struct gk_credentials *credentials, const uint8_t hash[GK_TOKEN_SIZE]);

/* A gk_rpc_authenticate_fn; `context` is the struct gk_credentials. [any] */
bool gk_credentials_authenticate(void *context, const char *token, struct gk_principal *ret_principal);

#endif

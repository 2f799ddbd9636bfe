/*
 * Contacts of people who are in no list: sealed with their own token, so that a message to them can wait.
 */
#ifndef GUIKA_CORE_SECURITY_CONTACT_SEAL_H
#define GUIKA_CORE_SECURITY_CONTACT_SEAL_H

#include "core/security/keys.h"

#define GK_ADDRESS_SIZE 129 /* bytes with the terminator: CHANNEL:ADDRESS */
#define GK_SEALED_ADDRESS_MAX (GK_ADDRESS_SIZE - 1 + GK_SEAL_OVERHEAD)

/* Seals CHANNEL:ADDRESS with its token; returns the size. [any] */
size_t gk_contact_seal(const struct gk_keys *keys, const uint8_t contact_token[GK_TOKEN_SIZE],
                       const char *address, uint8_t ret_sealed[GK_SEALED_ADDRESS_MAX]);

/* DATA_LOSS where it does not open. [any] */
enum gk_status gk_contact_open(const struct gk_keys *keys, const uint8_t contact_token[GK_TOKEN_SIZE],
                               struct gk_bytes sealed, char ret_address[GK_ADDRESS_SIZE],
                               struct gk_error *error);

#endif

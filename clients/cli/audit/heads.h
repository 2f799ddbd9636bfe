/*
 * A file of signed heads (core/security/audit_head.h), and an audit chain held against it entry by entry.
 *
 * Owns: the heads, in order of their sequence.
 */
#ifndef GUIKA_CLIENTS_CLI_AUDIT_HEADS_H
#define GUIKA_CLIENTS_CLI_AUDIT_HEADS_H

#include "core/security/audit_head.h"
#include "core/store/audit_chain.h"

#include <stdio.h>

struct gk_heads;

/* Reads all lines of `file` and checks each signature. INVALID_ARGUMENT or DATA_LOSS names the line;
 * NOT_FOUND where there is no line. */
enum gk_status gk_heads_read(FILE *file, const uint8_t public_key[GK_AUDIT_PUBLIC_SIZE],
                             struct gk_heads **ret_heads, struct gk_error *error);
void gk_heads_free(struct gk_heads *heads); /* takes NULL */

size_t gk_heads_count(const struct gk_heads *heads);
struct gk_signed_head gk_heads_last(const struct gk_heads *heads);

/* The next entry of the chain: DATA_LOSS names it where it does not follow the one before, or is not the one
 * that a head was signed over. */
enum gk_status gk_heads_check(struct gk_heads *heads, const guika_v1_internal_AuditEntry *entry,
                              struct gk_error *error);

/* All entries were checked, `*ret_entries` of them. DATA_LOSS where the last head names one that did not
 * come. */
enum gk_status gk_heads_end(const struct gk_heads *heads, uint64_t *ret_entries, struct gk_error *error);

#endif

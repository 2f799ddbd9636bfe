/*
 * The links of the audit chain: what an entry's hash is, and whether one entry follows another. Pure, so that
 * whoever was handed the entries can check them without the store.
 */
#ifndef GUIKA_CORE_STORE_AUDIT_CHAIN_H
#define GUIKA_CORE_STORE_AUDIT_CHAIN_H

#include "guika/v1/internal/records.pb.h"

#include <stddef.h>
#include <stdint.h>

#define GK_AUDIT_HASH_SIZE 32 /* bytes: BLAKE2b-256 */

/* The newest entry of a chain. */
struct gk_audit_head {
    uint64_t sequence; /* 0: there is none */
    uint8_t hash[GK_AUDIT_HASH_SIZE];
};

/* As an entry rests; returns its length. */
size_t gk_audit_encode(const guika_v1_internal_AuditEntry *entry,
                       uint8_t ret_bytes[guika_v1_internal_AuditEntry_size]);

/* BLAKE2b-256 over the hash before and the encoded entry without its own. */
void gk_audit_hash(const guika_v1_internal_AuditEntry *entry, uint8_t ret_hash[GK_AUDIT_HASH_SIZE]);

/* Moves `head` on to `entry` where that follows it; NULL, or what is wrong: "is missing", "was changed: ...".
 */
const char *gk_audit_follow(struct gk_audit_head *head, const guika_v1_internal_AuditEntry *entry);

enum {
    GK_AUDIT_SUBJECT_SIZE = 16, /* bytes of a subject that entries are found by: a case id */
    GK_AUDIT_SUBJECT_KEY_SIZE = GK_AUDIT_SUBJECT_SIZE + 8,
};

/* The key of an entry in GK_FAMILY_AUDIT_BY_SUBJECT. [any] */
void gk_audit_subject_key(const uint8_t subject[GK_AUDIT_SUBJECT_SIZE], uint64_t sequence,
                          uint8_t ret_key[GK_AUDIT_SUBJECT_KEY_SIZE]);

#endif

#include "core/store/audit_chain.h"

#include <pb_encode.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

size_t gk_audit_encode(const guika_v1_internal_AuditEntry *entry,
                       uint8_t ret_bytes[guika_v1_internal_AuditEntry_size])
{
    pb_ostream_t stream = pb_ostream_from_buffer(ret_bytes, guika_v1_internal_AuditEntry_size);

    /* The buffer holds the longest entry that there is. */
    if (!pb_encode(&stream, &guika_v1_internal_AuditEntry_msg, entry)) {
        abort();
    }
    return stream.bytes_written;
}

void gk_audit_hash(const guika_v1_internal_AuditEntry *entry, uint8_t ret_hash[GK_AUDIT_HASH_SIZE])
{
    guika_v1_internal_AuditEntry hashed = *entry;
    uint8_t bytes[guika_v1_internal_AuditEntry_size];
    crypto_generichash_state state;

    /* Zero, and so left out. */
    memset(hashed.hash, 0, sizeof hashed.hash);
    const size_t size = gk_audit_encode(&hashed, bytes);

    crypto_generichash_init(&state, NULL, 0, GK_AUDIT_HASH_SIZE);
    crypto_generichash_update(&state, entry->previous, GK_AUDIT_HASH_SIZE);
    crypto_generichash_update(&state, bytes, size);
    crypto_generichash_final(&state, ret_hash, GK_AUDIT_HASH_SIZE);
}

const char *gk_audit_follow(struct gk_audit_head *head, const guika_v1_internal_AuditEntry *entry)
{
    uint8_t hash[GK_AUDIT_HASH_SIZE];

    if (entry->sequence != head->sequence + 1) {
        return "is missing";
    }
    if (memcmp(entry->previous, head->hash, sizeof hash) != 0) {
        return "does not follow the entry before it";
    }
    gk_audit_hash(entry, hash);
    if (memcmp(entry->hash, hash, sizeof hash) != 0) {
        return "was changed: its hash does not agree";
    }
    head->sequence = entry->sequence;
    memcpy(head->hash, hash, sizeof hash);
    return NULL;
}

#include "core/store/audit.h"

#include "guika/v1/internal/records.pb.h"

#include <inttypes.h>
#include <pb_decode.h>
#include <stdio.h>
#include <string.h>

#define HEAD_SIZE (8 + GK_AUDIT_HASH_SIZE) /* sequence, big-endian, and hash */

typedef guika_v1_internal_AuditEntry audit_entry;

static const struct gk_bytes head_key = {.data = (const uint8_t *)"audit_head", .size = 10};

static void put_sequence(uint64_t sequence, uint8_t ret_bytes[8])
{
    for (unsigned i = 0; i < 8; i++) {
        ret_bytes[i] = (uint8_t)(sequence >> (56 - 8 * i));
    }
}

static uint64_t take_sequence(const uint8_t bytes[8])
{
    uint64_t sequence = 0;

    for (unsigned i = 0; i < 8; i++) {
        sequence = sequence << 8 | bytes[i];
    }
    return sequence;
}

enum gk_status gk_audit_load(struct gk_engine *engine, struct gk_audit_head *ret_head, struct gk_error *error)
{
    struct gk_value value = {0};
    enum gk_status status = gk_engine_get(engine, GK_FAMILY_META, head_key, false, &value, error);

    if (status == GK_NOT_FOUND) {
        *ret_head = (struct gk_audit_head){0};
        return GK_OK;
    }
    if (status == GK_OK && value.size != HEAD_SIZE) {
        status = gk_error_set(error, GK_DATA_LOSS, "the audit head has %zu bytes, wanted %d", value.size,
                              HEAD_SIZE);
    }
    if (status == GK_OK) {
        ret_head->sequence = take_sequence(value.data);
        memcpy(ret_head->hash, value.data + 8, GK_AUDIT_HASH_SIZE);
    }
    gk_value_free(&value);
    return status;
}

void gk_audit_save(struct gk_overlay *overlay, const struct gk_audit_head *head)
{
    uint8_t value[HEAD_SIZE];

    put_sequence(head->sequence, value);
    memcpy(value + 8, head->hash, GK_AUDIT_HASH_SIZE);
    gk_overlay_put(overlay, GK_FAMILY_META, head_key, (struct gk_bytes){.data = value, .size = sizeof value});
}

void gk_audit_subject_key(const uint8_t subject[GK_AUDIT_SUBJECT_SIZE], uint64_t sequence,
                          uint8_t ret_key[GK_AUDIT_SUBJECT_KEY_SIZE])
{
    memcpy(ret_key, subject, GK_AUDIT_SUBJECT_SIZE);
    put_sequence(sequence, ret_key + GK_AUDIT_SUBJECT_SIZE);
}

/* The entries of one case are found by it. */
static void index_subject(struct gk_overlay *overlay, const audit_entry *entry)
{
    uint8_t key[GK_AUDIT_SUBJECT_KEY_SIZE];

    if (entry->subject.size != GK_AUDIT_SUBJECT_SIZE) {
        return;
    }
    gk_audit_subject_key(entry->subject.bytes, entry->sequence, key);
    gk_overlay_put(overlay, GK_FAMILY_AUDIT_BY_SUBJECT, (struct gk_bytes){.data = key, .size = sizeof key},
                   (struct gk_bytes){.data = NULL, .size = 0});
}

void gk_audit_append(struct gk_overlay *overlay, struct gk_audit_head *head, int64_t now_ms,
                     const char *actor, const char *action, struct gk_bytes subject, const char *detail)
{
    audit_entry entry = guika_v1_internal_AuditEntry_init_zero;
    uint8_t key[8];
    uint8_t bytes[guika_v1_internal_AuditEntry_size];

    const size_t subject_size =
        subject.size < sizeof entry.subject.bytes ? subject.size : sizeof entry.subject.bytes;

    entry.sequence = head->sequence + 1;
    entry.at_ms = now_ms;
    (void)snprintf(entry.actor, sizeof entry.actor, "%s", actor);
    (void)snprintf(entry.action, sizeof entry.action, "%s", action);
    (void)snprintf(entry.detail, sizeof entry.detail, "%s", detail);
    if (subject_size > 0) {
        entry.subject.size = (pb_size_t)subject_size;
        memcpy(entry.subject.bytes, subject.data, subject_size);
    }
    memcpy(entry.previous, head->hash, GK_AUDIT_HASH_SIZE);
    gk_audit_hash(&entry, entry.hash);

    put_sequence(entry.sequence, key);
    const size_t size = gk_audit_encode(&entry, bytes);

    gk_overlay_put(overlay, GK_FAMILY_AUDIT, (struct gk_bytes){.data = key, .size = sizeof key},
                   (struct gk_bytes){.data = bytes, .size = size});
    index_subject(overlay, &entry);
    head->sequence = entry.sequence;
    memcpy(head->hash, entry.hash, GK_AUDIT_HASH_SIZE);
}

/* --- verifying --- */

struct verification {
    struct gk_audit_head saved; /* as META had it when the verification began */
    struct gk_audit_head head;  /* as far as verified */
    const char *problem;
};

static bool verify_entry(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct verification *verification = context;
    const uint64_t expected = verification->head.sequence + 1;
    audit_entry entry = guika_v1_internal_AuditEntry_init_zero;
    uint8_t bytes[guika_v1_internal_AuditEntry_size];
    pb_istream_t stream = pb_istream_from_buffer(value.data, value.size);

    if (key.size != 8 || take_sequence(key.data) != expected) {
        verification->problem = "is missing";
    } else if (!pb_decode(&stream, &guika_v1_internal_AuditEntry_msg, &entry) ||
               gk_audit_encode(&entry, bytes) != value.size || memcmp(bytes, value.data, value.size) != 0 ||
               entry.sequence != expected) {
        verification->problem = "was changed: it is not as it was written";
    } else if (expected == verification->saved.sequence &&
               memcmp(entry.hash, verification->saved.hash, sizeof entry.hash) != 0) {
        verification->problem = "is not the one that the head names";
    } else {
        verification->problem = gk_audit_follow(&verification->head, &entry);
    }
    return verification->problem == NULL;
}

enum gk_status gk_audit_verify(struct gk_engine *engine, uint64_t *ret_entries, struct gk_error *error)
{
    struct verification verification = {0};
    const struct gk_bytes all = {0};
    enum gk_status status = gk_audit_load(engine, &verification.saved, error);

    if (status == GK_OK) {
        status = gk_engine_scan(engine, GK_FAMILY_AUDIT, all, all, false, verify_entry, &verification, error);
    }
    if (status != GK_OK) {
        return status;
    }
    if (verification.problem == NULL && verification.head.sequence < verification.saved.sequence) {
        verification.problem = "is missing";
    }
    if (verification.problem != NULL) {
        return gk_error_set(error, GK_DATA_LOSS, "audit entry %" PRIu64 " %s", verification.head.sequence + 1,
                            verification.problem);
    }
    *ret_entries = verification.head.sequence;
    return GK_OK;
}

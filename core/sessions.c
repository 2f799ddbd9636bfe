#include "core/sessions.h"

#include "core/memory.h"
#include "core/security/hex.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { ID_BYTES = 16 };

struct entry {
    struct gk_session session;
    uint8_t hash[GK_TOKEN_SIZE]; /* of its token */
    char id[2 * ID_BYTES + 1];   /* empty: free */
    int64_t ends_at_ms;
};

/* A ring: sessions end in the order in which they began. */
struct gk_sessions {
    const struct gk_keys *keys;
    struct gk_credentials *credentials;
    struct entry *entries;
    size_t oldest;
    size_t count;
};

struct gk_sessions *gk_sessions_new(const struct gk_keys *keys, struct gk_credentials *credentials)
{
    struct gk_sessions *sessions = gk_allocate(sizeof *sessions);

    sessions->keys = keys;
    sessions->credentials = credentials;
    sessions->entries = gk_allocate(GK_SESSIONS_MAX * sizeof *sessions->entries);
    return sessions;
}

void gk_sessions_free(struct gk_sessions *sessions)
{
    if (sessions != NULL) {
        sodium_memzero(sessions->entries, GK_SESSIONS_MAX * sizeof *sessions->entries);
        free(sessions->entries);
        free(sessions);
    }
}

static void end_oldest(struct gk_sessions *sessions)
{
    struct entry *entry = &sessions->entries[sessions->oldest];

    gk_credentials_remove(sessions->credentials, entry->hash);
    sodium_memzero(entry, sizeof *entry);
    sessions->oldest = (sessions->oldest + 1) % GK_SESSIONS_MAX;
    sessions->count--;
}

static void end_expired(struct gk_sessions *sessions, int64_t now_ms)
{
    while (sessions->count > 0 && sessions->entries[sessions->oldest].ends_at_ms <= now_ms) {
        end_oldest(sessions);
    }
}

void gk_sessions_begin(struct gk_sessions *sessions, const struct gk_session *session, int64_t now_ms,
                       char ret_token[GK_CREDENTIAL_SIZE])
{
    struct gk_principal principal = {.role = GK_ROLE_HOLDER};
    uint8_t id[ID_BYTES];

    end_expired(sessions, now_ms);
    if (sessions->count == GK_SESSIONS_MAX) {
        end_oldest(sessions);
    }
    struct entry *entry = &sessions->entries[(sessions->oldest + sessions->count++) % GK_SESSIONS_MAX];

    randombytes_buf(id, sizeof id);
    entry->session = *session;
    entry->ends_at_ms = now_ms + GK_SESSION_LIFE_MS;
    gk_hex_encode(id, sizeof id, entry->id);
    (void)snprintf(principal.id, sizeof principal.id, "%s", entry->id);
    gk_credential_make("holder", ret_token);
    gk_keys_credential_hash(sessions->keys, ret_token, entry->hash);
    gk_credentials_add(sessions->credentials, entry->hash, &principal);
}

const struct gk_session *gk_sessions_find(struct gk_sessions *sessions, const char *id, int64_t now_ms)
{
    end_expired(sessions, now_ms);
    for (size_t i = 0; i < sessions->count; i++) {
        const struct entry *entry = &sessions->entries[(sessions->oldest + i) % GK_SESSIONS_MAX];

        if (strcmp(entry->id, id) == 0 && entry->ends_at_ms > now_ms) {
            return &entry->session;
        }
    }
    return NULL;
}

/*
 * Holders who have proven a contact: for a quarter of an hour their token shows what is theirs.
 *
 * Owns: the sessions, in memory alone (a restart ends them all), and their entries among the credentials. In
 * a table of fixed size: the oldest gives way.
 */
#ifndef GUIKA_CORE_SESSIONS_H
#define GUIKA_CORE_SESSIONS_H

#include "core/security/credentials.h"
#include "core/security/keys.h"

#define GK_SESSION_LIFE_MS (15 * 60 * 1000)
#define GK_SESSIONS_MAX 4096

/* What a session knows of its holder. */
struct gk_session {
    uint8_t contact_token[GK_TOKEN_SIZE];
    char address[129]; /* CHANNEL:ADDRESS, in the form of gk_contact_read */
    char language[16];
};

struct gk_sessions;

/* `keys` and `credentials` are borrowed; never NULL. */
struct gk_sessions *gk_sessions_new(const struct gk_keys *keys, struct gk_credentials *credentials);
void gk_sessions_free(struct gk_sessions *sessions);

/* Begins a session and writes its token, which is good from now on for GK_SESSION_LIFE_MS. [loop] */
void gk_sessions_begin(struct gk_sessions *sessions, const struct gk_session *session, int64_t now_ms,
                       char ret_token[GK_CREDENTIAL_SIZE]);

/* The session of the principal `id`; NULL where it has run out. Borrowed until the next call. [loop] */
const struct gk_session *gk_sessions_find(struct gk_sessions *sessions, const char *id, int64_t now_ms);

#endif

#include "core/security/credentials.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096 /* chains of one for a few thousand boxes and issuers */

struct entry {
    struct entry *next;
    uint8_t hash[GK_TOKEN_SIZE];
    struct gk_principal principal;
};

/* The lock is held for a look-up or one link, never across a keyed hash, an allocation or the disk. */
struct gk_credentials {
    const struct gk_keys *keys;
    pthread_rwlock_t lock;
    struct entry *buckets[BUCKETS];
};

struct gk_credentials *gk_credentials_new(const struct gk_keys *keys)
{
    struct gk_credentials *credentials = calloc(1, sizeof *credentials);

    if (credentials == NULL || pthread_rwlock_init(&credentials->lock, NULL) != 0) {
        abort();
    }
    credentials->keys = keys;
    return credentials;
}

void gk_credentials_free(struct gk_credentials *credentials)
{
    if (credentials == NULL) {
        return;
    }
    for (size_t i = 0; i < BUCKETS; i++) {
        while (credentials->buckets[i] != NULL) {
            struct entry *entry = credentials->buckets[i];

            credentials->buckets[i] = entry->next;
            free(entry);
        }
    }
    (void)pthread_rwlock_destroy(&credentials->lock);
    free(credentials);
}

/* The hash is keyed, so its first bytes are as good as random to anybody outside. */
static size_t bucket_of(const uint8_t hash[GK_TOKEN_SIZE])
{
    return ((size_t)hash[0] | (size_t)hash[1] << 8) % BUCKETS;
}

/* The link that points to the entry of `hash`, or to NULL at the chain's end. Lock held. */
static struct entry **find(struct gk_credentials *credentials, const uint8_t hash[GK_TOKEN_SIZE])
{
    struct entry **link = &credentials->buckets[bucket_of(hash)];

    while (*link != NULL && sodium_memcmp((*link)->hash, hash, GK_TOKEN_SIZE) != 0) {
        link = &(*link)->next;
    }
    return link;
}

void gk_credentials_add(struct gk_credentials *credentials, const uint8_t hash[GK_TOKEN_SIZE],
                        const struct gk_principal *principal)
{
    struct entry *entry = calloc(1, sizeof *entry);

    if (entry == NULL) {
        abort();
    }
    memcpy(entry->hash, hash, GK_TOKEN_SIZE);
    entry->principal = *principal;

    pthread_rwlock_wrlock(&credentials->lock);
    struct entry **link = find(credentials, hash);
    struct entry *replaced = *link;

    entry->next = replaced != NULL ? replaced->next : NULL;
    *link = entry;
    pthread_rwlock_unlock(&credentials->lock);
    free(replaced);
}

void gk_credentials_remove(struct gk_credentials *credentials, const uint8_t hash[GK_TOKEN_SIZE])
{
    pthread_rwlock_wrlock(&credentials->lock);
    struct entry **link = find(credentials, hash);
    struct entry *removed = *link;

    if (removed != NULL) {
        *link = removed->next;
    }
    pthread_rwlock_unlock(&credentials->lock);
    free(removed);
}

bool gk_credentials_authenticate(void *context, const char *token, struct gk_principal *ret_principal)
{
    struct gk_credentials *credentials = context;
    uint8_t hash[GK_TOKEN_SIZE];

    gk_keys_credential_hash(credentials->keys, token, hash);
    pthread_rwlock_rdlock(&credentials->lock);
    const struct entry *entry = *find(credentials, hash);

    if (entry != NULL) {
        *ret_principal = entry->principal;
    }
    pthread_rwlock_unlock(&credentials->lock);
    return entry != NULL;
}

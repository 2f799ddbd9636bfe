#include "core/security/issuer_keys.h"

#include "core/security/file.h"
#include "core/security/key_material.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096 };

struct gk_issuer_keys {
    pthread_rwlock_t lock; /* over the list; the keys it names never change */
    struct gk_index_key **items;
    size_t count;
    char folder[PATH_SIZE - 64];
};

static const struct gk_index_key *find(const struct gk_issuer_keys *keys, const char *issuer_id,
                                       uint32_t epoch)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->items[i]->epoch == epoch && strcmp(keys->items[i]->issuer_id, issuer_id) == 0) {
            return keys->items[i];
        }
    }
    return NULL;
}

static void add(struct gk_issuer_keys *keys, const char *issuer_id, uint32_t epoch,
                const uint8_t secret[GK_INDEX_SECRET_SIZE])
{
    struct gk_index_key **items = realloc(keys->items, (keys->count + 1) * sizeof *items);
    struct gk_index_key *key = sodium_malloc(sizeof *key);

    if (items == NULL || key == NULL) {
        abort();
    }
    gk_index_key_make(issuer_id, epoch, secret, key);
    (void)sodium_mprotect_readonly(key);
    keys->items = items;
    items[keys->count++] = key;
}

/* --- files --- */

static void key_path(const struct gk_issuer_keys *keys, const char *issuer_id, uint32_t epoch,
                     char ret_path[PATH_SIZE])
{
    (void)snprintf(ret_path, PATH_SIZE, "%s/%s.%u.key", keys->folder, issuer_id, (unsigned)epoch);
}

/* Takes "ISSUER.EPOCH.key" apart; the issuer's name may have dots. */
static bool read_name(const char *name, char ret_issuer_id[33], uint32_t *ret_epoch)
{
    const size_t length = strlen(name);
    char stem[64];
    char *end;

    if (length < 7 || length >= sizeof stem || strcmp(name + length - 4, ".key") != 0) {
        return false;
    }
    memcpy(stem, name, length - 4);
    stem[length - 4] = '\0';
    char *dot = strrchr(stem, '.');

    if (dot == NULL || dot == stem || dot - stem > 32) {
        return false;
    }
    const unsigned long epoch = strtoul(dot + 1, &end, 10);

    if (end == dot + 1 || *end != '\0' || epoch == 0 || epoch > UINT32_MAX) {
        return false;
    }
    *dot = '\0';
    (void)snprintf(ret_issuer_id, 33, "%.32s", stem);
    *ret_epoch = (uint32_t)epoch;
    return true;
}

static enum gk_status read_secret(const char *path, uint8_t ret_secret[GK_INDEX_SECRET_SIZE],
                                  struct gk_error *error)
{
    struct stat found;
    uint8_t bytes[GK_INDEX_SECRET_SIZE + 1];
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0) {
        return gk_error_set(error, GK_FAILED_PRECONDITION, "cannot read key file %.120s: %s", path,
                            strerror(errno));
    }
    const bool closed = fstat(fd, &found) == 0 && S_ISREG(found.st_mode) && (found.st_mode & 077) == 0;
    const ssize_t size = read(fd, bytes, sizeof bytes);

    (void)close(fd);
    if (!closed || size != GK_INDEX_SECRET_SIZE) {
        sodium_memzero(bytes, sizeof bytes);
        return gk_error_set(error, GK_FAILED_PRECONDITION, "key file %.120s must have %d bytes and mode 600",
                            path, GK_INDEX_SECRET_SIZE);
    }
    memcpy(ret_secret, bytes, GK_INDEX_SECRET_SIZE);
    sodium_memzero(bytes, sizeof bytes);
    return GK_OK;
}

static enum gk_status read_folder(struct gk_issuer_keys *keys, DIR *folder, struct gk_error *error)
{
    enum gk_status status = GK_OK;
    const struct dirent *entry;

    while (status == GK_OK && (entry = readdir(folder)) != NULL) {
        uint8_t secret[GK_INDEX_SECRET_SIZE];
        char issuer_id[33];
        char path[PATH_SIZE];
        uint32_t epoch;

        if (entry->d_name[0] == '.' && strstr(entry->d_name, ".key") == NULL) {
            continue;
        }
        if (!read_name(entry->d_name, issuer_id, &epoch)) {
            return gk_error_set(error, GK_FAILED_PRECONDITION,
                                "%.120s/%.80s is not named ISSUER.EPOCH.key: move it away", keys->folder,
                                entry->d_name);
        }
        key_path(keys, issuer_id, epoch, path);
        status = read_secret(path, secret, error);
        if (status == GK_OK) {
            add(keys, issuer_id, epoch, secret);
        }
        sodium_memzero(secret, sizeof secret);
    }
    return status;
}

enum gk_status gk_issuer_keys_open(const char *keys_directory, struct gk_issuer_keys **ret_keys,
                                   struct gk_error *error)
{
    struct gk_issuer_keys *keys = calloc(1, sizeof *keys);
    enum gk_status status = GK_OK;

    if (keys == NULL || pthread_rwlock_init(&keys->lock, NULL) != 0) {
        abort();
    }
    if (snprintf(keys->folder, sizeof keys->folder, "%s/issuers", keys_directory) >=
        (int)sizeof keys->folder) {
        status = gk_error_set(error, GK_INVALID_ARGUMENT, "the key directory's name is too long");
    }
    DIR *folder = status == GK_OK ? opendir(keys->folder) : NULL;

    if (folder != NULL) {
        status = read_folder(keys, folder, error);
        (void)closedir(folder);
    } else if (status == GK_OK && errno != ENOENT) {
        status = gk_error_set(error, GK_FAILED_PRECONDITION, "cannot read %.120s: %s", keys->folder,
                              strerror(errno));
    }
    if (status != GK_OK) {
        gk_issuer_keys_close(keys);
        return status;
    }
    *ret_keys = keys;
    return GK_OK;
}

void gk_issuer_keys_close(struct gk_issuer_keys *keys)
{
    if (keys == NULL) {
        return;
    }
    for (size_t i = 0; i < keys->count; i++) {
        sodium_free(keys->items[i]);
    }
    (void)pthread_rwlock_destroy(&keys->lock);
    free(keys->items);
    free(keys);
}

/* --- making --- */

static enum gk_status make_file(struct gk_issuer_keys *keys, const char *issuer_id, uint32_t epoch,
                                uint8_t ret_secret[GK_INDEX_SECRET_SIZE], struct gk_error *error)
{
    char path[PATH_SIZE];
    enum gk_status status = gk_file_make_directory(keys->folder, error);

    if (status != GK_OK) {
        return status;
    }
    key_path(keys, issuer_id, epoch, path);
    randombytes_buf(ret_secret, GK_INDEX_SECRET_SIZE);
    status = gk_file_create(path, 0600, (struct gk_bytes){ret_secret, GK_INDEX_SECRET_SIZE}, error);
    return status == GK_OK ? gk_file_sync_directory(keys->folder, error) : status;
}

enum gk_status gk_issuer_keys_make(struct gk_issuer_keys *keys, const char *issuer_id, uint32_t epoch,
                                   char ret_text[GK_INDEX_KEY_TEXT_SIZE], struct gk_error *error)
{
    uint8_t secret[GK_INDEX_SECRET_SIZE];
    enum gk_status status = GK_OK;

    assert(epoch > 0);
    (void)pthread_rwlock_wrlock(&keys->lock);
    if (find(keys, issuer_id, epoch) == NULL) {
        status = make_file(keys, issuer_id, epoch, secret, error);
        if (status == GK_OK) {
            add(keys, issuer_id, epoch, secret);
        }
        sodium_memzero(secret, sizeof secret);
    }
    if (status == GK_OK) {
        gk_index_key_write(find(keys, issuer_id, epoch), ret_text);
    }
    (void)pthread_rwlock_unlock(&keys->lock);
    return status;
}

bool gk_issuer_keys_tokens(struct gk_issuer_keys *keys, const char *issuer_id, uint32_t epoch,
                           const char *scheme, const char *number, uint8_t ret_card_token[GK_TOKEN_SIZE],
                           struct gk_blocks *ret_blocks)
{
    (void)pthread_rwlock_rdlock(&keys->lock);
    const struct gk_index_key *key = find(keys, issuer_id, epoch);

    (void)pthread_rwlock_unlock(&keys->lock);
    if (key == NULL) {
        return false;
    }
    gk_index_key_card_token(key, scheme, number, ret_card_token);
    if (ret_blocks != NULL) {
        *ret_blocks = gk_index_key_blocks(key, scheme, number);
    }
    return true;
}

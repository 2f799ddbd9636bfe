#include "core/security/keys.h"

#include "core/security/file.h"
#include "core/security/issuer_keys.h"
#include "core/security/key_material.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static_assert(GK_KEY_FILE_SIZE == crypto_kdf_KEYBYTES, "crypto_kdf takes a whole key file");
static_assert(GK_KEY_FILE_SIZE == crypto_box_SECRETKEYBYTES, "X25519 takes a whole key file");
static_assert(GK_KEY_FILE_SIZE == crypto_sign_SEEDBYTES, "Ed25519 is made from a seed of this length");
static_assert(GK_TOKEN_SIZE == crypto_auth_hmacsha256_BYTES, "a token is one HMAC-SHA256");
static_assert(GK_SPOOL_KEY_SIZE == crypto_box_PUBLICKEYBYTES, "the spool key is an X25519 key");

enum key_file { INDEX_KEY, SEAL_KEY, SPOOL_KEY, TOKEN_KEY, AUDIT_KEY, GRANT_KEY, KEY_FILE_COUNT };

static const char *const key_file_names[KEY_FILE_COUNT] = {
    [INDEX_KEY] = "index.key", [SEAL_KEY] = "seal.key",   [SPOOL_KEY] = "spool.key",
    [TOKEN_KEY] = "token.key", [AUDIT_KEY] = "audit.key", [GRANT_KEY] = "grant.key",
};

static enum gk_status key_path(const char *directory, enum key_file file, char ret_path[GK_KEY_PATH_SIZE],
                               struct gk_error *error)
{
    const int length = snprintf(ret_path, GK_KEY_PATH_SIZE, "%s/%s", directory, key_file_names[file]);

    if (length < 0 || length >= GK_KEY_PATH_SIZE) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "the key directory's name is longer than %d bytes",
                            GK_KEY_PATH_SIZE - 16);
    }
    return GK_OK;
}

static enum gk_status start_sodium(struct gk_error *error)
{
    return sodium_init() >= 0 ? GK_OK : gk_error_set(error, GK_INTERNAL, "libsodium cannot start");
}

/* --- making --- */

static enum gk_status refuse_existing(const char *directory, struct gk_error *error)
{
    for (enum key_file file = 0; file < KEY_FILE_COUNT; file++) {
        char path[GK_KEY_PATH_SIZE];
        struct stat found;
        const enum gk_status status = key_path(directory, file, path, error);

        if (status != GK_OK) {
            return status;
        }
        if (lstat(path, &found) == 0) {
            return gk_error_set(error, GK_ALREADY_EXISTS, "%s is there already: keys are never overwritten",
                                path);
        }
    }
    return GK_OK;
}

static enum gk_status make_key_file(const char *directory, enum key_file file, struct gk_error *error)
{
    char path[GK_KEY_PATH_SIZE];
    enum gk_status status = key_path(directory, file, path, error);

    if (status == GK_OK) {
        uint8_t key[GK_KEY_FILE_SIZE];

        randombytes_buf(key, sizeof key);
        status = gk_file_create(path, 0600, (struct gk_bytes){.data = key, .size = sizeof key}, error);
        sodium_memzero(key, sizeof key);
    }
    return status;
}

static void remove_key_files(const char *directory, int count)
{
    for (int file = 0; file < count; file++) {
        char path[GK_KEY_PATH_SIZE];

        if (key_path(directory, (enum key_file)file, path, NULL) == GK_OK) {
            (void)unlink(path);
        }
    }
}

enum gk_status gk_keys_generate(const char *directory, struct gk_error *error)
{
    enum gk_status status = start_sodium(error);
    int made = 0;

    if (status == GK_OK) {
        status = gk_file_make_directory(directory, error);
    }
    if (status == GK_OK) {
        status = refuse_existing(directory, error);
    }
    while (status == GK_OK && made < KEY_FILE_COUNT) {
        status = make_key_file(directory, (enum key_file)made, error);
        made += status == GK_OK;
    }
    if (status == GK_OK) {
        status = gk_file_sync_directory(directory, error);
    }
    if (status != GK_OK) {
        remove_key_files(directory, made);
    }
    return status;
}

enum gk_status gk_keys_add_audit(const char *directory, bool *ret_made, struct gk_error *error)
{
    char path[GK_KEY_PATH_SIZE];
    struct stat found;
    enum gk_status status = start_sodium(error);

    for (int file = SEAL_KEY; status == GK_OK && file <= AUDIT_KEY; file++) {
        status = key_path(directory, (enum key_file)file, path, error);
        if (status == GK_OK && file != AUDIT_KEY && lstat(path, &found) != 0) {
            status = gk_error_set(error, GK_FAILED_PRECONDITION, "cannot read key file %s: %s", path,
                                  strerror(errno));
        }
    }
    if (status != GK_OK) {
        return status;
    }
    const bool there = lstat(path, &found) == 0;

    if (!there) {
        status = make_key_file(directory, AUDIT_KEY, error);
    }
    if (!there && status == GK_OK) {
        status = gk_file_sync_directory(directory, error);
    }
    if (status == GK_OK) {
        *ret_made = !there;
    }
    return status;
}

/* --- reading --- */

static enum gk_status read_open_key(int fd, const char *path, uint8_t *ret_key, size_t size,
                                    struct gk_error *error)
{
    struct stat found;

    if (fstat(fd, &found) != 0 || !S_ISREG(found.st_mode)) {
        return gk_error_set(error, GK_FAILED_PRECONDITION, "key file %s is not a regular file", path);
    }
    if ((found.st_mode & 077) != 0) {
        return gk_error_set(error, GK_FAILED_PRECONDITION,
                            "key file %s has mode %03o, so others may use it: chmod 600 it", path,
                            (unsigned)(found.st_mode & 0777));
    }
    if (found.st_size != (off_t)size || read(fd, ret_key, size) != (ssize_t)size) {
        return gk_error_set(error, GK_FAILED_PRECONDITION, "key file %s has %lld bytes, wanted %zu", path,
                            (long long)found.st_size, size);
    }
    return GK_OK;
}

enum gk_status gk_key_file_read(const char *path, uint8_t *ret_key, size_t size, struct gk_error *error)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0) {
        return gk_error_set(error, GK_FAILED_PRECONDITION, "cannot read key file %s: %s", path,
                            strerror(errno));
    }
    const enum gk_status status = read_open_key(fd, path, ret_key, size, error);

    (void)close(fd);
    return status;
}

static enum gk_status read_key_file(const char *directory, enum key_file file,
                                    uint8_t ret_key[GK_KEY_FILE_SIZE], struct gk_error *error)
{
    char path[GK_KEY_PATH_SIZE];
    const enum gk_status status = key_path(directory, file, path, error);

    return status == GK_OK ? gk_key_file_read(path, ret_key, GK_KEY_FILE_SIZE, error) : status;
}

/* crypto_kdf's context names the use; it is exactly 8 characters. */
void gk_key_derive(uint8_t ret_subkey[GK_SUBKEY_SIZE], const char *use,
                   const uint8_t master[GK_KEY_FILE_SIZE])
{
    static_assert(crypto_kdf_CONTEXTBYTES == 8, "uses are named in 8 characters");
    assert(strlen(use) == crypto_kdf_CONTEXTBYTES);
    crypto_kdf_derive_from_key(ret_subkey, GK_SUBKEY_SIZE, 1, use, master);
}

static void derive_others(struct gk_keys *keys, uint8_t files[KEY_FILE_COUNT][GK_KEY_FILE_SIZE])
{
    gk_key_derive(keys->code, "gk_ocode", files[TOKEN_KEY]);
    gk_key_derive(keys->credential, "gk_token", files[TOKEN_KEY]);
    gk_key_derive(keys->pickup, "gk_pickp", files[TOKEN_KEY]);
    memcpy(keys->spool_secret, files[SPOOL_KEY], sizeof keys->spool_secret);
    crypto_scalarmult_base(keys->spool_public, keys->spool_secret);
    (void)crypto_sign_seed_keypair(keys->audit_public, keys->audit_secret, files[AUDIT_KEY]);
    gk_grant_key_take(keys, files[GRANT_KEY]);
}

static enum gk_status make_keys(const char *directory, uint8_t files[KEY_FILE_COUNT][GK_KEY_FILE_SIZE],
                                struct gk_keys **ret_keys, struct gk_error *error)
{
    struct gk_keys *keys = sodium_malloc(sizeof *keys);

    if (keys == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no locked memory for the keys");
    }
    memset(keys, 0, sizeof *keys);
    derive_others(keys, files);
    enum gk_status status = gk_key_epochs_read(directory, keys, error);

    if (status == GK_OK) {
        status = gk_issuer_keys_open(directory, &keys->issuers, error);
    }
    if (status != GK_OK) {
        sodium_free(keys);
        return status;
    }
    (void)sodium_mprotect_readonly(keys);
    *ret_keys = keys;
    return GK_OK;
}

enum gk_status gk_keys_open(const char *directory, struct gk_keys **ret_keys, struct gk_error *error)
{
    uint8_t files[KEY_FILE_COUNT][GK_KEY_FILE_SIZE];
    enum gk_status status = start_sodium(error);

    if (status == GK_OK) {
        status = gk_grant_key_make_missing(directory, error);
    }
    for (int file = SPOOL_KEY; status == GK_OK && file < KEY_FILE_COUNT; file++) {
        status = read_key_file(directory, (enum key_file)file, files[file], error);
    }
    if (status == GK_OK) {
        status = make_keys(directory, files, ret_keys, error);
    }
    sodium_memzero(files, sizeof files);
    return status;
}

void gk_keys_close(struct gk_keys *keys)
{
    if (keys == NULL) {
        return;
    }
    gk_issuer_keys_close(keys->issuers);
    sodium_free(keys);
}

struct gk_issuer_keys *gk_keys_issuers(const struct gk_keys *keys)
{
    return keys->issuers;
}

uint32_t gk_keys_epoch(const struct gk_keys *keys)
{
    return keys->epoch;
}

uint32_t gk_keys_newest(const struct gk_keys *keys)
{
    return keys->newest;
}

uint32_t gk_keys_lowest(const struct gk_keys *keys)
{
    return keys->lowest;
}

enum gk_status gk_keys_use(struct gk_keys *keys, uint32_t epoch, struct gk_error *error)
{
    if (epoch < 1 || epoch > keys->newest) {
        return gk_error_set(
            error, GK_FAILED_PRECONDITION,
            "the data are of key epoch %u, but the newest key files are of epoch %u: put the others "
            "back in place",
            (unsigned)epoch, (unsigned)keys->newest);
    }
    (void)sodium_mprotect_readwrite(keys);
    keys->epoch = epoch;
    (void)sodium_mprotect_readonly(keys);
    return GK_OK;
}

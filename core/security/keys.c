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

#define KEY_FILE_SIZE 32 /* bytes: crypto_kdf's master key, X25519's secret */
#define PATH_SIZE 4096   /* bytes with the terminator, PATH_MAX */

static_assert(KEY_FILE_SIZE == crypto_kdf_KEYBYTES, "crypto_kdf takes a whole key file");
static_assert(KEY_FILE_SIZE == crypto_box_SECRETKEYBYTES, "X25519 takes a whole key file");
static_assert(KEY_FILE_SIZE == crypto_sign_SEEDBYTES, "Ed25519 is made from a seed of this length");
static_assert(GK_TOKEN_SIZE == crypto_auth_hmacsha256_BYTES, "a token is one HMAC-SHA256");
static_assert(GK_SPOOL_KEY_SIZE == crypto_box_PUBLICKEYBYTES, "the spool key is an X25519 key");

enum key_file { INDEX_KEY, SEAL_KEY, SPOOL_KEY, TOKEN_KEY, AUDIT_KEY, KEY_FILE_COUNT };

static const char *const key_file_names[KEY_FILE_COUNT] = {
    [INDEX_KEY] = "index.key", [SEAL_KEY] = "seal.key",   [SPOOL_KEY] = "spool.key",
    [TOKEN_KEY] = "token.key", [AUDIT_KEY] = "audit.key",
};

static enum gk_status key_path(const char *directory, enum key_file file, char ret_path[PATH_SIZE],
                               struct gk_error *error)
{
    const int length = snprintf(ret_path, PATH_SIZE, "%s/%s", directory, key_file_names[file]);

    if (length < 0 || length >= PATH_SIZE) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "the key directory's name is longer than %d bytes",
                            PATH_SIZE - 16);
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
        char path[PATH_SIZE];
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
    char path[PATH_SIZE];
    enum gk_status status = key_path(directory, file, path, error);

    if (status == GK_OK) {
        uint8_t key[KEY_FILE_SIZE];

        randombytes_buf(key, sizeof key);
        status = gk_file_create(path, 0600, (struct gk_bytes){.data = key, .size = sizeof key}, error);
        sodium_memzero(key, sizeof key);
    }
    return status;
}

static void remove_key_files(const char *directory, int count)
{
    for (int file = 0; file < count; file++) {
        char path[PATH_SIZE];

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

static enum gk_status read_key_path(const char *path, uint8_t *ret_key, size_t size, struct gk_error *error)
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

static enum gk_status read_key_file(const char *directory, enum key_file file, uint8_t ret_key[KEY_FILE_SIZE],
                                    struct gk_error *error)
{
    char path[PATH_SIZE];
    const enum gk_status status = key_path(directory, file, path, error);

    return status == GK_OK ? read_key_path(path, ret_key, KEY_FILE_SIZE, error) : status;
}

/* The files that each epoch has its own of: those of the first have no number in their names. A path of them
 * is shorter than that of the longest of the others. */
enum epoch_file { EPOCH_INDEX, EPOCH_SEAL, EPOCH_KEPT, EPOCH_FILE_COUNT };

static void epoch_path(const char *directory, enum epoch_file file, unsigned epoch, char ret_path[PATH_SIZE])
{
    static const char *const names[EPOCH_FILE_COUNT] = {"index", "seal", "kept"};
    char number[16] = "";

    assert(epoch >= 1 && epoch <= GK_KEY_EPOCHS_MAX);
    if (epoch > 1) {
        (void)snprintf(number, sizeof number, ".%u", epoch);
    }
    (void)snprintf(ret_path, PATH_SIZE, "%.*s/%s%s.key", PATH_SIZE - 40, directory, names[file], number);
}

static bool has_file(const char *directory, enum epoch_file file, unsigned epoch)
{
    char path[PATH_SIZE];
    struct stat found;

    epoch_path(directory, file, epoch, path);
    return lstat(path, &found) == 0;
}

/* An epoch is there while its index key is, or what is kept of it. */
static bool has_epoch(const char *directory, unsigned epoch)
{
    return epoch <= GK_KEY_EPOCHS_MAX &&
           (has_file(directory, EPOCH_INDEX, epoch) || has_file(directory, EPOCH_KEPT, epoch));
}

/* crypto_kdf's context names the use; it is exactly 8 characters. */
static void derive(uint8_t ret_subkey[GK_SUBKEY_SIZE], const char *use, const uint8_t master[KEY_FILE_SIZE])
{
    static_assert(crypto_kdf_CONTEXTBYTES == 8, "uses are named in 8 characters");
    assert(strlen(use) == crypto_kdf_CONTEXTBYTES);
    crypto_kdf_derive_from_key(ret_subkey, GK_SUBKEY_SIZE, 1, use, master);
}

static void derive_seals(struct gk_keys *keys, unsigned epoch, const uint8_t file[KEY_FILE_SIZE])
{
    derive(keys->seal[epoch][GK_SEAL_CONTACTS], "gk_contc", file);
    derive(keys->seal[epoch][GK_SEAL_MASK], "gk_mask_", file);
    derive(keys->seal[epoch][GK_SEAL_PICTURE], "gk_pictr", file);
}

/* What stays of an index key once no number has a token from it: in kept.key the subkeys of holders,
 * contacts, message ids and digests, in those of later epochs what wraps tokens. */
enum { KEPT_FIRST = 4, KEPT_LATER = 1 };

static size_t kept_subkeys(struct gk_keys *keys, unsigned epoch, uint8_t *ret_subkeys[KEPT_FIRST])
{
    if (epoch > 1) {
        ret_subkeys[0] = keys->wrap[epoch];
        return KEPT_LATER;
    }
    ret_subkeys[0] = keys->holder;
    ret_subkeys[1] = keys->contact;
    ret_subkeys[2] = keys->message;
    ret_subkeys[3] = keys->digest;
    return KEPT_FIRST;
}

static enum gk_status read_kept(const char *directory, struct gk_keys *keys, unsigned epoch,
                                struct gk_error *error)
{
    uint8_t file[KEPT_FIRST * GK_SUBKEY_SIZE];
    uint8_t *subkeys[KEPT_FIRST];
    char path[PATH_SIZE];
    const size_t count = kept_subkeys(keys, epoch, subkeys);

    epoch_path(directory, EPOCH_KEPT, epoch, path);
    const enum gk_status status = read_key_path(path, file, count * GK_SUBKEY_SIZE, error);

    for (size_t i = 0; status == GK_OK && i < count; i++) {
        memcpy(subkeys[i], file + i * GK_SUBKEY_SIZE, GK_SUBKEY_SIZE);
    }
    sodium_memzero(file, sizeof file);
    return status;
}

static void derive_index(struct gk_keys *keys, unsigned epoch, const uint8_t file[KEY_FILE_SIZE])
{
    derive(keys->card[epoch], "gk_card_", file);
    derive(keys->block[epoch], "gk_block", file);
    if (epoch > 1) {
        derive(keys->wrap[epoch], "gk_wrap_", file);
        return;
    }
    derive(keys->holder, "gk_holdr", file);
    derive(keys->contact, "gk_reach", file);
    derive(keys->message, "gk_msgid", file);
    derive(keys->digest, "gk_digst", file);
}

/* An index key that is there counts, so that a retirement which was cut short can be repeated. Its absence is
 * an error where nothing is kept of it. */
static enum gk_status read_epoch(const char *directory, struct gk_keys *keys, unsigned epoch,
                                 struct gk_error *error)
{
    uint8_t file[KEY_FILE_SIZE];
    char path[PATH_SIZE];
    enum gk_status status;

    if (!has_file(directory, EPOCH_INDEX, epoch) && has_file(directory, EPOCH_KEPT, epoch)) {
        status = read_kept(directory, keys, epoch, error);
        keys->lowest = epoch + 1;
    } else {
        epoch_path(directory, EPOCH_INDEX, epoch, path);
        status = read_key_path(path, file, sizeof file, error);
        if (status == GK_OK) {
            derive_index(keys, epoch, file);
        }
    }
    if (status == GK_OK) {
        epoch_path(directory, EPOCH_SEAL, epoch, path);
        status = read_key_path(path, file, sizeof file, error);
    }
    if (status == GK_OK) {
        derive_seals(keys, epoch, file);
        keys->epoch = epoch;
        keys->newest = epoch;
    }
    sodium_memzero(file, sizeof file);
    return status;
}

/* The first epoch, and as many as there are. */
static enum gk_status read_epochs(const char *directory, struct gk_keys *keys, struct gk_error *error)
{
    enum gk_status status = GK_OK;

    keys->lowest = 1;
    for (unsigned epoch = 1; status == GK_OK && (epoch == 1 || has_epoch(directory, epoch)); epoch++) {
        status = read_epoch(directory, keys, epoch, error);
    }
    if (status == GK_OK && keys->lowest > keys->newest) {
        status = gk_error_set(error, GK_FAILED_PRECONDITION,
                              "the newest index key is missing in %s: put it back in place", directory);
    }
    if (status == GK_OK && keys->newest - keys->lowest >= GK_BASES_MAX) {
        status = gk_error_set(error, GK_FAILED_PRECONDITION, "%s has index keys of %u epochs; %d at most",
                              directory, (unsigned)(keys->newest - keys->lowest + 1), GK_BASES_MAX);
    }
    return status;
}

static void derive_others(struct gk_keys *keys, uint8_t files[KEY_FILE_COUNT][KEY_FILE_SIZE])
{
    derive(keys->code, "gk_ocode", files[TOKEN_KEY]);
    derive(keys->credential, "gk_token", files[TOKEN_KEY]);
    derive(keys->pickup, "gk_pickp", files[TOKEN_KEY]);
    memcpy(keys->spool_secret, files[SPOOL_KEY], sizeof keys->spool_secret);
    crypto_scalarmult_base(keys->spool_public, keys->spool_secret);
    (void)crypto_sign_seed_keypair(keys->audit_public, keys->audit_secret, files[AUDIT_KEY]);
}

enum gk_status gk_keys_open(const char *directory, struct gk_keys **ret_keys, struct gk_error *error)
{
    uint8_t files[KEY_FILE_COUNT][KEY_FILE_SIZE];
    enum gk_status status = start_sodium(error);

    for (int file = SPOOL_KEY; status == GK_OK && file < KEY_FILE_COUNT; file++) {
        status = read_key_file(directory, (enum key_file)file, files[file], error);
    }
    if (status == GK_OK) {
        struct gk_keys *keys = sodium_malloc(sizeof *keys);

        if (keys == NULL) {
            status = gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no locked memory for the keys");
        } else {
            memset(keys, 0, sizeof *keys);
            derive_others(keys, files);
            status = read_epochs(directory, keys, error);
        }
        if (status == GK_OK) {
            status = gk_issuer_keys_open(directory, &keys->issuers, error);
        }
        if (status == GK_OK) {
            (void)sodium_mprotect_readonly(keys);
            *ret_keys = keys;
        } else {
            sodium_free(keys);
        }
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

/* Epochs there are files of, and of them the lowest with its index key. */
static void count_epochs(const char *directory, unsigned *ret_newest, unsigned *ret_lowest)
{
    unsigned lowest = 1;
    unsigned epoch = 1;

    for (; has_epoch(directory, epoch); epoch++) {
        lowest = has_file(directory, EPOCH_INDEX, epoch) ? lowest : epoch + 1;
    }
    *ret_newest = epoch - 1;
    *ret_lowest = lowest;
}

/* The seal's file first: an epoch is there once its index key is. */
enum gk_status gk_keys_add_epoch(const char *directory, uint32_t *ret_epoch, struct gk_error *error)
{
    static const enum epoch_file order[] = {EPOCH_SEAL, EPOCH_INDEX};
    enum gk_status status = start_sodium(error);
    unsigned newest = 0;
    unsigned lowest = 0;

    count_epochs(directory, &newest, &lowest);
    const unsigned epoch = newest + 1;

    if (epoch > GK_KEY_EPOCHS_MAX) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED,
                            "the keys were rotated %d times, which is all there is", GK_KEY_EPOCHS_MAX - 1);
    }
    if (epoch - lowest >= GK_BASES_MAX) {
        return gk_error_set(
            error, GK_FAILED_PRECONDITION,
            "%d index keys are in use, which is all there is room for: have the lists imported "
            "anew, then guika key retire",
            GK_BASES_MAX);
    }
    for (size_t i = 0; status == GK_OK && i < sizeof order / sizeof order[0]; i++) {
        uint8_t key[KEY_FILE_SIZE];
        char path[PATH_SIZE];

        epoch_path(directory, order[i], epoch, path);
        if (order[i] == EPOCH_SEAL) {
            (void)unlink(path); /* of a rotation that came to nothing: it was never in force */
        }
        randombytes_buf(key, sizeof key);
        status = gk_file_create(path, 0600, (struct gk_bytes){.data = key, .size = sizeof key}, error);
        if (status == GK_OK) {
            status = gk_file_sync_directory(directory, error);
        }
        sodium_memzero(key, sizeof key);
    }
    if (status == GK_OK) {
        *ret_epoch = epoch;
    }
    return status;
}

/* --- retiring --- */

/* What is kept is durable before the key goes. */
static enum gk_status retire_epoch(const char *directory, struct gk_keys *keys, unsigned epoch,
                                   struct gk_error *error)
{
    uint8_t file[KEPT_FIRST * GK_SUBKEY_SIZE];
    uint8_t *subkeys[KEPT_FIRST];
    char path[PATH_SIZE];
    const size_t count = kept_subkeys(keys, epoch, subkeys);

    for (size_t i = 0; i < count; i++) {
        memcpy(file + i * GK_SUBKEY_SIZE, subkeys[i], GK_SUBKEY_SIZE);
    }
    epoch_path(directory, EPOCH_KEPT, epoch, path);
    (void)unlink(path); /* of a retirement that was cut short: the index key is still there */
    enum gk_status status =
        gk_file_create(path, 0600, (struct gk_bytes){file, count * GK_SUBKEY_SIZE}, error);

    sodium_memzero(file, sizeof file);
    if (status == GK_OK) {
        status = gk_file_sync_directory(directory, error);
    }
    epoch_path(directory, EPOCH_INDEX, epoch, path);
    if (status == GK_OK && unlink(path) != 0) {
        status = gk_error_set(error, GK_UNAVAILABLE, "cannot delete %s: %s", path, strerror(errno));
    }
    return status == GK_OK ? gk_file_sync_directory(directory, error) : status;
}

enum gk_status gk_keys_retire(const char *directory, struct gk_keys *keys, uint32_t lowest,
                              struct gk_error *error)
{
    enum gk_status status = GK_OK;

    assert(lowest >= 1 && lowest <= keys->newest);
    (void)sodium_mprotect_readwrite(keys);
    while (status == GK_OK && keys->lowest < lowest) {
        status = retire_epoch(directory, keys, keys->lowest, error);
        if (status == GK_OK) {
            sodium_memzero(keys->card[keys->lowest], GK_SUBKEY_SIZE);
            sodium_memzero(keys->block[keys->lowest], GK_SUBKEY_SIZE);
            keys->lowest++;
        }
    }
    (void)sodium_mprotect_readonly(keys);
    return status;
}

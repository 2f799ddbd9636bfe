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

enum key_file { INDEX_KEY, SEAL_KEY, SPOOL_KEY, TOKEN_KEY, AUDIT_KEY, GRANT_KEY, KEY_FILE_COUNT };

static const char *const key_file_names[KEY_FILE_COUNT] = {
    [INDEX_KEY] = "index.key", [SEAL_KEY] = "seal.key",   [SPOOL_KEY] = "spool.key",
    [TOKEN_KEY] = "token.key", [AUDIT_KEY] = "audit.key", [GRANT_KEY] = "grant.key",
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

static enum gk_status read_open_key(int fd, const char *path, uint8_t ret_key[KEY_FILE_SIZE],
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
    if (found.st_size != KEY_FILE_SIZE || read(fd, ret_key, KEY_FILE_SIZE) != KEY_FILE_SIZE) {
        return gk_error_set(error, GK_FAILED_PRECONDITION, "key file %s has %lld bytes, wanted %d", path,
                            (long long)found.st_size, KEY_FILE_SIZE);
    }
    return GK_OK;
}

static enum gk_status read_key_path(const char *path, uint8_t ret_key[KEY_FILE_SIZE], struct gk_error *error)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0) {
        return gk_error_set(error, GK_FAILED_PRECONDITION, "cannot read key file %s: %s", path,
                            strerror(errno));
    }
    const enum gk_status status = read_open_key(fd, path, ret_key, error);

    (void)close(fd);
    return status;
}

static enum gk_status read_key_file(const char *directory, enum key_file file, uint8_t ret_key[KEY_FILE_SIZE],
                                    struct gk_error *error)
{
    char path[PATH_SIZE];
    const enum gk_status status = key_path(directory, file, path, error);

    return status == GK_OK ? read_key_path(path, ret_key, error) : status;
}

/* The path of an epoch's file, 2 and more. It is shorter than that of the longest of the first. */
static void epoch_path(const char *directory, enum key_file file, unsigned epoch, char ret_path[PATH_SIZE])
{
    char name[32];

    assert(epoch >= 2 && epoch <= GK_KEY_EPOCHS_MAX);
    (void)snprintf(name, sizeof name, file == INDEX_KEY ? "index.%u.key" : "seal.%u.key", epoch);
    (void)snprintf(ret_path, PATH_SIZE, "%.*s/%s", PATH_SIZE - 40, directory, name);
}

static bool has_epoch(const char *directory, unsigned epoch)
{
    char path[PATH_SIZE];
    struct stat found;

    if (epoch > GK_KEY_EPOCHS_MAX) {
        return false;
    }
    epoch_path(directory, INDEX_KEY, epoch, path);
    return lstat(path, &found) == 0;
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

/* The epochs after the first, as many as there are. */
static enum gk_status read_epochs(const char *directory, struct gk_keys *keys, struct gk_error *error)
{
    uint8_t file[KEY_FILE_SIZE];
    char path[PATH_SIZE];
    enum gk_status status = GK_OK;

    for (unsigned epoch = 2; status == GK_OK && has_epoch(directory, epoch); epoch++) {
        epoch_path(directory, INDEX_KEY, epoch, path);
        status = read_key_path(path, file, error);
        if (status == GK_OK) {
            derive(keys->wrap[epoch], "gk_wrap_", file);
            epoch_path(directory, SEAL_KEY, epoch, path);
            status = read_key_path(path, file, error);
        }
        if (status == GK_OK) {
            derive_seals(keys, epoch, file);
            keys->epoch = epoch;
            keys->newest = epoch;
        }
    }
    sodium_memzero(file, sizeof file);
    return status;
}

static void derive_all(struct gk_keys *keys, uint8_t files[KEY_FILE_COUNT][KEY_FILE_SIZE])
{
    keys->epoch = 1;
    keys->newest = 1;
    derive(keys->card, "gk_card_", files[INDEX_KEY]);
    derive(keys->holder, "gk_holdr", files[INDEX_KEY]);
    derive(keys->block, "gk_block", files[INDEX_KEY]);
    derive(keys->message, "gk_msgid", files[INDEX_KEY]);
    derive(keys->digest, "gk_digst", files[INDEX_KEY]);
    derive(keys->contact, "gk_reach", files[INDEX_KEY]);
    derive(keys->code, "gk_ocode", files[TOKEN_KEY]);
    derive(keys->credential, "gk_token", files[TOKEN_KEY]);
    derive(keys->pickup, "gk_pickp", files[TOKEN_KEY]);
    derive_seals(keys, 1, files[SEAL_KEY]);
    memcpy(keys->spool_secret, files[SPOOL_KEY], sizeof keys->spool_secret);
    crypto_scalarmult_base(keys->spool_public, keys->spool_secret);
    (void)crypto_sign_seed_keypair(keys->audit_public, keys->audit_secret, files[AUDIT_KEY]);
    gk_grant_key_take(keys, files[GRANT_KEY]);
}

enum gk_status gk_keys_open(const char *directory, struct gk_keys **ret_keys, struct gk_error *error)
{
    uint8_t files[KEY_FILE_COUNT][KEY_FILE_SIZE];
    enum gk_status status = start_sodium(error);

    if (status == GK_OK) {
        status = gk_grant_key_make_missing(directory, error);
    }
    for (int file = 0; status == GK_OK && file < KEY_FILE_COUNT; file++) {
        status = read_key_file(directory, (enum key_file)file, files[file], error);
    }
    if (status == GK_OK) {
        struct gk_keys *keys = sodium_malloc(sizeof *keys);

        if (keys == NULL) {
            status = gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no locked memory for the keys");
        } else {
            memset(keys, 0, sizeof *keys);
            derive_all(keys, files);
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

/* The seal's file first: an epoch is there once its index key is. */
enum gk_status gk_keys_add_epoch(const char *directory, uint32_t *ret_epoch, struct gk_error *error)
{
    static const enum key_file order[] = {SEAL_KEY, INDEX_KEY};
    enum gk_status status = start_sodium(error);
    unsigned epoch = 2;

    while (has_epoch(directory, epoch)) {
        epoch++;
    }
    if (epoch > GK_KEY_EPOCHS_MAX) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED,
                            "the keys were rotated %d times, which is all there is", GK_KEY_EPOCHS_MAX - 1);
    }
    for (size_t i = 0; status == GK_OK && i < sizeof order / sizeof order[0]; i++) {
        uint8_t key[KEY_FILE_SIZE];
        char path[PATH_SIZE];

        epoch_path(directory, order[i], epoch, path);
        if (order[i] == SEAL_KEY) {
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

/* --- tokens --- */

void gk_keys_wrap(const struct gk_keys *keys, uint32_t from, uint32_t to, uint8_t token[GK_TOKEN_SIZE])
{
    assert(from >= 1 && from <= to && to <= keys->newest);
    for (uint32_t epoch = from + 1; epoch <= to; epoch++) {
        uint8_t wrapped[GK_TOKEN_SIZE];

        crypto_auth_hmacsha256(wrapped, token, GK_TOKEN_SIZE, keys->wrap[epoch]);
        memcpy(token, wrapped, GK_TOKEN_SIZE);
    }
}

void gk_keys_card_token(const struct gk_keys *keys, const char *scheme, const char *number,
                        uint8_t ret_token[GK_TOKEN_SIZE])
{
    gk_hmac_named(keys->card, scheme, number, strlen(number), ret_token);
    gk_keys_wrap(keys, 1, keys->epoch, ret_token);
}

void gk_keys_holder_token(const struct gk_keys *keys, const char *issuer_account, const char *holder_id,
                          uint8_t ret_token[GK_TOKEN_SIZE])
{
    gk_hmac_named(keys->holder, issuer_account, holder_id, strlen(holder_id), ret_token);
    gk_keys_wrap(keys, 1, keys->epoch, ret_token);
}

void gk_keys_contact_token(const struct gk_keys *keys, const char *contact, uint8_t ret_token[GK_TOKEN_SIZE])
{
    gk_hmac_named(keys->contact, "contact", contact, strlen(contact), ret_token);
    gk_keys_wrap(keys, 1, keys->epoch, ret_token);
}

void gk_keys_contact_code(const struct gk_keys *keys, const uint8_t contact_token[GK_TOKEN_SIZE],
                          const uint8_t nonce[GK_NONCE_SIZE], char ret_code[GK_CONTACT_CODE_SIZE])
{
    uint8_t subject[GK_TOKEN_SIZE + GK_NONCE_SIZE];
    uint8_t hash[GK_TOKEN_SIZE];
    uint64_t number = 0;

    memcpy(subject, contact_token, GK_TOKEN_SIZE);
    memcpy(subject + GK_TOKEN_SIZE, nonce, GK_NONCE_SIZE);
    gk_hmac_named(keys->code, "contact", subject, sizeof subject, hash);
    for (size_t i = 0; i < sizeof number; i++) {
        number = number << 8 | hash[i];
    }
    /* Of 2^64 values: no code is likelier than another by more than 10^8 / 2^64 < 10^-11 of itself. */
    (void)snprintf(ret_code, GK_CONTACT_CODE_SIZE, "%08u", (unsigned)(number % 100000000));
    sodium_memzero(hash, sizeof hash);
}

void gk_keys_block_token(const struct gk_keys *keys, const char *scheme, const char *number, size_t kept,
                         uint8_t ret_token[GK_TOKEN_SIZE])
{
    gk_hmac_block(keys->block, scheme, number, kept, ret_token);
    gk_keys_wrap(keys, 1, keys->epoch, ret_token);
}

void gk_keys_message_id(const struct gk_keys *keys, const char *purpose, struct gk_bytes subject,
                        uint8_t ret_id[16])
{
    uint8_t hash[GK_TOKEN_SIZE];

    gk_hmac_named(keys->message, purpose, subject.data, subject.size, hash);
    memcpy(ret_id, hash, 16);
}

/* --- digests --- */

struct gk_digest {
    crypto_generichash_state state;
};

struct gk_digest *gk_digest_start(const struct gk_keys *keys)
{
    /* sodium_malloc ends an allocation at a page's end, so a whole number of 64 bytes is aligned as the state
     * wants it. */
    static_assert(sizeof(struct gk_digest) % 64 == 0, "the state is aligned to 64 bytes");
    struct gk_digest *digest = sodium_malloc(sizeof *digest);

    if (digest == NULL) {
        abort();
    }
    crypto_generichash_init(&digest->state, keys->digest, GK_SUBKEY_SIZE, 32);
    return digest;
}

void gk_digest_add(struct gk_digest *digest, struct gk_bytes bytes)
{
    uint8_t length[8];

    for (size_t i = 0; i < sizeof length; i++) {
        length[i] = (uint8_t)((uint64_t)bytes.size >> (8 * i));
    }
    crypto_generichash_update(&digest->state, length, sizeof length);
    crypto_generichash_update(&digest->state, bytes.data, bytes.size);
}

void gk_digest_finish(struct gk_digest *digest, uint8_t ret_digest[32])
{
    crypto_generichash_final(&digest->state, ret_digest, 32);
    sodium_free(digest);
}

/* --- credentials --- */

void gk_credential_make(const char *role_name, char ret_text[GK_CREDENTIAL_SIZE])
{
    uint8_t secret[32];
    char text[sodium_base64_ENCODED_LEN(sizeof secret, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];

    if (sodium_init() < 0) {
        abort();
    }
    assert(strlen(role_name) <= 12);
    randombytes_buf(secret, sizeof secret);
    sodium_bin2base64(text, sizeof text, secret, sizeof secret, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    (void)snprintf(ret_text, GK_CREDENTIAL_SIZE, "gk_%.12s_%s", role_name, text);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(text, sizeof text);
}

void gk_keys_credential_hash(const struct gk_keys *keys, const char *token, uint8_t ret_hash[GK_TOKEN_SIZE])
{
    gk_hmac_named(keys->credential, "bearer", token, strlen(token), ret_hash);
}

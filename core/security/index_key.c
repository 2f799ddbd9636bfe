#include "core/security/index_key.h"

#include "core/security/key_material.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_BEGINS "guika-index-key:"

static_assert(GK_INDEX_SECRET_SIZE == crypto_kdf_KEYBYTES, "crypto_kdf takes the whole secret");

size_t gk_block_cut(size_t level)
{
    static const size_t cuts[GK_BLOCK_LEVELS] = {3, 4, 6};

    assert(level < GK_BLOCK_LEVELS);
    return cuts[level];
}

/* --- tokens --- */

void gk_hmac_named(const uint8_t key[GK_SUBKEY_SIZE], const char *name, const void *rest, size_t size,
                   uint8_t ret_hash[GK_TOKEN_SIZE])
{
    crypto_auth_hmacsha256_state state;

    crypto_auth_hmacsha256_init(&state, key, GK_SUBKEY_SIZE);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)name, strlen(name) + 1);
    crypto_auth_hmacsha256_update(&state, rest, size);
    crypto_auth_hmacsha256_final(&state, ret_hash);
    sodium_memzero(&state, sizeof state);
}

void gk_hmac_block(const uint8_t key[GK_SUBKEY_SIZE], const char *scheme, const char *number, size_t kept,
                   uint8_t ret_token[GK_TOKEN_SIZE])
{
    const size_t length = strlen(number);
    const uint8_t shape[2] = {(uint8_t)length, (uint8_t)kept};
    crypto_auth_hmacsha256_state state;

    assert(length <= UINT8_MAX && kept <= length);
    crypto_auth_hmacsha256_init(&state, key, GK_SUBKEY_SIZE);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)scheme, strlen(scheme) + 1);
    crypto_auth_hmacsha256_update(&state, shape, sizeof shape);
    crypto_auth_hmacsha256_update(&state, (const uint8_t *)number, kept);
    crypto_auth_hmacsha256_final(&state, ret_token);
    sodium_memzero(&state, sizeof state);
}

void gk_index_key_card_token(const struct gk_index_key *key, const char *scheme, const char *number,
                             uint8_t ret_token[GK_TOKEN_SIZE])
{
    gk_hmac_named(key->card, scheme, number, strlen(number), ret_token);
}

struct gk_blocks gk_index_key_blocks(const struct gk_index_key *key, const char *scheme, const char *number)
{
    const size_t length = strlen(number);
    struct gk_blocks blocks = {.count = 0};

    while (blocks.count < GK_BLOCK_LEVELS && length > gk_block_cut(blocks.count)) {
        gk_hmac_block(key->block, scheme, number, length - gk_block_cut(blocks.count),
                      blocks.tokens[blocks.count]);
        blocks.count++;
    }
    return blocks;
}

/* --- the key itself --- */

void gk_index_key_make(const char *issuer_id, uint32_t epoch, const uint8_t secret[GK_INDEX_SECRET_SIZE],
                       struct gk_index_key *ret_key)
{
    assert(epoch > 0 && strlen(issuer_id) < sizeof ret_key->issuer_id);
    *ret_key = (struct gk_index_key){.epoch = epoch};
    (void)snprintf(ret_key->issuer_id, sizeof ret_key->issuer_id, "%s", issuer_id);
    memcpy(ret_key->secret, secret, GK_INDEX_SECRET_SIZE);
    (void)crypto_kdf_derive_from_key(ret_key->card, sizeof ret_key->card, 1, "gk_card_", secret);
    (void)crypto_kdf_derive_from_key(ret_key->block, sizeof ret_key->block, 1, "gk_block", secret);
}

void gk_index_key_wipe(struct gk_index_key *key)
{
    sodium_memzero(key, sizeof *key);
}

void gk_index_key_write(const struct gk_index_key *key, char ret_text[GK_INDEX_KEY_TEXT_SIZE])
{
    char secret[2 * GK_INDEX_SECRET_SIZE + 1];

    (void)sodium_bin2hex(secret, sizeof secret, key->secret, sizeof key->secret);
    (void)snprintf(ret_text, GK_INDEX_KEY_TEXT_SIZE, LINE_BEGINS "%s:%u:%s", key->issuer_id,
                   (unsigned)key->epoch, secret);
    sodium_memzero(secret, sizeof secret);
}

static enum gk_status no_key(struct gk_error *error)
{
    return gk_error_set(error, GK_INVALID_ARGUMENT,
                        "this is no index key: the line must be guika-index-key:ISSUER:EPOCH:KEY, as the "
                        "operator made it");
}

/* Copies up to the next colon; false where it is empty or too long. */
static bool take_part(const char **rest, char *ret_part, size_t size)
{
    const size_t length = strcspn(*rest, ":\r\n");

    if (length == 0 || length >= size || (*rest)[length] != ':') {
        return false;
    }
    memcpy(ret_part, *rest, length);
    ret_part[length] = '\0';
    *rest += length + 1;
    return true;
}

enum gk_status gk_index_key_read(const char *text, struct gk_index_key *ret_key, struct gk_error *error)
{
    char issuer_id[sizeof ret_key->issuer_id];
    char epoch_text[11];
    char *epoch_end;
    uint8_t secret[GK_INDEX_SECRET_SIZE];
    size_t size = 0;

    if (strncmp(text, LINE_BEGINS, strlen(LINE_BEGINS)) != 0) {
        return no_key(error);
    }
    text += strlen(LINE_BEGINS);
    if (!take_part(&text, issuer_id, sizeof issuer_id) || !take_part(&text, epoch_text, sizeof epoch_text)) {
        return no_key(error);
    }
    const unsigned long long epoch = strtoull(epoch_text, &epoch_end, 10);
    const size_t length = strcspn(text, "\r\n");

    if (*epoch_end != '\0' || epoch_text[0] == '-' || epoch == 0 || epoch > UINT32_MAX ||
        length != 2 * sizeof secret ||
        sodium_hex2bin(secret, sizeof secret, text, length, NULL, &size, NULL) != 0 ||
        size != sizeof secret) {
        sodium_memzero(secret, sizeof secret);
        return no_key(error);
    }
    gk_index_key_make(issuer_id, (uint32_t)epoch, secret, ret_key);
    sodium_memzero(secret, sizeof secret);
    return GK_OK;
}

enum gk_status gk_index_key_read_file(const char *path, struct gk_index_key *ret_key, struct gk_error *error)
{
    char text[GK_INDEX_KEY_TEXT_SIZE + 2] = "";
    struct stat found;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return gk_error_set(error, errno == ENOENT ? GK_NOT_FOUND : GK_UNAVAILABLE,
                            "cannot read index key %.120s: %s", path, strerror(errno));
    }
    if (fstat(fd, &found) != 0 || !S_ISREG(found.st_mode) || (found.st_mode & 077) != 0) {
        (void)close(fd);
        return gk_error_set(error, GK_FAILED_PRECONDITION,
                            "index key %.120s may be used by others: chmod 600 it", path);
    }
    const ssize_t size = read(fd, text, sizeof text - 1);

    (void)close(fd);
    const enum gk_status status = size < 0 ? no_key(error) : gk_index_key_read(text, ret_key, error);

    sodium_memzero(text, sizeof text);
    return status;
}

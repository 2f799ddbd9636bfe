/*
 * An index key that one issuer and the service share, and the tokens made with it. The issuer makes them
 * where its numbers are, the service where a card was read; both call what stands here, so they agree.
 *
 * The key rests as 32 random bytes in the service's key folder, and at the issuer's in a file of one line,
 *     guika-index-key:ISSUER:EPOCH:64 hexadecimal digits
 * so that a token says by which key of whom it was made. Everything here is pure.
 */
#ifndef GUIKA_CORE_SECURITY_INDEX_KEY_H
#define GUIKA_CORE_SECURITY_INDEX_KEY_H

#include "core/security/keys.h"

enum {
    GK_INDEX_SECRET_SIZE = 32, /* bytes: crypto_kdf's master key */
    GK_INDEX_KEY_TEXT_SIZE = 160,
    GK_BLOCK_LEVELS = 3,
};

/* Characters that the blocks of a number lack at its end, by level: 3, 4 and 6. */
size_t gk_block_cut(size_t level);

/* The blocks of numbers around one, by which the registry sees how full its number space is. */
struct gk_blocks {
    uint8_t tokens[GK_BLOCK_LEVELS][GK_TOKEN_SIZE];
    size_t count; /* the levels for which the number is long enough */
};

struct gk_index_key {
    char issuer_id[33];
    uint32_t epoch; /* from 1 */
    uint8_t secret[GK_INDEX_SECRET_SIZE];
    uint8_t card[32]; /* subkeys of `secret` */
    uint8_t block[32];
};

/* Makes the key of `secret`. */
void gk_index_key_make(const char *issuer_id, uint32_t epoch, const uint8_t secret[GK_INDEX_SECRET_SIZE],
                       struct gk_index_key *ret_key);
void gk_index_key_wipe(struct gk_index_key *key);

/* The line of a key file, without its end. */
void gk_index_key_write(const struct gk_index_key *key, char ret_text[GK_INDEX_KEY_TEXT_SIZE]);
/* Reads such a line; what follows a line's end is not looked at. INVALID_ARGUMENT says what is wrong, and
 * never repeats the key. */
enum gk_status gk_index_key_read(const char *text, struct gk_index_key *ret_key, struct gk_error *error);
/* Reads a key file. NOT_FOUND, FAILED_PRECONDITION where others than its owner may read it, else as
 * gk_index_key_read. [worker] */
enum gk_status gk_index_key_read_file(const char *path, struct gk_index_key *ret_key, struct gk_error *error);

/* As gk_keys_card_token and gk_keys_block_token compute them, under this key. `number` is canonical. */
void gk_index_key_card_token(const struct gk_index_key *key, const char *scheme, const char *number,
                             uint8_t ret_token[GK_TOKEN_SIZE]);
struct gk_blocks gk_index_key_blocks(const struct gk_index_key *key, const char *scheme, const char *number);

#endif

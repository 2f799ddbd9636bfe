#include "clients/box/deposit_id.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PREFIX_FILE "box.prefix"
#define HASH_BYTES 8U /* 64 bits: among a million deposits of one name, a collision in 10^7 boxes */
#define MOST_CLEAR_DIGITS 7U
#define SHOWN_DIGITS 4U

static bool read_prefix(const char *path, char ret_prefix[GK_BOX_PREFIX_SIZE])
{
    char text[GK_BOX_PREFIX_SIZE] = "";
    FILE *file = fopen(path, "r");
    const bool got = file != NULL && fgets(text, sizeof text, file) != NULL;

    if (file != NULL) {
        (void)fclose(file);
    }
    if (!got || strspn(text, "0123456789abcdef") != GK_BOX_PREFIX_SIZE - 1) {
        return false;
    }
    memcpy(ret_prefix, text, sizeof text);
    return true;
}

/* The name stands only once the bytes do: a prefix that changed would make new deposits of old ones. */
static bool write_prefix(const char *path, const char *prefix)
{
    char temporary[4096];

    (void)snprintf(temporary, sizeof temporary, "%s.new", path);
    const int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const size_t length = strlen(prefix);
    bool good = fd >= 0 && write(fd, prefix, length) == (ssize_t)length && fsync(fd) == 0;

    if (fd >= 0) {
        good = close(fd) == 0 && good;
    }
    return good && rename(temporary, path) == 0;
}

enum gk_status gk_box_prefix(const char *directory, char ret_prefix[GK_BOX_PREFIX_SIZE],
                             struct gk_error *error)
{
    char path[4000];
    uint8_t random[(GK_BOX_PREFIX_SIZE - 1) / 2];

    if ((size_t)snprintf(path, sizeof path, "%s/%s", directory, PREFIX_FILE) >= sizeof path) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "the spool directory's name is too long");
    }
    if (read_prefix(path, ret_prefix)) {
        return GK_OK;
    }
    randombytes_buf(random, sizeof random);
    (void)sodium_bin2hex(ret_prefix, GK_BOX_PREFIX_SIZE, random, sizeof random);
    if (!write_prefix(path, ret_prefix)) {
        return gk_error_set(error, GK_INTERNAL, "cannot write %s: %s", path, strerror(errno));
    }
    return GK_OK;
}

void gk_card_stem(const char *name, char ret_stem[GK_STEM_SIZE])
{
    const char *dot = strrchr(name, '.');
    const size_t whole = dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name);
    const size_t length = whole < GK_STEM_SIZE ? whole : GK_STEM_SIZE - 1;
    size_t digits = 0;
    size_t passed = 0;

    for (size_t i = 0; i < whole; i++) {
        digits += isdigit((unsigned char)name[i]) != 0;
    }
    for (size_t i = 0; i < length; i++) {
        const unsigned char byte = (unsigned char)name[i];

        passed += isdigit(byte) != 0;
        if (byte >= 0x80 || (!isalnum(byte) && strchr("._-", byte) == NULL)) {
            ret_stem[i] = '_';
        } else if (isdigit(byte) && digits > MOST_CLEAR_DIGITS && passed + SHOWN_DIGITS <= digits) {
            ret_stem[i] = 'x';
        } else {
            ret_stem[i] = name[i];
        }
    }
    ret_stem[length] = '\0';
}

void gk_deposit_id(const char *prefix, const struct gk_card_seen *card, char ret_id[GK_DEPOSIT_ID_SIZE])
{
    crypto_generichash_state state;
    uint8_t hash[crypto_generichash_BYTES];
    char digits[HASH_BYTES * 2 + 1];
    char stem[GK_STEM_SIZE];

    (void)crypto_generichash_init(&state, NULL, 0, sizeof hash);
    for (size_t i = 0; i < card->first_count; i++) {
        (void)crypto_generichash_update(&state, card->frames[i].picture, card->frames[i].picture_size);
    }
    (void)crypto_generichash_final(&state, hash, sizeof hash);
    (void)sodium_bin2hex(digits, sizeof digits, hash, HASH_BYTES);
    gk_card_stem(card->name, stem);
    (void)snprintf(ret_id, GK_DEPOSIT_ID_SIZE, "%s-%s-%s", prefix, stem, digits);
}

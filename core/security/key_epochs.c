/* The index and sealing keys of one epoch after the other: files, what is derived from them, and what stays
 * of an index key that is retired. */
#include "core/security/file.h"
#include "core/security/key_material.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The files that each epoch has its own of: those of the first have no number in their names. A path of them
 * is shorter than that of the longest of the others. */
enum epoch_file { EPOCH_INDEX, EPOCH_SEAL, EPOCH_KEPT, EPOCH_FILE_COUNT };

static void epoch_path(const char *directory, enum epoch_file file, unsigned epoch,
                       char ret_path[GK_KEY_PATH_SIZE])
{
    static const char *const names[EPOCH_FILE_COUNT] = {"index", "seal", "kept"};
    char number[16] = "";

    assert(epoch >= 1 && epoch <= GK_KEY_EPOCHS_MAX);
    if (epoch > 1) {
        (void)snprintf(number, sizeof number, ".%u", epoch);
    }
    (void)snprintf(ret_path, GK_KEY_PATH_SIZE, "%.*s/%s%s.key", GK_KEY_PATH_SIZE - 40, directory, names[file],
                   number);
}

static bool has_file(const char *directory, enum epoch_file file, unsigned epoch)
{
    char path[GK_KEY_PATH_SIZE];
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

static void derive_seals(struct gk_keys *keys, unsigned epoch, const uint8_t file[GK_KEY_FILE_SIZE])
{
    gk_key_derive(keys->seal[epoch][GK_SEAL_CONTACTS], "gk_contc", file);
    gk_key_derive(keys->seal[epoch][GK_SEAL_MASK], "gk_mask_", file);
    gk_key_derive(keys->seal[epoch][GK_SEAL_PICTURE], "gk_pictr", file);
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
    char path[GK_KEY_PATH_SIZE];
    const size_t count = kept_subkeys(keys, epoch, subkeys);

    epoch_path(directory, EPOCH_KEPT, epoch, path);
    const enum gk_status status = gk_key_file_read(path, file, count * GK_SUBKEY_SIZE, error);

    for (size_t i = 0; status == GK_OK && i < count; i++) {
        memcpy(subkeys[i], file + i * GK_SUBKEY_SIZE, GK_SUBKEY_SIZE);
    }
    sodium_memzero(file, sizeof file);
    return status;
}

static void derive_index(struct gk_keys *keys, unsigned epoch, const uint8_t file[GK_KEY_FILE_SIZE])
{
    gk_key_derive(keys->card[epoch], "gk_card_", file);
    gk_key_derive(keys->block[epoch], "gk_block", file);
    if (epoch > 1) {
        gk_key_derive(keys->wrap[epoch], "gk_wrap_", file);
        return;
    }
    gk_key_derive(keys->holder, "gk_holdr", file);
    gk_key_derive(keys->contact, "gk_reach", file);
    gk_key_derive(keys->message, "gk_msgid", file);
    gk_key_derive(keys->digest, "gk_digst", file);
}

/* An index key that is there counts, so that a retirement which was cut short can be repeated. Its absence is
 * an error where nothing is kept of it. */
static enum gk_status read_epoch(const char *directory, struct gk_keys *keys, unsigned epoch,
                                 struct gk_error *error)
{
    uint8_t file[GK_KEY_FILE_SIZE];
    char path[GK_KEY_PATH_SIZE];
    enum gk_status status;

    if (!has_file(directory, EPOCH_INDEX, epoch) && has_file(directory, EPOCH_KEPT, epoch)) {
        status = read_kept(directory, keys, epoch, error);
        keys->lowest = epoch + 1;
    } else {
        epoch_path(directory, EPOCH_INDEX, epoch, path);
        status = gk_key_file_read(path, file, sizeof file, error);
        if (status == GK_OK) {
            derive_index(keys, epoch, file);
        }
    }
    if (status == GK_OK) {
        epoch_path(directory, EPOCH_SEAL, epoch, path);
        status = gk_key_file_read(path, file, sizeof file, error);
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
enum gk_status gk_key_epochs_read(const char *directory, struct gk_keys *keys, struct gk_error *error)
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
    enum gk_status status =
        sodium_init() >= 0 ? GK_OK : gk_error_set(error, GK_INTERNAL, "libsodium cannot start");
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
        uint8_t key[GK_KEY_FILE_SIZE];
        char path[GK_KEY_PATH_SIZE];

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
    char path[GK_KEY_PATH_SIZE];
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

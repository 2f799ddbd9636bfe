#include "clients/c/spool_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pb_encode.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC "GKSPOOL1"
#define MAGIC_SIZE 8U
#define HEADER_SIZE 16U
#define DIGEST_SIZE 32U
#define MAX_SEALED_BYTES (40U * 1024U * 1024U) /* above the largest Replay that the service takes */
#define NAME_SIZE 64

const char *gk_spool_file_id(const guika_v1_SpoolEntry *entry)
{
    switch (entry->which_entry) {
    case guika_v1_SpoolEntry_deposit_tag:
        return entry->entry.deposit.deposit_id;
    case guika_v1_SpoolEntry_confirm_tag:
        return entry->entry.confirm.deposit_id;
    case guika_v1_SpoolEntry_pickup_tag:
        return entry->entry.pickup.entry_id;
    default:
        return "";
    }
}

enum gk_spool_kind gk_spool_file_kind(const guika_v1_SpoolEntry *entry)
{
    return entry->which_entry == guika_v1_SpoolEntry_deposit_tag   ? GK_SPOOL_DEPOSIT
           : entry->which_entry == guika_v1_SpoolEntry_confirm_tag ? GK_SPOOL_CONFIRM
                                                                   : GK_SPOOL_PICKUP;
}

static void put_size(uint8_t *at, size_t size)
{
    at[0] = (uint8_t)(size >> 24);
    at[1] = (uint8_t)(size >> 16);
    at[2] = (uint8_t)(size >> 8);
    at[3] = (uint8_t)size;
}

static size_t get_size(const uint8_t *at)
{
    return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | (size_t)at[3];
}

/* The entry's bytes; they hold pictures, so the caller wipes them. */
static enum gk_status encode(const guika_v1_SpoolEntry *entry, uint8_t **ret_plain, size_t *ret_size,
                             struct gk_error *error)
{
    size_t size = 0;

    if (!pb_get_encoded_size(&size, guika_v1_SpoolEntry_fields, entry) || size > MAX_SEALED_BYTES - 48U) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "an entry of %zu bytes does not fit the spool", size);
    }
    uint8_t *plain = malloc(size + 1);

    if (plain == NULL) {
        return gk_error_set(error, GK_INTERNAL, "no memory for a spool entry of %zu bytes", size);
    }
    pb_ostream_t stream = pb_ostream_from_buffer(plain, size);

    if (!pb_encode(&stream, guika_v1_SpoolEntry_fields, entry)) {
        sodium_memzero(plain, size);
        free(plain);
        return gk_error_set(error, GK_INTERNAL, "spool entry: %s", PB_GET_ERROR(&stream));
    }
    *ret_plain = plain;
    *ret_size = size;
    return GK_OK;
}

enum gk_status gk_spool_file_seal(const guika_v1_SpoolEntry *entry, const uint8_t key[GK_SPOOL_KEY_SIZE],
                                  uint8_t **ret_file, size_t *ret_size, struct gk_error *error)
{
    const char *deposit_id = gk_spool_file_id(entry);
    const size_t id_length = strlen(deposit_id);

    if (id_length == 0) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "a spool entry needs a deposit id");
    }
    uint8_t *plain = NULL;
    size_t plain_size = 0;
    enum gk_status status = encode(entry, &plain, &plain_size, error);

    if (status != GK_OK) {
        return status;
    }
    const size_t sealed_size = plain_size + crypto_box_SEALBYTES;
    const size_t body_size = HEADER_SIZE + id_length + sealed_size;
    uint8_t *file = calloc(1, body_size + DIGEST_SIZE);

    if (file == NULL) {
        status = gk_error_set(error, GK_INTERNAL, "no memory for a spool entry of %zu bytes", plain_size);
        goto wipe;
    }
    memcpy(file, MAGIC, MAGIC_SIZE);
    file[8] = (uint8_t)gk_spool_file_kind(entry);
    file[9] = (uint8_t)id_length;
    put_size(file + 12, sealed_size);
    memcpy(file + HEADER_SIZE, deposit_id, id_length);
    if (crypto_box_seal(file + HEADER_SIZE + id_length, plain, plain_size, key) != 0) {
        free(file);
        status = gk_error_set(error, GK_INTERNAL, "the service's spool key is not a usable key");
        goto wipe;
    }
    (void)crypto_generichash(file + body_size, DIGEST_SIZE, file, body_size, NULL, 0);
    *ret_file = file;
    *ret_size = body_size + DIGEST_SIZE;
wipe:
    sodium_memzero(plain, plain_size);
    free(plain);
    return status;
}

static bool read_all(int fd, uint8_t *data, size_t size)
{
    while (size > 0) {
        const ssize_t got = read(fd, data, size);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        data += got;
        size -= (size_t)got;
    }
    return true;
}

static bool write_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        const ssize_t put = write(fd, data, size);

        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return false;
        }
        data += put;
        size -= (size_t)put;
    }
    return true;
}

/* Checks the header and takes kind and deposit id from it. */
static bool parse_header(const uint8_t *head, size_t size, enum gk_spool_kind *ret_kind,
                         char ret_deposit_id[GK_SPOOL_DEPOSIT_ID_SIZE])
{
    if (size < HEADER_SIZE || memcmp(head, MAGIC, MAGIC_SIZE) != 0) {
        return false;
    }
    const size_t id_length = head[9];

    if (head[8] < GK_SPOOL_DEPOSIT || head[8] > GK_SPOOL_PICKUP || id_length == 0 ||
        id_length >= GK_SPOOL_DEPOSIT_ID_SIZE || size < HEADER_SIZE + id_length) {
        return false;
    }
    *ret_kind = (enum gk_spool_kind)head[8];
    memcpy(ret_deposit_id, head + HEADER_SIZE, id_length);
    ret_deposit_id[id_length] = '\0';
    return true;
}

static bool parse_file(const uint8_t *file, size_t size, struct gk_spool_item *item)
{
    if (!parse_header(file, size, &item->kind, item->deposit_id)) {
        return false;
    }
    const size_t id_length = strlen(item->deposit_id);
    const size_t sealed_size = get_size(file + 12);
    const size_t body_size = HEADER_SIZE + id_length + sealed_size;
    uint8_t digest[DIGEST_SIZE];

    if (sealed_size < crypto_box_SEALBYTES || size != body_size + DIGEST_SIZE) {
        return false;
    }
    (void)crypto_generichash(digest, sizeof digest, file, body_size, NULL, 0);
    if (memcmp(digest, file + body_size, sizeof digest) != 0) {
        return false;
    }
    item->sealed = file + HEADER_SIZE + id_length;
    item->sealed_size = sealed_size;
    return true;
}

enum gk_status gk_spool_file_read(int directory_fd, const char *name, struct gk_spool_item *ret_item,
                                  struct gk_error *error)
{
    struct gk_spool_item item = {0};
    struct stat info;
    enum gk_status status = GK_OK;
    const int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0 || fstat(fd, &info) != 0) {
        status = gk_error_set(error, GK_INTERNAL, "cannot read spool entry %s: %s", name, strerror(errno));
        goto close;
    }
    const size_t size = (size_t)info.st_size;

    if (!S_ISREG(info.st_mode) ||
        size > HEADER_SIZE + GK_SPOOL_DEPOSIT_ID_SIZE + MAX_SEALED_BYTES + DIGEST_SIZE) {
        status = gk_error_set(error, GK_DATA_LOSS, "spool entry %s is corrupt", name);
        goto close;
    }
    item.file = malloc(size + 1);
    if (item.file == NULL || !read_all(fd, item.file, size)) {
        status = gk_error_set(error, GK_INTERNAL, "cannot read spool entry %s of %zu bytes", name, size);
    } else if (!parse_file(item.file, size, &item)) {
        status = gk_error_set(error, GK_DATA_LOSS, "spool entry %s is corrupt", name);
    }
    if (status == GK_OK) {
        *ret_item = item;
    } else {
        free(item.file);
    }
close:
    if (fd >= 0) {
        (void)close(fd);
    }
    return status;
}

enum gk_status gk_spool_file_deposit_id(int directory_fd, const char *name,
                                        char ret_deposit_id[GK_SPOOL_DEPOSIT_ID_SIZE], struct gk_error *error)
{
    uint8_t head[HEADER_SIZE + GK_SPOOL_DEPOSIT_ID_SIZE];
    enum gk_spool_kind kind;
    const int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0) {
        return gk_error_set(error, GK_INTERNAL, "cannot read spool entry %s: %s", name, strerror(errno));
    }
    const ssize_t got = read(fd, head, sizeof head);

    (void)close(fd);
    if (got < 0 || !parse_header(head, (size_t)got, &kind, ret_deposit_id)) {
        return gk_error_set(error, GK_DATA_LOSS, "spool entry %s is corrupt", name);
    }
    return GK_OK;
}

enum gk_status gk_spool_file_write(int directory_fd, const char *name, const uint8_t *data, size_t size,
                                   struct gk_error *error)
{
    char temporary[NAME_SIZE];
    int failed = 0;

    (void)snprintf(temporary, sizeof temporary, "%s.tmp", name);
    const int fd = openat(directory_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0) {
        failed = errno;
    } else {
        if (!write_all(fd, data, size) || fsync(fd) != 0) {
            failed = errno;
        }
        if (close(fd) != 0 && failed == 0) {
            failed = errno;
        }
    }
    if (failed == 0 && renameat(directory_fd, temporary, directory_fd, name) != 0) {
        failed = errno;
    }
    if (failed == 0 && fsync(directory_fd) != 0) {
        failed = errno;
        (void)unlinkat(directory_fd, name, 0);
    }
    if (failed != 0) {
        (void)unlinkat(directory_fd, temporary, 0);
        return gk_error_set(error, failed == ENOSPC || failed == EDQUOT ? GK_RESOURCE_EXHAUSTED : GK_INTERNAL,
                            "cannot write %s in the spool: %s", name, strerror(failed));
    }
    return GK_OK;
}

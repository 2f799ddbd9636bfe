#include "clients/c/grants.h"

#include "clients/c/spool_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pb_decode.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GRANTOR_NAME "grantor"
#define GRANTS_NAME "grants"
#define MAGIC "GKGRANT1"

enum {
    MAGIC_SIZE = sizeof MAGIC - 1,
    HEADER_SIZE = MAGIC_SIZE + 8 + 4,
    SIGNATURE_SIZE = sizeof((guika_v1_SignedGrant *)NULL)->signature,
    GRANT_SIZE = sizeof((guika_v1_SignedGrant *)NULL)->grant.bytes,
    ITEM_SIZE = 2 + GRANT_SIZE + SIGNATURE_SIZE, /* the largest */
    DIGEST_SIZE = 32,
    CASE_NUMBER_SIZE = 4, /* bytes of a case id that make its number */
    CASE_ID_SIZE = 16,
};

/* --- the file --- */

static void put_number(uint8_t *at, size_t bytes, uint64_t number)
{
    for (size_t i = 0; i < bytes; i++) {
        at[i] = (uint8_t)(number >> (8 * (bytes - 1 - i)));
    }
}

static uint64_t get_number(const uint8_t *at, size_t bytes)
{
    uint64_t number = 0;

    for (size_t i = 0; i < bytes; i++) {
        number = number << 8 | at[i];
    }
    return number;
}

/* Reads one grant at `*at`, which moves behind it; false where it does not fit before `end`. */
static bool read_item(const uint8_t **at, const uint8_t *end, guika_v1_SignedGrant *ret_item)
{
    if (end - *at < 2) {
        return false;
    }
    const size_t size = (size_t)get_number(*at, 2);

    if (size > GRANT_SIZE || (size_t)(end - *at) < 2 + size + SIGNATURE_SIZE) {
        return false;
    }
    ret_item->grant.size = (pb_size_t)size;
    memcpy(ret_item->grant.bytes, *at + 2, size);
    memcpy(ret_item->signature, *at + 2 + size, SIGNATURE_SIZE);
    *at += 2 + size + SIGNATURE_SIZE;
    return true;
}

static bool is_whole(const uint8_t *file, size_t size)
{
    uint8_t digest[DIGEST_SIZE];

    if (size < HEADER_SIZE + DIGEST_SIZE || memcmp(file, MAGIC, MAGIC_SIZE) != 0) {
        return false;
    }
    (void)crypto_generichash(digest, sizeof digest, file, size - DIGEST_SIZE, NULL, 0);
    return memcmp(digest, file + size - DIGEST_SIZE, sizeof digest) == 0;
}

enum gk_status gk_grants_file_read(const uint8_t *file, size_t size, uint64_t *ret_version,
                                   guika_v1_SignedGrant **ret_items, size_t *ret_count,
                                   struct gk_error *error)
{
    if (!is_whole(file, size)) {
        return gk_error_set(error, GK_DATA_LOSS, "the file of grants is damaged");
    }
    const uint8_t *at = file + HEADER_SIZE;
    const uint8_t *end = file + size - DIGEST_SIZE;
    const size_t count = (size_t)get_number(file + MAGIC_SIZE + 8, 4);
    guika_v1_SignedGrant *items = count > GK_GRANTS_MOST ? NULL : calloc(count + 1, sizeof *items);
    bool good = items != NULL;

    for (size_t i = 0; good && i < count; i++) {
        good = read_item(&at, end, &items[i]);
    }
    if (!good || at != end) {
        free(items);
        return gk_error_set(error, GK_DATA_LOSS, "the file of grants is damaged");
    }
    *ret_version = get_number(file + MAGIC_SIZE, 8);
    *ret_items = items;
    *ret_count = count;
    return GK_OK;
}

/* A whole file of the folder, at most `most` bytes; NULL where there is none. The caller's to free. */
static uint8_t *read_file(int directory_fd, const char *name, size_t most, size_t *ret_size)
{
    struct stat info;
    uint8_t *data = NULL;
    const int fd = openat(directory_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && (uint64_t)info.st_size <= most) {
        *ret_size = (size_t)info.st_size;
        data = malloc(*ret_size + 1);
        if (data != NULL && read(fd, data, *ret_size) != info.st_size) {
            free(data);
            data = NULL;
        }
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return data;
}

static enum gk_status write_grants(const struct gk_grants_held *held, uint64_t version,
                                   const guika_v1_SignedGrant *items, size_t count, struct gk_error *error)
{
    uint8_t *file = malloc(HEADER_SIZE + count * ITEM_SIZE + DIGEST_SIZE);

    if (file == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for %zu grants", count);
    }
    size_t size = HEADER_SIZE;

    memcpy(file, MAGIC, MAGIC_SIZE);
    put_number(file + MAGIC_SIZE, 8, version);
    put_number(file + MAGIC_SIZE + 8, 4, count);
    for (size_t i = 0; i < count; i++) {
        put_number(file + size, 2, items[i].grant.size);
        memcpy(file + size + 2, items[i].grant.bytes, items[i].grant.size);
        memcpy(file + size + 2 + items[i].grant.size, items[i].signature, SIGNATURE_SIZE);
        size += 2U + items[i].grant.size + SIGNATURE_SIZE;
    }
    (void)crypto_generichash(file + size, DIGEST_SIZE, file, size, NULL, 0);
    const enum gk_status status =
        gk_spool_file_write(held->directory_fd, GRANTS_NAME, file, size + DIGEST_SIZE, error);

    free(file);
    return status;
}

/* --- what is held --- */

void gk_grants_held_open(int directory_fd, struct gk_grants_held *ret_held)
{
    struct gk_grants_held held = {.directory_fd = directory_fd};
    const size_t most = HEADER_SIZE + (size_t)GK_GRANTS_MOST * ITEM_SIZE + DIGEST_SIZE;
    size_t size = 0;
    uint8_t *grantor = read_file(directory_fd, GRANTOR_NAME, GK_GRANT_KEY_SIZE + GK_BOX_ID_SIZE - 1, &size);

    if (grantor != NULL && size > GK_GRANT_KEY_SIZE) {
        held.known = true;
        memcpy(held.key, grantor, GK_GRANT_KEY_SIZE);
        memcpy(held.box_id, grantor + GK_GRANT_KEY_SIZE, size - GK_GRANT_KEY_SIZE);
    }
    free(grantor);
    uint8_t *file = held.known ? read_file(directory_fd, GRANTS_NAME, most, &size) : NULL;

    if (file != NULL) {
        (void)gk_grants_file_read(file, size, &held.version, &held.items, &held.count, NULL);
    }
    free(file);
    *ret_held = held;
}

void gk_grants_held_close(struct gk_grants_held *held)
{
    free(held->items);
    *held = (struct gk_grants_held){.directory_fd = -1};
}

static void take(struct gk_grants_held *held, uint64_t version, guika_v1_SignedGrant *items, size_t count)
{
    free(held->items);
    held->version = version;
    held->items = items;
    held->count = count;
}

enum gk_status gk_grants_held_learn(struct gk_grants_held *held, const uint8_t key[GK_GRANT_KEY_SIZE],
                                    const char *box_id, struct gk_error *error)
{
    uint8_t file[GK_GRANT_KEY_SIZE + GK_BOX_ID_SIZE];
    const size_t length = strlen(box_id);

    if (held->known && memcmp(held->key, key, sizeof held->key) == 0 && strcmp(held->box_id, box_id) == 0) {
        return GK_OK;
    }
    if (sodium_is_zero(key, GK_GRANT_KEY_SIZE) || length == 0 || length >= GK_BOX_ID_SIZE) {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "the service gave no grant key, or no name of this box");
    }
    if (unlinkat(held->directory_fd, GRANTS_NAME, 0) != 0 && errno != ENOENT) {
        return gk_error_set(error, GK_INTERNAL, "cannot erase the grants of another key: %s",
                            strerror(errno));
    }
    take(held, 0, NULL, 0);
    memcpy(file, key, GK_GRANT_KEY_SIZE);
    memcpy(file + GK_GRANT_KEY_SIZE, box_id, length + 1);
    const enum gk_status status =
        gk_spool_file_write(held->directory_fd, GRANTOR_NAME, file, GK_GRANT_KEY_SIZE + length, error);

    if (status == GK_OK) {
        held->known = true;
        memcpy(held->key, key, sizeof held->key);
        memcpy(held->box_id, box_id, length + 1);
    }
    return status;
}

enum gk_status gk_grants_held_replace(struct gk_grants_held *held, uint64_t version,
                                      const guika_v1_SignedGrant *items, size_t count, struct gk_error *error)
{
    guika_v1_PickupGrant grant;
    enum gk_status status = GK_OK;

    if (!held->known || version == 0 || count > GK_GRANTS_MOST) {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "a box has at most %d grants, not %zu, of a known key", GK_GRANTS_MOST, count);
    }
    for (size_t i = 0; status == GK_OK && i < count; i++) {
        status = gk_grant_open(&items[i], held->key, held->box_id, &grant, error);
    }
    if (status != GK_OK) {
        return status;
    }
    guika_v1_SignedGrant *kept = calloc(count + 1, sizeof *kept);

    if (kept == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for %zu grants", count);
    }
    status = write_grants(held, version, items, count, error);
    if (status != GK_OK) {
        free(kept);
        return status;
    }
    if (count > 0) {
        memcpy(kept, items, count * sizeof *kept);
    }
    take(held, version, kept, count);
    return GK_OK;
}

/* Reads a case number as it was typed; its bytes, 0 where it is none. */
static size_t read_case_number(const char *text, uint8_t ret_id[CASE_ID_SIZE])
{
    size_t size = 0;

    return sodium_hex2bin(ret_id, CASE_ID_SIZE, text, strlen(text), " -", &size, NULL) == 0 &&
                   (size == CASE_NUMBER_SIZE || size == CASE_ID_SIZE)
               ? size
               : 0;
}

/* Is it a grant of the case? Who signed it is not looked at. */
static bool is_of(const guika_v1_SignedGrant *item, const uint8_t *case_id, size_t size)
{
    guika_v1_PickupGrant grant = {0};
    pb_istream_t stream = pb_istream_from_buffer(item->grant.bytes, item->grant.size);

    return pb_decode(&stream, guika_v1_PickupGrant_fields, &grant) &&
           memcmp(grant.case_id, case_id, size) == 0;
}

enum gk_status gk_grants_held_find(const struct gk_grants_held *held, const char *case_number,
                                   guika_v1_PickupGrant *ret_grant, struct gk_error *error)
{
    uint8_t wanted[CASE_ID_SIZE];
    const guika_v1_SignedGrant *found = NULL;
    const size_t size = read_case_number(case_number, wanted);
    size_t matches = 0;

    for (size_t i = 0; size > 0 && i < held->count; i++) {
        if (is_of(&held->items[i], wanted, size)) {
            found = &held->items[i];
            matches++;
        }
    }
    return matches == 1 ? gk_grant_open(found, held->key, held->box_id, ret_grant, error)
                        : gk_error_set(error, GK_NOT_FOUND, "this box holds no grant of that case");
}

#include "core/store/picture_vault.h"

#include "core/security/file.h"
#include "core/security/hex.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CASE_ID_SIZE 16
#define CASE_ID_DIGITS ((size_t)2 * CASE_ID_SIZE)
#define PICTURES_LIMIT 16 /* a case; the index of the last is 15 */
#define PATH_SIZE 4096    /* bytes with the terminator, PATH_MAX */
#define FILE_NAME_LIMIT 96
#define TEMPORARY_PREFIX ".new-" /* what a crash leaves half-written begins so */

struct gk_picture_vault {
    const struct gk_keys *keys;
    char directory[PATH_SIZE - FILE_NAME_LIMIT];
};

/* What a picture is bound to: its case and its index. */
struct binding {
    uint8_t bytes[CASE_ID_SIZE + 1];
};

static struct binding bind_to(const uint8_t case_id[16], unsigned index)
{
    struct binding binding;

    memcpy(binding.bytes, case_id, CASE_ID_SIZE);
    binding.bytes[CASE_ID_SIZE] = (uint8_t)index;
    return binding;
}

static struct gk_bytes binding_bytes(const struct binding *binding)
{
    return (struct gk_bytes){.data = binding->bytes, .size = sizeof binding->bytes};
}

static void picture_path(const struct gk_picture_vault *vault, const uint8_t case_id[16], unsigned index,
                         char ret_path[PATH_SIZE])
{
    char id[CASE_ID_DIGITS + 1];

    assert(index < PICTURES_LIMIT);
    gk_hex_encode(case_id, CASE_ID_SIZE, id);
    (void)snprintf(ret_path, PATH_SIZE, "%s/%s.%u", vault->directory, id, index);
}

/* --- opening --- */

/* Removes what a crash left half-written. */
static enum gk_status sweep(const struct gk_picture_vault *vault, struct gk_error *error)
{
    DIR *directory = opendir(vault->directory);

    if (directory == NULL) {
        return gk_error_set(error, GK_UNAVAILABLE, "cannot read directory %s: %s", vault->directory,
                            strerror(errno));
    }
    for (const struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        if (strncmp(entry->d_name, TEMPORARY_PREFIX, strlen(TEMPORARY_PREFIX)) == 0) {
            (void)unlinkat(dirfd(directory), entry->d_name, 0);
        }
    }
    (void)closedir(directory);
    return GK_OK;
}

enum gk_status gk_picture_vault_open(const char *directory, const struct gk_keys *keys,
                                     struct gk_picture_vault **ret_vault, struct gk_error *error)
{
    struct gk_picture_vault *vault = calloc(1, sizeof *vault);

    if (vault == NULL) {
        abort();
    }
    vault->keys = keys;
    const int length = snprintf(vault->directory, sizeof vault->directory, "%s", directory);
    enum gk_status status = length >= 0 && (size_t)length < sizeof vault->directory
                                ? gk_file_make_directory(directory, error)
                                : gk_error_set(error, GK_INVALID_ARGUMENT,
                                               "the picture directory's name is longer than %zu bytes",
                                               sizeof vault->directory - 1);

    if (status == GK_OK) {
        status = sweep(vault, error);
    }
    if (status != GK_OK) {
        gk_picture_vault_close(vault);
        return status;
    }
    *ret_vault = vault;
    return GK_OK;
}

void gk_picture_vault_close(struct gk_picture_vault *vault)
{
    free(vault);
}

/* --- pictures --- */

/* Writes under a temporary name, then gives the file its own. */
static enum gk_status put_file(const struct gk_picture_vault *vault, const char *path, struct gk_bytes sealed,
                               struct gk_error *error)
{
    uint8_t unique[8];
    char suffix[2 * sizeof unique + 1];
    char temporary[PATH_SIZE];

    randombytes_buf(unique, sizeof unique);
    gk_hex_encode(unique, sizeof unique, suffix);
    (void)snprintf(temporary, sizeof temporary, "%s/" TEMPORARY_PREFIX "%s", vault->directory, suffix);

    const enum gk_status status = gk_file_create(temporary, 0600, sealed, error);

    if (status != GK_OK) {
        return status;
    }
    if (rename(temporary, path) != 0) {
        const int cause = errno;

        (void)unlink(temporary);
        return gk_error_set(error, GK_UNAVAILABLE, "cannot name %s: %s", path, strerror(cause));
    }
    return gk_file_sync_directory(vault->directory, error);
}

enum gk_status gk_picture_vault_put(struct gk_picture_vault *vault, const uint8_t case_id[16], unsigned index,
                                    struct gk_bytes picture, struct gk_error *error)
{
    const struct binding binding = bind_to(case_id, index);
    const size_t size = picture.size + GK_SEAL_OVERHEAD;
    uint8_t *sealed = malloc(size);
    char path[PATH_SIZE];

    if (sealed == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory to seal a picture of %zu bytes",
                            picture.size);
    }
    picture_path(vault, case_id, index, path);
    gk_keys_seal(vault->keys, GK_SEAL_PICTURE, binding_bytes(&binding), picture, sealed);
    const enum gk_status status =
        put_file(vault, path, (struct gk_bytes){.data = sealed, .size = size}, error);

    free(sealed);
    return status;
}

static enum gk_status read_file(int fd, const char *path, struct gk_value *ret_value, struct gk_error *error)
{
    struct stat found;

    if (fstat(fd, &found) != 0 || !S_ISREG(found.st_mode) || found.st_size < GK_SEAL_OVERHEAD) {
        return gk_error_set(error, GK_DATA_LOSS, "%s is not a sealed picture", path);
    }
    struct gk_value value = {.data = malloc((size_t)found.st_size), .size = (size_t)found.st_size};
    size_t got = 0;

    if (value.data == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory to read %s of %zu bytes", path,
                            value.size);
    }
    while (got < value.size) {
        const ssize_t n = read(fd, value.data + got, value.size - got);

        if (n == 0 || (n < 0 && errno != EINTR)) {
            gk_value_free(&value);
            return gk_error_set(error, GK_UNAVAILABLE, "cannot read %s: %s", path,
                                n == 0 ? "it was cut short" : strerror(errno));
        }
        got += n > 0 ? (size_t)n : 0;
    }
    *ret_value = value;
    return GK_OK;
}

enum gk_status gk_picture_vault_get(struct gk_picture_vault *vault, const uint8_t case_id[16], unsigned index,
                                    struct gk_value *ret_picture, struct gk_error *error)
{
    const struct binding binding = bind_to(case_id, index);
    struct gk_value sealed = {0};
    char path[PATH_SIZE];

    picture_path(vault, case_id, index, path);
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd < 0 && errno == ENOENT) {
        return gk_error_set(error, GK_NOT_FOUND, "the case has no picture %u", index);
    }
    if (fd < 0) {
        return gk_error_set(error, GK_UNAVAILABLE, "cannot open %s: %s", path, strerror(errno));
    }
    enum gk_status status = read_file(fd, path, &sealed, error);

    (void)close(fd);
    if (status != GK_OK) {
        return status;
    }
    struct gk_value picture = {.data = malloc(sealed.size + 1), .size = sealed.size - GK_SEAL_OVERHEAD};

    if (picture.data == NULL) {
        abort();
    }
    status =
        gk_keys_open_sealed(vault->keys, GK_SEAL_PICTURE, binding_bytes(&binding),
                            (struct gk_bytes){.data = sealed.data, .size = sealed.size}, picture.data, error);
    gk_value_free(&sealed);
    if (status != GK_OK) {
        gk_value_free(&picture);
        return status;
    }
    *ret_picture = picture;
    return GK_OK;
}

enum gk_status gk_picture_vault_erase(struct gk_picture_vault *vault, const uint8_t case_id[16],
                                      struct gk_error *error)
{
    for (unsigned index = 0; index < PICTURES_LIMIT; index++) {
        char path[PATH_SIZE];

        picture_path(vault, case_id, index, path);
        if (unlink(path) != 0 && errno != ENOENT) {
            return gk_error_set(error, GK_UNAVAILABLE, "cannot erase %s: %s", path, strerror(errno));
        }
    }
    return gk_file_sync_directory(vault->directory, error);
}

/* --- cases --- */

struct cases {
    uint8_t (*ids)[CASE_ID_SIZE];
    size_t count;
    size_t capacity;
};

static void collect(struct cases *cases, const char *name)
{
    char digits[CASE_ID_DIGITS + 1] = {0};
    uint8_t id[CASE_ID_SIZE];

    memcpy(digits, name, strnlen(name, CASE_ID_DIGITS));
    if (!gk_hex_decode(digits, id, sizeof id) || name[CASE_ID_DIGITS] != '.') {
        return;
    }
    if (cases->count == cases->capacity) {
        cases->capacity = 2 * cases->capacity + 64;
        cases->ids = reallocarray(cases->ids, cases->capacity, sizeof *cases->ids);
        if (cases->ids == NULL) {
            abort();
        }
    }
    memcpy(cases->ids[cases->count++], id, sizeof id);
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, CASE_ID_SIZE);
}

enum gk_status gk_picture_vault_each(struct gk_picture_vault *vault,
                                     bool (*visit)(void *context, const uint8_t case_id[16]), void *context,
                                     struct gk_error *error)
{
    DIR *directory = opendir(vault->directory);
    struct cases cases = {0};

    if (directory == NULL) {
        return gk_error_set(error, GK_UNAVAILABLE, "cannot read directory %s: %s", vault->directory,
                            strerror(errno));
    }
    for (const struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        collect(&cases, entry->d_name);
    }
    (void)closedir(directory);
    /* Collected first, so that `visit` may erase; sorted, so that a case with several pictures is seen once.
     */
    if (cases.count > 0) {
        qsort(cases.ids, cases.count, sizeof *cases.ids, compare_ids);
    }
    for (size_t i = 0; i < cases.count; i++) {
        const bool again = i > 0 && compare_ids(cases.ids[i - 1], cases.ids[i]) == 0;

        if (!again && !visit(context, cases.ids[i])) {
            break;
        }
    }
    free(cases.ids);
    return GK_OK;
}

#include "core/plugins/intake.h"

#include "core/memory.h"
#include "core/security/file.h"
#include "core/security/hex.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LARGEST_PLUGIN_BYTES ((off_t)64 << 20)

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *where)
{
    (void)about;
    (void)type;
    (void)where;
    return remove(path);
}

enum gk_status gk_intake_begin(const char *copies, struct gk_error *error)
{
    const enum gk_status status = gk_file_make_directory(copies, error);
    DIR *entries = status == GK_OK ? opendir(copies) : NULL;
    const struct dirent *entry;

    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        char path[PATH_MAX];

        if (strncmp(entry->d_name, "shelf-", 6) == 0) {
            (void)snprintf(path, sizeof path, "%s/%s", copies, entry->d_name);
            (void)nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        }
    }
    if (entries != NULL) {
        (void)closedir(entries);
    }
    return status;
}

/* A file in memory; free(data). */
struct content {
    uint8_t *data;
    size_t size;
};

/* The whole of a regular file of at most `most` bytes. */
static enum gk_status read_whole(const char *path, off_t most, struct content *ret, struct gk_error *error)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat about;
    size_t size = 0;

    if (fd < 0) {
        return gk_error_set(error, GK_NOT_FOUND, "%s", strerror(errno));
    }
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) || about.st_size > most) {
        (void)close(fd);
        return gk_error_set(error, GK_INVALID_ARGUMENT, "not a regular file of at most %lld bytes",
                            (long long)most);
    }
    uint8_t *data = gk_allocate((size_t)about.st_size + 1);
    ssize_t got;

    while (size < (size_t)about.st_size && (got = read(fd, data + size, (size_t)about.st_size - size)) > 0) {
        size += (size_t)got;
    }
    (void)close(fd);
    *ret = (struct content){data, size};
    return GK_OK;
}

static void hash_of(struct content bytes, uint8_t ret_hash[GK_PLUGIN_HASH_SIZE])
{
    (void)crypto_generichash(ret_hash, GK_PLUGIN_HASH_SIZE, bytes.data, bytes.size, NULL, 0);
}

static void copy_path(const char *copies, const uint8_t *hash, char path[PATH_MAX])
{
    char hex[2 * GK_PLUGIN_HASH_SIZE + 1];

    gk_hex_encode(hash, GK_PLUGIN_HASH_SIZE, hex);
    (void)snprintf(path, PATH_MAX, "%.*s/%s.so", PATH_MAX - 80, copies, hex);
}

enum gk_status gk_intake_check_copy(const char *copies, const uint8_t hash[GK_PLUGIN_HASH_SIZE],
                                    struct gk_error *error)
{
    char path[PATH_MAX];
    struct content bytes = {NULL, 0};
    uint8_t found[GK_PLUGIN_HASH_SIZE];

    copy_path(copies, hash, path);
    const enum gk_status status = read_whole(path, LARGEST_PLUGIN_BYTES, &bytes, error);

    if (status != GK_OK) {
        return status;
    }
    hash_of(bytes, found);
    free(bytes.data);
    return memcmp(found, hash, sizeof found) == 0
               ? GK_OK
               : gk_error_set(error, GK_DATA_LOSS,
                              "%s was changed; the plugin has to be put into the folder again", path);
}

/* Writes the copy beside and renames it into place. */
static enum gk_status keep_copy(const char *copies, const uint8_t *hash, struct content bytes,
                                struct gk_error *error)
{
    char path[PATH_MAX], beside[PATH_MAX];

    if (gk_intake_check_copy(copies, hash, NULL) == GK_OK) {
        return GK_OK;
    }
    copy_path(copies, hash, path);
    (void)snprintf(beside, sizeof beside, "%.*s/incoming", PATH_MAX - 16, copies);
    (void)unlink(beside);
    const enum gk_status status =
        gk_file_create(beside, 0600, (struct gk_bytes){bytes.data, bytes.size}, error);

    if (status == GK_OK && rename(beside, path) != 0) {
        return gk_error_set(error, GK_UNAVAILABLE, "%s: %s", path, strerror(errno));
    }
    return status;
}

static enum gk_status verify(const struct gk_intake_options *options, const char *path, struct content bytes,
                             struct gk_plugin_found *found, struct gk_error *error)
{
    char signature_path[PATH_MAX];
    struct content signature = {NULL, 0};

    if (options->key_count == 0) {
        return GK_OK;
    }
    (void)snprintf(signature_path, sizeof signature_path, "%.*s%s", PATH_MAX - 8, path,
                   GK_PLUGIN_SIGNATURE_SUFFIX);
    (void)read_whole(signature_path, 4096, &signature, NULL);
    const enum gk_status status =
        gk_plugin_verify(options->keys, options->key_count, (struct gk_bytes){bytes.data, bytes.size},
                         (struct gk_bytes){signature.data, signature.size}, found->signed_by, error);

    free(signature.data);
    return status;
}

/* What is read here once is what is hashed, verified and kept. */
static void take_in(const struct gk_intake_options *options, const char *path, struct gk_plugin_found *found)
{
    struct content bytes = {NULL, 0};
    struct gk_error error = {0};
    enum gk_status status = read_whole(path, LARGEST_PLUGIN_BYTES, &bytes, &error);

    if (status == GK_OK) {
        hash_of(bytes, found->hash);
        status = verify(options, path, bytes, found, &error);
        if (status == GK_OK) {
            status = keep_copy(options->copies, found->hash, bytes, &error);
        }
        free(bytes.data);
    }
    if (status != GK_OK) {
        (void)snprintf(found->refused, sizeof found->refused, "%.*s", GK_PLUGIN_REASON_SIZE - 1,
                       error.message);
    }
}

static bool stamp(const char *path, struct gk_plugin_stamp *ret_stamp)
{
    char signature_path[PATH_MAX];
    struct stat about, signature = {0};

    (void)snprintf(signature_path, sizeof signature_path, "%.*s%s", PATH_MAX - 8, path,
                   GK_PLUGIN_SIGNATURE_SUFFIX);
    if (stat(path, &about) != 0) {
        return false;
    }
    (void)stat(signature_path, &signature);
    *ret_stamp = (struct gk_plugin_stamp){.inode = about.st_ino,
                                          .signature_inode = signature.st_ino,
                                          .size = about.st_size,
                                          .changed = about.st_ctim,
                                          .signature_changed = signature.st_ctim};
    return true;
}

static bool same_time(const struct timespec *one, const struct timespec *other)
{
    return one->tv_sec == other->tv_sec && one->tv_nsec == other->tv_nsec;
}

static bool is_known(const struct gk_plugin_found *found, const struct gk_plugin_known *known, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct gk_plugin_stamp *before = &known[i].stamp, *now = &found->stamp;

        if (strcmp(known[i].file, found->file) == 0) {
            return before->inode == now->inode && before->signature_inode == now->signature_inode &&
                   before->size == now->size && same_time(&before->changed, &now->changed) &&
                   same_time(&before->signature_changed, &now->signature_changed);
        }
    }
    return false;
}

static int is_plugin(const struct dirent *entry)
{
    const size_t length = strlen(entry->d_name);

    return length > 3 && entry->d_name[0] != '.' && strcmp(entry->d_name + length - 3, ".so") == 0;
}

/* What is shown and logged of a name; false: it is not one that a plugin may have. */
static bool take_name(const char *name, char ret_file[GK_TRAIL_FILE_SIZE])
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

    (void)snprintf(ret_file, GK_TRAIL_FILE_SIZE, "%.*s", GK_TRAIL_FILE_SIZE - 3, name);
    for (char *at = ret_file; *(at += strspn(at, allowed)) != '\0';) {
        *at = '?';
        at++;
    }
    return strcmp(name, ret_file) == 0;
}

static void look_at(const struct gk_intake_options *options, const char *name,
                    const struct gk_plugin_known *known, size_t known_count, struct gk_plugin_found *found,
                    size_t *count)
{
    char path[PATH_MAX];

    *found = (struct gk_plugin_found){0};
    (void)snprintf(path, sizeof path, "%.*s/%s", PATH_MAX - NAME_MAX - 2, options->folder, name);
    const bool is_name = take_name(name, found->file);

    if (*count >= GK_TRAIL_PLUGINS || !stamp(path, &found->stamp)) {
        return;
    }
    found->unchanged = is_known(found, known, known_count);
    if (!found->unchanged && !is_name) {
        (void)snprintf(found->refused, sizeof found->refused,
                       "a plugin's file name has at most %d characters of [A-Za-z0-9._-]: its id and .so",
                       GK_TRAIL_FILE_SIZE - 3);
    } else if (!found->unchanged) {
        take_in(options, path, found);
    }
    (*count)++;
}

enum gk_status gk_intake_scan(const struct gk_intake_options *options, const struct gk_plugin_known *known,
                              size_t known_count, struct gk_plugin_found **ret_found, size_t *ret_count,
                              struct gk_error *error)
{
    struct dirent **entries = NULL;
    const int entry_count = scandir(options->folder, &entries, is_plugin, alphasort);

    if (entry_count < 0) {
        return gk_error_set(error, GK_NOT_FOUND, "the plugin folder %s: %s", options->folder,
                            strerror(errno));
    }
    struct gk_plugin_found *found = gk_allocate((GK_TRAIL_PLUGINS + 1) * sizeof *found);
    size_t count = 0;

    for (int i = 0; i < entry_count; i++) {
        look_at(options, entries[i]->d_name, known, known_count, &found[count], &count);
        free(entries[i]);
    }
    free(entries);
    *ret_found = found;
    *ret_count = count;
    return GK_OK;
}

void gk_intake_forget(const char *copies, const uint8_t (*hashes)[GK_PLUGIN_HASH_SIZE], size_t count)
{
    DIR *entries = opendir(copies);
    const struct dirent *entry;

    while (entries != NULL && (entry = readdir(entries)) != NULL) {
        char path[PATH_MAX], kept[PATH_MAX];
        bool wanted = !is_plugin(entry);

        (void)snprintf(path, sizeof path, "%.*s/%s", PATH_MAX - NAME_MAX - 2, copies, entry->d_name);
        for (size_t i = 0; i < count && !wanted; i++) {
            copy_path(copies, hashes[i], kept);
            wanted = strcmp(path, kept) == 0;
        }
        if (!wanted) {
            (void)unlink(path);
        }
    }
    if (entries != NULL) {
        (void)closedir(entries);
    }
}

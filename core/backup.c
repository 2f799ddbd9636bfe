#include "core/backup.h"

#include "core/retirement.h"
#include "core/security/file.h"
#include "core/security/hex.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_LINE "guika backup 1\n"
#define DESCRIPTION_SIZE 256 /* bytes of the file `backup` */
#define CHECK_SIZE 16

/* What the keys say of a backup's time: other keys say something else. */
static void key_check(const struct gk_keys *keys, int64_t made_at_ms, char ret_text[2 * CHECK_SIZE + 1])
{
    char subject[32];
    uint8_t check[CHECK_SIZE];
    const int size = snprintf(subject, sizeof subject, "%" PRId64, made_at_ms);

    gk_keys_message_id(keys, "backup", (struct gk_bytes){(const uint8_t *)subject, (size_t)size}, check);
    gk_hex_encode(check, sizeof check, ret_text);
}

static enum gk_status join(const char *folder, const char *name, char ret_path[PATH_MAX],
                           struct gk_error *error)
{
    const int length = snprintf(ret_path, PATH_MAX, "%s/%s", folder, name);

    return length > 0 && length < PATH_MAX
               ? GK_OK
               : gk_error_set(error, GK_INVALID_ARGUMENT, "the path of %.40s is too long", name);
}

/* --- copying --- */

/* Copies what is left of one file into another; the kernel does it where it can. */
static bool copy_bytes(int from, int to, uint64_t *ret_bytes)
{
    for (;;) {
        ssize_t copied = copy_file_range(from, NULL, to, NULL, (size_t)1 << 24, 0);

        if (copied < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS)) {
            uint8_t block[65536];

            copied = read(from, block, sizeof block);
            if (copied > 0 && write(to, block, (size_t)copied) != copied) {
                return false;
            }
        }
        if (copied < 0 && errno == EINTR) {
            continue;
        }
        if (copied <= 0) {
            return copied == 0;
        }
        *ret_bytes += (uint64_t)copied;
    }
}

static enum gk_status copy_file(const char *from_path, const char *to_path, uint64_t *ret_bytes,
                                struct gk_error *error)
{
    const int from = open(from_path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (from < 0) {
        return errno == ENOENT
                   ? GK_NOT_FOUND
                   : gk_error_set(error, GK_UNAVAILABLE, "cannot open %s: %s", from_path, strerror(errno));
    }
    const int to = open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const bool copied = to >= 0 && copy_bytes(from, to, ret_bytes) && fsync(to) == 0;
    const int cause = errno;

    (void)close(from);
    if (to >= 0) {
        (void)close(to);
    }
    if (!copied) {
        return gk_error_set(error, GK_UNAVAILABLE, "cannot copy %s to %s: %s", from_path, to_path,
                            strerror(cause));
    }
    return GK_OK;
}

/* Copies the plain files of one folder into another. What is gone when its turn comes is left out; with
 * `keep`, what is there already is too. */
static enum gk_status copy_files(const char *from, const char *to, bool keep,
                                 struct gk_backup_summary *summary, struct gk_error *error)
{
    DIR *folder = opendir(from);
    enum gk_status status = GK_OK;

    if (folder == NULL) {
        return gk_error_set(error, GK_UNAVAILABLE, "cannot read %s: %s", from, strerror(errno));
    }
    for (const struct dirent *entry; status == GK_OK && (entry = readdir(folder)) != NULL;) {
        char from_path[PATH_MAX];
        char to_path[PATH_MAX];
        struct stat found;

        status = join(from, entry->d_name, from_path, error);
        if (status == GK_OK) {
            status = join(to, entry->d_name, to_path, error);
        }
        if (status != GK_OK || lstat(from_path, &found) != 0 || !S_ISREG(found.st_mode) ||
            (keep && access(to_path, F_OK) == 0)) {
            continue;
        }
        status = copy_file(from_path, to_path, &summary->bytes, error);
        summary->files += status == GK_OK;
        status = status == GK_NOT_FOUND ? GK_OK : status;
    }
    (void)closedir(folder);
    return status == GK_OK ? gk_file_sync_directory(to, error) : status;
}

static enum gk_status add_sizes(const char *directory, struct gk_backup_summary *summary,
                                struct gk_error *error)
{
    DIR *folder = opendir(directory);

    if (folder == NULL) {
        return gk_error_set(error, GK_UNAVAILABLE, "cannot read %s: %s", directory, strerror(errno));
    }
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        struct stat found;

        if (fstatat(dirfd(folder), entry->d_name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(found.st_mode)) {
            summary->files++;
            summary->bytes += (uint64_t)found.st_size;
        }
    }
    (void)closedir(folder);
    return GK_OK;
}

/* --- writing --- */

static enum gk_status check_target(const char *directory, const char *data_directory, struct gk_error *error)
{
    const size_t data_length = strlen(data_directory);

    if (directory[0] != '/' || strlen(directory) > PATH_MAX - 64 || strstr(directory, "/../") != NULL) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "a backup's folder is an absolute path");
    }
    if (strncmp(directory, data_directory, data_length) == 0 &&
        (directory[data_length] == '/' || directory[data_length] == '\0')) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "a backup lies outside the data");
    }
    if (mkdir(directory, 0700) != 0) {
        return errno == EEXIST
                   ? gk_error_set(error, GK_ALREADY_EXISTS, "%s is there already: a backup is a new folder",
                                  directory)
                   : gk_error_set(error, GK_UNAVAILABLE, "cannot make %s: %s", directory, strerror(errno));
    }
    return GK_OK;
}

static enum gk_status apply_audit(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    (void)error;
    gk_transaction_audit(transaction, context, "store.backup", (struct gk_bytes){NULL, 0}, "");
    return GK_OK;
}

/* Pictures first and again after the checkpoint: what it names was there before or came while it was made. */
static enum gk_status write_data(struct gk_store *store, const char *data_directory, const char *directory,
                                 struct gk_backup_summary *summary, struct gk_error *error)
{
    char pictures[PATH_MAX];
    char early[PATH_MAX];
    char data[PATH_MAX];
    char kept[PATH_MAX];
    struct gk_backup_summary copied = {0};

    (void)snprintf(pictures, sizeof pictures, "%.*s/pictures", PATH_MAX - 16, data_directory);
    (void)snprintf(early, sizeof early, "%.*s/pictures", PATH_MAX - 64, directory);
    (void)snprintf(data, sizeof data, "%.*s/data", PATH_MAX - 64, directory);
    (void)snprintf(kept, sizeof kept, "%.*s/data/pictures", PATH_MAX - 64, directory);
    enum gk_status status = gk_file_make_directory(early, error);

    if (status == GK_OK) {
        status = copy_files(pictures, early, false, &copied, error);
    }
    if (status == GK_OK) {
        status = gk_store_checkpoint(store, data, error);
    }
    if (status == GK_OK) {
        status = add_sizes(data, summary, error);
    }
    if (status == GK_OK && rename(early, kept) != 0) {
        status = gk_error_set(error, GK_UNAVAILABLE, "cannot move %s: %s", early, strerror(errno));
    }
    if (status == GK_OK) {
        status = copy_files(pictures, kept, true, &copied, error);
    }
    summary->pictures = copied.files;
    summary->files += copied.files;
    summary->bytes += copied.bytes;
    return status == GK_OK ? gk_file_sync_directory(data, error) : status;
}

static enum gk_status describe(struct gk_store *store, const struct gk_keys *keys, const char *directory,
                               struct gk_error *error)
{
    const int64_t now_ms = gk_store_now_ms(store);
    char check[2 * CHECK_SIZE + 1];
    char text[DESCRIPTION_SIZE];
    char path[PATH_MAX];

    uint32_t floor = 1;
    enum gk_status status = gk_retirement_floor(store, &floor, error);

    if (status != GK_OK) {
        return status;
    }
    key_check(keys, now_ms, check);
    const int size = snprintf(text, sizeof text,
                              FIRST_LINE "made_at_ms %" PRId64 "\nkey_check %s\nkey_epoch %u\nkey_floor %u\n",
                              now_ms, check, (unsigned)gk_keys_epoch(keys), (unsigned)floor);

    status = join(directory, "backup", path, error);

    if (status == GK_OK) {
        status = gk_file_create(path, 0600, (struct gk_bytes){(const uint8_t *)text, (size_t)size}, error);
    }
    return status == GK_OK ? gk_file_sync_directory(directory, error) : status;
}

enum gk_status gk_backup_write(struct gk_store *store, const struct gk_keys *keys, const char *data_directory,
                               const char *directory, const char *actor,
                               struct gk_backup_summary *ret_summary, struct gk_error *error)
{
    struct gk_backup_summary summary = {0};
    char actor_copy[49];
    enum gk_status status = check_target(directory, data_directory, error);

    (void)snprintf(actor_copy, sizeof actor_copy, "%s", actor);
    if (status == GK_OK) {
        status = gk_store_commit_and_wait(store, apply_audit, actor_copy, error);
    }
    if (status == GK_OK) {
        status = write_data(store, data_directory, directory, &summary, error);
    }
    if (status == GK_OK) {
        status = describe(store, keys, directory, error);
    }
    if (status == GK_OK) {
        *ret_summary = summary;
    }
    return status;
}

/* --- restoring --- */

/* The number after `name` in the description; -1 where there is none. */
static long long number_after(const char *text, const char *name)
{
    const char *at = strstr(text, name);
    char *end = NULL;

    if (at == NULL) {
        return -1;
    }
    at += strlen(name);
    const long long number = strtoll(at, &end, 10);

    return end > at && *end == '\n' && number > 0 ? number : -1;
}

/* Reads the file `backup`; an empty text where there is none. */
static void read_description(const char *directory, char ret_text[DESCRIPTION_SIZE])
{
    char path[PATH_MAX];
    FILE *file = join(directory, "backup", path, NULL) == GK_OK ? fopen(path, "re") : NULL;

    ret_text[0] = '\0';
    if (file != NULL) {
        ret_text[fread(ret_text, 1, DESCRIPTION_SIZE - 1, file)] = '\0';
        (void)fclose(file);
    }
}

static enum gk_status check_backup(const struct gk_keys *keys, const char *directory, struct gk_error *error)
{
    char text[DESCRIPTION_SIZE];
    char check[2 * CHECK_SIZE + 1];
    char line[64];

    read_description(directory, text);
    const long long made_at_ms = number_after(text, "\nmade_at_ms ");
    const long long epoch = number_after(text, "\nkey_epoch ");

    if (strncmp(text, FIRST_LINE, strlen(FIRST_LINE)) != 0 || made_at_ms < 0 || epoch < 0) {
        return gk_error_set(error, GK_NOT_FOUND, "%.100s is no whole backup of Guika", directory);
    }
    key_check(keys, made_at_ms, check);
    (void)snprintf(line, sizeof line, "\nkey_check %s\n", check);
    if (strstr(text, line) == NULL || epoch > gk_keys_newest(keys)) {
        return gk_error_set(error, GK_FAILED_PRECONDITION,
                            "the backup was made with other keys: put those in place first");
    }
    const long long floor = number_after(text, "\nkey_floor ");

    if (gk_keys_lowest(keys) > (floor < 1 ? 1 : floor)) {
        return gk_error_set(
            error, GK_FAILED_PRECONDITION,
            "the backup needs the index keys from epoch %lld on, and some were retired since: put "
            "them back from a backup of the keys, then start guikad anew and try again",
            floor < 1 ? 1 : floor);
    }
    return GK_OK;
}

/* Removes a folder that has plain files and at most one folder level of them in it. */
static void remove_folder(const char *directory)
{
    DIR *folder = opendir(directory);

    if (folder == NULL) {
        return;
    }
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[PATH_MAX];

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            join(directory, entry->d_name, path, NULL) != GK_OK) {
            continue;
        }
        if (unlink(path) != 0 && (errno == EISDIR || errno == EPERM)) {
            remove_folder(path);
        }
    }
    (void)closedir(folder);
    (void)rmdir(directory);
}

static enum gk_status copy_data(const char *directory, const char *staging, struct gk_error *error)
{
    struct gk_backup_summary copied = {0};
    char from[PATH_MAX];
    char from_pictures[PATH_MAX];
    char to_pictures[PATH_MAX];

    (void)snprintf(from, sizeof from, "%.*s/data", PATH_MAX - 64, directory);
    (void)snprintf(from_pictures, sizeof from_pictures, "%.*s/data/pictures", PATH_MAX - 64, directory);
    (void)snprintf(to_pictures, sizeof to_pictures, "%.*s/pictures", PATH_MAX - 64, staging);
    enum gk_status status = gk_file_make_directory(staging, error);

    if (status == GK_OK) {
        status = copy_files(from, staging, false, &copied, error);
    }
    if (status == GK_OK) {
        status = gk_file_make_directory(to_pictures, error);
    }
    if (status == GK_OK) {
        status = copy_files(from_pictures, to_pictures, false, &copied, error);
    }
    return status == GK_OK ? gk_file_sync_directory(staging, error) : status;
}

/* DATA and a suffix. */
static void beside(const char *data_directory, const char *suffix, char ret_path[PATH_MAX])
{
    (void)snprintf(ret_path, PATH_MAX, "%.*s.%s", PATH_MAX - 64, data_directory, suffix);
}

static enum gk_status sync_parent(const char *path, struct gk_error *error)
{
    char parent[PATH_MAX];
    const char *slash = strrchr(path, '/');

    (void)snprintf(parent, sizeof parent, "%.*s", slash == NULL || slash == path ? 1 : (int)(slash - path),
                   slash == NULL ? "." : path);
    return gk_file_sync_directory(parent, error);
}

static enum gk_status move(const char *from, const char *to, struct gk_error *error)
{
    if (rename(from, to) != 0) {
        return gk_error_set(error, GK_UNAVAILABLE, "cannot rename %s to %s: %s", from, to, strerror(errno));
    }
    return sync_parent(to, error);
}

enum gk_status gk_backup_stage(const struct gk_keys *keys, const char *directory, const char *data_directory,
                               struct gk_error *error)
{
    char staging[PATH_MAX];
    char staged[PATH_MAX];

    beside(data_directory, "restoring", staging);
    beside(data_directory, "restored", staged);
    enum gk_status status = check_backup(keys, directory, error);

    if (status != GK_OK) {
        return status;
    }
    remove_folder(staging);
    remove_folder(staged);
    status = copy_data(directory, staging, error);
    return status == GK_OK ? move(staging, staged, error) : status;
}

enum gk_status gk_backup_swap(const char *data_directory, int64_t now_ms, bool *ret_swapped,
                              struct gk_error *error)
{
    char staged[PATH_MAX];
    char before[PATH_MAX];
    char suffix[40];
    enum gk_status status = GK_OK;

    beside(data_directory, "restored", staged);
    *ret_swapped = false;
    if (access(staged, F_OK) != 0) {
        return GK_OK;
    }
    (void)snprintf(suffix, sizeof suffix, "before-%" PRId64, now_ms);
    beside(data_directory, suffix, before);
    if (access(data_directory, F_OK) == 0) {
        status = move(data_directory, before, error);
    }
    if (status == GK_OK) {
        status = move(staged, data_directory, error);
    }
    *ret_swapped = status == GK_OK;
    return status;
}

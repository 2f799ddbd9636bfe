#include "clients/c/spool.h"

#include "clients/c/spool_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK_BYTES 4096U /* what a file costs on the usual file systems, at least */
#define KEY_NAME "service.key"
#define LOCK_NAME "lock"
#define REFUSED_SUFFIX ".refused"
#define SEQUENCE_DIGITS 20U
#define NAME_SIZE 40 /* bytes: sequence, ".deposit", ".refused", terminator */

/* What is known of a file without reading it again. */
struct entry {
    uint64_t sequence;
    uint64_t bytes; /* in whole blocks */
    enum gk_spool_kind kind;
    char deposit_id[GK_SPOOL_DEPOSIT_ID_SIZE]; /* "" where the header is corrupt */
};

struct entries {
    struct entry *items; /* oldest first */
    size_t count, capacity;
    uint64_t bytes;
};

struct gk_spool {
    int directory_fd, lock_fd;
    uint64_t limit_bytes, next_sequence;
    bool has_key;
    uint8_t key[GK_SPOOL_KEY_SIZE];
    struct entries waiting, refused;
};

static const char *kind_name(enum gk_spool_kind kind)
{
    return kind == GK_SPOOL_DEPOSIT ? "deposit" : kind == GK_SPOOL_CONFIRM ? "confirm" : "pickup";
}

static void entry_name(const struct entry *entry, bool refused, char ret_name[NAME_SIZE])
{
    (void)snprintf(ret_name, NAME_SIZE, "%0*" PRIu64 ".%s%s", (int)SEQUENCE_DIGITS, entry->sequence,
                   kind_name(entry->kind), refused ? REFUSED_SUFFIX : "");
}

/* Reads sequence and kind from a file's name; false where it is no entry's. */
static bool parse_name(const char *name, struct entry *ret_entry, bool *ret_refused)
{
    static const enum gk_spool_kind kinds[] = {GK_SPOOL_DEPOSIT, GK_SPOOL_CONFIRM, GK_SPOOL_PICKUP};

    if (strspn(name, "0123456789") != SEQUENCE_DIGITS || name[SEQUENCE_DIGITS] != '.') {
        return false;
    }
    const char *suffix = name + SEQUENCE_DIGITS + 1;

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const size_t length = strlen(kind_name(kinds[i]));

        if (strncmp(suffix, kind_name(kinds[i]), length) == 0 &&
            (suffix[length] == '\0' || strcmp(suffix + length, REFUSED_SUFFIX) == 0)) {
            ret_entry->sequence = strtoull(name, NULL, 10);
            ret_entry->kind = kinds[i];
            *ret_refused = suffix[length] != '\0';
            return true;
        }
    }
    return false;
}

static uint64_t whole_blocks(uint64_t bytes)
{
    return (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
}

static bool entries_add(struct entries *entries, const struct entry *entry)
{
    if (entries->count == entries->capacity) {
        const size_t capacity = entries->capacity == 0 ? 16 : entries->capacity * 2;
        struct entry *items = realloc(entries->items, capacity * sizeof *items);

        if (items == NULL) {
            return false;
        }
        entries->items = items;
        entries->capacity = capacity;
    }
    entries->items[entries->count++] = *entry;
    entries->bytes += entry->bytes;
    return true;
}

static void entries_drop_oldest(struct entries *entries)
{
    entries->bytes -= entries->items[0].bytes;
    entries->count--;
    memmove(entries->items, entries->items + 1, entries->count * sizeof *entries->items);
}

static int by_sequence(const void *left, const void *right)
{
    const struct entry *a = left;
    const struct entry *b = right;

    return (a->sequence > b->sequence) - (a->sequence < b->sequence);
}

/* Takes one file of the directory into the lists, or removes it where a crash left it half written. */
static bool take_file(struct gk_spool *spool, const char *name)
{
    struct entry entry = {0};
    bool refused = false;
    struct stat info;
    const size_t length = strlen(name);

    if (length > 4 && strcmp(name + length - 4, ".tmp") == 0) {
        return unlinkat(spool->directory_fd, name, 0) == 0;
    }
    if (!parse_name(name, &entry, &refused) ||
        fstatat(spool->directory_fd, name, &info, AT_SYMLINK_NOFOLLOW) != 0) {
        return true;
    }
    entry.bytes = whole_blocks((uint64_t)info.st_size);
    (void)gk_spool_file_deposit_id(spool->directory_fd, name, entry.deposit_id, NULL);
    if (entry.sequence >= spool->next_sequence) {
        spool->next_sequence = entry.sequence + 1;
    }
    return entries_add(refused ? &spool->refused : &spool->waiting, &entry);
}

static enum gk_status load_entries(struct gk_spool *spool, struct gk_error *error)
{
    const int fd = openat(spool->directory_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    bool taken = directory != NULL;

    if (directory == NULL && fd >= 0) {
        (void)close(fd);
    }
    for (struct dirent *file; taken && (file = readdir(directory)) != NULL;) {
        taken = take_file(spool, file->d_name);
    }
    if (directory != NULL) {
        (void)closedir(directory);
    }
    if (!taken) {
        return gk_error_set(error, GK_INTERNAL, "cannot read the spool: %s", strerror(errno));
    }
    if (spool->waiting.count > 1) {
        qsort(spool->waiting.items, spool->waiting.count, sizeof(struct entry), by_sequence);
    }
    if (spool->refused.count > 1) {
        qsort(spool->refused.items, spool->refused.count, sizeof(struct entry), by_sequence);
    }
    return GK_OK;
}

static void load_key(struct gk_spool *spool)
{
    const int fd = openat(spool->directory_fd, KEY_NAME, O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        uint8_t key[GK_SPOOL_KEY_SIZE + 1];

        spool->has_key = read(fd, key, sizeof key) == GK_SPOOL_KEY_SIZE;
        if (spool->has_key) {
            memcpy(spool->key, key, GK_SPOOL_KEY_SIZE);
        }
        (void)close(fd);
    }
}

static enum gk_status open_directory(struct gk_spool *spool, const char *path, struct gk_error *error)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "cannot make the spool directory %s: %s", path,
                            strerror(errno));
    }
    spool->directory_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (spool->directory_fd < 0) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "cannot open the spool directory %s: %s", path,
                            strerror(errno));
    }
    spool->lock_fd = openat(spool->directory_fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (spool->lock_fd < 0) {
        return gk_error_set(error, GK_INTERNAL, "cannot write in the spool directory %s: %s", path,
                            strerror(errno));
    }
    if (flock(spool->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        return gk_error_set(error, GK_FAILED_PRECONDITION,
                            "the spool directory %s is in use: stop the other program first", path);
    }
    return GK_OK;
}

enum gk_status gk_spool_open(const char *directory, uint64_t limit_bytes, struct gk_spool **ret_spool,
                             struct gk_error *error)
{
    if (sodium_init() < 0) {
        return gk_error_set(error, GK_INTERNAL, "libsodium does not start");
    }
    struct gk_spool *spool = calloc(1, sizeof *spool);

    if (spool == NULL) {
        return gk_error_set(error, GK_INTERNAL, "no memory for the spool");
    }
    spool->directory_fd = spool->lock_fd = -1;
    spool->limit_bytes = limit_bytes;
    spool->next_sequence = 1;
    enum gk_status status = open_directory(spool, directory, error);

    if (status == GK_OK) {
        status = load_entries(spool, error);
    }
    if (status != GK_OK) {
        gk_spool_close(spool);
        return status;
    }
    load_key(spool);
    *ret_spool = spool;
    return GK_OK;
}

void gk_spool_close(struct gk_spool *spool)
{
    if (spool == NULL) {
        return;
    }
    if (spool->lock_fd >= 0) {
        (void)close(spool->lock_fd);
    }
    if (spool->directory_fd >= 0) {
        (void)close(spool->directory_fd);
    }
    free(spool->waiting.items);
    free(spool->refused.items);
    free(spool);
}

enum gk_status gk_spool_learn_key(struct gk_spool *spool, const uint8_t key[GK_SPOOL_KEY_SIZE],
                                  struct gk_error *error)
{
    if (spool->has_key && memcmp(spool->key, key, GK_SPOOL_KEY_SIZE) == 0) {
        return GK_OK;
    }
    if (sodium_is_zero(key, GK_SPOOL_KEY_SIZE)) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "the service gave no spool key");
    }
    const enum gk_status status =
        gk_spool_file_write(spool->directory_fd, KEY_NAME, key, GK_SPOOL_KEY_SIZE, error);

    if (status == GK_OK) {
        memcpy(spool->key, key, GK_SPOOL_KEY_SIZE);
        spool->has_key = true;
    }
    return status;
}

/* Erases what was set aside, oldest first, until `bytes` more fit. */
static bool make_room(struct gk_spool *spool, uint64_t bytes)
{
    while (spool->refused.count > 0 &&
           spool->waiting.bytes + spool->refused.bytes + bytes > spool->limit_bytes) {
        char name[NAME_SIZE];

        entry_name(&spool->refused.items[0], true, name);
        if (unlinkat(spool->directory_fd, name, 0) != 0 && errno != ENOENT) {
            return false;
        }
        entries_drop_oldest(&spool->refused);
    }
    return spool->waiting.bytes + spool->refused.bytes + bytes <= spool->limit_bytes;
}

enum gk_status gk_spool_append(struct gk_spool *spool, const guika_v1_SpoolEntry *entry,
                               struct gk_error *error)
{
    if (!spool->has_key) {
        return gk_error_set(error, GK_UNAVAILABLE,
                            "the service's spool key is not known yet: the box needs one heartbeat first");
    }
    uint8_t *file = NULL;
    size_t size = 0;
    enum gk_status status = gk_spool_file_seal(entry, spool->key, &file, &size, error);

    if (status != GK_OK) {
        return status;
    }
    struct entry added = {.sequence = spool->next_sequence, .bytes = whole_blocks(size)};
    char name[NAME_SIZE];

    added.kind = gk_spool_file_kind(entry);
    (void)snprintf(added.deposit_id, sizeof added.deposit_id, "%s", gk_spool_file_id(entry));
    entry_name(&added, false, name);
    if (!make_room(spool, added.bytes)) {
        status = gk_error_set(error, GK_RESOURCE_EXHAUSTED,
                              "the spool is full: %" PRIu64 " of %" PRIu64 " bytes are in use and %" PRIu64
                              " more are needed",
                              spool->waiting.bytes, spool->limit_bytes, added.bytes);
    } else if (!entries_add(&spool->waiting, &added)) {
        status = gk_error_set(error, GK_INTERNAL, "no memory for another spool entry");
    } else {
        status = gk_spool_file_write(spool->directory_fd, name, file, size, error);
        spool->next_sequence++;
        if (status != GK_OK) {
            spool->waiting.count--;
            spool->waiting.bytes -= added.bytes;
        }
    }
    free(file);
    return status;
}

enum gk_status gk_spool_oldest(struct gk_spool *spool, struct gk_spool_item *ret_item, struct gk_error *error)
{
    while (spool->waiting.count > 0) {
        char name[NAME_SIZE];

        entry_name(&spool->waiting.items[0], false, name);
        enum gk_status status = gk_spool_file_read(spool->directory_fd, name, ret_item, error);

        if (status != GK_DATA_LOSS) {
            return status;
        }
        status = gk_spool_refuse_oldest(spool, error);
        if (status != GK_OK) {
            return status;
        }
    }
    return gk_error_set(error, GK_NOT_FOUND, "the spool is empty");
}

void gk_spool_item_clear(struct gk_spool_item *item)
{
    free(item->file);
    *item = (struct gk_spool_item){0};
}

enum gk_status gk_spool_erase_oldest(struct gk_spool *spool, struct gk_error *error)
{
    char name[NAME_SIZE];

    if (spool->waiting.count == 0) {
        return gk_error_set(error, GK_NOT_FOUND, "the spool is empty");
    }
    entry_name(&spool->waiting.items[0], false, name);
    if ((unlinkat(spool->directory_fd, name, 0) != 0 && errno != ENOENT) || fsync(spool->directory_fd) != 0) {
        return gk_error_set(error, GK_INTERNAL, "cannot erase %s from the spool: %s", name, strerror(errno));
    }
    entries_drop_oldest(&spool->waiting);
    return GK_OK;
}

enum gk_status gk_spool_refuse_oldest(struct gk_spool *spool, struct gk_error *error)
{
    char name[NAME_SIZE];
    char refused[NAME_SIZE];

    if (spool->waiting.count == 0) {
        return gk_error_set(error, GK_NOT_FOUND, "the spool is empty");
    }
    const struct entry oldest = spool->waiting.items[0];

    entry_name(&oldest, false, name);
    entry_name(&oldest, true, refused);
    if (renameat(spool->directory_fd, name, spool->directory_fd, refused) != 0 ||
        fsync(spool->directory_fd) != 0) {
        return gk_error_set(error, GK_INTERNAL, "cannot set %s aside: %s", name, strerror(errno));
    }
    entries_drop_oldest(&spool->waiting);
    if (!entries_add(&spool->refused, &oldest)) {
        return gk_error_set(error, GK_INTERNAL, "no memory for the spool");
    }
    return GK_OK;
}

bool gk_spool_holds(const struct gk_spool *spool, const char *deposit_id)
{
    for (size_t i = 0; i < spool->waiting.count; i++) {
        if (strcmp(spool->waiting.items[i].deposit_id, deposit_id) == 0) {
            return true;
        }
    }
    return false;
}

int gk_spool_directory(const struct gk_spool *spool)
{
    return spool->directory_fd;
}

size_t gk_spool_count(const struct gk_spool *spool)
{
    return spool->waiting.count;
}

uint64_t gk_spool_bytes(const struct gk_spool *spool)
{
    return spool->waiting.bytes;
}

#include "tests/core/life_model/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { FILES = 1 << 18, PATH = 512, TRIES = 100 };

/* What is synced of each file, by its inode. The one thing here that is global: fsync has no context. */
static struct {
    pthread_mutex_t lock;
    struct synced {
        ino_t inode;
        off_t size;
    } files[FILES];
} disk = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct synced *find(ino_t inode)
{
    size_t i = (size_t)(inode * 0x9e3779b9U) % FILES;

    while (disk.files[i].inode != 0 && disk.files[i].inode != inode) {
        i = (i + 1) % FILES;
    }
    return &disk.files[i];
}

static int note(int fd)
{
    struct stat status;

    if (fstat(fd, &status) != 0) {
        return -1;
    }
    (void)pthread_mutex_lock(&disk.lock);
    *find(status.st_ino) = (struct synced){status.st_ino, status.st_size};
    (void)pthread_mutex_unlock(&disk.lock);
    return 0;
}

/* Visible, so that RocksDB finds these and not libc's. */
__attribute__((visibility("default"))) int fsync(int fd)
{
    return note(fd);
}

__attribute__((visibility("default"))) int fdatasync(int fd)
{
    return note(fd);
}

static uint64_t synced(const struct stat *status)
{
    (void)pthread_mutex_lock(&disk.lock);
    const off_t size = find(status->st_ino)->size;

    (void)pthread_mutex_unlock(&disk.lock);
    return (uint64_t)(size < status->st_size ? size : status->st_size);
}

/* --- */

static bool is_log(const char *name)
{
    const size_t length = strlen(name);

    return length > 4 && strcmp(name + length - 4, ".log") == 0;
}

uint64_t disk_log_bytes(const char *directory)
{
    struct dirent **entries = NULL;
    const int count = scandir(directory, &entries, NULL, alphasort);
    uint64_t bytes = 0;

    for (int i = 0; i < count; i++) {
        char path[PATH];
        struct stat status;

        (void)snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
        if (is_log(entries[i]->d_name) && stat(path, &status) == 0) {
            bytes += synced(&status);
        }
        free(entries[i]);
    }
    free(entries);
    return bytes;
}

static bool copy_bytes(int from, int to, uint64_t bytes)
{
    char buffer[65536];
    uint64_t done = 0;

    while (done < bytes) {
        const size_t want = bytes - done < sizeof buffer ? (size_t)(bytes - done) : sizeof buffer;
        const ssize_t got = read(from, buffer, want);

        if (got <= 0 || write(to, buffer, (size_t)got) != got) {
            return false;
        }
        done += (uint64_t)got;
    }
    return fsync(to) == 0;
}

static bool copy_file(const char *from, const char *to, bool log, uint64_t *log_bytes)
{
    struct stat status;
    const int in = open(from, O_RDONLY | O_CLOEXEC);
    const int out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool good = out >= 0 && fstat(in, &status) == 0;

    if (good) {
        uint64_t bytes = synced(&status);

        if (log) {
            bytes = bytes < *log_bytes ? bytes : *log_bytes;
            *log_bytes -= bytes;
        }
        good = copy_bytes(in, out, bytes);
    }
    if (in >= 0) {
        (void)close(in);
    }
    if (out >= 0) {
        (void)close(out);
    }
    return good;
}

/* Stands for the names in a directory. */
static uint64_t names_of(const char *directory)
{
    struct dirent **entries = NULL;
    const int count = scandir(directory, &entries, NULL, alphasort);
    uint64_t hash = (uint64_t)count;

    for (int i = 0; i < count; i++) {
        for (const char *at = entries[i]->d_name; *at != '\0'; at++) {
            hash = (hash ^ (uint8_t)*at) * UINT64_C(0x100000001b3);
        }
        free(entries[i]);
    }
    free(entries);
    return hash;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

/* One attempt: false where a file went away meanwhile. */
static bool copy_all(const char *from, const char *to, uint64_t log_bytes, uint64_t *ret_names)
{
    struct dirent **entries = NULL;
    bool good = mkdir(to, 0700) == 0;
    const int count = good ? scandir(from, &entries, NULL, alphasort) : 0;

    for (int i = 0; i < count; i++) {
        char source[PATH];
        char target[PATH];

        (void)snprintf(source, sizeof source, "%s/%s", from, entries[i]->d_name);
        (void)snprintf(target, sizeof target, "%s/%s", to, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            good = copy_file(source, target, is_log(entries[i]->d_name), &log_bytes) && good;
        }
        free(entries[i]);
    }
    free(entries);
    *ret_names = names_of(from);
    return good && count > 0;
}

/* RocksDB tidies up in the background: an image is whole where no file came or went while it was made. */
bool disk_cut(const char *from, const char *to, uint64_t log_bytes)
{
    for (unsigned i = 0; i < TRIES; i++) {
        const uint64_t before = names_of(from);
        uint64_t after = 0;

        if (copy_all(from, to, log_bytes, &after) && before == after) {
            return true;
        }
        (void)nftw(to, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return false;
}

bool disk_replace(const char *from, const char *to)
{
    return nftw(to, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0 && rename(from, to) == 0;
}

#include "tests/clients/c/scratch.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void must(bool good, const char *what)
{
    if (!good) {
        perror(what);
        abort();
    }
}

void gk_scratch_make(char ret_path[GK_SCRATCH_PATH_SIZE])
{
    const char *base = getenv("TMPDIR");

    (void)snprintf(ret_path, GK_SCRATCH_PATH_SIZE, "%s/guika-test-XXXXXX", base != NULL ? base : "/tmp");
    must(mkdtemp(ret_path) != NULL, ret_path);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void gk_scratch_remove(const char *path)
{
    (void)nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static bool ends_in(const char *name, const char *suffix)
{
    const size_t length = strlen(name);
    const size_t tail = strlen(suffix);

    return name[0] != '.' && length >= tail && strcmp(name + length - tail, suffix) == 0;
}

size_t gk_scratch_count(const char *path, const char *suffix)
{
    struct dirent **files = NULL;
    const int count = scandir(path, &files, NULL, alphasort);
    size_t found = 0;

    for (int i = 0; i < count; i++) {
        found += ends_in(files[i]->d_name, suffix);
        free(files[i]);
    }
    free(files);
    return found;
}

bool gk_scratch_first(const char *path, const char *suffix, char ret_name[GK_SCRATCH_PATH_SIZE])
{
    struct dirent **files = NULL;
    const int count = scandir(path, &files, NULL, alphasort);
    bool found = false;

    for (int i = 0; i < count; i++) {
        if (!found && ends_in(files[i]->d_name, suffix)) {
            (void)snprintf(ret_name, GK_SCRATCH_PATH_SIZE, "%s", files[i]->d_name);
            found = true;
        }
        free(files[i]);
    }
    free(files);
    return found;
}

void gk_scratch_write(const char *path, const char *name, const void *data, size_t size)
{
    char temporary[2 * GK_SCRATCH_PATH_SIZE];
    char target[2 * GK_SCRATCH_PATH_SIZE];

    (void)snprintf(temporary, sizeof temporary, "%s/.scratch", path);
    (void)snprintf(target, sizeof target, "%s/%s", path, name);
    FILE *file = fopen(temporary, "wb");

    must(file != NULL && fwrite(data, 1, size, file) == size && fclose(file) == 0, target);
    must(rename(temporary, target) == 0, target);
}

uint8_t *gk_scratch_read(const char *path, const char *name, size_t *ret_size)
{
    char target[2 * GK_SCRATCH_PATH_SIZE];
    struct stat info;

    (void)snprintf(target, sizeof target, "%s/%s", path, name);
    FILE *file = fopen(target, "rb");

    must(file != NULL && fstat(fileno(file), &info) == 0, target);
    uint8_t *data = malloc((size_t)info.st_size + 1);

    must(data != NULL && fread(data, 1, (size_t)info.st_size, file) == (size_t)info.st_size, target);
    data[info.st_size] = '\0';
    (void)fclose(file);
    *ret_size = (size_t)info.st_size;
    return data;
}

bool gk_scratch_contains(const char *path, const void *needle, size_t size)
{
    struct dirent **files = NULL;
    const int count = scandir(path, &files, NULL, alphasort);
    bool found = false;

    for (int i = 0; i < count; i++) {
        if (files[i]->d_type == DT_REG) {
            size_t length = 0;
            uint8_t *data = gk_scratch_read(path, files[i]->d_name, &length);

            found = found || memmem(data, length, needle, size) != NULL;
            free(data);
        } else if (files[i]->d_type == DT_DIR && files[i]->d_name[0] != '.') {
            char inner[2 * GK_SCRATCH_PATH_SIZE];

            (void)snprintf(inner, sizeof inner, "%s/%s", path, files[i]->d_name);
            found = found || gk_scratch_contains(inner, needle, size);
        }
        free(files[i]);
    }
    free(files);
    return found;
}

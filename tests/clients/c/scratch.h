/* A folder of its own for each test, and looks into it. */
#ifndef GUIKA_TESTS_CLIENTS_SCRATCH_H
#define GUIKA_TESTS_CLIENTS_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GK_SCRATCH_PATH_SIZE 256

/* Makes a fresh folder and writes its path to `ret_path`. */
void gk_scratch_make(char ret_path[GK_SCRATCH_PATH_SIZE]);
/* Removes the folder and what is in it. */
void gk_scratch_remove(const char *path);

/* Files in `path` whose name ends in `suffix`. */
size_t gk_scratch_count(const char *path, const char *suffix);
/* The name of the first file, in name order, that ends in `suffix`; false where there is none. */
bool gk_scratch_first(const char *path, const char *suffix, char ret_name[GK_SCRATCH_PATH_SIZE]);
/* Writes `size` bytes as `path`/`name`, by way of another name and a rename. */
void gk_scratch_write(const char *path, const char *name, const void *data, size_t size);
/* Reads `path`/`name`; the caller frees. */
uint8_t *gk_scratch_read(const char *path, const char *name, size_t *ret_size);
/* Do the bytes `needle` stand in any file of the folder, or of folders in it? */
bool gk_scratch_contains(const char *path, const void *needle, size_t size);

#endif

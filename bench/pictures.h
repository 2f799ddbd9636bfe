/* The pictures of a folder with a manifest, as the benches of the reader use them. One thread. */
#ifndef GUIKA_BENCH_PICTURES_H
#define GUIKA_BENCH_PICTURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gk_bench_picture {
    char path[512];
    char number[40]; /* canonical; empty: none, or not all of it is known */
    char print[24], capture[32];
    bool is_negative; /* no number at all */
};

struct gk_bench_pictures {
    struct gk_bench_picture *items;
    size_t count;
};

/* Reads DIR/manifest.tsv. Returns false with errno set where it cannot be read; `ret_pictures` is then
 * untouched. The caller frees `items` with free. */
bool gk_bench_pictures_load(const char *directory, struct gk_bench_pictures *ret_pictures);

/* A whole file, freed with free; NULL with errno set. */
uint8_t *gk_bench_read_file(const char *path, size_t *ret_size);

/* The value at `share` (0 to 1) of `count` (1 or more) values, which it sorts. */
double gk_bench_quantile(double *values, size_t count, double share);

#endif

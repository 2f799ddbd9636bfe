/*
 * The real registry with the lists of the made-up issuers, on disk, built once through the import that
 * issuers use. One thread, but for what it starts itself while it builds.
 */
#ifndef GUIKA_BENCH_LISTING_H
#define GUIKA_BENCH_LISTING_H

#include "core/registry/registry.h"

struct gk_bench_listing {
    struct gk_store *store;
    struct gk_keys *keys;
    struct gk_registry *registry;
};

/* Opens the registry in `directory`, makes it there first, or goes on making it where that was cut short.
 * False, after saying why on stderr. */
bool gk_bench_listing_open(const char *directory, uint64_t all_rows, struct gk_bench_listing *ret_listing);
void gk_bench_listing_close(struct gk_bench_listing *listing);

#endif

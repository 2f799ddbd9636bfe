/*
 * The real registry with lists of made-up cards, on disk, built once through the import that issuers use. One
 * thread, but for what it starts itself while it builds.
 */
#ifndef GUIKA_BENCH_LISTING_H
#define GUIKA_BENCH_LISTING_H

#include "core/registry/registry.h"
#include "guika/v1/types.pb.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GK_BENCH_NUMBER_SIZE = 33 };

/* One account and its list. */
struct gk_bench_list {
    const char *account, *scheme, *binding;
    guika_v1_CardKind kind;
    uint64_t rows;
    /* The number of a row; false where the row is left out. Any thread. */
    bool (*row)(const struct gk_bench_list *list, uint64_t row, char ret_number[GK_BENCH_NUMBER_SIZE]);
    size_t issuer; /* the row function's own, as the next */
    const void *context;
};

struct gk_bench_listing {
    struct gk_store *store;
    struct gk_keys *keys;
    struct gk_registry *registry;
};

/* Opens the registry in `directory`, makes it there first, or goes on making it where that was cut short.
 * False, after saying why on stderr. */
bool gk_bench_listing_open(const char *directory, const struct gk_bench_list *lists, size_t count,
                           struct gk_bench_listing *ret_listing);
void gk_bench_listing_close(struct gk_bench_listing *listing);

#endif

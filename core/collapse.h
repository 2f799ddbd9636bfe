/*
 * From tokens wrapped by a rotation to tokens made anew, once the numbers come again.
 *
 * The numbers are gone, so a rotation can only wrap their tokens (core/rotation.h), and whoever looks a
 * wrapped one up needs all keys since the one that it was first made with: its base. An import brings
 * numbers, so its list is under the newest key from the start; beside each card it keeps the number's older
 * tokens (family older_cards), by which records that still have one find it. This module then brings those
 * records, found cards, claims and watches, under the token that the list has, one number a commit. A record
 * whose number no list has, or that a list from before the rotation still has, keeps its token and its base.
 * A watch that is filed for such a number goes by the same token (gk_watches_choose).
 *
 * Owns: nothing that rests. Whatever was not done is found again by the next pass.
 */
#ifndef GUIKA_CORE_COLLAPSE_H
#define GUIKA_CORE_COLLAPSE_H

#include "core/log.h"
#include "core/registry/registry.h"

#include <uv.h>

struct gk_collapse_parts {
    uv_loop_t *loop;
    const struct gk_log *log;
    const struct gk_keys *keys;
    struct gk_store *store;
    struct gk_registry *registry;
};

/* One pass over all records; `*ret_count` is how many numbers it brought under a newer key. Nothing to do
 * where there is no older index key. [worker] */
enum gk_status gk_collapse_run(const struct gk_collapse_parts *parts, size_t *ret_count,
                               struct gk_error *error);

struct gk_collapse;

/* Begins a pass. Never NULL. [loop] */
struct gk_collapse *gk_collapse_open(const struct gk_collapse_parts *parts);

/* A list has come into force: another pass, after the one in hand. [loop] */
void gk_collapse_poke(struct gk_collapse *collapse);

/* Ends after the pass in hand, and frees. [loop] */
void gk_collapse_close(struct gk_collapse *collapse, void (*on_closed)(void *context), void *context);

#endif

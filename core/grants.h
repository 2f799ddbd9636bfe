/*
 * The pickup grants of each box: what it may do by itself while it cannot reach the service.
 *
 * Owns the lists, in memory alone: a grant follows from the case, its code and the grant key, so nothing of
 * it rests in the store, and after a restart the same grants are made again, under the same version. A box's
 * heartbeat has its list looked at, on a worker, one box at a time, where anything happened since; the code's
 * verifier is computed once for a code (security/pickup_grant.h says what that costs) and kept while the code
 * stays the same.
 *
 * On the loop.
 */
#ifndef GUIKA_CORE_GRANTS_H
#define GUIKA_CORE_GRANTS_H

#include "core/clock.h"
#include "core/grant_list.h"
#include "core/log.h"

#include <uv.h>

struct gk_grants;

/* What it works with; all borrowed. */
struct gk_grants_parts {
    uv_loop_t *loop;
    const struct gk_log *log;
    struct gk_clock clock;
    struct gk_pickup_parts pickup;
};

struct gk_grants *gk_grants_open(const struct gk_grants_parts *parts); /* never NULL */

/* Frees it once the look in hand has ended. */
void gk_grants_close(struct gk_grants *grants, void (*on_closed)(void *context), void *context);

/* A box speaks: the version of its list as it was last made (0: not yet), and another look at it begins. */
uint64_t gk_grants_heard(struct gk_grants *grants, const char *box_id);

/* How many cards the box may hand out by itself, as its list was last made. */
uint32_t gk_grants_count(const struct gk_grants *grants, const char *box_id);

/* A page of the box's list, behind the case `after` (empty: from the first). */
void gk_grants_page(const struct gk_grants *grants, const char *box_id, struct gk_bytes after,
                    guika_v1_ListGrantsResponse *ret_page);

#endif

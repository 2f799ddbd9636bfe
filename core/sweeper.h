/*
 * What time does to found cards, on the loop: a turn each second looks for what has become due by the
 * injected clock and does it, one transition each (found_card_clocks.h).
 *
 * Owns: a timer. The rows of the clocks family say what is due, so a crash loses nothing.
 */
#ifndef GUIKA_CORE_SWEEPER_H
#define GUIKA_CORE_SWEEPER_H

#include "core/clock.h"
#include "core/found_card_clocks.h"
#include "core/log.h"
#include "core/security/keys.h"
#include "core/store/store.h"

#include <uv.h>

struct gk_sweeper;

/* What the sweeper works with; all borrowed. */
struct gk_sweeper_parts {
    uv_loop_t *loop;
    const struct gk_log *log;
    struct gk_clock clock;
    const struct gk_keys *keys;
    struct gk_store *store;
    const struct gk_retention *retention;
    uint32_t turn_ms;                     /* 0: 1000 */
    void (*on_notice_due)(void *context); /* [loop] a notice may leave */
    void *on_notice_due_context;
};

/* What a sweep did. */
struct gk_swept {
    size_t ticks;
    size_t lapsed; /* openings that nobody reported on */
    bool notice;
    bool more; /* there was more than one sweep takes */
};

/* Does what is due now, of at most some hundred cards. [worker] */
enum gk_status gk_sweep(const struct gk_sweeper_parts *parts, struct gk_swept *ret_swept,
                        struct gk_error *error);

struct gk_sweeper *gk_sweeper_open(const struct gk_sweeper_parts *parts); /* never NULL */

/* Frees the sweeper once its turn has ended. */
void gk_sweeper_close(struct gk_sweeper *sweeper, void (*on_closed)(void *context), void *context);

#endif

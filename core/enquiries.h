/*
 * "Has my card been found?" An enquiry is taken before anything is looked up, the same way and in the same
 * time for every number; what is true goes to the card's registered contact through the outbox, at most once
 * a card and day.
 *
 * Owns: the family enquiries. The number itself never rests: it is taken in as its tokens under every scheme
 * of the shelf.
 */
#ifndef GUIKA_CORE_ENQUIRIES_H
#define GUIKA_CORE_ENQUIRIES_H

#include "core/clock.h"
#include "core/log.h"
#include "core/mailbox.h"
#include "core/registry/registry.h"
#include "core/security/keys.h"
#include "core/shelf.h"
#include "core/store/store.h"

#include <uv.h>

struct gk_enquiries;

struct gk_enquiries_parts {
    uv_loop_t *loop;
    struct gk_mailbox *mailbox;
    const struct gk_log *log;
    struct gk_clock clock;
    const struct gk_keys *keys;
    struct gk_store *store;
    struct gk_registry *registry;
    struct gk_shelf *shelf;
    void (*on_notice_due)(void *context); /* [loop] */
    void *on_notice_due_context;
};

struct gk_enquiries *
gk_enquiries_open(const struct gk_enquiries_parts *parts); /* never NULL; goes on with what rests */

/* Takes the number as typed. `done` is called on the loop once the enquiry is durable (GK_OK) or refused:
 * RESOURCE_EXHAUSTED where 10,000 wait, UNAVAILABLE while the shelf is empty, so that nothing is known of any
 * number. */
void gk_enquiries_take(struct gk_enquiries *enquiries, const char *number,
                       void (*done)(void *context, enum gk_status status, const struct gk_error *error),
                       void *context);

/* Nothing is taken or looked up any more; what rests is answered after the next start. */
void gk_enquiries_close(struct gk_enquiries *enquiries, void (*on_closed)(void *context), void *context);

#endif

/*
 * "Has my card been found?", and "send me a code": an enquiry is taken before anything is looked up, the same
 * way and in the same time for every number and contact. A queue that survives a crash is worked off in
 * turns; what is true (core/enquiry_answer) goes to the registered contact through the outbox.
 *
 * Owns: the family enquiries. Neither number nor contact rests: they are taken in as tokens, a number's under
 * every scheme of the shelf; the contact that a code is to go to is sealed.
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

/* What is asked, as typed; strings are borrowed for the call. Either `number` or `contact`, the other NULL.
 */
struct gk_enquiry {
    guika_v1_internal_EnquiryRecord_Kind kind; /* a code is asked for by contact */
    const char *number;
    const char *contact;
    const char *box_id; /* "": any */
    const char *language;
};

/* Takes an enquiry. `done` is called on the loop once it is durable (GK_OK) or refused: INVALID_ARGUMENT for
 * a contact that is none, RESOURCE_EXHAUSTED where 10,000 wait, UNAVAILABLE while the shelf is empty, so that
 * nothing is known of any number. */
void gk_enquiries_take(struct gk_enquiries *enquiries, const struct gk_enquiry *enquiry,
                       void (*done)(void *context, enum gk_status status, const struct gk_error *error),
                       void *context);

/* Nothing is taken or looked up any more; what rests is answered after the next start. */
void gk_enquiries_close(struct gk_enquiries *enquiries, void (*on_closed)(void *context), void *context);

#endif

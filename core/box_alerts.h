/*
 * Alerts about boxes: one that has fallen silent, or has a full zone. On the loop.
 *
 * Owns: what each box last said of itself, and a timer. An alert is raised once and is over once: both are
 * one transition with an audit entry and, where the configuration names a receiver, a message to the
 * operator; the store's row says that it was raised, so that a restart neither forgets nor repeats it. `guika
 * box list` and the metrics show the rows. silent      nothing was heard for GK_SILENT_INTERVALS heartbeats;
 * over after two heartbeats in a row. A box that was never heard is not missed. After a start every box has
 * that long to speak. zone full   no compartment is free; over once a tenth of them is, and two at least
 * (all, where there are fewer), so that one card more or less does not flutter.
 */
#ifndef GUIKA_CORE_BOX_ALERTS_H
#define GUIKA_CORE_BOX_ALERTS_H

#include "core/clock.h"
#include "core/log.h"
#include "core/mailbox.h"
#include "core/security/contact_seal.h"
#include "core/store/store.h"
#include "guika/v1/box.pb.h"
#include "guika/v1/internal/records.pb.h"

#include <uv.h>

#define GK_SILENT_INTERVALS 3
#define GK_ALERT_PREFIX "alert/" /* in the family meta: this and a box id */

enum gk_box_alert { GK_ALERT_SILENT, GK_ALERT_NORMAL_FULL, GK_ALERT_DIFFICULT_FULL, GK_ALERT_COUNT };

struct gk_box_alerts;

/* What it works with; all borrowed. */
struct gk_box_alerts_parts {
    uv_loop_t *loop;
    struct gk_mailbox *mailbox;
    const struct gk_log *log;
    struct gk_clock clock;
    const struct gk_keys *keys;
    struct gk_store *store;
    uint32_t heartbeat_ms;
    const char *receiver;                 /* CHANNEL:ADDRESS; "": nobody is written to */
    const char *language;                 /* of the receiver: "en" or "zh" */
    void (*on_notice_due)(void *context); /* a message may leave */
    void *on_notice_due_context;
};

/* Reads what was raised before; where the store does not let it, that is logged, and what is wrong is raised
 * again. Never NULL. */
struct gk_box_alerts *gk_box_alerts_open(const struct gk_box_alerts_parts *parts);

/* Frees it once what it wrote is durable. NULL is closed at once. */
void gk_box_alerts_close(struct gk_box_alerts *alerts, void (*on_closed)(void *context), void *context);

/* A box spoke. */
void gk_box_alerts_heard(struct gk_box_alerts *alerts, const char *box_id,
                         const guika_v1_HeartbeatRequest *heartbeat);

/* Looks at the clock now; the timer does so by itself. */
void gk_box_alerts_look(struct gk_box_alerts *alerts);

/* Something that a box did while its line was down needs a person's look: the operator is written to. */
void gk_box_alerts_needs_a_look(struct gk_box_alerts *alerts, const char *box_id, const uint8_t case_id[16]);

/* When the box was last heard since the start; 0: not yet. */
int64_t gk_box_alerts_last_heard_ms(const struct gk_box_alerts *alerts, const char *box_id);

/* "SILENT", "NORMAL_FULL", "DIFFICULT_FULL". */
const char *gk_box_alert_word(enum gk_box_alert alert);

/* Since when it is raised, by its record; 0: it is not. */
int64_t gk_box_alert_since_ms(const guika_v1_internal_BoxAlertRecord *record, enum gk_box_alert alert);

#endif

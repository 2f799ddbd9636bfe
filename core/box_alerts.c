#include "core/box_alerts.h"

#include "core/memory.h"
#include "core/notification/messages.h"
#include "core/notification/outbox.h"
#include "core/store/record.h"
#include "core/task.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    ZONES = 2,
    KEY_SIZE = sizeof GK_ALERT_PREFIX + 32,
    TURN_MIN_MS = 250,
    TURN_MAX_MS = 5000,
    ROOM_LEAST = 2, /* compartments that end a full zone's alert, */
    ROOM_SHARE = 10 /* or one in so many */
};

struct box {
    struct box *next;
    char id[33];
    int64_t heard_at_ms; /* since the start; 0: not yet */
    unsigned in_row;     /* heartbeats without a gap */
    bool told[ZONES];
    uint64_t capacity[ZONES], used[ZONES];
    guika_v1_internal_BoxAlertRecord record; /* heard_at_ms 0: it has none */
};

/* The one change that is being written. */
struct change {
    struct gk_commit commit;
    struct gk_box_alerts *alerts;
    struct box *box;
    guika_v1_internal_BoxAlertRecord record;
    int alert; /* enum gk_box_alert, or GK_ALERT_COUNT: the box was first heard */
    bool has_notice;
    guika_v1_internal_NoticeRecord notice;
};

/* A message of its own, about something that a box did. */
struct letter {
    struct gk_commit commit;
    struct gk_box_alerts *alerts;
    guika_v1_internal_NoticeRecord notice;
};

struct gk_box_alerts {
    struct gk_box_alerts_parts parts;
    struct box *first;
    int64_t started_ms;
    uv_timer_t turn;
    unsigned writing; /* commits in hand */
    bool changing;    /* one of them is `change` */
    struct change change;
    bool closing;
    void (*on_closed)(void *context);
    void *on_closed_context;
};

const char *gk_box_alert_word(enum gk_box_alert alert)
{
    static const char *const words[GK_ALERT_COUNT] = {"SILENT", "NORMAL_FULL", "DIFFICULT_FULL"};

    assert(alert < GK_ALERT_COUNT);
    return words[alert];
}

static int64_t *since_of(guika_v1_internal_BoxAlertRecord *record, enum gk_box_alert alert)
{
    return alert == GK_ALERT_SILENT        ? &record->silent_since_ms
           : alert == GK_ALERT_NORMAL_FULL ? &record->normal_full_since_ms
                                           : &record->difficult_full_since_ms;
}

int64_t gk_box_alert_since_ms(const guika_v1_internal_BoxAlertRecord *record, enum gk_box_alert alert)
{
    guika_v1_internal_BoxAlertRecord copy = *record;

    return *since_of(&copy, alert);
}

static struct box *find(const struct gk_box_alerts *alerts, const char *box_id)
{
    struct box *box = alerts->first;

    while (box != NULL && strcmp(box->id, box_id) != 0) {
        box = box->next;
    }
    return box;
}

static struct box *add(struct gk_box_alerts *alerts, const char *box_id, size_t length)
{
    struct box *box = gk_allocate(sizeof *box);

    (void)snprintf(box->id, sizeof box->id, "%.*s", (int)length, box_id);
    box->next = alerts->first;
    alerts->first = box;
    return box;
}

/* --- what should be raised --- */

static int64_t silence_ms(const struct gk_box_alerts *alerts)
{
    return (int64_t)GK_SILENT_INTERVALS * alerts->parts.heartbeat_ms;
}

static int64_t silent_since_ms(const struct gk_box_alerts *alerts, const struct box *box, int64_t now_ms)
{
    const int64_t last_ms = box->heard_at_ms != 0 ? box->heard_at_ms : alerts->started_ms;

    const bool silent = now_ms - last_ms >= silence_ms(alerts);

    if (box->record.silent_since_ms != 0) {
        return box->in_row >= 2 && !silent ? 0 : box->record.silent_since_ms;
    }
    return silent ? last_ms : 0;
}

static int64_t full_since_ms(const struct box *box, unsigned zone, int64_t since_ms, int64_t now_ms)
{
    const uint64_t capacity = box->capacity[zone];
    const uint64_t room = box->used[zone] < capacity ? capacity - box->used[zone] : 0;
    const uint64_t tenth = (capacity + ROOM_SHARE - 1) / ROOM_SHARE;
    uint64_t enough = tenth < ROOM_LEAST ? ROOM_LEAST : tenth;

    enough = enough < capacity ? enough : capacity;
    if (!box->told[zone]) {
        return since_ms; /* it has not said since the start */
    }
    if (since_ms != 0) {
        return room >= enough ? 0 : since_ms;
    }
    return room == 0 && capacity > 0 ? now_ms : 0;
}

static int64_t wanted_ms(const struct gk_box_alerts *alerts, const struct box *box, enum gk_box_alert alert,
                         int64_t now_ms)
{
    const int64_t since_ms = gk_box_alert_since_ms(&box->record, alert);

    return alert == GK_ALERT_SILENT ? silent_since_ms(alerts, box, now_ms)
                                    : full_since_ms(box, alert - GK_ALERT_NORMAL_FULL, since_ms, now_ms);
}

/* --- telling the operator --- */

/* A message to who the configuration names; false where it names nobody. */
static bool write_notice(const struct gk_box_alerts *alerts, const char *box_id, const char *template_id,
                         struct gk_bytes subject, guika_v1_internal_NoticeRecord *ret_notice)
{
    const struct gk_box_alerts_parts *parts = &alerts->parts;
    guika_v1_internal_NoticeRecord notice = {.state = guika_v1_internal_NoticeRecord_State_NOTICE_DUE};

    if (parts->receiver[0] == '\0') {
        return false;
    }
    gk_keys_message_id(parts->keys, template_id, subject, notice.notice_id);
    (void)snprintf(notice.template_id, sizeof notice.template_id, "%s", template_id);
    (void)snprintf(notice.box_id, sizeof notice.box_id, "%s", box_id);
    (void)snprintf(notice.language, sizeof notice.language, "%s", parts->language);
    notice.contact_token.size = GK_TOKEN_SIZE;
    gk_keys_contact_token(parts->keys, parts->receiver, notice.contact_token.bytes);
    notice.sealed_contact.size = (pb_size_t)gk_contact_seal(parts->keys, notice.contact_token.bytes,
                                                            parts->receiver, notice.sealed_contact.bytes);
    notice.created_at_ms = gk_clock_now_ms(&parts->clock);
    notice.due_at_ms = notice.created_at_ms;
    *ret_notice = notice;
    return true;
}

static const char *template_of(int alert, bool raised)
{
    return alert == GK_ALERT_SILENT ? raised ? GK_MESSAGE_BOX_SILENT : GK_MESSAGE_BOX_HEARD
           : raised                 ? GK_MESSAGE_BOX_FULL
                                    : GK_MESSAGE_BOX_ROOM;
}

/* Of one alert and its time, so that a message that is made again is the same. */
static size_t subject_of(const struct change *change, int64_t since_ms, char ret_subject[96])
{
    return (size_t)snprintf(ret_subject, 96, "%s/%d/%lld", change->box->id, change->alert,
                            (long long)since_ms);
}

/* --- writing --- */

static enum gk_status apply_change(struct gk_commit *commit, struct gk_transaction *transaction,
                                   struct gk_error *error)
{
    const struct change *change = gk_container_of(commit, struct change, commit);
    char text[KEY_SIZE];
    const int length = snprintf(text, sizeof text, GK_ALERT_PREFIX "%s", change->box->id);
    const struct gk_bytes box_id = {(const uint8_t *)change->box->id, strlen(change->box->id)};
    enum gk_status status =
        gk_record_put(transaction, GK_FAMILY_META, (struct gk_bytes){(const uint8_t *)text, (size_t)length},
                      guika_v1_internal_BoxAlertRecord_fields, &change->record, error);

    if (status == GK_OK && change->has_notice) {
        status = gk_outbox_add(transaction, &change->notice, error);
    }
    if (change->alert < GK_ALERT_COUNT) {
        const enum gk_box_alert alert = (enum gk_box_alert)change->alert;
        const bool raised = gk_box_alert_since_ms(&change->record, alert) != 0;

        gk_transaction_audit(transaction, "core", raised ? "box.alert" : "box.alert_over", box_id,
                             gk_box_alert_word(alert));
    }
    return status;
}

static void on_turn_closed(uv_handle_t *handle)
{
    struct gk_box_alerts *alerts = handle->data;
    void (*on_closed)(void *) = alerts->on_closed;
    void *context = alerts->on_closed_context;

    while (alerts->first != NULL) {
        struct box *box = alerts->first;

        alerts->first = box->next;
        free(box);
    }
    free(alerts);
    on_closed(context);
}

/* The timer holds the loop until the last write is done. */
static void end_where_idle(struct gk_box_alerts *alerts)
{
    if (alerts->closing && alerts->writing == 0) {
        uv_close((uv_handle_t *)&alerts->turn, on_turn_closed);
    }
}

static void on_changed(struct gk_commit *commit)
{
    struct change *change = gk_container_of(commit, struct change, commit);
    struct gk_box_alerts *alerts = change->alerts;
    const struct gk_box_alerts_parts *parts = &alerts->parts;

    alerts->writing--;
    alerts->changing = false;
    if (commit->status != GK_OK) {
        gk_log(parts->log, GK_LOG_ERROR, "box_alert_not_written", {"box", change->box->id},
               {"why", commit->error.message});
    } else {
        change->box->record = change->record;
        if (change->alert < GK_ALERT_COUNT) {
            const enum gk_box_alert alert = (enum gk_box_alert)change->alert;
            const bool raised = gk_box_alert_since_ms(&change->record, alert) != 0;

            gk_log(parts->log, raised ? GK_LOG_WARNING : GK_LOG_INFO, raised ? "box_alert" : "box_alert_over",
                   {"box", change->box->id}, {"alert", gk_box_alert_word(alert)});
        }
        if (change->has_notice && parts->on_notice_due != NULL) {
            parts->on_notice_due(parts->on_notice_due_context);
        }
    }
    if (commit->status == GK_OK) {
        gk_box_alerts_look(alerts); /* there may be more; after a failure the timer tries again */
    }
    end_where_idle(alerts);
}

static void start_change(struct gk_box_alerts *alerts, struct box *box, int alert, int64_t since_ms)
{
    struct change *change = &alerts->change;
    const bool raised = since_ms != 0;
    char subject[96];

    *change = (struct change){.alerts = alerts, .box = box, .record = box->record, .alert = alert};
    if (change->record.heard_at_ms == 0) {
        change->record.heard_at_ms = box->heard_at_ms;
    }
    if (alert < GK_ALERT_COUNT) {
        int64_t *since = since_of(&change->record, (enum gk_box_alert)alert);
        const size_t size = subject_of(change, raised ? since_ms : *since, subject);

        change->has_notice = write_notice(alerts, box->id, template_of(alert, raised),
                                          (struct gk_bytes){(const uint8_t *)subject, size}, &change->notice);
        *since = since_ms;
    }
    change->commit.apply = apply_change;
    change->commit.done = on_changed;
    alerts->changing = true;
    alerts->writing++;
    gk_commit_start(alerts->parts.store, alerts->parts.mailbox, &change->commit);
}

void gk_box_alerts_look(struct gk_box_alerts *alerts)
{
    const int64_t now_ms = gk_clock_now_ms(&alerts->parts.clock);

    for (struct box *box = alerts->first; box != NULL && !alerts->changing && !alerts->closing;
         box = box->next) {
        if (box->record.heard_at_ms == 0) {
            start_change(alerts, box, GK_ALERT_COUNT, 0);
        }
        for (int alert = 0; alert < GK_ALERT_COUNT && !alerts->changing; alert++) {
            const int64_t since_ms = gk_box_alert_since_ms(&box->record, (enum gk_box_alert)alert);
            const int64_t wanted = wanted_ms(alerts, box, (enum gk_box_alert)alert, now_ms);

            if ((wanted == 0) != (since_ms == 0)) {
                start_change(alerts, box, alert, wanted);
            }
        }
    }
}

/* --- what boxes say --- */

static void take_zones(struct box *box, const guika_v1_HeartbeatRequest *heartbeat)
{
    memset(box->capacity, 0, sizeof box->capacity);
    memset(box->used, 0, sizeof box->used);
    for (size_t i = 0; i < heartbeat->zones_count; i++) {
        const guika_v1_Zone zone = heartbeat->zones[i].zone;

        if (zone == guika_v1_Zone_ZONE_NORMAL || zone == guika_v1_Zone_ZONE_DIFFICULT) {
            const unsigned index = zone == guika_v1_Zone_ZONE_NORMAL ? 0 : 1;

            box->told[index] = true;
            box->capacity[index] += heartbeat->zones[i].capacity;
            box->used[index] += heartbeat->zones[i].used;
        }
    }
}

void gk_box_alerts_heard(struct gk_box_alerts *alerts, const char *box_id,
                         const guika_v1_HeartbeatRequest *heartbeat)
{
    struct box *box = find(alerts, box_id);
    const int64_t now_ms = gk_clock_now_ms(&alerts->parts.clock);

    if (box == NULL) {
        box = add(alerts, box_id, strlen(box_id));
    }
    const bool gap = box->heard_at_ms == 0 || now_ms - box->heard_at_ms >= silence_ms(alerts);

    box->in_row = gap ? 1 : box->in_row + 1;
    box->heard_at_ms = now_ms;
    take_zones(box, heartbeat);
    gk_box_alerts_look(alerts);
}

int64_t gk_box_alerts_last_heard_ms(const struct gk_box_alerts *alerts, const char *box_id)
{
    const struct box *box = find(alerts, box_id);

    return box == NULL ? 0 : box->heard_at_ms;
}

/* --- a message of its own --- */

static enum gk_status apply_letter(struct gk_commit *commit, struct gk_transaction *transaction,
                                   struct gk_error *error)
{
    const struct letter *letter = gk_container_of(commit, struct letter, commit);

    return gk_outbox_add(transaction, &letter->notice, error);
}

static void on_letter(struct gk_commit *commit)
{
    struct letter *letter = gk_container_of(commit, struct letter, commit);
    struct gk_box_alerts *alerts = letter->alerts;

    alerts->writing--;
    if (commit->status != GK_OK) {
        gk_log(alerts->parts.log, GK_LOG_ERROR, "box_alert_not_written", {"box", letter->notice.box_id},
               {"why", commit->error.message});
    } else if (alerts->parts.on_notice_due != NULL) {
        alerts->parts.on_notice_due(alerts->parts.on_notice_due_context);
    }
    free(letter);
    end_where_idle(alerts);
}

void gk_box_alerts_needs_a_look(struct gk_box_alerts *alerts, const char *box_id, const uint8_t case_id[16])
{
    struct letter *letter = gk_allocate(sizeof *letter);

    if (alerts->closing ||
        !write_notice(alerts, box_id, GK_MESSAGE_BOX_LOOK, (struct gk_bytes){case_id, 16}, &letter->notice)) {
        free(letter);
        return;
    }
    letter->alerts = alerts;
    letter->commit.apply = apply_letter;
    letter->commit.done = on_letter;
    alerts->writing++;
    gk_commit_start(alerts->parts.store, alerts->parts.mailbox, &letter->commit);
}

/* --- its life --- */

static bool load_box(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct gk_box_alerts *alerts = context;
    const size_t prefix = sizeof GK_ALERT_PREFIX - 1;
    guika_v1_internal_BoxAlertRecord record = {0};

    if (gk_record_decode(value, guika_v1_internal_BoxAlertRecord_fields, &record, NULL) == GK_OK) {
        add(alerts, (const char *)key.data + prefix, key.size - prefix)->record = record;
    }
    return true;
}

static void on_turn(uv_timer_t *timer)
{
    gk_box_alerts_look(timer->data);
}

struct gk_box_alerts *gk_box_alerts_open(const struct gk_box_alerts_parts *parts)
{
    struct gk_error error;
    struct gk_box_alerts *alerts = gk_allocate(sizeof *alerts);
    const struct gk_bytes prefix = {(const uint8_t *)GK_ALERT_PREFIX, sizeof GK_ALERT_PREFIX - 1};
    const uint32_t half_ms = parts->heartbeat_ms / 2;
    const uint32_t turn_ms = half_ms < TURN_MIN_MS   ? TURN_MIN_MS
                             : half_ms > TURN_MAX_MS ? TURN_MAX_MS
                                                     : half_ms;

    alerts->parts = *parts;
    alerts->started_ms = gk_clock_now_ms(&parts->clock);
    if (gk_store_scan(parts->store, GK_FAMILY_META, prefix, (struct gk_bytes){NULL, 0}, false, load_box,
                      alerts, &error) != GK_OK) {
        gk_log(parts->log, GK_LOG_ERROR, "box_alerts_not_read", {"why", error.message});
    }
    (void)uv_timer_init(parts->loop, &alerts->turn);
    alerts->turn.data = alerts;
    (void)uv_timer_start(&alerts->turn, on_turn, turn_ms, turn_ms);
    return alerts;
}

void gk_box_alerts_close(struct gk_box_alerts *alerts, void (*on_closed)(void *context), void *context)
{
    if (alerts == NULL) {
        on_closed(context);
        return;
    }
    alerts->closing = true;
    alerts->on_closed = on_closed;
    alerts->on_closed_context = context;
    end_where_idle(alerts);
}

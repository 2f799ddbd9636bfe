/* OperatorService.ListBoxes: how the boxes are. */
#include "core/memory.h"
#include "core/services/operator_methods.h"
#include "core/store/record.h"
#include "core/task.h"

#include <stdio.h>
#include <string.h>

struct listing {
    struct gk_task task;
    struct gk_rpc_call *call;
    const struct gk_services *services;
    const guika_v1_ListBoxesRequest *request;
    guika_v1_ListBoxesResponse response;
    enum gk_status status;
    struct gk_error error;
};

static bool take_box(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct listing *listing = context;
    guika_v1_ListBoxesResponse *response = &listing->response;
    guika_v1_internal_BoxRecord *record = gk_allocate(sizeof *record);
    const char *after = listing->request->after_box_id;
    char box_id[33];

    (void)snprintf(box_id, sizeof box_id, "%.*s", (int)key.size, (const char *)key.data);
    const bool decoded = gk_record_decode(value, guika_v1_internal_BoxRecord_fields, record, NULL) == GK_OK;

    if (decoded && (after[0] == '\0' || strcmp(box_id, after) > 0)) {
        if (response->boxes_count == sizeof response->boxes / sizeof response->boxes[0]) {
            response->more = true;
        } else {
            guika_v1_BoxRow *row = &response->boxes[response->boxes_count++];

            memcpy(row->box_id, box_id, sizeof row->box_id);
            row->is_desk = record->is_desk;
            row->has_place = record->described.has_place;
            row->place = record->described.place;
        }
    }
    free(record);
    return !response->more;
}

static enum gk_status take_alerts(const struct listing *listing, guika_v1_BoxRow *row, struct gk_error *error)
{
    guika_v1_internal_BoxAlertRecord record = {0};
    char text[sizeof GK_ALERT_PREFIX + 32];
    const int length = snprintf(text, sizeof text, GK_ALERT_PREFIX "%s", row->box_id);
    const enum gk_status status = gk_record_read(listing->services->store, GK_FAMILY_META,
                                                 (struct gk_bytes){(const uint8_t *)text, (size_t)length},
                                                 guika_v1_internal_BoxAlertRecord_fields, &record, error);

    row->silent_since_ms = record.silent_since_ms;
    row->normal_full_since_ms = record.normal_full_since_ms;
    row->difficult_full_since_ms = record.difficult_full_since_ms;
    return status == GK_NOT_FOUND ? GK_OK : status;
}

/* [worker] */
static void run_listing(struct gk_task *task)
{
    struct listing *listing = gk_container_of(task, struct listing, task);
    const char *after = listing->request->after_box_id;
    const struct gk_bytes start = {(const uint8_t *)after, strlen(after)};

    listing->status = gk_store_scan(listing->services->store, GK_FAMILY_BOXES, (struct gk_bytes){NULL, 0},
                                    start, false, take_box, listing, &listing->error);
    for (size_t i = 0; listing->status == GK_OK && i < listing->response.boxes_count; i++) {
        listing->status = take_alerts(listing, &listing->response.boxes[i], &listing->error);
    }
}

static void take_latest(const struct gk_services *services, guika_v1_BoxRow *row)
{
    const guika_v1_HeartbeatRequest *latest = gk_boxes_latest(services->boxes, row->box_id);

    row->heard_at_ms = gk_box_alerts_last_heard_ms(services->alerts, row->box_id);
    row->grants = gk_grants_count(services->grants, row->box_id);
    if (latest != NULL) {
        memcpy(row->software, latest->software, sizeof row->software);
        row->spooled = latest->spooled;
        row->zones_count = latest->zones_count;
        memcpy(row->zones, latest->zones, sizeof row->zones);
    }
}

static void on_listed(struct gk_task *task)
{
    struct listing *listing = gk_container_of(task, struct listing, task);

    for (size_t i = 0; i < listing->response.boxes_count; i++) {
        take_latest(listing->services, &listing->response.boxes[i]);
    }
    if (listing->status != GK_OK) {
        gk_rpc_fail(listing->call, listing->status, "%s", listing->error.message);
    } else {
        guika_v1_operator_service_list_boxes_reply(listing->call, &listing->response);
    }
    free(listing);
}

void gk_operator_list_boxes(struct gk_rpc_call *call, const guika_v1_ListBoxesRequest *request, void *context)
{
    const struct gk_services *services = context;
    struct listing *listing = gk_allocate(sizeof *listing);

    listing->call = call;
    listing->services = services;
    listing->request = request;
    listing->task.run = run_listing;
    listing->task.done = on_listed;
    gk_task_start(services->loop, &listing->task);
}

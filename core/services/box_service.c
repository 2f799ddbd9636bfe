#include "core/memory.h"
#include "core/security/grant_key.h"
#include "core/services/box_methods.h"
#include "core/task.h"
#include "guika/v1/box.rpc.h"

#include <pb_decode.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* --- answers --- */

static void answer_confirm(struct gk_rpc_call *call)
{
    const guika_v1_ConfirmStoredResponse response = {0};

    guika_v1_box_service_confirm_stored_reply(call, &response);
}

static void answer_replayed_deposit(struct gk_rpc_call *call, const guika_v1_DepositResponse *answer)
{
    guika_v1_ReplayResponse response = {0};

    response.which_answer = guika_v1_ReplayResponse_deposit_tag;
    response.answer.deposit = *answer;
    guika_v1_box_service_replay_reply(call, &response);
}

static void answer_replayed_confirm(struct gk_rpc_call *call)
{
    guika_v1_ReplayResponse response = {0};

    response.which_answer = guika_v1_ReplayResponse_confirm_tag;
    guika_v1_box_service_replay_reply(call, &response);
}

/* --- calls of a box whose line is up --- */

static void on_deposit(struct gk_rpc_call *call, const guika_v1_DepositRequest *request, void *context)
{
    const struct gk_services *services = context;
    const struct gk_pipeline_call pipeline_call = {.call = call,
                                                   .answer_deposit = guika_v1_box_service_deposit_reply};

    gk_pipeline_deposit(services->pipeline, &pipeline_call, request);
}

static void on_add_frames(struct gk_rpc_call *call, const guika_v1_AddFramesRequest *request, void *context)
{
    const struct gk_services *services = context;
    const struct gk_pipeline_call pipeline_call = {.call = call,
                                                   .answer_deposit = guika_v1_box_service_add_frames_reply};

    gk_pipeline_add_frames(services->pipeline, &pipeline_call, request);
}

static void on_confirm_stored(struct gk_rpc_call *call, const guika_v1_ConfirmStoredRequest *request,
                              void *context)
{
    const struct gk_services *services = context;
    const struct gk_pipeline_call pipeline_call = {.call = call, .answer_confirm = answer_confirm};

    gk_pipeline_confirm(services->pipeline, &pipeline_call, request);
}

static void on_heartbeat(struct gk_rpc_call *call, const guika_v1_HeartbeatRequest *request, void *context)
{
    const struct gk_services *services = context;
    const char *box_id = gk_rpc_call_principal(call)->id;
    guika_v1_HeartbeatResponse response = {0};

    if (gk_boxes_heard(services->boxes, box_id, request)) {
        gk_log(services->log, GK_LOG_INFO, "box_heard", {"box", box_id}, {"software", request->software});
    }
    gk_box_alerts_heard(services->alerts, box_id, request);
    response.interval_ms = services->heartbeat_ms;
    response.time_ms = gk_clock_now_ms(&services->clock);
    gk_keys_spool_public(services->keys, response.spool_public_key);
    gk_keys_grant_public(services->keys, response.grant_public_key);
    response.grants_version = gk_grants_heard(services->grants, box_id);
    (void)snprintf(response.box_id, sizeof response.box_id, "%.32s", box_id);
    guika_v1_box_service_heartbeat_reply(call, &response);
}

static void on_list_grants(struct gk_rpc_call *call, const guika_v1_ListGrantsRequest *request, void *context)
{
    const struct gk_services *services = context;
    const struct gk_bytes after = {request->after_case_id.bytes, request->after_case_id.size};
    guika_v1_ListGrantsResponse *response = gk_allocate(sizeof *response);

    gk_grants_page(services->grants, gk_rpc_call_principal(call)->id, after, response);
    guika_v1_box_service_list_grants_reply(call, response);
    free(response);
}

/* --- a spool entry, sealed while the line was down --- */

struct replay {
    struct gk_task task;
    struct gk_rpc_call *call;
    const struct gk_services *services;
    const guika_v1_ReplayRequest *request;
    uint8_t *plain; /* the opened entry, into which `entry` views */
    size_t plain_size;
    guika_v1_SpoolEntry entry;
    enum gk_status status;
    struct gk_error error;
};

enum { SEALED_OVERHEAD = 48 /* bytes: crypto_box_seal's ephemeral key (32) and tag (16) */ };

static void free_replay(void *request)
{
    struct replay *replay = request;

    if (replay->plain != NULL) {
        sodium_memzero(replay->plain, replay->plain_size);
    }
    free(replay->plain);
    free(replay);
}

static const char *entry_deposit_id(const guika_v1_SpoolEntry *entry)
{
    switch (entry->which_entry) {
    case guika_v1_SpoolEntry_deposit_tag:
        return entry->entry.deposit.deposit_id;
    case guika_v1_SpoolEntry_confirm_tag:
        return entry->entry.confirm.deposit_id;
    case guika_v1_SpoolEntry_pickup_tag:
        return entry->entry.pickup.entry_id;
    default:
        return "";
    }
}

static enum gk_status open_entry(struct replay *replay)
{
    const struct gk_bytes sealed = replay->request->sealed;

    if (sealed.size <= SEALED_OVERHEAD) {
        return gk_error_set(&replay->error, GK_INVALID_ARGUMENT,
                            "sealed must be longer than %d bytes, not %zu", SEALED_OVERHEAD, sealed.size);
    }
    replay->plain_size = sealed.size - SEALED_OVERHEAD;
    replay->plain = gk_allocate(replay->plain_size);
    if (gk_keys_open_spooled(replay->services->keys, sealed, replay->plain, &replay->error) != GK_OK) {
        return gk_error_set(&replay->error, GK_INVALID_ARGUMENT,
                            "sealed was not sealed to this service's spool key");
    }
    pb_istream_t stream = pb_istream_from_buffer(replay->plain, replay->plain_size);

    if (!pb_decode(&stream, guika_v1_SpoolEntry_fields, &replay->entry)) {
        return gk_error_set(&replay->error, GK_INVALID_ARGUMENT, "sealed holds no SpoolEntry");
    }
    if (strcmp(entry_deposit_id(&replay->entry), replay->request->deposit_id) != 0) {
        return gk_error_set(&replay->error, GK_INVALID_ARGUMENT, "deposit_id is not the one that was sealed");
    }
    return GK_OK;
}

/* [worker] */
static void run_replay(struct gk_task *task)
{
    struct replay *replay = gk_container_of(task, struct replay, task);

    replay->status = open_entry(replay);
}

static void answer_replayed_pickup(struct gk_rpc_call *call, void *request)
{
    guika_v1_ReplayResponse response = {0};

    response.which_answer = guika_v1_ReplayResponse_pickup_tag;
    guika_v1_box_service_replay_reply(call, &response);
    free_replay(request);
}

static void on_opened(struct gk_task *task)
{
    struct replay *replay = gk_container_of(task, struct replay, task);
    struct gk_pipeline *pipeline = replay->services->pipeline;
    const struct gk_pipeline_call pipeline_call = {
        .call = replay->call,
        .answer_deposit = answer_replayed_deposit,
        .answer_confirm = answer_replayed_confirm,
        .release = free_replay,
        .request = replay,
        .replayed = true,
    };

    if (replay->status != GK_OK) {
        gk_rpc_fail(replay->call, replay->status, "%s", replay->error.message);
        free_replay(replay);
    } else if (replay->entry.which_entry == guika_v1_SpoolEntry_deposit_tag) {
        gk_pipeline_deposit(pipeline, &pipeline_call, &replay->entry.entry.deposit);
    } else if (replay->entry.which_entry == guika_v1_SpoolEntry_pickup_tag) {
        gk_box_merge_pickup(replay->call, replay->services, &replay->entry.entry.pickup,
                            answer_replayed_pickup, free_replay, replay);
    } else {
        gk_pipeline_confirm(pipeline, &pipeline_call, &replay->entry.entry.confirm);
    }
    gk_pipeline_announced(pipeline);
}

static void on_replay(struct gk_rpc_call *call, const guika_v1_ReplayRequest *request, void *context)
{
    const struct gk_services *services = context;
    struct replay *replay = gk_allocate(sizeof *replay);

    replay->call = call;
    replay->services = services;
    replay->request = request;
    replay->task.run = run_replay;
    replay->task.done = on_opened;
    gk_pipeline_announce(services->pipeline);
    gk_task_start(services->loop, &replay->task);
}

struct gk_rpc_binding gk_box_service(struct gk_services *services)
{
    static const struct guika_v1_box_service_handlers handlers = {
        .deposit = on_deposit,
        .add_frames = on_add_frames,
        .confirm_stored = on_confirm_stored,
        .replay = on_replay,
        .list_grants = on_list_grants,
        .heartbeat = on_heartbeat,
        .open_for_pickup = gk_box_open_for_pickup,
        .confirm_collected = gk_box_confirm_collected,
        .open_for_service = gk_box_open_for_service,
        .confirm_service = gk_box_confirm_service,
    };

    return (struct gk_rpc_binding){&guika_v1_box_service, &handlers, services};
}

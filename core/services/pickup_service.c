/* A holder at a box or at a desk: OpenForPickup, ConfirmCollected, HandOut. */
#include "core/memory.h"
#include "core/pickup.h"
#include "core/security/hex.h"
#include "core/services/box_methods.h"
#include "core/services/operator_methods.h"
#include "core/store/record.h"
#include "core/task.h"

#include <stdio.h>
#include <string.h>

enum { CONFIRM_WITHIN_MS = 10 * 60 * 1000 /* GK_OPENING_MS: the box is told what the clocks go by */ };

static struct gk_pickup_parts parts_of(const struct gk_services *services)
{
    return (struct gk_pickup_parts){services->store, services->keys, services->registry, services->retention};
}

/* --- entering a code --- */

struct entry {
    struct gk_task task;
    struct gk_rpc_call *call;
    const struct gk_services *services;
    struct gk_pickup_entry entered;
    char place[33];
    char actor[48];
    struct gk_pickup_answer answer;
    uint8_t case_id[GK_CASE_ID_SIZE];
    enum gk_status status;
    struct gk_error error;
};

/* [worker] */
static void run_entry(struct gk_task *task)
{
    struct entry *entry = gk_container_of(task, struct entry, task);
    const struct gk_pickup_parts parts = parts_of(entry->services);

    entry->status = gk_pickup_enter(&parts, &entry->entered, &entry->answer, entry->case_id, &entry->error);
}

/* Answers what did not open; true where something did. */
static bool is_right(const struct entry *entry)
{
    const struct gk_pickup_answer *answer = &entry->answer;

    if (entry->status != GK_OK) {
        gk_rpc_fail(entry->call, entry->status, "%s", entry->error.message);
        return false;
    }
    switch (answer->result) {
    case GK_PICKUP_WRONG:
        gk_rpc_fail(entry->call, GK_PERMISSION_DENIED, "the case number or the code is wrong");
        return false;
    case GK_PICKUP_WAIT:
        gk_rpc_fail_busy(entry->call, answer->wait_ms,
                         "too many wrong codes for this case; wait, or ask for another code");
        return false;
    case GK_PICKUP_RUN_OUT:
        gk_rpc_fail(entry->call, GK_FAILED_PRECONDITION, "this code has run out; ask for another");
        return false;
    default:
        return true;
    }
}

static struct entry *begin_entry(struct gk_rpc_call *call, const struct gk_services *services,
                                 void (*done)(struct gk_task *task))
{
    struct entry *entry = gk_allocate(sizeof *entry);

    entry->call = call;
    entry->services = services;
    entry->task.run = run_entry;
    entry->task.done = done;
    entry->entered.place = entry->place;
    entry->entered.actor = entry->actor;
    return entry;
}

static void on_opened(struct gk_task *task)
{
    struct entry *entry = gk_container_of(task, struct entry, task);
    guika_v1_OpenForPickupResponse response = {0};

    if (is_right(entry)) {
        gk_hex_encode(entry->case_id, GK_CASE_ID_SIZE, response.case_id);
        memcpy(response.compartment, entry->answer.compartment, sizeof response.compartment);
        response.fencing_token = entry->answer.fencing_token;
        response.confirm_within_ms = CONFIRM_WITHIN_MS;
        gk_log(entry->services->log, GK_LOG_INFO, "opened_for_pickup", {"box", entry->place},
               {"case", response.case_id});
        guika_v1_box_service_open_for_pickup_reply(entry->call, &response);
    }
    free(entry);
}

void gk_box_open_for_pickup(struct gk_rpc_call *call, const guika_v1_OpenForPickupRequest *request,
                            void *context)
{
    const struct gk_services *services = context;
    struct entry *entry = begin_entry(call, services, on_opened);

    (void)snprintf(entry->place, sizeof entry->place, "%.32s", gk_rpc_call_principal(call)->id);
    (void)snprintf(entry->actor, sizeof entry->actor, "box:%s", entry->place);
    entry->entered.case_number = request->case_number;
    entry->entered.code = request->code;
    entry->entered.typed_tail = request->telephone_tail;
    gk_task_start(services->loop, &entry->task);
}

static void on_handed_out(struct gk_task *task)
{
    struct entry *entry = gk_container_of(task, struct entry, task);
    const guika_v1_HandOutResponse response = {0};

    if (is_right(entry)) {
        guika_v1_operator_service_hand_out_reply(entry->call, &response);
    }
    free(entry);
}

void gk_operator_hand_out(struct gk_rpc_call *call, const guika_v1_HandOutRequest *request, void *context)
{
    const struct gk_services *services = context;
    struct entry *entry = begin_entry(call, services, on_handed_out);

    (void)snprintf(entry->place, sizeof entry->place, "%.32s", request->desk_id);
    (void)snprintf(entry->actor, sizeof entry->actor, "operator:%.38s", gk_rpc_call_principal(call)->id);
    entry->entered.at_desk = true;
    entry->entered.case_number = request->case_number;
    entry->entered.code = request->code;
    entry->entered.typed_tail = request->telephone_tail;
    gk_task_start(services->loop, &entry->task);
}

/* --- what came of an opening --- */

struct collecting {
    struct gk_task task;
    struct gk_rpc_call *call;
    const struct gk_services *services;
    const guika_v1_ConfirmCollectedRequest *request;
    char box_id[33];
    uint8_t case_id[GK_CASE_ID_SIZE];
    enum gk_status status;
    struct gk_error error;
};

static enum gk_status apply_collected(void *context, struct gk_transaction *transaction,
                                      struct gk_error *error)
{
    struct collecting *collecting = context;

    return gk_found_card_collected(transaction, collecting->box_id, collecting->request, collecting->case_id,
                                   error);
}

/* [worker] */
static void run_collecting(struct gk_task *task)
{
    struct collecting *collecting = gk_container_of(task, struct collecting, task);
    const struct gk_services *services = collecting->services;
    struct gk_error error;

    collecting->status =
        gk_store_commit_and_wait(services->store, apply_collected, collecting, &collecting->error);
    if (collecting->status == GK_OK &&
        collecting->request->outcome == guika_v1_ConfirmCollectedRequest_Outcome_COLLECTED &&
        gk_picture_vault_erase(services->vault, collecting->case_id, &error) != GK_OK) {
        /* The card's record wants no picture any more: the next start unlinks it. */
        gk_log(services->log, GK_LOG_WARNING, "pictures_not_erased", {"why", error.message});
    }
}

static void on_collected(struct gk_task *task)
{
    struct collecting *collecting = gk_container_of(task, struct collecting, task);
    const guika_v1_ConfirmCollectedResponse response = {0};

    if (collecting->status != GK_OK) {
        gk_rpc_fail(collecting->call, collecting->status, "%s", collecting->error.message);
    } else {
        guika_v1_box_service_confirm_collected_reply(collecting->call, &response);
    }
    free(collecting);
}

void gk_box_confirm_collected(struct gk_rpc_call *call, const guika_v1_ConfirmCollectedRequest *request,
                              void *context)
{
    const struct gk_services *services = context;

    if (request->outcome < guika_v1_ConfirmCollectedRequest_Outcome_COLLECTED ||
        request->outcome > guika_v1_ConfirmCollectedRequest_Outcome_UNCERTAIN) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT,
                    "outcome must be COLLECTED, NOT_OPENED, CARD_INSIDE or UNCERTAIN");
        return;
    }
    struct collecting *collecting = gk_allocate(sizeof *collecting);

    collecting->call = call;
    collecting->services = services;
    collecting->request = request;
    (void)snprintf(collecting->box_id, sizeof collecting->box_id, "%.32s", gk_rpc_call_principal(call)->id);
    collecting->task.run = run_collecting;
    collecting->task.done = on_collected;
    gk_task_start(services->loop, &collecting->task);
}

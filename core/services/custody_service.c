/* Custody for operators: AddDesk, AddStaff, MoveCard, ReissueCode, CloseCard. */
#include "core/case_number.h"
#include "core/found_card_custody.h"
#include "core/found_card_pickup.h"
#include "core/memory.h"
#include "core/services/operator_methods.h"
#include "core/store/record.h"
#include "core/task.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static void operator_actor(const struct gk_rpc_call *call, char ret_actor[49])
{
    (void)snprintf(ret_actor, 49, "operator:%.38s", gk_rpc_call_principal(call)->id);
}

/* --- AddDesk: a place that holders are told of, in the family of boxes --- */

struct desk {
    struct gk_task task;
    enum gk_status status;
    struct gk_error error;
    struct gk_rpc_call *call;
    const struct gk_services *services;
    const guika_v1_AddDeskRequest *request;
};

static void describe(guika_v1_AddBoxRequest *described, const guika_v1_AddDeskRequest *request)
{
    memcpy(described->box_id, request->desk_id, sizeof described->box_id);
    described->has_place = request->has_place;
    described->place = request->place;
    memcpy(described->map_url, request->map_url, sizeof described->map_url);
    described->has_opening_hours = request->has_opening_hours;
    described->opening_hours = request->opening_hours;
    described->has_collecting = request->has_collecting;
    described->collecting = request->collecting;
}

static enum gk_status apply_desk(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct desk *desk = context;
    const char *id = desk->request->desk_id;
    const struct gk_bytes key = {(const uint8_t *)id, strlen(id)};
    guika_v1_internal_BoxRecord record = {.is_desk = true, .has_described = true};
    struct gk_value before = {NULL, 0};
    const enum gk_status status = gk_transaction_get(transaction, GK_FAMILY_BOXES, key, &before, error);
    char actor[49];

    gk_value_free(&before);
    if (status == GK_OK) {
        return gk_error_set(error, GK_ALREADY_EXISTS, "there is a box or a desk \"%s\" already", id);
    }
    if (status != GK_NOT_FOUND) {
        return status;
    }
    describe(&record.described, desk->request);
    record.added_at_ms = gk_transaction_now_ms(transaction);
    operator_actor(desk->call, actor);
    gk_transaction_audit(transaction, actor, "desk.add", key, "");
    return gk_record_put(transaction, GK_FAMILY_BOXES, key, guika_v1_internal_BoxRecord_fields, &record,
                         error);
}

/* [worker] */
static void run_desk(struct gk_task *task)
{
    struct desk *desk = gk_container_of(task, struct desk, task);

    desk->status = gk_store_commit_and_wait(desk->services->store, apply_desk, desk, &desk->error);
}

static void on_desk_added(struct gk_task *task)
{
    struct desk *desk = gk_container_of(task, struct desk, task);
    const guika_v1_AddDeskResponse response = {0};

    if (desk->status != GK_OK) {
        gk_rpc_fail(desk->call, desk->status, "%s", desk->error.message);
    } else {
        guika_v1_operator_service_add_desk_reply(desk->call, &response);
    }
    free(desk);
}

void gk_operator_add_desk(struct gk_rpc_call *call, const guika_v1_AddDeskRequest *request, void *context)
{
    const struct gk_services *services = context;

    if (!gk_services_is_name(request->desk_id)) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "desk_id must be 1 to 32 characters of [A-Za-z0-9._-]");
        return;
    }
    if (request->place.zh[0] == '\0' && request->place.en[0] == '\0') {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT,
                    "place must be given in Chinese or English: holders are told it");
        return;
    }
    struct desk *desk = gk_allocate(sizeof *desk);

    desk->call = call;
    desk->services = services;
    desk->request = request;
    desk->task.run = run_desk;
    desk->task.done = on_desk_added;
    gk_task_start(services->loop, &desk->task);
}

/* --- AddStaff --- */

struct staff {
    struct gk_task task;
    enum gk_status status;
    struct gk_error error;
    struct gk_rpc_call *call;
    const struct gk_services *services;
    struct gk_principal principal;
    char token[GK_CREDENTIAL_SIZE];
    uint8_t hash[GK_TOKEN_SIZE];
};

static enum gk_status apply_staff(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct staff *staff = context;
    guika_v1_internal_CredentialRecord record = {.role = (uint32_t)staff->principal.role};
    char actor[49];

    operator_actor(staff->call, actor);
    gk_transaction_audit(transaction, actor, "staff.add",
                         (struct gk_bytes){(const uint8_t *)staff->principal.id, strlen(staff->principal.id)},
                         "");
    record.issued_at_ms = gk_transaction_now_ms(transaction);
    (void)snprintf(record.id, sizeof record.id, "%s", staff->principal.id);
    return gk_record_put(transaction, GK_FAMILY_CREDENTIALS,
                         (struct gk_bytes){staff->hash, sizeof staff->hash},
                         guika_v1_internal_CredentialRecord_fields, &record, error);
}

/* [worker] */
static void run_staff(struct gk_task *task)
{
    struct staff *staff = gk_container_of(task, struct staff, task);

    staff->status = gk_store_commit_and_wait(staff->services->store, apply_staff, staff, &staff->error);
}

static void on_staff_added(struct gk_task *task)
{
    struct staff *staff = gk_container_of(task, struct staff, task);
    guika_v1_AddStaffResponse response = {0};

    if (staff->status != GK_OK) {
        gk_rpc_fail(staff->call, staff->status, "%s", staff->error.message);
    } else {
        gk_credentials_add(staff->services->credentials, staff->hash, &staff->principal);
        (void)snprintf(response.token, sizeof response.token, "%s", staff->token);
        guika_v1_operator_service_add_staff_reply(staff->call, &response);
    }
    sodium_memzero(&response, sizeof response);
    sodium_memzero(staff->token, sizeof staff->token);
    free(staff);
}

void gk_operator_add_staff(struct gk_rpc_call *call, const guika_v1_AddStaffRequest *request, void *context)
{
    const struct gk_services *services = context;

    if (!gk_services_is_name(request->staff_id)) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "staff_id must be 1 to 32 characters of [A-Za-z0-9._-]");
        return;
    }
    struct staff *staff = gk_allocate(sizeof *staff);

    staff->call = call;
    staff->services = services;
    staff->principal.role = GK_ROLE_STAFF;
    (void)snprintf(staff->principal.id, sizeof staff->principal.id, "%s", request->staff_id);
    gk_credential_make("staff", staff->token);
    gk_keys_credential_hash(services->keys, staff->token, staff->hash);
    staff->task.run = run_staff;
    staff->task.done = on_staff_added;
    gk_task_start(services->loop, &staff->task);
}

/* --- MoveCard, ReissueCode, CloseCard: one transition of one case --- */

struct change {
    struct gk_task task;
    struct gk_rpc_call *call;
    const struct gk_services *services;
    const char *case_number;
    enum gk_status (*apply)(void *context, struct gk_transaction *transaction, struct gk_error *error);
    void (*reply)(struct gk_rpc_call *call);
    char actor[49];
    uint8_t case_id[GK_CASE_ID_SIZE];
    guika_v1_internal_Place place;            /* of a move */
    const guika_v1_CloseCardRequest *closing; /* else NULL */
    enum gk_status status;
    struct gk_error error;
};

struct neighbour {
    const struct change *change;
    bool found;
};

/* Keys end with the case id. */
static bool look_at_neighbour(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct neighbour *neighbour = context;
    const struct change *change = neighbour->change;
    const struct gk_bytes case_id = {key.data + key.size - GK_CASE_ID_SIZE, GK_CASE_ID_SIZE};
    guika_v1_internal_FoundCard card = {0};

    (void)value;
    neighbour->found = memcmp(case_id.data, change->case_id, GK_CASE_ID_SIZE) != 0 &&
                       gk_record_read(change->services->store, GK_FAMILY_FOUND_CARDS, case_id,
                                      guika_v1_internal_FoundCard_fields, &card, NULL) == GK_OK &&
                       card.place.kind == guika_v1_internal_Place_Kind_PLACE_COMPARTMENT &&
                       strcmp(card.place.compartment, change->place.compartment) == 0;
    return !neighbour->found;
}

/* Who opens a compartment must find one card in it: their own. */
static enum gk_status check_compartment(const struct change *change, struct gk_error *error)
{
    struct neighbour neighbour = {change, false};
    uint8_t prefix[GK_PLACE_KEY_SIZE];
    const size_t size = gk_found_card_place_key(change->place.location, NULL, prefix);
    const enum gk_status status =
        gk_store_scan(change->services->store, GK_FAMILY_BY_PLACE, (struct gk_bytes){prefix, size},
                      (struct gk_bytes){NULL, 0}, false, look_at_neighbour, &neighbour, error);

    return status == GK_OK && neighbour.found
               ? gk_error_set(error, GK_FAILED_PRECONDITION, "there is a card in that compartment already")
               : status;
}

/* A card is moved to a box or a desk that there is: its holder is told where that stands. */
static enum gk_status check_place(const struct change *change, struct gk_error *error)
{
    const guika_v1_internal_Place *place = &change->place;
    const bool at_desk = place->kind == guika_v1_internal_Place_Kind_PLACE_DESK;
    guika_v1_internal_BoxRecord record = {0};
    enum gk_status status;

    if (!at_desk && place->kind != guika_v1_internal_Place_Kind_PLACE_COMPARTMENT &&
        place->kind != guika_v1_internal_Place_Kind_PLACE_DIFFICULT_BIN) {
        return GK_OK;
    }
    status = gk_record_read(change->services->store, GK_FAMILY_BOXES,
                            (struct gk_bytes){(const uint8_t *)place->location, strlen(place->location)},
                            guika_v1_internal_BoxRecord_fields, &record, error);
    if (status == GK_NOT_FOUND || (status == GK_OK && record.is_desk != at_desk)) {
        return gk_error_set(error, GK_FAILED_PRECONDITION, "there is no %s \"%s\"", at_desk ? "desk" : "box",
                            place->location);
    }
    if (status == GK_OK && place->kind == guika_v1_internal_Place_Kind_PLACE_COMPARTMENT) {
        return check_compartment(change, error);
    }
    return status;
}

/* [worker] */
static void run_change(struct gk_task *task)
{
    struct change *change = gk_container_of(task, struct change, task);
    const struct gk_services *services = change->services;

    change->status =
        gk_case_number_find(services->store, change->case_number, change->case_id, &change->error);
    if (change->status == GK_OK) {
        change->status = check_place(change, &change->error);
    }
    if (change->status == GK_OK) {
        change->status = gk_store_commit_and_wait(services->store, change->apply, change, &change->error);
    }
    if (change->status == GK_OK && change->closing != NULL &&
        gk_picture_vault_erase(services->vault, change->case_id, &change->error) != GK_OK) {
        /* The card's record wants no picture any more: the next start unlinks it. */
        gk_log(services->log, GK_LOG_WARNING, "pictures_not_erased", {"why", change->error.message});
    }
}

static void on_changed(struct gk_task *task)
{
    struct change *change = gk_container_of(task, struct change, task);

    if (change->status != GK_OK) {
        gk_rpc_fail(change->call, change->status, "%s", change->error.message);
    } else {
        change->services->on_notice_due(change->services->on_notice_due_context);
        change->reply(change->call);
    }
    free(change);
}

static struct change *begin_change(struct gk_rpc_call *call, const struct gk_services *services,
                                   const char *case_number)
{
    struct change *change = gk_allocate(sizeof *change);

    change->call = call;
    change->services = services;
    change->case_number = case_number;
    operator_actor(call, change->actor);
    change->task.run = run_change;
    change->task.done = on_changed;
    return change;
}

static enum gk_status apply_move(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct change *change = context;

    return gk_found_card_move(transaction, change->services->keys, change->actor, change->case_id,
                              &change->place, change->services->retention->code_ms, error);
}

static void reply_moved(struct gk_rpc_call *call)
{
    const guika_v1_MoveCardResponse response = {0};

    guika_v1_operator_service_move_card_reply(call, &response);
}

/* The kinds that staff carry cards to; the numbers of both enums are the same. */
static bool is_carried_to(guika_v1_PlaceKind kind)
{
    return kind == guika_v1_PlaceKind_PLACE_KIND_COMPARTMENT || kind == guika_v1_PlaceKind_PLACE_KIND_BIN ||
           (kind >= guika_v1_PlaceKind_PLACE_KIND_BAG && kind <= guika_v1_PlaceKind_PLACE_KIND_ISSUER);
}

void gk_operator_move_card(struct gk_rpc_call *call, const guika_v1_MoveCardRequest *request, void *context)
{
    const bool in_box = request->place == guika_v1_PlaceKind_PLACE_KIND_COMPARTMENT ||
                        request->place == guika_v1_PlaceKind_PLACE_KIND_BIN;
    const struct gk_services *services = context;

    if (!is_carried_to(request->place)) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "place must be COMPARTMENT, BIN, BAG, DEPOT, DESK or ISSUER");
        return;
    }
    if (!gk_services_is_name(request->location) || (in_box && !gk_services_is_name(request->compartment))) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT,
                    "location, and in a box compartment, must be 1 to 32 characters of [A-Za-z0-9._-]");
        return;
    }
    struct change *change = begin_change(call, services, request->case_number);

    change->apply = apply_move;
    change->reply = reply_moved;
    change->place.kind = (guika_v1_internal_Place_Kind)request->place;
    (void)snprintf(change->place.location, sizeof change->place.location, "%s", request->location);
    if (in_box) {
        (void)snprintf(change->place.compartment, sizeof change->place.compartment, "%s",
                       request->compartment);
        change->place.zone = request->place == guika_v1_PlaceKind_PLACE_KIND_BIN
                                 ? guika_v1_Zone_ZONE_DIFFICULT
                                 : guika_v1_Zone_ZONE_NORMAL;
    }
    gk_task_start(services->loop, &change->task);
}

static enum gk_status apply_reissue(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct change *change = context;

    return gk_found_card_reissue(transaction, change->services->keys, change->actor, change->case_id,
                                 change->services->retention->code_ms, error);
}

static void reply_reissued(struct gk_rpc_call *call)
{
    const guika_v1_ReissueCodeResponse response = {0};

    guika_v1_operator_service_reissue_code_reply(call, &response);
}

void gk_operator_reissue_code(struct gk_rpc_call *call, const guika_v1_ReissueCodeRequest *request,
                              void *context)
{
    const struct gk_services *services = context;
    struct change *change = begin_change(call, services, request->case_number);

    change->apply = apply_reissue;
    change->reply = reply_reissued;
    gk_task_start(services->loop, &change->task);
}

static enum gk_status apply_close(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct change *change = context;

    return gk_found_card_end(transaction, change->actor, change->case_id, change->closing->state,
                             change->closing->location, error);
}

static void reply_closed(struct gk_rpc_call *call)
{
    const guika_v1_CloseCardResponse response = {0};

    guika_v1_operator_service_close_card_reply(call, &response);
}

void gk_operator_close_card(struct gk_rpc_call *call, const guika_v1_CloseCardRequest *request, void *context)
{
    const struct gk_services *services = context;

    if (request->state < guika_v1_CardState_CARD_STATE_RETURNED ||
        request->state > guika_v1_CardState_CARD_STATE_DESTROYED) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "state must be RETURNED, HANDED_OVER or DESTROYED");
        return;
    }
    if (gk_services_is_name(request->location) ==
        (request->state == guika_v1_CardState_CARD_STATE_DESTROYED)) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT,
                    "location says to whom, 1 to 32 characters of [A-Za-z0-9._-]; not with DESTROYED");
        return;
    }
    struct change *change = begin_change(call, services, request->case_number);

    change->apply = apply_close;
    change->reply = reply_closed;
    change->closing = request;
    gk_task_start(services->loop, &change->task);
}

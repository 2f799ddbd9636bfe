/* Staff at a box: OpenForService lists what lies in it, ConfirmService moves what they took into a bag. */
#include "core/found_card_custody.h"
#include "core/memory.h"
#include "core/security/hex.h"
#include "core/services/box_methods.h"
#include "core/store/record.h"
#include "core/task.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

enum { PAGE = 200 };

/* Who stands at the box: an operator or service staff, by the credential that they show to the box. */
static bool admit(struct gk_rpc_call *call, const struct gk_services *services, const char *credential,
                  char ret_actor[48])
{
    struct gk_principal principal = {0};

    if (!gk_credentials_authenticate(services->credentials, credential, &principal) ||
        (principal.role != GK_ROLE_OPERATOR && principal.role != GK_ROLE_STAFF)) {
        gk_rpc_fail(call, GK_PERMISSION_DENIED, "credential is not that of an operator or of service staff");
        return false;
    }
    (void)snprintf(ret_actor, 48, "%s:%.38s", principal.role == GK_ROLE_STAFF ? "staff" : "operator",
                   principal.id);
    return true;
}

/* --- OpenForService --- */

struct opening {
    struct gk_task task;
    struct gk_rpc_call *call;
    const struct gk_services *services;
    char box_id[33];
    char actor[48];
    uint8_t after[GK_PLACE_KEY_SIZE];
    size_t after_size;
    guika_v1_OpenForServiceResponse response;
    enum gk_status status;
    struct gk_error error;
};

static guika_v1_ServiceItem_Why why_take(const guika_v1_internal_FoundCard *card)
{
    const bool in_bin = card->place.kind == guika_v1_internal_Place_Kind_PLACE_DIFFICULT_BIN;

    if (card->place.kind == guika_v1_internal_Place_Kind_PLACE_JAMMED) {
        return guika_v1_ServiceItem_Why_JAMMED_CARD;
    }
    if (card->place.uncertain) {
        return guika_v1_ServiceItem_Why_UNCERTAIN_PLACE;
    }
    switch (card->state) {
    case guika_v1_CardState_CARD_STATE_DIFFICULT:
        return guika_v1_ServiceItem_Why_DIFFICULT_CARD;
    case guika_v1_CardState_CARD_STATE_EXPIRED:
        return guika_v1_ServiceItem_Why_EXPIRED_CARD;
    default:
        return in_bin ? guika_v1_ServiceItem_Why_WRONG_ZONE : guika_v1_ServiceItem_Why_WHY_UNSPECIFIED;
    }
}

/* Keys end with the case id. */
static bool list_one(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct opening *opening = context;
    guika_v1_OpenForServiceResponse *response = &opening->response;
    guika_v1_internal_FoundCard card = {0};

    (void)value;
    if (key.size == opening->after_size && memcmp(key.data, opening->after, key.size) == 0) {
        return true;
    }
    if (response->items_count == PAGE) {
        response->more = true;
        return false;
    }
    if (gk_record_read(opening->services->store, GK_FAMILY_FOUND_CARDS,
                       (struct gk_bytes){key.data + key.size - GK_CASE_ID_SIZE, GK_CASE_ID_SIZE},
                       guika_v1_internal_FoundCard_fields, &card, NULL) == GK_OK) {
        guika_v1_ServiceItem *item = &response->items[response->items_count++];

        gk_hex_encode(card.case_id, GK_CASE_ID_SIZE, item->case_id);
        memcpy(item->compartment, card.place.compartment, sizeof item->compartment);
        item->zone = card.place.zone;
        item->take = why_take(&card);
    }
    return true;
}

static enum gk_status apply_audit(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct opening *opening = context;

    (void)error;
    gk_transaction_audit(transaction, opening->actor, "box.open_for_service",
                         (struct gk_bytes){(const uint8_t *)opening->box_id, strlen(opening->box_id)}, "");
    return GK_OK;
}

/* [worker] The first page is the opening: it is audited before the box hears of it. */
static void run_opening(struct gk_task *task)
{
    struct opening *opening = gk_container_of(task, struct opening, task);
    uint8_t prefix[GK_PLACE_KEY_SIZE];
    const size_t size = gk_found_card_place_key(opening->box_id, NULL, prefix);

    if (opening->after_size == 0) {
        opening->status =
            gk_store_commit_and_wait(opening->services->store, apply_audit, opening, &opening->error);
    }
    if (opening->status == GK_OK) {
        opening->status =
            gk_store_scan(opening->services->store, GK_FAMILY_BY_PLACE, (struct gk_bytes){prefix, size},
                          (struct gk_bytes){opening->after, opening->after_size}, false, list_one, opening,
                          &opening->error);
    }
}

static void on_opened(struct gk_task *task)
{
    struct opening *opening = gk_container_of(task, struct opening, task);

    if (opening->status != GK_OK) {
        gk_rpc_fail(opening->call, opening->status, "%s", opening->error.message);
    } else {
        gk_log(opening->services->log, GK_LOG_INFO, "opened_for_service", {"box", opening->box_id},
               {"by", opening->actor});
        guika_v1_box_service_open_for_service_reply(opening->call, &opening->response);
    }
    free(opening);
}

void gk_box_open_for_service(struct gk_rpc_call *call, const guika_v1_OpenForServiceRequest *request,
                             void *context)
{
    const struct gk_services *services = context;
    uint8_t after[GK_CASE_ID_SIZE];
    char actor[48];

    if (!admit(call, services, request->credential, actor)) {
        return;
    }
    if (request->after_case_id[0] != '\0' && !gk_hex_decode(request->after_case_id, after, GK_CASE_ID_SIZE)) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "after_case_id must be a case id of the page before");
        return;
    }
    struct opening *opening = gk_allocate(sizeof *opening);

    opening->call = call;
    opening->services = services;
    memcpy(opening->actor, actor, sizeof actor);
    (void)snprintf(opening->box_id, sizeof opening->box_id, "%.32s", gk_rpc_call_principal(call)->id);
    if (request->after_case_id[0] != '\0') {
        opening->after_size = gk_found_card_place_key(opening->box_id, after, opening->after);
    }
    opening->task.run = run_opening;
    opening->task.done = on_opened;
    gk_task_start(services->loop, &opening->task);
}

/* --- ConfirmService --- */

struct taking {
    struct gk_task task;
    struct gk_rpc_call *call;
    const struct gk_services *services;
    const guika_v1_ConfirmServiceRequest *request;
    char box_id[33];
    char actor[48];
    uint8_t case_id[GK_CASE_ID_SIZE]; /* of the one that is moved now */
    enum gk_status status;
    struct gk_error error;
};

/* What lies in this box goes into the bag; what is in the bag already stays. */
static enum gk_status apply_taking(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct taking *taking = context;
    guika_v1_internal_Place bag = {.kind = guika_v1_internal_Place_Kind_PLACE_BAG};
    guika_v1_internal_FoundCard card = {0};
    const enum gk_status status =
        gk_record_get(transaction, GK_FAMILY_FOUND_CARDS, (struct gk_bytes){taking->case_id, GK_CASE_ID_SIZE},
                      guika_v1_internal_FoundCard_fields, &card, error);

    (void)snprintf(bag.location, sizeof bag.location, "%s", taking->request->bag);
    if (status == GK_NOT_FOUND || (status == GK_OK && strcmp(card.indexed_place, taking->box_id) != 0 &&
                                   strcmp(card.indexed_place, bag.location) != 0)) {
        return gk_error_set(error, GK_FAILED_PRECONDITION, "there is a case that does not lie in this box");
    }
    return status != GK_OK
               ? status
               : gk_found_card_move(transaction, taking->services->keys, taking->actor, taking->case_id, &bag,
                                    taking->services->retention->code_ms, error);
}

/* [worker] Each move is a transition of its own; where one fails, those before it stand, and the call is made
 * again. */
static void run_taking(struct gk_task *task)
{
    struct taking *taking = gk_container_of(task, struct taking, task);

    for (size_t i = 0; i < taking->request->case_ids_count && taking->status == GK_OK; i++) {
        if (!gk_hex_decode(taking->request->case_ids[i], taking->case_id, GK_CASE_ID_SIZE)) {
            taking->status = gk_error_set(&taking->error, GK_INVALID_ARGUMENT,
                                          "case_ids must be those that OpenForService gave");
        } else {
            taking->status =
                gk_store_commit_and_wait(taking->services->store, apply_taking, taking, &taking->error);
        }
    }
}

static void on_taken(struct gk_task *task)
{
    struct taking *taking = gk_container_of(task, struct taking, task);
    const guika_v1_ConfirmServiceResponse response = {0};

    if (taking->status != GK_OK) {
        gk_rpc_fail(taking->call, taking->status, "%s", taking->error.message);
    } else {
        guika_v1_box_service_confirm_service_reply(taking->call, &response);
    }
    free(taking);
}

void gk_box_confirm_service(struct gk_rpc_call *call, const guika_v1_ConfirmServiceRequest *request,
                            void *context)
{
    const struct gk_services *services = context;
    char actor[48];

    if (!admit(call, services, request->credential, actor)) {
        return;
    }
    if (!gk_services_is_name(request->bag)) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "bag must be 1 to 32 characters of [A-Za-z0-9._-]");
        return;
    }
    struct taking *taking = gk_allocate(sizeof *taking);

    taking->call = call;
    taking->services = services;
    taking->request = request;
    memcpy(taking->actor, actor, sizeof actor);
    (void)snprintf(taking->box_id, sizeof taking->box_id, "%.32s", gk_rpc_call_principal(call)->id);
    taking->task.run = run_taking;
    taking->task.done = on_taken;
    gk_task_start(services->loop, &taking->task);
}

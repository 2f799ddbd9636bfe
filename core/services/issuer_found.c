#include "core/services/issuer_found.h"

#include "core/found_card_issuer.h"
#include "core/memory.h"
#include "core/notification/messages.h"
#include "core/pickup.h"
#include "core/security/hex.h"
#include "core/store/record.h"
#include "core/task.h"
#include "guika/v1/issuer.rpc.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One AcknowledgeFound or DecideFound on its way. */
struct saying {
    struct gk_task task;
    struct gk_rpc_call *call;
    struct gk_services *services;
    guika_v1_IssuerDecision decision; /* UNSPECIFIED: an acknowledgement */
    uint8_t case_id[GK_CASE_ID_SIZE];
    char issuer_id[33];
    guika_v1_internal_FoundCard card;
    guika_v1_DecideFoundResponse response;
    enum gk_status status;
    struct gk_error error;
};

void gk_issuer_on_next_found(struct gk_rpc_call *call, const guika_v1_NextFoundRequest *request,
                             void *context)
{
    struct gk_services *services = context;

    gk_issuer_queue_next(services->issuer_queue, call, request);
}

static enum gk_status apply_saying(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct saying *saying = context;

    return saying->decision == guika_v1_IssuerDecision_ISSUER_DECISION_UNSPECIFIED
               ? gk_found_card_acknowledge(transaction, saying->issuer_id, saying->case_id, error)
               : gk_found_card_issuer_decide(transaction, saying->issuer_id, saying->case_id,
                                             saying->decision, &saying->card, error);
}

static enum gk_status fill_place(struct saying *saying, const char *place_id)
{
    guika_v1_internal_BoxRecord box = guika_v1_internal_BoxRecord_init_zero;
    guika_v1_DecideFoundResponse *response = &saying->response;
    const enum gk_status status =
        gk_record_read(saying->services->store, GK_FAMILY_BOXES,
                       (struct gk_bytes){(const uint8_t *)place_id, strlen(place_id)},
                       guika_v1_internal_BoxRecord_fields, &box, &saying->error);

    if (status == GK_OK) {
        memcpy(response->place_zh, box.described.place.zh, sizeof response->place_zh);
        memcpy(response->place_en, box.described.place.en, sizeof response->place_en);
        memcpy(response->opening_hours_zh, box.described.opening_hours.zh, sizeof response->opening_hours_zh);
        memcpy(response->opening_hours_en, box.described.opening_hours.en, sizeof response->opening_hours_en);
    }
    return status == GK_NOT_FOUND ? GK_OK : status;
}

/* What the issuer tells its customer: the code in force, and where and when it is good. */
static enum gk_status relay(struct saying *saying)
{
    const struct gk_services *services = saying->services;
    const struct gk_pickup_parts parts = {services->store, services->keys, services->registry,
                                          services->retention};
    guika_v1_internal_HolderContacts holder = guika_v1_internal_HolderContacts_init_zero;
    struct gk_outbox_pickup pickup = {0};
    enum gk_status status = gk_registry_holder(services->registry, saying->issuer_id,
                                               saying->card.holder_token.bytes, &holder, &saying->error);

    if (status == GK_OK || status == GK_NOT_FOUND) {
        status = gk_pickup_tell(&parts, saying->case_id, &holder, &pickup, &saying->error);
    }
    if (status == GK_OK) {
        gk_message_case_number(saying->case_id, saying->response.case_number);
        memcpy(saying->response.pickup_code, pickup.code, sizeof pickup.code);
        saying->response.code_expires_at_ms = pickup.expires_at_ms;
        saying->response.needs_telephone_tail = pickup.tail_digits != 0;
        status = fill_place(saying, pickup.place_id);
    }
    sodium_memzero(&holder, sizeof holder);
    sodium_memzero(&pickup, sizeof pickup);
    return status;
}

/* [worker] */
static void run_saying(struct gk_task *task)
{
    struct saying *saying = gk_container_of(task, struct saying, task);

    saying->status = gk_store_commit_and_wait(saying->services->store, apply_saying, saying, &saying->error);
    saying->response.state = saying->card.state;
    if (saying->status == GK_OK && saying->decision == guika_v1_IssuerDecision_ISSUER_DECISION_RELAY) {
        saying->status = relay(saying);
    }
}

static void on_said(struct gk_task *task)
{
    struct saying *saying = gk_container_of(task, struct saying, task);

    if (saying->status != GK_OK) {
        gk_rpc_fail(saying->call, saying->status, "%s", saying->error.message);
    } else if (saying->decision == guika_v1_IssuerDecision_ISSUER_DECISION_UNSPECIFIED) {
        const guika_v1_AcknowledgeFoundResponse response = {0};

        guika_v1_issuer_service_acknowledge_found_reply(saying->call, &response);
    } else {
        guika_v1_issuer_service_decide_found_reply(saying->call, &saying->response);
    }
    sodium_memzero(&saying->response, sizeof saying->response);
    free(saying);
}

static void say(struct gk_rpc_call *call, struct gk_services *services, const char *case_id,
                guika_v1_IssuerDecision decision)
{
    struct saying *saying = gk_allocate(sizeof *saying);

    if (strlen(case_id) != 2 * GK_CASE_ID_SIZE || !gk_hex_decode(case_id, saying->case_id, GK_CASE_ID_SIZE)) {
        free(saying);
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "case_id must be one that NextFound gave: %d characters",
                    2 * GK_CASE_ID_SIZE);
        return;
    }
    saying->call = call;
    saying->services = services;
    saying->decision = decision;
    (void)snprintf(saying->issuer_id, sizeof saying->issuer_id, "%.32s", gk_rpc_call_principal(call)->id);
    saying->task.run = run_saying;
    saying->task.done = on_said;
    gk_task_start(services->loop, &saying->task);
}

void gk_issuer_on_acknowledge_found(struct gk_rpc_call *call, const guika_v1_AcknowledgeFoundRequest *request,
                                    void *context)
{
    say(call, context, request->case_id, guika_v1_IssuerDecision_ISSUER_DECISION_UNSPECIFIED);
}

void gk_issuer_on_decide_found(struct gk_rpc_call *call, const guika_v1_DecideFoundRequest *request,
                               void *context)
{
    if (request->decision < guika_v1_IssuerDecision_ISSUER_DECISION_RELAY ||
        request->decision > guika_v1_IssuerDecision_ISSUER_DECISION_DESTROY) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "decision must be RELAY, RETURN or DESTROY");
        return;
    }
    say(call, context, request->case_id, request->decision);
}

/* --- cancelled cards --- */

struct cases {
    uint8_t (*items)[GK_CASE_ID_SIZE];
    size_t count;
};

/* Keys end with the case id. */
static bool collect_case(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct cases *cases = context;
    uint8_t(*items)[GK_CASE_ID_SIZE] = realloc(cases->items, (cases->count + 1) * sizeof *items);

    (void)value;
    if (items == NULL) {
        abort();
    }
    cases->items = items;
    memcpy(items[cases->count++], key.data + key.size - GK_CASE_ID_SIZE, GK_CASE_ID_SIZE);
    return true;
}

struct cancelling {
    const char *issuer_id;
    const uint8_t *case_id;
};

static enum gk_status apply_cancel(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct cancelling *cancelling = context;

    return gk_found_card_cancel(transaction, cancelling->issuer_id, cancelling->case_id, error);
}

enum gk_status gk_issuer_cancel_found(struct gk_services *services, const char *issuer_id,
                                      const uint8_t card_token[GK_TOKEN_SIZE], struct gk_error *error)
{
    struct cases cases = {NULL, 0};
    enum gk_status status =
        gk_store_scan(services->store, GK_FAMILY_FOUND_BY_CARD, (struct gk_bytes){card_token, GK_TOKEN_SIZE},
                      (struct gk_bytes){NULL, 0}, false, collect_case, &cases, error);

    for (size_t i = 0; status == GK_OK && i < cases.count; i++) {
        struct cancelling cancelling = {issuer_id, cases.items[i]};

        status = gk_store_commit_and_wait(services->store, apply_cancel, &cancelling, error);
    }
    free(cases.items);
    return status;
}

/* Boxes, holders in front of them, and couriers. */
#include "core/store/record.h"
#include "guika/v1/box.rpc.h"
#include "guika/v1/operator.rpc.h"
#include "tests/core/life_model/driver.h"

#include "core/security/hex.h"

#include <string.h>

/* --- deposits --- */

struct dropping {
    struct gk_rpc_client *client;
    guika_v1_DepositRequest request;
    guika_v1_DepositResponse answer;
    enum gk_status status;
    struct gk_error error;
};

static void fill_frame(guika_v1_Frame *frame, char *picture, size_t size, const char *what, uint32_t name)
{
    (void)snprintf(picture, size, "%s %u", what, name);
    *frame = (guika_v1_Frame){.side = guika_v1_Side_SIDE_FRONT, .lamp = guika_v1_Lamp_LAMP_DIFFUSE};
    frame->picture = (struct gk_bytes){(const uint8_t *)picture, strlen(picture)};
}

static void *drop(void *context)
{
    struct dropping *dropping = context;

    dropping->status = guika_v1_box_service_deposit(dropping->client, &driver_patience, &dropping->request,
                                                    &dropping->answer, &dropping->error);
    return NULL;
}

static void prepare(struct dropping *dropping, struct gk_rpc_client *client, uint32_t name, char *picture,
                    const char *what)
{
    *dropping = (struct dropping){.client = client};
    (void)snprintf(dropping->request.deposit_id, sizeof dropping->request.deposit_id, "d%u", name);
    dropping->request.frames_count = 1;
    fill_frame(&dropping->request.frames[0], picture, 32, what, name);
}

static enum gk_status note(struct driver *driver, const struct dropping *dropping, uint32_t name,
                           uint32_t box)
{
    struct driver_card *card = driver_add(driver, name, box);

    driver->error = dropping->error;
    return dropping->status == GK_OK &&
                   !gk_hex_decode(dropping->answer.case_id, card->case_id, GK_CASE_ID_SIZE)
               ? DRIVER_ODD
               : dropping->status;
}

static enum gk_status deposit(struct driver *driver, const struct operation *operation)
{
    char picture[32];
    struct dropping dropping;

    prepare(&dropping, driver->boxes[operation->box], 2 * operation->id, picture, "frame");
    (void)drop(&dropping);
    return note(driver, &dropping, 2 * operation->id, operation->box);
}

/* Two calls at the same time: of two boxes, or of one box twice. */
static enum gk_status deposit_at_once(struct driver *driver, const struct operation *operation)
{
    const bool race = operation->kind == OP_DEPOSIT_RACE;
    const uint32_t name = 2 * operation->id;
    char pictures[2][32];
    struct dropping first;
    struct dropping second;
    pthread_t thread;
    struct gk_rpc_client *other =
        core_rig_connect(&driver->rig, GK_ROLE_BOX, world_box((operation->box + (race ? 0 : 1)) % BOXES));

    prepare(&first, driver->boxes[operation->box], name, pictures[0], "frame");
    prepare(&second, other, race ? name : name + 1, pictures[1], "frame");
    driver_must(driver, pthread_create(&thread, NULL, drop, &second) == 0, "no thread");
    (void)drop(&first);
    (void)pthread_join(thread, NULL);
    gk_rpc_client_close(other);
    const enum gk_status status = note(driver, &first, name, operation->box);

    if (status != GK_OK || race) {
        return status != GK_OK || strcmp(first.answer.case_id, second.answer.case_id) == 0 ? status
                                                                                           : DRIVER_ODD;
    }
    return note(driver, &second, name + 1, operation->box + 1);
}

/* A repeated deposit is the same case. */
static enum gk_status deposit_again(struct driver *driver, const struct operation *operation,
                                    const struct driver_card *card)
{
    char picture[32];
    char case_id[33];
    struct dropping dropping;

    prepare(&dropping, driver->boxes[card->box], card->name, picture,
            operation->what == 1 ? "other" : "frame");
    (void)drop(&dropping);
    driver->error = dropping.error;
    driver_case_number(card, case_id);
    return dropping.status == GK_OK && strcmp(case_id, dropping.answer.case_id) != 0 ? DRIVER_ODD
                                                                                     : dropping.status;
}

static enum gk_status add_frames(struct driver *driver, const struct driver_card *card)
{
    guika_v1_AddFramesRequest request = {.sequence = 1, .frames_count = 1};
    guika_v1_DepositResponse answer = {0};
    char picture[32];

    (void)snprintf(request.deposit_id, sizeof request.deposit_id, "d%u", card->name);
    fill_frame(&request.frames[0], picture, sizeof picture, "more", card->name);
    request.frames[0].lamp = guika_v1_Lamp_LAMP_LEFT;
    return guika_v1_box_service_add_frames(driver->boxes[card->box], &driver_patience, &request, &answer,
                                           &driver->error);
}

static enum gk_status store(struct driver *driver, const struct operation *operation,
                            const struct driver_card *card)
{
    guika_v1_ConfirmStoredRequest request = {.outcome =
                                                 (guika_v1_ConfirmStoredRequest_Outcome)operation->what};
    guika_v1_ConfirmStoredResponse response = {0};

    (void)snprintf(request.deposit_id, sizeof request.deposit_id, "d%u", card->name);
    if (request.outcome == guika_v1_ConfirmStoredRequest_Outcome_STORED) {
        request.zone = (guika_v1_Zone)operation->where;
        (void)snprintf(request.compartment, sizeof request.compartment, "N%u", card->name);
    }
    return guika_v1_box_service_confirm_stored(driver->boxes[card->box], &driver_patience, &request,
                                               &response, &driver->error);
}

static enum gk_status heartbeat(struct driver *driver, const struct operation *operation)
{
    guika_v1_HeartbeatRequest request = {.zones_count = 2, .cameras_count = 1};
    guika_v1_HeartbeatResponse response = {0};

    request.can_give_back = (operation->what & BOX_GIVES_BACK) != 0;
    request.zones[0] = (guika_v1_HeartbeatRequest_ZoneFill){ZONE_NORMAL, 9, 0};
    request.zones[1] = (guika_v1_HeartbeatRequest_ZoneFill){ZONE_BIN, 9, 0};
    request.zones[0].used = (operation->what & BOX_NORMAL_FULL) != 0 ? 9 : 0;
    request.zones[1].used = (operation->what & BOX_BIN_FULL) != 0 ? 9 : 0;
    request.cameras[0].side = guika_v1_Side_SIDE_FRONT;
    request.cameras[0].lamps[request.cameras[0].lamps_count++] = guika_v1_Lamp_LAMP_DIFFUSE;
    if ((operation->what & BOX_HAS_LAMPS) != 0) {
        request.cameras[0].lamps[request.cameras[0].lamps_count++] = guika_v1_Lamp_LAMP_LEFT;
    }
    return guika_v1_box_service_heartbeat(driver->boxes[operation->box], &driver_patience, &request,
                                          &response, &driver->error);
}

enum gk_status driver_box(struct driver *driver, const struct operation *operation)
{
    const struct driver_card *card = driver_find(driver, operation->card);

    switch (operation->kind) {
    case OP_DEPOSIT:
        return deposit(driver, operation);
    case OP_DEPOSIT_TWO:
    case OP_DEPOSIT_RACE:
        return deposit_at_once(driver, operation);
    case OP_DEPOSIT_AGAIN:
        return deposit_again(driver, operation, card);
    case OP_ADD_FRAMES:
        return add_frames(driver, card);
    case OP_STORE:
        return store(driver, operation, card);
    default:
        return heartbeat(driver, operation);
    }
}

/* --- holders --- */

static guika_v1_internal_FoundCard card_of(const struct driver *driver, const struct driver_card *card)
{
    guika_v1_internal_FoundCard found = {0};

    (void)gk_record_read(driver->rig.store, GK_FAMILY_FOUND_CARDS,
                         (struct gk_bytes){card->case_id, GK_CASE_ID_SIZE},
                         guika_v1_internal_FoundCard_fields, &found, NULL);
    return found;
}

static enum gk_status open_box(struct driver *driver, const struct operation *operation,
                               struct driver_card *card)
{
    const guika_v1_internal_FoundCard found = card_of(driver, card);
    const bool in_box = found.place.kind == IN_COMPARTMENT;
    guika_v1_OpenForPickupRequest request = {0};
    guika_v1_OpenForPickupResponse response = {0};
    uint32_t box = operation->where % BOXES;

    for (uint32_t i = 0; i < BOXES && in_box; i++) {
        if (strcmp(gk_found_card_place_id(&found), world_box(i)) == 0) {
            box = (i + operation->where) % BOXES;
        }
    }
    driver_case_number(card, request.case_number);
    (void)snprintf(request.code, sizeof request.code, "%s", operation->right ? card->code : "00000000");
    (void)snprintf(request.telephone_tail, sizeof request.telephone_tail, "%s", card->tail);
    const enum gk_status status = guika_v1_box_service_open_for_pickup(driver->boxes[box], &driver_patience,
                                                                       &request, &response, &driver->error);

    if (status == GK_OK) {
        if (response.fencing_token <= card->fencing_token ||
            strcmp(response.compartment, found.place.compartment) != 0) {
            return DRIVER_ODD;
        }
        card->fencing_token = response.fencing_token;
        card->opening_box = box;
    }
    return status;
}

static enum gk_status hand_out(struct driver *driver, const struct operation *operation,
                               const struct driver_card *card)
{
    const guika_v1_internal_FoundCard found = card_of(driver, card);
    guika_v1_HandOutRequest request = {0};
    guika_v1_HandOutResponse response = {0};

    (void)snprintf(request.desk_id, sizeof request.desk_id, "%s",
                   found.place.kind == AT_DESK ? found.place.location : "desk-0");
    driver_case_number(card, request.case_number);
    (void)snprintf(request.code, sizeof request.code, "%s", operation->right ? card->code : "00000000");
    (void)snprintf(request.telephone_tail, sizeof request.telephone_tail, "%s", card->tail);
    return guika_v1_operator_service_hand_out(driver->operators[0], &driver_patience, &request, &response,
                                              &driver->error);
}

enum gk_status driver_pickup(struct driver *driver, const struct operation *operation)
{
    struct driver_card *card = driver_find(driver, operation->card);
    guika_v1_ConfirmCollectedRequest request = {.outcome =
                                                    (guika_v1_ConfirmCollectedRequest_Outcome)operation->what,
                                                .fencing_token = card->fencing_token};
    guika_v1_ConfirmCollectedResponse response = {0};

    switch (operation->kind) {
    case OP_PICKUP:
        return open_box(driver, operation, card);
    case OP_HAND_OUT:
        return hand_out(driver, operation, card);
    default:
        return guika_v1_box_service_confirm_collected(driver->boxes[card->opening_box], &driver_patience,
                                                      &request, &response, &driver->error);
    }
}

/* --- the courier --- */

static const char *field_of(const guika_v1_internal_LeaseNoticeResponse *notice, const char *name)
{
    for (size_t i = 0; i < notice->fields_count; i++) {
        if (strcmp(notice->fields[i].name, name) == 0) {
            return notice->fields[i].value;
        }
    }
    return "";
}

/* The channel has it; what it had before under the same id it drops. */
static void reach(const struct driver *driver, struct driver_card *card, const uint8_t *notice_id)
{
    const char *code = field_of(driver->notice, "code");

    if (code[0] != '\0') {
        (void)snprintf(card->code, sizeof card->code, "%.8s", code);
        (void)snprintf(card->tail, sizeof card->tail, "%.4s", strlen(code) == 8 ? "" : world_telephone_end);
    }
    for (uint32_t i = 0; i < card->message_count; i++) {
        if (memcmp(card->messages[i], notice_id, 16) == 0) {
            return;
        }
    }
    memcpy(card->messages[card->message_count++ % MESSAGES_MAX], notice_id, 16);
}

struct settling {
    struct driver *driver;
    struct gk_outbox_attempt attempt;
};

static enum gk_status apply_settle(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct settling *settling = context;

    return gk_outbox_settle(&settling->driver->outbox, transaction, &settling->attempt, error);
}

static enum gk_status complete(struct driver *driver, struct settling *settling, uint32_t what)
{
    struct gk_outbox_attempt *attempt = &settling->attempt;

    attempt->retry_after_ms = 24 * 3600 * 1000; /* the longest wait: nothing is left to chance */
    attempt->outcome = what == COURIER_DELIVERS ? guika_v1_internal_CompleteNoticeRequest_Outcome_DELIVERED
                       : what == COURIER_IS_REFUSED
                           ? guika_v1_internal_CompleteNoticeRequest_Outcome_REFUSED
                           : guika_v1_internal_CompleteNoticeRequest_Outcome_TRY_LATER;
    return gk_store_commit_and_wait(driver->rig.store, apply_settle, settling, &driver->error);
}

enum gk_status driver_courier(struct driver *driver, const struct operation *operation, bool *ret_did)
{
    struct driver_card *card = driver_find(driver, operation->card);
    const guika_v1_internal_FoundCard found =
        card == NULL ? (guika_v1_internal_FoundCard){.state = 0} : card_of(driver, card);
    const int64_t now_ms = atomic_load(&driver->rig.now_ms);
    struct settling settling = {.driver = driver};

    *ret_did = false;
    if (card == NULL || found.notice_id.size == 0) {
        return GK_OK;
    }
    memset(driver->notice, 0, sizeof *driver->notice);
    const enum gk_outbox_prepared prepared = gk_outbox_prepare(
        &driver->outbox, found.notice_id.bytes, now_ms, driver->notice, &settling.attempt, &driver->error);

    *ret_did = prepared != GK_OUTBOX_STALE;
    if (prepared != GK_OUTBOX_READY) {
        return prepared == GK_OUTBOX_FAILED ? DRIVER_ODD : GK_OK;
    }
    if (operation->what == COURIER_DELIVERS || operation->what == COURIER_DIES) {
        reach(driver, card, found.notice_id.bytes);
    }
    return operation->what == COURIER_DIES ? GK_OK : complete(driver, &settling, operation->what);
}

/* Staff, operators, holders and issuers. */
#include "core/found_card_claim.h"
#include "core/store/record.h"
#include "guika/v1/box.rpc.h"
#include "guika/v1/issuer.rpc.h"
#include "guika/v1/operator.rpc.h"
#include "tests/core/life_model/driver.h"

#include "core/security/hex.h"

#include <stdlib.h>
#include <string.h>

/* --- staff --- */

static enum gk_status confirm_service(struct driver *driver, uint32_t box,
                                      guika_v1_ConfirmServiceRequest *request)
{
    guika_v1_ConfirmServiceResponse response = {0};

    (void)snprintf(request->credential, sizeof request->credential, "%s", driver->staff);
    (void)snprintf(request->bag, sizeof request->bag, "%s", world_place(IN_BAG, 0));
    return guika_v1_box_service_confirm_service(driver->boxes[box], &driver_patience, request, &response,
                                                &driver->error);
}

/* Takes along what the box says. */
static enum gk_status serve(struct driver *driver, uint32_t box)
{
    guika_v1_OpenForServiceRequest request = {0};
    guika_v1_OpenForServiceResponse *response = calloc(1, sizeof *response);
    guika_v1_ConfirmServiceRequest *taken = calloc(1, sizeof *taken);
    enum gk_status status;

    (void)snprintf(request.credential, sizeof request.credential, "%s", driver->staff);
    do {
        memset(response, 0, sizeof *response);
        memset(taken, 0, sizeof *taken);
        status = guika_v1_box_service_open_for_service(driver->boxes[box], &driver_patience, &request,
                                                       response, &driver->error);
        for (size_t i = 0; i < response->items_count; i++) {
            memcpy(request.after_case_id, response->items[i].case_id, sizeof request.after_case_id);
            if (response->items[i].take != guika_v1_ServiceItem_Why_WHY_UNSPECIFIED) {
                memcpy(taken->case_ids[taken->case_ids_count++], response->items[i].case_id,
                       sizeof taken->case_ids[0]);
            }
        }
        if (status == GK_OK && taken->case_ids_count > 0) {
            status = confirm_service(driver, box, taken);
        }
    } while (status == GK_OK && response->more);
    free(taken);
    free(response);
    return status;
}

static uint32_t box_of(struct driver *driver, const struct driver_card *card, uint32_t otherwise)
{
    guika_v1_ShowCardRequest request = {0};
    guika_v1_ShowCardResponse shown = {0};

    driver_case_number(card, request.case_number);
    if (guika_v1_operator_service_show_card(driver->operators[0], &driver_patience, &request, &shown,
                                            &driver->error) == GK_OK) {
        for (uint32_t i = 0; i < BOXES; i++) {
            if (strcmp(shown.location, world_box(i)) == 0) {
                return i;
            }
        }
    }
    return otherwise;
}

static enum gk_status take(struct driver *driver, const struct operation *operation,
                           const struct driver_card *card)
{
    guika_v1_ConfirmServiceRequest request = {.case_ids_count = 1};

    driver_case_number(card, request.case_ids[0]);
    return confirm_service(driver, box_of(driver, card, operation->box), &request);
}

/* A planted fault: the notice that the move made is lost. */
static enum gk_status apply_drop(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const guika_v1_internal_FoundCard *found = context;

    return gk_outbox_cancel(transaction, found->notice_id.bytes, error);
}

static enum gk_status drop_notice(struct driver *driver, const struct driver_card *card)
{
    guika_v1_internal_FoundCard found = {0};
    const struct gk_bytes key = {card->case_id, GK_CASE_ID_SIZE};
    const enum gk_status status = gk_record_read(driver->rig.store, GK_FAMILY_FOUND_CARDS, key,
                                                 guika_v1_internal_FoundCard_fields, &found, &driver->error);

    return status != GK_OK || found.notice_id.size == 0
               ? status
               : gk_store_commit_and_wait(driver->rig.store, apply_drop, &found, &driver->error);
}

static enum gk_status move(struct driver *driver, const struct operation *operation,
                           const struct driver_card *card)
{
    const guika_v1_internal_Place_Kind place = (guika_v1_internal_Place_Kind)operation->what;
    guika_v1_MoveCardRequest request = {.place = (guika_v1_PlaceKind)operation->what};
    guika_v1_MoveCardResponse response = {0};

    driver_case_number(card, request.case_number);
    (void)snprintf(request.location, sizeof request.location, "%s", world_place(place, operation->where));
    if (place == IN_COMPARTMENT) {
        (void)snprintf(request.compartment, sizeof request.compartment, "M%u",
                       1 + operation->where / BOXES % 3);
    } else if (place == IN_BIN) {
        (void)snprintf(request.compartment, sizeof request.compartment, "M1");
    }
    const enum gk_status status = guika_v1_operator_service_move_card(driver->operators[0], &driver_patience,
                                                                      &request, &response, &driver->error);

    return status == GK_OK && driver->fault == FAULT_DROPS_MOVED_NOTICE ? drop_notice(driver, card) : status;
}

static enum gk_status close_card(struct driver *driver, const struct operation *operation,
                                 const struct driver_card *card)
{
    guika_v1_CloseCardRequest request = {.state = (guika_v1_CardState)operation->what};
    guika_v1_CloseCardResponse response = {0};

    driver_case_number(card, request.case_number);
    if (request.state != DESTROYED) {
        (void)snprintf(request.location, sizeof request.location, "%s",
                       request.state == RETURNED ? "bank" : "police-0");
    }
    return guika_v1_operator_service_close_card(driver->operators[0], &driver_patience, &request, &response,
                                                &driver->error);
}

static enum gk_status reissue(struct driver *driver, const struct driver_card *card)
{
    guika_v1_ReissueCodeRequest request = {0};
    guika_v1_ReissueCodeResponse response = {0};

    driver_case_number(card, request.case_number);
    return guika_v1_operator_service_reissue_code(driver->operators[0], &driver_patience, &request, &response,
                                                  &driver->error);
}

/* What the holder's page does once a contact is proven. */
static enum gk_status apply_give_up(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    return gk_found_card_give_up(transaction, ((const struct driver_card *)context)->case_id, error);
}

/* --- difficult cards --- */

static enum gk_status resolve(struct driver *driver, const struct operation *operation,
                              const struct driver_card *card)
{
    guika_v1_ResolveRequest request = {0};
    guika_v1_ResolveResponse *response = calloc(1, sizeof *response);

    driver_case_number(card, request.case_id);
    (void)snprintf(request.number, sizeof request.number, "%s", world_numbers[operation->reading].number);
    const enum gk_status status = guika_v1_operator_service_resolve(
        driver->operators[operation->what % OPERATORS], &driver_patience, &request, response, &driver->error);

    free(response);
    return status;
}

static enum gk_status retry(struct driver *driver, const struct driver_card *card)
{
    guika_v1_DifficultCaseRequest request = {0};
    guika_v1_ResolveResponse *response = calloc(1, sizeof *response);

    driver_case_number(card, request.case_id);
    const enum gk_status status = guika_v1_operator_service_retry(driver->operators[0], &driver_patience,
                                                                  &request, response, &driver->error);

    free(response);
    return status;
}

static enum gk_status leave(struct driver *driver, const struct operation *operation,
                            const struct driver_card *card)
{
    guika_v1_DifficultCaseRequest discarded = {0};
    guika_v1_HandToIssuerRequest handed = {0};
    guika_v1_CloseCaseResponse response = {0};

    driver_case_number(card, discarded.case_id);
    driver_case_number(card, handed.case_id);
    if (operation->what == 1) {
        (void)snprintf(handed.issuer_id, sizeof handed.issuer_id, "bank");
    }
    return operation->kind == OP_DISCARD
               ? guika_v1_operator_service_discard(driver->operators[0], &driver_patience, &discarded,
                                                   &response, &driver->error)
               : guika_v1_operator_service_hand_to_issuer(driver->operators[0], &driver_patience, &handed,
                                                          &response, &driver->error);
}

static enum gk_status view(struct driver *driver, const struct driver_card *card)
{
    guika_v1_GetPictureRequest request = {0};
    guika_v1_GetPictureResponse response = {0};

    driver_case_number(card, request.case_id);
    return guika_v1_operator_service_get_picture(driver->viewer, &driver_patience, &request, &response,
                                                 &driver->error);
}

enum gk_status driver_people(struct driver *driver, const struct operation *operation)
{
    struct driver_card *card = driver_find(driver, operation->card);

    switch (operation->kind) {
    case OP_SERVICE:
        return serve(driver, operation->box);
    case OP_TAKE:
        return take(driver, operation, card);
    case OP_MOVE:
        return move(driver, operation, card);
    case OP_CLOSE:
        return close_card(driver, operation, card);
    case OP_REISSUE:
        return reissue(driver, card);
    case OP_GIVE_UP:
        return gk_store_commit_and_wait(driver->rig.store, apply_give_up, card, &driver->error);
    case OP_RESOLVE:
        return resolve(driver, operation, card);
    case OP_RETRY:
        return retry(driver, card);
    case OP_VIEW:
        return view(driver, card);
    default:
        return leave(driver, operation, card);
    }
}

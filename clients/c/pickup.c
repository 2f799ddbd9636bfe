/* The box maker's calls for who stands at the box: a holder, or staff. */
#include "clients/c/box.h"
#include "clients/c/convert.h"
#include "clients/c/retry.h"
#include "guika/client.h"
#include "guika/v1/box.rpc.h"

#include <stdlib.h>
#include <string.h>

static enum gk_status copy(const char *what, const char *text, char *ret_field, size_t size,
                           struct gk_error *error)
{
    const size_t length = text == NULL ? 0 : strlen(text);

    if (length >= size) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "%s has at most %zu characters, not %zu", what,
                            size - 1, length);
    }
    memcpy(ret_field, text == NULL ? "" : text, length + 1);
    return GK_OK;
}

enum guika_code guika_box_open_for_pickup(struct guika_box *box, const char *case_number, const char *code,
                                          const char *telephone_tail, uint32_t deadline_ms,
                                          struct guika_pickup *ret_pickup, struct guika_failure *failure)
{
    struct gk_error error = {0};
    guika_v1_OpenForPickupRequest request = {0};
    guika_v1_OpenForPickupResponse response = {0};
    enum gk_status status =
        copy("case_number", case_number, request.case_number, sizeof request.case_number, &error);

    if (status == GK_OK) {
        status = copy("code", code, request.code, sizeof request.code, &error);
    }
    if (status == GK_OK) {
        status = copy("telephone_tail", telephone_tail, request.telephone_tail, sizeof request.telephone_tail,
                      &error);
    }
    if (status == GK_OK) {
        status = gk_retry_call(box->client, &guika_v1_box_service_open_for_pickup_method, deadline_ms,
                               &request, &response, &error);
    }
    if (status == GK_OK) {
        memcpy(ret_pickup->case_id, response.case_id, sizeof ret_pickup->case_id);
        memcpy(ret_pickup->compartment, response.compartment, sizeof ret_pickup->compartment);
        ret_pickup->fencing_token = response.fencing_token;
        ret_pickup->confirm_within_ms = response.confirm_within_ms;
    }
    return gk_convert_failure(status, &error, failure);
}

enum guika_code guika_box_confirm_collected(struct guika_box *box, uint64_t fencing_token,
                                            enum guika_collected outcome, uint32_t deadline_ms,
                                            struct guika_failure *failure)
{
    struct gk_error error = {0};
    const guika_v1_ConfirmCollectedRequest request = {
        .fencing_token = fencing_token, .outcome = (guika_v1_ConfirmCollectedRequest_Outcome)outcome};
    guika_v1_ConfirmCollectedResponse response = {0};

    return gk_convert_failure(gk_retry_call(box->client, &guika_v1_box_service_confirm_collected_method,
                                            deadline_ms, &request, &response, &error),
                              &error, failure);
}

static void hand_over_items(const guika_v1_OpenForServiceResponse *response,
                            void (*visit)(void *context, const struct guika_service_item *item),
                            void *context)
{
    for (size_t i = 0; i < response->items_count; i++) {
        const guika_v1_ServiceItem *item = &response->items[i];
        struct guika_service_item shown = {.zone = (enum guika_zone)item->zone,
                                           .take = (enum guika_take)item->take};

        memcpy(shown.case_id, item->case_id, sizeof shown.case_id);
        memcpy(shown.compartment, item->compartment, sizeof shown.compartment);
        visit(context, &shown);
    }
}

enum guika_code
guika_box_open_for_service(struct guika_box *box, const char *credential, uint32_t deadline_ms,
                           void (*visit)(void *context, const struct guika_service_item *item), void *context,
                           struct guika_failure *failure)
{
    struct gk_error error = {0};
    guika_v1_OpenForServiceRequest request = {0};
    guika_v1_OpenForServiceResponse *response = calloc(1, sizeof *response);

    if (response == NULL) {
        return gk_convert_failure(gk_error_set(&error, GK_INTERNAL, "no memory for a list"), &error, failure);
    }
    enum gk_status status =
        copy("credential", credential, request.credential, sizeof request.credential, &error);
    bool more = status == GK_OK;

    while (more) {
        status = gk_retry_call(box->client, &guika_v1_box_service_open_for_service_method, deadline_ms,
                               &request, response, &error);
        more = status == GK_OK && response->more && response->items_count > 0;
        if (status == GK_OK) {
            hand_over_items(response, visit, context);
        }
        if (more) {
            memcpy(request.after_case_id, response->items[response->items_count - 1].case_id,
                   sizeof request.after_case_id);
        }
    }
    free(response);
    return gk_convert_failure(status, &error, failure);
}

enum guika_code guika_box_confirm_service(struct guika_box *box, const char *credential, const char *bag,
                                          const char *case_id, uint32_t deadline_ms,
                                          struct guika_failure *failure)
{
    struct gk_error error = {0};
    guika_v1_ConfirmServiceResponse response = {0};
    guika_v1_ConfirmServiceRequest *request = calloc(1, sizeof *request);

    if (request == NULL) {
        return gk_convert_failure(gk_error_set(&error, GK_INTERNAL, "no memory for a request"), &error,
                                  failure);
    }
    enum gk_status status =
        copy("credential", credential, request->credential, sizeof request->credential, &error);

    if (status == GK_OK) {
        status = copy("bag", bag, request->bag, sizeof request->bag, &error);
    }
    if (status == GK_OK) {
        status = copy("case_id", case_id, request->case_ids[0], sizeof request->case_ids[0], &error);
        request->case_ids_count = 1;
    }
    if (status == GK_OK) {
        status = gk_retry_call(box->client, &guika_v1_box_service_confirm_service_method, deadline_ms,
                               request, &response, &error);
    }
    if (status == GK_OK) {
        status = gk_box_offline_void(box, case_id, &error);
    }
    free(request);
    return gk_convert_failure(status, &error, failure);
}

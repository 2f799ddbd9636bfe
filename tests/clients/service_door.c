/* What the clients' test service answers about doors and grants. */
#include "tests/clients/service_internal.h"

#include <stdio.h>
#include <string.h>

/* One grant a page, so that pages are needed. */
void gk_test_service_on_list_grants(struct gk_rpc_call *call, const guika_v1_ListGrantsRequest *request,
                                    void *context)
{
    struct gk_test_service *service = context;
    guika_v1_ListGrantsResponse response = {0};
    size_t next = 0;

    (void)pthread_mutex_lock(&service->mutex);
    if (request->after_case_id.size > 0) {
        while (next < service->grants.grants_count &&
               memmem(service->grants.grants[next].grant.bytes, service->grants.grants[next].grant.size,
                      request->after_case_id.bytes, request->after_case_id.size) == NULL) {
            next++;
        }
        next++;
    }
    response.version = service->grants_version;
    if (next < service->grants.grants_count) {
        response.grants[response.grants_count++] = service->grants.grants[next];
    }
    response.more = next + 1 < service->grants.grants_count;
    (void)pthread_mutex_unlock(&service->mutex);
    guika_v1_box_service_list_grants_reply(call, &response);
}

void gk_test_service_on_open_for_pickup(struct gk_rpc_call *call,
                                        const guika_v1_OpenForPickupRequest *request, void *context)
{
    struct gk_test_service *service = context;

    if (!gk_test_service_fails(service, call)) {
        guika_v1_OpenForPickupResponse response = {.fencing_token = 42, .confirm_within_ms = 1000};

        gk_test_service_note(service, "open %s", request->case_number);
        (void)snprintf(response.case_id, sizeof response.case_id, "%.8s%024d", request->case_number, 0);
        strcpy(response.compartment, "N01");
        guika_v1_box_service_open_for_pickup_reply(call, &response);
    }
}

void gk_test_service_on_confirm_collected(struct gk_rpc_call *call,
                                          const guika_v1_ConfirmCollectedRequest *request, void *context)
{
    struct gk_test_service *service = context;

    if (!gk_test_service_fails(service, call)) {
        const guika_v1_ConfirmCollectedResponse response = {0};

        gk_test_service_note(service, "collected %u %d", (unsigned)request->fencing_token,
                             (int)request->outcome);
        guika_v1_box_service_confirm_collected_reply(call, &response);
    }
}

void gk_test_service_grant(struct gk_test_service *service, const uint8_t key[32], uint64_t version,
                           const guika_v1_SignedGrant *grants, size_t count)
{
    (void)pthread_mutex_lock(&service->mutex);
    memcpy(service->grant_key, key, sizeof service->grant_key);
    service->grants_version = version;
    service->grants.grants_count = (pb_size_t)count;
    memcpy(service->grants.grants, grants, count * sizeof *grants);
    (void)pthread_mutex_unlock(&service->mutex);
}

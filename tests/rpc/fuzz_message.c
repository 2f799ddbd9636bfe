/* What strangers send: header, method, payload, and everything that views into it. */
#include "guika/v1/box.rpc.h"
#include "guika/v1/health.rpc.h"
#include "guika/v1/holder.rpc.h"
#include "guika/v1/internal/courier.rpc.h"
#include "guika/v1/internal/reader.rpc.h"
#include "guika/v1/issuer.rpc.h"
#include "guika/v1/operator.rpc.h"
#include "rpc/repeated.h"
#include "rpc/router.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads every byte of a view, so that a sanitizer notices one that points elsewhere. */
static void touch(struct gk_bytes view)
{
    volatile uint8_t sum = 0;

    for (size_t i = 0; i < view.size; i++) {
        sum = (uint8_t)(sum + view.data[i]);
    }
}

static void touch_list(struct gk_bytes list, const pb_msgdesc_t *descriptor, void *item)
{
    while (gk_repeated_next(&list, descriptor, item) == GK_OK) {
    }
}

static void touch_request(const struct gk_rpc_method *method, const void *request)
{
    if (method == &guika_v1_box_service_deposit_method) {
        const guika_v1_DepositRequest *deposit = request;

        for (pb_size_t i = 0; i < deposit->frames_count; i++) {
            touch(deposit->frames[i].picture);
        }
    } else if (method == &guika_v1_issuer_service_import_cards_method) {
        guika_v1_CardRow row = guika_v1_CardRow_init_zero;

        touch_list(((const guika_v1_ImportCardsRequest *)request)->page_rows, &guika_v1_CardRow_msg, &row);
    } else if (method == &guika_v1_internal_reader_service_complete_numbers_method) {
        guika_v1_internal_NumberAnswer answer = guika_v1_internal_NumberAnswer_init_zero;

        touch_list(((const guika_v1_internal_CompleteNumbersRequest *)request)->answers,
                   &guika_v1_internal_NumberAnswer_msg, &answer);
    }
}

static void bind_all(struct gk_rpc_router *router)
{
    const struct gk_rpc_binding bindings[] = {
        {&guika_v1_box_service, NULL, NULL},
        {&guika_v1_health, NULL, NULL},
        {&guika_v1_holder_service, NULL, NULL},
        {&guika_v1_internal_courier_service, NULL, NULL},
        {&guika_v1_internal_reader_service, NULL, NULL},
        {&guika_v1_issuer_service, NULL, NULL},
        {&guika_v1_operator_service, NULL, NULL},
    };

    if (gk_rpc_router_add(router, bindings, sizeof bindings / sizeof bindings[0], NULL) != GK_OK) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gk_rpc_router router = {0};
    struct gk_rpc_incoming incoming;
    void *request = NULL;

    bind_all(&router);
    if (gk_rpc_router_read(&router, (struct gk_bytes){data, size}, &incoming, NULL) == GK_OK &&
        gk_rpc_router_decode(&incoming, &request, NULL) == GK_OK) {
        touch_request(incoming.route->method, request);
        free(request);
    }
    gk_rpc_router_free(&router);
    return 0;
}

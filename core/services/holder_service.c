#include "core/memory.h"
#include "core/services/services.h"
#include "guika/v1/holder.rpc.h"

#include <string.h>

/* The answer is the same whatever was asked, and nothing was looked up for it. */
static void on_taken(void *context, enum gk_status status, const struct gk_error *error)
{
    struct gk_rpc_call *call = context;
    const guika_v1_CheckStatusResponse response = {.answer = guika_v1_CheckStatusResponse_Answer_ACCEPTED};

    if (status != GK_OK) {
        gk_rpc_fail(call, status, "%s", error->message);
        return;
    }
    guika_v1_holder_service_check_status_reply(call, &response);
}

static void on_check_status(struct gk_rpc_call *call, const guika_v1_CheckStatusRequest *request,
                            void *context)
{
    const struct gk_services *services = context;
    uint32_t retry_after_ms = 0;

    if (!gk_rate_limit_take(services->enquiry_limit, gk_rpc_call_client_key(call),
                            gk_clock_now_ms(&services->clock), &retry_after_ms)) {
        gk_rpc_fail_busy(call, retry_after_ms, "too many enquiries from here; wait a little");
        return;
    }
    if (strspn(request->number, " -()") == strlen(request->number)) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "number must have 1 to 64 letters and digits");
        return;
    }
    gk_enquiries_take(services->enquiries, request->number, on_taken, call);
}

struct gk_rpc_binding gk_holder_service(struct gk_services *services)
{
    static const struct guika_v1_holder_service_handlers handlers = {.check_status = on_check_status};

    return (struct gk_rpc_binding){&guika_v1_holder_service, &handlers, services};
}

/* The calls of boxes: what a request must be, and how one fails. */
#include "core/frames.h"
#include "core/pipeline_internal.h"

#include <string.h>

void gk_pipeline_release_call(const struct gk_pipeline_call *call)
{
    if (call->release != NULL) {
        call->release(call->request);
    }
}

void gk_pipeline_fail_call(const struct gk_pipeline_call *call, enum gk_status status, const char *message)
{
    gk_rpc_fail(call->call, status, "%s", message);
    gk_pipeline_release_call(call);
}

static bool is_name(const char *text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

    return text[0] != '\0' && text[strspn(text, allowed)] == '\0';
}

bool gk_pipeline_check_deposit_id(const struct gk_pipeline_call *call, const char *deposit_id)
{
    if (is_name(deposit_id)) {
        return true;
    }
    gk_pipeline_fail_call(call, GK_INVALID_ARGUMENT,
                          "deposit_id must be 1 to 64 characters of [A-Za-z0-9._-]");
    return false;
}

bool gk_pipeline_check_frames(const struct gk_pipeline_call *call, const guika_v1_Frame *frames, size_t count)
{
    struct gk_error error;
    const enum gk_status status = gk_frames_check(frames, count, &error);

    if (status != GK_OK) {
        gk_pipeline_fail_call(call, status, error.message);
    }
    return status == GK_OK;
}

bool gk_pipeline_check_confirm(const struct gk_pipeline_call *call,
                               const guika_v1_ConfirmStoredRequest *request)
{
    if (!gk_pipeline_check_deposit_id(call, request->deposit_id)) {
        return false;
    }
    if (request->outcome < guika_v1_ConfirmStoredRequest_Outcome_STORED ||
        request->outcome > guika_v1_ConfirmStoredRequest_Outcome_FULL) {
        gk_pipeline_fail_call(call, GK_INVALID_ARGUMENT,
                              "outcome must be STORED, TAKEN_BACK, JAMMED or FULL");
        return false;
    }
    if (request->outcome != guika_v1_ConfirmStoredRequest_Outcome_STORED) {
        return true;
    }
    if (request->zone != guika_v1_Zone_ZONE_NORMAL && request->zone != guika_v1_Zone_ZONE_DIFFICULT) {
        gk_pipeline_fail_call(call, GK_INVALID_ARGUMENT, "zone must be NORMAL or DIFFICULT with STORED");
        return false;
    }
    if (!is_name(request->compartment)) {
        gk_pipeline_fail_call(call, GK_INVALID_ARGUMENT,
                              "compartment must be 1 to 32 characters of [A-Za-z0-9._-] with STORED");
        return false;
    }
    return true;
}

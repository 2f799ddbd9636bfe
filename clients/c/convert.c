#include "clients/c/convert.h"

#include "guika/v1/box.rpc.h"

#include <assert.h>
#include <pb_encode.h>
#include <stdio.h>
#include <string.h>

#define MAX_FRAMES 8U
#define MAX_PICTURE_BYTES ((size_t)8 * 1024 * 1024) /* Frame.picture, schemas/guika/v1/types.proto */

/* The two families of names carry the same numbers, so a cast converts. */
static_assert((int)GUIKA_CODE_UNAUTHENTICATED == (int)GK_UNAUTHENTICATED, "codes agree");
static_assert((int)GUIKA_FRAME_BACK == (int)guika_v1_Side_SIDE_BACK, "sides agree");
static_assert((int)GUIKA_LAMP_BOTTOM == (int)guika_v1_Lamp_LAMP_BOTTOM, "lamps agree");
static_assert((int)GUIKA_ZONE_DIFFICULT == (int)guika_v1_Zone_ZONE_DIFFICULT, "zones agree");
static_assert((int)GUIKA_FULL == (int)guika_v1_ConfirmStoredRequest_Outcome_FULL, "outcomes agree");
static_assert((int)GUIKA_MORE_FRAMES == (int)guika_v1_DepositResponse_Decision_MORE_FRAMES,
              "decisions agree");

/* Copies a name of the box's own; `size` is that of the field, with the terminator. */
static enum gk_status copy_name(const char *name, const char *what, char *ret_field, size_t size,
                                struct gk_error *error)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    const size_t length = name == NULL ? 0 : strlen(name);

    if (length == 0 || length >= size || strspn(name, allowed) != length) {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "a %s has 1 to %zu characters of [A-Za-z0-9._-]; this one has %zu characters",
                            what, size - 1, length);
    }
    memcpy(ret_field, name, length + 1);
    return GK_OK;
}

static guika_v1_Point point(const float *at_px)
{
    return (guika_v1_Point){.x_px = at_px[0], .y_px = at_px[1]};
}

static enum gk_status convert_frame(const struct guika_frame *frame, guika_v1_Frame *ret_frame,
                                    struct gk_error *error)
{
    if (frame->picture == NULL || frame->picture_size == 0 || frame->picture_size > MAX_PICTURE_BYTES) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "a picture has 1 to %zu bytes; this one has %zu",
                            MAX_PICTURE_BYTES, frame->picture == NULL ? 0 : frame->picture_size);
    }
    *ret_frame = (guika_v1_Frame){
        .picture = {frame->picture, frame->picture_size},
        .side = (guika_v1_Side)frame->side,
        .lamp = (guika_v1_Lamp)frame->lamp,
        .age_ms = frame->age_ms,
        .has_card = frame->has_card,
    };
    if (frame->has_card) {
        ret_frame->card = (guika_v1_Quadrilateral){
            .has_top_left = true,
            .top_left = point(frame->card_px),
            .has_top_right = true,
            .top_right = point(frame->card_px + 2),
            .has_bottom_right = true,
            .bottom_right = point(frame->card_px + 4),
            .has_bottom_left = true,
            .bottom_left = point(frame->card_px + 6),
        };
    }
    return GK_OK;
}

static enum gk_status convert_frames(const struct guika_frame *frames, size_t frame_count,
                                     guika_v1_Frame ret_frames[MAX_FRAMES], struct gk_error *error)
{
    enum gk_status status = GK_OK;

    if (frames == NULL || frame_count == 0 || frame_count > MAX_FRAMES) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "a deposit has 1 to %u frames; this one has %zu",
                            MAX_FRAMES, frames == NULL ? 0 : frame_count);
    }
    for (size_t i = 0; status == GK_OK && i < frame_count; i++) {
        status = convert_frame(&frames[i], &ret_frames[i], error);
    }
    return status;
}

/* The service would refuse it anyway, and the spool must not hold what can never be taken. */
static enum gk_status check_size(const struct gk_rpc_method *method, const void *request,
                                 struct gk_error *error)
{
    size_t size = 0;

    if (!pb_get_encoded_size(&size, method->request, request) || size > method->max_request_bytes) {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "a deposit has at most %u bytes of pictures and labels; this one has %zu",
                            (unsigned)method->max_request_bytes, size);
    }
    return GK_OK;
}

enum gk_status gk_convert_deposit(const char *deposit_id, const struct guika_frame *frames,
                                  size_t frame_count, guika_v1_DepositRequest *ret_request,
                                  struct gk_error *error)
{
    *ret_request = (guika_v1_DepositRequest){.frames_count = (pb_size_t)frame_count};
    enum gk_status status =
        copy_name(deposit_id, "deposit id", ret_request->deposit_id, sizeof ret_request->deposit_id, error);

    if (status == GK_OK) {
        status = convert_frames(frames, frame_count, ret_request->frames, error);
    }
    return status != GK_OK ? status : check_size(&guika_v1_box_service_deposit_method, ret_request, error);
}

enum gk_status gk_convert_add_frames(const char *deposit_id, uint32_t sequence,
                                     const struct guika_frame *frames, size_t frame_count,
                                     guika_v1_AddFramesRequest *ret_request, struct gk_error *error)
{
    *ret_request = (guika_v1_AddFramesRequest){.sequence = sequence, .frames_count = (pb_size_t)frame_count};
    enum gk_status status =
        copy_name(deposit_id, "deposit id", ret_request->deposit_id, sizeof ret_request->deposit_id, error);

    if (status == GK_OK) {
        status = convert_frames(frames, frame_count, ret_request->frames, error);
    }
    return status != GK_OK ? status : check_size(&guika_v1_box_service_add_frames_method, ret_request, error);
}

enum gk_status gk_convert_confirm(const char *deposit_id, enum guika_stored outcome, enum guika_zone zone,
                                  const char *compartment, guika_v1_ConfirmStoredRequest *ret_request,
                                  struct gk_error *error)
{
    *ret_request = (guika_v1_ConfirmStoredRequest){
        .outcome = (guika_v1_ConfirmStoredRequest_Outcome)outcome,
        .zone = (guika_v1_Zone)zone,
    };
    if (outcome < GUIKA_STORED || outcome > GUIKA_FULL) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "an outcome is 1 to 4; this one is %d", (int)outcome);
    }
    enum gk_status status =
        copy_name(deposit_id, "deposit id", ret_request->deposit_id, sizeof ret_request->deposit_id, error);

    if (status == GK_OK && outcome == GUIKA_STORED) {
        if (zone != GUIKA_ZONE_NORMAL && zone != GUIKA_ZONE_DIFFICULT) {
            return gk_error_set(error, GK_INVALID_ARGUMENT,
                                "a stored card lies in the normal (1) or the difficult (2) zone; not in %d",
                                (int)zone);
        }
        status = copy_name(compartment, "compartment", ret_request->compartment,
                           sizeof ret_request->compartment, error);
    }
    return status;
}

static void add_camera(guika_v1_HeartbeatRequest *request, guika_v1_Side side, uint8_t lamps)
{
    if (lamps == 0) {
        return;
    }
    guika_v1_HeartbeatRequest_Camera *camera = &request->cameras[request->cameras_count++];

    camera->side = side;
    for (int lamp = GUIKA_LAMP_DIFFUSE; lamp <= GUIKA_LAMP_BOTTOM; lamp++) {
        if ((lamps & 1U << lamp) != 0) {
            camera->lamps[camera->lamps_count++] = (guika_v1_Lamp)lamp;
        }
    }
}

enum gk_status gk_convert_heartbeat(const struct guika_heartbeat *heartbeat, size_t spooled,
                                    guika_v1_HeartbeatRequest *ret_request, struct gk_error *error)
{
    const size_t most = sizeof ret_request->zones / sizeof ret_request->zones[0];

    if (heartbeat->zone_count > most) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "a box has at most %zu zones; this one has %zu", most,
                            heartbeat->zone_count);
    }
    *ret_request = (guika_v1_HeartbeatRequest){
        .zones_count = (pb_size_t)heartbeat->zone_count,
        .can_give_back = heartbeat->can_give_back,
        .spooled = spooled > UINT32_MAX ? UINT32_MAX : (uint32_t)spooled,
    };
    for (size_t i = 0; i < heartbeat->zone_count; i++) {
        ret_request->zones[i] = (guika_v1_HeartbeatRequest_ZoneFill){
            .zone = (guika_v1_Zone)heartbeat->zones[i].zone,
            .capacity = heartbeat->zones[i].capacity,
            .used = heartbeat->zones[i].used,
        };
    }
    add_camera(ret_request, guika_v1_Side_SIDE_FRONT, heartbeat->front_lamps);
    add_camera(ret_request, guika_v1_Side_SIDE_BACK, heartbeat->back_lamps);
    if (heartbeat->software != NULL) {
        (void)snprintf(ret_request->software, sizeof ret_request->software, "%s", heartbeat->software);
    }
    return GK_OK;
}

enum gk_status gk_convert_answer(const guika_v1_DepositResponse *response, struct guika_answer *ret_answer,
                                 struct gk_error *error)
{
    struct guika_answer answer = {
        .decision = (enum guika_decision)response->decision,
        .wanted_side = (enum guika_side_of_card)response->wanted_side,
        .wanted_lamp = (enum guika_lamp)response->wanted_lamp,
        .sequence = response->sequence,
        .not_a_card =
            response->give_back_reason == guika_v1_DepositResponse_GiveBackReason_GIVE_BACK_NOT_A_CARD,
    };

    memcpy(answer.case_id, response->case_id, sizeof answer.case_id);
    switch (answer.decision) {
    case GUIKA_KEEP:
        /* A zone that this library does not know is kept apart for a person. */
        answer.zone = response->zone == guika_v1_Zone_ZONE_NORMAL ? GUIKA_ZONE_NORMAL : GUIKA_ZONE_DIFFICULT;
        break;
    case GUIKA_GIVE_BACK:
    case GUIKA_MORE_FRAMES:
        break;
    default:
        return gk_error_set(error, GK_INTERNAL,
                            "the service's decision %d is unknown here: update the client library",
                            (int)response->decision);
    }
    *ret_answer = answer;
    return GK_OK;
}

enum guika_code gk_convert_failure(enum gk_status status, const struct gk_error *error,
                                   struct guika_failure *failure)
{
    if (status != GK_OK && failure != NULL) {
        failure->code = (enum guika_code)status;
        memcpy(failure->message, error->message, sizeof failure->message);
    }
    return (enum guika_code)status;
}

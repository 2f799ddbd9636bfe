/* The couriers of the outbox: those that wait for a notice, and the service that they call. */
#include "core/notification/outbox_machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_EARLY_MS 1000 /* a long poll is answered so long before its deadline */

uint64_t gk_outbox_loop_now_ms(void)
{
    return uv_hrtime() / 1000000;
}

/* --- couriers that wait --- */

struct gk_rpc_call *gk_outbox_take_waiter(struct gk_outbox *outbox, size_t index)
{
    struct gk_rpc_call *call = outbox->waiters[index].call;
    outbox->waiter_count--;
    memmove(&outbox->waiters[index], &outbox->waiters[index + 1],
            (outbox->waiter_count - index) * sizeof outbox->waiters[0]);
    return call;
}

/* A little before its deadline, so that the answer arrives in time. */
uint64_t gk_outbox_answer_by_ms(const struct gk_rpc_call *call)
{
    uint64_t deadline_ms = gk_rpc_call_deadline_ms(call);
    uint64_t now_ms = gk_outbox_loop_now_ms();
    uint64_t left_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
    return deadline_ms - (left_ms / 4 < ANSWER_EARLY_MS ? left_ms / 4 : ANSWER_EARLY_MS);
}

void gk_outbox_answer_empty(struct gk_rpc_call *call)
{
    static const guika_v1_internal_LeaseNoticeResponse nothing =
        guika_v1_internal_LeaseNoticeResponse_init_zero;
    guika_v1_internal_courier_service_lease_notice_reply(call, &nothing);
}

void gk_outbox_answer_late(struct gk_outbox *outbox)
{
    uint64_t now_ms = gk_outbox_loop_now_ms();
    for (size_t i = outbox->waiter_count; i > 0; i--) {
        if (outbox->waiters[i - 1].answer_by_ms <= now_ms)
            gk_outbox_answer_empty(gk_outbox_take_waiter(outbox, i - 1));
    }
}

static void on_waiter_ended(struct gk_rpc_call *call, void *context)
{
    struct gk_outbox *outbox = context;
    if (outbox->job_running && outbox->job.call == call)
        outbox->job.call = NULL;
    for (size_t i = 0; i < outbox->waiter_count; i++) {
        if (outbox->waiters[i].call == call) {
            gk_outbox_take_waiter(outbox, i);
            break;
        }
    }
    gk_outbox_answer_empty(call);
}

/* --- the courier service --- */

static void announce_channels(struct gk_rpc_call *call,
                              const guika_v1_internal_AnnounceChannelsRequest *request, void *context)
{
    (void)request;
    const struct gk_outbox *outbox = context;
    guika_v1_internal_AnnounceChannelsResponse *response = calloc(1, sizeof *response);
    if (response == NULL) {
        gk_rpc_fail(call, GK_RESOURCE_EXHAUSTED, "no memory for the settings");
        return;
    }
    for (size_t i = 0; i < outbox->options.setting_count; i++) {
        const struct gk_channel_setting *setting = &outbox->options.settings[i];
        guika_v1_internal_ChannelSetting *copy = &response->settings[response->settings_count++];
        snprintf(copy->channel, sizeof copy->channel, "%s", setting->channel);
        snprintf(copy->key, sizeof copy->key, "%s", setting->key);
        snprintf(copy->value, sizeof copy->value, "%s", setting->value);
    }
    guika_v1_internal_courier_service_announce_channels_reply(call, response);
    free(response);
}

static void lease_notice(struct gk_rpc_call *call, const guika_v1_internal_LeaseNoticeRequest *request,
                         void *context)
{
    (void)request;
    struct gk_outbox *outbox = context;
    if (outbox->closing || outbox->waiter_count == GK_OUTBOX_MAX_WAITERS) {
        gk_rpc_fail_busy(call, GK_OUTBOX_RETRY_MS, "%u couriers wait already", GK_OUTBOX_MAX_WAITERS);
        return;
    }
    outbox->waiters[outbox->waiter_count++] = (struct gk_outbox_waiter){call, gk_outbox_answer_by_ms(call)};
    gk_rpc_call_on_ended(call, on_waiter_ended, outbox);
    gk_outbox_step(outbox);
}

static void complete_notice(struct gk_rpc_call *call, const guika_v1_internal_CompleteNoticeRequest *request,
                            void *context)
{
    struct gk_outbox *outbox = context;
    struct gk_outbox_lease *lease =
        request->lease_id != 0 ? gk_outbox_find_lease(outbox, request->lease_id) : NULL;
    if (outbox->closing) {
        gk_rpc_fail(call, GK_UNAVAILABLE, "the service is going down");
        return;
    }
    if (lease == NULL || lease->settling) {
        gk_rpc_fail(call, GK_NOT_FOUND, "the lease is over; the notice will be tried again");
        return;
    }
    if (request->outcome == guika_v1_internal_CompleteNoticeRequest_Outcome_OUTCOME_UNSPECIFIED) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "outcome must be DELIVERED, TRY_LATER or REFUSED");
        return;
    }
    bool leaks = lease->address[0] != '\0' && strstr(request->detail, lease->address) != NULL;
    lease->attempt.outcome = request->outcome;
    lease->attempt.retry_after_ms = request->retry_after_ms;
    snprintf(lease->attempt.detail, sizeof lease->attempt.detail, "%s",
             leaks ? "(withheld: it quotes the address)" : request->detail);
    if (!gk_outbox_settle_lease(outbox, lease, call))
        gk_rpc_fail_busy(call, GK_OUTBOX_RETRY_MS, "the store has too much to write");
    gk_outbox_arm_timer(outbox);
}

struct gk_rpc_binding gk_outbox_binding(struct gk_outbox *outbox)
{
    static const struct guika_v1_internal_courier_service_handlers handlers = {
        .announce_channels = announce_channels,
        .lease_notice = lease_notice,
        .complete_notice = complete_notice,
    };
    return (struct gk_rpc_binding){&guika_v1_internal_courier_service, &handlers, outbox};
}

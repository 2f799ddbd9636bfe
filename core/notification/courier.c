#include "core/notification/courier.h"

#include "guika/v1/internal/courier.rpc.h"

#include <guika/channel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_SETTINGS 64 /* of all channels together, as courier.options has it */
#define MAX_CHANNELS MAX_SETTINGS
#define MARGIN_MS 2000 /* of the lease, kept for the answer */
#define COMPLETE_TRIES 5
#define COMPLETE_WAIT_US 300000

/* A channel of the configuration and the plugin that serves it. */
struct channel {
    char name[33];
    char plugin_name[33];
    const struct guika_channel *plugin; /* NULL: there is none of that name */
    void *instance;                     /* NULL: it did not open */
};

struct gk_courier {
    struct gk_rpc_client *client;
    const struct gk_log *log;
    struct gk_plugin *const *plugins;
    size_t plugin_count;
    struct channel channels[MAX_CHANNELS];
    size_t channel_count;
    guika_v1_internal_AnnounceChannelsResponse announced; /* settings point into it */
    guika_v1_internal_LeaseNoticeResponse notice;         /* the one in hand */
};

static enum gk_status check_channel(const struct gk_plugin_head *head, struct gk_error *error)
{
    const struct guika_channel *channel = (const struct guika_channel *)head;
    if (channel->open == NULL || channel->close == NULL || channel->accepts_address == NULL ||
        channel->deliver == NULL)
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "channel %.32s lacks one of open, close, accepts_address, deliver", channel->id);
    return GK_OK;
}

const struct gk_plugin_kind *gk_courier_plugin_kind(void)
{
    static const struct gk_plugin_kind kind = {
        .symbol = "guika_channel",
        .word = "channel",
        .abi_major = GUIKA_CHANNEL_ABI_MAJOR,
        .abi_minor = GUIKA_CHANNEL_ABI_MINOR,
        .smallest_struct = sizeof(struct guika_channel),
        .check = check_channel,
    };
    return &kind;
}

/* --- channels --- */

static struct channel *find_channel(struct gk_courier *courier, const char *name)
{
    for (size_t i = 0; i < courier->channel_count; i++) {
        if (strcmp(courier->channels[i].name, name) == 0)
            return &courier->channels[i];
    }
    return NULL;
}

static const struct guika_channel *find_plugin(const struct gk_courier *courier, const char *name)
{
    for (size_t i = 0; i < courier->plugin_count; i++) {
        const struct gk_plugin_head *head = gk_plugin_head(courier->plugins[i]);
        if (strcmp(head->id, name) == 0)
            return (const struct guika_channel *)head;
    }
    return NULL;
}

static void open_channel(struct gk_courier *courier, struct channel *channel)
{
    struct guika_pair settings[MAX_SETTINGS];
    size_t count = 0;
    snprintf(channel->plugin_name, sizeof channel->plugin_name, "%s", channel->name);
    for (size_t i = 0; i < courier->announced.settings_count; i++) {
        const guika_v1_internal_ChannelSetting *setting = &courier->announced.settings[i];
        if (strcmp(setting->channel, channel->name) != 0)
            continue;
        if (strcmp(setting->key, "plugin") == 0)
            snprintf(channel->plugin_name, sizeof channel->plugin_name, "%.32s", setting->value);
        else
            settings[count++] = (struct guika_pair){setting->key, setting->value};
    }
    channel->plugin = find_plugin(courier, channel->plugin_name);
    if (channel->plugin == NULL) {
        gk_log(courier->log, GK_LOG_ERROR, "channel_missing", {"channel", channel->name},
               {"plugin", channel->plugin_name});
        return;
    }
    char detail[256] = "";
    channel->instance = channel->plugin->open(settings, count, detail, sizeof detail);
    if (channel->instance != NULL)
        gk_log(courier->log, GK_LOG_INFO, "channel_open", {"channel", channel->name},
               {"plugin", channel->plugin_name}, {"version", channel->plugin->version});
    else
        gk_log(courier->log, GK_LOG_ERROR, "channel_failed", {"channel", channel->name},
               {"plugin", channel->plugin_name}, {"detail", detail});
}

static enum gk_status announce(struct gk_courier *courier, struct gk_error *error)
{
    guika_v1_internal_AnnounceChannelsRequest request = guika_v1_internal_AnnounceChannelsRequest_init_zero;
    const size_t most = sizeof request.channels / sizeof request.channels[0];
    request.process_id = (uint32_t)getpid();
    for (size_t i = 0; i < courier->plugin_count && request.channels_count < most; i++)
        snprintf(request.channels[request.channels_count++], sizeof request.channels[0], "%s",
                 gk_plugin_head(courier->plugins[i])->id);
    return guika_v1_internal_courier_service_announce_channels(courier->client, NULL, &request,
                                                               &courier->announced, error);
}

enum gk_status gk_courier_open(struct gk_rpc_client *client, const struct gk_log *log,
                               struct gk_plugin *const *plugins, size_t plugin_count,
                               struct gk_courier **ret_courier, struct gk_error *error)
{
    struct gk_courier *courier = calloc(1, sizeof *courier);
    if (courier == NULL)
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for a courier");
    courier->client = client;
    courier->log = log;
    courier->plugins = plugins;
    courier->plugin_count = plugin_count;
    enum gk_status status = announce(courier, error);
    if (status != GK_OK) {
        free(courier);
        return status;
    }
    for (size_t i = 0; i < courier->announced.settings_count; i++) {
        const char *name = courier->announced.settings[i].channel;
        if (find_channel(courier, name) != NULL || courier->channel_count == MAX_CHANNELS)
            continue;
        struct channel *channel = &courier->channels[courier->channel_count++];
        snprintf(channel->name, sizeof channel->name, "%s", name);
        open_channel(courier, channel);
    }
    *ret_courier = courier;
    return GK_OK;
}

void gk_courier_close(struct gk_courier *courier)
{
    if (courier == NULL)
        return;
    for (size_t i = 0; i < courier->channel_count; i++) {
        if (courier->channels[i].instance != NULL)
            courier->channels[i].plugin->close(courier->channels[i].instance);
    }
    free(courier);
}

/* --- one notice --- */

static void deliver(struct gk_courier *courier, struct guika_result *ret_result)
{
    const guika_v1_internal_LeaseNoticeResponse *lease = &courier->notice;
    const struct channel *channel = find_channel(courier, lease->channel);
    *ret_result = (struct guika_result){.outcome = GUIKA_TRY_LATER};
    if (channel == NULL || channel->instance == NULL) {
        snprintf(ret_result->detail, sizeof ret_result->detail, "this courier cannot serve the channel");
        return;
    }
    if (!channel->plugin->accepts_address(lease->address)) {
        ret_result->outcome = GUIKA_REFUSED;
        snprintf(ret_result->detail, sizeof ret_result->detail, "no address of this channel");
        return;
    }
    struct guika_pair fields[sizeof lease->fields / sizeof lease->fields[0]];
    for (size_t i = 0; i < lease->fields_count; i++)
        fields[i] = (struct guika_pair){lease->fields[i].name, lease->fields[i].value};
    const struct guika_notice notice = {
        .message_id = lease->message_id,
        .address = lease->address,
        .name = lease->name,
        .language = lease->language,
        .subject = lease->subject,
        .text = lease->text,
        .template_id = lease->template_id,
        .fields = fields,
        .field_count = lease->fields_count,
        .created_at_ms = lease->created_at_ms,
    };
    uint32_t deadline_ms =
        lease->lease_ms > 2 * MARGIN_MS ? lease->lease_ms - MARGIN_MS : lease->lease_ms / 2;
    channel->plugin->deliver(channel->instance, &notice, deadline_ms, ret_result);
    ret_result->detail[sizeof ret_result->detail - 1] = '\0';
}

static const char *outcome_word(enum guika_outcome outcome)
{
    return outcome == GUIKA_DELIVERED ? "delivered" : outcome == GUIKA_REFUSED ? "refused" : "try_later";
}

static enum gk_status complete(struct gk_courier *courier, const struct guika_result *result,
                               struct gk_error *error)
{
    guika_v1_internal_CompleteNoticeRequest request = guika_v1_internal_CompleteNoticeRequest_init_zero;
    guika_v1_internal_CompleteNoticeResponse response = guika_v1_internal_CompleteNoticeResponse_init_zero;
    request.lease_id = courier->notice.lease_id;
    request.retry_after_ms = result->retry_after_ms;
    request.outcome = guika_v1_internal_CompleteNoticeRequest_Outcome_TRY_LATER;
    if (result->outcome == GUIKA_DELIVERED)
        request.outcome = guika_v1_internal_CompleteNoticeRequest_Outcome_DELIVERED;
    else if (result->outcome == GUIKA_REFUSED)
        request.outcome = guika_v1_internal_CompleteNoticeRequest_Outcome_REFUSED;
    snprintf(request.detail, sizeof request.detail, "%s", result->detail);
    enum gk_status status = GK_OK;
    for (int i = 0; i < COMPLETE_TRIES; i++) {
        status = guika_v1_internal_courier_service_complete_notice(courier->client, NULL, &request, &response,
                                                                   error);
        if (status != GK_RESOURCE_EXHAUSTED)
            break;
        usleep(COMPLETE_WAIT_US);
    }
    gk_log(courier->log, GK_LOG_INFO, "notice", {"message", courier->notice.message_id},
           {"channel", courier->notice.channel}, {"outcome", outcome_word(result->outcome)},
           {"detail", result->detail}, {"completed", gk_status_name(status)});
    /* The lease ended before: the core leases the notice again, under the same message id. */
    return status == GK_NOT_FOUND ? GK_OK : status;
}

enum gk_status gk_courier_step(struct gk_courier *courier, volatile sig_atomic_t *delivering,
                               struct gk_error *error)
{
    guika_v1_internal_LeaseNoticeRequest request = guika_v1_internal_LeaseNoticeRequest_init_zero;
    enum gk_status status = guika_v1_internal_courier_service_lease_notice(courier->client, NULL, &request,
                                                                           &courier->notice, error);
    if (status != GK_OK || courier->notice.lease_id == 0)
        return status;
    *delivering = 1;
    struct guika_result result;
    deliver(courier, &result);
    status = complete(courier, &result, error);
    *delivering = 0;
    explicit_bzero(&courier->notice, sizeof courier->notice);
    return status;
}

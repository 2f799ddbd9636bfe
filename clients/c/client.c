#include "guika/client.h"

#include "clients/c/box.h"
#include "clients/c/convert.h"
#include "clients/c/retry.h"
#include "guika/v1/box.rpc.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_SPOOL_BYTES ((uint64_t)256 * 1024 * 1024)
#define TRIES_OF_A_FAILING_ENTRY 5

/* Did the service refuse, so that asking again is no use? Anything else may still be answered later. */
static bool is_refusal(enum gk_status status)
{
    switch (status) {
    case GK_INVALID_ARGUMENT:
    case GK_NOT_FOUND:
    case GK_ALREADY_EXISTS:
    case GK_PERMISSION_DENIED:
    case GK_FAILED_PRECONDITION:
    case GK_OUT_OF_RANGE:
    case GK_UNIMPLEMENTED:
    case GK_UNAUTHENTICATED:
        return true;
    default:
        return false;
    }
}

/* Is it the box that is refused, and not the entry? Then the entry waits until the box is put right. */
static bool is_refusal_of_the_box(enum gk_status status)
{
    return status == GK_UNAUTHENTICATED || status == GK_PERMISSION_DENIED || status == GK_UNIMPLEMENTED;
}

static struct guika_answer kept_by_the_box(void)
{
    return (struct guika_answer){.decision = GUIKA_KEEP, .zone = GUIKA_ZONE_DIFFICULT, .spooled = true};
}

enum guika_code guika_box_open(const struct guika_box_options *options, struct guika_box **ret_box,
                               struct guika_failure *failure)
{
    struct gk_error error = {0};

    if (options->url == NULL || options->token == NULL || options->token[0] == '\0' ||
        options->spool_directory == NULL) {
        return gk_convert_failure(
            gk_error_set(&error, GK_INVALID_ARGUMENT,
                         "a box needs the service's URL, its token and a spool directory"),
            &error, failure);
    }
    struct guika_box *box = calloc(1, sizeof *box);

    if (box == NULL) {
        return gk_convert_failure(gk_error_set(&error, GK_INTERNAL, "no memory for a box"), &error, failure);
    }
    const uint64_t limit = options->spool_limit_bytes == 0 ? DEFAULT_SPOOL_BYTES : options->spool_limit_bytes;
    const struct gk_rpc_client_options client = {
        .url = options->url,
        .token = options->token,
        .ca_file = options->ca_file,
        .server_name = options->server_name,
    };
    enum gk_status status = gk_spool_open(options->spool_directory, limit, &box->spool, &error);

    if (status == GK_OK) {
        gk_box_offline_open(box);
        status = gk_rpc_client_open(&client, &box->client, &error);
    }
    if (status != GK_OK) {
        guika_box_close(box);
        return gk_convert_failure(status, &error, failure);
    }
    *ret_box = box;
    return GUIKA_CODE_OK;
}

void guika_box_close(struct guika_box *box)
{
    if (box != NULL) {
        gk_rpc_client_close(box->client);
        gk_box_offline_close(box);
        gk_spool_close(box->spool);
        free(box);
    }
}

static enum gk_status deposit(struct guika_box *box, guika_v1_SpoolEntry *entry, uint32_t deadline_ms,
                              struct guika_answer *ret_answer, struct gk_error *error)
{
    guika_v1_DepositResponse response = {0};
    const guika_v1_DepositRequest *request = &entry->entry.deposit;

    if (gk_spool_holds(box->spool, request->deposit_id)) {
        *ret_answer = kept_by_the_box();
        return GK_OK;
    }
    enum gk_status status = gk_retry_call(box->client, &guika_v1_box_service_deposit_method, deadline_ms,
                                          request, &response, error);

    if (status == GK_OK) {
        return gk_convert_answer(&response, ret_answer, error);
    }
    if (is_refusal(status)) {
        return status;
    }
    status = gk_spool_append(box->spool, entry, error);
    if (status == GK_OK) {
        *ret_answer = kept_by_the_box();
    }
    return status;
}

enum guika_code guika_box_deposit(struct guika_box *box, const char *deposit_id,
                                  const struct guika_frame *frames, size_t frame_count, uint32_t deadline_ms,
                                  struct guika_answer *ret_answer, struct guika_failure *failure)
{
    struct gk_error error = {0};
    guika_v1_SpoolEntry entry = {.which_entry = guika_v1_SpoolEntry_deposit_tag};
    enum gk_status status = gk_convert_deposit(deposit_id, frames, frame_count, &entry.entry.deposit, &error);

    if (status == GK_OK) {
        status = deposit(box, &entry, deadline_ms, ret_answer, &error);
    }
    return gk_convert_failure(status, &error, failure);
}

enum guika_code guika_box_add_frames(struct guika_box *box, const char *deposit_id, uint32_t sequence,
                                     const struct guika_frame *frames, size_t frame_count,
                                     uint32_t deadline_ms, struct guika_answer *ret_answer,
                                     struct guika_failure *failure)
{
    struct gk_error error = {0};
    guika_v1_AddFramesRequest request;
    guika_v1_DepositResponse response = {0};
    enum gk_status status =
        gk_convert_add_frames(deposit_id, sequence, frames, frame_count, &request, &error);

    if (status == GK_OK) {
        status = gk_retry_call(box->client, &guika_v1_box_service_add_frames_method, deadline_ms, &request,
                               &response, &error);
        if (status == GK_OK) {
            status = gk_convert_answer(&response, ret_answer, &error);
        } else if (!is_refusal(status)) {
            *ret_answer = kept_by_the_box();
            status = GK_OK;
        }
    }
    return gk_convert_failure(status, &error, failure);
}

/* Behind what already waits for this deposit, else by the line, else into the spool. */
static enum gk_status confirm(struct guika_box *box, const guika_v1_SpoolEntry *entry, uint32_t deadline_ms,
                              struct gk_error *error)
{
    guika_v1_ConfirmStoredResponse response = {0};
    const guika_v1_ConfirmStoredRequest *request = &entry->entry.confirm;

    if (!gk_spool_holds(box->spool, request->deposit_id)) {
        const enum gk_status status = gk_retry_call(box->client, &guika_v1_box_service_confirm_stored_method,
                                                    deadline_ms, request, &response, error);

        if (status == GK_OK || is_refusal(status)) {
            return status;
        }
    }
    return gk_spool_append(box->spool, entry, error);
}

enum guika_code guika_box_confirm_stored(struct guika_box *box, const char *deposit_id,
                                         enum guika_stored outcome, enum guika_zone zone,
                                         const char *compartment, uint32_t deadline_ms,
                                         struct guika_failure *failure)
{
    struct gk_error error = {0};
    guika_v1_SpoolEntry entry = {.which_entry = guika_v1_SpoolEntry_confirm_tag};
    enum gk_status status =
        gk_convert_confirm(deposit_id, outcome, zone, compartment, &entry.entry.confirm, &error);

    if (status == GK_OK) {
        status = confirm(box, &entry, deadline_ms, &error);
    }
    return gk_convert_failure(status, &error, failure);
}

enum guika_code guika_box_heartbeat(struct guika_box *box, const struct guika_heartbeat *heartbeat,
                                    uint32_t deadline_ms, uint32_t *ret_interval_ms,
                                    struct guika_failure *failure)
{
    struct gk_error error = {0};
    guika_v1_HeartbeatRequest request;
    guika_v1_HeartbeatResponse response = {0};
    enum gk_status status = gk_convert_heartbeat(heartbeat, gk_spool_count(box->spool), &request, &error);

    if (status == GK_OK) {
        status = gk_retry_call(box->client, &guika_v1_box_service_heartbeat_method, deadline_ms, &request,
                               &response, &error);
    }
    if (status == GK_OK && !sodium_is_zero(response.spool_public_key, GK_SPOOL_KEY_SIZE)) {
        status = gk_spool_learn_key(box->spool, response.spool_public_key, &error);
    }
    if (status == GK_OK) {
        status = gk_box_offline_learn(box, &response, &error);
    }
    if (status == GK_OK && ret_interval_ms != NULL) {
        *ret_interval_ms = response.interval_ms;
    }
    return gk_convert_failure(status, &error, failure);
}

void guika_box_spooled(const struct guika_box *box, size_t *ret_entries, uint64_t *ret_bytes)
{
    if (ret_entries != NULL) {
        *ret_entries = gk_spool_count(box->spool);
    }
    if (ret_bytes != NULL) {
        *ret_bytes = gk_spool_bytes(box->spool);
    }
}

/* What becomes of the oldest entry after the service's answer. */
static enum gk_status settle_oldest(struct guika_box *box, enum gk_status answered, struct gk_error *error)
{
    const bool service_failed = answered == GK_INTERNAL || answered == GK_UNKNOWN || answered == GK_DATA_LOSS;

    if (answered == GK_OK) {
        box->oldest_failed = 0;
        return gk_spool_erase_oldest(box->spool, error);
    }
    if (service_failed) {
        box->oldest_failed++;
    }
    if ((is_refusal(answered) && !is_refusal_of_the_box(answered)) ||
        box->oldest_failed >= TRIES_OF_A_FAILING_ENTRY) {
        struct gk_error disk_error = {0};

        box->oldest_failed = 0;
        if (gk_spool_refuse_oldest(box->spool, &disk_error) != GK_OK) {
            *error = disk_error;
            return disk_error.status;
        }
    }
    return answered;
}

static enum gk_status replay_oldest(struct guika_box *box, const struct gk_spool_item *item,
                                    uint32_t deadline_ms, struct guika_answer *ret_answer,
                                    struct gk_error *error)
{
    guika_v1_ReplayRequest request = {.sealed = {item->sealed, item->sealed_size}};
    guika_v1_ReplayResponse response = {0};
    struct guika_answer answer = {0};

    memcpy(request.deposit_id, item->deposit_id, sizeof request.deposit_id);
    enum gk_status status = gk_retry_call(box->client, &guika_v1_box_service_replay_method, deadline_ms,
                                          &request, &response, error);

    status = settle_oldest(box, status, error);
    if (status == GK_OK && response.which_answer == guika_v1_ReplayResponse_deposit_tag) {
        status = gk_convert_answer(&response.answer.deposit, &answer, error);
    }
    if (status == GK_OK && ret_answer != NULL) {
        *ret_answer = answer;
    }
    return status;
}

enum guika_code guika_box_replay_one(struct guika_box *box, uint32_t deadline_ms, char ret_deposit_id[65],
                                     struct guika_answer *ret_answer, struct guika_failure *failure)
{
    struct gk_error error = {0};
    struct gk_spool_item item;

    (void)gk_box_offline_settle(box, NULL); /* else it waits in the journal, which is as good */
    enum gk_status status = gk_spool_oldest(box->spool, &item, &error);

    if (status == GK_OK) {
        if (ret_deposit_id != NULL) {
            memcpy(ret_deposit_id, item.deposit_id, sizeof item.deposit_id);
        }
        status = replay_oldest(box, &item, deadline_ms, ret_answer, &error);
        gk_spool_item_clear(&item);
    }
    return gk_convert_failure(status, &error, failure);
}

/*
 * The outbox on the loop: couriers that wait, notices that are due, leases.
 *
 * Couriers wait in a queue. While one waits, the outbox looks for due rows on a worker (one job at a time),
 * makes the first that nobody has ready on a worker, and leases it to the courier. What becomes of it is one
 * commit. Due times and the ends of leases are by the store's clock, which tests move; the timer is only a
 * wake-up, set for the earliest of them and at most a minute ahead, so that a clock that was set is noticed.
 */
#include "core/notification/outbox.h"

#include "core/notification/outbox_machine.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LONGEST_SLEEP_MS 60000
#define DEFAULT_LEASE_MS 30000

/* --- jobs --- */

static bool visit_due(void *context, struct gk_bytes key, struct gk_bytes value)
{
    (void)value;
    struct gk_outbox_job *job = context;
    if (key.size != GK_DUE_KEY_SIZE)
        return true;
    int64_t due_ms = gk_outbox_due_ms(key.data);
    if (due_ms > job->now_ms) {
        job->next_due_ms = due_ms;
        return false;
    }
    if (job->row_count == GK_OUTBOX_MAX_READY) {
        job->more = true;
        return false;
    }
    memcpy(job->rows[job->row_count++], key.data + 8, GK_NOTICE_ID_SIZE);
    return true;
}

/* [worker] */
static void run_job(uv_work_t *request)
{
    struct gk_outbox *outbox = request->data;
    struct gk_outbox_job *job = &outbox->job;
    const struct gk_bytes all = {NULL, 0};
    if (job->kind == JOB_SCAN)
        job->status = gk_store_scan(outbox->options.store, GK_FAMILY_OUTBOX_DUE, all, all, false, visit_due,
                                    job, &job->error);
    else
        job->prepared = gk_outbox_prepare(&outbox->options, job->notice_id, job->now_ms, &job->response,
                                          &job->attempt, &job->error);
}

static void finish_scan(struct gk_outbox *outbox)
{
    struct gk_outbox_job *job = &outbox->job;
    outbox->ready = 0;
    if (job->more)
        outbox->dirty = true;
    if (job->status != GK_OK) {
        job->row_count = 0;
        job->next_due_ms = job->now_ms + GK_OUTBOX_RETRY_MS;
    }
}

/* Hands the notice over: the lease begins now. */
static void lease_out(struct gk_outbox *outbox, struct gk_rpc_call *call)
{
    struct gk_outbox_job *job = &outbox->job;
    struct gk_outbox_lease *lease = gk_outbox_find_lease(outbox, 0);
    uint32_t lease_ms = outbox->options.lease_ms;
    *lease = (struct gk_outbox_lease){.ends_at_ms = gk_outbox_store_now_ms(outbox) + lease_ms,
                                      .peer = gk_rpc_call_peer(call),
                                      .attempt = job->attempt};
    while (lease->id == 0)
        randombytes_buf(&lease->id, sizeof lease->id);
    memcpy(lease->address, job->response.address, sizeof lease->address);
    job->response.lease_id = lease->id;
    job->response.lease_ms = lease_ms;
    guika_v1_internal_courier_service_lease_notice_reply(call, &job->response);
}

static void finish_prepare(struct gk_outbox *outbox)
{
    struct gk_outbox_job *job = &outbox->job;
    struct gk_rpc_call *call = job->call;
    job->call = NULL;
    if (job->prepared == GK_OUTBOX_READY && call != NULL)
        lease_out(outbox, call);
    else if (job->prepared == GK_OUTBOX_FAILED && call != NULL)
        gk_rpc_fail(call, GK_UNAVAILABLE, "%s", job->error.message);
    else if (call != NULL && outbox->waiter_count < GK_OUTBOX_MAX_WAITERS)
        outbox->waiters[outbox->waiter_count++] =
            (struct gk_outbox_waiter){call, gk_outbox_answer_by_ms(call)};
    else if (call != NULL)
        gk_outbox_answer_empty(call);
    /* A notice for a courier that has gone is due as it was; one moved to its next contact is due again. */
    if (job->prepared == GK_OUTBOX_MOVED || (job->prepared == GK_OUTBOX_READY && call == NULL))
        outbox->dirty = true;
    sodium_memzero(&job->response, sizeof job->response);
}

static void job_done(uv_work_t *request, int uv_status)
{
    (void)uv_status;
    struct gk_outbox *outbox = request->data;
    outbox->job_running = false;
    if (outbox->job.kind == JOB_SCAN)
        finish_scan(outbox);
    else
        finish_prepare(outbox);
    gk_outbox_step(outbox);
}

static void start_job(struct gk_outbox *outbox, enum gk_outbox_job_kind kind)
{
    outbox->job.kind = kind;
    outbox->job.now_ms = gk_outbox_store_now_ms(outbox);
    outbox->job.request.data = outbox;
    outbox->job_running = true;
    uv_queue_work(outbox->options.loop, &outbox->job.request, run_job, job_done);
}

static void start_scan(struct gk_outbox *outbox)
{
    outbox->dirty = false;
    outbox->job.row_count = 0;
    outbox->job.more = false;
    outbox->job.next_due_ms = INT64_MAX;
    start_job(outbox, JOB_SCAN);
}

/* Makes the first row ready that nobody has. False where there is none. */
static bool start_prepare(struct gk_outbox *outbox)
{
    struct gk_outbox_job *job = &outbox->job;
    while (outbox->ready < job->row_count) {
        const uint8_t *notice_id = job->rows[outbox->ready++];
        if (gk_outbox_is_leased(outbox, notice_id))
            continue;
        memcpy(job->notice_id, notice_id, GK_NOTICE_ID_SIZE);
        job->call = gk_outbox_take_waiter(outbox, 0);
        start_job(outbox, JOB_PREPARE);
        return true;
    }
    return false;
}

/* --- one step of the machine --- */

static void on_timer(uv_timer_t *timer)
{
    gk_outbox_step(timer->data);
}

void gk_outbox_arm_timer(struct gk_outbox *outbox)
{
    int64_t now_ms = gk_outbox_store_now_ms(outbox);
    int64_t sleep_ms = LONGEST_SLEEP_MS;
    bool waiting = outbox->waiter_count > 0;
    for (size_t i = 0; i < outbox->waiter_count; i++) {
        int64_t left_ms = (int64_t)(outbox->waiters[i].answer_by_ms - gk_outbox_loop_now_ms());
        sleep_ms = left_ms < sleep_ms ? left_ms : sleep_ms;
    }
    if (waiting && !outbox->job_running && outbox->job.next_due_ms - now_ms < sleep_ms)
        sleep_ms = outbox->job.next_due_ms - now_ms;
    for (size_t i = 0; i < GK_OUTBOX_MAX_LEASES; i++) {
        const struct gk_outbox_lease *lease = &outbox->leases[i];
        if (lease->id == 0 || lease->settling)
            continue;
        waiting = true;
        sleep_ms = lease->ends_at_ms - now_ms < sleep_ms ? lease->ends_at_ms - now_ms : sleep_ms;
    }
    if (waiting)
        uv_timer_start(&outbox->timer, on_timer, sleep_ms > 0 ? (uint64_t)sleep_ms : 1, 0);
    else
        uv_timer_stop(&outbox->timer);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct gk_outbox *outbox = handle->data;
    if (--outbox->open_handles > 0)
        return;
    void (*on_closed)(void *context) = outbox->on_closed;
    void *context = outbox->on_closed_context;
    uv_mutex_destroy(&outbox->lock);
    free(outbox);
    if (on_closed != NULL)
        on_closed(context);
}

static void try_leave(struct gk_outbox *outbox)
{
    if (outbox->job_running || outbox->settling > 0 || uv_is_closing((uv_handle_t *)&outbox->timer))
        return;
    uv_close((uv_handle_t *)&outbox->timer, on_handle_closed);
    uv_close((uv_handle_t *)&outbox->wake, on_handle_closed);
}

/* Does what can be done now; called after everything that changes. */
void gk_outbox_step(struct gk_outbox *outbox)
{
    if (outbox->closing) {
        while (outbox->waiter_count > 0)
            gk_rpc_fail(gk_outbox_take_waiter(outbox, 0), GK_UNAVAILABLE, "the service is going down");
        try_leave(outbox);
        return;
    }
    gk_outbox_end_leases(outbox);
    gk_outbox_answer_late(outbox);
    if (!outbox->job_running && outbox->waiter_count > 0 && gk_outbox_find_lease(outbox, 0) != NULL &&
        !start_prepare(outbox) &&
        (outbox->dirty || outbox->job.next_due_ms <= gk_outbox_store_now_ms(outbox)))
        start_scan(outbox);
    gk_outbox_arm_timer(outbox);
}

static void on_wake(uv_async_t *wake)
{
    struct gk_outbox *outbox = wake->data;
    uv_mutex_lock(&outbox->lock);
    struct gk_outbox_settlement *settled = outbox->settled;
    outbox->settled = NULL;
    uv_mutex_unlock(&outbox->lock);
    while (settled != NULL) {
        struct gk_outbox_settlement *next = settled->next;
        gk_outbox_finish_settlement(outbox, settled);
        settled = next;
    }
    outbox->dirty = true;
    gk_outbox_step(outbox);
}

/* --- life --- */

static enum gk_status check_settings(const struct gk_outbox_options *options, struct gk_error *error)
{
    const guika_v1_internal_ChannelSetting *sizes = NULL;
    const size_t most = sizeof((guika_v1_internal_AnnounceChannelsResponse *)NULL)->settings / sizeof *sizes;
    if (options->setting_count > most)
        return gk_error_set(error, GK_INVALID_ARGUMENT, "at most %zu settings of channels, not %zu", most,
                            options->setting_count);
    for (size_t i = 0; i < options->setting_count; i++) {
        const struct gk_channel_setting *setting = &options->settings[i];
        if (strlen(setting->channel) >= sizeof sizes->channel || strlen(setting->key) >= sizeof sizes->key ||
            strlen(setting->value) >= sizeof sizes->value)
            return gk_error_set(
                error, GK_INVALID_ARGUMENT, "channel %.32s, %.32s: a name has at most %zu bytes, a value %zu",
                setting->channel, setting->key, sizeof sizes->key - 1, sizeof sizes->value - 1);
    }
    return GK_OK;
}

enum gk_status gk_outbox_open(const struct gk_outbox_options *options, struct gk_outbox **ret_outbox,
                              struct gk_error *error)
{
    enum gk_status status = check_settings(options, error);
    if (status != GK_OK)
        return status;
    struct gk_outbox *outbox = calloc(1, sizeof *outbox);
    if (outbox == NULL)
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for the outbox");
    outbox->options = *options;
    if (outbox->options.lease_ms == 0)
        outbox->options.lease_ms = DEFAULT_LEASE_MS;
    outbox->dirty = true;
    outbox->job.next_due_ms = INT64_MAX;
    outbox->timer.data = outbox;
    outbox->wake.data = outbox;
    if (uv_mutex_init(&outbox->lock) != 0) {
        free(outbox);
        return gk_error_set(error, GK_INTERNAL, "cannot make the outbox's lock");
    }
    if (uv_async_init(options->loop, &outbox->wake, on_wake) != 0) {
        uv_mutex_destroy(&outbox->lock);
        free(outbox);
        return gk_error_set(error, GK_INTERNAL, "cannot make the outbox's wake-up");
    }
    uv_timer_init(options->loop, &outbox->timer);
    outbox->open_handles = 2;
    *ret_outbox = outbox;
    return GK_OK;
}

void gk_outbox_poke(struct gk_outbox *outbox)
{
    uv_async_send(&outbox->wake);
}

void gk_outbox_peer_gone(struct gk_outbox *outbox, const struct gk_rpc_peer *peer)
{
    for (size_t i = 0; i < GK_OUTBOX_MAX_LEASES; i++) {
        struct gk_outbox_lease *lease = &outbox->leases[i];
        if (lease->id != 0 && !lease->settling && lease->peer == peer && peer != NULL)
            gk_outbox_fail_lease(outbox, lease, "the courier has gone");
    }
}

void gk_outbox_close(struct gk_outbox *outbox, void (*on_closed)(void *context), void *context)
{
    outbox->closing = true;
    outbox->on_closed = on_closed;
    outbox->on_closed_context = context;
    gk_outbox_step(outbox);
}

/*
 * The outbox on the loop: couriers that wait, notices that are due, leases.
 *
 * Couriers wait in a queue. While one waits, the outbox looks for due rows on a worker (one job at a time),
 * makes the first that nobody has ready on a worker, and leases it to the courier. What becomes of it is one
 * commit. Due times and the ends of leases are by the store's clock, which tests move; the timer is only a
 * wake-up, set for the earliest of them and at most a minute ahead, so that a clock that was set is noticed.
 */
#include "core/notification/outbox.h"

#include "core/notification/outbox_internal.h"
#include "guika/v1/internal/courier.rpc.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WAITERS 64       /* couriers waiting at once */
#define MAX_LEASES 64        /* notices in couriers' hands at once */
#define MAX_READY 128        /* rows taken from one scan: more than can be leased */
#define ANSWER_EARLY_MS 1000 /* a long poll is answered so long before its deadline */
#define LONGEST_SLEEP_MS 60000
#define RETRY_MS 1000 /* after the store refused a commit */
#define DEFAULT_LEASE_MS 30000

struct waiter {
    struct gk_rpc_call *call;
    uint64_t answer_by_ms; /* uv_hrtime's clock */
};

struct lease {
    uint64_t id;        /* 0: free */
    int64_t ends_at_ms; /* the store's clock */
    const struct gk_rpc_peer *peer;
    bool settling; /* its commit is on the way */
    struct gk_outbox_attempt attempt;
    char address[sizeof((guika_v1_internal_LeaseNoticeResponse *)NULL)->address];
};

/* One commit of an attempt. */
struct settlement {
    struct gk_work work;
    struct gk_outbox *outbox;
    struct gk_outbox_attempt attempt;
    struct gk_rpc_call *call; /* who waits for it; NULL: nobody */
    uint64_t lease_id;
    struct gk_error error;
    struct settlement *next;
};

enum job_kind { JOB_SCAN, JOB_PREPARE };

struct job {
    uv_work_t request;
    enum job_kind kind;
    int64_t now_ms;
    /* Scan: the rows found, and when the next one is due. */
    uint8_t rows[MAX_READY][GK_NOTICE_ID_SIZE];
    size_t row_count;
    int64_t next_due_ms;
    bool more;
    /* Prepare: for whom (NULL: they have gone), and what came of it. */
    struct gk_rpc_call *call;
    uint8_t notice_id[GK_NOTICE_ID_SIZE];
    enum gk_outbox_prepared prepared;
    guika_v1_internal_LeaseNoticeResponse response;
    struct gk_outbox_attempt attempt;
    enum gk_status status;
    struct gk_error error;
};

struct gk_outbox {
    struct gk_outbox_options options;
    uv_timer_t timer;
    uv_async_t wake;
    unsigned open_handles;
    bool closing;
    void (*on_closed)(void *context);
    void *on_closed_context;

    struct waiter waiters[MAX_WAITERS]; /* oldest first */
    size_t waiter_count;
    struct lease leases[MAX_LEASES];
    size_t settling; /* commits on the way */
    struct job job;
    bool job_running;
    size_t ready; /* of the job's rows, those already handed out */
    bool dirty;   /* outbox_due may have changed since the last scan */

    uv_mutex_t lock;
    struct settlement *settled; /* under the lock: durable, not yet taken by the loop */
};

static void step(struct gk_outbox *outbox);

static int64_t store_now_ms(const struct gk_outbox *outbox)
{
    return gk_store_now_ms(outbox->options.store);
}

static uint64_t loop_now_ms(void)
{
    return uv_hrtime() / 1000000;
}

static struct lease *find_lease(struct gk_outbox *outbox, uint64_t id)
{
    for (size_t i = 0; i < MAX_LEASES; i++) {
        if (outbox->leases[i].id == id)
            return &outbox->leases[i];
    }
    return NULL;
}

static bool is_leased(const struct gk_outbox *outbox, const uint8_t notice_id[GK_NOTICE_ID_SIZE])
{
    for (size_t i = 0; i < MAX_LEASES; i++) {
        const struct lease *lease = &outbox->leases[i];
        if (lease->id != 0 && memcmp(lease->attempt.notice_id, notice_id, GK_NOTICE_ID_SIZE) == 0)
            return true;
    }
    return false;
}

/* --- commits --- */

static enum gk_status apply_settlement(struct gk_work *work, struct gk_transaction *transaction,
                                       struct gk_error *error)
{
    struct settlement *settlement = (struct settlement *)work;
    return gk_outbox_settle(&settlement->outbox->options, transaction, &settlement->attempt, error);
}

/* [committer] */
static void settlement_done(struct gk_work *work, enum gk_status status, const struct gk_error *error)
{
    struct settlement *settlement = (struct settlement *)work;
    struct gk_outbox *outbox = settlement->outbox;
    settlement->error.status = GK_OK;
    if (status != GK_OK)
        gk_error_set(&settlement->error, status, "%s",
                     error != NULL ? error->message : "the store refused it");
    uv_mutex_lock(&outbox->lock);
    settlement->next = outbox->settled;
    outbox->settled = settlement;
    /* Inside the lock, so that the loop cannot close the handle between the two. */
    uv_async_send(&outbox->wake);
    uv_mutex_unlock(&outbox->lock);
}

/* Commits what became of the lease. False where the store's queue is full. */
static bool settle(struct gk_outbox *outbox, struct lease *lease, struct gk_rpc_call *call)
{
    struct settlement *settlement = calloc(1, sizeof *settlement);
    if (settlement == NULL)
        return false;
    settlement->work.apply = apply_settlement;
    settlement->work.done = settlement_done;
    settlement->outbox = outbox;
    settlement->attempt = lease->attempt;
    settlement->attempt.now_ms = store_now_ms(outbox);
    settlement->call = call;
    settlement->lease_id = lease->id;
    if (!gk_store_commit(outbox->options.store, &settlement->work)) {
        free(settlement);
        return false;
    }
    lease->settling = true;
    outbox->settling++;
    return true;
}

static void finish_settlement(struct gk_outbox *outbox, struct settlement *settlement)
{
    struct lease *lease = find_lease(outbox, settlement->lease_id);
    if (lease != NULL)
        *lease = (struct lease){0};
    outbox->settling--;
    if (settlement->call != NULL && settlement->error.status == GK_OK) {
        guika_v1_internal_CompleteNoticeResponse response =
            guika_v1_internal_CompleteNoticeResponse_init_zero;
        guika_v1_internal_courier_service_complete_notice_reply(settlement->call, &response);
    } else if (settlement->call != NULL) {
        gk_rpc_fail(settlement->call, settlement->error.status, "%s", settlement->error.message);
    }
    free(settlement);
}

/* A lease ended without an answer: an attempt that failed, so that a notice that kills its courier gives way.
 */
static void fail_lease(struct gk_outbox *outbox, struct lease *lease, const char *detail)
{
    lease->attempt.outcome = guika_v1_internal_CompleteNoticeRequest_Outcome_TRY_LATER;
    lease->attempt.retry_after_ms = 0;
    snprintf(lease->attempt.detail, sizeof lease->attempt.detail, "%s", detail);
    if (!settle(outbox, lease, NULL))
        lease->ends_at_ms = store_now_ms(outbox) + RETRY_MS;
}

static void end_leases(struct gk_outbox *outbox)
{
    int64_t now_ms = store_now_ms(outbox);
    for (size_t i = 0; i < MAX_LEASES; i++) {
        struct lease *lease = &outbox->leases[i];
        if (lease->id != 0 && !lease->settling && lease->ends_at_ms <= now_ms)
            fail_lease(outbox, lease, "the courier did not answer in time");
    }
}

/* --- couriers that wait --- */

static struct gk_rpc_call *take_waiter(struct gk_outbox *outbox, size_t index)
{
    struct gk_rpc_call *call = outbox->waiters[index].call;
    outbox->waiter_count--;
    memmove(&outbox->waiters[index], &outbox->waiters[index + 1],
            (outbox->waiter_count - index) * sizeof outbox->waiters[0]);
    return call;
}

/* A little before its deadline, so that the answer arrives in time. */
static uint64_t answer_by_ms(const struct gk_rpc_call *call)
{
    uint64_t deadline_ms = gk_rpc_call_deadline_ms(call);
    uint64_t now_ms = loop_now_ms();
    uint64_t left_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
    return deadline_ms - (left_ms / 4 < ANSWER_EARLY_MS ? left_ms / 4 : ANSWER_EARLY_MS);
}

static void answer_empty(struct gk_rpc_call *call)
{
    static const guika_v1_internal_LeaseNoticeResponse nothing =
        guika_v1_internal_LeaseNoticeResponse_init_zero;
    guika_v1_internal_courier_service_lease_notice_reply(call, &nothing);
}

static void answer_those_whose_time_is_up(struct gk_outbox *outbox)
{
    uint64_t now_ms = loop_now_ms();
    for (size_t i = outbox->waiter_count; i > 0; i--) {
        if (outbox->waiters[i - 1].answer_by_ms <= now_ms)
            answer_empty(take_waiter(outbox, i - 1));
    }
}

static void on_waiter_ended(struct gk_rpc_call *call, void *context)
{
    struct gk_outbox *outbox = context;
    if (outbox->job_running && outbox->job.call == call)
        outbox->job.call = NULL;
    for (size_t i = 0; i < outbox->waiter_count; i++) {
        if (outbox->waiters[i].call == call) {
            take_waiter(outbox, i);
            break;
        }
    }
    answer_empty(call);
}

/* --- jobs --- */

static bool visit_due(void *context, struct gk_bytes key, struct gk_bytes value)
{
    (void)value;
    struct job *job = context;
    if (key.size != GK_DUE_KEY_SIZE)
        return true;
    int64_t due_ms = gk_outbox_due_ms(key.data);
    if (due_ms > job->now_ms) {
        job->next_due_ms = due_ms;
        return false;
    }
    if (job->row_count == MAX_READY) {
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
    struct job *job = &outbox->job;
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
    struct job *job = &outbox->job;
    outbox->ready = 0;
    if (job->more)
        outbox->dirty = true;
    if (job->status != GK_OK) {
        job->row_count = 0;
        job->next_due_ms = job->now_ms + RETRY_MS;
    }
}

/* Hands the notice over: the lease begins now. */
static void lease_out(struct gk_outbox *outbox, struct gk_rpc_call *call)
{
    struct job *job = &outbox->job;
    struct lease *lease = find_lease(outbox, 0);
    uint32_t lease_ms = outbox->options.lease_ms;
    *lease = (struct lease){.ends_at_ms = store_now_ms(outbox) + lease_ms,
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
    struct job *job = &outbox->job;
    struct gk_rpc_call *call = job->call;
    job->call = NULL;
    if (job->prepared == GK_OUTBOX_READY && call != NULL)
        lease_out(outbox, call);
    else if (job->prepared == GK_OUTBOX_FAILED && call != NULL)
        gk_rpc_fail(call, GK_UNAVAILABLE, "%s", job->error.message);
    else if (call != NULL && outbox->waiter_count < MAX_WAITERS)
        outbox->waiters[outbox->waiter_count++] = (struct waiter){call, answer_by_ms(call)};
    else if (call != NULL)
        answer_empty(call);
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
    step(outbox);
}

static void start_job(struct gk_outbox *outbox, enum job_kind kind)
{
    outbox->job.kind = kind;
    outbox->job.now_ms = store_now_ms(outbox);
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
    struct job *job = &outbox->job;
    while (outbox->ready < job->row_count) {
        const uint8_t *notice_id = job->rows[outbox->ready++];
        if (is_leased(outbox, notice_id))
            continue;
        memcpy(job->notice_id, notice_id, GK_NOTICE_ID_SIZE);
        job->call = take_waiter(outbox, 0);
        start_job(outbox, JOB_PREPARE);
        return true;
    }
    return false;
}

/* --- one step of the machine --- */

static void on_timer(uv_timer_t *timer)
{
    step(timer->data);
}

static void arm_timer(struct gk_outbox *outbox)
{
    int64_t now_ms = store_now_ms(outbox);
    int64_t sleep_ms = LONGEST_SLEEP_MS;
    bool waiting = outbox->waiter_count > 0;
    for (size_t i = 0; i < outbox->waiter_count; i++) {
        int64_t left_ms = (int64_t)(outbox->waiters[i].answer_by_ms - loop_now_ms());
        sleep_ms = left_ms < sleep_ms ? left_ms : sleep_ms;
    }
    if (waiting && !outbox->job_running && outbox->job.next_due_ms - now_ms < sleep_ms)
        sleep_ms = outbox->job.next_due_ms - now_ms;
    for (size_t i = 0; i < MAX_LEASES; i++) {
        const struct lease *lease = &outbox->leases[i];
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
static void step(struct gk_outbox *outbox)
{
    if (outbox->closing) {
        while (outbox->waiter_count > 0)
            gk_rpc_fail(take_waiter(outbox, 0), GK_UNAVAILABLE, "the service is going down");
        try_leave(outbox);
        return;
    }
    end_leases(outbox);
    answer_those_whose_time_is_up(outbox);
    if (!outbox->job_running && outbox->waiter_count > 0 && find_lease(outbox, 0) != NULL &&
        !start_prepare(outbox) && (outbox->dirty || outbox->job.next_due_ms <= store_now_ms(outbox)))
        start_scan(outbox);
    arm_timer(outbox);
}

static void on_wake(uv_async_t *wake)
{
    struct gk_outbox *outbox = wake->data;
    uv_mutex_lock(&outbox->lock);
    struct settlement *settled = outbox->settled;
    outbox->settled = NULL;
    uv_mutex_unlock(&outbox->lock);
    while (settled != NULL) {
        struct settlement *next = settled->next;
        finish_settlement(outbox, settled);
        settled = next;
    }
    outbox->dirty = true;
    step(outbox);
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
    if (outbox->closing || outbox->waiter_count == MAX_WAITERS) {
        gk_rpc_fail_busy(call, RETRY_MS, "%u couriers wait already", MAX_WAITERS);
        return;
    }
    outbox->waiters[outbox->waiter_count++] = (struct waiter){call, answer_by_ms(call)};
    gk_rpc_call_on_ended(call, on_waiter_ended, outbox);
    step(outbox);
}

static void complete_notice(struct gk_rpc_call *call, const guika_v1_internal_CompleteNoticeRequest *request,
                            void *context)
{
    struct gk_outbox *outbox = context;
    struct lease *lease = request->lease_id != 0 ? find_lease(outbox, request->lease_id) : NULL;
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
    if (!settle(outbox, lease, call))
        gk_rpc_fail_busy(call, RETRY_MS, "the store has too much to write");
    arm_timer(outbox);
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
    for (size_t i = 0; i < MAX_LEASES; i++) {
        struct lease *lease = &outbox->leases[i];
        if (lease->id != 0 && !lease->settling && lease->peer == peer && peer != NULL)
            fail_lease(outbox, lease, "the courier has gone");
    }
}

void gk_outbox_close(struct gk_outbox *outbox, void (*on_closed)(void *context), void *context)
{
    outbox->closing = true;
    outbox->on_closed = on_closed;
    outbox->on_closed_context = context;
    step(outbox);
}

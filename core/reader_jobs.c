#include "core/reader_jobs.h"

#include "core/memory.h"
#include "guika/v1/internal/reader.rpc.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum {
    QUEUE_DEFAULT = 64,
    SWEEP_MS = 50,         /* how late a lease's end may be noticed */
    POLL_MARGIN_MS = 1000, /* a long poll is answered this long before its deadline */
    /* How long a job waits for a reader: as long as the call behind it, by default. Its caller tries again.
     */
    RECOGNITION_WAIT_MS = 5000,
    NUMBERS_WAIT_MS = 30000,
    LEAVING_MAX = 128,
};

struct job {
    struct job *next;
    uint64_t id;
    unsigned attempts;       /* begun */
    uint64_t lease_ends_ms;  /* on the loop's clock; 0: waits in the queue */
    uint64_t waits_until_ms; /* on the loop's clock; where it waits in the queue */
    char reader_id[GK_PRINCIPAL_ID_SIZE];
    const guika_v1_Frame *frames; /* of a recognition; else NULL */
    size_t frame_count;
    bool kept;                 /* the picture is one that was kept */
    bool is_last;              /* after everything else */
    struct gk_bytes questions; /* of a number check */
    gk_recognised_fn recognised;
    gk_numbers_checked_fn checked;
    void *context;
};

struct poll {
    struct poll *next;
    struct gk_rpc_call *call;
};

struct gk_reader_jobs {
    struct gk_reader_jobs_options options;
    uv_timer_t sweep;
    struct job *jobs; /* waiting and leased, oldest first */
    uint32_t count;
    uint64_t last_id;
    struct poll *polls;                              /* oldest first */
    char leaving[LEAVING_MAX][GK_PRINCIPAL_ID_SIZE]; /* readers that get nothing any more */
    size_t leaving_count;
    bool stopped;
    void (*on_closed)(void *context);
    void *on_closed_context;
};

static void unlink_job(struct gk_reader_jobs *jobs, struct job *job)
{
    struct job **link = &jobs->jobs;

    while (*link != job) {
        link = &(*link)->next;
    }
    *link = job->next;
    jobs->count--;
}

static void give_up(struct gk_reader_jobs *jobs, struct job *job, enum gk_status status)
{
    unlink_job(jobs, job);
    if (job->frames != NULL) {
        job->recognised(job->context, status, NULL);
    } else {
        job->checked(job->context, status, (struct gk_bytes){NULL, 0});
    }
    free(job);
}

static struct job *first_waiting(struct gk_reader_jobs *jobs)
{
    struct job *last = NULL;

    for (struct job *job = jobs->jobs; job != NULL; job = job->next) {
        if (job->lease_ends_ms == 0 && !job->is_last) {
            return job;
        }
        if (job->lease_ends_ms == 0 && last == NULL) {
            last = job;
        }
    }
    return last;
}

static void answer_poll(struct gk_reader_jobs *jobs, struct gk_rpc_call *call, struct job *job)
{
    guika_v1_internal_LeaseJobResponse response = {0};

    job->attempts++;
    job->lease_ends_ms = uv_now(jobs->options.loop) + jobs->options.lease_ms;
    (void)snprintf(job->reader_id, sizeof job->reader_id, "%s", gk_rpc_call_principal(call)->id);
    response.job_id = job->id;
    response.lease_ms = jobs->options.lease_ms;
    if (job->frames != NULL) {
        response.which_job = guika_v1_internal_LeaseJobResponse_recognise_tag;
        response.job.recognise.kept = job->kept;
        response.job.recognise.frames_count = (pb_size_t)job->frame_count;
        memcpy(response.job.recognise.frames, job->frames, job->frame_count * sizeof *job->frames);
    } else {
        response.which_job = guika_v1_internal_LeaseJobResponse_numbers_tag;
        response.job.numbers.questions = job->questions;
    }
    guika_v1_internal_reader_service_lease_job_reply(call, &response);
}

static void hand_out(struct gk_reader_jobs *jobs)
{
    struct job *job;

    while (jobs->polls != NULL && (job = first_waiting(jobs)) != NULL) {
        struct poll *poll = jobs->polls;

        jobs->polls = poll->next;
        answer_poll(jobs, poll->call, job);
        free(poll);
    }
}

/* Puts a leased job back, or gives it up where its attempts are spent. */
static void release(struct gk_reader_jobs *jobs, struct job *job)
{
    job->lease_ends_ms = 0;
    job->reader_id[0] = '\0';
    if (job->attempts >= GK_READER_ATTEMPTS) {
        give_up(jobs, job, GK_ABORTED);
    }
}

static void sweep_leases(struct gk_reader_jobs *jobs)
{
    const uint64_t now_ms = uv_now(jobs->options.loop);
    struct job *next;

    for (struct job *job = jobs->jobs; job != NULL; job = next) {
        next = job->next;
        if (job->lease_ends_ms != 0 && job->lease_ends_ms <= now_ms) {
            char reader_id[GK_PRINCIPAL_ID_SIZE];

            memcpy(reader_id, job->reader_id, sizeof reader_id);
            release(jobs, job);
            jobs->options.on_overdue(jobs->options.context, reader_id);
        }
    }
}

/* Gives up what no reader took in time. */
static void sweep_waiting(struct gk_reader_jobs *jobs)
{
    const uint64_t now_ms = uv_now(jobs->options.loop);
    struct job *next;

    for (struct job *job = jobs->jobs; job != NULL; job = next) {
        next = job->next;
        if (job->lease_ends_ms == 0 && job->waits_until_ms <= now_ms) {
            give_up(jobs, job, GK_UNAVAILABLE);
        }
    }
}

static void answer_empty(struct gk_rpc_call *call)
{
    guika_v1_internal_LeaseJobResponse response = {0};

    guika_v1_internal_reader_service_lease_job_reply(call, &response);
}

static void answer_leave(struct gk_rpc_call *call)
{
    guika_v1_internal_LeaseJobResponse response = {.leave = true};

    guika_v1_internal_reader_service_lease_job_reply(call, &response);
}

static void sweep_polls(struct gk_reader_jobs *jobs)
{
    const uint64_t now_ms = uv_hrtime() / 1000000;
    struct poll **link = &jobs->polls;

    while (*link != NULL) {
        struct poll *poll = *link;

        if (gk_rpc_call_deadline_ms(poll->call) <= now_ms + POLL_MARGIN_MS) {
            *link = poll->next;
            answer_empty(poll->call);
            free(poll);
        } else {
            link = &poll->next;
        }
    }
}

static void on_sweep(uv_timer_t *timer)
{
    struct gk_reader_jobs *jobs = timer->data;

    sweep_leases(jobs);
    sweep_polls(jobs);
    hand_out(jobs);
    sweep_waiting(jobs);
}

struct gk_reader_jobs *gk_reader_jobs_open(const struct gk_reader_jobs_options *options)
{
    struct gk_reader_jobs *jobs = gk_allocate(sizeof *jobs);

    jobs->options = *options;
    jobs->options.queue = options->queue == 0 ? QUEUE_DEFAULT : options->queue;
    jobs->options.lease_ms = options->lease_ms == 0 ? GK_READER_LEASE_MS : options->lease_ms;
    (void)uv_timer_init(options->loop, &jobs->sweep);
    jobs->sweep.data = jobs;
    (void)uv_timer_start(&jobs->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    return jobs;
}

static void on_timer_closed(uv_handle_t *handle)
{
    const struct gk_reader_jobs *jobs = handle->data;

    jobs->on_closed(jobs->on_closed_context);
}

void gk_reader_jobs_close(struct gk_reader_jobs *jobs, void (*on_closed)(void *context), void *context)
{
    jobs->stopped = true;
    while (jobs->polls != NULL) {
        struct poll *poll = jobs->polls;

        jobs->polls = poll->next;
        answer_empty(poll->call);
        free(poll);
    }
    while (jobs->jobs != NULL) {
        give_up(jobs, jobs->jobs, GK_UNAVAILABLE);
    }
    jobs->on_closed = on_closed;
    jobs->on_closed_context = context;
    uv_close((uv_handle_t *)&jobs->sweep, on_timer_closed);
}

void gk_reader_jobs_free(struct gk_reader_jobs *jobs)
{
    assert(jobs == NULL || (jobs->jobs == NULL && jobs->polls == NULL));
    free(jobs);
}

static struct job *add_job(struct gk_reader_jobs *jobs, uint32_t wait_ms)
{
    struct job **link = &jobs->jobs;

    if (jobs->stopped || jobs->count >= jobs->options.queue) {
        return NULL;
    }
    struct job *job = gk_allocate(sizeof *job);

    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = job;
    jobs->count++;
    job->id = ++jobs->last_id;
    job->waits_until_ms =
        uv_now(jobs->options.loop) + (jobs->options.wait_ms == 0 ? wait_ms : jobs->options.wait_ms);
    return job;
}

bool gk_reader_jobs_recognise(struct gk_reader_jobs *jobs, const guika_v1_Frame *frames, size_t frame_count,
                              gk_recognised_fn done, void *context)
{
    struct job *job = add_job(jobs, RECOGNITION_WAIT_MS);

    assert(frame_count >= 1 && frame_count <= 8);
    if (job == NULL) {
        return false;
    }
    job->frames = frames;
    job->frame_count = frame_count;
    job->recognised = done;
    job->context = context;
    hand_out(jobs);
    return true;
}

bool gk_reader_jobs_recognise_kept(struct gk_reader_jobs *jobs, const guika_v1_Frame *frame, bool in_turn,
                                   gk_recognised_fn done, void *context)
{
    struct job *job = add_job(jobs, RECOGNITION_WAIT_MS);

    if (job == NULL) {
        return false;
    }
    job->kept = true;
    if (!in_turn) {
        job->is_last = true;
        job->waits_until_ms = UINT64_MAX;
    }
    job->frames = frame;
    job->frame_count = 1;
    job->recognised = done;
    job->context = context;
    hand_out(jobs);
    return true;
}

bool gk_reader_jobs_check_numbers(struct gk_reader_jobs *jobs, struct gk_bytes questions,
                                  gk_numbers_checked_fn done, void *context)
{
    struct job *job = add_job(jobs, NUMBERS_WAIT_MS);

    if (job == NULL) {
        return false;
    }
    job->questions = questions;
    job->checked = done;
    job->context = context;
    hand_out(jobs);
    return true;
}

/* Whatever was handed to these would go nowhere. */
static void end_polls(struct gk_reader_jobs *jobs, const char *reader_id,
                      void (*answer)(struct gk_rpc_call *call))
{
    struct poll **link = &jobs->polls;

    while (*link != NULL) {
        struct poll *poll = *link;

        if (strcmp(gk_rpc_call_principal(poll->call)->id, reader_id) == 0) {
            *link = poll->next;
            answer(poll->call);
            free(poll);
        } else {
            link = &poll->next;
        }
    }
}

/* Where the reader stands among those that leave; their count: it does not. */
static size_t find_leaving(const struct gk_reader_jobs *jobs, const char *reader_id)
{
    size_t i = 0;

    while (i < jobs->leaving_count && strcmp(jobs->leaving[i], reader_id) != 0) {
        i++;
    }
    return i;
}

void gk_reader_jobs_retire(struct gk_reader_jobs *jobs, const char *reader_id)
{
    if (find_leaving(jobs, reader_id) == jobs->leaving_count && jobs->leaving_count < LEAVING_MAX) {
        (void)snprintf(jobs->leaving[jobs->leaving_count++], GK_PRINCIPAL_ID_SIZE, "%s", reader_id);
    }
    end_polls(jobs, reader_id, answer_leave);
}

void gk_reader_jobs_lost(struct gk_reader_jobs *jobs, const char *reader_id)
{
    struct job *next;
    const size_t leaving = find_leaving(jobs, reader_id);

    if (leaving < jobs->leaving_count) {
        memmove(jobs->leaving[leaving], jobs->leaving[--jobs->leaving_count], GK_PRINCIPAL_ID_SIZE);
    }
    end_polls(jobs, reader_id, answer_empty);
    for (struct job *job = jobs->jobs; job != NULL; job = next) {
        next = job->next;
        if (job->lease_ends_ms != 0 && strcmp(job->reader_id, reader_id) == 0) {
            release(jobs, job);
        }
    }
    hand_out(jobs);
}

/* --- the service --- */

static void on_announce(struct gk_rpc_call *call, const guika_v1_internal_AnnounceRequest *request,
                        void *context)
{
    const struct gk_reader_jobs *jobs = context;
    const guika_v1_internal_AnnounceResponse response = {0};

    if (jobs->options.on_ready(jobs->options.context, gk_rpc_call_principal(call)->id, request)) {
        gk_shelf_set(jobs->options.shelf, request);
    }
    guika_v1_internal_reader_service_announce_reply(call, &response);
}

/* The poll's call ended by itself: the reader has gone, or asks again. */
static void on_poll_ended(struct gk_rpc_call *call, void *context)
{
    struct gk_reader_jobs *jobs = context;

    for (struct poll **link = &jobs->polls; *link != NULL; link = &(*link)->next) {
        struct poll *poll = *link;

        if (poll->call == call) {
            *link = poll->next;
            free(poll);
            answer_empty(call);
            return;
        }
    }
}

static void on_lease_job(struct gk_rpc_call *call, const guika_v1_internal_LeaseJobRequest *request,
                         void *context)
{
    struct gk_reader_jobs *jobs = context;
    struct poll **link = &jobs->polls;

    (void)request;
    if (find_leaving(jobs, gk_rpc_call_principal(call)->id) < jobs->leaving_count) {
        answer_leave(call);
        return;
    }
    struct poll *poll = gk_allocate(sizeof *poll);

    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = poll;
    poll->call = call;
    gk_rpc_call_on_ended(call, on_poll_ended, jobs);
    hand_out(jobs);
}

/* The job that the caller holds; NULL where its lease has run out meanwhile (it was given to another). */
static struct job *leased_job(struct gk_reader_jobs *jobs, struct gk_rpc_call *call, uint64_t job_id)
{
    const char *reader_id = gk_rpc_call_principal(call)->id;

    for (struct job *job = jobs->jobs; job != NULL; job = job->next) {
        if (job->id == job_id && job->lease_ends_ms != 0 && strcmp(job->reader_id, reader_id) == 0) {
            return job;
        }
    }
    return NULL;
}

static void reply_complete(struct gk_rpc_call *call, bool taken)
{
    const guika_v1_internal_CompleteJobResponse response = {0};

    if (taken) {
        gk_rpc_reply(call, &response);
    } else {
        gk_rpc_fail(call, GK_FAILED_PRECONDITION, "the lease of this job has run out");
    }
}

static void on_complete_recognition(struct gk_rpc_call *call,
                                    const guika_v1_internal_CompleteRecognitionRequest *request,
                                    void *context)
{
    struct gk_reader_jobs *jobs = context;
    struct job *job = leased_job(jobs, call, request->job_id);
    const bool taken = job != NULL && job->frames != NULL;

    if (taken) {
        unlink_job(jobs, job);
        job->recognised(job->context, GK_OK, request);
        free(job);
    }
    reply_complete(call, taken);
}

static void on_complete_numbers(struct gk_rpc_call *call,
                                const guika_v1_internal_CompleteNumbersRequest *request, void *context)
{
    struct gk_reader_jobs *jobs = context;
    struct job *job = leased_job(jobs, call, request->job_id);
    const bool taken = job != NULL && job->frames == NULL;

    if (taken) {
        unlink_job(jobs, job);
        job->checked(job->context, GK_OK, request->answers);
        free(job);
    }
    reply_complete(call, taken);
}

struct gk_rpc_binding gk_reader_jobs_binding(struct gk_reader_jobs *jobs)
{
    static const struct guika_v1_internal_reader_service_handlers handlers = {
        .announce = on_announce,
        .lease_job = on_lease_job,
        .complete_recognition = on_complete_recognition,
        .complete_numbers = on_complete_numbers,
    };

    return (struct gk_rpc_binding){&guika_v1_internal_reader_service, &handlers, jobs};
}

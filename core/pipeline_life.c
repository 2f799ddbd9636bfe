/* The pipeline's beginning and end, and what it does by itself: waits for frames that never came, and
 * pictures to erase. */
#include "core/found_card.h"
#include "core/memory.h"
#include "core/pipeline_internal.h"
#include "core/store/record.h"
#include "core/task.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    SWEEP_MS = 1000, /* how late the end of a wait for frames may be noticed */
    CLOSE_TURN_MS = 10,
};

void gk_pipeline_enter_lane(struct gk_pipeline *pipeline, const char *box_id, const char *deposit_id,
                            struct gk_errand *errand)
{
    uint8_t key[GK_DEPOSIT_KEY_SIZE];

    gk_lanes_enter(pipeline->lanes, key, gk_deposit_key(box_id, deposit_id, key), errand);
}

/* --- pictures --- */

/* Pictures that nobody needs any more. */
struct erasure {
    struct gk_task task;
    struct gk_pipeline *pipeline;
    uint8_t case_id[GK_CASE_ID_SIZE];
    enum gk_status status;
    struct gk_error error;
};

/* [worker] */
static void run_erasure(struct gk_task *task)
{
    struct erasure *erasure = gk_container_of(task, struct erasure, task);

    erasure->status =
        gk_picture_vault_erase(erasure->pipeline->parts.vault, erasure->case_id, &erasure->error);
}

static void on_erased(struct gk_task *task)
{
    struct erasure *erasure = gk_container_of(task, struct erasure, task);

    if (erasure->status != GK_OK) {
        /* The next start tries again. */
        gk_log(erasure->pipeline->parts.log, GK_LOG_WARNING, "pictures_not_erased",
               {"why", erasure->error.message});
    }
    gk_pipeline_announced(erasure->pipeline);
    free(erasure);
}

void gk_pipeline_erase_pictures(struct gk_pipeline *pipeline, const uint8_t case_id[GK_CASE_ID_SIZE])
{
    struct erasure *erasure = gk_allocate(sizeof *erasure);

    erasure->pipeline = pipeline;
    memcpy(erasure->case_id, case_id, GK_CASE_ID_SIZE);
    erasure->task.run = run_erasure;
    erasure->task.done = on_erased;
    gk_pipeline_announce(pipeline);
    gk_task_start(pipeline->parts.loop, &erasure->task);
}

/* --- waits --- */

/* The end of a wait for frames that never came, or of the wait of a box that stored the card by itself. */
struct end_of_wait {
    struct gk_errand errand;
    struct gk_pipeline *pipeline;
    struct gk_commit commit;
    uint8_t case_id[GK_CASE_ID_SIZE];
    char box_id[33];
    char deposit_id[65];
};

static enum gk_status apply_end_of_wait(struct gk_commit *commit, struct gk_transaction *transaction,
                                        struct gk_error *error)
{
    const struct end_of_wait *end = gk_container_of(commit, struct end_of_wait, commit);

    return gk_found_card_stop_waiting(transaction, end->case_id, error);
}

static void on_wait_ended(struct gk_commit *commit)
{
    struct end_of_wait *end = gk_container_of(commit, struct end_of_wait, commit);
    struct gk_pipeline *pipeline = end->pipeline;

    if (commit->status == GK_OK) {
        gk_waiting_frames_forget(pipeline->waiting, end->box_id, end->deposit_id);
    } else {
        gk_waiting_frames_find(pipeline->waiting, end->box_id, end->deposit_id)->expires_ms =
            uv_now(pipeline->parts.loop) + SWEEP_MS;
    }
    gk_lanes_finish(pipeline->lanes, &end->errand);
    free(end);
}

static void start_end_of_wait(struct gk_errand *errand)
{
    struct end_of_wait *end = gk_container_of(errand, struct end_of_wait, errand);
    struct gk_pipeline *pipeline = end->pipeline;
    const struct gk_waiting_deposit *waiting =
        gk_waiting_frames_find(pipeline->waiting, end->box_id, end->deposit_id);

    if (waiting == NULL || waiting->expires_ms != UINT64_MAX) {
        /* Frames came while this stood in the lane. */
        gk_lanes_finish(pipeline->lanes, errand);
        free(end);
        return;
    }
    end->commit.apply = apply_end_of_wait;
    end->commit.done = on_wait_ended;
    gk_commit_start(pipeline->parts.store, pipeline->parts.mailbox, &end->commit);
}

static void on_sweep(uv_timer_t *timer)
{
    struct gk_pipeline *pipeline = timer->data;
    struct gk_waiting_deposit *waiting;

    while ((waiting = gk_waiting_frames_expired(pipeline->waiting, uv_now(pipeline->parts.loop))) != NULL) {
        struct end_of_wait *end = gk_allocate(sizeof *end);

        waiting->expires_ms = UINT64_MAX;
        end->pipeline = pipeline;
        end->errand.start = start_end_of_wait;
        memcpy(end->case_id, waiting->case_id, GK_CASE_ID_SIZE);
        memcpy(end->box_id, waiting->box_id, sizeof end->box_id);
        memcpy(end->deposit_id, waiting->deposit_id, sizeof end->deposit_id);
        gk_pipeline_enter_lane(pipeline, end->box_id, end->deposit_id, &end->errand);
    }
}

/* --- life --- */

struct gk_pipeline *gk_pipeline_open(const struct gk_pipeline_parts *parts)
{
    struct gk_pipeline *pipeline = gk_allocate(sizeof *pipeline);

    pipeline->parts = *parts;
    if (parts->frames_wait_ms == 0) {
        pipeline->parts.frames_wait_ms = GK_WAITING_FRAMES_MS;
    }
    pipeline->lanes = gk_lanes_new();
    pipeline->waiting = gk_waiting_frames_new();
    (void)uv_timer_init(parts->loop, &pipeline->sweep);
    pipeline->sweep.data = pipeline;
    (void)uv_timer_start(&pipeline->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    return pipeline;
}

size_t gk_pipeline_in_hand(const struct gk_pipeline *pipeline)
{
    return gk_lanes_count(pipeline->lanes) + pipeline->announced;
}

void gk_pipeline_announce(struct gk_pipeline *pipeline)
{
    pipeline->announced++;
}

void gk_pipeline_announced(struct gk_pipeline *pipeline)
{
    assert(pipeline->announced > 0);
    pipeline->announced--;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct gk_pipeline *pipeline = handle->data;
    void (*on_closed)(void *context) = pipeline->on_closed;
    void *context = pipeline->on_closed_context;

    gk_lanes_free(pipeline->lanes);
    gk_waiting_frames_free(pipeline->waiting);
    free(pipeline);
    on_closed(context);
}

static void close_when_empty(uv_timer_t *timer)
{
    const struct gk_pipeline *pipeline = timer->data;

    if (gk_pipeline_in_hand(pipeline) == 0) {
        uv_close((uv_handle_t *)timer, on_timer_closed);
    }
}

void gk_pipeline_close(struct gk_pipeline *pipeline, void (*on_closed)(void *context), void *context)
{
    pipeline->on_closed = on_closed;
    pipeline->on_closed_context = context;
    (void)uv_timer_start(&pipeline->sweep, close_when_empty, 0, CLOSE_TURN_MS);
}

/* What the files of the pipeline share; for core/pipeline*.c alone. Everything runs on the loop. */
#ifndef GUIKA_CORE_PIPELINE_INTERNAL_H
#define GUIKA_CORE_PIPELINE_INTERNAL_H

#include "core/found_card.h"
#include "core/lanes.h"
#include "core/pipeline.h"
#include "core/waiting_frames.h"

#include <uv.h>

struct gk_pipeline {
    struct gk_pipeline_parts parts;
    struct gk_lanes *lanes;
    struct gk_waiting_frames *waiting;
    size_t announced; /* see gk_pipeline_announce */
    uv_timer_t sweep;
    void (*on_closed)(void *context);
    void *on_closed_context;
};

/* Has the errand started once all before it about the same deposit have finished. */
void gk_pipeline_enter_lane(struct gk_pipeline *pipeline, const char *box_id, const char *deposit_id,
                            struct gk_errand *errand);

/* --- pipeline_calls.c --- */

/* Frees what the request lives in. */
void gk_pipeline_release_call(const struct gk_pipeline_call *call);
/* Answers the call with a failure, and releases it. */
void gk_pipeline_fail_call(const struct gk_pipeline_call *call, enum gk_status status, const char *message);

/* False where the request makes no sense; the call has failed then. */
bool gk_pipeline_check_deposit_id(const struct gk_pipeline_call *call, const char *deposit_id);
bool gk_pipeline_check_frames(const struct gk_pipeline_call *call, const guika_v1_Frame *frames,
                              size_t count);
bool gk_pipeline_check_confirm(const struct gk_pipeline_call *call,
                               const guika_v1_ConfirmStoredRequest *request);

/* --- pipeline_life.c --- */

/* Erases pictures that nobody needs any more, in the background; a failure is tried again by the next start.
 */
void gk_pipeline_erase_pictures(struct gk_pipeline *pipeline, const uint8_t case_id[GK_CASE_ID_SIZE]);

#endif

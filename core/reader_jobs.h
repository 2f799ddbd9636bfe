/*
 * The work that readers pull: pictures to recognise, numbers to check.
 *
 * Owns: the queue of jobs, who holds which job under which lease, and the readers' long polls. A job whose
 * reader died or outlived its lease goes to another reader; after two attempts it is given up, and so is one
 * that no reader takes while its caller waits (5 s for pictures, 30 s for numbers). Everything runs on the
 * loop.
 */
#ifndef GUIKA_CORE_READER_JOBS_H
#define GUIKA_CORE_READER_JOBS_H

#include "core/shelf.h"
#include "guika/v1/internal/reader.pb.h"
#include "rpc/server.h"

#include <stddef.h>
#include <stdint.h>

#define GK_READER_LEASE_MS 2000 /* the design's: two of them fit into Deposit's deadline of 5 s */
#define GK_READER_ATTEMPTS 2

struct gk_reader_jobs;

struct gk_reader_jobs_options {
    uv_loop_t *loop;
    struct gk_shelf *shelf; /* borrowed; filled by what readers announce */
    uint32_t queue;         /* jobs that may wait; 0: 64 */
    uint32_t lease_ms;      /* 0: GK_READER_LEASE_MS */
    uint32_t wait_ms;       /* for a reader; 0: as long as the caller does, see above */
    /* [loop] The reader with principal id `reader_id` holds a lease that has run out: it has to be replaced.
     */
    void (*on_overdue)(void *context, const char *reader_id);
    /* [loop] A reader has announced its plugins and is ready. True: they are the service's shelf from now on.
     */
    bool (*on_ready)(void *context, const char *reader_id,
                     const guika_v1_internal_AnnounceRequest *announced);
    void *context;
};

struct gk_reader_jobs *gk_reader_jobs_open(const struct gk_reader_jobs_options *options); /* never NULL */
/* Gives every job up as UNAVAILABLE and takes none any more. */
void gk_reader_jobs_close(struct gk_reader_jobs *jobs, void (*on_closed)(void *context), void *context);
/* After the close; nobody may have a job to queue any more. */
void gk_reader_jobs_free(struct gk_reader_jobs *jobs);

/* The ReaderService, for the server; borrowed. */
struct gk_rpc_binding gk_reader_jobs_binding(struct gk_reader_jobs *jobs);

/* `status` is OK; or ABORTED where both attempts failed, UNAVAILABLE where no reader took the job. `result`
 * is borrowed for the call, and NULL unless OK. What a reader says is checked for its form alone: its enums
 * may hold any number. */
typedef void (*gk_recognised_fn)(void *context, enum gk_status status,
                                 const guika_v1_internal_CompleteRecognitionRequest *result);

/* Queues pictures; what `frames` points to stays the caller's until `done`. False where the queue is full or
 * closed. */
bool gk_reader_jobs_recognise(struct gk_reader_jobs *jobs, const guika_v1_Frame *frames, size_t frame_count,
                              gk_recognised_fn done, void *context);

/* As gk_reader_jobs_recognise, for the kept picture of a difficult card, which it fills from edge to edge.
 * Where nobody waits for the answer (`in_turn` false) it is handed out only while nothing else waits, and
 * waits as long as that takes. */
bool gk_reader_jobs_recognise_kept(struct gk_reader_jobs *jobs, const guika_v1_Frame *frame, bool in_turn,
                                   gk_recognised_fn done, void *context);

/* `status` as above. `answers` is an encoded NumberAnswers, borrowed for the call, and empty unless OK. */
typedef void (*gk_numbers_checked_fn)(void *context, enum gk_status status, struct gk_bytes answers);

/* Queues an encoded NumberQuestions, the caller's until `done`. False where the queue is full or closed. */
bool gk_reader_jobs_check_numbers(struct gk_reader_jobs *jobs, struct gk_bytes questions,
                                  gk_numbers_checked_fn done, void *context);

/* The reader gets no job any more: it finishes the one that it has, is told to leave with its next LeaseJob,
 * and ends by itself. Where 128 are leaving already, it is told so only if it waits for a job now. */
void gk_reader_jobs_retire(struct gk_reader_jobs *jobs, const char *reader_id);

/* The reader has ended: what it held goes to another. */
void gk_reader_jobs_lost(struct gk_reader_jobs *jobs, const char *reader_id);

#endif

/*
 * The core's own parts on real ground: keys, store, registry and pictures in a directory of their own, a loop
 * in a thread of its own, and on it the readers' queue, the pipeline, the enquiries, the issuers' queue, the
 * box and holder services and a server. A test is the boxes and the readers: it calls over socket pairs, and
 * says itself what a reader answers.
 */
#ifndef GUIKA_TESTS_CORE_CORE_RIG_H
#define GUIKA_TESTS_CORE_CORE_RIG_H

#include "core/services/services.h"
#include "core/shelf.h"
#include "core/store/picture_vault.h"
#include "core/sweeper.h"
#include "guika/v1/internal/reader.rpc.h"
#include "rpc/client.h"

#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

/* A published test number of UnionPay, registered to a holder of the account "bank". */
#define CORE_RIG_REGISTERED "6250941006528599"

struct core_rig_options {
    uint32_t lease_ms; /* 0: as in earnest, also below */
    uint32_t reader_wait_ms;
    uint32_t frames_wait_ms;
    uint32_t queue;
    uint32_t sweep_turn_ms; /* 0: 20 */
};

struct core_rig {
    char *folder;
    struct core_rig_options options;
    _Atomic int64_t now_ms;
    struct gk_keys *keys;
    struct gk_store *store;
    struct gk_registry *registry;
    struct gk_picture_vault *vault;
    struct gk_credentials *credentials;

    /* Of the loop. */
    uv_loop_t loop;
    uv_async_t command;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    void (*work)(struct core_rig *rig, void *argument);
    void *argument;
    struct gk_log log;
    struct gk_mailbox *mailbox;
    struct gk_shelf *shelf;
    struct gk_boxes *boxes;
    struct gk_grants *grants;
    struct gk_box_alerts *alerts;
    struct gk_reader_jobs *jobs;
    struct gk_pipeline *pipeline;
    struct gk_enquiries *enquiries;
    struct gk_issuer_queue *issuer_queue;
    struct gk_sessions *sessions;
    struct gk_retention retention;
    struct gk_sweeper *sweeper;
    struct gk_difficult *difficult;
    struct gk_services services;
    struct gk_rpc_server *server;
    atomic_uint notices_due; /* times that a notice was said to be due */
    atomic_uint overdue;     /* readers whose lease ran out */
    atomic_uint peers_closed;
};

/* Makes everything; `options` may be NULL. The shelf has the issuer "unionpay" of the scheme iso7812. */
void core_rig_start(struct core_rig *rig, const struct core_rig_options *options);
/* Stops the loop's parts in the daemon's order; what waits is given up. */
void core_rig_stop(struct core_rig *rig);
/* Starts again on the directory of a rig that was stopped. */
void core_rig_resume(struct core_rig *rig);
/* Stops and starts on the same directory. */
void core_rig_restart(struct core_rig *rig);
/* Stops and erases the directory. */
void core_rig_end(struct core_rig *rig);

/* Runs `work` on the loop and waits for it. */
void core_rig_run(struct core_rig *rig, void (*work)(struct core_rig *rig, void *argument), void *argument);

/* A client whose calls are those of `role` and `id`; gk_rpc_client_close frees it. */
struct gk_rpc_client *core_rig_connect(struct core_rig *rig, enum gk_role role, const char *id);

/* Waits until `*value` is at least `wanted`, 10 s at most; fails the test when it is not. */
void core_rig_wait(const atomic_uint *value, unsigned wanted);

/* --- the reader's part: one call each, from the test's thread */

/* Waits for a job, 10 s at most; its id, 0 for none. `ret_job` views into the client until its next call. */
uint64_t core_rig_lease(struct gk_rpc_client *reader, guika_v1_internal_LeaseJobResponse *ret_job);

/* Completes a recognition. */
enum gk_status core_rig_complete(struct gk_rpc_client *reader, uint64_t job_id,
                                 guika_v1_internal_CompleteRecognitionRequest *result);

/* A result that is sure of `number`. */
void core_rig_certain(guika_v1_internal_CompleteRecognitionRequest *ret_result, const char *number);

#endif

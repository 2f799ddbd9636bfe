/*
 * What the files of the daemon share: its parts, and who makes, serves and ends them. For core/daemon*.c
 * alone. Everything runs on the loop, or before it turns and after it has ended.
 */
#ifndef GUIKA_CORE_DAEMON_INTERNAL_H
#define GUIKA_CORE_DAEMON_INTERNAL_H

#include "core/audit_exporter.h"
#include "core/box_alerts.h"
#include "core/boxes.h"
#include "core/clock.h"
#include "core/collapse.h"
#include "core/daemon.h"
#include "core/difficult.h"
#include "core/enquiries.h"
#include "core/grants.h"
#include "core/host/supervisor.h"
#include "core/issuer_queue.h"
#include "core/mailbox.h"
#include "core/notification/outbox.h"
#include "core/pipeline.h"
#include "core/plugins/keeper.h"
#include "core/reader_jobs.h"
#include "core/registry/registry.h"
#include "core/rotation.h"
#include "core/security/credentials.h"
#include "core/security/keys.h"
#include "core/security/rate_limit.h"
#include "core/services/services.h"
#include "core/sessions.h"
#include "core/shelf.h"
#include "core/store/picture_vault.h"
#include "core/store/store.h"
#include "core/sweeper.h"
#include "core/web/metrics.h"
#include "rpc/server.h"

#include <limits.h>
#include <uv.h>

enum { GK_DAEMON_BINDINGS = 7 };

struct gk_daemon {
    const struct gk_configuration *configuration;
    const struct gk_log *log;
    struct gk_clock clock;
    uv_loop_t loop;
    uv_signal_t on_term;
    uv_signal_t on_int;
    uv_timer_t drain;
    uint64_t drain_ends_ms;
    bool stopping;
    bool again;    /* to be run once more when it has ended */
    bool restored; /* the data are a backup's, just put in place */
    char data_directory[PATH_MAX];
    struct gk_mailbox *mailbox;
    struct gk_keys *keys;
    struct gk_store *store;
    struct gk_registry *registry;
    struct gk_picture_vault *vault;
    struct gk_credentials *credentials;
    struct gk_shelf *shelf;
    struct gk_boxes *boxes;
    struct gk_grants *grants;
    struct gk_box_alerts *alerts;
    struct gk_reader_jobs *jobs;
    struct gk_outbox *outbox;
    struct gk_pipeline *pipeline;
    struct gk_enquiries *enquiries;
    struct gk_issuer_queue *issuer_queue;
    struct gk_audit_exporter *audit_exporter;
    struct gk_sweeper *sweeper;
    struct gk_difficult *difficult;
    struct gk_rotation *rotation;
    struct gk_collapse *collapse;
    struct gk_rpc_server *server;
    struct gk_metrics_server *metrics;
    struct gk_keeper *keeper;
    char plugin_copies[PATH_MAX];
    struct gk_supervisor *couriers;
    struct gk_sessions *sessions;
    struct gk_services services;
    struct gk_rpc_binding bindings[GK_DAEMON_BINDINGS];
};

/* --- daemon_parts.c --- */

/* Keys, store, vault, registry, credentials: what the disk has, settled and recovered. What was opened before
 * a failure is gk_daemon_close_state's. */
enum gk_status gk_daemon_open_state(struct gk_daemon *daemon, struct gk_error *error);
void gk_daemon_close_state(struct gk_daemon *daemon);

/* The couriers' queue of notices. */
enum gk_status gk_daemon_open_outbox(struct gk_daemon *daemon, struct gk_error *error);

/* The state machines: jobs, pipeline, enquiries, issuers' queue, difficult cards, and what works by the
 * clock. */
void gk_daemon_make_machines(struct gk_daemon *daemon);

/* A notice may leave; `context` is the daemon. */
void gk_daemon_poke_notices(void *context);

/* --- daemon_services.c --- */

void gk_daemon_fill_services(struct gk_daemon *daemon);
void gk_daemon_free_services(struct gk_daemon *daemon);
enum gk_status gk_daemon_open_server(struct gk_daemon *daemon, struct gk_error *error);

/* On every URL of the configuration, or an error about the first that cannot be. */
enum gk_status gk_daemon_listen_all(struct gk_daemon *daemon, struct gk_error *error);
enum gk_status gk_daemon_serve_metrics(struct gk_daemon *daemon, struct gk_error *error);

/* --- daemon_children.c --- */

void gk_daemon_start_children(struct gk_daemon *daemon);

/* --- daemon_end.c --- */

/* Closes everything that lives on the loop, so that the loop ends. */
void gk_daemon_close_parts(struct gk_daemon *daemon);

/* --- daemon.c --- */

/* Ends what is in hand and begins anew in this process; `context` is the daemon. */
void gk_daemon_start_again(void *context);

#endif

/*
 * The end of the service, part after part: each callback closes the next.
 */
#include "core/daemon_internal.h"

enum { CHILD_GRACE_MS = 3000 };

static void on_audit_exporter_closed(void *context)
{
    struct gk_daemon *daemon = context;

    gk_mailbox_close(daemon->mailbox);
}

static void on_outbox_closed(void *context)
{
    struct gk_daemon *daemon = context;

    gk_audit_exporter_close(daemon->audit_exporter, on_audit_exporter_closed, daemon);
}

static void on_issuer_queue_closed(void *context)
{
    struct gk_daemon *daemon = context;

    gk_outbox_close(daemon->outbox, on_outbox_closed, daemon);
}

static void on_enquiries_closed(void *context)
{
    struct gk_daemon *daemon = context;

    gk_issuer_queue_close(daemon->issuer_queue, on_issuer_queue_closed, daemon);
}

static void on_alerts_closed(void *context)
{
    struct gk_daemon *daemon = context;

    gk_enquiries_close(daemon->enquiries, on_enquiries_closed, daemon);
}

static void on_grants_closed(void *context)
{
    struct gk_daemon *daemon = context;

    gk_box_alerts_close(daemon->alerts, on_alerts_closed, daemon);
}

static void on_sweeper_closed(void *context)
{
    struct gk_daemon *daemon = context;

    gk_grants_close(daemon->grants, on_grants_closed, daemon);
}

static void on_pipeline_closed(void *context)
{
    struct gk_daemon *daemon = context;

    gk_sweeper_close(daemon->sweeper, on_sweeper_closed, daemon);
}

static void on_difficult_closed(void *context)
{
    struct gk_daemon *daemon = context;

    gk_pipeline_close(daemon->pipeline, on_pipeline_closed, daemon);
}

static void on_collapse_closed(void *context)
{
    struct gk_daemon *daemon = context;

    gk_difficult_close(daemon->difficult, on_difficult_closed, daemon);
}

static void on_rotation_closed(void *context)
{
    struct gk_daemon *daemon = context;

    gk_collapse_close(daemon->collapse, on_collapse_closed, daemon);
}

static void on_jobs_closed(void *context)
{
    struct gk_daemon *daemon = context;

    gk_rotation_close(daemon->rotation, on_rotation_closed, daemon);
}

static void on_server_closed(void *context)
{
    struct gk_daemon *daemon = context;

    gk_reader_jobs_close(daemon->jobs, on_jobs_closed, daemon);
}

static void on_keeper_closed(void *context)
{
    struct gk_daemon *daemon = context;

    gk_rpc_server_close(daemon->server, on_server_closed, daemon);
}

static void on_couriers_closed(void *context)
{
    struct gk_daemon *daemon = context;

    gk_keeper_close(daemon->keeper, CHILD_GRACE_MS, on_keeper_closed, daemon);
}

void gk_daemon_close_parts(struct gk_daemon *daemon)
{
    gk_supervisor_close(daemon->couriers, CHILD_GRACE_MS, on_couriers_closed, daemon);
}

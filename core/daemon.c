#include "core/daemon.h"

#include "core/backup.h"
#include "core/daemon_internal.h"
#include "core/memory.h"

#include <signal.h>

enum {
    DRAIN_TURN_MS = 20,
    DRAIN_LIMIT_MS = 8000, /* two leases and the write after them, with room to spare */
};

static void block_signals(int how)
{
    sigset_t signals;

    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)pthread_sigmask(how, &signals, NULL);
}

/* libuv gives the signals back: one that came now would end the process before its store is closed. Where the
 * service begins anew it waits for that. */
static void refuse_signals(const struct gk_daemon *daemon)
{
    if (daemon->again) {
        block_signals(SIG_BLOCK);
    } else {
        (void)signal(SIGTERM, SIG_IGN);
        (void)signal(SIGINT, SIG_IGN);
    }
}

static void on_drain(uv_timer_t *timer)
{
    struct gk_daemon *daemon = timer->data;

    if (gk_pipeline_in_hand(daemon->pipeline) > 0 && uv_now(&daemon->loop) < daemon->drain_ends_ms) {
        return;
    }
    uv_close((uv_handle_t *)&daemon->drain, NULL);
    uv_close((uv_handle_t *)&daemon->on_term, NULL);
    uv_close((uv_handle_t *)&daemon->on_int, NULL);
    refuse_signals(daemon);
    gk_daemon_close_parts(daemon);
}

static void stop(struct gk_daemon *daemon, const char *why)
{
    if (daemon->stopping) {
        return;
    }
    daemon->stopping = true;
    gk_log(daemon->log, GK_LOG_INFO, "stopping", {"why", why});
    gk_rpc_server_set_serving(daemon->server, false);
    daemon->drain_ends_ms = uv_now(&daemon->loop) + DRAIN_LIMIT_MS;
    (void)uv_timer_start(&daemon->drain, on_drain, 0, DRAIN_TURN_MS);
}

void gk_daemon_start_again(void *context)
{
    struct gk_daemon *daemon = context;

    daemon->again = !daemon->stopping;
    stop(daemon, "to begin anew");
}

static void on_signal(uv_signal_t *handle, int signal_number)
{
    struct gk_daemon *daemon = handle->data;

    daemon->again = false;
    stop(daemon, signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
}

static void watch_signals(struct gk_daemon *daemon)
{
    (void)uv_signal_init(&daemon->loop, &daemon->on_term);
    (void)uv_signal_init(&daemon->loop, &daemon->on_int);
    (void)uv_timer_init(&daemon->loop, &daemon->drain);
    daemon->on_term.data = daemon;
    daemon->on_int.data = daemon;
    daemon->drain.data = daemon;
    (void)uv_signal_start(&daemon->on_term, on_signal, SIGTERM);
    (void)uv_signal_start(&daemon->on_int, on_signal, SIGINT);
    block_signals(SIG_UNBLOCK);
}

/* Serves until it is told to stop, or cannot listen. */
static enum gk_status serve(struct gk_daemon *daemon, struct gk_error *error)
{
    char number[24];

    watch_signals(daemon);
    gk_daemon_start_children(daemon);
    gk_difficult_resume(daemon->difficult); /* a list or a plugin may have come just before the end */
    enum gk_status status = gk_daemon_listen_all(daemon, error);

    if (status == GK_OK) {
        status = gk_daemon_serve_metrics(daemon, error);
    }
    if (status == GK_OK) {
        gk_log(daemon->log, GK_LOG_INFO, "serving",
               {"cards", gk_log_number((int64_t)gk_registry_cards(daemon->registry), number)});
    } else {
        stop(daemon, error->message);
    }
    (void)uv_run(&daemon->loop, UV_RUN_DEFAULT);
    gk_metrics_server_close(daemon->metrics);
    gk_reader_jobs_free(daemon->jobs);
    gk_log(daemon->log, GK_LOG_INFO, "stopped", {"why", status == GK_OK ? "asked" : "could not listen"});
    return status;
}

static enum gk_status run(struct gk_daemon *daemon, struct gk_error *error)
{
    enum gk_status status = gk_daemon_open_outbox(daemon, error);

    if (status != GK_OK) {
        return status;
    }
    gk_daemon_make_machines(daemon);
    gk_daemon_fill_services(daemon);
    status = gk_daemon_open_server(daemon, error);
    return status == GK_OK ? serve(daemon, error) : status;
}

static enum gk_status apply_restored(void *context, struct gk_transaction *transaction,
                                     struct gk_error *error)
{
    (void)context;
    (void)error;
    gk_transaction_audit(transaction, "core", "store.restored", (struct gk_bytes){NULL, 0}, "");
    return GK_OK;
}

static enum gk_status note_restored(struct gk_daemon *daemon, struct gk_error *error)
{
    if (!daemon->restored) {
        return GK_OK;
    }
    gk_log(daemon->log, GK_LOG_WARNING, "restored", {"data", daemon->configuration->data_directory});
    return gk_store_commit_and_wait(daemon->store, apply_restored, NULL, error);
}

/* From a closed store to a closed store. */
static enum gk_status run_once(const struct gk_configuration *configuration, const struct gk_log *log,
                               bool restored, bool *ret_again, struct gk_error *error)
{
    struct gk_daemon *daemon = gk_allocate(sizeof *daemon);
    enum gk_status status;

    daemon->configuration = configuration;
    daemon->log = log;
    daemon->clock = gk_clock_system();
    daemon->restored = restored;
    status = gk_daemon_open_state(daemon, error);
    if (status == GK_OK) {
        status = note_restored(daemon, error);
    }
    if (status == GK_OK) {
        (void)uv_loop_init(&daemon->loop);
        daemon->mailbox = gk_mailbox_open(&daemon->loop);
        daemon->shelf = gk_shelf_new();
        daemon->boxes = gk_boxes_new();
        daemon->sessions = gk_sessions_new(daemon->keys, daemon->credentials);
        status = run(daemon, error);
        (void)uv_loop_close(&daemon->loop);
        gk_daemon_free_services(daemon);
        gk_sessions_free(daemon->sessions);
        gk_boxes_free(daemon->boxes);
        gk_shelf_free(daemon->shelf);
    }
    gk_daemon_close_state(daemon);
    *ret_again = daemon->again;
    free(daemon);
    return status;
}

enum gk_status gk_daemon_run(const struct gk_configuration *configuration, const struct gk_log *log,
                             struct gk_error *error)
{
    const struct gk_clock clock = gk_clock_system();
    bool again = true;
    enum gk_status status = GK_OK;

    while (status == GK_OK && again) {
        bool restored = false;

        again = false;
        status = gk_backup_swap(configuration->data_directory, gk_clock_now_ms(&clock), &restored, error);
        if (status == GK_OK) {
            status = run_once(configuration, log, restored, &again, error);
        }
    }
    return status;
}

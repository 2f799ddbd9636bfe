/*
 * The processes that the service starts: couriers under their supervisor, readers by the keeper of plugins;
 * each is adopted as a peer of the RPC server.
 */
#include "core/daemon_internal.h"

#include <stdio.h>
#include <unistd.h>

static void child_id(char id[GK_PRINCIPAL_ID_SIZE], unsigned index)
{
    (void)snprintf(id, GK_PRINCIPAL_ID_SIZE, "courier-%u", index);
}

static void on_peer_closed(struct gk_rpc_peer *peer, void *context)
{
    struct gk_daemon *daemon = context;

    /* Without effect for a reader. */
    gk_outbox_peer_gone(daemon->outbox, peer);
}

static void adopt(struct gk_daemon *daemon, enum gk_role role, const char *id, int process_id, int fd)
{
    struct gk_principal principal = {.role = role};
    struct gk_rpc_peer *peer;
    struct gk_error error;
    char number[24];

    (void)snprintf(principal.id, sizeof principal.id, "%s", id);
    if (gk_rpc_server_adopt(daemon->server, fd, &principal, on_peer_closed, daemon, &peer, &error) != GK_OK) {
        gk_log(daemon->log, GK_LOG_ERROR, "child_not_adopted", {"child", principal.id},
               {"why", error.message});
        (void)close(fd); /* the child sees the end of it and ends too */
        return;
    }
    gk_log(daemon->log, GK_LOG_INFO, "child_started", {"child", principal.id},
           {"pid", gk_log_number(process_id, number)});
}

static void on_reader_started(void *context, const char *reader_id, int process_id, int fd)
{
    adopt(context, GK_ROLE_READER, reader_id, process_id, fd);
}

static void on_courier_started(void *context, unsigned index, int process_id, int fd)
{
    char id[GK_PRINCIPAL_ID_SIZE];

    child_id(id, index);
    adopt(context, GK_ROLE_COURIER, id, process_id, fd);
}

static void on_courier_ended(void *context, unsigned index, int process_id, int64_t exit_status,
                             int signal_number, uint32_t restart_ms)
{
    const struct gk_daemon *daemon = context;
    char id[GK_PRINCIPAL_ID_SIZE], status[24], signal_text[24], restart[24];

    (void)process_id;
    child_id(id, index);
    gk_log(daemon->log, GK_LOG_WARNING, "child_ended", {"child", id},
           {"status", gk_log_number(exit_status, status)},
           {"signal", gk_log_number(signal_number, signal_text)},
           {"restart_ms", gk_log_number(restart_ms, restart)});
}

static void on_child_failed(void *context, unsigned index, const struct gk_error *error)
{
    const struct gk_daemon *daemon = context;
    char number[24];

    gk_log(daemon->log, GK_LOG_ERROR, "child_not_started", {"index", gk_log_number(index, number)},
           {"why", error->message});
}

static void on_new_plugin(void *context)
{
    const struct gk_daemon *daemon = context;

    gk_difficult_retry_all(daemon->difficult);
}

void gk_daemon_start_children(struct gk_daemon *daemon)
{
    const struct gk_configuration *configuration = daemon->configuration;
    const char *courier_arguments[] = {"--channels", configuration->channels_directory, NULL};
    const struct gk_keeper_options keeper = {.loop = &daemon->loop,
                                             .mailbox = daemon->mailbox,
                                             .log = daemon->log,
                                             .clock = daemon->clock,
                                             .store = daemon->store,
                                             .jobs = daemon->jobs,
                                             .folder = configuration->issuers_directory,
                                             .copies = daemon->plugin_copies,
                                             .reader_program = configuration->reader_program,
                                             .readers = configuration->readers,
                                             .keys = configuration->plugin_keys,
                                             .key_count = configuration->plugin_key_count,
                                             .adopt = on_reader_started,
                                             .on_new_plugin = on_new_plugin,
                                             .context = daemon};
    const struct gk_supervisor_options couriers = {.program = configuration->courier_program,
                                                   .arguments = courier_arguments,
                                                   .count = configuration->couriers,
                                                   .on_started = on_courier_started,
                                                   .on_ended = on_courier_ended,
                                                   .on_failed = on_child_failed,
                                                   .context = daemon};

    (void)snprintf(daemon->plugin_copies, sizeof daemon->plugin_copies, "%.*s/plugins", PATH_MAX - 16,
                   configuration->data_directory);
    daemon->keeper = gk_keeper_open(&keeper);
    daemon->services.keeper = daemon->keeper;
    daemon->couriers = gk_supervisor_open(&daemon->loop, &couriers);
}

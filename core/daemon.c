#include "core/daemon.h"

#include "core/audit_exporter.h"
#include "core/backup.h"
#include "core/boxes.h"
#include "core/clock.h"
#include "core/codes.h"
#include "core/difficult.h"
#include "core/enquiries.h"
#include "core/found_card.h"
#include "core/grants.h"
#include "core/holdings.h"
#include "core/host/supervisor.h"
#include "core/issuer_queue.h"
#include "core/mailbox.h"
#include "core/memory.h"
#include "core/notification/outbox.h"
#include "core/pickup.h"
#include "core/pipeline.h"
#include "core/plugins/keeper.h"
#include "core/reader_jobs.h"
#include "core/recovery.h"
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
#include "rpc/descriptor_set.h"
#include "rpc/server.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    ENQUIRIES_AT_ONCE = 10,    /* a client may ask so often in a row, */
    ENQUIRY_REFILL_MS = 60000, /* and once a minute after that */
    LIMITED_KEYS = 65536,
    SUBJECT_AT_ONCE = 10, /* enquiries about one number or contact; its contact is told once a day anyway */
    SUBJECT_REFILL_MS = 600000,
    CODES_AT_ONCE = 3, /* sent to one contact */
    CODES_REFILL_MS = 1800000,
    TRIES_AT_ONCE = 20, /* of codes, of one client */
    TRIES_REFILL_MS = 60000,
    CONTACT_TRIES_AT_ONCE = 10, /* of codes, for one contact: some 150 a day of 10^8 codes */
    CONTACT_TRIES_REFILL_MS = 600000,
    DRAIN_TURN_MS = 20,
    DRAIN_LIMIT_MS = 8000, /* two leases and the write after them, with room to spare */
    CHILD_GRACE_MS = 3000,
    BINDINGS = 7,
};

struct daemon {
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
    struct gk_reader_jobs *jobs;
    struct gk_outbox *outbox;
    struct gk_pipeline *pipeline;
    struct gk_enquiries *enquiries;
    struct gk_issuer_queue *issuer_queue;
    struct gk_audit_exporter *audit_exporter;
    struct gk_sweeper *sweeper;
    struct gk_difficult *difficult;
    struct gk_rotation *rotation;
    struct gk_rpc_server *server;
    struct gk_metrics_server *metrics;
    struct gk_keeper *keeper;
    char plugin_copies[PATH_MAX];
    struct gk_supervisor *couriers;
    struct gk_sessions *sessions;
    struct gk_services services;
    struct gk_rpc_binding bindings[BINDINGS];
};

/* --- children --- */

static void child_id(char id[GK_PRINCIPAL_ID_SIZE], unsigned index)
{
    (void)snprintf(id, GK_PRINCIPAL_ID_SIZE, "courier-%u", index);
}

static void on_peer_closed(struct gk_rpc_peer *peer, void *context)
{
    struct daemon *daemon = context;

    /* Without effect for a reader. */
    gk_outbox_peer_gone(daemon->outbox, peer);
}

static void adopt(struct daemon *daemon, enum gk_role role, const char *id, int process_id, int fd)
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
    const struct daemon *daemon = context;
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
    const struct daemon *daemon = context;
    char number[24];

    gk_log(daemon->log, GK_LOG_ERROR, "child_not_started", {"index", gk_log_number(index, number)},
           {"why", error->message});
}

static void on_reader_overdue(void *context, const char *reader_id)
{
    const struct daemon *daemon = context;

    gk_keeper_overdue(daemon->keeper, reader_id);
}

static bool on_reader_ready(void *context, const char *reader_id,
                            const guika_v1_internal_AnnounceRequest *announced)
{
    const struct daemon *daemon = context;

    return gk_keeper_announced(daemon->keeper, reader_id, announced);
}

static void on_new_plugin(void *context)
{
    const struct daemon *daemon = context;

    gk_difficult_retry_all(daemon->difficult);
}

static void start_children(struct daemon *daemon)
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

/* --- parts --- */

static enum gk_status open_state(struct daemon *daemon, struct gk_error *error)
{
    const struct gk_configuration *configuration = daemon->configuration;
    char pictures[PATH_MAX];
    const struct gk_store_options options = {.path = configuration->data_directory,
                                             .cache_bytes = configuration->cache_bytes,
                                             .now_ms = daemon->clock.now_ms,
                                             .now_context = daemon->clock.context};
    enum gk_status status = gk_keys_open(configuration->keys_directory, &daemon->keys, error);

    if (status != GK_OK) {
        return status;
    }
    status = gk_store_open(&options, &daemon->store, error);
    if (status != GK_OK) {
        return status;
    }
    (void)snprintf(pictures, sizeof pictures, "%.*s/pictures", PATH_MAX - 16, configuration->data_directory);
    status = gk_picture_vault_open(pictures, daemon->keys, &daemon->vault, error);
    if (status != GK_OK) {
        return status;
    }
    status = gk_rotation_settle(daemon->store, daemon->keys, daemon->vault, error);
    if (status != GK_OK) {
        return status;
    }
    status = gk_registry_open(daemon->store, daemon->keys, &daemon->registry, error);
    if (status != GK_OK) {
        return status;
    }
    daemon->credentials = gk_credentials_new(daemon->keys);
    return gk_recover(daemon->store, daemon->vault, daemon->credentials, error);
}

static void start_again(void *context);

static void poke_notices(void *context)
{
    struct daemon *daemon = context;

    gk_outbox_poke(daemon->outbox);
    gk_issuer_queue_poke(daemon->issuer_queue);
}

static enum gk_status find_holder(void *context, const char *issuer_account,
                                  const uint8_t holder_token[GK_TOKEN_SIZE],
                                  guika_v1_internal_HolderContacts *ret_contacts, struct gk_error *error)
{
    const struct daemon *daemon = context;

    return gk_holdings_contacts(daemon->registry, daemon->store, daemon->keys, issuer_account, holder_token,
                                ret_contacts, error);
}

static enum gk_status find_contact_code(void *context, const uint8_t contact_token[GK_TOKEN_SIZE],
                                        char ret_code[GK_CONTACT_CODE_SIZE], struct gk_error *error)
{
    const struct daemon *daemon = context;

    return gk_codes_read(daemon->store, daemon->keys, contact_token, gk_clock_now_ms(&daemon->clock),
                         ret_code, error);
}

static void find_issuer_name(void *context, const char *issuer, struct gk_issuer_name *ret_name)
{
    const struct daemon *daemon = context;
    guika_v1_internal_ShelfIssuer found;

    if (gk_shelf_find(daemon->shelf, issuer, &found)) {
        memcpy(ret_name->zh, found.name_zh, sizeof ret_name->zh);
        memcpy(ret_name->en, found.name_en, sizeof ret_name->en);
    }
}

static enum gk_status on_delivered(void *context, struct gk_transaction *transaction,
                                   const guika_v1_internal_NoticeRecord *notice, struct gk_error *error)
{
    (void)context;
    return gk_found_card_notified(transaction, notice->case_id.bytes, error);
}

static enum gk_status find_pickup(void *context, const guika_v1_internal_NoticeRecord *notice,
                                  const guika_v1_internal_HolderContacts *holder,
                                  struct gk_outbox_pickup *ret_pickup, struct gk_error *error)
{
    const struct daemon *daemon = context;
    const struct gk_pickup_parts parts = {daemon->store, daemon->keys, daemon->registry,
                                          &daemon->configuration->retention};

    return gk_pickup_tell(&parts, notice->case_id.bytes, holder, ret_pickup, error);
}

static enum gk_status open_outbox(struct daemon *daemon, struct gk_error *error)
{
    const struct gk_outbox_options options = {.loop = &daemon->loop,
                                              .store = daemon->store,
                                              .keys = daemon->keys,
                                              .settings = daemon->configuration->settings,
                                              .setting_count = daemon->configuration->setting_count,
                                              .holder = find_holder,
                                              .issuer_name = find_issuer_name,
                                              .contact_code = find_contact_code,
                                              .pickup = find_pickup,
                                              .on_delivered = on_delivered,
                                              .context = daemon};

    return gk_outbox_open(&options, &daemon->outbox, error);
}

static void make_machines(struct daemon *daemon)
{
    const struct gk_reader_jobs_options jobs = {.loop = &daemon->loop,
                                                .shelf = daemon->shelf,
                                                .on_overdue = on_reader_overdue,
                                                .on_ready = on_reader_ready,
                                                .context = daemon};

    daemon->jobs = gk_reader_jobs_open(&jobs);
    const struct gk_pipeline_parts pipeline = {.loop = &daemon->loop,
                                               .mailbox = daemon->mailbox,
                                               .log = daemon->log,
                                               .clock = daemon->clock,
                                               .keys = daemon->keys,
                                               .store = daemon->store,
                                               .registry = daemon->registry,
                                               .vault = daemon->vault,
                                               .jobs = daemon->jobs,
                                               .boxes = daemon->boxes,
                                               .threshold = daemon->configuration->threshold,
                                               .registered_share = daemon->configuration->registered_share,
                                               .on_notice_due = poke_notices,
                                               .on_notice_due_context = daemon};
    const struct gk_enquiries_parts enquiries = {.loop = &daemon->loop,
                                                 .mailbox = daemon->mailbox,
                                                 .log = daemon->log,
                                                 .clock = daemon->clock,
                                                 .keys = daemon->keys,
                                                 .store = daemon->store,
                                                 .registry = daemon->registry,
                                                 .shelf = daemon->shelf,
                                                 .on_notice_due = poke_notices,
                                                 .on_notice_due_context = daemon};
    const struct gk_difficult_parts difficult = {.loop = &daemon->loop,
                                                 .mailbox = daemon->mailbox,
                                                 .log = daemon->log,
                                                 .clock = daemon->clock,
                                                 .keys = daemon->keys,
                                                 .store = daemon->store,
                                                 .registry = daemon->registry,
                                                 .vault = daemon->vault,
                                                 .jobs = daemon->jobs,
                                                 .threshold = daemon->configuration->threshold,
                                                 .registered_share = daemon->configuration->registered_share,
                                                 .on_notice_due = poke_notices,
                                                 .on_notice_due_context = daemon};
    const struct gk_sweeper_parts sweeper = {.loop = &daemon->loop,
                                             .log = daemon->log,
                                             .clock = daemon->clock,
                                             .keys = daemon->keys,
                                             .store = daemon->store,
                                             .retention = &daemon->configuration->retention,
                                             .on_notice_due = poke_notices,
                                             .on_notice_due_context = daemon};

    daemon->pipeline = gk_pipeline_open(&pipeline);
    daemon->enquiries = gk_enquiries_open(&enquiries);
    daemon->issuer_queue = gk_issuer_queue_open(&daemon->loop, daemon->store, daemon->keys);
    const struct gk_audit_exporter_parts audit = {.loop = &daemon->loop,
                                                  .log = daemon->log,
                                                  .store = daemon->store,
                                                  .keys = daemon->keys,
                                                  .path = daemon->configuration->audit_heads_file,
                                                  .every_ms = daemon->configuration->audit_every_ms};

    daemon->audit_exporter = gk_audit_exporter_open(&audit);
    daemon->difficult = gk_difficult_open(&difficult);
    daemon->sweeper = gk_sweeper_open(&sweeper);
    daemon->grants = gk_grants_open(
        &(struct gk_grants_parts){.loop = &daemon->loop,
                                  .log = daemon->log,
                                  .clock = daemon->clock,
                                  .pickup = {daemon->store, daemon->keys, daemon->registry,
                                             &daemon->configuration->retention}});
    daemon->rotation = gk_rotation_open(&(struct gk_rotation_parts){.loop = &daemon->loop,
                                                                    .log = daemon->log,
                                                                    .keys = daemon->keys,
                                                                    .store = daemon->store,
                                                                    .on_copied = start_again,
                                                                    .context = daemon});
}

static void fill_services(struct daemon *daemon)
{
    daemon->services = (struct gk_services){
        .loop = &daemon->loop,
        .mailbox = daemon->mailbox,
        .log = daemon->log,
        .clock = daemon->clock,
        .keys = daemon->keys,
        .store = daemon->store,
        .registry = daemon->registry,
        .credentials = daemon->credentials,
        .jobs = daemon->jobs,
        .boxes = daemon->boxes,
        .grants = daemon->grants,
        .pipeline = daemon->pipeline,
        .enquiries = daemon->enquiries,
        .issuer_queue = daemon->issuer_queue,
        .difficult = daemon->difficult,
        .vault = daemon->vault,
        .shelf = daemon->shelf,
        .sessions = daemon->sessions,
        .enquiry_limit = gk_rate_limit_new(ENQUIRIES_AT_ONCE, ENQUIRY_REFILL_MS, LIMITED_KEYS),
        .subject_limit = gk_rate_limit_new(SUBJECT_AT_ONCE, SUBJECT_REFILL_MS, LIMITED_KEYS),
        .code_limit = gk_rate_limit_new(CODES_AT_ONCE, CODES_REFILL_MS, LIMITED_KEYS),
        .try_limit = gk_rate_limit_new(TRIES_AT_ONCE, TRIES_REFILL_MS, LIMITED_KEYS),
        .contact_try_limit = gk_rate_limit_new(CONTACT_TRIES_AT_ONCE, CONTACT_TRIES_REFILL_MS, LIMITED_KEYS),
        .heartbeat_ms = daemon->configuration->heartbeat_ms,
        .retention = &daemon->configuration->retention,
        .on_notice_due = poke_notices,
        .on_notice_due_context = daemon,
        .data_directory = daemon->configuration->data_directory,
        .keys_directory = daemon->configuration->keys_directory,
        .start_again = start_again,
        .start_again_context = daemon,
    };
    daemon->bindings[0] = gk_box_service(&daemon->services);
    daemon->bindings[1] = gk_holder_service(&daemon->services);
    daemon->bindings[2] = gk_issuer_service(&daemon->services);
    daemon->bindings[3] = gk_operator_service(&daemon->services);
    daemon->bindings[4] = gk_reader_jobs_binding(daemon->jobs);
    daemon->bindings[5] = gk_outbox_binding(daemon->outbox);
    daemon->bindings[6] = gk_admin_service(&daemon->services);
}

static enum gk_status listen_all(struct daemon *daemon, struct gk_error *error)
{
    const struct gk_configuration *configuration = daemon->configuration;
    const struct gk_rpc_tls tls = {configuration->certificate_file, configuration->key_file};

    for (size_t i = 0; i < configuration->listen_count; i++) {
        const enum gk_status status =
            gk_rpc_server_listen(daemon->server, configuration->listen[i], &tls, error);

        if (status != GK_OK) {
            return status;
        }
        gk_log(daemon->log, GK_LOG_INFO, "listening", {"url", gk_rpc_server_url(daemon->server, i)});
    }
    return GK_OK;
}

static uint64_t registered_cards(void *context)
{
    const struct daemon *daemon = context;

    return gk_registry_cards(daemon->registry);
}

static enum gk_status serve_metrics(struct daemon *daemon, struct gk_error *error)
{
    const struct gk_metrics_source source = {daemon->store, registered_cards, daemon};
    const char *url = daemon->configuration->metrics;

    if (url[0] == '\0') {
        return GK_OK;
    }
    const enum gk_status status =
        gk_metrics_server_open(url, daemon->configuration->plain_remote, &source, &daemon->metrics, error);

    if (status == GK_OK) {
        gk_log(daemon->log, GK_LOG_INFO, "metrics", {"url", url});
    }
    return status;
}

static enum gk_status open_server(struct daemon *daemon, struct gk_error *error)
{
    const struct gk_rpc_server_options options = {.loop = &daemon->loop,
                                                  .bindings = daemon->bindings,
                                                  .binding_count = BINDINGS,
                                                  .authenticate = gk_credentials_authenticate,
                                                  .authenticate_context = daemon->credentials,
                                                  .descriptor_set = guika_v1_descriptor_set,
                                                  .descriptor_set_size = guika_v1_descriptor_set_size,
                                                  .allow_plain_remote = daemon->configuration->plain_remote};

    return gk_rpc_server_open(&options, &daemon->server, error);
}

/* --- the end, part after part: each callback closes the next --- */

static void on_audit_exporter_closed(void *context)
{
    struct daemon *daemon = context;

    gk_mailbox_close(daemon->mailbox);
}

static void on_outbox_closed(void *context)
{
    struct daemon *daemon = context;

    gk_audit_exporter_close(daemon->audit_exporter, on_audit_exporter_closed, daemon);
}

static void on_issuer_queue_closed(void *context)
{
    struct daemon *daemon = context;

    gk_outbox_close(daemon->outbox, on_outbox_closed, daemon);
}

static void on_enquiries_closed(void *context)
{
    struct daemon *daemon = context;

    gk_issuer_queue_close(daemon->issuer_queue, on_issuer_queue_closed, daemon);
}

static void on_grants_closed(void *context)
{
    struct daemon *daemon = context;

    gk_enquiries_close(daemon->enquiries, on_enquiries_closed, daemon);
}

static void on_sweeper_closed(void *context)
{
    struct daemon *daemon = context;

    gk_grants_close(daemon->grants, on_grants_closed, daemon);
}

static void on_pipeline_closed(void *context)
{
    struct daemon *daemon = context;

    gk_sweeper_close(daemon->sweeper, on_sweeper_closed, daemon);
}

static void on_difficult_closed(void *context)
{
    struct daemon *daemon = context;

    gk_pipeline_close(daemon->pipeline, on_pipeline_closed, daemon);
}

static void on_rotation_closed(void *context)
{
    struct daemon *daemon = context;

    gk_difficult_close(daemon->difficult, on_difficult_closed, daemon);
}

static void on_jobs_closed(void *context)
{
    struct daemon *daemon = context;

    gk_rotation_close(daemon->rotation, on_rotation_closed, daemon);
}

static void on_server_closed(void *context)
{
    struct daemon *daemon = context;

    gk_reader_jobs_close(daemon->jobs, on_jobs_closed, daemon);
}

static void on_keeper_closed(void *context)
{
    struct daemon *daemon = context;

    gk_rpc_server_close(daemon->server, on_server_closed, daemon);
}

static void on_couriers_closed(void *context)
{
    struct daemon *daemon = context;

    gk_keeper_close(daemon->keeper, CHILD_GRACE_MS, on_keeper_closed, daemon);
}

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
static void refuse_signals(const struct daemon *daemon)
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
    struct daemon *daemon = timer->data;

    if (gk_pipeline_in_hand(daemon->pipeline) > 0 && uv_now(&daemon->loop) < daemon->drain_ends_ms) {
        return;
    }
    uv_close((uv_handle_t *)&daemon->drain, NULL);
    uv_close((uv_handle_t *)&daemon->on_term, NULL);
    uv_close((uv_handle_t *)&daemon->on_int, NULL);
    refuse_signals(daemon);
    gk_supervisor_close(daemon->couriers, CHILD_GRACE_MS, on_couriers_closed, daemon);
}

static void stop(struct daemon *daemon, const char *why)
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

static void start_again(void *context)
{
    struct daemon *daemon = context;

    daemon->again = !daemon->stopping;
    stop(daemon, "to begin anew");
}

static void on_signal(uv_signal_t *handle, int signal_number)
{
    struct daemon *daemon = handle->data;

    daemon->again = false;
    stop(daemon, signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
}

static void watch_signals(struct daemon *daemon)
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

static void close_state(struct daemon *daemon)
{
    gk_registry_close(daemon->registry);
    gk_store_close(daemon->store);
    gk_picture_vault_close(daemon->vault);
    gk_credentials_free(daemon->credentials);
    gk_keys_close(daemon->keys);
}

/* Serves until it is told to stop, or cannot listen. */
static enum gk_status serve(struct daemon *daemon, struct gk_error *error)
{
    char number[24];

    watch_signals(daemon);
    start_children(daemon);
    gk_difficult_rematch(daemon->difficult); /* a list may have come into force just before the end */
    enum gk_status status = listen_all(daemon, error);

    if (status == GK_OK) {
        status = serve_metrics(daemon, error);
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

static enum gk_status run(struct daemon *daemon, struct gk_error *error)
{
    enum gk_status status = open_outbox(daemon, error);

    if (status != GK_OK) {
        return status;
    }
    make_machines(daemon);
    fill_services(daemon);
    status = open_server(daemon, error);
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

static enum gk_status note_restored(struct daemon *daemon, struct gk_error *error)
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
    struct daemon *daemon = gk_allocate(sizeof *daemon);
    enum gk_status status;

    daemon->configuration = configuration;
    daemon->log = log;
    daemon->clock = gk_clock_system();
    daemon->restored = restored;
    status = open_state(daemon, error);
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
        gk_rate_limit_free(daemon->services.enquiry_limit);
        gk_rate_limit_free(daemon->services.subject_limit);
        gk_rate_limit_free(daemon->services.code_limit);
        gk_rate_limit_free(daemon->services.try_limit);
        gk_rate_limit_free(daemon->services.contact_try_limit);
        gk_sessions_free(daemon->sessions);
        gk_boxes_free(daemon->boxes);
        gk_shelf_free(daemon->shelf);
    }
    close_state(daemon);
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

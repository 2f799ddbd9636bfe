/*
 * What the service offers, and where: its handlers, the RPC server, the URLs, the metrics page.
 */
#include "core/daemon_internal.h"

#include "rpc/descriptor_set.h"

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
};

void gk_daemon_fill_services(struct gk_daemon *daemon)
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
        .alerts = daemon->alerts,
        .pipeline = daemon->pipeline,
        .enquiries = daemon->enquiries,
        .issuer_queue = daemon->issuer_queue,
        .difficult = daemon->difficult,
        .collapse = daemon->collapse,
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
        .on_notice_due = gk_daemon_poke_notices,
        .on_notice_due_context = daemon,
        .data_directory = daemon->configuration->data_directory,
        .keys_directory = daemon->configuration->keys_directory,
        .start_again = gk_daemon_start_again,
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

void gk_daemon_free_services(struct gk_daemon *daemon)
{
    gk_rate_limit_free(daemon->services.enquiry_limit);
    gk_rate_limit_free(daemon->services.subject_limit);
    gk_rate_limit_free(daemon->services.code_limit);
    gk_rate_limit_free(daemon->services.try_limit);
    gk_rate_limit_free(daemon->services.contact_try_limit);
}

enum gk_status gk_daemon_listen_all(struct gk_daemon *daemon, struct gk_error *error)
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
    const struct gk_daemon *daemon = context;

    return gk_registry_cards(daemon->registry);
}

enum gk_status gk_daemon_serve_metrics(struct gk_daemon *daemon, struct gk_error *error)
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

enum gk_status gk_daemon_open_server(struct gk_daemon *daemon, struct gk_error *error)
{
    const struct gk_rpc_server_options options = {.loop = &daemon->loop,
                                                  .bindings = daemon->bindings,
                                                  .binding_count = GK_DAEMON_BINDINGS,
                                                  .authenticate = gk_credentials_authenticate,
                                                  .authenticate_context = daemon->credentials,
                                                  .descriptor_set = guika_v1_descriptor_set,
                                                  .descriptor_set_size = guika_v1_descriptor_set_size,
                                                  .allow_plain_remote = daemon->configuration->plain_remote};

    return gk_rpc_server_open(&options, &daemon->server, error);
}

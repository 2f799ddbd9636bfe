/*
 * The parts of the service, made and tied together: the state on disk, then the state machines that work on
 * it.
 */
#include "core/daemon_internal.h"

#include "core/audit_key.h"
#include "core/codes.h"
#include "core/found_card.h"
#include "core/holdings.h"
#include "core/migration.h"
#include "core/pickup.h"
#include "core/recovery.h"
#include "core/retirement.h"

#include <stdio.h>
#include <string.h>

enum gk_status gk_daemon_open_state(struct gk_daemon *daemon, struct gk_error *error)
{
    const struct gk_configuration *configuration = daemon->configuration;
    char pictures[PATH_MAX];
    const struct gk_store_options options = {.path = configuration->data_directory,
                                             .cache_bytes = configuration->cache_bytes,
                                             .now_ms = daemon->clock.now_ms,
                                             .now_context = daemon->clock.context};
    bool made = false;
    enum gk_status status = gk_audit_key_settle(configuration, &made, error);

    if (status == GK_OK) {
        status = gk_keys_open(configuration->keys_directory, &daemon->keys, error);
    }
    if (status != GK_OK) {
        return status;
    }
    status = gk_store_open(&options, &daemon->store, error);
    if (status != GK_OK) {
        return status;
    }
    status = gk_migrate(daemon->store, daemon->log, error);
    if (status != GK_OK) {
        return status;
    }
    if (made) {
        status = gk_audit_key_note(daemon->store, daemon->keys, daemon->log, error);
        if (status != GK_OK) {
            return status;
        }
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
    status = gk_retirement_settle(daemon->store, daemon->keys, configuration->keys_directory, error);
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

void gk_daemon_close_state(struct gk_daemon *daemon)
{
    gk_registry_close(daemon->registry);
    gk_store_close(daemon->store);
    gk_picture_vault_close(daemon->vault);
    gk_credentials_free(daemon->credentials);
    gk_keys_close(daemon->keys);
}

void gk_daemon_poke_notices(void *context)
{
    struct gk_daemon *daemon = context;

    gk_outbox_poke(daemon->outbox);
    gk_issuer_queue_poke(daemon->issuer_queue);
}

static enum gk_status find_holder(void *context, const char *issuer_account,
                                  const uint8_t holder_token[GK_TOKEN_SIZE],
                                  guika_v1_internal_HolderContacts *ret_contacts, struct gk_error *error)
{
    const struct gk_daemon *daemon = context;

    return gk_holdings_contacts(daemon->registry, daemon->store, daemon->keys, issuer_account, holder_token,
                                ret_contacts, error);
}

static enum gk_status find_contact_code(void *context, const uint8_t contact_token[GK_TOKEN_SIZE],
                                        char ret_code[GK_CONTACT_CODE_SIZE], struct gk_error *error)
{
    const struct gk_daemon *daemon = context;

    return gk_codes_read(daemon->store, daemon->keys, contact_token, gk_clock_now_ms(&daemon->clock),
                         ret_code, error);
}

static void find_issuer_name(void *context, const char *issuer, struct gk_issuer_name *ret_name)
{
    const struct gk_daemon *daemon = context;
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
    const struct gk_daemon *daemon = context;
    const struct gk_pickup_parts parts = {daemon->store, daemon->keys, daemon->registry,
                                          &daemon->configuration->retention};

    return gk_pickup_tell(&parts, notice->case_id.bytes, holder, ret_pickup, error);
}

enum gk_status gk_daemon_open_outbox(struct gk_daemon *daemon, struct gk_error *error)
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

static void on_reader_overdue(void *context, const char *reader_id)
{
    const struct gk_daemon *daemon = context;

    gk_keeper_overdue(daemon->keeper, reader_id);
}

static bool on_reader_ready(void *context, const char *reader_id,
                            const guika_v1_internal_AnnounceRequest *announced)
{
    const struct gk_daemon *daemon = context;

    return gk_keeper_announced(daemon->keeper, reader_id, announced);
}

static void make_pipeline(struct gk_daemon *daemon)
{
    const struct gk_pipeline_parts parts = {.loop = &daemon->loop,
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
                                            .on_notice_due = gk_daemon_poke_notices,
                                            .on_notice_due_context = daemon};

    daemon->pipeline = gk_pipeline_open(&parts);
}

static void make_enquiries(struct gk_daemon *daemon)
{
    const struct gk_enquiries_parts parts = {.loop = &daemon->loop,
                                             .mailbox = daemon->mailbox,
                                             .log = daemon->log,
                                             .clock = daemon->clock,
                                             .keys = daemon->keys,
                                             .store = daemon->store,
                                             .registry = daemon->registry,
                                             .shelf = daemon->shelf,
                                             .on_notice_due = gk_daemon_poke_notices,
                                             .on_notice_due_context = daemon};

    daemon->enquiries = gk_enquiries_open(&parts);
}

static void make_difficult(struct gk_daemon *daemon)
{
    const struct gk_difficult_parts parts = {.loop = &daemon->loop,
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
                                             .on_notice_due = gk_daemon_poke_notices,
                                             .on_notice_due_context = daemon};

    daemon->difficult = gk_difficult_open(&parts);
}

/* What works by the clock, or in the background. */
static void make_housekeeping(struct gk_daemon *daemon)
{
    const struct gk_audit_exporter_parts audit = {.loop = &daemon->loop,
                                                  .log = daemon->log,
                                                  .store = daemon->store,
                                                  .keys = daemon->keys,
                                                  .path = daemon->configuration->audit_heads_file,
                                                  .every_ms = daemon->configuration->audit_every_ms};
    const struct gk_sweeper_parts sweeper = {.loop = &daemon->loop,
                                             .log = daemon->log,
                                             .clock = daemon->clock,
                                             .keys = daemon->keys,
                                             .store = daemon->store,
                                             .retention = &daemon->configuration->retention,
                                             .on_notice_due = gk_daemon_poke_notices,
                                             .on_notice_due_context = daemon};
    const struct gk_rotation_parts rotation = {.loop = &daemon->loop,
                                               .log = daemon->log,
                                               .keys = daemon->keys,
                                               .store = daemon->store,
                                               .on_copied = gk_daemon_start_again,
                                               .context = daemon};

    const struct gk_collapse_parts collapse = {.loop = &daemon->loop,
                                               .log = daemon->log,
                                               .keys = daemon->keys,
                                               .store = daemon->store,
                                               .registry = daemon->registry};

    daemon->audit_exporter = gk_audit_exporter_open(&audit);
    daemon->sweeper = gk_sweeper_open(&sweeper);
    daemon->rotation = gk_rotation_open(&rotation);
    daemon->collapse = gk_collapse_open(&collapse);
}

/* What boxes do without the line, and who is told of them. */
static void make_box_care(struct gk_daemon *daemon)
{
    const struct gk_configuration *configuration = daemon->configuration;
    const struct gk_grants_parts grants = {
        .loop = &daemon->loop,
        .log = daemon->log,
        .clock = daemon->clock,
        .pickup = {daemon->store, daemon->keys, daemon->registry, &configuration->retention}};
    const struct gk_box_alerts_parts alerts = {.loop = &daemon->loop,
                                               .mailbox = daemon->mailbox,
                                               .log = daemon->log,
                                               .clock = daemon->clock,
                                               .keys = daemon->keys,
                                               .store = daemon->store,
                                               .heartbeat_ms = configuration->heartbeat_ms,
                                               .receiver = configuration->alerts_to,
                                               .language = configuration->alerts_language,
                                               .on_notice_due = gk_daemon_poke_notices,
                                               .on_notice_due_context = daemon};

    daemon->alerts = gk_box_alerts_open(&alerts);
    daemon->grants = gk_grants_open(&grants);
}

void gk_daemon_make_machines(struct gk_daemon *daemon)
{
    const struct gk_reader_jobs_options jobs = {.loop = &daemon->loop,
                                                .shelf = daemon->shelf,
                                                .on_overdue = on_reader_overdue,
                                                .on_ready = on_reader_ready,
                                                .context = daemon};

    daemon->jobs = gk_reader_jobs_open(&jobs);
    make_pipeline(daemon);
    make_enquiries(daemon);
    daemon->issuer_queue = gk_issuer_queue_open(&daemon->loop, daemon->store, daemon->keys);
    make_difficult(daemon);
    make_housekeeping(daemon);
    make_box_care(daemon);
}

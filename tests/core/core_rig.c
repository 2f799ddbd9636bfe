#include "tests/core/core_rig.h"

#include "core/rotation.h"
#include "core/security/rate_limit.h"
#include "rpc/repeated.h"
#include "tests/core/security/scratch.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static void must(enum gk_status status, const struct gk_error *error)
{
    if (status != GK_OK) {
        fail_msg("%s: %s", gk_status_name(status), error->message);
    }
}

static int64_t rig_now(void *context)
{
    return atomic_load(&((struct core_rig *)context)->now_ms);
}

/* --- what rests
 * ------------------------------------------------------------------------------------------------- */

static enum gk_status add_nothing(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    (void)context;
    (void)transaction;
    (void)error;
    return GK_OK;
}

static void register_card(struct core_rig *rig)
{
    static const char bindings[][65] = {"iso7812:62"};
    guika_v1_ImportCardsRequest request = {.import_id = "first", .last = true};
    guika_v1_CardRow row = {.scheme = "iso7812", .number = CORE_RIG_REGISTERED, .holder_id = "holder-1"};
    guika_v1_internal_NumberAnswer answer = {.matches_count = 1};
    guika_v1_ImportCardsResponse *response = calloc(1, sizeof *response);
    struct gk_repeated rows = {0};
    struct gk_repeated answers = {0};
    struct gk_error error;

    strcpy(answer.matches[0].scheme, "iso7812");
    strcpy(answer.matches[0].number, CORE_RIG_REGISTERED);
    answer.matches[0].kind = guika_v1_CardKind_CARD_KIND_PAYMENT;
    row.contacts_count = 1;
    strcpy(row.contacts[0], "smtp:a@b.example");
    must(gk_registry_add_account(rig->registry, "bank", bindings, 1, add_nothing, NULL, &error), &error);
    assert_int_equal(gk_repeated_append(&rows, guika_v1_CardRow_fields, &row), GK_OK);
    assert_int_equal(gk_repeated_append(&answers, guika_v1_internal_NumberAnswer_fields, &answer), GK_OK);
    request.page_rows = gk_repeated_bytes(&rows);
    must(gk_registry_import_page(rig->registry, "bank", &request, gk_repeated_bytes(&answers), response,
                                 &error),
         &error);
    assert_true(response->in_force);
    gk_repeated_free(&rows);
    gk_repeated_free(&answers);
    free(response);
}

static void open_state(struct core_rig *rig)
{
    char *keys = scratch_path(rig->folder, "keys");
    char *data = scratch_path(rig->folder, "data");
    char *pictures = scratch_path(rig->folder, "pictures");
    const struct gk_store_options options = {
        .path = data, .cache_bytes = 8 << 20, .now_ms = rig_now, .now_context = rig};
    struct gk_error error;

    if (access(keys, F_OK) != 0) {
        must(gk_keys_generate(keys, &error), &error);
    }
    must(gk_keys_open(keys, &rig->keys, &error), &error);
    must(gk_store_open(&options, &rig->store, &error), &error);
    must(gk_picture_vault_open(pictures, rig->keys, &rig->vault, &error), &error);
    must(gk_rotation_settle(rig->store, rig->keys, rig->vault, &error), &error);
    must(gk_registry_open(rig->store, rig->keys, &rig->registry, &error), &error);
    rig->credentials = gk_credentials_new(rig->keys);
    free(pictures);
    free(data);
    free(keys);
}

static void close_state(struct core_rig *rig)
{
    gk_credentials_free(rig->credentials);
    gk_picture_vault_close(rig->vault);
    gk_registry_close(rig->registry);
    gk_store_close(rig->store);
    gk_keys_close(rig->keys);
}

/* --- the loop
 * --------------------------------------------------------------------------------------------------- */

static void on_notice_due(void *context)
{
    struct core_rig *rig = context;

    atomic_fetch_add(&rig->notices_due, 1);
    gk_issuer_queue_poke(rig->issuer_queue);
}

static void on_overdue(void *context, const char *reader_id)
{
    (void)reader_id;
    atomic_fetch_add(&((struct core_rig *)context)->overdue, 1);
}

static bool on_ready(void *context, const char *reader_id, const guika_v1_internal_AnnounceRequest *announced)
{
    (void)context;
    (void)reader_id;
    (void)announced;
    return true;
}

static bool no_tokens(void *context, const char *token, struct gk_principal *ret_principal)
{
    (void)context;
    (void)token;
    (void)ret_principal;
    return false;
}

static void make_box_care(struct core_rig *rig, struct gk_clock clock)
{
    const struct gk_grants_parts grants = {.loop = &rig->loop,
                                           .log = &rig->log,
                                           .clock = clock,
                                           .pickup = {rig->store, rig->keys, rig->registry, &rig->retention}};
    const struct gk_box_alerts_parts alerts = {.loop = &rig->loop,
                                               .mailbox = rig->mailbox,
                                               .log = &rig->log,
                                               .clock = clock,
                                               .keys = rig->keys,
                                               .store = rig->store,
                                               .heartbeat_ms = 30000,
                                               .receiver = "",
                                               .language = "en"};

    rig->grants = gk_grants_open(&grants);
    rig->alerts = gk_box_alerts_open(&alerts);
}

static void make_machines(struct core_rig *rig)
{
    const struct gk_clock clock = {rig_now, rig};
    const struct gk_reader_jobs_options jobs = {.loop = &rig->loop,
                                                .shelf = rig->shelf,
                                                .queue = rig->options.queue,
                                                .lease_ms = rig->options.lease_ms,
                                                .wait_ms = rig->options.reader_wait_ms,
                                                .on_overdue = on_overdue,
                                                .on_ready = on_ready,
                                                .context = rig};

    rig->jobs = gk_reader_jobs_open(&jobs);
    const struct gk_pipeline_parts pipeline = {.loop = &rig->loop,
                                               .mailbox = rig->mailbox,
                                               .log = &rig->log,
                                               .clock = clock,
                                               .keys = rig->keys,
                                               .store = rig->store,
                                               .registry = rig->registry,
                                               .vault = rig->vault,
                                               .jobs = rig->jobs,
                                               .boxes = rig->boxes,
                                               .threshold = 0.999,
                                               .registered_share = 0.5,
                                               .frames_wait_ms = rig->options.frames_wait_ms,
                                               .on_notice_due = on_notice_due,
                                               .on_notice_due_context = rig};
    const struct gk_enquiries_parts enquiries = {.loop = &rig->loop,
                                                 .mailbox = rig->mailbox,
                                                 .log = &rig->log,
                                                 .clock = clock,
                                                 .keys = rig->keys,
                                                 .store = rig->store,
                                                 .registry = rig->registry,
                                                 .shelf = rig->shelf,
                                                 .on_notice_due = on_notice_due,
                                                 .on_notice_due_context = rig};
    const struct gk_difficult_parts difficult = {.loop = &rig->loop,
                                                 .mailbox = rig->mailbox,
                                                 .log = &rig->log,
                                                 .clock = clock,
                                                 .keys = rig->keys,
                                                 .store = rig->store,
                                                 .registry = rig->registry,
                                                 .vault = rig->vault,
                                                 .jobs = rig->jobs,
                                                 .threshold = 0.999,
                                                 .registered_share = 0.5,
                                                 .on_notice_due = on_notice_due,
                                                 .on_notice_due_context = rig};
    const struct gk_sweeper_parts sweeper = {
        .loop = &rig->loop,
        .log = &rig->log,
        .clock = clock,
        .keys = rig->keys,
        .store = rig->store,
        .retention = &rig->retention,
        .turn_ms = rig->options.sweep_turn_ms == 0 ? 20 : rig->options.sweep_turn_ms,
        .on_notice_due = on_notice_due,
        .on_notice_due_context = rig};

    rig->retention = gk_retention_default();
    rig->pipeline = gk_pipeline_open(&pipeline);
    rig->enquiries = gk_enquiries_open(&enquiries);
    rig->issuer_queue = gk_issuer_queue_open(&rig->loop, rig->store, rig->keys);
    rig->difficult = gk_difficult_open(&difficult);
    rig->sweeper = gk_sweeper_open(&sweeper);
    make_box_care(rig, clock);
    rig->services = (struct gk_services){.loop = &rig->loop,
                                         .mailbox = rig->mailbox,
                                         .log = &rig->log,
                                         .clock = clock,
                                         .keys = rig->keys,
                                         .store = rig->store,
                                         .registry = rig->registry,
                                         .credentials = rig->credentials,
                                         .jobs = rig->jobs,
                                         .boxes = rig->boxes,
                                         .grants = rig->grants,
                                         .alerts = rig->alerts,
                                         .pipeline = rig->pipeline,
                                         .enquiries = rig->enquiries,
                                         .issuer_queue = rig->issuer_queue,
                                         .difficult = rig->difficult,
                                         .vault = rig->vault,
                                         .shelf = rig->shelf,
                                         .sessions = rig->sessions,
                                         .enquiry_limit = gk_rate_limit_new(1000, 1, 16),
                                         .subject_limit = gk_rate_limit_new(1000, 1, 16),
                                         .code_limit = gk_rate_limit_new(1000, 1, 16),
                                         .try_limit = gk_rate_limit_new(1000, 1, 16),
                                         .contact_try_limit = gk_rate_limit_new(1000, 1, 16),
                                         .heartbeat_ms = 30000,
                                         .retention = &rig->retention,
                                         .on_notice_due = on_notice_due,
                                         .on_notice_due_context = rig};
}

static void fill_shelf(struct core_rig *rig)
{
    guika_v1_internal_AnnounceRequest *announced = calloc(1, sizeof *announced);

    announced->issuers_count = 1;
    strcpy(announced->issuers[0].issuer, "unionpay");
    strcpy(announced->issuers[0].scheme, "iso7812");
    gk_shelf_set(rig->shelf, announced);
    free(announced);
}

/* [loop] */
static void open_parts(struct core_rig *rig)
{
    rig->mailbox = gk_mailbox_open(&rig->loop);
    rig->shelf = gk_shelf_new();
    rig->boxes = gk_boxes_new();
    rig->sessions = gk_sessions_new(rig->keys, rig->credentials);
    fill_shelf(rig);
    make_machines(rig);
    const struct gk_rpc_binding bindings[] = {
        gk_box_service(&rig->services), gk_holder_service(&rig->services), gk_issuer_service(&rig->services),
        gk_operator_service(&rig->services), gk_reader_jobs_binding(rig->jobs)};
    const struct gk_rpc_server_options options = {.loop = &rig->loop,
                                                  .bindings = bindings,
                                                  .binding_count = sizeof bindings / sizeof bindings[0],
                                                  .authenticate = no_tokens};
    struct gk_error error;

    must(gk_rpc_server_open(&options, &rig->server, &error), &error);
}

static void on_command(uv_async_t *async)
{
    struct core_rig *rig = async->data;

    (void)pthread_mutex_lock(&rig->lock);
    void (*work)(struct core_rig * rig, void *argument) = rig->work;

    if (work != NULL) {
        work(rig, rig->argument);
        rig->work = NULL;
        (void)pthread_cond_broadcast(&rig->changed);
    }
    (void)pthread_mutex_unlock(&rig->lock);
}

static void *run_loop(void *context)
{
    struct core_rig *rig = context;

    (void)uv_run(&rig->loop, UV_RUN_DEFAULT);
    return NULL;
}

void core_rig_run(struct core_rig *rig, void (*work)(struct core_rig *rig, void *argument), void *argument)
{
    (void)pthread_mutex_lock(&rig->lock);
    rig->work = work;
    rig->argument = argument;
    (void)uv_async_send(&rig->command);
    while (rig->work != NULL) {
        (void)pthread_cond_wait(&rig->changed, &rig->lock);
    }
    (void)pthread_mutex_unlock(&rig->lock);
}

static void start_loop(struct core_rig *rig)
{
    (void)uv_loop_init(&rig->loop);
    (void)uv_async_init(&rig->loop, &rig->command, on_command);
    rig->command.data = rig;
    open_parts(rig);
    assert_int_equal(pthread_create(&rig->thread, NULL, run_loop, rig), 0);
}

void core_rig_start(struct core_rig *rig, const struct core_rig_options *options)
{
    memset(rig, 0, sizeof *rig);
    (void)signal(SIGPIPE, SIG_IGN);
    rig->options = options == NULL ? (struct core_rig_options){0} : *options;
    rig->folder = scratch_make();
    rig->log = (struct gk_log){GK_LOG_ERROR, "core_rig"};
    atomic_store(&rig->now_ms, INT64_C(1700000000000));
    (void)pthread_mutex_init(&rig->lock, NULL);
    (void)pthread_cond_init(&rig->changed, NULL);
    open_state(rig);
    register_card(rig);
    start_loop(rig);
}

/* --- the end, in the daemon's order
 * -------------------------------------------------------------------------------- */

static void on_issuer_queue_closed(void *context)
{
    struct core_rig *rig = context;

    gk_mailbox_close(rig->mailbox);
    uv_close((uv_handle_t *)&rig->command, NULL);
}

static void on_enquiries_closed(void *context)
{
    struct core_rig *rig = context;

    gk_issuer_queue_close(rig->issuer_queue, on_issuer_queue_closed, rig);
}

static void on_alerts_closed(void *context)
{
    struct core_rig *rig = context;

    gk_enquiries_close(rig->enquiries, on_enquiries_closed, rig);
}

static void on_grants_closed(void *context)
{
    struct core_rig *rig = context;

    gk_box_alerts_close(rig->alerts, on_alerts_closed, rig);
}

static void on_sweeper_closed(void *context)
{
    struct core_rig *rig = context;

    gk_grants_close(rig->grants, on_grants_closed, rig);
}

static void on_pipeline_closed(void *context)
{
    struct core_rig *rig = context;

    gk_sweeper_close(rig->sweeper, on_sweeper_closed, rig);
}

static void on_difficult_closed(void *context)
{
    struct core_rig *rig = context;

    gk_pipeline_close(rig->pipeline, on_pipeline_closed, rig);
}

static void on_jobs_closed(void *context)
{
    struct core_rig *rig = context;

    gk_difficult_close(rig->difficult, on_difficult_closed, rig);
}

static void on_server_closed(void *context)
{
    struct core_rig *rig = context;

    gk_reader_jobs_close(rig->jobs, on_jobs_closed, rig);
}

static void begin_stop(struct core_rig *rig, void *argument)
{
    (void)argument;
    gk_rpc_server_close(rig->server, on_server_closed, rig);
}

void core_rig_stop(struct core_rig *rig)
{
    core_rig_run(rig, begin_stop, NULL);
    (void)pthread_join(rig->thread, NULL);
    assert_int_equal(uv_loop_close(&rig->loop), 0);
    gk_reader_jobs_free(rig->jobs);
    gk_rate_limit_free(rig->services.enquiry_limit);
    gk_rate_limit_free(rig->services.subject_limit);
    gk_rate_limit_free(rig->services.code_limit);
    gk_rate_limit_free(rig->services.try_limit);
    gk_rate_limit_free(rig->services.contact_try_limit);
    gk_sessions_free(rig->sessions);
    gk_boxes_free(rig->boxes);
    gk_shelf_free(rig->shelf);
    close_state(rig);
}

void core_rig_resume(struct core_rig *rig)
{
    open_state(rig);
    start_loop(rig);
}

void core_rig_restart(struct core_rig *rig)
{
    core_rig_stop(rig);
    core_rig_resume(rig);
}

void core_rig_end(struct core_rig *rig)
{
    core_rig_stop(rig);
    scratch_remove(rig->folder);
    (void)pthread_cond_destroy(&rig->changed);
    (void)pthread_mutex_destroy(&rig->lock);
}

/* --- who calls
 * -------------------------------------------------------------------------------------------------- */

struct connecting {
    int fd;
    struct gk_principal principal;
};

static void on_peer_closed(struct gk_rpc_peer *peer, void *context)
{
    (void)peer;
    atomic_fetch_add(&((struct core_rig *)context)->peers_closed, 1);
}

static void connect_peer(struct core_rig *rig, void *argument)
{
    const struct connecting *connecting = argument;
    struct gk_rpc_peer *peer;
    struct gk_error error;

    must(gk_rpc_server_adopt(rig->server, connecting->fd, &connecting->principal, on_peer_closed, rig, &peer,
                             &error),
         &error);
}

struct gk_rpc_client *core_rig_connect(struct core_rig *rig, enum gk_role role, const char *id)
{
    struct connecting connecting = {.principal = {.role = role}};
    struct gk_rpc_client *client = NULL;
    struct gk_error error;
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    connecting.fd = ends[0];
    (void)snprintf(connecting.principal.id, sizeof connecting.principal.id, "%s", id);
    core_rig_run(rig, connect_peer, &connecting);
    must(gk_rpc_client_open_stream(ends[1], &client, &error), &error);
    return client;
}

void core_rig_wait(const atomic_uint *value, unsigned wanted)
{
    for (int i = 0; i < 2000 && atomic_load(value) < wanted; i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    }
    assert_true(atomic_load(value) >= wanted);
}

uint64_t core_rig_lease(struct gk_rpc_client *reader, guika_v1_internal_LeaseJobResponse *ret_job)
{
    const struct gk_rpc_call_options options = {.deadline_ms = 11000};
    const guika_v1_internal_LeaseJobRequest request = {0};
    struct gk_error error;

    memset(ret_job, 0, sizeof *ret_job);
    must(guika_v1_internal_reader_service_lease_job(reader, &options, &request, ret_job, &error), &error);
    return ret_job->job_id;
}

enum gk_status core_rig_complete(struct gk_rpc_client *reader, uint64_t job_id,
                                 guika_v1_internal_CompleteRecognitionRequest *result)
{
    guika_v1_internal_CompleteJobResponse response = {0};

    result->job_id = job_id;
    return guika_v1_internal_reader_service_complete_recognition(reader, NULL, result, &response, NULL);
}

void core_rig_certain(guika_v1_internal_CompleteRecognitionRequest *ret_result, const char *number)
{
    guika_v1_internal_Candidate *candidate = &ret_result->candidates[0];

    memset(ret_result, 0, sizeof *ret_result);
    ret_result->candidates_count = 1;
    strcpy(candidate->issuer, "unionpay");
    strcpy(candidate->scheme, "iso7812");
    (void)snprintf(candidate->number, sizeof candidate->number, "%s", number);
    (void)snprintf(candidate->masked, sizeof candidate->masked, "•••• %s", number + strlen(number) - 4);
    candidate->kind = guika_v1_CardKind_CARD_KIND_PAYMENT;
    candidate->probability = 0.99;
}

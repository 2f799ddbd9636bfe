#include "tests/clients/service_internal.h"

#include "guika/v1/box.rpc.h"
#include "guika/v1/holder.rpc.h"
#include "guika/v1/operator.rpc.h"
#include "rpc/server.h"

#include <pb_decode.h>
#include <pthread.h>
#include <semaphore.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CASE_ID "0123456789abcdef0123456789abcdef"

static void must(bool good, const char *what)
{
    if (!good) {
        (void)fprintf(stderr, "test service: %s\n", what);
        abort();
    }
}

void gk_test_service_note(struct gk_test_service *service, const char *format, ...)
{
    va_list arguments;

    (void)pthread_mutex_lock(&service->mutex);
    must(service->entry_count < MAX_ENTRIES, "the diary is full");
    va_start(arguments, format);
    (void)vsnprintf(service->entries[service->entry_count++], ENTRY_SIZE, format, arguments);
    va_end(arguments);
    (void)pthread_mutex_unlock(&service->mutex);
}

/* Answers by the script where it says that calls fail. */
bool gk_test_service_fails(struct gk_test_service *service, struct gk_rpc_call *call)
{
    (void)pthread_mutex_lock(&service->mutex);
    const bool failing = service->failures_left > 0;
    const enum gk_status status = service->failure;

    service->calls++;
    service->failures_left -= failing;
    (void)pthread_mutex_unlock(&service->mutex);
    if (failing && status == GK_RESOURCE_EXHAUSTED) {
        gk_rpc_fail_busy(call, 150, "busy");
    } else if (failing) {
        gk_rpc_fail(call, status, "told to fail");
    }
    return failing;
}

static guika_v1_DepositResponse decision(struct gk_test_service *service)
{
    guika_v1_DepositResponse response = {.case_id = CASE_ID};

    (void)pthread_mutex_lock(&service->mutex);
    response.decision = (guika_v1_DepositResponse_Decision)service->decision;
    response.zone = (guika_v1_Zone)service->zone;
    (void)pthread_mutex_unlock(&service->mutex);
    if (response.decision == guika_v1_DepositResponse_Decision_MORE_FRAMES) {
        response.wanted_side = guika_v1_Side_SIDE_BACK;
        response.wanted_lamp = guika_v1_Lamp_LAMP_LEFT;
        response.sequence = 7;
    }
    return response;
}

static void on_deposit(struct gk_rpc_call *call, const guika_v1_DepositRequest *request, void *context)
{
    struct gk_test_service *service = context;

    if (!gk_test_service_fails(service, call)) {
        const guika_v1_DepositResponse response = decision(service);

        gk_test_service_note(service, "deposit %s %u", request->deposit_id, (unsigned)request->frames_count);
        guika_v1_box_service_deposit_reply(call, &response);
    }
}

static void on_add_frames(struct gk_rpc_call *call, const guika_v1_AddFramesRequest *request, void *context)
{
    struct gk_test_service *service = context;

    if (!gk_test_service_fails(service, call)) {
        guika_v1_DepositResponse response = decision(service);

        response.decision = guika_v1_DepositResponse_Decision_KEEP;
        gk_test_service_note(service, "add %s %u %d", request->deposit_id, (unsigned)request->sequence,
                             (int)request->frames[0].side);
        guika_v1_box_service_add_frames_reply(call, &response);
    }
}

static void on_confirm(struct gk_rpc_call *call, const guika_v1_ConfirmStoredRequest *request, void *context)
{
    struct gk_test_service *service = context;

    if (!gk_test_service_fails(service, call)) {
        const guika_v1_ConfirmStoredResponse response = {0};

        gk_test_service_note(service, "confirm %s %d %d %s", request->deposit_id, (int)request->outcome,
                             (int)request->zone, request->compartment);
        guika_v1_box_service_confirm_stored_reply(call, &response);
    }
}

static void open_entry(struct gk_test_service *service, struct gk_rpc_call *call,
                       const guika_v1_ReplayRequest *request, uint8_t *plain)
{
    guika_v1_SpoolEntry entry = {0};
    guika_v1_ReplayResponse response = {0};
    const size_t size = request->sealed.size - crypto_box_SEALBYTES;
    pb_istream_t stream = pb_istream_from_buffer(plain, size);

    if (crypto_box_seal_open(plain, request->sealed.data, request->sealed.size, service->public_key,
                             service->secret_key) != 0 ||
        !pb_decode(&stream, guika_v1_SpoolEntry_fields, &entry)) {
        gk_rpc_fail(call, GK_INVALID_ARGUMENT, "not sealed to this service");
        return;
    }
    if (entry.which_entry == guika_v1_SpoolEntry_deposit_tag) {
        gk_test_service_note(service, "replay-deposit %s %u %zu", entry.entry.deposit.deposit_id,
                             (unsigned)entry.entry.deposit.frames_count,
                             entry.entry.deposit.frames[0].picture.size);
        response.which_answer = guika_v1_ReplayResponse_deposit_tag;
        response.answer.deposit = decision(service);
    } else if (entry.which_entry == guika_v1_SpoolEntry_pickup_tag) {
        const guika_v1_OfflinePickup *pickup = &entry.entry.pickup;

        gk_test_service_note(service, "replay-pickup %u %02x%02x %u %d", (unsigned)pickup->sequence,
                             pickup->case_id[0], pickup->case_id[1], (unsigned)pickup->wrong_tries,
                             (int)pickup->outcome);
        response.which_answer = guika_v1_ReplayResponse_pickup_tag;
    } else {
        gk_test_service_note(service, "replay-confirm %s %d", entry.entry.confirm.deposit_id,
                             (int)entry.entry.confirm.outcome);
        response.which_answer = guika_v1_ReplayResponse_confirm_tag;
    }
    guika_v1_box_service_replay_reply(call, &response);
}

static void on_replay(struct gk_rpc_call *call, const guika_v1_ReplayRequest *request, void *context)
{
    struct gk_test_service *service = context;

    if (!gk_test_service_fails(service, call)) {
        uint8_t *plain = malloc(request->sealed.size + 1);

        must(plain != NULL && request->sealed.size > crypto_box_SEALBYTES, "replay");
        open_entry(service, call, request, plain);
        free(plain);
    }
}

static void on_heartbeat(struct gk_rpc_call *call, const guika_v1_HeartbeatRequest *request, void *context)
{
    struct gk_test_service *service = context;
    guika_v1_HeartbeatResponse response = {.interval_ms = 300};

    (void)request;
    memcpy(response.spool_public_key, service->public_key, sizeof response.spool_public_key);
    (void)pthread_mutex_lock(&service->mutex);
    if (service->grants_version != 0) {
        memcpy(response.grant_public_key, service->grant_key, sizeof response.grant_public_key);
        response.grants_version = service->grants_version;
        strcpy(response.box_id, "lib-1");
        response.time_ms = GK_TEST_SERVICE_TIME_MS;
    }
    (void)pthread_mutex_unlock(&service->mutex);
    guika_v1_box_service_heartbeat_reply(call, &response);
}

static void on_add_box(struct gk_rpc_call *call, const guika_v1_AddBoxRequest *request, void *context)
{
    guika_v1_AddBoxResponse response = {0};

    (void)context;
    (void)snprintf(response.token, sizeof response.token, "token-of-%s-%.40s", request->box_id,
                   request->place.en);
    guika_v1_operator_service_add_box_reply(call, &response);
}

static void on_add_issuer(struct gk_rpc_call *call, const guika_v1_AddIssuerRequest *request, void *context)
{
    guika_v1_AddIssuerResponse response = {0};

    (void)context;
    (void)snprintf(response.token, sizeof response.token, "token-of-%s-%u", request->issuer_id,
                   (unsigned)request->bindings_count);
    guika_v1_operator_service_add_issuer_reply(call, &response);
}

/* Two pages of one card each. */
static void on_list_found(struct gk_rpc_call *call, const guika_v1_ListFoundRequest *request, void *context)
{
    guika_v1_ListFoundResponse response = {.cards_count = 1};
    const bool first = request->page_token[0] == '\0';
    guika_v1_FoundCardRow *row = &response.cards[0];

    (void)context;
    *row = (guika_v1_FoundCardRow){.case_id = CASE_ID,
                                   .box_id = "lib-1",
                                   .compartment = "N01",
                                   .issuer = "unionpay",
                                   .masked_number = "**** 0005",
                                   .received_at_ms = 1700000000000};
    row->state = request->state == 0 ? guika_v1_CardState_CARD_STATE_NOTIFIED : request->state;
    row->misplaced = !first;
    (void)snprintf(response.next_page_token, sizeof response.next_page_token, "%s", first ? "next" : "");
    guika_v1_operator_service_list_found_reply(call, &response);
}

static void on_statistics(struct gk_rpc_call *call, const guika_v1_GetStatisticsRequest *request,
                          void *context)
{
    guika_v1_GetStatisticsResponse response = {
        .statistics_count = 2,
        .statistics = {{.name = "deposits", .value = 12 + request->days}, {.name = "identified", .value = 9}},
    };

    (void)context;
    guika_v1_operator_service_get_statistics_reply(call, &response);
}

static void on_check_status(struct gk_rpc_call *call, const guika_v1_CheckStatusRequest *request,
                            void *context)
{
    const guika_v1_CheckStatusResponse response = {.answer = guika_v1_CheckStatusResponse_Answer_ACCEPTED};

    gk_test_service_note(context, "check %zu", strlen(request->number));
    guika_v1_holder_service_check_status_reply(call, &response);
}

static const struct guika_v1_box_service_handlers box_handlers = {
    .deposit = on_deposit,
    .add_frames = on_add_frames,
    .confirm_stored = on_confirm,
    .replay = on_replay,
    .heartbeat = on_heartbeat,
    .list_grants = gk_test_service_on_list_grants,
    .open_for_pickup = gk_test_service_on_open_for_pickup,
    .confirm_collected = gk_test_service_on_confirm_collected,
};
static const struct guika_v1_operator_service_handlers operator_handlers = {
    .add_box = on_add_box,
    .add_issuer = on_add_issuer,
    .list_found = on_list_found,
    .get_statistics = on_statistics,
};
static const struct guika_v1_holder_service_handlers holder_handlers = {.check_status = on_check_status};

static bool authenticate(void *context, const char *token, struct gk_principal *ret_principal)
{
    (void)context;
    if (strcmp(token, "box-token") == 0) {
        *ret_principal = (struct gk_principal){.role = GK_ROLE_BOX, .id = "lib-1"};
        return true;
    }
    if (strcmp(token, "operator-token") == 0) {
        *ret_principal = (struct gk_principal){.role = GK_ROLE_OPERATOR, .id = "operator"};
        return true;
    }
    return false;
}

static void on_closed(void *context)
{
    struct gk_test_service *service = context;

    uv_close((uv_handle_t *)&service->stop, NULL);
}

static void on_stop(uv_async_t *stop)
{
    struct gk_test_service *service = stop->data;

    gk_rpc_server_close(service->server, on_closed, service);
}

static void *serve(void *argument)
{
    struct gk_test_service *service = argument;
    const struct gk_rpc_binding bindings[] = {
        {&guika_v1_box_service, &box_handlers, service},
        {&guika_v1_operator_service, &operator_handlers, service},
        {&guika_v1_holder_service, &holder_handlers, service},
    };
    const struct gk_rpc_server_options options = {
        .loop = &service->loop,
        .bindings = bindings,
        .binding_count = sizeof bindings / sizeof bindings[0],
        .authenticate = authenticate,
    };
    struct gk_error error = {0};

    must(uv_loop_init(&service->loop) == 0, "loop");
    must(uv_async_init(&service->loop, &service->stop, on_stop) == 0, "async");
    service->stop.data = service;
    must(gk_rpc_server_open(&options, &service->server, &error) == GK_OK, error.message);
    must(gk_rpc_server_listen(service->server, service->url, NULL, &error) == GK_OK, error.message);
    (void)snprintf(service->url, sizeof service->url, "%s", gk_rpc_server_url(service->server, 0));
    gk_rpc_server_set_serving(service->server, true);
    (void)sem_post(&service->started);
    (void)uv_run(&service->loop, UV_RUN_DEFAULT);
    must(uv_loop_close(&service->loop) == 0, "the loop still has handles");
    return NULL;
}

struct gk_test_service *gk_test_service_new(void)
{
    struct gk_test_service *service = calloc(1, sizeof *service);

    must(service != NULL && sodium_init() >= 0, "new");
    (void)crypto_box_keypair(service->public_key, service->secret_key);
    (void)pthread_mutex_init(&service->mutex, NULL);
    (void)sem_init(&service->started, 0, 0);
    (void)snprintf(service->url, sizeof service->url, "tcp://127.0.0.1:0");
    gk_test_service_decide(service, guika_v1_DepositResponse_Decision_KEEP, guika_v1_Zone_ZONE_NORMAL);
    return service;
}

void gk_test_service_free(struct gk_test_service *service)
{
    /* NNG frees what was closed on a thread of its own; the leak checker must not come before it. */
    const struct timespec reaped = {.tv_nsec = 200000000};

    gk_test_service_stop(service);
    (void)nanosleep(&reaped, NULL);
    (void)sem_destroy(&service->started);
    (void)pthread_mutex_destroy(&service->mutex);
    free(service);
}

void gk_test_service_start(struct gk_test_service *service)
{
    must(!service->running && pthread_create(&service->thread, NULL, serve, service) == 0, "start");
    (void)sem_wait(&service->started);
    service->running = true;
}

void gk_test_service_stop(struct gk_test_service *service)
{
    if (service->running) {
        (void)uv_async_send(&service->stop);
        (void)pthread_join(service->thread, NULL);
        service->running = false;
    }
}

const char *gk_test_service_url(const struct gk_test_service *service)
{
    return service->url;
}

void gk_test_service_fail(struct gk_test_service *service, enum gk_status status, unsigned times)
{
    (void)pthread_mutex_lock(&service->mutex);
    service->failure = status;
    service->failures_left = times;
    (void)pthread_mutex_unlock(&service->mutex);
}

void gk_test_service_decide(struct gk_test_service *service, int wanted, int zone)
{
    (void)pthread_mutex_lock(&service->mutex);
    service->decision = wanted;
    service->zone = zone;
    (void)pthread_mutex_unlock(&service->mutex);
}

bool gk_test_service_entry(struct gk_test_service *service, size_t index, char *ret_entry, size_t size)
{
    (void)pthread_mutex_lock(&service->mutex);
    const bool there = index < service->entry_count;

    if (there) {
        (void)snprintf(ret_entry, size, "%s", service->entries[index]);
    }
    (void)pthread_mutex_unlock(&service->mutex);
    return there;
}

size_t gk_test_service_count(struct gk_test_service *service)
{
    (void)pthread_mutex_lock(&service->mutex);
    const size_t count = service->entry_count;

    (void)pthread_mutex_unlock(&service->mutex);
    return count;
}

bool gk_test_service_wait(struct gk_test_service *service, size_t count)
{
    const struct timespec pause = {.tv_nsec = 20000000};

    for (int i = 0; i < 1000 && gk_test_service_count(service) < count; i++) {
        (void)nanosleep(&pause, NULL);
    }
    return gk_test_service_count(service) >= count;
}

unsigned gk_test_service_calls(struct gk_test_service *service)
{
    (void)pthread_mutex_lock(&service->mutex);
    const unsigned calls = service->calls;

    (void)pthread_mutex_unlock(&service->mutex);
    return calls;
}

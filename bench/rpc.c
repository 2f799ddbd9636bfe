/*
 * What does a call cost beside the message itself? Ours: Health.Check, which the thread that received it
 * answers, and a Deposit of 200 KB, which goes over the loop and is refused by its handler. The peer: NNG's
 * bare REQ and REP over the same transport, with messages of the same sizes. One caller, one call at a time.
 */
#include "bench/rounds.h"
#include "guika/v1/box.rpc.h"
#include "guika/v1/health.rpc.h"
#include "rpc/client.h"
#include "rpc/server.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <nng/protocol/reqrep0/req.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum {
    ROUND_MS = 500,
    PICTURE_BYTES = 200000,
    HEADER_BYTES = 80,       /* of our request: method, token, request id, deadline */
    SMALL_ANSWER_BYTES = 16, /* of our answers, about */
};

struct ours {
    uv_loop_t loop;
    uv_async_t stop;
    pthread_t thread;
    struct gk_rpc_server *server;
    struct gk_rpc_client *client;
    guika_v1_DepositRequest deposit;
};

struct bare {
    nng_socket server;
    nng_socket client;
    pthread_t thread;
    size_t request_bytes;
    uint8_t *request;
};

static void must(const char *what, bool good)
{
    if (!good) {
        (void)fprintf(stderr, "rpc: %s failed\n", what);
        exit(1);
    }
}

/* --- ours
 * -----------------------------------------------------------------------------------------------------------------
 */

static void refuse(struct gk_rpc_call *call, const guika_v1_DepositRequest *request, void *context)
{
    (void)request;
    (void)context;
    gk_rpc_fail(call, GK_INVALID_ARGUMENT, "refused");
}

static const struct guika_v1_box_service_handlers handlers = {.deposit = refuse};

static bool authenticate(void *context, const char *token, struct gk_principal *ret_principal)
{
    (void)context;
    (void)token;
    *ret_principal = (struct gk_principal){GK_ROLE_BOX, "library-1"};
    return true;
}

static void on_stop(uv_async_t *async)
{
    struct ours *ours = async->data;

    gk_rpc_server_close(ours->server, NULL, NULL);
    uv_close((uv_handle_t *)async, NULL);
}

static void *run_loop(void *context)
{
    struct ours *ours = context;

    (void)uv_run(&ours->loop, UV_RUN_DEFAULT);
    return NULL;
}

static void start_ours(struct ours *ours, const uint8_t *picture)
{
    const struct gk_rpc_binding binding = {&guika_v1_box_service, &handlers, NULL};
    const struct gk_rpc_server_options options = {
        .loop = &ours->loop, .bindings = &binding, .binding_count = 1, .authenticate = authenticate};

    (void)uv_loop_init(&ours->loop);
    (void)uv_async_init(&ours->loop, &ours->stop, on_stop);
    ours->stop.data = ours;
    must("the server", gk_rpc_server_open(&options, &ours->server, NULL) == GK_OK);
    must("listening", gk_rpc_server_listen(ours->server, "tcp://127.0.0.1:0", NULL, NULL) == GK_OK);
    const struct gk_rpc_client_options client = {.url = gk_rpc_server_url(ours->server, 0),
                                                 .token =
                                                     "gk_box_0123456789012345678901234567890123456789012"};

    must("the client", gk_rpc_client_open(&client, &ours->client, NULL) == GK_OK);
    must("the thread", pthread_create(&ours->thread, NULL, run_loop, ours) == 0);
    (void)snprintf(ours->deposit.deposit_id, sizeof ours->deposit.deposit_id, "d-1");
    ours->deposit.frames_count = 1;
    ours->deposit.frames[0].picture = (struct gk_bytes){picture, PICTURE_BYTES};
}

static void stop_ours(struct ours *ours)
{
    gk_rpc_client_close(ours->client);
    (void)uv_async_send(&ours->stop);
    (void)pthread_join(ours->thread, NULL);
    (void)uv_loop_close(&ours->loop);
}

static uint64_t check_health(void *context, int64_t ends_ns)
{
    struct ours *ours = context;
    const guika_v1_HealthCheckRequest request = {0};
    guika_v1_HealthCheckResponse response;
    uint64_t count = 0;

    for (; gk_bench_now_ns() < ends_ns; count++) {
        must("Health.Check", guika_v1_health_check(ours->client, NULL, &request, &response, NULL) == GK_OK);
    }
    return count;
}

static uint64_t deposit(void *context, int64_t ends_ns)
{
    struct ours *ours = context;
    guika_v1_DepositResponse response;
    uint64_t count = 0;

    for (; gk_bench_now_ns() < ends_ns; count++) {
        must("Deposit", guika_v1_box_service_deposit(ours->client, NULL, &ours->deposit, &response, NULL) ==
                            GK_INVALID_ARGUMENT);
    }
    return count;
}

/* --- bare NNG
 * -------------------------------------------------------------------------------------------------------------
 */

static void *answer_all(void *context)
{
    const struct bare *bare = context;
    nng_msg *message;

    while (nng_recvmsg(bare->server, &message, 0) == 0) {
        (void)nng_msg_chop(message, nng_msg_len(message) - SMALL_ANSWER_BYTES);
        if (nng_sendmsg(bare->server, message, 0) != 0) {
            nng_msg_free(message);
        }
    }
    return NULL;
}

static void start_bare(struct bare *bare, size_t request_bytes)
{
    nng_listener listener;
    int port = 0;
    char url[64];

    bare->request_bytes = request_bytes;
    bare->request = calloc(1, request_bytes);
    must("bare sockets", nng_rep0_open(&bare->server) == 0 && nng_req0_open(&bare->client) == 0);
    must("bare listening", nng_listen(bare->server, "tcp://127.0.0.1:0", &listener, 0) == 0);
    must("bare port", nng_listener_get_int(listener, NNG_OPT_TCP_BOUND_PORT, &port) == 0);
    (void)snprintf(url, sizeof url, "tcp://127.0.0.1:%d", port);
    must("bare dialling", nng_dial(bare->client, url, NULL, 0) == 0);
    must("the thread", pthread_create(&bare->thread, NULL, answer_all, bare) == 0);
}

static void stop_bare(struct bare *bare)
{
    (void)nng_close(bare->client);
    (void)nng_close(bare->server);
    (void)pthread_join(bare->thread, NULL);
    free(bare->request);
}

static uint64_t exchange(void *context, int64_t ends_ns)
{
    const struct bare *bare = context;
    uint64_t count = 0;

    for (; gk_bench_now_ns() < ends_ns; count++) {
        nng_msg *message;

        must("a message", nng_msg_alloc(&message, bare->request_bytes) == 0);
        memcpy(nng_msg_body(message), bare->request, bare->request_bytes);
        must("sending", nng_sendmsg(bare->client, message, 0) == 0);
        must("receiving", nng_recvmsg(bare->client, &message, 0) == 0);
        nng_msg_free(message);
    }
    return count;
}

int main(void)
{
    struct ours ours;
    struct bare small;
    struct bare large;
    uint8_t *picture = calloc(1, PICTURE_BYTES);

    memset(&ours, 0, sizeof ours);
    start_ours(&ours, picture);
    start_bare(&small, HEADER_BYTES);
    start_bare(&large, PICTURE_BYTES + HEADER_BYTES);
    gk_bench_compare("Health.Check", ROUND_MS, check_health, &ours, exchange, &small);
    gk_bench_compare("Deposit, 200 KB, refused", ROUND_MS, deposit, &ours, exchange, &large);
    stop_bare(&small);
    stop_bare(&large);
    stop_ours(&ours);
    free(picture);
    return 0;
}

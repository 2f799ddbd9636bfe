/* One service on all transports at once, and what each of them refuses. */
#include "guika/v1/health.rpc.h"
#include "tests/flow/service.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { TRANSPORTS = 5, REFUSED_MS = 1500, WAIT_MS = 20000 };

struct world {
    struct gk_test_service service;
    struct gk_test_service stranger; /* of whom the certificate alone is used */
    char urls[TRANSPORTS][96];
    char box[GK_TEST_TOKEN_SIZE];
    char ca_file[96];
    char stranger_ca_file[96];
    struct gk_test_picture picture;
};

static void choose_urls(struct world *world)
{
    (void)snprintf(world->urls[0], sizeof world->urls[0], "%s", world->service.url);
    (void)snprintf(world->urls[1], sizeof world->urls[1], "tls+tcp://127.0.0.1:%u", gk_test_free_port());
    (void)snprintf(world->urls[2], sizeof world->urls[2], "ws://127.0.0.1:%u/rpc", gk_test_free_port());
    (void)snprintf(world->urls[3], sizeof world->urls[3], "wss://127.0.0.1:%u/rpc", gk_test_free_port());
    (void)snprintf(world->urls[4], sizeof world->urls[4], "ipc://%s/rpc.sock", world->service.directory);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    char number[40];

    gk_test_service_make(&world->service, 2);
    gk_test_service_make(&world->stranger, 1);
    choose_urls(world);
    gk_test_service_configure(&world->service,
                              "listen = {\"%s\", \"%s\", \"%s\", \"%s\", \"%s\"}\nreaders { count = 2 }\n",
                              world->urls[0], world->urls[1], world->urls[2], world->urls[3], world->urls[4]);
    gk_test_service_start(&world->service);
    gk_test_add_box(&world->service, "box-1", world->box);
    (void)snprintf(world->ca_file, sizeof world->ca_file, "%s/service/tls.crt", world->service.directory);
    (void)snprintf(world->stranger_ca_file, sizeof world->stranger_ca_file, "%s/service/tls.crt",
                   world->stranger.directory);
    world->picture = gk_test_mint_card(7, number);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    gk_test_service_remove(&world->service);
    gk_test_service_remove(&world->stranger);
    free(world->picture.data);
    free(world);
    return 0;
}

static enum gk_status open_client(const struct world *world, unsigned transport, const char *ca_file,
                                  const char *server_name, struct gk_rpc_client **ret_client)
{
    const bool tls =
        strncmp(world->urls[transport], "tls", 3) == 0 || strncmp(world->urls[transport], "wss", 3) == 0;
    const struct gk_rpc_client_options options = {.url = world->urls[transport],
                                                  .token = world->box,
                                                  .ca_file = tls ? ca_file : NULL,
                                                  .server_name = tls ? server_name : NULL};

    return gk_rpc_client_open(&options, ret_client, NULL);
}

static enum gk_status check_health(struct gk_rpc_client *client, uint32_t deadline_ms)
{
    const struct gk_rpc_call_options options = {.deadline_ms = deadline_ms};
    const guika_v1_HealthCheckRequest request = {0};
    guika_v1_HealthCheckResponse response = {0};
    const enum gk_status status = guika_v1_health_check(client, &options, &request, &response, NULL);

    if (status == GK_OK) {
        assert_int_equal(response.serving, guika_v1_HealthCheckResponse_Serving_SERVING);
    }
    return status;
}

struct caller {
    pthread_t thread;
    const struct world *world;
    unsigned transport;
    enum gk_status health;
    enum gk_status deposit;
    guika_v1_DepositResponse response;
};

static void *call(void *context)
{
    struct caller *caller = context;
    struct gk_rpc_client *client;
    char id[24];

    caller->health =
        open_client(caller->world, caller->transport, caller->world->ca_file, "localhost", &client);
    if (caller->health == GK_OK) {
        (void)snprintf(id, sizeof id, "over-%u", caller->transport);
        caller->health = check_health(client, WAIT_MS);
        caller->deposit = gk_test_deposit(client, id, &caller->world->picture, &caller->response, NULL);
        gk_rpc_client_close(client);
    }
    return NULL;
}

static void test_all_transports_serve_at_once(void **state)
{
    const struct world *world = *state;
    struct caller callers[TRANSPORTS] = {0};
    size_t count;

    for (unsigned i = 0; i < TRANSPORTS; i++) {
        callers[i].world = world;
        callers[i].transport = i;
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call, &callers[i]), 0);
    }
    for (unsigned i = 0; i < TRANSPORTS; i++) {
        (void)pthread_join(callers[i].thread, NULL);
        if (callers[i].health != GK_OK || callers[i].deposit != GK_OK) {
            fail_msg("%s: health %d, deposit %d", world->urls[i], callers[i].health, callers[i].deposit);
        }
        assert_int_equal(callers[i].response.decision, guika_v1_DepositResponse_Decision_KEEP);
    }
    guika_v1_FoundCardRow *rows = gk_test_found(&world->service, &count);

    assert_int_equal(count, TRANSPORTS);
    free(rows);
}

static void assert_cannot_talk(const struct world *world, unsigned transport, const char *ca_file,
                               const char *server_name)
{
    struct gk_rpc_client *client;

    assert_int_equal(open_client(world, transport, ca_file, server_name, &client), GK_OK);
    const enum gk_status status = check_health(client, REFUSED_MS);

    assert_true(status == GK_UNAVAILABLE || status == GK_DEADLINE_EXCEEDED);
    gk_rpc_client_close(client);
}

static void test_tls_refuses_strangers_and_other_names(void **state)
{
    const struct world *world = *state;

    for (unsigned transport = 1; transport <= 3; transport += 2) {
        struct gk_rpc_client *client = NULL;

        assert_cannot_talk(world, transport, world->stranger_ca_file, "localhost");
        assert_cannot_talk(world, transport, world->ca_file, "other.example");
        assert_int_equal(open_client(world, transport, world->ca_file, NULL, &client), GK_INVALID_ARGUMENT);
        assert_int_equal(open_client(world, transport, NULL, "localhost", &client), GK_INVALID_ARGUMENT);
        assert_null(client);
    }
    struct gk_rpc_client *client;

    assert_int_equal(open_client(world, 1, world->ca_file, "localhost", &client), GK_OK);
    assert_int_equal(check_health(client, WAIT_MS), GK_OK);
    gk_rpc_client_close(client);
}

/* A client that speaks plain to the TLS port harms nobody. */
static void test_plain_client_at_the_tls_port_gets_nothing(void **state)
{
    const struct world *world = *state;
    char url[96];
    const struct gk_rpc_client_options options = {.url = url};
    struct gk_rpc_client *client;

    (void)snprintf(url, sizeof url, "%s", strstr(world->urls[1], "tcp://"));
    assert_int_equal(gk_rpc_client_open(&options, &client, NULL), GK_OK);
    assert_int_not_equal(check_health(client, REFUSED_MS), GK_OK);
    gk_rpc_client_close(client);
    assert_int_equal(open_client(world, 0, NULL, NULL, &client), GK_OK);
    assert_int_equal(check_health(client, WAIT_MS), GK_OK);
    gk_rpc_client_close(client);
}

static int start_with(const struct gk_test_service *service, const char *listen, const char *plain_remote,
                      unsigned wait_ms)
{
    char path[96];
    const char *arguments[] = {GK_TEST_PROGRAM("guikad"), "--config", path, NULL};

    (void)snprintf(path, sizeof path, "%s/service/guikad.conf", service->directory);
    gk_test_service_configure(service, "listen = {\"%s\"}\nplain_remote = %s\nreaders { count = 1 }\n",
                              listen, plain_remote);
    const pid_t id = gk_test_spawn(service->log, arguments);
    const int status = gk_test_wait(id, wait_ms);

    if (status == -1) {
        assert_int_equal(kill(id, SIGTERM), 0);
        assert_int_equal(gk_test_wait(id, WAIT_MS), 0);
    }
    return status;
}

static void test_plain_transports_stay_on_loopback_unless_told_otherwise(void **state)
{
    const struct world *world = *state;
    char listen[64];
    char name[PATH_MAX];

    (void)snprintf(listen, sizeof listen, "tcp://0.0.0.0:%u", gk_test_free_port());
    assert_int_equal(start_with(&world->stranger, listen, "false", WAIT_MS), 1);
    assert_int_equal(gk_test_files_with(world->stranger.log, "loopback", 8, name), 1);
    assert_int_equal(start_with(&world->stranger, listen, "true", 2000), -1);
    (void)snprintf(listen, sizeof listen, "ws://0.0.0.0:%u/rpc", gk_test_free_port());
    assert_int_equal(start_with(&world->stranger, listen, "false", WAIT_MS), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_transports_serve_at_once),
        cmocka_unit_test(test_tls_refuses_strangers_and_other_names),
        cmocka_unit_test(test_plain_client_at_the_tls_port_gets_nothing),
        cmocka_unit_test(test_plain_transports_stay_on_loopback_unless_told_otherwise),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* What happens when the server has all it can hold, when clients misbehave, and when it closes. */
#include "guika/v1/health.rpc.h"
#include "raw.h"
#include "rig.h"
#include "rpc/message.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { CALLERS_MAX = 16 };

/* Callers that send one call each and wait for it behind the test's back. */
struct callers {
    nng_socket sockets[CALLERS_MAX];
    nng_aio *answers[CALLERS_MAX];
    size_t count;
};

static void add_callers(struct callers *callers, const char *url, const char *method, size_t count)
{
    guika_v1_RequestHeader header = {0};

    strncpy(header.method, method, sizeof header.method - 1);
    for (size_t i = 0; i < count; i++) {
        nng_socket socket = raw_open(url);

        raw_call(socket, &header, (struct gk_bytes){NULL, 0});
        callers->sockets[callers->count] = socket;
        assert_int_equal(nng_aio_alloc(&callers->answers[callers->count], NULL, NULL), 0);
        nng_aio_set_timeout(callers->answers[callers->count], 10000);
        nng_recv_aio(socket, callers->answers[callers->count]);
        callers->count++;
    }
}

static void forget_callers(struct callers *callers)
{
    for (size_t i = 0; i < callers->count; i++) {
        nng_close(callers->sockets[i]);
        nng_aio_free(callers->answers[i]);
    }
    callers->count = 0;
}

static void expect_answers(struct callers *callers, enum gk_status status)
{
    for (size_t i = 0; i < callers->count; i++) {
        nng_aio_wait(callers->answers[i]);
        assert_int_equal(nng_aio_result(callers->answers[i]), 0);
        assert_int_equal(raw_read(nng_aio_get_msg(callers->answers[i])).status, status);
    }
    forget_callers(callers);
}

static void expect_health(struct gk_rpc_client *client)
{
    const guika_v1_HealthCheckRequest request = {0};
    guika_v1_HealthCheckResponse response = {0};
    struct gk_error error;

    if (guika_v1_health_check(client, NULL, &request, &response, &error) != GK_OK) {
        fail_msg("%s", error.message);
    }
}

static void test_full_queue_refuses_with_a_hint(void **state)
{
    const struct gk_rpc_server_options options = {.loop_queue = 3};
    struct callers callers = {0};
    struct gk_error error;
    struct rig rig;

    (void)state;
    rig_start(&rig, &options);
    const char *url = rig_listen(&rig, "tcp://127.0.0.1:0", NULL);
    struct gk_rpc_client *client = rig_client(url, RIG_BOX_TOKEN);

    rig_block(&rig);
    add_callers(&callers, url, "guika.test.EchoService/Hold", 3);
    uv_sleep(200);
    assert_int_equal(rig_call(client, &guika_test_echo_service_echo_method, 2000, &error),
                     GK_RESOURCE_EXHAUSTED);
    assert_true(gk_rpc_client_retry_after_ms(client) > 0);
    expect_health(client);
    rig_unblock(&rig);
    assert_true(rig_wait(&rig.begun, 3));
    assert_int_equal(rig_call(client, &guika_test_echo_service_echo_method, 0, &error), GK_OK);
    rig_release(&rig);
    expect_answers(&callers, GK_OK);
    gk_rpc_client_close(client);
    rig_stop(&rig);
}

static void test_long_polls_are_capped(void **state)
{
    const struct gk_rpc_server_options options = {.contexts = 10, .spare_contexts = 2, .long_polls = 4};
    struct callers callers = {0};
    struct gk_error error;
    struct rig rig;

    (void)state;
    rig_start(&rig, &options);
    const char *url = rig_listen(&rig, "tcp://127.0.0.1:0", NULL);
    struct gk_rpc_client *client = rig_client(url, RIG_BOX_TOKEN);

    add_callers(&callers, url, "guika.test.EchoService/Wait", 4);
    assert_true(rig_wait(&rig.begun, 4));
    assert_int_equal(rig_call(client, &guika_test_echo_service_wait_method, 2000, &error),
                     GK_RESOURCE_EXHAUSTED);
    assert_true(gk_rpc_client_retry_after_ms(client) > 0);
    assert_int_equal(rig_call(client, &guika_test_echo_service_echo_method, 2000, &error), GK_OK);
    rig_release(&rig);
    expect_answers(&callers, GK_OK);
    add_callers(&callers, url, "guika.test.EchoService/Wait", 4);
    assert_true(rig_wait(&rig.begun, 8));
    rig_release(&rig);
    expect_answers(&callers, GK_OK);
    gk_rpc_client_close(client);
    rig_stop(&rig);
}

static void test_spare_contexts_answer_when_all_others_are_held(void **state)
{
    const struct gk_rpc_server_options options = {.contexts = 8, .spare_contexts = 2, .long_polls = 8};
    struct callers callers = {0};
    struct gk_error error;
    struct rig rig;

    (void)state;
    rig_start(&rig, &options);
    const char *url = rig_listen(&rig, "tcp://127.0.0.1:0", NULL);
    struct gk_rpc_client *client = rig_client(url, RIG_BOX_TOKEN);

    add_callers(&callers, url, "guika.test.EchoService/Wait", 6);
    assert_true(rig_wait(&rig.begun, 6));
    for (int i = 0; i < 20; i++) {
        assert_int_equal(rig_call(client, &guika_test_echo_service_echo_method, 2000, &error),
                         GK_RESOURCE_EXHAUSTED);
        assert_true(gk_rpc_client_retry_after_ms(client) > 0);
        expect_health(client);
    }
    rig_release(&rig);
    expect_answers(&callers, GK_OK);
    assert_int_equal(rig_call(client, &guika_test_echo_service_echo_method, 2000, &error), GK_OK);
    gk_rpc_client_close(client);
    rig_stop(&rig);
}

/* A handler that never answers must not let its callers come back for ever more. */
static void test_ended_calls_count_until_their_handler_answers(void **state)
{
    const struct gk_rpc_server_options options = {.contexts = 4, .spare_contexts = 2};
    struct gk_error error;
    struct rig rig;

    (void)state;
    rig_start(&rig, &options);
    struct gk_rpc_client *client = rig_client(rig_listen(&rig, "tcp://127.0.0.1:0", NULL), RIG_BOX_TOKEN);

    for (int i = 0; i < 2; i++) {
        assert_int_equal(rig_call(client, &guika_test_echo_service_hold_method, 200, &error),
                         GK_DEADLINE_EXCEEDED);
        uv_sleep(100); /* the context that answered is back by then */
    }
    assert_int_equal(rig_call(client, &guika_test_echo_service_echo_method, 2000, &error),
                     GK_RESOURCE_EXHAUSTED);
    rig_release(&rig);
    assert_int_equal(rig_call(client, &guika_test_echo_service_echo_method, 2000, &error), GK_OK);
    gk_rpc_client_close(client);
    rig_stop(&rig);
}

/* What a client does that takes the server's word: refused with a hint, it comes again when the hint says. */
static int refusals_before_an_answer(struct gk_rpc_client *client)
{
    struct gk_error error;
    enum gk_status status;
    int refused = 0;

    while ((status = rig_call(client, &guika_test_echo_service_echo_method, 3000, &error)) ==
               GK_RESOURCE_EXHAUSTED &&
           refused < 10) {
        assert_true(gk_rpc_client_retry_after_ms(client) > 0);
        uv_sleep(gk_rpc_client_retry_after_ms(client));
        refused++;
    }
    assert_int_equal(status, GK_OK);
    return refused;
}

/*
 * One that asks for much and reads nothing: it is dropped once an answer to it has waited for the send
 * timeout. While it holds every context that calls may have, others are told to come back, and are served
 * when they do.
 */
static void test_client_that_does_not_read_blocks_nobody(void **state)
{
    enum { SIZE = 500000, REQUESTS_MAX = 400 };
    const struct gk_rpc_server_options options = {.send_timeout_ms = 400};
    const guika_v1_RequestHeader header = {.method = "guika.test.EchoService/EchoNow"};
    /* Field 2, a picture of the rest of the payload: 499996 bytes as a varint. */
    static const uint8_t head[] = {0x12, 0x9c, 0xc2, 0x1e};
    uint8_t *payload = calloc(1, SIZE);
    struct rig rig;
    int sent = 0;
    int refused = 0;

    (void)state;
    rig_start(&rig, &options);
    const char *url = rig_listen(&rig, "tcp://127.0.0.1:0", NULL);
    struct gk_rpc_client *client = rig_client(url, RIG_BOX_TOKEN);
    const int fd = raw_connect(url);

    memcpy(payload, head, sizeof head);
    while (sent < REQUESTS_MAX && raw_write(fd, &header, (struct gk_bytes){payload, SIZE})) {
        sent++;
    }
    assert_true(sent < REQUESTS_MAX);
    for (int i = 0; i < 20; i++) {
        refused += refusals_before_an_answer(client);
    }
    /* Twice the send timeout, by a hint of half a second. */
    assert_in_range(refused, 0, 2);
    close(fd);
    free(payload);
    gk_rpc_client_close(client);
    rig_stop(&rig);
}

static void test_message_over_the_transport_limit_breaks_only_its_connection(void **state)
{
    const struct gk_rpc_server_options options = {.max_message_bytes = 2 << 20};
    struct gk_rpc_method method = guika_test_echo_service_echo_method;
    const size_t size = 3 << 20;
    uint8_t *picture = calloc(1, size);
    const guika_test_EchoRequest request = {.picture = {picture, size}};
    guika_test_EchoResponse response = {0};
    const struct gk_rpc_call_options patience = {.deadline_ms = 2000};
    struct gk_error error;
    struct rig rig;

    (void)state;
    rig_start(&rig, &options);
    const char *url = rig_listen(&rig, "tcp://127.0.0.1:0", NULL);
    struct gk_rpc_client *client = rig_client(url, RIG_BOX_TOKEN);
    struct gk_rpc_client *other = rig_client(url, RIG_BOX_TOKEN);

    method.max_request_bytes = UINT32_MAX;
    assert_int_equal(gk_rpc_client_call(client, &method, &patience, &request, &response, &error),
                     GK_UNAVAILABLE);
    assert_int_equal(rig_call(other, &guika_test_echo_service_echo_method, 2000, &error), GK_OK);
    assert_int_equal(rig_call(client, &guika_test_echo_service_echo_method, 5000, &error), GK_OK);
    free(picture);
    gk_rpc_client_close(client);
    gk_rpc_client_close(other);
    rig_stop(&rig);
}

static void test_limits_that_contradict_each_other_are_refused(void **state)
{
    uv_loop_t loop;
    struct gk_rpc_server *server = NULL;
    struct gk_rpc_server_options options = {.loop = &loop, .contexts = 4, .spare_contexts = 4};
    struct gk_error error;

    (void)state;
    uv_loop_init(&loop);
    assert_int_equal(gk_rpc_server_open(&options, &server, &error), GK_INVALID_ARGUMENT);
    options = (struct gk_rpc_server_options){.loop = &loop, .max_message_bytes = 300};
    assert_int_equal(gk_rpc_server_open(&options, &server, &error), GK_INVALID_ARGUMENT);
    assert_null(server);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_close_answers_calls_in_hand(void **state)
{
    struct callers callers = {0};
    struct rig rig;

    (void)state;
    rig_start(&rig, NULL);
    const char *url = rig_listen(&rig, "tcp://127.0.0.1:0", NULL);

    add_callers(&callers, url, "guika.test.EchoService/Hold", 3);
    add_callers(&callers, url, "guika.test.EchoService/Wait", 3);
    assert_true(rig_wait(&rig.begun, 6));
    rig_close_server(&rig);
    assert_int_equal(atomic_load(&rig.ended), 6);
    expect_answers(&callers, GK_UNAVAILABLE);
    /* Their handlers still hold them; they answer after the server is gone. */
    rig_release(&rig);
    rig_stop(&rig);
}

static void test_close_while_callers_keep_calling(void **state)
{
    struct callers callers = {0};
    struct rig rig;

    (void)state;
    rig_start(&rig, NULL);
    const char *url = rig_listen(&rig, "tcp://127.0.0.1:0", NULL);

    for (int i = 0; i < 4; i++) {
        add_callers(&callers, url, "guika.test.EchoService/EchoNow", 3);
    }
    rig_close_server(&rig);
    for (size_t i = 0; i < callers.count; i++) {
        nng_aio_wait(callers.answers[i]);
        if (nng_aio_result(callers.answers[i]) == 0) {
            nng_msg_free(nng_aio_get_msg(callers.answers[i]));
        }
    }
    forget_callers(&callers);
    rig_stop(&rig);
}

static void test_client_finds_a_server_that_came_back(void **state)
{
    struct gk_error error;
    struct rig rig;
    struct rig again;
    char url[64];

    (void)state;
    rig_start(&rig, NULL);
    (void)snprintf(url, sizeof url, "%s", rig_listen(&rig, "tcp://127.0.0.1:0", NULL));
    struct gk_rpc_client *client = rig_client(url, RIG_BOX_TOKEN);

    assert_int_equal(rig_call(client, &guika_test_echo_service_echo_method, 2000, &error), GK_OK);
    rig_stop(&rig);
    assert_int_equal(rig_call(client, &guika_test_echo_service_echo_method, 300, &error), GK_UNAVAILABLE);
    rig_start(&again, NULL);
    rig_listen(&again, url, NULL);
    assert_int_equal(rig_call(client, &guika_test_echo_service_echo_method, 5000, &error), GK_OK);
    gk_rpc_client_close(client);
    rig_stop(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_queue_refuses_with_a_hint),
        cmocka_unit_test(test_long_polls_are_capped),
        cmocka_unit_test(test_spare_contexts_answer_when_all_others_are_held),
        cmocka_unit_test(test_ended_calls_count_until_their_handler_answers),
        cmocka_unit_test(test_client_that_does_not_read_blocks_nobody),
        cmocka_unit_test(test_message_over_the_transport_limit_breaks_only_its_connection),
        cmocka_unit_test(test_limits_that_contradict_each_other_are_refused),
        cmocka_unit_test(test_close_answers_calls_in_hand),
        cmocka_unit_test(test_close_while_callers_keep_calling),
        cmocka_unit_test(test_client_finds_a_server_that_came_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

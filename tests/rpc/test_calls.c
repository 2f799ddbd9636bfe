/* Each check between a message and its handler, over real sockets. */
#include "guika/v1/health.rpc.h"
#include "guika/v1/reflection.rpc.h"
#include "raw.h"
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A server with one TCP listener and one client that holds the box's token. */
struct fixture {
    struct rig rig;
    const char *url;
    struct gk_rpc_client *client;
    struct gk_error error;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    rig_start(&fixture->rig, NULL);
    fixture->url = rig_listen(&fixture->rig, "tcp://127.0.0.1:0", NULL);
    fixture->client = rig_client(fixture->url, RIG_BOX_TOKEN);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    gk_rpc_client_close(fixture->client);
    rig_stop(&fixture->rig);
    free(fixture);
    return 0;
}

static void expect(struct fixture *fixture, const struct gk_rpc_method *method, enum gk_status status)
{
    assert_int_equal(rig_call(fixture->client, method, 0, &fixture->error), status);
}

static void test_unknown_method_is_unimplemented(void **state)
{
    struct fixture *fixture = *state;
    struct gk_rpc_method method = guika_test_echo_service_echo_method;

    method.name = "guika.test.EchoService/Nothing";
    expect(fixture, &method, GK_UNIMPLEMENTED);
    assert_non_null(strstr(fixture->error.message, "guika.test.EchoService/Nothing"));
}

static void test_method_without_handler_is_unimplemented(void **state)
{
    expect(*state, &guika_test_echo_service_missing_method, GK_UNIMPLEMENTED);
}

static void expect_with_token(struct fixture *fixture, const char *token, enum gk_status status)
{
    gk_rpc_client_close(fixture->client);
    fixture->client = rig_client(fixture->url, token);
    expect(fixture, &guika_test_echo_service_echo_method, status);
}

static void test_bad_and_missing_tokens_are_unauthenticated(void **state)
{
    expect_with_token(*state, "guessed", GK_UNAUTHENTICATED);
    expect_with_token(*state, NULL, GK_UNAUTHENTICATED);
    expect_with_token(*state, RIG_BOX_TOKEN, GK_OK);
}

static void test_wrong_role_is_denied(void **state)
{
    expect_with_token(*state, RIG_READER_TOKEN, GK_PERMISSION_DENIED);
}

/* The server's limit, seen by a client that does not know it. */
static void test_payload_over_the_limit_is_refused_by_the_server(void **state)
{
    enum { SIZE = 1000 };
    struct fixture *fixture = *state;
    struct gk_rpc_method method = guika_test_echo_service_hold_method;
    uint8_t picture[SIZE] = {0};
    const guika_test_EchoRequest request = {.text = "big", .picture = {picture, SIZE}};
    guika_test_EchoResponse response = {0};

    method.max_request_bytes = 1 << 20;
    assert_int_equal(gk_rpc_client_call(fixture->client, &method, NULL, &request, &response, &fixture->error),
                     GK_RESOURCE_EXHAUSTED);
    assert_non_null(strstr(fixture->error.message, "128"));
    assert_int_equal(atomic_load(&fixture->rig.begun), 0);
    expect(fixture, &guika_test_echo_service_echo_method, GK_OK);
}

static void test_payload_over_the_limit_is_not_even_sent(void **state)
{
    struct fixture *fixture = *state;
    const size_t size = guika_test_echo_service_echo_method.max_request_bytes + 1;
    uint8_t *picture = calloc(1, size);
    const guika_test_EchoRequest request = {.picture = {picture, size}};
    guika_test_EchoResponse response = {0};

    assert_int_equal(
        guika_test_echo_service_echo(fixture->client, NULL, &request, &response, &fixture->error),
        GK_RESOURCE_EXHAUSTED);
    assert_non_null(strstr(fixture->error.message, "1048576"));
    free(picture);
    expect(fixture, &guika_test_echo_service_echo_method, GK_OK);
}

static void test_malformed_header_is_an_invalid_argument(void **state)
{
    struct fixture *fixture = *state;
    static const uint8_t messages[][6] = {
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {0x7f, 0x0a, 0x01, 'x'}, {0x03, 0x0a, 0x7f, 'x'}};
    nng_socket socket = raw_open(fixture->url);

    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        raw_send(socket, messages[i], sizeof messages[i]);
        assert_int_equal(raw_answer(socket).status, GK_INVALID_ARGUMENT);
    }
    raw_send(socket, "", 0);
    assert_int_equal(raw_answer(socket).status, GK_INVALID_ARGUMENT);
    nng_close(socket);
    expect(fixture, &guika_test_echo_service_echo_method, GK_OK);
}

static void test_control_characters_in_the_header_are_refused(void **state)
{
    struct fixture *fixture = *state;
    const guika_v1_RequestHeader header = {.method = "guika.v1.Health/Check", .request_id = "a\nb"};
    nng_socket socket = raw_open(fixture->url);

    raw_call(socket, &header, (struct gk_bytes){NULL, 0});
    assert_int_equal(raw_answer(socket).status, GK_INVALID_ARGUMENT);
    nng_close(socket);
}

static void test_malformed_payload_is_an_invalid_argument(void **state)
{
    struct fixture *fixture = *state;
    static const uint8_t payload[] = {0x0a, 0x7f, 'x'};
    const guika_v1_RequestHeader header = {.method = "guika.test.EchoService/Wait"};
    nng_socket socket = raw_open(fixture->url);

    /* Often enough that a long poll that is not given back would exhaust them. */
    for (int i = 0; i < 100; i++) {
        raw_call(socket, &header, (struct gk_bytes){payload, sizeof payload});
        assert_int_equal(raw_answer(socket).status, GK_INVALID_ARGUMENT);
    }
    nng_close(socket);
    assert_int_equal(atomic_load(&fixture->rig.begun), 0);
}

static void test_request_id_comes_back_or_is_made(void **state)
{
    struct fixture *fixture = *state;
    guika_v1_RequestHeader header = {.method = "guika.v1.Health/Check", .request_id = "my-id"};
    nng_socket socket = raw_open(fixture->url);

    raw_call(socket, &header, (struct gk_bytes){NULL, 0});
    assert_string_equal(raw_answer(socket).request_id, "my-id");
    header.request_id[0] = '\0';
    raw_call(socket, &header, (struct gk_bytes){NULL, 0});
    assert_int_equal(strlen(raw_answer(socket).request_id), 16);
    nng_close(socket);
}

static void test_slow_handler_is_answered_for(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(rig_call(fixture->client, &guika_test_echo_service_hold_method, 1000, &fixture->error),
                     GK_DEADLINE_EXCEEDED);
    assert_string_equal(fixture->error.message, "the deadline passed");
    assert_true(rig_wait(&fixture->rig.ended, 1));
    /* The handler's own answer goes nowhere, and the next call gets its own. */
    rig_release(&fixture->rig);
    expect(fixture, &guika_test_echo_service_echo_method, GK_OK);
}

static void test_deadline_that_passed_in_the_queue_spares_the_handler(void **state)
{
    struct fixture *fixture = *state;
    const guika_v1_RequestHeader header = {.method = "guika.test.EchoService/Hold", .deadline_ms = 20};
    nng_socket socket = raw_open(fixture->url);

    rig_block(&fixture->rig);
    raw_call(socket, &header, (struct gk_bytes){NULL, 0});
    uv_sleep(100);
    rig_unblock(&fixture->rig);
    const guika_v1_ResponseHeader answer = raw_answer(socket);

    assert_int_equal(answer.status, GK_DEADLINE_EXCEEDED);
    assert_int_equal(atomic_load(&fixture->rig.begun), 0);
    nng_close(socket);
}

static void test_client_gives_up_at_its_deadline(void **state)
{
    struct fixture *fixture = *state;
    const uint64_t start_ms = uv_hrtime() / 1000000;

    rig_block(&fixture->rig);
    assert_int_equal(rig_call(fixture->client, &guika_test_echo_service_echo_method, 100, &fixture->error),
                     GK_DEADLINE_EXCEEDED);
    const uint64_t took_ms = uv_hrtime() / 1000000 - start_ms;

    rig_unblock(&fixture->rig);
    assert_in_range(took_ms, 90, 2000);
    expect(fixture, &guika_test_echo_service_echo_method, GK_OK);
}

static void test_no_server_is_unavailable(void **state)
{
    struct fixture *fixture = *state;

    gk_rpc_client_close(fixture->client);
    fixture->client = rig_client("tcp://127.0.0.1:1", RIG_BOX_TOKEN);
    assert_int_equal(rig_call(fixture->client, &guika_test_echo_service_echo_method, 200, &fixture->error),
                     GK_UNAVAILABLE);
}

static void stop_serving(struct rig *rig, void *argument)
{
    (void)argument;
    gk_rpc_server_set_serving(rig->server, false);
}

static guika_v1_HealthCheckResponse_Serving health(struct fixture *fixture)
{
    const guika_v1_HealthCheckRequest request = {0};
    guika_v1_HealthCheckResponse response = {0};

    assert_int_equal(guika_v1_health_check(fixture->client, NULL, &request, &response, &fixture->error),
                     GK_OK);
    assert_string_equal(response.version, GUIKA_VERSION);
    return response.serving;
}

static void test_health_says_whether_it_serves(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(health(fixture), guika_v1_HealthCheckResponse_Serving_SERVING);
    rig_run(&fixture->rig, stop_serving, NULL);
    assert_int_equal(health(fixture), guika_v1_HealthCheckResponse_Serving_NOT_SERVING);
    expect(fixture, &guika_test_echo_service_echo_method, GK_UNAVAILABLE);
}

static bool contains(struct gk_bytes bytes, const char *text)
{
    return memmem(bytes.data, bytes.size, text, strlen(text)) != NULL;
}

static void test_reflection_shows_the_public_schemas(void **state)
{
    struct fixture *fixture = *state;
    const guika_v1_GetDescriptorsRequest request = {0};
    guika_v1_GetDescriptorsResponse response = {0};

    assert_int_equal(
        guika_v1_reflection_get_descriptors(fixture->client, NULL, &request, &response, &fixture->error),
        GK_OK);
    assert_true(contains(response.file_descriptor_set, "BoxService"));
    assert_true(contains(response.file_descriptor_set, "google/protobuf/descriptor.proto"));
    assert_false(contains(response.file_descriptor_set, "ReaderService"));
}

static void test_one_address_has_one_client_key(void **state)
{
    struct fixture *fixture = *state;

    expect(fixture, &guika_test_echo_service_echo_method, GK_OK);
    const unsigned long long first = atomic_load(&fixture->rig.last_client_key);

    expect_with_token(fixture, RIG_BOX_TOKEN, GK_OK);
    assert_int_equal(atomic_load(&fixture->rig.last_client_key), first);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_unknown_method_is_unimplemented),
        TEST(test_method_without_handler_is_unimplemented),
        TEST(test_bad_and_missing_tokens_are_unauthenticated),
        TEST(test_wrong_role_is_denied),
        TEST(test_payload_over_the_limit_is_refused_by_the_server),
        TEST(test_payload_over_the_limit_is_not_even_sent),
        TEST(test_malformed_header_is_an_invalid_argument),
        TEST(test_control_characters_in_the_header_are_refused),
        TEST(test_malformed_payload_is_an_invalid_argument),
        TEST(test_request_id_comes_back_or_is_made),
        TEST(test_slow_handler_is_answered_for),
        TEST(test_deadline_that_passed_in_the_queue_spares_the_handler),
        TEST(test_client_gives_up_at_its_deadline),
        TEST(test_no_server_is_unavailable),
        TEST(test_health_says_whether_it_serves),
        TEST(test_reflection_shows_the_public_schemas),
        TEST(test_one_address_has_one_client_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

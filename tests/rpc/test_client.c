/* What the client refuses by itself; linked with the client's library alone. */
#include "guika/v1/health.rpc.h"
#include "rpc/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_tls_without_server_name_is_refused(void **state)
{
    const char *const urls[] = {"tls+tcp://127.0.0.1:1", "wss://127.0.0.1:1/rpc"};
    struct gk_rpc_client *client = NULL;
    struct gk_error error;

    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct gk_rpc_client_options options = {.url = urls[i], .ca_file = "ca.pem"};

        assert_int_equal(gk_rpc_client_open(&options, &client, &error), GK_INVALID_ARGUMENT);
        options = (struct gk_rpc_client_options){.url = urls[i], .server_name = "localhost"};
        assert_int_equal(gk_rpc_client_open(&options, &client, &error), GK_INVALID_ARGUMENT);
    }
    assert_null(client);
}

static void test_unusable_options_are_refused(void **state)
{
    char long_token[200];
    struct gk_rpc_client *client = NULL;
    struct gk_rpc_client_options options = {.url = "carrier-pigeon://loft"};
    struct gk_error error;

    (void)state;
    assert_int_equal(gk_rpc_client_open(&options, &client, &error), GK_INVALID_ARGUMENT);
    options.url = NULL;
    assert_int_equal(gk_rpc_client_open(&options, &client, &error), GK_INVALID_ARGUMENT);
    options.url = "tls+tcp://127.0.0.1:1";
    options.server_name = "localhost";
    options.ca_file = "/nonexistent/ca.pem";
    assert_int_equal(gk_rpc_client_open(&options, &client, &error), GK_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "/nonexistent/ca.pem"));
    memset(long_token, 'x', sizeof long_token - 1);
    long_token[sizeof long_token - 1] = '\0';
    options = (struct gk_rpc_client_options){.url = "tcp://127.0.0.1:1", .token = long_token};
    assert_int_equal(gk_rpc_client_open(&options, &client, &error), GK_INVALID_ARGUMENT);
    assert_null(client);
    gk_rpc_client_close(NULL);
}

static void test_call_without_a_server_says_so_at_its_deadline(void **state)
{
    const struct gk_rpc_client_options options = {.url = "tcp://127.0.0.1:1"};
    const struct gk_rpc_call_options patience = {.deadline_ms = 100};
    const guika_v1_HealthCheckRequest request = {0};
    guika_v1_HealthCheckResponse response = {.version = "untouched"};
    struct gk_rpc_client *client = NULL;
    struct gk_error error;

    (void)state;
    assert_int_equal(gk_rpc_client_open(&options, &client, &error), GK_OK);
    assert_int_equal(guika_v1_health_check(client, &patience, &request, &response, &error), GK_UNAVAILABLE);
    assert_string_equal(response.version, "untouched");
    gk_rpc_client_close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tls_without_server_name_is_refused),
        cmocka_unit_test(test_unusable_options_are_refused),
        cmocka_unit_test(test_call_without_a_server_says_so_at_its_deadline),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* An echo over every transport, and what may not be listened on or connected to. */
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { PICTURE_SIZE = 300000 };

static void expect_echo(struct gk_rpc_client *client)
{
    uint8_t *picture = malloc(PICTURE_SIZE);
    guika_test_EchoRequest request = {.text = "hello"};
    guika_test_EchoResponse response = {0};
    struct gk_error error = {0};

    for (size_t i = 0; i < PICTURE_SIZE; i++) {
        picture[i] = (uint8_t)(i * 7);
    }
    request.picture = (struct gk_bytes){picture, PICTURE_SIZE};
    for (int i = 0; i < 3; i++) {
        if (guika_test_echo_service_echo(client, NULL, &request, &response, &error) != GK_OK) {
            fail_msg("%s: %s", gk_status_name(error.status), error.message);
        }
        assert_string_equal(response.text, "hello");
        assert_int_equal(response.picture.size, PICTURE_SIZE);
        assert_memory_equal(response.picture.data, picture, PICTURE_SIZE);
        assert_true(response.in_place);
        if (guika_test_echo_service_echo_now(client, NULL, &request, &response, &error) != GK_OK) {
            fail_msg("%s: %s", gk_status_name(error.status), error.message);
        }
        assert_memory_equal(response.picture.data, picture, PICTURE_SIZE);
    }
    free(picture);
}

static void test_echo_over_ipc(void **state)
{
    struct rig rig;
    char url[128];

    (void)state;
    rig_start(&rig, NULL);
    rig_ipc_url(&rig, url, sizeof url);
    struct gk_rpc_client *client = rig_client(rig_listen(&rig, url, NULL), RIG_BOX_TOKEN);

    expect_echo(client);
    gk_rpc_client_close(client);
    rig_stop(&rig);
}

static void test_echo_over_tcp(void **state)
{
    struct rig rig;

    (void)state;
    rig_start(&rig, NULL);
    struct gk_rpc_client *client = rig_client(rig_listen(&rig, "tcp://127.0.0.1:0", NULL), RIG_BOX_TOKEN);

    expect_echo(client);
    gk_rpc_client_close(client);
    rig_stop(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_echo_over_ipc),
        cmocka_unit_test(test_echo_over_tcp),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

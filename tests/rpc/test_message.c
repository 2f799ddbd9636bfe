/* Messages and view fields, without sockets. */
#include "guika/test/echo.rpc.h"
#include "guika/v1/box.rpc.h"
#include "rpc/message.h"
#include "rpc/router.h"

#include <pb_decode.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A Deposit with two frames; the caller's to free. */
static uint8_t *deposit_message(const uint8_t *picture, size_t picture_size, size_t *ret_size)
{
    guika_v1_RequestHeader header = {.method = "guika.v1.BoxService/Deposit", .deadline_ms = 900000};
    guika_v1_DepositRequest *request = calloc(1, sizeof *request);
    const struct gk_rpc_message message = {&guika_v1_RequestHeader_msg, &header, &guika_v1_DepositRequest_msg,
                                           request};
    size_t payload_size;

    strcpy(request->deposit_id, "d-1");
    request->frames_count = 2;
    request->frames[0].picture = (struct gk_bytes){picture, picture_size};
    request->frames[1].picture = (struct gk_bytes){picture, 3};
    request->frames[1].side = guika_v1_Side_SIDE_BACK;
    assert_true(gk_rpc_message_size(&message, ret_size, &payload_size));
    uint8_t *bytes = malloc(*ret_size);

    assert_true(gk_rpc_message_write(&message, bytes, *ret_size));
    free(request);
    return bytes;
}

static void bind_box(struct gk_rpc_router *router)
{
    static const struct guika_v1_box_service_handlers handlers = {0};
    const struct gk_rpc_binding binding = {&guika_v1_box_service, &handlers, NULL};

    *router = (struct gk_rpc_router){0};
    assert_int_equal(gk_rpc_router_add(router, &binding, 1, NULL), GK_OK);
}

static void test_pictures_are_views_into_the_message(void **state)
{
    enum { SIZE = 100000 };
    uint8_t *picture = malloc(SIZE);
    struct gk_rpc_router router;
    struct gk_rpc_incoming incoming;
    void *decoded = NULL;
    size_t size;

    (void)state;
    memset(picture, 0x5a, SIZE);
    uint8_t *bytes = deposit_message(picture, SIZE, &size);

    bind_box(&router);
    assert_int_equal(gk_rpc_router_read(&router, (struct gk_bytes){bytes, size}, &incoming, NULL), GK_OK);
    assert_ptr_equal(incoming.route->method, &guika_v1_box_service_deposit_method);
    assert_int_equal(gk_rpc_router_decode(&incoming, &decoded, NULL), GK_OK);
    const guika_v1_DepositRequest *request = decoded;

    assert_int_equal(request->frames_count, 2);
    assert_int_equal(request->frames[0].picture.size, SIZE);
    assert_true(request->frames[0].picture.data > bytes && request->frames[0].picture.data < bytes + size);
    assert_memory_equal(request->frames[0].picture.data, picture, SIZE);
    assert_int_equal(request->frames[1].picture.size, 3);
    assert_int_equal(request->frames[1].side, guika_v1_Side_SIDE_BACK);
    free(decoded);
    free(bytes);
    free(picture);
    gk_rpc_router_free(&router);
}

static void test_deadline_granted_is_at_most_the_methods(void **state)
{
    struct gk_rpc_router router;
    struct gk_rpc_incoming incoming;
    size_t size;

    (void)state;
    uint8_t *bytes = deposit_message((const uint8_t *)"abc", 3, &size);

    bind_box(&router);
    assert_int_equal(gk_rpc_router_read(&router, (struct gk_bytes){bytes, size}, &incoming, NULL), GK_OK);
    assert_int_equal(incoming.header.deadline_ms, 900000);
    assert_int_equal(incoming.deadline_ms, 5000);
    free(bytes);
    gk_rpc_router_free(&router);
}

static void test_truncated_messages_never_decode(void **state)
{
    struct gk_rpc_router router;
    struct gk_rpc_incoming incoming;
    size_t size;

    (void)state;
    uint8_t *bytes = deposit_message((const uint8_t *)"abcdefgh", 8, &size);

    bind_box(&router);
    for (size_t length = 0; length < size; length++) {
        /* Memory of exactly that length, so that the sanitizer sees a read behind it. */
        uint8_t *cut = malloc(length + (length == 0));
        void *decoded = NULL;

        memcpy(cut, bytes, length);
        if (gk_rpc_router_read(&router, (struct gk_bytes){cut, length}, &incoming, NULL) == GK_OK) {
            (void)gk_rpc_router_decode(&incoming, &decoded, NULL);
        }
        free(decoded);
        free(cut);
    }
    free(bytes);
    gk_rpc_router_free(&router);
}

static void test_service_bound_twice_is_refused(void **state)
{
    static const struct guika_v1_box_service_handlers handlers = {0};
    const struct gk_rpc_binding bindings[] = {{&guika_v1_box_service, &handlers, NULL},
                                              {&guika_v1_box_service, &handlers, NULL}};
    struct gk_rpc_router router = {0};

    (void)state;
    assert_int_equal(gk_rpc_router_add(&router, bindings, 2, NULL), GK_ALREADY_EXISTS);
    gk_rpc_router_free(&router);
}

static void test_method_tables_carry_the_schemas_rules(void **state)
{
    (void)state;
    assert_string_equal(guika_v1_box_service_deposit_method.name, "guika.v1.BoxService/Deposit");
    assert_int_equal(guika_v1_box_service_deposit_method.role, GK_ROLE_BOX);
    assert_int_equal(guika_v1_box_service_deposit_method.max_request_bytes, 33554432);
    assert_int_equal(guika_v1_box_service_deposit_method.request_size, sizeof(guika_v1_DepositRequest));
    assert_int_equal(guika_v1_box_service_confirm_stored_method.default_deadline_ms, 5000);
    assert_int_equal(guika_test_echo_service_readers_only_method.max_request_bytes, 65536);
    assert_true(guika_test_echo_service_wait_method.long_poll);
    assert_int_equal(guika_test_echo_service_echo_now_method.thread, GK_RPC_ON_RECEIVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pictures_are_views_into_the_message),
        cmocka_unit_test(test_deadline_granted_is_at_most_the_methods),
        cmocka_unit_test(test_truncated_messages_never_decode),
        cmocka_unit_test(test_service_bound_twice_is_refused),
        cmocka_unit_test(test_method_tables_carry_the_schemas_rules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

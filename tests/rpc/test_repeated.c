/* Long lists, written and read item by item. */
#include "guika/v1/issuer.pb.h"
#include "rpc/repeated.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { ROWS = 500 };

static void test_list_comes_back_in_order(void **state)
{
    struct gk_repeated list = {0};
    guika_v1_CardRow row = guika_v1_CardRow_init_zero;

    (void)state;
    for (int i = 0; i < ROWS; i++) {
        (void)snprintf(row.holder_id, sizeof row.holder_id, "holder-%d", i);
        assert_int_equal(gk_repeated_append(&list, &guika_v1_CardRow_msg, &row), GK_OK);
    }
    struct gk_bytes rest = gk_repeated_bytes(&list);

    for (int i = 0; i < ROWS; i++) {
        char wanted[32];

        (void)snprintf(wanted, sizeof wanted, "holder-%d", i);
        assert_int_equal(gk_repeated_next(&rest, &guika_v1_CardRow_msg, &row), GK_OK);
        assert_string_equal(row.holder_id, wanted);
    }
    assert_int_equal(gk_repeated_next(&rest, &guika_v1_CardRow_msg, &row), GK_NOT_FOUND);
    gk_repeated_free(&list);
}

static void test_malformed_list_is_refused(void **state)
{
    static const uint8_t other_field[] = {0x12, 0x00};
    static const uint8_t cut_item[] = {0x0a, 0x05, 0x0a};
    guika_v1_CardRow row;
    struct gk_bytes rest = {other_field, sizeof other_field};

    (void)state;
    assert_int_equal(gk_repeated_next(&rest, &guika_v1_CardRow_msg, &row), GK_INVALID_ARGUMENT);
    rest = (struct gk_bytes){cut_item, sizeof cut_item};
    assert_int_equal(gk_repeated_next(&rest, &guika_v1_CardRow_msg, &row), GK_INVALID_ARGUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_comes_back_in_order),
        cmocka_unit_test(test_malformed_list_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

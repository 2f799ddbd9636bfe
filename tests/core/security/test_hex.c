#include "core/security/hex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_bytes_become_lower_case_digits_and_back(void **state)
{
    const uint8_t bytes[] = {0x00, 0x09, 0x9f, 0xa0, 0xff};
    uint8_t decoded[sizeof bytes];
    char text[2 * sizeof bytes + 1];

    (void)state;
    gk_hex_encode(bytes, sizeof bytes, text);
    assert_string_equal(text, "00099fa0ff");
    assert_true(gk_hex_decode(text, decoded, sizeof decoded));
    assert_memory_equal(decoded, bytes, sizeof bytes);
    assert_true(gk_hex_decode("00099FA0FF", decoded, sizeof decoded));
    assert_memory_equal(decoded, bytes, sizeof bytes);
}

static void test_other_text_is_refused_and_changes_nothing(void **state)
{
    static const char *const wrong[] = {"", "0", "000", "00000", "0g00", "00 0", "0x00", "-100"};
    uint8_t bytes[2] = {7, 7};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(gk_hex_decode(wrong[i], bytes, sizeof bytes));
        assert_int_equal(bytes[0], 7);
        assert_int_equal(bytes[1], 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_become_lower_case_digits_and_back),
        cmocka_unit_test(test_other_text_is_refused_and_changes_nothing),
    };

    return cmocka_run_group_tests_name("hex", tests, NULL, NULL);
}

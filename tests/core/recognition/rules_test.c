#include "core/recognition/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static void test_published_numbers_pass_their_checks(void **state)
{
    (void)state;
    assert_true(gk_rules_check_passes(GUIKA_CHECK_LUHN, "4111111111111111"));
    assert_true(gk_rules_check_passes(GUIKA_CHECK_LUHN, "79927398713"));
    assert_true(gk_rules_check_passes(GUIKA_CHECK_ISO7064_MOD11_2, "11010519491231002X"));
    assert_true(gk_rules_check_passes(GUIKA_CHECK_ISO7064_MOD11_2, "440524188001010014"));
    assert_true(gk_rules_check_passes(GUIKA_CHECK_OCTOPUS, "1020125070"));
    assert_true(gk_rules_check_passes(GUIKA_CHECK_OCTOPUS, "1020125089"));
}

static void test_every_other_check_character_fails(void **state)
{
    (void)state;
    char number[] = "4111111111111110";
    int passing = 0;
    for (char digit = '0'; digit <= '9'; digit++) {
        number[15] = digit;
        passing += gk_rules_check_passes(GUIKA_CHECK_LUHN, number);
    }
    assert_int_equal(passing, 1);
    assert_false(gk_rules_check_passes(GUIKA_CHECK_LUHN, "411111111111111X"));
    assert_false(gk_rules_check_passes(GUIKA_CHECK_ISO7064_MOD11_2, "1101051949123X0021"));
    assert_false(gk_rules_check_passes(GUIKA_CHECK_OCTOPUS, "1020125071"));
    assert_false(gk_rules_check_passes(GUIKA_CHECK_LUHN, ""));
}

static void test_typed_numbers_become_canonical(void **state)
{
    (void)state;
    char number[GK_NUMBER_SIZE];
    assert_int_equal(gk_rules_canonical("102012507(0)", number), 10);
    assert_string_equal(number, "1020125070");
    assert_int_equal(gk_rules_canonical(" 1101-0519491231 002x", number), 18);
    assert_string_equal(number, "11010519491231002X");
    assert_int_equal(gk_rules_canonical("６２００　ａ", number), 5);
    assert_string_equal(number, "6200A");
    assert_int_equal(gk_rules_canonical("- ()", number), 0);
    assert_int_equal(gk_rules_canonical("123456789012345678901234567890123", number), 0);
}

static void test_mask_shows_the_last_four_at_most(void **state)
{
    (void)state;
    char masked[GK_MASKED_SIZE];
    gk_rules_mask("6225768888880019", masked);
    assert_string_equal(masked, "•••• 0019");
    gk_rules_mask("12345", masked);
    assert_string_equal(masked, "•••• 45");
}

static void test_groupings_agree_exactly_or_lack_gaps(void **state)
{
    (void)state;
    static const char *const printed[] = {"4-4-4-4", "6-13", "9(1)"};
    const struct guika_rule rule = {.groupings = printed, .grouping_count = 3};
    assert_int_equal(gk_rules_grouping_fit(&rule, "4-4-4-4"), GK_GROUPING_KNOWN);
    assert_int_equal(gk_rules_grouping_fit(&rule, "4-8-4"), GK_GROUPING_COARSER);
    assert_int_equal(gk_rules_grouping_fit(&rule, "16"), GK_GROUPING_COARSER);
    assert_int_equal(gk_rules_grouping_fit(&rule, "19"), GK_GROUPING_COARSER);
    assert_int_equal(gk_rules_grouping_fit(&rule, "9(1)"), GK_GROUPING_BRACKETS);
    assert_int_equal(gk_rules_grouping_fit(&rule, "9-1"), GK_GROUPING_KNOWN);
    assert_int_equal(gk_rules_grouping_fit(&rule, "4-4-4-3"), GK_GROUPING_NONE);
    assert_int_equal(gk_rules_grouping_fit(&rule, "3-5-4-4"), GK_GROUPING_NONE);
    assert_int_equal(gk_rules_grouping_fit(&rule, "5-4-5-5"), GK_GROUPING_NONE);
    assert_int_equal(gk_rules_grouping_fit(&rule, ""), GK_GROUPING_NONE);
    assert_int_equal(gk_rules_grouping_fit(&rule, "99999999999999999999-4"), GK_GROUPING_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_numbers_pass_their_checks),
        cmocka_unit_test(test_every_other_check_character_fails),
        cmocka_unit_test(test_typed_numbers_become_canonical),
        cmocka_unit_test(test_groupings_agree_exactly_or_lack_gaps),
        cmocka_unit_test(test_mask_shows_the_last_four_at_most),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "core/recognition/rules.h"

#include "core/recognition/descriptor.h"

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

static void expect_masked(const struct guika_issuer *issuer, const char *number, const char *wanted)
{
    char masked[GK_MASKED_SIZE];
    gk_rules_mask(issuer, number, masked);
    assert_string_equal(masked, wanted);
}

static void test_mask_shows_the_last_four_at_most(void **state)
{
    (void)state;
    expect_masked(NULL, "6225768888880019", "•••• 0019");
    expect_masked(NULL, "12345", "•••• 45");
    expect_masked(NULL, "", "••••");
}

static void test_an_issuers_mask_hides_six_characters_whatever_it_says(void **state)
{
    (void)state;
    struct guika_issuer issuer = {.struct_size = sizeof issuer, .masking = {.first = 6, .last = 4}};
    expect_masked(&issuer, "6225768888880019", "622576•••• 0019");
    expect_masked(&issuer, "622576888019", "62•••• 8019");
    expect_masked(&issuer, "2021000128", "2•••• 0128");
    issuer.masking = (struct guika_masking){.first = 3, .last = 0};
    expect_masked(&issuer, "6225768888880019", "622••••");
    issuer.masking = (struct guika_masking){.first = 0, .last = 2};
    expect_masked(&issuer, "6225768888880019", "•••• 19");
    issuer.masking = (struct guika_masking){.first = 0, .last = 0};
    expect_masked(&issuer, "6225768888880019", "•••• 0019");
}

static void test_masking_of_a_plugin_made_for_1_0_is_not_read(void **state)
{
    (void)state;
    const struct guika_issuer issuer = {.struct_size = offsetof(struct guika_issuer, barcodes),
                                        .barcode_count = 1,
                                        .masking = {.first = 6, .last = 4}};
    size_t count = 1;
    expect_masked(&issuer, "6225768888880019", "•••• 0019");
    assert_null(gk_descriptor_barcodes(&issuer, &count));
    assert_int_equal(count, 0);
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
        cmocka_unit_test(test_an_issuers_mask_hides_six_characters_whatever_it_says),
        cmocka_unit_test(test_masking_of_a_plugin_made_for_1_0_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

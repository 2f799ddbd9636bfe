#include "core/recognition/rules.h"
#include "tests/mint/issued.h"
#include "tests/plugins/issuers/shelf_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

/* The plugin that knows the number in a scheme; "" where none does. */
static const char *owner(const struct shelf *shelf, const char *scheme, const char *number,
                         const char **ret_brand)
{
    struct gk_judgement matches[8];
    bool check_failed;
    size_t count = gk_rules_match(shelf->issuers, shelf->count, number, matches, 8, &check_failed);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(matches[i].issuer->scheme, scheme) == 0) {
            *ret_brand = matches[i].rule->brand;
            return matches[i].issuer->id;
        }
    }
    *ret_brand = "";
    return "";
}

static void test_published_payment_numbers_have_their_brand(void **state)
{
    static const struct {
        const char *number, *issuer, *brand;
    } cases[] = {{"4111111111111111", "iso7812", "visa"},
                 {"5555555555554444", "iso7812", "mastercard"},
                 {"2223003122003222", "iso7812", "mastercard"},
                 {"378282246310005", "iso7812", "amex"},
                 {"30569309025904", "iso7812", "diners"},
                 {"6011111111111117", "iso7812", "discover"},
                 {"3530111333300000", "iso7812", "jcb"},
                 {"6200000000000005", "unionpay", "unionpay"},
                 {"6205500000000000004", "unionpay", "unionpay"},
                 {"4111111111111112", "", ""},
                 {"378282246310006", "", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *brand;
        assert_string_equal(owner(*state, "iso7812", cases[i].number, &brand), cases[i].issuer);
        assert_string_equal(brand, cases[i].brand);
    }
}

static void test_unionpay_that_fails_luhn_is_still_valid(void **state)
{
    const char *brand;
    assert_false(gk_rules_check_passes(GUIKA_CHECK_LUHN, "6200000000000006"));
    assert_string_equal(owner(*state, "iso7812", "6200000000000006", &brand), "unionpay");
}

static void test_longest_prefix_of_a_scheme_wins(void **state)
{
    const char *brand;
    /* RuPay's 652150 lies within Discover's 65. */
    assert_string_equal(owner(*state, "iso7812", "6521500000000006", &brand), "iso7812");
    assert_string_equal(brand, "rupay");
}

static void test_transit_and_identity_numbers(void **state)
{
    const char *brand;
    assert_string_equal(owner(*state, "octopus", "1020125070", &brand), "octopus");
    assert_string_equal(owner(*state, "octopus", "1020125089", &brand), "octopus");
    assert_string_equal(owner(*state, "octopus", "1020125071", &brand), "");
    assert_string_equal(owner(*state, "cn-resident-id", "11010519491231002X", &brand), "cn_resident_id");
    assert_string_equal(owner(*state, "cn-resident-id", "440524188001010014", &brand), "cn_resident_id");
    assert_string_equal(owner(*state, "cn-resident-id", "110105194912310021", &brand), "");
    assert_string_equal(owner(*state, "t-union", "3104870000000000012", &brand), "tunion");
}

static void test_a_banks_number_is_the_banks(void **state)
{
    static const struct {
        const char *number, *issuer, *brand;
    } cases[] = {{"6222021234567890128", "icbc", "icbc-debit"},
                 {"6222101234567892", "icbc", "icbc-credit"},
                 {"6228481234567890124", "abc", "abc-debit"},
                 {"9559981234567890120", "abc", "abc-old"},
                 {"6216601234567890120", "boc", "boc-debit"},
                 {"4563511234567890124", "boc", "boc-debit"}, /* a Visa prefix, but the bank's is longer */
                 {"6217001234567890127", "ccb", "ccb-debit"},
                 {"6222601234567890123", "bocom", "bocom-debit"},
                 {"62225812345678902", "bocom", "bocom-old"},
                 {"6299991234567890121", "unionpay", "unionpay"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *brand;
        assert_string_equal(owner(*state, "iso7812", cases[i].number, &brand), cases[i].issuer);
        assert_string_equal(brand, cases[i].brand);
    }
}

static void test_a_banks_plugin_makes_its_numbers_no_likelier(void **state)
{
    const struct shelf *shelf = *state;
    struct gk_judgement all, alone;
    const struct guika_issuer *unionpay = find_issuer(shelf, "unionpay");
    bool check_failed;
    assert_int_equal(
        gk_rules_match(shelf->issuers, shelf->count, "6222021234567890128", &all, 1, &check_failed), 1);
    assert_int_equal(gk_rules_match(&unionpay, 1, "6222021234567890128", &alone, 1, &check_failed), 1);
    assert_string_equal(all.issuer->id, "icbc");
    assert_true(all.share > 0.01 && all.share == alone.share);
}

static void test_transit_cards_of_the_world(void **state)
{
    const char *brand;
    assert_string_equal(owner(*state, "suica", "JE301234567890123", &brand), "suica");
    assert_string_equal(owner(*state, "suica", "JA301234567890123", &brand), "");
    assert_string_equal(owner(*state, "suica", "JE30123456789012E", &brand), "");
    assert_string_equal(owner(*state, "cepas", "1000120034005600", &brand), "cepas");
    assert_string_equal(owner(*state, "oyster", "012345678901", &brand), "oyster");
    assert_string_equal(owner(*state, "myki", "308425012345678", &brand), "");
    assert_string_equal(owner(*state, "opal", "3085221234567890", &brand), "opal");
    assert_string_equal(owner(*state, "presto", find_issuer(*state, "presto")->examples[0], &brand),
                        "presto");
    assert_string_equal(owner(*state, "presto", "31240101234567118", &brand), "");
}

static void test_examples_are_valid_and_counter_examples_are_not(void **state)
{
    const struct shelf *shelf = *state;
    for (size_t i = 0; i < shelf->count; i++) {
        const struct guika_issuer *issuer = shelf->issuers[i];
        struct gk_judgement judgement;
        for (size_t j = 0; j < issuer->example_count; j++) {
            assert_int_equal(gk_rules_judge(issuer, issuer->examples[j], &judgement), GK_FIT_VALID);
        }
        for (size_t j = 0; j < issuer->counter_example_count; j++) {
            assert_int_not_equal(gk_rules_judge(issuer, issuer->counter_examples[j], &judgement),
                                 GK_FIT_VALID);
        }
    }
}

/* The mint has check digits of its own: each is a second opinion of the other. */
static void test_what_the_mint_makes_of_a_rule_the_rule_takes(void **state)
{
    const struct shelf *shelf = *state;
    for (size_t i = 0; i < shelf->count; i++) {
        const struct guika_issuer *issuer = shelf->issuers[i];
        for (size_t rule = 0; rule < issuer->rule_count; rule++) {
            for (uint64_t seed = 0; seed < 20; seed++) {
                char number[32], grouping[24];
                struct gk_judgement judgement;
                assert_true(gk_mint_issue_number(issuer, rule, seed, number, grouping));
                assert_int_equal(gk_rules_judge(issuer, number, &judgement), GK_FIT_VALID);
                assert_true(judgement.check_passes);
                if (issuer->rules[rule].grouping_count > 0 && judgement.rule == &issuer->rules[rule]) {
                    assert_true(gk_rules_grouping_fit(judgement.rule, grouping) >= GK_GROUPING_KNOWN);
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_payment_numbers_have_their_brand),
        cmocka_unit_test(test_unionpay_that_fails_luhn_is_still_valid),
        cmocka_unit_test(test_longest_prefix_of_a_scheme_wins),
        cmocka_unit_test(test_transit_and_identity_numbers),
        cmocka_unit_test(test_a_banks_number_is_the_banks),
        cmocka_unit_test(test_a_banks_plugin_makes_its_numbers_no_likelier),
        cmocka_unit_test(test_transit_cards_of_the_world),
        cmocka_unit_test(test_examples_are_valid_and_counter_examples_are_not),
        cmocka_unit_test(test_what_the_mint_makes_of_a_rule_the_rule_takes),
    };
    return cmocka_run_group_tests(tests, open_shelf, close_shelf);
}

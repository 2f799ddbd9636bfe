#include "core/recognition/descriptor.h"
#include "core/recognition/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

struct shelf {
    struct gk_plugin **plugins;
    const struct guika_issuer *issuers[32];
    size_t count;
};

static void on_refused(void *context, const char *path, const struct gk_error *error)
{
    (void)context;
    fail_msg("%s: %s", path, error->message);
}

static int open_shelf(void **state)
{
    static struct shelf shelf;
    assert_int_equal(gk_plugin_open_all(GUIKA_BINARY_DIR "/lib/guika/issuers", gk_descriptor_kind(),
                                        on_refused, NULL, &shelf.plugins, &shelf.count, NULL),
                     GK_OK);
    for (size_t i = 0; i < shelf.count; i++) {
        shelf.issuers[i] = (const struct guika_issuer *)(const void *)gk_plugin_head(shelf.plugins[i]);
    }
    *state = &shelf;
    return 0;
}

static int close_shelf(void **state)
{
    struct shelf *shelf = *state;
    for (size_t i = 0; i < shelf->count; i++) {
        gk_plugin_close(shelf->plugins[i]);
    }
    free(shelf->plugins);
    return 0;
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_payment_numbers_have_their_brand),
        cmocka_unit_test(test_unionpay_that_fails_luhn_is_still_valid),
        cmocka_unit_test(test_longest_prefix_of_a_scheme_wins),
        cmocka_unit_test(test_transit_and_identity_numbers),
    };
    return cmocka_run_group_tests(tests, open_shelf, close_shelf);
}

#include "core/security/pickup_code.h"

#include "tests/core/security/scratch.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char *folder;
static struct gk_keys *keys;
static const uint8_t case_id[16] = {0xca, 0x5e};
static const struct gk_pickup_binding bound = {case_id, 1, "library-1", "N07"};

static int set_up(void **state)
{
    struct gk_error error;

    (void)state;
    folder = scratch_make();
    char *path = scratch_path(folder, "keys");
    const enum gk_status made = gk_keys_generate(path, &error);
    const enum gk_status opened = made == GK_OK ? gk_keys_open(path, &keys, &error) : made;

    free(path);
    return opened == GK_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    gk_keys_close(keys);
    scratch_remove(folder);
    return 0;
}

static void test_code_is_the_same_each_time_and_has_its_digits(void **state)
{
    char first[GK_PICKUP_CODE_SIZE], second[GK_PICKUP_CODE_SIZE];

    (void)state;
    gk_pickup_code_make(keys, &bound, GK_PICKUP_SHORT, first);
    gk_pickup_code_make(keys, &bound, GK_PICKUP_SHORT, second);
    assert_string_equal(first, second);
    assert_int_equal(strlen(first), GK_PICKUP_SHORT);
    assert_int_equal(strspn(first, "0123456789"), GK_PICKUP_SHORT);
    gk_pickup_code_make(keys, &bound, GK_PICKUP_LONG, second);
    assert_int_equal(strlen(second), GK_PICKUP_LONG);
    assert_null(strstr(second, first));
}

static void test_code_is_bound_to_case_issue_place_and_compartment(void **state)
{
    static const uint8_t other_case[16] = {0xca, 0x5f};
    const struct gk_pickup_binding others[] = {
        {other_case, 1, "library-1", "N07"}, {case_id, 2, "library-1", "N07"},
        {case_id, 1, "library-2", "N07"},    {case_id, 1, "library-1", "N08"},
        {case_id, 1, "library-1N", "07"},    {case_id, 1, "library-1", ""}};
    char code[GK_PICKUP_CODE_SIZE];

    (void)state;
    gk_pickup_code_make(keys, &bound, GK_PICKUP_LONG, code);
    assert_true(gk_pickup_code_matches(keys, &bound, code, NULL, NULL));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_false(gk_pickup_code_matches(keys, &others[i], code, NULL, NULL));
    }
}

static void test_six_digits_are_taken_with_the_right_tail_alone(void **state)
{
    char code[GK_PICKUP_CODE_SIZE];

    (void)state;
    gk_pickup_code_make(keys, &bound, GK_PICKUP_SHORT, code);
    assert_true(gk_pickup_code_matches(keys, &bound, code, "1234", "1234"));
    assert_true(gk_pickup_code_matches(keys, &bound, code, "1234", "12 34"));
    assert_false(gk_pickup_code_matches(keys, &bound, code, "1234", "1235"));
    assert_false(gk_pickup_code_matches(keys, &bound, code, "1234", ""));
    assert_false(gk_pickup_code_matches(keys, &bound, code, "1234", NULL));
    assert_false(gk_pickup_code_matches(keys, &bound, code, NULL, "1234"));
    assert_false(gk_pickup_code_matches(keys, &bound, code, "", ""));
    code[5] = code[5] == '0' ? '1' : '0';
    assert_false(gk_pickup_code_matches(keys, &bound, code, "1234", "1234"));
}

static void test_what_is_no_code_is_no_match_whatever_it_is(void **state)
{
    static const char *const wrong[] = {"",          "1",
                                        "12345",     "1234567",
                                        "123456789", "12345678901234567890",
                                        "1234567x",  "\xff\xfe\x80",
                                        "--------",  "        ",
                                        "+1234567"};
    char code[GK_PICKUP_CODE_SIZE], spaced[16];

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_false(gk_pickup_code_matches(keys, &bound, wrong[i], "1234", "1234"));
    }
    assert_false(gk_pickup_code_matches(keys, &bound, NULL, NULL, NULL));
    gk_pickup_code_make(keys, &bound, GK_PICKUP_LONG, code);
    (void)snprintf(spaced, sizeof spaced, "%.4s-%s", code, code + 4);
    assert_true(gk_pickup_code_matches(keys, &bound, spaced, NULL, NULL));
}

static void test_tail_is_that_of_a_telephone(void **state)
{
    static const char *const none[] = {"smtp:a@b.example", "sms:123456", "sms:+12345678901234567",
                                       "5551234",          "sms:",       "webhook:https://x.example/1234567",
                                       "sms:++4912345678"};
    char tail[GK_PICKUP_TAIL + 1] = "keep";

    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_false(gk_pickup_telephone_tail(none[i], tail));
        assert_string_equal(tail, "keep");
    }
    assert_true(gk_pickup_telephone_tail("sms:+86 138-0013-8000", tail));
    assert_string_equal(tail, "8000");
    assert_true(gk_pickup_telephone_tail("tel:(020) 7946.0958", tail));
    assert_string_equal(tail, "0958");
}

/* --- guessing, with 1,000 live codes --- */

enum { LIVE = 1000 };

/* A try names one case, so what is hit is that case's code or none. */
static void test_calculation_no_try_succeeds_with_more_than_one_in_a_million(void **state)
{
    const double modulo_bias = 1e8 / 18446744073709551616.0;
    const double knows_case_and_telephone = 1e-6 + modulo_bias;
    const double knows_case = 1e-6 * 1e-4 + modulo_bias;
    const double without_telephone = 1e-8 + modulo_bias;
    /* Who knows no case has to hit one of LIVE among the 2^32 case numbers too. */
    const double knows_nothing = LIVE / 4294967296.0 * without_telephone;

    (void)state;
    assert_true(knows_case_and_telephone <= 1.0001e-6);
    assert_true(knows_case < 1e-9 && without_telephone < 1.01e-8 && knows_nothing < 1e-14);
}

/* The worst of them, played: 4 million tries by somebody who knows every case number and every telephone.
 * Four hits are expected; more than 20 come up once in 10^8 runs, and comparing with all live codes would
 * give 4,000. */
static void test_simulation_of_guesses_against_a_thousand_live_codes(void **state)
{
    enum { TRIES = 4000000, TOO_MANY = 20 };
    static char codes[LIVE][GK_PICKUP_CODE_SIZE];
    unsigned hits = 0;

    (void)state;
    for (unsigned i = 0; i < LIVE; i++) {
        uint8_t id[16] = {(uint8_t)(i >> 8), (uint8_t)i};
        const struct gk_pickup_binding binding = {id, 1, "library-1", "N01"};

        gk_pickup_code_make(keys, &binding, GK_PICKUP_SHORT, codes[i]);
    }
    for (unsigned i = 0; i < TRIES; i++) {
        char guess[GK_PICKUP_CODE_SIZE];

        (void)snprintf(guess, sizeof guess, "%06u", (unsigned)randombytes_uniform(1000000));
        hits += memcmp(guess, codes[randombytes_uniform(LIVE)], GK_PICKUP_SHORT) == 0;
    }
    print_message("%d guesses against %d live codes: %u hits\n", TRIES, LIVE, hits);
    assert_true(hits <= TOO_MANY);
}

/* No digit of a code is likelier than another, and no two cases share codes more often than chance has it. */
static void test_codes_are_spread_evenly(void **state)
{
    enum { CODES = 20000 };
    unsigned counts[GK_PICKUP_SHORT][10] = {{0}};

    (void)state;
    for (uint32_t issue = 1; issue <= CODES; issue++) {
        const struct gk_pickup_binding binding = {case_id, issue, "library-1", "N01"};
        char code[GK_PICKUP_CODE_SIZE];

        gk_pickup_code_make(keys, &binding, GK_PICKUP_SHORT, code);
        for (unsigned i = 0; i < GK_PICKUP_SHORT; i++) {
            counts[i][code[i] - '0']++;
        }
    }
    for (unsigned i = 0; i < GK_PICKUP_SHORT; i++) {
        for (unsigned digit = 0; digit < 10; digit++) {
            /* 2,000 expected, deviation 42: six of them either way. */
            assert_in_range(counts[i][digit], 1748, 2252);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_code_is_the_same_each_time_and_has_its_digits),
        cmocka_unit_test(test_code_is_bound_to_case_issue_place_and_compartment),
        cmocka_unit_test(test_six_digits_are_taken_with_the_right_tail_alone),
        cmocka_unit_test(test_what_is_no_code_is_no_match_whatever_it_is),
        cmocka_unit_test(test_tail_is_that_of_a_telephone),
        cmocka_unit_test(test_calculation_no_try_succeeds_with_more_than_one_in_a_million),
        cmocka_unit_test(test_simulation_of_guesses_against_a_thousand_live_codes),
        cmocka_unit_test(test_codes_are_spread_evenly),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

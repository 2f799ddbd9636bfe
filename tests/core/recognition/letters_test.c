#include "core/recognition/letters.h"

#include "core/recognition/candidates.h"
#include "core/recognition/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

static const struct guika_prefix_range prefixes[] = {{"JE", "JE"}, {"JC", "JC"}, {"PB", "PB"}, {"SK", "SK"}};
static const uint8_t lengths[] = {17}, plain_lengths[] = {16};
static const struct guika_rule lettered_rules[] = {{.brand = "rail",
                                                    .alphabet = "0123456789JECPBSK",
                                                    .prefixes = prefixes,
                                                    .prefix_count = 4,
                                                    .lengths = lengths,
                                                    .length_count = 1}};
static const char *const plain_groupings[] = {"4-4-4-4"};
static const struct guika_rule plain_rules[] = {{.brand = "bank",
                                                 .alphabet = "0123456789",
                                                 .lengths = plain_lengths,
                                                 .length_count = 1,
                                                 .groupings = plain_groupings,
                                                 .grouping_count = 1}};
static const struct guika_issuer lettered = {.id = "rail", .rules = lettered_rules, .rule_count = 1};
static const struct guika_issuer plain = {.id = "bank", .rules = plain_rules, .rule_count = 1};
static const struct guika_issuer *const both[] = {&plain, &lettered};
static const struct gk_candidate_rules rules = {both, 2, false}, none = {both, 1, false};

/* Each character with certainty, ten pixels wide. */
static struct gk_text_line line_of(const char *text)
{
    struct gk_text_line line = {.count = 0};
    for (; *text != '\0'; text++) {
        line.symbols[line.count] = (struct gk_text_symbol){.choices = {{*text, 0.98f}},
                                                           .choice_count = 1,
                                                           .left = line.count * 10,
                                                           .right = line.count * 10 + 8};
        line.count++;
    }
    return line;
}

static double chance_of(const struct gk_letters *letters, const char *text)
{
    for (size_t i = 0; i < letters->count; i++) {
        if (strcmp(letters->choices[i].text, text) == 0) {
            return letters->choices[i].probability;
        }
    }
    return 0;
}

static void test_letters_in_front_of_digits_are_found(void **state)
{
    (void)state;
    const struct gk_text_line line = line_of("JE301234567890123");
    struct gk_letters letters;
    assert_true(gk_letters_find(&rules, &line, 170, &letters));
    assert_int_equal(letters.count, 4);
    assert_true(chance_of(&letters, "JE") > 0.98 && chance_of(&letters, "JE") < 1);
    assert_true(fabs(letters.end - 19.0 / 170) < 1e-9);
}

static void test_words_before_them_are_passed_over(void **state)
{
    (void)state;
    const struct gk_text_line line = line_of("SKIPBPB107000000000045");
    struct gk_letters letters;
    assert_true(gk_letters_find(&rules, &line, 220, &letters));
    assert_true(chance_of(&letters, "PB") > 0.98);
    assert_true(fabs(letters.end - 69.0 / 220) < 1e-9);
}

static void test_a_letter_taken_for_a_digit_is_doubted_but_found(void **state)
{
    (void)state;
    const struct gk_text_line line = line_of("P8107000000000045");
    struct gk_letters letters;
    assert_true(gk_letters_find(&rules, &line, 170, &letters));
    assert_true(chance_of(&letters, "PB") > 0.9);
}

static void test_letters_of_no_prefix_are_none(void **state)
{
    (void)state;
    const struct gk_text_line other = line_of("XY301234567890123"), digits = line_of("4111111111111111"),
                              word = line_of("JETLAG"), empty = {.count = 0};
    struct gk_letters letters = {.count = 77};
    assert_false(gk_letters_find(&rules, &other, 170, &letters));
    assert_false(gk_letters_find(&rules, &digits, 160, &letters));
    assert_false(gk_letters_find(&rules, &word, 60, &letters));
    assert_false(gk_letters_find(&rules, &empty, 1, &letters));
    assert_int_equal(letters.count, 77);
}

static void test_a_second_letter_that_is_open_leaves_both(void **state)
{
    (void)state;
    struct gk_text_line line = line_of("JE301234567890123");
    struct gk_letters letters;
    line.symbols[1].choices[0].share = 0.5f;
    line.symbols[1].choices[1] = (struct gk_text_choice){'C', 0.5f};
    line.symbols[1].choice_count = 2;
    assert_true(gk_letters_find(&rules, &line, 170, &letters));
    assert_true(fabs(chance_of(&letters, "JE") - chance_of(&letters, "JC")) < 0.05);
}

static void test_they_are_looked_for_only_where_so_many_digits_may_have_them(void **state)
{
    (void)state;
    assert_true(gk_letters_may_stand(&rules, 15, ""));
    assert_true(gk_letters_may_stand(&rules, 14, ""));
    assert_true(gk_letters_may_stand(&rules, 17, ""));
    assert_false(gk_letters_may_stand(&rules, 13, ""));
    assert_false(gk_letters_may_stand(&rules, 19, ""));
    assert_false(gk_letters_may_stand(&none, 15, ""));
    assert_true(gk_letters_may_stand(&rules, 15, "3-4-4-4"));
    assert_false(gk_letters_may_stand(&rules, 16, "4-4-4-4")); /* as bank cards have it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_letters_in_front_of_digits_are_found),
        cmocka_unit_test(test_words_before_them_are_passed_over),
        cmocka_unit_test(test_a_letter_taken_for_a_digit_is_doubted_but_found),
        cmocka_unit_test(test_letters_of_no_prefix_are_none),
        cmocka_unit_test(test_a_second_letter_that_is_open_leaves_both),
        cmocka_unit_test(test_they_are_looked_for_only_where_so_many_digits_may_have_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

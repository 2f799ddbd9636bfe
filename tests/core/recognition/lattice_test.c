#include "core/recognition/lattice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* A reading of `text` in which every character has `confidence`. */
static struct gk_text_line reading(const char *text, float confidence)
{
    struct gk_text_line line = {.count = 0};
    bool starts_word = true;
    for (; *text != '\0'; text++) {
        if (*text == ' ') {
            starts_word = true;
            continue;
        }
        struct gk_text_symbol *symbol = &line.symbols[line.count++];
        symbol->choices[0] = (struct gk_text_choice){*text, confidence / 100};
        symbol->choice_count = 1;
        symbol->confidence = confidence;
        symbol->starts_word = starts_word;
        starts_word = false;
    }
    return line;
}

static struct gk_lattice run_of(const char *text, float confidence)
{
    struct gk_text_line line = reading(text, confidence);
    struct gk_lattice runs[GK_LATTICE_RUNS_MOST];
    assert_int_equal(gk_lattice_from_text(&line, 6, runs), 1);
    return runs[0];
}

static void test_words_part_runs_and_short_ones_are_none(void **state)
{
    (void)state;
    struct gk_text_line line = reading("4111 1111 1111 1111 VALID 12/30", 99);
    struct gk_lattice runs[GK_LATTICE_RUNS_MOST];
    assert_int_equal(gk_lattice_from_text(&line, 6, runs), 1);
    assert_int_equal(runs[0].count, 16);
    assert_string_equal(runs[0].grouping, "4-4-4-4");
}

static void test_letters_that_look_like_digits_are_digits_in_doubt(void **state)
{
    (void)state;
    struct gk_lattice run = run_of("4111 1111 1111 11l1", 99), clear = run_of("4111 1111 1111 1111", 99);
    char number[GK_NUMBER_SIZE];
    double probability = gk_lattice_best(&run, number);
    assert_string_equal(number, "4111111111111111");
    assert_true(probability < gk_lattice_best(&clear, number));
}

static void test_lost_bracket_is_made_good(void **state)
{
    (void)state;
    assert_string_equal(run_of("102012507(0)", 99).grouping, "9(1)");
    assert_string_equal(run_of("1020125070)", 99).grouping, "9(1)");
    assert_string_equal(run_of("102012507(0", 99).grouping, "9(1)");
    assert_int_equal(run_of("102012507(0)", 99).count, 10);
}

static void test_readings_that_agree_strengthen_each_other(void **state)
{
    (void)state;
    struct gk_lattice readings[2] = {run_of("4111 1111 1111 1111", 95), run_of("4111 1111 1111 1111", 95)};
    struct gk_lattice both;
    char number[GK_NUMBER_SIZE];
    assert_true(gk_lattice_vote(readings, 2, &both));
    assert_true(gk_lattice_best(&both, number) > gk_lattice_best(&readings[0], number));
    assert_true(both.slip < readings[0].slip);
    assert_int_equal(both.readings, 2);
}

static void test_length_that_most_readings_have_wins_and_is_doubted(void **state)
{
    (void)state;
    struct gk_lattice readings[3] = {run_of("4111 1111 1111 111", 99), run_of("4111 1111 1111 1111", 95),
                                     run_of("4111 1111 1111 1111", 95)};
    struct gk_lattice agreed, disputed;
    assert_true(gk_lattice_vote(&readings[1], 2, &agreed));
    assert_false(gk_lattice_vote(readings, 3, &disputed));
    assert_int_equal(disputed.count, 16);
    assert_true(disputed.slip > agreed.slip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_part_runs_and_short_ones_are_none),
        cmocka_unit_test(test_letters_that_look_like_digits_are_digits_in_doubt),
        cmocka_unit_test(test_lost_bracket_is_made_good),
        cmocka_unit_test(test_readings_that_agree_strengthen_each_other),
        cmocka_unit_test(test_length_that_most_readings_have_wins_and_is_doubted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

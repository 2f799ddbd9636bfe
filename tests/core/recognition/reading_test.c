#include "core/recognition/reading.h"
#include "digit_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const struct guika_prefix_range visa_prefixes[] = {{"4", "4"}}, union_prefixes[] = {{"62", "62"}},
                                       id_prefixes[] = {{"11", "15"}, {"44", "44"}};
static const uint8_t sixteen[] = {16}, union_lengths[] = {16, 19, 17, 18}, eighteen[] = {18},
                     octopus_lengths[] = {9, 10};
static const char *const fours[] = {"4-4-4-4"}, *const union_groups[] = {"4-4-4-4", "6-13", "4-4-4-4-3"},
                         *const whole[] = {"18"}, *const brackets[] = {"9(1)", "8(1)"};

#define RULE(name, prefix_ranges, lengths_of, groups, check_of, force_of)                                    \
    .brand = name, .alphabet = "0123456789", .prefixes = prefix_ranges,                                      \
    .prefix_count = sizeof prefix_ranges / sizeof *prefix_ranges, .lengths = lengths_of,                     \
    .length_count = sizeof lengths_of, .groupings = groups,                                                  \
    .grouping_count = sizeof groups / sizeof *groups, .check = check_of, .force = force_of

static const struct guika_rule visa_rule = {
    RULE("visa", visa_prefixes, sixteen, fours, GUIKA_CHECK_LUHN, GUIKA_CHECK_BINDS)};
static const struct guika_rule union_rule = {
    RULE("unionpay", union_prefixes, union_lengths, union_groups, GUIKA_CHECK_LUHN, GUIKA_CHECK_WEIGHS)};
static const struct guika_rule id_rule = {
    RULE("id", id_prefixes, eighteen, whole, GUIKA_CHECK_ISO7064_MOD11_2, GUIKA_CHECK_BINDS),
    .last_alphabet = "0123456789X"};
static const struct guika_rule octopus_rule = {.brand = "octopus",
                                               .alphabet = "0123456789",
                                               .lengths = octopus_lengths,
                                               .length_count = 2,
                                               .groupings = brackets,
                                               .grouping_count = 2,
                                               .check = GUIKA_CHECK_OCTOPUS,
                                               .force = GUIKA_CHECK_BINDS};
static const struct guika_issuer visa = {.id = "visa", .scheme = "pay", .rules = &visa_rule, .rule_count = 1};
static const struct guika_issuer unionpay = {
    .id = "unionpay", .scheme = "pay", .rules = &union_rule, .rule_count = 1};
static const struct guika_issuer resident = {.id = "id", .scheme = "id", .rules = &id_rule, .rule_count = 1};
static const struct guika_issuer octopus = {
    .id = "octopus", .scheme = "octopus", .rules = &octopus_rule, .rule_count = 1};
static const struct guika_issuer *const issuers[] = {&visa, &unionpay, &resident, &octopus};
static const struct gk_candidate_rules shelf = {issuers, 4, false}, unchecked = {issuers, 4, true};

static struct gk_reading reading;

static void start(void)
{
    reading.framing_count = reading.picture = reading.row_count = 0;
    reading.letters.count = 0;
}

static void add_line(const char *text, double sure)
{
    struct gk_digit_matrix matrix;
    rig_draw(&matrix, text, sure);
    gk_reading_add(&reading, &matrix);
}

static struct gk_line_verdict verdict_of_line(const char *text, double sure)
{
    struct gk_line_verdict verdict;
    start();
    add_line(text, sure);
    gk_reading_verdict(&reading, &shelf, &verdict);
    return verdict;
}

static bool accepts(const struct gk_line_verdict *verdict)
{
    return verdict->count > 0 && !verdict->candidates[0].forced &&
           verdict->candidates[0].probability >= GK_CANDIDATE_ACCEPTED;
}

static void test_clean_number_is_accepted(void **state)
{
    (void)state;
    struct gk_line_verdict verdict = verdict_of_line("4111 1111 1111 1111", 0.999);
    assert_true(accepts(&verdict));
    assert_string_equal(verdict.candidates[0].number, "4111111111111111");
    assert_ptr_equal(verdict.candidates[0].issuer, &visa);
    assert_string_equal(verdict.best, "4111111111111111");
    assert_string_equal(verdict.grouping, "4-4-4-4");
    assert_true(verdict.clarity > 0.9 && verdict.confidence[15] > 0.9f && verdict.confidence[16] == 0);
}

static void test_nineteen_digits_are_accepted_in_any_usual_grouping(void **state)
{
    (void)state;
    static const char *const texts[] = {"620550 0000000000004", "6205 5000 0000 0000 004",
                                        "6205500000000000004"};
    static const char *const groupings[] = {"6-13", "4-4-4-4-3", "19"};
    for (size_t i = 0; i < 3; i++) {
        struct gk_line_verdict verdict = verdict_of_line(texts[i], 0.9995);
        assert_string_equal(verdict.grouping, groupings[i]);
        assert_string_equal(verdict.candidates[0].number, "6205500000000000004");
        assert_true(verdict.candidates[0].probability > 0.99);
    }
}

static void test_identity_number_may_end_in_x(void **state)
{
    (void)state;
    struct gk_line_verdict verdict = verdict_of_line("11010519491231002X", 0.9999);
    assert_true(accepts(&verdict));
    assert_string_equal(verdict.candidates[0].number, "11010519491231002X");
}

static void test_gap_of_a_bracket_counts_as_one(void **state)
{
    (void)state;
    struct gk_line_verdict verdict = verdict_of_line("102012507 0", 0.9995);
    assert_string_equal(verdict.grouping, "9-1");
    assert_string_equal(verdict.candidates[0].number, "1020125070");
    assert_true(verdict.candidates[0].probability > 0.9);
}

static void test_digit_that_the_check_decided_is_forced(void **state)
{
    (void)state;
    struct gk_digit_matrix matrix;
    struct gk_line_verdict verdict;
    const char *text = "4111 1171 1111 1111";
    rig_draw(&matrix, text, 0.9995);
    rig_doubt(&matrix, text, 6, '1', 0.4);
    start();
    gk_reading_add(&reading, &matrix);
    gk_reading_verdict(&reading, &shelf, &verdict);
    assert_string_equal(verdict.best, "4111117111111111");
    assert_true(verdict.check_failed);
    assert_string_equal(verdict.candidates[0].number, "4111111111111111");
    assert_true(verdict.candidates[0].forced);
    assert_string_equal(verdict.candidates[0].read_as, "4111117111111111");
    assert_true(verdict.confidence[6] < 0.7f && verdict.confidence[5] > 0.9f);
}

static void test_surely_read_number_that_fails_its_check_gets_no_certain_neighbour(void **state)
{
    (void)state;
    struct gk_line_verdict verdict = verdict_of_line("4111 1111 1111 1112", 0.9995);
    assert_true(verdict.check_failed && !verdict.unknown_issuer);
    for (size_t i = 0; i < verdict.count; i++) {
        assert_true(verdict.candidates[i].forced && verdict.candidates[i].probability < 0.9);
    }
}

static void test_unionpay_number_that_fails_luhn_stays_possible(void **state)
{
    (void)state;
    struct gk_line_verdict good = verdict_of_line("6200 0000 0000 0005", 0.9999);
    struct gk_line_verdict bad;
    start();
    for (int i = 0; i < 3; i++) {
        add_line("6200 0000 0000 0006", 0.99999);
    }
    gk_reading_verdict(&reading, &shelf, &bad);
    assert_string_equal(bad.candidates[0].number, "6200000000000006");
    assert_false(bad.candidates[0].forced || bad.check_failed);
    assert_true(bad.candidates[0].probability > 0.5);
    assert_true(accepts(&good) && !accepts(&bad));
}

static void test_lost_digit_makes_no_number_of_another_length(void **state)
{
    (void)state;
    /* 19 digits, one of which was not seen: it leaves a gap. The 18 pass Luhn. */
    struct gk_line_verdict verdict = verdict_of_line("620550000 000000000", 0.9999);
    assert_false(accepts(&verdict));
    verdict = verdict_of_line("6205 5000 00 0 0000 004", 0.9999);
    assert_false(accepts(&verdict));
}

static void test_label_and_date_beside_the_number_are_left_out(void **state)
{
    (void)state;
    struct gk_line_verdict verdict = verdict_of_line("4111 1111 1111 1111    12 29", 0.9995);
    assert_string_equal(verdict.candidates[0].number, "4111111111111111");
    assert_string_equal(verdict.best, "4111111111111111");
    assert_string_equal(verdict.grouping, "4-4-4-4");
    assert_false(verdict.candidates[0].forced);
    assert_true(verdict.candidates[0].probability > 0.98);
    /* With the security code it would have a length that the issuer has as well. */
    verdict = verdict_of_line("6200 0000 0000 0005    123", 0.9999);
    assert_string_equal(verdict.candidates[0].number, "6200000000000005");
    assert_true(verdict.candidates[0].probability > 0.98);
}

static void test_number_within_longer_figures_is_hardly_possible(void **state)
{
    (void)state;
    struct gk_line_verdict verdict = verdict_of_line("7741111111111111117", 0.9995);
    assert_true(verdict.count > 0);
    for (size_t i = 0; i < verdict.count; i++) {
        assert_true(verdict.candidates[i].forced && verdict.candidates[i].probability < 0.1);
    }
}

static void test_decoys_lose_to_the_number_line(void **state)
{
    (void)state;
    static const char *const decoys[] = {"400 820 8820", "12 29", "4111", "2029 08 15", "95588"};
    for (int i = 0; i < 2; i++) {
        struct gk_candidate_list list = {.count = 0};
        struct gk_line_verdict verdict;
        for (size_t j = 0; j < sizeof decoys / sizeof *decoys; j++) {
            start();
            add_line(decoys[j], 0.9999);
            gk_reading_verdict(&reading, i == 0 ? &shelf : &unchecked, &verdict);
            gk_candidates_add(&list, &verdict);
        }
        start();
        add_line("4012 8888 8888 1881", 0.999);
        gk_reading_verdict(&reading, i == 0 ? &shelf : &unchecked, &verdict);
        gk_candidates_add(&list, &verdict);
        assert_string_equal(list.items[0].number, "4012888888881881");
        assert_true(list.items[0].probability > 0.8);
        assert_true(list.count == 1 || list.items[1].probability < 0.8);
    }
}

static void test_without_checks_the_own_string_is_best(void **state)
{
    (void)state;
    struct gk_line_verdict verdict;
    start();
    add_line("4123 4567 8901 2345", 0.9995);
    gk_reading_verdict(&reading, &unchecked, &verdict);
    assert_string_equal(verdict.candidates[0].number, "4123456789012345");
    assert_ptr_equal(verdict.candidates[0].issuer, &visa);
    assert_true(verdict.candidates[0].probability > 0.9 && !verdict.candidates[0].forced);
    assert_false(verdict.check_failed || verdict.unknown_issuer);
}

static void test_framings_that_agree_are_surer_than_one(void **state)
{
    (void)state;
    struct gk_line_verdict one = verdict_of_line("4111 1111 1111 1111", 0.9), all;
    start();
    for (int i = 0; i < 7; i++) {
        add_line("4111 1111 1111 1111", 0.9);
    }
    gk_reading_verdict(&reading, &shelf, &all);
    assert_string_equal(all.candidates[0].number, "4111111111111111");
    assert_true(all.candidates[0].probability > one.candidates[0].probability);
}

static void test_two_framings_that_differ_are_not_certain(void **state)
{
    (void)state;
    struct gk_line_verdict verdict;
    start();
    add_line("4111 1111 1111 1111", 0.9995);
    add_line("4012 8888 8888 1881", 0.9995);
    gk_reading_verdict(&reading, &shelf, &verdict);
    assert_int_equal(verdict.count >= 2, 1);
    assert_true(verdict.candidates[0].probability < 0.7 && verdict.candidates[1].probability > 0.3);
}

static void test_one_wrong_framing_among_seven_does_not_win(void **state)
{
    (void)state;
    struct gk_line_verdict verdict;
    start();
    add_line("4012 8888 8888 1881", 0.9995);
    for (int i = 0; i < 6; i++) {
        add_line("4111 1111 1111 1111", 0.995);
    }
    gk_reading_verdict(&reading, &shelf, &verdict);
    assert_string_equal(verdict.candidates[0].number, "4111111111111111");
    assert_true(verdict.candidates[0].probability > 0.9);
}

static void test_framings_that_see_nothing_take_nothing_away(void **state)
{
    (void)state;
    struct gk_line_verdict verdict;
    start();
    for (int i = 0; i < 6; i++) {
        add_line(i % 2 == 0 ? "                   " : "     11     7      ", 0.999);
    }
    add_line("4111 1111 1111 1111", 0.9995);
    gk_reading_verdict(&reading, &shelf, &verdict);
    assert_true(accepts(&verdict));
    assert_string_equal(verdict.candidates[0].number, "4111111111111111");
}

/* Any number of the issuer, as it is printed. */
static void make_number(char number[GK_NUMBER_SIZE], char printed[GK_NUMBER_SIZE], uint64_t *random)
{
    for (int i = 0; i < 16; i++) {
        number[i] = i == 0 ? '4' : (char)('0' + (int)(rig_random(random) * 10));
    }
    number[16] = '\0';
    for (number[15] = '0'; !gk_rules_check_passes(GUIKA_CHECK_LUHN, number); number[15]++) {
    }
    (void)snprintf(printed, GK_NUMBER_SIZE, "%.4s %.4s %.4s %.4s", number, number + 4, number + 8,
                   number + 12);
}

static void observe(const char *printed, double strength, uint64_t *random)
{
    struct gk_digit_matrix matrix;
    rig_observe(&matrix, printed, strength, random);
    gk_reading_add(&reading, &matrix);
}

static void test_probabilities_are_honest(void **state)
{
    (void)state;
    uint64_t random = 13;
    double expected[2] = {0}, right[2] = {0};
    int count[2] = {0};
    for (int i = 0; i < 400; i++) {
        char number[GK_NUMBER_SIZE], printed[GK_NUMBER_SIZE];
        struct gk_line_verdict verdict;
        make_number(number, printed, &random);
        start();
        observe(printed, i % 2 == 0 ? 3 : 4, &random);
        gk_reading_verdict(&reading, &shelf, &verdict);
        /* Where there is no candidate, this one has the probability 0. */
        const struct gk_candidate *best = &verdict.candidates[0];
        int likely = best->probability >= 0.8;
        count[likely]++;
        expected[likely] += best->probability;
        right[likely] += strcmp(best->number, number) == 0;
        assert_true(!accepts(&verdict) || strcmp(best->number, number) == 0);
    }
    for (int likely = 0; likely < 2; likely++) {
        /* Three standard deviations of 150 lines or more. */
        assert_true(count[likely] >= 120);
        assert_true(fabs(expected[likely] - right[likely]) / count[likely] < (likely ? 0.06 : 0.13));
    }
}

static void test_pictures_say_more_than_framings(void **state)
{
    (void)state;
    uint64_t random = 17;
    double one = 0, two_framings = 0, two_pictures = 0;
    for (int i = 0; i < 60; i++) {
        char number[GK_NUMBER_SIZE], printed[GK_NUMBER_SIZE];
        struct gk_line_verdict verdict;
        make_number(number, printed, &random);
        start();
        observe(printed, 3, &random);
        gk_reading_verdict(&reading, &shelf, &verdict);
        one += verdict.candidates[0].probability;
        gk_reading_next_picture(&reading);
        observe(printed, 3, &random);
        gk_reading_verdict(&reading, &shelf, &verdict);
        two_pictures += verdict.candidates[0].probability;
        reading.pictures[1] = 0;
        gk_reading_verdict(&reading, &shelf, &verdict);
        two_framings += verdict.candidates[0].probability;
    }
    assert_true(one < two_framings && two_framings < two_pictures);
}

static void test_rows_of_a_block_make_one_number(void **state)
{
    (void)state;
    static struct gk_reading rows[4];
    static const char *const texts[] = {"  4111", "1111 ", " 11 11 ", "1111"};
    struct gk_line_verdict verdict;
    for (int i = 0; i < 4; i++) {
        struct gk_digit_matrix matrix;
        memset(&rows[i], 0, sizeof rows[i]);
        rig_draw(&matrix, texts[i], 0.9995);
        gk_reading_add(&rows[i], &matrix);
        gk_reading_add(&rows[i], &matrix);
    }
    rows[2].framing_count = 1;
    gk_reading_join(rows, 4, &reading);
    assert_int_equal(reading.framing_count, 1);
    gk_reading_verdict(&reading, &shelf, &verdict);
    assert_string_equal(verdict.candidates[0].number, "4111111111111111");
    assert_string_equal(verdict.grouping, "4-4-4-4");
    assert_true(accepts(&verdict));
}

/* The column of the `index`th character that is likelier than blank. */
static int column_of(const struct gk_digit_matrix *matrix, int index)
{
    int column = 0;
    for (int seen = 0; column < matrix->columns; column++) {
        bool blank = true;
        for (int class = 1; class < GK_DIGIT_CLASSES; class ++) {
            blank = blank && matrix->log_probability[column][class] < matrix->log_probability[column][0];
        }
        if (!blank && seen++ == index) {
            return column;
        }
    }
    fail_msg("there are not so many characters");
    return column;
}

/* The net makes digits of letters; another reader says what they are, and where they end. */
static void test_letters_stand_before_the_digits(void **state)
{
    (void)state;
    static const struct guika_prefix_range prefixes[] = {{"JE", "JE"}, {"PB", "PB"}};
    static const uint8_t seventeen[] = {17};
    static const char *const groups[] = {"5-4-4-4"};
    static const struct guika_rule rule = {.brand = "rail",
                                           .alphabet = "0123456789JEPB",
                                           .prefixes = prefixes,
                                           .prefix_count = 2,
                                           .lengths = seventeen,
                                           .length_count = 1,
                                           .groupings = groups,
                                           .grouping_count = 1};
    static const struct guika_issuer rail = {.id = "rail", .scheme = "rail", .rules = &rule, .rule_count = 1};
    static const struct guika_issuer *const with_rail[] = {&visa, &unionpay, &rail};
    static const struct gk_candidate_rules rules = {with_rail, 3, false};
    struct gk_digit_matrix matrix;
    struct gk_line_verdict verdict;
    start();
    rig_draw(&matrix, "38301 2345 6789 0123", 0.9999);
    gk_reading_add(&reading, &matrix);
    gk_reading_verdict(&reading, &rules, &verdict);
    assert_true(verdict.count == 0 || verdict.candidates[0].probability < 0.01);
    reading.letters = (struct gk_letters){.count = 2,
                                          .choices = {{"PB", 0.005}, {"JE", 0.99}},
                                          .end = (column_of(&matrix, 2) - 2.0) / matrix.columns};
    gk_reading_verdict(&reading, &rules, &verdict);
    start();
    assert_true(verdict.count > 0);
    assert_string_equal(verdict.candidates[0].number, "JE301234567890123");
    assert_ptr_equal(verdict.candidates[0].issuer, &rail);
    assert_true(verdict.candidates[0].probability > 0.97 && verdict.candidates[0].probability < 0.995);
    assert_false(verdict.candidates[0].forced);
    assert_string_equal(verdict.best, "JE301234567890123");
    assert_false(verdict.unknown_issuer);
}

/* A telephone number and a card's number, eight digits each, are not one of sixteen. */
static void test_figures_far_apart_are_hardly_one_number(void **state)
{
    (void)state;
    struct gk_line_verdict near = verdict_of_line("4111 1111 1111 1111", 0.999),
                           apart = verdict_of_line("4111 1111       1111 1111", 0.999);
    assert_true(near.candidates[0].probability > 0.999);
    assert_true(apart.count == 0 || apart.candidates[0].probability < 0.99);
}

static void test_empty_readings_have_empty_verdicts(void **state)
{
    (void)state;
    struct gk_line_verdict verdict;
    start();
    gk_reading_verdict(&reading, &shelf, &verdict);
    assert_int_equal(verdict.count, 0);
    assert_true(verdict.clarity <= 0 && verdict.best[0] == '\0');
    verdict = verdict_of_line("       ", 1 - 1e-9);
    assert_int_equal(verdict.count, 0);
    assert_false(verdict.check_failed || verdict.unknown_issuer);
}

static void test_garbage_is_never_accepted(void **state)
{
    (void)state;
    uint64_t random = 7;
    for (int i = 0; i < 2000; i++) {
        struct gk_line_verdict verdict;
        struct gk_digit_matrix matrix;
        int framings = i % 10 == 0 ? 3 : 1;
        start();
        for (int f = 0; f < framings; f++) {
            rig_garbage(&matrix, 1 + (int)(rig_random(&random) * 80), 1 + 9 * rig_random(&random), &random);
            gk_reading_add(&reading, &matrix);
        }
        gk_reading_verdict(&reading, i % 2 == 0 ? &shelf : &unchecked, &verdict);
        assert_false(accepts(&verdict));
        double total = 0;
        for (size_t j = 0; j < verdict.count; j++) {
            assert_true(verdict.candidates[j].probability >= 0);
            total += verdict.candidates[j].probability;
        }
        assert_true(total <= 1 + 1e-9 && verdict.clarity >= 0 && verdict.clarity <= 1);
    }
}

static void test_worst_lines_take_bounded_time(void **state)
{
    (void)state;
    uint64_t random = 11;
    struct gk_line_verdict verdict;
    struct timespec from, to;
    start();
    for (int f = 0; f < 7; f++) {
        struct gk_digit_matrix matrix;
        rig_garbage(&matrix, GK_DIGIT_COLUMNS_MOST, f, &random);
        gk_reading_add(&reading, &matrix);
    }
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    gk_reading_verdict(&reading, &shelf, &verdict);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
    /* 25 ms, optimised; the rest is room for sanitizers. */
    assert_true((double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) * 1e-9 < 2.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean_number_is_accepted),
        cmocka_unit_test(test_nineteen_digits_are_accepted_in_any_usual_grouping),
        cmocka_unit_test(test_identity_number_may_end_in_x),
        cmocka_unit_test(test_gap_of_a_bracket_counts_as_one),
        cmocka_unit_test(test_digit_that_the_check_decided_is_forced),
        cmocka_unit_test(test_surely_read_number_that_fails_its_check_gets_no_certain_neighbour),
        cmocka_unit_test(test_unionpay_number_that_fails_luhn_stays_possible),
        cmocka_unit_test(test_lost_digit_makes_no_number_of_another_length),
        cmocka_unit_test(test_label_and_date_beside_the_number_are_left_out),
        cmocka_unit_test(test_number_within_longer_figures_is_hardly_possible),
        cmocka_unit_test(test_decoys_lose_to_the_number_line),
        cmocka_unit_test(test_without_checks_the_own_string_is_best),
        cmocka_unit_test(test_framings_that_agree_are_surer_than_one),
        cmocka_unit_test(test_two_framings_that_differ_are_not_certain),
        cmocka_unit_test(test_one_wrong_framing_among_seven_does_not_win),
        cmocka_unit_test(test_framings_that_see_nothing_take_nothing_away),
        cmocka_unit_test(test_probabilities_are_honest),
        cmocka_unit_test(test_pictures_say_more_than_framings),
        cmocka_unit_test(test_rows_of_a_block_make_one_number),
        cmocka_unit_test(test_letters_stand_before_the_digits),
        cmocka_unit_test(test_figures_far_apart_are_hardly_one_number),
        cmocka_unit_test(test_empty_readings_have_empty_verdicts),
        cmocka_unit_test(test_garbage_is_never_accepted),
        cmocka_unit_test(test_worst_lines_take_bounded_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "core/recognition/decoder.h"
#include "digit_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>
#include <time.h>

static void search(const struct gk_digit_matrix *matrix, struct gk_digit_sheet *ret_sheet,
                   struct gk_decoding *ret_decoding)
{
    gk_digit_sheet_make(matrix, 0, matrix->columns, ret_sheet);
    gk_decoder_search(ret_sheet, ret_decoding);
}

static void test_clean_line_is_decoded(void **state)
{
    (void)state;
    struct gk_digit_matrix matrix;
    struct gk_digit_sheet sheet;
    struct gk_decoding decoding;
    rig_draw(&matrix, "4111 1111 1111 1111", 0.999);
    search(&matrix, &sheet, &decoding);
    assert_string_equal(decoding.items[0].text, "4111111111111111");
    assert_true(decoding.items[0].log_probability > log(0.5));
    rig_draw(&matrix, "11010519491231002X", 0.999);
    search(&matrix, &sheet, &decoding);
    assert_string_equal(decoding.items[0].text, "11010519491231002X");
}

static void test_repeated_column_is_one_character_and_a_blank_parts_two(void **state)
{
    (void)state;
    struct gk_digit_matrix matrix;
    struct gk_digit_sheet sheet;
    struct gk_decoding decoding;
    rig_draw(&matrix, "7", 0.999);
    memcpy(matrix.log_probability[4], matrix.log_probability[3], sizeof *matrix.log_probability);
    search(&matrix, &sheet, &decoding);
    assert_string_equal(decoding.items[0].text, "7");
    rig_draw(&matrix, "77", 0.999);
    search(&matrix, &sheet, &decoding);
    assert_string_equal(decoding.items[0].text, "77");
}

static void test_best_string_sums_its_paths(void **state)
{
    (void)state;
    /* Two columns, blank 0.6 and "1" 0.4: the likeliest path is blank, the likeliest string "1" (0.64). */
    struct gk_digit_sheet sheet = {.count = 2, .share = {{0.6, 0, 0.4}, {0.6, 0, 0.4}}};
    struct gk_decoding decoding;
    gk_decoder_search(&sheet, &decoding);
    assert_int_equal(decoding.count, 1);
    assert_string_equal(decoding.items[0].text, "1");
    assert_true(fabs(exp(decoding.items[0].log_probability) - 0.64) < 1e-12);
    assert_true(fabs(exp(gk_decoder_score(&sheet, "1")) - 0.64) < 1e-12);
    assert_true(fabs(exp(gk_decoder_score(&sheet, "")) - 0.36) < 1e-12);
    assert_true(gk_decoder_score(&sheet, "11") < -1e300);
    assert_true(gk_decoder_score(&sheet, "2") < -1e300);
}

static void test_search_agrees_with_exact_scores(void **state)
{
    (void)state;
    uint64_t random = 1;
    struct gk_digit_matrix matrix;
    struct gk_digit_sheet sheet;
    struct gk_decoding decoding;
    rig_draw(&matrix, "6222 0210 0111 8450", 0.97);
    rig_doubt(&matrix, "6222 0210 0111 8450", 12, '3', 0.45);
    for (int column = 0; column < matrix.columns; column++) {
        matrix.log_probability[column][0] -= (float)(0.01 * rig_random(&random));
    }
    search(&matrix, &sheet, &decoding);
    assert_string_equal(decoding.items[0].text, "6222021001118450");
    assert_string_equal(decoding.items[1].text, "6222021001113450");
    for (size_t i = 0; i < 2; i++) {
        double exact = gk_decoder_score(&sheet, decoding.items[i].text);
        assert_true(exact >= decoding.items[i].log_probability - 1e-9);
        assert_true(exact < decoding.items[i].log_probability + 0.1);
    }
}

static void test_lengths_are_exact(void **state)
{
    (void)state;
    struct gk_digit_sheet sheet = {.count = 2, .share = {{0.5, 0.3, 0.2}, {0.5, 0.3, 0.2}}};
    double share[GK_NUMBER_SIZE];
    gk_decoder_lengths(&sheet, share);
    assert_true(fabs(share[0] - 0.25) < 1e-12);
    assert_true(fabs(share[1] - (0.25 + 0.25 + 0.09 + 0.04)) < 1e-12);
    assert_true(fabs(share[2] - 2 * 0.06) < 1e-12);
    uint64_t random = 9;
    struct gk_digit_matrix matrix;
    struct gk_decoding decoding;
    rig_garbage(&matrix, 4, 3, &random);
    search(&matrix, &sheet, &decoding);
    gk_decoder_lengths(&sheet, share);
    double two = 0;
    for (int i = 0; i < GK_DIGIT_CHARACTERS * GK_DIGIT_CHARACTERS; i++) {
        const char *characters = "0123456789X";
        const char text[3] = {characters[i / GK_DIGIT_CHARACTERS], characters[i % GK_DIGIT_CHARACTERS]};
        two += exp(gk_decoder_score(&sheet, text));
    }
    assert_true(fabs(two - share[2]) < 1e-12);
}

static void test_alignment_places_characters_and_prices_exchanges(void **state)
{
    (void)state;
    uint64_t random = 3;
    struct gk_digit_matrix matrix;
    struct gk_digit_sheet sheet;
    struct gk_paths paths;
    struct gk_alignment alignment;
    rig_draw(&matrix, "6225 76", 0.95);
    gk_digit_sheet_make(&matrix, 0, matrix.columns, &sheet);
    assert_true(gk_decoder_follow(&sheet, "622576", &paths));
    gk_decoder_align(&paths, &alignment);
    assert_int_equal(alignment.length, 6);
    static const double wanted[] = {3, 8, 13, 18, 28, 33};
    for (int i = 0; i < 6; i++) {
        assert_true(fabs(alignment.column[i] - wanted[i]) < 0.5);
    }
    rig_garbage(&matrix, 30, 5, &random);
    gk_digit_sheet_make(&matrix, 0, matrix.columns, &sheet);
    const char *text = "622576";
    assert_true(gk_decoder_follow(&sheet, text, &paths));
    gk_decoder_align(&paths, &alignment);
    for (int place = 0; place < 6; place++) {
        for (int i = 0; i < GK_DIGIT_CHARACTERS; i++) {
            char exchanged[7];
            memcpy(exchanged, text, sizeof exchanged);
            exchanged[place] = "0123456789X"[i];
            double exact = gk_decoder_score(&sheet, exchanged) - alignment.log_probability;
            assert_true(fabs(log(alignment.ratio[place][i]) - exact) < 1e-9);
        }
    }
    assert_false(gk_decoder_follow(&sheet, "", &paths));
}

static void test_a_text_beside_another_scores_as_by_itself(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",          "6",       "622576",  "62576",   "22576",    "62257",     "622",          "576",
        "72257",     "6222576", "6225766", "0622576", "6X2576",   "600576",    "22577",        "766",
        "621111576", "6576",    "111111",  "6225760", "62252576", "622225576", "010101010101", "6277776"};
    uint64_t random = 11;
    struct gk_digit_matrix matrix;
    struct gk_digit_sheet sheet;
    struct gk_paths paths;
    rig_garbage(&matrix, 30, 5, &random);
    gk_digit_sheet_make(&matrix, 0, matrix.columns, &sheet);
    for (size_t i = 1; i < sizeof texts / sizeof *texts; i++) {
        assert_true(gk_decoder_follow(&sheet, texts[i], &paths));
        assert_true(fabs(log(paths.probability) - gk_decoder_score(&sheet, texts[i])) < 1e-9);
        for (size_t j = 0; j < sizeof texts / sizeof *texts; j++) {
            double alone = gk_decoder_score(&sheet, texts[j]);
            assert_true(fabs(gk_decoder_score_beside(&paths, texts[j]) - alone) < 1e-9);
        }
    }
}

static void test_a_text_too_unlikely_is_not_followed(void **state)
{
    (void)state;
    struct gk_digit_matrix matrix;
    struct gk_digit_sheet sheet;
    struct gk_paths paths;
    rig_draw(&matrix, "1", 0.999);
    gk_digit_sheet_make(&matrix, 0, matrix.columns, &sheet);
    assert_false(gk_decoder_follow(&sheet, "12345678901234567890", &paths));
    assert_false(gk_decoder_follow(&sheet, "A", &paths));
    assert_true(gk_decoder_score(&sheet, "A") < -1e300);
}

static void test_blank_and_empty_sheets_have_no_text(void **state)
{
    (void)state;
    struct gk_digit_matrix matrix = {.columns = 0};
    struct gk_digit_sheet sheet;
    struct gk_decoding decoding;
    search(&matrix, &sheet, &decoding);
    assert_int_equal(decoding.count, 0);
    assert_true(gk_decoder_score(&sheet, "1") < -1e300);
    rig_draw(&matrix, "          ", 1 - 1e-9);
    search(&matrix, &sheet, &decoding);
    assert_int_equal(sheet.count, 1);
    assert_int_equal(decoding.count, 0);
}

static void test_values_that_are_no_numbers_count_as_impossible(void **state)
{
    (void)state;
    struct gk_digit_matrix matrix;
    struct gk_digit_sheet sheet;
    struct gk_decoding decoding;
    rig_draw(&matrix, "123456", 0.99);
    for (int i = 0; i < GK_DIGIT_CLASSES; i++) {
        matrix.log_probability[0][i] = NAN;
        matrix.log_probability[1][i] = -INFINITY;
        matrix.log_probability[2][i] = i == 4 ? NAN : matrix.log_probability[2][i];
    }
    search(&matrix, &sheet, &decoding);
    assert_string_equal(decoding.items[0].text, "123456");
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void test_worst_sheets_take_bounded_time(void **state)
{
    (void)state;
    uint64_t random = 5;
    struct gk_digit_matrix matrix;
    struct gk_digit_sheet sheet;
    struct gk_decoding decoding;
    double start = seconds();
    for (int i = 0; i < 8; i++) {
        rig_garbage(&matrix, GK_DIGIT_COLUMNS_MOST, i * 1.5, &random);
        search(&matrix, &sheet, &decoding);
        assert_true(decoding.count > 0);
    }
    /* 2 ms each, optimised; a hundred times that leaves room for sanitizers. */
    assert_true(seconds() - start < 8 * 0.2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean_line_is_decoded),
        cmocka_unit_test(test_repeated_column_is_one_character_and_a_blank_parts_two),
        cmocka_unit_test(test_best_string_sums_its_paths),
        cmocka_unit_test(test_search_agrees_with_exact_scores),
        cmocka_unit_test(test_lengths_are_exact),
        cmocka_unit_test(test_alignment_places_characters_and_prices_exchanges),
        cmocka_unit_test(test_a_text_beside_another_scores_as_by_itself),
        cmocka_unit_test(test_a_text_too_unlikely_is_not_followed),
        cmocka_unit_test(test_blank_and_empty_sheets_have_no_text),
        cmocka_unit_test(test_values_that_are_no_numbers_count_as_impossible),
        cmocka_unit_test(test_worst_sheets_take_bounded_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

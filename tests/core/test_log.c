#include "core/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct gk_log everything = {GK_LOG_DEBUG, "test"};

/* What one call wrote to standard error. */
static char written[4096];

static int capture_begin(FILE **ret_file)
{
    const int saved = dup(STDERR_FILENO);

    *ret_file = tmpfile();
    assert_non_null(*ret_file);
    assert_true(saved >= 0 && dup2(fileno(*ret_file), STDERR_FILENO) >= 0);
    return saved;
}

static void capture_end(FILE *file, int saved)
{
    (void)dup2(saved, STDERR_FILENO);
    (void)close(saved);
    rewind(file);
    const size_t size = fread(written, 1, sizeof written - 1, file);

    written[size] = '\0';
    (void)fclose(file);
}

#define CAPTURE(call)                                                                                        \
    do {                                                                                                     \
        FILE *file_;                                                                                         \
        const int saved_ = capture_begin(&file_);                                                            \
        call;                                                                                                \
        capture_end(file_, saved_);                                                                          \
    } while (0)

static void assert_ends_with(const char *end)
{
    const size_t length = strlen(written);

    if (length < strlen(end) || strcmp(written + length - strlen(end), end) != 0) {
        fail_msg("\"%s\" does not end with \"%s\"", written, end);
    }
}

static size_t lines(void)
{
    size_t count = 0;

    for (const char *at = written; (at = strchr(at, '\n')) != NULL; at++) {
        count++;
    }
    return count;
}

static void test_line_has_time_level_program_event_and_pairs(void **state)
{
    (void)state;
    CAPTURE(gk_log(&everything, GK_LOG_WARNING, "box_added", {"box", "library-1"}, {"by", "first"}));
    assert_memory_equal(written, "time=2", 6);
    assert_ends_with("Z level=warning program=test event=box_added box=library-1 by=first\n");
}

static void test_what_lies_below_the_level_is_not_written(void **state)
{
    const struct gk_log quiet = {GK_LOG_WARNING, "test"};

    (void)state;
    CAPTURE(gk_log(&quiet, GK_LOG_INFO, "noise", {"a", "b"}));
    assert_string_equal(written, "");
    CAPTURE(gk_log(&quiet, GK_LOG_WARNING, "signal", {"a", "b"}));
    assert_int_equal(lines(), 1);
}

static void test_null_value_leaves_its_pair_out(void **state)
{
    (void)state;
    CAPTURE(gk_log(&everything, GK_LOG_INFO, "e", {"a", NULL}, {"b", "c"}));
    assert_ends_with("event=e b=c\n");
}

static void test_runs_of_nine_digits_are_hidden_and_shorter_ones_are_not(void **state)
{
    (void)state;
    CAPTURE(gk_log(&everything, GK_LOG_INFO, "e", {"a", "12345678"}, {"b", "123456789"},
                   {"c", "card6222021234567890x"}));
    assert_ends_with("event=e a=12345678 b=[digits] c=card[digits]x\n");
}

static void test_own_ids_and_keys_are_shown_whole(void **state)
{
    (void)state;
#define ID "0123456789abcdef0123456789abcdef"
    CAPTURE(gk_log(&everything, GK_LOG_INFO, "e", {"id", ID}, {"public", "key:" ID ID}));
    assert_ends_with("event=e id=" ID " public=key:" ID ID "\n");
    /* What is longer, or only ends so, is none. */
    CAPTURE(gk_log(&everything, GK_LOG_INFO, "e", {"a", ID "0"}, {"b", "4111111111111111" ID}));
    assert_ends_with("event=e a=[digits]abcdef[digits]abcdef0 b=[digits]abcdef[digits]abcdef\n");
}

static void test_values_are_quoted_where_they_need_it(void **state)
{
    (void)state;
    CAPTURE(gk_log(&everything, GK_LOG_INFO, "e", {"a", "two words"}, {"b", "say \"hi\""}, {"c", "x=y"},
                   {"d", ""}, {"e", "back\\slash"}));
    assert_ends_with("a=\"two words\" b=\"say \\\"hi\\\"\" c=\"x=y\" d=\"\" e=\"back\\\\slash\"\n");
}

static void test_newline_cannot_forge_a_second_line(void **state)
{
    (void)state;
    CAPTURE(gk_log(&everything, GK_LOG_INFO, "e", {"a", "x\ntime=2026 level=error event=forged"}));
    assert_int_equal(lines(), 1);
    assert_ends_with("a=\"x time=2026 level=error event=forged\"\n");
}

static void test_control_characters_neither_pass_nor_split_a_value(void **state)
{
    (void)state;
    CAPTURE(gk_log(&everything, GK_LOG_INFO, "e", {"a", "x\x1b[31mred"}, {"b", "y\x7fz"}, {"c", "v\x01w"}));
    assert_null(strchr(written, 0x1b));
    assert_ends_with("a=\"x [31mred\" b=\"y z\" c=\"v w\"\n");
}

static void test_utf8_passes_as_it_is(void **state)
{
    (void)state;
    CAPTURE(gk_log(&everything, GK_LOG_INFO, "e", {"a", "归卡"}));
    assert_ends_with("a=归卡\n");
}

static void test_long_line_is_cut_and_still_ends(void **state)
{
    char value[3000];

    (void)state;
    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    CAPTURE(gk_log(&everything, GK_LOG_INFO, "e", {"a", value}, {"b", "c"}));
    assert_int_equal(lines(), 1);
    assert_true(strlen(written) <= 1024);
    assert_int_equal(written[strlen(written) - 1], '\n');
}

static void test_numbers_become_text(void **state)
{
    char text[24];

    (void)state;
    assert_string_equal(gk_log_number(-42, text), "-42");
    assert_string_equal(gk_log_number(INT64_MIN, text), "-9223372036854775808");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_has_time_level_program_event_and_pairs),
        cmocka_unit_test(test_what_lies_below_the_level_is_not_written),
        cmocka_unit_test(test_null_value_leaves_its_pair_out),
        cmocka_unit_test(test_runs_of_nine_digits_are_hidden_and_shorter_ones_are_not),
        cmocka_unit_test(test_own_ids_and_keys_are_shown_whole),
        cmocka_unit_test(test_values_are_quoted_where_they_need_it),
        cmocka_unit_test(test_newline_cannot_forge_a_second_line),
        cmocka_unit_test(test_control_characters_neither_pass_nor_split_a_value),
        cmocka_unit_test(test_utf8_passes_as_it_is),
        cmocka_unit_test(test_long_line_is_cut_and_still_ends),
        cmocka_unit_test(test_numbers_become_text),
    };

    return cmocka_run_group_tests_name("core/log", tests, NULL, NULL);
}

/* Every fault that a plugin may have is found, told, and ends nothing but its own step. */
#include "plugins/sdk/conformance/conformance.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The report of one plugin built to misbehave; free() it. */
static struct gk_conformance_report *check(const char *name, const char *sheet)
{
    char path[256];
    const struct gk_conformance_options options = {
        .file = path, .issuers = GUIKA_BINARY_DIR "/lib/guika/issuers", .sheet = sheet, .cards = 4};
    struct gk_conformance_report *report = calloc(1, sizeof *report);
    assert_non_null(report);
    snprintf(path, sizeof path, "%s/tests/odd/%s/odd.so", GUIKA_BINARY_DIR, name);
    gk_conformance_run(&options, NULL, NULL, report);
    return report;
}

static bool step_says(const struct gk_trial *step, const char *words)
{
    for (size_t i = 0; i < step->finding_count; i++) {
        if (strstr(step->findings[i].text, words) != NULL) {
            return true;
        }
    }
    return false;
}

static void expect_failed(const char *name, enum gk_conformance_step step, const char *words)
{
    struct gk_conformance_report *report = check(name, NULL);
    const struct gk_trial *trial = &report->steps[step];
    assert_int_equal(report->verdict, GK_CONFORMANCE_FAILED);
    assert_int_equal(trial->end, GK_TRIAL_DONE);
    assert_true(gk_trial_failed(trial));
    if (!step_says(trial, words)) {
        fail_msg("%s: \"%s\" does not say \"%s\"", name, trial->findings[0].text, words);
    }
    free(report);
}

static void test_good_plugin_passes_and_its_cards_are_read(void **state)
{
    (void)state;
    char directory[] = "/tmp/guika-sheet-XXXXXX", sheet[64];
    struct stat written;
    assert_non_null(mkdtemp(directory));
    struct gk_conformance_report *report = check("good", directory);
    for (enum gk_conformance_step step = 0; step < GK_STEP_READING; step++) {
        if (report->steps[step].end != GK_TRIAL_DONE || report->steps[step].finding_count > 0) {
            fail_msg("%s: %s", gk_conformance_step_name(step), report->steps[step].findings[0].text);
        }
    }
    /* A reader gives up in time, which comes early under sanitizers: a warning, not more. */
    const struct gk_trial_reading *reading = &report->steps[GK_STEP_READING].reading;
    assert_int_not_equal(report->verdict, GK_CONFORMANCE_FAILED);
    assert_string_equal(report->steps[GK_STEP_DESCRIPTOR].about.id, "odd");
    assert_int_equal(reading->pictures, 4);
    assert_in_range(reading->likeliest_right, 2, 4);
    assert_int_equal(reading->wrong, 0);
    free(report);
    snprintf(sheet, sizeof sheet, "%s/odd.png", directory);
    assert_int_equal(stat(sheet, &written), 0);
    assert_in_range(written.st_size, 10000, 10000000);
    unlink(sheet);
    rmdir(directory);
}

static void test_faults_in_the_data_are_named(void **state)
{
    (void)state;
    expect_failed("outside", GK_STEP_LAYOUTS,
                  "number 0 (left 50.00, top 27.00, 40.00 x 8.00 mm) lies outside");
    expect_failed("twice", GK_STEP_LAYOUTS, "two layouts are called \"front\"");
    expect_failed("example", GK_STEP_RULES, "counter-example 0, 77987654322, is valid by the rule \"odd\"");
}

static void test_grouping_of_no_length_is_a_warning(void **state)
{
    (void)state;
    struct gk_conformance_report *report = check("grouping", NULL);
    assert_int_equal(report->verdict, GK_CONFORMANCE_WARNED);
    assert_true(step_says(&report->steps[GK_STEP_RULES], "grouping 4-4-4 has 12 characters"));
    free(report);
}

static void test_symbols_that_a_plugin_may_not_have_are_named(void **state)
{
    (void)state;
    expect_failed("exports", GK_STEP_SYMBOLS, "exports \"helper\"");
    expect_failed("host", GK_STEP_SYMBOLS, "takes \"gk_rules_check_passes\" from its host");
}

static void test_clash_with_an_issuer_of_the_scheme_is_named(void **state)
{
    (void)state;
    expect_failed("clashes", GK_STEP_CLASHES, "claims 4-4, and so does \"visa\" of iso7812");
}

static void test_impure_and_leaking_hooks_are_found(void **state)
{
    (void)state;
    expect_failed("impure", GK_STEP_HOOK, "accepts is not pure");
#if !defined(__SANITIZE_ADDRESS__) /* whose allocator tells nothing of itself */
    expect_failed("leaks", GK_STEP_HOOK, "accepts leaks");
#endif
}

/* How the hook's step ended; nothing is shown pictures after that. */
static void expect_hook_ended(const char *name, enum gk_trial_end end)
{
    struct gk_conformance_report *report = check(name, NULL);
    const struct gk_trial *hook = &report->steps[GK_STEP_HOOK];
    /* A sanitizer makes an exit of a crash. */
    if (hook->end != end && !(end == GK_TRIAL_CRASHED && hook->end == GK_TRIAL_LEFT)) {
        fail_msg("%s ended as %d", name, (int)hook->end);
    }
    assert_non_null(strstr(hook->doing, "accepts was asked about string"));
    assert_int_equal(report->verdict, GK_CONFORMANCE_FAILED);
    assert_int_equal(report->steps[GK_STEP_RULES].end, GK_TRIAL_DONE);
    assert_int_equal(report->steps[GK_STEP_READING].end, GK_TRIAL_NOT_RUN);
    free(report);
}

static void test_hooks_that_crash_hang_or_leave_are_reported_as_such(void **state)
{
    (void)state;
    expect_hook_ended("crashes", GK_TRIAL_CRASHED);
    expect_hook_ended("hangs", GK_TRIAL_HUNG);
    expect_hook_ended("leaves", GK_TRIAL_LEFT);
}

static void test_hook_that_writes_to_its_string_crashes(void **state)
{
    (void)state;
    struct gk_conformance_report *report = check("writes", NULL);
    /* The examples are constants: the rules' step is the first to see it. */
    assert_int_not_equal(report->steps[GK_STEP_RULES].end, GK_TRIAL_DONE);
    assert_int_not_equal(report->steps[GK_STEP_HOOK].end, GK_TRIAL_DONE);
    assert_int_equal(report->verdict, GK_CONFORMANCE_FAILED);
    free(report);
}

static void test_plugin_that_crashes_while_it_is_loaded_is_reported(void **state)
{
    (void)state;
    struct gk_conformance_report *report = check("loads", NULL);
    assert_int_equal(report->verdict, GK_CONFORMANCE_FAILED);
    assert_true(step_says(&report->steps[GK_STEP_SYMBOLS], "runs code of its own when it is loaded"));
    assert_int_not_equal(report->steps[GK_STEP_DESCRIPTOR].end, GK_TRIAL_DONE);
    assert_string_equal(report->steps[GK_STEP_DESCRIPTOR].doing, "it was being loaded");
    assert_int_equal(report->steps[GK_STEP_READING].end, GK_TRIAL_NOT_RUN);
    free(report);
}

static void test_files_that_are_no_plugins_are_refused(void **state)
{
    (void)state;
    static const char *const files[] = {"/nonexistent.so", "/dev/null", GUIKA_SOURCE_DIR "/LICENSE",
                                        GUIKA_BINARY_DIR "/lib/guika/channels/maildir.so", "/tmp"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        const struct gk_conformance_options options = {
            .file = files[i], .issuers = GUIKA_BINARY_DIR "/lib/guika/issuers", .cards = 1};
        struct gk_conformance_report *report = calloc(1, sizeof *report);
        gk_conformance_run(&options, NULL, NULL, report);
        assert_int_equal(report->verdict, GK_CONFORMANCE_FAILED);
        assert_true(gk_trial_failed(&report->steps[GK_STEP_SYMBOLS]));
        assert_int_equal(report->steps[GK_STEP_READING].end, GK_TRIAL_NOT_RUN);
        free(report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_plugin_passes_and_its_cards_are_read),
        cmocka_unit_test(test_faults_in_the_data_are_named),
        cmocka_unit_test(test_grouping_of_no_length_is_a_warning),
        cmocka_unit_test(test_symbols_that_a_plugin_may_not_have_are_named),
        cmocka_unit_test(test_clash_with_an_issuer_of_the_scheme_is_named),
        cmocka_unit_test(test_impure_and_leaking_hooks_are_found),
        cmocka_unit_test(test_hooks_that_crash_hang_or_leave_are_reported_as_such),
        cmocka_unit_test(test_hook_that_writes_to_its_string_crashes),
        cmocka_unit_test(test_plugin_that_crashes_while_it_is_loaded_is_reported),
        cmocka_unit_test(test_files_that_are_no_plugins_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

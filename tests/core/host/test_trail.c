#include "core/host/trail.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char calm[] = "calm", wild[] = "wild";

static int page_fd = -1; /* the child's */

/* What a reader does until it dies. */
typedef void (*life_fn)(void);

static void load_both(void)
{
    gk_trail_load("/shelf/a-calm.so");
    gk_trail_loaded(calm);
    gk_trail_load("/shelf/b-refused.so");
    gk_trail_loaded(NULL);
    gk_trail_load("/shelf/b-wild.so");
    gk_trail_loaded(wild);
}

static void run(const char *id)
{
    gk_trail_enter(id);
    gk_trail_leave();
}

static void die_in_wild(void)
{
    load_both();
    gk_trail_begin_job();
    run(calm);
    gk_trail_enter(wild);
    abort();
}

static void die_after_wild(void)
{
    load_both();
    gk_trail_begin_job();
    run(calm);
    run(wild);
    abort();
}

static void die_in_a_job_without_plugins(void)
{
    load_both();
    gk_trail_begin_job();
    run(wild);
    gk_trail_end_job();
    gk_trail_begin_job();
    abort();
}

static void die_loading(void)
{
    gk_trail_load("/shelf/a-calm.so");
    gk_trail_loaded(calm);
    gk_trail_load("/shelf/b-wild.so");
    abort();
}

#if !defined(__SANITIZE_ADDRESS__)
static void leak_in_wild(void)
{
    load_both();
    gk_trail_begin_job();
    gk_trail_enter(wild);
    void *memory = malloc((size_t)100 << 20);

    __asm__ volatile("" : : "r"(memory) : "memory");
    gk_trail_leave();
    run(calm);
    abort();
}
#endif

static void stand_in_wild(void)
{
    load_both();
    gk_trail_begin_job();
    run(calm);
    gk_trail_enter(wild);
    usleep(200000);
    _exit(0);
}

static void stand_outside(void)
{
    load_both();
    gk_trail_begin_job();
    run(wild);
    usleep(200000);
    _exit(0);
}

/* A plugin over the whole page. */
static void die_with_garbage(void)
{
    load_both();
    gk_trail_begin_job();
    gk_trail_enter(wild);
    char garbage[65536];

    memset(garbage, 0xee, sizeof garbage);
    if (pwrite(page_fd, garbage, sizeof garbage, 0) < 0) {
        _exit(9);
    }
    abort();
}

static bool blame(life_fn life, bool overdue, char file[GK_TRAIL_FILE_SIZE], char why[GK_TRAIL_WHY_SIZE])
{
    int fd = -1, status = 0;
    struct gk_trail_page *page = gk_trail_make(&fd);
    const pid_t child = fork();

    assert_non_null(page);
    assert_true(child >= 0);
    if (child == 0) {
        (void)signal(SIGABRT, SIG_DFL);
        if (!gk_trail_attach(fd)) {
            _exit(9);
        }
        page_fd = fd;
        life();
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    const struct gk_trail_end end = {.overdue = overdue,
                                     .signal_number = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                                     .exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : 0,
                                     .lease_ms = 2000};
    const bool blamed = gk_trail_blame(page, &end, file, why);

    gk_trail_clear(page);
    assert_false(gk_trail_blame(page, &end, file, why));
    gk_trail_free(page, fd);
    return blamed;
}

static void expect(life_fn life, bool overdue, const char *file, const char *words)
{
    char found[GK_TRAIL_FILE_SIZE] = "", why[GK_TRAIL_WHY_SIZE] = "";

    if (blame(life, overdue, found, why) != (file != NULL)) {
        fail_msg("blamed \"%s\": %s", found, why);
    }
    if (file != NULL) {
        assert_string_equal(found, file);
        assert_non_null(strstr(why, words));
    }
}

static void test_the_plugin_whose_code_ran_is_blamed(void **state)
{
    (void)state;
    expect(die_in_wild, false, "b-wild.so", "died in its accepts() (signal 6");
    expect(die_after_wild, false, "b-wild.so", "right after its accepts()");
    expect(die_loading, false, "b-wild.so", "while it loaded the file");
#if !defined(__SANITIZE_ADDRESS__) /* whose heap says nothing of its size */
    expect(leak_in_wild, false, "b-wild.so", "leaked 1");
#endif
    expect(stand_in_wild, true, "b-wild.so", "did not return");
}

static void test_nobody_is_blamed_for_what_no_plugin_did(void **state)
{
    (void)state;
    expect(die_in_a_job_without_plugins, false, NULL, NULL);
    expect(stand_outside, true, NULL, NULL);
}

static void test_garbage_on_the_page_names_no_file_and_breaks_nothing(void **state)
{
    char file[GK_TRAIL_FILE_SIZE] = "", why[GK_TRAIL_WHY_SIZE];

    (void)state;
    (void)blame(die_with_garbage, false, file, why);
    assert_true(strnlen(file, sizeof file) < sizeof file);
    (void)blame(die_with_garbage, true, file, why);
    assert_true(strnlen(file, sizeof file) < sizeof file);
}

static void test_without_a_page_nothing_happens(void **state)
{
    (void)state;
    assert_false(gk_trail_attach(0));
    load_both();
    gk_trail_begin_job();
    run(wild);
    assert_false(gk_trail_has_run());
    gk_trail_end_job();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_plugin_whose_code_ran_is_blamed),
        cmocka_unit_test(test_nobody_is_blamed_for_what_no_plugin_did),
        cmocka_unit_test(test_garbage_on_the_page_names_no_file_and_breaks_nothing),
        cmocka_unit_test(test_without_a_page_nothing_happens),
    };

    return cmocka_run_group_tests_name("core/host/trail", tests, NULL, NULL);
}

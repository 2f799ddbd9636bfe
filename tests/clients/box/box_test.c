/* guika-box as a process, against a service in this one. */
#include "tests/clients/c/scratch.h"
#include "tests/clients/service.h"

#include "clients/box/deposit_id.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define PATH_SIZE (GK_SCRATCH_PATH_SIZE + 16)
#define MAX_ARGUMENTS 24

extern char **environ;

struct fixture {
    struct gk_test_service *service;
    char path[GK_SCRATCH_PATH_SIZE];
    char camera[PATH_SIZE], spool[PATH_SIZE], token[PATH_SIZE], output[PATH_SIZE];
    pid_t box;
};

static const char jpeg[] =
    "\xff\xd8\xff\xe0\x00\x10JFIF and the rest of a picture that stays in the box's hands only shortly";

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    gk_scratch_make(fixture->path);
    (void)snprintf(fixture->camera, PATH_SIZE, "%s/camera", fixture->path);
    (void)snprintf(fixture->spool, PATH_SIZE, "%s/spool", fixture->path);
    (void)snprintf(fixture->token, PATH_SIZE, "%s/token", fixture->path);
    (void)snprintf(fixture->output, PATH_SIZE, "%s/output", fixture->path);
    assert_int_equal(mkdir(fixture->camera, 0700), 0);
    gk_scratch_write(fixture->path, "token", "box-token\n", 10);
    fixture->service = gk_test_service_new();
    gk_test_service_start(fixture->service);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    if (fixture->box > 0) {
        (void)kill(fixture->box, SIGKILL);
        (void)waitpid(fixture->box, NULL, 0);
    }
    gk_test_service_free(fixture->service);
    gk_scratch_remove(fixture->path);
    free(fixture);
    return 0;
}

/* Starts guika-box with these further arguments, up to NULL. */
static void start_box(struct fixture *fixture, ...)
{
    char *arguments[MAX_ARGUMENTS] = {
        "guika-box",     "--server",     (char *)(uintptr_t)gk_test_service_url(fixture->service),
        "--token-file",  fixture->token, "--camera",
        fixture->camera, "--spool",      fixture->spool};
    int count = 9;
    va_list more;
    posix_spawn_file_actions_t actions;

    va_start(more, fixture);
    for (char *argument; (argument = va_arg(more, char *)) != NULL && count < MAX_ARGUMENTS - 1;) {
        arguments[count++] = argument;
    }
    va_end(more);
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, 1, fixture->output, O_WRONLY | O_CREAT | O_APPEND, 0600);
    (void)posix_spawn_file_actions_adddup2(&actions, 1, 2);
    assert_int_equal(
        posix_spawn(&fixture->box, GUIKA_BINARY_DIR "/bin/guika-box", &actions, NULL, arguments, environ), 0);
    (void)posix_spawn_file_actions_destroy(&actions);
}

static int end_box(struct fixture *fixture, int signal_number)
{
    int status = 0;

    if (signal_number != 0) {
        (void)kill(fixture->box, signal_number);
    }
    assert_int_equal(waitpid(fixture->box, &status, 0), fixture->box);
    fixture->box = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool output_has(const struct fixture *fixture, const char *text)
{
    size_t size = 0;

    if (access(fixture->output, R_OK) != 0) {
        return false;
    }
    uint8_t *output = gk_scratch_read(fixture->path, "output", &size);
    const bool found = strstr((char *)output, text) != NULL;

    free(output);
    return found;
}

static bool wait_for_output(const struct fixture *fixture, const char *text)
{
    const struct timespec pause = {.tv_nsec = 20000000};

    for (int i = 0; i < 1000 && !output_has(fixture, text); i++) {
        (void)nanosleep(&pause, NULL);
    }
    return output_has(fixture, text);
}

static void drop(const struct fixture *fixture, const char *name)
{
    char picture[sizeof jpeg + 64];
    const int size = snprintf(picture, 64, "%s", name);

    memcpy(picture + size, jpeg, sizeof jpeg);
    gk_scratch_write(fixture->camera, name, picture, (size_t)size + sizeof jpeg);
}

static void assert_entry_begins(struct fixture *fixture, size_t index, const char *verb, const char *stem,
                                const char *end)
{
    char entry[192] = "";
    char middle[64];

    assert_true(gk_test_service_entry(fixture->service, index, entry, sizeof entry));
    (void)snprintf(middle, sizeof middle, "-%s-", stem);
    assert_memory_equal(entry, verb, strlen(verb));
    assert_non_null(strstr(entry, middle));
    assert_string_equal(entry + strlen(entry) - strlen(end), end);
}

static void test_once_takes_what_is_there_and_ends(void **state)
{
    struct fixture *fixture = *state;

    drop(fixture, "a.jpg");
    drop(fixture, "b.png");
    drop(fixture, "notes.txt");
    start_box(fixture, "--once", NULL);
    assert_int_equal(end_box(fixture, 0), 0);
    assert_int_equal(gk_test_service_count(fixture->service), 4);
    assert_entry_begins(fixture, 0, "deposit ", "a", " 1");
    assert_entry_begins(fixture, 1, "confirm ", "a", " 1 1 N01");
    assert_entry_begins(fixture, 3, "confirm ", "b", " 1 1 N02");
    assert_int_equal(gk_scratch_count(fixture->camera, ".jpg") + gk_scratch_count(fixture->camera, ".png"),
                     0);
    assert_int_equal(gk_scratch_count(fixture->camera, ".txt"), 1);
    assert_true(output_has(fixture, "finder: Thank you. The card is kept."));
    assert_true(output_has(fixture, "[N01] [N02]  N03"));
}

static void test_the_same_file_again_is_the_same_deposit(void **state)
{
    struct fixture *fixture = *state;
    char first[192], second[192];

    for (int round = 0; round < 2; round++) {
        drop(fixture, "a.jpg");
        start_box(fixture, "--once", "--quiet", NULL);
        assert_int_equal(end_box(fixture, 0), 0);
    }
    assert_true(gk_test_service_entry(fixture->service, 1, first, sizeof first));
    assert_true(gk_test_service_entry(fixture->service, 3, second, sizeof second));
    assert_string_equal(first, second); /* the same id and the same compartment */
    assert_false(output_has(fixture, "[N01]"));
}

static void test_a_folder_is_one_card_and_meets_more_frames(void **state)
{
    struct fixture *fixture = *state;
    char folder[PATH_SIZE + 16];

    gk_test_service_decide(fixture->service, 3, 1);
    start_box(fixture, NULL);
    assert_true(wait_for_output(fixture, "line          up"));
    (void)snprintf(folder, sizeof folder, "%s/two-sides", fixture->camera);
    assert_int_equal(mkdir(folder, 0700), 0);
    gk_scratch_write(folder, "1-front-left.jpg", jpeg, sizeof jpeg);
    gk_scratch_write(folder, "2-front-right.jpg", jpeg, sizeof jpeg);
    gk_scratch_write(folder, "3-back-left.jpg", jpeg, sizeof jpeg);
    gk_scratch_write(folder, "ready", "", 0);
    assert_true(gk_test_service_wait(fixture->service, 3));
    assert_true(wait_for_output(fixture, "finder: Thank you. The card is kept."));
    assert_int_equal(end_box(fixture, SIGTERM), 0);
    assert_entry_begins(fixture, 0, "deposit ", "two-sides", " 2"); /* one front, one back */
    assert_entry_begins(fixture, 1, "add ", "two-sides", " 7 1");   /* the frame not shown yet */
    assert_entry_begins(fixture, 2, "confirm ", "two-sides", " 1 1 N01");
    assert_int_not_equal(access(folder, F_OK), 0);
}

static void test_the_box_works_through_the_services_absence(void **state)
{
    struct fixture *fixture = *state;

    start_box(fixture, NULL);
    assert_true(wait_for_output(fixture, "line          up"));
    gk_test_service_stop(fixture->service);
    drop(fixture, "lost.jpg");
    assert_true(wait_for_output(fixture, "compartment D01, difficult zone, waits in the spool"));
    assert_int_equal(gk_scratch_count(fixture->camera, ".jpg"), 0);
    assert_false(gk_scratch_contains(fixture->path, jpeg, 10));
    assert_int_equal(end_box(fixture, SIGTERM), 0); /* a power cut in between */
    start_box(fixture, NULL);
    gk_test_service_start(fixture->service);
    assert_true(gk_test_service_wait(fixture->service, 2));
    assert_true(wait_for_output(fixture, "late decision on "));
    assert_true(wait_for_output(fixture, "the card lies in D01"));
    drop(fixture, "next.jpg");
    assert_true(gk_test_service_wait(fixture->service, 4));
    assert_int_equal(end_box(fixture, SIGINT), 0);
    assert_entry_begins(fixture, 0, "replay-deposit ", "lost", "");
    assert_entry_begins(fixture, 1, "replay-confirm ", "lost", " 1");
    assert_entry_begins(fixture, 3, "confirm ", "next", " 1 1 N01");
    assert_int_equal(gk_scratch_count(fixture->spool, ".deposit"), 0);
}

static void test_a_full_zone_gives_the_card_back(void **state)
{
    struct fixture *fixture = *state;

    drop(fixture, "a.jpg");
    drop(fixture, "b.jpg");
    start_box(fixture, "--once", "--compartments", "1", NULL);
    assert_int_equal(end_box(fixture, 0), 0);
    assert_entry_begins(fixture, 3, "confirm ", "b", " 4 0 ");
    assert_true(output_has(fixture, "finder: Please take the card back."));
}

static void test_a_refused_box_gives_back_and_fails(void **state)
{
    struct fixture *fixture = *state;

    drop(fixture, "a.jpg");
    gk_test_service_fail(fixture->service, GK_PERMISSION_DENIED, 1);
    start_box(fixture, "--once", NULL);
    assert_int_equal(end_box(fixture, 0), 1);
    assert_true(output_has(fixture, "finder: Please take the card back."));
    assert_int_equal(gk_scratch_count(fixture->camera, ".jpg"), 0);
}

static void test_wrong_usage_is_said_and_ends_with_2(void **state)
{
    struct fixture *fixture = *state;

    start_box(fixture, "--compartments", "many", NULL);
    assert_int_equal(end_box(fixture, 0), 2);
    assert_true(output_has(fixture, "from 0 to 999, not \"many\""));
    start_box(fixture, "--help", NULL);
    assert_int_equal(end_box(fixture, 0), 0);
    gk_scratch_write(fixture->path, "box.conf", "server = \"x\"\nspeed = 3\n", 23);
    char conf[PATH_SIZE];

    (void)snprintf(conf, sizeof conf, "%s/box.conf", fixture->path);
    start_box(fixture, "--config", conf, NULL);
    assert_int_equal(end_box(fixture, 0), 2);
    assert_true(output_has(fixture, "box.conf:2: not understood"));
}

static void test_a_stem_never_shows_a_whole_number(void **state)
{
    char stem[GK_STEM_SIZE];

    (void)state;
    gk_card_stem("4111-1111-1111-1111.jpg", stem);
    assert_string_equal(stem, "xxxx-xxxx-xxxx-1111");
    gk_card_stem("card 0001.jpg", stem);
    assert_string_equal(stem, "card_0001");
    gk_card_stem("a-name-that-is-much-longer-than-thirty-two-characters-4111111111111111.jpg", stem);
    assert_string_equal(stem, "a-name-that-is-much-longer-than-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_once_takes_what_is_there_and_ends, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_same_file_again_is_the_same_deposit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_folder_is_one_card_and_meets_more_frames, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_box_works_through_the_services_absence, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_full_zone_gives_the_card_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_refused_box_gives_back_and_fails, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_usage_is_said_and_ends_with_2, set_up, tear_down),
        cmocka_unit_test(test_a_stem_never_shows_a_whole_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

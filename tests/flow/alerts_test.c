/* A box that is full and one that falls silent: the operator is written to, once, over restarts of the
 * service. */
#include "tests/flow/service.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { WAIT_MS = 20000 };

struct world {
    struct gk_test_service service;
    pid_t box;
    unsigned metrics_port;
    char token_file[96], operator_file[96], camera[96], spool[96], log[96], keypad[96];
    struct gk_test_picture picture;
};

static void wait_for_words(const char *file, const char *words, size_t times)
{
    for (unsigned waited = 0; gk_test_occurrences(file, words) < times; waited += 20) {
        if (waited >= WAIT_MS) {
            fail_msg("%s never said \"%s\" %zu times", file, words, times);
        }
        gk_test_sleep_ms(20);
    }
}

static void box_start(struct world *world)
{
    const char *arguments[] = {GK_TEST_PROGRAM("guika-box"),
                               "--server",
                               world->service.url,
                               "--token-file",
                               world->token_file,
                               "--camera",
                               world->camera,
                               "--spool",
                               world->spool,
                               "--difficult",
                               "2",
                               "--keypad",
                               world->keypad,
                               "--quiet",
                               NULL};
    const size_t before = gk_test_occurrences(world->log, "  up");

    world->box = gk_test_spawn(world->log, arguments);
    wait_for_words(world->log, "  up", before + 1);
}

static void box_stop(const struct world *world)
{
    assert_int_equal(kill(world->box, SIGTERM), 0);
    assert_int_equal(gk_test_wait(world->box, WAIT_MS), 0);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    char token[GK_TEST_TOKEN_SIZE];
    const char *directory;

    gk_test_service_make(&world->service, 1);
    world->metrics_port = gk_test_free_port();
    gk_test_service_configure(&world->service,
                              "listen = {\"%s\"}\ncache_mib = 8\nheartbeat_seconds = 1\n"
                              "metrics = \"http://127.0.0.1:%u\"\n"
                              "readers { count = 1 }\n"
                              "alerts { to = \"smtp:operator@library.example\" }\n"
                              "channel \"smtp\" {\n    plugin = \"maildir\"\n    path = \"%s\"\n"
                              "    from = \"Guika <no-reply@guika.example>\"\n}\n",
                              world->service.url, world->metrics_port, world->service.maildir);
    gk_test_service_start(&world->service);
    directory = world->service.directory;
    gk_test_add_box(&world->service, "library-1", token);
    world->picture = gk_test_mint_misprint(77);
    (void)snprintf(world->token_file, sizeof world->token_file, "%s/box.token", directory);
    (void)snprintf(world->operator_file, sizeof world->operator_file, "%s/op.token", directory);
    (void)snprintf(world->camera, sizeof world->camera, "%s/camera", directory);
    (void)snprintf(world->spool, sizeof world->spool, "%s/box", directory);
    (void)snprintf(world->log, sizeof world->log, "%s/box.log", directory);
    (void)snprintf(world->keypad, sizeof world->keypad, "%s/keypad", directory);
    assert_int_equal(mkdir(world->camera, 0700), 0);
    gk_test_write_file(world->token_file, token, strlen(token));
    gk_test_write_file(world->operator_file, world->service.operator_token,
                       strlen(world->service.operator_token));
    box_start(world);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    box_stop(world);
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    (void)gk_test_verify_audit(&world->service);
    gk_test_service_remove(&world->service);
    free(world->picture.data);
    free(world);
    return 0;
}

/* A line of the shell, with guika's options for the operator in $as; its output holds `words`. */
static bool says(const struct world *world, const char *line, const char *words)
{
    char script[1024];
    const char *arguments[] = {"/bin/sh", "-c", script, NULL};

    (void)snprintf(
        script, sizeof script, "as='--server %s --token-file %s'; guika() { %s \"$@\"; }; port=%u; %s",
        world->service.url, world->operator_file, GK_TEST_PROGRAM("guika"), world->metrics_port, line);
    struct gk_test_run run = gk_test_run(arguments);
    const bool found = strstr(run.output, words) != NULL;

    gk_test_run_clear(&run);
    return found;
}

static void await(const struct world *world, const char *line, const char *words)
{
    for (unsigned waited = 0; !says(world, line, words); waited += 100) {
        if (waited >= WAIT_MS) {
            fail_msg("%s never said %s", line, words);
        }
        gk_test_sleep_ms(100);
    }
}

static void assert_mailed(const struct world *world, size_t count, const char *subject)
{
    assert_true(gk_test_mail_wait(&world->service, count, WAIT_MS));
    char *text = gk_test_mail_text(&world->service);

    if (strstr(text, subject) == NULL || strstr(text, "operator@library.example") == NULL) {
        fail_msg("no mail \"%s\" in %s", subject, text);
    }
    free(text);
    assert_int_equal(gk_test_mail_count(&world->service), count);
}

/* --- tests, in this order --- */

static void test_full_zone_is_told_of(void **state)
{
    struct world *world = *state;
    char path[PATH_MAX];

    await(world, "guika box list --json $as", "\"state\":[\"OK\"]");
    for (unsigned i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof path, "%s/card-%u.jpg", world->camera, i);
        world->picture.data[world->picture.size - 3] ^= (uint8_t)i; /* two deposits of two pictures */
        gk_test_write_file(path, world->picture.data, world->picture.size);
        wait_for_words(world->log, "kept: compartment", i + 1);
    }
    assert_mailed(world, 1, "Box library-1 is full");
    assert_true(says(world, "guika box list $as", "DIFFICULT_FULL"));
    wait_for_words(world->service.log, "event=box_alert ", 1);
}

static void test_silent_box_is_told_of(void **state)
{
    struct world *world = *state;

    box_stop(world);
    assert_mailed(world, 2, "Box library-1 is silent");
    assert_true(says(world, "guika box list --json $as", "\"state\":[\"SILENT\",\"DIFFICULT_FULL\"]"));
    assert_true(
        says(world, "curl -s http://127.0.0.1:$port/metrics", "guika_box_silent{box=\"library-1\"} 1"));
    assert_true(says(world, "curl -s http://127.0.0.1:$port/metrics",
                     "guika_box_full{box=\"library-1\",zone=\"difficult\"} 1"));
}

static void test_restart_of_the_service_repeats_nothing(void **state)
{
    struct world *world = *state;

    assert_int_equal(gk_test_service_stop(&world->service, SIGKILL), 128 + SIGKILL);
    gk_test_service_start(&world->service);
    gk_test_sleep_ms(4500); /* longer than a box may be silent */
    assert_int_equal(gk_test_mail_count(&world->service), 2);
    assert_true(says(world, "guika box list --json $as", "\"state\":[\"SILENT\",\"DIFFICULT_FULL\"]"));
}

static void test_what_is_over_is_told_of_once(void **state)
{
    struct world *world = *state;
    char line[256];

    box_start(world);
    assert_mailed(world, 3, "Box library-1 speaks again");
    (void)snprintf(line, sizeof line, "echo 'service bag-1 %s' > %s", world->service.operator_token,
                   world->keypad);
    (void)says(world, line, "");
    wait_for_words(world->log, "2 cards are in bag bag-1", 1);
    assert_mailed(world, 4, "Box library-1 has room again");
    await(world, "guika box list --json $as", "\"state\":[\"OK\"]");
    assert_true(
        says(world, "curl -s http://127.0.0.1:$port/metrics", "guika_box_silent{box=\"library-1\"} 0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_full_zone_is_told_of),
        cmocka_unit_test(test_silent_box_is_told_of),
        cmocka_unit_test(test_restart_of_the_service_repeats_nothing),
        cmocka_unit_test(test_what_is_over_is_told_of_once),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* A backup of a service at work, put back into a service at work and into one that does not run, with the
 * real programs: what was acknowledged before the backup is there again, and works. */
#include "tests/flow/service.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct world {
    struct gk_test_service service;
    char token_file[96];
    char backup[96];
    char issuer[GK_TEST_TOKEN_SIZE];
    char box_token[GK_TEST_TOKEN_SIZE];
    struct gk_rpc_client *box;
    struct gk_test_holder holder;
    struct gk_test_picture known;
    struct gk_test_picture stranger;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    char number[40];

    gk_test_service_make(&world->service, 1);
    gk_test_service_start(&world->service);
    (void)snprintf(world->token_file, sizeof world->token_file, "%s/service/operator.token",
                   world->service.directory);
    (void)snprintf(world->backup, sizeof world->backup, "%s/backup", world->service.directory);
    gk_test_add_issuer(&world->service, "bank", "iso7812", world->issuer);
    gk_test_add_box(&world->service, "box-1", world->box_token);
    world->box = gk_test_client(&world->service, world->box_token);
    world->holder = (struct gk_test_holder){.scheme = "iso7812",
                                            .language = "en",
                                            .holder_id = "holder",
                                            .contact = "smtp:holder@holders.example"};
    world->known = gk_test_mint_card(42, world->holder.number);
    world->stranger = gk_test_mint_card(43, number);
    gk_test_import(&world->service, world->issuer, "one", &world->holder, 1);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    gk_rpc_client_close(world->box);
    gk_test_service_remove(&world->service);
    free(world->known.data);
    free(world->stranger.data);
    free(world);
    return 0;
}

/* Runs `guika WORD DIR`. */
static struct gk_test_run call(const struct world *world, const char *word, const char *directory)
{
    const char *arguments[] = {
        GK_TEST_PROGRAM("guika"), word,           directory,         "--config", "/dev/null", "--server",
        world->service.url,       "--token-file", world->token_file, NULL};

    return gk_test_run(arguments);
}

static void must_call(const struct world *world, const char *word, const char *directory)
{
    struct gk_test_run run = call(world, word, directory);

    if (run.exit_status != 0) {
        fail_msg("guika %s: %s", word, run.errors);
    }
    gk_test_run_clear(&run);
}

static void refused(const struct world *world, const char *word, const char *directory, const char *why)
{
    struct gk_test_run run = call(world, word, directory);

    assert_int_equal(run.exit_status, 1);
    if (strstr(run.errors, why) == NULL) {
        fail_msg("guika %s: \"%s\" does not say \"%s\"", word, run.errors, why);
    }
    gk_test_run_clear(&run);
}

static void drop(struct world *world, const char *deposit_id, const struct gk_test_picture *picture)
{
    guika_v1_DepositResponse response = {0};
    struct gk_error error = {0};

    if (gk_test_deposit(world->box, deposit_id, picture, &response, &error) != GK_OK) {
        fail_msg("deposit %s: %s", deposit_id, error.message);
    }
    gk_test_confirm_stored(world->box, deposit_id, response.zone);
}

static size_t found(const struct world *world)
{
    size_t count = 0;

    free(gk_test_found(&world->service, &count));
    return count;
}

/* Waits until guikad has begun anew and serves. */
static void await_restart(struct world *world)
{
    char place[PATH_MAX];

    for (int i = 0; i < 1000; i++) {
        if (gk_test_files_with(world->service.log, "event=restored", 14, place) > 0 &&
            gk_test_occurrences(world->service.log, "event=serving") == 2 &&
            gk_test_occurrences(world->service.log, "event=shelf") >= 2) {
            gk_rpc_client_close(world->box);
            world->box = gk_test_client(&world->service, world->box_token);
            return;
        }
        gk_test_sleep_ms(20);
    }
    fail_msg("guikad did not begin anew; see %s", world->service.log);
}

/* No key file's bytes are anywhere in the backup. */
static void assert_without_keys(const struct world *world)
{
    static const char *const names[] = {"index.key", "seal.key", "spool.key", "token.key"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[PATH_MAX];
        char place[PATH_MAX];
        size_t size = 0;

        (void)snprintf(path, sizeof path, "%s/service/keys/%s", world->service.directory, names[i]);
        char *key = gk_test_read_file(path, &size);

        assert_int_equal(size, 32);
        assert_int_equal(gk_test_files_with(world->backup, key, size, place), 0);
        free(key);
    }
}

static void test_running_service_is_backed_up_and_put_back(void **state)
{
    struct world *world = *state;

    drop(world, "before-1", &world->known);
    drop(world, "before-2", &world->stranger);
    assert_true(gk_test_mail_wait(&world->service, 1, 20000));
    must_call(world, "backup", world->backup);
    assert_without_keys(world);
    drop(world, "after-1", &world->known);
    assert_int_equal(found(world), 3);

    must_call(world, "restore", world->backup);
    await_restart(world);
    assert_int_equal(found(world), 2);
    /* It serves on: box, issuer and registry are those of the backup. */
    drop(world, "after-2", &world->known);
    assert_int_equal(found(world), 3);
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    (void)gk_test_verify_audit(&world->service);
}

static void test_backup_holds_what_was_acknowledged_while_it_was_made(void **state)
{
    struct world *world = *state;
    char line[512];
    char log[128];

    /* The boxes do not wait for a backup. */
    (void)snprintf(line, sizeof line, "%s backup %s --config /dev/null --server %s --token-file %s",
                   GK_TEST_PROGRAM("guika"), world->backup, world->service.url, world->token_file);
    (void)snprintf(log, sizeof log, "%s/backup.log", world->service.directory);
    const char *arguments[] = {"/bin/sh", "-c", line, NULL};

    drop(world, "d-0", &world->known);
    const pid_t backup = gk_test_spawn(log, arguments);
    size_t dropped = 1;

    for (int ended = -1; ended < 0; dropped++) {
        char id[16];

        (void)snprintf(id, sizeof id, "d-%zu", dropped);
        drop(world, id, &world->known);
        ended = gk_test_wait(backup, 1);
        assert_true(ended <= 0);
    }
    must_call(world, "restore", world->backup);
    await_restart(world);
    assert_in_range(found(world), 1, dropped);
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    (void)gk_test_verify_audit(&world->service);
}

static void test_backup_is_put_back_where_no_service_runs(void **state)
{
    struct world *world = *state;
    char configuration[128];
    char data[128];
    const char *restore[] = {
        GK_TEST_PROGRAM("guikad"), "--config", configuration, "--restore", world->backup, NULL};

    (void)snprintf(configuration, sizeof configuration, "%s/service/guikad.conf", world->service.directory);
    (void)snprintf(data, sizeof data, "%s/service/data", world->service.directory);
    drop(world, "before", &world->known);
    must_call(world, "backup", world->backup);
    struct gk_test_run run = gk_test_run(restore);

    assert_int_equal(run.exit_status, 1); /* a service runs on the data */
    gk_test_run_clear(&run);
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    const char *lose[] = {"/bin/rm", "-rf", data, NULL};

    run = gk_test_run(lose);
    gk_test_run_clear(&run);
    run = gk_test_run(restore);
    if (run.exit_status != 0) {
        fail_msg("guikad --restore: %s", run.errors);
    }
    gk_test_run_clear(&run);
    gk_test_service_start(&world->service);
    assert_int_equal(found(world), 1);
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    (void)gk_test_verify_audit(&world->service);
}

static void test_bad_folders_and_other_keys_are_refused(void **state)
{
    struct world *world = *state;
    char data[128];

    must_call(world, "backup", world->backup);
    refused(world, "backup", world->backup, "is there already");
    (void)snprintf(data, sizeof data, "%s/service/data/backup", world->service.directory);
    refused(world, "backup", data, "outside the data");
    refused(world, "restore", world->service.directory, "no whole backup");
    (void)snprintf(data, sizeof data, "%s/backup", world->backup);
    static const char other[] =
        "guika backup 1\nmade_at_ms 1700000000000\nkey_check 00112233445566778899aabbccddeeff\nkey_epoch 1\n";

    gk_test_write_file(data, other, sizeof other - 1);
    refused(world, "restore", world->backup, "other keys");
    assert_int_equal(found(world), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_running_service_is_backed_up_and_put_back),
        TEST(test_backup_holds_what_was_acknowledged_while_it_was_made),
        TEST(test_backup_is_put_back_where_no_service_runs),
        TEST(test_bad_folders_and_other_keys_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

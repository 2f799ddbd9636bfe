/* A box whose line is down, over real processes: holders collect by grants, and both sides agree afterwards.
 */
#include "tests/flow/service.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { CARDS = 5, WAIT_MS = 20000, POWER_CUT_STATUS = 9, CLOSED_PORT = 9 };

struct ready {
    char case_number[10];
    char code[9];
};

struct world {
    struct gk_test_service service;
    pid_t box;
    char token_file[96], operator_file[96], issuer_file[96], camera[96], spool[96], log[96], keypad[96];
    struct gk_test_picture pictures[CARDS];
    struct gk_test_holder holders[CARDS];
    struct ready ready[CARDS];
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

/* A box with the line, or one that calls where nobody listens. */
static void box_start(struct world *world, bool with_line)
{
    char nobody[64];
    const char *words = with_line ? "  up" : "  down";
    const size_t before = gk_test_occurrences(world->log, words);

    (void)snprintf(nobody, sizeof nobody, "tcp://127.0.0.1:%d", CLOSED_PORT);
    const char *arguments[] = {GK_TEST_PROGRAM("guika-box"),
                               "--server",
                               with_line ? world->service.url : nobody,
                               "--token-file",
                               world->token_file,
                               "--camera",
                               world->camera,
                               "--spool",
                               world->spool,
                               "--keypad",
                               world->keypad,
                               "--quiet",
                               NULL};

    world->box = gk_test_spawn(world->log, arguments);
    wait_for_words(world->log, words, before + 1);
}

static void box_stop(const struct world *world)
{
    assert_int_equal(kill(world->box, SIGTERM), 0);
    assert_int_equal(gk_test_wait(world->box, WAIT_MS), 0);
}

static void line_down(struct world *world)
{
    box_stop(world);
    box_start(world, false);
}

static void line_up(struct world *world)
{
    box_stop(world);
    box_start(world, true);
}

static void add_cards(struct world *world, const char *issuer)
{
    for (unsigned i = 0; i < CARDS; i++) {
        struct gk_test_holder *holder = &world->holders[i];

        world->pictures[i] = gk_test_mint_card(700 + i, holder->number);
        holder->scheme = "iso7812";
        holder->language = "en";
        (void)snprintf(holder->holder_id, sizeof holder->holder_id, "h%u", i);
        (void)snprintf(holder->contact, sizeof holder->contact, "smtp:h%u@holders.example", i);
    }
    gk_test_import(&world->service, issuer, "all", world->holders, CARDS);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    char token[GK_TEST_TOKEN_SIZE];
    char issuer[GK_TEST_TOKEN_SIZE];
    const char *directory;

    gk_test_service_make(&world->service, 1);
    gk_test_service_configure(&world->service,
                              "listen = {\"%s\"}\ncache_mib = 8\nheartbeat_seconds = 1\n"
                              "readers { count = 1 }\n"
                              "channel \"smtp\" {\n    plugin = \"maildir\"\n    path = \"%s\"\n"
                              "    from = \"Guika <no-reply@guika.example>\"\n}\n",
                              world->service.url, world->service.maildir);
    gk_test_service_start(&world->service);
    directory = world->service.directory;
    gk_test_add_box(&world->service, "library-1", token);
    gk_test_add_issuer(&world->service, "bank", "iso7812", issuer);
    add_cards(world, issuer);
    (void)snprintf(world->token_file, sizeof world->token_file, "%s/box.token", directory);
    (void)snprintf(world->operator_file, sizeof world->operator_file, "%s/op.token", directory);
    (void)snprintf(world->issuer_file, sizeof world->issuer_file, "%s/issuer.token", directory);
    (void)snprintf(world->camera, sizeof world->camera, "%s/camera", directory);
    (void)snprintf(world->spool, sizeof world->spool, "%s/box", directory);
    (void)snprintf(world->log, sizeof world->log, "%s/box.log", directory);
    (void)snprintf(world->keypad, sizeof world->keypad, "%s/keypad", directory);
    assert_int_equal(mkdir(world->camera, 0700), 0);
    gk_test_write_file(world->token_file, token, strlen(token));
    gk_test_write_file(world->issuer_file, issuer, strlen(issuer));
    gk_test_write_file(world->operator_file, world->service.operator_token,
                       strlen(world->service.operator_token));
    box_start(world, true);
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
    for (unsigned i = 0; i < CARDS; i++) {
        free(world->pictures[i].data);
    }
    free(world);
    return 0;
}

/* Types one line into the keypad. */
__attribute__((format(printf, 2, 3))) static void type_in(const struct world *world, const char *format, ...)
{
    char line[512];
    va_list arguments;

    va_start(arguments, format);
    const int length = vsnprintf(line, sizeof line, format, arguments);

    va_end(arguments);
    const int fd = open(world->keypad, O_WRONLY | O_NONBLOCK | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, line, (size_t)length), length);
    (void)close(fd);
}

/* A line of the shell, with guika's options for the operator in $as, and the issuer's in $bank. */
static char *shell(const struct world *world, const char *line)
{
    char script[1024];
    const char *arguments[] = {"/bin/sh", "-c", script, NULL};

    (void)snprintf(script, sizeof script,
                   "set -e; as='--server %s --token-file %s'; bank='--server %s --token-file %s'; "
                   "guika() { %s \"$@\"; }; %s",
                   world->service.url, world->operator_file, world->service.url, world->issuer_file,
                   GK_TEST_PROGRAM("guika"), line);
    struct gk_test_run run = gk_test_run(arguments);

    if (run.exit_status != 0) {
        fail_msg("%s: %d, %s", line, run.exit_status, run.errors);
    }
    char *output = strdup(run.output);

    gk_test_run_clear(&run);
    return output;
}

static bool is_shown(const struct world *world, unsigned card, const char *words)
{
    char line[128];

    (void)snprintf(line, sizeof line, "guika found show %s --json $as", world->ready[card].case_number);
    char *shown = shell(world, line);
    const bool found = strstr(shown, words) != NULL;

    free(shown);
    return found;
}

static void wait_until_shown(const struct world *world, unsigned card, const char *words)
{
    for (unsigned waited = 0; !is_shown(world, card, words); waited += 100) {
        if (waited >= WAIT_MS) {
            fail_msg("the service never said %s", words);
        }
        gk_test_sleep_ms(100);
    }
}

/* Drops a card in, and reads its notice. */
static void make_ready(struct world *world, unsigned card, size_t grants)
{
    char path[PATH_MAX], words[64];
    const size_t mails = gk_test_mail_count(&world->service);
    const size_t before = gk_test_occurrences(world->log, "kept: compartment");

    (void)snprintf(path, sizeof path, "%s/card-%u.jpg", world->camera, card);
    gk_test_write_file(path, world->pictures[card].data, world->pictures[card].size);
    wait_for_words(world->log, "kept: compartment", before + 1);
    assert_true(gk_test_mail_wait(&world->service, mails + 1, WAIT_MS));
    char *text = gk_test_mail_text(&world->service);
    char contact[64];

    (void)snprintf(contact, sizeof contact, "h%u@holders.example", card);
    const char *own = strstr(text, contact);

    assert_non_null(own);
    assert_int_equal(sscanf(strstr(own, "Case number: "), "Case number: %9s", world->ready[card].case_number),
                     1);
    assert_int_equal(sscanf(strstr(own, "Pickup code: "), "Pickup code: %8[0-9]", world->ready[card].code),
                     1);
    free(text);
    (void)snprintf(words, sizeof words, "%zu cards can be collected without the line", grants);
    wait_for_words(world->log, words, 1);
}

/* --- tests, in this order --- */

static void test_grants_reach_the_box_and_hold_nothing_of_a_holder(void **state)
{
    struct world *world = *state;
    char path[PATH_MAX], name[PATH_MAX];
    struct stat info;

    for (unsigned i = 0; i < CARDS; i++) {
        make_ready(world, i, i + 1);
    }
    (void)snprintf(path, sizeof path, "%s/grants", world->spool);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    for (unsigned i = 0; i < CARDS; i++) {
        assert_int_equal(
            gk_test_files_with(world->spool, world->ready[i].code, strlen(world->ready[i].code), name), 0);
        assert_int_equal(gk_test_files_with(world->spool, world->holders[i].number,
                                            strlen(world->holders[i].number), name),
                         0);
    }
    assert_int_equal(gk_test_files_with(world->spool, "holders.example", 15, name), 0);
}

static void test_wrong_codes_without_the_line_count_with_it(void **state)
{
    struct world *world = *state;

    line_down(world);
    for (unsigned i = 1; i <= 4; i++) {
        type_in(world, "%s 00000000\n", world->ready[1].case_number);
        wait_for_words(world->log, "is wrong", i);
    }
    assert_true(is_shown(world, 1, "\"failed_tries\":0"));
    assert_int_equal(kill(world->box, SIGKILL), 0); /* a power cut gives no try back */
    (void)gk_test_wait(world->box, WAIT_MS);
    box_start(world, false);
    type_in(world, "%s 00000000\n", world->ready[1].case_number);
    wait_for_words(world->log, "is wrong", 5);
    type_in(world, "%s %s\n", world->ready[1].case_number, world->ready[1].code);
    wait_for_words(world->log, "Too many wrong codes", 1);
    assert_int_equal(gk_test_occurrences(world->log, "opens"), 0);
    line_up(world);
    wait_until_shown(world, 1, "\"failed_tries\":5");
    type_in(world, "%s %s\n", world->ready[1].case_number, world->ready[1].code);
    wait_for_words(world->log, "Too many wrong codes", 2);
}

static void
test_holder_collects_while_the_service_is_away_and_the_case_is_closed_when_it_is_back(void **state)
{
    struct world *world = *state;
    const size_t mails = gk_test_mail_count(&world->service);
    char line[256];

    assert_int_equal(gk_test_service_stop(&world->service, SIGKILL), 128 + SIGKILL);
    type_in(world, "%s %s\n", world->ready[0].case_number, world->ready[0].code);
    wait_for_words(world->log, "by a grant", 1);
    wait_for_words(world->log, "the holder has the card", 1);
    type_in(world, "%s %s\n", world->ready[0].case_number, world->ready[0].code);
    wait_for_words(world->log, "used up", 1);
    gk_test_service_start(&world->service);
    wait_until_shown(world, 0, "\"state\":\"COLLECTED\"");
    wait_for_words(world->log, "told what happened at a door", 1);
    assert_true(is_shown(world, 0, "\"place\":\"holder\""));
    (void)snprintf(line, sizeof line, "guika audit show %s $as | grep confirm_offline | grep COLLECTED",
                   world->ready[0].case_number);
    free(shell(world, line));
    assert_int_equal(gk_test_mail_count(&world->service), mails);
    assert_int_equal(gk_test_occurrences(world->log, "the holder has the card"), 1);
}

static void test_power_cut_at_the_open_door_without_the_line_leaves_an_uncertain_place(void **state)
{
    struct world *world = *state;

    line_down(world);
    type_in(world, "%s %s cut\n", world->ready[2].case_number, world->ready[2].code);
    assert_int_equal(gk_test_wait(world->box, WAIT_MS), POWER_CUT_STATUS);
    box_start(world, false);
    wait_for_words(world->log, "somebody must look", 1);
    type_in(world, "%s %s\n", world->ready[2].case_number, world->ready[2].code);
    wait_for_words(world->log, "used up", 2); /* never twice by one grant */
    line_up(world);
    wait_until_shown(world, 2, "\"uncertain\":true");
    type_in(world, "%s %s\n", world->ready[2].case_number, world->ready[2].code);
    wait_for_words(world->log, "the holder has the card", 2);
    wait_until_shown(world, 2, "\"state\":\"COLLECTED\"");
}

static void
test_card_cancelled_while_the_line_is_down_leaves_by_its_grant_and_an_operator_learns_of_it(void **state)
{
    struct world *world = *state;
    char line[256];

    line_down(world);
    (void)snprintf(line, sizeof line, "echo %s | guika registry revoke --scheme iso7812 $bank",
                   world->holders[3].number);
    free(shell(world, line));
    wait_until_shown(world, 3, "\"state\":\"DIFFICULT\"");
    type_in(world, "%s %s\n", world->ready[3].case_number, world->ready[3].code);
    wait_for_words(world->log, "the holder has the card", 3);
    line_up(world);
    wait_until_shown(world, 3, "\"state\":\"COLLECTED\"");
    (void)snprintf(line, sizeof line, "guika audit show %s $as | grep 'after it was cancelled'",
                   world->ready[3].case_number);
    free(shell(world, line));
    wait_for_words(world->service.log, "offline_pickup_needs_a_look", 1);
}

/* The box's table after staff moved cards about without it: another card lies where the grant's did. */
static void test_door_stays_shut_where_another_card_lies_behind_it(void **state)
{
    struct world *world = *state;
    char line[256];

    line_down(world);
    box_stop(world);
    (void)snprintf(line, sizeof line, "sed -i 's/^\\(N05 normal \\).*/\\1another-card/' %s/compartments",
                   world->spool);
    free(shell(world, line));
    box_start(world, false);
    const size_t opened = gk_test_occurrences(world->log, "opens");

    type_in(world, "%s %s\n", world->ready[4].case_number, world->ready[4].code);
    wait_for_words(world->log, "does not hold the card", 1);
    assert_int_equal(gk_test_occurrences(world->log, "opens"), opened);
    line_up(world);
    (void)snprintf(line, sizeof line, "guika audit show %s $as", world->ready[4].case_number);
    for (unsigned waited = 0; waited < WAIT_MS; waited += 100) {
        char *shown = shell(world, line);
        const bool told = strstr(shown, "NOT_OPENED") != NULL;

        free(shown);
        if (told) {
            assert_true(is_shown(world, 4, "\"state\":\"NOTIFIED\""));
            return;
        }
        gk_test_sleep_ms(100);
    }
    fail_msg("the service never heard of the door");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grants_reach_the_box_and_hold_nothing_of_a_holder),
        cmocka_unit_test(test_wrong_codes_without_the_line_count_with_it),
        cmocka_unit_test(
            test_holder_collects_while_the_service_is_away_and_the_case_is_closed_when_it_is_back),
        cmocka_unit_test(test_power_cut_at_the_open_door_without_the_line_leaves_an_uncertain_place),
        cmocka_unit_test(
            test_card_cancelled_while_the_line_is_down_leaves_by_its_grant_and_an_operator_learns_of_it),
        cmocka_unit_test(test_door_stays_shut_where_another_card_lies_behind_it),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* A holder, staff and a power cut at a real guika-box, and what the operator's commands say of it. */
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

enum { CARDS = 2, WAIT_MS = 20000, POWER_CUT_STATUS = 9 };

struct world {
    struct gk_test_service service;
    pid_t box;
    char token_file[96], operator_file[96], camera[96], spool[96], log[96], keypad[96];
    struct gk_test_picture pictures[CARDS];
    char case_number[10];
    char code[9];
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
                               "--keypad",
                               world->keypad,
                               "--quiet",
                               NULL};
    const size_t before = gk_test_occurrences(world->log, "  up");

    world->box = gk_test_spawn(world->log, arguments);
    wait_for_words(world->log, "  up", before + 1);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct gk_test_holder holders[CARDS] = {{0}};
    char token[GK_TEST_TOKEN_SIZE];
    char issuer[GK_TEST_TOKEN_SIZE];
    const char *directory;

    gk_test_service_make(&world->service, 1);
    gk_test_service_start(&world->service);
    directory = world->service.directory;
    gk_test_add_box(&world->service, "library-1", token);
    gk_test_add_issuer(&world->service, "bank", "iso7812", issuer);
    for (unsigned i = 0; i < CARDS; i++) {
        world->pictures[i] = gk_test_mint_card(900 + i, holders[i].number);
        holders[i].scheme = "iso7812";
        holders[i].language = "en";
        (void)snprintf(holders[i].holder_id, sizeof holders[i].holder_id, "h%u", i);
        (void)snprintf(holders[i].contact, sizeof holders[i].contact, "smtp:h%u@holders.example", i);
    }
    gk_test_import(&world->service, issuer, "all", holders, 1); /* the second card is nobody's */
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

    assert_int_equal(kill(world->box, SIGTERM), 0);
    assert_int_equal(gk_test_wait(world->box, WAIT_MS), 0);
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    (void)gk_test_verify_audit(&world->service);
    gk_test_service_remove(&world->service);
    for (unsigned i = 0; i < CARDS; i++) {
        free(world->pictures[i].data);
    }
    free(world);
    return 0;
}

static void drop(const struct world *world, const char *stem, unsigned card)
{
    char path[PATH_MAX];
    const size_t before = gk_test_occurrences(world->log, "kept: compartment");

    (void)snprintf(path, sizeof path, "%s/%s.jpg", world->camera, stem);
    gk_test_write_file(path, world->pictures[card].data, world->pictures[card].size);
    wait_for_words(world->log, "kept: compartment", before + 1);
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

/* Runs guika as the operator; the output is the caller's. */
static char *ask(const struct world *world, int exit_status, const char *first, const char *second,
                 const char *third, const char *fourth)
{
    const char *arguments[10] = {
        GK_TEST_PROGRAM("guika"), first, second, "--server", world->service.url, "--token-file",
        world->operator_file,     third, fourth};
    struct gk_test_run run = gk_test_run(arguments);

    if (run.exit_status != exit_status) {
        fail_msg("guika %s %s: %d, %s", first, second, run.exit_status, run.errors);
    }
    char *output = strdup(run.output);

    gk_test_run_clear(&run);
    return output;
}

static void assert_shown(const struct world *world, const char *words)
{
    char *shown = ask(world, 0, "found", "show", world->case_number, "--json");

    if (strstr(shown, words) == NULL) {
        fail_msg("no %s in %s", words, shown);
    }
    free(shown);
}

/* --- tests, in this order --- */

static void test_wrong_code_opens_nothing(void **state)
{
    struct world *world = *state;

    drop(world, "one", 0);
    assert_true(gk_test_mail_wait(&world->service, 1, WAIT_MS));
    char *text = gk_test_mail_text(&world->service);

    assert_int_equal(sscanf(strstr(text, "Case number: "), "Case number: %9s", world->case_number), 1);
    assert_int_equal(sscanf(strstr(text, "Pickup code: "), "Pickup code: %8[0-9]", world->code), 1);
    free(text);
    type_in(world, "%s 00000000\n", world->case_number);
    wait_for_words(world->log, "is wrong", 1);
    type_in(world, "\n\nnonsense\n%0300d\n", 1);
    wait_for_words(world->log, "Enter the case number", 1);
    assert_int_equal(gk_test_occurrences(world->log, "opens"), 0);
    assert_shown(world, "\"failed_tries\":1");
}

static void test_holder_who_goes_away_and_one_who_leaves_the_card_can_come_again(void **state)
{
    struct world *world = *state;

    type_in(world, "%s %s away\n", world->case_number, world->code);
    wait_for_words(world->log, "was never opened", 1);
    assert_shown(world, "\"state\":\"NOTIFIED\"");
    type_in(world, "%s %s leave\n", world->case_number, world->code);
    wait_for_words(world->log, "still inside", 1);
    assert_shown(world, "\"uncertain\":false");
}

static void test_power_cut_while_the_door_is_open_leaves_an_uncertain_place(void **state)
{
    struct world *world = *state;

    type_in(world, "%s %s cut\n", world->case_number, world->code);
    assert_int_equal(gk_test_wait(world->box, WAIT_MS), POWER_CUT_STATUS);
    assert_shown(world, "\"open\":true");
    box_start(world);
    wait_for_words(world->log, "somebody must look", 1);
    for (unsigned waited = 0; waited < WAIT_MS; waited += 50) {
        char *shown = ask(world, 0, "found", "show", world->case_number, "--json");
        const bool uncertain = strstr(shown, "\"uncertain\":true") != NULL;

        free(shown);
        if (uncertain) {
            break;
        }
        gk_test_sleep_ms(50);
    }
    assert_shown(world, "\"uncertain\":true");
    assert_shown(world, "\"state\":\"NOTIFIED\"");
    assert_shown(world, "\"open\":false");
}

static void test_uncertain_card_still_goes_home_once(void **state)
{
    struct world *world = *state;

    type_in(world, "%s %s\n", world->case_number, world->code);
    wait_for_words(world->log, "the holder has the card", 1);
    assert_shown(world, "\"state\":\"COLLECTED\"");
    assert_shown(world, "\"place\":\"holder\"");
    type_in(world, "%s %s\n", world->case_number, world->code);
    wait_for_words(world->log, "is wrong", 2);
    assert_int_equal(gk_test_occurrences(world->log, "the holder has the card"), 1);
}

static void test_staff_take_the_difficult_card_and_free_its_compartment(void **state)
{
    struct world *world = *state;

    drop(world, "two", 1);
    type_in(world, "service bag-1 nobody\n");
    wait_for_words(world->log, "the box stays closed", 1);
    type_in(world, "service bag-1 %s\n", world->service.operator_token);
    wait_for_words(world->log, "1 cards are in bag bag-1", 1);
    type_in(world, "service bag-2 %s\n", world->service.operator_token);
    wait_for_words(world->log, "0 cards are in bag bag-2", 1);
}

static void test_operator_prints_the_list_to_hand_over(void **state)
{
    struct world *world = *state;
    char *csv = ask(world, 0, "found", "handover", "--csv", NULL);
    char *html = ask(world, 0, "found", "handover", "--html", NULL);

    assert_string_equal(
        csv, "\"CASE\",\"KIND\",\"ISSUER\",\"NUMBER\",\"REASON\",\"FOUND IN\",\"FOUND\",\"EXPIRED\","
             "\"PLACE\",\"WHERE\"\r\n");
    assert_non_null(strstr(html, "<p>0 cards.</p>"));
    free(csv);
    free(html);
    free(ask(world, 2, "found", "handover", "--csv", "--html"));
    free(ask(world, 1, "found", "show", "0000-0000", NULL));
    free(ask(world, 2, "found", "close", world->case_number, "eaten"));
    free(ask(world, 1, "found", "close", world->case_number, "destroyed")); /* it was collected */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_code_opens_nothing),
        cmocka_unit_test(test_holder_who_goes_away_and_one_who_leaves_the_card_can_come_again),
        cmocka_unit_test(test_power_cut_while_the_door_is_open_leaves_an_uncertain_place),
        cmocka_unit_test(test_uncertain_card_still_goes_home_once),
        cmocka_unit_test(test_staff_take_the_difficult_card_and_free_its_compartment),
        cmocka_unit_test(test_operator_prints_the_list_to_hand_over),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/*
 * A card-to-holder list on its way in, by the real `guika registry import`: what is refused, what a kill on
 * either side leaves behind, and what must not rest.
 *
 * GUIKA_IMPORT_ROWS sets the rows of a list (default 100,000; 1,000,000 is the long form).
 */
#include "tests/flow/service.h"
#include "tests/mint/mint.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { ROWS_DEFAULT = 100000, BAD_ROWS = 4, IMPORT_WAIT_MS = 300000, NOTICE_WAIT_MS = 20000 };

/* Lists of two holders' cards that a box will find, and many more. */
struct world {
    struct gk_test_service service;
    unsigned rows;
    long long import_ms; /* how long the first list took */
    char box[GK_TEST_TOKEN_SIZE];
    char token_file[96];
    char prefix_token_file[96]; /* of an issuer bound to 55 */
    char list[96];
    char rejected[96];
    char import_log[96];
    char number[3][40]; /* of the cards in pictures: 0 in the first list alone, 1 in the second alone, 2 in
                           both */
    struct gk_test_picture pictures[3];
    struct gk_rpc_client *client;
    unsigned deposits;
};

static void add_issuer(const struct world *world, const char *issuer_id, const char *binding, char *ret_path)
{
    char token[GK_TEST_TOKEN_SIZE];

    gk_test_add_issuer(&world->service, issuer_id, binding, token);
    (void)snprintf(ret_path, 96, "%s/%s.token", world->service.directory, issuer_id);
    gk_test_write_file(ret_path, token, strlen(token));
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    const char *wanted = getenv("GUIKA_IMPORT_ROWS");

    world->rows = wanted == NULL ? ROWS_DEFAULT : (unsigned)strtoul(wanted, NULL, 10);
    gk_test_service_make(&world->service, 2);
    gk_test_service_start(&world->service);
    gk_test_add_box(&world->service, "box-1", world->box);
    add_issuer(world, "bank", "iso7812:4", world->token_file);
    add_issuer(world, "other", "iso7812:55", world->prefix_token_file);
    for (unsigned i = 0; i < 3; i++) {
        world->pictures[i] = gk_test_mint_card(100 + i, world->number[i]);
    }
    (void)snprintf(world->list, sizeof world->list, "%s/list.csv", world->service.directory);
    (void)snprintf(world->rejected, sizeof world->rejected, "%s/rejected.csv", world->service.directory);
    (void)snprintf(world->import_log, sizeof world->import_log, "%s/import.log", world->service.directory);
    world->client = gk_test_client(&world->service, world->box);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    gk_rpc_client_close(world->client);
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    (void)gk_test_verify_audit(&world->service);
    gk_test_service_remove(&world->service);
    for (unsigned i = 0; i < 3; i++) {
        free(world->pictures[i].data);
    }
    free(world);
    return 0;
}

/* The number of a row; the list number keeps two lists apart. */
static void row_number(unsigned list, unsigned row, char ret_number[17])
{
    (void)snprintf(ret_number, 16, "4%u%013llu", list, (row * 7919ULL + 13) % 10000000000000ULL);
    ret_number[15] = gk_mint_luhn_digit(ret_number);
    ret_number[16] = '\0';
}

/* Lines that the program or the service must refuse; they follow the heading, so they are lines 2 to 5. */
static void write_bad_rows(FILE *file)
{
    (void)fputs("iso7812,4000000000000003,b1,A,en,smtp:a@holders.example\n" /* check digit */
                "iso7812,5500000000000004,b2,B,en,smtp:b@holders.example\n" /* another's prefix */
                "iso7812,4000000000000002,b3,C,xx,smtp:c@holders.example\n" /* language */
                "nonsense,1234,b4,D,en,smtp:d@holders.example\n",           /* scheme */
                file);
}

static void write_list(const struct world *world, unsigned list, bool bad_rows)
{
    FILE *file = fopen(world->list, "w");
    char number[17];

    assert_non_null(file);
    (void)fputs("scheme,number,holder_id,name,language,contacts\n", file);
    if (bad_rows) {
        write_bad_rows(file);
    }
    for (unsigned i = 0; i + 2 < world->rows; i++) {
        row_number(list, i, number);
        (void)fprintf(file, "iso7812,%s,holder-%u,Name %u,en,smtp:in-clear-%u@holders.example\n", number,
                      i / 2, i, i);
    }
    (void)fprintf(file, "iso7812,%s,known,Ada,en,smtp:known@holders.example\n", world->number[list - 1]);
    (void)fprintf(file, "iso7812,%s,both,Bob,en,smtp:both@holders.example\n", world->number[2]);
    assert_int_equal(fclose(file), 0);
}

static const char *const *import_arguments(const struct world *world, const char *token_file,
                                           const char *ret_arguments[12])
{
    const char *arguments[] = {GK_TEST_PROGRAM("guika"), "registry",     "import",   "--server",
                               world->service.url,       "--token-file", token_file, "--rejected",
                               world->rejected,          world->list,    NULL};

    memcpy(ret_arguments, arguments, sizeof arguments);
    return ret_arguments;
}

static struct gk_test_run import(const struct world *world, const char *token_file)
{
    const char *arguments[12];

    return gk_test_run(import_arguments(world, token_file, arguments));
}

static pid_t start_import(const struct world *world)
{
    const char *arguments[12];

    return gk_test_spawn(world->import_log, import_arguments(world, world->token_file, arguments));
}

/* What became of the card in a picture; the notices leave, because it is stored. */
static guika_v1_FoundCardRow find_card(struct world *world, unsigned picture)
{
    guika_v1_DepositResponse response = {0};
    struct gk_error error = {0};
    char id[24];
    size_t count;

    (void)snprintf(id, sizeof id, "d-%u", world->deposits++);
    if (gk_test_deposit(world->client, id, &world->pictures[picture], &response, &error) != GK_OK) {
        fail_msg("%s", error.message);
    }
    gk_test_confirm_stored(world->client, id, response.zone);
    guika_v1_FoundCardRow *rows = gk_test_found(&world->service, &count);
    const guika_v1_FoundCardRow row = rows[0];

    free(rows);
    assert_string_equal(row.deposit_id, id);
    return row;
}

static void assert_registered(struct world *world, unsigned picture)
{
    const size_t mails = gk_test_mail_count(&world->service);
    const guika_v1_FoundCardRow row = find_card(world, picture);

    assert_int_equal(row.zone, guika_v1_Zone_ZONE_NORMAL);
    assert_true(gk_test_mail_wait(&world->service, mails + 1, NOTICE_WAIT_MS));
}

static void assert_difficult(struct world *world, unsigned picture, guika_v1_Reason reason)
{
    const size_t mails = gk_test_mail_count(&world->service);
    const guika_v1_FoundCardRow row = find_card(world, picture);

    assert_int_equal(row.state, guika_v1_CardState_CARD_STATE_DIFFICULT);
    assert_int_equal(row.reason, reason);
    gk_test_sleep_ms(500);
    assert_int_equal(gk_test_mail_count(&world->service), mails);
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("\"%s\" is missing in: %s", part, text);
    }
}

static void test_list_is_put_in_force_and_bad_rows_are_listed_with_line_and_reason(void **state)
{
    struct world *world = *state;
    char wanted[80];
    char number[17];

    write_list(world, 1, true);
    const long long began_ms = gk_test_now_ms();
    struct gk_test_run run = import(world, world->token_file);

    world->import_ms = gk_test_now_ms() - began_ms;
    print_message("%u rows in %.1f s: %.0f rows/s\n", world->rows, (double)world->import_ms / 1000,
                  world->rows * 1000.0 / (double)world->import_ms);
    assert_int_equal(run.exit_status, 1); /* because rows were rejected */
    (void)snprintf(wanted, sizeof wanted, "%u rows read, %u accepted, %u rejected", world->rows + BAD_ROWS,
                   world->rows, BAD_ROWS);
    assert_has(run.output, wanted);
    char *rejected = gk_test_read_file(world->rejected, NULL);

    assert_has(rejected, "line,reason\r\n2,");
    assert_has(rejected, "\r\n3,\"not among this account's schemes and prefixes\"\r\n");
    assert_has(rejected, "\r\n4,");
    assert_has(rejected, "\r\n5,");
    row_number(1, 0, number);
    assert_null(strstr(rejected, "4000000000000003"));
    assert_null(strstr(run.errors, number));
    free(rejected);
    gk_test_run_clear(&run);
    assert_registered(world, 0);
    assert_difficult(world, 1, guika_v1_Reason_REASON_UNREGISTERED);
}

static void assert_nowhere(const struct world *world, const char *text)
{
    char place[96];
    char name[PATH_MAX] = "";

    (void)snprintf(place, sizeof place, "%s/service", world->service.directory);
    if (gk_test_files_with(place, text, strlen(text), name) != 0 ||
        gk_test_files_with(world->service.log, text, strlen(text), name) != 0) {
        fail_msg("\"%s\" is in clear in %s", text, name);
    }
}

static void test_numbers_and_addresses_rest_nowhere(void **state)
{
    const struct world *world = *state;
    const unsigned rows[] = {0, 1, world->rows / 2, world->rows - 3};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[64];

        row_number(1, rows[i], text);
        assert_nowhere(world, text);
        (void)snprintf(text, sizeof text, "in-clear-%u@", rows[i]);
        assert_nowhere(world, text);
    }
    assert_nowhere(world, "@holders.example");
    assert_nowhere(world, world->number[0]);
}

/* Lets an import of the second list run for about a quarter of its time. */
static pid_t start_a_quarter(const struct world *world)
{
    const pid_t id = start_import(world);

    assert_int_equal(gk_test_wait(id, (unsigned)world->import_ms / 4), -1); /* it is still at it */
    return id;
}

static void test_killed_import_leaves_the_old_list_in_force(void **state)
{
    struct world *world = *state;

    write_list(world, 2, false);
    const pid_t id = start_a_quarter(world);

    assert_int_equal(kill(id, SIGKILL), 0);
    assert_int_equal(gk_test_wait(id, 5000), 128 + SIGKILL);
    assert_registered(world, 0);
    assert_registered(world, 2);
    assert_difficult(world, 1, guika_v1_Reason_REASON_UNREGISTERED);
}

static void test_import_outlives_a_killed_guikad_and_goes_on_where_it_was(void **state)
{
    struct world *world = *state;
    const pid_t id = start_a_quarter(world);

    (void)gk_test_service_stop(&world->service, SIGKILL);
    assert_int_equal(kill(id, SIGSTOP), 0); /* so that it is not finished before the old list was looked at */
    gk_test_service_start(&world->service);
    assert_registered(world, 0);
    assert_difficult(world, 1, guika_v1_Reason_REASON_UNREGISTERED);
    assert_int_equal(kill(id, SIGCONT), 0);
    assert_int_equal(gk_test_wait(id, IMPORT_WAIT_MS), 0);
    char *log = gk_test_read_file(world->import_log, NULL);

    assert_has(log, "sent by an earlier run"); /* what the killed import had sent */
    assert_has(log, "trying again");
    assert_has(log, "in force: ");
    free(log);
    assert_registered(world, 1);
    assert_registered(world, 2);
    assert_difficult(world, 0, guika_v1_Reason_REASON_UNREGISTERED);
}

static void test_same_list_again_is_already_in_force(void **state)
{
    const struct world *world = *state;
    struct gk_test_run run = import(world, world->token_file);

    assert_int_equal(run.exit_status, 0);
    assert_has(run.output, "already is in force");
    gk_test_run_clear(&run);
}

static void test_issuer_bound_to_a_prefix_cannot_import_others(void **state)
{
    struct world *world = *state;
    const unsigned rows = world->rows;

    world->rows = 10;
    write_list(world, 2, false);
    world->rows = rows;
    struct gk_test_run run = import(world, world->prefix_token_file);

    assert_int_equal(run.exit_status, 1);
    assert_has(run.errors, "not one row was accepted");
    gk_test_run_clear(&run);
    assert_registered(world, 1);
}

static void test_revoked_card_is_kept_apart_and_nobody_is_told(void **state)
{
    struct world *world = *state;
    char command[512];

    (void)snprintf(command, sizeof command,
                   "echo %s | %s registry revoke --server %s --token-file %s --scheme iso7812",
                   world->number[1], GK_TEST_PROGRAM("guika"), world->service.url, world->token_file);
    assert_int_equal(system(command), 0);
    assert_difficult(world, 1, guika_v1_Reason_REASON_CANCELLED);
    assert_registered(world, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_is_put_in_force_and_bad_rows_are_listed_with_line_and_reason),
        cmocka_unit_test(test_numbers_and_addresses_rest_nowhere),
        cmocka_unit_test(test_killed_import_leaves_the_old_list_in_force),
        cmocka_unit_test(test_import_outlives_a_killed_guikad_and_goes_on_where_it_was),
        cmocka_unit_test(test_same_list_again_is_already_in_force),
        cmocka_unit_test(test_issuer_bound_to_a_prefix_cannot_import_others),
        cmocka_unit_test(test_revoked_card_is_kept_apart_and_nobody_is_told),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/*
 * An issuer that hands over no numbers, by the real programs: the operator makes it an index key, it makes
 * tokens at home and imports them, learns of what is found, and decides on it.
 */
#include "tests/flow/service.h"
#include "tests/mint/mint.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define REFERENCE "customer-in-clear-1"

enum { NOTICE_WAIT_MS = 20000, COMMAND_SIZE = 1024, CARDS = 5 };

struct world {
    struct gk_test_service service;
    char box[GK_TEST_TOKEN_SIZE];
    char bank[GK_TEST_TOKEN_SIZE];
    struct gk_rpc_client *box_client;
    struct gk_rpc_client *bank_client;
    char number[CARDS][40];
    struct gk_test_picture pictures[CARDS];
    unsigned deposits;
    char case_id[33]; /* of the latest card */
};

/* Runs `guika` with a token file of the folder ("operator", "bank"); $D is the folder. */
__attribute__((format(printf, 3, 4))) static struct gk_test_run
guika(const struct world *world, const char *who, const char *format, ...)
{
    char words[COMMAND_SIZE];
    char command[2 * COMMAND_SIZE];
    const char *arguments[] = {"/bin/sh", "-c", command, NULL};
    va_list list;

    va_start(list, format);
    (void)vsnprintf(words, sizeof words, format, list);
    va_end(list);
    (void)snprintf(command, sizeof command, "D=%s; G=%s; %s --server %s --token-file $D/%s.token",
                   world->service.directory, GK_TEST_PROGRAM("guika"), words, world->service.url, who);
    return gk_test_run(arguments);
}

static void write_text(const struct world *world, const char *name, const char *text)
{
    char path[128];

    (void)snprintf(path, sizeof path, "%s/%s", world->service.directory, name);
    gk_test_write_file(path, text, strlen(text));
}

static void assert_ends(const struct gk_test_run *run, int exit_status)
{
    if (run->exit_status != exit_status) {
        fail_msg("exit status %d: %s%s", run->exit_status, run->output, run->errors);
    }
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("\"%s\" is missing in: %s", part, text);
    }
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);

    gk_test_service_make(&world->service, 2);
    gk_test_service_start(&world->service);
    gk_test_add_box(&world->service, "box-1", world->box);
    write_text(world, "operator.token", world->service.operator_token);
    for (unsigned i = 0; i < CARDS; i++) {
        world->pictures[i] = gk_test_mint_card(100 + i, world->number[i]);
    }
    world->box_client = gk_test_client(&world->service, world->box);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    gk_rpc_client_close(world->bank_client);
    gk_rpc_client_close(world->box_client);
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    (void)gk_test_verify_audit(&world->service);
    gk_test_service_remove(&world->service);
    for (unsigned i = 0; i < CARDS; i++) {
        free(world->pictures[i].data);
    }
    free(world);
    return 0;
}

/* A box finds card `index`; what became of it. */
static guika_v1_FoundCardRow find_card(struct world *world, unsigned index)
{
    guika_v1_DepositResponse response = {0};
    struct gk_error error = {0};
    char id[24];
    size_t count;

    (void)snprintf(id, sizeof id, "d-%u", world->deposits++);
    if (gk_test_deposit(world->box_client, id, &world->pictures[index], &response, &error) != GK_OK) {
        fail_msg("%s", error.message);
    }
    gk_test_confirm_stored(world->box_client, id, response.zone);
    guika_v1_FoundCardRow *rows = gk_test_found(&world->service, &count);
    const guika_v1_FoundCardRow row = rows[0];

    free(rows);
    assert_string_equal(row.deposit_id, id);
    memcpy(world->case_id, row.case_id, sizeof world->case_id);
    return row;
}

static guika_v1_FoundCardRow latest_card(const struct world *world)
{
    size_t count;
    guika_v1_FoundCardRow *rows = gk_test_found(&world->service, &count);
    const guika_v1_FoundCardRow row = rows[0];

    free(rows);
    return row;
}

static void test_operator_makes_an_index_key_that_its_owner_alone_may_read(void **state)
{
    struct world *world = *state;
    char path[128];
    struct stat found;
    struct gk_test_run run =
        guika(world, "operator", "$G issuer add bank iso7812:4 --own-index-key $D/bank.key");

    assert_ends(&run, 0);
    run.output[strcspn(run.output, "\n")] = '\0';
    write_text(world, "bank.token", run.output);
    (void)snprintf(world->bank, sizeof world->bank, "%s", run.output);
    gk_test_run_clear(&run);
    world->bank_client = gk_test_client(&world->service, world->bank);
    (void)snprintf(path, sizeof path, "%s/bank.key", world->service.directory);
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
    char *key = gk_test_read_file(path, NULL);

    assert_has(key, "guika-index-key:bank:1:");
    free(key);
    /* A key is never overwritten. */
    run = guika(world, "operator", "$G issuer set bank --own-index-key $D/bank.key");
    assert_ends(&run, 1);
    gk_test_run_clear(&run);
}

static void write_numbers(const struct world *world)
{
    char text[1024];

    (void)snprintf(text, sizeof text,
                   "scheme,number,reference\n"
                   "iso7812,%s," REFERENCE "\n"
                   "iso7812,4000000000000003,wrong-check\n"
                   "iso7812,%s,\n"
                   "iso7812,%s,customer-2,too many\n"
                   "iso7812,%s,customer-2\n"
                   "nonsense,1234,customer-3\n"
                   "iso7812,%s,customer-4\n",
                   world->number[0], world->number[1], world->number[1], world->number[1], world->number[2]);
    write_text(world, "numbers.csv", text);
}

static void test_tokens_are_made_and_bad_rows_told_by_line(void **state)
{
    const struct world *world = *state;
    char path[128];

    write_numbers(world);
    struct gk_test_run run = guika(world, "none",
                                   "$G registry tokenise --index-key $D/bank.key $D/numbers.csv "
                                   "$D/tokens.csv 2>&1; echo status $?; true");

    assert_ends(&run, 0);
    assert_has(run.output, "status 1");
    assert_has(run.output, "7 rows read, 3 tokens, 4 rejected");
    assert_has(run.output, "numbers.csv:3: ");
    assert_has(run.output, "numbers.csv:4: the reference is missing");
    assert_has(run.output, "numbers.csv:5: the row has 4 columns instead of 3");
    assert_has(run.output, "numbers.csv:7: no issuer plugin has this number scheme");
    assert_null(strstr(run.output, "4000000000000003"));
    gk_test_run_clear(&run);
    (void)snprintf(path, sizeof path, "%s/tokens.csv", world->service.directory);
    char *tokens = gk_test_read_file(path, NULL);

    assert_has(tokens, "scheme,kind,key_epoch,token,blocks,reference\r\niso7812,PAYMENT,1,");
    for (unsigned i = 0; i < CARDS; i++) {
        assert_null(strstr(tokens, world->number[i]));
    }
    free(tokens);
}

static void test_tokens_are_imported_and_malformed_ones_told_by_line(void **state)
{
    const struct world *world = *state;
    struct gk_test_run run =
        guika(world, "bank",
              "(cat $D/tokens.csv; echo iso7812,PAYMENT,1,00ff,,short; echo iso7812,COIN,1,00,,kind; "
              "sed -n 's/,PAYMENT,1,/,PAYMENT,9,/;2p' $D/tokens.csv) >$D/more.csv; "
              "$G registry import $D/more.csv");

    assert_ends(&run, 1);
    assert_has(run.output, "in force: 6 rows read, 3 accepted, 3 rejected");
    assert_has(run.errors, "more.csv:5: token is not 64 hexadecimal digits");
    assert_has(run.errors, "more.csv:6: kind is not PAYMENT");
    assert_has(run.errors, "more.csv:7: made with another index key");
    gk_test_run_clear(&run);
}

static void test_found_card_is_told_once_with_its_reference_and_nobody_else_hears(void **state)
{
    struct world *world = *state;

    assert_int_equal(find_card(world, 0).state, guika_v1_CardState_CARD_STATE_IDENTIFIED);
    struct gk_test_run run = guika(world, "bank", "$G issuer next --wait 20 --json");

    assert_ends(&run, 0);
    assert_has(run.output, "\"reference\":\"" REFERENCE "\"");
    assert_has(run.output, world->case_id);
    assert_has(run.output, "\"kind\":\"PAYMENT\"");
    assert_has(run.output, world->number[0] + strlen(world->number[0]) - 4);
    assert_null(strstr(run.output, world->number[0]));
    gk_test_run_clear(&run);
    run = guika(world, "bank", "$G issuer next");
    assert_ends(&run, 0);
    assert_string_equal(run.output, "");
    gk_test_run_clear(&run);
    assert_int_equal(gk_test_mail_count(&world->service), 0);
}

static void test_numbers_and_references_rest_nowhere_in_clear(void **state)
{
    const struct world *world = *state;
    char place[96];
    char name[PATH_MAX] = "";

    (void)snprintf(place, sizeof place, "%s/service", world->service.directory);
    const char *const texts[] = {world->number[0], world->number[1], world->number[2], REFERENCE};

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (gk_test_files_with(place, texts[i], strlen(texts[i]), name) != 0 ||
            gk_test_files_with(world->service.log, texts[i], strlen(texts[i]), name) != 0) {
            fail_msg("\"%s\" is in clear in %s", texts[i], name);
        }
    }
}

static void test_decision_is_final_and_may_be_repeated(void **state)
{
    struct world *world = *state;
    struct gk_test_run run;

    for (int i = 0; i < 2; i++) {
        run = guika(world, "bank", "$G issuer decide %s return", world->case_id);
        assert_ends(&run, 0);
        assert_has(run.output, "EXPIRED");
        gk_test_run_clear(&run);
    }
    run = guika(world, "bank", "$G issuer decide %s destroy", world->case_id);
    assert_ends(&run, 1);
    gk_test_run_clear(&run);
    const guika_v1_FoundCardRow row = latest_card(world);

    assert_int_equal(row.state, guika_v1_CardState_CARD_STATE_EXPIRED);
    assert_int_equal(row.disposition, guika_v1_Disposition_DISPOSITION_RETURN);
}

static void test_another_issuer_learns_nothing_of_the_case(void **state)
{
    struct world *world = *state;
    char token[GK_TEST_TOKEN_SIZE];

    gk_test_add_issuer(&world->service, "other", "iso7812:5", token);
    write_text(world, "other.token", token);
    struct gk_test_run run = guika(world, "other", "$G issuer decide %s destroy", world->case_id);

    assert_ends(&run, 1);
    assert_has(run.errors, "told of no such case");
    gk_test_run_clear(&run);
}

static guika_v1_NextFoundResponse next(const struct world *world, uint32_t lease_ms, uint32_t deadline_ms)
{
    const struct gk_rpc_call_options options = {.deadline_ms = deadline_ms};
    const guika_v1_NextFoundRequest request = {.lease_ms = lease_ms};
    guika_v1_NextFoundResponse response = {0};
    struct gk_error error = {0};

    if (guika_v1_issuer_service_next_found(world->bank_client, &options, &request, &response, &error) !=
        GK_OK) {
        fail_msg("%s", error.message);
    }
    return response;
}

/* A card that was given out and not acknowledged is neither lost by a crash of the service nor given out
 * twice within its lease. */
static void test_lease_outlives_a_killed_guikad_and_the_card_comes_again_after_it(void **state)
{
    struct world *world = *state;

    (void)find_card(world, 1);
    assert_string_equal(next(world, 6000, 10000).case_id, world->case_id);
    const long long began_ms = gk_test_now_ms();

    (void)gk_test_service_stop(&world->service, SIGKILL);
    gk_test_service_start(&world->service);
    if (gk_test_now_ms() - began_ms < 4000) {
        assert_string_equal(next(world, 0, 1500).case_id, "");
    }
    const guika_v1_NextFoundResponse again = next(world, 0, 15000);

    assert_string_equal(again.case_id, world->case_id);
    assert_string_equal(again.reference, "customer-2");
    assert_true(gk_test_now_ms() - began_ms >= 5900);
}

/* The issuer passes the code on, and tells its holder where it is good; asked again it is the same. */
static void test_relaying_gives_the_pickup_code(void **state)
{
    struct world *world = *state;
    char code[128] = "";
    struct gk_test_run run;

    for (int i = 0; i < 2; i++) {
        run = guika(world, "bank", "$G issuer decide %s relay", world->case_id);
        assert_ends(&run, 0);
        assert_has(run.output, "NOTIFIED");
        assert_has(run.output, "number ");
        const char *line = strstr(run.output, "code   ");

        assert_non_null(line);
        assert_int_equal(strspn(line + strlen("code   "), "0123456789"), 8);
        if (i == 0) {
            (void)snprintf(code, sizeof code, "%.20s", line);
        } else {
            assert_memory_equal(code, line, strlen("code   ") + 8);
        }
        gk_test_run_clear(&run);
    }
    assert_int_equal(latest_card(world).state, guika_v1_CardState_CARD_STATE_NOTIFIED);
}

static void test_card_that_is_cancelled_while_it_waits_is_kept_for_destruction(void **state)
{
    struct world *world = *state;
    struct gk_test_run run =
        guika(world, "bank", "echo %s | $G registry revoke --scheme iso7812 --index-key $D/bank.key",
              world->number[1]);

    assert_ends(&run, 0);
    gk_test_run_clear(&run);
    guika_v1_FoundCardRow row = latest_card(world);

    assert_int_equal(row.state, guika_v1_CardState_CARD_STATE_DIFFICULT);
    assert_int_equal(row.reason, guika_v1_Reason_REASON_CANCELLED);
    assert_int_equal(row.disposition, guika_v1_Disposition_DISPOSITION_DESTROY);
    assert_true(row.misplaced); /* it lies in the normal zone */
    assert_string_equal(next(world, 0, 1500).case_id, "");
    row = find_card(world, 1); /* and found again */
    assert_int_equal(row.reason, guika_v1_Reason_REASON_CANCELLED);
    assert_int_equal(row.zone, guika_v1_Zone_ZONE_DIFFICULT);
    assert_int_equal(row.disposition, guika_v1_Disposition_DISPOSITION_DESTROY);
    assert_string_equal(next(world, 0, 1500).case_id, "");
    assert_int_equal(gk_test_mail_count(&world->service), 0);
}

static void test_on_enquiry_the_issuer_hears_only_once_the_holder_asks(void **state)
{
    struct world *world = *state;
    struct gk_test_run run = guika(world, "operator", "$G issuer set bank --policy on-enquiry");

    assert_ends(&run, 0);
    gk_test_run_clear(&run);
    assert_int_equal(find_card(world, 2).state, guika_v1_CardState_CARD_STATE_IDENTIFIED);
    assert_string_equal(next(world, 0, 2000).case_id, "");
    run = guika(world, "operator", "echo %s | $G check", world->number[2]);
    assert_ends(&run, 0);
    gk_test_run_clear(&run);
    const guika_v1_NextFoundResponse found = next(world, 0, 15000);

    assert_string_equal(found.case_id, world->case_id);
    assert_string_equal(found.reference, "customer-4");
    assert_int_equal(gk_test_mail_count(&world->service), 0);
}

/* Nobody knew the number when the card was found; it keeps its tokens under the issuers' keys too. */
/* A list of numbers is the issuer's own, and may be the only one. */
static void test_tokens_never_take_the_place_of_the_numbers(void **state)
{
    const struct world *world = *state;

    write_text(world, "only.csv", "scheme,number,reference\niso7812,4111111111111111,r-1\n");
    struct gk_test_run run = guika(world, "none",
                                   "ln -sf only.csv $D/same.csv; for out in only.csv same.csv .; do "
                                   "$G registry tokenise --index-key $D/bank.key $D/only.csv $D/$out 2>&1; "
                                   "echo status $?; done; head -n 1 $D/only.csv; true");

    assert_ends(&run, 0);
    assert_null(strstr(run.output, "status 0"));
    assert_has(run.output, "the tokens would take the place of the numbers");
    assert_has(run.output, "is no plain file");
    assert_has(run.output, "scheme,number,reference");
    gk_test_run_clear(&run);
}

static void test_card_that_was_found_before_its_token_was_imported_is_told_of_then(void **state)
{
    struct world *world = *state;
    char text[256];

    assert_int_equal(find_card(world, 4).reason, guika_v1_Reason_REASON_UNREGISTERED);
    (void)snprintf(text, sizeof text, "scheme,number,reference\niso7812,%s,customer-5\n", world->number[4]);
    write_text(world, "later.csv", text);
    struct gk_test_run run = guika(
        world, "none", "$G registry tokenise --index-key $D/bank.key $D/later.csv $D/later-tokens.csv; true");

    assert_ends(&run, 0);
    gk_test_run_clear(&run);
    run = guika(world, "operator", "$G issuer set bank --policy through-issuer");
    assert_ends(&run, 0);
    gk_test_run_clear(&run);
    run = guika(world, "bank", "$G registry import $D/later-tokens.csv");
    assert_ends(&run, 0);
    gk_test_run_clear(&run);
    const guika_v1_NextFoundResponse found = next(world, 0, 20000);

    assert_string_equal(found.case_id, world->case_id);
    assert_string_equal(found.reference, "customer-5");
}

static void test_policies_of_an_issuer_that_hands_numbers_over(void **state)
{
    struct world *world = *state;
    char token[GK_TEST_TOKEN_SIZE];
    struct gk_test_holder holder = {"iso7812", "", "number-holder", "en", "smtp:told@holders.example"};

    gk_test_add_issuer(&world->service, "branch", "iso7812:4", token);
    (void)snprintf(holder.number, sizeof holder.number, "%s", world->number[3]);
    gk_test_import(&world->service, token, "one", &holder, 1);
    struct gk_test_run run = guika(world, "operator", "$G issuer set branch --policy on-enquiry");

    assert_ends(&run, 0);
    gk_test_run_clear(&run);
    assert_int_equal(find_card(world, 3).state, guika_v1_CardState_CARD_STATE_IDENTIFIED);
    gk_test_sleep_ms(1500);
    assert_int_equal(gk_test_mail_count(&world->service), 0);
    run = guika(world, "operator", "echo %s | $G check", world->number[3]);
    assert_ends(&run, 0);
    gk_test_run_clear(&run);
    assert_true(gk_test_mail_wait(&world->service, 1, NOTICE_WAIT_MS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operator_makes_an_index_key_that_its_owner_alone_may_read),
        cmocka_unit_test(test_tokens_are_made_and_bad_rows_told_by_line),
        cmocka_unit_test(test_tokens_never_take_the_place_of_the_numbers),
        cmocka_unit_test(test_tokens_are_imported_and_malformed_ones_told_by_line),
        cmocka_unit_test(test_found_card_is_told_once_with_its_reference_and_nobody_else_hears),
        cmocka_unit_test(test_numbers_and_references_rest_nowhere_in_clear),
        cmocka_unit_test(test_decision_is_final_and_may_be_repeated),
        cmocka_unit_test(test_another_issuer_learns_nothing_of_the_case),
        cmocka_unit_test(test_lease_outlives_a_killed_guikad_and_the_card_comes_again_after_it),
        cmocka_unit_test(test_relaying_gives_the_pickup_code),
        cmocka_unit_test(test_card_that_is_cancelled_while_it_waits_is_kept_for_destruction),
        cmocka_unit_test(test_on_enquiry_the_issuer_hears_only_once_the_holder_asks),
        cmocka_unit_test(test_card_that_was_found_before_its_token_was_imported_is_told_of_then),
        cmocka_unit_test(test_policies_of_an_issuer_that_hands_numbers_over),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* Plugins come, are replaced, go and misbehave while the service runs. */
#include "tests/flow/plugin_folder.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RETRY_WAIT_MS = 20000, CARDS = 12 };

struct world {
    struct gk_test_service service;
    char box[GK_TEST_TOKEN_SIZE];
    struct gk_rpc_client *client; /* the box's */
    struct gk_test_holder holders[CARDS];
    struct gk_test_picture pictures[CARDS];
    unsigned deposits;
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    char issuer[GK_TEST_TOKEN_SIZE];

    gk_test_plugins_make(&world->service, 2, "");
    gk_test_service_start(&world->service);
    gk_test_wait_for_log(&world->service, "event=shelf_in_use", 1);
    gk_test_add_box(&world->service, "box-1", world->box);
    gk_test_add_issuer(&world->service, "bank", "iso7812:4", issuer);
    for (unsigned i = 0; i < CARDS; i++) {
        struct gk_test_holder *holder = &world->holders[i];

        world->pictures[i] = gk_test_mint_card(500 + i, holder->number);
        holder->scheme = "iso7812";
        holder->language = "en";
        (void)snprintf(holder->holder_id, sizeof holder->holder_id, "h%u", i);
        (void)snprintf(holder->contact, sizeof holder->contact, "smtp:holder%u@holders.example", i);
    }
    gk_test_import(&world->service, issuer, "first", world->holders, CARDS);
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
    for (unsigned i = 0; i < CARDS; i++) {
        free(world->pictures[i].data);
    }
    free(world);
    return 0;
}

static void restart(struct world *world)
{
    gk_rpc_client_close(world->client);
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    gk_test_service_start(&world->service);
    gk_test_wait_for_log(&world->service, "event=shelf_in_use", 1);
    world->client = gk_test_client(&world->service, world->box);
}

/* Deposits card `card` under a new id, which is left in `ret_id`; answered within its deadline of 5 s. */
static guika_v1_Zone deposit(struct world *world, unsigned card, char ret_id[16])
{
    guika_v1_DepositResponse response = {0};
    struct gk_error error = {0};

    (void)snprintf(ret_id, 16, "d%u", world->deposits++);
    if (gk_test_deposit(world->client, ret_id, &world->pictures[card % CARDS], &response, &error) != GK_OK) {
        fail_msg("deposit %s: %s", ret_id, error.message);
    }
    assert_int_equal(response.decision, guika_v1_DepositResponse_Decision_KEEP);
    return response.zone;
}

static guika_v1_FoundCardRow found(struct world *world, const char *deposit_id)
{
    size_t count = 0;
    guika_v1_FoundCardRow *rows = gk_test_found(&world->service, &count), row = {0};

    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].deposit_id, deposit_id) == 0) {
            row = rows[i];
        }
    }
    free(rows);
    return row;
}

static void expect_read(struct world *world)
{
    char id[16];

    assert_int_equal(deposit(world, world->deposits, id), guika_v1_Zone_ZONE_NORMAL);
    assert_int_equal(found(world, id).state, guika_v1_CardState_CARD_STATE_IDENTIFIED);
}

/* --- coming and going --- */

static void test_difficult_card_is_read_by_itself_once_its_plugin_came(void **state)
{
    struct world *world = *state;
    char id[16];

    gk_test_plugins_remove(&world->service, "iso7812.so");
    gk_test_plugins_wait_gone(&world->service, "iso7812.so");
    assert_int_equal(deposit(world, 0, id), guika_v1_Zone_ZONE_DIFFICULT);
    gk_test_confirm_stored(world->client, id, guika_v1_Zone_ZONE_DIFFICULT);
    assert_int_equal(found(world, id).reason, guika_v1_Reason_REASON_UNKNOWN_ISSUER);

    gk_test_plugins_put(&world->service, GK_TEST_SHELF "iso7812.so", "iso7812.so", 0);
    (void)gk_test_plugins_wait(&world->service, "iso7812.so", guika_v1_PluginState_PLUGIN_STATE_IN_USE);
    guika_v1_FoundCardRow row = found(world, id);

    for (unsigned waited = 0; waited < RETRY_WAIT_MS && row.state == guika_v1_CardState_CARD_STATE_DIFFICULT;
         waited += 50) {
        gk_test_sleep_ms(50);
        row = found(world, id);
    }
    /* The notice leaves once staff have placed the card where its holder reaches it. */
    assert_int_equal(row.state, guika_v1_CardState_CARD_STATE_IDENTIFIED);
    assert_string_equal(row.issuer, "iso7812");
    assert_int_equal(row.reason, guika_v1_Reason_REASON_UNSPECIFIED);
    assert_false(row.misplaced);
}

static void test_replaced_plugin_is_used_and_a_bad_one_leaves_the_old_in_use(void **state)
{
    struct world *world = *state;
    const guika_v1_PluginRow before = gk_test_plugins_row(&world->service, "iso7812.so");

    gk_test_plugins_put(&world->service, GK_TEST_SHELF "iso7812.so", "iso7812.so", 1);
    gk_test_wait_for_log(&world->service, "event=shelf_in_use",
                         gk_test_occurrences(world->service.log, "event=shelf_in_use") + 1);
    const guika_v1_PluginRow after = gk_test_plugins_row(&world->service, "iso7812.so");

    assert_int_equal(after.state, guika_v1_PluginState_PLUGIN_STATE_IN_USE);
    assert_string_not_equal(after.hash, before.hash);

    gk_test_plugins_put(&world->service, GUIKA_SOURCE_DIR "/LICENSE", "iso7812.so", 0);
    const guika_v1_PluginRow refused =
        gk_test_plugins_wait(&world->service, "iso7812.so", guika_v1_PluginState_PLUGIN_STATE_OLD_IN_USE);

    assert_string_equal(refused.hash, after.hash);
    assert_string_equal(refused.issuer, "iso7812");
    assert_non_null(strstr(refused.reason, "cannot be loaded"));
    expect_read(world);

    restart(world); /* the copy of the good one is kept */
    (void)gk_test_plugins_wait(&world->service, "iso7812.so", guika_v1_PluginState_PLUGIN_STATE_OLD_IN_USE);
    expect_read(world);
    gk_test_plugins_put(&world->service, GK_TEST_SHELF "iso7812.so", "iso7812.so", 0);
    (void)gk_test_plugins_wait(&world->service, "iso7812.so", guika_v1_PluginState_PLUGIN_STATE_IN_USE);
}

static void test_second_plugin_of_one_id_is_refused_whatever_its_name(void **state)
{
    struct world *world = *state;

    gk_test_plugins_put(&world->service, GK_TEST_SHELF "iso7812.so", "a-first.so", 0);
    const guika_v1_PluginRow row =
        gk_test_plugins_wait(&world->service, "a-first.so", guika_v1_PluginState_PLUGIN_STATE_REFUSED);

    assert_non_null(strstr(row.reason, "another plugin with the id \"iso7812\""));
    assert_int_equal(gk_test_plugins_row(&world->service, "iso7812.so").state,
                     guika_v1_PluginState_PLUGIN_STATE_IN_USE);
    gk_test_plugins_remove(&world->service, "a-first.so");
    (void)gk_test_plugins_wait(&world->service, "a-first.so", guika_v1_PluginState_PLUGIN_STATE_UNSPECIFIED);
}

/* --- misbehaving --- */

static void test_plugin_that_breaks_while_it_is_loaded_is_refused(void **state)
{
    struct world *world = *state;

    gk_test_plugins_put(&world->service, GK_TEST_BAD "load_crash.so", "bad.so", 0);
    const guika_v1_PluginRow crash =
        gk_test_plugins_wait(&world->service, "bad.so", guika_v1_PluginState_PLUGIN_STATE_REFUSED);

    assert_non_null(strstr(crash.reason, "while it loaded the file (signal 6"));
    gk_test_plugins_put(&world->service, GK_TEST_BAD "load_hang.so", "bad.so", 0);
    expect_read(world); /* while the hanging one is looked at */
    gk_test_wait_for_log(&world->service, "did not come to an end", 1);
    (void)gk_test_plugins_wait(&world->service, "bad.so", guika_v1_PluginState_PLUGIN_STATE_REFUSED);
    gk_test_plugins_remove(&world->service, "bad.so");
    (void)gk_test_plugins_wait(&world->service, "bad.so", guika_v1_PluginState_PLUGIN_STATE_UNSPECIFIED);
    expect_read(world);
}

/* Deposits until the plugin is in quarantine; every deposit is answered in time. Then all is well again. */
static void expect_quarantine(struct world *world, const char *name, const char *words)
{
    char from[256], id[16];
    guika_v1_PluginRow row = {0};

    (void)snprintf(from, sizeof from, "%s%s.so", GK_TEST_BAD, name);
    gk_test_plugins_put(&world->service, from, "bad.so", 0);
    (void)gk_test_plugins_wait(&world->service, "bad.so", guika_v1_PluginState_PLUGIN_STATE_IN_USE);
    gk_test_plugins_settle(&world->service);
    for (unsigned i = 0; i < 12 && row.state != guika_v1_PluginState_PLUGIN_STATE_QUARANTINED; i++) {
        (void)deposit(world, i, id);
        row = gk_test_plugins_row(&world->service, "bad.so");
    }
    row = gk_test_plugins_wait(&world->service, "bad.so", guika_v1_PluginState_PLUGIN_STATE_QUARANTINED);
    print_message("%s: %s\n", name, row.reason);
    assert_int_equal(row.strikes, 3);
#if defined(__SANITIZE_ADDRESS__)
    words = "accepts()"; /* it turns signals into exits */
#endif
    if (strstr(row.reason, words) == NULL) {
        fail_msg("%s: \"%s\" does not say \"%s\"", name, row.reason, words);
    }
    gk_test_plugins_settle(&world->service);
    expect_read(world);
}

static void test_plugins_that_break_readers_are_put_into_quarantine(void **state)
{
    struct world *world = *state;

    expect_quarantine(world, "crash", "died in its accepts() (signal 11");
    expect_quarantine(world, "descriptor", "died in its accepts() (signal 11");
    expect_quarantine(world, "exit", "died in its accepts() (exit status 0");
    expect_quarantine(world, "scribble", "accepts()");
    expect_quarantine(world, "close", "right after its accepts()");
#if !defined(__SANITIZE_ADDRESS__) /* whose heap says nothing of its size */
    expect_quarantine(world, "leak", "MiB");
#endif
    expect_quarantine(world, "loop", "did not return");
}

static void test_quarantine_outlives_a_restart_and_ends_with_another_file_or_a_release(void **state)
{
    struct world *world = *state;
    struct gk_rpc_client *operator_client;
    guika_v1_ReleasePluginRequest request = {.file = "bad.so"};
    guika_v1_ReleasePluginResponse response = {0};

    restart(world);
    (void)gk_test_plugins_wait(&world->service, "bad.so", guika_v1_PluginState_PLUGIN_STATE_QUARANTINED);
    expect_read(world);

    operator_client = gk_test_client(&world->service, world->service.operator_token);
    assert_int_equal(
        guika_v1_operator_service_release_plugin(operator_client, NULL, &request, &response, NULL), GK_OK);
    assert_int_equal(
        gk_test_plugins_wait(&world->service, "bad.so", guika_v1_PluginState_PLUGIN_STATE_IN_USE).strikes, 0);
    (void)snprintf(request.file, sizeof request.file, "none.so");
    assert_int_equal(
        guika_v1_operator_service_release_plugin(operator_client, NULL, &request, &response, NULL),
        GK_NOT_FOUND);
    gk_rpc_client_close(operator_client);

    gk_test_plugins_put(&world->service, GK_TEST_BAD "well.so", "bad.so", 0);
    gk_test_sleep_ms(500);
    gk_test_plugins_settle(&world->service);
    (void)gk_test_plugins_wait(&world->service, "bad.so", guika_v1_PluginState_PLUGIN_STATE_IN_USE);
    gk_test_plugins_remove(&world->service, "bad.so");
    gk_test_plugins_wait_gone(&world->service, "bad.so");
    expect_read(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_difficult_card_is_read_by_itself_once_its_plugin_came),
        cmocka_unit_test(test_replaced_plugin_is_used_and_a_bad_one_leaves_the_old_in_use),
        cmocka_unit_test(test_second_plugin_of_one_id_is_refused_whatever_its_name),
        cmocka_unit_test(test_plugin_that_breaks_while_it_is_loaded_is_refused),
        cmocka_unit_test(test_plugins_that_break_readers_are_put_into_quarantine),
        cmocka_unit_test(test_quarantine_outlives_a_restart_and_ends_with_another_file_or_a_release),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

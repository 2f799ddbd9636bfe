/* Readers that die, hang or are missing cost a retry or a difficult card, never the service. */
#include "tests/flow/service.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct world {
    struct gk_test_service service;
    char box[GK_TEST_TOKEN_SIZE];
    struct gk_test_picture picture;
};

/* Waits until so many readers in all have said that they can read: one that is stopped before holds no lease
 * that could run out. */
static void wait_for_readers(const struct world *world, size_t announced)
{
    for (unsigned waited = 0; gk_test_occurrences(world->service.log, "event=shelf") < announced;
         waited += 20) {
        if (waited >= 20000) {
            fail_msg("the readers did not come back");
        }
        gk_test_sleep_ms(20);
    }
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    char number[40];

    gk_test_service_make(&world->service, 2);
    gk_test_service_start(&world->service);
    gk_test_add_box(&world->service, "box-1", world->box);
    world->picture = gk_test_mint_card(77, number);
    wait_for_readers(world, 2);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    gk_test_service_remove(&world->service);
    free(world->picture.data);
    free(world);
    return 0;
}

static void signal_readers(const struct world *world, int signal_number)
{
    pid_t ids[8];
    const size_t count = gk_test_children(&world->service, "guika-reader", ids, 8);

    for (size_t i = 0; i < count; i++) {
        (void)kill(ids[i], signal_number);
    }
}

static void test_killed_readers_come_back_and_read_on(void **state)
{
    struct world *world = *state;
    struct gk_rpc_client *client = gk_test_client(&world->service, world->box);
    guika_v1_DepositResponse response = {0};
    struct gk_error error = {0};

    signal_readers(world, SIGKILL);
    wait_for_readers(world, 4);
    if (gk_test_deposit(client, "after-kill", &world->picture, &response, &error) != GK_OK) {
        fail_msg("%s", error.message);
    }
    assert_int_equal(response.decision, guika_v1_DepositResponse_Decision_KEEP);
    gk_rpc_client_close(client);
}

/* Both attempts hang until their leases run out; the deposit's deadline of 5 s still holds. */
static void test_hanging_readers_make_a_difficult_card_within_the_deadline(void **state)
{
    struct world *world = *state;
    struct gk_rpc_client *client = gk_test_client(&world->service, world->box);
    struct gk_rpc_client *operator_client = gk_test_client(&world->service, world->service.operator_token);
    const guika_v1_ListFoundRequest request = {.limit = 1};
    guika_v1_ListFoundResponse *list = calloc(1, sizeof *list);
    guika_v1_DepositResponse response = {0};
    struct gk_error error = {0};

    signal_readers(world, SIGSTOP);
    if (gk_test_deposit(client, "hangs", &world->picture, &response, &error) != GK_OK) {
        fail_msg("%s", error.message);
    }
    assert_int_equal(response.zone, guika_v1_Zone_ZONE_DIFFICULT);
    assert_int_equal(guika_v1_operator_service_list_found(operator_client, NULL, &request, list, NULL),
                     GK_OK);
    assert_string_equal(list->cards[0].deposit_id, "hangs");
    assert_int_equal(list->cards[0].reason, guika_v1_Reason_REASON_UNREADABLE);
    wait_for_readers(world, 6);
    assert_int_equal(gk_test_deposit(client, "reads-again", &world->picture, &response, &error), GK_OK);
    free(list);
    gk_rpc_client_close(client);
    gk_rpc_client_close(operator_client);
}

static void test_children_end_with_guikad(void **state)
{
    struct world *world = *state;
    pid_t ids[8];
    const size_t count = gk_test_children(&world->service, "guika-reader", ids, 8);

    assert_int_equal(count, 2);
    (void)gk_test_service_stop(&world->service, SIGKILL);
    for (unsigned waited = 0; waited < 5000 && (kill(ids[0], 0) == 0 || kill(ids[1], 0) == 0); waited += 20) {
        gk_test_sleep_ms(20);
    }
    assert_int_not_equal(kill(ids[0], 0), 0);
    assert_int_not_equal(kill(ids[1], 0), 0);
    gk_test_service_start(&world->service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_readers_come_back_and_read_on),
        cmocka_unit_test(test_hanging_readers_make_a_difficult_card_within_the_deadline),
        cmocka_unit_test(test_children_end_with_guikad),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

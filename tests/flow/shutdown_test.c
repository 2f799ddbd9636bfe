/*
 * SIGTERM while cards are in hand: everybody gets an answer or is told that there is none, and what was
 * acknowledged is there afterwards.
 *
 * GUIKA_SHUTDOWN_DEPOSITS sets the deposits in flight (default 20; fewer where reading is slow).
 */
#include "tests/flow/service.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    DEPOSITS_DEFAULT = 20,
    DEPOSITS_MAX = 100,
    PICTURES = 4,
    END_LIMIT_MS = 10000,
    TOO_MANY = 60, /* more than one reader reads in the time that a stop waits for it; the queue takes 64 */
};

struct depositor {
    pthread_t thread;
    const struct world *world;
    char id[24];
    unsigned picture;
    enum gk_status status;
    guika_v1_DepositResponse response;
    struct gk_error error;
};

struct world {
    struct gk_test_service service;
    unsigned deposits;
    char box[GK_TEST_TOKEN_SIZE];
    struct gk_test_picture pictures[PICTURES];
    struct depositor depositors[DEPOSITS_MAX];
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    const char *wanted = getenv("GUIKA_SHUTDOWN_DEPOSITS");

    world->deposits = wanted == NULL ? DEPOSITS_DEFAULT : (unsigned)strtoul(wanted, NULL, 10);
    for (unsigned i = 0; i < PICTURES; i++) {
        char number[40];

        world->pictures[i] = gk_test_mint_card(1200 + i, number);
    }
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    for (unsigned i = 0; i < PICTURES; i++) {
        free(world->pictures[i].data);
    }
    free(world);
    return 0;
}

static void start_service(struct world *world, unsigned readers)
{
    gk_test_service_make(&world->service, readers);
    gk_test_service_start(&world->service);
    gk_test_add_box(&world->service, "box-1", world->box);
}

static void *deposit(void *context)
{
    struct depositor *depositor = context;
    struct gk_rpc_client *client = gk_test_client(&depositor->world->service, depositor->world->box);

    depositor->status =
        gk_test_deposit(client, depositor->id, &depositor->world->pictures[depositor->picture],
                        &depositor->response, &depositor->error);
    gk_rpc_client_close(client);
    return NULL;
}

static void start_deposits(struct world *world, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct depositor *depositor = &world->depositors[i];

        *depositor = (struct depositor){.world = world, .picture = i % PICTURES};
        (void)snprintf(depositor->id, sizeof depositor->id, "d-%u", i);
        assert_int_equal(pthread_create(&depositor->thread, NULL, deposit, depositor), 0);
    }
}

static void join_deposits(struct world *world, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        (void)pthread_join(world->depositors[i].thread, NULL);
    }
}

/* Two SIGTERMs, as an impatient person sends them; returns how long the end took. */
static long long terminate_twice(struct world *world, int *ret_status)
{
    const long long began_ms = gk_test_now_ms();

    assert_int_equal(kill(world->service.process_id, SIGTERM), 0);
    gk_test_sleep_ms(50);
    *ret_status = gk_test_service_stop(&world->service, SIGTERM);
    return gk_test_now_ms() - began_ms;
}

/* The same deposit again gets the answer that was given; each is listed once. */
static void assert_there(struct world *world, const struct depositor *depositor)
{
    struct gk_rpc_client *client = gk_test_client(&world->service, world->box);
    guika_v1_DepositResponse again = {0};
    size_t count;
    size_t times = 0;

    assert_int_equal(
        gk_test_deposit(client, depositor->id, &world->pictures[depositor->picture], &again, NULL), GK_OK);
    gk_rpc_client_close(client);
    assert_string_equal(again.case_id, depositor->response.case_id);
    assert_int_equal(again.decision, depositor->response.decision);
    assert_int_equal(again.zone, depositor->response.zone);
    guika_v1_FoundCardRow *rows = gk_test_found(&world->service, &count);

    for (size_t i = 0; i < count; i++) {
        times += strcmp(rows[i].deposit_id, depositor->id) == 0;
    }
    free(rows);
    assert_int_equal(times, 1);
}

static void test_deposits_in_flight_are_answered_before_the_end(void **state)
{
    struct world *world = *state;
    unsigned answered = 0;
    int status;

    start_service(world, 2);
    start_deposits(world, world->deposits);
    gk_test_sleep_ms(300);
    const long long took_ms = terminate_twice(world, &status);

    join_deposits(world, world->deposits);
    for (unsigned i = 0; i < world->deposits; i++) {
        const struct depositor *depositor = &world->depositors[i];

        /* Where the machine is busy, some stand in the queue for longer than a deposit may take. */
        if (depositor->status != GK_OK && depositor->status != GK_UNAVAILABLE &&
            depositor->status != GK_DEADLINE_EXCEEDED) {
            fail_msg("%s: %d, %s", depositor->id, depositor->status, depositor->error.message);
        }
        answered += depositor->status == GK_OK;
    }
    print_message("%u of %u deposits answered; the end took %lld ms\n", answered, world->deposits, took_ms);
    assert_int_equal(status, 0);
    assert_true(took_ms < END_LIMIT_MS);
    assert_true(answered > 0);
    gk_test_service_start(&world->service);
    for (unsigned i = 0; i < world->deposits; i++) {
        if (world->depositors[i].status == GK_OK) {
            assert_there(world, &world->depositors[i]);
        }
    }
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    assert_true(gk_test_verify_audit(&world->service) > answered);
    gk_test_service_remove(&world->service);
}

/* What is not read when the time is up becomes a difficult card; guikad neither waits for ever nor breaks. */
static void test_stop_does_not_wait_for_ever_for_the_readers(void **state)
{
    struct world *world = *state;
    pid_t reader;
    int status;

    start_service(world, 1);
    start_deposits(world, TOO_MANY);
    gk_test_sleep_ms(500);
    assert_int_equal(gk_test_children(&world->service, "guika-reader", &reader, 1), 1);
    assert_int_equal(kill(reader, SIGSTOP), 0);
    const long long took_ms = terminate_twice(world, &status);

    join_deposits(world, TOO_MANY);
    print_message("the end took %lld ms\n", took_ms);
    assert_int_equal(status, 0);
    assert_true(took_ms < 2 * END_LIMIT_MS);
    for (unsigned i = 0; i < TOO_MANY; i++) {
        const enum gk_status answer = world->depositors[i].status;

        assert_true(answer == GK_OK || answer == GK_UNAVAILABLE || answer == GK_DEADLINE_EXCEEDED ||
                    answer == GK_RESOURCE_EXHAUSTED);
    }
    gk_test_service_start(&world->service);
    for (unsigned i = 0; i < TOO_MANY; i++) {
        if (world->depositors[i].status == GK_OK) {
            assert_there(world, &world->depositors[i]);
        }
    }
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    (void)gk_test_verify_audit(&world->service);
    gk_test_service_remove(&world->service);
}

static void test_idle_service_ends_at_once(void **state)
{
    struct world *world = *state;
    int status;

    start_service(world, 1);
    const long long took_ms = terminate_twice(world, &status);

    print_message("the end took %lld ms\n", took_ms);
    assert_int_equal(status, 0);
    assert_true(took_ms < END_LIMIT_MS / 2);
    gk_test_service_remove(&world->service);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deposits_in_flight_are_answered_before_the_end),
        cmocka_unit_test(test_stop_does_not_wait_for_ever_for_the_readers),
        cmocka_unit_test(test_idle_service_ends_at_once),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

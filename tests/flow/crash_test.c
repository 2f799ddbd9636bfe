/*
 * kill -9 of guikad at random moments: every acknowledged deposit is there once afterwards, and every holder
 * has exactly one notice.
 *
 * GUIKA_CRASH_DEPOSITS sets the number of deposits (default 200, the issue's; fewer under sanitizers).
 */
#include "tests/flow/service.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    DEPOSITS_DEFAULT = 200,
    CARDS = 20, /* different pictures: drawing takes longer than reading */
    BOXES = 2,  /* that deposit at once */
    CALL_MS = 5000,
    LONGEST_LIFE_MS = 6000, /* of guikad between two kills */
    ALL_DELIVERED_MS = 60000,
};

struct boxer {
    pthread_t thread;
    struct run *run;
    unsigned index;
    char token[GK_TEST_TOKEN_SIZE];
};

struct run {
    struct gk_test_service service;
    struct gk_test_picture pictures[CARDS];
    struct gk_test_holder holders[CARDS];
    unsigned deposits;
    atomic_uint next;
    atomic_uint finished; /* boxes */
    struct boxer boxers[BOXES];
};

/* A box that never gives up: the same deposit id until there is an answer. */
static void deposit_until_answered(struct run *run, struct gk_rpc_client *client, unsigned index)
{
    char id[24];
    guika_v1_DepositResponse response = {0};
    guika_v1_ConfirmStoredResponse confirmed;
    enum gk_status status;

    (void)snprintf(id, sizeof id, "d-%u", index);
    while ((status = gk_test_deposit(client, id, &run->pictures[index % CARDS], &response, NULL)) != GK_OK) {
        assert_true(status == GK_UNAVAILABLE || status == GK_DEADLINE_EXCEEDED ||
                    status == GK_RESOURCE_EXHAUSTED);
        gk_test_sleep_ms(50);
    }
    guika_v1_ConfirmStoredRequest confirm = {
        .outcome = guika_v1_ConfirmStoredRequest_Outcome_STORED, .zone = response.zone, .compartment = "1"};

    (void)snprintf(confirm.deposit_id, sizeof confirm.deposit_id, "%s", id);
    while (guika_v1_box_service_confirm_stored(client, NULL, &confirm, &confirmed, NULL) != GK_OK) {
        gk_test_sleep_ms(50);
    }
}

static void *box_thread(void *context)
{
    struct boxer *boxer = context;
    struct run *run = boxer->run;
    struct gk_rpc_client *client = gk_test_client(&run->service, boxer->token);
    unsigned index;

    while ((index = atomic_fetch_add(&run->next, 1)) < run->deposits) {
        deposit_until_answered(run, client, index);
    }
    gk_rpc_client_close(client);
    atomic_fetch_add(&run->finished, 1);
    return NULL;
}

static void prepare(struct run *run)
{
    char issuer[GK_TEST_TOKEN_SIZE];
    const char *wanted = getenv("GUIKA_CRASH_DEPOSITS");

    run->deposits = wanted == NULL ? DEPOSITS_DEFAULT : (unsigned)strtoul(wanted, NULL, 10);
    gk_test_service_make(&run->service, 2);
    gk_test_service_start(&run->service);
    gk_test_add_issuer(&run->service, "bank", "iso7812", issuer);
    for (unsigned i = 0; i < CARDS; i++) {
        struct gk_test_holder *holder = &run->holders[i];

        run->pictures[i] = gk_test_mint_card(5000 + i, holder->number);
        holder->scheme = "iso7812";
        holder->language = "en";
        (void)snprintf(holder->holder_id, sizeof holder->holder_id, "h%u", i);
        (void)snprintf(holder->contact, sizeof holder->contact, "smtp:h%u@holders.example", i);
    }
    gk_test_import(&run->service, issuer, "all", run->holders, CARDS);
    for (unsigned i = 0; i < BOXES; i++) {
        char box_id[16];

        (void)snprintf(box_id, sizeof box_id, "box-%u", i);
        gk_test_add_box(&run->service, box_id, run->boxers[i].token);
        run->boxers[i].run = run;
    }
}

/* Kills and starts until the boxes have deposited everything; returns how often. */
static unsigned kill_until_finished(struct run *run)
{
    unsigned seed = 7;
    unsigned kills = 0;

    while (atomic_load(&run->finished) < BOXES) {
        gk_test_sleep_ms(200 + (unsigned)rand_r(&seed) % LONGEST_LIFE_MS);
        (void)gk_test_service_stop(&run->service, SIGKILL);
        gk_test_service_start(&run->service);
        kills++;
    }
    return kills;
}

struct tally {
    unsigned cards;
    unsigned identified;
};

static struct tally count_cards(const struct run *run)
{
    struct gk_rpc_client *client = gk_test_client(&run->service, run->service.operator_token);
    guika_v1_ListFoundRequest request = {.limit = 100};
    guika_v1_ListFoundResponse *response = calloc(1, sizeof *response);
    struct tally tally = {0};
    bool *seen = calloc(run->deposits, sizeof *seen);

    do {
        memset(response, 0, sizeof *response);
        assert_int_equal(guika_v1_operator_service_list_found(client, NULL, &request, response, NULL), GK_OK);
        for (size_t i = 0; i < response->cards_count; i++) {
            unsigned index = 0;

            assert_int_equal(sscanf(response->cards[i].deposit_id, "d-%u", &index), 1);
            assert_true(index < run->deposits && !seen[index]); /* once */
            seen[index] = true;
            tally.cards++;
            tally.identified += response->cards[i].state == guika_v1_CardState_CARD_STATE_IDENTIFIED ||
                                response->cards[i].state == guika_v1_CardState_CARD_STATE_NOTIFIED;
        }
        (void)snprintf(request.page_token, sizeof request.page_token, "%s", response->next_page_token);
    } while (request.page_token[0] != '\0');
    free(seen);
    free(response);
    gk_rpc_client_close(client);
    return tally;
}

static void test_nothing_acknowledged_is_lost_or_doubled_by_kills(void **state)
{
    struct run *run = calloc(1, sizeof *run);

    (void)state;
    prepare(run);
    for (unsigned i = 0; i < BOXES; i++) {
        assert_int_equal(pthread_create(&run->boxers[i].thread, NULL, box_thread, &run->boxers[i]), 0);
    }
    const unsigned kills = kill_until_finished(run);

    for (unsigned i = 0; i < BOXES; i++) {
        (void)pthread_join(run->boxers[i].thread, NULL);
    }
    const struct tally tally = count_cards(run);

    print_message("%u deposits, %u kills, %u identified\n", run->deposits, kills, tally.identified);
    assert_int_equal(tally.cards, run->deposits);
    assert_true(kills > 0);
    assert_true(tally.identified * 10 >= run->deposits * 9);
    assert_true(gk_test_mail_wait(&run->service, tally.identified, ALL_DELIVERED_MS));
    gk_test_sleep_ms(2000);
    assert_int_equal(gk_test_mail_count(&run->service), tally.identified);
    assert_int_equal(gk_test_service_stop(&run->service, SIGTERM), 0);
    assert_true(gk_test_verify_audit(&run->service) > run->deposits);
    gk_test_service_remove(&run->service);
    for (unsigned i = 0; i < CARDS; i++) {
        free(run->pictures[i].data);
    }
    free(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_acknowledged_is_lost_or_doubled_by_kills)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

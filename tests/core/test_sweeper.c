/* The sweeper on a loop of its own, as the daemon runs it: the test moves the clock and waits for what time
 * does. */
#include "core/sweeper.h"

#include "core/found_card.h"
#include "core/store/record.h"
#include "tests/core/core_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define DAY_MS (INT64_C(24) * 3600 * 1000)

static const uint8_t case_id[GK_CASE_ID_SIZE] = {0xca, 0x5e};

static enum gk_status apply_find(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    guika_v1_internal_DepositRecord deposit;

    return gk_found_card_decide(transaction, context, &deposit, error);
}

static void find(struct core_rig *rig)
{
    struct gk_found_card_decision *decision = calloc(1, sizeof *decision);

    memcpy(decision->card.case_id, case_id, GK_CASE_ID_SIZE);
    decision->card.state = guika_v1_CardState_CARD_STATE_IDENTIFIED;
    decision->card.kind = guika_v1_CardKind_CARD_KIND_PAYMENT;
    decision->card.received_at_ms = atomic_load(&rig->now_ms);
    decision->card.has_place = true;
    decision->card.place.kind = guika_v1_internal_Place_Kind_PLACE_SLOT;
    strcpy(decision->card.box_id, "library-1");
    strcpy(decision->card.deposit_id, "d-1");
    memcpy(decision->deposit.case_id, case_id, GK_CASE_ID_SIZE);
    decision->deposit.has_answer = true;
    assert_int_equal(gk_store_commit_and_wait(rig->store, apply_find, decision, NULL), GK_OK);
    free(decision);
}

static void await_state(struct core_rig *rig, guika_v1_CardState state)
{
    guika_v1_internal_FoundCard card = {0};

    for (unsigned i = 0; i < 1000 && card.state != state; i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        card = (guika_v1_internal_FoundCard){0};
        assert_int_equal(gk_record_read(rig->store, GK_FAMILY_FOUND_CARDS,
                                        (struct gk_bytes){case_id, sizeof case_id},
                                        guika_v1_internal_FoundCard_fields, &card, NULL),
                         GK_OK);
    }
    assert_int_equal(card.state, state);
}

static void test_card_expires_when_the_injected_clock_says_so(void **state)
{
    struct core_rig *rig = calloc(1, sizeof *rig);

    (void)state;
    core_rig_start(rig, NULL);
    find(rig);
    await_state(rig, guika_v1_CardState_CARD_STATE_IDENTIFIED);
    atomic_fetch_add(&rig->now_ms, 15 * DAY_MS);
    await_state(rig, guika_v1_CardState_CARD_STATE_EXPIRED);
    core_rig_end(rig);
    free(rig);
}

static void test_clocks_go_on_after_a_restart(void **state)
{
    struct core_rig *rig = calloc(1, sizeof *rig);

    (void)state;
    core_rig_start(rig, NULL);
    find(rig);
    core_rig_restart(rig); /* nobody hears of the time in between but by the clock */
    atomic_fetch_add(&rig->now_ms, 400 * DAY_MS);
    await_state(rig, guika_v1_CardState_CARD_STATE_EXPIRED);
    core_rig_end(rig);
    free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_card_expires_when_the_injected_clock_says_so),
        cmocka_unit_test(test_clocks_go_on_after_a_restart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

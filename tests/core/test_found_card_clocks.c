#include "core/found_card_clocks.h"

#include "tests/core/life_words.h"

/* --- clocks --- */

static void test_years_of_a_card_pass_in_a_moment(void **state)
{
    struct life *life = *state;
    unsigned reminded = 0;

    life_ready(life, 1, 3);
    const int64_t found_ms = life_card(life, 1).received_at_ms;

    for (unsigned day = 1; day <= 3 * 365; day++) {
        life_pass(life, LIFE_DAY_MS);
        life_sweep(life);
        const guika_v1_internal_FoundCard card = life_card(life, 1);

        reminded += day < 14 && life_notice(life, 1) == DUE &&
                    strcmp(life_notice_record(life, 1).template_id, "card_reminder") == 0 && reminded == 0;
        if (day == 9) {
            assert_int_equal(reminded, 1);
        }
        if (day < 14) {
            assert_int_equal(card.state, NOTIFIED);
        } else if (day == 14) {
            assert_int_equal(card.state, EXPIRED);
            assert_int_equal(card.expires_at_ms, found_ms + 14 * LIFE_DAY_MS);
            assert_int_equal(life_notice(life, 1), CANCELLED); /* nobody is sent any more */
        } else if (day == 40) {
            assert_int_equal(life_end(life, 1, HANDED_OVER, "police"), GK_OK);
        } else if (day == 69) {
            assert_int_equal(card.holder_token.size, GK_TOKEN_SIZE);
        } else if (day == 71) {
            assert_int_equal(card.state, HANDED_OVER);
            assert_int_equal(card.holder_token.size, 0);
            assert_int_equal(card.card_token.size, 0);
        }
    }
    assert_int_equal(reminded, 1);
    assert_int_equal(life_records(life, GK_FAMILY_CLOCKS), 0);
    assert_int_equal(life_records(life, GK_FAMILY_OUTBOX), 0);
    assert_int_equal(life_records(life, GK_FAMILY_FOUND_BY_CARD), 0);
    assert_int_equal(life_records(life, GK_FAMILY_DEPOSITS), 0);
    assert_int_equal(life_records(life, GK_FAMILY_FOUND_CARDS), 1); /* state, place and times stay */
    (void)life_audited(life);
}

static void test_reminder_carries_a_new_code_and_voids_the_one_before(void **state)
{
    struct life *life = *state;
    char old[9];

    life_ready(life, 1, 3);
    life_code(life, 1, old);
    life_pass(life, 9 * LIFE_DAY_MS);
    life_sweep(life);
    assert_string_equal(life_notice_record(life, 1).template_id, "card_reminder");
    assert_int_equal(life_try(life, 1, LIFE_BOX, old).result, GK_PICKUP_WRONG);
    (void)life_open(life, 1);
    life_sweep(life);
    life_pass(life, LIFE_DAY_MS);
    life_sweep(life);
    assert_int_equal(life_card(life, 1).issue, 2); /* reminded once */
}

static void test_depot_keeps_longer_than_a_box(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    assert_int_equal(life_move(life, 1, DEPOT, "depot-1", ""), GK_OK);
    life_sweep(life);
    life_pass(life, 59 * LIFE_DAY_MS);
    life_sweep(life);
    assert_int_equal(life_card(life, 1).state, NOTIFIED);
    life_pass(life, LIFE_DAY_MS);
    life_sweep(life);
    assert_int_equal(life_card(life, 1).state, EXPIRED);
}

static void test_jump_over_everything_ends_in_expiry_without_a_reminder(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    life_pass(life, 400 * LIFE_DAY_MS);
    life_sweep(life);
    assert_int_equal(life_card(life, 1).state, EXPIRED);
    assert_int_equal(life_records(life, GK_FAMILY_OUTBOX_DUE), 0);
}

static void test_clock_that_is_set_back_undoes_nothing(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    life_pass(life, 15 * LIFE_DAY_MS);
    life_sweep(life);
    life_pass(life, -15 * LIFE_DAY_MS);
    life_sweep(life);
    assert_int_equal(life_card(life, 1).state, EXPIRED);
}

static void test_time_that_runs_out_while_the_door_is_open_waits_for_who_stands_there(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    life_pass(life, 14 * LIFE_DAY_MS - 60 * 1000);
    assert_int_equal(life_reissue(life, 1), GK_OK);
    const uint64_t token = life_open(life, 1);

    life_pass(life, 2 * 60 * 1000);
    life_sweep(life);
    assert_int_equal(life_card(life, 1).state, NOTIFIED);
    assert_int_equal(life_confirm(life, LIFE_BOX, token, TOOK), GK_OK);
    assert_int_equal(life_card(life, 1).state, COLLECTED);
}

static void test_late_report_closes_a_case_that_has_expired(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    const uint64_t token = life_open(life, 1);

    life_pass(life, 20 * LIFE_DAY_MS);
    life_sweep(life);
    assert_int_equal(life_card(life, 1).state, EXPIRED);
    assert_true(life_card(life, 1).place.uncertain);
    assert_int_equal(life_confirm(life, LIFE_BOX, token, TOOK), GK_OK);
    assert_int_equal(life_card(life, 1).state, COLLECTED);
}

static void test_collected_case_forgets_its_holder(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    assert_int_equal(life_confirm(life, LIFE_BOX, life_open(life, 1), TOOK), GK_OK);
    life_sweep(life);
    life_pass(life, 30 * LIFE_DAY_MS);
    life_sweep(life);
    const guika_v1_internal_FoundCard card = life_card(life, 1);

    assert_int_equal(card.state, COLLECTED);
    assert_int_equal(card.holder_token.size, 0);
    assert_int_equal(card.sealed_mask.size, 0);
    assert_string_equal(card.issuer_account, "");
    assert_int_equal(life_records(life, GK_FAMILY_OPENINGS), 0);
    assert_int_equal(life_records(life, GK_FAMILY_OUTBOX), 0);
}

static void test_many_cards_are_swept_and_what_is_due_survives_a_restart(void **state)
{
    struct life *life = *state;

    for (unsigned i = 1; i <= 40; i++) {
        life_find(life, (uint8_t)i, (uint8_t)i, LIFE_BOX, true);
        life_store(life, (uint8_t)i, LIFE_BOX, NORMAL);
    }
    life_sweep(life);
    store_reopen(life->fixture);
    life->sweeper.store = life->fixture->store;
    life_pass(life, 14 * LIFE_DAY_MS);
    life_sweep(life);
    for (unsigned i = 1; i <= 40; i++) {
        assert_int_equal(life_card(life, (uint8_t)i).state, EXPIRED);
    }
}

/* --- duplicates --- */

static void test_same_card_in_two_boxes_is_two_cases_with_their_own_codes(void **state)
{
    struct life *life = *state;
    char first[9], second[9];

    life_ready(life, 1, 3);
    life_find(life, 2, 3, "library-2", true);
    life_store(life, 2, "library-2", NORMAL);
    life_notify(life, 2);
    life_sweep(life);
    life_code(life, 1, first);
    life_code(life, 2, second);
    assert_string_not_equal(first, second);
    assert_int_equal(life_card(life, 1).state,
                     NOTIFIED); /* it surely lies there: there are two with one number */
    assert_int_equal(life_card(life, 2).state, NOTIFIED);
    assert_int_equal(life_try(life, 2, "library-2", first).result, GK_PICKUP_WRONG);
    assert_int_equal(life_try(life, 2, "library-2", second).result, GK_PICKUP_RIGHT);
    assert_int_equal(life_confirm(life, LIFE_BOX, life_open(life, 1), TOOK), GK_OK);
    assert_int_equal(life_card(life, 2).state, NOTIFIED);
}

static void test_card_found_again_after_an_opening_that_ended_unseen_ends_its_first_case(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    (void)life_open(life, 1);
    life_pass(life, 11 * 60 * 1000);
    life_sweep(life);
    assert_true(life_card(life, 1).place.uncertain);
    life_ready(life, 2, 3);
    assert_int_equal(life_card(life, 1).state, COLLECTED);
    assert_int_equal(life_card(life, 2).state, NOTIFIED);
    assert_int_equal(life_records(life, GK_FAMILY_BY_PLACE), 1);
}

static void test_card_that_was_collected_and_lost_again_is_a_new_case(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    assert_int_equal(life_confirm(life, LIFE_BOX, life_open(life, 1), TOOK), GK_OK);
    life_pass(life, 3 * LIFE_DAY_MS);
    life_find(life, 2, 3, LIFE_BOX, true);
    life_store(life, 2, LIFE_BOX, NORMAL);
    assert_int_equal(life_notice(life, 2), DUE); /* a notice of its own */
    life_notify(life, 2);
    life_sweep(life);
    assert_int_equal(life_card(life, 1).state, COLLECTED);
    assert_int_equal(life_card(life, 2).state, NOTIFIED);
    assert_int_equal(life_confirm(life, LIFE_BOX, life_open(life, 2), TOOK), GK_OK);
    assert_int_equal(life_card(life, 2).state, COLLECTED);
}

static void test_deposit_that_was_never_stored_sends_nobody_and_expires(void **state)
{
    struct life *life = *state;

    /* The box lost its journal between two deposits of one card: the first never gets a place. */
    life_find(life, 1, 3, LIFE_BOX, true);
    life_ready(life, 2, 3);
    assert_int_equal(life_notice(life, 1), HELD);
    assert_int_equal(life_confirm(life, LIFE_BOX, life_open(life, 2), TOOK), GK_OK);
    assert_int_equal(life_notice(life, 1), HELD);
    life_pass(life, 14 * LIFE_DAY_MS);
    life_sweep(life);
    assert_int_equal(life_card(life, 1).state, EXPIRED);
    assert_int_equal(life_notice(life, 1), CANCELLED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIFE_TEST(test_years_of_a_card_pass_in_a_moment),
        LIFE_TEST(test_reminder_carries_a_new_code_and_voids_the_one_before),
        LIFE_TEST(test_depot_keeps_longer_than_a_box),
        LIFE_TEST(test_jump_over_everything_ends_in_expiry_without_a_reminder),
        LIFE_TEST(test_clock_that_is_set_back_undoes_nothing),
        LIFE_TEST(test_time_that_runs_out_while_the_door_is_open_waits_for_who_stands_there),
        LIFE_TEST(test_late_report_closes_a_case_that_has_expired),
        LIFE_TEST(test_collected_case_forgets_its_holder),
        LIFE_TEST(test_many_cards_are_swept_and_what_is_due_survives_a_restart),
        LIFE_TEST(test_same_card_in_two_boxes_is_two_cases_with_their_own_codes),
        LIFE_TEST(test_card_found_again_after_an_opening_that_ended_unseen_ends_its_first_case),
        LIFE_TEST(test_card_that_was_collected_and_lost_again_is_a_new_case),
        LIFE_TEST(test_deposit_that_was_never_stored_sends_nobody_and_expires),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "core/found_card_pickup.h"

#include "tests/core/life_words.h"

/* --- the door ---- */

static void test_collected_card_closes_its_case_and_cancels_what_waits(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    assert_int_equal(life_reissue(life, 1), GK_OK); /* a notice waits */
    assert_int_equal(life_notice(life, 1), DUE);
    const uint64_t token = life_open(life, 1);
    const uint64_t before = life_audited(life);

    assert_int_equal(life_confirm(life, LIFE_BOX, token, TOOK), GK_OK);
    const guika_v1_internal_FoundCard card = life_card(life, 1);

    assert_int_equal(card.state, COLLECTED);
    assert_int_equal(card.place.kind, AT_HOLDER);
    assert_int_equal(card.pictures, 0);
    assert_int_equal(card.opened_at_ms, 0);
    assert_true(card.closed_at_ms > 0);
    assert_int_equal(life_notice(life, 1), CANCELLED);
    assert_int_equal(life_records(life, GK_FAMILY_OUTBOX_DUE), 0);
    assert_int_equal(life_records(life, GK_FAMILY_BY_PLACE), 0);
    assert_int_equal(life_audited(life), before + 1);
    /* Saying it again, after a lost answer, is saying it once. */
    assert_int_equal(life_confirm(life, LIFE_BOX, token, TOOK), GK_OK);
    assert_int_equal(life_confirm(life, LIFE_BOX, token, NOT_OPENED), GK_FAILED_PRECONDITION);
    assert_int_equal(life_audited(life), before + 1);
}

static void test_code_is_worth_nothing_once_the_card_is_collected(void **state)
{
    struct life *life = *state;
    char code[9];

    life_ready(life, 1, 3);
    life_code(life, 1, code);
    assert_int_equal(life_confirm(life, LIFE_BOX, life_open(life, 1), TOOK), GK_OK);
    assert_int_equal(life_try(life, 1, LIFE_BOX, code).result, GK_PICKUP_WRONG);
}

static void leaves_everything_as_it_was(struct life *life, int outcome)
{
    life_ready(life, 1, 3);
    assert_int_equal(life_confirm(life, LIFE_BOX, life_open(life, 1), outcome), GK_OK);
    const guika_v1_internal_FoundCard card = life_card(life, 1);

    assert_int_equal(card.state, NOTIFIED);
    assert_int_equal(card.place.kind, COMPARTMENT);
    assert_false(card.place.uncertain);
    assert_int_equal(card.opened_at_ms, 0);
    assert_int_equal(life_confirm(life, LIFE_BOX, life_open(life, 1), TOOK), GK_OK);
    assert_int_equal(life_card(life, 1).state, COLLECTED);
}

static void test_door_never_opened_leaves_the_code_good(void **state)
{
    leaves_everything_as_it_was(*state, NOT_OPENED);
}

static void test_card_still_inside_leaves_the_code_good(void **state)
{
    leaves_everything_as_it_was(*state, CARD_INSIDE);
}

static void test_power_lost_in_between_makes_the_place_uncertain_until_somebody_knows(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    const uint64_t token = life_open(life, 1);

    store_reopen(life->fixture); /* and the service restarts too */
    life->sweeper.store = life->fixture->store;
    assert_int_equal(life_confirm(life, LIFE_BOX, token, UNCERTAIN), GK_OK);
    assert_int_equal(life_card(life, 1).state, NOTIFIED);
    assert_true(life_card(life, 1).place.uncertain);
    /* A sensor that sees again settles it. */
    assert_int_equal(life_confirm(life, LIFE_BOX, token, CARD_INSIDE), GK_OK);
    assert_false(life_card(life, 1).place.uncertain);
}

static void test_box_that_never_reports_leaves_an_uncertain_place_and_may_still_report(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    const uint64_t token = life_open(life, 1);

    life_pass(life, 9 * 60 * 1000);
    life_sweep(life);
    assert_false(life_card(life, 1).place.uncertain);
    life_pass(life, 60 * 1000);
    life_sweep(life);
    assert_true(life_card(life, 1).place.uncertain);
    assert_int_equal(life_card(life, 1).opened_at_ms, 0);
    assert_int_equal(life_confirm(life, LIFE_BOX, token, TOOK), GK_OK);
    assert_int_equal(life_card(life, 1).state, COLLECTED);
}

static void test_later_opening_fences_the_one_before(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    const uint64_t first = life_open(life, 1); /* the answer was lost: the holder tries again */
    const uint64_t second = life_open(life, 1);

    assert_true(second > first);
    assert_int_equal(life_confirm(life, LIFE_BOX, first, TOOK), GK_NOT_FOUND);
    assert_int_equal(life_card(life, 1).state, NOTIFIED);
    assert_int_equal(life_confirm(life, LIFE_BOX, second, TOOK), GK_OK);
}

static void test_fencing_tokens_grow_over_all_cases_and_restarts(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    life_ready(life, 2, 4);
    const uint64_t first = life_open(life, 1);
    const uint64_t second = life_open(life, 2);

    store_reopen(life->fixture);
    assert_true(second > first);
    assert_true(life_open(life, 1) > second);
}

static void test_opening_of_another_box_is_not_found(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    assert_int_equal(life_confirm(life, "library-2", life_open(life, 1), TOOK), GK_NOT_FOUND);
    assert_int_equal(life_confirm(life, LIFE_BOX, 4711, TOOK), GK_NOT_FOUND);
    assert_int_equal(life_card(life, 1).state, NOTIFIED);
}

static void test_report_on_a_card_that_staff_took_meanwhile_changes_nothing(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    const uint64_t token = life_open(life, 1);

    assert_int_equal(life_move(life, 1, BAG, "bag-7", ""), GK_OK);
    assert_int_equal(life_confirm(life, LIFE_BOX, token, TOOK), GK_OK);
    assert_int_equal(life_card(life, 1).state, NOTIFIED);
    assert_int_equal(life_card(life, 1).place.kind, BAG);
}

/* --- the code --- */

static void test_code_opens_at_its_own_box_alone(void **state)
{
    struct life *life = *state;
    char code[9];

    life_ready(life, 1, 3);
    life_code(life, 1, code);
    assert_int_equal(life_try(life, 1, "library-2", code).result, GK_PICKUP_WRONG);
    assert_int_equal(life_try_at_desk(life, 1, LIFE_BOX, code).result, GK_PICKUP_WRONG);
    assert_int_equal(life_card(life, 1).failed_tries, 0); /* nobody elsewhere uses up the holder's tries */
    assert_int_equal(life_try(life, 1, LIFE_BOX, code).result, GK_PICKUP_RIGHT);
}

static void test_five_tries_then_waits_that_grow_and_the_case_alone_waits(void **state)
{
    struct life *life = *state;
    char code[9];
    int64_t wait_ms = GK_PICKUP_FIRST_WAIT_MS;

    life_ready(life, 1, 3);
    life_ready(life, 2, 4);
    life_code(life, 1, code);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(life_try(life, 1, LIFE_BOX, "00000000").result, GK_PICKUP_WRONG);
    }
    for (unsigned i = 0; i < 12; i++) {
        /* Even the right code waits, and the waiting try is not counted. */
        const struct gk_pickup_answer answer = life_try(life, 1, LIFE_BOX, code);

        assert_int_equal(answer.result, GK_PICKUP_WAIT);
        assert_int_equal(answer.wait_ms, wait_ms);
        life_pass(life, wait_ms);
        assert_int_equal(life_try(life, 1, LIFE_BOX, "00000000").result, GK_PICKUP_WRONG);
        wait_ms = wait_ms * 2 < GK_PICKUP_LONGEST_WAIT_MS ? wait_ms * 2 : GK_PICKUP_LONGEST_WAIT_MS;
    }
    assert_int_equal(wait_ms, GK_PICKUP_LONGEST_WAIT_MS);
    (void)life_open(life, 2); /* the box is not locked */
}

static void test_wrong_tries_survive_a_restart_and_end_with_a_new_issue(void **state)
{
    struct life *life = *state;
    char old[9];

    life_ready(life, 1, 3);
    life_code(life, 1, old);
    for (unsigned i = 0; i < 5; i++) {
        (void)life_try(life, 1, LIFE_BOX, "00000000");
    }
    store_reopen(life->fixture);
    assert_int_equal(life_try(life, 1, LIFE_BOX, old).result, GK_PICKUP_WAIT);
    assert_int_equal(life_reissue(life, 1), GK_OK);
    assert_int_equal(life_card(life, 1).failed_tries, 0);
    assert_int_equal(life_try(life, 1, LIFE_BOX, old).result, GK_PICKUP_WRONG); /* the one before is void */
    (void)life_open(life, 1);
}

static void test_code_runs_out_and_another_one_is_sent(void **state)
{
    struct life *life = *state;
    char code[9];

    life_ready(life, 1, 3);
    life_code(life, 1, code);
    life_pass(life, life->retention.code_ms);
    assert_int_equal(life_try(life, 1, LIFE_BOX, code).result, GK_PICKUP_RUN_OUT);
    assert_int_equal(life_try(life, 1, LIFE_BOX, "00000000").result, GK_PICKUP_WRONG);
    assert_int_equal(life_reissue(life, 1), GK_OK);
    assert_int_equal(life_notice(life, 1), DUE);
    assert_string_equal(life_notice_record(life, 1).template_id, "new_code");
    (void)life_open(life, 1);
}

static void test_each_step_of_pickup_is_one_audit_entry(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    const uint64_t before = life_audited(life);

    (void)life_try(life, 1, LIFE_BOX, "00000000");
    assert_int_equal(life_audited(life), before + 1);
    const uint64_t token = life_open(life, 1);

    assert_int_equal(life_audited(life), before + 2);
    assert_int_equal(life_confirm(life, LIFE_BOX, token, NOT_OPENED), GK_OK);
    assert_int_equal(life_reissue(life, 1), GK_OK);
    assert_int_equal(life_audited(life), before + 4);
}

static void test_card_in_the_bin_has_no_code(void **state)
{
    struct life *life = *state;

    life_find(life, 1, 3, LIFE_BOX, true);
    life_store(life, 1, LIFE_BOX, BIN_ZONE);
    assert_int_equal(life_notice(life, 1), HELD);
    assert_int_equal(life_reissue(life, 1), GK_FAILED_PRECONDITION);
    assert_int_equal(life_try(life, 1, LIFE_BOX, "00000000").result, GK_PICKUP_WRONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIFE_TEST(test_collected_card_closes_its_case_and_cancels_what_waits),
        LIFE_TEST(test_code_is_worth_nothing_once_the_card_is_collected),
        LIFE_TEST(test_door_never_opened_leaves_the_code_good),
        LIFE_TEST(test_card_still_inside_leaves_the_code_good),
        LIFE_TEST(test_power_lost_in_between_makes_the_place_uncertain_until_somebody_knows),
        LIFE_TEST(test_box_that_never_reports_leaves_an_uncertain_place_and_may_still_report),
        LIFE_TEST(test_later_opening_fences_the_one_before),
        LIFE_TEST(test_fencing_tokens_grow_over_all_cases_and_restarts),
        LIFE_TEST(test_opening_of_another_box_is_not_found),
        LIFE_TEST(test_report_on_a_card_that_staff_took_meanwhile_changes_nothing),
        LIFE_TEST(test_code_opens_at_its_own_box_alone),
        LIFE_TEST(test_five_tries_then_waits_that_grow_and_the_case_alone_waits),
        LIFE_TEST(test_wrong_tries_survive_a_restart_and_end_with_a_new_issue),
        LIFE_TEST(test_code_runs_out_and_another_one_is_sent),
        LIFE_TEST(test_each_step_of_pickup_is_one_audit_entry),
        LIFE_TEST(test_card_in_the_bin_has_no_code),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

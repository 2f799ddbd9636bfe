/* What is decided on a found card, and what rests of it. */
#include "core/found_card.h"

#include "core/store/record.h"
#include "tests/core/found_card_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* --- decide
 * ----------------------------------------------------------------------------------------------------------
 */

static void test_decision_writes_card_deposit_notice_and_indexes(void **state)
{
    struct store_fixture *fixture = *state;
    const struct gk_found_card_decision decision = found_identified();
    guika_v1_internal_DepositRecord deposit;

    assert_int_equal(found_decide(fixture, &decision, &deposit), GK_OK);
    assert_int_equal(deposit.answer.decision, KEEP);
    store_reopen(fixture);
    assert_int_equal(found_card_of(fixture).state, IDENTIFIED);
    assert_int_equal(found_card_of(fixture).version, 1);
    assert_int_equal(found_deposit_of(fixture).answer.zone, NORMAL);
    assert_int_equal(found_notice_state(fixture), HELD);
    assert_int_equal(found_records(fixture, GK_FAMILY_OUTBOX_DUE, ""), 0);
    assert_int_equal(found_records(fixture, GK_FAMILY_FOUND_BY_TIME, ""), 1);
    assert_int_equal(found_records(fixture, GK_FAMILY_FOUND_BY_CARD, ""), 1);
    assert_false(found_waits(fixture));
    assert_int_equal(found_counted(fixture, "deposits"), 1);
    assert_int_equal(found_counted(fixture, "identified"), 1);
    assert_int_equal(found_audited(fixture), 1);
}

static void test_same_frames_get_the_standing_answer(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_found_card_decision again = found_decision_of(DIFFICULT, guika_v1_Reason_REASON_GLARE);
    guika_v1_internal_DepositRecord deposit;

    const struct gk_found_card_decision first = found_identified();

    found_must_decide(fixture, first);
    again.card.case_id[5] = 1;
    assert_int_equal(found_decide(fixture, &again, &deposit), GK_OK);
    assert_memory_equal(deposit.case_id, first.card.case_id, GK_CASE_ID_SIZE);
    assert_int_equal(deposit.answer.zone, NORMAL);
    assert_int_equal(found_records(fixture, GK_FAMILY_FOUND_CARDS, ""), 1);
    assert_int_equal(found_counted(fixture, "deposits"), 1);
    assert_int_equal(found_audited(fixture), 1);
}

static void test_other_frames_are_refused(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_found_card_decision other = found_identified();

    found_must_decide(fixture, found_identified());
    memset(other.deposit.frames_digest, 8, GK_DIGEST_SIZE);
    assert_int_equal(found_decide(fixture, &other, NULL), GK_ALREADY_EXISTS);
    assert_int_equal(found_audited(fixture), 1);
}

static void test_same_deposit_id_of_another_box_is_another_deposit(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_found_card_decision other = found_decision_of(DIFFICULT, guika_v1_Reason_REASON_UNREADABLE);

    found_must_decide(fixture, found_identified());
    strcpy(other.card.box_id, "library-10");
    other.card.case_id[0] = 1;
    assert_int_equal(found_decide(fixture, &other, NULL), GK_OK);
    assert_int_equal(found_records(fixture, GK_FAMILY_FOUND_CARDS, ""), 2);
    assert_int_equal(found_card_of(fixture).state, IDENTIFIED);
}

static void test_difficult_cards_are_counted_by_reason(void **state)
{
    struct store_fixture *fixture = *state;

    found_must_decide(fixture, found_decision_of(DIFFICULT, guika_v1_Reason_REASON_SEVERAL_CARDS));
    assert_int_equal(found_counted(fixture, "difficult.SEVERAL_CARDS"), 1);
    assert_int_equal(found_notice_state(fixture), NONE);
    assert_int_equal(found_records(fixture, GK_FAMILY_FOUND_BY_CARD, ""), 0);
}

/* --- more frames
 * ------------------------------------------------------------------------------------------------ */

static void test_card_that_waits_is_marked_until_it_is_decided(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_found_card_decision second = found_identified();

    found_must_decide(fixture, found_decision_of(RECEIVED, guika_v1_Reason_REASON_GLARE));
    assert_true(found_waits(fixture));
    assert_int_equal(found_card_of(fixture).state, RECEIVED);
    second.card.received_at_ms += 5000;
    second.deposit.sequence = 1;
    assert_int_equal(found_decide(fixture, &second, NULL), GK_OK);
    assert_false(found_waits(fixture));
    assert_int_equal(found_card_of(fixture).state, IDENTIFIED);
    assert_int_equal(found_card_of(fixture).version, 2);
    assert_int_equal(found_card_of(fixture).received_at_ms, INT64_C(1700000000000));
    assert_int_equal(found_notice_state(fixture), HELD);
    assert_int_equal(found_records(fixture, GK_FAMILY_FOUND_BY_TIME, ""), 1);
    assert_int_equal(found_counted(fixture, "deposits"), 1);
    assert_int_equal(found_audited(fixture), 2);
}

static void test_frames_may_be_asked_for_twice(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_found_card_decision second = found_decision_of(RECEIVED, guika_v1_Reason_REASON_GLARE);

    found_must_decide(fixture, found_decision_of(RECEIVED, guika_v1_Reason_REASON_GLARE));
    second.deposit.sequence = 1;
    second.deposit.answer.sequence = 2;
    assert_int_equal(found_decide(fixture, &second, NULL), GK_OK);
    assert_true(found_waits(fixture));
    assert_int_equal(found_deposit_of(fixture).answer.sequence, 2);
    /* The same addition decided a second time changes nothing. */
    guika_v1_internal_DepositRecord deposit;

    second.card.state = IDENTIFIED;
    assert_int_equal(found_decide(fixture, &second, &deposit), GK_OK);
    assert_int_equal(deposit.answer.decision, MORE_FRAMES);
    assert_int_equal(found_card_of(fixture).state, RECEIVED);
}

static void test_picture_of_the_first_look_is_kept_where_the_second_has_none(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_found_card_decision first = found_decision_of(RECEIVED, guika_v1_Reason_REASON_GLARE);
    struct gk_found_card_decision second = found_decision_of(DIFFICULT, guika_v1_Reason_REASON_UNREADABLE);

    first.card.pictures = 1;
    found_must_decide(fixture, first);
    second.deposit.sequence = 1;
    found_must_decide(fixture, second);
    assert_int_equal(found_card_of(fixture).pictures, 1);
}

static void test_picture_is_not_kept_of_an_identified_card(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_found_card_decision first = found_decision_of(RECEIVED, guika_v1_Reason_REASON_GLARE);
    struct gk_found_card_decision second = found_identified();

    first.card.pictures = 1;
    found_must_decide(fixture, first);
    second.deposit.sequence = 1;
    found_must_decide(fixture, second);
    assert_int_equal(found_card_of(fixture).pictures, 0);
}

static void test_frames_that_never_come_make_the_card_difficult(void **state)
{
    struct store_fixture *fixture = *state;

    found_must_decide(fixture, found_decision_of(RECEIVED, guika_v1_Reason_REASON_GLARE));
    atomic_store(&fixture->now_ms, INT64_C(1700000060000));
    found_stop_waiting(fixture);
    assert_int_equal(found_card_of(fixture).state, DIFFICULT);
    assert_int_equal(found_card_of(fixture).reason, guika_v1_Reason_REASON_GLARE);
    assert_int_equal(found_card_of(fixture).decided_at_ms, INT64_C(1700000060000));
    assert_int_equal(found_deposit_of(fixture).answer.decision, KEEP);
    assert_int_equal(found_deposit_of(fixture).answer.zone, DIFFICULT_ZONE);
    assert_int_equal(found_deposit_of(fixture).answer.sequence, 0);
    assert_false(found_waits(fixture));
    assert_int_equal(found_counted(fixture, "difficult.GLARE"), 1);
    found_stop_waiting(fixture);
    assert_int_equal(found_counted(fixture, "difficult.GLARE"), 1);
    assert_int_equal(found_audited(fixture), 2);
}

static void test_end_of_a_wait_does_not_touch_what_is_decided(void **state)
{
    struct store_fixture *fixture = *state;

    found_must_decide(fixture, found_identified());
    found_stop_waiting(fixture);
    assert_int_equal(found_card_of(fixture).state, IDENTIFIED);
    assert_int_equal(found_audited(fixture), 1);
}

/* --- notified
 * ------------------------------------------------------------------------------------------------------ */

static void test_delivery_is_told_once(void **state)
{
    struct store_fixture *fixture = *state;

    found_must_decide(fixture, found_identified());
    assert_int_equal(found_confirm(fixture, STORED), GK_OK);
    found_notified(fixture);
    assert_int_equal(found_card_of(fixture).state, NOTIFIED);
    assert_true(found_card_of(fixture).notice_delivered);
    found_notified(fixture);
    assert_int_equal(found_counted(fixture, "notified"), 1);
    assert_int_equal(found_confirm(fixture, STORED), GK_OK);
    assert_int_equal(found_card_of(fixture).state, NOTIFIED);
}

static void test_delivery_does_not_touch_a_card_that_went_back(void **state)
{
    struct store_fixture *fixture = *state;

    found_must_decide(fixture, found_decision_of(DIFFICULT, guika_v1_Reason_REASON_GLARE));
    found_notified(fixture);
    assert_int_equal(found_card_of(fixture).state, DIFFICULT);
    assert_false(found_card_of(fixture).notice_delivered);
}

static void test_longest_names_fit_the_key(void **state)
{
    char box_id[33];
    char deposit_id[65];
    uint8_t key[GK_DEPOSIT_KEY_SIZE];

    (void)state;
    memset(box_id, 'b', 32);
    memset(deposit_id, 'd', 64);
    box_id[32] = deposit_id[64] = '\0';
    assert_int_equal(gk_deposit_key(box_id, deposit_id, key), 97);
    assert_int_equal(key[32], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_decision_writes_card_deposit_notice_and_indexes),
        STORE_TEST(test_same_frames_get_the_standing_answer),
        STORE_TEST(test_other_frames_are_refused),
        STORE_TEST(test_same_deposit_id_of_another_box_is_another_deposit),
        STORE_TEST(test_difficult_cards_are_counted_by_reason),
        STORE_TEST(test_card_that_waits_is_marked_until_it_is_decided),
        STORE_TEST(test_frames_may_be_asked_for_twice),
        STORE_TEST(test_picture_of_the_first_look_is_kept_where_the_second_has_none),
        STORE_TEST(test_picture_is_not_kept_of_an_identified_card),
        STORE_TEST(test_frames_that_never_come_make_the_card_difficult),
        STORE_TEST(test_end_of_a_wait_does_not_touch_what_is_decided),
        STORE_TEST(test_delivery_is_told_once),
        STORE_TEST(test_delivery_does_not_touch_a_card_that_went_back),
        cmocka_unit_test(test_longest_names_fit_the_key),
    };

    return cmocka_run_group_tests_name("core/found_card", tests, NULL, NULL);
}

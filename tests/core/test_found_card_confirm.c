/* What a box says became of a card. */
#include "core/found_card.h"

#include "core/store/record.h"
#include "tests/core/found_card_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* --- confirm
 * ------------------------------------------------------------------------------------------------------- */

static void test_only_stored_releases_the_notice_and_only_once(void **state)
{
    struct store_fixture *fixture = *state;

    found_must_decide(fixture, found_identified());
    atomic_store(&fixture->now_ms, INT64_C(1700000003000));
    assert_int_equal(found_notice_state(fixture), HELD);
    assert_int_equal(found_confirm(fixture, STORED), GK_OK);
    assert_int_equal(found_notice_state(fixture), DUE);
    assert_int_equal(found_records(fixture, GK_FAMILY_OUTBOX_DUE, ""), 1);
    const guika_v1_internal_FoundCard card = found_card_of(fixture);

    assert_int_equal(card.place.kind, guika_v1_internal_Place_Kind_PLACE_COMPARTMENT);
    assert_string_equal(card.place.compartment, "A7");
    assert_false(card.place.misplaced);
    assert_int_equal(card.stored_at_ms, INT64_C(1700000003000));
    atomic_store(&fixture->now_ms, INT64_C(1700000009000));
    assert_int_equal(found_confirm(fixture, STORED), GK_OK);
    assert_int_equal(found_card_of(fixture).stored_at_ms, INT64_C(1700000003000));
    assert_int_equal(found_records(fixture, GK_FAMILY_OUTBOX_DUE, ""), 1);
    assert_int_equal(found_counted(fixture, "stored"), 1);
    assert_int_equal(found_audited(fixture), 2);
}

static void test_card_in_the_other_zone_is_marked(void **state)
{
    struct store_fixture *fixture = *state;

    found_must_decide(fixture, found_identified());
    assert_int_equal(found_confirm_as(fixture, FOUND_BOX, STORED, DIFFICULT_ZONE, NULL), GK_OK);
    assert_true(found_card_of(fixture).place.misplaced);
    assert_int_equal(found_card_of(fixture).place.kind, guika_v1_internal_Place_Kind_PLACE_DIFFICULT_BIN);
    assert_int_equal(found_notice_state(fixture), HELD); /* until staff have placed it */
}

static void returns_to_finder(struct store_fixture *fixture, int outcome)
{
    struct gk_found_card_decision decision = found_identified();

    decision.card.pictures = 1;
    found_must_decide(fixture, decision);
    assert_int_equal(found_confirm(fixture, outcome), GK_OK);
    assert_int_equal(found_card_of(fixture).state, GIVEN_BACK);
    assert_int_equal(found_card_of(fixture).pictures, 0);
    assert_int_equal(found_card_of(fixture).place.kind, guika_v1_internal_Place_Kind_PLACE_FINDER);
    assert_int_equal(found_notice_state(fixture), CANCELLED);
    assert_int_equal(found_records(fixture, GK_FAMILY_OUTBOX_DUE, ""), 0);
    assert_int_equal(found_counted(fixture, "given_back"), 1);
    assert_int_equal(found_confirm(fixture, STORED), GK_FAILED_PRECONDITION);
    assert_int_equal(found_notice_state(fixture), CANCELLED);
}

static void test_taken_back_cancels_the_notice(void **state)
{
    returns_to_finder(*state, TAKEN_BACK);
}

static void test_full_cancels_the_notice(void **state)
{
    returns_to_finder(*state, FULL);
}

static void test_jam_holds_the_notice_until_it_is_cleared(void **state)
{
    struct store_fixture *fixture = *state;

    found_must_decide(fixture, found_identified());
    assert_int_equal(found_confirm(fixture, JAMMED), GK_OK);
    assert_int_equal(found_card_of(fixture).state, IDENTIFIED);
    assert_int_equal(found_card_of(fixture).place.kind, guika_v1_internal_Place_Kind_PLACE_JAMMED);
    assert_int_equal(found_notice_state(fixture), HELD);
    assert_int_equal(found_confirm(fixture, JAMMED), GK_OK);
    assert_int_equal(found_counted(fixture, "jammed"), 1);
    assert_int_equal(found_confirm(fixture, STORED), GK_OK);
    assert_int_equal(found_notice_state(fixture), DUE);
    assert_int_equal(found_card_of(fixture).place.kind, guika_v1_internal_Place_Kind_PLACE_COMPARTMENT);
}

static void test_jam_may_end_with_the_finder(void **state)
{
    struct store_fixture *fixture = *state;

    found_must_decide(fixture, found_identified());
    assert_int_equal(found_confirm(fixture, JAMMED), GK_OK);
    assert_int_equal(found_confirm(fixture, TAKEN_BACK), GK_OK);
    assert_int_equal(found_card_of(fixture).state, GIVEN_BACK);
    assert_int_equal(found_notice_state(fixture), CANCELLED);
}

/* Every outcome after every other; only a jam is followed by anything else. */
static void test_final_outcomes_stay(void **state)
{
    static const int outcomes[] = {STORED, TAKEN_BACK, FULL};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k <= 3; k++) {
            const int after = k == 3 ? JAMMED : outcomes[k];
            struct store_fixture *fixture;
            struct gk_error error;

            assert_int_equal(store_setup((void **)&fixture), 0);
            found_must_decide(fixture, found_identified());
            assert_int_equal(found_confirm(fixture, outcomes[i]), GK_OK);
            const guika_v1_CardState before = found_card_of(fixture).state;
            const int notice = found_notice_state(fixture);

            assert_int_equal(found_confirm_as(fixture, FOUND_BOX, after, NORMAL, &error),
                             after == outcomes[i] ? GK_OK : GK_FAILED_PRECONDITION);
            assert_int_equal(found_card_of(fixture).state, before);
            assert_int_equal(found_notice_state(fixture), notice);
            assert_int_equal(found_audited(fixture), 2);
            store_teardown((void **)&fixture);
        }
    }
}

static void test_box_that_stored_a_waiting_card_makes_it_difficult(void **state)
{
    struct store_fixture *fixture = *state;

    found_must_decide(fixture, found_decision_of(RECEIVED, guika_v1_Reason_REASON_GLARE));
    assert_int_equal(found_confirm_as(fixture, FOUND_BOX, STORED, DIFFICULT_ZONE, NULL), GK_OK);
    assert_int_equal(found_card_of(fixture).state, DIFFICULT);
    assert_false(found_card_of(fixture).place.misplaced);
    assert_false(found_waits(fixture));
    assert_int_equal(found_deposit_of(fixture).answer.decision, KEEP);
    assert_int_equal(found_deposit_of(fixture).outcome, STORED);
    assert_int_equal(found_counted(fixture, "difficult.GLARE"), 1);
}

static void test_finder_who_leaves_with_a_waiting_card_ends_the_wait(void **state)
{
    struct store_fixture *fixture = *state;

    found_must_decide(fixture, found_decision_of(RECEIVED, guika_v1_Reason_REASON_GLARE));
    assert_int_equal(found_confirm(fixture, TAKEN_BACK), GK_OK);
    assert_int_equal(found_card_of(fixture).state, GIVEN_BACK);
    assert_int_equal(found_deposit_of(fixture).answer.decision, GIVE_BACK);
    assert_false(found_waits(fixture));
    found_stop_waiting(fixture);
    assert_int_equal(found_card_of(fixture).state, GIVEN_BACK);
}

static void test_jam_of_a_waiting_card_ends_the_wait(void **state)
{
    struct store_fixture *fixture = *state;

    found_must_decide(fixture, found_decision_of(RECEIVED, guika_v1_Reason_REASON_GLARE));
    assert_int_equal(found_confirm(fixture, JAMMED), GK_OK);
    assert_int_equal(found_card_of(fixture).state, DIFFICULT);
    assert_int_equal(found_card_of(fixture).place.kind, guika_v1_internal_Place_Kind_PLACE_JAMMED);
    assert_int_equal(found_deposit_of(fixture).answer.decision, KEEP);
    assert_false(found_waits(fixture));
}

static void test_box_that_kept_what_it_should_give_back_makes_it_difficult(void **state)
{
    struct store_fixture *fixture = *state;

    found_must_decide(fixture, found_decision_of(GIVEN_BACK, guika_v1_Reason_REASON_NOT_A_CARD));
    assert_int_equal(found_counted(fixture, "given_back"), 1);
    assert_int_equal(found_confirm_as(fixture, FOUND_BOX, STORED, NORMAL, NULL), GK_OK);
    assert_int_equal(found_card_of(fixture).state, DIFFICULT);
    assert_true(found_card_of(fixture).place.misplaced);
    assert_int_equal(found_counted(fixture, "difficult.NOT_A_CARD"), 1);
}

static void test_given_back_card_that_is_gone_is_counted_once(void **state)
{
    struct store_fixture *fixture = *state;

    found_must_decide(fixture, found_decision_of(GIVEN_BACK, guika_v1_Reason_REASON_NOT_A_CARD));
    assert_int_equal(found_confirm(fixture, TAKEN_BACK), GK_OK);
    assert_int_equal(found_counted(fixture, "given_back"), 1);
}

static void test_unknown_deposit_and_other_boxes_find_nothing(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_error error;

    assert_int_equal(found_confirm_as(fixture, FOUND_BOX, STORED, NORMAL, &error), GK_NOT_FOUND);
    assert_non_null(strstr(error.message, "d-1"));
    found_must_decide(fixture, found_identified());
    assert_int_equal(found_confirm_as(fixture, "library-2", STORED, NORMAL, &error), GK_NOT_FOUND);
    assert_int_equal(found_notice_state(fixture), HELD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_only_stored_releases_the_notice_and_only_once),
        STORE_TEST(test_card_in_the_other_zone_is_marked),
        STORE_TEST(test_taken_back_cancels_the_notice),
        STORE_TEST(test_full_cancels_the_notice),
        STORE_TEST(test_jam_holds_the_notice_until_it_is_cleared),
        STORE_TEST(test_jam_may_end_with_the_finder),
        cmocka_unit_test(test_final_outcomes_stay),
        STORE_TEST(test_box_that_stored_a_waiting_card_makes_it_difficult),
        STORE_TEST(test_finder_who_leaves_with_a_waiting_card_ends_the_wait),
        STORE_TEST(test_jam_of_a_waiting_card_ends_the_wait),
        STORE_TEST(test_box_that_kept_what_it_should_give_back_makes_it_difficult),
        STORE_TEST(test_given_back_card_that_is_gone_is_counted_once),
        STORE_TEST(test_unknown_deposit_and_other_boxes_find_nothing),
    };

    return cmocka_run_group_tests_name("core/found_card, what the box says", tests, NULL, NULL);
}

#include "core/found_card_custody.h"

#include "tests/core/life_words.h"

static void test_move_binds_the_code_anew_and_tells_the_holder(void **state)
{
    struct life *life = *state;
    char old[9];

    life_ready(life, 1, 3);
    life_code(life, 1, old);
    const uint64_t before = life_audited(life);

    assert_int_equal(life_move(life, 1, COMPARTMENT, LIFE_BOX, "N99"), GK_OK);
    assert_int_equal(life_audited(life), before + 1);
    assert_int_equal(life_try(life, 1, LIFE_BOX, old).result, GK_PICKUP_WRONG);
    assert_int_equal(life_notice(life, 1), DUE);
    assert_string_equal(life_notice_record(life, 1).template_id, "card_moved");
    (void)life_open(life, 1);
}

static void test_card_resolved_in_the_bin_is_ready_once_it_is_placed(void **state)
{
    struct life *life = *state;

    life_find(life, 1, 3, LIFE_BOX, true);
    life_store(life, 1, LIFE_BOX, BIN_ZONE);
    life_sweep(life);
    assert_int_equal(life_records(life, GK_FAMILY_OUTBOX_DUE), 0);
    assert_int_equal(life_move(life, 1, BAG, "bag-1", ""), GK_OK);
    assert_int_equal(life_records(life, GK_FAMILY_OUTBOX_DUE), 0);
    assert_int_equal(life_move(life, 1, COMPARTMENT, "library-2", "N01"), GK_OK);
    assert_int_equal(life_records(life, GK_FAMILY_OUTBOX_DUE), 1);
    const guika_v1_internal_NoticeRecord notice = life_notice_record(life, 1);

    assert_int_equal(notice.state, DUE);
    assert_string_equal(notice.template_id, "card_found"); /* nobody was told before */
    assert_string_equal(notice.box_id, "library-2");
    assert_int_equal(life_card(life, 1).state, IDENTIFIED);
}

static void test_card_in_a_bag_cannot_be_collected_and_its_notice_does_not_leave(void **state)
{
    struct life *life = *state;

    life_find(life, 1, 3, LIFE_BOX, true);
    life_store(life, 1, LIFE_BOX, NORMAL);
    assert_int_equal(life_notice(life, 1), DUE);
    assert_int_equal(life_move(life, 1, BAG, "bag-1", ""), GK_OK);
    assert_int_equal(life_notice(life, 1), CANCELLED);
    assert_int_equal(life_reissue(life, 1), GK_FAILED_PRECONDITION);
    assert_string_equal(life_card(life, 1).indexed_place, "bag-1");
}

static void test_desk_hands_the_card_to_who_says_the_code(void **state)
{
    struct life *life = *state;
    char code[9];

    life_ready(life, 1, 3);
    assert_int_equal(life_move(life, 1, DESK, "town-hall", ""), GK_OK);
    assert_int_equal(life_reissue(life, 1), GK_OK); /* the clerk asks */
    life_code(life, 1, code);
    assert_int_equal(life_try_at_desk(life, 1, "town-hall", "00000000").result, GK_PICKUP_WRONG);
    assert_int_equal(life_try_at_desk(life, 1, "other-desk", code).result, GK_PICKUP_WRONG);
    assert_int_equal(life_try(life, 1, "town-hall", code).result, GK_PICKUP_WRONG);
    assert_int_equal(life_try_at_desk(life, 1, "town-hall", code).result, GK_PICKUP_RIGHT);
    assert_int_equal(life_card(life, 1).state, COLLECTED);
    assert_int_equal(life_notice(life, 1), CANCELLED);
}

static void test_moving_to_where_it_lies_changes_nothing_unless_that_was_uncertain(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    const uint64_t before = life_audited(life);
    const uint32_t issue = life_card(life, 1).issue;

    assert_int_equal(life_move(life, 1, COMPARTMENT, LIFE_BOX, "N1"), GK_OK);
    assert_int_equal(life_audited(life), before);
    assert_int_equal(life_confirm(life, LIFE_BOX, life_open(life, 1), UNCERTAIN), GK_OK);
    assert_int_equal(life_move(life, 1, COMPARTMENT, LIFE_BOX, "N1"), GK_OK); /* staff looked: it is there */
    assert_false(life_card(life, 1).place.uncertain);
    assert_int_equal(life_card(life, 1).issue, issue);
    assert_int_equal(life_audited(life), before + 3);
}

static void test_closed_case_is_not_moved(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    assert_int_equal(life_confirm(life, LIFE_BOX, life_open(life, 1), TOOK), GK_OK);
    assert_int_equal(life_move(life, 1, BAG, "bag-1", ""), GK_FAILED_PRECONDITION);
    assert_int_equal(life_move(life, 9, BAG, "bag-1", ""), GK_NOT_FOUND);
}

static void test_every_card_in_keeping_has_one_place(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    life_find(life, 2, 0, LIFE_BOX, false);
    life_store(life, 2, LIFE_BOX, BIN_ZONE);
    assert_int_equal(life_records(life, GK_FAMILY_BY_PLACE), 2);
    assert_int_equal(life_move(life, 1, DEPOT, "depot-1", ""), GK_OK);
    assert_int_equal(life_move(life, 2, BAG, "bag-1", ""), GK_OK);
    assert_int_equal(life_records(life, GK_FAMILY_BY_PLACE), 2);
    assert_int_equal(life_end(life, 2, DESTROYED, ""), GK_OK);
    assert_int_equal(life_records(life, GK_FAMILY_BY_PLACE), 1);
}

static void test_expired_and_difficult_cards_alone_are_given_away(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    life_find(life, 2, 0, LIFE_BOX, false);
    assert_int_equal(life_end(life, 1, RETURNED, "bank"), GK_FAILED_PRECONDITION);
    assert_int_equal(life_end(life, 2, RETURNED, "bank"), GK_FAILED_PRECONDITION);
    assert_int_equal(life_end(life, 2, HANDED_OVER, "police"), GK_OK);
    assert_int_equal(life_end(life, 2, HANDED_OVER, "police"), GK_OK);
    assert_int_equal(life_end(life, 2, DESTROYED, ""), GK_FAILED_PRECONDITION);
    assert_int_equal(life_card(life, 2).pictures, 0);
    life_pass(life, 15 * LIFE_DAY_MS);
    life_sweep(life);
    assert_int_equal(life_card(life, 1).state, EXPIRED);
    assert_int_equal(life_end(life, 1, RETURNED, "bank"), GK_OK);
    assert_int_equal(life_card(life, 1).place.kind, guika_v1_internal_Place_Kind_PLACE_ISSUER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIFE_TEST(test_move_binds_the_code_anew_and_tells_the_holder),
        LIFE_TEST(test_card_resolved_in_the_bin_is_ready_once_it_is_placed),
        LIFE_TEST(test_card_in_a_bag_cannot_be_collected_and_its_notice_does_not_leave),
        LIFE_TEST(test_desk_hands_the_card_to_who_says_the_code),
        LIFE_TEST(test_moving_to_where_it_lies_changes_nothing_unless_that_was_uncertain),
        LIFE_TEST(test_closed_case_is_not_moved),
        LIFE_TEST(test_every_card_in_keeping_has_one_place),
        LIFE_TEST(test_expired_and_difficult_cards_alone_are_given_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

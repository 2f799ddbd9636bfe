#include "core/decision.h"

#include "tests/core/registry/registry_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Published test numbers. */
static const char registered[] = "6250941006528599";
static const char unregistered[] = "6250946000000016";

#define RECEIVED guika_v1_CardState_CARD_STATE_RECEIVED
#define IDENTIFIED guika_v1_CardState_CARD_STATE_IDENTIFIED
#define DIFFICULT guika_v1_CardState_CARD_STATE_DIFFICULT
#define GIVEN_BACK guika_v1_CardState_CARD_STATE_GIVEN_BACK
#define FRONT guika_v1_Side_SIDE_FRONT
#define BACK guika_v1_Side_SIDE_BACK
#define PLAIN guika_v1_Lamp_LAMP_DIFFUSE
#define LEFT guika_v1_Lamp_LAMP_LEFT
#define RIGHT guika_v1_Lamp_LAMP_RIGHT

#define LAMP(lamp) (1U << (unsigned)(lamp))

struct fixture {
    struct registry_fixture *registry;
    struct gk_evidence evidence;
    struct gk_found_card_decision decision;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct page page = {0};

    assert_int_equal(registry_setup((void **)&fixture->registry), 0);
    page_add(&page, registered, "holder-1", "smtp:a@b.example");
    assert_int_equal(page_send(fixture->registry, &page, "first", 0, true), GK_OK);
    fixture->evidence.frame_count = 1;
    fixture->evidence.frames[0].side = guika_v1_Side_SIDE_FRONT;
    fixture->evidence.frames[0].lamp = guika_v1_Lamp_LAMP_DIFFUSE;
    fixture->evidence.abilities.front_lamps = LAMP(PLAIN);
    fixture->evidence.may_ask = true;
    fixture->evidence.threshold = 0.999;
    fixture->evidence.registered_share = 0.5;
    fixture->evidence.now_ms = INT64_C(1700000000000);
    fixture->decision.card.case_id[0] = 0xca;
    strcpy(fixture->decision.card.box_id, "library-1");
    strcpy(fixture->decision.card.deposit_id, "d-1");
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    registry_teardown((void **)&fixture->registry);
    free(fixture);
    return 0;
}

static guika_v1_internal_Candidate *add_candidate(struct fixture *fixture, const char *number,
                                                  double probability)
{
    guika_v1_internal_CompleteRecognitionRequest *read = &fixture->evidence.read;
    guika_v1_internal_Candidate *candidate = &read->candidates[read->candidates_count++];

    strcpy(candidate->issuer, "unionpay");
    strcpy(candidate->scheme, "iso7812");
    (void)snprintf(candidate->number, sizeof candidate->number, "%s", number);
    (void)snprintf(candidate->masked, sizeof candidate->masked, "•••• %s", number + strlen(number) - 4);
    candidate->kind = guika_v1_CardKind_CARD_KIND_PAYMENT;
    candidate->probability = probability;
    return candidate;
}

static void make(struct fixture *fixture)
{
    assert_int_equal(gk_decision_make(fixture->registry->registry, fixture->registry->store,
                                      fixture->registry->keys, &fixture->evidence, &fixture->decision,
                                      &fixture->registry->error),
                     GK_OK);
    assert_int_equal(strlen(fixture->decision.deposit.answer.case_id), 32);
    assert_true(fixture->decision.deposit.has_answer);
}

static void assert_kept(const struct fixture *fixture, int state, guika_v1_Zone zone)
{
    assert_int_equal(fixture->decision.card.state, state);
    assert_int_equal(fixture->decision.card.decided_zone, zone);
    assert_int_equal(fixture->decision.deposit.answer.decision, guika_v1_DepositResponse_Decision_KEEP);
    assert_int_equal(fixture->decision.deposit.answer.zone, zone);
}

static void assert_given_back(const struct fixture *fixture, guika_v1_DepositResponse_GiveBackReason reason)
{
    assert_int_equal(fixture->decision.card.state, GIVEN_BACK);
    assert_int_equal(fixture->decision.deposit.answer.decision, guika_v1_DepositResponse_Decision_GIVE_BACK);
    assert_int_equal(fixture->decision.deposit.answer.give_back_reason, reason);
    assert_false(fixture->decision.has_notice);
}

static void assert_asked(const struct fixture *fixture, int side, int lamp)
{
    assert_int_equal(fixture->decision.card.state, RECEIVED);
    assert_int_equal(fixture->decision.deposit.answer.decision,
                     guika_v1_DepositResponse_Decision_MORE_FRAMES);
    assert_int_equal(fixture->decision.deposit.answer.sequence, fixture->evidence.asked + 1);
    assert_int_equal(fixture->decision.deposit.answer.wanted_side, side);
    assert_int_equal(fixture->decision.deposit.answer.wanted_lamp, lamp);
}

/* --- the registry's word
 * ---------------------------------------------------------------------------------------- */

static void test_registered_card_is_accepted_with_a_held_notice(void **state)
{
    struct fixture *fixture = *state;
    const struct gk_found_card_decision *decision = &fixture->decision;
    char masked[64] = {0};

    add_candidate(fixture, registered, 0.99);
    make(fixture);
    assert_kept(fixture, IDENTIFIED, guika_v1_Zone_ZONE_NORMAL);
    assert_true(decision->has_notice);
    assert_int_equal(decision->notice.state, guika_v1_internal_NoticeRecord_State_NOTICE_HELD);
    assert_string_equal(decision->notice.template_id, "card_found");
    assert_string_equal(decision->notice.box_id, "library-1");
    assert_string_equal(decision->notice.issuer, "unionpay");
    assert_string_equal(decision->notice.issuer_account, "bank");
    assert_memory_equal(decision->notice.notice_id, decision->card.notice_id.bytes, 16);
    assert_int_equal(decision->card.card_token.size, GK_TOKEN_SIZE);
    assert_int_equal(decision->card.key_epoch, 1);
    assert_int_equal(gk_keys_open_sealed(fixture->registry->keys, GK_SEAL_MASK,
                                         (struct gk_bytes){decision->card.case_id, GK_CASE_ID_SIZE},
                                         (struct gk_bytes){decision->notice.sealed_mask.bytes,
                                                           decision->notice.sealed_mask.size},
                                         (uint8_t *)masked, NULL),
                     GK_OK);
    assert_string_equal(masked, "•••• 8599");
}

static void test_number_itself_is_nowhere_in_what_will_rest(void **state)
{
    struct fixture *fixture = *state;

    add_candidate(fixture, registered, 0.99);
    make(fixture);
    assert_null(memmem(&fixture->decision, sizeof fixture->decision, registered, 16));
    assert_null(memmem(&fixture->decision, sizeof fixture->decision, "0652859", 7));
}

static void test_unregistered_card_is_difficult_and_found_again_by_its_token(void **state)
{
    struct fixture *fixture = *state;

    add_candidate(fixture, unregistered, 0.9999);
    fixture->evidence.read.another_frame_may_help = true;
    fixture->evidence.abilities.front_lamps |= LAMP(LEFT);
    make(fixture);
    assert_kept(fixture, DIFFICULT, guika_v1_Zone_ZONE_DIFFICULT);
    assert_int_equal(fixture->decision.card.reason, guika_v1_Reason_REASON_UNREGISTERED);
    assert_int_equal(fixture->decision.card.card_token.size, GK_TOKEN_SIZE);
    assert_false(fixture->decision.has_notice);
}

static void test_cancelled_card_is_difficult_and_nobody_is_told(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(gk_registry_revoke(fixture->registry->registry, "bank", "iso7812", registered, NULL,
                                        &fixture->registry->error),
                     GK_OK);
    add_candidate(fixture, registered, 0.99);
    make(fixture);
    assert_kept(fixture, DIFFICULT, guika_v1_Zone_ZONE_DIFFICULT);
    assert_int_equal(fixture->decision.card.reason, guika_v1_Reason_REASON_CANCELLED);
    assert_false(fixture->decision.has_notice);
}

static void test_uncertain_number_leaves_no_token(void **state)
{
    struct fixture *fixture = *state;

    add_candidate(fixture, unregistered, 0.5);
    make(fixture);
    assert_int_equal(fixture->decision.card.state, DIFFICULT);
    assert_int_equal(fixture->decision.card.card_token.size, 0);
    assert_int_equal(fixture->decision.card.sealed_mask.size, 0);
}

static void test_number_that_the_check_digit_forced_is_not_unregistered(void **state)
{
    struct fixture *fixture = *state;

    add_candidate(fixture, unregistered, 0.9999)->forced = true;
    make(fixture);
    assert_int_equal(fixture->decision.card.state, DIFFICULT);
    assert_int_not_equal(fixture->decision.card.reason, guika_v1_Reason_REASON_UNREGISTERED);
    assert_int_equal(fixture->decision.card.card_token.size, 0);
}

static void test_readers_reason_stands_where_nothing_is_certain(void **state)
{
    struct fixture *fixture = *state;

    fixture->evidence.read.reason = guika_v1_Reason_REASON_SEVERAL_CARDS;
    make(fixture);
    assert_kept(fixture, DIFFICULT, guika_v1_Zone_ZONE_DIFFICULT);
    assert_int_equal(fixture->decision.card.reason, guika_v1_Reason_REASON_SEVERAL_CARDS);
}

static void reader_claims(struct fixture *fixture, int reason)
{
    fixture->evidence.read.reason = (guika_v1_Reason)reason;
    make(fixture);
    assert_int_equal(fixture->decision.card.reason, guika_v1_Reason_REASON_UNREADABLE);
    assert_int_equal(fixture->decision.card.card_token.size, 0);
}

static void test_reader_cannot_claim_what_only_the_registry_knows(void **state)
{
    reader_claims(*state, guika_v1_Reason_REASON_UNREGISTERED);
    reader_claims(*state, guika_v1_Reason_REASON_CANCELLED);
}

static void test_reason_that_does_not_exist_is_unreadable(void **state)
{
    reader_claims(*state, 10);
    reader_claims(*state, 4711);
}

/* --- full boxes and giving back
 * -------------------------------------------------------------------------------------- */

static void test_identified_card_goes_to_the_difficult_zone_where_the_normal_one_is_full(void **state)
{
    struct fixture *fixture = *state;

    fixture->evidence.abilities.normal_full = true;
    fixture->evidence.abilities.can_give_back = true;
    add_candidate(fixture, registered, 0.99);
    make(fixture);
    assert_kept(fixture, IDENTIFIED, guika_v1_Zone_ZONE_DIFFICULT);
}

static void test_cancelled_card_that_goes_back_is_to_be_destroyed_should_the_box_keep_it(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(gk_registry_revoke(fixture->registry->registry, "bank", "iso7812", registered, NULL,
                                        &fixture->registry->error),
                     GK_OK);
    fixture->evidence.abilities.normal_full = fixture->evidence.abilities.difficult_full = true;
    fixture->evidence.abilities.can_give_back = true;
    add_candidate(fixture, registered, 0.99);
    make(fixture);
    assert_given_back(fixture, guika_v1_DepositResponse_GiveBackReason_GIVE_BACK_BOX_FULL);
    assert_int_equal(fixture->decision.card.disposition, guika_v1_Disposition_DISPOSITION_DESTROY);
}

static void test_full_box_gives_every_card_back(void **state)
{
    struct fixture *fixture = *state;

    fixture->evidence.abilities.normal_full = fixture->evidence.abilities.difficult_full = true;
    fixture->evidence.abilities.can_give_back = true;
    add_candidate(fixture, registered, 0.99);
    make(fixture);
    assert_given_back(fixture, guika_v1_DepositResponse_GiveBackReason_GIVE_BACK_BOX_FULL);
}

static void test_full_box_that_cannot_give_back_keeps(void **state)
{
    struct fixture *fixture = *state;

    fixture->evidence.abilities.normal_full = fixture->evidence.abilities.difficult_full = true;
    add_candidate(fixture, registered, 0.99);
    make(fixture);
    assert_kept(fixture, IDENTIFIED, guika_v1_Zone_ZONE_DIFFICULT);
}

static void test_difficult_card_is_given_back_where_its_zone_is_full(void **state)
{
    struct fixture *fixture = *state;

    fixture->evidence.abilities.difficult_full = true;
    fixture->evidence.abilities.can_give_back = true;
    fixture->evidence.read.reason = guika_v1_Reason_REASON_UNREADABLE;
    make(fixture);
    assert_given_back(fixture, guika_v1_DepositResponse_GiveBackReason_GIVE_BACK_BOX_FULL);
}

static void test_what_is_no_card_is_given_back(void **state)
{
    struct fixture *fixture = *state;

    fixture->evidence.read.reason = guika_v1_Reason_REASON_NOT_A_CARD;
    make(fixture);
    assert_kept(fixture, DIFFICULT, guika_v1_Zone_ZONE_DIFFICULT);
    fixture->evidence.abilities.can_give_back = true;
    make(fixture);
    assert_given_back(fixture, guika_v1_DepositResponse_GiveBackReason_GIVE_BACK_NOT_A_CARD);
}

static void test_card_that_lies_in_the_box_already_is_not_given_back(void **state)
{
    struct fixture *fixture = *state;

    fixture->evidence.in_box = true;
    fixture->evidence.may_ask = false;
    fixture->evidence.abilities.can_give_back = true;
    fixture->evidence.abilities.normal_full = fixture->evidence.abilities.difficult_full = true;
    fixture->evidence.read.reason = guika_v1_Reason_REASON_NOT_A_CARD;
    make(fixture);
    assert_kept(fixture, DIFFICULT, guika_v1_Zone_ZONE_DIFFICULT);
}

/* --- asking for frames
 * ---------------------------------------------------------------------------------------- */

static void wish(struct fixture *fixture, int side, int lamp)
{
    fixture->evidence.read.reason = guika_v1_Reason_REASON_GLARE;
    fixture->evidence.read.another_frame_may_help = true;
    fixture->evidence.read.wanted_side = (guika_v1_Side)side;
    fixture->evidence.read.wanted_lamp = (guika_v1_Lamp)lamp;
}

static void test_readers_wish_is_asked_for_where_the_box_can(void **state)
{
    struct fixture *fixture = *state;

    fixture->evidence.abilities.front_lamps |= LAMP(LEFT) | LAMP(RIGHT);
    wish(fixture, FRONT, RIGHT);
    make(fixture);
    assert_asked(fixture, FRONT, RIGHT);
}

static void test_another_lamp_stands_in_for_one_that_the_box_has_not(void **state)
{
    struct fixture *fixture = *state;

    fixture->evidence.abilities.front_lamps |= LAMP(LEFT);
    wish(fixture, FRONT, RIGHT);
    make(fixture);
    assert_asked(fixture, FRONT, LEFT);
}

static void test_other_side_is_asked_for_where_all_lamps_were_tried(void **state)
{
    struct fixture *fixture = *state;

    fixture->evidence.abilities.back_lamps = LAMP(PLAIN);
    wish(fixture, FRONT, PLAIN);
    make(fixture);
    assert_asked(fixture, BACK, PLAIN);
}

static void test_back_is_asked_for_first_where_the_reader_wants_it(void **state)
{
    struct fixture *fixture = *state;

    fixture->evidence.abilities.front_lamps |= LAMP(LEFT);
    fixture->evidence.abilities.back_lamps = LAMP(PLAIN);
    wish(fixture, BACK, PLAIN);
    make(fixture);
    assert_asked(fixture, BACK, PLAIN);
}

static void test_lamp_that_does_not_exist_is_not_asked_for(void **state)
{
    struct fixture *fixture = *state;

    fixture->evidence.abilities.front_lamps |= LAMP(LEFT);
    fixture->evidence.frames[0].lamp = guika_v1_Lamp_LAMP_UNSPECIFIED;
    wish(fixture, FRONT, 40);
    make(fixture);
    assert_asked(fixture, FRONT, LEFT);
}

static void test_nothing_is_asked_where_nothing_new_can_be_seen(void **state)
{
    struct fixture *fixture = *state;

    wish(fixture, FRONT, PLAIN);
    make(fixture);
    assert_kept(fixture, DIFFICULT, guika_v1_Zone_ZONE_DIFFICULT);
}

static void test_nothing_is_asked_a_third_time_nor_beyond_eight_frames(void **state)
{
    struct fixture *fixture = *state;

    fixture->evidence.abilities.front_lamps |= LAMP(LEFT);
    wish(fixture, FRONT, LEFT);
    fixture->evidence.asked = 1;
    make(fixture);
    assert_asked(fixture, FRONT, LEFT);
    fixture->evidence.asked = 2;
    make(fixture);
    assert_int_equal(fixture->decision.card.state, DIFFICULT);
    fixture->evidence.asked = 0;
    fixture->evidence.frame_count = 8;
    make(fixture);
    assert_int_equal(fixture->decision.card.state, DIFFICULT);
    fixture->evidence.frame_count = 1;
    fixture->evidence.may_ask = false;
    make(fixture);
    assert_int_equal(fixture->decision.card.state, DIFFICULT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_registered_card_is_accepted_with_a_held_notice),
        TEST(test_number_itself_is_nowhere_in_what_will_rest),
        TEST(test_unregistered_card_is_difficult_and_found_again_by_its_token),
        TEST(test_cancelled_card_is_difficult_and_nobody_is_told),
        TEST(test_uncertain_number_leaves_no_token),
        TEST(test_number_that_the_check_digit_forced_is_not_unregistered),
        TEST(test_readers_reason_stands_where_nothing_is_certain),
        TEST(test_reader_cannot_claim_what_only_the_registry_knows),
        TEST(test_reason_that_does_not_exist_is_unreadable),
        TEST(test_identified_card_goes_to_the_difficult_zone_where_the_normal_one_is_full),
        TEST(test_full_box_gives_every_card_back),
        TEST(test_cancelled_card_that_goes_back_is_to_be_destroyed_should_the_box_keep_it),
        TEST(test_full_box_that_cannot_give_back_keeps),
        TEST(test_difficult_card_is_given_back_where_its_zone_is_full),
        TEST(test_what_is_no_card_is_given_back),
        TEST(test_card_that_lies_in_the_box_already_is_not_given_back),
        TEST(test_readers_wish_is_asked_for_where_the_box_can),
        TEST(test_another_lamp_stands_in_for_one_that_the_box_has_not),
        TEST(test_other_side_is_asked_for_where_all_lamps_were_tried),
        TEST(test_back_is_asked_for_first_where_the_reader_wants_it),
        TEST(test_lamp_that_does_not_exist_is_not_asked_for),
        TEST(test_nothing_is_asked_where_nothing_new_can_be_seen),
        TEST(test_nothing_is_asked_a_third_time_nor_beyond_eight_frames),
    };

    return cmocka_run_group_tests_name("core/decision", tests, NULL, NULL);
}

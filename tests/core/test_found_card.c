#include "core/found_card.h"

#include "core/store/record.h"
#include "tests/core/store/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Short names of what the tests speak about all the time. */
#define RECEIVED guika_v1_CardState_CARD_STATE_RECEIVED
#define IDENTIFIED guika_v1_CardState_CARD_STATE_IDENTIFIED
#define DIFFICULT guika_v1_CardState_CARD_STATE_DIFFICULT
#define GIVEN_BACK guika_v1_CardState_CARD_STATE_GIVEN_BACK
#define NOTIFIED guika_v1_CardState_CARD_STATE_NOTIFIED
#define STORED guika_v1_ConfirmStoredRequest_Outcome_STORED
#define TAKEN_BACK guika_v1_ConfirmStoredRequest_Outcome_TAKEN_BACK
#define JAMMED guika_v1_ConfirmStoredRequest_Outcome_JAMMED
#define FULL guika_v1_ConfirmStoredRequest_Outcome_FULL
#define KEEP guika_v1_DepositResponse_Decision_KEEP
#define GIVE_BACK guika_v1_DepositResponse_Decision_GIVE_BACK
#define MORE_FRAMES guika_v1_DepositResponse_Decision_MORE_FRAMES
#define NORMAL guika_v1_Zone_ZONE_NORMAL
#define DIFFICULT_ZONE guika_v1_Zone_ZONE_DIFFICULT
#define NONE guika_v1_internal_NoticeRecord_State_NOTICE_UNSPECIFIED
#define HELD guika_v1_internal_NoticeRecord_State_NOTICE_HELD
#define DUE guika_v1_internal_NoticeRecord_State_NOTICE_DUE
#define CANCELLED guika_v1_internal_NoticeRecord_State_NOTICE_CANCELLED

static const char box[] = "library-1";
static const uint8_t case_id[GK_CASE_ID_SIZE] = {0xca, 0x5e};

/* --- what is done
 * ---------------------------------------------------------------------------------------------- */

static struct gk_found_card_decision decision_of(int state, guika_v1_Reason reason)
{
    struct gk_found_card_decision decision = {.has_notice = false};

    memcpy(decision.card.case_id, case_id, sizeof case_id);
    decision.card.state = (guika_v1_CardState)state;
    decision.card.reason = reason;
    strcpy(decision.card.box_id, box);
    strcpy(decision.card.deposit_id, "d-1");
    decision.card.received_at_ms = INT64_C(1700000000000);
    decision.card.has_place = true;
    decision.card.place.kind = guika_v1_internal_Place_Kind_PLACE_SLOT;
    memcpy(decision.deposit.case_id, case_id, sizeof case_id);
    memset(decision.deposit.frames_digest, 7, GK_DIGEST_SIZE);
    decision.deposit.has_answer = true;
    switch (state) {
    case RECEIVED:
        decision.deposit.answer.decision = MORE_FRAMES;
        decision.deposit.answer.sequence = 1;
        break;
    case GIVEN_BACK:
        decision.deposit.answer.decision = GIVE_BACK;
        break;
    default:
        decision.deposit.answer.decision = KEEP;
        decision.card.decided_zone = state == IDENTIFIED ? NORMAL : DIFFICULT_ZONE;
        decision.deposit.answer.zone = decision.card.decided_zone;
    }
    return decision;
}

static struct gk_found_card_decision identified(void)
{
    struct gk_found_card_decision decision = decision_of(IDENTIFIED, guika_v1_Reason_REASON_UNSPECIFIED);

    decision.has_notice = true;
    decision.notice.state = HELD;
    memset(decision.notice.notice_id, 9, sizeof decision.notice.notice_id);
    decision.notice.case_id.size = GK_CASE_ID_SIZE;
    memcpy(decision.notice.case_id.bytes, case_id, GK_CASE_ID_SIZE);
    decision.card.notice_id.size = sizeof decision.notice.notice_id;
    memset(decision.card.notice_id.bytes, 9, sizeof decision.notice.notice_id);
    decision.card.card_token.size = 32;
    memset(decision.card.card_token.bytes, 3, 32);
    return decision;
}

struct deciding {
    const struct gk_found_card_decision *decision;
    guika_v1_internal_DepositRecord deposit;
};

static enum gk_status apply_decide(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct deciding *deciding = context;

    return gk_found_card_decide(transaction, deciding->decision, &deciding->deposit, error);
}

static enum gk_status decide(struct store_fixture *fixture, const struct gk_found_card_decision *decision,
                             guika_v1_internal_DepositRecord *ret_deposit)
{
    struct deciding deciding = {.decision = decision};
    const enum gk_status status = gk_store_commit_and_wait(fixture->store, apply_decide, &deciding, NULL);

    if (ret_deposit != NULL) {
        *ret_deposit = deciding.deposit;
    }
    return status;
}

static void must_decide(struct store_fixture *fixture, struct gk_found_card_decision decision)
{
    assert_int_equal(decide(fixture, &decision, NULL), GK_OK);
}

struct confirming {
    const char *box_id;
    guika_v1_ConfirmStoredRequest request;
    uint8_t case_id[GK_CASE_ID_SIZE];
};

static enum gk_status apply_confirm(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct confirming *confirming = context;

    return gk_found_card_confirm(transaction, confirming->box_id, &confirming->request, confirming->case_id,
                                 error);
}

static enum gk_status confirm_as(struct store_fixture *fixture, const char *box_id, int outcome, int zone,
                                 struct gk_error *error)
{
    struct confirming confirming = {.box_id = box_id};

    strcpy(confirming.request.deposit_id, "d-1");
    confirming.request.outcome = (guika_v1_ConfirmStoredRequest_Outcome)outcome;
    if (outcome == STORED) {
        confirming.request.zone = (guika_v1_Zone)zone;
        strcpy(confirming.request.compartment, "A7");
    }
    const enum gk_status status = gk_store_commit_and_wait(fixture->store, apply_confirm, &confirming, error);

    if (status == GK_OK) {
        assert_memory_equal(confirming.case_id, case_id, sizeof case_id);
    }
    return status;
}

static enum gk_status confirm(struct store_fixture *fixture, int outcome)
{
    return confirm_as(fixture, box, outcome, NORMAL, NULL);
}

static enum gk_status apply_stop(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    (void)context;
    return gk_found_card_stop_waiting(transaction, case_id, error);
}

static void stop_waiting(struct store_fixture *fixture)
{
    assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_stop, NULL, NULL), GK_OK);
}

static enum gk_status apply_notified(void *context, struct gk_transaction *transaction,
                                     struct gk_error *error)
{
    (void)context;
    return gk_found_card_notified(transaction, case_id, error);
}

static void notified(struct store_fixture *fixture)
{
    assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_notified, NULL, NULL), GK_OK);
}

/* --- what is found
 * -------------------------------------------------------------------------------------------------- */

static guika_v1_internal_FoundCard card_of(struct store_fixture *fixture)
{
    guika_v1_internal_FoundCard card = {0};

    assert_int_equal(gk_record_read(fixture->store, GK_FAMILY_FOUND_CARDS,
                                    (struct gk_bytes){case_id, sizeof case_id},
                                    guika_v1_internal_FoundCard_fields, &card, NULL),
                     GK_OK);
    return card;
}

static guika_v1_internal_DepositRecord deposit_of(struct store_fixture *fixture)
{
    guika_v1_internal_DepositRecord deposit = {0};
    uint8_t key[GK_DEPOSIT_KEY_SIZE];
    const struct gk_bytes deposit_key = {key, gk_deposit_key(box, "d-1", key)};

    assert_int_equal(gk_record_read(fixture->store, GK_FAMILY_DEPOSITS, deposit_key,
                                    guika_v1_internal_DepositRecord_fields, &deposit, NULL),
                     GK_OK);
    return deposit;
}

static int notice_state(struct store_fixture *fixture)
{
    guika_v1_internal_NoticeRecord notice = {0};
    uint8_t id[16];

    memset(id, 9, sizeof id);
    const enum gk_status status =
        gk_record_read(fixture->store, GK_FAMILY_OUTBOX, (struct gk_bytes){id, sizeof id},
                       guika_v1_internal_NoticeRecord_fields, &notice, NULL);

    return status == GK_OK ? (int)notice.state : NONE;
}

static bool count_one(void *context, struct gk_bytes key, struct gk_bytes value)
{
    (void)key;
    (void)value;
    ++*(size_t *)context;
    return true;
}

static size_t records(struct store_fixture *fixture, enum gk_family family, const char *prefix)
{
    const struct gk_bytes all = {NULL, 0};
    size_t count = 0;

    assert_int_equal(
        gk_store_scan(fixture->store, family, bytes_of(prefix), all, false, count_one, &count, NULL), GK_OK);
    return count;
}

static bool waits(struct store_fixture *fixture)
{
    return records(fixture, GK_FAMILY_META, GK_WAITING_PREFIX) == 1;
}

struct counter {
    const char *name;
    uint64_t value;
};

static void find_counter(void *context, const char *name, uint64_t value)
{
    struct counter *counter = context;

    if (strcmp(name, counter->name) == 0) {
        counter->value = value;
    }
}

static uint64_t counted(struct store_fixture *fixture, const char *name)
{
    struct counter counter = {.name = name};

    assert_int_equal(gk_store_counters(fixture->store, box, 0, find_counter, &counter, NULL), GK_OK);
    return counter.value;
}

static uint64_t audited(struct store_fixture *fixture)
{
    uint64_t entries = 0;

    assert_int_equal(gk_store_verify_audit(fixture->store, &entries, NULL), GK_OK);
    return entries;
}

/* --- decide
 * ----------------------------------------------------------------------------------------------------------
 */

static void test_decision_writes_card_deposit_notice_and_indexes(void **state)
{
    struct store_fixture *fixture = *state;
    const struct gk_found_card_decision decision = identified();
    guika_v1_internal_DepositRecord deposit;

    assert_int_equal(decide(fixture, &decision, &deposit), GK_OK);
    assert_int_equal(deposit.answer.decision, KEEP);
    store_reopen(fixture);
    assert_int_equal(card_of(fixture).state, IDENTIFIED);
    assert_int_equal(card_of(fixture).version, 1);
    assert_int_equal(deposit_of(fixture).answer.zone, NORMAL);
    assert_int_equal(notice_state(fixture), HELD);
    assert_int_equal(records(fixture, GK_FAMILY_OUTBOX_DUE, ""), 0);
    assert_int_equal(records(fixture, GK_FAMILY_FOUND_BY_TIME, ""), 1);
    assert_int_equal(records(fixture, GK_FAMILY_FOUND_BY_CARD, ""), 1);
    assert_false(waits(fixture));
    assert_int_equal(counted(fixture, "deposits"), 1);
    assert_int_equal(counted(fixture, "identified"), 1);
    assert_int_equal(audited(fixture), 1);
}

static void test_same_frames_get_the_standing_answer(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_found_card_decision again = decision_of(DIFFICULT, guika_v1_Reason_REASON_GLARE);
    guika_v1_internal_DepositRecord deposit;

    must_decide(fixture, identified());
    again.card.case_id[5] = 1;
    assert_int_equal(decide(fixture, &again, &deposit), GK_OK);
    assert_memory_equal(deposit.case_id, case_id, sizeof case_id);
    assert_int_equal(deposit.answer.zone, NORMAL);
    assert_int_equal(records(fixture, GK_FAMILY_FOUND_CARDS, ""), 1);
    assert_int_equal(counted(fixture, "deposits"), 1);
    assert_int_equal(audited(fixture), 1);
}

static void test_other_frames_are_refused(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_found_card_decision other = identified();

    must_decide(fixture, identified());
    memset(other.deposit.frames_digest, 8, GK_DIGEST_SIZE);
    assert_int_equal(decide(fixture, &other, NULL), GK_ALREADY_EXISTS);
    assert_int_equal(audited(fixture), 1);
}

static void test_same_deposit_id_of_another_box_is_another_deposit(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_found_card_decision other = decision_of(DIFFICULT, guika_v1_Reason_REASON_UNREADABLE);

    must_decide(fixture, identified());
    strcpy(other.card.box_id, "library-10");
    other.card.case_id[0] = 1;
    assert_int_equal(decide(fixture, &other, NULL), GK_OK);
    assert_int_equal(records(fixture, GK_FAMILY_FOUND_CARDS, ""), 2);
    assert_int_equal(card_of(fixture).state, IDENTIFIED);
}

static void test_difficult_cards_are_counted_by_reason(void **state)
{
    struct store_fixture *fixture = *state;

    must_decide(fixture, decision_of(DIFFICULT, guika_v1_Reason_REASON_SEVERAL_CARDS));
    assert_int_equal(counted(fixture, "difficult.SEVERAL_CARDS"), 1);
    assert_int_equal(notice_state(fixture), NONE);
    assert_int_equal(records(fixture, GK_FAMILY_FOUND_BY_CARD, ""), 0);
}

/* --- more frames
 * ------------------------------------------------------------------------------------------------ */

static void test_card_that_waits_is_marked_until_it_is_decided(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_found_card_decision second = identified();

    must_decide(fixture, decision_of(RECEIVED, guika_v1_Reason_REASON_GLARE));
    assert_true(waits(fixture));
    assert_int_equal(card_of(fixture).state, RECEIVED);
    second.card.received_at_ms += 5000;
    second.deposit.sequence = 1;
    assert_int_equal(decide(fixture, &second, NULL), GK_OK);
    assert_false(waits(fixture));
    assert_int_equal(card_of(fixture).state, IDENTIFIED);
    assert_int_equal(card_of(fixture).version, 2);
    assert_int_equal(card_of(fixture).received_at_ms, INT64_C(1700000000000));
    assert_int_equal(notice_state(fixture), HELD);
    assert_int_equal(records(fixture, GK_FAMILY_FOUND_BY_TIME, ""), 1);
    assert_int_equal(counted(fixture, "deposits"), 1);
    assert_int_equal(audited(fixture), 2);
}

static void test_frames_may_be_asked_for_twice(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_found_card_decision second = decision_of(RECEIVED, guika_v1_Reason_REASON_GLARE);

    must_decide(fixture, decision_of(RECEIVED, guika_v1_Reason_REASON_GLARE));
    second.deposit.sequence = 1;
    second.deposit.answer.sequence = 2;
    assert_int_equal(decide(fixture, &second, NULL), GK_OK);
    assert_true(waits(fixture));
    assert_int_equal(deposit_of(fixture).answer.sequence, 2);
    /* The same addition decided a second time changes nothing. */
    guika_v1_internal_DepositRecord deposit;

    second.card.state = IDENTIFIED;
    assert_int_equal(decide(fixture, &second, &deposit), GK_OK);
    assert_int_equal(deposit.answer.decision, MORE_FRAMES);
    assert_int_equal(card_of(fixture).state, RECEIVED);
}

static void test_picture_of_the_first_look_is_kept_where_the_second_has_none(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_found_card_decision first = decision_of(RECEIVED, guika_v1_Reason_REASON_GLARE);
    struct gk_found_card_decision second = decision_of(DIFFICULT, guika_v1_Reason_REASON_UNREADABLE);

    first.card.pictures = 1;
    must_decide(fixture, first);
    second.deposit.sequence = 1;
    must_decide(fixture, second);
    assert_int_equal(card_of(fixture).pictures, 1);
}

static void test_picture_is_not_kept_of_an_identified_card(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_found_card_decision first = decision_of(RECEIVED, guika_v1_Reason_REASON_GLARE);
    struct gk_found_card_decision second = identified();

    first.card.pictures = 1;
    must_decide(fixture, first);
    second.deposit.sequence = 1;
    must_decide(fixture, second);
    assert_int_equal(card_of(fixture).pictures, 0);
}

static void test_frames_that_never_come_make_the_card_difficult(void **state)
{
    struct store_fixture *fixture = *state;

    must_decide(fixture, decision_of(RECEIVED, guika_v1_Reason_REASON_GLARE));
    atomic_store(&fixture->now_ms, INT64_C(1700000060000));
    stop_waiting(fixture);
    assert_int_equal(card_of(fixture).state, DIFFICULT);
    assert_int_equal(card_of(fixture).reason, guika_v1_Reason_REASON_GLARE);
    assert_int_equal(card_of(fixture).decided_at_ms, INT64_C(1700000060000));
    assert_int_equal(deposit_of(fixture).answer.decision, KEEP);
    assert_int_equal(deposit_of(fixture).answer.zone, DIFFICULT_ZONE);
    assert_int_equal(deposit_of(fixture).answer.sequence, 0);
    assert_false(waits(fixture));
    assert_int_equal(counted(fixture, "difficult.GLARE"), 1);
    stop_waiting(fixture);
    assert_int_equal(counted(fixture, "difficult.GLARE"), 1);
    assert_int_equal(audited(fixture), 2);
}

static void test_end_of_a_wait_does_not_touch_what_is_decided(void **state)
{
    struct store_fixture *fixture = *state;

    must_decide(fixture, identified());
    stop_waiting(fixture);
    assert_int_equal(card_of(fixture).state, IDENTIFIED);
    assert_int_equal(audited(fixture), 1);
}

/* --- confirm
 * ------------------------------------------------------------------------------------------------------- */

static void test_only_stored_releases_the_notice_and_only_once(void **state)
{
    struct store_fixture *fixture = *state;

    must_decide(fixture, identified());
    atomic_store(&fixture->now_ms, INT64_C(1700000003000));
    assert_int_equal(notice_state(fixture), HELD);
    assert_int_equal(confirm(fixture, STORED), GK_OK);
    assert_int_equal(notice_state(fixture), DUE);
    assert_int_equal(records(fixture, GK_FAMILY_OUTBOX_DUE, ""), 1);
    const guika_v1_internal_FoundCard card = card_of(fixture);

    assert_int_equal(card.place.kind, guika_v1_internal_Place_Kind_PLACE_COMPARTMENT);
    assert_string_equal(card.place.compartment, "A7");
    assert_false(card.place.misplaced);
    assert_int_equal(card.stored_at_ms, INT64_C(1700000003000));
    atomic_store(&fixture->now_ms, INT64_C(1700000009000));
    assert_int_equal(confirm(fixture, STORED), GK_OK);
    assert_int_equal(card_of(fixture).stored_at_ms, INT64_C(1700000003000));
    assert_int_equal(records(fixture, GK_FAMILY_OUTBOX_DUE, ""), 1);
    assert_int_equal(counted(fixture, "stored"), 1);
    assert_int_equal(audited(fixture), 2);
}

static void test_card_in_the_other_zone_is_marked(void **state)
{
    struct store_fixture *fixture = *state;

    must_decide(fixture, identified());
    assert_int_equal(confirm_as(fixture, box, STORED, DIFFICULT_ZONE, NULL), GK_OK);
    assert_true(card_of(fixture).place.misplaced);
    assert_int_equal(card_of(fixture).place.kind, guika_v1_internal_Place_Kind_PLACE_DIFFICULT_BIN);
    assert_int_equal(notice_state(fixture), HELD); /* until staff have placed it */
}

static void returns_to_finder(struct store_fixture *fixture, int outcome)
{
    struct gk_found_card_decision decision = identified();

    decision.card.pictures = 1;
    must_decide(fixture, decision);
    assert_int_equal(confirm(fixture, outcome), GK_OK);
    assert_int_equal(card_of(fixture).state, GIVEN_BACK);
    assert_int_equal(card_of(fixture).pictures, 0);
    assert_int_equal(card_of(fixture).place.kind, guika_v1_internal_Place_Kind_PLACE_FINDER);
    assert_int_equal(notice_state(fixture), CANCELLED);
    assert_int_equal(records(fixture, GK_FAMILY_OUTBOX_DUE, ""), 0);
    assert_int_equal(counted(fixture, "given_back"), 1);
    assert_int_equal(confirm(fixture, STORED), GK_FAILED_PRECONDITION);
    assert_int_equal(notice_state(fixture), CANCELLED);
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

    must_decide(fixture, identified());
    assert_int_equal(confirm(fixture, JAMMED), GK_OK);
    assert_int_equal(card_of(fixture).state, IDENTIFIED);
    assert_int_equal(card_of(fixture).place.kind, guika_v1_internal_Place_Kind_PLACE_JAMMED);
    assert_int_equal(notice_state(fixture), HELD);
    assert_int_equal(confirm(fixture, JAMMED), GK_OK);
    assert_int_equal(counted(fixture, "jammed"), 1);
    assert_int_equal(confirm(fixture, STORED), GK_OK);
    assert_int_equal(notice_state(fixture), DUE);
    assert_int_equal(card_of(fixture).place.kind, guika_v1_internal_Place_Kind_PLACE_COMPARTMENT);
}

static void test_jam_may_end_with_the_finder(void **state)
{
    struct store_fixture *fixture = *state;

    must_decide(fixture, identified());
    assert_int_equal(confirm(fixture, JAMMED), GK_OK);
    assert_int_equal(confirm(fixture, TAKEN_BACK), GK_OK);
    assert_int_equal(card_of(fixture).state, GIVEN_BACK);
    assert_int_equal(notice_state(fixture), CANCELLED);
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
            must_decide(fixture, identified());
            assert_int_equal(confirm(fixture, outcomes[i]), GK_OK);
            const guika_v1_CardState before = card_of(fixture).state;
            const int notice = notice_state(fixture);

            assert_int_equal(confirm_as(fixture, box, after, NORMAL, &error),
                             after == outcomes[i] ? GK_OK : GK_FAILED_PRECONDITION);
            assert_int_equal(card_of(fixture).state, before);
            assert_int_equal(notice_state(fixture), notice);
            assert_int_equal(audited(fixture), 2);
            store_teardown((void **)&fixture);
        }
    }
}

static void test_box_that_stored_a_waiting_card_makes_it_difficult(void **state)
{
    struct store_fixture *fixture = *state;

    must_decide(fixture, decision_of(RECEIVED, guika_v1_Reason_REASON_GLARE));
    assert_int_equal(confirm_as(fixture, box, STORED, DIFFICULT_ZONE, NULL), GK_OK);
    assert_int_equal(card_of(fixture).state, DIFFICULT);
    assert_false(card_of(fixture).place.misplaced);
    assert_false(waits(fixture));
    assert_int_equal(deposit_of(fixture).answer.decision, KEEP);
    assert_int_equal(deposit_of(fixture).outcome, STORED);
    assert_int_equal(counted(fixture, "difficult.GLARE"), 1);
}

static void test_finder_who_leaves_with_a_waiting_card_ends_the_wait(void **state)
{
    struct store_fixture *fixture = *state;

    must_decide(fixture, decision_of(RECEIVED, guika_v1_Reason_REASON_GLARE));
    assert_int_equal(confirm(fixture, TAKEN_BACK), GK_OK);
    assert_int_equal(card_of(fixture).state, GIVEN_BACK);
    assert_int_equal(deposit_of(fixture).answer.decision, GIVE_BACK);
    assert_false(waits(fixture));
    stop_waiting(fixture);
    assert_int_equal(card_of(fixture).state, GIVEN_BACK);
}

static void test_jam_of_a_waiting_card_ends_the_wait(void **state)
{
    struct store_fixture *fixture = *state;

    must_decide(fixture, decision_of(RECEIVED, guika_v1_Reason_REASON_GLARE));
    assert_int_equal(confirm(fixture, JAMMED), GK_OK);
    assert_int_equal(card_of(fixture).state, DIFFICULT);
    assert_int_equal(card_of(fixture).place.kind, guika_v1_internal_Place_Kind_PLACE_JAMMED);
    assert_int_equal(deposit_of(fixture).answer.decision, KEEP);
    assert_false(waits(fixture));
}

static void test_box_that_kept_what_it_should_give_back_makes_it_difficult(void **state)
{
    struct store_fixture *fixture = *state;

    must_decide(fixture, decision_of(GIVEN_BACK, guika_v1_Reason_REASON_NOT_A_CARD));
    assert_int_equal(counted(fixture, "given_back"), 1);
    assert_int_equal(confirm_as(fixture, box, STORED, NORMAL, NULL), GK_OK);
    assert_int_equal(card_of(fixture).state, DIFFICULT);
    assert_true(card_of(fixture).place.misplaced);
    assert_int_equal(counted(fixture, "difficult.NOT_A_CARD"), 1);
}

static void test_given_back_card_that_is_gone_is_counted_once(void **state)
{
    struct store_fixture *fixture = *state;

    must_decide(fixture, decision_of(GIVEN_BACK, guika_v1_Reason_REASON_NOT_A_CARD));
    assert_int_equal(confirm(fixture, TAKEN_BACK), GK_OK);
    assert_int_equal(counted(fixture, "given_back"), 1);
}

static void test_unknown_deposit_and_other_boxes_find_nothing(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_error error;

    assert_int_equal(confirm_as(fixture, box, STORED, NORMAL, &error), GK_NOT_FOUND);
    assert_non_null(strstr(error.message, "d-1"));
    must_decide(fixture, identified());
    assert_int_equal(confirm_as(fixture, "library-2", STORED, NORMAL, &error), GK_NOT_FOUND);
    assert_int_equal(notice_state(fixture), HELD);
}

/* --- notified
 * ------------------------------------------------------------------------------------------------------ */

static void test_delivery_is_told_once(void **state)
{
    struct store_fixture *fixture = *state;

    must_decide(fixture, identified());
    assert_int_equal(confirm(fixture, STORED), GK_OK);
    notified(fixture);
    assert_int_equal(card_of(fixture).state, NOTIFIED);
    assert_true(card_of(fixture).notice_delivered);
    notified(fixture);
    assert_int_equal(counted(fixture, "notified"), 1);
    assert_int_equal(confirm(fixture, STORED), GK_OK);
    assert_int_equal(card_of(fixture).state, NOTIFIED);
}

static void test_delivery_does_not_touch_a_card_that_went_back(void **state)
{
    struct store_fixture *fixture = *state;

    must_decide(fixture, decision_of(DIFFICULT, guika_v1_Reason_REASON_GLARE));
    notified(fixture);
    assert_int_equal(card_of(fixture).state, DIFFICULT);
    assert_false(card_of(fixture).notice_delivered);
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
        STORE_TEST(test_delivery_is_told_once),
        STORE_TEST(test_delivery_does_not_touch_a_card_that_went_back),
        cmocka_unit_test(test_longest_names_fit_the_key),
    };

    return cmocka_run_group_tests_name("core/found_card", tests, NULL, NULL);
}

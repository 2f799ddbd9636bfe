/* A difficult card that was read again: the transition, whatever happened to the card meanwhile. */
#include "core/found_card.h"
#include "core/store/record.h"
#include "tests/core/store/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define IDENTIFIED guika_v1_CardState_CARD_STATE_IDENTIFIED
#define DIFFICULT guika_v1_CardState_CARD_STATE_DIFFICULT
#define HELD guika_v1_internal_NoticeRecord_State_NOTICE_HELD
#define DUE guika_v1_internal_NoticeRecord_State_NOTICE_DUE

static const char box[] = "library-1";
static const uint8_t case_id[GK_CASE_ID_SIZE] = {0xca, 0x5e};
static const uint8_t notice_id[16] = {9};

struct retrying {
    struct gk_found_card_decision decision;
    guika_v1_internal_DepositRecord deposit;
    bool changed;
};

static enum gk_status apply_decide(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct retrying *retrying = context;

    return gk_found_card_decide(transaction, &retrying->decision, &retrying->deposit, error);
}

static enum gk_status apply_retry(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct retrying *retrying = context;

    return gk_found_card_retry(transaction, &retrying->decision, &retrying->changed, error);
}

static enum gk_status apply_store(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    guika_v1_ConfirmStoredRequest request = {.deposit_id = "d-1",
                                             .outcome = guika_v1_ConfirmStoredRequest_Outcome_STORED,
                                             .zone = guika_v1_Zone_ZONE_DIFFICULT,
                                             .compartment = "7"};
    uint8_t stored_case[GK_CASE_ID_SIZE];

    (void)context;
    return gk_found_card_confirm(transaction, box, &request, stored_case, error);
}

static void make_difficult(struct store_fixture *fixture, bool stored)
{
    struct retrying first = {.decision.card = {.state = DIFFICULT,
                                               .reason = guika_v1_Reason_REASON_UNKNOWN_ISSUER,
                                               .decided_zone = guika_v1_Zone_ZONE_DIFFICULT,
                                               .pictures = 1,
                                               .box_id = "library-1",
                                               .deposit_id = "d-1"}};

    memcpy(first.decision.card.case_id, case_id, sizeof case_id);
    memcpy(first.decision.deposit.case_id, case_id, sizeof case_id);
    first.decision.deposit.has_answer = true;
    first.decision.deposit.answer.decision = guika_v1_DepositResponse_Decision_KEEP;
    assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_decide, &first, NULL), GK_OK);
    if (stored) {
        assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_store, NULL, NULL), GK_OK);
    }
}

static guika_v1_internal_FoundCard card(struct store_fixture *fixture)
{
    guika_v1_internal_FoundCard card = {0};

    assert_int_equal(gk_record_read(fixture->store, GK_FAMILY_FOUND_CARDS,
                                    (struct gk_bytes){case_id, sizeof case_id},
                                    guika_v1_internal_FoundCard_fields, &card, NULL),
                     GK_OK);
    return card;
}

static int notice_state(struct store_fixture *fixture)
{
    guika_v1_internal_NoticeRecord notice = {0};

    return gk_record_read(fixture->store, GK_FAMILY_OUTBOX, (struct gk_bytes){notice_id, sizeof notice_id},
                          guika_v1_internal_NoticeRecord_fields, &notice, NULL) == GK_OK
               ? (int)notice.state
               : 0;
}

/* What a reading decides: identified, or UNREGISTERED. */
static bool retry(struct store_fixture *fixture, bool identified, uint32_t version)
{
    struct retrying retrying = {.decision.card = {.state = identified ? IDENTIFIED : DIFFICULT,
                                                  .version = version,
                                                  .issuer = "new-plugin",
                                                  .decided_zone = guika_v1_Zone_ZONE_NORMAL}};
    struct gk_found_card_decision *decision = &retrying.decision;

    memcpy(decision->card.case_id, case_id, sizeof case_id);
    decision->card.card_token.size = 32;
    memset(decision->card.card_token.bytes, 3, 32);
    decision->card.reason =
        identified ? guika_v1_Reason_REASON_UNSPECIFIED : guika_v1_Reason_REASON_UNREGISTERED;
    if (identified) {
        decision->has_notice = true;
        decision->notice.state = HELD;
        memcpy(decision->notice.notice_id, notice_id, sizeof notice_id);
        decision->card.notice_id.size = sizeof notice_id;
        memcpy(decision->card.notice_id.bytes, notice_id, sizeof notice_id);
    }
    assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_retry, &retrying, NULL), GK_OK);
    return retrying.changed;
}

static void test_stored_card_is_identified_and_its_holder_told_at_once(void **state)
{
    make_difficult(*state, true);
    assert_true(retry(*state, true, card(*state).version));
    const guika_v1_internal_FoundCard after = card(*state);

    assert_int_equal(after.state, IDENTIFIED);
    assert_string_equal(after.issuer, "new-plugin");
    assert_int_equal(after.pictures, 0);
    /* It lies where it lay, and where it was told to lie. */
    assert_int_equal(after.place.zone, guika_v1_Zone_ZONE_DIFFICULT);
    assert_int_equal(after.decided_zone, guika_v1_Zone_ZONE_DIFFICULT);
    assert_false(after.place.misplaced);
    assert_int_equal(notice_state(*state), DUE);
}

static void test_notice_of_a_card_that_is_not_stored_yet_waits_for_it(void **state)
{
    struct store_fixture *fixture = *state;

    make_difficult(fixture, false);
    assert_true(retry(fixture, true, card(fixture).version));
    assert_int_equal(notice_state(fixture), HELD);
    assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_store, NULL, NULL), GK_OK);
    assert_int_equal(notice_state(fixture), DUE);
}

static void test_card_that_is_nobodys_stays_difficult_for_that_reason(void **state)
{
    make_difficult(*state, true);
    assert_true(retry(*state, false, card(*state).version));
    assert_int_equal(card(*state).state, DIFFICULT);
    assert_int_equal(card(*state).reason, guika_v1_Reason_REASON_UNREGISTERED);
    assert_int_equal(card(*state).pictures, 1);
    assert_int_equal(card(*state).card_token.size, 32);
}

static void test_card_that_moved_on_meanwhile_is_left_alone(void **state)
{
    struct store_fixture *fixture = *state;

    make_difficult(fixture, false);
    const uint32_t version = card(fixture).version;

    assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_store, NULL, NULL), GK_OK);
    assert_false(retry(fixture, true, version));
    assert_int_equal(card(fixture).state, DIFFICULT);
    assert_int_equal(notice_state(fixture), 0);
    assert_true(retry(fixture, true, card(fixture).version));
    assert_false(retry(fixture, true, card(fixture).version)); /* identified: no second notice */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_stored_card_is_identified_and_its_holder_told_at_once),
        STORE_TEST(test_notice_of_a_card_that_is_not_stored_yet_waits_for_it),
        STORE_TEST(test_card_that_is_nobodys_stays_difficult_for_that_reason),
        STORE_TEST(test_card_that_moved_on_meanwhile_is_left_alone),
    };

    return cmocka_run_group_tests_name("core/found_card: retry", tests, NULL, NULL);
}

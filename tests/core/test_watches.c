/* Who gets a card that nobody registered: transitions of watches and found cards together, on a real store.
 */
#include "core/watches.h"

#include "core/found_card.h"
#include "core/found_card_claim.h"
#include "core/store/record.h"
#include "tests/core/core_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NUMBER "3104870000000000012" /* made up */
#define SECOND_MS 1000

enum who { LEE = 1, KIM = 2 };

static int setup(void **state)
{
    struct core_rig *rig = calloc(1, sizeof *rig);

    core_rig_start(rig, NULL);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    core_rig_end(*state);
    free(*state);
    return 0;
}

/* --- what happens --- */

static void tick(struct core_rig *rig)
{
    atomic_fetch_add(&rig->now_ms, SECOND_MS);
}

static enum gk_status apply_file(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    return gk_watches_file(transaction, context, error);
}

/* Files a watch of somebody for the number; `id` names it. */
static void watch(struct core_rig *rig, enum who who, uint8_t id)
{
    guika_v1_internal_WatchRecord record = guika_v1_internal_WatchRecord_init_zero;

    tick(rig);
    record.watch_id[0] = id;
    record.contact_token[0] = (uint8_t)who;
    record.kind = guika_v1_CardKind_CARD_KIND_TRANSIT;
    record.card_tokens_count = 1;
    gk_keys_card_token(rig->keys, "t-union", NUMBER, record.card_tokens[0]);
    assert_int_equal(gk_store_commit_and_wait(rig->store, apply_file, &record, NULL), GK_OK);
}

static guika_v1_internal_WatchRecord watch_of(struct core_rig *rig, enum who who, uint8_t id)
{
    guika_v1_internal_WatchRecord record = guika_v1_internal_WatchRecord_init_zero;
    uint8_t key[GK_TOKEN_SIZE + GK_WATCH_ID_SIZE] = {(uint8_t)who};

    key[GK_TOKEN_SIZE] = id;
    assert_int_equal(gk_record_read(rig->store, GK_FAMILY_WATCHES, (struct gk_bytes){key, sizeof key},
                                    guika_v1_internal_WatchRecord_fields, &record, NULL),
                     GK_OK);
    return record;
}

static enum gk_status apply_find(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    guika_v1_internal_DepositRecord deposit;

    return gk_found_card_decide(transaction, context, &deposit, error);
}

/* The card is found, read with certainty and registered by nobody. */
static guika_v1_internal_FoundCard find(struct core_rig *rig, uint8_t case_id, guika_v1_CardKind kind)
{
    struct gk_found_card_decision *decision = calloc(1, sizeof *decision);
    guika_v1_internal_FoundCard *card = &decision->card;
    guika_v1_internal_FoundCard found = {0};

    tick(rig);
    card->case_id[0] = case_id;
    card->received_at_ms = atomic_load(&rig->now_ms);
    card->state = guika_v1_CardState_CARD_STATE_DIFFICULT;
    card->reason = guika_v1_Reason_REASON_UNREGISTERED;
    card->decided_zone = guika_v1_Zone_ZONE_DIFFICULT;
    card->kind = kind;
    strcpy(card->box_id, "library-1");
    (void)snprintf(card->deposit_id, sizeof card->deposit_id, "d-%u", case_id);
    card->card_token.size = GK_TOKEN_SIZE;
    gk_keys_card_token(rig->keys, "t-union", NUMBER, card->card_token.bytes);
    memcpy(decision->deposit.case_id, card->case_id, GK_CASE_ID_SIZE);
    decision->deposit.has_answer = true;
    decision->claimed_zone = guika_v1_Zone_ZONE_NORMAL;
    decision->claim_notice_id[0] = case_id;
    assert_int_equal(gk_store_commit_and_wait(rig->store, apply_find, decision, NULL), GK_OK);
    assert_int_equal(gk_record_read(rig->store, GK_FAMILY_FOUND_CARDS,
                                    (struct gk_bytes){card->case_id, GK_CASE_ID_SIZE},
                                    guika_v1_internal_FoundCard_fields, &found, NULL),
                     GK_OK);
    free(decision);
    return found;
}

struct ending {
    uint8_t contact_token[GK_TOKEN_SIZE];
    uint8_t watch_id[GK_WATCH_ID_SIZE];
    uint8_t case_id[GK_CASE_ID_SIZE];
    struct core_rig *rig;
};

static enum gk_status apply_end(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct ending *ending = context;

    return gk_watches_end(transaction, ending->contact_token, ending->watch_id, error);
}

static enum gk_status apply_grant(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct ending *ending = context;

    return gk_found_card_grant(transaction, ending->rig->keys, ending->case_id, ending->contact_token,
                               ending->watch_id, "operator:anna", error);
}

static enum gk_status end_watch(struct core_rig *rig, enum who who, uint8_t id)
{
    struct ending ending = {.contact_token = {(uint8_t)who}, .watch_id = {id}};

    return gk_store_commit_and_wait(rig->store, apply_end, &ending, NULL);
}

static enum gk_status grant(struct core_rig *rig, uint8_t case_id, enum who who, uint8_t id)
{
    struct ending ending = {
        .contact_token = {(uint8_t)who}, .watch_id = {id}, .case_id = {case_id}, .rig = rig};

    return gk_store_commit_and_wait(rig->store, apply_grant, &ending, NULL);
}

static void assert_claimed(const guika_v1_internal_FoundCard *card, enum who who)
{
    assert_int_equal(card->state, guika_v1_CardState_CARD_STATE_IDENTIFIED);
    assert_int_equal(card->reason, guika_v1_Reason_REASON_UNSPECIFIED);
    assert_string_equal(card->issuer_account, "");
    assert_int_equal(card->holder_token.size, GK_TOKEN_SIZE);
    assert_int_equal(card->holder_token.bytes[0], who);
    assert_int_equal(card->decided_zone, guika_v1_Zone_ZONE_NORMAL);
    assert_int_equal(card->notice_id.size, 16);
}

static void assert_nobodys(const guika_v1_internal_FoundCard *card)
{
    assert_int_equal(card->state, guika_v1_CardState_CARD_STATE_DIFFICULT);
    assert_int_equal(card->reason, guika_v1_Reason_REASON_UNREGISTERED);
    assert_int_equal(card->holder_token.size, 0);
    assert_int_equal(card->notice_id.size, 0);
}

/* --- tests --- */

static void test_card_is_the_one_watchers(void **state)
{
    struct core_rig *rig = *state;

    watch(rig, LEE, 1);
    const guika_v1_internal_FoundCard card = find(rig, 0xca, guika_v1_CardKind_CARD_KIND_TRANSIT);

    assert_claimed(&card, LEE);
    const guika_v1_internal_WatchRecord record = watch_of(rig, LEE, 1);

    assert_int_equal(record.state, guika_v1_internal_WatchRecord_State_WATCH_MATCHED);
    assert_int_equal(record.case_id.bytes[0], 0xca);
}

static void test_watch_claims_one_card(void **state)
{
    struct core_rig *rig = *state;

    watch(rig, LEE, 1);
    const guika_v1_internal_FoundCard first = find(rig, 0xca, guika_v1_CardKind_CARD_KIND_TRANSIT);
    const guika_v1_internal_FoundCard second = find(rig, 0xcb, guika_v1_CardKind_CARD_KIND_TRANSIT);

    assert_claimed(&first, LEE);
    assert_nobodys(&second);
}

static void test_two_watches_of_one_contact_are_no_rivals(void **state)
{
    struct core_rig *rig = *state;

    watch(rig, LEE, 1);
    watch(rig, LEE, 2);
    const guika_v1_internal_FoundCard card = find(rig, 0xca, guika_v1_CardKind_CARD_KIND_TRANSIT);

    assert_claimed(&card, LEE);
}

static void test_rivals_leave_the_card_to_an_operator(void **state)
{
    struct core_rig *rig = *state;

    watch(rig, LEE, 1);
    watch(rig, KIM, 2);
    const guika_v1_internal_FoundCard card = find(rig, 0xca, guika_v1_CardKind_CARD_KIND_TRANSIT);

    assert_nobodys(&card);
    assert_int_equal(watch_of(rig, LEE, 1).for_operator, guika_v1_WatchReason_WATCH_REASON_RIVAL);
    assert_int_equal(watch_of(rig, KIM, 2).for_operator, guika_v1_WatchReason_WATCH_REASON_RIVAL);
    assert_int_equal(grant(rig, 0xca, KIM, 2), GK_OK);
    assert_int_equal(grant(rig, 0xca, LEE, 1), GK_FAILED_PRECONDITION); /* it is Kim's by now */
}

static void test_rival_who_gave_up_is_none(void **state)
{
    struct core_rig *rig = *state;

    watch(rig, LEE, 1);
    watch(rig, KIM, 2);
    assert_int_equal(end_watch(rig, KIM, 2), GK_OK);
    assert_int_equal(end_watch(rig, KIM, 2), GK_NOT_FOUND);
    const guika_v1_internal_FoundCard card = find(rig, 0xca, guika_v1_CardKind_CARD_KIND_TRANSIT);

    assert_claimed(&card, LEE);
}

static void test_ended_watch_claims_nothing(void **state)
{
    struct core_rig *rig = *state;

    watch(rig, LEE, 1);
    assert_int_equal(end_watch(rig, LEE, 1), GK_OK);
    const guika_v1_internal_FoundCard card = find(rig, 0xca, guika_v1_CardKind_CARD_KIND_TRANSIT);

    assert_nobodys(&card);
}

static void test_report_that_comes_late_waits_for_an_operator(void **state)
{
    struct core_rig *rig = *state;
    const guika_v1_internal_FoundCard card = find(rig, 0xca, guika_v1_CardKind_CARD_KIND_TRANSIT);

    assert_nobodys(&card);
    watch(rig, LEE, 1);
    assert_int_equal(watch_of(rig, LEE, 1).for_operator, guika_v1_WatchReason_WATCH_REASON_LATE);
    assert_int_equal(grant(rig, 0xcb, LEE, 1), GK_NOT_FOUND);
    assert_int_equal(grant(rig, 0xca, KIM, 1), GK_NOT_FOUND);
    assert_int_equal(grant(rig, 0xca, LEE, 1), GK_OK);
    assert_int_equal(watch_of(rig, LEE, 1).state, guika_v1_internal_WatchRecord_State_WATCH_MATCHED);
}

/* Whoever learns a card's number from a claim that was granted gains nothing by it. */
static void test_report_after_a_claim_is_late_too(void **state)
{
    struct core_rig *rig = *state;

    watch(rig, LEE, 1);
    (void)find(rig, 0xca, guika_v1_CardKind_CARD_KIND_TRANSIT);
    watch(rig, KIM, 2);
    assert_int_equal(watch_of(rig, KIM, 2).for_operator, guika_v1_WatchReason_WATCH_REASON_LATE);
    assert_int_equal(grant(rig, 0xca, KIM, 2), GK_FAILED_PRECONDITION);
}

static enum gk_status apply_taken_back(void *context, struct gk_transaction *transaction,
                                       struct gk_error *error)
{
    const guika_v1_ConfirmStoredRequest request = {
        .deposit_id = "d-202", .outcome = guika_v1_ConfirmStoredRequest_Outcome_TAKEN_BACK};

    return gk_found_card_confirm(transaction, "library-1", &request, context, error);
}

static void test_card_that_is_gone_makes_no_report_late(void **state)
{
    struct core_rig *rig = *state;
    uint8_t case_id[GK_CASE_ID_SIZE];

    (void)find(rig, 202, guika_v1_CardKind_CARD_KIND_TRANSIT);
    assert_int_equal(gk_store_commit_and_wait(rig->store, apply_taken_back, case_id, NULL), GK_OK);
    watch(rig, LEE, 1);
    assert_int_equal(watch_of(rig, LEE, 1).for_operator, guika_v1_WatchReason_WATCH_REASON_NONE);
    const guika_v1_internal_FoundCard card = find(rig, 0xcb, guika_v1_CardKind_CARD_KIND_TRANSIT);

    assert_claimed(&card, LEE);
}

static void test_bank_and_id_cards_never_go_this_way(void **state)
{
    struct core_rig *rig = *state;

    watch(rig, LEE, 1);
    const guika_v1_internal_FoundCard bank = find(rig, 0xca, guika_v1_CardKind_CARD_KIND_PAYMENT);
    const guika_v1_internal_FoundCard id = find(rig, 0xcb, guika_v1_CardKind_CARD_KIND_ID);

    assert_nobodys(&bank);
    assert_nobodys(&id);
    assert_int_equal(grant(rig, 0xca, LEE, 1), GK_FAILED_PRECONDITION);
    assert_int_equal(grant(rig, 0xcb, LEE, 1), GK_FAILED_PRECONDITION);
    assert_int_equal(watch_of(rig, LEE, 1).state, guika_v1_internal_WatchRecord_State_WATCH_WAITING);
}

static void test_more_rivals_than_there_is_room_for_are_still_rivals(void **state)
{
    struct core_rig *rig = *state;

    for (unsigned i = 1; i <= 12; i++) {
        watch(rig, (enum who)i, (uint8_t)i);
    }
    const guika_v1_internal_FoundCard card = find(rig, 0xca, guika_v1_CardKind_CARD_KIND_TRANSIT);

    assert_nobodys(&card);
    for (unsigned i = 1; i <= 12; i++) {
        assert_int_equal(watch_of(rig, (enum who)i, (uint8_t)i).for_operator,
                         guika_v1_WatchReason_WATCH_REASON_RIVAL);
    }
}

static void test_audit_chain_holds(void **state)
{
    struct core_rig *rig = *state;
    uint64_t entries = 0;

    watch(rig, LEE, 1);
    (void)find(rig, 0xca, guika_v1_CardKind_CARD_KIND_TRANSIT);
    assert_int_equal(gk_store_verify_audit(rig->store, &entries, NULL), GK_OK);
    assert_true(entries >= 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_card_is_the_one_watchers),
        TEST(test_watch_claims_one_card),
        TEST(test_two_watches_of_one_contact_are_no_rivals),
        TEST(test_rivals_leave_the_card_to_an_operator),
        TEST(test_rival_who_gave_up_is_none),
        TEST(test_ended_watch_claims_nothing),
        TEST(test_report_that_comes_late_waits_for_an_operator),
        TEST(test_report_after_a_claim_is_late_too),
        TEST(test_card_that_is_gone_makes_no_report_late),
        TEST(test_bank_and_id_cards_never_go_this_way),
        TEST(test_more_rivals_than_there_is_room_for_are_still_rivals),
        TEST(test_audit_chain_holds),
    };

    return cmocka_run_group_tests_name("core/watches", tests, NULL, NULL);
}

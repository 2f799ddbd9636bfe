/*
 * Found cards on their way to the issuer that tells their holders: the queue, its leases and what the issuer
 * decides, on the real store and through the real service. The test writes the cards as a decision would.
 */
#include "core/issuer_queue.h"

#include "core/found_card_issuer.h"
#include "core/notification/outbox.h"
#include "core/security/hex.h"
#include "core/store/record.h"
#include "guika/v1/issuer.rpc.h"
#include "tests/core/core_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define IDENTIFIED guika_v1_CardState_CARD_STATE_IDENTIFIED
#define NOTIFIED guika_v1_CardState_CARD_STATE_NOTIFIED
#define EXPIRED guika_v1_CardState_CARD_STATE_EXPIRED
#define DIFFICULT guika_v1_CardState_CARD_STATE_DIFFICULT
#define RELAY guika_v1_IssuerDecision_ISSUER_DECISION_RELAY
#define RETURN guika_v1_IssuerDecision_ISSUER_DECISION_RETURN
#define DESTROY guika_v1_IssuerDecision_ISSUER_DECISION_DESTROY

struct fixture {
    struct core_rig rig;
    struct gk_rpc_client *bank;
    unsigned cards;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    core_rig_start(&fixture->rig, NULL);
    fixture->bank = core_rig_connect(&fixture->rig, GK_ROLE_ISSUER, "bank");
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    gk_rpc_client_close(fixture->bank);
    core_rig_end(&fixture->rig);
    free(fixture);
    return 0;
}

/* --- cards, as the pipeline writes them --- */

struct finding {
    struct gk_found_card_decision decision;
    guika_v1_ConfirmStoredRequest stored;
    guika_v1_internal_DepositRecord deposit;
};

static enum gk_status apply_decision(void *context, struct gk_transaction *transaction,
                                     struct gk_error *error)
{
    struct finding *finding = context;

    return gk_found_card_decide(transaction, &finding->decision, &finding->deposit, error);
}

static enum gk_status apply_stored(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct finding *finding = context;
    uint8_t case_id[GK_CASE_ID_SIZE];

    return gk_found_card_confirm(transaction, finding->decision.card.box_id, &finding->stored, case_id,
                                 error);
}

static void must_commit(struct fixture *fixture,
                        enum gk_status (*apply)(void *context, struct gk_transaction *transaction,
                                                struct gk_error *error),
                        void *context)
{
    struct gk_error error = {0};

    if (gk_store_commit_and_wait(fixture->rig.store, apply, context, &error) != GK_OK) {
        fail_msg("%s", error.message);
    }
}

static void poke(struct core_rig *rig, void *argument)
{
    (void)argument;
    gk_issuer_queue_poke(rig->issuer_queue);
}

/* An identified card of "bank", not stored yet. */
static struct finding make_finding(struct fixture *fixture, guika_v1_IssuerPolicy policy)
{
    struct finding finding = {0};
    guika_v1_internal_FoundCard *card = &finding.decision.card;
    const struct gk_bytes reference = {(const uint8_t *)"ref-1", 5};
    const struct gk_bytes mask = {(const uint8_t *)"8599", 4};

    memset(card->case_id, (int)++fixture->cards, GK_CASE_ID_SIZE);
    card->state = IDENTIFIED;
    card->policy = policy;
    strcpy(card->box_id, "library-1");
    (void)snprintf(card->deposit_id, sizeof card->deposit_id, "d-%u", fixture->cards);
    strcpy(card->issuer_account, "bank");
    strcpy(card->scheme, "iso7812");
    card->kind = guika_v1_CardKind_CARD_KIND_PAYMENT;
    card->decided_zone = guika_v1_Zone_ZONE_NORMAL;
    card->received_at_ms = 1700000000000 + fixture->cards;
    card->holder_token.size = GK_TOKEN_SIZE;
    card->card_token.size = GK_TOKEN_SIZE;
    gk_keys_card_token(fixture->rig.keys, "iso7812", CORE_RIG_REGISTERED, card->card_token.bytes);
    gk_keys_seal(fixture->rig.keys, GK_SEAL_CONTACTS, (struct gk_bytes){card->case_id, GK_CASE_ID_SIZE},
                 reference, card->sealed_reference.bytes);
    card->sealed_reference.size = (pb_size_t)(reference.size + GK_SEAL_OVERHEAD);
    gk_keys_seal(fixture->rig.keys, GK_SEAL_MASK, (struct gk_bytes){card->case_id, GK_CASE_ID_SIZE}, mask,
                 card->sealed_mask.bytes);
    card->sealed_mask.size = (pb_size_t)(mask.size + GK_SEAL_OVERHEAD);
    memcpy(finding.decision.deposit.case_id, card->case_id, GK_CASE_ID_SIZE);
    finding.decision.deposit.has_answer = true;
    finding.decision.deposit.answer.decision = guika_v1_DepositResponse_Decision_KEEP;
    finding.decision.deposit.answer.zone = guika_v1_Zone_ZONE_NORMAL;
    strcpy(finding.stored.deposit_id, card->deposit_id);
    finding.stored.outcome = guika_v1_ConfirmStoredRequest_Outcome_STORED;
    finding.stored.zone = guika_v1_Zone_ZONE_NORMAL;
    (void)snprintf(finding.stored.compartment, sizeof finding.stored.compartment, "c%u", fixture->cards);
    return finding;
}

static void find_card(struct fixture *fixture, struct finding *finding)
{
    must_commit(fixture, apply_decision, finding);
    must_commit(fixture, apply_stored, finding);
    core_rig_run(&fixture->rig, poke, NULL);
}

/* A stored card that its issuer is to tell of; its case id in hexadecimal. */
static void find_issuers_card(struct fixture *fixture, char ret_case_id[33])
{
    struct finding finding = make_finding(fixture, guika_v1_IssuerPolicy_ISSUER_POLICY_THROUGH_ISSUER);

    find_card(fixture, &finding);
    gk_hex_encode(finding.decision.card.case_id, GK_CASE_ID_SIZE, ret_case_id);
}

static guika_v1_internal_FoundCard card_of(struct fixture *fixture, const char *case_id)
{
    guika_v1_internal_FoundCard card = {0};
    uint8_t id[GK_CASE_ID_SIZE];

    assert_true(gk_hex_decode(case_id, id, sizeof id));
    assert_int_equal(gk_record_read(fixture->rig.store, GK_FAMILY_FOUND_CARDS,
                                    (struct gk_bytes){id, sizeof id}, guika_v1_internal_FoundCard_fields,
                                    &card, NULL),
                     GK_OK);
    return card;
}

/* --- the issuer --- */

static guika_v1_NextFoundResponse next_within(struct gk_rpc_client *client, uint32_t deadline_ms)
{
    const struct gk_rpc_call_options options = {.deadline_ms = deadline_ms};
    const guika_v1_NextFoundRequest request = {.lease_ms = 60000};
    guika_v1_NextFoundResponse response = {0};
    struct gk_error error = {0};

    if (guika_v1_issuer_service_next_found(client, &options, &request, &response, &error) != GK_OK) {
        fail_msg("%s", error.message);
    }
    return response;
}

static guika_v1_NextFoundResponse next(struct fixture *fixture)
{
    return next_within(fixture->bank, 1300);
}

static enum gk_status acknowledge(struct gk_rpc_client *client, const char *case_id)
{
    guika_v1_AcknowledgeFoundRequest request = {0};
    guika_v1_AcknowledgeFoundResponse response = {0};

    (void)snprintf(request.case_id, sizeof request.case_id, "%s", case_id);
    return guika_v1_issuer_service_acknowledge_found(client, NULL, &request, &response, NULL);
}

static enum gk_status decide(struct fixture *fixture, const char *case_id, guika_v1_IssuerDecision decision,
                             guika_v1_DecideFoundResponse *ret_response)
{
    guika_v1_DecideFoundRequest request = {.decision = decision};

    (void)snprintf(request.case_id, sizeof request.case_id, "%s", case_id);
    return guika_v1_issuer_service_decide_found(fixture->bank, NULL, &request, ret_response, NULL);
}

/* One NextFound in a thread of its own. */
struct waiter {
    struct gk_rpc_client *client;
    pthread_t thread;
    enum gk_status status;
    guika_v1_NextFoundResponse response;
};

static void *run_waiter(void *context)
{
    struct waiter *waiter = context;
    const struct gk_rpc_call_options options = {.deadline_ms = 20000};
    const guika_v1_NextFoundRequest request = {.lease_ms = 0};

    waiter->status =
        guika_v1_issuer_service_next_found(waiter->client, &options, &request, &waiter->response, NULL);
    return NULL;
}

static void start_waiter(struct fixture *fixture, struct waiter *waiter)
{
    *waiter = (struct waiter){.client = core_rig_connect(&fixture->rig, GK_ROLE_ISSUER, "bank")};
    assert_int_equal(pthread_create(&waiter->thread, NULL, run_waiter, waiter), 0);
}

static void end_waiter(struct waiter *waiter)
{
    (void)pthread_join(waiter->thread, NULL);
    gk_rpc_client_close(waiter->client);
}

static void pause_ms(long ms)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* --- the queue --- */

static void test_card_is_given_once_and_again_when_its_lease_is_over(void **state)
{
    struct fixture *fixture = *state;
    char case_id[33];

    find_issuers_card(fixture, case_id);
    const guika_v1_NextFoundResponse found = next(fixture);

    assert_string_equal(found.case_id, case_id);
    assert_string_equal(found.reference, "ref-1");
    assert_string_equal(found.masked_number, "8599");
    assert_int_equal(found.kind, guika_v1_CardKind_CARD_KIND_PAYMENT);
    assert_string_equal(next(fixture).case_id, "");
    atomic_fetch_add(&fixture->rig.now_ms, 60001);
    assert_string_equal(next(fixture).case_id, case_id);
}

static void test_acknowledged_card_is_never_given_again(void **state)
{
    struct fixture *fixture = *state;
    struct gk_rpc_client *metro = core_rig_connect(&fixture->rig, GK_ROLE_ISSUER, "metro");
    char case_id[33];

    find_issuers_card(fixture, case_id);
    assert_string_equal(next_within(metro, 1300).case_id, "");
    assert_int_equal(acknowledge(metro, case_id), GK_NOT_FOUND);
    assert_int_equal(acknowledge(fixture->bank, case_id), GK_OK);
    assert_int_equal(acknowledge(fixture->bank, case_id), GK_OK);
    assert_int_equal(acknowledge(fixture->bank, "00"), GK_INVALID_ARGUMENT);
    assert_int_equal(acknowledge(fixture->bank, "00112233445566778899aabbccddeeff"), GK_NOT_FOUND);
    atomic_fetch_add(&fixture->rig.now_ms, 3600001);
    assert_string_equal(next(fixture).case_id, "");
    assert_int_equal(card_of(fixture, case_id).state, IDENTIFIED);
    gk_rpc_client_close(metro);
}

static void test_those_who_wait_each_get_another_card(void **state)
{
    struct fixture *fixture = *state;
    struct waiter waiters[3];
    char case_ids[3][33];
    unsigned given = 0;

    for (size_t i = 0; i < 3; i++) {
        start_waiter(fixture, &waiters[i]);
    }
    pause_ms(300);
    for (size_t i = 0; i < 3; i++) {
        find_issuers_card(fixture, case_ids[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        end_waiter(&waiters[i]);
        for (unsigned k = 0; k < 3; k++) {
            given |= strcmp(waiters[i].response.case_id, case_ids[k]) == 0 ? 1U << k : 0;
        }
    }
    assert_int_equal(given, 7);
}

static void test_leases_and_cards_outlive_a_restart(void **state)
{
    struct fixture *fixture = *state;
    char leased[33];
    char waiting[33];

    find_issuers_card(fixture, leased);
    assert_string_equal(next(fixture).case_id, leased);
    find_issuers_card(fixture, waiting);
    gk_rpc_client_close(fixture->bank);
    core_rig_restart(&fixture->rig);
    fixture->bank = core_rig_connect(&fixture->rig, GK_ROLE_ISSUER, "bank");
    assert_string_equal(next(fixture).case_id, waiting);
    assert_string_equal(next(fixture).case_id, "");
    atomic_fetch_add(&fixture->rig.now_ms, 60001);
    assert_string_equal(next(fixture).case_id, leased);
}

static void test_service_that_stops_lets_go_of_those_who_wait(void **state)
{
    struct fixture *fixture = *state;
    struct waiter waiter;

    start_waiter(fixture, &waiter);
    pause_ms(300);
    gk_rpc_client_close(fixture->bank);
    core_rig_restart(&fixture->rig);
    end_waiter(&waiter);
    fixture->bank = core_rig_connect(&fixture->rig, GK_ROLE_ISSUER, "bank");
    assert_string_equal(waiter.response.case_id, "");
}

/* --- decisions --- */

static void test_decisions_follow_each_other_only_where_they_can(void **state)
{
    struct fixture *fixture = *state;
    guika_v1_DecideFoundResponse response = {0};
    char case_id[33];

    find_issuers_card(fixture, case_id);
    assert_int_equal(decide(fixture, case_id, 0, &response), GK_INVALID_ARGUMENT);
    assert_int_equal(decide(fixture, case_id, RELAY, &response), GK_OK);
    assert_int_equal(response.state, NOTIFIED);
    assert_int_equal(strlen(response.pickup_code), 8);
    assert_string_equal(next(fixture).case_id, ""); /* decided on is acknowledged */
    assert_int_equal(decide(fixture, case_id, DESTROY, &response), GK_OK);
    assert_int_equal(response.state, EXPIRED);
    assert_string_equal(response.pickup_code, "");
    assert_int_equal(decide(fixture, case_id, DESTROY, &response), GK_OK);
    assert_int_equal(decide(fixture, case_id, RETURN, &response), GK_FAILED_PRECONDITION);
    assert_int_equal(decide(fixture, case_id, RELAY, &response), GK_FAILED_PRECONDITION);
    assert_int_equal(card_of(fixture, case_id).disposition, guika_v1_Disposition_DISPOSITION_DESTROY);
}

static void test_card_in_the_bin_cannot_be_relayed_but_returned(void **state)
{
    struct fixture *fixture = *state;
    struct finding finding = make_finding(fixture, guika_v1_IssuerPolicy_ISSUER_POLICY_THROUGH_ISSUER);
    guika_v1_DecideFoundResponse response = {0};
    char case_id[33];

    finding.stored.zone = guika_v1_Zone_ZONE_DIFFICULT;
    find_card(fixture, &finding);
    gk_hex_encode(finding.decision.card.case_id, GK_CASE_ID_SIZE, case_id);
    assert_string_equal(next(fixture).case_id, case_id);
    assert_int_equal(decide(fixture, case_id, RELAY, &response), GK_FAILED_PRECONDITION);
    assert_int_equal(card_of(fixture, case_id).state, IDENTIFIED);
    assert_int_equal(decide(fixture, case_id, RETURN, &response), GK_OK);
}

static void test_issuer_cannot_decide_on_a_card_that_it_was_not_told_of(void **state)
{
    struct fixture *fixture = *state;
    struct finding finding = make_finding(fixture, guika_v1_IssuerPolicy_ISSUER_POLICY_NOTIFY_AT_ONCE);
    guika_v1_DecideFoundResponse response = {0};
    char case_id[33];

    finding.decision.card.sealed_reference.size = 0;
    find_card(fixture, &finding);
    gk_hex_encode(finding.decision.card.case_id, GK_CASE_ID_SIZE, case_id);
    assert_string_equal(next(fixture).case_id, "");
    assert_int_equal(decide(fixture, case_id, RELAY, &response), GK_NOT_FOUND);
}

/* --- cancelled cards --- */

static void add_notice(struct finding *finding)
{
    guika_v1_internal_NoticeRecord *notice = &finding->decision.notice;

    memset(notice->notice_id, 7, sizeof notice->notice_id);
    notice->state = guika_v1_internal_NoticeRecord_State_NOTICE_HELD;
    strcpy(notice->template_id, "card_found");
    finding->decision.card.notice_id.size = sizeof notice->notice_id;
    memcpy(finding->decision.card.notice_id.bytes, notice->notice_id, sizeof notice->notice_id);
    finding->decision.has_notice = true;
}

static enum gk_status notice_of(struct fixture *fixture, guika_v1_internal_NoticeRecord *ret_notice)
{
    uint8_t id[16];

    memset(id, 7, sizeof id);
    return gk_record_read(fixture->rig.store, GK_FAMILY_OUTBOX, (struct gk_bytes){id, sizeof id},
                          guika_v1_internal_NoticeRecord_fields, ret_notice, NULL);
}

static enum gk_status apply_cancel(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    return gk_found_card_cancel(transaction, "bank", context, error);
}

static void test_cancelling_stops_the_notice_that_still_waits(void **state)
{
    struct fixture *fixture = *state;
    struct finding finding = make_finding(fixture, guika_v1_IssuerPolicy_ISSUER_POLICY_NOTIFY_AT_ONCE);
    guika_v1_internal_NoticeRecord notice = {0};
    char case_id[33];

    add_notice(&finding);
    find_card(fixture, &finding);
    gk_hex_encode(finding.decision.card.case_id, GK_CASE_ID_SIZE, case_id);
    must_commit(fixture, apply_cancel, finding.decision.card.case_id);
    assert_int_equal(notice_of(fixture, &notice), GK_OK);
    assert_int_equal(notice.state, guika_v1_internal_NoticeRecord_State_NOTICE_CANCELLED);
    const guika_v1_internal_FoundCard card = card_of(fixture, case_id);

    assert_int_equal(card.state, DIFFICULT);
    assert_int_equal(card.reason, guika_v1_Reason_REASON_CANCELLED);
    assert_int_equal(card.disposition, guika_v1_Disposition_DISPOSITION_DESTROY);
    assert_true(card.place.misplaced);
    must_commit(fixture, apply_cancel, finding.decision.card.case_id);
    assert_int_equal(card_of(fixture, case_id).version, card.version);
}

/* The registry was asked before the card was cancelled, and the decision is written after it. */
static void test_card_that_is_cancelled_while_it_is_decided_is_kept_and_nobody_told(void **state)
{
    struct fixture *fixture = *state;
    struct finding finding = make_finding(fixture, guika_v1_IssuerPolicy_ISSUER_POLICY_NOTIFY_AT_ONCE);
    guika_v1_internal_NoticeRecord notice = {0};

    add_notice(&finding);
    assert_int_equal(
        gk_registry_revoke(fixture->rig.registry, "bank", "iso7812", CORE_RIG_REGISTERED, NULL, NULL), GK_OK);
    must_commit(fixture, apply_decision, &finding);
    assert_int_equal(notice_of(fixture, &notice), GK_NOT_FOUND);
    assert_int_equal(finding.deposit.answer.decision, guika_v1_DepositResponse_Decision_KEEP);
    assert_int_equal(finding.deposit.answer.zone, guika_v1_Zone_ZONE_DIFFICULT);
}

#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RIG(test_card_is_given_once_and_again_when_its_lease_is_over),
        WITH_RIG(test_acknowledged_card_is_never_given_again),
        WITH_RIG(test_those_who_wait_each_get_another_card),
        WITH_RIG(test_leases_and_cards_outlive_a_restart),
        WITH_RIG(test_service_that_stops_lets_go_of_those_who_wait),
        WITH_RIG(test_decisions_follow_each_other_only_where_they_can),
        WITH_RIG(test_card_in_the_bin_cannot_be_relayed_but_returned),
        WITH_RIG(test_issuer_cannot_decide_on_a_card_that_it_was_not_told_of),
        WITH_RIG(test_cancelling_stops_the_notice_that_still_waits),
        WITH_RIG(test_card_that_is_cancelled_while_it_is_decided_is_kept_and_nobody_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/core/found_card_rig.h"

#include "core/store/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t case_id[GK_CASE_ID_SIZE] = {0xca, 0x5e};

/* --- what is done
 * ---------------------------------------------------------------------------------------------- */

struct gk_found_card_decision found_decision_of(int state, guika_v1_Reason reason)
{
    struct gk_found_card_decision decision = {.has_notice = false};

    memcpy(decision.card.case_id, case_id, sizeof case_id);
    decision.card.state = (guika_v1_CardState)state;
    decision.card.reason = reason;
    strcpy(decision.card.box_id, FOUND_BOX);
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

struct gk_found_card_decision found_identified(void)
{
    struct gk_found_card_decision decision =
        found_decision_of(IDENTIFIED, guika_v1_Reason_REASON_UNSPECIFIED);

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

enum gk_status found_decide(struct store_fixture *fixture, const struct gk_found_card_decision *decision,
                            guika_v1_internal_DepositRecord *ret_deposit)
{
    struct deciding deciding = {.decision = decision};
    const enum gk_status status = gk_store_commit_and_wait(fixture->store, apply_decide, &deciding, NULL);

    if (ret_deposit != NULL) {
        *ret_deposit = deciding.deposit;
    }
    return status;
}

void found_must_decide(struct store_fixture *fixture, struct gk_found_card_decision decision)
{
    assert_int_equal(found_decide(fixture, &decision, NULL), GK_OK);
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

enum gk_status found_confirm_as(struct store_fixture *fixture, const char *box_id, int outcome, int zone,
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

enum gk_status found_confirm(struct store_fixture *fixture, int outcome)
{
    return found_confirm_as(fixture, FOUND_BOX, outcome, NORMAL, NULL);
}

static enum gk_status apply_stop(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    (void)context;
    return gk_found_card_stop_waiting(transaction, case_id, error);
}

void found_stop_waiting(struct store_fixture *fixture)
{
    assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_stop, NULL, NULL), GK_OK);
}

static enum gk_status apply_notified(void *context, struct gk_transaction *transaction,
                                     struct gk_error *error)
{
    (void)context;
    return gk_found_card_notified(transaction, case_id, error);
}

void found_notified(struct store_fixture *fixture)
{
    assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_notified, NULL, NULL), GK_OK);
}

/* --- what is found
 * -------------------------------------------------------------------------------------------------- */

guika_v1_internal_FoundCard found_card_of(struct store_fixture *fixture)
{
    guika_v1_internal_FoundCard card = {0};

    assert_int_equal(gk_record_read(fixture->store, GK_FAMILY_FOUND_CARDS,
                                    (struct gk_bytes){case_id, sizeof case_id},
                                    guika_v1_internal_FoundCard_fields, &card, NULL),
                     GK_OK);
    return card;
}

guika_v1_internal_DepositRecord found_deposit_of(struct store_fixture *fixture)
{
    guika_v1_internal_DepositRecord deposit = {0};
    uint8_t key[GK_DEPOSIT_KEY_SIZE];
    const struct gk_bytes deposit_key = {key, gk_deposit_key(FOUND_BOX, "d-1", key)};

    assert_int_equal(gk_record_read(fixture->store, GK_FAMILY_DEPOSITS, deposit_key,
                                    guika_v1_internal_DepositRecord_fields, &deposit, NULL),
                     GK_OK);
    return deposit;
}

int found_notice_state(struct store_fixture *fixture)
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

size_t found_records(struct store_fixture *fixture, enum gk_family family, const char *prefix)
{
    const struct gk_bytes all = {NULL, 0};
    size_t count = 0;

    assert_int_equal(
        gk_store_scan(fixture->store, family, bytes_of(prefix), all, false, count_one, &count, NULL), GK_OK);
    return count;
}

bool found_waits(struct store_fixture *fixture)
{
    return found_records(fixture, GK_FAMILY_META, GK_WAITING_PREFIX) == 1;
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

uint64_t found_counted(struct store_fixture *fixture, const char *name)
{
    struct counter counter = {.name = name};

    assert_int_equal(gk_store_counters(fixture->store, FOUND_BOX, 0, find_counter, &counter, NULL), GK_OK);
    return counter.value;
}

uint64_t found_audited(struct store_fixture *fixture)
{
    uint64_t entries = 0;

    assert_int_equal(gk_store_verify_audit(fixture->store, &entries, NULL), GK_OK);
    return entries;
}

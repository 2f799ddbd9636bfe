/* A found card on a real store: what is decided on it and said of it, and what rests. */
#ifndef GUIKA_TESTS_CORE_FOUND_CARD_RIG_H
#define GUIKA_TESTS_CORE_FOUND_CARD_RIG_H

#include "core/found_card.h"
#include "tests/core/store/store_fixture.h"

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

#define FOUND_BOX "library-1"

struct gk_found_card_decision found_decision_of(int state, guika_v1_Reason reason);

struct gk_found_card_decision found_identified(void);

enum gk_status found_decide(struct store_fixture *fixture, const struct gk_found_card_decision *decision,
                            guika_v1_internal_DepositRecord *ret_deposit);

void found_must_decide(struct store_fixture *fixture, struct gk_found_card_decision decision);

enum gk_status found_confirm_as(struct store_fixture *fixture, const char *box_id, int outcome, int zone,
                                struct gk_error *error);

enum gk_status found_confirm(struct store_fixture *fixture, int outcome);

void found_stop_waiting(struct store_fixture *fixture);

void found_notified(struct store_fixture *fixture);

guika_v1_internal_FoundCard found_card_of(struct store_fixture *fixture);

guika_v1_internal_DepositRecord found_deposit_of(struct store_fixture *fixture);

int found_notice_state(struct store_fixture *fixture);

size_t found_records(struct store_fixture *fixture, enum gk_family family, const char *prefix);

bool found_waits(struct store_fixture *fixture);

uint64_t found_counted(struct store_fixture *fixture, const char *name);

uint64_t found_audited(struct store_fixture *fixture);

#endif

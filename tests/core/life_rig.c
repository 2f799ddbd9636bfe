#include "tests/core/life_rig.h"

#include "core/log.h"
#include "core/security/pickup_code.h"
#include "core/store/record.h"
#include "tests/core/security/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int64_t life_now(void *context)
{
    return atomic_load(&((struct store_fixture *)context)->now_ms);
}

int life_setup(void **state)
{
    struct life *life = calloc(1, sizeof *life);
    void *fixture = NULL;
    struct gk_error error;

    if (store_setup(&fixture) != 0) {
        return -1;
    }
    life->fixture = fixture;
    char *keys = scratch_path(life->fixture->directory, "keys");
    const bool made =
        gk_keys_generate(keys, &error) == GK_OK && gk_keys_open(keys, &life->keys, &error) == GK_OK;

    free(keys);
    life->retention = gk_retention_default();
    life->sweeper = (struct gk_sweeper_parts){.clock = {life_now, life->fixture},
                                              .keys = life->keys,
                                              .store = life->fixture->store,
                                              .retention = &life->retention};
    *state = life;
    return made ? 0 : -1;
}

int life_teardown(void **state)
{
    struct life *life = *state;
    void *fixture = life->fixture;

    gk_keys_close(life->keys);
    free(life);
    return store_teardown(&fixture);
}

void life_pass(struct life *life, int64_t ms)
{
    atomic_fetch_add(&life->fixture->now_ms, ms);
}

void life_sweep(struct life *life)
{
    struct gk_swept swept;
    struct gk_error error = {0};

    do {
        if (gk_sweep(&life->sweeper, &swept, &error) != GK_OK) {
            fail_msg("%s", error.message);
        }
    } while (swept.ticks > 0 && swept.more);
}

/* --- the way into the box --- */

struct doing {
    struct life *life;
    uint8_t case_id[GK_CASE_ID_SIZE];
    struct gk_found_card_decision decision;
    guika_v1_internal_DepositRecord deposit;
    guika_v1_ConfirmStoredRequest stored;
    const char *box;
    struct gk_pickup_try attempt;
    struct gk_pickup_answer answer;
    guika_v1_ConfirmCollectedRequest collected;
    guika_v1_internal_Place place;
    guika_v1_internal_FoundCard card;
    guika_v1_CardState state;
};

static struct doing begin(struct life *life, uint8_t id)
{
    struct doing doing = {.life = life};

    doing.case_id[0] = id;
    return doing;
}

static enum gk_status run(struct doing *doing,
                          enum gk_status (*apply)(void *, struct gk_transaction *, struct gk_error *))
{
    return gk_store_commit_and_wait(doing->life->fixture->store, apply, doing, NULL);
}

static enum gk_status apply_find(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct doing *doing = context;

    return gk_found_card_decide(transaction, &doing->decision, &doing->deposit, error);
}

static void fill_notice(struct life *life, struct gk_found_card_decision *decision)
{
    guika_v1_internal_FoundCard *card = &decision->card;

    decision->has_notice = true;
    decision->notice.state = guika_v1_internal_NoticeRecord_State_NOTICE_HELD;
    strcpy(decision->notice.template_id, "card_found");
    gk_keys_message_id(life->keys, "card_found", (struct gk_bytes){card->case_id, GK_CASE_ID_SIZE},
                       decision->notice.notice_id);
    decision->notice.case_id.size = GK_CASE_ID_SIZE;
    memcpy(decision->notice.case_id.bytes, card->case_id, GK_CASE_ID_SIZE);
    strcpy(card->issuer_account, "bank");
    card->holder_token.size = GK_TOKEN_SIZE;
    memset(card->holder_token.bytes, 0x11, GK_TOKEN_SIZE);
    card->notice_id.size = sizeof decision->notice.notice_id;
    memcpy(card->notice_id.bytes, decision->notice.notice_id, sizeof decision->notice.notice_id);
}

void life_find(struct life *life, uint8_t id, uint8_t card_token, const char *box, bool identified)
{
    struct doing doing = begin(life, id);
    guika_v1_internal_FoundCard *card = &doing.decision.card;

    memcpy(card->case_id, doing.case_id, GK_CASE_ID_SIZE);
    card->state =
        identified ? guika_v1_CardState_CARD_STATE_IDENTIFIED : guika_v1_CardState_CARD_STATE_DIFFICULT;
    card->reason = identified ? guika_v1_Reason_REASON_UNSPECIFIED : guika_v1_Reason_REASON_UNREADABLE;
    card->kind = guika_v1_CardKind_CARD_KIND_PAYMENT;
    card->decided_zone = identified ? guika_v1_Zone_ZONE_NORMAL : guika_v1_Zone_ZONE_DIFFICULT;
    card->received_at_ms = life_now(life->fixture);
    card->pictures = identified ? 0 : 1;
    card->has_place = true;
    card->place.kind = guika_v1_internal_Place_Kind_PLACE_SLOT;
    (void)snprintf(card->box_id, sizeof card->box_id, "%s", box);
    (void)snprintf(card->deposit_id, sizeof card->deposit_id, "d-%u", id);
    memcpy(doing.decision.deposit.case_id, doing.case_id, GK_CASE_ID_SIZE);
    doing.decision.deposit.has_answer = true;
    doing.decision.deposit.answer.decision = guika_v1_DepositResponse_Decision_KEEP;
    if (identified) {
        card->card_token.size = GK_TOKEN_SIZE;
        memset(card->card_token.bytes, card_token, GK_TOKEN_SIZE);
        fill_notice(life, &doing.decision);
    }
    assert_int_equal(run(&doing, apply_find), GK_OK);
}

static enum gk_status apply_store(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct doing *doing = context;

    return gk_found_card_confirm(transaction, doing->box, &doing->stored, doing->case_id, error);
}

void life_store(struct life *life, uint8_t id, const char *box, guika_v1_Zone zone)
{
    struct doing doing = begin(life, id);

    doing.box = box;
    doing.stored.outcome = guika_v1_ConfirmStoredRequest_Outcome_STORED;
    doing.stored.zone = zone;
    (void)snprintf(doing.stored.deposit_id, sizeof doing.stored.deposit_id, "d-%u", id);
    (void)snprintf(doing.stored.compartment, sizeof doing.stored.compartment, "N%u", id);
    assert_int_equal(run(&doing, apply_store), GK_OK);
}

static enum gk_status apply_notify(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct doing *doing = context;
    enum gk_status status = gk_found_card_renew_code(transaction, doing->case_id,
                                                     doing->life->retention.code_ms, &doing->card, error);

    if (status != GK_OK) {
        return status;
    }
    return gk_found_card_notified(transaction, doing->case_id, error);
}

void life_notify(struct life *life, uint8_t id)
{
    struct doing doing = begin(life, id);

    assert_int_equal(run(&doing, apply_notify), GK_OK);
}

void life_ready(struct life *life, uint8_t id, uint8_t card)
{
    life_find(life, id, card, LIFE_BOX, true);
    life_store(life, id, LIFE_BOX, guika_v1_Zone_ZONE_NORMAL);
    life_notify(life, id);
    life_sweep(life);
}

/* --- what is found --- */

guika_v1_internal_FoundCard life_card(struct life *life, uint8_t id)
{
    guika_v1_internal_FoundCard card = {0};
    const uint8_t case_id[GK_CASE_ID_SIZE] = {id};

    assert_int_equal(gk_record_read(life->fixture->store, GK_FAMILY_FOUND_CARDS,
                                    (struct gk_bytes){case_id, sizeof case_id},
                                    guika_v1_internal_FoundCard_fields, &card, NULL),
                     GK_OK);
    return card;
}

guika_v1_internal_NoticeRecord life_notice_record(struct life *life, uint8_t id)
{
    const guika_v1_internal_FoundCard card = life_card(life, id);
    guika_v1_internal_NoticeRecord notice = {0};

    if (card.notice_id.size > 0) {
        (void)gk_record_read(life->fixture->store, GK_FAMILY_OUTBOX,
                             (struct gk_bytes){card.notice_id.bytes, card.notice_id.size},
                             guika_v1_internal_NoticeRecord_fields, &notice, NULL);
    }
    return notice;
}

int life_notice(struct life *life, uint8_t id)
{
    return (int)life_notice_record(life, id).state;
}

void life_code(struct life *life, uint8_t id, char ret_code[9])
{
    const guika_v1_internal_FoundCard card = life_card(life, id);
    const struct gk_pickup_binding binding = {card.case_id, card.issue, gk_found_card_place_id(&card),
                                              card.place.compartment};

    gk_pickup_code_make(life->keys, &binding, GK_PICKUP_LONG, ret_code);
}

uint64_t life_audited(struct life *life)
{
    uint64_t entries = 0;

    assert_int_equal(gk_store_verify_audit(life->fixture->store, &entries, NULL), GK_OK);
    return entries;
}

static bool count_one(void *context, struct gk_bytes key, struct gk_bytes value)
{
    (void)key;
    (void)value;
    ++*(size_t *)context;
    return true;
}

size_t life_records(struct life *life, enum gk_family family)
{
    const struct gk_bytes all = {NULL, 0};
    size_t count = 0;

    assert_int_equal(gk_store_scan(life->fixture->store, family, all, all, false, count_one, &count, NULL),
                     GK_OK);
    return count;
}

/* --- what is done --- */

static enum gk_status apply_try(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct doing *doing = context;

    return doing->attempt.at_desk
               ? gk_found_card_hand_out(transaction, doing->life->keys, &doing->attempt, &doing->answer,
                                        error)
               : gk_found_card_open(transaction, doing->life->keys, &doing->attempt, &doing->answer, error);
}

static struct gk_pickup_answer try_at(struct life *life, uint8_t id, const char *place, const char *code,
                                      bool at_desk)
{
    struct doing doing = begin(life, id);

    doing.attempt = (struct gk_pickup_try){
        .place = place, .at_desk = at_desk, .actor = "box:test", .code = code, .typed_tail = "", .tail = ""};
    doing.attempt.case_id[0] = id;
    assert_int_equal(run(&doing, apply_try), GK_OK);
    return doing.answer;
}

struct gk_pickup_answer life_try(struct life *life, uint8_t id, const char *place, const char *code)
{
    return try_at(life, id, place, code, false);
}

struct gk_pickup_answer life_try_at_desk(struct life *life, uint8_t id, const char *desk, const char *code)
{
    return try_at(life, id, desk, code, true);
}

uint64_t life_open(struct life *life, uint8_t id)
{
    char code[9];

    life_code(life, id, code);
    const struct gk_pickup_answer answer = life_try(life, id, LIFE_BOX, code);

    assert_int_equal(answer.result, GK_PICKUP_RIGHT);
    assert_true(answer.fencing_token > 0);
    return answer.fencing_token;
}

static enum gk_status apply_confirm(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct doing *doing = context;

    return gk_found_card_collected(transaction, doing->box, &doing->collected, doing->case_id, error);
}

enum gk_status life_confirm(struct life *life, const char *box, uint64_t token, int outcome)
{
    struct doing doing = begin(life, 0);

    doing.box = box;
    doing.collected.fencing_token = token;
    doing.collected.outcome = (guika_v1_ConfirmCollectedRequest_Outcome)outcome;
    return run(&doing, apply_confirm);
}

static enum gk_status apply_reissue(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct doing *doing = context;

    return gk_found_card_reissue(transaction, doing->life->keys, "operator:test", doing->case_id,
                                 doing->life->retention.code_ms, error);
}

enum gk_status life_reissue(struct life *life, uint8_t id)
{
    struct doing doing = begin(life, id);

    return run(&doing, apply_reissue);
}

static enum gk_status apply_move(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct doing *doing = context;

    return gk_found_card_move(transaction, doing->life->keys, "operator:test", doing->case_id, &doing->place,
                              doing->life->retention.code_ms, error);
}

enum gk_status life_move(struct life *life, uint8_t id, guika_v1_internal_Place_Kind kind,
                         const char *location, const char *compartment)
{
    struct doing doing = begin(life, id);

    doing.place.kind = kind;
    (void)snprintf(doing.place.location, sizeof doing.place.location, "%s", location);
    (void)snprintf(doing.place.compartment, sizeof doing.place.compartment, "%s", compartment);
    return run(&doing, apply_move);
}

static enum gk_status apply_end(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct doing *doing = context;

    return gk_found_card_end(transaction, "operator:test", doing->case_id, doing->state,
                             doing->place.location, error);
}

enum gk_status life_end(struct life *life, uint8_t id, guika_v1_CardState state, const char *location)
{
    struct doing doing = begin(life, id);

    doing.state = state;
    (void)snprintf(doing.place.location, sizeof doing.place.location, "%s", location);
    return run(&doing, apply_end);
}

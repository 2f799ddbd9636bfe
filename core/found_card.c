#include "core/found_card.h"

#include "core/found_card_claim.h"
#include "core/found_card_internal.h"
#include "core/found_card_issuer.h"
#include "core/issuer_queue.h"
#include "core/notification/outbox.h"
#include "core/registry/registry.h"
#include "core/store/record.h"
#include "core/words.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

size_t gk_deposit_key(const char *box_id, const char *deposit_id, uint8_t ret_key[GK_DEPOSIT_KEY_SIZE])
{
    const size_t box = strlen(box_id);
    const size_t deposit = strlen(deposit_id);

    memcpy(ret_key, box_id, box);
    ret_key[box] = 0;
    memcpy(ret_key + box + 1, deposit_id, deposit);
    return box + 1 + deposit;
}

static void box_actor(char actor[48], const char *box_id)
{
    (void)snprintf(actor, 48, "box:%s", box_id);
}

static const char *decide_action(guika_v1_CardState state)
{
    switch (state) {
    case guika_v1_CardState_CARD_STATE_IDENTIFIED:
        return "found_card.identify";
    case guika_v1_CardState_CARD_STATE_DIFFICULT:
        return "found_card.set_difficult";
    case guika_v1_CardState_CARD_STATE_GIVEN_BACK:
        return "found_card.give_back";
    default:
        return "found_card.receive";
    }
}

/* The mark by which a start finds the cards that wait for frames. */
static void mark_waiting(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *card,
                         bool waits)
{
    uint8_t key[sizeof GK_WAITING_PREFIX - 1 + GK_CASE_ID_SIZE];

    memcpy(key, GK_WAITING_PREFIX, sizeof GK_WAITING_PREFIX - 1);
    memcpy(key + sizeof GK_WAITING_PREFIX - 1, card->case_id, GK_CASE_ID_SIZE);
    if (waits) {
        gk_transaction_put(transaction, GK_FAMILY_META, (struct gk_bytes){key, sizeof key},
                           (struct gk_bytes){NULL, 0});
    } else {
        gk_transaction_delete(transaction, GK_FAMILY_META, (struct gk_bytes){key, sizeof key});
    }
}

/* What rests under the deposit's key says whether there is anything to decide. True: there is not, and
 * `*ret_status` is the answer. */
static bool is_decided(struct gk_transaction *transaction, const struct gk_found_card_decision *decision,
                       struct gk_bytes key, guika_v1_internal_DepositRecord *ret_deposit,
                       enum gk_status *ret_status, struct gk_error *error)
{
    guika_v1_internal_DepositRecord before = {0};
    const enum gk_status status = gk_record_get(transaction, GK_FAMILY_DEPOSITS, key,
                                                guika_v1_internal_DepositRecord_fields, &before, error);

    if (status == GK_NOT_FOUND) {
        return false;
    }
    *ret_status = status;
    if (status != GK_OK) {
        return true;
    }
    if (memcmp(before.frames_digest, decision->deposit.frames_digest, GK_DIGEST_SIZE) != 0) {
        *ret_status =
            gk_error_set(error, GK_ALREADY_EXISTS, "deposit \"%s\" was made before with other frames",
                         decision->card.deposit_id);
        return true;
    }
    if (before.answer.decision == guika_v1_DepositResponse_Decision_MORE_FRAMES &&
        before.sequence < decision->deposit.sequence) {
        return false;
    }
    *ret_deposit = before;
    return true;
}

/* A card that waited for frames keeps what happened to it meanwhile. */
static enum gk_status continue_card(struct gk_transaction *transaction, guika_v1_internal_FoundCard *card,
                                    struct gk_error *error)
{
    guika_v1_internal_FoundCard before = {0};
    const enum gk_status status = gk_found_card_get(transaction, card->case_id, &before, error);

    if (status == GK_NOT_FOUND) {
        gk_transaction_count(transaction, card->box_id, "deposits");
        return GK_OK;
    }
    card->version = before.version;
    card->received_at_ms = before.received_at_ms;
    card->due_at_ms = before.due_at_ms; /* the rows that it has */
    memcpy(card->indexed_place, before.indexed_place, sizeof card->indexed_place);
    if (card->pictures == 0 && (card->state == guika_v1_CardState_CARD_STATE_RECEIVED ||
                                card->state == guika_v1_CardState_CARD_STATE_DIFFICULT)) {
        card->pictures = before.pictures;
    }
    return status;
}

/* Writes what was decided, which a claim may change; is_decided was asked. */
static enum gk_status write_decision(struct gk_transaction *transaction,
                                     struct gk_found_card_decision *decision, struct gk_error *error)
{
    guika_v1_internal_FoundCard card = decision->card;
    uint8_t key[GK_DEPOSIT_KEY_SIZE];
    const struct gk_bytes deposit_key = {key, gk_deposit_key(card.box_id, card.deposit_id, key)};
    char actor[48];
    enum gk_status status = continue_card(transaction, &card, error);

    if (status == GK_OK) {
        status = gk_found_card_claim(transaction, decision, &card, error);
    }
    if (status != GK_OK) {
        return status;
    }
    gk_found_card_index(transaction, &card);
    gk_found_card_count(transaction, &card);
    if (card.state == guika_v1_CardState_CARD_STATE_RECEIVED || card.version > 0) {
        mark_waiting(transaction, &card, card.state == guika_v1_CardState_CARD_STATE_RECEIVED);
    }
    if (decision->has_notice) {
        status = gk_outbox_add(transaction, &decision->notice, error);
        if (status != GK_OK) {
            return status;
        }
    }
    status = gk_record_put(transaction, GK_FAMILY_DEPOSITS, deposit_key,
                           guika_v1_internal_DepositRecord_fields, &decision->deposit, error);
    if (status != GK_OK) {
        return status;
    }
    box_actor(actor, card.box_id);
    return gk_found_card_put(
        transaction, &card, actor, decide_action(card.state),
        card.reason == guika_v1_Reason_REASON_UNSPECIFIED ? "" : gk_reason_word(card.reason), error);
}

/* The card was cancelled between the look-up and now: it is kept for destruction, and nobody is told. */
static void keep_cancelled(struct gk_found_card_decision *decision)
{
    decision->card.state = guika_v1_CardState_CARD_STATE_DIFFICULT;
    decision->card.reason = guika_v1_Reason_REASON_CANCELLED;
    decision->card.disposition = guika_v1_Disposition_DISPOSITION_DESTROY;
    decision->card.decided_zone = guika_v1_Zone_ZONE_DIFFICULT;
    decision->card.notice_id.size = 0;
    decision->deposit.answer.zone = guika_v1_Zone_ZONE_DIFFICULT;
    decision->has_notice = false;
}

enum gk_status gk_found_card_decide(struct gk_transaction *transaction,
                                    const struct gk_found_card_decision *decision,
                                    guika_v1_internal_DepositRecord *ret_deposit, struct gk_error *error)
{
    struct gk_found_card_decision latest = *decision;
    uint8_t key[GK_DEPOSIT_KEY_SIZE];
    const struct gk_bytes deposit_key = {
        key, gk_deposit_key(decision->card.box_id, decision->card.deposit_id, key)};
    bool cancelled = false;
    enum gk_status status = GK_OK;

    if (is_decided(transaction, decision, deposit_key, ret_deposit, &status, error)) {
        return status;
    }
    if (latest.card.state == guika_v1_CardState_CARD_STATE_IDENTIFIED) {
        status = gk_registry_is_cancelled(transaction, latest.card.issuer_account,
                                          latest.card.card_token.bytes, &cancelled, error);
    }
    if (status != GK_OK) {
        return status;
    }
    if (cancelled) {
        keep_cancelled(&latest);
    }
    status = write_decision(transaction, &latest, error);
    if (status == GK_OK) {
        *ret_deposit = latest.deposit;
    }
    return status;
}

/* The deposit's standing answer becomes KEEP in the difficult zone. */
static enum gk_status answer_difficult(struct gk_transaction *transaction, guika_v1_internal_FoundCard *card,
                                       struct gk_error *error)
{
    guika_v1_internal_DepositRecord deposit = {0};
    uint8_t key[GK_DEPOSIT_KEY_SIZE];
    const struct gk_bytes deposit_key = {key, gk_deposit_key(card->box_id, card->deposit_id, key)};
    const enum gk_status status = gk_record_get(transaction, GK_FAMILY_DEPOSITS, deposit_key,
                                                guika_v1_internal_DepositRecord_fields, &deposit, error);

    if (status != GK_OK) {
        return status;
    }
    card->state = guika_v1_CardState_CARD_STATE_DIFFICULT;
    card->decided_zone = guika_v1_Zone_ZONE_DIFFICULT;
    card->decided_at_ms = gk_transaction_now_ms(transaction);
    if (card->reason == guika_v1_Reason_REASON_UNSPECIFIED) {
        card->reason = guika_v1_Reason_REASON_UNREADABLE;
    }
    gk_found_card_count(transaction, card);
    mark_waiting(transaction, card, false);
    deposit.answer.decision = guika_v1_DepositResponse_Decision_KEEP;
    deposit.answer.zone = guika_v1_Zone_ZONE_DIFFICULT;
    deposit.answer.sequence = 0;
    return gk_record_put(transaction, GK_FAMILY_DEPOSITS, deposit_key, guika_v1_internal_DepositRecord_fields,
                         &deposit, error);
}

enum gk_status gk_found_card_stop_waiting(struct gk_transaction *transaction,
                                          const uint8_t case_id[GK_CASE_ID_SIZE], struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    enum gk_status status = gk_found_card_get(transaction, case_id, &card, error);

    if (status != GK_OK || card.state != guika_v1_CardState_CARD_STATE_RECEIVED) {
        return status;
    }
    status = answer_difficult(transaction, &card, error);
    if (status != GK_OK) {
        return status;
    }
    return gk_found_card_put(transaction, &card, "core", "found_card.stop_waiting",
                             gk_reason_word(card.reason), error);
}

/* --- where the card ended up --- */

typedef guika_v1_ConfirmStoredRequest_Outcome outcome_t;

static const char *outcome_word(outcome_t outcome)
{
    static const char *const words[] = {"UNSPECIFIED", "STORED", "TAKEN_BACK", "JAMMED", "FULL"};

    assert(outcome < sizeof words / sizeof words[0]);
    return words[outcome];
}

/* A jam is cleared by a person, who then says what became of the card; every other outcome is final. */
static bool may_follow(outcome_t before, outcome_t after)
{
    return before == guika_v1_ConfirmStoredRequest_Outcome_OUTCOME_UNSPECIFIED ||
           (before == guika_v1_ConfirmStoredRequest_Outcome_JAMMED && after != before);
}

static enum gk_status store_card(struct gk_transaction *transaction, guika_v1_internal_FoundCard *card,
                                 const guika_v1_ConfirmStoredRequest *request, struct gk_error *error)
{
    card->has_place = true;
    card->place.kind = request->zone == guika_v1_Zone_ZONE_NORMAL
                           ? guika_v1_internal_Place_Kind_PLACE_COMPARTMENT
                           : guika_v1_internal_Place_Kind_PLACE_DIFFICULT_BIN;
    card->place.zone = request->zone;
    (void)snprintf(card->place.compartment, sizeof card->place.compartment, "%s", request->compartment);
    card->stored_at_ms = gk_transaction_now_ms(transaction);
    gk_transaction_count(transaction, card->box_id, "stored");
    if (card->state == guika_v1_CardState_CARD_STATE_RECEIVED ||
        card->state == guika_v1_CardState_CARD_STATE_GIVEN_BACK) {
        const enum gk_status status = answer_difficult(transaction, card, error);

        if (status != GK_OK) {
            return status;
        }
    }
    card->place.misplaced = card->place.zone != card->decided_zone;
    if (gk_found_card_is_issuers(card)) {
        return gk_issuer_queue_add(transaction, card->issuer_account, card->case_id, error);
    }
    /* A card in the bin is ready once staff have placed it where a holder reaches it. */
    return card->notice_id.size == 0 || !gk_found_card_is_collectable(card)
               ? GK_OK
               : gk_outbox_release(transaction, card->notice_id.bytes, card->stored_at_ms, error);
}

static enum gk_status return_to_finder(struct gk_transaction *transaction, guika_v1_internal_FoundCard *card,
                                       struct gk_error *error)
{
    card->has_place = true;
    card->place = (guika_v1_internal_Place){.kind = guika_v1_internal_Place_Kind_PLACE_FINDER};
    card->pictures = 0;
    mark_waiting(transaction, card, false);
    if (card->state != guika_v1_CardState_CARD_STATE_GIVEN_BACK) {
        card->state = guika_v1_CardState_CARD_STATE_GIVEN_BACK;
        gk_found_card_count(transaction, card);
    }
    return card->notice_id.size == 0 ? GK_OK : gk_outbox_cancel(transaction, card->notice_id.bytes, error);
}

static enum gk_status place_card(struct gk_transaction *transaction, guika_v1_internal_FoundCard *card,
                                 const guika_v1_ConfirmStoredRequest *request, struct gk_error *error)
{
    switch (request->outcome) {
    case guika_v1_ConfirmStoredRequest_Outcome_STORED:
        return store_card(transaction, card, request, error);
    case guika_v1_ConfirmStoredRequest_Outcome_JAMMED:
        card->has_place = true;
        card->place = (guika_v1_internal_Place){.kind = guika_v1_internal_Place_Kind_PLACE_JAMMED};
        gk_transaction_count(transaction, card->box_id, "jammed");
        /* Nobody takes another picture of a card that is stuck; one that was to go back has not. */
        return card->state == guika_v1_CardState_CARD_STATE_RECEIVED ||
                       card->state == guika_v1_CardState_CARD_STATE_GIVEN_BACK
                   ? answer_difficult(transaction, card, error)
                   : GK_OK;
    default:
        return return_to_finder(transaction, card, error);
    }
}

static enum gk_status put_outcome(struct gk_transaction *transaction, struct gk_bytes key, outcome_t outcome,
                                  struct gk_error *error)
{
    /* Read again: placing the card may have changed the answer. */
    guika_v1_internal_DepositRecord deposit = {0};
    const enum gk_status status = gk_record_get(transaction, GK_FAMILY_DEPOSITS, key,
                                                guika_v1_internal_DepositRecord_fields, &deposit, error);

    if (status != GK_OK) {
        return status;
    }
    deposit.outcome = outcome;
    if (deposit.answer.decision == guika_v1_DepositResponse_Decision_MORE_FRAMES) {
        /* The finder did not wait for another picture. */
        deposit.answer.decision = guika_v1_DepositResponse_Decision_GIVE_BACK;
        deposit.answer.sequence = 0;
    }
    return gk_record_put(transaction, GK_FAMILY_DEPOSITS, key, guika_v1_internal_DepositRecord_fields,
                         &deposit, error);
}

/* Staff may have carried the card away before the box says where it lies: they know better. */
static bool is_in_boxs_hands(const guika_v1_internal_FoundCard *card)
{
    switch (card->place.kind) {
    case guika_v1_internal_Place_Kind_PLACE_UNSPECIFIED:
    case guika_v1_internal_Place_Kind_PLACE_FINDER:
    case guika_v1_internal_Place_Kind_PLACE_SLOT:
    case guika_v1_internal_Place_Kind_PLACE_JAMMED:
        return true;
    default:
        return false;
    }
}

enum gk_status gk_found_card_confirm(struct gk_transaction *transaction, const char *box_id,
                                     const guika_v1_ConfirmStoredRequest *request,
                                     uint8_t ret_case_id[GK_CASE_ID_SIZE], struct gk_error *error)
{
    guika_v1_internal_DepositRecord deposit = {0};
    guika_v1_internal_FoundCard card = {0};
    uint8_t key[GK_DEPOSIT_KEY_SIZE];
    const struct gk_bytes deposit_key = {key, gk_deposit_key(box_id, request->deposit_id, key)};
    char actor[48];
    enum gk_status status = gk_record_get(transaction, GK_FAMILY_DEPOSITS, deposit_key,
                                          guika_v1_internal_DepositRecord_fields, &deposit, error);

    if (status == GK_NOT_FOUND) {
        return gk_error_set(error, GK_NOT_FOUND, "this box has made no deposit \"%s\"", request->deposit_id);
    }
    if (status != GK_OK) {
        return status;
    }
    memcpy(ret_case_id, deposit.case_id, GK_CASE_ID_SIZE);
    if (deposit.outcome == request->outcome) {
        return GK_OK;
    }
    if (!may_follow(deposit.outcome, request->outcome)) {
        return gk_error_set(error, GK_FAILED_PRECONDITION,
                            "deposit \"%s\" was reported %s before and cannot be %s now", request->deposit_id,
                            outcome_word(deposit.outcome), outcome_word(request->outcome));
    }
    status = gk_found_card_get(transaction, deposit.case_id, &card, error);
    if (status != GK_OK) {
        return status;
    }
    if (is_in_boxs_hands(&card)) {
        status = place_card(transaction, &card, request, error);
    }
    if (status != GK_OK) {
        return status;
    }
    status = put_outcome(transaction, deposit_key, request->outcome, error);
    if (status != GK_OK) {
        return status;
    }
    box_actor(actor, box_id);
    return gk_found_card_put(transaction, &card, actor, "found_card.confirm", outcome_word(request->outcome),
                             error);
}

enum gk_status gk_found_card_notified(struct gk_transaction *transaction,
                                      const uint8_t case_id[GK_CASE_ID_SIZE], struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    const enum gk_status status = gk_found_card_get(transaction, case_id, &card, error);

    if (status != GK_OK || card.state != guika_v1_CardState_CARD_STATE_IDENTIFIED) {
        return status;
    }
    card.state = guika_v1_CardState_CARD_STATE_NOTIFIED;
    card.notice_delivered = true;
    gk_transaction_count(transaction, card.box_id, "notified");
    return gk_found_card_write(transaction, &card, error);
}

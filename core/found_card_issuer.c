#include "core/found_card_issuer.h"

#include "core/found_card_internal.h"
#include "core/issuer_queue.h"

#include <stdio.h>
#include <string.h>

bool gk_found_card_is_issuers(const guika_v1_internal_FoundCard *card)
{
    return card->state == guika_v1_CardState_CARD_STATE_IDENTIFIED && card->issuer_account[0] != '\0' &&
           card->policy == guika_v1_IssuerPolicy_ISSUER_POLICY_THROUGH_ISSUER;
}

static void issuer_actor(char actor[48], const char *issuer_id)
{
    (void)snprintf(actor, 48, "issuer:%s", issuer_id);
}

static bool is_live(const guika_v1_internal_FoundCard *card)
{
    return card->state == guika_v1_CardState_CARD_STATE_IDENTIFIED ||
           card->state == guika_v1_CardState_CARD_STATE_NOTIFIED;
}

/* The issuer's own case, stored; of another's card it must not learn that there is one. */
static enum gk_status get_own(struct gk_transaction *transaction, const char *issuer_id,
                              const uint8_t case_id[GK_CASE_ID_SIZE], guika_v1_internal_FoundCard *ret_card,
                              struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    const enum gk_status status = gk_found_card_get(transaction, case_id, &card, error);

    if (status == GK_NOT_FOUND ||
        (status == GK_OK && (strcmp(card.issuer_account, issuer_id) != 0 || card.stored_at_ms == 0 ||
                             card.sealed_reference.size == 0))) {
        return gk_error_set(error, GK_NOT_FOUND, "this issuer was told of no such case");
    }
    if (status == GK_OK) {
        *ret_card = card;
    }
    return status;
}

enum gk_status gk_found_card_ask_issuer(struct gk_transaction *transaction,
                                        const uint8_t case_id[GK_CASE_ID_SIZE], struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    enum gk_status status = gk_found_card_get(transaction, case_id, &card, error);

    if (status != GK_OK || card.state != guika_v1_CardState_CARD_STATE_IDENTIFIED ||
        card.policy != guika_v1_IssuerPolicy_ISSUER_POLICY_ON_ENQUIRY || card.sealed_reference.size == 0 ||
        card.issuer_account[0] == '\0') {
        return status;
    }
    card.policy = guika_v1_IssuerPolicy_ISSUER_POLICY_THROUGH_ISSUER;
    status = gk_issuer_queue_add(transaction, card.issuer_account, case_id, error);
    return status == GK_OK
               ? gk_found_card_put(transaction, &card, "core", "found_card.ask_issuer", "ON_ENQUIRY", error)
               : status;
}

enum gk_status gk_found_card_acknowledge(struct gk_transaction *transaction, const char *issuer_id,
                                         const uint8_t case_id[GK_CASE_ID_SIZE], struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    bool removed = false;
    char actor[48];
    enum gk_status status = get_own(transaction, issuer_id, case_id, &card, error);

    if (status == GK_OK) {
        status = gk_issuer_queue_remove(transaction, issuer_id, case_id, &removed, error);
    }
    if (status != GK_OK || !removed) {
        return status;
    }
    issuer_actor(actor, issuer_id);
    gk_transaction_count(transaction, card.box_id, "issuers_told");
    return gk_found_card_put(transaction, &card, actor, "found_card.acknowledge", "", error);
}

/* --- decide --- */

static guika_v1_Disposition disposition_of(guika_v1_IssuerDecision decision)
{
    switch (decision) {
    case guika_v1_IssuerDecision_ISSUER_DECISION_RETURN:
        return guika_v1_Disposition_DISPOSITION_RETURN;
    case guika_v1_IssuerDecision_ISSUER_DECISION_DESTROY:
        return guika_v1_Disposition_DISPOSITION_DESTROY;
    default:
        return guika_v1_Disposition_DISPOSITION_UNSPECIFIED;
    }
}

static const char *decision_word(guika_v1_IssuerDecision decision)
{
    static const char *const words[] = {"", "RELAY", "RETURN", "DESTROY"};

    return words[decision];
}

/* The card is as the decision would make it. */
static bool is_as_decided(const guika_v1_internal_FoundCard *card, guika_v1_IssuerDecision decision)
{
    return decision == guika_v1_IssuerDecision_ISSUER_DECISION_RELAY
               ? card->state == guika_v1_CardState_CARD_STATE_NOTIFIED
               : card->state == guika_v1_CardState_CARD_STATE_EXPIRED &&
                     card->disposition == disposition_of(decision);
}

static enum gk_status apply_decision(struct gk_transaction *transaction, const char *issuer_id,
                                     guika_v1_IssuerDecision decision, guika_v1_internal_FoundCard *card,
                                     struct gk_error *error)
{
    char actor[48];

    if (is_live(card) && decision == guika_v1_IssuerDecision_ISSUER_DECISION_RELAY &&
        !gk_found_card_is_collectable(card)) {
        return gk_error_set(error, GK_FAILED_PRECONDITION,
                            "the card lies where no holder can collect it yet; ask again once it was placed");
    }
    if (!is_live(card)) {
        return gk_error_set(error, GK_FAILED_PRECONDITION,
                            "this card was collected, decided on otherwise, or is kept for another reason");
    }
    card->disposition = disposition_of(decision);
    if (decision == guika_v1_IssuerDecision_ISSUER_DECISION_RELAY) {
        card->state = guika_v1_CardState_CARD_STATE_NOTIFIED;
        gk_transaction_count(transaction, card->box_id, "notified");
    } else {
        card->state = guika_v1_CardState_CARD_STATE_EXPIRED;
        gk_found_card_count(transaction, card);
    }
    issuer_actor(actor, issuer_id);
    return gk_found_card_put(transaction, card, actor, "found_card.issuer_decide", decision_word(decision),
                             error);
}

enum gk_status gk_found_card_issuer_decide(struct gk_transaction *transaction, const char *issuer_id,
                                           const uint8_t case_id[GK_CASE_ID_SIZE],
                                           guika_v1_IssuerDecision decision,
                                           guika_v1_internal_FoundCard *ret_card, struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    bool removed;
    enum gk_status status = get_own(transaction, issuer_id, case_id, &card, error);

    if (status == GK_OK && !is_as_decided(&card, decision)) {
        status = apply_decision(transaction, issuer_id, decision, &card, error);
    }
    if (status == GK_OK) {
        status = gk_issuer_queue_remove(transaction, issuer_id, case_id, &removed, error);
    }
    if (status == GK_OK) {
        *ret_card = card;
    }
    return status;
}

/* --- cancel --- */

enum gk_status gk_found_card_cancel(struct gk_transaction *transaction, const char *issuer_id,
                                    const uint8_t case_id[GK_CASE_ID_SIZE], struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    bool removed;
    char actor[48];
    enum gk_status status = gk_found_card_get(transaction, case_id, &card, error);

    if (status != GK_OK || !is_live(&card) || strcmp(card.issuer_account, issuer_id) != 0) {
        return status;
    }
    status = gk_found_card_cancel_notice(transaction, &card, error);
    if (status == GK_OK) {
        status = gk_issuer_queue_remove(transaction, issuer_id, case_id, &removed, error);
    }
    if (status != GK_OK) {
        return status;
    }
    card.state = guika_v1_CardState_CARD_STATE_DIFFICULT;
    card.reason = guika_v1_Reason_REASON_CANCELLED;
    card.disposition = guika_v1_Disposition_DISPOSITION_DESTROY;
    card.decided_zone = guika_v1_Zone_ZONE_DIFFICULT;
    card.place.misplaced = card.place.kind == guika_v1_internal_Place_Kind_PLACE_COMPARTMENT;
    gk_found_card_count(transaction, &card);
    issuer_actor(actor, issuer_id);
    return gk_found_card_put(transaction, &card, actor, "found_card.cancel", "CANCELLED", error);
}

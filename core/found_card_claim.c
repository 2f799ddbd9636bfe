#include "core/found_card_claim.h"

#include "core/found_card_internal.h"
#include "core/notification/messages.h"
#include "core/notification/outbox.h"
#include "core/watches.h"

#include <stdio.h>
#include <string.h>

/* The card is the watcher's, who stands in no list: their token is that of their contact. No person has to
 * look at it any more. */
static void give_to_watcher(guika_v1_internal_FoundCard *card, const uint8_t contact_token[GK_TOKEN_SIZE],
                            const uint8_t notice_id[16], int64_t now_ms,
                            guika_v1_internal_NoticeRecord *notice)
{
    card->state = guika_v1_CardState_CARD_STATE_IDENTIFIED;
    card->reason = guika_v1_Reason_REASON_UNSPECIFIED;
    card->issuer_account[0] = '\0';
    card->pictures = 0;
    card->sealed_candidates.size = 0;
    card->proposed_token.size = 0;
    card->proposed_by[0] = '\0';
    card->policy = guika_v1_IssuerPolicy_ISSUER_POLICY_UNSPECIFIED; /* no issuer stands behind it */
    card->sealed_reference.size = 0;
    card->disposition = guika_v1_Disposition_DISPOSITION_UNSPECIFIED;
    card->holder_token.size = GK_TOKEN_SIZE;
    memcpy(card->holder_token.bytes, contact_token, GK_TOKEN_SIZE);
    gk_found_card_begin_notice(card);
    card->notice_id.size = sizeof notice->notice_id;
    memcpy(card->notice_id.bytes, notice_id, sizeof notice->notice_id);
    *notice = (guika_v1_internal_NoticeRecord){0};
    memcpy(notice->notice_id, notice_id, sizeof notice->notice_id);
    (void)snprintf(notice->template_id, sizeof notice->template_id, "%s", GK_MESSAGE_CARD_FOUND);
    notice->state = guika_v1_internal_NoticeRecord_State_NOTICE_HELD;
    notice->case_id.size = GK_CASE_ID_SIZE;
    memcpy(notice->case_id.bytes, card->case_id, GK_CASE_ID_SIZE);
    notice->holder_token.size = GK_TOKEN_SIZE;
    memcpy(notice->holder_token.bytes, contact_token, GK_TOKEN_SIZE);
    memcpy(notice->box_id, card->box_id, sizeof notice->box_id);
    memcpy(notice->issuer, card->issuer, sizeof notice->issuer);
    notice->sealed_mask.size = card->sealed_mask.size;
    memcpy(notice->sealed_mask.bytes, card->sealed_mask.bytes, card->sealed_mask.size);
    notice->created_at_ms = now_ms;
}

enum gk_status gk_found_card_claim(struct gk_transaction *transaction,
                                   struct gk_found_card_decision *decision, guika_v1_internal_FoundCard *card,
                                   struct gk_error *error)
{
    uint8_t contact_token[GK_TOKEN_SIZE];
    bool claimed = false;

    if (card->state != guika_v1_CardState_CARD_STATE_DIFFICULT ||
        card->reason != guika_v1_Reason_REASON_UNREGISTERED) {
        return GK_OK;
    }
    enum gk_status status = gk_watches_gather(transaction, &decision->tokens, error);

    if (status == GK_OK) {
        status = gk_watches_found(transaction, card, &claimed, contact_token, error);
    }
    if (status != GK_OK || !claimed) {
        return status;
    }
    give_to_watcher(card, contact_token, decision->claim_notice_id, card->decided_at_ms, &decision->notice);
    decision->has_notice = true;
    decision->card = *card;
    card->decided_zone = decision->claimed_zone;
    decision->deposit.answer.zone = decision->claimed_zone;
    return GK_OK;
}

/* The watch names the card's number, or none. */
static bool agrees(const guika_v1_internal_WatchRecord *watch, const guika_v1_internal_FoundCard *card)
{
    for (pb_size_t i = 0; i < watch->card_tokens_count; i++) {
        if (memcmp(watch->card_tokens[i], card->card_token.bytes, GK_TOKEN_SIZE) == 0) {
            return true;
        }
    }
    return watch->card_tokens_count == 0;
}

static enum gk_status check_grant(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *card,
                                  const uint8_t *contact_token, const uint8_t *watch_id,
                                  struct gk_error *error)
{
    guika_v1_internal_WatchRecord watch = guika_v1_internal_WatchRecord_init_zero;
    enum gk_status status;

    if (card->state != guika_v1_CardState_CARD_STATE_DIFFICULT ||
        card->reason != guika_v1_Reason_REASON_UNREGISTERED || card->card_token.size != GK_TOKEN_SIZE) {
        return gk_error_set(
            error, GK_FAILED_PRECONDITION,
            "only a difficult card whose number is known and registered by nobody can be given");
    }
    if (!gk_watches_may_claim(card->kind)) {
        return gk_error_set(error, GK_FAILED_PRECONDITION,
                            "only transit, parking and campus cards go to somebody who is not registered");
    }
    status = gk_watches_get(transaction, contact_token, watch_id, &watch, error);
    if (status == GK_OK && !agrees(&watch, card)) {
        return gk_error_set(error, GK_FAILED_PRECONDITION, "the report names another number");
    }
    return status;
}

enum gk_status gk_found_card_grant(struct gk_transaction *transaction, const struct gk_keys *keys,
                                   const uint8_t case_id[GK_CASE_ID_SIZE],
                                   const uint8_t contact_token[GK_TOKEN_SIZE], const uint8_t watch_id[16],
                                   const char *actor, struct gk_error *error)
{
    const int64_t now_ms = gk_transaction_now_ms(transaction);
    guika_v1_internal_FoundCard card = {0};
    guika_v1_internal_NoticeRecord notice;
    uint8_t notice_id[16];
    enum gk_status status = gk_found_card_find(transaction, case_id, &card, error);

    if (status == GK_OK) {
        status = check_grant(transaction, &card, contact_token, watch_id, error);
    }
    if (status == GK_OK) {
        status = gk_watches_match(transaction, contact_token, watch_id, case_id, error);
    }
    if (status != GK_OK) {
        return status;
    }
    gk_found_card_decision_notice_id(keys, &card, notice_id);
    give_to_watcher(&card, contact_token, notice_id, now_ms, &notice);
    card.decided_at_ms = now_ms;
    /* A card in the bin is ready once staff have placed it where a holder reaches it. */
    if (gk_found_card_is_collectable(&card)) {
        notice.state = guika_v1_internal_NoticeRecord_State_NOTICE_DUE;
        notice.due_at_ms = now_ms;
    }
    status = gk_outbox_add(transaction, &notice, error);
    if (status != GK_OK) {
        return status;
    }
    gk_found_card_count(transaction, &card);
    return gk_found_card_put(transaction, &card, actor, "found_card.grant", "", error);
}

enum gk_status gk_found_card_give_up(struct gk_transaction *transaction,
                                     const uint8_t case_id[GK_CASE_ID_SIZE], struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    enum gk_status status = gk_found_card_find(transaction, case_id, &card, error);

    if (status != GK_OK) {
        return status;
    }
    if (card.state != guika_v1_CardState_CARD_STATE_IDENTIFIED &&
        card.state != guika_v1_CardState_CARD_STATE_NOTIFIED) {
        return gk_error_set(error, GK_FAILED_PRECONDITION, "the card does not wait to be collected");
    }
    status = gk_found_card_cancel_notice(transaction, &card, error);
    if (status != GK_OK) {
        return status;
    }
    card.state = guika_v1_CardState_CARD_STATE_EXPIRED;
    card.expires_at_ms = gk_transaction_now_ms(transaction);
    gk_found_card_count(transaction, &card);
    return gk_found_card_put(transaction, &card, "holder", "found_card.give_up", "", error);
}

#include "core/found_card_queue.h"

#include "core/found_card_claim.h"
#include "core/found_card_internal.h"
#include "core/found_card_issuer.h"
#include "core/issuer_queue.h"
#include "core/notification/outbox.h"
#include "core/watches.h"
#include "core/words.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static enum gk_status get_difficult(struct gk_transaction *transaction, const uint8_t *case_id,
                                    guika_v1_internal_FoundCard *ret_card, struct gk_error *error)
{
    const enum gk_status status = gk_found_card_get(transaction, case_id, ret_card, error);

    if (status == GK_NOT_FOUND) {
        return gk_error_set(error, GK_NOT_FOUND, "there is no such case");
    }
    if (status == GK_OK && ret_card->state != guika_v1_CardState_CARD_STATE_DIFFICULT) {
        return gk_error_set(error, GK_FAILED_PRECONDITION, "the card is not difficult (any more)");
    }
    return status;
}

static void forget_proposal(guika_v1_internal_FoundCard *card)
{
    card->proposed_token.size = 0;
    card->proposed_by[0] = '\0';
}

/* What a person needed to look at. */
static void forget_evidence(guika_v1_internal_FoundCard *card)
{
    forget_proposal(card);
    card->pictures = 0;
    card->sealed_candidates.size = 0;
}

/* What the decision knows of the card's number, and whose it is. */
static void take_number(guika_v1_internal_FoundCard *card, const guika_v1_internal_FoundCard *decided)
{
    memcpy(card->issuer, decided->issuer, sizeof card->issuer);
    memcpy(card->scheme, decided->scheme, sizeof card->scheme);
    card->kind = decided->kind;
    card->card_token = decided->card_token;
    card->key_epoch = decided->key_epoch;
    card->base_epoch = decided->base_epoch;
    card->own_key = decided->own_key;
    card->own_tokens_count = decided->own_tokens_count;
    memcpy(card->own_tokens, decided->own_tokens, sizeof card->own_tokens);
    card->sealed_mask = decided->sealed_mask;
    memcpy(card->issuer_account, decided->issuer_account, sizeof card->issuer_account);
    card->holder_token = decided->holder_token;
    card->sealed_reference = decided->sealed_reference;
    card->policy = decided->policy;
}

static enum gk_status identify(struct gk_transaction *transaction,
                               const struct gk_found_card_decision *decision,
                               guika_v1_internal_FoundCard *card, struct gk_error *error)
{
    enum gk_status status =
        decision->has_notice ? gk_outbox_add(transaction, &decision->notice, error) : GK_OK;

    memcpy(card->issuer_account, decision->card.issuer_account, sizeof card->issuer_account);
    card->holder_token = decision->card.holder_token;
    card->notice_id = decision->card.notice_id;
    card->policy = decision->card.policy;
    card->sealed_reference = decision->card.sealed_reference;
    card->state = guika_v1_CardState_CARD_STATE_IDENTIFIED;
    card->decided_at_ms = gk_transaction_now_ms(transaction);
    forget_evidence(card);
    /* A card in the bin is ready once staff have placed it where a holder reaches it. */
    if (status == GK_OK && card->stored_at_ms != 0 && gk_found_card_is_issuers(card)) {
        return gk_issuer_queue_add(transaction, card->issuer_account, card->case_id, error);
    }
    if (status == GK_OK && decision->has_notice && card->stored_at_ms != 0 &&
        gk_found_card_is_collectable(card)) {
        status = gk_outbox_release(transaction, decision->notice.notice_id, card->decided_at_ms, error);
    }
    return status;
}

/* The token is of the decision's number, whichever index key it is from. */
static bool is_of_number(const struct gk_found_card_decision *decision, const uint8_t *token,
                         size_t token_size)
{
    const guika_v1_internal_FoundCard *decided = &decision->card;
    bool same = token_size == GK_TOKEN_SIZE && decided->card_token.size == GK_TOKEN_SIZE &&
                memcmp(token, decided->card_token.bytes, GK_TOKEN_SIZE) == 0;

    for (size_t i = 0; !same && i < decision->tokens.count; i++) {
        same = token_size == GK_TOKEN_SIZE && memcmp(token, decision->tokens.tokens[i], GK_TOKEN_SIZE) == 0;
    }
    return same;
}

/* A proposal goes by the service's own token also where an issuer's key made the one in the list: rotations
 * wrap it. */
static void propose(const struct gk_settlement *settlement, guika_v1_internal_FoundCard *card)
{
    assert(settlement->decision->tokens.count > 0);
    card->proposed_token.size = GK_TOKEN_SIZE;
    memcpy(card->proposed_token.bytes, settlement->decision->tokens.tokens[0], GK_TOKEN_SIZE);
    (void)snprintf(card->proposed_by, sizeof card->proposed_by, "%s", settlement->actor);
}

/* True where another operator has to type the number too, or typed another one. */
static bool awaits_second(const struct gk_settlement *settlement, guika_v1_internal_FoundCard *card,
                          enum gk_settled *ret_settled)
{
    const guika_v1_internal_FoundCard *decided = &settlement->decision->card;

    if (!settlement->typed || decided->kind != guika_v1_CardKind_CARD_KIND_ID) {
        return false;
    }
    if (card->proposed_token.size == 0 || strcmp(card->proposed_by, settlement->actor) == 0) {
        propose(settlement, card);
        *ret_settled = GK_SETTLED_PROPOSED;
        return true;
    }
    if (is_of_number(settlement->decision, card->proposed_token.bytes, card->proposed_token.size)) {
        return false;
    }
    forget_proposal(card);
    *ret_settled = GK_SETTLED_DISAGREED;
    return true;
}

/* The number is known by now: it may be one that somebody watches for. */
static enum gk_status claim(struct gk_transaction *transaction, const struct gk_found_card_decision *decided,
                            guika_v1_internal_FoundCard *card, struct gk_error *error)
{
    struct gk_found_card_decision decision = *decided;
    const guika_v1_Zone zone = card->decided_zone;
    enum gk_status status = gk_found_card_claim(transaction, &decision, card, error);

    card->decided_zone = zone;
    if (status != GK_OK || card->state == guika_v1_CardState_CARD_STATE_DIFFICULT) {
        return status;
    }
    return identify(transaction, &decision, card, error);
}

/* The number is the one that was known, under a newer token: who watches for it follows. */
static enum gk_status gather(struct gk_transaction *transaction,
                             const struct gk_found_card_decision *decision,
                             const guika_v1_internal_FoundCard *card, struct gk_error *error)
{
    return card->reason == guika_v1_Reason_REASON_UNREGISTERED
               ? gk_watches_gather(transaction, &decision->tokens, error)
               : GK_OK;
}

static enum gk_status settle(struct gk_transaction *transaction, const struct gk_settlement *settlement,
                             guika_v1_internal_FoundCard *card, struct gk_error *error)
{
    const struct gk_found_card_decision *decision = settlement->decision;
    const bool is_identified = decision->card.state == guika_v1_CardState_CARD_STATE_IDENTIFIED;
    const bool has_number = decision->card.card_token.size > 0;
    const bool is_news =
        card->reason != decision->card.reason ||
        (has_number && !is_of_number(decision, card->card_token.bytes, card->card_token.size));
    const guika_v1_Reason reason = card->reason;
    enum gk_status status = GK_OK;

    forget_proposal(card);
    if (has_number) {
        take_number(card, &decision->card);
        gk_found_card_index(transaction, card);
    }
    card->reason = decision->card.reason;
    card->disposition = decision->card.disposition;
    if (is_identified) {
        if (decision->has_notice) {
            gk_found_card_begin_notice(card);
        }
        status = identify(transaction, decision, card, error);
    } else if (is_news && has_number) {
        status = claim(transaction, decision, card, error);
    } else {
        if (decision->card.sealed_candidates.size > 0) {
            card->sealed_candidates.size = decision->card.sealed_candidates.size;
            memcpy(card->sealed_candidates.bytes, decision->card.sealed_candidates.bytes,
                   decision->card.sealed_candidates.size);
        }
        status = gather(transaction, decision, card, error);
    }
    if (is_identified || reason != card->reason) {
        gk_found_card_count(transaction, card);
    }
    return status;
}

enum gk_status gk_found_card_settle(struct gk_transaction *transaction,
                                    const struct gk_settlement *settlement, enum gk_settled *ret_settled,
                                    guika_v1_internal_FoundCard *ret_card, struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    enum gk_settled settled = GK_SETTLED;
    enum gk_status status = get_difficult(transaction, settlement->decision->card.case_id, &card, error);

    if (status != GK_OK) {
        return status;
    }
    if (card.version != settlement->version) {
        return gk_error_set(error, GK_ABORTED, "the card was changed meanwhile; look at it again");
    }
    if (awaits_second(settlement, &card, &settled)) {
        status = gk_found_card_put(
            transaction, &card, settlement->actor,
            settled == GK_SETTLED_PROPOSED ? "found_card.propose" : "found_card.disagree", "", error);
    } else {
        status = settle(transaction, settlement, &card, error);
        if (status == GK_OK) {
            const bool is_identified = card.state == guika_v1_CardState_CARD_STATE_IDENTIFIED;

            status = gk_found_card_put(transaction, &card, settlement->actor, settlement->action,
                                       is_identified ? "IDENTIFIED" : gk_reason_word(card.reason), error);
        }
    }
    *ret_settled = settled;
    *ret_card = card;
    return status;
}

enum gk_status gk_found_card_close(struct gk_transaction *transaction, const uint8_t case_id[GK_CASE_ID_SIZE],
                                   guika_v1_CardState state, const char *actor, const char *issuer,
                                   struct gk_error *error)
{
    const bool is_handed = state == guika_v1_CardState_CARD_STATE_HANDED_OVER;
    guika_v1_internal_FoundCard card = {0};
    const enum gk_status status = get_difficult(transaction, case_id, &card, error);

    assert(is_handed || state == guika_v1_CardState_CARD_STATE_DESTROYED);
    if (status != GK_OK) {
        return status;
    }
    if (is_handed && issuer[0] == '\0' && card.issuer[0] == '\0') {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "the card's issuer is not known: say to whom it was handed");
    }
    const char *taker = !is_handed ? "" : issuer[0] == '\0' ? card.issuer : issuer;

    card.state = state;
    card.place = (guika_v1_internal_Place){.kind = is_handed ? guika_v1_internal_Place_Kind_PLACE_ISSUER
                                                             : guika_v1_internal_Place_Kind_PLACE_DESTROYED};
    (void)snprintf(card.place.location, sizeof card.place.location, "%s", taker);
    forget_evidence(&card);
    gk_transaction_count(transaction, card.box_id, is_handed ? "handed_over" : "destroyed");
    return gk_found_card_put(transaction, &card, actor,
                             is_handed ? "found_card.hand_over" : "found_card.discard", taker, error);
}

enum gk_status gk_found_card_view(struct gk_transaction *transaction, const uint8_t case_id[GK_CASE_ID_SIZE],
                                  const char *actor, struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    const enum gk_status status = get_difficult(transaction, case_id, &card, error);

    if (status == GK_OK && card.pictures == 0) {
        return gk_error_set(error, GK_NOT_FOUND, "no picture of this card is kept");
    }
    if (status == GK_OK) {
        gk_transaction_audit(transaction, actor, "found_card.view",
                             (struct gk_bytes){case_id, GK_CASE_ID_SIZE}, "");
    }
    return status;
}

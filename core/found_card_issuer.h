/*
 * Transitions of a found card that its issuer makes: it takes note of the card, decides what becomes of it,
 * or cancels it while it lies in a box.
 *
 *   IDENTIFIED -> NOTIFIED             the issuer tells the holder, and relays the pickup code
 *   IDENTIFIED | NOTIFIED -> EXPIRED   to be returned to the issuer, or destroyed
 *   IDENTIFIED | NOTIFIED -> DIFFICULT the issuer cancelled it: kept for destruction
 */
#ifndef GUIKA_CORE_FOUND_CARD_ISSUER_H
#define GUIKA_CORE_FOUND_CARD_ISSUER_H

#include "core/found_card.h"
#include "guika/v1/issuer.pb.h"

/* The issuer learns of the card by NextFound as soon as a box has stored it. [any] */
bool gk_found_card_is_issuers(const guika_v1_internal_FoundCard *card);

/* A holder asked for a card of which they are told only where they ask, and whom nobody but its issuer can
 * reach: the issuer learns of it now. Without effect on any other card, and when asked again. [committer] */
enum gk_status gk_found_card_ask_issuer(struct gk_transaction *transaction,
                                        const uint8_t case_id[GK_CASE_ID_SIZE], struct gk_error *error);

/* The issuer has written the case down: it leaves the queue of NextFound. Without effect where it left it
 * before. NOT_FOUND where it is none of this issuer's. [committer] */
enum gk_status gk_found_card_acknowledge(struct gk_transaction *transaction, const char *issuer_id,
                                         const uint8_t case_id[GK_CASE_ID_SIZE], struct gk_error *error);

/* What the issuer wants done; `ret_card` is the card as it is then. Leaves the queue too. The same decision
 * again changes nothing. NOT_FOUND where it is none of this issuer's; FAILED_PRECONDITION where what happened
 * before rules it out. [committer] */
enum gk_status gk_found_card_issuer_decide(struct gk_transaction *transaction, const char *issuer_id,
                                           const uint8_t case_id[GK_CASE_ID_SIZE],
                                           guika_v1_IssuerDecision decision,
                                           guika_v1_internal_FoundCard *ret_card, struct gk_error *error);

/* The issuer cancelled the card that lies here: the notice that still waits will not leave, and the card is
 * difficult, reason CANCELLED, to be destroyed. Without effect on a card that is nobody's to collect any
 * more. [committer] */
enum gk_status gk_found_card_cancel(struct gk_transaction *transaction, const char *issuer_id,
                                    const uint8_t case_id[GK_CASE_ID_SIZE], struct gk_error *error);

#endif

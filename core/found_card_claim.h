/*
 * Transitions of a found card that follow from what people say of it: a watch that claims it, an operator who
 * grants a claim, a holder who gives it up. Each is one transition, as those of core/found_card.
 */
#ifndef GUIKA_CORE_FOUND_CARD_CLAIM_H
#define GUIKA_CORE_FOUND_CARD_CLAIM_H

#include "core/found_card.h"
#include "core/security/keys.h"

/* Part of gk_found_card_decide: a card that nobody registered is its one watcher's (see core/watches), is
 * IDENTIFIED and has a notice, in `decision` and in `card`, which is what will be written. Without effect on
 * every other card. [committer] */
enum gk_status gk_found_card_claim(struct gk_transaction *transaction,
                                   struct gk_found_card_decision *decision, guika_v1_internal_FoundCard *card,
                                   struct gk_error *error);

/* An operator gives a card that nobody registered to a watcher: DIFFICULT -> IDENTIFIED. The watch is
 * matched. FAILED_PRECONDITION for a card that is not UNREGISTERED, or of a kind that never goes this way;
 * NOT_FOUND where there is no such card or watch. [committer] */
enum gk_status gk_found_card_grant(struct gk_transaction *transaction, const struct gk_keys *keys,
                                   const uint8_t case_id[GK_CASE_ID_SIZE],
                                   const uint8_t contact_token[GK_TOKEN_SIZE], const uint8_t watch_id[16],
                                   const char *actor, struct gk_error *error);

/* The holder does not want the card any more: IDENTIFIED | NOTIFIED -> EXPIRED, as if its time were over; it
 * then goes back to its issuer. A notice that waits does not leave. FAILED_PRECONDITION in any other state.
 * [committer] */
enum gk_status gk_found_card_give_up(struct gk_transaction *transaction,
                                     const uint8_t case_id[GK_CASE_ID_SIZE], struct gk_error *error);

#endif

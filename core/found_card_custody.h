/*
 * Custody: a found card always has a place, and each move is a transition. What a move makes of codes and
 * notices follows from the place: codes are bound to it, and a card that can be collected where it now lies
 * has its holder told.
 */
#ifndef GUIKA_CORE_FOUND_CARD_CUSTODY_H
#define GUIKA_CORE_FOUND_CARD_CUSTODY_H

#include "core/found_card.h"
#include "core/security/keys.h"

/* The card was carried to `place` (kind, location, compartment, zone). What waited to leave is cancelled;
 * where the card is identified and can be collected there, a notice with a new code is due. Moving it to
 * where it lies changes nothing, unless its place was uncertain. FAILED_PRECONDITION for a card that is
 * closed or not yet decided. [committer] */
enum gk_status gk_found_card_move(struct gk_transaction *transaction, const struct gk_keys *keys,
                                  const char *actor, const uint8_t case_id[GK_CASE_ID_SIZE],
                                  const guika_v1_internal_Place *place, int64_t code_ms,
                                  struct gk_error *error);

/* How the card left for good: EXPIRED -> RETURNED, HANDED_OVER or DESTROYED; DIFFICULT -> HANDED_OVER or
 * DESTROYED. `location`: to whom; "" where it was destroyed. Saying the same again changes nothing.
 * FAILED_PRECONDITION in any other state. [committer] */
enum gk_status gk_found_card_end(struct gk_transaction *transaction, const char *actor,
                                 const uint8_t case_id[GK_CASE_ID_SIZE], guika_v1_CardState state,
                                 const char *location, struct gk_error *error);

/* The same card was found again as the case `by`: a case whose card may have been gone (an opening of its
 * compartment ended unseen before `by` was found) is COLLECTED. One that surely lies where it is stays, and
 * so does one that was opened while `by` lay here already: there are two cards with one number. [committer]
 */
enum gk_status gk_found_card_supersede(struct gk_transaction *transaction,
                                       const uint8_t case_id[GK_CASE_ID_SIZE],
                                       const uint8_t by[GK_CASE_ID_SIZE], struct gk_error *error);

#endif

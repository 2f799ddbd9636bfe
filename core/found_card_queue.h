/*
 * Transitions of difficult cards: what a person, a second look or a new registration makes of them.
 *
 *   DIFFICULT -> IDENTIFIED (settled) | DESTROYED (discarded) | HANDED_OVER (to the issuer)
 *
 * As in found_card.h, each is one transition with one audit entry.
 */
#ifndef GUIKA_CORE_FOUND_CARD_QUEUE_H
#define GUIKA_CORE_FOUND_CARD_QUEUE_H

#include "core/found_card.h"

/* What was found out about a difficult card. */
struct gk_settlement {
    const struct gk_found_card_decision *decision; /* of the card with its case id: IDENTIFIED or DIFFICULT */
    uint32_t version;                              /* of the card that was decided on */
    const char *actor;                             /* "operator:anna", "core" */
    const char *action;                            /* "found_card.resolve", "found_card.retry", ... */
    bool typed;                                    /* a person typed the number: ID cards need two */
};

enum gk_settled {
    GK_SETTLED,           /* the card is as decided */
    GK_SETTLED_PROPOSED,  /* another operator has to type the number too */
    GK_SETTLED_DISAGREED, /* two operators typed different numbers: both begin again */
};

/* Makes the card what was decided, which writes its notice; a card that was stored already has it leave at
 * once. An ID card whose number was typed waits for a second actor first, who has to type the same. One that
 * stays difficult takes reason, token, mask and candidates of the decision; where its number is new, or
 * another one than before, whoever watches for that may claim it. FAILED_PRECONDITION where the card is not
 * difficult (any more); ABORTED where it was changed since `version`. [committer] */
enum gk_status gk_found_card_settle(struct gk_transaction *transaction,
                                    const struct gk_settlement *settlement, enum gk_settled *ret_settled,
                                    guika_v1_internal_FoundCard *ret_card, struct gk_error *error);

/* The card is out of the service's hands: DESTROYED or HANDED_OVER, to `issuer` ("" where destroyed). It
 * keeps no pictures. FAILED_PRECONDITION where it is not difficult. [committer] */
enum gk_status gk_found_card_close(struct gk_transaction *transaction, const uint8_t case_id[GK_CASE_ID_SIZE],
                                   guika_v1_CardState state, const char *actor, const char *issuer,
                                   struct gk_error *error);

/* A person is about to see the card's picture. FAILED_PRECONDITION where it is not difficult, NOT_FOUND where
 * no picture of it is kept. [committer] */
enum gk_status gk_found_card_view(struct gk_transaction *transaction, const uint8_t case_id[GK_CASE_ID_SIZE],
                                  const char *actor, struct gk_error *error);

#endif

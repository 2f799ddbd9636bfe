/*
 * How a found card gets into its holder's hand: codes and their issues, tries, openings, and what came of
 * them.
 *
 * An opening has a fencing token, greater than that of every opening before it in the whole service. Until
 * somebody reports on it the compartment counts as open; a new opening of the same case makes the report on
 * the one before worthless. Where nobody reports for GK_OPENING_MS (found_card_internal.h), the card's place
 * is uncertain: the holder may still open, a late report is still taken, and staff are asked to look.
 */
#ifndef GUIKA_CORE_FOUND_CARD_PICKUP_H
#define GUIKA_CORE_FOUND_CARD_PICKUP_H

#include "core/found_card.h"
#include "core/security/keys.h"
#include "core/security/pickup_grant.h" /* GK_PICKUP_FREE_TRIES and its kin */

/* One try to be handed a card. Strings are borrowed. */
struct gk_pickup_try {
    const char *place; /* box or desk id where it is made */
    bool at_desk;
    const char *actor; /* for the audit */
    uint8_t case_id[GK_CASE_ID_SIZE];
    const char *code;       /* as typed */
    const char *typed_tail; /* as typed, or "" */
    const char *tail;       /* the end of the holder's telephone number, or "" */
};

enum gk_pickup_result {
    GK_PICKUP_RIGHT,
    GK_PICKUP_WRONG,   /* the code, the place, or the card cannot be collected: all the same */
    GK_PICKUP_WAIT,    /* too many wrong tries: not before `wait_ms` are over, whatever the code */
    GK_PICKUP_RUN_OUT, /* the right code, too late */
};

struct gk_pickup_answer {
    enum gk_pickup_result result;
    uint32_t wait_ms;       /* with WAIT */
    char compartment[33];   /* with RIGHT, at a box */
    uint64_t fencing_token; /* with RIGHT, at a box */
};

/* A try at a box: the right code opens the card's compartment. A wrong one is counted, and GK_OK is returned:
 * the count is durable before anybody hears of the try. Other errors are the store's. [committer] */
enum gk_status gk_found_card_open(struct gk_transaction *transaction, const struct gk_keys *keys,
                                  const struct gk_pickup_try *attempt, struct gk_pickup_answer *ret_answer,
                                  struct gk_error *error);

/* A try at a desk: the right code closes the case as COLLECTED. [committer] */
enum gk_status gk_found_card_hand_out(struct gk_transaction *transaction, const struct gk_keys *keys,
                                      const struct gk_pickup_try *attempt,
                                      struct gk_pickup_answer *ret_answer, struct gk_error *error);

/* The box says what came of the opening `fencing_token`: COLLECTED closes the case and cancels the notice
 * that may wait; NOT_OPENED and CARD_INSIDE leave everything as it was; UNCERTAIN makes the place uncertain.
 * Saying the same again changes nothing. NOT_FOUND where the box has no such opening, or a later one took its
 * place; FAILED_PRECONDITION where another outcome was reported before (but UNCERTAIN may be followed by
 * any). [committer] */
enum gk_status gk_found_card_collected(struct gk_transaction *transaction, const char *box_id,
                                       const guika_v1_ConfirmCollectedRequest *request,
                                       uint8_t ret_case_id[GK_CASE_ID_SIZE], struct gk_error *error);

/* A notice is about to carry the code: makes the first issue, or the next one where the code in force has
 * less than half of `code_ms` left. `*ret_card` is the card as it then rests. Without effect otherwise.
 * FAILED_PRECONDITION where nobody can collect the card where it is. [committer] */
enum gk_status gk_found_card_renew_code(struct gk_transaction *transaction,
                                        const uint8_t case_id[GK_CASE_ID_SIZE], int64_t code_ms,
                                        guika_v1_internal_FoundCard *ret_card, struct gk_error *error);

/* Somebody asked for another code: the one before is void, tries begin anew, and a notice with the new one is
 * due. FAILED_PRECONDITION where nobody can collect the card where it is. [committer] */
enum gk_status gk_found_card_reissue(struct gk_transaction *transaction, const struct gk_keys *keys,
                                     const char *actor, const uint8_t case_id[GK_CASE_ID_SIZE],
                                     int64_t code_ms, struct gk_error *error);

#endif

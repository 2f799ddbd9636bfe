/*
 * The record that travels: a found card, its states, and every transition between them.
 *
 *   RECEIVED -> IDENTIFIED | DIFFICULT | GIVEN_BACK
 *   IDENTIFIED -> NOTIFIED, once its notice was delivered
 *   IDENTIFIED | NOTIFIED -> COLLECTED                                    found_card_pickup.h
 *   IDENTIFIED | NOTIFIED -> EXPIRED, when its retention is over          found_card_clocks.h
 *   EXPIRED -> RETURNED | HANDED_OVER | DESTROYED                         found_card_custody.h
 *   DIFFICULT -> HANDED_OVER | DESTROYED                                  found_card_custody.h
 *   any of these -> GIVEN_BACK, where the finder took the card back or the box was full
 *   GIVEN_BACK -> DIFFICULT, where the box kept it after all
 *
 * Each function here is one transition, runs within one transaction on the committer, adds one audit entry,
 * and is the only code that changes a card or its deposit. Where a card is (its place) is a field of its own.
 */
#ifndef GUIKA_CORE_FOUND_CARD_H
#define GUIKA_CORE_FOUND_CARD_H

#include "core/security/keys.h"
#include "core/store/store.h"
#include "guika/v1/box.pb.h"
#include "guika/v1/internal/records.pb.h"

#include <stdbool.h>

#define GK_CASE_ID_SIZE 16      /* bytes */
#define GK_DIGEST_SIZE 32       /* bytes */
#define GK_DEPOSIT_KEY_SIZE 100 /* bytes: box id, 0x00, deposit id */

/* In the family meta: this and a case id name a card that waits for more frames. */
#define GK_WAITING_PREFIX "waiting/"

#define GK_PLACE_KEY_SIZE 49 /* bytes: place, 0x00, case id */

/* The by_place family's key of a case at `place` (box, desk, bag, ...), or with `case_id` NULL the prefix of
 * all there; returns its length. [any] */
size_t gk_found_card_place_key(const char *place, const uint8_t *case_id, uint8_t ret_key[GK_PLACE_KEY_SIZE]);

/* Nothing more can become of the card. [any] */
bool gk_found_card_is_closed(const guika_v1_internal_FoundCard *card);

/* Its holder can be handed the card where it is: identified, and in a compartment or at a desk. [any] */
bool gk_found_card_is_collectable(const guika_v1_internal_FoundCard *card);

/* The box, bag, depot, desk, issuer or authority that has the card, or had it last. Borrowed from `card`.
 * [any] */
const char *gk_found_card_place_id(const guika_v1_internal_FoundCard *card);

/* The id of the notice with which a decision tells the card's holder: another one than that of every notice
 * of the card before, so that no channel takes it for one that it has delivered. [any] */
void gk_found_card_decision_notice_id(const struct gk_keys *keys, const guika_v1_internal_FoundCard *card,
                                      uint8_t ret_id[16]);

/* The deposits family's key of a box's deposit; returns its length, at most GK_DEPOSIT_KEY_SIZE. */
size_t gk_deposit_key(const char *box_id, const char *deposit_id, uint8_t ret_key[GK_DEPOSIT_KEY_SIZE]);

/* What was decided on a deposit, and with which frames. */
struct gk_found_card_decision {
    guika_v1_internal_FoundCard
        card; /* as it shall be; case id, box, deposit id, state, reason, tokens, ... set */
    guika_v1_internal_DepositRecord deposit; /* as it shall be, with the answer */
    guika_v1_internal_NoticeRecord notice;   /* written HELD where `has_notice` */
    bool has_notice;
    guika_v1_Zone claimed_zone; /* where the card goes if a watch claims it; see core/watches */
    uint8_t claim_notice_id[16];
    struct gk_card_tokens tokens; /* of a number that is certain; none where it is not at hand */
};

/* Writes the card, its deposit, its notice and their indexes. A deposit that is already decided stays as it
 * is: `*ret_deposit` is then what rests, and ALREADY_EXISTS is returned where its frames are others, OK where
 * they are the same. One that was waiting for frames is decided now. [committer] */
enum gk_status gk_found_card_decide(struct gk_transaction *transaction,
                                    const struct gk_found_card_decision *decision,
                                    guika_v1_internal_DepositRecord *ret_deposit, struct gk_error *error);

/* A deposit that was waiting for frames which never came: difficult, for the reason it has. Without effect on
 * others. [committer] */
enum gk_status gk_found_card_stop_waiting(struct gk_transaction *transaction,
                                          const uint8_t case_id[GK_CASE_ID_SIZE], struct gk_error *error);

/* The box says where the card ended up. Releases the notice with STORED in the normal zone (from the
 * difficult one it leaves once staff have placed the card where a holder reaches it), cancels it with
 * TAKEN_BACK and FULL, after which the card keeps no pictures. STORED and JAMMED end a wait for frames: the
 * card is difficult. Of a card that staff have carried away meanwhile it is only noted. Saying the same again
 * changes nothing. NOT_FOUND where the box has no such deposit; FAILED_PRECONDITION where it said something
 * else before that rules this out. [committer] */
enum gk_status gk_found_card_confirm(struct gk_transaction *transaction, const char *box_id,
                                     const guika_v1_ConfirmStoredRequest *request,
                                     uint8_t ret_case_id[GK_CASE_ID_SIZE], struct gk_error *error);

/* The holder was told: IDENTIFIED -> NOTIFIED. Without effect in any other state. Part of the delivery's
 * transition, which writes the audit entry. [committer] */
enum gk_status gk_found_card_notified(struct gk_transaction *transaction,
                                      const uint8_t case_id[GK_CASE_ID_SIZE], struct gk_error *error);

/* The card's number has a token from a newer index key, of epoch `base`: it takes the place of `old_token`,
 * in the record and its index, and nothing else changes. Without effect on a card with another token.
 * [committer] */
enum gk_status gk_found_card_renew_token(struct gk_transaction *transaction, const uint8_t *case_id,
                                         const uint8_t old_token[GK_TOKEN_SIZE],
                                         const uint8_t new_token[GK_TOKEN_SIZE], uint32_t base,
                                         struct gk_error *error);

enum { GK_HAND_OVER_KEY_SIZE = 8 + GK_CASE_ID_SIZE };

/* The row by which ListHandOver finds the card; false where it has none. gk_found_card_write keeps it. [any]
 */
bool gk_found_card_hand_over_key(const guika_v1_internal_FoundCard *card,
                                 uint8_t ret_key[GK_HAND_OVER_KEY_SIZE]);

#endif

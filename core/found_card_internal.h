/*
 * What the files of found_card share: reading and writing the record, and the indexes that go with every
 * write. For core/found_card*.c alone.
 */
#ifndef GUIKA_CORE_FOUND_CARD_INTERNAL_H
#define GUIKA_CORE_FOUND_CARD_INTERNAL_H

#include "core/found_card.h"
#include "core/security/keys.h"

/* After an opening that nobody reported on for so long, the card's place is uncertain. */
#define GK_OPENING_MS (10 * 60 * 1000)

/* NOT_FOUND sets no message. [committer] */
enum gk_status gk_found_card_get(struct gk_transaction *transaction, const uint8_t *case_id,
                                 guika_v1_internal_FoundCard *ret_card, struct gk_error *error);

/* As gk_found_card_get, with a message. [committer] */
enum gk_status gk_found_card_find(struct gk_transaction *transaction, const uint8_t *case_id,
                                  guika_v1_internal_FoundCard *ret_card, struct gk_error *error);

/* Writes the card as one step further. Every change of state passes here: it is counted, and the queue of
 * difficult cards, clocks and by_place are kept. A closed card keeps no pictures. [committer] */
enum gk_status gk_found_card_write(struct gk_transaction *transaction, guika_v1_internal_FoundCard *card,
                                   struct gk_error *error);

/* As gk_found_card_write, and audits the step as `action` by `actor`. [committer] */
enum gk_status gk_found_card_put(struct gk_transaction *transaction, guika_v1_internal_FoundCard *card,
                                 const char *actor, const char *action, const char *detail,
                                 struct gk_error *error);

/* The one place that counts what became of a card. [committer] */
void gk_found_card_count(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *card);

/* Makes the card found by time, and by its token where it has one. [committer] */
void gk_found_card_index(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *card);

/* For which state and place clocks are set; never 0. [any] */
uint32_t gk_found_card_clocks_key(const guika_v1_internal_FoundCard *card);

/* The word of a place, for audit entries: "COMPARTMENT". */
const char *gk_found_card_place_word(guika_v1_internal_Place_Kind kind);

/* Forgets the card's latest opening. [committer] */
void gk_found_card_forget_opening(struct gk_transaction *transaction,
                                  const guika_v1_internal_FoundCard *card);

/* A new opening of the card takes the place of the one before, with the next fencing token; `opening` says
 * what is known of it. The card is not written. [committer] */
enum gk_status gk_found_card_begin_opening(struct gk_transaction *transaction,
                                           guika_v1_internal_FoundCard *card,
                                           guika_v1_internal_OpeningRecord *opening, struct gk_error *error);

/* What came of an opening of the compartment where the card lies. The card is not written. [committer] */
enum gk_status gk_found_card_settle_opening(struct gk_transaction *transaction,
                                            guika_v1_internal_FoundCard *card,
                                            guika_v1_ConfirmCollectedRequest_Outcome outcome,
                                            struct gk_error *error);

/* Its holder has the card; no notice leaves any more. The card is not written. [committer] */
enum gk_status gk_found_card_close_as_collected(struct gk_transaction *transaction,
                                                guika_v1_internal_FoundCard *card, struct gk_error *error);

/* The card lies in that compartment of that box ("": in any), and its case is not over. [any] */
bool gk_found_card_is_behind_door(const guika_v1_internal_FoundCard *card, const char *box_id,
                                  const char *compartment);

/* The word of an outcome, for audit entries: "COLLECTED". */
const char *gk_found_card_outcome_word(guika_v1_ConfirmCollectedRequest_Outcome outcome);

/* When its latest opening was, Unix milliseconds; 0: it has none. [committer] */
enum gk_status gk_found_card_latest_opening(struct gk_transaction *transaction,
                                            const guika_v1_internal_FoundCard *card, int64_t *ret_at_ms,
                                            struct gk_error *error);

/* A new issue of the code, good for `code_ms`; tries begin anew. [committer] */
void gk_found_card_next_issue(struct gk_transaction *transaction, guika_v1_internal_FoundCard *card,
                              int64_t code_ms);

/* The notice that was to leave will not, where it still waits. [committer] */
enum gk_status gk_found_card_cancel_notice(struct gk_transaction *transaction,
                                           const guika_v1_internal_FoundCard *card, struct gk_error *error);

/* The id of the notice that goes with an issue; the decision's own notice has another. [any] */
void gk_found_card_notice_id(const struct gk_keys *keys, const uint8_t *case_id, uint32_t issue,
                             uint8_t ret_id[16]);

/* The decision's notice takes the place of one before, which its id named: an issue of its own names it. The
 * code of that issue is never told. */
void gk_found_card_begin_notice(guika_v1_internal_FoundCard *card);

/* A notice of `template_id` that is due now, in place of the one before; the card's issue names it. Where the
 * issuer tells the holder, it is told instead (again); where the holder is told only when asking, a card that
 * was found is not told of; where its holder was forgotten, nobody is. [committer] */
enum gk_status gk_found_card_notify(struct gk_transaction *transaction, const struct gk_keys *keys,
                                    guika_v1_internal_FoundCard *card, const char *template_id,
                                    struct gk_error *error);

#endif

/* What the files of found cards share: reading and writing the record within a transition. */
#ifndef GUIKA_CORE_FOUND_CARD_INTERNAL_H
#define GUIKA_CORE_FOUND_CARD_INTERNAL_H

#include "core/found_card.h"

/* NOT_FOUND sets no message. [committer] */
enum gk_status gk_found_card_get(struct gk_transaction *transaction, const uint8_t *case_id,
                                 guika_v1_internal_FoundCard *ret_card, struct gk_error *error);

/* Writes the card as one step further. Every change of state passes here: it is counted, and the queue of
 * difficult cards is kept. [committer] */
enum gk_status gk_found_card_write(struct gk_transaction *transaction, guika_v1_internal_FoundCard *card,
                                   struct gk_error *error);

/* As gk_found_card_write, and audits the step as `action` by `actor`. [committer] */
enum gk_status gk_found_card_put(struct gk_transaction *transaction, guika_v1_internal_FoundCard *card,
                                 const char *actor, const char *action, const char *detail,
                                 struct gk_error *error);

/* Counts what became of the card among the day's figures. [committer] */
void gk_found_card_count(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *card);

/* Makes the card found by time, and by its token where it has one. [committer] */
void gk_found_card_index(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *card);

#endif

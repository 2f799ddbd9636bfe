/* What the files of found_card share. For core/found_card*.c alone. */
#ifndef GUIKA_CORE_FOUND_CARD_INTERNAL_H
#define GUIKA_CORE_FOUND_CARD_INTERNAL_H

#include "core/found_card.h"

/* [committer] */
enum gk_status gk_found_card_get(struct gk_transaction *transaction, const uint8_t *case_id,
                                 guika_v1_internal_FoundCard *ret_card, struct gk_error *error);

/* Writes the card as one step further. [committer] */
enum gk_status gk_found_card_write(struct gk_transaction *transaction, guika_v1_internal_FoundCard *card,
                                   struct gk_error *error);

/* As gk_found_card_write, and audits the step as `action` by `actor`. [committer] */
enum gk_status gk_found_card_put(struct gk_transaction *transaction, guika_v1_internal_FoundCard *card,
                                 const char *actor, const char *action, const char *detail,
                                 struct gk_error *error);

/* The one place that counts what became of a card. [committer] */
void gk_found_card_count_state(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *card);

const char *gk_found_card_reason_word(guika_v1_Reason reason);

#endif

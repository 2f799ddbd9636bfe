/*
 * The found cards of one number, under one token.
 *
 * A card that was found before a rotation keeps the token that it was found by, wrapped (core/collapse.h);
 * the next card of the number goes by the newest, where no list has it. Only while the number itself is at
 * hand are both known to be of one.
 */
#ifndef GUIKA_CORE_SAME_NUMBER_H
#define GUIKA_CORE_SAME_NUMBER_H

#include "core/security/keys.h"
#include "core/store/store.h"

/* Brings the found cards that rest under any but the first of a number's `tokens` under the first, with
 * claims and watches (gk_watches_gather): all of them, in one commit. For a number that no list in force has.
 * Without effect where there is one token, or nothing rests under the others. [worker] */
enum gk_status gk_same_number_gather(struct gk_store *store, const struct gk_card_tokens *tokens,
                                     struct gk_error *error);

#endif

/*
 * A picture in which nothing was read is looked at again: first closer, for a card that is small in it; then
 * as its negative. The finder was trained on cards' faces: a light back full of dark print it takes for paper
 * at times, the same back in white on black for a card. The digit net reads either.
 */
#ifndef GUIKA_CORE_RECOGNITION_SECOND_LOOK_H
#define GUIKA_CORE_RECOGNITION_SECOND_LOOK_H

#include "core/recognition/card_reader.h"

/* As gk_card_read, and where that read no number and saw no row of figures, again: in each of five parts of
 * the picture a card is looked for, where the caller gave none, and the surest is read; then the negative is,
 * with what the finder sees in it alone. All looks are at the same light, so that the surest one counts
 * alone: they do not strengthen each other. The observer sees the first look. Takes a copy of the picture, 2
 * MB, and up to three times the time where nothing shows. [worker] */
void gk_second_look_read(const struct gk_card_reader *reader, const struct gk_image *picture,
                         const struct gk_quad *card, struct gk_candidate_list *list,
                         struct gk_card_sight *ret_sight);

#endif

/*
 * Reads what two frames of one fixed camera under opposite lamps differ in: the relief of embossed digits
 * without the artwork under them.
 */
#ifndef GUIKA_CORE_RECOGNITION_RELIEF_READER_H
#define GUIKA_CORE_RECOGNITION_RELIEF_READER_H

#include "core/recognition/card_reader.h"
#include "guika/v1/types.pb.h"

/* Are these lamps on opposite sides? [any] */
bool gk_lamps_are_opposite(guika_v1_Lamp one, guika_v1_Lamp other);

/* Adds what the difference of two pictures says. `view` maps the card's frame to both. [worker] */
void gk_relief_read(const struct gk_card_reader *reader, const struct gk_image *one,
                    const struct gk_image *other, const struct gk_homography *view,
                    struct gk_candidate_list *list);

#endif

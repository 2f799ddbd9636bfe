/*
 * The picture that may be kept of a card that a person must look at: the rectified card without what it must
 * not show.
 *
 * - Recognised: some layout of a recognised issuer, of a side that the face may be and of the card's
 *   orientation, says what to hide (security code, portrait, address); the rest is shown. All such layouts
 *   together hide.
 * - Else a front shows the rows of six figures or more that were read on it, and nothing beside them: no
 * layout is known to fit, so that a portrait or an address may be anywhere. A security code has three or four
 *   figures. Where no such row was read there is nothing that a person could use, and none is kept.
 * - Else it is or may be a back, which may show a security code anywhere: none is kept.
 */
#ifndef GUIKA_CORE_RECOGNITION_REDACTION_H
#define GUIKA_CORE_RECOGNITION_REDACTION_H

#include "core/recognition/card_reader.h"

/* What is known about the face that the picture shows. */
struct gk_redaction {
    const struct guika_issuer *const *issuers; /* those recognised */
    size_t issuer_count;                       /* 0: none was */
    bool front, back;                          /* which faces it may be; both: the box did not say */
};

/* A JPEG of the card, upright where the position is known, from the `size` bytes of the picture's file, which
 * is decoded in colour for it. Allocated with malloc; false: none may be kept, or memory ran out.
 * About 57 ms of one core (bench sight), most of it resampling.
 * [worker] */
bool gk_redaction_make(const uint8_t *data, size_t size, const struct gk_card_sight *sight,
                       const struct gk_redaction *redaction, uint8_t **ret_jpeg, size_t *ret_size);

#endif

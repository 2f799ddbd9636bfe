/*
 * The picture that may be kept of a card that a person must look at: the rectified card without what layouts
 * hide.
 */
#ifndef GUIKA_CORE_RECOGNITION_REDACTION_H
#define GUIKA_CORE_RECOGNITION_REDACTION_H

#include "core/recognition/card_reader.h"

/* What is known about the face that the picture shows. */
struct gk_redaction {
    const struct guika_issuer *const *issuers; /* whose layouts count: those recognised, or the whole shelf */
    size_t issuer_count;
    bool recognised;  /* a number was read: its issuers stand alone, and the position is known */
    bool front, back; /* which faces it may be */
};

/* A JPEG of the card, upright where the position is known. Allocated with malloc; false: none may be kept, or
 * memory ran out. A face that may be a back is kept only where it was recognised or may be a front as well.
 * [worker] */
bool gk_redaction_make(const struct gk_picture *picture, const struct gk_card_sight *sight,
                       const struct gk_redaction *redaction, uint8_t **ret_jpeg, size_t *ret_size);

#endif

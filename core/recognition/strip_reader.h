/*
 * Reads a picture that is a strip already: one line of print, cut by somebody else. The card reader cuts its
 * own strips.
 */
#ifndef GUIKA_CORE_RECOGNITION_STRIP_READER_H
#define GUIKA_CORE_RECOGNITION_STRIP_READER_H

#include "core/recognition/digit_net.h"
#include "core/recognition/reading.h"

#define GK_STRIP_FRAMINGS 5

/* Adds one framing after the other to `ret_reading`: the whole height, a little more and less of it, a little
 * higher and lower. The strip's grey is looked at; it may have any size. false where memory ran out or the
 * strip is empty. About 2 ms for four digits. [worker] */
bool gk_strip_read(struct gk_digit_net *net, const struct gk_image *strip, struct gk_reading *ret_reading);

#endif

/*
 * Rows of print by their texture alone: whatever is printed, figures or not, in ink darker or lighter than
 * its ground. The finder was trained on rows of figures and misses some that stand among other print; what is
 * found here, the digit net has to look at.
 */
#ifndef GUIKA_CORE_RECOGNITION_TEXT_ROWS_H
#define GUIKA_CORE_RECOGNITION_TEXT_ROWS_H

#include "core/recognition/number_line.h"

#define GK_TEXT_ROWS_MOST 12

/* Fills `ret_rows` with rows that run along the card's frame, or across it, the longest first; returns how
 * many: 0 where memory ran out. Their score is 0: nothing says that they hold figures. About 3 ms. [worker]
 */
size_t gk_text_rows_find(const struct gk_image *picture, const struct gk_homography *frame, bool across,
                         struct gk_number_line ret_rows[GK_TEXT_ROWS_MOST]);

#endif

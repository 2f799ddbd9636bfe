/*
 * Reads one number line, or the rows of a block, by the digit net: in the direction that reads clearer, in as
 * many framings as it takes.
 */
#ifndef GUIKA_CORE_RECOGNITION_LINE_READER_H
#define GUIKA_CORE_RECOGNITION_LINE_READER_H

#include "core/recognition/card_reader.h"
#include "core/recognition/number_line.h"

/* A number on the card: one line, or the rows of a block. */
struct gk_number_target {
    const struct gk_number_line *rows;
    int row_count;    /* 1 to GK_STACK_MOST_ROWS */
    bool passed_over; /* the finder saw no number there: it is tried as any print is */
};

/* Where it stands: pixels of the card's frame, or of the picture where `frame` is NULL. */
struct gk_line_place {
    const struct gk_image *picture;
    const struct gk_homography *frame;
    size_t card, line; /* for the observer */
};

/* What one framing shows in each direction. */
struct gk_line_glance {
    double strength[2]; /* upright, turned: characters there, each counted by how sure the net is of it */
    double left, right; /* of the characters, as shares of the strip, upright; 0 and 1 where there are none */
    double favour[2];   /* what else speaks for each direction, as a factor; the caller's to set */
};

/* Takes two net runs a row. false where memory ran out or a row is degenerate. [worker] */
bool gk_line_glance(const struct gk_card_reader *reader, const struct gk_line_place *place,
                    const struct gk_number_target *target, struct gk_line_glance *ret_glance);

/* Reads the target in the direction that a glance showed stronger or, where that is open, in the one that
 * reads clearer. false where nothing there looks like a number, or memory ran out; `*ret_verdict` is then
 * empty. Takes 3 to 20 net runs a row, 23 where its direction is open. [worker] */
bool gk_line_read(const struct gk_card_reader *reader, const struct gk_line_place *place,
                  const struct gk_number_target *target, const struct gk_line_glance *glance,
                  struct gk_line_verdict *ret_verdict, bool *ret_upside_down);

#endif

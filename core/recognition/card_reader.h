/*
 * Reads one picture of a card: finds the card, looks for number lines on it in every position that it may lie
 * in, reads them by the digit net and weighs them by the issuers' rules.
 */
#ifndef GUIKA_CORE_RECOGNITION_CARD_READER_H
#define GUIKA_CORE_RECOGNITION_CARD_READER_H

#include "core/recognition/barcode.h"
#include "core/recognition/candidates.h"
#include "core/recognition/digit_net.h"
#include "core/recognition/observer.h"
#include "core/recognition/picture.h"
#include "core/recognition/rectify.h"
#include "core/recognition/stages.h"
#include "core/recognition/text.h"

#include <time.h>

struct gk_card_reader {
    struct gk_network *finder;
    struct gk_digit_net *digits;
    struct gk_text_reader *text;        /* a second opinion; NULL: none */
    struct gk_barcode_reader *barcodes; /* likewise */
    struct gk_candidate_rules rules;
    const struct gk_observer *observer; /* NULL: nobody looks */
    bool finder_alone;                  /* only rows that the finder sees are tried */
    struct gk_stages *stages;           /* NULL: nobody counts */
    /* No further line is tried after the first of these: of this thread's processor time, and of the wall
     * clock, which the lease goes by. */
    int64_t stop_cpu_ms;  /* CLOCK_THREAD_CPUTIME_ID */
    int64_t stop_wall_ms; /* CLOCK_MONOTONIC */
};

/* Milliseconds of one of the system's clocks. [any] */
int64_t gk_clock_read_ms(clockid_t clock);

#define GK_SIGHT_ROWS_MOST 8

/* Has one of its two times come? [any] */
bool gk_card_reader_out_of_time(const struct gk_card_reader *reader);

/* What one picture showed besides its numbers. */
struct gk_card_sight {
    bool card_found;
    bool several_cards;
    bool figures_found; /* some line holds a run of figures */
    bool check_failed;
    bool unknown_issuer;
    bool glare;                /* a part of the card is burnt out */
    struct gk_homography view; /* of the card as it was found; where a number was read, upright */
    bool position_known;       /* a number was read, so that the view is upright */
    /* Around the rows in which six figures or more were read, in pixels of the picture; corner[0] to
     * corner[1] runs along the row. What a picture of an unrecognised card may show. */
    struct gk_quad rows[GK_SIGHT_ROWS_MOST];
    size_t row_count;
};

/* Adds what it reads to `list`. `card` is the box's own quadrilateral in pixels of the picture, or NULL.
 * [worker] */
void gk_card_read(const struct gk_card_reader *reader, const struct gk_image *picture,
                  const struct gk_quad *card, struct gk_candidate_list *list,
                  struct gk_card_sight *ret_sight);

#endif

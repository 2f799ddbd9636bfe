/*
 * What a reader saw on its way to a verdict, for `guika read --explain`. Plain arrays and pictures: no type
 * of the reader's own steps, so that these may change without it.
 *
 * A reader without an observer does no work for it. With one it calls, for each frame: `picture` once, `card`
 * for each view that it looks for numbers in, `strip` for each strip that the net read; and `verdict` once
 * at the end of all frames. All calls come from the reading thread and may block. [worker] What is handed
 * over is borrowed for the length of the call. Callbacks that are NULL are passed over. The pictures and the
 * texts hold full numbers.
 */
#ifndef GUIKA_CORE_RECOGNITION_OBSERVER_H
#define GUIKA_CORE_RECOGNITION_OBSERVER_H

#include "core/recognition/image.h"

#include "guika/issuer.h"

/* A quadrilateral that may be the card, in pixels of the picture. */
struct gk_seen_quad {
    struct gk_quad quad;
    double score;  /* 0 to 1 */
    bool supplied; /* the box's own */
};

/* A row of characters that may be a number, in pixels of the rectified card. */
struct gk_seen_line {
    struct gk_quad quad; /* around the characters; corner[0] is the top left one of the upright text */
    double score;        /* 0 to 1 */
};

/* One rectified card. `image` is grey; its rgb may be NULL. */
struct gk_seen_card {
    const struct gk_image *image;
    size_t quad; /* index of its quadrilateral in what `picture` was given */
    const struct gk_seen_line *lines;
    size_t line_count;
    const struct guika_issuer *const *issuers; /* the shelf, whose layouts may be drawn */
    size_t issuer_count;
};

/* One character as it was read on a strip, likeliest one; blanks are left out. */
struct gk_seen_character {
    char character;
    double left_px, right_px; /* columns of the strip that it was read from */
    double probability;       /* 0 to 1 */
};

/* One strip as the net saw it. `image` is grey, whatever its height. */
struct gk_seen_strip {
    const struct gk_image *image;
    size_t card; /* index of its card, counted over the `card` calls of this frame from 0 */
    size_t line; /* index into that card's lines */
    const struct gk_seen_character *characters; /* from left to right */
    size_t count;
    bool chosen; /* of the framings of this line, the one that was believed */
};

struct gk_seen_verdict {
    const char *number; /* likeliest; "" where there is none */
    const char *issuer; /* its id, or "" */
    double probability; /* of the number, 0 to 1 */
    bool accepted;      /* else difficult */
    int reason;         /* of guika.v1.Reason: why it is difficult */
};

struct gk_observer {
    void *context; /* handed to each call */
    void (*picture)(void *context, const struct gk_image *picture, const struct gk_seen_quad *quads,
                    size_t count); /* best first */
    void (*card)(void *context, const struct gk_seen_card *card);
    void (*strip)(void *context, const struct gk_seen_strip *strip);
    void (*verdict)(void *context, const struct gk_seen_verdict *verdict);
};

#endif

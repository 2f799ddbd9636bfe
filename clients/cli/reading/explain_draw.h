/* The drawings of explain.h, as Cairo surfaces: the caller's to destroy, and to check for Cairo's status. */
#ifndef GUIKA_CLIENTS_CLI_READING_EXPLAIN_DRAW_H
#define GUIKA_CLIENTS_CLI_READING_EXPLAIN_DRAW_H

#include "core/recognition/observer.h"

#include <cairo.h>

#define GK_EXPLAIN_CHARACTERS_MOST 64

/* What is kept of a strip until all are drawn. */
struct gk_explained_strip {
    struct gk_image image; /* its own, grey */
    size_t card, line;
    struct gk_seen_character characters[GK_EXPLAIN_CHARACTERS_MOST];
    size_t count;
    bool chosen;
};

/* Quadrilaterals in the colours of their rank, scores beside them, a dot at the top left corner. */
cairo_surface_t *gk_explain_draw_photo(const struct gk_image *picture, const struct gk_seen_quad *quads,
                                       size_t count);

/* Regions of layouts of the card's orientation (blue: numbers; red: hidden when kept), lines in green. */
cairo_surface_t *gk_explain_draw_card(const struct gk_seen_card *card);

/* The verdict above, then each strip over the bars of its characters' probabilities and the characters.
 * `left_out` strips are told of in a last line. */
cairo_surface_t *gk_explain_draw_strips(const struct gk_explained_strip *strips, size_t count,
                                        size_t left_out, const char *verdict);

/* Writes a PNG that its owner alone may read; a file of this name goes first, whatever its mode was.
 * CAIRO_STATUS_WRITE_ERROR: see errno. */
cairo_status_t gk_explain_write_png(cairo_surface_t *surface, const char *path);

#endif

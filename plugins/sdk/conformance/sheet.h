/* One picture of many: the minted cards and what was read on each. */
#ifndef GUIKA_PLUGINS_SDK_CONFORMANCE_SHEET_H
#define GUIKA_PLUGINS_SDK_CONFORMANCE_SHEET_H

#include "rpc/status.h"
#include "tests/mint/mint.h"

struct gk_sheet;

/* How a card was read: its frame is green, yellow or red. */
enum gk_sheet_mark { GK_SHEET_READ, GK_SHEET_UNSURE, GK_SHEET_WRONG };

/* Room for `count` pictures; NULL where memory ran out. [any] */
struct gk_sheet *gk_sheet_new(size_t count);
void gk_sheet_free(struct gk_sheet *sheet); /* accepts NULL */

/* The next picture, with a line of text below it. */
void gk_sheet_add(struct gk_sheet *sheet, const struct gk_mint_picture *picture, enum gk_sheet_mark mark,
                  const char *caption);

/* Writes a PNG. */
enum gk_status gk_sheet_write(struct gk_sheet *sheet, const char *path, struct gk_error *error);

#endif

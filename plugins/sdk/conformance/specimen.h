/* Specimen cards of an issuer's own layouts, before a camera: made-up numbers by its rules, drawn by the
 * mint. */
#ifndef GUIKA_PLUGINS_SDK_CONFORMANCE_SPECIMEN_H
#define GUIKA_PLUGINS_SDK_CONFORMANCE_SPECIMEN_H

#include "guika/issuer.h"
#include "tests/mint/mint.h"

#include <stdbool.h>

/* Draw it with gk_mint_draw(&card, &scene, ...). */
struct gk_specimen {
    struct gk_mint_card card;
    struct gk_mint_scene scene;
    const struct guika_layout *layout; /* borrowed from the issuer */
};

/* The index-th specimen of a layout; the same of both gives the same. Tilts to 25 degrees, four lights, five
 * grounds, every third one with a bar code where the issuer declares one that the mint draws (Code 128, QR).
 * False where the rules give no valid number in a few hundred tries. [any] */
bool gk_specimen_make(const struct guika_issuer *issuer, size_t layout, unsigned index,
                      struct gk_specimen *ret_specimen);

#endif

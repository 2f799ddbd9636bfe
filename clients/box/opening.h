/*
 * The journal of the opening in progress: which door was opened for a holder, so that a box that lost power
 * in between knows that it has to report. Owns the file `opening` in the box's state folder: one line, "TOKEN
 * COMPARTMENT OUTCOME", replaced whole and fsynced; no code and no card data. Outcome 0: not known yet. The
 * line stays once the service knows, so that the highest token is remembered.
 */
#ifndef GUIKA_CLIENTS_BOX_OPENING_H
#define GUIKA_CLIENTS_BOX_OPENING_H

#include "rpc/status.h"

#include <stdint.h>

#define GK_OPENING_REPORTED (-1)

struct gk_opening {
    uint64_t fencing_token; /* 0: there was none yet */
    char compartment[33];
    int outcome; /* enum guika_collected; 0: not known yet; GK_OPENING_REPORTED */
};

/* NOT_FOUND where there was none yet, INTERNAL where the file cannot be read. */
enum gk_status gk_opening_read(const char *directory, struct gk_opening *ret_opening, struct gk_error *error);

/* Durable when it returns. */
enum gk_status gk_opening_write(const char *directory, const struct gk_opening *opening,
                                struct gk_error *error);

#endif

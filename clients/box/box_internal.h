/* The inside of struct gk_box, for the files of the box. */
#ifndef GUIKA_CLIENTS_BOX_BOX_INTERNAL_H
#define GUIKA_CLIENTS_BOX_BOX_INTERNAL_H

#include "clients/box/box.h"
#include "clients/box/compartments.h"
#include "clients/box/deposit_id.h"
#include "clients/box/keypad.h"
#include "clients/box/opening.h"
#include "guika/client.h"

#define GK_BOX_DEADLINE_MS 5000U /* while the line is up */

struct gk_box {
    struct guika_box *client;
    struct gk_camera *camera;
    struct gk_keypad *keypad; /* NULL: it has none */
    struct gk_compartments *compartments;
    struct gk_opening opening; /* the latest one, as journalled */
    char opening_case[33];     /* its case, while this program runs */
    char directory[4096];
    char prefix[GK_BOX_PREFIX_SIZE];
    bool quiet;
    bool line_known, line_up;
    size_t troubles;
    size_t grants; /* held */
};

/* How long to wait for the service: long while the line is up, and no finder or holder waits for nothing. */
uint32_t gk_box_deadline_ms(const struct gk_box *box);

/* One event, one line. */
void gk_box_say(const char *subject, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Reads the journal: an opening that a power cut ended is UNCERTAIN. */
enum gk_status gk_box_recover_opening(struct gk_box *box, struct gk_error *error);

/* Tells the service what came of the latest opening, where it does not know yet; keeps it for later where the
 * line is down. */
void gk_box_report_opening(struct gk_box *box);

#endif

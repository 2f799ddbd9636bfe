/*
 * What time it is at the service, while nobody can ask it: what the latest heartbeat said, and what the
 * system's clock of this boot (CLOCK_BOOTTIME, which nobody sets and which runs through sleep) has run since.
 *
 * Owns the file `clock` in the box's folder, "BOOT-ID BOOT-MS SERVICE-MS", so that a program that starts anew
 * knows the time. After a power cut the boot is another one, and the time is unknown until the service
 * speaks: a battery clock that stood still, or was never set, would let a grant live longer than it should.
 */
#ifndef GUIKA_CLIENTS_C_BOX_CLOCK_H
#define GUIKA_CLIENTS_C_BOX_CLOCK_H

#include "rpc/status.h"

#include <stdbool.h>
#include <stdint.h>

struct gk_box_clock {
    int directory_fd; /* borrowed */
    bool known;
    int64_t boot_ms;    /* by the boot's clock, when the service spoke */
    int64_t service_ms; /* what it said: Unix milliseconds */
};

/* Reads what is known from before; a file that cannot be read, or of another boot, is no knowledge. */
void gk_box_clock_open(int directory_fd, struct gk_box_clock *ret_clock);

/* The service said what time it is. Written only where that differs by two seconds or more from what the box
 * reckoned, to spare the disk. */
enum gk_status gk_box_clock_learn(struct gk_box_clock *clock, int64_t service_ms, struct gk_error *error);

/* False where the time is not known. */
bool gk_box_clock_now(const struct gk_box_clock *clock, int64_t *ret_service_ms);

#endif

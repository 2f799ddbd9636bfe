/*
 * The box's compartments: which deposit lies where. Owns the file `compartments` in the box's state folder:
 * one line a taken compartment, "NAME ZONE DEPOSIT-ID", replaced whole and fsynced at each change; no card
 * data. A compartment is freed when a
 * holder or staff took its card.
 */
#ifndef GUIKA_CLIENTS_BOX_COMPARTMENTS_H
#define GUIKA_CLIENTS_BOX_COMPARTMENTS_H

#include "guika/client.h"
#include "rpc/status.h"

#include <stdio.h>

#define GK_COMPARTMENTS_MOST 999 /* of a zone */

struct gk_compartments;

/* `normal` and `difficult`: compartments of each zone, 0 to GK_COMPARTMENTS_MOST. */
enum gk_status gk_compartments_open(const char *directory, unsigned normal, unsigned difficult,
                                    struct gk_compartments **ret_compartments, struct gk_error *error);
void gk_compartments_close(struct gk_compartments *compartments);

/* The compartment of this deposit: the one that it has already, else the first free one of `zone`, durably.
 * `*ret_name` ("N01", "D01") is borrowed; `*ret_zone` is where it really is. RESOURCE_EXHAUSTED: the zone is
 * full. */
enum gk_status gk_compartments_take(struct gk_compartments *compartments, const char *deposit_id,
                                    enum guika_zone zone, const char **ret_name, enum guika_zone *ret_zone,
                                    struct gk_error *error);

/* Where a deposit lies; NULL where it is not in the box. */
const char *gk_compartments_find(const struct gk_compartments *compartments, const char *deposit_id,
                                 enum guika_zone *ret_zone);

/* The deposit that lies in a compartment; "" where it is empty, or there is none of that name. */
const char *gk_compartments_holds(const struct gk_compartments *compartments, const char *name);

/* The compartment of that name is empty now, durably. Without effect where it was, or there is none. */
enum gk_status gk_compartments_free(struct gk_compartments *compartments, const char *name,
                                    struct gk_error *error);

struct guika_zone_fill gk_compartments_fill(const struct gk_compartments *compartments, enum guika_zone zone);

/* A small table: one line a zone, [N01] taken, N02 free. */
void gk_compartments_print(const struct gk_compartments *compartments, FILE *stream);

#endif

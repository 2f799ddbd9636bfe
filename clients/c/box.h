/* The inside of struct guika_box, for this library's files. */
#ifndef GUIKA_CLIENTS_C_BOX_H
#define GUIKA_CLIENTS_C_BOX_H

#include "clients/c/box_clock.h"
#include "clients/c/grants.h"
#include "clients/c/pickup_journal.h"
#include "clients/c/spool.h"
#include "guika/client.h"
#include "rpc/client.h"

struct guika_box {
    struct gk_rpc_client *client;
    struct gk_spool *spool;
    unsigned oldest_failed; /* times that the service failed over the spool's oldest entry */
    struct gk_grants_held grants;
    struct gk_pickup_journal journal;
    struct gk_box_clock clock;
    uint64_t grants_wanted; /* the version that the service has; 0: not known */
};

/* door.c. Opens and closes what a box needs to work without the line; reads what the service said of it. */
void gk_box_offline_open(struct guika_box *box);
void gk_box_offline_close(struct guika_box *box);
enum gk_status gk_box_offline_learn(struct guika_box *box, const guika_v1_HeartbeatResponse *heard,
                                    struct gk_error *error);

/* What the journal has and the spool has not goes into the spool, where its outcome is known. */
enum gk_status gk_box_offline_settle(struct guika_box *box, struct gk_error *error);

/* The card of the case (32 hexadecimal digits) left the box with the service's knowledge: its grant is void.
 */
enum gk_status gk_box_offline_void(struct guika_box *box, const char *case_id, struct gk_error *error);

#endif

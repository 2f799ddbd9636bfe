/* The inside of struct guika_box, for this library's files. */
#ifndef GUIKA_CLIENTS_C_BOX_H
#define GUIKA_CLIENTS_C_BOX_H

#include "clients/c/spool.h"
#include "rpc/client.h"

struct guika_box {
    struct gk_rpc_client *client;
    struct gk_spool *spool;
    unsigned oldest_failed; /* times that the service failed over the spool's oldest entry */
};

#endif

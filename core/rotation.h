/*
 * New index and sealing keys in place of old ones, while the service runs.
 *
 * The numbers are gone, so tokens cannot be made anew: each is wrapped once more, token(N) = HMAC(key N,
 * token(N - 1)), and whoever has an old key and the store can look nothing up any more. Looking a wrapped
 * token up takes the older index keys too, until an import brings the numbers (core/collapse.h). A rotation
 * goes through four stages, and a crash in any of them goes on from where it was:
 *   1. The files of epoch N are made; the service begins anew and goes on serving in epoch N - 1.
 *   2. In the background every list is copied into epoch N (core/registry/rewrap.h). A list that is changed
 * meanwhile is copied again.
 *   3. The service begins anew. Before it serves, cases, notices, enquiries and pictures are put into epoch
 * N; they are few beside the lists.
 *   4. One commit puts the copies and the epoch in force.
 *
 * Owns: in the family meta, "rotation" and "key_epoch". Every record that rests under the index or sealing
 * keys has its turn in rotation_records.c or rewrap.c: a new kind of record needs one too. Message ids,
 * digests of frames, codes and credentials are of the first epoch's keys for ever: they have to be the same
 * when they are made again.
 */
#ifndef GUIKA_CORE_ROTATION_H
#define GUIKA_CORE_ROTATION_H

#include "core/log.h"
#include "core/security/keys.h"
#include "core/store/picture_vault.h"
#include "core/store/store.h"

#include <uv.h>

/* Puts the epoch of the store's records in force, and does stages 3 and 4 where stage 2 is done. Before a
 * registry is opened on the store, and before anybody else has `keys`. FAILED_PRECONDITION where key files
 * are missing. [worker] */
enum gk_status gk_rotation_settle(struct gk_store *store, struct gk_keys *keys,
                                  struct gk_picture_vault *vault, struct gk_error *error);

struct gk_rotation;

struct gk_rotation_parts {
    uv_loop_t *loop;
    const struct gk_log *log;
    const struct gk_keys *keys;
    struct gk_store *store;
    void (*on_copied)(void *context); /* [loop] stage 2 is done: the service is to begin anew */
    void *context;
};

/* Begins stage 2, or goes on with it, where there are newer keys than those in force. Never NULL. [loop] */
struct gk_rotation *gk_rotation_open(const struct gk_rotation_parts *parts);

/* Stops after the batch in hand, and frees. [loop] */
void gk_rotation_close(struct gk_rotation *rotation, void (*on_closed)(void *context), void *context);

#endif

/*
 * Found cards that their issuer is to tell the holder of, and the issuers that wait for them.
 *
 * Owns: the family issuer_queue, and the calls of NextFound that wait (on the loop). A card is given out
 * under a lease that rests with it, so that neither a crash here nor one at the issuer's loses it or gives it
 * to two at a time: what was not acknowledged by the lease's end is given out again, under the same case id.
 */
#ifndef GUIKA_CORE_ISSUER_QUEUE_H
#define GUIKA_CORE_ISSUER_QUEUE_H

#include "core/found_card.h"
#include "core/security/keys.h"
#include "guika/v1/issuer.pb.h"
#include "rpc/call.h"

#include <uv.h>

/* --- within a transition; none writes an audit entry --- */

/* Without effect where the card is in the queue already. [committer] */
enum gk_status gk_issuer_queue_add(struct gk_transaction *transaction, const char *issuer_id,
                                   const uint8_t case_id[GK_CASE_ID_SIZE], struct gk_error *error);

/* `*ret_removed`: it was in the queue. [committer] */
enum gk_status gk_issuer_queue_remove(struct gk_transaction *transaction, const char *issuer_id,
                                      const uint8_t case_id[GK_CASE_ID_SIZE], bool *ret_removed,
                                      struct gk_error *error);

/* --- on the loop --- */

struct gk_issuer_queue;

/* `store` and `keys` are borrowed. [loop] */
struct gk_issuer_queue *gk_issuer_queue_open(uv_loop_t *loop, struct gk_store *store,
                                             const struct gk_keys *keys); /* never NULL */

/* Answers the call with the issuer's next card, or with nothing shortly before its deadline. [loop] */
void gk_issuer_queue_next(struct gk_issuer_queue *queue, struct gk_rpc_call *call,
                          const guika_v1_NextFoundRequest *request);

/* A card may have come into the queue. [loop] */
void gk_issuer_queue_poke(struct gk_issuer_queue *queue);

/* Answers what waits and frees the queue; then calls `on_closed`. [loop] */
void gk_issuer_queue_close(struct gk_issuer_queue *queue, void (*on_closed)(void *context), void *context);

#endif

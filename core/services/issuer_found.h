/* What IssuerService does with found cards: NextFound, AcknowledgeFound, DecideFound. */
#ifndef GUIKA_CORE_SERVICES_ISSUER_FOUND_H
#define GUIKA_CORE_SERVICES_ISSUER_FOUND_H

#include "core/services/services.h"
#include "guika/v1/issuer.pb.h"

/* Handlers; `context` is the struct gk_services. [loop] */
void gk_issuer_on_next_found(struct gk_rpc_call *call, const guika_v1_NextFoundRequest *request,
                             void *context);
void gk_issuer_on_acknowledge_found(struct gk_rpc_call *call, const guika_v1_AcknowledgeFoundRequest *request,
                                    void *context);
void gk_issuer_on_decide_found(struct gk_rpc_call *call, const guika_v1_DecideFoundRequest *request,
                               void *context);

/* A card of `issuer_id` was cancelled: those of its cases that are still somebody's to collect are cancelled
 * too, each in a transition of its own. [worker] */
enum gk_status gk_issuer_cancel_found(struct gk_services *services, const char *issuer_id,
                                      const uint8_t card_token[GK_TOKEN_SIZE], struct gk_error *error);

#endif

/*
 * What the files of the HolderService share: who asks, and the handlers that holder_service.c binds.
 */
#ifndef GUIKA_CORE_SERVICES_HOLDER_H
#define GUIKA_CORE_SERVICES_HOLDER_H

#include "core/services/services.h"
#include "core/sessions.h"
#include "guika/v1/holder.rpc.h"

/* Takes one call of the client from `client_limit` (NULL: not counted) and one of the subject whose token
 * begins with `subject` from `subject_limit`. False where either has none left: the call is answered. Neither
 * depends on anything that is known of the subject. [loop] */
bool gk_holder_admit(struct gk_rpc_call *call, const struct gk_services *services,
                     struct gk_rate_limit *client_limit, struct gk_rate_limit *subject_limit,
                     const uint8_t *subject);

/* The session of the caller; NULL, and the call answered, where it has run out. [loop] */
const struct gk_session *gk_holder_session(struct gk_rpc_call *call, const struct gk_services *services);

/* The last four characters of a sealed mask; "" where there is none. [any] */
void gk_holder_last_four(const struct gk_keys *keys, struct gk_bytes context, struct gk_bytes sealed,
                         char ret_four[5]);

/* holder_codes.c */
void gk_holder_request_code(struct gk_rpc_call *call, const guika_v1_RequestCodeRequest *request,
                            void *context);
void gk_holder_prove_contact(struct gk_rpc_call *call, const guika_v1_ProveContactRequest *request,
                             void *context);

/* holder_cards.c */
void gk_holder_list_my_cards(struct gk_rpc_call *call, const guika_v1_ListMyCardsRequest *request,
                             void *context);

/* holder_changes.c */
void gk_holder_reissue_code(struct gk_rpc_call *call, const guika_v1_ReissueMyCodeRequest *request,
                            void *context);
void gk_holder_cancel(struct gk_rpc_call *call, const guika_v1_CancelRequest *request, void *context);

/* holder_watch.c */
void gk_holder_watch_card(struct gk_rpc_call *call, const guika_v1_WatchCardRequest *request, void *context);

#endif

/* The BoxService's methods that have files of their own; box_service.c puts them into its table. */
#ifndef GUIKA_CORE_SERVICES_BOX_METHODS_H
#define GUIKA_CORE_SERVICES_BOX_METHODS_H

#include "core/services/services.h"
#include "guika/v1/box.rpc.h"

/* pickup_service.c */
void gk_box_open_for_pickup(struct gk_rpc_call *call, const guika_v1_OpenForPickupRequest *request,
                            void *context);
void gk_box_confirm_collected(struct gk_rpc_call *call, const guika_v1_ConfirmCollectedRequest *request,
                              void *context);

/* offline_service.c: what a box did without the line. `answer` is called once it is merged; where it is not,
 * the call fails and `release` is called. `entry` stays until then. */
void gk_box_merge_pickup(struct gk_rpc_call *call, const struct gk_services *services,
                         const guika_v1_OfflinePickup *entry,
                         void (*answer)(struct gk_rpc_call *call, void *request),
                         void (*release)(void *request), void *request);

/* staff_service.c */
void gk_box_open_for_service(struct gk_rpc_call *call, const guika_v1_OpenForServiceRequest *request,
                             void *context);
void gk_box_confirm_service(struct gk_rpc_call *call, const guika_v1_ConfirmServiceRequest *request,
                            void *context);

#endif

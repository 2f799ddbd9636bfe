/* The AdminService's methods that have files of their own; admin_service.c puts them into its table. */
#ifndef GUIKA_CORE_SERVICES_ADMIN_METHODS_H
#define GUIKA_CORE_SERVICES_ADMIN_METHODS_H

#include "core/services/services.h"
#include "guika/v1/admin.rpc.h"

/* keys_service.c */
void gk_admin_rotate_keys(struct gk_rpc_call *call, const guika_v1_RotateKeysRequest *request, void *context);
void gk_admin_retire_keys(struct gk_rpc_call *call, const guika_v1_RetireKeysRequest *request, void *context);
void gk_admin_get_keys(struct gk_rpc_call *call, const guika_v1_GetKeysRequest *request, void *context);

/* holder_rights_service.c */
void gk_admin_export_holder(struct gk_rpc_call *call, const guika_v1_HolderRequest *request, void *context);
void gk_admin_forget_holder(struct gk_rpc_call *call, const guika_v1_HolderRequest *request, void *context);

#endif

/* What the operator sees and does about issuer plugins. */
#include "core/memory.h"
#include "core/services/services.h"
#include "guika/v1/operator.rpc.h"

#include <stdio.h>

static bool has_keeper(struct gk_rpc_call *call, const struct gk_services *services)
{
    if (services->keeper == NULL) {
        gk_rpc_fail(call, GK_UNAVAILABLE, "the service has just started; try again in a moment");
    }
    return services->keeper != NULL;
}

void gk_operator_list_plugins(struct gk_rpc_call *call, const guika_v1_ListPluginsRequest *request,
                              void *context)
{
    const struct gk_services *services = context;

    if (!has_keeper(call, services)) {
        return;
    }
    guika_v1_ListPluginsResponse *response = gk_allocate(sizeof *response);

    gk_keeper_list(services->keeper, request->page_token, response);
    guika_v1_operator_service_list_plugins_reply(call, response);
    free(response);
}

void gk_operator_release_plugin(struct gk_rpc_call *call, const guika_v1_ReleasePluginRequest *request,
                                void *context)
{
    const struct gk_services *services = context;
    const guika_v1_ReleasePluginResponse response = {0};
    char actor[GK_PRINCIPAL_ID_SIZE + 9];
    struct gk_error error;

    if (!has_keeper(call, services)) {
        return;
    }
    (void)snprintf(actor, sizeof actor, "operator:%.39s", gk_rpc_call_principal(call)->id);
    const enum gk_status status = gk_keeper_release(services->keeper, request->file, actor, &error);

    if (status == GK_OK) {
        guika_v1_operator_service_release_plugin_reply(call, &response);
    } else {
        gk_rpc_fail(call, status, "%s", error.message);
    }
}

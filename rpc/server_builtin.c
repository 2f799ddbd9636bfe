/*
 * What every server answers by itself: is it there, and what does it speak.
 */
#include "guika/v1/health.rpc.h"
#include "guika/v1/reflection.rpc.h"
#include "rpc/server_internal.h"

#include <stdio.h>

static void check(struct gk_rpc_call *call, const guika_v1_HealthCheckRequest *request, void *context)
{
    const struct gk_rpc_front *front = context;
    guika_v1_HealthCheckResponse response = guika_v1_HealthCheckResponse_init_zero;

    (void)request;
    response.serving = atomic_load(&front->serving) ? guika_v1_HealthCheckResponse_Serving_SERVING
                                                    : guika_v1_HealthCheckResponse_Serving_NOT_SERVING;
    (void)snprintf(response.version, sizeof response.version, "%s", GUIKA_VERSION);
    guika_v1_health_check_reply(call, &response);
}

static void get_descriptors(struct gk_rpc_call *call, const guika_v1_GetDescriptorsRequest *request,
                            void *context)
{
    const struct gk_rpc_front *front = context;
    guika_v1_GetDescriptorsResponse response = {0};

    (void)request;
    response.file_descriptor_set =
        (struct gk_bytes){front->options.descriptor_set, front->options.descriptor_set_size};
    guika_v1_reflection_get_descriptors_reply(call, &response);
}

static const struct guika_v1_health_handlers health = {.check = check};
static const struct guika_v1_reflection_handlers reflection = {.get_descriptors = get_descriptors};

enum gk_status gk_rpc_builtin_bind(struct gk_rpc_front *front, struct gk_error *error)
{
    const struct gk_rpc_binding bindings[] = {
        {&guika_v1_health, &health, front},
        {&guika_v1_reflection, &reflection, front},
    };

    return gk_rpc_router_add(&front->router, bindings, sizeof bindings / sizeof bindings[0], error);
}

bool gk_rpc_builtin_is(const struct gk_rpc_route *route)
{
    return route->handlers == &health || route->handlers == &reflection;
}

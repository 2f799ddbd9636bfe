/*
 * Who may call what: the checks between a message's receipt and its handler, in the order of server.h.
 */
#include "rpc/server_internal.h"

#include <string.h>

static enum gk_status check_role(struct gk_rpc_front *front, const struct gk_rpc_method *method,
                                 const char *token, const struct gk_principal *known,
                                 struct gk_principal *ret_principal, struct gk_error *error)
{
    const struct gk_rpc_server_options *options = &front->options;

    *ret_principal = (struct gk_principal){.role = GK_ROLE_ANYONE};
    if (known != NULL) {
        *ret_principal = *known;
    }
    if (method->role == GK_ROLE_ANYONE) {
        return GK_OK;
    }
    if (known == NULL && (token[0] == '\0' || options->authenticate == NULL ||
                          !options->authenticate(options->authenticate_context, token, ret_principal))) {
        return gk_error_set(error, GK_UNAUTHENTICATED, "%s needs a valid token", method->name);
    }
    if (ret_principal->role != method->role) {
        return gk_error_set(error, GK_PERMISSION_DENIED, "this credential may not call %s", method->name);
    }
    return GK_OK;
}

enum gk_status gk_rpc_admit(struct gk_rpc_front *front, struct gk_bytes message,
                            const struct gk_principal *known, struct gk_rpc_incoming *ret_incoming,
                            struct gk_principal *ret_principal, struct gk_error *error)
{
    const enum gk_status status = gk_rpc_router_read(&front->router, message, ret_incoming, error);

    if (status != GK_OK) {
        return status;
    }
    if (known == NULL && !atomic_load(&front->serving) && !gk_rpc_builtin_is(ret_incoming->route)) {
        return gk_error_set(error, GK_UNAVAILABLE, "the service is starting or shutting down");
    }
    return check_role(front, ret_incoming->route->method, ret_incoming->header.authorization, known,
                      ret_principal, error);
}

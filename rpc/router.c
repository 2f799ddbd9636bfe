#include "rpc/router.h"

#include "rpc/message.h"

#include <inttypes.h>
#include <pb_decode.h>
#include <stdlib.h>
#include <string.h>

static int compare_routes(const void *left, const void *right)
{
    const struct gk_rpc_route *a = left;
    const struct gk_rpc_route *b = right;

    return strcmp(a->method->name, b->method->name);
}

static int compare_name(const void *name, const void *route)
{
    return strcmp(name, ((const struct gk_rpc_route *)route)->method->name);
}

static enum gk_status add_service(struct gk_rpc_router *router, const struct gk_rpc_binding *binding,
                                  struct gk_error *error)
{
    const struct gk_rpc_service *service = binding->service;
    struct gk_rpc_route *routes =
        realloc(router->routes, (router->count + service->entry_count) * sizeof *routes);

    if (routes == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for the methods of %s", service->name);
    }
    router->routes = routes;
    for (size_t i = 0; i < service->entry_count; i++) {
        routes[router->count++] = (struct gk_rpc_route){.method = service->entries[i].method,
                                                        .dispatch = service->entries[i].dispatch,
                                                        .handlers = binding->handlers,
                                                        .context = binding->context};
    }
    return GK_OK;
}

enum gk_status gk_rpc_router_add(struct gk_rpc_router *router, const struct gk_rpc_binding *bindings,
                                 size_t count, struct gk_error *error)
{
    for (size_t i = 0; i < count; i++) {
        const enum gk_status status = add_service(router, &bindings[i], error);

        if (status != GK_OK) {
            return status;
        }
    }
    if (router->count == 0) {
        return GK_OK;
    }
    qsort(router->routes, router->count, sizeof *router->routes, compare_routes);
    for (size_t i = 1; i < router->count; i++) {
        if (compare_routes(&router->routes[i - 1], &router->routes[i]) == 0) {
            return gk_error_set(error, GK_ALREADY_EXISTS, "%s is bound twice",
                                router->routes[i].method->name);
        }
    }
    return GK_OK;
}

void gk_rpc_router_free(struct gk_rpc_router *router)
{
    free(router->routes);
    *router = (struct gk_rpc_router){0};
}

/* What goes into logs and error texts must be printable ASCII. */
static bool is_printable(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text < 0x21 || *text > 0x7e) {
            return false;
        }
    }
    return true;
}

enum gk_status gk_rpc_router_read(const struct gk_rpc_router *router, struct gk_bytes message,
                                  struct gk_rpc_incoming *ret_incoming, struct gk_error *error)
{
    guika_v1_RequestHeader *header = &ret_incoming->header;

    *ret_incoming = (struct gk_rpc_incoming){0};
    if (!gk_rpc_message_split(message, &guika_v1_RequestHeader_msg, header, &ret_incoming->payload) ||
        !is_printable(header->request_id)) {
        header->request_id[0] = '\0';
        return gk_error_set(error, GK_INVALID_ARGUMENT, "the message has no valid request header");
    }
    if (!is_printable(header->method) || !is_printable(header->language)) {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "method and language must be printable ASCII without spaces");
    }
    const struct gk_rpc_route *route = NULL;

    if (router->count > 0) {
        route = bsearch(header->method, router->routes, router->count, sizeof *route, compare_name);
    }
    if (route == NULL) {
        return gk_error_set(error, GK_UNIMPLEMENTED, "there is no method %s here", header->method);
    }
    const struct gk_rpc_method *method = route->method;

    if (ret_incoming->payload.size > method->max_request_bytes) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "%s takes at most %" PRIu32 " bytes, these are %zu",
                            method->name, method->max_request_bytes, ret_incoming->payload.size);
    }
    ret_incoming->route = route;
    ret_incoming->deadline_ms = header->deadline_ms == 0 || header->deadline_ms > method->default_deadline_ms
                                    ? method->default_deadline_ms
                                    : header->deadline_ms;
    return GK_OK;
}

enum gk_status gk_rpc_router_decode(const struct gk_rpc_incoming *incoming, void **ret_request,
                                    struct gk_error *error)
{
    const struct gk_rpc_method *method = incoming->route->method;
    pb_istream_t stream = pb_istream_from_buffer(incoming->payload.data, incoming->payload.size);
    /* Zeroed, because nanopb leaves view fields that are absent as they are. */
    void *request = calloc(1, method->request_size);

    if (request == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for the request");
    }
    if (!pb_decode(&stream, method->request, request)) {
        free(request);
        return gk_error_set(error, GK_INVALID_ARGUMENT, "the payload is no request of %s: %s", method->name,
                            PB_GET_ERROR(&stream));
    }
    *ret_request = request;
    return GK_OK;
}

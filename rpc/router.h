/*
 * From the bytes of a message to the method that it calls: the part of the server that reads what strangers
 * send, without sockets, clock or credentials, so that the fuzzer can call it.
 */
#ifndef GUIKA_RPC_ROUTER_H
#define GUIKA_RPC_ROUTER_H

#include "guika/v1/envelope.pb.h"
#include "rpc/bytes.h"
#include "rpc/method.h"
#include "rpc/status.h"

struct gk_rpc_route {
    const struct gk_rpc_method *method;
    gk_rpc_dispatch_fn dispatch;
    const void *handlers;
    void *context;
};

/* Owns its routes, sorted by name. */
struct gk_rpc_router {
    struct gk_rpc_route *routes;
    size_t count;
};

/* A message that was read. */
struct gk_rpc_incoming {
    guika_v1_RequestHeader header;
    const struct gk_rpc_route *route;
    struct gk_bytes payload;
    uint32_t deadline_ms; /* what is granted to the call from its receipt on */
};

/* Adds the methods of `count` bindings to `router` (zeroed before the first). ALREADY_EXISTS where a service
 * is bound twice. [any] */
enum gk_status gk_rpc_router_add(struct gk_rpc_router *router, const struct gk_rpc_binding *bindings,
                                 size_t count, struct gk_error *error);
void gk_rpc_router_free(struct gk_rpc_router *router);

/* Reads the header, finds the method, checks the payload's size. INVALID_ARGUMENT, UNIMPLEMENTED,
 * RESOURCE_EXHAUSTED. On failure `ret_incoming->header.request_id` is the caller's where that much could be
 * read, else empty; nothing else is defined. [any] */
enum gk_status gk_rpc_router_read(const struct gk_rpc_router *router, struct gk_bytes message,
                                  struct gk_rpc_incoming *ret_incoming, struct gk_error *error);

/* Decodes the payload into a new request struct, the caller's to free. Views point into the payload.
 * INVALID_ARGUMENT, RESOURCE_EXHAUSTED (no memory). [any] */
enum gk_status gk_rpc_router_decode(const struct gk_rpc_incoming *incoming, void **ret_request,
                                    struct gk_error *error);

#endif

/*
 * What a schema says about its methods: the tables that rpc/protoc-gen-guika writes and that both sides read.
 * A client needs this and rpc/client.h alone.
 */
#ifndef GUIKA_RPC_METHOD_H
#define GUIKA_RPC_METHOD_H

#include <pb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Who may call a method; the values are those of guika.v1.Role. */
enum gk_role {
    GK_ROLE_NONE = 0,
    GK_ROLE_ANYONE = 1,
    GK_ROLE_BOX = 2,
    GK_ROLE_ISSUER = 3,
    GK_ROLE_OPERATOR = 4,
    GK_ROLE_HOLDER = 5,
    GK_ROLE_READER = 6,
    GK_ROLE_COURIER = 7,
    GK_ROLE_STAFF = 12,
    GK_ROLE_VIEWER = 8,
};

/* Where a method's handler runs. On the loop it may keep the call and answer later; on the thread that
 * received the call it must answer before it returns and not block. */
enum gk_rpc_thread {
    GK_RPC_ON_LOOP = 0,
    GK_RPC_ON_RECEIVER = 1,
};

#define GK_PRINCIPAL_ID_SIZE 40 /* bytes with the terminator */

/* Who calls, as its credential says. */
struct gk_principal {
    enum gk_role role;
    char id[GK_PRINCIPAL_ID_SIZE]; /* box id, issuer account, ...; empty for GK_ROLE_ANYONE */
};

/* One method of a service. */
struct gk_rpc_method {
    const char *name;            /* "guika.v1.BoxService/Deposit" */
    const pb_msgdesc_t *request; /* nanopb descriptors */
    const pb_msgdesc_t *response;
    size_t request_size; /* sizeof the request struct, bytes */
    size_t response_size;
    enum gk_role role; /* GK_ROLE_ANYONE: no token needed */
    enum gk_rpc_thread thread;
    bool long_poll;
    uint32_t max_request_bytes;   /* payload */
    uint32_t default_deadline_ms; /* used when the call names none; also the most that is granted */
};

struct gk_rpc_call;

/* Gives a decoded request to its handler in the service's handler struct. */
typedef void (*gk_rpc_dispatch_fn)(struct gk_rpc_call *call, const void *request, const void *handlers,
                                   void *context);

struct gk_rpc_entry {
    const struct gk_rpc_method *method;
    gk_rpc_dispatch_fn dispatch;
};

struct gk_rpc_service {
    const char *name; /* "guika.v1.BoxService" */
    const struct gk_rpc_entry *entries;
    size_t entry_count;
};

/* A service bound to its handlers (the generated handler struct) and their context. */
struct gk_rpc_binding {
    const struct gk_rpc_service *service;
    const void *handlers;
    void *context;
};

#endif

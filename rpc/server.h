/*
 * The RPC server: receives calls over NNG and over inherited stream sockets, checks them against the
 * method tables that the protoc plugin writes, and hands them to handlers.
 *
 * Owns: the NNG REP socket, its contexts and listeners, the stream peers, the bounded queue to the loop.
 * One message is a length-delimited guika.v1.RequestHeader (or ResponseHeader) and then the payload.
 *
 * What is checked before a handler runs, in this order, and how it is answered:
 *   header malformed                         INVALID_ARGUMENT
 *   no such method                           UNIMPLEMENTED
 *   payload over the method's limit          RESOURCE_EXHAUSTED
 *   deadline already passed                  DEADLINE_EXCEEDED
 *   token missing or unknown                 UNAUTHENTICATED
 *   role of the token not the method's       PERMISSION_DENIED
 *   spare contexts alone are left            RESOURCE_EXHAUSTED, with a retry hint
 *   long poll over the long-poll limit       RESOURCE_EXHAUSTED, with a retry hint
 *   payload is not the request's message     INVALID_ARGUMENT
 *   queue to the loop full                   RESOURCE_EXHAUSTED, with a retry hint
 * A call whose deadline passes while its handler works is answered DEADLINE_EXCEEDED by the server; the
 * handler's own answer is then dropped.
 */
#ifndef GUIKA_RPC_SERVER_H
#define GUIKA_RPC_SERVER_H

#include "rpc/bytes.h"
#include "rpc/status.h"

#include <pb.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

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
};

/* Where a method's handler runs. */
enum gk_rpc_thread {
    GK_RPC_ON_LOOP = 0, /* the loop; may keep the call and answer later */
    GK_RPC_ON_RECEIVER =
        1, /* the thread that received the call; must answer before it returns and not block */
};

#define GK_PRINCIPAL_ID_SIZE 40 /* bytes with the terminator */

/* Who calls, as its credential says. */
struct gk_principal {
    enum gk_role role;
    char id[GK_PRINCIPAL_ID_SIZE]; /* box id, issuer account, ...; empty for GK_ROLE_ANYONE */
};

struct gk_rpc_call;

/* One method of a service, as the protoc plugin writes it. */
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
    void (*dispatch)(struct gk_rpc_call *call, const void *request, const void *handlers, void *context);
};

struct gk_rpc_service {
    const char *name; /* "guika.v1.BoxService" */
    const struct gk_rpc_method *methods;
    size_t method_count;
};

/* A service bound to its handlers (the generated handler struct) and their context. */
struct gk_rpc_binding {
    const struct gk_rpc_service *service;
    const void *handlers;
    void *context;
};

/* Says who holds `token` (terminated, from the header). Returns false where nobody does. [nng], [loop]; must
 * not block. */
typedef bool (*gk_rpc_authenticate_fn)(void *context, const char *token, struct gk_principal *ret_principal);

struct gk_rpc_server_options {
    uv_loop_t *loop;
    const struct gk_rpc_binding *bindings; /* borrowed until close */
    size_t binding_count;
    gk_rpc_authenticate_fn authenticate;
    void *authenticate_context;
    const uint8_t *descriptor_set; /* FileDescriptorSet that Reflection returns; borrowed */
    size_t descriptor_set_size;
    uint32_t contexts;          /* calls in hand at once; 0: 256 */
    uint32_t spare_contexts;    /* of these, kept to answer RESOURCE_EXHAUSTED; 0: 16 */
    uint32_t long_polls;        /* of these, at most so many long polls; 0: 64 */
    uint32_t loop_queue;        /* calls waiting for the loop; 0: 128 */
    uint32_t send_timeout_ms;   /* a client that does not read its answer is dropped; 0: 5000 */
    uint32_t max_message_bytes; /* the transport's limit, above every method's; 0: 40 MiB */
};

struct gk_rpc_tls {
    const char *certificate_file; /* PEM chain; server side */
    const char *key_file;         /* PEM */
};

struct gk_rpc_server;

/* Makes a server that listens nowhere yet; Health and Reflection are bound by the server itself. [loop] */
enum gk_status gk_rpc_server_open(const struct gk_rpc_server_options *options,
                                  struct gk_rpc_server **ret_server, struct gk_error *error);

/* Listens at "ipc://PATH", "tcp://HOST:PORT", "tls+tcp://HOST:PORT", "ws://HOST:PORT/PATH" or "wss://...".
 * `tls` is needed for tls+tcp and wss. Port 0 picks one; see gk_rpc_server_url. [loop] */
enum gk_status gk_rpc_server_listen(struct gk_rpc_server *server, const char *url,
                                    const struct gk_rpc_tls *tls, struct gk_error *error);

/* The URL that listener `index` (order of gk_rpc_server_listen) really has, with the port; borrowed; NULL
 * past the last. [loop] */
const char *gk_rpc_server_url(const struct gk_rpc_server *server, size_t index);

struct gk_rpc_peer;

/* Serves the process at the other end of the connected stream socket `fd` (owned from now on) as `principal`,
 * without a token. Each message is preceded by its length, 4 bytes big-endian. `on_closed` [loop] is called
 * once, when the peer has gone, after every call of it was answered or dropped. [loop] */
enum gk_status gk_rpc_server_adopt(struct gk_rpc_server *server, int fd, const struct gk_principal *principal,
                                   void (*on_closed)(struct gk_rpc_peer *peer, void *context), void *context,
                                   struct gk_rpc_peer **ret_peer, struct gk_error *error);

/* Says in Health whether the server is serving; not serving: calls of other services are answered
 * UNAVAILABLE. [loop] */
void gk_rpc_server_set_serving(struct gk_rpc_server *server, bool serving);

/* Calls in the hands of handlers now. [loop] */
size_t gk_rpc_server_in_flight(const struct gk_rpc_server *server);

/* Closes listeners and peers, answers what is still in hand with UNAVAILABLE and frees the server.
 * `on_closed` [loop] is called when nothing of it is left on the loop. Never hangs: NNG's close is left to a
 * watchdog thread. [loop] */
void gk_rpc_server_close(struct gk_rpc_server *server, void (*on_closed)(void *context), void *context);

/* --- a call in a handler's hands
 * -------------------------------------------------------------------------------- A handler owns the call
 * until it answers it, exactly once, with the generated NAME_reply function or gk_rpc_fail. The request and
 * everything that views into it live until then. Handlers on the loop answer from the loop. */

const struct gk_principal *gk_rpc_call_principal(const struct gk_rpc_call *call);
const char *gk_rpc_call_request_id(const struct gk_rpc_call *call); /* never empty; for logs */
const char *
gk_rpc_call_language(const struct gk_rpc_call *call); /* "en", "zh", ...; "" when the caller gave none */
const struct gk_rpc_peer *gk_rpc_call_peer(const struct gk_rpc_call *call); /* NULL for calls over NNG */
uint64_t
gk_rpc_call_client_key(const struct gk_rpc_call *call); /* the same for all calls of one remote address */
uint64_t gk_rpc_call_deadline_ms(const struct gk_rpc_call *call); /* on uv_hrtime's clock / 1e6 */

/* [loop] Asks to be told when the call ends without the handler (deadline, peer gone). The handler must still
 * answer it. */
void gk_rpc_call_on_ended(struct gk_rpc_call *call, void (*on_ended)(struct gk_rpc_call *call, void *context),
                          void *context);

/* Answers with `response` (a struct of the method's response type, encoded before return). */
void gk_rpc_reply(struct gk_rpc_call *call, const void *response);

/* Answers with an error. */
void gk_rpc_fail(struct gk_rpc_call *call, enum gk_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Answers RESOURCE_EXHAUSTED and tells the caller to come back in `retry_after_ms`. */
void gk_rpc_fail_busy(struct gk_rpc_call *call, uint32_t retry_after_ms, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif

/*
 * The RPC server: receives calls over NNG and over inherited stream sockets, checks them against the
 * method tables that the protoc plugin writes, and hands them to handlers.
 *
 * Owns: the NNG REP socket, its contexts and listeners, the stream peers, the bounded queue to the loop.
 * One message is a length-delimited guika.v1.RequestHeader (or ResponseHeader) and then the payload.
 *
 * What is checked before a handler runs, in this order, and how it is answered:
 *   header malformed, or not printable       INVALID_ARGUMENT
 *   no such method                           UNIMPLEMENTED
 *   payload over the method's limit          RESOURCE_EXHAUSTED
 *   not serving (but Health and Reflection)  UNAVAILABLE
 *   token missing or unknown                 UNAUTHENTICATED
 *   role of the token not the method's       PERMISSION_DENIED
 *   spare contexts alone are left            RESOURCE_EXHAUSTED, with a retry hint
 *   long poll over the long-poll limit       RESOURCE_EXHAUSTED, with a retry hint
 *   payload is not the request's message     INVALID_ARGUMENT
 *   queue to the loop full                   RESOURCE_EXHAUSTED, with a retry hint
 *   deadline passed in that queue            DEADLINE_EXCEEDED
 * Methods that are answered on the receiver hold no context, so the limits on contexts are not theirs. Stream
 * peers hold none either: each has one call in hand at most.
 *
 * A call whose deadline passes while its handler works is answered DEADLINE_EXCEEDED by the server; the
 * handler's own answer is then dropped. Deadlines count from the message's receipt.
 */
#ifndef GUIKA_RPC_SERVER_H
#define GUIKA_RPC_SERVER_H

#include "rpc/call.h"
#include "rpc/method.h"
#include "rpc/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

/* Says who holds `token` (terminated, from the header). Returns false where nobody does. [nng], [loop]; must
 * not block. */
typedef bool (*gk_rpc_authenticate_fn)(void *context, const char *token, struct gk_principal *ret_principal);

struct gk_rpc_server_options {
    uv_loop_t *loop;
    const struct gk_rpc_binding
        *bindings; /* read at opening; handlers and contexts are borrowed until on_closed */
    size_t binding_count;
    gk_rpc_authenticate_fn authenticate;
    void *authenticate_context;
    const uint8_t *descriptor_set; /* FileDescriptorSet that Reflection returns; borrowed */
    size_t descriptor_set_size;
    bool allow_plain_remote;    /* let tcp:// and ws:// listen beyond the loopback interface */
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
 * `tls` is needed for tls+tcp and wss. Port 0 picks one, for tcp and
 * tls+tcp; see gk_rpc_server_url. The folder of an ipc socket must have mode 0700. Without encryption only
 * the loopback interface is allowed, unless allow_plain_remote says otherwise. Errors: INVALID_ARGUMENT (URL,
 * certificate), PERMISSION_DENIED (plain and remote), FAILED_PRECONDITION, NOT_FOUND (ipc folder),
 * UNAVAILABLE (address in use). [loop] */
enum gk_status gk_rpc_server_listen(struct gk_rpc_server *server, const char *url,
                                    const struct gk_rpc_tls *tls, struct gk_error *error);

/* The URL that listener `index` (order of gk_rpc_server_listen) really has, with the port; borrowed; NULL
 * past the last. [loop] */
const char *gk_rpc_server_url(const struct gk_rpc_server *server, size_t index);

/* Serves the process at the other end of the connected stream socket `fd` (owned by the server once this
 * succeeds) as `principal`, without a token. It may have one call in hand at a time. Each message is preceded
 * by its length, 4 bytes big-endian. `on_closed` [loop] is called once, when the peer has gone, after every
 * call of it was answered or dropped. The process must
 * ignore SIGPIPE: FAILED_PRECONDITION where it does not. INVALID_ARGUMENT where `fd` is no stream socket.
 * [loop] */
enum gk_status gk_rpc_server_adopt(struct gk_rpc_server *server, int fd, const struct gk_principal *principal,
                                   void (*on_closed)(struct gk_rpc_peer *peer, void *context), void *context,
                                   struct gk_rpc_peer **ret_peer, struct gk_error *error);

/* Says in Health whether the server is serving, which it is from its opening on; not serving: calls of other
 * services are answered UNAVAILABLE. [loop] */
void gk_rpc_server_set_serving(struct gk_rpc_server *server, bool serving);

/* Calls in the hands of handlers now. [loop] */
size_t gk_rpc_server_in_flight(const struct gk_rpc_server *server);

/* Closes listeners and peers, answers what is still in hand with UNAVAILABLE and frees the server.
 * Handlers still answer the calls that they hold, now or later; that frees them. `on_closed` [loop] is called
 * when nothing of it is left on the loop. Never hangs: NNG's close is left to a watchdog thread. [loop] */
void gk_rpc_server_close(struct gk_rpc_server *server, void (*on_closed)(void *context), void *context);

#endif

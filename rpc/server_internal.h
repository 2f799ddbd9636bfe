/*
 * The server's parts and who may touch them.
 *
 *   front  everything that NNG's threads touch: socket, slots, limits, the inbox to the loop. It outlives the
 *          server where NNG's close hangs.
 *   slot   one REP context and its aio: receives, holds one call, sends its answer, receives again.
 *   peer   one stream socket on the loop.
 *   call   one request in somebody's hands. Until it is in the inbox it belongs to the receiving thread, from
 *          then on to the loop.
 */
#ifndef GUIKA_RPC_SERVER_INTERNAL_H
#define GUIKA_RPC_SERVER_INTERNAL_H

#include "rpc/message.h"
#include "rpc/router.h"
#include "rpc/server.h"

#include <nng/nng.h>
#include <pthread.h>
#include <stdatomic.h>

enum { GK_RPC_RETRY_HINT_MS = 500 };

enum gk_rpc_slot_state {
    GK_RPC_SLOT_RECEIVING,
    GK_RPC_SLOT_WORKING,
    GK_RPC_SLOT_SENDING,
};

struct gk_rpc_slot {
    struct gk_rpc_front *front;
    nng_ctx context;
    nng_aio *aio;
    enum gk_rpc_slot_state state;
    nng_pipe pipe; /* where the request in hand came from */
    bool refused;  /* answered because only spare contexts were left */
};

struct gk_rpc_front {
    /* Set before the first message, constant from then on. */
    nng_socket socket;
    struct gk_rpc_slot *slots;
    struct gk_rpc_router router;
    struct gk_rpc_server_options options; /* with the defaults filled in */
    uint64_t request_id_base;

    atomic_bool serving;
    atomic_bool closing;
    atomic_uint busy;       /* slots that do not receive, and ended calls that handlers still hold */
    atomic_uint long_polls; /* long polls that hold a slot */
    atomic_uint queued;     /* calls in the inbox */
    atomic_uint sending;    /* slots that send */
    atomic_ullong calls;    /* so far; for request ids */
    _Atomic(struct gk_rpc_call *) inbox;

    pthread_t closer;
    pthread_mutex_t lock; /* for all below */
    pthread_cond_t changed;
    uv_async_t *wake; /* NULL once the loop has left */
    bool close_wanted;
    bool closed; /* by the closer: no NNG thread touches this any more */
};

struct gk_rpc_call_list {
    struct gk_rpc_call *head;
    size_t count;
};

struct gk_rpc_call {
    struct gk_rpc_front *front; /* NULL when the server has closed */
    struct gk_rpc_slot *slot;   /* who waits for the answer: a slot, */
    struct gk_rpc_peer *peer;   /* or a peer, or nobody any more */
    bool holds_long_poll;       /* counted in front->long_polls */
    bool holds_busy;            /* ended, and counted in front->busy */

    struct gk_rpc_route route; /* a copy: the call may outlive the server */
    void *request;             /* a struct of the method's type */
    nng_msg *message;          /* what the request's views point into: this, */
    uint8_t *bytes;            /* or this */
    struct gk_principal principal;
    char request_id[sizeof((guika_v1_RequestHeader *)NULL)->request_id];
    char language[sizeof((guika_v1_RequestHeader *)NULL)->language];
    uint64_t client_key;
    uint64_t deadline_ms;
    void (*on_ended)(struct gk_rpc_call *call, void *context);
    void *on_ended_context;

    struct gk_rpc_call_list *list; /* [loop] the server's in_hand or ended, or NULL */
    struct gk_rpc_call *previous;
    struct gk_rpc_call *next; /* in the list, or in the inbox */
};

struct gk_rpc_server { /* [loop] alone */
    struct gk_rpc_front *front;
    uv_loop_t *loop;
    uv_async_t wake;
    uv_timer_t deadline_timer;
    uv_timer_t close_timer;
    uint64_t armed_ms; /* when deadline_timer fires; 0: not set */
    unsigned open_handles;
    struct gk_rpc_call *taken;       /* from the inbox, oldest first, not yet begun */
    struct gk_rpc_call_list in_hand; /* somebody waits for their answers */
    struct gk_rpc_call_list ended;   /* nobody does, but handlers still hold them */
    struct gk_rpc_peer *peers;
    char **urls;
    size_t url_count;
    bool closing; /* gk_rpc_server_close was called */
    bool left;    /* the handles are being closed */
    void (*on_closed)(void *context);
    void *on_closed_context;
};

/* An answer before it is encoded. */
struct gk_rpc_answer {
    enum gk_status status;
    const char *message; /* NULL with GK_OK */
    uint32_t retry_after_ms;
    const char *request_id;
    const pb_msgdesc_t *type; /* NULL but with GK_OK */
    const void *response;
};

/* An answer about to be written: `message` points to `header` and to the response. */
struct gk_rpc_outgoing {
    guika_v1_ResponseHeader header;
    struct gk_rpc_message message;
    size_t size; /* bytes */
};

/* Sizes the answer; one that does not encode or is over `max_bytes` becomes INTERNAL. [any] */
void gk_rpc_outgoing_prepare(const struct gk_rpc_answer *answer, size_t max_bytes,
                             struct gk_rpc_outgoing *ret_outgoing);

uint64_t gk_rpc_now_ms(void); /* uv_hrtime in milliseconds */

/* server_admission.c: the checks of server.h that both transports share, up to the role; `known` is the
 * peer's principal, NULL where the token says who calls. [nng], [loop] */
enum gk_status gk_rpc_admit(struct gk_rpc_front *front, struct gk_bytes message,
                            const struct gk_principal *known, struct gk_rpc_incoming *ret_incoming,
                            struct gk_principal *ret_principal, struct gk_error *error);

/* Decodes the request and makes the call, which owns neither message nor bytes yet. [nng], [loop] */
enum gk_status gk_rpc_call_make(struct gk_rpc_front *front, const struct gk_rpc_incoming *incoming,
                                const struct gk_principal *principal, struct gk_rpc_call **ret_call,
                                struct gk_error *error);

/* Gives the call to its handler. [loop], or the receiver for its own methods */
void gk_rpc_call_dispatch(struct gk_rpc_call *call);

/* Answers the call with an error and frees it; for calls that no handler holds. */
void gk_rpc_call_refuse(struct gk_rpc_call *call, const struct gk_error *error, uint32_t retry_after_ms);

/* [loop] Takes the call among those in hand, under its deadline, and dispatches it. */
void gk_rpc_server_begin(struct gk_rpc_server *server, struct gk_rpc_call *call);

/* [loop] Ends a call that its handler still holds: answers in its place where somebody waits. */
void gk_rpc_server_end(struct gk_rpc_server *server, struct gk_rpc_call *call, enum gk_status status,
                       const char *message);

/* [loop] Ends every call that its handler holds, for the close: from now on answering one only frees it. */
void gk_rpc_server_end_all(struct gk_rpc_server *server);

/* [loop] Begins what has arrived in the inbox. */
void gk_rpc_server_take(struct gk_rpc_server *server);

/* [loop] uv callback: ends the calls whose deadline has passed. */
void gk_rpc_server_on_deadline(uv_timer_t *timer);

/* server_front.c */
enum gk_status gk_rpc_front_open(const struct gk_rpc_server_options *options, uv_async_t *wake,
                                 struct gk_rpc_front **ret_front, struct gk_error *error);
void gk_rpc_front_free(struct gk_rpc_front *front); /* after its aios have been stopped */
void gk_rpc_front_stop(struct gk_rpc_front *front); /* [closer] closes the socket and frees slots; may hang */
void gk_rpc_front_wake(struct gk_rpc_front *front); /* [any] */
void gk_rpc_slot_answer(struct gk_rpc_slot *slot, const struct gk_rpc_answer *answer); /* [nng], [loop] */

/* The whole inbox, oldest first. [loop] */
struct gk_rpc_call *gk_rpc_front_take(struct gk_rpc_front *front);

/* server_peer.c [loop] */
void gk_rpc_peer_answer(struct gk_rpc_peer *peer, const struct gk_rpc_answer *answer);
void gk_rpc_peer_forget(struct gk_rpc_peer *peer); /* its call is over */
void gk_rpc_peer_close_all(struct gk_rpc_server *server);

/* server_builtin.c: Health and Reflection. */
enum gk_status gk_rpc_builtin_bind(struct gk_rpc_front *front, struct gk_error *error);
bool gk_rpc_builtin_is(const struct gk_rpc_route *route);

/* server_close.c. The closer's thread: waits until a close is wanted, then closes what NNG has. */
void *gk_rpc_closer_run(void *front);

/* [loop] Parts with the front: frees it, or leaves that to the closer. */
void gk_rpc_front_leave(struct gk_rpc_front *front);

/* [loop] Leaves the loop when the server is closing, its peers are gone and the closer has finished. */
void gk_rpc_server_try_leave(struct gk_rpc_server *server);

#endif

/*
 * A process at the other end of a stream socket. It has one call in hand at a time: a byte that comes while a
 * call is being worked on is a breach and ends the connection.
 */
#include "rpc/server_internal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* Answers on their way to a peer; one that lets more pile up does not read them. */
enum { PENDING_WRITES_MAX = 4 };

struct gk_rpc_peer {
    uv_pipe_t pipe;
    struct gk_rpc_server *server;
    struct gk_principal principal;
    void (*on_closed)(struct gk_rpc_peer *peer, void *context);
    void *context;
    struct gk_rpc_call *call; /* in hand */
    unsigned pending_writes;
    uint8_t head[GK_RPC_FRAME_HEAD_SIZE];
    size_t head_size;
    uint8_t *body; /* being received; NULL while the head is */
    size_t body_capacity;
    size_t body_size;
    char breach[1]; /* room for a byte that must not come */
    struct gk_rpc_peer *previous;
    struct gk_rpc_peer *next;
};

struct peer_write {
    uv_write_t request;
    struct gk_rpc_peer *peer;
    uint8_t frame[];
};

static void unlink_peer(struct gk_rpc_peer *peer)
{
    if (peer->previous != NULL) {
        peer->previous->next = peer->next;
    } else {
        peer->server->peers = peer->next;
    }
    if (peer->next != NULL) {
        peer->next->previous = peer->previous;
    }
}

/* [loop] */
static void on_pipe_closed(uv_handle_t *handle)
{
    struct gk_rpc_peer *peer = handle->data;
    struct gk_rpc_server *server = peer->server;

    unlink_peer(peer);
    if (peer->on_closed != NULL) {
        peer->on_closed(peer, peer->context);
    }
    free(peer->body);
    free(peer);
    gk_rpc_server_try_leave(server);
}

static void close_peer(struct gk_rpc_peer *peer)
{
    struct gk_rpc_call *call = peer->call;

    if (uv_is_closing((uv_handle_t *)&peer->pipe)) {
        return;
    }
    uv_close((uv_handle_t *)&peer->pipe, on_pipe_closed);
    if (call != NULL) {
        gk_rpc_server_end(peer->server, call, GK_CANCELLED, "the peer has gone");
    }
}

void gk_rpc_peer_close_all(struct gk_rpc_server *server)
{
    for (struct gk_rpc_peer *peer = server->peers; peer != NULL; peer = peer->next) {
        close_peer(peer);
    }
}

void gk_rpc_peer_forget(struct gk_rpc_peer *peer)
{
    peer->call = NULL;
}

/* [loop] */
static void on_written(uv_write_t *request, int status)
{
    struct peer_write *write = request->data;
    struct gk_rpc_peer *peer = write->peer;

    peer->pending_writes--;
    free(write);
    if (status != 0) {
        close_peer(peer);
    }
}

void gk_rpc_peer_answer(struct gk_rpc_peer *peer, const struct gk_rpc_answer *answer)
{
    struct gk_rpc_outgoing outgoing;

    if (uv_is_closing((uv_handle_t *)&peer->pipe)) {
        return;
    }
    gk_rpc_outgoing_prepare(answer, peer->server->front->options.max_message_bytes, &outgoing);
    struct peer_write *write = malloc(sizeof *write + GK_RPC_FRAME_HEAD_SIZE + outgoing.size);

    if (write == NULL || peer->pending_writes >= PENDING_WRITES_MAX ||
        !gk_rpc_message_write(&outgoing.message, write->frame + GK_RPC_FRAME_HEAD_SIZE, outgoing.size)) {
        free(write);
        close_peer(peer);
        return;
    }
    gk_rpc_frame_head_write(write->frame, outgoing.size);
    write->peer = peer;
    write->request.data = write;
    const uv_buf_t frame =
        uv_buf_init((char *)write->frame, (unsigned)(GK_RPC_FRAME_HEAD_SIZE + outgoing.size));

    if (uv_write(&write->request, (uv_stream_t *)&peer->pipe, &frame, 1, on_written) != 0) {
        free(write);
        close_peer(peer);
        return;
    }
    peer->pending_writes++;
}

/* Takes the message that has been received in full; owns `body`. */
static void peer_received(struct gk_rpc_peer *peer, uint8_t *body, size_t size)
{
    struct gk_rpc_server *server = peer->server;
    struct gk_rpc_incoming incoming;
    struct gk_principal principal;
    struct gk_rpc_call *call;
    struct gk_error error;

    if (gk_rpc_admit(server->front, (struct gk_bytes){body, size}, &peer->principal, &incoming, &principal,
                     &error) != GK_OK ||
        gk_rpc_call_make(server->front, &incoming, &principal, &call, &error) != GK_OK) {
        free(body);
        gk_rpc_peer_answer(peer, &(struct gk_rpc_answer){.status = error.status,
                                                         .message = error.message,
                                                         .request_id = incoming.header.request_id});
        return;
    }
    call->peer = peer;
    call->bytes = body;
    peer->call = call;
    gk_rpc_server_begin(server, call);
}

/* [loop] Where the next bytes go: the length, the message, or nowhere. */
static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct gk_rpc_peer *peer = handle->data;

    (void)suggested;
    if (peer->call != NULL) {
        *buffer = uv_buf_init(peer->breach, sizeof peer->breach);
    } else if (peer->body == NULL) {
        *buffer = uv_buf_init((char *)peer->head + peer->head_size,
                              (unsigned)(sizeof peer->head - peer->head_size));
    } else {
        *buffer = uv_buf_init((char *)peer->body + peer->body_size,
                              (unsigned)(peer->body_capacity - peer->body_size));
    }
}

/* The length is complete: makes room for the message. False where it is out of bounds. */
static bool begin_body(struct gk_rpc_peer *peer)
{
    const size_t size = gk_rpc_frame_head_read(peer->head);

    if (size == 0 || size > peer->server->front->options.max_message_bytes) {
        return false;
    }
    peer->body = malloc(size);
    peer->body_capacity = size;
    peer->body_size = 0;
    return peer->body != NULL;
}

/* [loop] */
static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct gk_rpc_peer *peer = stream->data;

    (void)buffer;
    if (count == 0) {
        return;
    }
    if (count < 0 || peer->call != NULL) {
        close_peer(peer);
        return;
    }
    if (peer->body == NULL) {
        peer->head_size += (size_t)count;
        if (peer->head_size == sizeof peer->head && !begin_body(peer)) {
            close_peer(peer);
        }
        return;
    }
    peer->body_size += (size_t)count;
    if (peer->body_size == peer->body_capacity) {
        uint8_t *body = peer->body;

        peer->body = NULL;
        peer->head_size = 0;
        peer_received(peer, body, peer->body_capacity);
    }
}

/* libuv writes to a socket without MSG_NOSIGNAL: a peer that dies would take the process with it. */
static bool sigpipe_kills(void)
{
    struct sigaction action;

    return sigaction(SIGPIPE, NULL, &action) != 0 || action.sa_handler == SIG_DFL;
}

static void on_unused_closed(uv_handle_t *handle)
{
    free(handle->data);
}

enum gk_status gk_rpc_server_adopt(struct gk_rpc_server *server, int fd, const struct gk_principal *principal,
                                   void (*on_closed)(struct gk_rpc_peer *peer, void *context), void *context,
                                   struct gk_rpc_peer **ret_peer, struct gk_error *error)
{
    if (sigpipe_kills()) {
        return gk_error_set(error, GK_FAILED_PRECONDITION, "ignore SIGPIPE before serving a peer");
    }
    struct gk_rpc_peer *peer = calloc(1, sizeof *peer);

    if (peer == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for a peer");
    }
    peer->server = server;
    peer->principal = *principal;
    peer->on_closed = on_closed;
    peer->context = context;
    uv_pipe_init(server->loop, &peer->pipe, 0);
    peer->pipe.data = peer;
    const int code = uv_pipe_open(&peer->pipe, fd);

    if (code != 0) {
        uv_close((uv_handle_t *)&peer->pipe, on_unused_closed);
        return gk_error_set(error, GK_INVALID_ARGUMENT, "descriptor %d is no stream socket: %s", fd,
                            uv_strerror(code));
    }
    peer->next = server->peers;
    if (peer->next != NULL) {
        peer->next->previous = peer;
    }
    server->peers = peer;
    uv_read_start((uv_stream_t *)&peer->pipe, on_allocate, on_read);
    *ret_peer = peer;
    return GK_OK;
}

/*
 * A client's connection over a connected stream socket, as a child process inherits it: each message is
 * preceded by its length. A call that misses its deadline leaves an answer on the way that nobody waits for,
 * so the connection is given up with it.
 */
#include "rpc/client_transport.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct stream_connection {
    int fd;
    bool given_up;
    uint8_t *answer; /* the last one: view fields of the response point into it */
};

static enum gk_status stream_await(void *self, uint64_t deadline_ms, struct gk_error *error)
{
    const struct stream_connection *connection = self;

    (void)deadline_ms;
    return connection->given_up
               ? gk_error_set(error, GK_UNAVAILABLE,
                              "the connection was given up after a failed call; open another one")
               : GK_OK;
}

static enum gk_status wait_for(int fd, short events, uint64_t deadline_ms, struct gk_error *error)
{
    struct pollfd ready = {.fd = fd, .events = events};
    int count;

    do {
        count = poll(&ready, 1, gk_rpc_left_ms(deadline_ms));
    } while (count < 0 && errno == EINTR);
    if (count == 0) {
        return gk_error_set(error, GK_DEADLINE_EXCEEDED, "no answer within the deadline");
    }
    return count > 0 ? GK_OK : gk_error_set(error, GK_UNAVAILABLE, "poll: %s", strerror(errno));
}

static enum gk_status send_all(int fd, const uint8_t *data, size_t size, uint64_t deadline_ms,
                               struct gk_error *error)
{
    while (size > 0) {
        const enum gk_status status = wait_for(fd, POLLOUT, deadline_ms, error);

        if (status != GK_OK) {
            return status;
        }
        const ssize_t sent = send(fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent < 0 && errno != EAGAIN && errno != EINTR) {
            return gk_error_set(error, GK_UNAVAILABLE, "the connection broke: %s", strerror(errno));
        }
        if (sent > 0) {
            data += sent;
            size -= (size_t)sent;
        }
    }
    return GK_OK;
}

static enum gk_status receive_all(int fd, uint8_t *data, size_t size, uint64_t deadline_ms,
                                  struct gk_error *error)
{
    while (size > 0) {
        const enum gk_status status = wait_for(fd, POLLIN, deadline_ms, error);

        if (status != GK_OK) {
            return status;
        }
        const ssize_t received = recv(fd, data, size, MSG_DONTWAIT);

        if (received == 0) {
            return gk_error_set(error, GK_UNAVAILABLE, "the server closed the connection");
        }
        if (received < 0 && errno != EAGAIN && errno != EINTR) {
            return gk_error_set(error, GK_UNAVAILABLE, "the connection broke: %s", strerror(errno));
        }
        if (received > 0) {
            data += received;
            size -= (size_t)received;
        }
    }
    return GK_OK;
}

static enum gk_status send_request(struct stream_connection *connection, const struct gk_rpc_message *message,
                                   size_t size, uint64_t deadline_ms, struct gk_error *error)
{
    uint8_t *frame = malloc(GK_RPC_FRAME_HEAD_SIZE + size);
    enum gk_status status;

    if (frame == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for a request of %zu bytes", size);
    }
    gk_rpc_frame_head_write(frame, size);
    if (gk_rpc_message_write(message, frame + GK_RPC_FRAME_HEAD_SIZE, size)) {
        status = send_all(connection->fd, frame, GK_RPC_FRAME_HEAD_SIZE + size, deadline_ms, error);
    } else {
        status = gk_error_set(error, GK_INVALID_ARGUMENT, "the request does not encode");
    }
    free(frame);
    return status;
}

static enum gk_status receive_answer(struct stream_connection *connection, uint64_t deadline_ms,
                                     struct gk_bytes *ret_answer, struct gk_error *error)
{
    uint8_t head[GK_RPC_FRAME_HEAD_SIZE];
    enum gk_status status = receive_all(connection->fd, head, sizeof head, deadline_ms, error);

    if (status != GK_OK) {
        return status;
    }
    const size_t size = gk_rpc_frame_head_read(head);

    if (size == 0 || size > GK_RPC_MAX_MESSAGE_BYTES) {
        return gk_error_set(error, GK_UNAVAILABLE, "an answer of %zu bytes; 1 to %u are allowed", size,
                            GK_RPC_MAX_MESSAGE_BYTES);
    }
    connection->answer = malloc(size);
    if (connection->answer == NULL) {
        return gk_error_set(error, GK_UNAVAILABLE, "no memory for an answer of %zu bytes", size);
    }
    status = receive_all(connection->fd, connection->answer, size, deadline_ms, error);
    if (status == GK_OK) {
        *ret_answer = (struct gk_bytes){connection->answer, size};
    }
    return status;
}

static enum gk_status stream_exchange(void *self, const struct gk_rpc_message *message, size_t size,
                                      uint64_t deadline_ms, struct gk_bytes *ret_answer,
                                      struct gk_error *error)
{
    struct stream_connection *connection = self;

    free(connection->answer);
    connection->answer = NULL;
    enum gk_status status = send_request(connection, message, size, deadline_ms, error);

    if (status == GK_OK) {
        status = receive_answer(connection, deadline_ms, ret_answer, error);
    }
    connection->given_up = status != GK_OK;
    return status;
}

static void stream_close(void *self)
{
    struct stream_connection *connection = self;

    close(connection->fd);
    free(connection->answer);
    free(connection);
}

enum gk_status gk_rpc_stream_connect(int fd, void **ret_connection, struct gk_error *error)
{
    struct stream_connection *connection = calloc(1, sizeof *connection);

    if (connection == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for a connection");
    }
    connection->fd = fd;
    *ret_connection = connection;
    return GK_OK;
}

const struct gk_rpc_transport gk_rpc_transport_stream = {stream_await, stream_exchange, stream_close};

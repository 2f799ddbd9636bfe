/*
 * What a client needs of a connection: one request out, one answer back. Two kinds: NNG and stream socket.
 */
#ifndef GUIKA_RPC_CLIENT_TRANSPORT_H
#define GUIKA_RPC_CLIENT_TRANSPORT_H

#include "rpc/client.h"
#include "rpc/message.h"

/* All deadlines here are on gk_rpc_clock_ms. [any thread, one at a time] */
struct gk_rpc_transport {
    /* Waits until there is a connection. UNAVAILABLE where there is none by the deadline. */
    enum gk_status (*await)(void *connection, uint64_t deadline_ms, struct gk_error *error);

    /* Sends the message of `size` bytes and waits for its answer, which the connection keeps until the next
     * exchange. UNAVAILABLE where the connection broke, DEADLINE_EXCEEDED. */
    enum gk_status (*exchange)(void *connection, const struct gk_rpc_message *message, size_t size,
                               uint64_t deadline_ms, struct gk_bytes *ret_answer, struct gk_error *error);

    void (*close)(void *connection);
};

extern const struct gk_rpc_transport gk_rpc_transport_nng;
extern const struct gk_rpc_transport gk_rpc_transport_stream;

enum gk_status gk_rpc_nng_connect(const struct gk_rpc_client_options *options, void **ret_connection,
                                  struct gk_error *error);
enum gk_status gk_rpc_stream_connect(int fd, void **ret_connection, struct gk_error *error);

/* Monotonic clock, milliseconds. */
uint64_t gk_rpc_clock_ms(void);

/* Milliseconds left until `deadline_ms`; 0 when it has passed. */
int gk_rpc_left_ms(uint64_t deadline_ms);

#endif

#include "rpc/server_internal.h"

#include <stdlib.h>

/* [loop] The inbox has filled, or the closer has finished. */
static void on_wake(uv_async_t *wake)
{
    struct gk_rpc_server *server = wake->data;

    if (server->closing) {
        gk_rpc_server_try_leave(server);
    } else {
        gk_rpc_server_take(server);
    }
}

/* The timers cannot fail to start; the wake-up needs file descriptors, so it may. */
static int open_handles(struct gk_rpc_server *server)
{
    const int code = uv_async_init(server->loop, &server->wake, on_wake);

    if (code != 0) {
        return code;
    }
    uv_timer_init(server->loop, &server->deadline_timer);
    uv_timer_init(server->loop, &server->close_timer);
    server->wake.data = server;
    server->deadline_timer.data = server;
    server->close_timer.data = server;
    server->open_handles = 3;
    return 0;
}

enum gk_status gk_rpc_server_open(const struct gk_rpc_server_options *options,
                                  struct gk_rpc_server **ret_server, struct gk_error *error)
{
    struct gk_rpc_server *server = calloc(1, sizeof *server);

    if (server == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for an RPC server");
    }
    server->loop = options->loop;
    const enum gk_status status = gk_rpc_front_open(options, &server->wake, &server->front, error);

    if (status != GK_OK) {
        free(server);
        return status;
    }
    const int code = open_handles(server);

    if (code != 0) {
        gk_rpc_front_leave(server->front);
        free(server);
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "cannot wake the loop: %s", uv_strerror(code));
    }
    *ret_server = server;
    return GK_OK;
}

void gk_rpc_server_set_serving(struct gk_rpc_server *server, bool serving)
{
    atomic_store(&server->front->serving, serving);
}

size_t gk_rpc_server_in_flight(const struct gk_rpc_server *server)
{
    return server->in_hand.count + server->ended.count;
}

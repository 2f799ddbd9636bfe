/*
 * Leaving. nng_close may hang (it did after oversized TLS messages), so a thread of its own calls it and the
 * loop waits for that thread for a limited time. What the thread has not finished by then is left to it.
 */
#include "rpc/server_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

enum {
    DRAIN_MAX_MS = 1000, /* for answers that were begun */
    DRAIN_STEP_MS = 5,   /* between looks at whether they have gone */
    FLUSH_MS = 20,       /* a sent answer has reached the transport, not yet the wire */
    CLOSE_MAX_MS = 4000, /* after which the loop leaves without NNG */
};

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static void drain(struct gk_rpc_front *front)
{
    for (int waited_ms = 0; waited_ms < DRAIN_MAX_MS && atomic_load(&front->sending) > 0;
         waited_ms += DRAIN_STEP_MS) {
        pause_ms(DRAIN_STEP_MS);
    }
    pause_ms(FLUSH_MS);
}

void *gk_rpc_closer_run(void *argument)
{
    struct gk_rpc_front *front = argument;

    pthread_mutex_lock(&front->lock);
    while (!front->close_wanted) {
        pthread_cond_wait(&front->changed, &front->lock);
    }
    pthread_mutex_unlock(&front->lock);
    drain(front);
    gk_rpc_front_stop(front);

    pthread_mutex_lock(&front->lock);
    const bool left = front->wake == NULL;

    front->closed = true;
    if (!left) {
        uv_async_send(front->wake);
    }
    pthread_mutex_unlock(&front->lock);
    if (left) {
        gk_rpc_front_free(front);
    }
    return NULL;
}

void gk_rpc_front_leave(struct gk_rpc_front *front)
{
    pthread_mutex_lock(&front->lock);
    const bool closed = front->closed;

    front->wake = NULL;
    front->close_wanted = true;
    pthread_cond_signal(&front->changed);
    pthread_mutex_unlock(&front->lock);
    if (closed) {
        pthread_join(front->closer, NULL);
        gk_rpc_front_free(front);
    } else {
        pthread_detach(front->closer);
    }
}

/* [loop] */
static void on_handle_closed(uv_handle_t *handle)
{
    struct gk_rpc_server *server = handle->data;
    void (*on_closed)(void *context) = server->on_closed;
    void *context = server->on_closed_context;

    if (--server->open_handles > 0) {
        return;
    }
    for (size_t i = 0; i < server->url_count; i++) {
        free(server->urls[i]);
    }
    free(server->urls);
    free(server);
    if (on_closed != NULL) {
        on_closed(context);
    }
}

static void leave(struct gk_rpc_server *server)
{
    server->left = true;
    gk_rpc_front_leave(server->front);
    uv_close((uv_handle_t *)&server->wake, on_handle_closed);
    uv_close((uv_handle_t *)&server->deadline_timer, on_handle_closed);
    uv_close((uv_handle_t *)&server->close_timer, on_handle_closed);
}

void gk_rpc_server_try_leave(struct gk_rpc_server *server)
{
    struct gk_rpc_front *front = server->front;

    if (!server->closing || server->left || server->peers != NULL) {
        return;
    }
    pthread_mutex_lock(&front->lock);
    const bool closed = front->closed;
    pthread_mutex_unlock(&front->lock);
    if (closed) {
        leave(server);
    }
}

/* [loop] */
static void on_close_timeout(uv_timer_t *timer)
{
    struct gk_rpc_server *server = timer->data;

    if (!server->left) {
        leave(server);
    }
}

void gk_rpc_server_close(struct gk_rpc_server *server, void (*on_closed)(void *context), void *context)
{
    struct gk_rpc_front *front = server->front;

    assert(!server->closing);
    server->closing = true;
    server->on_closed = on_closed;
    server->on_closed_context = context;
    atomic_store(&front->serving, false);
    atomic_store(&front->closing, true);
    gk_rpc_server_end_all(server);
    gk_rpc_peer_close_all(server);
    uv_timer_stop(&server->deadline_timer);
    uv_update_time(server->loop);
    uv_timer_start(&server->close_timer, on_close_timeout, CLOSE_MAX_MS, 0);

    pthread_mutex_lock(&front->lock);
    front->close_wanted = true;
    pthread_cond_signal(&front->changed);
    pthread_mutex_unlock(&front->lock);
}

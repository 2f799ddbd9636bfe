/*
 * The life of a call in a handler's hands: made, begun, answered once, or ended without its handler.
 */
#include "rpc/server_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

uint64_t gk_rpc_now_ms(void)
{
    return uv_hrtime() / 1000000;
}

static void list_add(struct gk_rpc_call_list *list, struct gk_rpc_call *call)
{
    call->list = list;
    call->previous = NULL;
    call->next = list->head;
    if (list->head != NULL) {
        list->head->previous = call;
    }
    list->head = call;
    list->count++;
}

static void list_remove(struct gk_rpc_call *call)
{
    struct gk_rpc_call_list *list = call->list;

    if (list == NULL) {
        return;
    }
    if (call->previous != NULL) {
        call->previous->next = call->next;
    } else {
        list->head = call->next;
    }
    if (call->next != NULL) {
        call->next->previous = call->previous;
    }
    call->list = NULL;
    call->previous = NULL;
    call->next = NULL;
    list->count--;
}

enum gk_status gk_rpc_call_make(struct gk_rpc_front *front, const struct gk_rpc_incoming *incoming,
                                const struct gk_principal *principal, struct gk_rpc_call **ret_call,
                                struct gk_error *error)
{
    struct gk_rpc_call *call = calloc(1, sizeof *call);

    if (call == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for the call");
    }
    const enum gk_status status = gk_rpc_router_decode(incoming, &call->request, error);

    if (status != GK_OK) {
        free(call);
        return status;
    }
    call->front = front;
    call->route = *incoming->route;
    call->principal = *principal;
    call->deadline_ms = gk_rpc_now_ms() + incoming->deadline_ms;
    memcpy(call->language, incoming->header.language, sizeof call->language);
    memcpy(call->request_id, incoming->header.request_id, sizeof call->request_id);
    if (call->request_id[0] == '\0') {
        (void)snprintf(call->request_id, sizeof call->request_id, "%016" PRIx64,
                       front->request_id_base + (uint64_t)atomic_fetch_add(&front->calls, 1));
    }
    *ret_call = call;
    return GK_OK;
}

void gk_rpc_call_dispatch(struct gk_rpc_call *call)
{
    call->route.dispatch(call, call->request, call->route.handlers, call->route.context);
}

static void release_long_poll(struct gk_rpc_call *call)
{
    if (call->holds_long_poll) {
        call->holds_long_poll = false;
        atomic_fetch_sub(&call->front->long_polls, 1);
    }
}

/* Sends the answer to whoever waits. */
static void send_answer(struct gk_rpc_call *call, const struct gk_rpc_answer *answer)
{
    struct gk_rpc_slot *slot = call->slot;
    struct gk_rpc_peer *peer = call->peer;

    call->slot = NULL;
    call->peer = NULL;
    if (slot != NULL) {
        gk_rpc_slot_answer(slot, answer);
    }
    if (peer != NULL) {
        gk_rpc_peer_forget(peer);
        gk_rpc_peer_answer(peer, answer);
    }
}

/* Answers the call and frees it. The answer is encoded first: it may point into the request. */
static void finish(struct gk_rpc_call *call, const struct gk_rpc_answer *answer)
{
    if (call->front != NULL) {
        release_long_poll(call);
    }
    if (call->holds_busy) {
        atomic_fetch_sub(&call->front->busy, 1);
    }
    list_remove(call);
    send_answer(call, answer);
    nng_msg_free(call->message);
    free(call->bytes);
    free(call->request);
    free(call);
}

void gk_rpc_call_refuse(struct gk_rpc_call *call, const struct gk_error *error, uint32_t retry_after_ms)
{
    finish(call, &(struct gk_rpc_answer){.status = error->status,
                                         .message = error->message,
                                         .retry_after_ms = retry_after_ms,
                                         .request_id = call->request_id});
}

void gk_rpc_reply(struct gk_rpc_call *call, const void *response)
{
    finish(call, &(struct gk_rpc_answer){.status = GK_OK,
                                         .request_id = call->request_id,
                                         .type = call->route.method->response,
                                         .response = response});
}

void gk_rpc_fail(struct gk_rpc_call *call, enum gk_status status, const char *format, ...)
{
    struct gk_error error = {.status = status};
    va_list arguments;

    assert(status != GK_OK);
    va_start(arguments, format);
    (void)vsnprintf(error.message, sizeof error.message, format, arguments);
    va_end(arguments);
    gk_rpc_call_refuse(call, &error, 0);
}

void gk_rpc_fail_busy(struct gk_rpc_call *call, uint32_t retry_after_ms, const char *format, ...)
{
    struct gk_error error = {.status = GK_RESOURCE_EXHAUSTED};
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(error.message, sizeof error.message, format, arguments);
    va_end(arguments);
    gk_rpc_call_refuse(call, &error, retry_after_ms);
}

const struct gk_principal *gk_rpc_call_principal(const struct gk_rpc_call *call)
{
    return &call->principal;
}

const char *gk_rpc_call_request_id(const struct gk_rpc_call *call)
{
    return call->request_id;
}

const char *gk_rpc_call_language(const struct gk_rpc_call *call)
{
    return call->language;
}

const struct gk_rpc_peer *gk_rpc_call_peer(const struct gk_rpc_call *call)
{
    return call->peer;
}

uint64_t gk_rpc_call_client_key(const struct gk_rpc_call *call)
{
    return call->client_key;
}

uint64_t gk_rpc_call_deadline_ms(const struct gk_rpc_call *call)
{
    return call->deadline_ms;
}

void gk_rpc_call_on_ended(struct gk_rpc_call *call, void (*on_ended)(struct gk_rpc_call *call, void *context),
                          void *context)
{
    call->on_ended = on_ended;
    call->on_ended_context = context;
}

static void arm(struct gk_rpc_server *server, uint64_t deadline_ms)
{
    const uint64_t now_ms = gk_rpc_now_ms();

    if (server->armed_ms != 0 && server->armed_ms <= deadline_ms) {
        return;
    }
    server->armed_ms = deadline_ms;
    uv_update_time(server->loop);
    uv_timer_start(&server->deadline_timer, gk_rpc_server_on_deadline,
                   deadline_ms > now_ms ? deadline_ms - now_ms : 0, 0);
}

void gk_rpc_server_begin(struct gk_rpc_server *server, struct gk_rpc_call *call)
{
    if (call->deadline_ms <= gk_rpc_now_ms()) {
        const struct gk_error error = {GK_DEADLINE_EXCEEDED, "the deadline passed before the call began"};

        gk_rpc_call_refuse(call, &error, 0);
        return;
    }
    list_add(&server->in_hand, call);
    arm(server, call->deadline_ms);
    gk_rpc_call_dispatch(call);
}

void gk_rpc_server_end(struct gk_rpc_server *server, struct gk_rpc_call *call, enum gk_status status,
                       const char *message)
{
    release_long_poll(call);
    if (call->slot != NULL) {
        call->holds_busy = true;
        atomic_fetch_add(&call->front->busy, 1);
    }
    list_remove(call);
    list_add(&server->ended, call);
    send_answer(
        call, &(struct gk_rpc_answer){.status = status, .message = message, .request_id = call->request_id});
    if (call->on_ended != NULL) {
        call->on_ended(call, call->on_ended_context);
    }
}

static struct gk_rpc_call *first_expired(const struct gk_rpc_server *server, uint64_t now_ms,
                                         uint64_t *ret_next_ms)
{
    *ret_next_ms = 0;
    for (struct gk_rpc_call *call = server->in_hand.head; call != NULL; call = call->next) {
        if (call->deadline_ms <= now_ms) {
            return call;
        }
        if (*ret_next_ms == 0 || call->deadline_ms < *ret_next_ms) {
            *ret_next_ms = call->deadline_ms;
        }
    }
    return NULL;
}

void gk_rpc_server_on_deadline(uv_timer_t *timer)
{
    struct gk_rpc_server *server = timer->data;
    struct gk_rpc_call *call;
    uint64_t next_ms;

    server->armed_ms = 0;
    while ((call = first_expired(server, gk_rpc_now_ms(), &next_ms)) != NULL) {
        gk_rpc_server_end(server, call, GK_DEADLINE_EXCEEDED, "the deadline passed");
    }
    if (next_ms != 0) {
        arm(server, next_ms);
    }
}

/* Moves the inbox behind what was taken before and has not begun. */
static void take_inbox(struct gk_rpc_server *server)
{
    struct gk_rpc_call **end = &server->taken;

    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = gk_rpc_front_take(server->front);
}

void gk_rpc_server_end_all(struct gk_rpc_server *server)
{
    struct gk_rpc_call *call;

    take_inbox(server);
    while ((call = server->taken) != NULL) {
        const struct gk_error error = {GK_UNAVAILABLE, "the service is shutting down"};

        server->taken = call->next;
        call->next = NULL;
        gk_rpc_call_refuse(call, &error, 0);
    }
    while (server->in_hand.head != NULL) {
        gk_rpc_server_end(server, server->in_hand.head, GK_UNAVAILABLE, "the service is shutting down");
    }
    while ((call = server->ended.head) != NULL) {
        list_remove(call);
        call->front = NULL;
        call->holds_busy = false;
    }
}

void gk_rpc_server_take(struct gk_rpc_server *server)
{
    struct gk_rpc_call *call;

    take_inbox(server);
    while ((call = server->taken) != NULL) {
        server->taken = call->next;
        call->next = NULL;
        gk_rpc_server_begin(server, call);
    }
}

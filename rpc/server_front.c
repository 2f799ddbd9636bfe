/*
 * The side that NNG's threads run: slots receive, admit, and hand over to the loop.
 *
 * The inbox is a list that any thread pushes onto and the loop takes as a whole; only the push onto an empty
 * list wakes the loop. A send that does not get through in time closes the connection it was for, because
 * every context that answers that client would wait as long.
 */
#include "rpc/server_internal.h"

#include <inttypes.h>
#include <nng/protocol/reqrep0/rep.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* How long an answer may take that was sent from a spare context: these must not be held. */
enum { SPARE_SEND_TIMEOUT_MS = 250 };

static void slot_receive(struct gk_rpc_slot *slot)
{
    slot->state = GK_RPC_SLOT_RECEIVING;
    slot->refused = false;
    atomic_fetch_sub(&slot->front->busy, 1);
    nng_aio_set_timeout(slot->aio, NNG_DURATION_INFINITE);
    nng_ctx_recv(slot->context, slot->aio);
}

void gk_rpc_outgoing_prepare(const struct gk_rpc_answer *answer, size_t max_bytes,
                             struct gk_rpc_outgoing *ret_outgoing)
{
    guika_v1_ResponseHeader *header = &ret_outgoing->header;
    struct gk_rpc_message *message = &ret_outgoing->message;
    size_t payload_size;

    *header = (guika_v1_ResponseHeader){.status = (uint32_t)answer->status,
                                        .retry_after_ms = answer->retry_after_ms};
    strncpy(header->request_id, answer->request_id, sizeof header->request_id - 1);
    if (answer->message != NULL) {
        strncpy(header->message, answer->message, sizeof header->message - 1);
    }
    *message = (struct gk_rpc_message){&guika_v1_ResponseHeader_msg, header, answer->type, answer->response};
    if (gk_rpc_message_size(message, &ret_outgoing->size, &payload_size) && ret_outgoing->size <= max_bytes) {
        return;
    }
    header->status = GK_INTERNAL;
    strcpy(header->message, "the answer does not encode or is too long");
    message->payload_type = NULL;
    (void)gk_rpc_message_size(message, &ret_outgoing->size, &payload_size);
}

void gk_rpc_slot_answer(struct gk_rpc_slot *slot, const struct gk_rpc_answer *answer)
{
    struct gk_rpc_front *front = slot->front;
    struct gk_rpc_outgoing outgoing;
    nng_msg *message;

    gk_rpc_outgoing_prepare(answer, front->options.max_message_bytes, &outgoing);
    if (nng_msg_alloc(&message, outgoing.size) != 0) {
        slot_receive(slot);
        return;
    }
    if (!gk_rpc_message_write(&outgoing.message, nng_msg_body(message), outgoing.size)) {
        nng_msg_free(message);
        slot_receive(slot);
        return;
    }
    slot->state = GK_RPC_SLOT_SENDING;
    atomic_fetch_add(&front->sending, 1);
    nng_aio_set_msg(slot->aio, message);
    nng_aio_set_timeout(
        slot->aio, (nng_duration)(slot->refused ? SPARE_SEND_TIMEOUT_MS : front->options.send_timeout_ms));
    nng_ctx_send(slot->context, slot->aio);
}

static void slot_refuse(struct gk_rpc_slot *slot, const struct gk_rpc_incoming *incoming,
                        const struct gk_error *error, uint32_t retry_after_ms)
{
    gk_rpc_slot_answer(slot, &(struct gk_rpc_answer){.status = error->status,
                                                     .message = error->message,
                                                     .retry_after_ms = retry_after_ms,
                                                     .request_id = incoming->header.request_id});
}

/* FNV-1a over the remote address without its port; of IPv6 the /64 that one subscriber has. */
static uint64_t client_key(nng_pipe pipe)
{
    nng_sockaddr address;
    const uint8_t *bytes = (const uint8_t *)"";
    size_t size = 0;
    uint64_t hash = 0xcbf29ce484222325;

    if (nng_pipe_get_addr(pipe, NNG_OPT_REMADDR, &address) != 0) {
        return hash;
    }
    if (address.s_family == NNG_AF_INET) {
        bytes = (const uint8_t *)&address.s_in.sa_addr;
        size = sizeof address.s_in.sa_addr;
    } else if (address.s_family == NNG_AF_INET6) {
        bytes = (const uint8_t *)address.s_in6.sa_addr;
        size = 8;
    }
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * 0x100000001b3;
    }
    return hash;
}

void gk_rpc_front_wake(struct gk_rpc_front *front)
{
    pthread_mutex_lock(&front->lock);
    if (front->wake != NULL) {
        uv_async_send(front->wake);
    }
    pthread_mutex_unlock(&front->lock);
}

/* Hands the call to the loop. False where its queue is full. */
static bool push(struct gk_rpc_front *front, struct gk_rpc_call *call)
{
    if (atomic_fetch_add(&front->queued, 1) >= front->options.loop_queue) {
        atomic_fetch_sub(&front->queued, 1);
        return false;
    }
    struct gk_rpc_call *head = atomic_load(&front->inbox);

    do {
        call->next = head;
    } while (!atomic_compare_exchange_weak(&front->inbox, &head, call));
    if (head == NULL) {
        gk_rpc_front_wake(front);
    }
    return true;
}

struct gk_rpc_call *gk_rpc_front_take(struct gk_rpc_front *front)
{
    struct gk_rpc_call *newest = atomic_exchange(&front->inbox, NULL);
    struct gk_rpc_call *oldest = NULL;

    while (newest != NULL) {
        struct gk_rpc_call *next = newest->next;

        newest->next = oldest;
        oldest = newest;
        newest = next;
        atomic_fetch_sub(&front->queued, 1);
    }
    return oldest;
}

/* The limits on contexts. A method that is answered at once, on this thread, holds none. */
static enum gk_status claim(struct gk_rpc_slot *slot, const struct gk_rpc_method *method,
                            struct gk_error *error)
{
    struct gk_rpc_front *front = slot->front;
    const struct gk_rpc_server_options *options = &front->options;

    if (method->thread == GK_RPC_ON_RECEIVER) {
        return GK_OK;
    }
    if (atomic_load(&front->busy) > options->contexts - options->spare_contexts) {
        slot->refused = true;
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "the service has all the calls it can hold");
    }
    if (!method->long_poll) {
        return GK_OK;
    }
    if (atomic_fetch_add(&front->long_polls, 1) >= options->long_polls) {
        atomic_fetch_sub(&front->long_polls, 1);
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "the service has all the long polls it can hold");
    }
    return GK_OK;
}

/* Takes the call as far as it goes on this thread. */
static void hand_over(struct gk_rpc_slot *slot, struct gk_rpc_call *call)
{
    if (call->route.method->thread == GK_RPC_ON_RECEIVER) {
        gk_rpc_call_dispatch(call);
        return;
    }
    if (!push(slot->front, call)) {
        const struct gk_error error = {GK_RESOURCE_EXHAUSTED, "the service is busy"};

        gk_rpc_call_refuse(call, &error, GK_RPC_RETRY_HINT_MS);
    }
}

/* [nng] A message has come: `message` is owned from now on. */
static void slot_received(struct gk_rpc_slot *slot, nng_msg *message)
{
    struct gk_rpc_front *front = slot->front;
    const struct gk_bytes bytes = {nng_msg_body(message), nng_msg_len(message)};
    struct gk_rpc_incoming incoming;
    struct gk_principal principal;
    struct gk_rpc_call *call;
    struct gk_error error;

    slot->state = GK_RPC_SLOT_WORKING;
    slot->pipe = nng_msg_get_pipe(message);
    atomic_fetch_add(&front->busy, 1);
    if (gk_rpc_admit(front, bytes, NULL, &incoming, &principal, &error) != GK_OK) {
        slot_refuse(slot, &incoming, &error, 0);
    } else if (claim(slot, incoming.route->method, &error) != GK_OK) {
        slot_refuse(slot, &incoming, &error, GK_RPC_RETRY_HINT_MS);
    } else if (gk_rpc_call_make(front, &incoming, &principal, &call, &error) != GK_OK) {
        if (incoming.route->method->long_poll) {
            atomic_fetch_sub(&front->long_polls, 1);
        }
        slot_refuse(slot, &incoming, &error, 0);
    } else {
        call->slot = slot;
        call->message = message;
        call->client_key = client_key(slot->pipe);
        call->holds_long_poll = call->route.method->long_poll;
        hand_over(slot, call);
        return;
    }
    nng_msg_free(message);
}

/* [nng] */
static void slot_sent(struct gk_rpc_slot *slot, int result)
{
    if (result != 0) {
        nng_msg_free(nng_aio_get_msg(slot->aio));
        nng_aio_set_msg(slot->aio, NULL);
    }
    atomic_fetch_sub(&slot->front->sending, 1);
    if (result == NNG_ETIMEDOUT) {
        nng_pipe_close(slot->pipe);
    }
    slot_receive(slot);
}

/* [nng] */
static void on_slot(void *argument)
{
    struct gk_rpc_slot *slot = argument;
    const int result = nng_aio_result(slot->aio);

    if (slot->state == GK_RPC_SLOT_SENDING) {
        slot_sent(slot, result);
    } else if (result == 0 && atomic_load(&slot->front->closing)) {
        nng_msg_free(nng_aio_get_msg(slot->aio));
    } else if (result == 0) {
        slot_received(slot, nng_aio_get_msg(slot->aio));
    } else if (result != NNG_ECLOSED && result != NNG_ECANCELED) {
        nng_ctx_recv(slot->context, slot->aio);
    }
}

static void fill_defaults(struct gk_rpc_server_options *options)
{
    options->contexts = options->contexts != 0 ? options->contexts : 256;
    options->spare_contexts = options->spare_contexts != 0 ? options->spare_contexts : 16;
    options->long_polls = options->long_polls != 0 ? options->long_polls : 64;
    options->loop_queue = options->loop_queue != 0 ? options->loop_queue : 128;
    options->send_timeout_ms = options->send_timeout_ms != 0 ? options->send_timeout_ms : 5000;
    options->max_message_bytes =
        options->max_message_bytes != 0 ? options->max_message_bytes : GK_RPC_MAX_MESSAGE_BYTES;
}

static enum gk_status check_options(const struct gk_rpc_front *front, struct gk_error *error)
{
    const struct gk_rpc_server_options *options = &front->options;

    if (options->spare_contexts >= options->contexts) {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "spare contexts must be fewer than the %" PRIu32 " contexts, not %" PRIu32,
                            options->contexts, options->spare_contexts);
    }
    for (size_t i = 0; i < front->router.count; i++) {
        const struct gk_rpc_method *method = front->router.routes[i].method;

        if (method->max_request_bytes + sizeof(guika_v1_RequestHeader) > options->max_message_bytes) {
            return gk_error_set(error, GK_INVALID_ARGUMENT,
                                "%s takes %" PRIu32 " bytes, too near the transport's limit of %" PRIu32,
                                method->name, method->max_request_bytes, options->max_message_bytes);
        }
    }
    return GK_OK;
}

/* Opens the slots; all of them count as busy until they receive. */
static int open_slots(struct gk_rpc_front *front)
{
    const uint32_t count = front->options.contexts;

    for (uint32_t i = 0; i < count; i++) {
        struct gk_rpc_slot *slot = &front->slots[i];

        slot->front = front;
        int code = nng_ctx_open(&slot->context, front->socket);

        code = code != 0 ? code : nng_aio_alloc(&slot->aio, on_slot, slot);
        if (code != 0) {
            return code;
        }
    }
    atomic_store(&front->busy, count);
    for (uint32_t i = 0; i < count; i++) {
        slot_receive(&front->slots[i]);
    }
    return 0;
}

void gk_rpc_front_stop(struct gk_rpc_front *front)
{
    nng_close(front->socket);
    for (uint32_t i = 0; i < front->options.contexts; i++) {
        nng_aio_free(front->slots[i].aio);
        front->slots[i].aio = NULL;
    }
}

void gk_rpc_front_free(struct gk_rpc_front *front)
{
    const struct gk_error error = {GK_UNAVAILABLE, "the service is shutting down"};
    struct gk_rpc_call *call = gk_rpc_front_take(front);

    while (call != NULL) {
        struct gk_rpc_call *next = call->next;

        call->next = NULL;
        call->slot = NULL;
        gk_rpc_call_refuse(call, &error, 0);
        call = next;
    }
    pthread_cond_destroy(&front->changed);
    pthread_mutex_destroy(&front->lock);
    gk_rpc_router_free(&front->router);
    free(front->slots);
    free(front);
}

static enum gk_status start(struct gk_rpc_front *front, struct gk_error *error)
{
    int code = nng_rep0_open(&front->socket);

    if (code != 0) {
        return gk_error_set(error, GK_INTERNAL, "cannot open a REP socket: %s", nng_strerror(code));
    }
    code = open_slots(front);
    if (code == 0 && pthread_create(&front->closer, NULL, gk_rpc_closer_run, front) != 0) {
        code = NNG_ENOMEM;
    }
    if (code != 0) {
        gk_rpc_front_stop(front);
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "cannot open %" PRIu32 " contexts: %s",
                            front->options.contexts, nng_strerror(code));
    }
    return GK_OK;
}

enum gk_status gk_rpc_front_open(const struct gk_rpc_server_options *options, uv_async_t *wake,
                                 struct gk_rpc_front **ret_front, struct gk_error *error)
{
    struct gk_rpc_front *front = calloc(1, sizeof *front);
    enum gk_status status;

    if (front == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for an RPC server");
    }
    front->options = *options;
    fill_defaults(&front->options);
    front->wake = wake;
    atomic_init(&front->serving, true);
    pthread_mutex_init(&front->lock, NULL);
    pthread_cond_init(&front->changed, NULL);
    if (getrandom(&front->request_id_base, sizeof front->request_id_base, 0) < 0) {
        front->request_id_base = uv_hrtime();
    }
    front->slots = calloc(front->options.contexts, sizeof *front->slots);
    status = front->slots != NULL ? gk_rpc_builtin_bind(front, error)
                                  : gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for contexts");
    if (status == GK_OK) {
        status = gk_rpc_router_add(&front->router, options->bindings, options->binding_count, error);
        front->options.bindings = NULL;
    }
    if (status == GK_OK) {
        status = check_options(front, error);
    }
    if (status == GK_OK) {
        status = start(front, error);
    }
    if (status != GK_OK) {
        gk_rpc_front_free(front);
        return status;
    }
    *ret_front = front;
    return GK_OK;
}

#include "rpc/client.h"

#include "guika/v1/envelope.pb.h"
#include "rpc/client_transport.h"

#include <inttypes.h>
#include <limits.h>
#include <pb_decode.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

struct gk_rpc_client {
    const struct gk_rpc_transport *transport;
    void *connection;
    char token[sizeof((guika_v1_RequestHeader *)NULL)->authorization];
    char language[sizeof((guika_v1_RequestHeader *)NULL)->language];
    uint32_t retry_after_ms;
};

uint64_t gk_rpc_clock_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int gk_rpc_left_ms(uint64_t deadline_ms)
{
    const uint64_t now_ms = gk_rpc_clock_ms();

    if (deadline_ms <= now_ms) {
        return 0;
    }
    return deadline_ms - now_ms > INT_MAX ? INT_MAX : (int)(deadline_ms - now_ms);
}

/* Copies a text of the header. `what` names it in the error. */
static enum gk_status copy_text(char *to, size_t capacity, const char *text, const char *what,
                                struct gk_error *error)
{
    if (text == NULL) {
        return GK_OK;
    }
    const size_t length = strlen(text);

    if (length >= capacity) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "%s has %zu characters, at most %zu are allowed",
                            what, length, capacity - 1);
    }
    memcpy(to, text, length + 1);
    return GK_OK;
}

enum gk_status gk_rpc_client_open(const struct gk_rpc_client_options *options,
                                  struct gk_rpc_client **ret_client, struct gk_error *error)
{
    struct gk_rpc_client *client = calloc(1, sizeof *client);
    enum gk_status status;

    if (client == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for an RPC client");
    }
    client->transport = &gk_rpc_transport_nng;
    status = copy_text(client->token, sizeof client->token, options->token, "the token", error);
    if (status == GK_OK) {
        status =
            copy_text(client->language, sizeof client->language, options->language, "the language", error);
    }
    if (status == GK_OK) {
        status = gk_rpc_nng_connect(options, &client->connection, error);
    }
    if (status != GK_OK) {
        free(client);
        return status;
    }
    *ret_client = client;
    return GK_OK;
}

enum gk_status gk_rpc_client_open_stream(int fd, struct gk_rpc_client **ret_client, struct gk_error *error)
{
    struct gk_rpc_client *client = calloc(1, sizeof *client);

    if (client == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for an RPC client");
    }
    const enum gk_status status = gk_rpc_stream_connect(fd, &client->connection, error);

    if (status != GK_OK) {
        free(client);
        return status;
    }
    client->transport = &gk_rpc_transport_stream;
    *ret_client = client;
    return GK_OK;
}

void gk_rpc_client_close(struct gk_rpc_client *client)
{
    if (client != NULL) {
        client->transport->close(client->connection);
        free(client);
    }
}

uint32_t gk_rpc_client_retry_after_ms(const struct gk_rpc_client *client)
{
    return client->retry_after_ms;
}

/* What the server is told is a little less than what is left, so that its answer arrives in time. */
static uint32_t deadline_for_server(uint64_t deadline_ms)
{
    enum { WAY_BACK_MAX_MS = 100 };
    const uint32_t left_ms = (uint32_t)gk_rpc_left_ms(deadline_ms);
    const uint32_t way_back_ms = left_ms / 10 < WAY_BACK_MAX_MS ? left_ms / 10 : WAY_BACK_MAX_MS;

    return left_ms - way_back_ms;
}

static enum gk_status fill_header(const struct gk_rpc_client *client, const struct gk_rpc_method *method,
                                  const struct gk_rpc_call_options *options, guika_v1_RequestHeader *header,
                                  struct gk_error *error)
{
    enum gk_status status =
        copy_text(header->method, sizeof header->method, method->name, "the method's name", error);

    if (status != GK_OK) {
        return status;
    }
    memcpy(header->authorization, client->token, sizeof header->authorization);
    memcpy(header->language, client->language, sizeof header->language);
    if (options != NULL && options->request_id != NULL) {
        return copy_text(header->request_id, sizeof header->request_id, options->request_id, "the request id",
                         error);
    }
    uint64_t random = 0;

    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) {
        random = gk_rpc_clock_ms();
    }
    (void)snprintf(header->request_id, sizeof header->request_id, "%016" PRIx64, random);
    return GK_OK;
}

/* Decodes into memory of its own first: the caller's struct stays untouched on failure. */
static enum gk_status decode_response(const struct gk_rpc_method *method, struct gk_bytes payload,
                                      void *ret_response, struct gk_error *error)
{
    pb_istream_t stream = pb_istream_from_buffer(payload.data, payload.size);
    void *response = calloc(1, method->response_size);
    enum gk_status status = GK_OK;

    if (response == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for the answer");
    }
    if (pb_decode(&stream, method->response, response)) {
        memcpy(ret_response, response, method->response_size);
    } else {
        status = gk_error_set(error, GK_INTERNAL, "the answer to %s is malformed", method->name);
    }
    free(response);
    return status;
}

static enum gk_status read_answer(struct gk_rpc_client *client, const struct gk_rpc_method *method,
                                  struct gk_bytes answer, void *ret_response, struct gk_error *error)
{
    guika_v1_ResponseHeader header = guika_v1_ResponseHeader_init_zero;
    struct gk_bytes payload;

    if (!gk_rpc_message_split(answer, &guika_v1_ResponseHeader_msg, &header, &payload)) {
        return gk_error_set(error, GK_INTERNAL, "the answer's header is malformed");
    }
    if (header.status != GK_OK) {
        const enum gk_status status =
            header.status <= GK_UNAUTHENTICATED ? (enum gk_status)header.status : GK_UNKNOWN;

        client->retry_after_ms = header.retry_after_ms;
        return gk_error_set(error, status, "%s", header.message);
    }
    return decode_response(method, payload, ret_response, error);
}

enum gk_status gk_rpc_client_call(struct gk_rpc_client *client, const struct gk_rpc_method *method,
                                  const struct gk_rpc_call_options *options, const void *request,
                                  void *ret_response, struct gk_error *error)
{
    const uint32_t wanted_ms = options != NULL ? options->deadline_ms : 0;
    const uint64_t deadline_ms =
        gk_rpc_clock_ms() + (wanted_ms != 0 ? wanted_ms : method->default_deadline_ms);
    guika_v1_RequestHeader header = guika_v1_RequestHeader_init_zero;
    const struct gk_rpc_message message = {&guika_v1_RequestHeader_msg, &header, method->request, request};
    size_t size;
    size_t payload_size;
    struct gk_bytes answer;
    enum gk_status status;

    client->retry_after_ms = 0;
    status = fill_header(client, method, options, &header, error);
    if (status == GK_OK) {
        status = client->transport->await(client->connection, deadline_ms, error);
    }
    if (status != GK_OK) {
        return status;
    }
    header.deadline_ms = deadline_for_server(deadline_ms);
    if (header.deadline_ms == 0) {
        return gk_error_set(error, GK_DEADLINE_EXCEEDED, "the deadline passed before %s was sent",
                            method->name);
    }
    if (!gk_rpc_message_size(&message, &size, &payload_size)) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "the request of %s does not encode", method->name);
    }
    if (payload_size > method->max_request_bytes) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "%s takes at most %" PRIu32 " bytes, these are %zu",
                            method->name, method->max_request_bytes, payload_size);
    }
    status = client->transport->exchange(client->connection, &message, size, deadline_ms, &answer, error);
    return status == GK_OK ? read_answer(client, method, answer, ret_response, error) : status;
}

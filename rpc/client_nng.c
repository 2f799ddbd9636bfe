/*
 * A client's connection over NNG: a REQ socket with one dialer that connects again by itself.
 */
#include "rpc/client_transport.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <nng/supplemental/tls/tls.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CLOSE_MAX_S = 4 };

/* A lost server is looked for at once, then ever more slowly. */
enum { RECONNECT_MIN_MS = 50, RECONNECT_MAX_MS = 1000 };

struct nng_connection {
    nng_socket socket;
    nng_aio *aio;
    nng_msg *answer; /* the last one: view fields of the response point into it */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int pipes; /* connections that stand; under `lock` */
};

/* [nng] */
static void on_pipe(nng_pipe pipe, nng_pipe_ev event, void *argument)
{
    struct nng_connection *connection = argument;

    (void)pipe;
    pthread_mutex_lock(&connection->lock);
    connection->pipes += event == NNG_PIPE_EV_ADD_POST ? 1 : -1;
    pthread_cond_signal(&connection->changed);
    pthread_mutex_unlock(&connection->lock);
}

static enum gk_status nng_await(void *self, uint64_t deadline_ms, struct gk_error *error)
{
    struct nng_connection *connection = self;
    const struct timespec until = {.tv_sec = (time_t)(deadline_ms / 1000),
                                   .tv_nsec = (long)(deadline_ms % 1000) * 1000000};
    int failed = 0;

    pthread_mutex_lock(&connection->lock);
    while (connection->pipes == 0 && failed == 0) {
        failed = pthread_cond_timedwait(&connection->changed, &connection->lock, &until);
    }
    const bool connected = connection->pipes > 0;
    pthread_mutex_unlock(&connection->lock);
    return connected ? GK_OK : gk_error_set(error, GK_UNAVAILABLE, "no connection within the deadline");
}

static enum gk_status failure(int code, struct gk_error *error)
{
    if (code == NNG_ETIMEDOUT) {
        return gk_error_set(error, GK_DEADLINE_EXCEEDED, "no answer within the deadline");
    }
    return gk_error_set(error, GK_UNAVAILABLE, "the connection broke: %s", nng_strerror(code));
}

/* Runs one operation on the aio and waits for it. */
static int run(struct nng_connection *connection, void (*operation)(nng_socket, nng_aio *),
               uint64_t deadline_ms)
{
    nng_aio_set_timeout(connection->aio, gk_rpc_left_ms(deadline_ms));
    operation(connection->socket, connection->aio);
    nng_aio_wait(connection->aio);
    return nng_aio_result(connection->aio);
}

static enum gk_status nng_exchange(void *self, const struct gk_rpc_message *message, size_t size,
                                   uint64_t deadline_ms, struct gk_bytes *ret_answer, struct gk_error *error)
{
    struct nng_connection *connection = self;
    nng_msg *request;
    int code = nng_msg_alloc(&request, size);

    if (code != 0) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for a request of %zu bytes", size);
    }
    if (!gk_rpc_message_write(message, nng_msg_body(request), size)) {
        nng_msg_free(request);
        return gk_error_set(error, GK_INVALID_ARGUMENT, "the request does not encode");
    }
    nng_msg_free(connection->answer);
    connection->answer = NULL;
    nng_aio_set_msg(connection->aio, request);
    code = run(connection, nng_send_aio, deadline_ms);
    if (code != 0) {
        nng_msg_free(request);
        return failure(code, error);
    }
    code = run(connection, nng_recv_aio, deadline_ms);
    if (code != 0) {
        return failure(code, error);
    }
    connection->answer = nng_aio_get_msg(connection->aio);
    *ret_answer = (struct gk_bytes){nng_msg_body(connection->answer), nng_msg_len(connection->answer)};
    return GK_OK;
}

static void *close_socket(void *argument)
{
    nng_socket *socket = argument;

    nng_close(*socket);
    free(socket);
    return NULL;
}

/* nng_close may hang (it did after oversized TLS messages): a thread of its own calls it, and after a while
 * it is left to that thread. */
static void close_within_bounds(nng_socket socket)
{
    nng_socket *copy = malloc(sizeof *copy);
    struct timespec deadline;
    pthread_t closer;

    if (copy == NULL) {
        return; /* the process has other troubles than an open socket */
    }
    *copy = socket;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += CLOSE_MAX_S;
    if (pthread_create(&closer, NULL, close_socket, copy) != 0) {
        free(copy);
    } else if (pthread_timedjoin_np(closer, NULL, &deadline) != 0) {
        pthread_detach(closer);
    }
}

static void nng_disconnect(void *self)
{
    struct nng_connection *connection = self;

    nng_aio_stop(connection->aio);
    close_within_bounds(connection->socket);
    nng_aio_free(connection->aio);
    nng_msg_free(connection->answer);
    pthread_cond_destroy(&connection->changed);
    pthread_mutex_destroy(&connection->lock);
    free(connection);
}

static bool is_tls(const char *url)
{
    return strncmp(url, "tls+tcp", 7) == 0 || strncmp(url, "wss", 3) == 0;
}

static enum gk_status use_tls(nng_dialer dialer, const struct gk_rpc_client_options *options,
                              struct gk_error *error)
{
    nng_tls_config *config;
    int code = nng_tls_config_alloc(&config, NNG_TLS_MODE_CLIENT);

    if (code != 0) {
        return gk_error_set(error, GK_INTERNAL, "TLS: %s", nng_strerror(code));
    }
    code = nng_tls_config_ca_file(config, options->ca_file);
    if (code != 0) {
        nng_tls_config_free(config);
        return gk_error_set(error, GK_INVALID_ARGUMENT, "cannot use the certificates in %s: %s",
                            options->ca_file, nng_strerror(code));
    }
    code = nng_tls_config_server_name(config, options->server_name);
    code = code != 0 ? code : nng_tls_config_auth_mode(config, NNG_TLS_AUTH_MODE_REQUIRED);
    code = code != 0 ? code : nng_dialer_set_ptr(dialer, NNG_OPT_TLS_CONFIG, config);
    nng_tls_config_free(config);
    return code == 0 ? GK_OK : gk_error_set(error, GK_INTERNAL, "TLS: %s", nng_strerror(code));
}

static enum gk_status dial(struct nng_connection *connection, const struct gk_rpc_client_options *options,
                           struct gk_error *error)
{
    nng_dialer dialer;
    int code = nng_dialer_create(&dialer, connection->socket, options->url);

    if (code != 0) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "cannot connect to \"%s\": %s", options->url,
                            nng_strerror(code));
    }
    if (is_tls(options->url)) {
        const enum gk_status status = use_tls(dialer, options, error);

        if (status != GK_OK) {
            return status;
        }
    }
    code = nng_dialer_set_size(dialer, NNG_OPT_RECVMAXSZ, GK_RPC_MAX_MESSAGE_BYTES);
    code = code != 0 ? code : nng_dialer_set_ms(dialer, NNG_OPT_RECONNMINT, RECONNECT_MIN_MS);
    code = code != 0 ? code : nng_dialer_set_ms(dialer, NNG_OPT_RECONNMAXT, RECONNECT_MAX_MS);
    code = code != 0 ? code : nng_dialer_start(dialer, NNG_FLAG_NONBLOCK);
    return code == 0 ? GK_OK
                     : gk_error_set(error, GK_INVALID_ARGUMENT, "cannot connect to \"%s\": %s", options->url,
                                    nng_strerror(code));
}

/* A request is never sent twice by NNG: whether to try again is the caller's decision. */
static int prepare_socket(struct nng_connection *connection)
{
    int code = nng_aio_alloc(&connection->aio, NULL, NULL);

    code = code != 0 ? code
                     : nng_socket_set_ms(connection->socket, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE);
    code = code != 0 ? code : nng_pipe_notify(connection->socket, NNG_PIPE_EV_ADD_POST, on_pipe, connection);
    return code != 0 ? code : nng_pipe_notify(connection->socket, NNG_PIPE_EV_REM_POST, on_pipe, connection);
}

static struct nng_connection *make_connection(void)
{
    struct nng_connection *connection = calloc(1, sizeof *connection);
    pthread_condattr_t monotonic;

    if (connection == NULL) {
        return NULL;
    }
    if (nng_req0_open(&connection->socket) != 0) {
        free(connection);
        return NULL;
    }
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&connection->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&connection->lock, NULL);
    return connection;
}

enum gk_status gk_rpc_nng_connect(const struct gk_rpc_client_options *options, void **ret_connection,
                                  struct gk_error *error)
{
    if (options->url == NULL) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "no URL to connect to");
    }
    if (is_tls(options->url) && (options->ca_file == NULL || options->server_name == NULL ||
                                 options->ca_file[0] == '\0' || options->server_name[0] == '\0')) {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "\"%s\" needs a CA file and the name in the server's certificate", options->url);
    }
    struct nng_connection *connection = make_connection();

    if (connection == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "no memory for a connection");
    }
    const int code = prepare_socket(connection);
    const enum gk_status status = code == 0 ? dial(connection, options, error)
                                            : gk_error_set(error, GK_INTERNAL, "%s", nng_strerror(code));

    if (status != GK_OK) {
        nng_disconnect(connection);
        return status;
    }
    *ret_connection = connection;
    return GK_OK;
}

const struct gk_rpc_transport gk_rpc_transport_nng = {nng_await, nng_exchange, nng_disconnect};

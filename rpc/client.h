/*
 * The RPC client that the generated stubs use: one connection, one call at a time.
 *
 * Owns: its NNG REQ socket (or stream socket) and the last answer, into which view fields of a response
 * point. A client belongs to one thread at a time.
 */
#ifndef GUIKA_RPC_CLIENT_H
#define GUIKA_RPC_CLIENT_H

#include "rpc/method.h"
#include "rpc/status.h"

#include <stdint.h>

struct gk_rpc_client;

struct gk_rpc_client_options {
    const char *url;         /* "tcp://...", "tls+tcp://...", "ipc://...", "ws://...", "wss://..." */
    const char *token;       /* bearer token or NULL; copied */
    const char *language;    /* "en", "zh" or NULL */
    const char *ca_file;     /* PEM of who signed the server's certificate; needed for tls+tcp and wss */
    const char *server_name; /* the name that the certificate must carry; needed for tls+tcp and wss: without
                                it the connection is refused here, because NNG would skip the check */
};

/* Opens a client; the connection is made in the background, and a call waits for it within its deadline.
 * Errors: INVALID_ARGUMENT for a bad URL or missing TLS settings. [any] */
enum gk_status gk_rpc_client_open(const struct gk_rpc_client_options *options,
                                  struct gk_rpc_client **ret_client, struct gk_error *error);

/* A client over the connected stream socket `fd`, owned by the client once this succeeds. After a call that
 * missed its deadline or lost the connection every further call is UNAVAILABLE: open another one. [any] */
enum gk_status gk_rpc_client_open_stream(int fd, struct gk_rpc_client **ret_client, struct gk_error *error);

/* Closes and frees; NULL is allowed. Waits for NNG for 4 s at most. [any] */
void gk_rpc_client_close(struct gk_rpc_client *client);

/* What a caller may say about one call. NULL stands for all defaults. */
struct gk_rpc_call_options {
    uint32_t deadline_ms;   /* 0: the method's default */
    const char *request_id; /* NULL: a random one */
};

/* Calls `method` and waits. Blocks for the deadline at most. `request` and `ret_response` are structs of the
 * method's types. View fields of the response are valid until the next call or the close. Errors: what the
 * server answered, with its message; DEADLINE_EXCEEDED; UNAVAILABLE (no connection, or it broke: the call may
 * have run); RESOURCE_EXHAUSTED before sending where the request is over the method's limit. [any thread, one
 * at a time] */
enum gk_status gk_rpc_client_call(struct gk_rpc_client *client, const struct gk_rpc_method *method,
                                  const struct gk_rpc_call_options *options, const void *request,
                                  void *ret_response, struct gk_error *error);

/* After RESOURCE_EXHAUSTED: the server's hint, milliseconds; 0: none. */
uint32_t gk_rpc_client_retry_after_ms(const struct gk_rpc_client *client);

#endif

/*
 * One call, tried until it is answered or its deadline passes.
 *
 * Tried again: UNAVAILABLE and RESOURCE_EXHAUSTED, after a pause that doubles from 50 ms to 1 s, shortened by
 * a random part of up to half of it, or as long as the service asked for. Every attempt carries the same
 * request, and so the same deposit id. A call that may wait longer than its deadline is not begun.
 */
#ifndef GUIKA_CLIENTS_C_RETRY_H
#define GUIKA_CLIENTS_C_RETRY_H

#include "rpc/client.h"

/* As gk_rpc_client_call, within `deadline_ms` (0: the method's default) over all attempts. Blocks. */
enum gk_status gk_retry_call(struct gk_rpc_client *client, const struct gk_rpc_method *method,
                             uint32_t deadline_ms, const void *request, void *ret_response,
                             struct gk_error *error);

#endif

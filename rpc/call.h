/*
 * A call in a handler's hands. The handler owns it until it answers it, exactly once, with the generated
 * NAME_reply function or gk_rpc_fail. The request and everything that views into it live until then.
 * Handlers on the loop answer from the loop; handlers on the receiver before they return.
 */
#ifndef GUIKA_RPC_CALL_H
#define GUIKA_RPC_CALL_H

#include "rpc/method.h"
#include "rpc/status.h"

#include <stdint.h>

struct gk_rpc_call;
struct gk_rpc_peer;

const struct gk_principal *gk_rpc_call_principal(const struct gk_rpc_call *call);

/* Never empty; for logs. At most 39 printable characters. */
const char *gk_rpc_call_request_id(const struct gk_rpc_call *call);

/* "en", "zh", ...; "" when the caller gave none. */
const char *gk_rpc_call_language(const struct gk_rpc_call *call);

/* The peer that waits for the answer; NULL for calls over NNG, and when the peer has gone. */
const struct gk_rpc_peer *gk_rpc_call_peer(const struct gk_rpc_call *call);

/* The same for all calls of one remote address (of IPv6: of one /64); 0 for stream peers. */
uint64_t gk_rpc_call_client_key(const struct gk_rpc_call *call);

/* On uv_hrtime's clock, in milliseconds. */
uint64_t gk_rpc_call_deadline_ms(const struct gk_rpc_call *call);

/* [loop] Asks to be told when the call ends without the handler (deadline, peer gone). The handler must still
 * answer it. */
void gk_rpc_call_on_ended(struct gk_rpc_call *call, void (*on_ended)(struct gk_rpc_call *call, void *context),
                          void *context);

/* Answers with `response` (a struct of the method's response type, encoded before return). */
void gk_rpc_reply(struct gk_rpc_call *call, const void *response);

/* Answers with an error. */
void gk_rpc_fail(struct gk_rpc_call *call, enum gk_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Answers RESOURCE_EXHAUSTED and tells the caller to come back in `retry_after_ms`. */
void gk_rpc_fail_busy(struct gk_rpc_call *call, uint32_t retry_after_ms, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif

/*
 * Between the box maker's types (guika/client.h) and the messages: checks what the box maker gave, and points
 * the messages at it without a copy.
 */
#ifndef GUIKA_CLIENTS_C_CONVERT_H
#define GUIKA_CLIENTS_C_CONVERT_H

#include "guika/client.h"
#include "guika/v1/box.pb.h"
#include "rpc/status.h"

/* A deposit's request; its pictures are borrowed. INVALID_ARGUMENT for a bad id or bad frames, and where the
 * whole is larger than the service takes. [any] */
enum gk_status gk_convert_deposit(const char *deposit_id, const struct guika_frame *frames,
                                  size_t frame_count, guika_v1_DepositRequest *ret_request,
                                  struct gk_error *error);
enum gk_status gk_convert_add_frames(const char *deposit_id, uint32_t sequence,
                                     const struct guika_frame *frames, size_t frame_count,
                                     guika_v1_AddFramesRequest *ret_request, struct gk_error *error);
enum gk_status gk_convert_confirm(const char *deposit_id, enum guika_stored outcome, enum guika_zone zone,
                                  const char *compartment, guika_v1_ConfirmStoredRequest *ret_request,
                                  struct gk_error *error);
enum gk_status gk_convert_heartbeat(const struct guika_heartbeat *heartbeat, size_t spooled,
                                    guika_v1_HeartbeatRequest *ret_request, struct gk_error *error);

/* What the service decided. INTERNAL for a decision that this library does not know. [any] */
enum gk_status gk_convert_answer(const guika_v1_DepositResponse *response, struct guika_answer *ret_answer,
                                 struct gk_error *error);

/* Hands a failure to the box maker; `failure` may be NULL. */
enum guika_code gk_convert_failure(enum gk_status status, const struct gk_error *error,
                                   struct guika_failure *failure);

#endif

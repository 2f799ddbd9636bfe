/*
 * A service for the clients' tests: real RPC server on its own thread, with handlers that keep a diary and
 * answer by script. It takes the tokens "box-token" and "operator-token".
 */
#ifndef GUIKA_TESTS_CLIENTS_SERVICE_H
#define GUIKA_TESTS_CLIENTS_SERVICE_H

#include "guika/v1/box.pb.h"
#include "rpc/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gk_test_service;

/* A service that listens nowhere yet; it has a spool key of its own. */
struct gk_test_service *gk_test_service_new(void);
void gk_test_service_free(struct gk_test_service *service);

/* Starts to listen on loopback TCP, at the port of the time before where there was one; stops. */
void gk_test_service_start(struct gk_test_service *service);
void gk_test_service_stop(struct gk_test_service *service);
/* "tcp://127.0.0.1:PORT"; also while stopped. */
const char *gk_test_service_url(const struct gk_test_service *service);

/* The next `times` calls of box methods other than Heartbeat fail. */
void gk_test_service_fail(struct gk_test_service *service, enum gk_status status, unsigned times);
/* Deposits are answered with this decision (guika.v1's numbers); MORE_FRAMES wants a back under the left lamp
 * and then keeps. */
void gk_test_service_decide(struct gk_test_service *service, int decision, int zone);

/* The diary: one word-separated entry a call that succeeded, as "deposit ID FRAMES", "add ID SEQUENCE SIDE",
 * "confirm ID OUTCOME ZONE COMPARTMENT", "replay-deposit ID FRAMES BYTES", "replay-confirm ID OUTCOME",
 * "replay-pickup SEQUENCE CASE TRIES OUTCOME", "open CASE", "collected TOKEN OUTCOME".
 * Copies entry `index`; false where there is none yet. */
bool gk_test_service_entry(struct gk_test_service *service, size_t index, char *ret_entry, size_t size);
size_t gk_test_service_count(struct gk_test_service *service);
/* Waits up to 20 s for `count` entries. */
bool gk_test_service_wait(struct gk_test_service *service, size_t count);
#define GK_TEST_SERVICE_TIME_MS INT64_C(1700000000000) /* what its heartbeats say, once it has grants */

/* The grants of the box "lib-1"; heartbeats name them from now on. At most 64. */
void gk_test_service_grant(struct gk_test_service *service, const uint8_t key[32], uint64_t version,
                           const guika_v1_SignedGrant *grants, size_t count);

/* Calls of box methods other than Heartbeat, also those that failed. */
unsigned gk_test_service_calls(struct gk_test_service *service);

#endif

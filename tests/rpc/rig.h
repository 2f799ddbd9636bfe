/*
 * A real server on a loop of its own thread, for tests that call it from theirs.
 */
#ifndef GUIKA_TESTS_RPC_RIG_H
#define GUIKA_TESTS_RPC_RIG_H

#include "guika/test/echo.rpc.h"
#include "rpc/server.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <uv.h>

/* Tokens that the rig's server knows. */
#define RIG_BOX_TOKEN "box-token"
#define RIG_READER_TOKEN "reader-token"

enum { RIG_HELD_MAX = 64 };

struct rig {
    uv_loop_t loop;
    uv_async_t command;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    void (*work)(struct rig *rig, void *argument);
    void *argument;
    bool done;
    bool blocked;

    struct gk_rpc_server *server; /* loop */
    struct gk_rpc_call *held[RIG_HELD_MAX];
    size_t held_count;
    atomic_uint held_now;
    atomic_uint begun; /* calls of Hold and Wait that reached their handler */
    atomic_uint ended; /* calls that ended without their handler */
    atomic_uint peers_closed;
    atomic_ullong last_client_key;
    char folder[64]; /* mode 0700 */
};

/* Starts a server; `options` (its loop, bindings and authenticate are the rig's) may be NULL. */
void rig_start(struct rig *rig, const struct gk_rpc_server_options *options);
void rig_stop(struct rig *rig); /* closes the server where that has not been done */

/* Runs `work` on the loop and waits for it. */
void rig_run(struct rig *rig, void (*work)(struct rig *rig, void *argument), void *argument);

/* Listens and returns the real URL, valid until the rig stops. Fails the test where it does not. */
const char *rig_listen(struct rig *rig, const char *url, const struct gk_rpc_tls *tls);

/* A fresh URL of an ipc socket in the rig's folder. */
void rig_ipc_url(const struct rig *rig, char *ret_url, size_t size);

/* Answers all held calls. */
void rig_release(struct rig *rig);

/* Blocks the loop's thread until rig_unblock. */
void rig_block(struct rig *rig);
void rig_unblock(struct rig *rig);

/* Starts the close and waits until it is complete. */
void rig_close_server(struct rig *rig);

/* Waits until `*value` is at least `wanted`, 5 s at most; false when it is not. */
bool rig_wait(const atomic_uint *value, unsigned wanted);

struct gk_rpc_client *rig_client(const char *url, const char *token);

/* Calls Echo or one of its siblings with a text and no picture. */
enum gk_status rig_call(struct gk_rpc_client *client, const struct gk_rpc_method *method,
                        uint32_t deadline_ms, struct gk_error *error);

#endif

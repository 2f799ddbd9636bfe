/*
 * A real outbox for tests: RocksDB, keys, an RPC server on a loop of its own thread, couriers over socket
 * pairs, and a clock that the test moves. What a registry would know of holders is set by the test.
 */
#ifndef GUIKA_TESTS_OUTBOX_RIG_H
#define GUIKA_TESTS_OUTBOX_RIG_H

#include "core/notification/outbox.h"
#include "guika/v1/internal/courier.rpc.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#define RIG_START_MS INT64_C(1700000000000)

struct outbox_rig {
    char *folder;
    struct gk_keys *keys;
    struct gk_store *store;
    _Atomic int64_t now_ms;
    guika_v1_internal_HolderContacts holder; /* of everybody; set before a notice is due */
    bool holder_missing;
    struct gk_channel_setting settings[8];
    size_t setting_count;
    atomic_uint delivered; /* calls of on_delivered */

    pthread_t thread;
    uv_loop_t loop;
    uv_async_t command;
    sem_t done;
    void (*work)(struct outbox_rig *rig, void *argument);
    void *argument;
    atomic_bool wanted; /* work and argument are set */
    struct gk_outbox *outbox;
    struct gk_rpc_server *server;
};

/* A rig whose holder has `contacts` (NULL-terminated) and whose channels are those set before. */
void rig_make(struct outbox_rig *rig, const char *const *contacts);
void rig_set(struct outbox_rig *rig, const char *channel, const char *key,
             const char *value); /* before rig_start */
void rig_start(struct outbox_rig *rig);
void rig_stop(struct outbox_rig *rig); /* nothing in memory outlives it; rig_start may follow */
void rig_remove(struct outbox_rig *rig);

/* One end of a new connection, whose other end the server serves as a courier. */
int rig_connect(struct outbox_rig *rig);
struct gk_rpc_client *rig_client(struct outbox_rig *rig);

/* Adds a notice for card "... 1234" in box "library"; `seed` makes its ids. */
void rig_add(struct outbox_rig *rig, uint8_t seed, guika_v1_internal_NoticeRecord_State state);
void rig_release(struct outbox_rig *rig, uint8_t seed);
void rig_cancel(struct outbox_rig *rig, uint8_t seed);
guika_v1_internal_NoticeRecord rig_notice(struct outbox_rig *rig, uint8_t seed);
size_t rig_due_rows(struct outbox_rig *rig);
uint64_t rig_counter(struct outbox_rig *rig, const char *name);

void rig_advance(struct outbox_rig *rig, int64_t by_ms); /* moves the clock and pokes */

/* Takes a notice, waiting up to `wait_ms`; false where none came. */
bool rig_lease(struct gk_rpc_client *client, uint32_t wait_ms,
               guika_v1_internal_LeaseNoticeResponse *ret_notice);
enum gk_status rig_complete(struct gk_rpc_client *client, uint64_t lease_id,
                            guika_v1_internal_CompleteNoticeRequest_Outcome outcome, const char *detail,
                            uint32_t retry_after_ms);

#endif

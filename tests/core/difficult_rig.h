/*
 * The queue of difficult cards through real store, registry, vault and services: the test is the operators,
 * the viewer, the box and the issuer; a thread is the reader, which makes of every picture what `seen` says.
 */
#ifndef GUIKA_TESTS_CORE_DIFFICULT_RIG_H
#define GUIKA_TESTS_CORE_DIFFICULT_RIG_H

#include "guika/v1/operator.rpc.h"
#include "tests/core/core_rig.h"

#define IDENTIFIED guika_v1_CardState_CARD_STATE_IDENTIFIED
#define DIFFICULT guika_v1_CardState_CARD_STATE_DIFFICULT
#define DUE guika_v1_internal_NoticeRecord_State_NOTICE_DUE
#define HELD guika_v1_internal_NoticeRecord_State_NOTICE_HELD

#define STRANGER "6250941006528607" /* not registered; valid for the reader below */
#define IDENTITY "11010519491231002X"
#define BOTH_SCHEMES "3141592653589793"

struct difficult_rig {
    struct core_rig core;
    struct gk_rpc_client *anna;
    struct gk_rpc_client *ben;
    struct gk_rpc_client *viewer;
    struct gk_rpc_client *box;
    struct gk_rpc_client *issuer;
    pthread_t reader;
    struct gk_rpc_client *reader_client; /* the thread's, which closes it */
    atomic_bool stop;
    atomic_uint read;       /* pictures that the reader had */
    atomic_uint read_limit; /* the reader goes after so many; 0: none */
    char last_picture[32];
    /* What the reader makes of a picture. */
    guika_v1_internal_CompleteRecognitionRequest *seen;
    guika_v1_ResolveResponse resolved;
    struct gk_error error;
};

/* The reader goes on until it is stopped, or its limit is reached. */
void difficult_start_reader(struct difficult_rig *rig);
void difficult_stop_reader(struct difficult_rig *rig);

/* The reader is in doubt between two numbers, and keeps a picture. */
void difficult_be_in_doubt(struct difficult_rig *rig);
/* Stops the core and starts it on the same directory, with a new reader that has no limit. */
void difficult_restart(struct difficult_rig *rig);
int difficult_setup(void **state);
int difficult_teardown(void **state);
/* Drops a card, which the reader finds difficult, and stores it; returns its case. */
const char *difficult_drop(struct difficult_rig *rig, const char *deposit_id);
enum gk_status difficult_resolve(struct difficult_rig *rig, struct gk_rpc_client *who, const char *case_id,
                                 const char *number);
enum gk_status difficult_retry(struct difficult_rig *rig, const char *case_id);
guika_v1_internal_FoundCard difficult_card_of(struct difficult_rig *rig, const char *case_id);
int difficult_notice_state(struct difficult_rig *rig, const guika_v1_internal_FoundCard *card);
/* Audit entries so far; the chain is verified. */
uint64_t difficult_audited(struct difficult_rig *rig);
void difficult_assert_last_entry(struct difficult_rig *rig, const char *actor, const char *action);
/* The caller's to free. */
guika_v1_ListDifficultResponse *difficult_list(struct difficult_rig *rig);
size_t difficult_queued(struct difficult_rig *rig);
enum gk_status difficult_view(struct difficult_rig *rig, struct gk_rpc_client *who, const char *case_id,
                              char ret_picture[64]);
/* Waits until the case is in `state`, 5 s at most. */
void difficult_await_state(struct difficult_rig *rig, const char *case_id, int state);
/* Waits until the vault has no picture of the case, 5 s at most. */
void difficult_await_erasure(struct difficult_rig *rig, const char *case_id);
void difficult_import(struct difficult_rig *rig, const char *import_id, const char *number);

#endif

/*
 * The way of a card through the real pipeline, registry and store: the test is the box, each call in a thread
 * of its own, and the reader.
 */
#ifndef GUIKA_TESTS_CORE_PIPELINE_RIG_H
#define GUIKA_TESTS_CORE_PIPELINE_RIG_H

#include "core/found_card.h"
#include "guika/v1/box.rpc.h"
#include "tests/core/core_rig.h"

#define BOX "library-1"
#define KEEP guika_v1_DepositResponse_Decision_KEEP
#define GIVE_BACK guika_v1_DepositResponse_Decision_GIVE_BACK
#define MORE_FRAMES guika_v1_DepositResponse_Decision_MORE_FRAMES
#define NORMAL guika_v1_Zone_ZONE_NORMAL
#define DIFFICULT_ZONE guika_v1_Zone_ZONE_DIFFICULT
#define STORED guika_v1_ConfirmStoredRequest_Outcome_STORED
#define TAKEN_BACK guika_v1_ConfirmStoredRequest_Outcome_TAKEN_BACK
#define JAMMED guika_v1_ConfirmStoredRequest_Outcome_JAMMED

/* One call of the box, in a thread of its own. */
struct pipeline_call {
    struct gk_rpc_client *client;
    pthread_t thread;
    enum { DEPOSIT, ADD_FRAMES, CONFIRM, REPLAY } kind;
    uint32_t deadline_ms;
    guika_v1_DepositRequest deposit;
    guika_v1_AddFramesRequest add;
    guika_v1_ConfirmStoredRequest confirm;
    guika_v1_ReplayRequest replay;
    guika_v1_DepositResponse answer;
    guika_v1_ReplayResponse replayed;
    enum gk_status status;
    struct gk_error error;
    uint32_t retry_after_ms;
};

struct pipeline_fixture {
    struct core_rig rig;
    struct gk_rpc_client *reader;
};

struct pipeline_call *pipeline_start_call(struct core_rig *rig, struct pipeline_call *call);

/* Waits for the call's end; the answer stays in it. */
enum gk_status pipeline_end_call(struct pipeline_call *call);

guika_v1_Frame pipeline_frame(const char *picture);

struct pipeline_call pipeline_deposit_call(const char *id, const char *picture);

struct pipeline_call pipeline_add_call(const char *id, uint32_t sequence, const char *picture);

struct pipeline_call pipeline_confirm_call(const char *id, guika_v1_ConfirmStoredRequest_Outcome outcome,
                                           guika_v1_Zone zone);

/* The call as a spool entry, sealed to the service. */
struct pipeline_call pipeline_replay_of(struct core_rig *rig, const struct pipeline_call *call,
                                        uint8_t **ret_sealed);

enum gk_status pipeline_run_now(struct core_rig *rig, struct pipeline_call *call);

enum gk_status pipeline_replay_now(struct core_rig *rig, const struct pipeline_call *call,
                                   guika_v1_ReplayResponse *ret_response);

void pipeline_beat(struct core_rig *rig, bool second_lamp);

void pipeline_answer_next(struct gk_rpc_client *reader, guika_v1_internal_CompleteRecognitionRequest *result);

void pipeline_answer_certain(struct gk_rpc_client *reader);

void pipeline_answer_glare(struct gk_rpc_client *reader);

guika_v1_internal_FoundCard pipeline_card_of(struct core_rig *rig, const char *id);

size_t pipeline_records(struct core_rig *rig, enum gk_family family);

bool pipeline_has_picture(struct core_rig *rig, const guika_v1_internal_FoundCard *card);

void pipeline_rest_ms(long ms);

int pipeline_setup(void **state);

int pipeline_setup_impatient(void **state);

int pipeline_teardown(void **state);

#endif

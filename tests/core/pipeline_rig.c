#include "tests/core/pipeline_rig.h"

#include "core/found_card.h"
#include "core/security/hex.h"
#include "core/store/record.h"

#include <pb_encode.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* --- the box
 * ------------------------------------------------------------------------------------------------------ */

static void *run_call(void *context)
{
    struct pipeline_call *call = context;
    const struct gk_rpc_call_options options = {.deadline_ms = call->deadline_ms};
    guika_v1_ConfirmStoredResponse confirmed = {0};

    switch (call->kind) {
    case DEPOSIT:
        call->status =
            guika_v1_box_service_deposit(call->client, &options, &call->deposit, &call->answer, &call->error);
        break;
    case ADD_FRAMES:
        call->status =
            guika_v1_box_service_add_frames(call->client, &options, &call->add, &call->answer, &call->error);
        break;
    case CONFIRM:
        call->status = guika_v1_box_service_confirm_stored(call->client, &options, &call->confirm, &confirmed,
                                                           &call->error);
        break;
    case REPLAY:
        call->status =
            guika_v1_box_service_replay(call->client, &options, &call->replay, &call->replayed, &call->error);
        break;
    }
    call->retry_after_ms = gk_rpc_client_retry_after_ms(call->client);
    return NULL;
}

struct pipeline_call *pipeline_start_call(struct core_rig *rig, struct pipeline_call *call)
{
    call->client = core_rig_connect(rig, GK_ROLE_BOX, BOX);
    assert_int_equal(pthread_create(&call->thread, NULL, run_call, call), 0);
    return call;
}

enum gk_status pipeline_end_call(struct pipeline_call *call)
{
    (void)pthread_join(call->thread, NULL);
    gk_rpc_client_close(call->client);
    return call->status;
}

guika_v1_Frame pipeline_frame(const char *picture)
{
    guika_v1_Frame result = {.side = guika_v1_Side_SIDE_FRONT, .lamp = guika_v1_Lamp_LAMP_DIFFUSE};

    result.picture = (struct gk_bytes){(const uint8_t *)picture, strlen(picture)};
    return result;
}

struct pipeline_call pipeline_deposit_call(const char *id, const char *picture)
{
    struct pipeline_call call = {.kind = DEPOSIT};

    strcpy(call.deposit.deposit_id, id);
    call.deposit.frames_count = 1;
    call.deposit.frames[0] = pipeline_frame(picture);
    return call;
}

struct pipeline_call pipeline_add_call(const char *id, uint32_t sequence, const char *picture)
{
    struct pipeline_call call = {.kind = ADD_FRAMES};

    strcpy(call.add.deposit_id, id);
    call.add.sequence = sequence;
    call.add.frames_count = 1;
    call.add.frames[0] = pipeline_frame(picture);
    return call;
}

struct pipeline_call pipeline_confirm_call(const char *id, guika_v1_ConfirmStoredRequest_Outcome outcome,
                                           guika_v1_Zone zone)
{
    struct pipeline_call call = {.kind = CONFIRM};

    strcpy(call.confirm.deposit_id, id);
    call.confirm.outcome = outcome;
    if (outcome == STORED) {
        call.confirm.zone = zone;
        strcpy(call.confirm.compartment, "A7");
    }
    return call;
}

struct pipeline_call pipeline_replay_of(struct core_rig *rig, const struct pipeline_call *call,
                                        uint8_t **ret_sealed)
{
    static uint8_t plain[65536];
    struct pipeline_call replay = {.kind = REPLAY};
    guika_v1_SpoolEntry entry = {0};
    uint8_t key[GK_SPOOL_KEY_SIZE];
    pb_ostream_t stream = pb_ostream_from_buffer(plain, sizeof plain);

    if (call->kind == DEPOSIT) {
        entry.which_entry = guika_v1_SpoolEntry_deposit_tag;
        entry.entry.deposit = call->deposit;
        strcpy(replay.replay.deposit_id, call->deposit.deposit_id);
    } else {
        entry.which_entry = guika_v1_SpoolEntry_confirm_tag;
        entry.entry.confirm = call->confirm;
        strcpy(replay.replay.deposit_id, call->confirm.deposit_id);
    }
    assert_true(pb_encode(&stream, guika_v1_SpoolEntry_fields, &entry));
    gk_keys_spool_public(rig->keys, key);
    *ret_sealed = malloc(stream.bytes_written + crypto_box_SEALBYTES);
    assert_int_equal(crypto_box_seal(*ret_sealed, plain, stream.bytes_written, key), 0);
    replay.replay.sealed = (struct gk_bytes){*ret_sealed, stream.bytes_written + crypto_box_SEALBYTES};
    return replay;
}

enum gk_status pipeline_run_now(struct core_rig *rig, struct pipeline_call *call)
{
    return pipeline_end_call(pipeline_start_call(rig, call));
}

enum gk_status pipeline_replay_now(struct core_rig *rig, const struct pipeline_call *call,
                                   guika_v1_ReplayResponse *ret_response)
{
    uint8_t *sealed;
    struct pipeline_call replay = pipeline_replay_of(rig, call, &sealed);
    const enum gk_status status = pipeline_run_now(rig, &replay);

    free(sealed);
    *ret_response = replay.replayed;
    return status;
}

void pipeline_beat(struct core_rig *rig, bool second_lamp)
{
    struct gk_rpc_client *client = core_rig_connect(rig, GK_ROLE_BOX, BOX);
    guika_v1_HeartbeatRequest request = {.can_give_back = true, .cameras_count = 1};
    guika_v1_HeartbeatResponse response = {0};
    uint8_t key[GK_SPOOL_KEY_SIZE];

    request.cameras[0].side = guika_v1_Side_SIDE_FRONT;
    request.cameras[0].lamps_count = second_lamp ? 2 : 1;
    request.cameras[0].lamps[0] = guika_v1_Lamp_LAMP_DIFFUSE;
    request.cameras[0].lamps[1] = guika_v1_Lamp_LAMP_LEFT;
    assert_int_equal(guika_v1_box_service_heartbeat(client, NULL, &request, &response, NULL), GK_OK);
    gk_keys_spool_public(rig->keys, key);
    assert_memory_equal(response.spool_public_key, key, sizeof key);
    assert_int_equal(response.interval_ms, 30000);
    gk_rpc_client_close(client);
}

/* --- the reader
 * ---------------------------------------------------------------------------------------------------- */

void pipeline_answer_next(struct gk_rpc_client *reader, guika_v1_internal_CompleteRecognitionRequest *result)
{
    guika_v1_internal_LeaseJobResponse *job = calloc(1, sizeof *job);
    const uint64_t id = core_rig_lease(reader, job);

    assert_int_not_equal(id, 0);
    assert_int_equal(core_rig_complete(reader, id, result), GK_OK);
    free(job);
}

void pipeline_answer_certain(struct gk_rpc_client *reader)
{
    guika_v1_internal_CompleteRecognitionRequest *result = calloc(1, sizeof *result);

    core_rig_certain(result, CORE_RIG_REGISTERED);
    pipeline_answer_next(reader, result);
    free(result);
}

void pipeline_answer_glare(struct gk_rpc_client *reader)
{
    guika_v1_internal_CompleteRecognitionRequest *result = calloc(1, sizeof *result);

    result->reason = guika_v1_Reason_REASON_GLARE;
    result->another_frame_may_help = true;
    result->wanted_side = guika_v1_Side_SIDE_FRONT;
    result->wanted_lamp = guika_v1_Lamp_LAMP_LEFT;
    result->redacted_picture = (struct gk_bytes){(const uint8_t *)"redacted", 8};
    pipeline_answer_next(reader, result);
    free(result);
}

/* --- what rests
 * ----------------------------------------------------------------------------------------------------- */

guika_v1_internal_FoundCard pipeline_card_of(struct core_rig *rig, const char *id)
{
    guika_v1_internal_DepositRecord deposit = {0};
    guika_v1_internal_FoundCard card = {0};
    uint8_t key[GK_DEPOSIT_KEY_SIZE];
    const struct gk_bytes deposit_key = {key, gk_deposit_key(BOX, id, key)};

    assert_int_equal(gk_record_read(rig->store, GK_FAMILY_DEPOSITS, deposit_key,
                                    guika_v1_internal_DepositRecord_fields, &deposit, NULL),
                     GK_OK);
    assert_int_equal(gk_record_read(rig->store, GK_FAMILY_FOUND_CARDS,
                                    (struct gk_bytes){deposit.case_id, GK_CASE_ID_SIZE},
                                    guika_v1_internal_FoundCard_fields, &card, NULL),
                     GK_OK);
    return card;
}

static bool count_one(void *context, struct gk_bytes key, struct gk_bytes value)
{
    (void)key;
    (void)value;
    ++*(size_t *)context;
    return true;
}

size_t pipeline_records(struct core_rig *rig, enum gk_family family)
{
    const struct gk_bytes all = {NULL, 0};
    size_t count = 0;

    assert_int_equal(gk_store_scan(rig->store, family, all, all, false, count_one, &count, NULL), GK_OK);
    return count;
}

bool pipeline_has_picture(struct core_rig *rig, const guika_v1_internal_FoundCard *card)
{
    struct gk_value picture = {NULL, 0};
    const bool has = gk_picture_vault_get(rig->vault, card->case_id, 0, &picture, NULL) == GK_OK;

    gk_value_free(&picture);
    return has;
}

void pipeline_rest_ms(long ms)
{
    (void)nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static int setup_with(void **state, const struct core_rig_options *options)
{
    struct pipeline_fixture *fixture = calloc(1, sizeof *fixture);

    core_rig_start(&fixture->rig, options);
    fixture->reader = core_rig_connect(&fixture->rig, GK_ROLE_READER, "reader-0");
    *state = fixture;
    return 0;
}

int pipeline_setup(void **state)
{
    return setup_with(state, NULL);
}

int pipeline_setup_impatient(void **state)
{
    const struct core_rig_options options = {
        .lease_ms = 200, .reader_wait_ms = 300, .frames_wait_ms = 100, .queue = 2};

    return setup_with(state, &options);
}

int pipeline_teardown(void **state)
{
    struct pipeline_fixture *fixture = *state;

    gk_rpc_client_close(fixture->reader);
    core_rig_end(&fixture->rig);
    free(fixture);
    return 0;
}

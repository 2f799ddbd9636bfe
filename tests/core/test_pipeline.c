/*
 * The way of a card through the real pipeline, registry and store: the test is the box and the reader.
 */
#include "core/pipeline.h"

#include "core/found_card.h"
#include "core/security/hex.h"
#include "core/store/record.h"
#include "guika/v1/box.rpc.h"
#include "tests/core/core_rig.h"

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

#define BOX "library-1"
#define KEEP guika_v1_DepositResponse_Decision_KEEP
#define GIVE_BACK guika_v1_DepositResponse_Decision_GIVE_BACK
#define MORE_FRAMES guika_v1_DepositResponse_Decision_MORE_FRAMES
#define NORMAL guika_v1_Zone_ZONE_NORMAL
#define DIFFICULT_ZONE guika_v1_Zone_ZONE_DIFFICULT
#define STORED guika_v1_ConfirmStoredRequest_Outcome_STORED
#define TAKEN_BACK guika_v1_ConfirmStoredRequest_Outcome_TAKEN_BACK
#define JAMMED guika_v1_ConfirmStoredRequest_Outcome_JAMMED

/* --- the box
 * ------------------------------------------------------------------------------------------------------ */

/* One call of the box, in a thread of its own. */
struct box_call {
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

static void *run_call(void *context)
{
    struct box_call *call = context;
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

static struct box_call *start_call(struct core_rig *rig, struct box_call *call)
{
    call->client = core_rig_connect(rig, GK_ROLE_BOX, BOX);
    assert_int_equal(pthread_create(&call->thread, NULL, run_call, call), 0);
    return call;
}

/* Waits for the call's end; the answer stays in it. */
static enum gk_status end_call(struct box_call *call)
{
    (void)pthread_join(call->thread, NULL);
    gk_rpc_client_close(call->client);
    return call->status;
}

static guika_v1_Frame frame(const char *picture)
{
    guika_v1_Frame result = {.side = guika_v1_Side_SIDE_FRONT, .lamp = guika_v1_Lamp_LAMP_DIFFUSE};

    result.picture = (struct gk_bytes){(const uint8_t *)picture, strlen(picture)};
    return result;
}

static struct box_call deposit_call(const char *id, const char *picture)
{
    struct box_call call = {.kind = DEPOSIT};

    strcpy(call.deposit.deposit_id, id);
    call.deposit.frames_count = 1;
    call.deposit.frames[0] = frame(picture);
    return call;
}

static struct box_call add_call(const char *id, uint32_t sequence, const char *picture)
{
    struct box_call call = {.kind = ADD_FRAMES};

    strcpy(call.add.deposit_id, id);
    call.add.sequence = sequence;
    call.add.frames_count = 1;
    call.add.frames[0] = frame(picture);
    return call;
}

static struct box_call confirm_call(const char *id, guika_v1_ConfirmStoredRequest_Outcome outcome,
                                    guika_v1_Zone zone)
{
    struct box_call call = {.kind = CONFIRM};

    strcpy(call.confirm.deposit_id, id);
    call.confirm.outcome = outcome;
    if (outcome == STORED) {
        call.confirm.zone = zone;
        strcpy(call.confirm.compartment, "A7");
    }
    return call;
}

/* The call as a spool entry, sealed to the service. */
static struct box_call replay_of(struct core_rig *rig, const struct box_call *call, uint8_t **ret_sealed)
{
    static uint8_t plain[65536];
    struct box_call replay = {.kind = REPLAY};
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

static enum gk_status run_now(struct core_rig *rig, struct box_call *call)
{
    return end_call(start_call(rig, call));
}

static enum gk_status replay_now(struct core_rig *rig, const struct box_call *call,
                                 guika_v1_ReplayResponse *ret_response)
{
    uint8_t *sealed;
    struct box_call replay = replay_of(rig, call, &sealed);
    const enum gk_status status = run_now(rig, &replay);

    free(sealed);
    *ret_response = replay.replayed;
    return status;
}

static void beat(struct core_rig *rig, bool second_lamp)
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

static void answer_next(struct gk_rpc_client *reader, guika_v1_internal_CompleteRecognitionRequest *result)
{
    guika_v1_internal_LeaseJobResponse *job = calloc(1, sizeof *job);
    const uint64_t id = core_rig_lease(reader, job);

    assert_int_not_equal(id, 0);
    assert_int_equal(core_rig_complete(reader, id, result), GK_OK);
    free(job);
}

static void answer_certain(struct gk_rpc_client *reader)
{
    guika_v1_internal_CompleteRecognitionRequest *result = calloc(1, sizeof *result);

    core_rig_certain(result, CORE_RIG_REGISTERED);
    answer_next(reader, result);
    free(result);
}

static void answer_glare(struct gk_rpc_client *reader)
{
    guika_v1_internal_CompleteRecognitionRequest *result = calloc(1, sizeof *result);

    result->reason = guika_v1_Reason_REASON_GLARE;
    result->another_frame_may_help = true;
    result->wanted_side = guika_v1_Side_SIDE_FRONT;
    result->wanted_lamp = guika_v1_Lamp_LAMP_LEFT;
    result->redacted_picture = (struct gk_bytes){(const uint8_t *)"redacted", 8};
    answer_next(reader, result);
    free(result);
}

/* --- what rests
 * ----------------------------------------------------------------------------------------------------- */

static guika_v1_internal_FoundCard card_of(struct core_rig *rig, const char *id)
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

static size_t records(struct core_rig *rig, enum gk_family family)
{
    const struct gk_bytes all = {NULL, 0};
    size_t count = 0;

    assert_int_equal(gk_store_scan(rig->store, family, all, all, false, count_one, &count, NULL), GK_OK);
    return count;
}

static bool has_picture(struct core_rig *rig, const guika_v1_internal_FoundCard *card)
{
    struct gk_value picture = {NULL, 0};
    const bool has = gk_picture_vault_get(rig->vault, card->case_id, 0, &picture, NULL) == GK_OK;

    gk_value_free(&picture);
    return has;
}

static void rest_ms(long ms)
{
    (void)nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

struct fixture {
    struct core_rig rig;
    struct gk_rpc_client *reader;
};

static int setup_with(void **state, const struct core_rig_options *options)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    core_rig_start(&fixture->rig, options);
    fixture->reader = core_rig_connect(&fixture->rig, GK_ROLE_READER, "reader-0");
    *state = fixture;
    return 0;
}

static int setup(void **state)
{
    return setup_with(state, NULL);
}

static int setup_impatient(void **state)
{
    const struct core_rig_options options = {
        .lease_ms = 200, .reader_wait_ms = 300, .frames_wait_ms = 100, .queue = 2};

    return setup_with(state, &options);
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    gk_rpc_client_close(fixture->reader);
    core_rig_end(&fixture->rig);
    free(fixture);
    return 0;
}

/* --- receive, decide, notify
 * --------------------------------------------------------------------------------------- */

static void test_registered_card_is_kept_and_its_notice_leaves_with_stored(void **state)
{
    struct fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    struct box_call deposit = deposit_call("d-1", "picture");
    struct box_call confirm = confirm_call("d-1", STORED, NORMAL);

    start_call(rig, &deposit);
    answer_certain(fixture->reader);
    assert_int_equal(end_call(&deposit), GK_OK);
    assert_int_equal(deposit.answer.decision, KEEP);
    assert_int_equal(deposit.answer.zone, NORMAL);
    assert_int_equal(strlen(deposit.answer.case_id), 32);
    assert_int_equal(records(rig, GK_FAMILY_OUTBOX), 1);
    assert_int_equal(records(rig, GK_FAMILY_OUTBOX_DUE), 0);
    assert_int_equal(atomic_load(&rig->notices_due), 0);
    assert_int_equal(run_now(rig, &confirm), GK_OK);
    assert_int_equal(records(rig, GK_FAMILY_OUTBOX_DUE), 1);
    assert_int_equal(atomic_load(&rig->notices_due), 1);
    assert_int_equal(card_of(rig, "d-1").state, guika_v1_CardState_CARD_STATE_IDENTIFIED);
}

static void test_difficult_card_keeps_a_picture_until_it_is_taken_back(void **state)
{
    struct fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    struct box_call deposit = deposit_call("d-1", "picture");
    struct box_call confirm = confirm_call("d-1", TAKEN_BACK, NORMAL);

    start_call(rig, &deposit);
    answer_glare(fixture->reader);
    assert_int_equal(end_call(&deposit), GK_OK);
    assert_int_equal(deposit.answer.zone, DIFFICULT_ZONE);
    const guika_v1_internal_FoundCard card = card_of(rig, "d-1");

    assert_int_equal(card.reason, guika_v1_Reason_REASON_GLARE);
    assert_int_equal(card.pictures, 1);
    assert_true(has_picture(rig, &card));
    assert_int_equal(run_now(rig, &confirm), GK_OK);
    for (int i = 0; i < 1000 && has_picture(rig, &card); i++) {
        rest_ms(5);
    }
    assert_false(has_picture(rig, &card));
    assert_int_equal(card_of(rig, "d-1").pictures, 0);
}

static void test_retry_gets_the_same_answer_also_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    struct box_call first = deposit_call("d-1", "picture");
    struct box_call retry = deposit_call("d-1", "picture");
    struct box_call late = deposit_call("d-1", "picture");
    struct box_call other = deposit_call("d-1", "another");

    start_call(rig, &first);
    answer_certain(fixture->reader);
    assert_int_equal(end_call(&first), GK_OK);
    assert_int_equal(run_now(rig, &retry), GK_OK);
    assert_memory_equal(&retry.answer, &first.answer, sizeof first.answer);
    gk_rpc_client_close(fixture->reader);
    core_rig_restart(rig);
    fixture->reader = core_rig_connect(rig, GK_ROLE_READER, "reader-0");
    assert_int_equal(run_now(rig, &late), GK_OK);
    assert_string_equal(late.answer.case_id, first.answer.case_id);
    assert_int_equal(run_now(rig, &other), GK_ALREADY_EXISTS);
    assert_int_equal(records(rig, GK_FAMILY_FOUND_CARDS), 1);
}

static void test_retry_while_the_first_call_runs_gets_its_answer(void **state)
{
    struct fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    guika_v1_internal_CompleteRecognitionRequest *result = calloc(1, sizeof *result);
    guika_v1_internal_LeaseJobResponse *job = calloc(1, sizeof *job);
    struct box_call calls[3] = {deposit_call("d-1", "picture"), deposit_call("d-1", "picture"),
                                deposit_call("d-1", "another")};

    start_call(rig, &calls[0]);
    const uint64_t id = core_rig_lease(fixture->reader, job);

    start_call(rig, &calls[1]);
    start_call(rig, &calls[2]);
    rest_ms(50);
    core_rig_certain(result, CORE_RIG_REGISTERED);
    assert_int_equal(core_rig_complete(fixture->reader, id, result), GK_OK);
    assert_int_equal(end_call(&calls[0]), GK_OK);
    assert_int_equal(end_call(&calls[1]), GK_OK);
    assert_int_equal(end_call(&calls[2]), GK_ALREADY_EXISTS);
    assert_memory_equal(&calls[1].answer, &calls[0].answer, sizeof calls[0].answer);
    assert_int_equal(records(rig, GK_FAMILY_FOUND_CARDS), 1);
    assert_int_equal(records(rig, GK_FAMILY_OUTBOX), 1);
    free(job);
    free(result);
}

static void test_confirmation_waits_for_the_deposit_that_still_runs(void **state)
{
    struct fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    struct box_call deposit = deposit_call("d-1", "picture");
    struct box_call confirm = confirm_call("d-1", STORED, DIFFICULT_ZONE);

    /* The box did not wait: the card lies in the difficult zone before it is decided. */
    start_call(rig, &deposit);
    guika_v1_internal_LeaseJobResponse *job = calloc(1, sizeof *job);
    guika_v1_internal_CompleteRecognitionRequest *result = calloc(1, sizeof *result);
    const uint64_t id = core_rig_lease(fixture->reader, job);

    start_call(rig, &confirm);
    rest_ms(50);
    assert_int_equal(records(rig, GK_FAMILY_FOUND_CARDS), 0);
    core_rig_certain(result, CORE_RIG_REGISTERED);
    assert_int_equal(core_rig_complete(fixture->reader, id, result), GK_OK);
    assert_int_equal(end_call(&deposit), GK_OK);
    assert_int_equal(end_call(&confirm), GK_OK);
    assert_true(card_of(rig, "d-1").place.misplaced);
    assert_int_equal(records(rig, GK_FAMILY_OUTBOX_DUE), 0); /* no holder reaches it there */
    free(result);
    free(job);
}

static void test_requests_that_make_no_sense_are_refused(void **state)
{
    struct core_rig *rig = &((struct fixture *)*state)->rig;
    struct box_call call = deposit_call("no spaces", "picture");

    assert_int_equal(run_now(rig, &call), GK_INVALID_ARGUMENT);
    call = deposit_call("", "picture");
    assert_int_equal(run_now(rig, &call), GK_INVALID_ARGUMENT);
    call = deposit_call("d-1", "picture");
    call.deposit.frames_count = 0;
    assert_int_equal(run_now(rig, &call), GK_INVALID_ARGUMENT);
    call = deposit_call("d-1", "");
    assert_int_equal(run_now(rig, &call), GK_INVALID_ARGUMENT);
    assert_non_null(strstr(call.error.message, "1 to 8388608 bytes, not 0"));
    call = add_call("d-1", 0, "picture");
    assert_int_equal(run_now(rig, &call), GK_INVALID_ARGUMENT);
    call = add_call("d-1", 1, "picture");
    assert_int_equal(run_now(rig, &call), GK_NOT_FOUND);
    call = confirm_call("d-1", STORED, NORMAL);
    assert_int_equal(run_now(rig, &call), GK_NOT_FOUND);
    call.confirm.compartment[0] = '\0';
    assert_int_equal(run_now(rig, &call), GK_INVALID_ARGUMENT);
    call = confirm_call("d-1", STORED, guika_v1_Zone_ZONE_UNSPECIFIED);
    assert_int_equal(run_now(rig, &call), GK_INVALID_ARGUMENT);
    call = confirm_call("d-1", (guika_v1_ConfirmStoredRequest_Outcome)9, NORMAL);
    assert_int_equal(run_now(rig, &call), GK_INVALID_ARGUMENT);
    assert_int_equal(records(rig, GK_FAMILY_DEPOSITS), 0);
}

/* --- more frames
 * ------------------------------------------------------------------------------------------------ */

/* Deposits "d-1" and is asked for frames. */
static void be_asked(struct fixture *fixture)
{
    struct box_call deposit = deposit_call("d-1", "first");

    beat(&fixture->rig, true);
    start_call(&fixture->rig, &deposit);
    answer_glare(fixture->reader);
    assert_int_equal(end_call(&deposit), GK_OK);
    assert_int_equal(deposit.answer.decision, MORE_FRAMES);
    assert_int_equal(deposit.answer.sequence, 1);
    assert_int_equal(deposit.answer.wanted_lamp, guika_v1_Lamp_LAMP_LEFT);
}

static void test_frames_that_were_asked_for_are_read_together(void **state)
{
    struct fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    guika_v1_internal_CompleteRecognitionRequest *result = calloc(1, sizeof *result);
    guika_v1_internal_LeaseJobResponse *job = calloc(1, sizeof *job);
    struct box_call add = add_call("d-1", 1, "second");
    struct box_call retry = add_call("d-1", 1, "second");
    struct box_call other = add_call("d-1", 1, "third");
    struct box_call deposit = deposit_call("d-1", "first");

    be_asked(fixture);
    const guika_v1_internal_FoundCard waiting = card_of(rig, "d-1");

    assert_true(has_picture(rig, &waiting));
    start_call(rig, &add);
    const uint64_t id = core_rig_lease(fixture->reader, job);

    assert_int_equal(job->job.recognise.frames_count, 2);
    assert_memory_equal(job->job.recognise.frames[0].picture.data, "first", 5);
    assert_memory_equal(job->job.recognise.frames[1].picture.data, "second", 6);
    start_call(rig, &retry);
    rest_ms(30);
    core_rig_certain(result, CORE_RIG_REGISTERED);
    assert_int_equal(core_rig_complete(fixture->reader, id, result), GK_OK);
    assert_int_equal(end_call(&add), GK_OK);
    assert_int_equal(add.answer.decision, KEEP);
    assert_int_equal(end_call(&retry), GK_OK);
    assert_memory_equal(&retry.answer, &add.answer, sizeof add.answer);
    assert_int_equal(run_now(rig, &other), GK_ALREADY_EXISTS);
    assert_int_equal(run_now(rig, &deposit), GK_OK);
    assert_int_equal(deposit.answer.decision, KEEP);
    assert_int_equal(records(rig, GK_FAMILY_FOUND_CARDS), 1);
    assert_int_equal(records(rig, GK_FAMILY_OUTBOX), 1);
    assert_int_equal(card_of(rig, "d-1").pictures, 0);
    for (int i = 0; i < 1000 && has_picture(rig, &waiting); i++) {
        rest_ms(5);
    }
    assert_false(has_picture(rig, &waiting));
    free(job);
    free(result);
}

static void test_sequence_that_was_not_asked_for_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct box_call early = add_call("d-1", 2, "second");

    be_asked(fixture);
    assert_int_equal(run_now(&fixture->rig, &early), GK_ALREADY_EXISTS);
    assert_int_equal(card_of(&fixture->rig, "d-1").state, guika_v1_CardState_CARD_STATE_RECEIVED);
}

static void test_retry_of_the_deposit_while_it_waits_asks_again(void **state)
{
    struct fixture *fixture = *state;
    struct box_call retry = deposit_call("d-1", "first");

    be_asked(fixture);
    assert_int_equal(run_now(&fixture->rig, &retry), GK_OK);
    assert_int_equal(retry.answer.decision, MORE_FRAMES);
    assert_int_equal(retry.answer.sequence, 1);
}

static void test_more_than_eight_frames_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct box_call add = add_call("d-1", 1, "second");

    be_asked(fixture);
    add.add.frames_count = 8;
    for (size_t i = 1; i < 8; i++) {
        add.add.frames[i] = frame("more");
    }
    assert_int_equal(run_now(&fixture->rig, &add), GK_INVALID_ARGUMENT);
}

static void test_frames_after_a_restart_make_the_card_difficult(void **state)
{
    struct fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    struct box_call add = add_call("d-1", 1, "second");

    be_asked(fixture);
    gk_rpc_client_close(fixture->reader);
    core_rig_restart(rig); /* without the recovery of a start: the frames alone are gone */
    fixture->reader = core_rig_connect(rig, GK_ROLE_READER, "reader-0");
    assert_int_equal(run_now(rig, &add), GK_OK);
    assert_int_equal(add.answer.decision, KEEP);
    assert_int_equal(add.answer.zone, DIFFICULT_ZONE);
    assert_int_equal(card_of(rig, "d-1").state, guika_v1_CardState_CARD_STATE_DIFFICULT);
}

static void test_frames_that_never_come_make_the_card_difficult_by_themselves(void **state)
{
    struct fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    struct box_call late = add_call("d-1", 1, "second");

    be_asked(fixture);
    for (int i = 0; i < 2000 && card_of(rig, "d-1").state == guika_v1_CardState_CARD_STATE_RECEIVED; i++) {
        rest_ms(5);
    }
    assert_int_equal(card_of(rig, "d-1").state, guika_v1_CardState_CARD_STATE_DIFFICULT);
    assert_int_equal(card_of(rig, "d-1").reason, guika_v1_Reason_REASON_GLARE);
    assert_int_equal(card_of(rig, "d-1").pictures, 1);
    assert_int_equal(run_now(rig, &late), GK_OK);
    assert_int_equal(late.answer.decision, KEEP);
    assert_int_equal(late.answer.zone, DIFFICULT_ZONE);
}

static void test_jam_ends_the_wait_for_frames(void **state)
{
    struct fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    struct box_call confirm = confirm_call("d-1", JAMMED, NORMAL);
    struct box_call late = add_call("d-1", 1, "second");

    be_asked(fixture);
    assert_int_equal(run_now(rig, &confirm), GK_OK);
    assert_int_equal(card_of(rig, "d-1").state, guika_v1_CardState_CARD_STATE_DIFFICULT);
    assert_int_equal(run_now(rig, &late), GK_OK);
    assert_int_equal(late.answer.decision, KEEP);
}

static void test_finder_who_takes_the_card_while_it_is_read_again(void **state)
{
    struct fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    struct box_call add = add_call("d-1", 1, "second");
    struct box_call confirm = confirm_call("d-1", TAKEN_BACK, NORMAL);

    be_asked(fixture);
    start_call(rig, &add);
    rest_ms(30);
    start_call(rig, &confirm);
    answer_certain(fixture->reader);
    assert_int_equal(end_call(&add), GK_OK);
    assert_int_equal(end_call(&confirm), GK_OK);
    assert_int_equal(card_of(rig, "d-1").state, guika_v1_CardState_CARD_STATE_GIVEN_BACK);
    assert_int_equal(records(rig, GK_FAMILY_OUTBOX_DUE), 0);
}

/* --- replay
 * ------------------------------------------------------------------------------------------------------- */

static void test_spooled_deposit_is_neither_asked_about_nor_given_back(void **state)
{
    struct fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    const struct box_call deposit = deposit_call("d-1", "picture");
    const struct box_call confirm = confirm_call("d-1", STORED, DIFFICULT_ZONE);
    guika_v1_ReplayResponse response;
    uint8_t *sealed;

    beat(rig, true);
    struct box_call replay = replay_of(rig, &deposit, &sealed);

    start_call(rig, &replay);
    answer_glare(fixture->reader);
    assert_int_equal(end_call(&replay), GK_OK);
    free(sealed);
    assert_int_equal(replay.replayed.which_answer, guika_v1_ReplayResponse_deposit_tag);
    assert_int_equal(replay.replayed.answer.deposit.decision, KEEP);
    assert_int_equal(replay.replayed.answer.deposit.zone, DIFFICULT_ZONE);
    assert_int_equal(replay_now(rig, &confirm, &response), GK_OK);
    assert_int_equal(response.which_answer, guika_v1_ReplayResponse_confirm_tag);
    assert_false(card_of(rig, "d-1").place.misplaced);
    assert_int_equal(card_of(rig, "d-1").place.kind, guika_v1_internal_Place_Kind_PLACE_DIFFICULT_BIN);
}

static void test_replay_of_an_answered_deposit_gets_its_answer(void **state)
{
    struct fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    struct box_call deposit = deposit_call("d-1", "picture");
    guika_v1_ReplayResponse response;

    start_call(rig, &deposit);
    answer_certain(fixture->reader);
    assert_int_equal(end_call(&deposit), GK_OK);
    assert_int_equal(replay_now(rig, &deposit, &response), GK_OK);
    assert_string_equal(response.answer.deposit.case_id, deposit.answer.case_id);
    assert_int_equal(records(rig, GK_FAMILY_FOUND_CARDS), 1);
}

static void test_replay_after_more_frames_ends_the_wait(void **state)
{
    struct fixture *fixture = *state;
    const struct box_call deposit = deposit_call("d-1", "first");
    guika_v1_ReplayResponse response;

    be_asked(fixture);
    assert_int_equal(replay_now(&fixture->rig, &deposit, &response), GK_OK);
    assert_int_equal(response.answer.deposit.decision, KEEP);
    assert_int_equal(response.answer.deposit.zone, DIFFICULT_ZONE);
    assert_int_equal(card_of(&fixture->rig, "d-1").state, guika_v1_CardState_CARD_STATE_DIFFICULT);
}

static void test_entries_that_do_not_open_are_refused(void **state)
{
    struct core_rig *rig = &((struct fixture *)*state)->rig;
    const struct box_call deposit = deposit_call("d-1", "picture");
    uint8_t *sealed;
    struct box_call replay = replay_of(rig, &deposit, &sealed);

    sealed[40] ^= 1;
    assert_int_equal(run_now(rig, &replay), GK_INVALID_ARGUMENT);
    sealed[40] ^= 1;
    strcpy(replay.replay.deposit_id, "d-2");
    assert_int_equal(run_now(rig, &replay), GK_INVALID_ARGUMENT);
    assert_non_null(strstr(replay.error.message, "not the one that was sealed"));
    replay.replay.sealed.size = 48;
    assert_int_equal(run_now(rig, &replay), GK_INVALID_ARGUMENT);
    assert_int_equal(records(rig, GK_FAMILY_DEPOSITS), 0);
    free(sealed);
}

static void test_sealed_entry_of_nothing_is_refused(void **state)
{
    struct core_rig *rig = &((struct fixture *)*state)->rig;
    struct box_call replay = {.kind = REPLAY};
    uint8_t sealed[crypto_box_SEALBYTES + 2];
    uint8_t key[GK_SPOOL_KEY_SIZE];

    /* An unknown field alone: a SpoolEntry with neither deposit nor confirmation. */
    gk_keys_spool_public(rig->keys, key);
    assert_int_equal(crypto_box_seal(sealed, (const uint8_t *)"\x38\x01", 2, key), 0);
    replay.replay.sealed = (struct gk_bytes){sealed, sizeof sealed};
    assert_int_equal(run_now(rig, &replay), GK_INVALID_ARGUMENT);
}

/* --- readers that fail
 * ------------------------------------------------------------------------------------------ */

static void test_two_readers_that_die_make_the_card_difficult(void **state)
{
    struct fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    guika_v1_internal_LeaseJobResponse *job = calloc(1, sizeof *job);
    struct box_call deposit = deposit_call("d-1", "picture");

    start_call(rig, &deposit);
    assert_int_not_equal(core_rig_lease(fixture->reader, job), 0);
    assert_int_not_equal(core_rig_lease(fixture->reader, job), 0);
    assert_int_equal(end_call(&deposit), GK_OK);
    assert_int_equal(deposit.answer.zone, DIFFICULT_ZONE);
    assert_int_equal(card_of(rig, "d-1").reason, guika_v1_Reason_REASON_UNREADABLE);
    assert_int_equal(atomic_load(&rig->overdue), 2);
    free(job);
}

static void test_deposit_that_no_reader_takes_is_unavailable_and_leaves_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    struct box_call first = deposit_call("d-1", "picture");
    struct box_call retry = deposit_call("d-1", "picture");

    assert_int_equal(run_now(rig, &first), GK_UNAVAILABLE);
    assert_int_equal(records(rig, GK_FAMILY_DEPOSITS), 0);
    start_call(rig, &retry);
    answer_certain(fixture->reader);
    assert_int_equal(end_call(&retry), GK_OK);
    assert_int_equal(retry.answer.decision, KEEP);
}

static void test_full_queue_is_refused_with_a_hint(void **state)
{
    struct fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    struct box_call calls[3] = {deposit_call("d-1", "picture"), deposit_call("d-2", "picture"),
                                deposit_call("d-3", "picture")};
    unsigned refused = 0;

    for (size_t i = 0; i < 3; i++) {
        start_call(rig, &calls[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        if (end_call(&calls[i]) == GK_RESOURCE_EXHAUSTED) {
            assert_int_equal(calls[i].retry_after_ms, 500);
            refused++;
        } else {
            assert_int_equal(calls[i].status, GK_UNAVAILABLE); /* nobody reads */
        }
    }
    assert_int_equal(refused, 1);
}

static void test_reader_that_answers_nonsense_only_makes_the_card_difficult(void **state)
{
    struct fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    guika_v1_internal_CompleteRecognitionRequest *result = calloc(1, sizeof *result);
    struct box_call deposit = deposit_call("d-1", "picture");

    beat(rig, true);
    start_call(rig, &deposit);
    result->reason = (guika_v1_Reason)4711;
    result->wanted_lamp = (guika_v1_Lamp)4711;
    result->wanted_side = (guika_v1_Side)4711;
    answer_next(fixture->reader, result);
    assert_int_equal(end_call(&deposit), GK_OK);
    assert_int_equal(deposit.answer.zone, DIFFICULT_ZONE);
    assert_int_equal(card_of(rig, "d-1").reason, guika_v1_Reason_REASON_UNREADABLE);
    free(result);
}

/* --- the stop
 * --------------------------------------------------------------------------------------------------- */

static void test_stop_fails_what_is_in_hand_and_decides_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    guika_v1_internal_LeaseJobResponse *job = calloc(1, sizeof *job);
    struct box_call calls[4] = {deposit_call("d-1", "picture"), deposit_call("d-1", "picture"),
                                deposit_call("d-2", "picture"), confirm_call("d-1", STORED, NORMAL)};

    for (size_t i = 0; i < 4; i++) {
        start_call(rig, &calls[i]);
        rest_ms(20);
    }
    assert_int_not_equal(core_rig_lease(fixture->reader, job), 0);
    core_rig_restart(rig);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(end_call(&calls[i]), GK_UNAVAILABLE);
    }
    assert_int_equal(records(rig, GK_FAMILY_DEPOSITS), 0);
    assert_int_equal(records(rig, GK_FAMILY_FOUND_CARDS), 0);
    free(job);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define IMPATIENT(name) cmocka_unit_test_setup_teardown(name, setup_impatient, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_registered_card_is_kept_and_its_notice_leaves_with_stored),
        TEST(test_difficult_card_keeps_a_picture_until_it_is_taken_back),
        TEST(test_retry_gets_the_same_answer_also_after_a_restart),
        TEST(test_retry_while_the_first_call_runs_gets_its_answer),
        TEST(test_confirmation_waits_for_the_deposit_that_still_runs),
        TEST(test_requests_that_make_no_sense_are_refused),
        TEST(test_frames_that_were_asked_for_are_read_together),
        TEST(test_sequence_that_was_not_asked_for_is_refused),
        TEST(test_retry_of_the_deposit_while_it_waits_asks_again),
        TEST(test_more_than_eight_frames_are_refused),
        TEST(test_frames_after_a_restart_make_the_card_difficult),
        IMPATIENT(test_frames_that_never_come_make_the_card_difficult_by_themselves),
        TEST(test_jam_ends_the_wait_for_frames),
        TEST(test_finder_who_takes_the_card_while_it_is_read_again),
        TEST(test_spooled_deposit_is_neither_asked_about_nor_given_back),
        TEST(test_replay_of_an_answered_deposit_gets_its_answer),
        TEST(test_replay_after_more_frames_ends_the_wait),
        TEST(test_entries_that_do_not_open_are_refused),
        TEST(test_sealed_entry_of_nothing_is_refused),
        IMPATIENT(test_two_readers_that_die_make_the_card_difficult),
        IMPATIENT(test_deposit_that_no_reader_takes_is_unavailable_and_leaves_nothing),
        IMPATIENT(test_full_queue_is_refused_with_a_hint),
        TEST(test_reader_that_answers_nonsense_only_makes_the_card_difficult),
        TEST(test_stop_fails_what_is_in_hand_and_decides_nothing),
    };

    return cmocka_run_group_tests_name("core/pipeline", tests, NULL, NULL);
}

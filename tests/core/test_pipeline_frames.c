/* Frames that were asked for, and entries of a box's spool. */
#include "core/pipeline.h"

#include "core/found_card.h"
#include "core/security/hex.h"
#include "core/store/record.h"
#include "tests/core/pipeline_rig.h"

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

/* --- more frames
 * ------------------------------------------------------------------------------------------------ */

/* Deposits "d-1" and is asked for frames. */
static void be_asked(struct pipeline_fixture *fixture)
{
    struct pipeline_call deposit = pipeline_deposit_call("d-1", "first");

    pipeline_beat(&fixture->rig, true);
    pipeline_start_call(&fixture->rig, &deposit);
    pipeline_answer_glare(fixture->reader);
    assert_int_equal(pipeline_end_call(&deposit), GK_OK);
    assert_int_equal(deposit.answer.decision, MORE_FRAMES);
    assert_int_equal(deposit.answer.sequence, 1);
    assert_int_equal(deposit.answer.wanted_lamp, guika_v1_Lamp_LAMP_LEFT);
}

static void test_frames_that_were_asked_for_are_read_together(void **state)
{
    struct pipeline_fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    guika_v1_internal_CompleteRecognitionRequest *result = calloc(1, sizeof *result);
    guika_v1_internal_LeaseJobResponse *job = calloc(1, sizeof *job);
    struct pipeline_call add = pipeline_add_call("d-1", 1, "second");
    struct pipeline_call retry = pipeline_add_call("d-1", 1, "second");
    struct pipeline_call other = pipeline_add_call("d-1", 1, "third");
    struct pipeline_call deposit = pipeline_deposit_call("d-1", "first");

    be_asked(fixture);
    const guika_v1_internal_FoundCard waiting = pipeline_card_of(rig, "d-1");

    assert_true(pipeline_has_picture(rig, &waiting));
    pipeline_start_call(rig, &add);
    const uint64_t id = core_rig_lease(fixture->reader, job);

    assert_int_equal(job->job.recognise.frames_count, 2);
    assert_memory_equal(job->job.recognise.frames[0].picture.data, "first", 5);
    assert_memory_equal(job->job.recognise.frames[1].picture.data, "second", 6);
    pipeline_start_call(rig, &retry);
    pipeline_rest_ms(30);
    core_rig_certain(result, CORE_RIG_REGISTERED);
    assert_int_equal(core_rig_complete(fixture->reader, id, result), GK_OK);
    assert_int_equal(pipeline_end_call(&add), GK_OK);
    assert_int_equal(add.answer.decision, KEEP);
    assert_int_equal(pipeline_end_call(&retry), GK_OK);
    assert_memory_equal(&retry.answer, &add.answer, sizeof add.answer);
    assert_int_equal(pipeline_run_now(rig, &other), GK_ALREADY_EXISTS);
    assert_int_equal(pipeline_run_now(rig, &deposit), GK_OK);
    assert_int_equal(deposit.answer.decision, KEEP);
    assert_int_equal(pipeline_records(rig, GK_FAMILY_FOUND_CARDS), 1);
    assert_int_equal(pipeline_records(rig, GK_FAMILY_OUTBOX), 1);
    assert_int_equal(pipeline_card_of(rig, "d-1").pictures, 0);
    for (int i = 0; i < 1000 && pipeline_has_picture(rig, &waiting); i++) {
        pipeline_rest_ms(5);
    }
    assert_false(pipeline_has_picture(rig, &waiting));
    free(job);
    free(result);
}

static void test_sequence_that_was_not_asked_for_is_refused(void **state)
{
    struct pipeline_fixture *fixture = *state;
    struct pipeline_call early = pipeline_add_call("d-1", 2, "second");

    be_asked(fixture);
    assert_int_equal(pipeline_run_now(&fixture->rig, &early), GK_ALREADY_EXISTS);
    assert_int_equal(pipeline_card_of(&fixture->rig, "d-1").state, guika_v1_CardState_CARD_STATE_RECEIVED);
}

static void test_retry_of_the_deposit_while_it_waits_asks_again(void **state)
{
    struct pipeline_fixture *fixture = *state;
    struct pipeline_call retry = pipeline_deposit_call("d-1", "first");

    be_asked(fixture);
    assert_int_equal(pipeline_run_now(&fixture->rig, &retry), GK_OK);
    assert_int_equal(retry.answer.decision, MORE_FRAMES);
    assert_int_equal(retry.answer.sequence, 1);
}

static void test_more_than_eight_frames_are_refused(void **state)
{
    struct pipeline_fixture *fixture = *state;
    struct pipeline_call add = pipeline_add_call("d-1", 1, "second");

    be_asked(fixture);
    add.add.frames_count = 8;
    for (size_t i = 1; i < 8; i++) {
        add.add.frames[i] = pipeline_frame("more");
    }
    assert_int_equal(pipeline_run_now(&fixture->rig, &add), GK_INVALID_ARGUMENT);
}

static void test_frames_after_a_restart_make_the_card_difficult(void **state)
{
    struct pipeline_fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    struct pipeline_call add = pipeline_add_call("d-1", 1, "second");

    be_asked(fixture);
    gk_rpc_client_close(fixture->reader);
    core_rig_restart(rig); /* without the recovery of a start: the frames alone are gone */
    fixture->reader = core_rig_connect(rig, GK_ROLE_READER, "reader-0");
    assert_int_equal(pipeline_run_now(rig, &add), GK_OK);
    assert_int_equal(add.answer.decision, KEEP);
    assert_int_equal(add.answer.zone, DIFFICULT_ZONE);
    assert_int_equal(pipeline_card_of(rig, "d-1").state, guika_v1_CardState_CARD_STATE_DIFFICULT);
}

static void test_frames_that_never_come_make_the_card_difficult_by_themselves(void **state)
{
    struct pipeline_fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    struct pipeline_call late = pipeline_add_call("d-1", 1, "second");

    be_asked(fixture);
    for (int i = 0; i < 2000 && pipeline_card_of(rig, "d-1").state == guika_v1_CardState_CARD_STATE_RECEIVED;
         i++) {
        pipeline_rest_ms(5);
    }
    assert_int_equal(pipeline_card_of(rig, "d-1").state, guika_v1_CardState_CARD_STATE_DIFFICULT);
    assert_int_equal(pipeline_card_of(rig, "d-1").reason, guika_v1_Reason_REASON_GLARE);
    assert_int_equal(pipeline_card_of(rig, "d-1").pictures, 1);
    assert_int_equal(pipeline_run_now(rig, &late), GK_OK);
    assert_int_equal(late.answer.decision, KEEP);
    assert_int_equal(late.answer.zone, DIFFICULT_ZONE);
}

static void test_jam_ends_the_wait_for_frames(void **state)
{
    struct pipeline_fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    struct pipeline_call confirm = pipeline_confirm_call("d-1", JAMMED, NORMAL);
    struct pipeline_call late = pipeline_add_call("d-1", 1, "second");

    be_asked(fixture);
    assert_int_equal(pipeline_run_now(rig, &confirm), GK_OK);
    assert_int_equal(pipeline_card_of(rig, "d-1").state, guika_v1_CardState_CARD_STATE_DIFFICULT);
    assert_int_equal(pipeline_run_now(rig, &late), GK_OK);
    assert_int_equal(late.answer.decision, KEEP);
}

static void test_finder_who_takes_the_card_while_it_is_read_again(void **state)
{
    struct pipeline_fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    struct pipeline_call add = pipeline_add_call("d-1", 1, "second");
    struct pipeline_call confirm = pipeline_confirm_call("d-1", TAKEN_BACK, NORMAL);

    be_asked(fixture);
    pipeline_start_call(rig, &add);
    pipeline_rest_ms(30);
    pipeline_start_call(rig, &confirm);
    pipeline_answer_certain(fixture->reader);
    assert_int_equal(pipeline_end_call(&add), GK_OK);
    assert_int_equal(pipeline_end_call(&confirm), GK_OK);
    assert_int_equal(pipeline_card_of(rig, "d-1").state, guika_v1_CardState_CARD_STATE_GIVEN_BACK);
    assert_int_equal(pipeline_records(rig, GK_FAMILY_OUTBOX_DUE), 0);
}

/* --- replay
 * ------------------------------------------------------------------------------------------------------- */

static void test_spooled_deposit_is_neither_asked_about_nor_given_back(void **state)
{
    struct pipeline_fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    const struct pipeline_call deposit = pipeline_deposit_call("d-1", "picture");
    const struct pipeline_call confirm = pipeline_confirm_call("d-1", STORED, DIFFICULT_ZONE);
    guika_v1_ReplayResponse response;
    uint8_t *sealed;

    pipeline_beat(rig, true);
    struct pipeline_call replay = pipeline_replay_of(rig, &deposit, &sealed);

    pipeline_start_call(rig, &replay);
    pipeline_answer_glare(fixture->reader);
    assert_int_equal(pipeline_end_call(&replay), GK_OK);
    free(sealed);
    assert_int_equal(replay.replayed.which_answer, guika_v1_ReplayResponse_deposit_tag);
    assert_int_equal(replay.replayed.answer.deposit.decision, KEEP);
    assert_int_equal(replay.replayed.answer.deposit.zone, DIFFICULT_ZONE);
    assert_int_equal(pipeline_replay_now(rig, &confirm, &response), GK_OK);
    assert_int_equal(response.which_answer, guika_v1_ReplayResponse_confirm_tag);
    assert_false(pipeline_card_of(rig, "d-1").place.misplaced);
    assert_int_equal(pipeline_card_of(rig, "d-1").place.kind,
                     guika_v1_internal_Place_Kind_PLACE_DIFFICULT_BIN);
}

static void test_replay_of_an_answered_deposit_gets_its_answer(void **state)
{
    struct pipeline_fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    struct pipeline_call deposit = pipeline_deposit_call("d-1", "picture");
    guika_v1_ReplayResponse response;

    pipeline_start_call(rig, &deposit);
    pipeline_answer_certain(fixture->reader);
    assert_int_equal(pipeline_end_call(&deposit), GK_OK);
    assert_int_equal(pipeline_replay_now(rig, &deposit, &response), GK_OK);
    assert_string_equal(response.answer.deposit.case_id, deposit.answer.case_id);
    assert_int_equal(pipeline_records(rig, GK_FAMILY_FOUND_CARDS), 1);
}

static void test_replay_after_more_frames_ends_the_wait(void **state)
{
    struct pipeline_fixture *fixture = *state;
    const struct pipeline_call deposit = pipeline_deposit_call("d-1", "first");
    guika_v1_ReplayResponse response;

    be_asked(fixture);
    assert_int_equal(pipeline_replay_now(&fixture->rig, &deposit, &response), GK_OK);
    assert_int_equal(response.answer.deposit.decision, KEEP);
    assert_int_equal(response.answer.deposit.zone, DIFFICULT_ZONE);
    assert_int_equal(pipeline_card_of(&fixture->rig, "d-1").state, guika_v1_CardState_CARD_STATE_DIFFICULT);
}

static void test_entries_that_do_not_open_are_refused(void **state)
{
    struct core_rig *rig = &((struct pipeline_fixture *)*state)->rig;
    const struct pipeline_call deposit = pipeline_deposit_call("d-1", "picture");
    uint8_t *sealed;
    struct pipeline_call replay = pipeline_replay_of(rig, &deposit, &sealed);

    sealed[40] ^= 1;
    assert_int_equal(pipeline_run_now(rig, &replay), GK_INVALID_ARGUMENT);
    sealed[40] ^= 1;
    strcpy(replay.replay.deposit_id, "d-2");
    assert_int_equal(pipeline_run_now(rig, &replay), GK_INVALID_ARGUMENT);
    assert_non_null(strstr(replay.error.message, "not the one that was sealed"));
    replay.replay.sealed.size = 48;
    assert_int_equal(pipeline_run_now(rig, &replay), GK_INVALID_ARGUMENT);
    assert_int_equal(pipeline_records(rig, GK_FAMILY_DEPOSITS), 0);
    free(sealed);
}

static void test_sealed_entry_of_nothing_is_refused(void **state)
{
    struct core_rig *rig = &((struct pipeline_fixture *)*state)->rig;
    struct pipeline_call replay = {.kind = REPLAY};
    uint8_t sealed[crypto_box_SEALBYTES + 2];
    uint8_t key[GK_SPOOL_KEY_SIZE];

    /* An unknown field alone: a SpoolEntry with neither deposit nor confirmation. */
    gk_keys_spool_public(rig->keys, key);
    assert_int_equal(crypto_box_seal(sealed, (const uint8_t *)"\x38\x01", 2, key), 0);
    replay.replay.sealed = (struct gk_bytes){sealed, sizeof sealed};
    assert_int_equal(pipeline_run_now(rig, &replay), GK_INVALID_ARGUMENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pipeline_setup, pipeline_teardown)
#define IMPATIENT(name) cmocka_unit_test_setup_teardown(name, pipeline_setup_impatient, pipeline_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };

    return cmocka_run_group_tests_name("core/pipeline, frames and replays", tests, NULL, NULL);
}

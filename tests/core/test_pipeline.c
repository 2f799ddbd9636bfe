/* Deposits and confirmations, and what becomes of them where readers fail or the service stops. */
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

/* --- receive, decide, notify
 * --------------------------------------------------------------------------------------- */

static void test_registered_card_is_kept_and_its_notice_leaves_with_stored(void **state)
{
    struct pipeline_fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    struct pipeline_call deposit = pipeline_deposit_call("d-1", "picture");
    struct pipeline_call confirm = pipeline_confirm_call("d-1", STORED, NORMAL);

    pipeline_start_call(rig, &deposit);
    pipeline_answer_certain(fixture->reader);
    assert_int_equal(pipeline_end_call(&deposit), GK_OK);
    assert_int_equal(deposit.answer.decision, KEEP);
    assert_int_equal(deposit.answer.zone, NORMAL);
    assert_int_equal(strlen(deposit.answer.case_id), 32);
    assert_int_equal(pipeline_records(rig, GK_FAMILY_OUTBOX), 1);
    assert_int_equal(pipeline_records(rig, GK_FAMILY_OUTBOX_DUE), 0);
    assert_int_equal(atomic_load(&rig->notices_due), 0);
    assert_int_equal(pipeline_run_now(rig, &confirm), GK_OK);
    assert_int_equal(pipeline_records(rig, GK_FAMILY_OUTBOX_DUE), 1);
    assert_int_equal(atomic_load(&rig->notices_due), 1);
    assert_int_equal(pipeline_card_of(rig, "d-1").state, guika_v1_CardState_CARD_STATE_IDENTIFIED);
}

static void test_difficult_card_keeps_a_picture_until_it_is_taken_back(void **state)
{
    struct pipeline_fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    struct pipeline_call deposit = pipeline_deposit_call("d-1", "picture");
    struct pipeline_call confirm = pipeline_confirm_call("d-1", TAKEN_BACK, NORMAL);

    pipeline_start_call(rig, &deposit);
    pipeline_answer_glare(fixture->reader);
    assert_int_equal(pipeline_end_call(&deposit), GK_OK);
    assert_int_equal(deposit.answer.zone, DIFFICULT_ZONE);
    const guika_v1_internal_FoundCard card = pipeline_card_of(rig, "d-1");

    assert_int_equal(card.reason, guika_v1_Reason_REASON_GLARE);
    assert_int_equal(card.pictures, 1);
    assert_true(pipeline_has_picture(rig, &card));
    assert_int_equal(pipeline_run_now(rig, &confirm), GK_OK);
    for (int i = 0; i < 1000 && pipeline_has_picture(rig, &card); i++) {
        pipeline_rest_ms(5);
    }
    assert_false(pipeline_has_picture(rig, &card));
    assert_int_equal(pipeline_card_of(rig, "d-1").pictures, 0);
}

static void test_retry_gets_the_same_answer_also_after_a_restart(void **state)
{
    struct pipeline_fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    struct pipeline_call first = pipeline_deposit_call("d-1", "picture");
    struct pipeline_call retry = pipeline_deposit_call("d-1", "picture");
    struct pipeline_call late = pipeline_deposit_call("d-1", "picture");
    struct pipeline_call other = pipeline_deposit_call("d-1", "another");

    pipeline_start_call(rig, &first);
    pipeline_answer_certain(fixture->reader);
    assert_int_equal(pipeline_end_call(&first), GK_OK);
    assert_int_equal(pipeline_run_now(rig, &retry), GK_OK);
    assert_memory_equal(&retry.answer, &first.answer, sizeof first.answer);
    gk_rpc_client_close(fixture->reader);
    core_rig_restart(rig);
    fixture->reader = core_rig_connect(rig, GK_ROLE_READER, "reader-0");
    assert_int_equal(pipeline_run_now(rig, &late), GK_OK);
    assert_string_equal(late.answer.case_id, first.answer.case_id);
    assert_int_equal(pipeline_run_now(rig, &other), GK_ALREADY_EXISTS);
    assert_int_equal(pipeline_records(rig, GK_FAMILY_FOUND_CARDS), 1);
}

static void test_retry_while_the_first_call_runs_gets_its_answer(void **state)
{
    struct pipeline_fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    guika_v1_internal_CompleteRecognitionRequest *result = calloc(1, sizeof *result);
    guika_v1_internal_LeaseJobResponse *job = calloc(1, sizeof *job);
    struct pipeline_call calls[3] = {pipeline_deposit_call("d-1", "picture"),
                                     pipeline_deposit_call("d-1", "picture"),
                                     pipeline_deposit_call("d-1", "another")};

    pipeline_start_call(rig, &calls[0]);
    const uint64_t id = core_rig_lease(fixture->reader, job);

    pipeline_start_call(rig, &calls[1]);
    pipeline_start_call(rig, &calls[2]);
    pipeline_rest_ms(50);
    core_rig_certain(result, CORE_RIG_REGISTERED);
    assert_int_equal(core_rig_complete(fixture->reader, id, result), GK_OK);
    assert_int_equal(pipeline_end_call(&calls[0]), GK_OK);
    assert_int_equal(pipeline_end_call(&calls[1]), GK_OK);
    assert_int_equal(pipeline_end_call(&calls[2]), GK_ALREADY_EXISTS);
    assert_memory_equal(&calls[1].answer, &calls[0].answer, sizeof calls[0].answer);
    assert_int_equal(pipeline_records(rig, GK_FAMILY_FOUND_CARDS), 1);
    assert_int_equal(pipeline_records(rig, GK_FAMILY_OUTBOX), 1);
    free(job);
    free(result);
}

static void test_confirmation_waits_for_the_deposit_that_still_runs(void **state)
{
    struct pipeline_fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    struct pipeline_call deposit = pipeline_deposit_call("d-1", "picture");
    struct pipeline_call confirm = pipeline_confirm_call("d-1", STORED, DIFFICULT_ZONE);

    /* The box did not wait: the card lies in the difficult zone before it is decided. */
    pipeline_start_call(rig, &deposit);
    guika_v1_internal_LeaseJobResponse *job = calloc(1, sizeof *job);
    guika_v1_internal_CompleteRecognitionRequest *result = calloc(1, sizeof *result);
    const uint64_t id = core_rig_lease(fixture->reader, job);

    pipeline_start_call(rig, &confirm);
    pipeline_rest_ms(50);
    assert_int_equal(pipeline_records(rig, GK_FAMILY_FOUND_CARDS), 0);
    core_rig_certain(result, CORE_RIG_REGISTERED);
    assert_int_equal(core_rig_complete(fixture->reader, id, result), GK_OK);
    assert_int_equal(pipeline_end_call(&deposit), GK_OK);
    assert_int_equal(pipeline_end_call(&confirm), GK_OK);
    assert_true(pipeline_card_of(rig, "d-1").place.misplaced);
    assert_int_equal(pipeline_records(rig, GK_FAMILY_OUTBOX_DUE), 0); /* no holder reaches it there */
    free(result);
    free(job);
}

static void test_requests_that_make_no_sense_are_refused(void **state)
{
    struct core_rig *rig = &((struct pipeline_fixture *)*state)->rig;
    struct pipeline_call call = pipeline_deposit_call("no spaces", "picture");

    assert_int_equal(pipeline_run_now(rig, &call), GK_INVALID_ARGUMENT);
    call = pipeline_deposit_call("", "picture");
    assert_int_equal(pipeline_run_now(rig, &call), GK_INVALID_ARGUMENT);
    call = pipeline_deposit_call("d-1", "picture");
    call.deposit.frames_count = 0;
    assert_int_equal(pipeline_run_now(rig, &call), GK_INVALID_ARGUMENT);
    call = pipeline_deposit_call("d-1", "");
    assert_int_equal(pipeline_run_now(rig, &call), GK_INVALID_ARGUMENT);
    assert_non_null(strstr(call.error.message, "1 to 8388608 bytes, not 0"));
    call = pipeline_add_call("d-1", 0, "picture");
    assert_int_equal(pipeline_run_now(rig, &call), GK_INVALID_ARGUMENT);
    call = pipeline_add_call("d-1", 1, "picture");
    assert_int_equal(pipeline_run_now(rig, &call), GK_NOT_FOUND);
    call = pipeline_confirm_call("d-1", STORED, NORMAL);
    assert_int_equal(pipeline_run_now(rig, &call), GK_NOT_FOUND);
    call.confirm.compartment[0] = '\0';
    assert_int_equal(pipeline_run_now(rig, &call), GK_INVALID_ARGUMENT);
    call = pipeline_confirm_call("d-1", STORED, guika_v1_Zone_ZONE_UNSPECIFIED);
    assert_int_equal(pipeline_run_now(rig, &call), GK_INVALID_ARGUMENT);
    call = pipeline_confirm_call("d-1", (guika_v1_ConfirmStoredRequest_Outcome)9, NORMAL);
    assert_int_equal(pipeline_run_now(rig, &call), GK_INVALID_ARGUMENT);
    assert_int_equal(pipeline_records(rig, GK_FAMILY_DEPOSITS), 0);
}

/* --- readers that fail
 * ------------------------------------------------------------------------------------------ */

static void test_two_readers_that_die_make_the_card_difficult(void **state)
{
    struct pipeline_fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    guika_v1_internal_LeaseJobResponse *job = calloc(1, sizeof *job);
    struct pipeline_call deposit = pipeline_deposit_call("d-1", "picture");

    pipeline_start_call(rig, &deposit);
    assert_int_not_equal(core_rig_lease(fixture->reader, job), 0);
    assert_int_not_equal(core_rig_lease(fixture->reader, job), 0);
    assert_int_equal(pipeline_end_call(&deposit), GK_OK);
    assert_int_equal(deposit.answer.zone, DIFFICULT_ZONE);
    assert_int_equal(pipeline_card_of(rig, "d-1").reason, guika_v1_Reason_REASON_UNREADABLE);
    assert_int_equal(atomic_load(&rig->overdue), 2);
    free(job);
}

static void test_deposit_that_no_reader_takes_is_unavailable_and_leaves_nothing(void **state)
{
    struct pipeline_fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    struct pipeline_call first = pipeline_deposit_call("d-1", "picture");
    struct pipeline_call retry = pipeline_deposit_call("d-1", "picture");

    assert_int_equal(pipeline_run_now(rig, &first), GK_UNAVAILABLE);
    assert_int_equal(pipeline_records(rig, GK_FAMILY_DEPOSITS), 0);
    pipeline_start_call(rig, &retry);
    pipeline_answer_certain(fixture->reader);
    assert_int_equal(pipeline_end_call(&retry), GK_OK);
    assert_int_equal(retry.answer.decision, KEEP);
}

static void test_full_queue_is_refused_with_a_hint(void **state)
{
    struct pipeline_fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    struct pipeline_call calls[3] = {pipeline_deposit_call("d-1", "picture"),
                                     pipeline_deposit_call("d-2", "picture"),
                                     pipeline_deposit_call("d-3", "picture")};
    unsigned refused = 0;

    for (size_t i = 0; i < 3; i++) {
        pipeline_start_call(rig, &calls[i]);
    }
    for (size_t i = 0; i < 3; i++) {
        if (pipeline_end_call(&calls[i]) == GK_RESOURCE_EXHAUSTED) {
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
    struct pipeline_fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    guika_v1_internal_CompleteRecognitionRequest *result = calloc(1, sizeof *result);
    struct pipeline_call deposit = pipeline_deposit_call("d-1", "picture");

    pipeline_beat(rig, true);
    pipeline_start_call(rig, &deposit);
    result->reason = (guika_v1_Reason)4711;
    result->wanted_lamp = (guika_v1_Lamp)4711;
    result->wanted_side = (guika_v1_Side)4711;
    pipeline_answer_next(fixture->reader, result);
    assert_int_equal(pipeline_end_call(&deposit), GK_OK);
    assert_int_equal(deposit.answer.zone, DIFFICULT_ZONE);
    assert_int_equal(pipeline_card_of(rig, "d-1").reason, guika_v1_Reason_REASON_UNREADABLE);
    free(result);
}

/* --- the stop
 * --------------------------------------------------------------------------------------------------- */

static void test_stop_fails_what_is_in_hand_and_decides_nothing(void **state)
{
    struct pipeline_fixture *fixture = *state;
    struct core_rig *rig = &fixture->rig;
    guika_v1_internal_LeaseJobResponse *job = calloc(1, sizeof *job);
    struct pipeline_call calls[4] = {
        pipeline_deposit_call("d-1", "picture"), pipeline_deposit_call("d-1", "picture"),
        pipeline_deposit_call("d-2", "picture"), pipeline_confirm_call("d-1", STORED, NORMAL)};

    for (size_t i = 0; i < 4; i++) {
        pipeline_start_call(rig, &calls[i]);
        pipeline_rest_ms(20);
    }
    assert_int_not_equal(core_rig_lease(fixture->reader, job), 0);
    core_rig_restart(rig);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pipeline_end_call(&calls[i]), GK_UNAVAILABLE);
    }
    assert_int_equal(pipeline_records(rig, GK_FAMILY_DEPOSITS), 0);
    assert_int_equal(pipeline_records(rig, GK_FAMILY_FOUND_CARDS), 0);
    free(job);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, pipeline_setup, pipeline_teardown)
#define IMPATIENT(name) cmocka_unit_test_setup_teardown(name, pipeline_setup_impatient, pipeline_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_registered_card_is_kept_and_its_notice_leaves_with_stored),
        TEST(test_difficult_card_keeps_a_picture_until_it_is_taken_back),
        TEST(test_retry_gets_the_same_answer_also_after_a_restart),
        TEST(test_retry_while_the_first_call_runs_gets_its_answer),
        TEST(test_confirmation_waits_for_the_deposit_that_still_runs),
        TEST(test_requests_that_make_no_sense_are_refused),
        IMPATIENT(test_two_readers_that_die_make_the_card_difficult),
        IMPATIENT(test_deposit_that_no_reader_takes_is_unavailable_and_leaves_nothing),
        IMPATIENT(test_full_queue_is_refused_with_a_hint),
        TEST(test_reader_that_answers_nonsense_only_makes_the_card_difficult),
        TEST(test_stop_fails_what_is_in_hand_and_decides_nothing),
    };

    return cmocka_run_group_tests_name("core/pipeline", tests, NULL, NULL);
}

#include "core/enquiries.h"

#include "core/found_card.h"
#include "core/store/record.h"
#include "guika/v1/holder.rpc.h"
#include "tests/core/core_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static int setup(void **state)
{
    struct core_rig *rig = calloc(1, sizeof *rig);

    core_rig_start(rig, NULL);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    core_rig_end(*state);
    free(*state);
    return 0;
}

static enum gk_status ask(struct core_rig *rig, const char *number)
{
    struct gk_rpc_client *client = core_rig_connect(rig, GK_ROLE_ANYONE, "");
    guika_v1_CheckStatusRequest request = {0};
    guika_v1_CheckStatusResponse response = {0};

    (void)snprintf(request.number, sizeof request.number, "%s", number);
    const enum gk_status status =
        guika_v1_holder_service_check_status(client, NULL, &request, &response, NULL);

    if (status == GK_OK) {
        assert_int_equal(response.answer, guika_v1_CheckStatusResponse_Answer_ACCEPTED);
    }
    gk_rpc_client_close(client);
    return status;
}

static void must_ask(struct core_rig *rig, const char *number)
{
    assert_int_equal(ask(rig, number), GK_OK);
}

/* --- what rests
 * ----------------------------------------------------------------------------------------------------- */

struct notices {
    size_t count;
    guika_v1_internal_NoticeRecord last;
};

static bool visit_notice(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct notices *notices = context;

    (void)key;
    assert_int_equal(gk_record_decode(value, guika_v1_internal_NoticeRecord_fields, &notices->last, NULL),
                     GK_OK);
    notices->count++;
    return true;
}

static struct notices notices_of(struct core_rig *rig)
{
    const struct gk_bytes all = {NULL, 0};
    struct notices notices = {.count = 0};

    assert_int_equal(
        gk_store_scan(rig->store, GK_FAMILY_OUTBOX, all, all, false, visit_notice, &notices, NULL), GK_OK);
    return notices;
}

static bool count_one(void *context, struct gk_bytes key, struct gk_bytes value)
{
    (void)key;
    (void)value;
    ++*(size_t *)context;
    return true;
}

static size_t resting(struct core_rig *rig)
{
    const struct gk_bytes all = {NULL, 0};
    size_t count = 0;

    assert_int_equal(gk_store_scan(rig->store, GK_FAMILY_ENQUIRIES, all, all, false, count_one, &count, NULL),
                     GK_OK);
    return count;
}

/* Waits until no enquiry rests any more, 10 s at most. */
static void wait_answered(struct core_rig *rig)
{
    for (int i = 0; i < 1000 && resting(rig) > 0; i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_int_equal(resting(rig), 0);
}

/* --- what is true
 * --------------------------------------------------------------------------------------------- */

struct storing {
    struct gk_found_card_decision decision;
    guika_v1_ConfirmStoredRequest request;
};

static enum gk_status apply_found(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct storing *storing = context;
    guika_v1_internal_DepositRecord deposit;

    return gk_found_card_decide(transaction, &storing->decision, &deposit, error);
}

static enum gk_status apply_stored(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct storing *storing = context;
    uint8_t case_id[GK_CASE_ID_SIZE];

    return gk_found_card_confirm(transaction, "library-1", &storing->request, case_id, error);
}

/* The registered card lies in a box, or is on its way into it. */
static void find_card(struct core_rig *rig, bool stored)
{
    struct storing *storing = calloc(1, sizeof *storing);
    guika_v1_internal_FoundCard *card = &storing->decision.card;

    card->case_id[0] = 0xca;
    card->received_at_ms = atomic_load(&rig->now_ms);
    card->state = guika_v1_CardState_CARD_STATE_IDENTIFIED;
    card->decided_zone = guika_v1_Zone_ZONE_NORMAL;
    strcpy(card->box_id, "library-1");
    strcpy(card->deposit_id, "d-1");
    card->card_token.size = GK_TOKEN_SIZE;
    gk_keys_card_token(rig->keys, "iso7812", CORE_RIG_REGISTERED, card->card_token.bytes);
    memcpy(storing->decision.deposit.case_id, card->case_id, GK_CASE_ID_SIZE);
    storing->decision.deposit.has_answer = true;
    strcpy(storing->request.deposit_id, "d-1");
    storing->request.outcome = guika_v1_ConfirmStoredRequest_Outcome_STORED;
    storing->request.zone = guika_v1_Zone_ZONE_NORMAL;
    strcpy(storing->request.compartment, "A7");
    assert_int_equal(gk_store_commit_and_wait(rig->store, apply_found, storing, NULL), GK_OK);
    if (stored) {
        assert_int_equal(gk_store_commit_and_wait(rig->store, apply_stored, storing, NULL), GK_OK);
    }
    free(storing);
}

/* --- tests
 * ------------------------------------------------------------------------------------------------------------
 */

static void test_holder_of_a_found_card_is_told_where_it_is(void **state)
{
    struct core_rig *rig = *state;

    find_card(rig, true);
    must_ask(rig, "6250 9410 0652 8599");
    wait_answered(rig);
    const struct notices notices = notices_of(rig);

    assert_int_equal(notices.count, 1);
    assert_string_equal(notices.last.template_id, "enquiry_found");
    assert_int_equal(notices.last.state, guika_v1_internal_NoticeRecord_State_NOTICE_DUE);
    assert_string_equal(notices.last.box_id, "library-1");
    assert_int_equal(notices.last.case_id.size, GK_CASE_ID_SIZE);
    core_rig_wait(&rig->notices_due, 1);
}

static void not_found(struct core_rig *rig)
{
    must_ask(rig, CORE_RIG_REGISTERED);
    wait_answered(rig);
    const struct notices notices = notices_of(rig);

    assert_int_equal(notices.count, 1);
    assert_string_equal(notices.last.template_id, "enquiry_not_found");
    assert_int_equal(notices.last.case_id.size, 0);
}

static void test_holder_of_a_card_that_was_not_found_is_told_so(void **state)
{
    not_found(*state);
}

static void test_card_that_is_not_in_the_box_yet_is_not_told_of(void **state)
{
    find_card(*state, false);
    not_found(*state);
}

static void test_unknown_numbers_are_accepted_alike_and_nobody_is_told(void **state)
{
    struct core_rig *rig = *state;

    must_ask(rig, "6250946000000016");
    must_ask(rig, "nonsense");
    wait_answered(rig);
    assert_int_equal(notices_of(rig).count, 0);
}

static void test_holder_is_told_once_a_day(void **state)
{
    struct core_rig *rig = *state;

    find_card(rig, true);
    must_ask(rig, CORE_RIG_REGISTERED);
    wait_answered(rig);
    must_ask(rig, CORE_RIG_REGISTERED);
    wait_answered(rig);
    assert_int_equal(notices_of(rig).count, 1);
    atomic_fetch_add(&rig->now_ms, INT64_C(24) * 3600 * 1000);
    must_ask(rig, CORE_RIG_REGISTERED);
    wait_answered(rig);
    assert_int_equal(notices_of(rig).count, 2);
}

static void test_number_itself_does_not_rest(void **state)
{
    struct core_rig *rig = *state;
    struct notices notices;

    find_card(rig, true);
    must_ask(rig, CORE_RIG_REGISTERED);
    wait_answered(rig);
    notices = notices_of(rig);
    assert_null(memmem(&notices.last, sizeof notices.last, CORE_RIG_REGISTERED, 16));
}

static void test_number_without_letters_or_digits_is_refused(void **state)
{
    struct core_rig *rig = *state;

    assert_int_equal(ask(rig, ""), GK_INVALID_ARGUMENT);
    assert_int_equal(ask(rig, " - ()"), GK_INVALID_ARGUMENT);
    assert_int_equal(resting(rig), 0);
}

static void test_empty_shelf_refuses_rather_than_forget(void **state)
{
    struct core_rig *rig = *state;
    const guika_v1_internal_AnnounceRequest *nothing = calloc(1, sizeof *nothing);

    gk_shelf_set(rig->shelf, nothing);
    assert_int_equal(ask(rig, CORE_RIG_REGISTERED), GK_UNAVAILABLE);
    assert_int_equal(resting(rig), 0);
    free((void *)nothing);
}

static enum gk_status apply_many(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const size_t *count = context;

    for (size_t i = 0; i < *count; i++) {
        guika_v1_internal_EnquiryRecord record = {.card_tokens_count = 1, .asked_at_ms = 1};
        uint8_t key[16] = {0};

        key[14] = (uint8_t)(i >> 8);
        key[15] = (uint8_t)i;
        record.card_tokens[0].size = GK_TOKEN_SIZE;
        const enum gk_status status =
            gk_record_put(transaction, GK_FAMILY_ENQUIRIES, (struct gk_bytes){key, sizeof key},
                          guika_v1_internal_EnquiryRecord_fields, &record, error);

        if (status != GK_OK) {
            return status;
        }
    }
    return GK_OK;
}

static void test_all_that_rested_at_the_start_are_answered(void **state)
{
    struct core_rig *rig = *state;
    size_t count = 600; /* more than two turns take */

    assert_int_equal(gk_store_commit_and_wait(rig->store, apply_many, &count, NULL), GK_OK);
    core_rig_restart(rig);
    wait_answered(rig);
}

static void test_none_of_many_is_left_behind(void **state)
{
    struct core_rig *rig = *state;

    for (int i = 0; i < 60; i++) {
        must_ask(rig, i % 2 == 0 ? "6250946000000016" : CORE_RIG_REGISTERED);
        if (i % 20 == 19) {
            (void)nanosleep(&(struct timespec){.tv_nsec = 150000000}, NULL);
        }
    }
    wait_answered(rig);
    assert_int_equal(notices_of(rig).count, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_holder_of_a_found_card_is_told_where_it_is),
        TEST(test_holder_of_a_card_that_was_not_found_is_told_so),
        TEST(test_card_that_is_not_in_the_box_yet_is_not_told_of),
        TEST(test_unknown_numbers_are_accepted_alike_and_nobody_is_told),
        TEST(test_holder_is_told_once_a_day),
        TEST(test_number_itself_does_not_rest),
        TEST(test_number_without_letters_or_digits_is_refused),
        TEST(test_empty_shelf_refuses_rather_than_forget),
        TEST(test_all_that_rested_at_the_start_are_answered),
        TEST(test_none_of_many_is_left_behind),
    };

    return cmocka_run_group_tests_name("core/enquiries", tests, NULL, NULL);
}

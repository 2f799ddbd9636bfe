/* The queue of difficult cards: what people see of it and do with it. */
#include "core/difficult.h"

#include "core/security/hex.h"
#include "core/store/record.h"
#include "guika/v1/box.rpc.h"
#include "guika/v1/issuer.rpc.h"
#include "rpc/repeated.h"
#include "tests/core/difficult_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* --- the queue and its pictures --- */

static void test_queue_shows_reason_and_masked_candidates(void **state)
{
    struct difficult_rig *rig = *state;
    const char *case_id = difficult_drop(rig, "d-1");
    guika_v1_ListDifficultResponse *response = difficult_list(rig);

    assert_int_equal(response->cards_count, 1);
    assert_string_equal(response->cards[0].card.case_id, case_id);
    assert_int_equal(response->cards[0].card.reason, guika_v1_Reason_REASON_GLARE);
    assert_true(response->cards[0].has_picture);
    assert_int_equal(response->cards[0].candidates_count, 2);
    assert_string_equal(response->cards[0].candidates[0].masked_number, "•••• 8599");
    assert_string_equal(response->cards[0].candidates[1].masked_number, "•••• 8607");
    assert_true(response->cards[0].candidates[0].probability > 0.49);
    free(response);
}

static void test_queue_is_listed_oldest_first_in_pages(void **state)
{
    struct difficult_rig *rig = *state;
    guika_v1_ListDifficultRequest request = {.limit = 2};
    guika_v1_ListDifficultResponse *response = calloc(1, sizeof *response);
    char id[16];

    for (int i = 0; i < 5; i++) {
        (void)snprintf(id, sizeof id, "d-%d", i);
        (void)difficult_drop(rig, id);
        atomic_fetch_add(&rig->core.now_ms, 1000);
    }
    for (int i = 0; i < 5; i += 2) {
        memset(response, 0, sizeof *response);
        assert_int_equal(guika_v1_operator_service_list_difficult(rig->anna, NULL, &request, response, NULL),
                         GK_OK);
        assert_int_equal(response->cards_count, i == 4 ? 1 : 2);
        (void)snprintf(id, sizeof id, "d-%d", i);
        assert_string_equal(response->cards[0].card.deposit_id, id);
        assert_int_equal(response->next_page_token[0] == '\0', i == 4);
        strcpy(request.page_token, response->next_page_token);
    }
    free(response);
}

static void test_picture_is_for_viewers_and_every_view_is_audited(void **state)
{
    struct difficult_rig *rig = *state;
    const char *case_id = difficult_drop(rig, "d-1");
    const uint64_t before = difficult_audited(rig);
    char picture[64];

    assert_int_equal(difficult_view(rig, rig->anna, case_id, picture), GK_PERMISSION_DENIED);
    assert_int_equal(difficult_audited(rig), before);
    assert_int_equal(difficult_view(rig, rig->viewer, case_id, picture), GK_OK);
    assert_string_equal(picture, "redacted picture");
    assert_int_equal(difficult_view(rig, rig->viewer, case_id, picture), GK_OK);
    assert_int_equal(difficult_audited(rig), before + 2);
    difficult_assert_last_entry(rig, "viewer:vera", "found_card.view");
    assert_int_equal(difficult_view(rig, rig->viewer, "00000000000000000000000000000000", picture),
                     GK_NOT_FOUND);
    assert_int_equal(difficult_view(rig, rig->viewer, "no case", picture), GK_INVALID_ARGUMENT);
    assert_int_equal(difficult_audited(rig), before + 2);
}

/* --- Resolve --- */

static void test_typed_number_identifies_the_card_and_its_notice_leaves(void **state)
{
    struct difficult_rig *rig = *state;
    const char *case_id = difficult_drop(rig, "d-1");
    const uint64_t before = difficult_audited(rig);

    assert_int_equal(difficult_resolve(rig, rig->anna, case_id, CORE_RIG_REGISTERED), GK_OK);
    assert_int_equal(rig->resolved.card.card.state, IDENTIFIED);
    assert_false(rig->resolved.needs_second);
    const guika_v1_internal_FoundCard card = difficult_card_of(rig, case_id);

    assert_int_equal(card.state, IDENTIFIED);
    assert_string_equal(card.issuer_account, "bank");
    assert_int_equal(card.sealed_candidates.size, 0);
    assert_int_equal(difficult_notice_state(rig, &card),
                     HELD); /* ready once it is placed where its holder reaches it */
    assert_int_equal(difficult_audited(rig), before + 1);
    difficult_assert_last_entry(rig, "operator:anna", "found_card.resolve");
    assert_int_equal(difficult_queued(rig), 0);
    difficult_await_erasure(rig, case_id);
    assert_int_equal(difficult_resolve(rig, rig->anna, case_id, CORE_RIG_REGISTERED), GK_FAILED_PRECONDITION);
}

static void test_number_that_breaks_the_rules_is_refused(void **state)
{
    struct difficult_rig *rig = *state;
    const char *case_id = difficult_drop(rig, "d-1");
    const uint64_t before = difficult_audited(rig);

    assert_int_equal(difficult_resolve(rig, rig->anna, case_id, "4000000000000001"), GK_INVALID_ARGUMENT);
    assert_non_null(strstr(rig->error.message, "check digit"));
    assert_int_equal(difficult_resolve(rig, rig->anna, case_id, BOTH_SCHEMES), GK_INVALID_ARGUMENT);
    assert_non_null(strstr(rig->error.message, "t-union"));
    assert_int_equal(difficult_resolve(rig, rig->anna, case_id, ""), GK_INVALID_ARGUMENT);
    assert_int_equal(difficult_audited(rig), before);
    assert_int_equal(difficult_queued(rig), 1);
}

static void test_unregistered_number_keeps_its_token_until_an_import_knows_it(void **state)
{
    struct difficult_rig *rig = *state;
    const char *case_id = difficult_drop(rig, "d-1");

    assert_int_equal(difficult_resolve(rig, rig->anna, case_id, STRANGER), GK_OK);
    assert_int_equal(rig->resolved.card.card.reason, guika_v1_Reason_REASON_UNREGISTERED);
    guika_v1_internal_FoundCard card = difficult_card_of(rig, case_id);

    assert_int_equal(card.state, DIFFICULT);
    assert_int_equal(card.card_token.size, GK_TOKEN_SIZE);
    const unsigned read = atomic_load(&rig->read);

    difficult_import(rig, "second", STRANGER);
    difficult_await_state(rig, case_id, IDENTIFIED);
    card = difficult_card_of(rig, case_id);
    assert_int_equal(difficult_notice_state(rig, &card), HELD);
    difficult_assert_last_entry(rig, "core", "found_card.retry");
    assert_int_equal(atomic_load(&rig->read), read);
    assert_int_equal(difficult_queued(rig), 0);
}

static void test_notice_of_a_card_that_is_not_stored_yet_waits(void **state)
{
    struct difficult_rig *rig = *state;
    guika_v1_DepositRequest *request = calloc(1, sizeof *request);
    guika_v1_DepositResponse response = {0};

    strcpy(request->deposit_id, "d-1");
    request->frames_count = 1;
    request->frames[0].picture = (struct gk_bytes){(const uint8_t *)"a whole picture", 15};
    assert_int_equal(guika_v1_box_service_deposit(rig->box, NULL, request, &response, NULL), GK_OK);
    assert_int_equal(difficult_resolve(rig, rig->anna, response.case_id, CORE_RIG_REGISTERED), GK_OK);
    const guika_v1_internal_FoundCard card = difficult_card_of(rig, response.case_id);

    assert_int_equal(difficult_notice_state(rig, &card), HELD);
    free(request);
}

static void test_id_card_needs_two_operators_who_agree(void **state)
{
    struct difficult_rig *rig = *state;
    const char *case_id = difficult_drop(rig, "d-1");

    assert_int_equal(difficult_resolve(rig, rig->anna, case_id, IDENTITY), GK_OK);
    assert_true(rig->resolved.needs_second);
    assert_string_equal(rig->resolved.card.proposed_by, "operator:anna");
    assert_int_equal(difficult_card_of(rig, case_id).card_token.size, 0);
    /* The same credential is no second one. */
    assert_int_equal(difficult_resolve(rig, rig->anna, case_id, IDENTITY), GK_OK);
    assert_true(rig->resolved.needs_second);
    difficult_assert_last_entry(rig, "operator:anna", "found_card.propose");

    assert_int_equal(difficult_resolve(rig, rig->ben, case_id, IDENTITY), GK_OK);
    assert_false(rig->resolved.needs_second);
    assert_int_equal(rig->resolved.card.card.reason, guika_v1_Reason_REASON_UNREGISTERED);
    assert_int_equal(difficult_card_of(rig, case_id).card_token.size, GK_TOKEN_SIZE);
    difficult_assert_last_entry(rig, "operator:ben", "found_card.resolve");
}

/* --- Discard, HandToIssuer --- */

static void test_discarded_card_is_destroyed_and_its_picture_erased(void **state)
{
    struct difficult_rig *rig = *state;
    const char *case_id = difficult_drop(rig, "d-1");
    guika_v1_DifficultCaseRequest request = {0};
    guika_v1_CloseCaseResponse response = {0};

    strcpy(request.case_id, case_id);
    assert_int_equal(guika_v1_operator_service_discard(rig->anna, NULL, &request, &response, NULL), GK_OK);
    assert_int_equal(difficult_card_of(rig, case_id).state, guika_v1_CardState_CARD_STATE_DESTROYED);
    difficult_assert_last_entry(rig, "operator:anna", "found_card.discard");
    difficult_await_erasure(rig, case_id);
    assert_int_equal(difficult_queued(rig), 0);
    assert_int_equal(guika_v1_operator_service_discard(rig->anna, NULL, &request, &response, NULL),
                     GK_FAILED_PRECONDITION);
}

static void test_card_is_handed_to_a_named_issuer(void **state)
{
    struct difficult_rig *rig = *state;
    const char *case_id = difficult_drop(rig, "d-1");
    guika_v1_HandToIssuerRequest request = {0};
    guika_v1_CloseCaseResponse response = {0};

    strcpy(request.case_id, case_id);
    assert_int_equal(guika_v1_operator_service_hand_to_issuer(rig->anna, NULL, &request, &response, NULL),
                     GK_INVALID_ARGUMENT); /* nobody knows the card's issuer */
    strcpy(request.issuer_id, "bank");
    assert_int_equal(guika_v1_operator_service_hand_to_issuer(rig->anna, NULL, &request, &response, NULL),
                     GK_OK);
    assert_int_equal(difficult_card_of(rig, case_id).state, guika_v1_CardState_CARD_STATE_HANDED_OVER);
    difficult_assert_last_entry(rig, "operator:anna", "found_card.hand_over");
    difficult_await_erasure(rig, case_id);
}

/* --- people --- */

static void test_operator_is_added_once_with_a_role_of_its_own(void **state)
{
    struct difficult_rig *rig = *state;
    guika_v1_AddOperatorRequest request = {.operator_id = "olga", .viewer = true};
    guika_v1_AddOperatorResponse response = {0};
    struct gk_principal principal = {.role = GK_ROLE_NONE};

    assert_int_equal(guika_v1_operator_service_add_operator(rig->anna, NULL, &request, &response, NULL),
                     GK_OK);
    assert_true(gk_credentials_authenticate(rig->core.credentials, response.token, &principal));
    assert_int_equal(principal.role, GK_ROLE_VIEWER);
    assert_string_equal(principal.id, "olga");
    request.viewer = false;
    assert_int_equal(guika_v1_operator_service_add_operator(rig->anna, NULL, &request, &response, NULL),
                     GK_ALREADY_EXISTS);
    strcpy(request.operator_id, "first"); /* --init's */
    assert_int_equal(guika_v1_operator_service_add_operator(rig->anna, NULL, &request, &response, NULL),
                     GK_ALREADY_EXISTS);
    strcpy(request.operator_id, "two words");
    assert_int_equal(guika_v1_operator_service_add_operator(rig->anna, NULL, &request, &response, NULL),
                     GK_INVALID_ARGUMENT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, difficult_setup, difficult_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_queue_shows_reason_and_masked_candidates),
        TEST(test_queue_is_listed_oldest_first_in_pages),
        TEST(test_picture_is_for_viewers_and_every_view_is_audited),
        TEST(test_typed_number_identifies_the_card_and_its_notice_leaves),
        TEST(test_number_that_breaks_the_rules_is_refused),
        TEST(test_unregistered_number_keeps_its_token_until_an_import_knows_it),
        TEST(test_notice_of_a_card_that_is_not_stored_yet_waits),
        TEST(test_id_card_needs_two_operators_who_agree),
        TEST(test_discarded_card_is_destroyed_and_its_picture_erased),
        TEST(test_card_is_handed_to_a_named_issuer),
        TEST(test_operator_is_added_once_with_a_role_of_its_own),
    };

    return cmocka_run_group_tests_name("core/difficult", tests, NULL, NULL);
}

#include "core/found_card.h"
#include "core/recovery.h"
#include "guika/v1/operator.rpc.h"
#include "tests/core/core_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct core_rig rig;
    struct gk_rpc_client *caller;
    struct gk_error error;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    core_rig_start(&fixture->rig, NULL);
    fixture->caller = core_rig_connect(&fixture->rig, GK_ROLE_OPERATOR, "first");
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    gk_rpc_client_close(fixture->caller);
    core_rig_end(&fixture->rig);
    free(fixture);
    return 0;
}

static void restart(struct fixture *fixture)
{
    gk_rpc_client_close(fixture->caller);
    core_rig_restart(&fixture->rig);
    assert_int_equal(gk_recover(fixture->rig.store, fixture->rig.vault, fixture->rig.credentials, NULL),
                     GK_OK);
    fixture->caller = core_rig_connect(&fixture->rig, GK_ROLE_OPERATOR, "first");
}

static uint64_t audited(struct fixture *fixture)
{
    uint64_t entries = 0;

    assert_int_equal(gk_store_verify_audit(fixture->rig.store, &entries, NULL), GK_OK);
    return entries;
}

static void assert_token_of(struct fixture *fixture, const char *token, enum gk_role role, const char *id)
{
    struct gk_principal principal = {.role = GK_ROLE_NONE};

    assert_true(gk_credentials_authenticate(fixture->rig.credentials, token, &principal));
    assert_int_equal(principal.role, role);
    assert_string_equal(principal.id, id);
}

/* --- AddBox
 * ----------------------------------------------------------------------------------------------- */

static enum gk_status add_box(struct fixture *fixture, const char *id, const char *place, char token[128])
{
    guika_v1_AddBoxRequest request = {.has_place = true};
    guika_v1_AddBoxResponse response = {0};

    (void)snprintf(request.box_id, sizeof request.box_id, "%s", id);
    (void)snprintf(request.place.en, sizeof request.place.en, "%s", place);
    const enum gk_status status =
        guika_v1_operator_service_add_box(fixture->caller, NULL, &request, &response, &fixture->error);

    memcpy(token, response.token, 128);
    return status;
}

static void test_box_is_added_with_a_token_that_lasts(void **state)
{
    struct fixture *fixture = *state;
    const uint64_t before = audited(fixture);
    char token[128];

    assert_int_equal(add_box(fixture, "library-1", "Library", token), GK_OK);
    assert_memory_equal(token, "gk_box_", 7);
    assert_token_of(fixture, token, GK_ROLE_BOX, "library-1");
    assert_int_equal(audited(fixture), before + 1);
    restart(fixture);
    assert_token_of(fixture, token, GK_ROLE_BOX, "library-1");
}

static void test_box_is_added_once_and_under_a_proper_name(void **state)
{
    struct fixture *fixture = *state;
    const uint64_t before = audited(fixture);
    char token[128];

    assert_int_equal(add_box(fixture, "", "Library", token), GK_INVALID_ARGUMENT);
    assert_int_equal(add_box(fixture, "two words", "Library", token), GK_INVALID_ARGUMENT);
    assert_int_equal(add_box(fixture, "library-1", "", token), GK_INVALID_ARGUMENT);
    assert_int_equal(add_box(fixture, "library-1", "Library", token), GK_OK);
    assert_int_equal(add_box(fixture, "library-1", "Elsewhere", token), GK_ALREADY_EXISTS);
    assert_int_equal(audited(fixture), before + 1);
}

/* --- AddIssuer
 * -------------------------------------------------------------------------------------------- */

static enum gk_status add_issuer(struct fixture *fixture, const char *id, const char *binding,
                                 char token[128])
{
    guika_v1_AddIssuerRequest *request = calloc(1, sizeof *request);
    guika_v1_AddIssuerResponse response = {0};

    (void)snprintf(request->issuer_id, sizeof request->issuer_id, "%s", id);
    request->bindings_count = 1;
    (void)snprintf(request->bindings[0], sizeof request->bindings[0], "%s", binding);
    const enum gk_status status =
        guika_v1_operator_service_add_issuer(fixture->caller, NULL, request, &response, &fixture->error);

    memcpy(token, response.token, 128);
    free(request);
    return status;
}

static void test_issuer_and_its_token_are_one_transition(void **state)
{
    struct fixture *fixture = *state;
    const uint64_t before = audited(fixture);
    char token[128];

    assert_int_equal(add_issuer(fixture, "metro", "octopus", token), GK_OK);
    assert_int_equal(audited(fixture), before + 1);
    assert_token_of(fixture, token, GK_ROLE_ISSUER, "metro");
    assert_true(gk_registry_is_bound(fixture->rig.registry, "metro", "octopus", "12345678"));
    restart(fixture);
    assert_token_of(fixture, token, GK_ROLE_ISSUER, "metro");
    assert_true(gk_registry_is_bound(fixture->rig.registry, "metro", "octopus", "12345678"));
}

static void test_issuer_that_is_refused_leaves_neither_account_nor_token(void **state)
{
    struct fixture *fixture = *state;
    const uint64_t before = audited(fixture);
    char token[128];

    assert_int_equal(add_issuer(fixture, "bank", "octopus", token), GK_ALREADY_EXISTS);
    assert_int_equal(add_issuer(fixture, "metro", "Octopus!", token), GK_INVALID_ARGUMENT);
    assert_int_equal(add_issuer(fixture, "", "octopus", token), GK_INVALID_ARGUMENT);
    assert_int_equal(audited(fixture), before);
    assert_false(gk_registry_is_bound(fixture->rig.registry, "bank", "octopus", "12345678"));
}

/* --- ListFound, GetStatistics
 * ------------------------------------------------------------------------------------- */

struct deciding {
    struct gk_found_card_decision decision;
};

static enum gk_status apply_card(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct deciding *deciding = context;
    guika_v1_internal_DepositRecord deposit;

    return gk_found_card_decide(transaction, &deciding->decision, &deposit, error);
}

/* Card `number` is received `number` milliseconds after the first. */
static void put_card(struct fixture *fixture, uint8_t number, guika_v1_CardState state, const char *box_id)
{
    struct deciding *deciding = calloc(1, sizeof *deciding);
    guika_v1_internal_FoundCard *card = &deciding->decision.card;

    card->case_id[0] = number;
    card->state = state;
    card->reason = state == guika_v1_CardState_CARD_STATE_DIFFICULT ? guika_v1_Reason_REASON_GLARE
                                                                    : guika_v1_Reason_REASON_UNSPECIFIED;
    card->received_at_ms = INT64_C(1700000000000) + number;
    (void)snprintf(card->box_id, sizeof card->box_id, "%s", box_id);
    (void)snprintf(card->deposit_id, sizeof card->deposit_id, "d-%d", number);
    deciding->decision.deposit.has_answer = true;
    assert_int_equal(gk_store_commit_and_wait(fixture->rig.store, apply_card, deciding, NULL), GK_OK);
    free(deciding);
}

static enum gk_status list(struct fixture *fixture, const guika_v1_ListFoundRequest *request,
                           guika_v1_ListFoundResponse *ret_response)
{
    memset(ret_response, 0, sizeof *ret_response);
    return guika_v1_operator_service_list_found(fixture->caller, NULL, request, ret_response,
                                                &fixture->error);
}

static void test_found_cards_are_listed_newest_first_in_pages(void **state)
{
    struct fixture *fixture = *state;
    guika_v1_ListFoundRequest request = {.limit = 2};
    guika_v1_ListFoundResponse *response = calloc(1, sizeof *response);

    for (uint8_t number = 1; number <= 5; number++) {
        put_card(fixture, number, guika_v1_CardState_CARD_STATE_IDENTIFIED, "library-1");
    }
    for (int expected = 5; expected > 0; expected -= 2) {
        assert_int_equal(list(fixture, &request, response), GK_OK);
        assert_int_equal(response->cards_count, expected == 1 ? 1 : 2);
        assert_int_equal(response->cards[0].received_at_ms, INT64_C(1700000000000) + expected);
        assert_int_equal(response->next_page_token[0] == '\0', expected == 1);
        memcpy(request.page_token, response->next_page_token, sizeof request.page_token);
    }
    free(response);
}

static void test_list_is_filtered(void **state)
{
    struct fixture *fixture = *state;
    guika_v1_ListFoundRequest request = {.state = guika_v1_CardState_CARD_STATE_DIFFICULT};
    guika_v1_ListFoundResponse *response = calloc(1, sizeof *response);

    put_card(fixture, 1, guika_v1_CardState_CARD_STATE_IDENTIFIED, "library-1");
    put_card(fixture, 2, guika_v1_CardState_CARD_STATE_DIFFICULT, "library-1");
    put_card(fixture, 3, guika_v1_CardState_CARD_STATE_DIFFICULT, "library-2");
    assert_int_equal(list(fixture, &request, response), GK_OK);
    assert_int_equal(response->cards_count, 2);
    strcpy(request.box_id, "library-2");
    request.reason = guika_v1_Reason_REASON_GLARE;
    assert_int_equal(list(fixture, &request, response), GK_OK);
    assert_int_equal(response->cards_count, 1);
    assert_string_equal(response->cards[0].deposit_id, "d-3");
    request.reason = guika_v1_Reason_REASON_AMBIGUOUS;
    assert_int_equal(list(fixture, &request, response), GK_OK);
    assert_int_equal(response->cards_count, 0);
    free(response);
}

static void test_bad_limits_tokens_and_days_are_refused(void **state)
{
    struct fixture *fixture = *state;
    guika_v1_ListFoundRequest request = {.limit = 101};
    guika_v1_ListFoundResponse *response = calloc(1, sizeof *response);
    const guika_v1_GetStatisticsRequest too_long = {.days = 367};
    guika_v1_GetStatisticsResponse *statistics = calloc(1, sizeof *statistics);

    assert_int_equal(list(fixture, &request, response), GK_INVALID_ARGUMENT);
    request.limit = 100;
    strcpy(request.page_token, "00");
    assert_int_equal(list(fixture, &request, response), GK_INVALID_ARGUMENT);
    memset(request.page_token, 'x', 48);
    assert_int_equal(list(fixture, &request, response), GK_INVALID_ARGUMENT);
    assert_int_equal(guika_v1_operator_service_get_statistics(fixture->caller, NULL, &too_long, statistics,
                                                              &fixture->error),
                     GK_INVALID_ARGUMENT);
    assert_non_null(strstr(fixture->error.message, "0 to 366, not 367"));
    free(statistics);
    free(response);
}

static uint64_t statistic(struct fixture *fixture, const char *box_id, const char *name)
{
    guika_v1_GetStatisticsRequest request = {.days = 1};
    guika_v1_GetStatisticsResponse *response = calloc(1, sizeof *response);
    uint64_t value = 0;

    (void)snprintf(request.box_id, sizeof request.box_id, "%s", box_id);
    assert_int_equal(
        guika_v1_operator_service_get_statistics(fixture->caller, NULL, &request, response, &fixture->error),
        GK_OK);
    for (size_t i = 0; i < response->statistics_count; i++) {
        if (strcmp(response->statistics[i].name, name) == 0) {
            value = response->statistics[i].value;
        }
    }
    free(response);
    return value;
}

static void test_statistics_count_by_box_and_in_all(void **state)
{
    struct fixture *fixture = *state;

    put_card(fixture, 1, guika_v1_CardState_CARD_STATE_DIFFICULT, "library-1");
    put_card(fixture, 2, guika_v1_CardState_CARD_STATE_DIFFICULT, "library-2");
    assert_int_equal(statistic(fixture, "library-1", "difficult.GLARE"), 1);
    assert_int_equal(statistic(fixture, "", "difficult.GLARE"), 2);
    assert_int_equal(statistic(fixture, "library-3", "deposits"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_box_is_added_with_a_token_that_lasts),
        TEST(test_box_is_added_once_and_under_a_proper_name),
        TEST(test_issuer_and_its_token_are_one_transition),
        TEST(test_issuer_that_is_refused_leaves_neither_account_nor_token),
        TEST(test_found_cards_are_listed_newest_first_in_pages),
        TEST(test_list_is_filtered),
        TEST(test_bad_limits_tokens_and_days_are_refused),
        TEST(test_statistics_count_by_box_and_in_all),
    };

    return cmocka_run_group_tests_name("core/services/operator_service", tests, NULL, NULL);
}

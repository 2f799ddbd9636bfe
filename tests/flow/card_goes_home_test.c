/* The way of a card, over real processes: in at the box, out in the holder's mail. */
#include "guika/v1/holder.rpc.h"
#include "tests/flow/service.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NOTICE_WAIT_MS = 20000, QUIET_MS = 1500 };

/* One service for all tests of this file; each uses boxes, cards and deposits of its own. */
struct world {
    struct gk_test_service service;
    char box[GK_TEST_TOKEN_SIZE];
    char other_box[GK_TEST_TOKEN_SIZE];
    struct gk_rpc_client *client; /* of box */
    struct gk_test_holder holders[4];
    struct gk_test_picture pictures[4];
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    char issuer[GK_TEST_TOKEN_SIZE];

    gk_test_service_make(&world->service, 2);
    gk_test_service_start(&world->service);
    gk_test_add_box(&world->service, "library-1", world->box);
    gk_test_add_box(&world->service, "station-2", world->other_box);
    gk_test_add_issuer(&world->service, "demo-bank", "iso7812:4", issuer);
    for (unsigned i = 0; i < 4; i++) {
        struct gk_test_holder *holder = &world->holders[i];

        world->pictures[i] = gk_test_mint_card(100 + i, holder->number);
        holder->scheme = "iso7812";
        holder->language = i % 2 == 0 ? "en" : "zh";
        (void)snprintf(holder->holder_id, sizeof holder->holder_id, "h%u", i);
        (void)snprintf(holder->contact, sizeof holder->contact, "smtp:holder%u@holders.example", i);
    }
    gk_test_import(&world->service, issuer, "first", world->holders, 4);
    world->client = gk_test_client(&world->service, world->box);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    gk_rpc_client_close(world->client);
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    gk_test_service_remove(&world->service);
    for (unsigned i = 0; i < 4; i++) {
        free(world->pictures[i].data);
    }
    free(world);
    return 0;
}

static void assert_deposit(struct world *world, const char *deposit_id, const struct gk_test_picture *picture,
                           guika_v1_DepositResponse *ret_response)
{
    struct gk_error error = {0};

    if (gk_test_deposit(world->client, deposit_id, picture, ret_response, &error) != GK_OK) {
        fail_msg("deposit %s: %s", deposit_id, error.message);
    }
}

static guika_v1_FoundCardRow find_row(struct world *world, const char *deposit_id)
{
    struct gk_rpc_client *client = gk_test_client(&world->service, world->service.operator_token);
    const guika_v1_ListFoundRequest request = {.limit = 100};
    guika_v1_ListFoundResponse *response = calloc(1, sizeof *response);
    guika_v1_FoundCardRow row = {0};

    assert_int_equal(guika_v1_operator_service_list_found(client, NULL, &request, response, NULL), GK_OK);
    for (size_t i = 0; i < response->cards_count; i++) {
        if (strcmp(response->cards[i].deposit_id, deposit_id) == 0) {
            row = response->cards[i];
        }
    }
    free(response);
    gk_rpc_client_close(client);
    return row;
}

static void test_registered_card_is_kept_and_its_holder_told_once_it_is_stored(void **state)
{
    struct world *world = *state;
    guika_v1_DepositResponse response = {0};
    const size_t before = gk_test_mail_count(&world->service);

    assert_deposit(world, "home-1", &world->pictures[0], &response);
    assert_int_equal(response.decision, guika_v1_DepositResponse_Decision_KEEP);
    assert_int_equal(response.zone, guika_v1_Zone_ZONE_NORMAL);
    assert_int_equal(strlen(response.case_id), 32);
    gk_test_sleep_ms(QUIET_MS);
    assert_int_equal(gk_test_mail_count(&world->service), before); /* not before STORED */
    gk_test_confirm_stored(world->client, "home-1", guika_v1_Zone_ZONE_NORMAL);
    assert_true(gk_test_mail_wait(&world->service, before + 1, NOTICE_WAIT_MS));

    char *text = gk_test_mail_text(&world->service);
    const char *number = world->holders[0].number;

    assert_non_null(strstr(text, "holder0@holders.example"));
    assert_non_null(strstr(text, "Library, ground floor, east door"));
    assert_non_null(strstr(text, "https://map.example/library"));
    assert_non_null(strstr(text, number + strlen(number) - 4));
    assert_null(strstr(text, number));
    free(text);
}

static void test_list_shows_the_card_with_its_last_four_digits_only(void **state)
{
    struct world *world = *state;
    const guika_v1_FoundCardRow row = find_row(world, "home-1");
    const char *number = world->holders[0].number;

    for (unsigned waited = 0;
         waited < 5000 && find_row(world, "home-1").state != guika_v1_CardState_CARD_STATE_NOTIFIED;
         waited += 50) {
        gk_test_sleep_ms(50);
    }
    assert_int_equal(find_row(world, "home-1").state, guika_v1_CardState_CARD_STATE_NOTIFIED);
    assert_string_equal(row.box_id, "library-1");
    assert_string_equal(row.compartment, "7");
    assert_int_equal(row.zone, guika_v1_Zone_ZONE_NORMAL);
    assert_non_null(strstr(row.masked_number, number + strlen(number) - 4));
    assert_null(strstr(row.masked_number, number));
}

static void test_same_deposit_again_is_the_same_deposit(void **state)
{
    struct world *world = *state;
    guika_v1_DepositResponse first = {0};
    guika_v1_DepositResponse second = {0};

    assert_deposit(world, "again-1", &world->pictures[1], &first);
    assert_deposit(world, "again-1", &world->pictures[1], &second);
    assert_string_equal(first.case_id, second.case_id);
    assert_int_equal(first.decision, second.decision);
    assert_int_equal(first.zone, second.zone);
}

static void test_other_frames_under_a_used_id_are_refused(void **state)
{
    struct world *world = *state;
    guika_v1_DepositResponse response = {0};
    struct gk_error error = {0};

    assert_int_equal(gk_test_deposit(world->client, "again-1", &world->pictures[2], &response, &error),
                     GK_ALREADY_EXISTS);
}

static void test_same_id_from_another_box_is_another_deposit(void **state)
{
    struct world *world = *state;
    struct gk_rpc_client *other = gk_test_client(&world->service, world->other_box);
    guika_v1_DepositResponse first = {0};
    guika_v1_DepositResponse second = {0};

    assert_deposit(world, "again-1", &world->pictures[1], &first);
    assert_int_equal(gk_test_deposit(other, "again-1", &world->pictures[3], &second, NULL), GK_OK);
    assert_string_not_equal(first.case_id, second.case_id);
    gk_rpc_client_close(other);
}

static void test_unregistered_card_is_difficult(void **state)
{
    struct world *world = *state;
    guika_v1_DepositResponse response = {0};
    char number[40];
    struct gk_test_picture picture = gk_test_mint_card(900, number);

    assert_deposit(world, "stranger-1", &picture, &response);
    assert_int_equal(response.decision, guika_v1_DepositResponse_Decision_KEEP);
    assert_int_equal(response.zone, guika_v1_Zone_ZONE_DIFFICULT);
    assert_int_equal(find_row(world, "stranger-1").reason, guika_v1_Reason_REASON_UNREGISTERED);
    free(picture.data);
}

static void test_card_taken_back_sends_no_notice(void **state)
{
    struct world *world = *state;
    guika_v1_ConfirmStoredRequest request = {.deposit_id = "again-1",
                                             .outcome = guika_v1_ConfirmStoredRequest_Outcome_TAKEN_BACK};
    guika_v1_ConfirmStoredResponse response;
    const size_t before = gk_test_mail_count(&world->service);

    assert_int_equal(guika_v1_box_service_confirm_stored(world->client, NULL, &request, &response, NULL),
                     GK_OK);
    assert_int_equal(guika_v1_box_service_confirm_stored(world->client, NULL, &request, &response, NULL),
                     GK_OK);
    request.outcome = guika_v1_ConfirmStoredRequest_Outcome_STORED;
    request.zone = guika_v1_Zone_ZONE_NORMAL;
    (void)snprintf(request.compartment, sizeof request.compartment, "1");
    assert_int_equal(guika_v1_box_service_confirm_stored(world->client, NULL, &request, &response, NULL),
                     GK_FAILED_PRECONDITION);
    gk_test_sleep_ms(QUIET_MS);
    assert_int_equal(gk_test_mail_count(&world->service), before);
    assert_int_equal(find_row(world, "again-1").state, guika_v1_CardState_CARD_STATE_GIVEN_BACK);
}

static void test_confirmation_of_an_unknown_deposit_is_not_found(void **state)
{
    struct world *world = *state;
    const guika_v1_ConfirmStoredRequest request = {.deposit_id = "never",
                                                   .outcome = guika_v1_ConfirmStoredRequest_Outcome_JAMMED};
    guika_v1_ConfirmStoredResponse response;

    assert_int_equal(guika_v1_box_service_confirm_stored(world->client, NULL, &request, &response, NULL),
                     GK_NOT_FOUND);
}

static void test_card_in_the_wrong_zone_is_marked(void **state)
{
    struct world *world = *state;
    guika_v1_DepositResponse response = {0};

    assert_deposit(world, "misplaced-1", &world->pictures[2], &response);
    assert_int_equal(response.zone, guika_v1_Zone_ZONE_NORMAL);
    gk_test_confirm_stored(world->client, "misplaced-1", guika_v1_Zone_ZONE_DIFFICULT);
    assert_true(find_row(world, "misplaced-1").misplaced);
}

static guika_v1_CheckStatusResponse ask(struct world *world, const char *number)
{
    struct gk_rpc_client *client = gk_test_client(&world->service, NULL);
    guika_v1_CheckStatusRequest request = {0};
    guika_v1_CheckStatusResponse response = {0};
    struct gk_error error = {0};

    (void)snprintf(request.number, sizeof request.number, "%s", number);
    if (guika_v1_holder_service_check_status(client, NULL, &request, &response, &error) != GK_OK) {
        fail_msg("enquiry: %s", error.message);
    }
    gk_rpc_client_close(client);
    return response;
}

static void test_enquiry_is_accepted_for_any_number_and_answered_to_the_contact_once_a_day(void **state)
{
    struct world *world = *state;
    size_t before;

    gk_test_sleep_ms(QUIET_MS); /* what the tests before sent has arrived */
    before = gk_test_mail_count(&world->service);
    assert_int_equal(ask(world, "4000 0000 0000 0002").answer, guika_v1_CheckStatusResponse_Answer_ACCEPTED);
    assert_int_equal(ask(world, world->holders[0].number).answer,
                     guika_v1_CheckStatusResponse_Answer_ACCEPTED);
    assert_int_equal(ask(world, world->holders[0].number).answer,
                     guika_v1_CheckStatusResponse_Answer_ACCEPTED);
    assert_true(gk_test_mail_wait(&world->service, before + 1, NOTICE_WAIT_MS));
    gk_test_sleep_ms(QUIET_MS);
    assert_int_equal(gk_test_mail_count(&world->service), before + 1);
}

static void test_pictures_that_are_none_are_difficult_and_harm_nobody(void **state)
{
    static const char header_of_a_wide_png[] =
        "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\x0f\x42\x40\0\0\0\x01\x08\x02\0\0\0";
    struct world *world = *state;
    const struct gk_test_picture bad[] = {
        {(uint8_t *)(uintptr_t) "garbage that is no picture", 26},
        {world->pictures[3].data, world->pictures[3].size / 3},
        {(uint8_t *)(uintptr_t)header_of_a_wide_png, sizeof header_of_a_wide_png - 1},
    };

    for (unsigned i = 0; i < 3; i++) {
        guika_v1_DepositResponse response = {0};
        char id[16];

        (void)snprintf(id, sizeof id, "bad-%u", i);
        const enum gk_status status = gk_test_deposit(world->client, id, &bad[i], &response, NULL);

        assert_true(status == GK_INVALID_ARGUMENT ||
                    (status == GK_OK && response.zone == guika_v1_Zone_ZONE_DIFFICULT));
    }
    guika_v1_DepositResponse response = {0};

    assert_deposit(world, "after-bad", &world->pictures[3], &response);
    assert_int_equal(response.decision, guika_v1_DepositResponse_Decision_KEEP);
}

static void test_deposits_out_of_range_are_refused_with_the_range(void **state)
{
    struct world *world = *state;
    guika_v1_DepositRequest request = {.deposit_id = "no frames"};
    guika_v1_DepositResponse response;
    struct gk_error error = {0};

    assert_int_equal(guika_v1_box_service_deposit(world->client, NULL, &request, &response, &error),
                     GK_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "deposit_id"));
    (void)snprintf(request.deposit_id, sizeof request.deposit_id, "no-frames");
    assert_int_equal(guika_v1_box_service_deposit(world->client, NULL, &request, &response, &error),
                     GK_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "1 to 8 frames, not 0"));
}

static void test_full_box_gives_the_card_back(void **state)
{
    struct world *world = *state;
    const guika_v1_HeartbeatRequest full = {
        .zones_count = 2,
        .zones = {{guika_v1_Zone_ZONE_NORMAL, 2, 2}, {guika_v1_Zone_ZONE_DIFFICULT, 1, 1}},
        .can_give_back = true};
    struct gk_rpc_client *other = gk_test_client(&world->service, world->other_box);
    guika_v1_HeartbeatResponse heard;
    guika_v1_DepositResponse response = {0};

    assert_int_equal(guika_v1_box_service_heartbeat(other, NULL, &full, &heard, NULL), GK_OK);
    assert_true(heard.interval_ms > 0);
    assert_int_equal(gk_test_deposit(other, "full-1", &world->pictures[3], &response, NULL), GK_OK);
    assert_int_equal(response.decision, guika_v1_DepositResponse_Decision_GIVE_BACK);
    assert_int_equal(response.give_back_reason, guika_v1_DepositResponse_GiveBackReason_GIVE_BACK_BOX_FULL);
    gk_rpc_client_close(other);
}

static void test_statistics_count_what_happened(void **state)
{
    struct world *world = *state;
    struct gk_rpc_client *client = gk_test_client(&world->service, world->service.operator_token);
    const guika_v1_GetStatisticsRequest request = {.box_id = "library-1"};
    guika_v1_GetStatisticsResponse response = {0};
    uint64_t identified = 0;

    assert_int_equal(guika_v1_operator_service_get_statistics(client, NULL, &request, &response, NULL),
                     GK_OK);
    for (size_t i = 0; i < response.statistics_count; i++) {
        if (strcmp(response.statistics[i].name, "identified") == 0) {
            identified = response.statistics[i].value;
        }
    }
    assert_int_equal(identified, 4); /* home-1, again-1, misplaced-1, after-bad */
    gk_rpc_client_close(client);
}

static void test_box_may_not_call_what_is_an_operators(void **state)
{
    struct world *world = *state;
    const guika_v1_ListFoundRequest request = {0};
    guika_v1_ListFoundResponse *response = calloc(1, sizeof *response);

    assert_int_equal(guika_v1_operator_service_list_found(world->client, NULL, &request, response, NULL),
                     GK_PERMISSION_DENIED);
    free(response);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registered_card_is_kept_and_its_holder_told_once_it_is_stored),
        cmocka_unit_test(test_list_shows_the_card_with_its_last_four_digits_only),
        cmocka_unit_test(test_same_deposit_again_is_the_same_deposit),
        cmocka_unit_test(test_other_frames_under_a_used_id_are_refused),
        cmocka_unit_test(test_same_id_from_another_box_is_another_deposit),
        cmocka_unit_test(test_unregistered_card_is_difficult),
        cmocka_unit_test(test_card_taken_back_sends_no_notice),
        cmocka_unit_test(test_confirmation_of_an_unknown_deposit_is_not_found),
        cmocka_unit_test(test_card_in_the_wrong_zone_is_marked),
        cmocka_unit_test(test_enquiry_is_accepted_for_any_number_and_answered_to_the_contact_once_a_day),
        cmocka_unit_test(test_pictures_that_are_none_are_difficult_and_harm_nobody),
        cmocka_unit_test(test_deposits_out_of_range_are_refused_with_the_range),
        cmocka_unit_test(test_full_box_gives_the_card_back),
        cmocka_unit_test(test_statistics_count_what_happened),
        cmocka_unit_test(test_box_may_not_call_what_is_an_operators),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

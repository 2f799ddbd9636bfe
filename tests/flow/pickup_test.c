/* Pickup and custody through the whole service: the code is read from the mail that the holder gets. */
#include "guika/v1/box.rpc.h"
#include "guika/v1/operator.rpc.h"
#include "tests/flow/service.h"

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#define NOTICE_WAIT_MS 15000
#define COLLECTED guika_v1_ConfirmCollectedRequest_Outcome_COLLECTED
#define NOT_OPENED guika_v1_ConfirmCollectedRequest_Outcome_NOT_OPENED

struct world {
    struct gk_test_service service;
    char box_token[GK_TEST_TOKEN_SIZE];
    char other_token[GK_TEST_TOKEN_SIZE];
    struct gk_test_holder holders[3];
    struct gk_test_picture pictures[3];
    struct gk_rpc_client *box;
    struct gk_rpc_client *other;
    struct gk_rpc_client *operator;
};

static int set_up(void **state)
{
    static const char *const contacts[3] = {"smtp:ada@holders.example;tel:+44 20 7946 0958",
                                            "smtp:ben@holders.example", "smtp:cai@holders.example"};
    struct world *world = calloc(1, sizeof *world);
    char issuer[GK_TEST_TOKEN_SIZE];

    gk_test_service_make(&world->service, 1);
    gk_test_service_start(&world->service);
    gk_test_add_box(&world->service, "library-1", world->box_token);
    gk_test_add_box(&world->service, "station-2", world->other_token);
    gk_test_add_issuer(&world->service, "demo-bank", "iso7812:4", issuer);
    for (unsigned i = 0; i < 3; i++) {
        struct gk_test_holder *holder = &world->holders[i];

        world->pictures[i] = gk_test_mint_card(100 + i, holder->number);
        holder->scheme = "iso7812";
        holder->language = "en";
        (void)snprintf(holder->holder_id, sizeof holder->holder_id, "h%u", i);
        (void)snprintf(holder->contact, sizeof holder->contact, "%s", contacts[i]);
    }
    gk_test_import(&world->service, issuer, "first", world->holders, 3);
    world->box = gk_test_client(&world->service, world->box_token);
    world->other = gk_test_client(&world->service, world->other_token);
    world->operator= gk_test_client(&world->service, world->service.operator_token);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    gk_rpc_client_close(world->box);
    gk_rpc_client_close(world->other);
    gk_rpc_client_close(world->operator);
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    assert_true(gk_test_verify_audit(&world->service) > 0);
    gk_test_service_remove(&world->service);
    for (unsigned i = 0; i < 3; i++) {
        free(world->pictures[i].data);
    }
    free(world);
    return 0;
}

/* --- what people do --- */

/* What the latest mail to `address` with "Pickup code" says. */
static void read_mail(struct world *world, const char *address, char ret_case[10], char ret_code[9])
{
    char *text = gk_test_mail_text(&world->service);
    bool found = false;

    for (char *mail = strstr(text, address); mail != NULL; mail = strstr(mail + 1, address)) {
        const char *number = strstr(mail, "Case number: ");
        const char *code = strstr(mail, "Pickup code: ");

        if (number != NULL && code != NULL && sscanf(number, "Case number: %9s", ret_case) == 1 &&
            sscanf(code, "Pickup code: %8[0-9]", ret_code) == 1) {
            found = true;
        }
    }
    free(text);
    assert_true(found);
}

/* The code in the mail about the case. */
static void read_code(struct world *world, const char *case_number, char ret_code[9])
{
    char *text = gk_test_mail_text(&world->service);
    char *mail = strcasestr(text, case_number);

    assert_non_null(mail);
    mail = strstr(mail, "Pickup code: ");
    assert_non_null(mail);
    assert_int_equal(sscanf(mail, "Pickup code: %8[0-9]", ret_code), 1);
    free(text);
}

static void drop(struct world *world, struct gk_rpc_client *box, const char *deposit_id, unsigned card)
{
    guika_v1_DepositResponse response = {0};
    struct gk_error error = {0};

    if (gk_test_deposit(box, deposit_id, &world->pictures[card], &response, &error) != GK_OK) {
        fail_msg("deposit: %s", error.message);
    }
    gk_test_confirm_stored(box, deposit_id, response.zone);
}

static enum gk_status enter(struct gk_rpc_client *box, const char *case_number, const char *code,
                            const char *tail, guika_v1_OpenForPickupResponse *ret_response)
{
    guika_v1_OpenForPickupRequest request = {0};

    memset(ret_response, 0, sizeof *ret_response);
    (void)snprintf(request.case_number, sizeof request.case_number, "%s", case_number);
    (void)snprintf(request.code, sizeof request.code, "%s", code);
    (void)snprintf(request.telephone_tail, sizeof request.telephone_tail, "%s", tail);
    return guika_v1_box_service_open_for_pickup(box, NULL, &request, ret_response, NULL);
}

static enum gk_status report(struct gk_rpc_client *box, uint64_t token, int outcome)
{
    const guika_v1_ConfirmCollectedRequest request = {
        .fencing_token = token, .outcome = (guika_v1_ConfirmCollectedRequest_Outcome)outcome};
    guika_v1_ConfirmCollectedResponse response;

    return guika_v1_box_service_confirm_collected(box, NULL, &request, &response, NULL);
}

static guika_v1_ShowCardResponse show(struct world *world, const char *case_number)
{
    guika_v1_ShowCardRequest request = {0};
    guika_v1_ShowCardResponse response = {0};

    (void)snprintf(request.case_number, sizeof request.case_number, "%s", case_number);
    assert_int_equal(guika_v1_operator_service_show_card(world->operator, NULL, &request, &response, NULL),
                     GK_OK);
    return response;
}

/* --- tests, one day of a box --- */

static void test_holder_collects_the_card_with_the_code_of_the_notice(void **state)
{
    struct world *world = *state;
    guika_v1_OpenForPickupResponse opened;
    char number[10], code[9];
    const size_t before = gk_test_mail_count(&world->service);

    drop(world, world->box, "first", 0);
    assert_true(gk_test_mail_wait(&world->service, before + 1, NOTICE_WAIT_MS));
    read_mail(world, "ada@holders.example", number, code);
    assert_int_equal(strlen(code), 6); /* she has a telephone */
    assert_int_equal(enter(world->box, number, "000000", "0958", &opened), GK_PERMISSION_DENIED);
    assert_int_equal(enter(world->box, number, code, "0959", &opened), GK_PERMISSION_DENIED);
    assert_int_equal(enter(world->box, "0000-0000", code, "0958", &opened), GK_PERMISSION_DENIED);
    assert_int_equal(enter(world->other, number, code, "0958", &opened), GK_PERMISSION_DENIED);
    assert_int_equal(enter(world->box, number, code, "0958", &opened), GK_OK);
    assert_string_equal(opened.compartment, "7");
    assert_int_equal(report(world->box, opened.fencing_token, NOT_OPENED), GK_OK);
    const uint64_t first = opened.fencing_token;

    assert_int_equal(enter(world->box, number, code, "0958", &opened), GK_OK);
    assert_true(opened.fencing_token > first);
    assert_int_equal(report(world->box, opened.fencing_token, COLLECTED), GK_OK);
    assert_int_equal(report(world->box, opened.fencing_token, COLLECTED), GK_OK);
    assert_int_equal(show(world, number).card.state, guika_v1_CardState_CARD_STATE_COLLECTED);
    assert_int_equal(enter(world->box, number, code, "0958", &opened), GK_PERMISSION_DENIED);
}

static void test_card_lost_again_is_a_new_case_with_a_code_of_its_own(void **state)
{
    struct world *world = *state;
    guika_v1_OpenForPickupResponse opened;
    char before_number[10], before_code[9], number[10], code[9];
    const size_t before = gk_test_mail_count(&world->service);

    read_mail(world, "ada@holders.example", before_number, before_code);
    drop(world, world->other, "again", 0);
    assert_true(gk_test_mail_wait(&world->service, before + 1, NOTICE_WAIT_MS));
    size_t count = 0;
    guika_v1_FoundCardRow *cards = gk_test_found(&world->service, &count);

    (void)snprintf(number, sizeof number, "%.4s-%.4s", cards[0].case_id, cards[0].case_id + 4);
    free(cards);
    assert_int_not_equal(strcasecmp(number, before_number), 0);
    read_code(world, number, code);
    assert_int_equal(enter(world->other, before_number, before_code, "0958", &opened), GK_PERMISSION_DENIED);
    assert_int_equal(enter(world->other, number, code, "0958", &opened), GK_OK);
    assert_int_equal(report(world->other, opened.fencing_token, COLLECTED), GK_OK);
    assert_int_equal(show(world, number).card.state, guika_v1_CardState_CARD_STATE_COLLECTED);
}

static void test_five_wrong_codes_lock_the_case_and_not_the_box(void **state)
{
    struct world *world = *state;
    guika_v1_OpenForPickupResponse opened;
    char number[10], code[9];
    const size_t before = gk_test_mail_count(&world->service);
    const guika_v1_ReissueCodeRequest again = {0};
    guika_v1_ReissueCodeRequest request = again;
    guika_v1_ReissueCodeResponse response;

    drop(world, world->box, "second", 1);
    assert_true(gk_test_mail_wait(&world->service, before + 1, NOTICE_WAIT_MS));
    read_mail(world, "ben@holders.example", number, code);
    assert_int_equal(strlen(code), 8); /* no telephone */
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(enter(world->box, number, "00000000", "", &opened), GK_PERMISSION_DENIED);
    }
    assert_int_equal(enter(world->box, number, code, "", &opened), GK_RESOURCE_EXHAUSTED);
    assert_int_equal(show(world, number).failed_tries, 5);
    (void)snprintf(request.case_number, sizeof request.case_number, "%s", number);
    assert_int_equal(guika_v1_operator_service_reissue_code(world->operator, NULL, &request, &response, NULL),
                     GK_OK);
    assert_true(gk_test_mail_wait(&world->service, before + 2, NOTICE_WAIT_MS));
    assert_int_equal(enter(world->box, number, code, "", &opened), GK_PERMISSION_DENIED); /* void */
    assert_int_equal(show(world, number).issue, 2);
}

static void test_desk_hands_out_what_was_moved_to_it(void **state)
{
    struct world *world = *state;
    const size_t before = gk_test_mail_count(&world->service);
    guika_v1_AddDeskRequest desk = {
        .desk_id = "town-hall", .has_place = true, .place = {.en = "Town Hall, room 3"}};
    guika_v1_AddDeskResponse added;
    guika_v1_MoveCardRequest move = {.place = guika_v1_PlaceKind_PLACE_KIND_DESK, .location = "town-hall"};
    guika_v1_MoveCardResponse moved;
    guika_v1_HandOutRequest hand = {.desk_id = "town-hall"};
    guika_v1_HandOutResponse handed;
    char number[10], old[9], code[9];

    read_mail(world, "ben@holders.example", number, old);
    (void)snprintf(move.case_number, sizeof move.case_number, "%s", number);
    assert_int_equal(guika_v1_operator_service_move_card(world->operator, NULL, &move, &moved, NULL),
                     GK_FAILED_PRECONDITION); /* there is no such desk yet */
    assert_int_equal(guika_v1_operator_service_add_desk(world->operator, NULL, &desk, &added, NULL), GK_OK);
    assert_int_equal(guika_v1_operator_service_add_desk(world->operator, NULL, &desk, &added, NULL),
                     GK_ALREADY_EXISTS);
    assert_int_equal(guika_v1_operator_service_move_card(world->operator, NULL, &move, &moved, NULL), GK_OK);
    assert_true(gk_test_mail_wait(&world->service, before + 1, NOTICE_WAIT_MS));
    char *text = gk_test_mail_text(&world->service);
    const char *told = strstr(text, "Town Hall, room 3");

    assert_non_null(told);
    assert_int_equal(sscanf(strstr(told, "Pickup code: "), "Pickup code: %8[0-9]", code), 1);
    free(text);
    (void)snprintf(hand.case_number, sizeof hand.case_number, "%s", number);
    (void)snprintf(hand.code, sizeof hand.code, "%s", old);
    assert_int_equal(guika_v1_operator_service_hand_out(world->operator, NULL, &hand, &handed, NULL),
                     GK_PERMISSION_DENIED);
    (void)snprintf(hand.code, sizeof hand.code, "%s", code);
    assert_int_equal(guika_v1_operator_service_hand_out(world->operator, NULL, &hand, &handed, NULL), GK_OK);
    assert_int_equal(show(world, number).card.state, guika_v1_CardState_CARD_STATE_COLLECTED);
    assert_int_equal(show(world, number).place, guika_v1_PlaceKind_PLACE_KIND_HOLDER);
}

struct dropping {
    struct world *world;
    struct gk_rpc_client *box;
    const char *deposit_id;
    guika_v1_DepositResponse response;
};

static void *drop_in_thread(void *context)
{
    struct dropping *dropping = context;

    (void)gk_test_deposit(dropping->box, dropping->deposit_id, &dropping->world->pictures[2],
                          &dropping->response, NULL);
    return NULL;
}

static void test_one_number_in_two_boxes_at_once_is_two_cases(void **state)
{
    struct world *world = *state;
    struct dropping both[2] = {{world, world->box, "twin-a", {0}}, {world, world->other, "twin-b", {0}}};
    const size_t before = gk_test_mail_count(&world->service);
    pthread_t threads[2];

    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, drop_in_thread, &both[i]), 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        (void)pthread_join(threads[i], NULL);
        assert_int_equal(both[i].response.decision, guika_v1_DepositResponse_Decision_KEEP);
    }
    assert_string_not_equal(both[0].response.case_id, both[1].response.case_id);
    gk_test_confirm_stored(world->box, "twin-a", both[0].response.zone);
    gk_test_confirm_stored(world->other, "twin-b", both[1].response.zone);
    assert_true(gk_test_mail_wait(&world->service, before + 2,
                                  NOTICE_WAIT_MS)); /* both lie there; both are told of */
}

static void test_staff_take_difficult_cards_along(void **state)
{
    struct world *world = *state;
    guika_v1_AddStaffRequest add = {.staff_id = "mei"};
    guika_v1_AddStaffResponse added = {0};
    guika_v1_OpenForServiceRequest open = {.credential = "nobody"};
    guika_v1_OpenForServiceResponse *list = calloc(1, sizeof *list);
    guika_v1_ConfirmServiceRequest *taken = calloc(1, sizeof *taken);
    guika_v1_ConfirmServiceResponse done;
    guika_v1_DepositResponse response = {0};
    char stranger[40];
    struct gk_test_picture picture = gk_test_mint_card(900, stranger);

    assert_int_equal(gk_test_deposit(world->box, "stranger", &picture, &response, NULL), GK_OK);
    gk_test_confirm_stored(world->box, "stranger", guika_v1_Zone_ZONE_DIFFICULT);
    free(picture.data);
    assert_int_equal(guika_v1_operator_service_add_staff(world->operator, NULL, &add, &added, NULL), GK_OK);
    assert_int_equal(guika_v1_box_service_open_for_service(world->box, NULL, &open, list, NULL),
                     GK_PERMISSION_DENIED);
    (void)snprintf(open.credential, sizeof open.credential, "%.63s", world->box_token);
    assert_int_equal(guika_v1_box_service_open_for_service(world->box, NULL, &open, list, NULL),
                     GK_PERMISSION_DENIED);
    (void)snprintf(open.credential, sizeof open.credential, "%.63s", added.token);
    assert_int_equal(guika_v1_box_service_open_for_service(world->box, NULL, &open, list, NULL), GK_OK);
    assert_int_equal(list->items_count, 2); /* one of the twins, and the stranger */
    (void)snprintf(taken->credential, sizeof taken->credential, "%.63s", added.token);
    (void)snprintf(taken->bag, sizeof taken->bag, "bag-1");
    for (size_t i = 0; i < list->items_count; i++) {
        if (list->items[i].take == guika_v1_ServiceItem_Why_DIFFICULT_CARD) {
            (void)snprintf(taken->case_ids[taken->case_ids_count++], sizeof taken->case_ids[0], "%s",
                           list->items[i].case_id);
        }
    }
    assert_int_equal(taken->case_ids_count, 1);
    assert_string_equal(taken->case_ids[0], response.case_id);
    assert_int_equal(guika_v1_box_service_confirm_service(world->other, NULL, taken, &done, NULL),
                     GK_FAILED_PRECONDITION); /* it does not lie in that box */
    assert_int_equal(guika_v1_box_service_confirm_service(world->box, NULL, taken, &done, NULL), GK_OK);
    assert_int_equal(guika_v1_box_service_confirm_service(world->box, NULL, taken, &done, NULL), GK_OK);
    assert_int_equal(show(world, response.case_id).place, guika_v1_PlaceKind_PLACE_KIND_BAG);
    assert_string_equal(show(world, response.case_id).location, "bag-1");
    /* The staff's credential opens boxes and calls nothing. */
    struct gk_rpc_client *staff = gk_test_client(&world->service, added.token);
    guika_v1_ShowCardRequest ask = {0};
    guika_v1_ShowCardResponse shown;

    assert_int_equal(guika_v1_operator_service_show_card(staff, NULL, &ask, &shown, NULL),
                     GK_PERMISSION_DENIED);
    gk_rpc_client_close(staff);
    free(taken);
    free(list);
}

static void test_compartment_takes_one_card(void **state)
{
    struct world *world = *state;
    guika_v1_MoveCardRequest move = {
        .place = guika_v1_PlaceKind_PLACE_KIND_COMPARTMENT, .location = "library-1", .compartment = "7"};
    guika_v1_MoveCardResponse moved;
    size_t count = 0;
    guika_v1_FoundCardRow *cards = gk_test_found(&world->service, &count);

    /* One of the twins lies in compartment 7 of library-1, the other in station-2. */
    for (size_t i = 0; i < count; i++) {
        if (strcmp(cards[i].deposit_id, "twin-b") == 0) {
            memcpy(move.case_number, cards[i].case_id, sizeof cards[i].case_id);
        }
    }
    free(cards);
    assert_int_equal(guika_v1_operator_service_move_card(world->operator, NULL, &move, &moved, NULL),
                     GK_FAILED_PRECONDITION);
    strcpy(move.compartment, "8");
    assert_int_equal(guika_v1_operator_service_move_card(world->operator, NULL, &move, &moved, NULL), GK_OK);
}

static void test_nonsense_is_refused_in_words(void **state)
{
    struct world *world = *state;
    guika_v1_MoveCardRequest move = {
        .case_number = "who?", .place = guika_v1_PlaceKind_PLACE_KIND_BAG, .location = "b"};
    guika_v1_MoveCardResponse moved;
    guika_v1_CloseCardRequest close = {.case_number = "0000-0000",
                                       .state = guika_v1_CardState_CARD_STATE_DESTROYED};
    guika_v1_CloseCardResponse closed;
    guika_v1_ListHandOverRequest list = {.page_token = "x"};
    guika_v1_ListHandOverResponse *listed = calloc(1, sizeof *listed);

    assert_int_equal(guika_v1_operator_service_move_card(world->operator, NULL, &move, &moved, NULL),
                     GK_INVALID_ARGUMENT);
    move.place = guika_v1_PlaceKind_PLACE_KIND_HOLDER;
    assert_int_equal(guika_v1_operator_service_move_card(world->operator, NULL, &move, &moved, NULL),
                     GK_INVALID_ARGUMENT);
    assert_int_equal(guika_v1_operator_service_close_card(world->operator, NULL, &close, &closed, NULL),
                     GK_NOT_FOUND);
    close.state = guika_v1_CardState_CARD_STATE_NOTIFIED;
    assert_int_equal(guika_v1_operator_service_close_card(world->operator, NULL, &close, &closed, NULL),
                     GK_INVALID_ARGUMENT);
    assert_int_equal(guika_v1_operator_service_list_hand_over(world->operator, NULL, &list, listed, NULL),
                     GK_INVALID_ARGUMENT);
    list.page_token[0] = '\0';
    assert_int_equal(guika_v1_operator_service_list_hand_over(world->operator, NULL, &list, listed, NULL),
                     GK_OK);
    assert_int_equal(listed->cards_count, 0);
    assert_int_equal(report(world->box, 0, 7), GK_INVALID_ARGUMENT);
    assert_int_equal(report(world->box, UINT64_MAX, COLLECTED), GK_NOT_FOUND);
    free(listed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holder_collects_the_card_with_the_code_of_the_notice),
        cmocka_unit_test(test_card_lost_again_is_a_new_case_with_a_code_of_its_own),
        cmocka_unit_test(test_five_wrong_codes_lock_the_case_and_not_the_box),
        cmocka_unit_test(test_desk_hands_out_what_was_moved_to_it),
        cmocka_unit_test(test_one_number_in_two_boxes_at_once_is_two_cases),
        cmocka_unit_test(test_staff_take_difficult_cards_along),
        cmocka_unit_test(test_compartment_takes_one_card),
        cmocka_unit_test(test_nonsense_is_refused_in_words),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

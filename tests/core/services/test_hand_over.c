/* The list of cards whose time is over, and how they leave: through the service, with a clock that the test
 * sets. */
#include "core/found_card.h"
#include "core/store/record.h"
#include "guika/v1/operator.rpc.h"
#include "tests/core/core_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define DAY_MS (INT64_C(24) * 3600 * 1000)

struct fixture {
    struct core_rig rig;
    struct gk_rpc_client *operator;
    guika_v1_ListHandOverResponse list;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    core_rig_start(&fixture->rig, NULL);
    fixture->operator= core_rig_connect(&fixture->rig, GK_ROLE_OPERATOR, "anna");
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    gk_rpc_client_close(fixture->operator);
    core_rig_end(&fixture->rig);
    free(fixture);
    return 0;
}

static enum gk_status apply_find(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    guika_v1_internal_DepositRecord deposit;

    return gk_found_card_decide(transaction, context, &deposit, error);
}

/* A card of `account` ("": a difficult one) whose case id begins with `id`. */
static void find(struct core_rig *rig, uint8_t id, const char *account)
{
    struct gk_found_card_decision *decision = calloc(1, sizeof *decision);
    const bool identified = account[0] != '\0';

    decision->card.case_id[0] = id;
    decision->card.state =
        identified ? guika_v1_CardState_CARD_STATE_IDENTIFIED : guika_v1_CardState_CARD_STATE_DIFFICULT;
    decision->card.reason =
        identified ? guika_v1_Reason_REASON_UNSPECIFIED : guika_v1_Reason_REASON_UNREADABLE;
    decision->card.kind = guika_v1_CardKind_CARD_KIND_PAYMENT;
    decision->card.received_at_ms = atomic_load(&rig->now_ms) + id;
    decision->card.has_place = true;
    decision->card.place.kind = guika_v1_internal_Place_Kind_PLACE_SLOT;
    strcpy(decision->card.box_id, "library-1");
    (void)snprintf(decision->card.deposit_id, sizeof decision->card.deposit_id, "d-%u", id);
    strcpy(decision->card.issuer_account, account);
    decision->deposit.case_id[0] = id;
    decision->deposit.has_answer = true;
    assert_int_equal(gk_store_commit_and_wait(rig->store, apply_find, decision, NULL), GK_OK);
    free(decision);
}

static size_t list(struct fixture *fixture, const char *account, uint32_t limit, const char *page)
{
    guika_v1_ListHandOverRequest request = {.limit = limit};

    (void)snprintf(request.issuer_account, sizeof request.issuer_account, "%s", account);
    (void)snprintf(request.page_token, sizeof request.page_token, "%s", page);
    memset(&fixture->list, 0, sizeof fixture->list);
    assert_int_equal(
        guika_v1_operator_service_list_hand_over(fixture->operator, NULL, &request, &fixture->list, NULL),
        GK_OK);
    return fixture->list.cards_count;
}

static void await_listed(struct fixture *fixture, size_t count)
{
    for (unsigned i = 0; i < 1000 && list(fixture, "", 0, "") != count; i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_int_equal(fixture->list.cards_count, count);
}

static enum gk_status close_card(struct fixture *fixture, const char *case_number, guika_v1_CardState state,
                                 const char *to)
{
    guika_v1_CloseCardRequest request = {.state = state};
    guika_v1_CloseCardResponse response;

    (void)snprintf(request.case_number, sizeof request.case_number, "%s", case_number);
    (void)snprintf(request.location, sizeof request.location, "%s", to);
    return guika_v1_operator_service_close_card(fixture->operator, NULL, &request, &response, NULL);
}

static void test_cards_whose_time_is_over_are_listed_oldest_first_until_they_leave(void **state)
{
    struct fixture *fixture = *state;

    find(&fixture->rig, 1, "bank");
    find(&fixture->rig, 2, "transit");
    find(&fixture->rig, 3, "");
    assert_int_equal(list(fixture, "", 0, ""), 0);
    atomic_fetch_add(&fixture->rig.now_ms, 15 * DAY_MS);
    await_listed(fixture, 3); /* payment cards are kept for 14 days in a box; the difficult one is one too */
    assert_string_equal(fixture->list.cards[0].issuer_account, "bank");
    assert_string_equal(fixture->list.cards[0].found_in, "library-1");
    assert_int_equal(fixture->list.cards[2].reason, guika_v1_Reason_REASON_UNREADABLE);
    assert_int_equal(list(fixture, "transit", 0, ""), 1);
    assert_int_equal(list(fixture, "nobody", 0, ""), 0);

    char page[sizeof fixture->list.next_page_token];

    assert_int_equal(list(fixture, "", 2, ""), 2);
    memcpy(page, fixture->list.next_page_token, sizeof page);
    assert_int_equal(list(fixture, "", 2, page), 1);
    assert_string_equal(fixture->list.next_page_token, "");

    assert_int_equal(close_card(fixture, "0100-0000", guika_v1_CardState_CARD_STATE_RETURNED, "bank"), GK_OK);
    assert_int_equal(close_card(fixture, "0200-0000", guika_v1_CardState_CARD_STATE_HANDED_OVER, ""),
                     GK_INVALID_ARGUMENT); /* to whom? */
    assert_int_equal(close_card(fixture, "0200-0000", guika_v1_CardState_CARD_STATE_HANDED_OVER, "police"),
                     GK_OK);
    assert_int_equal(close_card(fixture, "0300-0000", guika_v1_CardState_CARD_STATE_RETURNED, "bank"),
                     GK_FAILED_PRECONDITION); /* nobody knows whose it is */
    assert_int_equal(close_card(fixture, "0300-0000", guika_v1_CardState_CARD_STATE_DESTROYED, ""), GK_OK);
    assert_int_equal(list(fixture, "", 0, ""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(
        test_cards_whose_time_is_over_are_listed_oldest_first_until_they_leave, set_up, tear_down)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Holders ask: by their contact, with a code, and for cards that nobody registered. Real guikad, real mail.
 */
#include "guika/v1/holder.rpc.h"
#include "tests/flow/service.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAIL_WAIT_MS = 20000, QUIET_MS = 1500, TRANSITS = 4 };

/* One service for all tests of this file, which build on each other in their order. */
struct world {
    struct gk_test_service service;
    char box_token[GK_TEST_TOKEN_SIZE];
    struct gk_rpc_client *box;
    struct gk_rpc_client *anyone;
    struct gk_rpc_client *operator;
    struct gk_test_holder ada;
    struct gk_test_picture bank_card;
    char transit_numbers[TRANSITS][40];
    struct gk_test_picture transits[TRANSITS];
    char ada_token[GK_TEST_TOKEN_SIZE];
    char lee_token[GK_TEST_TOKEN_SIZE];
    size_t mails; /* that came so far */
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    char token[GK_TEST_TOKEN_SIZE];

    gk_test_service_make(&world->service, 1);
    gk_test_service_start(&world->service);
    gk_test_add_box(&world->service, "library-1", world->box_token);
    world->box = gk_test_client(&world->service, world->box_token);
    world->anyone = gk_test_client(&world->service, NULL);
    world->operator= gk_test_client(&world->service, world->service.operator_token);
    gk_test_add_issuer(&world->service, "bank", "iso7812:4", token);
    world->bank_card = gk_test_mint_card(100, world->ada.number);
    world->ada.scheme = "iso7812";
    world->ada.language = "en";
    strcpy(world->ada.holder_id, "h1");
    strcpy(world->ada.contact, "smtp:Ada@Holders.example");
    gk_test_import(&world->service, token, "first", &world->ada, 1);
    for (unsigned i = 0; i < TRANSITS; i++) {
        world->transits[i] = gk_test_mint_transit(500 + i, world->transit_numbers[i]);
    }
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    gk_rpc_client_close(world->box);
    gk_rpc_client_close(world->anyone);
    gk_rpc_client_close(world->operator);
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    assert_true(gk_test_verify_audit(&world->service) > 0);
    gk_test_service_remove(&world->service);
    free(world->bank_card.data);
    for (unsigned i = 0; i < TRANSITS; i++) {
        free(world->transits[i].data);
    }
    free(world);
    return 0;
}

/* --- what the tests do --- */

static void expect_mails(struct world *world, size_t more)
{
    world->mails += more;
    assert_true(gk_test_mail_wait(&world->service, world->mails, MAIL_WAIT_MS));
    gk_test_sleep_ms(QUIET_MS);
    assert_int_equal(gk_test_mail_count(&world->service), world->mails);
}

static guika_v1_Zone find_card(struct world *world, const char *deposit_id,
                               const struct gk_test_picture *picture)
{
    guika_v1_DepositResponse response = {0};
    struct gk_error error = {0};

    if (gk_test_deposit(world->box, deposit_id, picture, &response, &error) != GK_OK) {
        fail_msg("deposit: %s", error.message);
    }
    gk_test_confirm_stored(world->box, deposit_id, response.zone);
    return response.zone;
}

static void ask_by_contact(struct world *world, const char *contact)
{
    guika_v1_CheckStatusRequest request = {0};
    guika_v1_CheckStatusResponse response = {0};
    struct gk_error error = {0};

    (void)snprintf(request.contact, sizeof request.contact, "%s", contact);
    if (guika_v1_holder_service_check_status(world->anyone, NULL, &request, &response, &error) != GK_OK) {
        fail_msg("check: %s", error.message);
    }
    assert_int_equal(response.answer, guika_v1_CheckStatusResponse_Answer_ACCEPTED);
}

static void ask_for_code(struct world *world, const char *contact, bool to_watch)
{
    guika_v1_RequestCodeRequest request = {.to_watch = to_watch};
    guika_v1_RequestCodeResponse response = {0};
    struct gk_error error = {0};

    (void)snprintf(request.contact, sizeof request.contact, "%s", contact);
    if (guika_v1_holder_service_request_code(world->anyone, NULL, &request, &response, &error) != GK_OK) {
        fail_msg("code: %s", error.message);
    }
    assert_int_equal(response.valid_s, 600);
}

/* The code of the mail that went to `address`, eight digits; of several, the one that comes after `skip`
 * others: mails lie in no order. */
static void read_code(struct world *world, const char *address, unsigned skip, char ret_code[9])
{
    static const char words[] = "Your code is ";
    char *text = gk_test_mail_text(&world->service);
    const char *found = NULL;

    for (const char *mail = text; found == NULL && (mail = strstr(mail, words)) != NULL; mail++) {
        const char *to = NULL;

        for (const char *line = text; (line = strstr(line, "To: ")) != NULL && line < mail; line++) {
            to = line;
        }
        if (to != NULL && strncmp(to + 4, address, strlen(address)) == 0 && skip-- == 0) {
            found = mail + strlen(words);
        }
    }
    assert_non_null(found);
    assert_int_equal(strspn(found, "0123456789"), 8);
    (void)snprintf(ret_code, 9, "%.8s", found);
    free(text);
}

static enum gk_status prove(struct world *world, const char *contact, const char *code,
                            char ret_token[GK_TEST_TOKEN_SIZE])
{
    guika_v1_ProveContactRequest request = {0};
    guika_v1_ProveContactResponse response = {0};

    (void)snprintf(request.contact, sizeof request.contact, "%s", contact);
    (void)snprintf(request.code, sizeof request.code, "%s", code);
    const enum gk_status status =
        guika_v1_holder_service_prove_contact(world->anyone, NULL, &request, &response, NULL);

    if (status == GK_OK) {
        (void)snprintf(ret_token, GK_TEST_TOKEN_SIZE, "%s", response.token);
    }
    return status;
}

/* Proves an address, which was sent `codes` codes when this one comes. */
static void must_prove(struct world *world, const char *address, bool to_watch, unsigned codes,
                       char ret_token[GK_TEST_TOKEN_SIZE])
{
    char code[9];

    ask_for_code(world, address, to_watch);
    expect_mails(world, 1);
    enum gk_status status = GK_UNAUTHENTICATED;

    for (unsigned i = 0; i < codes && status != GK_OK; i++) {
        read_code(world, address, i, code);
        status = prove(world, address, code, ret_token);
    }
    assert_int_equal(status, GK_OK);
}

static guika_v1_ListMyCardsResponse *list(struct world *world, const char *token)
{
    struct gk_rpc_client *client = gk_test_client(&world->service, token);
    const guika_v1_ListMyCardsRequest request = {0};
    guika_v1_ListMyCardsResponse *response = calloc(1, sizeof *response);
    struct gk_error error = {0};

    if (guika_v1_holder_service_list_my_cards(client, NULL, &request, response, &error) != GK_OK) {
        fail_msg("list: %s", error.message);
    }
    gk_rpc_client_close(client);
    return response;
}

static enum gk_status watch(struct world *world, const char *token, const guika_v1_WatchCardRequest *request,
                            char ret_watch_id[33])
{
    struct gk_rpc_client *client = gk_test_client(&world->service, token);
    guika_v1_WatchCardResponse response = {0};
    const enum gk_status status = guika_v1_holder_service_watch_card(client, NULL, request, &response, NULL);

    gk_rpc_client_close(client);
    (void)snprintf(ret_watch_id, 33, "%s", response.watch_id);
    return status;
}

static enum gk_status watch_number(struct world *world, const char *token, const char *number,
                                   char ret_watch_id[33])
{
    guika_v1_WatchCardRequest request = {0};

    (void)snprintf(request.number, sizeof request.number, "%s", number);
    return watch(world, token, &request, ret_watch_id);
}

static enum gk_status cancel(struct world *world, const char *token, const char *id)
{
    struct gk_rpc_client *client = gk_test_client(&world->service, token);
    guika_v1_CancelRequest request = {0};
    guika_v1_CancelResponse response = {0};

    (void)snprintf(request.id, sizeof request.id, "%s", id);
    const enum gk_status status = guika_v1_holder_service_cancel(client, NULL, &request, &response, NULL);

    gk_rpc_client_close(client);
    return status;
}

static guika_v1_ListClaimsResponse *list_claims(struct world *world)
{
    const guika_v1_ListClaimsRequest request = {0};
    guika_v1_ListClaimsResponse *response = calloc(1, sizeof *response);

    assert_int_equal(guika_v1_operator_service_list_claims(world->operator, NULL, &request, response, NULL),
                     GK_OK);
    return response;
}

static enum gk_status resolve(struct world *world, const char *watch_id, const char *case_id)
{
    guika_v1_ResolveClaimRequest request = {0};
    guika_v1_ResolveClaimResponse response = {0};

    (void)snprintf(request.watch_id, sizeof request.watch_id, "%s", watch_id);
    (void)snprintf(request.case_id, sizeof request.case_id, "%s", case_id);
    return guika_v1_operator_service_resolve_claim(world->operator, NULL, &request, &response, NULL);
}

static bool mail_has(struct world *world, const char *words)
{
    char *text = gk_test_mail_text(&world->service);
    const bool has = strstr(text, words) != NULL;

    free(text);
    return has;
}

/* --- registered holders --- */

static void test_enquiry_by_contact_is_answered_to_it_once_a_day(void **state)
{
    struct world *world = *state;

    assert_int_equal(find_card(world, "bank", &world->bank_card), guika_v1_Zone_ZONE_NORMAL);
    expect_mails(world, 1);
    ask_by_contact(world, "ada@holders.example");
    expect_mails(world, 1);
    assert_true(mail_has(world, "Subject: Your enquiry: your card has been found"));
    ask_by_contact(world, " ADA@HOLDERS.EXAMPLE ");
    ask_by_contact(world, "nobody@holders.example");
    ask_by_contact(world, "138 0013 8000");
    expect_mails(world, 0);
}

static void test_contact_is_proven_by_the_code_that_was_sent_to_it(void **state)
{
    struct world *world = *state;
    char code[9];
    char wrong[9];
    char token[GK_TEST_TOKEN_SIZE];

    ask_for_code(world, "nobody@holders.example", false);
    ask_for_code(world, "ada@holders.example", false);
    expect_mails(world, 1);
    read_code(world, "Ada@Holders.example", 0, code);
    (void)snprintf(wrong, sizeof wrong, "%s", code);
    wrong[7] = wrong[7] == '0' ? '1' : '0';
    assert_int_equal(prove(world, "ada@holders.example", wrong, token), GK_UNAUTHENTICATED);
    assert_int_equal(prove(world, "nobody@holders.example", code, token), GK_UNAUTHENTICATED);
    assert_int_equal(prove(world, "ada@holders.example", code, world->ada_token), GK_OK);
    assert_int_equal(prove(world, "ada@holders.example", code, token), GK_UNAUTHENTICATED);
}

static void test_holder_sees_their_card_and_where_it_is(void **state)
{
    struct world *world = *state;
    guika_v1_ListMyCardsResponse *mine = list(world, world->ada_token);

    assert_int_equal(mine->cards_count, 1);
    assert_int_equal(mine->cards[0].state, guika_v1_CardState_CARD_STATE_NOTIFIED);
    assert_int_equal(mine->cards[0].kind, guika_v1_CardKind_CARD_KIND_PAYMENT);
    assert_string_equal(mine->cards[0].last_four, world->ada.number + strlen(world->ada.number) - 4);
    assert_true(strlen(mine->cards[0].place.zh) > 0 || strlen(mine->cards[0].place.en) > 0);
    assert_int_equal(strlen(mine->cards[0].pickup_code), 8); /* no telephone: a long code */
    assert_int_equal(mine->cards[0].telephone_digits, 0);
    assert_true(mail_has(world, mine->cards[0].pickup_code));
    assert_int_equal(mine->watches_count, 0);
    free(mine);
}

static void test_holder_asks_for_another_code(void **state)
{
    struct world *world = *state;
    struct gk_rpc_client *client = gk_test_client(&world->service, world->ada_token);
    guika_v1_ListMyCardsResponse *before = list(world, world->ada_token);
    guika_v1_ReissueMyCodeRequest request = {0};
    guika_v1_ReissueMyCodeResponse response = {0};

    (void)snprintf(request.case_id, sizeof request.case_id, "%s", before->cards[0].case_id);
    assert_int_equal(guika_v1_holder_service_reissue_code(client, NULL, &request, &response, NULL), GK_OK);
    expect_mails(world, 1);
    guika_v1_ListMyCardsResponse *after = list(world, world->ada_token);

    assert_string_not_equal(before->cards[0].pickup_code, after->cards[0].pickup_code);
    assert_true(mail_has(world, after->cards[0].pickup_code));
    free(before);
    free(after);
    memset(request.case_id, '0', 32);
    assert_int_equal(guika_v1_holder_service_reissue_code(client, NULL, &request, &response, NULL),
                     GK_NOT_FOUND);
    gk_rpc_client_close(client);
}

static void test_holder_gives_a_card_up(void **state)
{
    struct world *world = *state;
    guika_v1_ListMyCardsResponse *mine = list(world, world->ada_token);

    assert_int_equal(cancel(world, world->ada_token, "00000000000000000000000000000000"), GK_NOT_FOUND);
    assert_int_equal(cancel(world, world->ada_token, mine->cards[0].case_id), GK_OK);
    assert_int_equal(cancel(world, world->ada_token, mine->cards[0].case_id), GK_FAILED_PRECONDITION);
    free(mine);
    mine = list(world, world->ada_token);
    assert_int_equal(mine->cards[0].state, guika_v1_CardState_CARD_STATE_EXPIRED);
    free(mine);
}

/* --- cards of nobody's --- */

static void test_watched_transit_card_is_the_watchers_when_it_is_found(void **state)
{
    struct world *world = *state;
    char watch_id[33];

    must_prove(world, "lee@lost.example", true, 1, world->lee_token);
    assert_int_equal(watch_number(world, world->lee_token, world->transit_numbers[0], watch_id), GK_OK);
    assert_int_equal(find_card(world, "transit-0", &world->transits[0]), guika_v1_Zone_ZONE_NORMAL);
    expect_mails(world, 1);
    assert_true(mail_has(world, "To: lee@lost.example\nSubject: Your lost card has been found"));
    guika_v1_ListMyCardsResponse *mine = list(world, world->lee_token);

    assert_int_equal(mine->cards_count, 1);
    assert_int_equal(mine->cards[0].kind, guika_v1_CardKind_CARD_KIND_TRANSIT);
    assert_int_equal(mine->watches_count, 1);
    assert_string_equal(mine->watches[0].watch_id, watch_id);
    assert_string_equal(mine->watches[0].case_id, mine->cards[0].case_id);
    free(mine);
    mine = list(world, world->ada_token); /* nobody else sees it */
    assert_int_equal(mine->cards_count, 1);
    assert_int_equal(mine->cards[0].kind, guika_v1_CardKind_CARD_KIND_PAYMENT);
    free(mine);
}

static void test_bank_card_is_never_watched_for(void **state)
{
    struct world *world = *state;
    char watch_id[33];

    assert_int_equal(watch_number(world, world->lee_token, world->ada.number, watch_id),
                     GK_FAILED_PRECONDITION);
    assert_int_equal(watch_number(world, world->lee_token, "12", watch_id), GK_INVALID_ARGUMENT);
}

static void test_later_claim_waits_for_an_operator_and_is_granted(void **state)
{
    struct world *world = *state;
    char watch_id[33];

    assert_int_equal(find_card(world, "transit-1", &world->transits[1]), guika_v1_Zone_ZONE_DIFFICULT);
    assert_int_equal(watch_number(world, world->lee_token, world->transit_numbers[1], watch_id), GK_OK);
    guika_v1_ListClaimsResponse *claims = list_claims(world);

    assert_int_equal(claims->claims_count, 1);
    assert_string_equal(claims->claims[0].watch_id, watch_id);
    assert_int_equal(claims->claims[0].reason, guika_v1_WatchReason_WATCH_REASON_LATE);
    assert_string_equal(claims->claims[0].contact, "l***@lost.example");
    assert_int_equal(claims->claims[0].case_ids_count, 1);
    assert_int_equal(resolve(world, watch_id, claims->claims[0].case_ids[0]), GK_OK);
    assert_int_equal(resolve(world, watch_id, claims->claims[0].case_ids[0]), GK_NOT_FOUND);
    free(claims);
    guika_v1_ListMyCardsResponse *mine = list(world, world->lee_token);

    assert_int_equal(mine->cards_count, 2);
    assert_int_equal(mine->cards[0].state, guika_v1_CardState_CARD_STATE_IDENTIFIED);
    free(mine);
    expect_mails(world, 0); /* it lies in the difficult bin: the message leaves once it is placed */
}

static void test_rivals_wait_for_an_operator(void **state)
{
    struct world *world = *state;
    char kim_token[GK_TEST_TOKEN_SIZE];
    char lees[33];
    char kims[33];

    must_prove(world, "kim@lost.example", true, 1, kim_token);
    assert_int_equal(watch_number(world, world->lee_token, world->transit_numbers[2], lees), GK_OK);
    assert_int_equal(watch_number(world, kim_token, world->transit_numbers[2], kims), GK_OK);
    assert_int_equal(find_card(world, "transit-2", &world->transits[2]), guika_v1_Zone_ZONE_DIFFICULT);
    expect_mails(world, 0);
    guika_v1_ListClaimsResponse *claims = list_claims(world);

    assert_int_equal(claims->claims_count, 2);
    assert_int_equal(claims->claims[0].reason, guika_v1_WatchReason_WATCH_REASON_RIVAL);
    assert_int_equal(claims->claims[1].reason, guika_v1_WatchReason_WATCH_REASON_RIVAL);
    assert_int_equal(resolve(world, kims, ""), GK_OK);
    assert_int_equal(resolve(world, lees, claims->claims[0].case_ids[0]), GK_OK);
    free(claims);
    claims = list_claims(world);
    assert_int_equal(claims->claims_count, 0);
    free(claims);
}

static void test_description_waits_for_an_operator_and_can_be_cancelled(void **state)
{
    struct world *world = *state;
    guika_v1_WatchCardRequest request = {.kind = guika_v1_CardKind_CARD_KIND_TRANSIT};
    char watch_id[33];

    strcpy(request.line, "Line 2, from People's Square");
    strcpy(request.name, "LEE MING");
    assert_int_equal(watch(world, world->lee_token, &request, watch_id), GK_OK);
    guika_v1_ListClaimsResponse *claims = list_claims(world);

    assert_int_equal(claims->claims_count, 1);
    assert_int_equal(claims->claims[0].reason, guika_v1_WatchReason_WATCH_REASON_DESCRIPTION);
    assert_string_equal(claims->claims[0].line, request.line);
    assert_string_equal(claims->claims[0].name, request.name);
    free(claims);
    request.kind = guika_v1_CardKind_CARD_KIND_ID;
    char refused[33];

    assert_int_equal(watch(world, world->lee_token, &request, refused), GK_INVALID_ARGUMENT);
    assert_int_equal(cancel(world, world->ada_token, watch_id), GK_NOT_FOUND);
    assert_int_equal(cancel(world, world->lee_token, watch_id), GK_OK);
    claims = list_claims(world);
    assert_int_equal(claims->claims_count, 0);
    free(claims);
}

static bool key_says(struct world *world, const char *word, const char *wanted)
{
    char token_file[128];
    const char *arguments[] = {
        GK_TEST_PROGRAM("guika"), "key",          word,       "--config", "/dev/null", "--server",
        world->service.url,       "--token-file", token_file, NULL};

    (void)snprintf(token_file, sizeof token_file, "%s/service/operator.token", world->service.directory);
    struct gk_test_run run = gk_test_run(arguments);
    const bool says =
        wanted == NULL ? run.exit_status == 0 : strncmp(run.output, wanted, strlen(wanted)) == 0;

    gk_test_run_clear(&run);
    return says;
}

static void reconnect(const struct world *world, struct gk_rpc_client **client, const char *token)
{
    gk_rpc_client_close(*client);
    *client = gk_test_client(&world->service, token);
}

/* Contacts, watches and claims come to rest under the new keys, and are found by them. */
static void test_new_keys_find_contacts_and_watches(void **state)
{
    struct world *world = *state;
    char watch_id[33];

    assert_int_equal(watch_number(world, world->lee_token, world->transit_numbers[3], watch_id), GK_OK);
    assert_true(key_says(world, "rotate", NULL));
    for (int i = 0; i < 300 && !key_says(world, "status", "epoch 2 is in force\n"); i++) {
        gk_test_sleep_ms(100);
    }
    assert_true(key_says(world, "status", "epoch 2 is in force\n"));
    reconnect(world, &world->box, world->box_token);
    reconnect(world, &world->anyone, NULL);
    reconnect(world, &world->operator, world->service.operator_token);
    assert_int_equal(find_card(world, "transit-3", &world->transits[3]), guika_v1_Zone_ZONE_NORMAL);
    expect_mails(world, 1);
    must_prove(world, "lee@lost.example", false, 2, world->lee_token);
    guika_v1_ListMyCardsResponse *mine = list(world, world->lee_token);

    assert_int_equal(mine->cards_count, 4);
    assert_string_equal(mine->cards[0].last_four, world->transit_numbers[3] + 15);
    assert_int_equal(strlen(mine->cards[0].pickup_code), 8);
    free(mine);
    must_prove(world, "Ada@Holders.example", false, 2, world->ada_token);
    mine = list(world, world->ada_token);
    assert_int_equal(mine->cards_count, 1);
    free(mine);
}

static void test_session_does_not_outlive_the_service_and_nothing_personal_rests(void **state)
{
    struct world *world = *state;
    static const char *const secrets[] = {"lost.example", "olders.example", "LEE MING", "People's Square"};
    char data[96];
    char name[PATH_MAX];

    (void)snprintf(data, sizeof data, "%s/service", world->service.directory);
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        assert_int_equal(gk_test_files_with(data, secrets[i], strlen(secrets[i]), name), 0);
        assert_int_equal(gk_test_files_with(world->service.log, secrets[i], strlen(secrets[i]), name), 0);
    }
    for (unsigned i = 0; i < TRANSITS; i++) {
        const char *number = world->transit_numbers[i];

        assert_int_equal(gk_test_files_with(data, number, strlen(number), name), 0);
        assert_int_equal(gk_test_files_with(world->service.log, number, strlen(number), name), 0);
    }
    gk_test_service_start(&world->service);
    struct gk_rpc_client *client = gk_test_client(&world->service, world->lee_token);
    const guika_v1_ListMyCardsRequest request = {0};
    guika_v1_ListMyCardsResponse *response = calloc(1, sizeof *response);

    assert_int_equal(guika_v1_holder_service_list_my_cards(client, NULL, &request, response, NULL),
                     GK_UNAUTHENTICATED);
    free(response);
    gk_rpc_client_close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_enquiry_by_contact_is_answered_to_it_once_a_day),
        cmocka_unit_test(test_contact_is_proven_by_the_code_that_was_sent_to_it),
        cmocka_unit_test(test_holder_sees_their_card_and_where_it_is),
        cmocka_unit_test(test_holder_asks_for_another_code),
        cmocka_unit_test(test_holder_gives_a_card_up),
        cmocka_unit_test(test_watched_transit_card_is_the_watchers_when_it_is_found),
        cmocka_unit_test(test_bank_card_is_never_watched_for),
        cmocka_unit_test(test_later_claim_waits_for_an_operator_and_is_granted),
        cmocka_unit_test(test_rivals_wait_for_an_operator),
        cmocka_unit_test(test_description_waits_for_an_operator_and_can_be_cancelled),
        cmocka_unit_test(test_new_keys_find_contacts_and_watches),
        cmocka_unit_test(test_session_does_not_outlive_the_service_and_nothing_personal_rests),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

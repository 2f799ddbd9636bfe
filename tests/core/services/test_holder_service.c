/* Codes, sessions and limits of the HolderService, with a clock that the test moves. */
#include "core/codes.h"
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

#define REGISTERED "a@b.example" /* as the rig's card is */
#define STRANGER "nobody@b.example"

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

static bool count_one(void *context, struct gk_bytes key, struct gk_bytes value)
{
    (void)key;
    (void)value;
    ++*(size_t *)context;
    return true;
}

static size_t count(struct core_rig *rig, enum gk_family family)
{
    const struct gk_bytes all = {NULL, 0};
    size_t records = 0;

    assert_int_equal(gk_store_scan(rig->store, family, all, all, false, count_one, &records, NULL), GK_OK);
    return records;
}

static void token_of(struct core_rig *rig, const char *contact, uint8_t ret_token[GK_TOKEN_SIZE])
{
    gk_keys_contact_token(rig->keys, contact, ret_token);
}

/* Asks and waits until the queue is empty, 10 s at most. */
static void ask_for_code(struct core_rig *rig, const char *contact, bool to_watch)
{
    struct gk_rpc_client *client = core_rig_connect(rig, GK_ROLE_ANYONE, "");
    guika_v1_RequestCodeRequest request = {.to_watch = to_watch};
    guika_v1_RequestCodeResponse response = {0};

    (void)snprintf(request.contact, sizeof request.contact, "%s", contact);
    assert_int_equal(guika_v1_holder_service_request_code(client, NULL, &request, &response, NULL), GK_OK);
    assert_int_equal(response.valid_s, 600);
    gk_rpc_client_close(client);
    for (int i = 0; i < 1000 && count(rig, GK_FAMILY_ENQUIRIES) > 0; i++) {
        (void)nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_int_equal(count(rig, GK_FAMILY_ENQUIRIES), 0);
}

static enum gk_status read_code(struct core_rig *rig, const char *contact, char ret_code[9])
{
    uint8_t token[GK_TOKEN_SIZE];

    token_of(rig, contact, token);
    return gk_codes_read(rig->store, rig->keys, token, atomic_load(&rig->now_ms), ret_code, NULL);
}

static enum gk_status prove(struct core_rig *rig, const char *contact, const char *code)
{
    struct gk_rpc_client *client = core_rig_connect(rig, GK_ROLE_ANYONE, "");
    guika_v1_ProveContactRequest request = {0};
    guika_v1_ProveContactResponse response = {0};

    (void)snprintf(request.contact, sizeof request.contact, "%s", contact);
    (void)snprintf(request.code, sizeof request.code, "%s", code);
    const enum gk_status status =
        guika_v1_holder_service_prove_contact(client, NULL, &request, &response, NULL);

    gk_rpc_client_close(client);
    if (status == GK_OK) {
        assert_int_equal(strncmp(response.token, "gk_holder_", 10), 0);
    }
    return status;
}

static void test_only_a_known_contact_is_sent_a_code(void **state)
{
    struct core_rig *rig = *state;

    ask_for_code(rig, STRANGER, false);
    assert_int_equal(count(rig, GK_FAMILY_OUTBOX), 0);
    ask_for_code(rig, REGISTERED, false);
    assert_int_equal(count(rig, GK_FAMILY_OUTBOX), 1);
    ask_for_code(rig, STRANGER, true);
    assert_int_equal(count(rig, GK_FAMILY_OUTBOX), 2);
    assert_int_equal(count(rig, GK_FAMILY_CODES), 2); /* of the stranger too: tries must not tell */
}

static void test_code_is_good_once(void **state)
{
    struct core_rig *rig = *state;
    char code[9];
    char spaced[12];

    ask_for_code(rig, REGISTERED, false);
    assert_int_equal(read_code(rig, REGISTERED, code), GK_OK);
    (void)snprintf(spaced, sizeof spaced, "%.4s %s", code, code + 4);
    assert_int_equal(prove(rig, "smtp:A@B.example", spaced), GK_OK);
    assert_int_equal(prove(rig, REGISTERED, code), GK_UNAUTHENTICATED);
}

static void test_code_is_good_for_ten_minutes(void **state)
{
    struct core_rig *rig = *state;
    char code[9];
    char late[9];

    ask_for_code(rig, REGISTERED, false);
    assert_int_equal(read_code(rig, REGISTERED, code), GK_OK);
    atomic_fetch_add(&rig->now_ms, GK_CODE_LIFE_MS);
    assert_int_equal(read_code(rig, REGISTERED, late), GK_NOT_FOUND);
    assert_int_equal(prove(rig, REGISTERED, code), GK_UNAUTHENTICATED);
}

static void test_code_is_void_after_five_tries(void **state)
{
    struct core_rig *rig = *state;
    char code[9];
    char wrong[9];

    ask_for_code(rig, REGISTERED, false);
    assert_int_equal(read_code(rig, REGISTERED, code), GK_OK);
    memcpy(wrong, code, sizeof wrong);
    wrong[0] = wrong[0] == '9' ? '0' : '9';
    for (int i = 0; i < GK_CODE_TRIES; i++) {
        assert_int_equal(prove(rig, REGISTERED, wrong), GK_UNAUTHENTICATED);
    }
    assert_int_equal(prove(rig, REGISTERED, code), GK_UNAUTHENTICATED);
    ask_for_code(rig, REGISTERED, false);
    assert_int_equal(read_code(rig, REGISTERED, code), GK_OK);
    assert_int_equal(prove(rig, REGISTERED, code), GK_OK);
}

static void test_code_of_one_contact_is_no_good_for_another(void **state)
{
    struct core_rig *rig = *state;
    char code[9];

    ask_for_code(rig, REGISTERED, false);
    assert_int_equal(read_code(rig, REGISTERED, code), GK_OK);
    assert_int_equal(prove(rig, STRANGER, code), GK_UNAUTHENTICATED);
    assert_int_equal(prove(rig, STRANGER, ""), GK_UNAUTHENTICATED);
    assert_int_equal(prove(rig, STRANGER, "123456789012"), GK_UNAUTHENTICATED);
    assert_int_equal(prove(rig, REGISTERED, code), GK_OK);
}

static void test_codes_that_ran_out_are_forgotten(void **state)
{
    struct core_rig *rig = *state;
    char contact[40];

    for (int i = 0; i < 20; i++) {
        (void)snprintf(contact, sizeof contact, "somebody-%d@b.example", i);
        ask_for_code(rig, contact, false);
    }
    assert_int_equal(count(rig, GK_FAMILY_CODES), 20);
    atomic_fetch_add(&rig->now_ms, GK_CODE_LIFE_MS);
    for (int i = 0; i < 40 && count(rig, GK_FAMILY_CODES) > 1; i++) {
        ask_for_code(rig, REGISTERED, false);
    }
    assert_int_equal(count(rig, GK_FAMILY_CODES), 1);
}

static void test_what_is_no_contact_is_refused(void **state)
{
    struct core_rig *rig = *state;
    struct gk_rpc_client *client = core_rig_connect(rig, GK_ROLE_ANYONE, "");
    guika_v1_RequestCodeRequest request = {.contact = "nobody"};
    guika_v1_RequestCodeResponse response = {0};

    assert_int_equal(guika_v1_holder_service_request_code(client, NULL, &request, &response, NULL),
                     GK_INVALID_ARGUMENT);
    gk_rpc_client_close(client);
    assert_int_equal(prove(rig, "nobody", "12345678"), GK_INVALID_ARGUMENT);
}

/* --- sessions --- */

struct beginning {
    char token[GK_CREDENTIAL_SIZE];
    struct gk_principal principal;
    bool found;
    bool authentic;
};

static void begin_session(struct core_rig *rig, void *argument)
{
    struct beginning *beginning = argument;
    const struct gk_session session = {.address = "smtp:a@b.example"};

    gk_sessions_begin(rig->sessions, &session, atomic_load(&rig->now_ms), beginning->token);
}

static void find_session(struct core_rig *rig, void *argument)
{
    struct beginning *beginning = argument;

    beginning->authentic =
        gk_credentials_authenticate(rig->credentials, beginning->token, &beginning->principal);
    beginning->found =
        gk_sessions_find(rig->sessions, beginning->principal.id, atomic_load(&rig->now_ms)) != NULL;
}

static void test_session_ends_after_a_quarter_of_an_hour(void **state)
{
    struct core_rig *rig = *state;
    struct beginning beginning = {.found = false};

    core_rig_run(rig, begin_session, &beginning);
    core_rig_run(rig, find_session, &beginning);
    assert_true(beginning.authentic);
    assert_true(beginning.found);
    assert_int_equal(beginning.principal.role, GK_ROLE_HOLDER);
    atomic_fetch_add(&rig->now_ms, GK_SESSION_LIFE_MS);
    core_rig_run(rig, find_session, &beginning);
    assert_false(beginning.found);
    core_rig_run(rig, find_session, &beginning);
    assert_false(beginning.authentic); /* and its token is forgotten */
}

static void begin_many(struct core_rig *rig, void *argument)
{
    struct beginning one;

    for (int i = 0; i < GK_SESSIONS_MAX; i++) {
        begin_session(rig, &one);
    }
    (void)argument;
}

static void test_oldest_session_gives_way(void **state)
{
    struct core_rig *rig = *state;
    struct beginning first = {.found = false};

    core_rig_run(rig, begin_session, &first);
    core_rig_run(rig, begin_many, NULL);
    core_rig_run(rig, find_session, &first);
    assert_false(first.authentic);
}

static void test_stranger_to_the_sessions_is_turned_away(void **state)
{
    struct core_rig *rig = *state;
    struct gk_rpc_client *client = core_rig_connect(rig, GK_ROLE_HOLDER, "no-session");
    const guika_v1_ListMyCardsRequest request = {0};
    guika_v1_ListMyCardsResponse *response = calloc(1, sizeof *response);

    assert_int_equal(guika_v1_holder_service_list_my_cards(client, NULL, &request, response, NULL),
                     GK_UNAUTHENTICATED);
    gk_rpc_client_close(client);
    free(response);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_only_a_known_contact_is_sent_a_code),
        TEST(test_code_is_good_once),
        TEST(test_code_is_good_for_ten_minutes),
        TEST(test_code_is_void_after_five_tries),
        TEST(test_code_of_one_contact_is_no_good_for_another),
        TEST(test_codes_that_ran_out_are_forgotten),
        TEST(test_what_is_no_contact_is_refused),
        TEST(test_session_ends_after_a_quarter_of_an_hour),
        TEST(test_oldest_session_gives_way),
        TEST(test_stranger_to_the_sessions_is_turned_away),
    };

    return cmocka_run_group_tests_name("core/services/holder_service", tests, NULL, NULL);
}

#include "core/recovery.h"

#include "core/found_card.h"
#include "core/store/record.h"
#include "tests/core/security/scratch.h"
#include "tests/core/store/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct store_fixture *store;
    struct gk_keys *keys;
    struct gk_picture_vault *vault;
    struct gk_credentials *credentials;
    struct gk_error error;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    assert_int_equal(store_setup((void **)&fixture->store), 0);
    char *keys = scratch_path(fixture->store->directory, "keys");
    char *pictures = scratch_path(fixture->store->directory, "pictures");

    assert_int_equal(gk_keys_generate(keys, &fixture->error), GK_OK);
    assert_int_equal(gk_keys_open(keys, &fixture->keys, &fixture->error), GK_OK);
    assert_int_equal(gk_picture_vault_open(pictures, fixture->keys, &fixture->vault, &fixture->error), GK_OK);
    fixture->credentials = gk_credentials_new(fixture->keys);
    free(pictures);
    free(keys);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    gk_credentials_free(fixture->credentials);
    gk_picture_vault_close(fixture->vault);
    gk_keys_close(fixture->keys);
    store_teardown((void **)&fixture->store);
    free(fixture);
    return 0;
}

static void recover(struct fixture *fixture)
{
    if (gk_recover(fixture->store->store, fixture->vault, fixture->credentials, &fixture->error) != GK_OK) {
        fail_msg("%s", fixture->error.message);
    }
}

struct putting {
    struct gk_found_card_decision decision;
    guika_v1_internal_CredentialRecord credential;
    uint8_t key[GK_TOKEN_SIZE];
    size_t key_size;
};

static enum gk_status apply_card(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct putting *putting = context;
    guika_v1_internal_DepositRecord deposit;

    return gk_found_card_decide(transaction, &putting->decision, &deposit, error);
}

static void put_card(struct fixture *fixture, uint8_t number, guika_v1_CardState state, uint32_t pictures)
{
    struct putting *putting = calloc(1, sizeof *putting);
    guika_v1_internal_FoundCard *card = &putting->decision.card;

    card->case_id[0] = number;
    card->state = state;
    card->pictures = pictures;
    strcpy(card->box_id, "library-1");
    (void)snprintf(card->deposit_id, sizeof card->deposit_id, "d-%d", number);
    memcpy(putting->decision.deposit.case_id, card->case_id, GK_CASE_ID_SIZE);
    putting->decision.deposit.has_answer = true;
    putting->decision.deposit.answer.decision = state == guika_v1_CardState_CARD_STATE_RECEIVED
                                                    ? guika_v1_DepositResponse_Decision_MORE_FRAMES
                                                    : guika_v1_DepositResponse_Decision_KEEP;
    assert_int_equal(gk_store_commit_and_wait(fixture->store->store, apply_card, putting, NULL), GK_OK);
    free(putting);
}

static guika_v1_CardState state_of(struct fixture *fixture, uint8_t number)
{
    const uint8_t case_id[GK_CASE_ID_SIZE] = {number};
    guika_v1_internal_FoundCard card = {0};

    assert_int_equal(gk_record_read(fixture->store->store, GK_FAMILY_FOUND_CARDS,
                                    (struct gk_bytes){case_id, sizeof case_id},
                                    guika_v1_internal_FoundCard_fields, &card, NULL),
                     GK_OK);
    return card.state;
}

static void put_picture(struct fixture *fixture, uint8_t number)
{
    const uint8_t case_id[GK_CASE_ID_SIZE] = {number};

    assert_int_equal(gk_picture_vault_put(fixture->vault, case_id, 0, bytes_of("picture"), NULL), GK_OK);
}

static bool has_picture(struct fixture *fixture, uint8_t number)
{
    const uint8_t case_id[GK_CASE_ID_SIZE] = {number};
    struct gk_value picture = {NULL, 0};
    const bool has = gk_picture_vault_get(fixture->vault, case_id, 0, &picture, NULL) == GK_OK;

    gk_value_free(&picture);
    return has;
}

static enum gk_status apply_credential(void *context, struct gk_transaction *transaction,
                                       struct gk_error *error)
{
    const struct putting *putting = context;

    return gk_record_put(transaction, GK_FAMILY_CREDENTIALS,
                         (struct gk_bytes){putting->key, putting->key_size},
                         guika_v1_internal_CredentialRecord_fields, &putting->credential, error);
}

static void put_credential(struct fixture *fixture, const char *token, enum gk_role role, const char *id,
                           size_t key_size)
{
    struct putting *putting = calloc(1, sizeof *putting);

    gk_keys_credential_hash(fixture->keys, token, putting->key);
    putting->key_size = key_size;
    putting->credential.role = (uint32_t)role;
    (void)snprintf(putting->credential.id, sizeof putting->credential.id, "%s", id);
    assert_int_equal(gk_store_commit_and_wait(fixture->store->store, apply_credential, putting, NULL), GK_OK);
    free(putting);
}

static void test_new_store_needs_nothing(void **state)
{
    recover(*state);
}

static void test_cards_that_waited_for_frames_are_difficult(void **state)
{
    struct fixture *fixture = *state;

    put_card(fixture, 1, guika_v1_CardState_CARD_STATE_RECEIVED, 0);
    put_card(fixture, 2, guika_v1_CardState_CARD_STATE_IDENTIFIED, 0);
    put_card(fixture, 3, guika_v1_CardState_CARD_STATE_RECEIVED, 0);
    recover(fixture);
    assert_int_equal(state_of(fixture, 1), guika_v1_CardState_CARD_STATE_DIFFICULT);
    assert_int_equal(state_of(fixture, 2), guika_v1_CardState_CARD_STATE_IDENTIFIED);
    assert_int_equal(state_of(fixture, 3), guika_v1_CardState_CARD_STATE_DIFFICULT);
    uint64_t entries = 0;
    uint64_t after = 0;

    assert_int_equal(gk_store_verify_audit(fixture->store->store, &entries, NULL), GK_OK);
    recover(fixture);
    assert_int_equal(gk_store_verify_audit(fixture->store->store, &after, NULL), GK_OK);
    assert_int_equal(after, entries);
}

static void test_pictures_that_no_card_wants_are_erased(void **state)
{
    struct fixture *fixture = *state;

    put_card(fixture, 1, guika_v1_CardState_CARD_STATE_DIFFICULT, 1);
    put_card(fixture, 2, guika_v1_CardState_CARD_STATE_IDENTIFIED, 0);
    put_card(fixture, 4, guika_v1_CardState_CARD_STATE_RECEIVED, 1);
    for (uint8_t number = 1; number <= 4; number++) {
        put_picture(fixture, number);
    }
    recover(fixture);
    assert_true(has_picture(fixture, 1));
    assert_false(has_picture(fixture, 2));
    assert_false(has_picture(fixture, 3)); /* its deposit was never answered */
    assert_true(has_picture(fixture, 4));
}

static void test_credentials_are_known_again(void **state)
{
    struct fixture *fixture = *state;
    struct gk_principal principal;

    put_credential(fixture, "gk_box_one", GK_ROLE_BOX, "library-1", GK_TOKEN_SIZE);
    put_credential(fixture, "gk_operator_two", GK_ROLE_OPERATOR, "first", GK_TOKEN_SIZE);
    recover(fixture);
    assert_true(gk_credentials_authenticate(fixture->credentials, "gk_box_one", &principal));
    assert_int_equal(principal.role, GK_ROLE_BOX);
    assert_string_equal(principal.id, "library-1");
    assert_true(gk_credentials_authenticate(fixture->credentials, "gk_operator_two", &principal));
    assert_int_equal(principal.role, GK_ROLE_OPERATOR);
    assert_false(gk_credentials_authenticate(fixture->credentials, "gk_box_three", &principal));
}

static void test_damaged_credential_stops_the_start(void **state)
{
    struct fixture *fixture = *state;

    put_credential(fixture, "gk_box_one", GK_ROLE_BOX, "library-1", 5);
    assert_int_equal(gk_recover(fixture->store->store, fixture->vault, fixture->credentials, &fixture->error),
                     GK_DATA_LOSS);
    assert_non_null(strstr(fixture->error.message, "5 bytes, not 32"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_new_store_needs_nothing),
        TEST(test_cards_that_waited_for_frames_are_difficult),
        TEST(test_pictures_that_no_card_wants_are_erased),
        TEST(test_credentials_are_known_again),
        TEST(test_damaged_credential_stops_the_start),
    };

    return cmocka_run_group_tests_name("core/recovery", tests, NULL, NULL);
}

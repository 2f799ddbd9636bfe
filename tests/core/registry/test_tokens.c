/* Lists of tokens that issuers made with keys of their own, on a real registry. */
#include "core/registry/registry.h"
#include "core/security/issuer_keys.h"
#include "tests/core/registry/registry_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char A[] = "6250941006528599";
static const char B[] = "6250941006528607";
static const char OTHERS[] = "4111111111111111";

static enum gk_status set_terms(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    return gk_registry_set_terms(transaction, "bank", context, error);
}

/* The next index key of "bank", as its issuer has it. */
static struct gk_index_key make_key(struct registry_fixture *fixture)
{
    struct gk_issuer_terms terms = {.key_epoch = 0};
    char text[GK_INDEX_KEY_TEXT_SIZE];
    struct gk_index_key key;

    assert_true(gk_registry_terms(fixture->registry, "bank", &terms));
    terms.key_epoch++;
    assert_int_equal(gk_issuer_keys_make(gk_keys_issuers(fixture->keys), "bank", terms.key_epoch, text, NULL),
                     GK_OK);
    assert_int_equal(gk_store_commit_and_wait(fixture->store, set_terms, &terms, &fixture->error), GK_OK);
    gk_registry_terms_set(fixture->registry, "bank", &terms);
    assert_int_equal(gk_index_key_read(text, &key, NULL), GK_OK);
    return key;
}

static guika_v1_TokenRow token_row(const struct gk_index_key *key, const char *number, const char *reference)
{
    guika_v1_TokenRow row = {.kind = guika_v1_CardKind_CARD_KIND_PAYMENT, .key_epoch = key->epoch};
    const struct gk_blocks blocks = gk_index_key_blocks(key, "iso7812", number);

    strcpy(row.scheme, "iso7812");
    gk_index_key_card_token(key, "iso7812", number, row.token);
    row.blocks.size = (pb_size_t)(blocks.count * GK_TOKEN_SIZE);
    memcpy(row.blocks.bytes, blocks.tokens, row.blocks.size);
    (void)snprintf(row.reference, sizeof row.reference, "%s", reference);
    return row;
}

/* Sends numbers (may be NULL) and tokens as one page, and empties both. */
static enum gk_status send(struct registry_fixture *fixture, struct page *numbers, struct gk_repeated *tokens,
                           const char *import_id, uint32_t page, bool last)
{
    guika_v1_ImportCardsRequest request = {.page = page, .last = last};
    struct gk_bytes answers = {NULL, 0};

    (void)snprintf(request.import_id, sizeof request.import_id, "%s", import_id);
    if (numbers != NULL) {
        request.page_rows = gk_repeated_bytes(&numbers->rows);
        answers = gk_repeated_bytes(&numbers->answers);
    }
    request.page_tokens = gk_repeated_bytes(tokens);
    const enum gk_status status = gk_registry_import_page(fixture->registry, "bank", &request, answers,
                                                          &fixture->response, &fixture->error);

    if (numbers != NULL) {
        gk_repeated_free(&numbers->rows);
        gk_repeated_free(&numbers->answers);
    }
    gk_repeated_free(tokens);
    return status;
}

static void add(struct gk_repeated *tokens, const guika_v1_TokenRow *row)
{
    assert_int_equal(gk_repeated_append(tokens, guika_v1_TokenRow_fields, row), GK_OK);
}

static void add_number(struct gk_repeated *tokens, const struct gk_index_key *key, const char *number,
                       const char *reference)
{
    const guika_v1_TokenRow row = token_row(key, number, reference);

    add(tokens, &row);
}

static void assert_reference(struct registry_fixture *fixture, const char *number, const char *reference)
{
    const struct gk_registration registration = registry_find(fixture, number);
    guika_v1_internal_HolderContacts contacts = guika_v1_internal_HolderContacts_init_zero;

    assert_true(registration.registered);
    assert_int_equal(gk_registry_holder(fixture->registry, registration.issuer_account,
                                        registration.holder_token, &contacts, &fixture->error),
                     GK_OK);
    assert_string_equal(contacts.reference, reference);
    assert_int_equal(contacts.contacts_count, 0);
}

static void test_card_is_found_by_the_issuers_token_and_its_reference_is_opened(void **state)
{
    struct registry_fixture *fixture = *state;
    const struct gk_index_key key = make_key(fixture);
    struct gk_repeated tokens = {0};
    uint8_t service_token[GK_TOKEN_SIZE];

    add_number(&tokens, &key, A, "ref-17");
    assert_int_equal(send(fixture, NULL, &tokens, "one", 0, true), GK_OK);
    assert_true(fixture->response.in_force);
    assert_int_equal(fixture->response.accepted, 1);
    assert_reference(fixture, A, "ref-17");
    registry_reopen(fixture);
    assert_reference(fixture, A, "ref-17");
    const struct gk_registration found = registry_find(fixture, A);

    gk_keys_card_token(fixture->keys, "iso7812", A, service_token);
    assert_true(found.own_key);
    assert_int_equal(found.key_epoch, 1);
    assert_memory_not_equal(found.card_token, service_token, GK_TOKEN_SIZE);
    assert_false(registry_find(fixture, B).registered);
}

static void test_numbers_and_tokens_stand_in_one_list(void **state)
{
    struct registry_fixture *fixture = *state;
    const struct gk_index_key key = make_key(fixture);
    struct gk_repeated tokens = {0};
    struct page page = {0};

    page_add(&page, A, "holder", "smtp:a@b.example");
    add_number(&tokens, &key, B, "ref-b");
    assert_int_equal(send(fixture, &page, &tokens, "one", 0, true), GK_OK);
    assert_int_equal(fixture->response.accepted, 2);
    assert_false(registry_find(fixture, A).own_key);
    assert_reference(fixture, B, "ref-b");
}

static void test_density_is_seen_through_the_issuers_blocks(void **state)
{
    struct registry_fixture *fixture = *state;
    const struct gk_index_key key = make_key(fixture);
    struct gk_repeated tokens = {0};
    char number[17];

    for (unsigned i = 0; i < 100; i++) {
        (void)snprintf(number, sizeof number, "6250941006528%03u", i * 10);
        add_number(&tokens, &key, number, "r");
    }
    assert_int_equal(send(fixture, NULL, &tokens, "one", 0, true), GK_OK);
    assert_true(registry_find(fixture, "6250941006528990").density > 0.98);
    assert_true(registry_find(fixture, "6250941006999990").density < 0.01);
}

static void test_rows_that_cannot_be_taken_are_rejected_by_index(void **state)
{
    struct registry_fixture *fixture = *state;
    const struct gk_index_key key = make_key(fixture);
    struct gk_repeated tokens = {0};
    guika_v1_TokenRow bad[5];

    for (size_t i = 0; i < 5; i++) {
        bad[i] = token_row(&key, A, "ref");
    }
    bad[0].key_epoch = 2;
    strcpy(bad[1].scheme, "octopus");
    bad[2].kind = guika_v1_CardKind_CARD_KIND_UNSPECIFIED;
    bad[3].blocks.size = 33;
    bad[4].reference[0] = '\0';
    for (size_t i = 0; i < 5; i++) {
        add(&tokens, &bad[i]);
    }
    add_number(&tokens, &key, B, "ref-b");
    assert_int_equal(send(fixture, NULL, &tokens, "one", 0, true), GK_OK);
    assert_int_equal(fixture->response.accepted, 1);
    assert_int_equal(fixture->response.rejected_count, 5);
    assert_int_equal(fixture->response.rejected[4].row, 4);
    assert_non_null(strstr(fixture->response.rejected[0].reason, "another index key"));
    assert_false(registry_find(fixture, A).registered);
    assert_reference(fixture, B, "ref-b");
}

static void test_account_without_a_key_of_its_own_cannot_import_tokens(void **state)
{
    struct registry_fixture *fixture = *state;
    const uint8_t secret[GK_INDEX_SECRET_SIZE] = {7};
    struct gk_repeated tokens = {0};
    struct gk_index_key key;

    gk_index_key_make("bank", 1, secret, &key);
    add_number(&tokens, &key, A, "ref");
    assert_int_equal(send(fixture, NULL, &tokens, "one", 0, true), GK_OK);
    assert_false(fixture->response.in_force);
    assert_non_null(strstr(fixture->response.rejected[0].reason, "ask the operator"));
}

/* The service cannot see the prefix in a token; the binding is held where a candidate is looked up. */
static void test_token_of_a_number_outside_the_bindings_matches_nothing(void **state)
{
    struct registry_fixture *fixture = *state;
    const struct gk_index_key key = make_key(fixture);
    struct gk_repeated tokens = {0};

    add_number(&tokens, &key, OTHERS, "stolen");
    add_number(&tokens, &key, A, "ref");
    assert_int_equal(send(fixture, NULL, &tokens, "one", 0, true), GK_OK);
    assert_false(registry_find(fixture, OTHERS).registered);
    assert_true(registry_find(fixture, A).registered);
}

static void test_new_key_leaves_the_list_in_force_until_the_next_import(void **state)
{
    struct registry_fixture *fixture = *state;
    const struct gk_index_key first = make_key(fixture);
    struct gk_repeated tokens = {0};

    add_number(&tokens, &first, A, "ref-a");
    assert_int_equal(send(fixture, NULL, &tokens, "one", 0, true), GK_OK);
    const struct gk_index_key second = make_key(fixture);

    assert_reference(fixture, A, "ref-a");
    add_number(&tokens, &first, A, "ref-a");
    assert_int_equal(send(fixture, NULL, &tokens, "two", 0, true), GK_OK);
    assert_int_equal(fixture->response.accepted, 0);
    add_number(&tokens, &second, A, "ref-a2");
    assert_int_equal(send(fixture, NULL, &tokens, "three", 0, true), GK_OK);
    assert_reference(fixture, A, "ref-a2");
    assert_int_equal(registry_find(fixture, A).key_epoch, 2);
}

static void test_import_that_a_new_key_overtakes_is_refused(void **state)
{
    struct registry_fixture *fixture = *state;
    const struct gk_index_key first = make_key(fixture);
    struct gk_repeated tokens = {0};

    add_number(&tokens, &first, A, "ref-a");
    assert_int_equal(send(fixture, NULL, &tokens, "one", 0, false), GK_OK);
    const struct gk_index_key second = make_key(fixture);

    add_number(&tokens, &second, B, "ref-b");
    assert_int_equal(send(fixture, NULL, &tokens, "one", 1, true), GK_FAILED_PRECONDITION);
    assert_false(registry_find(fixture, A).registered);
}

static void test_card_is_revoked_by_token_or_by_number(void **state)
{
    struct registry_fixture *fixture = *state;
    const struct gk_index_key key = make_key(fixture);
    struct gk_repeated tokens = {0};
    uint8_t token[GK_TOKEN_SIZE];
    struct gk_card_tokens found;

    add_number(&tokens, &key, A, "ref-a");
    add_number(&tokens, &key, B, "ref-b");
    assert_int_equal(send(fixture, NULL, &tokens, "one", 0, true), GK_OK);
    gk_index_key_card_token(&key, "iso7812", A, token);
    assert_int_equal(gk_registry_revoke_token(fixture->registry, "bank", "octopus", token, &fixture->error),
                     GK_PERMISSION_DENIED);
    assert_int_equal(gk_registry_revoke_token(fixture->registry, "bank", "iso7812", token, &fixture->error),
                     GK_OK);
    assert_true(registry_find(fixture, A).cancelled);
    assert_int_equal(gk_registry_revoke(fixture->registry, "bank", "iso7812", B, &found, &fixture->error),
                     GK_OK);
    gk_index_key_card_token(&key, "iso7812", B, token);
    assert_int_equal(found.count, 1);
    assert_memory_equal(found.tokens[0], token, GK_TOKEN_SIZE);
    assert_true(registry_find(fixture, B).cancelled);
}

static void test_enquiries_find_the_card_by_the_issuers_token(void **state)
{
    struct registry_fixture *fixture = *state;
    const struct gk_index_key key = make_key(fixture);
    struct gk_repeated tokens = {0};
    struct gk_registration registration = {.registered = false};
    uint8_t own[4][GK_TOKEN_SIZE];

    /* Already before there is a list: one may come. */
    assert_int_equal(gk_registry_own_tokens(fixture->registry, "iso7812", A, own, 4), 1);
    add_number(&tokens, &key, A, "ref-a");
    assert_int_equal(send(fixture, NULL, &tokens, "one", 0, true), GK_OK);
    assert_int_equal(gk_registry_own_tokens(fixture->registry, "iso7812", A, own, 4), 1);
    assert_int_equal(gk_registry_look_up_token(fixture->registry, own[0], &registration, &fixture->error),
                     GK_OK);
    assert_true(registration.registered);
    assert_true(registration.own_key);
    (void)make_key(fixture); /* the list in force is of the first, the next one will be of the second */
    assert_int_equal(gk_registry_own_tokens(fixture->registry, "iso7812", A, own, 4), 2);
    assert_int_equal(gk_registry_own_tokens(fixture->registry, "iso7812", A, own, 1), 1);
    assert_int_equal(gk_registry_own_tokens(fixture->registry, "iso7812", OTHERS, own, 4), 0);
}

#define WITH_REGISTRY(test) cmocka_unit_test_setup_teardown(test, registry_setup, registry_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_REGISTRY(test_card_is_found_by_the_issuers_token_and_its_reference_is_opened),
        WITH_REGISTRY(test_numbers_and_tokens_stand_in_one_list),
        WITH_REGISTRY(test_density_is_seen_through_the_issuers_blocks),
        WITH_REGISTRY(test_rows_that_cannot_be_taken_are_rejected_by_index),
        WITH_REGISTRY(test_account_without_a_key_of_its_own_cannot_import_tokens),
        WITH_REGISTRY(test_token_of_a_number_outside_the_bindings_matches_nothing),
        WITH_REGISTRY(test_new_key_leaves_the_list_in_force_until_the_next_import),
        WITH_REGISTRY(test_import_that_a_new_key_overtakes_is_refused),
        WITH_REGISTRY(test_card_is_revoked_by_token_or_by_number),
        WITH_REGISTRY(test_enquiries_find_the_card_by_the_issuers_token),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/core/registry/registry_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char A[] = "6222021234567890128";
static const char B[] = "6222029876543210987";
static const char C[] = "6217001111222233334";

static void import_one(struct registry_fixture *fixture, const char *import_id, const char *number,
                       const char *holder_id)
{
    struct page page = {0};

    page_add(&page, number, holder_id, NULL);
    assert_int_equal(page_send(fixture, &page, import_id, 0, true), GK_OK);
    assert_true(fixture->response.in_force);
}

static void test_imported_card_is_found_with_its_holder(void **state)
{
    struct registry_fixture *fixture = *state;
    guika_v1_internal_HolderContacts contacts = guika_v1_internal_HolderContacts_init_zero;
    struct page page = {0};

    page_add(&page, A, "holder-1", "smtp:fang@bank.example");
    page_add(&page, B, "holder-1", "smtp:fang@bank.example");
    assert_int_equal(page_send(fixture, &page, "first", 0, true), GK_OK);
    assert_int_equal(fixture->response.accepted, 2);
    assert_int_equal(fixture->response.next_page, 1);
    assert_true(fixture->response.in_force);

    for (int round = 0; round < 2; round++) {
        const struct gk_registration a = registry_find(fixture, A);
        const struct gk_registration b = registry_find(fixture, B);

        assert_true(a.registered && !a.cancelled && b.registered);
        assert_string_equal(a.issuer_account, "bank");
        assert_memory_equal(a.holder_token, b.holder_token, GK_TOKEN_SIZE);
        assert_false(registry_find(fixture, C).registered);
        assert_int_equal(gk_registry_cards(fixture->registry), 2);
        assert_int_equal(
            gk_registry_holder(fixture->registry, "bank", a.holder_token, &contacts, &fixture->error), GK_OK);
        assert_string_equal(contacts.name, "Wang Fang");
        assert_string_equal(contacts.language, "zh");
        assert_string_equal(contacts.contacts[0], "smtp:fang@bank.example");
        registry_reopen(fixture);
    }
}

static void test_staged_pages_are_not_seen_before_the_last(void **state)
{
    struct registry_fixture *fixture = *state;
    struct page page = {0};

    import_one(fixture, "old", A, "holder-1");
    page_add(&page, B, "holder-2", NULL);
    assert_int_equal(page_send(fixture, &page, "new", 0, false), GK_OK);
    assert_false(fixture->response.in_force);
    assert_true(registry_find(fixture, A).registered);
    assert_false(registry_find(fixture, B).registered);

    page_add(&page, C, "holder-3", NULL);
    assert_int_equal(page_send(fixture, &page, "new", 1, true), GK_OK);
    assert_false(registry_find(fixture, A).registered);
    assert_true(registry_find(fixture, B).registered);
    assert_true(registry_find(fixture, C).registered);
    assert_int_equal(gk_registry_cards(fixture->registry), 2);
    /* Nothing of the old list remains. */
    assert_int_equal(registry_count(fixture, GK_FAMILY_CARDS), 2);
    assert_int_equal(registry_count(fixture, GK_FAMILY_HOLDERS), 2);
}

static void test_stopped_import_resumes_after_a_restart(void **state)
{
    struct registry_fixture *fixture = *state;
    struct page page = {0};

    import_one(fixture, "old", A, "holder-1");
    page_add(&page, B, "holder-2", NULL);
    assert_int_equal(page_send(fixture, &page, "new", 0, false), GK_OK);
    registry_reopen(fixture);
    assert_true(registry_find(fixture, A).registered);

    /* Page 0 again changes nothing, and says where to go on. */
    page_add(&page, B, "holder-9", NULL);
    assert_int_equal(page_send(fixture, &page, "new", 0, false), GK_OK);
    assert_int_equal(fixture->response.next_page, 1);
    assert_int_equal(fixture->response.accepted, 1);
    page_add(&page, C, "holder-3", NULL);
    assert_int_equal(page_send(fixture, &page, "new", 1, true), GK_OK);
    assert_int_equal(registry_count(fixture, GK_FAMILY_HOLDERS), 2);
    assert_int_equal(gk_registry_cards(fixture->registry), 2);
}

static void test_page_ahead_is_refused_with_the_page_expected(void **state)
{
    struct registry_fixture *fixture = *state;
    struct page page = {0};

    page_add(&page, A, "holder-1", NULL);
    assert_int_equal(page_send(fixture, &page, "new", 0, false), GK_OK);
    page_add(&page, B, "holder-2", NULL);
    assert_int_equal(page_send(fixture, &page, "new", 7, false), GK_INVALID_ARGUMENT);
    assert_int_equal(fixture->response.next_page, 1);
    assert_string_equal(fixture->error.message, "page 1 of this import is expected, page 7 was sent");
    page_add(&page, B, "holder-2", NULL);
    assert_int_equal(page_send(fixture, &page, "other", 3, false), GK_INVALID_ARGUMENT);
    assert_int_equal(fixture->response.next_page, 0);
    /* Neither harmed the import. */
    page_add(&page, B, "holder-2", NULL);
    assert_int_equal(page_send(fixture, &page, "new", 1, true), GK_OK);
    assert_int_equal(gk_registry_cards(fixture->registry), 2);
}

static void test_finished_import_sent_again_is_in_force(void **state)
{
    struct registry_fixture *fixture = *state;
    struct page page = {0};

    import_one(fixture, "same", A, "holder-1");
    page_add(&page, A, "holder-1", NULL);
    assert_int_equal(page_send(fixture, &page, "same", 0, false), GK_OK);
    assert_true(fixture->response.in_force);
    assert_int_equal(fixture->response.next_page, 1);
    page_add(&page, B, "holder-1", NULL);
    assert_int_equal(page_send(fixture, &page, "same", 1, false), GK_INVALID_ARGUMENT);
    assert_int_equal(gk_registry_cards(fixture->registry), 1);
}

static void test_new_import_drops_the_unfinished_one(void **state)
{
    struct registry_fixture *fixture = *state;
    struct page page = {0};

    page_add(&page, A, "holder-1", NULL);
    assert_int_equal(page_send(fixture, &page, "stopped", 0, false), GK_OK);
    import_one(fixture, "next", B, "holder-2");
    assert_int_equal(registry_count(fixture, GK_FAMILY_CARDS), 1);
    assert_false(registry_find(fixture, A).registered);
    assert_true(registry_find(fixture, B).registered);
}

static void test_card_listed_twice_belongs_to_the_last_row(void **state)
{
    struct registry_fixture *fixture = *state;
    struct page page = {0};

    page_add(&page, A, "holder-1", NULL);
    page_add(&page, A, "holder-2", NULL);
    page_add(&page, B, "holder-2", NULL);
    assert_int_equal(page_send(fixture, &page, "twice", 0, false), GK_OK);
    page_add(&page, A, "holder-2", NULL);
    assert_int_equal(page_send(fixture, &page, "twice", 1, true), GK_OK);
    assert_int_equal(gk_registry_cards(fixture->registry), 2);
    const struct gk_registration a = registry_find(fixture, A);

    assert_memory_equal(a.holder_token, registry_find(fixture, B).holder_token, GK_TOKEN_SIZE);
    assert_true(a.density <= 0);
}

static void assert_rejected(struct registry_fixture *fixture, size_t index, uint32_t row, const char *reason)
{
    assert_true(index < fixture->response.rejected_count);
    assert_int_equal(fixture->response.rejected[index].row, row);
    assert_string_equal(fixture->response.rejected[index].reason, reason);
}

static void test_rows_are_rejected_with_a_reason(void **state)
{
    struct registry_fixture *fixture = *state;
    guika_v1_CardRow row = {.scheme = "iso7812", .number = "6222021234567890129", .holder_id = "h"};
    const guika_v1_internal_NumberMatch match = {.scheme = "iso7812", .number = "6222021234567890129"};
    const guika_v1_internal_NumberMatch other = {.scheme = "octopus", .number = "6222021234567890129"};
    struct page page = {0};

    page_add_answered(&page, &row, NULL, "the check digit does not agree");
    page_add(&page, "4111111111111111", "h", NULL);
    page_add(&page, A, "", NULL);
    page_add(&page, A, "h", "fang@bank.example");
    page_add(&page, A, "h", "smtp:fang@bank.example\r\nBcc: x@y.example");
    page_add_answered(&page, &row, &other, "");
    strcpy(row.language, "fr");
    page_add_answered(&page, &row, &match, "");
    page_add(&page, B, "h", "smtp:fang@bank.example");
    assert_int_equal(page_send(fixture, &page, "mixed", 0, true), GK_OK);
    assert_int_equal(fixture->response.accepted, 1);
    assert_int_equal(fixture->response.rejected_count, 7);
    assert_rejected(fixture, 0, 0, "the check digit does not agree");
    assert_rejected(fixture, 1, 1, "not among this account's schemes and prefixes");
    assert_rejected(fixture, 2, 2, "the holder id is missing");
    assert_rejected(fixture, 3, 3, "a contact is not CHANNEL:ADDRESS, as smtp:a@b.example");
    assert_rejected(fixture, 4, 4, "a contact is not CHANNEL:ADDRESS, as smtp:a@b.example");
    assert_rejected(fixture, 5, 5, "not a number of this scheme");
    assert_rejected(fixture, 6, 6, "the language is not zh or en");
    assert_int_equal(gk_registry_cards(fixture->registry), 1);
}

static void test_list_without_an_accepted_row_changes_nothing(void **state)
{
    struct registry_fixture *fixture = *state;
    struct page page = {0};

    import_one(fixture, "good", A, "holder-1");
    page_add(&page, "4111111111111111", "h", NULL);
    assert_int_equal(page_send(fixture, &page, "bad", 0, true), GK_OK);
    assert_false(fixture->response.in_force);
    assert_int_equal(fixture->response.rejected_count, 1);
    assert_true(registry_find(fixture, A).registered);
    /* Mended, it goes in under the same id. */
    import_one(fixture, "bad", B, "holder-1");
    assert_true(registry_find(fixture, B).registered);
}

static void test_malformed_pages_are_refused(void **state)
{
    struct registry_fixture *fixture = *state;
    static const uint8_t garbage[] = {0x0A, 0xFF, 0x01};
    guika_v1_ImportCardsRequest request = {.import_id = "x"};
    const struct gk_bytes none = {NULL, 0};
    struct page page = {0};

    request.page_rows = (struct gk_bytes){garbage, sizeof garbage};
    assert_int_equal(gk_registry_import_page(fixture->registry, "bank", &request, none, &fixture->response,
                                             &fixture->error),
                     GK_INVALID_ARGUMENT);
    for (int i = 0; i < 501; i++) {
        page_add(&page, A, "h", NULL);
    }
    assert_int_equal(page_send(fixture, &page, "x", 0, true), GK_INVALID_ARGUMENT);
    page_add(&page, A, "h", NULL);
    assert_int_equal(page_send(fixture, &page, "not a name", 0, true), GK_INVALID_ARGUMENT);
    page_add(&page, A, "h", NULL);
    gk_repeated_free(&page.answers);
    assert_int_equal(page_send(fixture, &page, "x", 0, true), GK_INTERNAL);
    request.page_rows = none;
    assert_int_equal(gk_registry_import_page(fixture->registry, "nobody", &request, none, &fixture->response,
                                             &fixture->error),
                     GK_FAILED_PRECONDITION);
}

static void test_generations_that_no_account_names_are_erased_at_open(void **state)
{
    struct registry_fixture *fixture = *state;
    struct page page = {0};

    import_one(fixture, "old", A, "holder-1");
    page_add(&page, B, "holder-2", NULL);
    assert_int_equal(page_send(fixture, &page, "half", 0, false), GK_OK);
    /* As if the service had died between a flip and the erasure: the account's record is gone. */
    assert_int_equal(registry_count(fixture, GK_FAMILY_CARDS), 2);
    registry_reopen(fixture);
    assert_int_equal(registry_count(fixture, GK_FAMILY_CARDS), 2);
    registry_forget_accounts(fixture);
    registry_reopen(fixture);
    assert_int_equal(registry_count(fixture, GK_FAMILY_CARDS), 0);
    assert_int_equal(registry_count(fixture, GK_FAMILY_HOLDERS), 0);
    assert_int_equal(registry_count(fixture, GK_FAMILY_DENSITY), 0);
}

int main(void)
{
#define REGISTRY_TEST(test) cmocka_unit_test_setup_teardown(test, registry_setup, registry_teardown)
    const struct CMUnitTest tests[] = {
        REGISTRY_TEST(test_imported_card_is_found_with_its_holder),
        REGISTRY_TEST(test_staged_pages_are_not_seen_before_the_last),
        REGISTRY_TEST(test_stopped_import_resumes_after_a_restart),
        REGISTRY_TEST(test_page_ahead_is_refused_with_the_page_expected),
        REGISTRY_TEST(test_finished_import_sent_again_is_in_force),
        REGISTRY_TEST(test_new_import_drops_the_unfinished_one),
        REGISTRY_TEST(test_card_listed_twice_belongs_to_the_last_row),
        REGISTRY_TEST(test_rows_are_rejected_with_a_reason),
        REGISTRY_TEST(test_list_without_an_accepted_row_changes_nothing),
        REGISTRY_TEST(test_malformed_pages_are_refused),
        REGISTRY_TEST(test_generations_that_no_account_names_are_erased_at_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

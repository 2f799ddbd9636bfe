#include "core/registry/contacts.h"
#include "tests/core/registry/registry_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char A[] = "6222021234567890128";
static const char B[] = "6222029876543210987";

static size_t holders_of(struct registry_fixture *fixture, const char *contact,
                         struct gk_contact_holder *ret_holders)
{
    uint8_t token[GK_TOKEN_SIZE];
    size_t count = 0;

    assert_true(gk_registry_contact_token(fixture->registry, contact, token));
    assert_int_equal(gk_registry_contact_holders(fixture->registry, token, ret_holders, 4, &count, NULL),
                     GK_OK);
    return count;
}

static void import_one(struct registry_fixture *fixture, const char *import_id, const char *holder,
                       const char *contact)
{
    struct page page = {0};

    page_add(&page, A, holder, contact);
    assert_int_equal(page_send(fixture, &page, import_id, 0, true), GK_OK);
}

static void test_holder_is_found_by_a_contact_however_it_is_written(void **state)
{
    struct registry_fixture *fixture = *state;
    struct gk_contact_holder holders[4];
    uint8_t token[GK_TOKEN_SIZE];

    import_one(fixture, "first", "h1", "smtp:Fang@Bank.example");
    assert_int_equal(holders_of(fixture, "fang@bank.example", holders), 1);
    assert_string_equal(holders[0].issuer_account, "bank");
    assert_string_equal(holders[0].address, "smtp:Fang@Bank.example");
    gk_keys_holder_token(fixture->keys, "bank", "h1", token);
    assert_memory_equal(holders[0].holder_token, token, GK_TOKEN_SIZE);
    assert_int_equal(holders_of(fixture, "fang2@bank.example", holders), 0);
}

static void test_several_holders_share_a_telephone(void **state)
{
    struct registry_fixture *fixture = *state;
    struct gk_contact_holder holders[4];
    struct page page = {0};

    page_add(&page, A, "h1", "sms:+8613800138000");
    page_add(&page, B, "h2", "sms:138 0013 8000");
    assert_int_equal(page_send(fixture, &page, "first", 0, true), GK_OK);
    assert_int_equal(holders_of(fixture, "13800138000", holders), 2);
}

static void test_next_list_replaces_the_contacts(void **state)
{
    struct registry_fixture *fixture = *state;
    struct gk_contact_holder holders[4];

    import_one(fixture, "first", "h1", "smtp:old@bank.example");
    import_one(fixture, "second", "h1", "smtp:new@bank.example");
    assert_int_equal(holders_of(fixture, "old@bank.example", holders), 0);
    assert_int_equal(holders_of(fixture, "new@bank.example", holders), 1);
    assert_int_equal(registry_count(fixture, GK_FAMILY_CONTACTS), 1);
    registry_reopen(fixture);
    assert_int_equal(holders_of(fixture, "new@bank.example", holders), 1);
}

static void test_of_two_rows_that_disagree_the_last_counts(void **state)
{
    struct registry_fixture *fixture = *state;
    struct gk_contact_holder holders[4];
    struct page page = {0};

    page_add(&page, A, "h1", "smtp:old@bank.example");
    page_add(&page, B, "h1", "smtp:new@bank.example");
    assert_int_equal(page_send(fixture, &page, "first", 0, true), GK_OK);
    assert_int_equal(holders_of(fixture, "old@bank.example", holders), 0);
    assert_int_equal(holders_of(fixture, "new@bank.example", holders), 1);
}

static void test_lists_of_nobody_are_swept_with_their_contacts(void **state)
{
    struct registry_fixture *fixture = *state;

    import_one(fixture, "first", "h1", "smtp:old@bank.example");
    registry_forget_accounts(fixture);
    registry_reopen(fixture);
    assert_int_equal(registry_count(fixture, GK_FAMILY_CONTACTS), 0);
}

static void test_contacts_of_other_channels_are_not_indexed(void **state)
{
    struct registry_fixture *fixture = *state;

    import_one(fixture, "first", "h1", "webpush:endpoint-1");
    assert_int_equal(registry_count(fixture, GK_FAMILY_CONTACTS), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, registry_setup, registry_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_holder_is_found_by_a_contact_however_it_is_written),
        TEST(test_several_holders_share_a_telephone),
        TEST(test_next_list_replaces_the_contacts),
        TEST(test_of_two_rows_that_disagree_the_last_counts),
        TEST(test_lists_of_nobody_are_swept_with_their_contacts),
        TEST(test_contacts_of_other_channels_are_not_indexed),
    };

    return cmocka_run_group_tests_name("core/registry/contacts", tests, NULL, NULL);
}

#include "core/registry/rewrap.h"

#include "core/registry/density.h"
#include "core/security/keys.h"
#include "tests/core/registry/registry_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 2300, PAGE = 500 };

static void number_of(int row, char ret_number[24])
{
    (void)snprintf(ret_number, 24, "62%014d", row);
}

static void import(struct registry_fixture *fixture, const char *import_id, int first, int rows)
{
    struct page page = {0};
    uint32_t index = 0;

    for (int row = 0; row < rows; row++) {
        char number[24];
        char holder[24];

        number_of(first + row, number);
        (void)snprintf(holder, sizeof holder, "holder-%d", row);
        page_add(&page, number, holder, "smtp:a@b.example");
        if (row % PAGE == PAGE - 1 || row == rows - 1) {
            assert_int_equal(page_send(fixture, &page, import_id, index++, row == rows - 1), GK_OK);
        }
    }
}

/* New key files, and the keys with the old epoch in force. */
static void add_epoch(struct registry_fixture *fixture)
{
    char keys[96];
    uint32_t epoch = 0;

    (void)snprintf(keys, sizeof keys, "%s/keys", fixture->directory);
    assert_int_equal(gk_keys_add_epoch(keys, &epoch, NULL), GK_OK);
    assert_int_equal(epoch, 2);
    registry_reopen(fixture);
    assert_int_equal(gk_keys_newest(fixture->keys), 2);
    assert_int_equal(gk_keys_use(fixture->keys, 1, NULL), GK_OK);
}

static bool step(struct registry_fixture *fixture)
{
    bool done = false;

    assert_int_equal(gk_rewrap_step(fixture->store, fixture->keys, 1, 2, &done, &fixture->error), GK_OK);
    return done;
}

static unsigned copy_all(struct registry_fixture *fixture)
{
    unsigned steps = 0;

    while (!step(fixture)) {
        steps++;
    }
    return steps;
}

struct flip {
    char account[33];
    guika_v1_internal_RewrapRecord copy;
    size_t count;
};

static void take(void *context, const char *issuer_account, const guika_v1_internal_RewrapRecord *copy)
{
    struct flip *flip = context;

    (void)snprintf(flip->account, sizeof flip->account, "%s", issuer_account);
    flip->copy = *copy;
    flip->count++;
}

static enum gk_status apply_flip(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct flip *flip = context;

    return gk_rewrap_flip(transaction, &flip->copy, flip->account, error);
}

/* Puts the copy of the only account in force; opened again with the newest keys. */
static void flip(struct registry_fixture *fixture)
{
    struct flip found = {.count = 0};

    assert_int_equal(gk_rewrap_each(fixture->store, take, &found, NULL), GK_OK);
    assert_int_equal(found.count, 1);
    assert_true(found.copy.done);
    assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_flip, &found, NULL), GK_OK);
    registry_reopen(fixture);
}

static struct gk_registration find_row(struct registry_fixture *fixture, int row)
{
    char number[24];

    number_of(row, number);
    return registry_find(fixture, number);
}

static void test_list_is_found_under_the_new_keys_and_no_more_under_the_old(void **state)
{
    struct registry_fixture *fixture = *state;

    import(fixture, "one", 0, ROWS);
    const double density = find_row(fixture, 7).density;

    add_epoch(fixture);
    assert_true(copy_all(fixture) >= 3 + 3 + 1);  /* cards, holders, blocks, a thousand rows at a time */
    assert_true(find_row(fixture, 7).registered); /* it goes on serving */
    flip(fixture);
    for (int row = 0; row < ROWS; row += 111) {
        const struct gk_registration found = find_row(fixture, row);
        guika_v1_internal_HolderContacts contacts = {0};

        assert_true(found.registered);
        assert_int_equal(
            gk_registry_holder(fixture->registry, "bank", found.holder_token, &contacts, &fixture->error),
            GK_OK);
        assert_string_equal(contacts.contacts[0], "smtp:a@b.example");
    }
    assert_float_equal(find_row(fixture, 7).density, density, 1e-9);
    assert_int_equal(registry_count(fixture, GK_FAMILY_CARDS), ROWS); /* the old list is erased */
    assert_int_equal(gk_keys_use(fixture->keys, 1, NULL), GK_OK);
    assert_false(find_row(fixture, 7).registered);
}

static void test_copy_goes_on_where_it_was(void **state)
{
    struct registry_fixture *fixture = *state;
    unsigned steps = 0;

    import(fixture, "one", 0, ROWS);
    add_epoch(fixture);
    while (!step(fixture)) {
        steps++;
        registry_reopen(fixture); /* its sweep has to spare the copy */
        assert_int_equal(gk_keys_use(fixture->keys, 1, NULL), GK_OK);
        assert_true(steps < 40);
    }
    flip(fixture);
    assert_true(find_row(fixture, 0).registered);
    assert_true(find_row(fixture, ROWS - 1).registered);
    assert_int_equal(registry_count(fixture, GK_FAMILY_CARDS), ROWS);
}

static void test_what_changes_meanwhile_is_copied_again(void **state)
{
    struct registry_fixture *fixture = *state;
    char number[24];

    import(fixture, "one", 0, ROWS);
    add_epoch(fixture);
    (void)copy_all(fixture);
    number_of(7, number);
    assert_int_equal(gk_registry_revoke(fixture->registry, "bank", "iso7812", number, NULL, NULL), GK_OK);
    assert_true(copy_all(fixture) > 0);
    import(fixture, "two", 5, ROWS); /* another list altogether */
    assert_int_equal(gk_registry_revoke(fixture->registry, "bank", "iso7812", number, NULL, NULL), GK_OK);
    assert_true(copy_all(fixture) > 0);
    assert_int_equal(copy_all(fixture), 0);
    flip(fixture);
    assert_false(find_row(fixture, 4).registered);
    assert_true(find_row(fixture, 6).registered);
    assert_true(find_row(fixture, 7).cancelled);
    assert_int_equal(registry_count(fixture, GK_FAMILY_CARDS), ROWS);
}

static void test_import_under_way_begins_again(void **state)
{
    struct registry_fixture *fixture = *state;
    struct page page = {0};

    import(fixture, "one", 0, 10);
    page_add(&page, "6200000000000099", "holder", "smtp:a@b.example");
    assert_int_equal(page_send(fixture, &page, "two", 0, false), GK_OK);
    add_epoch(fixture);
    (void)copy_all(fixture);
    flip(fixture);
    page_add(&page, "6200000000000098", "holder", "smtp:a@b.example");
    assert_int_equal(page_send(fixture, &page, "two", 1, true), GK_INVALID_ARGUMENT);
    assert_int_equal(fixture->response.next_page, 0);
    import(fixture, "two", 90, 10);
    assert_true(find_row(fixture, 99).registered);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, registry_setup, registry_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_list_is_found_under_the_new_keys_and_no_more_under_the_old),
        TEST(test_copy_goes_on_where_it_was),
        TEST(test_what_changes_meanwhile_is_copied_again),
        TEST(test_import_under_way_begins_again),
    };

    return cmocka_run_group_tests_name("core/registry/rewrap", tests, NULL, NULL);
}

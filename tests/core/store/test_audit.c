#include "tests/core/store/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static enum gk_status apply_audited(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const char *action = context;

    gk_transaction_put(transaction, GK_FAMILY_BOXES, bytes_of(action), bytes_of("x"));
    gk_transaction_audit(transaction, "operator:test", action, bytes_of("subject"), "a detail");
    if (strcmp(action, "refused") == 0) {
        return gk_error_set(error, GK_ABORTED, "refused");
    }
    return GK_OK;
}

static enum gk_status audit(struct store_fixture *fixture, char *action)
{
    return gk_store_commit_and_wait(fixture->store, apply_audited, action, NULL);
}

static void write_three(struct store_fixture *fixture)
{
    assert_int_equal(audit(fixture, "first"), GK_OK);
    assert_int_equal(audit(fixture, "second"), GK_OK);
    assert_int_equal(audit(fixture, "third"), GK_OK);
}

static void assert_entries(struct store_fixture *fixture, uint64_t expected)
{
    struct gk_error error = {0};
    uint64_t entries = 0;

    if (gk_store_verify_audit(fixture->store, &entries, &error) != GK_OK) {
        fail_msg("%s", error.message);
    }
    assert_int_equal(entries, expected);
}

static void assert_broken_at(struct store_fixture *fixture, const char *entry)
{
    struct gk_error error = {0};
    uint64_t entries = 77;

    assert_int_equal(gk_store_verify_audit(fixture->store, &entries, &error), GK_DATA_LOSS);
    assert_int_equal(entries, 77);
    if (strncmp(error.message, entry, strlen(entry)) != 0) {
        fail_msg("\"%s\" does not begin with \"%s\"", error.message, entry);
    }
}

static struct gk_bytes sequence_key(uint8_t number, uint8_t ret_key[8])
{
    memset(ret_key, 0, 8);
    ret_key[7] = number;
    return (struct gk_bytes){.data = ret_key, .size = 8};
}

static void test_the_chain_of_honest_entries_verifies_over_restarts(void **state)
{
    struct store_fixture *fixture = *state;

    assert_entries(fixture, 0);
    write_three(fixture);
    assert_entries(fixture, 3);
    store_reopen(fixture);
    assert_int_equal(audit(fixture, "fourth"), GK_OK);
    assert_entries(fixture, 4);
}

static void test_the_entry_of_a_refused_work_vanishes_with_it(void **state)
{
    struct store_fixture *fixture = *state;

    assert_int_equal(audit(fixture, "first"), GK_OK);
    assert_int_equal(audit(fixture, "refused"), GK_ABORTED);
    assert_int_equal(audit(fixture, "second"), GK_OK);
    assert_stored(fixture->store, GK_FAMILY_BOXES, "refused", NULL);
    assert_entries(fixture, 2);
}

/* --- tampering: a transaction may write to the family itself, as somebody with the disk might --- */

static enum gk_status apply_change_second(void *context, struct gk_transaction *transaction,
                                          struct gk_error *error)
{
    uint8_t key[8];
    struct gk_value entry = {0};
    const enum gk_status status =
        gk_transaction_get(transaction, GK_FAMILY_AUDIT, sequence_key(2, key), &entry, error);

    (void)context;
    if (status != GK_OK) {
        return status;
    }
    uint8_t *word = memmem(entry.data, entry.size, "detail", 6);

    if (word != NULL) {
        word[0] = 'D';
    }
    gk_transaction_put(transaction, GK_FAMILY_AUDIT, sequence_key(2, key),
                       (struct gk_bytes){.data = entry.data, .size = entry.size});
    gk_value_free(&entry);
    return word != NULL ? GK_OK : GK_INTERNAL;
}

static void test_a_changed_entry_is_named(void **state)
{
    struct store_fixture *fixture = *state;

    write_three(fixture);
    assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_change_second, NULL, NULL), GK_OK);
    assert_broken_at(fixture, "audit entry 2 was changed");
}

static enum gk_status apply_delete(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    uint8_t key[8];

    (void)error;
    gk_transaction_delete(transaction, GK_FAMILY_AUDIT, sequence_key(*(const uint8_t *)context, key));
    return GK_OK;
}

static void test_a_missing_entry_is_named_wherever_it_stood(void **state)
{
    struct store_fixture *fixture = *state;
    const char *const expected[] = {"audit entry 1 is missing", "audit entry 2 is missing",
                                    "audit entry 3 is missing"};

    write_three(fixture);
    for (uint8_t number = 3; number >= 1; number--) {
        assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_delete, &number, NULL), GK_OK);
        assert_broken_at(fixture, expected[number - 1]);
    }
}

static enum gk_status apply_swap(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    uint8_t keys[2][8];
    struct gk_value entries[2] = {0};
    enum gk_status status = GK_OK;

    (void)context;
    for (uint8_t i = 0; status == GK_OK && i < 2; i++) {
        const uint8_t number = i + 1;

        status = gk_transaction_get(transaction, GK_FAMILY_AUDIT, sequence_key(number, keys[i]), &entries[i],
                                    error);
    }
    for (uint8_t i = 0; status == GK_OK && i < 2; i++) {
        const struct gk_value *other = &entries[1 - i];

        gk_transaction_put(transaction, GK_FAMILY_AUDIT, (struct gk_bytes){.data = keys[i], .size = 8},
                           (struct gk_bytes){.data = other->data, .size = other->size});
    }
    gk_value_free(&entries[0]);
    gk_value_free(&entries[1]);
    return status;
}

static void test_swapped_entries_are_found(void **state)
{
    struct store_fixture *fixture = *state;

    write_three(fixture);
    assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_swap, NULL, NULL), GK_OK);
    assert_broken_at(fixture, "audit entry 1 was changed");
}

static void test_texts_longer_than_their_fields_are_cut(void **state)
{
    struct store_fixture *fixture = *state;
    char action[201];

    memset(action, 'a', sizeof action - 1);
    action[sizeof action - 1] = '\0';
    assert_int_equal(audit(fixture, action), GK_OK);
    assert_entries(fixture, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_the_chain_of_honest_entries_verifies_over_restarts),
        STORE_TEST(test_the_entry_of_a_refused_work_vanishes_with_it),
        STORE_TEST(test_a_changed_entry_is_named),
        STORE_TEST(test_a_missing_entry_is_named_wherever_it_stood),
        STORE_TEST(test_swapped_entries_are_found),
        STORE_TEST(test_texts_longer_than_their_fields_are_cut),
    };

    return cmocka_run_group_tests_name("audit", tests, NULL, NULL);
}

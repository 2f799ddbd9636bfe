#include "core/store/record.h"

#include "guika/v1/internal/records.pb.h"
#include "tests/core/store/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static enum gk_status apply_write_and_read(void *context, struct gk_transaction *transaction,
                                           struct gk_error *error)
{
    guika_v1_internal_CredentialRecord *record = context;
    guika_v1_internal_CredentialRecord found = guika_v1_internal_CredentialRecord_init_zero;
    enum gk_status status = gk_record_put(transaction, GK_FAMILY_CREDENTIALS, bytes_of("key"),
                                          &guika_v1_internal_CredentialRecord_msg, record, error);

    if (status == GK_OK) {
        status = gk_record_get(transaction, GK_FAMILY_CREDENTIALS, bytes_of("key"),
                               &guika_v1_internal_CredentialRecord_msg, &found, error);
    }
    return status == GK_OK && strcmp(found.id, record->id) != 0 ? GK_INTERNAL : status;
}

static void test_a_record_is_read_back_within_and_after_its_transaction(void **state)
{
    struct store_fixture *fixture = *state;
    guika_v1_internal_CredentialRecord record = {.role = 2, .id = "library-1", .issued_at_ms = 1700000000000};
    guika_v1_internal_CredentialRecord found = guika_v1_internal_CredentialRecord_init_zero;

    assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_write_and_read, &record, NULL), GK_OK);
    assert_int_equal(gk_record_read(fixture->store, GK_FAMILY_CREDENTIALS, bytes_of("key"),
                                    &guika_v1_internal_CredentialRecord_msg, &found, NULL),
                     GK_OK);
    assert_int_equal(found.role, 2);
    assert_string_equal(found.id, "library-1");
    assert_int_equal(found.issued_at_ms, 1700000000000);
}

static void test_an_absent_record_is_not_found(void **state)
{
    struct store_fixture *fixture = *state;
    guika_v1_internal_CredentialRecord found = {.role = 9};

    assert_int_equal(gk_record_read(fixture->store, GK_FAMILY_CREDENTIALS, bytes_of("key"),
                                    &guika_v1_internal_CredentialRecord_msg, &found, NULL),
                     GK_NOT_FOUND);
    assert_int_equal(found.role, 9);
}

static void test_bytes_that_are_no_record_are_data_loss(void **state)
{
    struct store_fixture *fixture = *state;
    guika_v1_internal_CredentialRecord found = guika_v1_internal_CredentialRecord_init_zero;
    struct gk_error error = {0};

    assert_int_equal(store_put(fixture->store, GK_FAMILY_CREDENTIALS, "key", "\xff\xff\xff\xff", NULL),
                     GK_OK);
    assert_int_equal(gk_record_read(fixture->store, GK_FAMILY_CREDENTIALS, bytes_of("key"),
                                    &guika_v1_internal_CredentialRecord_msg, &found, &error),
                     GK_DATA_LOSS);
    assert_true(error.message[0] != '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_a_record_is_read_back_within_and_after_its_transaction),
        STORE_TEST(test_an_absent_record_is_not_found),
        STORE_TEST(test_bytes_that_are_no_record_are_data_loss),
    };

    return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}

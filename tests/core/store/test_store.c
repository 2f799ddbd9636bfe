#include "tests/core/store/store_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static void test_a_committed_record_is_read_back_after_reopening(void **state)
{
    struct store_fixture *fixture = *state;

    assert_int_equal(store_put(fixture->store, GK_FAMILY_BOXES, "library-1", "described", NULL), GK_OK);
    assert_stored(fixture->store, GK_FAMILY_BOXES, "library-1", "described");
    store_reopen(fixture);
    assert_stored(fixture->store, GK_FAMILY_BOXES, "library-1", "described");
}

static void test_families_do_not_share_keys(void **state)
{
    struct store_fixture *fixture = *state;

    assert_int_equal(store_put(fixture->store, GK_FAMILY_BOXES, "a", "box", NULL), GK_OK);
    assert_stored(fixture->store, GK_FAMILY_DEPOSITS, "a", NULL);
}

static void test_an_empty_value_is_there(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_value value = {0};

    assert_int_equal(store_put(fixture->store, GK_FAMILY_FOUND_BY_TIME, "k", "", NULL), GK_OK);
    assert_int_equal(gk_store_get(fixture->store, GK_FAMILY_FOUND_BY_TIME, bytes_of("k"), &value, NULL),
                     GK_OK);
    assert_non_null(value.data);
    assert_int_equal(value.size, 0);
    gk_value_free(&value);
}

static void test_a_cached_read_finds_what_is_in_memory(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_value value = {0};

    assert_int_equal(store_put(fixture->store, GK_FAMILY_BOXES, "a", "1", NULL), GK_OK);
    assert_int_equal(gk_store_get_cached(fixture->store, GK_FAMILY_BOXES, bytes_of("a"), &value, NULL),
                     GK_OK);
    gk_value_free(&value);
    assert_int_equal(gk_store_get_cached(fixture->store, GK_FAMILY_BOXES, bytes_of("b"), &value, NULL),
                     GK_NOT_FOUND);
    assert_null(value.data);
}

static void test_a_cached_read_never_goes_to_the_disk(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_value value = {0};
    struct gk_error error = {0};

    assert_int_equal(store_put(fixture->store, GK_FAMILY_BOXES, "a", "1", NULL), GK_OK);
    store_reopen(fixture); /* recovery flushes to a table file, of which no block is cached yet */
    assert_int_equal(gk_store_get_cached(fixture->store, GK_FAMILY_BOXES, bytes_of("a"), &value, &error),
                     GK_UNAVAILABLE);
    assert_null(value.data);
    assert_stored(fixture->store, GK_FAMILY_BOXES, "a", "1");
    assert_int_equal(gk_store_get_cached(fixture->store, GK_FAMILY_BOXES, bytes_of("a"), &value, &error),
                     GK_OK);
    gk_value_free(&value);
}

static void test_multi_get_marks_what_is_absent(void **state)
{
    struct store_fixture *fixture = *state;
    const struct gk_bytes keys[] = {bytes_of("c"), bytes_of("absent"), bytes_of("a"), bytes_of("empty")};
    struct gk_value values[4];

    assert_int_equal(store_put(fixture->store, GK_FAMILY_CARDS, "a", "first", NULL), GK_OK);
    assert_int_equal(store_put(fixture->store, GK_FAMILY_CARDS, "c", "third", NULL), GK_OK);
    assert_int_equal(store_put(fixture->store, GK_FAMILY_CARDS, "empty", "", NULL), GK_OK);
    assert_int_equal(gk_store_multi_get(fixture->store, GK_FAMILY_CARDS, keys, 4, values, NULL), GK_OK);
    assert_memory_equal(values[0].data, "third", 5);
    assert_null(values[1].data);
    assert_memory_equal(values[2].data, "first", 5);
    assert_non_null(values[3].data);
    assert_int_equal(values[3].size, 0);
    for (size_t i = 0; i < 4; i++) {
        gk_value_free(&values[i]);
    }
    assert_int_equal(gk_store_multi_get(fixture->store, GK_FAMILY_CARDS, keys, 0, values, NULL), GK_OK);
}

/* --- scans --- */

struct seen {
    char keys[256];
    size_t limit;
    size_t count;
};

static bool see(void *context, struct gk_bytes key, struct gk_bytes value)
{
    struct seen *seen = context;
    const size_t length = strlen(seen->keys);

    (void)value;
    (void)snprintf(seen->keys + length, sizeof seen->keys - length, "%.*s ", (int)key.size,
                   (const char *)key.data);
    return ++seen->count < seen->limit;
}

static void assert_scan(struct store_fixture *fixture, const char *prefix, const char *start, bool backwards,
                        size_t limit, const char *expected)
{
    struct seen seen = {.limit = limit};

    assert_int_equal(gk_store_scan(fixture->store, GK_FAMILY_DEPOSITS, bytes_of(prefix), bytes_of(start),
                                   backwards, see, &seen, NULL),
                     GK_OK);
    assert_string_equal(seen.keys, expected);
}

static void test_scans_stay_within_the_prefix_in_both_directions(void **state)
{
    struct store_fixture *fixture = *state;
    const char *const keys[] = {"a1", "b", "b1", "b2", "b3", "c1"};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        assert_int_equal(store_put(fixture->store, GK_FAMILY_DEPOSITS, keys[i], "x", NULL), GK_OK);
    }
    assert_scan(fixture, "", "", false, 99, "a1 b b1 b2 b3 c1 ");
    assert_scan(fixture, "", "", true, 99, "c1 b3 b2 b1 b a1 ");
    assert_scan(fixture, "b", "", false, 99, "b b1 b2 b3 ");
    assert_scan(fixture, "b", "", true, 99, "b3 b2 b1 b ");
    assert_scan(fixture, "b", "b2", false, 99, "b2 b3 ");
    assert_scan(fixture, "b", "b2", true, 99, "b2 b1 b ");
    assert_scan(fixture, "b", "b11", false, 99, "b2 b3 ");
    assert_scan(fixture, "b", "b11", true, 99, "b1 b ");
    assert_scan(fixture, "b", "a", false, 99, "b b1 b2 b3 ");
    assert_scan(fixture, "b", "z", false, 99, "");
    assert_scan(fixture, "b", "z", true, 99, "b3 b2 b1 b ");
    assert_scan(fixture, "b", "a", true, 99, "");
    assert_scan(fixture, "b", "", false, 2, "b b1 ");
    assert_scan(fixture, "nothing", "", false, 99, "");
}

static bool count_keys(void *context, struct gk_bytes key, struct gk_bytes value)
{
    (void)key;
    (void)value;
    ++*(size_t *)context;
    return true;
}

static enum gk_status put_three_of_one_card(void *context, struct gk_transaction *transaction,
                                            struct gk_error *error)
{
    uint8_t key[48];

    (void)error;
    for (uint8_t i = 0; i < 3; i++) {
        memset(key, *(const int *)context, 32);
        memset(key + 32, i, 16);
        gk_transaction_put(transaction, GK_FAMILY_FOUND_BY_CARD,
                           (struct gk_bytes){.data = key, .size = sizeof key}, (struct gk_bytes){0});
    }
    return GK_OK;
}

static void test_found_cards_are_scanned_by_card_token(void **state)
{
    struct store_fixture *fixture = *state;
    uint8_t token[33];

    /* 0xff: no key lies after this prefix. */
    for (int card = 253; card <= 255; card++) {
        assert_int_equal(gk_store_commit_and_wait(fixture->store, put_three_of_one_card, &card, NULL), GK_OK);
    }
    store_reopen(fixture); /* so that the scans also meet table files and their filters */
    for (int card = 252; card <= 255; card++) {
        for (int backwards = 0; backwards <= 1; backwards++) {
            size_t count = 0;

            memset(token, card, sizeof token);
            assert_int_equal(gk_store_scan(fixture->store, GK_FAMILY_FOUND_BY_CARD,
                                           (struct gk_bytes){.data = token, .size = 32}, (struct gk_bytes){0},
                                           backwards != 0, count_keys, &count, NULL),
                             GK_OK);
            assert_int_equal(count, card == 252 ? 0 : 3);
        }
    }
    size_t all = 0;

    assert_int_equal(gk_store_scan(fixture->store, GK_FAMILY_FOUND_BY_CARD, (struct gk_bytes){0},
                                   (struct gk_bytes){0}, false, count_keys, &all, NULL),
                     GK_OK);
    assert_int_equal(all, 9);
}

/* --- opening --- */

static void test_the_directory_is_the_owners_alone(void **state)
{
    struct store_fixture *fixture = *state;
    struct stat found;

    assert_int_equal(stat(fixture->path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0700);
}

static void test_another_schema_version_is_refused_by_name(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_store *store = NULL;
    struct gk_error error = {0};

    assert_int_equal(store_put(fixture->store, GK_FAMILY_META, "schema_version", "977", NULL), GK_OK);
    gk_store_close(fixture->store);
    fixture->store = NULL;
    assert_int_equal(store_try_open(fixture, &store, &error), GK_FAILED_PRECONDITION);
    assert_null(store);
    assert_non_null(strstr(error.message, "977"));
    assert_non_null(strstr(error.message, "wanted 1"));
}

static void test_a_store_that_is_open_is_not_opened_again(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_store *store = NULL;
    struct gk_error error = {0};

    assert_int_equal(store_try_open(fixture, &store, &error), GK_UNAVAILABLE);
    assert_null(store);
    assert_true(error.message[0] != '\0');
}

static void test_a_directory_that_others_may_write_to_is_refused(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_store *store = NULL;

    gk_store_close(fixture->store);
    fixture->store = NULL;
    assert_int_equal(chmod(fixture->path, 0777), 0);
    assert_int_equal(store_try_open(fixture, &store, NULL), GK_FAILED_PRECONDITION);
    assert_null(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_a_committed_record_is_read_back_after_reopening),
        STORE_TEST(test_families_do_not_share_keys),
        STORE_TEST(test_an_empty_value_is_there),
        STORE_TEST(test_a_cached_read_finds_what_is_in_memory),
        STORE_TEST(test_a_cached_read_never_goes_to_the_disk),
        STORE_TEST(test_multi_get_marks_what_is_absent),
        STORE_TEST(test_scans_stay_within_the_prefix_in_both_directions),
        STORE_TEST(test_found_cards_are_scanned_by_card_token),
        STORE_TEST(test_the_directory_is_the_owners_alone),
        STORE_TEST(test_another_schema_version_is_refused_by_name),
        STORE_TEST(test_a_store_that_is_open_is_not_opened_again),
        STORE_TEST(test_a_directory_that_others_may_write_to_is_refused),
    };

    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}

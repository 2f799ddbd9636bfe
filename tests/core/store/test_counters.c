#include "tests/core/store/store_fixture.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define DAY_MS INT64_C(86400000)

static void print_counter(void *context, const char *name, uint64_t value)
{
    char *text = context;
    const size_t length = strlen(text);

    (void)snprintf(text + length, 256 - length, "%s=%" PRIu64 " ", name, value);
}

static void assert_counters(struct store_fixture *fixture, const char *box_id, uint32_t days,
                            const char *expected)
{
    char text[256] = "";

    assert_int_equal(gk_store_counters(fixture->store, box_id, days, print_counter, text, NULL), GK_OK);
    assert_string_equal(text, expected);
}

struct counts {
    const char *box_id;
    const char *name;
    unsigned times;
    enum gk_status status;
};

static enum gk_status apply_counts(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct counts *counts = context;

    for (unsigned i = 0; i < counts->times; i++) {
        gk_transaction_count(transaction, counts->box_id, counts->name);
    }
    return counts->status == GK_OK ? GK_OK : gk_error_set(error, counts->status, "refused");
}

static void count(struct store_fixture *fixture, const char *box_id, const char *name, unsigned times)
{
    struct counts counts = {.box_id = box_id, .name = name, .times = times};

    assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_counts, &counts, NULL), GK_OK);
}

static void test_counters_are_kept_for_the_box_and_for_all(void **state)
{
    struct store_fixture *fixture = *state;

    count(fixture, "library-1", "deposits", 2);
    count(fixture, "library-2", "deposits", 3);
    count(fixture, "library-2", "difficult", 1);
    count(fixture, "", "enquiries", 4);
    assert_counters(fixture, "library-1", 0, "deposits=2 ");
    assert_counters(fixture, "library-2", 0, "deposits=3 difficult=1 ");
    assert_counters(fixture, "", 0, "deposits=5 difficult=1 enquiries=4 ");
    /* A box whose name another one's begins with. */
    assert_counters(fixture, "library", 0, "");
}

static void test_counters_are_summed_over_the_days_asked_for(void **state)
{
    struct store_fixture *fixture = *state;
    const int64_t today = INT64_C(1704067200000); /* 2024-01-01T00:00:00Z */

    atomic_store(&fixture->now_ms, today - 2 * DAY_MS);
    count(fixture, "b", "deposits", 1);
    atomic_store(&fixture->now_ms, today - 1);
    count(fixture, "b", "deposits", 10);
    count(fixture, "b", "alarms", 7);
    atomic_store(&fixture->now_ms, today);
    count(fixture, "b", "deposits", 100);
    assert_counters(fixture, "b", 0, "deposits=100 ");
    assert_counters(fixture, "b", 1, "alarms=7 deposits=110 ");
    assert_counters(fixture, "b", 2, "alarms=7 deposits=111 ");
    store_reopen(fixture);
    assert_counters(fixture, "b", 365, "alarms=7 deposits=111 ");
}

static void test_a_busy_counter_stays_exact(void **state)
{
    struct store_fixture *fixture = *state;

    for (unsigned i = 0; i < 500; i++) {
        count(fixture, "b", "deposits", 1 + i % 3);
    }
    assert_counters(fixture, "b", 0, "deposits=999 ");
    store_reopen(fixture);
    count(fixture, "b", "deposits", 1);
    assert_counters(fixture, "b", 0, "deposits=1000 ");
}

static void test_a_refused_work_counts_nothing(void **state)
{
    struct store_fixture *fixture = *state;
    struct counts counts = {.box_id = "b", .name = "deposits", .times = 3, .status = GK_ABORTED};

    assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_counts, &counts, NULL), GK_ABORTED);
    assert_counters(fixture, "", 0, "");
}

static void test_more_days_than_ten_years_are_refused(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_error error = {0};
    char text[256] = "";

    assert_int_equal(gk_store_counters(fixture->store, "", UINT32_MAX, print_counter, text, &error),
                     GK_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "3660"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_counters_are_kept_for_the_box_and_for_all),
        STORE_TEST(test_counters_are_summed_over_the_days_asked_for),
        STORE_TEST(test_a_busy_counter_stays_exact),
        STORE_TEST(test_a_refused_work_counts_nothing),
        STORE_TEST(test_more_days_than_ten_years_are_refused),
    };

    return cmocka_run_group_tests_name("counters", tests, NULL, NULL);
}

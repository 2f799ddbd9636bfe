#include "core/security/rate_limit.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_a_burst_passes_and_then_one_each_refill(void **state)
{
    struct gk_rate_limit *limit = gk_rate_limit_new(3, 1000, 8);
    uint32_t retry_ms = 77;

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(gk_rate_limit_take(limit, 1, 5000, &retry_ms));
        assert_int_equal(retry_ms, 77);
    }
    assert_false(gk_rate_limit_take(limit, 1, 5000, &retry_ms));
    assert_int_equal(retry_ms, 1000);
    assert_false(gk_rate_limit_take(limit, 1, 5999, &retry_ms));
    assert_int_equal(retry_ms, 1);
    assert_true(gk_rate_limit_take(limit, 1, 6000, NULL));
    assert_false(gk_rate_limit_take(limit, 1, 6000, NULL));
    /* A long rest fills the bucket, and no further. */
    for (int i = 0; i < 3; i++) {
        assert_true(gk_rate_limit_take(limit, 1, 1000000, NULL));
    }
    assert_false(gk_rate_limit_take(limit, 1, 1000000, NULL));
    gk_rate_limit_free(limit);
}

static void test_keys_have_buckets_of_their_own(void **state)
{
    struct gk_rate_limit *limit = gk_rate_limit_new(1, 1000, 64);

    (void)state;
    for (uint64_t key = 0; key < 64; key++) {
        assert_true(gk_rate_limit_take(limit, key, 0, NULL));
    }
    for (uint64_t key = 0; key < 64; key++) {
        assert_false(gk_rate_limit_take(limit, key, 999, NULL));
    }
    gk_rate_limit_free(limit);
}

static void test_the_bucket_unused_longest_gives_way(void **state)
{
    struct gk_rate_limit *limit = gk_rate_limit_new(1, 1000, 3);

    (void)state;
    assert_true(gk_rate_limit_take(limit, 1, 0, NULL));
    assert_true(gk_rate_limit_take(limit, 2, 0, NULL));
    assert_true(gk_rate_limit_take(limit, 3, 0, NULL));
    assert_false(gk_rate_limit_take(limit, 1, 0, NULL)); /* now 2 is the oldest */
    assert_true(gk_rate_limit_take(limit, 4, 0, NULL));
    assert_false(gk_rate_limit_take(limit, 1, 0, NULL));
    assert_false(gk_rate_limit_take(limit, 3, 0, NULL));
    assert_true(gk_rate_limit_take(limit, 2, 0, NULL)); /* forgotten */
    gk_rate_limit_free(limit);
}

static void test_many_keys_pass_through_a_small_table(void **state)
{
    struct gk_rate_limit *limit = gk_rate_limit_new(1, 1000, 100);

    (void)state;
    for (uint64_t key = 0; key < 100000; key++) {
        assert_true(gk_rate_limit_take(limit, key, 0, NULL));
        assert_false(gk_rate_limit_take(limit, key, 0, NULL));
    }
    for (uint64_t key = 99900; key < 100000; key++) {
        assert_false(gk_rate_limit_take(limit, key, 0, NULL));
    }
    gk_rate_limit_free(limit);
}

static void test_a_clock_set_back_locks_nobody_out_for_long(void **state)
{
    struct gk_rate_limit *limit = gk_rate_limit_new(2, 1000, 4);
    uint32_t retry_ms = 0;

    (void)state;
    assert_true(gk_rate_limit_take(limit, 1, 1000000, NULL));
    assert_false(gk_rate_limit_take(limit, 1, 0, &retry_ms));
    assert_int_equal(retry_ms, 1000);
    assert_true(gk_rate_limit_take(limit, 1, 1000, NULL));
    gk_rate_limit_free(limit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_burst_passes_and_then_one_each_refill),
        cmocka_unit_test(test_keys_have_buckets_of_their_own),
        cmocka_unit_test(test_the_bucket_unused_longest_gives_way),
        cmocka_unit_test(test_many_keys_pass_through_a_small_table),
        cmocka_unit_test(test_a_clock_set_back_locks_nobody_out_for_long),
    };

    return cmocka_run_group_tests_name("rate_limit", tests, NULL, NULL);
}

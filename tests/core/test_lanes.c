#include "core/lanes.h"

#include "core/task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct walker {
    struct gk_errand errand;
    struct gk_lanes *lanes;
    int started; /* when: 1, 2, ...; 0: not yet */
    int *turn;
    int finish_at_once;
};

static void start_walker(struct gk_errand *errand)
{
    struct walker *walker = gk_container_of(errand, struct walker, errand);

    walker->started = ++*walker->turn;
    if (walker->finish_at_once) {
        gk_lanes_finish(walker->lanes, errand);
    }
}

static void enter(struct gk_lanes *lanes, struct walker *walker, int *turn, const char *key)
{
    walker->errand.start = start_walker;
    walker->lanes = lanes;
    walker->turn = turn;
    gk_lanes_enter(lanes, (const uint8_t *)key, strlen(key), &walker->errand);
}

static void test_first_errand_of_a_lane_starts_at_once(void **state)
{
    struct gk_lanes *lanes = gk_lanes_new();
    struct walker walker = {.started = 0};
    int turn = 0;

    (void)state;
    enter(lanes, &walker, &turn, "box/1");
    assert_int_equal(walker.started, 1);
    assert_int_equal(gk_lanes_count(lanes), 1);
    gk_lanes_finish(lanes, &walker.errand);
    assert_int_equal(gk_lanes_count(lanes), 0);
    gk_lanes_free(lanes);
}

static void test_same_key_runs_one_after_the_other_in_order(void **state)
{
    struct gk_lanes *lanes = gk_lanes_new();
    struct walker walkers[3] = {{.started = 0}};
    int turn = 0;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        enter(lanes, &walkers[i], &turn, "box/1");
    }
    assert_int_equal(walkers[1].started, 0);
    gk_lanes_finish(lanes, &walkers[0].errand);
    assert_int_equal(walkers[1].started, 2);
    assert_int_equal(walkers[2].started, 0);
    gk_lanes_finish(lanes, &walkers[1].errand);
    assert_int_equal(walkers[2].started, 3);
    gk_lanes_finish(lanes, &walkers[2].errand);
    gk_lanes_free(lanes);
}

static void test_other_keys_do_not_wait(void **state)
{
    struct gk_lanes *lanes = gk_lanes_new();
    struct walker walkers[3] = {{.started = 0}};
    int turn = 0;

    (void)state;
    enter(lanes, &walkers[0], &turn, "box/1");
    enter(lanes, &walkers[1], &turn, "box/11");
    enter(lanes, &walkers[2], &turn, "box/");
    for (size_t i = 0; i < 3; i++) {
        assert_int_not_equal(walkers[i].started, 0);
    }
    assert_int_equal(gk_lanes_count(lanes), 3);
    gk_lanes_finish(lanes, &walkers[1].errand);
    gk_lanes_finish(lanes, &walkers[0].errand);
    gk_lanes_finish(lanes, &walkers[2].errand);
    gk_lanes_free(lanes);
}

static void test_errands_that_finish_within_their_start_leave_the_lane_empty(void **state)
{
    struct gk_lanes *lanes = gk_lanes_new();
    struct walker walkers[4] = {
        {.finish_at_once = 0}, {.finish_at_once = 1}, {.finish_at_once = 1}, {.finish_at_once = 1}};
    int turn = 0;

    (void)state;
    for (size_t i = 0; i < 4; i++) {
        enter(lanes, &walkers[i], &turn, "box/1");
    }
    assert_int_equal(turn, 1);
    gk_lanes_finish(lanes, &walkers[0].errand);
    assert_int_equal(turn, 4);
    assert_int_equal(gk_lanes_count(lanes), 0);
    enter(lanes, &walkers[1], &turn, "box/1");
    assert_int_equal(walkers[1].started, 5);
    gk_lanes_free(lanes);
}

static void test_one_that_comes_after_an_end_starts_anew(void **state)
{
    struct gk_lanes *lanes = gk_lanes_new();
    struct walker walkers[3] = {{.started = 0}};
    int turn = 0;

    (void)state;
    enter(lanes, &walkers[0], &turn, "a");
    enter(lanes, &walkers[1], &turn, "a");
    gk_lanes_finish(lanes, &walkers[0].errand);
    enter(lanes, &walkers[2], &turn, "a");
    assert_int_equal(walkers[2].started, 0);
    gk_lanes_finish(lanes, &walkers[1].errand);
    assert_int_equal(walkers[2].started, 3);
    gk_lanes_finish(lanes, &walkers[2].errand);
    gk_lanes_free(lanes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_errand_of_a_lane_starts_at_once),
        cmocka_unit_test(test_same_key_runs_one_after_the_other_in_order),
        cmocka_unit_test(test_other_keys_do_not_wait),
        cmocka_unit_test(test_errands_that_finish_within_their_start_leave_the_lane_empty),
        cmocka_unit_test(test_one_that_comes_after_an_end_starts_anew),
    };

    return cmocka_run_group_tests_name("core/lanes", tests, NULL, NULL);
}

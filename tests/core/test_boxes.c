#include "core/boxes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static const uint32_t diffuse = 1U << guika_v1_Lamp_LAMP_DIFFUSE;
static const uint32_t left = 1U << guika_v1_Lamp_LAMP_LEFT;

static guika_v1_HeartbeatRequest heartbeat(uint32_t used, uint32_t capacity)
{
    guika_v1_HeartbeatRequest request = {.zones_count = 1, .can_give_back = true};

    request.zones[0].zone = guika_v1_Zone_ZONE_NORMAL;
    request.zones[0].used = used;
    request.zones[0].capacity = capacity;
    return request;
}

static void test_box_never_heard_keeps_and_has_one_front_camera(void **state)
{
    struct gk_boxes *boxes = gk_boxes_new();
    const struct gk_box_abilities abilities = gk_boxes_abilities(boxes, "nobody");

    (void)state;
    assert_false(abilities.can_give_back);
    assert_false(abilities.normal_full);
    assert_false(abilities.difficult_full);
    assert_int_equal(abilities.front_lamps, diffuse);
    assert_int_equal(abilities.back_lamps, 0);
    gk_boxes_free(boxes);
}

static void test_only_the_first_heartbeat_is_new(void **state)
{
    struct gk_boxes *boxes = gk_boxes_new();
    const guika_v1_HeartbeatRequest request = heartbeat(0, 1);

    (void)state;
    assert_true(gk_boxes_heard(boxes, "a", &request));
    assert_false(gk_boxes_heard(boxes, "a", &request));
    assert_true(gk_boxes_heard(boxes, "b", &request));
    gk_boxes_free(boxes);
}

static void test_zone_is_full_when_all_that_was_told_is_used(void **state)
{
    struct gk_boxes *boxes = gk_boxes_new();
    guika_v1_HeartbeatRequest request = heartbeat(11, 12);

    (void)state;
    (void)gk_boxes_heard(boxes, "a", &request);
    assert_false(gk_boxes_abilities(boxes, "a").normal_full);
    request = heartbeat(12, 12);
    (void)gk_boxes_heard(boxes, "a", &request);
    assert_true(gk_boxes_abilities(boxes, "a").normal_full);
    assert_false(gk_boxes_abilities(boxes, "a").difficult_full);
    request.zones_count = 2;
    request.zones[1] = request.zones[0];
    request.zones[1].capacity = 13;
    (void)gk_boxes_heard(boxes, "a", &request);
    assert_false(gk_boxes_abilities(boxes, "a").normal_full);
    gk_boxes_free(boxes);
}

static void test_sums_of_capacities_do_not_overflow(void **state)
{
    struct gk_boxes *boxes = gk_boxes_new();
    guika_v1_HeartbeatRequest request = heartbeat(1, UINT32_MAX);

    (void)state;
    request.zones_count = 2;
    request.zones[1] = request.zones[0];
    (void)gk_boxes_heard(boxes, "a", &request);
    assert_false(gk_boxes_abilities(boxes, "a").normal_full);
    gk_boxes_free(boxes);
}

static void test_cameras_give_their_sides_lamps(void **state)
{
    struct gk_boxes *boxes = gk_boxes_new();
    guika_v1_HeartbeatRequest request = heartbeat(0, 1);

    (void)state;
    request.cameras_count = 2;
    request.cameras[0].side = guika_v1_Side_SIDE_FRONT;
    request.cameras[0].lamps_count = 2;
    request.cameras[0].lamps[0] = guika_v1_Lamp_LAMP_DIFFUSE;
    request.cameras[0].lamps[1] = guika_v1_Lamp_LAMP_LEFT;
    request.cameras[1].side = guika_v1_Side_SIDE_BACK;
    request.cameras[1].lamps_count = 1;
    request.cameras[1].lamps[0] = guika_v1_Lamp_LAMP_DIFFUSE;
    (void)gk_boxes_heard(boxes, "a", &request);
    assert_int_equal(gk_boxes_abilities(boxes, "a").front_lamps, diffuse | left);
    assert_int_equal(gk_boxes_abilities(boxes, "a").back_lamps, diffuse);
    gk_boxes_free(boxes);
}

static void test_lamps_that_do_not_exist_are_taken_for_the_plain_one(void **state)
{
    struct gk_boxes *boxes = gk_boxes_new();
    guika_v1_HeartbeatRequest request = heartbeat(0, 1);

    (void)state;
    request.cameras_count = 1;
    request.cameras[0].lamps_count = 2;
    request.cameras[0].lamps[0] = guika_v1_Lamp_LAMP_UNSPECIFIED;
    request.cameras[0].lamps[1] = (guika_v1_Lamp)77;
    (void)gk_boxes_heard(boxes, "a", &request);
    assert_int_equal(gk_boxes_abilities(boxes, "a").front_lamps, diffuse);
    assert_int_equal(gk_boxes_abilities(boxes, "a").back_lamps, 0);
    gk_boxes_free(boxes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_box_never_heard_keeps_and_has_one_front_camera),
        cmocka_unit_test(test_only_the_first_heartbeat_is_new),
        cmocka_unit_test(test_zone_is_full_when_all_that_was_told_is_used),
        cmocka_unit_test(test_sums_of_capacities_do_not_overflow),
        cmocka_unit_test(test_cameras_give_their_sides_lamps),
        cmocka_unit_test(test_lamps_that_do_not_exist_are_taken_for_the_plain_one),
    };

    return cmocka_run_group_tests_name("core/boxes", tests, NULL, NULL);
}

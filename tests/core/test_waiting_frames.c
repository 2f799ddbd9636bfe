#include "core/waiting_frames.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t case_id[16] = {1, 2, 3};

static guika_v1_Frame frame(const char *picture)
{
    guika_v1_Frame result = {0};

    result.picture = (struct gk_bytes){(const uint8_t *)picture, strlen(picture)};
    return result;
}

static void test_frames_are_copied_and_found_by_box_and_deposit(void **state)
{
    struct gk_waiting_frames *waiting = gk_waiting_frames_new();
    char picture[] = "picture";
    const guika_v1_Frame frames[] = {frame(picture), frame("second")};

    (void)state;
    gk_waiting_frames_keep(waiting, case_id, "box", "d-1", frames, 2, 1000);
    memset(picture, 'x', sizeof picture - 1);
    const struct gk_waiting_deposit *found = gk_waiting_frames_find(waiting, "box", "d-1");

    assert_non_null(found);
    assert_int_equal(found->frame_count, 2);
    assert_int_equal(found->frames[0].picture.size, 7);
    assert_memory_equal(found->frames[0].picture.data, "picture", 7);
    assert_memory_equal(found->frames[1].picture.data, "second", 6);
    assert_memory_equal(found->case_id, case_id, sizeof case_id);
    assert_null(gk_waiting_frames_find(waiting, "box", "d-2"));
    assert_null(gk_waiting_frames_find(waiting, "other", "d-1"));
    gk_waiting_frames_free(waiting);
}

static void test_keeping_again_replaces_even_from_the_old_ones(void **state)
{
    struct gk_waiting_frames *waiting = gk_waiting_frames_new();
    guika_v1_Frame frames[2] = {frame("first")};

    (void)state;
    gk_waiting_frames_keep(waiting, case_id, "box", "d-1", frames, 1, 1000);
    frames[0] = gk_waiting_frames_find(waiting, "box", "d-1")->frames[0]; /* lies in the old memory */
    frames[1] = frame("added");
    gk_waiting_frames_keep(waiting, case_id, "box", "d-1", frames, 2, 2000);
    const struct gk_waiting_deposit *found = gk_waiting_frames_find(waiting, "box", "d-1");

    assert_int_equal(found->frame_count, 2);
    assert_memory_equal(found->frames[0].picture.data, "first", 5);
    assert_memory_equal(found->frames[1].picture.data, "added", 5);
    gk_waiting_frames_forget(waiting, "box", "d-1");
    assert_null(gk_waiting_frames_find(waiting, "box", "d-1"));
    gk_waiting_frames_forget(waiting, "box", "d-1");
    gk_waiting_frames_free(waiting);
}

static void test_wait_ends_at_its_time(void **state)
{
    struct gk_waiting_frames *waiting = gk_waiting_frames_new();
    const guika_v1_Frame frames[] = {frame("x")};

    (void)state;
    gk_waiting_frames_keep(waiting, case_id, "box", "d-1", frames, 1, 1000);
    gk_waiting_frames_keep(waiting, case_id, "box", "d-2", frames, 1, 5000);
    assert_null(gk_waiting_frames_expired(waiting, 999));
    struct gk_waiting_deposit *expired = gk_waiting_frames_expired(waiting, 1000);

    assert_non_null(expired);
    assert_string_equal(expired->deposit_id, "d-1");
    expired->expires_ms = UINT64_MAX;
    assert_null(gk_waiting_frames_expired(waiting, 1000));
    gk_waiting_frames_free(waiting);
}

static void test_room_ends_at_the_bound_and_comes_back(void **state)
{
    const size_t size = 100 << 20;
    struct gk_waiting_frames *waiting = gk_waiting_frames_new();
    uint8_t *picture = calloc(1, size);
    const guika_v1_Frame frames[] = {{.picture = {picture, size}}};

    (void)state;
    assert_true(gk_waiting_frames_has_room(waiting, GK_WAITING_FRAMES_BYTES_MAX));
    assert_false(gk_waiting_frames_has_room(waiting, (size_t)GK_WAITING_FRAMES_BYTES_MAX + 1));
    gk_waiting_frames_keep(waiting, case_id, "box", "d-1", frames, 1, 0);
    gk_waiting_frames_keep(waiting, case_id, "box", "d-2", frames, 1, 0);
    assert_true(gk_waiting_frames_has_room(waiting, 56 << 20));
    assert_false(gk_waiting_frames_has_room(waiting, size));
    /* Two that asked at the same time are both kept; then nothing more is let in. */
    gk_waiting_frames_keep(waiting, case_id, "box", "d-3", frames, 1, 0);
    assert_false(gk_waiting_frames_has_room(waiting, 0));
    assert_false(gk_waiting_frames_has_room(waiting, 1));
    gk_waiting_frames_forget(waiting, "box", "d-1");
    gk_waiting_frames_forget(waiting, "box", "d-2");
    assert_true(gk_waiting_frames_has_room(waiting, size));
    gk_waiting_frames_free(waiting);
    free(picture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_are_copied_and_found_by_box_and_deposit),
        cmocka_unit_test(test_keeping_again_replaces_even_from_the_old_ones),
        cmocka_unit_test(test_wait_ends_at_its_time),
        cmocka_unit_test(test_room_ends_at_the_bound_and_comes_back),
    };

    return cmocka_run_group_tests_name("core/waiting_frames", tests, NULL, NULL);
}

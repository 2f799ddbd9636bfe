#include "core/frames.h"

#include "tests/core/security/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t byte[1] = {7};

/* Frames of a size that nobody reads. */
static guika_v1_Frame sized(size_t size)
{
    return (guika_v1_Frame){.picture = {byte, size}};
}

static guika_v1_Frame frame(const char *picture, guika_v1_Side side, guika_v1_Lamp lamp)
{
    return (guika_v1_Frame){
        .picture = {(const uint8_t *)picture, strlen(picture)}, .side = side, .lamp = lamp};
}

static void test_one_to_eight_frames_of_bounded_pictures_pass(void **state)
{
    guika_v1_Frame frames[9];
    struct gk_error error;

    (void)state;
    for (size_t i = 0; i < 9; i++) {
        frames[i] = sized(GK_FRAME_BYTES_MAX);
    }
    assert_int_equal(gk_frames_check(frames, 0, &error), GK_INVALID_ARGUMENT);
    assert_string_equal(error.message, "a deposit has 1 to 8 frames, not 0");
    assert_int_equal(gk_frames_check(frames, 9, &error), GK_INVALID_ARGUMENT);
    assert_int_equal(gk_frames_check(frames, 8, &error), GK_OK);
    frames[7] = sized(GK_FRAME_BYTES_MAX + 1);
    assert_int_equal(gk_frames_check(frames, 8, &error), GK_INVALID_ARGUMENT);
    assert_string_equal(error.message, "frame 7: a picture has 1 to 8388608 bytes, not 8388609");
    frames[7] = sized(0);
    assert_int_equal(gk_frames_check(frames, 8, &error), GK_INVALID_ARGUMENT);
}

static void test_added_frames_are_bounded_together_with_the_others(void **state)
{
    const guika_v1_Frame before[] = {sized(GK_FRAME_BYTES_MAX), sized(GK_FRAME_BYTES_MAX)};
    const guika_v1_Frame added[] = {sized(GK_FRAME_BYTES_MAX),
                                    sized(GK_FRAME_BYTES_MAX),
                                    sized(1),
                                    sized(1),
                                    sized(1),
                                    sized(1),
                                    sized(1)};
    struct gk_error error;

    (void)state;
    assert_int_equal(gk_frames_check_sum(before, 2, added, 2, &error), GK_OK);
    assert_int_equal(gk_frames_check_sum(before, 2, added, 3, &error), GK_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "33554432 bytes in all, not 33554433"));
    assert_int_equal(gk_frames_check_sum(before, 2, added, 7, &error), GK_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "8 frames in all, not 9"));
}

static void test_frames_are_the_same_by_picture_order_side_and_lamp(void **state)
{
    char *folder = scratch_make();
    char *path = scratch_path(folder, "keys");
    struct gk_keys *keys;
    const guika_v1_Frame base[] = {frame("ab", guika_v1_Side_SIDE_FRONT, guika_v1_Lamp_LAMP_LEFT),
                                   frame("c", guika_v1_Side_SIDE_BACK, guika_v1_Lamp_LAMP_LEFT)};
    guika_v1_Frame others[4][2];
    uint8_t expected[GK_FRAMES_DIGEST_SIZE];
    uint8_t digest[GK_FRAMES_DIGEST_SIZE];

    (void)state;
    assert_int_equal(gk_keys_generate(path, NULL), GK_OK);
    assert_int_equal(gk_keys_open(path, &keys, NULL), GK_OK);
    gk_frames_digest(keys, base, 2, expected);
    for (size_t i = 0; i < 4; i++) {
        memcpy(others[i], base, sizeof base);
    }
    others[0][0].age_ms = 77;
    gk_frames_digest(keys, others[0], 2, digest);
    assert_memory_equal(digest, expected, sizeof digest);
    others[0][0].side = guika_v1_Side_SIDE_BACK;
    others[1][1].lamp = guika_v1_Lamp_LAMP_RIGHT;
    others[2][0] = frame("a", guika_v1_Side_SIDE_FRONT, guika_v1_Lamp_LAMP_LEFT);
    others[2][1] = frame("bc", guika_v1_Side_SIDE_BACK, guika_v1_Lamp_LAMP_LEFT);
    others[3][0] = base[1];
    others[3][1] = base[0];
    for (size_t i = 0; i < 4; i++) {
        gk_frames_digest(keys, others[i], 2, digest);
        assert_memory_not_equal(digest, expected, sizeof digest);
    }
    gk_frames_digest(keys, base, 1, digest);
    assert_memory_not_equal(digest, expected, sizeof digest);
    gk_keys_close(keys);
    free(path);
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_to_eight_frames_of_bounded_pictures_pass),
        cmocka_unit_test(test_added_frames_are_bounded_together_with_the_others),
        cmocka_unit_test(test_frames_are_the_same_by_picture_order_side_and_lamp),
    };

    return cmocka_run_group_tests_name("core/frames", tests, NULL, NULL);
}

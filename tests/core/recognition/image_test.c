/* Pictures resampled: through a window, and through a homography. */
#include "core/recognition/image.h"
#include "core/recognition/rectify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Smooth with some grain, the same everywhere. */
static struct gk_image textured(int width_px, int height_px)
{
    struct gk_image image;
    uint32_t random = 1;
    assert_true(gk_image_make(width_px, height_px, false, &image));
    for (int y = 0; y < height_px; y++) {
        for (int x = 0; x < width_px; x++) {
            random = random * 1664525 + 1013904223;
            image.grey[y * width_px + x] = (uint8_t)(120 + 80 * sin(x * 0.11 + y * 0.07) + (random >> 27));
        }
    }
    return image;
}

static double mean_of(const struct gk_image *image)
{
    double sum = 0;
    for (int i = 0; i < image->width_px * image->height_px; i++) {
        sum += image->grey[i];
    }
    return sum / (image->width_px * image->height_px);
}

static void test_whole_window_at_its_own_size_is_the_picture(void **state)
{
    (void)state;
    struct gk_image image = textured(61, 37), same;
    const struct gk_window whole = {0, 0, 61, 37};
    assert_true(gk_image_resample(&image, &whole, 61, 37, &same));
    assert_memory_equal(same.grey, image.grey, 61 * 37);
    gk_image_clear(&same);
    gk_image_clear(&image);
}

static void test_shrinking_keeps_the_mean(void **state)
{
    (void)state;
    struct gk_image image = textured(400, 240), small;
    const struct gk_window whole = {0, 0, 400, 240};
    static const int sizes[][2] = {{50, 30}, {133, 24}, {7, 5}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        assert_true(gk_image_resample(&image, &whole, sizes[i][0], sizes[i][1], &small));
        assert_true(fabs(mean_of(&small) - mean_of(&image)) < 1.5);
        gk_image_clear(&small);
    }
    gk_image_clear(&image);
}

static void test_window_beyond_the_picture_repeats_its_edge(void **state)
{
    (void)state;
    struct gk_image image = textured(20, 10), out;
    const struct gk_window left = {-40, 0, 20, 10}, beyond = {200, 300, 8, 8};
    assert_true(gk_image_resample(&image, &left, 20, 10, &out));
    for (int i = 0; i < 20 * 10; i++) {
        assert_int_equal(out.grey[i], image.grey[i / 20 * 20]);
    }
    gk_image_clear(&out);
    assert_true(gk_image_resample(&image, &beyond, 4, 4, &out));
    for (int i = 0; i < 4 * 4; i++) {
        assert_int_equal(out.grey[i], image.grey[20 * 10 - 1]);
    }
    gk_image_clear(&out);
    gk_image_clear(&image);
}

/* One row of 90 points of the frame, by both ways. */
static void assert_ways_agree(const struct gk_image *image, const struct gk_homography *homography, double y)
{
    float values[90];
    gk_homography_sample(homography, image, 0.25, y, 0.7, 90, values);
    for (int i = 0; i < 90; i++) {
        struct gk_point at = gk_homography_apply(homography, (struct gk_point){0.25 + i * 0.7, y});
        assert_true(fabs((double)values[i] - gk_image_grey_at(image, at.x, at.y)) < 1);
    }
}

static void test_row_of_samples_agrees_with_point_by_point(void **state)
{
    (void)state;
    struct gk_image image = textured(300, 200);
    /* Within the picture, at a slant; turned; partly and wholly beyond it. */
    static const struct gk_quad quads[] = {{{{40, 30}, {260, 55}, {240, 180}, {25, 150}}},
                                           {{{250, 160}, {40, 170}, {50, 30}, {270, 20}}},
                                           {{{-80, -20}, {200, -60}, {380, 260}, {-30, 210}}},
                                           {{{400, 300}, {500, 300}, {500, 360}, {400, 360}}}};
    for (size_t i = 0; i < sizeof quads / sizeof *quads; i++) {
        struct gk_homography homography;
        assert_true(gk_homography_from_quad(&quads[i], 64, 40, &homography));
        for (int y = 0; y < 40; y++) {
            assert_ways_agree(&image, &homography, y + 0.5);
        }
    }
    gk_image_clear(&image);
}

/* A box may send a picture of one column with a quadrilateral around it. */
static void test_picture_of_one_row_or_column_can_be_sampled(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {1, 50}, {50, 1}};
    static const struct gk_quad around = {{{-30, -30}, {70, -25}, {75, 65}, {-40, 60}}};
    struct gk_homography homography;
    assert_true(gk_homography_from_quad(&around, 64, 40, &homography));
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct gk_image image = textured(sizes[i][0], sizes[i][1]);
        for (int y = 0; y < 40; y++) {
            assert_ways_agree(&image, &homography, y + 0.5);
        }
        gk_image_clear(&image);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole_window_at_its_own_size_is_the_picture),
        cmocka_unit_test(test_shrinking_keeps_the_mean),
        cmocka_unit_test(test_window_beyond_the_picture_repeats_its_edge),
        cmocka_unit_test(test_row_of_samples_agrees_with_point_by_point),
        cmocka_unit_test(test_picture_of_one_row_or_column_can_be_sampled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

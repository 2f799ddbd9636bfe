/* Relief from two lamps: what it brings out of worn cards, and what must not disturb it. */
#include "core/recognition/lamps.h"

#include "core/recognition/rectify.h"
#include "tests/mint/mint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The grey card through its true corners. */
static struct gk_image photograph(const struct gk_mint_card *card, const struct gk_mint_scene *scene)
{
    struct gk_mint_picture picture;
    struct gk_image image, rectified;
    struct gk_quad quad;
    struct gk_homography view;
    assert_int_equal(gk_mint_draw(card, scene, &picture), 0);
    assert_true(gk_image_make((int)picture.width_px, (int)picture.height_px, true, &image));
    memcpy(image.rgb, picture.rgb, (size_t)picture.width_px * picture.height_px * 3);
    gk_image_fill_grey(&image);
    for (int i = 0; i < 4; i++) {
        quad.corner[i] = (struct gk_point){picture.quad[i].x, picture.quad[i].y};
    }
    assert_true(gk_homography_from_quad(&quad, GK_CARD_WIDTH_PX, GK_CARD_HEIGHT_PX, &view));
    assert_true(gk_rectify(&image, &view, false, &rectified));
    gk_image_clear(&image);
    gk_mint_picture_clear(&picture);
    return rectified;
}

static void worn_card(uint64_t seed, struct gk_mint_card *ret_card, struct gk_mint_scene *ret_scene)
{
    gk_mint_card_random(GK_MINT_PAYMENT, NULL, seed, ret_card);
    ret_card->print = GK_MINT_EMBOSSED;
    ret_card->foil = GK_MINT_FOIL_SILVER;
    ret_card->foil_wear = 1; /* the digits have the colour of what is under them */
    gk_mint_scene_random(0.3, seed, ret_scene);
    ret_scene->lamp = GK_MINT_LAMP_LEFT;
    ret_scene->light_degrees = 180;
    ret_scene->light_strength = 0.7;
    ret_scene->glare = 0;
}

/* The number's box in pixels of the card. */
static const int box_left = 100, box_right = 940;
static const int box_top = (int)((GK_MINT_PAYMENT_NUMBER_Y_MM - 2.2) * GK_CARD_PX_PER_MM);
static const int box_bottom = (int)((GK_MINT_PAYMENT_NUMBER_Y_MM + 2.2) * GK_CARD_PX_PER_MM);

/* Root mean square over the box of `with` less `without`. */
static double strokes(const struct gk_image *with, const struct gk_image *without)
{
    double total = 0;
    for (int y = box_top; y < box_bottom; y++) {
        for (int x = box_left; x < box_right; x++) {
            int i = y * with->width_px + x;
            double apart = with->grey[i] - without->grey[i];
            total += apart * apart;
        }
    }
    return sqrt(total / ((box_bottom - box_top) * (box_right - box_left)));
}

/* Deviation over the box from means of 21 x 21 pixels: what a reader would have to look past. */
static double clutter(const struct gk_image *image)
{
    double total = 0;
    for (int y = box_top; y < box_bottom; y++) {
        for (int x = box_left; x < box_right; x++) {
            double mean = 0;
            for (int v = -10; v <= 10; v += 2) {
                for (int u = -10; u <= 10; u += 2) {
                    mean += image->grey[(y + v) * image->width_px + x + u] / 121.0;
                }
            }
            double apart = image->grey[y * image->width_px + x] - mean;
            total += apart * apart;
        }
    }
    return sqrt(total / ((box_bottom - box_top) * (box_right - box_left)));
}

/* Contrast of the digits' strokes against artwork and noise, in one frame and in the difference of both. */
static void measure(uint64_t seed, double *ret_one, double *ret_difference)
{
    struct gk_mint_card card;
    struct gk_mint_scene left, right;
    struct gk_image frames[2][2], relief[2]; /* [without, with a number][left, right] */
    worn_card(seed, &card, &left);
    gk_mint_scene_opposite_lamp(&left, &right);
    for (int with = 1; with >= 0; with--) {
        if (with == 0) {
            card.number[0] = '\0';
        }
        frames[with][0] = photograph(&card, &left);
        frames[with][1] = photograph(&card, &right);
        assert_true(gk_lamps_difference(&frames[with][0], &frames[with][1], &relief[with]));
    }
    *ret_one = strokes(&frames[1][0], &frames[0][0]) / clutter(&frames[0][0]);
    *ret_difference = strokes(&relief[1], &relief[0]) / clutter(&relief[0]);
    for (int with = 0; with < 2; with++) {
        gk_image_clear(&frames[with][0]);
        gk_image_clear(&frames[with][1]);
        gk_image_clear(&relief[with]);
    }
}

static void test_worn_digits_stand_out_of_the_artwork(void **state)
{
    (void)state;
    double one_total = 0, difference_total = 0;
    int better = 0;
    for (uint64_t seed = 0; seed < 8; seed++) {
        double one, difference;
        measure(500 + seed, &one, &difference);
        print_message("seed %llu: strokes against clutter %.2f in one frame, %.2f in the difference\n",
                      (unsigned long long)(500 + seed), one, difference);
        better += difference > one;
        one_total += one;
        difference_total += difference;
    }
    assert_true(difference_total > 1.5 * one_total);
    assert_in_range(better, 7, 8);
}

/* A picture with stripes of ink and one raised stroke, lit from one side, brighter or darker, shifted, with a
 * little noise. */
static struct gk_image lit(double light, double gain, double shift_x, double contrast)
{
    struct gk_image image;
    assert_true(gk_image_make(400, 120, false, &image));
    for (int y = 0; y < 120; y++) {
        for (int x = 0; x < 400; x++) {
            double at = x - shift_x, stripes = 40 * sin(at * 0.31) + 25 * sin(at * 0.07 + y * 0.2);
            double flank = exp(-pow((at - 196) / 2, 2)) - exp(-pow((at - 204) / 2, 2));
            double noise = (double)(rand() % 5 - 2), ink = 90 + contrast * stripes;
            double fall = 1 + 0.2 * x / 400.0 * light;
            image.grey[y * 400 + x] = (uint8_t)(ink * gain * fall * (1 + 0.3 * light * flank) + noise + 0.5);
        }
    }
    return image;
}

static void test_unequal_brightness_and_a_shift_leave_only_the_relief(void **state)
{
    (void)state;
    static const double shifts[] = {0, 0.6, -1.3, 1.9};
    for (size_t i = 0; i < sizeof shifts / sizeof *shifts; i++) {
        struct gk_image left = lit(1, 1.2, 0, 1), right = lit(-1, 0.7, shifts[i], 1), relief;
        assert_true(gk_lamps_difference(&left, &right, &relief));
        double flat = 0;
        for (int y = 10; y < 110; y++) {
            for (int x = 20; x < 380; x++) {
                int apart = abs(relief.grey[y * 400 + x] - 128);
                flat = x < 180 || x > 220 ? fmax(flat, apart) : flat;
            }
        }
        int middle = (int)(shifts[i] / 2);
        print_message("shift %.1f: flat ground within %.0f levels, flanks %d and %d\n", shifts[i], flat,
                      relief.grey[60 * 400 + 196 + middle], relief.grey[60 * 400 + 204 + middle]);
        assert_true(flat < 32);
        assert_true(relief.grey[60 * 400 + 196 + middle] > 128 + 40);
        assert_true(relief.grey[60 * 400 + 204 + middle] < 128 - 40);
        gk_image_clear(&left);
        gk_image_clear(&right);
        gk_image_clear(&relief);
    }
}

static void test_relief_alone_is_no_shift(void **state)
{
    (void)state;
    /* Without ink the two agree best where a light flank lies on a light one: 8 pixels apart. */
    struct gk_image left = lit(1, 1.1, 0, 0), right = lit(-1, 0.9, 0, 0), relief;
    assert_true(gk_lamps_difference(&left, &right, &relief));
    print_message("flanks %d and %d\n", relief.grey[60 * 400 + 196], relief.grey[60 * 400 + 204]);
    assert_true(relief.grey[60 * 400 + 196] > 128 + 60);
    assert_true(relief.grey[60 * 400 + 204] < 128 - 60);
    gk_image_clear(&left);
    gk_image_clear(&right);
    gk_image_clear(&relief);
}

static void test_pictures_of_unlike_size_have_no_difference(void **state)
{
    (void)state;
    struct gk_image left = lit(1, 1, 0, 1), right, relief;
    assert_true(gk_image_make(400, 119, false, &right));
    assert_false(gk_lamps_difference(&left, &right, &relief));
    assert_null(relief.grey);
    gk_image_clear(&left);
    gk_image_clear(&right);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worn_digits_stand_out_of_the_artwork),
        cmocka_unit_test(test_unequal_brightness_and_a_shift_leave_only_the_relief),
        cmocka_unit_test(test_relief_alone_is_no_shift),
        cmocka_unit_test(test_pictures_of_unlike_size_have_no_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

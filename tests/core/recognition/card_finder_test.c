#include "core/recognition/card_finder.h"
#include "tests/mint/mint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

static bool inside(const struct gk_point *corners, double x, double y)
{
    for (int i = 0; i < 4; i++) {
        struct gk_point a = corners[i], b = corners[(i + 1) % 4];
        if ((b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x) < 0) {
            return false;
        }
    }
    return true;
}

/* Intersection over union of two clockwise quadrilaterals, counted on a grid. */
static double overlap(const struct gk_quad *found, const struct gk_mint_point *truth, int width_px,
                      int height_px)
{
    struct gk_point corners[4];
    int both = 0, either = 0;
    for (int i = 0; i < 4; i++) {
        corners[i] = (struct gk_point){truth[i].x, truth[i].y};
    }
    for (int y = 0; y < height_px; y += 4) {
        for (int x = 0; x < width_px; x += 4) {
            bool a = inside(found->corner, x, y), b = inside(corners, x, y);
            both += a && b;
            either += a || b;
        }
    }
    return (double)both / either;
}

static double best_overlap(uint64_t seed, double rotation_degrees)
{
    struct gk_mint_card card;
    struct gk_mint_scene scene;
    struct gk_mint_picture picture;
    gk_mint_card_random(GK_MINT_PAYMENT, NULL, seed, &card);
    gk_mint_scene_random(0.2, seed, &scene);
    scene.rotation_degrees = rotation_degrees;
    gk_mint_scene_fit(&card, &scene);
    assert_int_equal(gk_mint_draw(&card, &scene, &picture), 0);
    struct gk_image image;
    assert_true(gk_image_make((int)picture.width_px, (int)picture.height_px, true, &image));
    memcpy(image.rgb, picture.rgb, (size_t)picture.width_px * picture.height_px * 3);
    gk_image_fill_grey(&image);
    struct gk_found_quad found[GK_CARD_FINDER_MOST];
    double best = 0;
    size_t count = gk_card_find(&image, found);
    for (size_t i = 0; i < count; i++) {
        best = fmax(best, overlap(&found[i].quad, picture.quad, image.width_px, image.height_px));
    }
    gk_image_clear(&image);
    gk_mint_picture_clear(&picture);
    return best;
}

static void test_minted_cards_are_found_at_any_turn(void **state)
{
    (void)state;
    int good = 0;
    for (int i = 0; i < 12; i++) {
        good += best_overlap((uint64_t)(100 + i), i * 30.0) > 0.9;
    }
    assert_in_range(good, 11, 12);
}

static void test_picture_without_edges_is_taken_whole(void **state)
{
    (void)state;
    struct gk_image image;
    assert_true(gk_image_make(300, 200, false, &image));
    memset(image.grey, 100, 300 * 200);
    struct gk_found_quad found[GK_CARD_FINDER_MOST];
    assert_int_equal(gk_card_find(&image, found), 1);
    assert_true(found[0].whole_picture);
    gk_image_clear(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_minted_cards_are_found_at_any_turn),
        cmocka_unit_test(test_picture_without_edges_is_taken_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

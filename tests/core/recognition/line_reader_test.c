/* Rows whose place is known, from minted photographs, through the digit net alone. */
#include "core/recognition/line_reader.h"
#include "tests/core/recognition/finder_truth.h"
#include "tests/core/recognition/recognition_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#define CARDS 8

static struct gk_point between(struct gk_point a, struct gk_point b, double share)
{
    return (struct gk_point){a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share};
}

/* The card's row as a finder would have it: `left` is further left, whichever way the card lies. */
static struct gk_number_line row_of(const struct truth *truth, int row)
{
    const struct gk_point *c = truth->digits.corner;
    double step = truth->rows > 1 ? (1 - truth->row_share) / (truth->rows - 1) : 0;
    double down = truth->row_share / 2 + row * step;
    double height = truth->row_share * hypot(c[3].x - c[0].x, c[3].y - c[0].y);
    struct gk_point first = between(c[0], c[3], down), last = between(c[1], c[2], down);
    bool turned = first.x > last.x;
    return (struct gk_number_line){turned ? last : first, turned ? first : last, height, height, 1};
}

static void draw(uint64_t seed, enum gk_mint_layout layout, double degrees, struct gk_mint_card *ret_card,
                 struct gk_image *ret_image, struct truth *ret_truth)
{
    struct gk_mint_scene scene;
    gk_mint_card_random(GK_MINT_PAYMENT, "visa", seed, ret_card);
    ret_card->print = GK_MINT_FLAT;
    ret_card->layout = layout;
    gk_mint_scene_random(0, seed, &scene);
    scene.rotation_degrees = degrees;
    gk_mint_scene_fit(ret_card, &scene);
    assert_int_equal(draw_minted(ret_card, &scene, ret_image, ret_truth), 0);
}

/* Glances and reads; false where nothing looked like a number. */
static bool read_rows(const struct rig *rig, const struct gk_image *image, const struct gk_number_line *rows,
                      int row_count, struct gk_line_verdict *ret_verdict, bool *ret_upside_down)
{
    struct gk_card_reader reader = rig_reader(rig);
    const struct gk_line_place place = {image, NULL, 0, 0};
    const struct gk_number_target target = {rows, row_count, false};
    struct gk_line_glance glance;
    assert_true(gk_line_glance(&reader, &place, &target, &glance));
    return gk_line_read(&reader, &place, &target, &glance, ret_verdict, ret_upside_down);
}

/* `fall`: by how many digit heights the rows' right ends are taken too low and their left ends too high. */
static int count_right(const struct rig *rig, enum gk_mint_layout layout, bool upside_down, double fall)
{
    int right = 0;
    for (uint64_t i = 0; i < CARDS; i++) {
        struct gk_mint_card card;
        struct gk_image image;
        struct truth truth;
        struct gk_number_line rows[GK_STACK_MOST_ROWS];
        struct gk_line_verdict verdict;
        bool turned = false;
        draw(2000 + i, layout, upside_down ? 180 : 0, &card, &image, &truth);
        for (int row = 0; row < truth.rows; row++) {
            /* From the top of the picture. */
            rows[row] = row_of(&truth, upside_down ? truth.rows - 1 - row : row);
            rows[row].left.y -= fall * rows[row].left_height;
            rows[row].right.y += fall * rows[row].right_height;
        }
        bool read = read_rows(rig, &image, rows, truth.rows, &verdict, &turned);
        gk_image_clear(&image);
        right += read && turned == upside_down && verdict.count > 0 &&
                 strcmp(verdict.candidates[0].number, card.number) == 0;
    }
    return right;
}

static void test_line_is_read_in_the_direction_that_it_has(void **state)
{
    assert_in_range(count_right(*state, GK_MINT_LINE, false, 0), 7, CARDS);
    assert_in_range(count_right(*state, GK_MINT_LINE, true, 0), 7, CARDS);
}

/* Half of these lines take the steepest framings, either way. */
static void test_line_is_read_beside_its_slope(void **state)
{
    for (int turned = 0; turned < 2; turned++) {
        assert_in_range(count_right(*state, GK_MINT_LINE, turned == 1, 0.9), 7, CARDS);
        assert_in_range(count_right(*state, GK_MINT_LINE, turned == 1, -0.9), 7, CARDS);
    }
}

static void test_rows_of_a_block_are_read_from_its_own_top(void **state)
{
    assert_in_range(count_right(*state, GK_MINT_BLOCKS, false, 0), 6, CARDS);
    assert_in_range(count_right(*state, GK_MINT_BLOCKS, true, 0), 6, CARDS);
}

static void test_glance_tells_a_number_from_the_ground_and_its_direction(void **state)
{
    struct gk_card_reader reader = rig_reader(*state);
    int told = 0;
    for (uint64_t i = 0; i < CARDS; i++) {
        struct gk_mint_card card;
        struct gk_image image;
        struct truth truth;
        struct gk_line_glance number, ground;
        draw(2000 + i, GK_MINT_LINE, 0, &card, &image, &truth);
        const struct gk_line_place place = {&image, NULL, 0, 0};
        struct gk_number_line row = row_of(&truth, 0), above = row;
        above.left.y = above.right.y = row.left_height;
        assert_true(gk_line_glance(&reader, &place, &(struct gk_number_target){&row, 1, false}, &number));
        assert_true(gk_line_glance(&reader, &place, &(struct gk_number_target){&above, 1, false}, &ground));
        gk_image_clear(&image);
        assert_true(number.favour[0] == 1 && number.favour[1] == 1);
        told += number.strength[0] > number.strength[1] &&
                number.strength[0] > 3 * fmax(ground.strength[0], ground.strength[1]);
    }
    assert_in_range(told, 7, CARDS);
}

static void test_even_ground_is_no_number(void **state)
{
    struct gk_image image;
    struct gk_line_verdict verdict;
    const struct gk_number_line line = {{40, 50}, {260, 50}, 20, 20, 1};
    bool upside_down;
    assert_true(gk_image_make(300, 100, false, &image));
    memset(image.grey, 140, 300 * 100);
    assert_false(read_rows(*state, &image, &line, 1, &verdict, &upside_down));
    assert_int_equal(verdict.count, 0);
    gk_image_clear(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line_is_read_in_the_direction_that_it_has),
        cmocka_unit_test(test_line_is_read_beside_its_slope),
        cmocka_unit_test(test_rows_of_a_block_are_read_from_its_own_top),
        cmocka_unit_test(test_glance_tells_a_number_from_the_ground_and_its_direction),
        cmocka_unit_test(test_even_ground_is_no_number),
    };
    return cmocka_run_group_tests(tests, rig_open, rig_close);
}

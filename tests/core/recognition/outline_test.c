/* What is made of a sight, with sights made by hand: the network has no part in it. */
#include "core/recognition/outline.h"

#include "core/recognition/number_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#define COLUMNS 80
#define ROWS 60

struct drawing {
    float values[ROWS][COLUMNS][GK_SIGHT_CHANNELS];
};

static struct gk_sight sight_of(const struct drawing *drawing)
{
    return (struct gk_sight){.columns = COLUMNS,
                             .rows = ROWS,
                             .values = &drawing->values[0][0][0],
                             .cell_width = 4,
                             .cell_height = 4};
}

static void clear(struct drawing *drawing)
{
    memset(drawing, 0, sizeof *drawing);
    for (int y = 0; y < ROWS; y++) {
        for (int x = 0; x < COLUMNS; x++) {
            drawing->values[y][x][GK_SIGHT_ROW] = -8;
            drawing->values[y][x][GK_SIGHT_CARD] = -8;
            drawing->values[y][x][GK_SIGHT_BORDER] = -8;
        }
    }
}

/* A card as the network marks it: a turned rectangle, cells. */
static void add_card(struct drawing *drawing, double centre_x, double centre_y, double width, double height,
                     double turn)
{
    for (int y = 0; y < ROWS; y++) {
        for (int x = 0; x < COLUMNS; x++) {
            double dx = x + 0.5 - centre_x, dy = y + 0.5 - centre_y;
            double u = fabs(dx * cos(turn) + dy * sin(turn)) - width / 2;
            double v = fabs(dy * cos(turn) - dx * sin(turn)) - height / 2;
            double outside = fmax(u, v);
            float *values = drawing->values[y][x];
            if (outside < 0 || values[GK_SIGHT_CARD] < 0) {
                values[GK_SIGHT_CARD] = (float)fmax(fmin(-4 * outside, 8), -8);
            }
            if (fabs(outside) < 0.6) {
                values[GK_SIGHT_BORDER] = 3;
            }
        }
    }
}

/* A row of digits as the network marks it: cells, and a digit's height in pixels. */
static void add_row(struct drawing *drawing, double centre_x, double centre_y, double length, double turn,
                    double digit_px)
{
    for (int y = 0; y < ROWS; y++) {
        for (int x = 0; x < COLUMNS; x++) {
            double dx = x + 0.5 - centre_x, dy = y + 0.5 - centre_y;
            double u = fabs(dx * cos(turn) + dy * sin(turn)), v = fabs(dy * cos(turn) - dx * sin(turn));
            float *values = drawing->values[y][x];
            if (u > length / 2 || v > 0.3 * digit_px / 4 + 0.5) {
                continue;
            }
            values[GK_SIGHT_ROW] = 4;
            values[GK_SIGHT_COSINE] = (float)cos(2 * turn);
            values[GK_SIGHT_SINE] = (float)sin(2 * turn);
            values[GK_SIGHT_HEIGHT] = (float)log(digit_px / 8);
        }
    }
}

static double nearest_corner(const struct gk_quad *quad, double x, double y)
{
    double nearest = INFINITY;
    for (int i = 0; i < 4; i++) {
        nearest = fmin(nearest, hypot(quad->corner[i].x - x, quad->corner[i].y - y));
    }
    return nearest;
}

static void test_a_card_has_its_corners_at_any_turn(void **state)
{
    (void)state;
    for (int step = 0; step < 12; step++) {
        double turn = step * 0.27;
        struct drawing drawing;
        struct gk_outline outlines[GK_OUTLINES_MOST];
        clear(&drawing);
        add_card(&drawing, 41, 29, 38, 24, turn);
        struct gk_sight sight = sight_of(&drawing);
        assert_int_equal(gk_outlines_find(&sight, 0, outlines), 1);
        for (int i = 0; i < 4; i++) {
            double u = i % 2 == 0 ? 19 : -19, v = i < 2 ? 12 : -12;
            double x = 41 + u * cos(turn) - v * sin(turn), y = 29 + u * sin(turn) + v * cos(turn);
            assert_true(nearest_corner(&outlines[0].quad, x, y) < 0.5);
            assert_false(outlines[0].cut[i]);
        }
        assert_true(outlines[0].certainty > 0.9);
        assert_true(outlines[0].border > 0.9);
    }
}

static void test_cards_that_touch_are_two(void **state)
{
    (void)state;
    struct drawing drawing;
    struct gk_outline outlines[GK_OUTLINES_MOST];
    clear(&drawing);
    add_card(&drawing, 25, 20, 30, 18, 0);
    add_card(&drawing, 55, 20, 30, 18, 0);
    struct gk_sight sight = sight_of(&drawing);
    assert_int_equal(gk_outlines_find(&sight, 0, outlines), 2);
}

static void test_the_side_that_the_picture_cuts_is_told(void **state)
{
    (void)state;
    struct drawing drawing;
    struct gk_outline outlines[GK_OUTLINES_MOST];
    int cuts = 0;
    clear(&drawing);
    add_card(&drawing, 75, 30, 38, 24, 0.1);
    struct gk_sight sight = sight_of(&drawing);
    assert_int_equal(gk_outlines_find(&sight, 0, outlines), 1);
    for (int i = 0; i < 4; i++) {
        struct gk_point a = outlines[0].quad.corner[i], b = outlines[0].quad.corner[(i + 1) % 4];
        cuts += outlines[0].cut[i];
        assert_int_equal(outlines[0].cut[i], a.x > COLUMNS - 1 && b.x > COLUMNS - 1);
    }
    assert_int_equal(cuts, 1);
}

static void test_specks_are_no_cards(void **state)
{
    (void)state;
    struct drawing drawing;
    struct gk_outline outlines[GK_OUTLINES_MOST];
    clear(&drawing);
    add_card(&drawing, 20, 20, 6, 5, 0);
    struct gk_sight sight = sight_of(&drawing);
    assert_int_equal(gk_outlines_find(&sight, 0, outlines), 0);
}

static void test_a_row_is_a_line_with_ends_and_height(void **state)
{
    (void)state;
    for (int step = 0; step < 8; step++) {
        double turn = -1.4 + step * 0.38;
        struct drawing drawing;
        struct gk_number_line lines[GK_NUMBER_LINES_MOST];
        clear(&drawing);
        add_row(&drawing, 40, 30, 40, turn, 14);
        struct gk_sight sight = sight_of(&drawing);
        assert_int_equal(gk_number_lines_find(&sight, lines), 1);
        assert_true(fabs((lines[0].left.x + lines[0].right.x) / 2 - 160) < 2);
        assert_true(fabs((lines[0].left.y + lines[0].right.y) / 2 - 120) < 2);
        double dx = lines[0].right.x - lines[0].left.x, dy = lines[0].right.y - lines[0].left.y;
        assert_true(fabs(remainder(atan2(dy, dx) - turn, acos(-1.0))) < 0.02);
        assert_true(fabs(hypot(dx, dy) - 165) < 6);
        assert_true(fabs(lines[0].left_height - 14) < 0.5 && fabs(lines[0].right_height - 14) < 0.5);
        assert_true(lines[0].score > 0.9);
    }
}

static void test_groups_of_one_row_are_joined(void **state)
{
    (void)state;
    struct drawing drawing;
    struct gk_number_line lines[GK_NUMBER_LINES_MOST];
    clear(&drawing);
    for (int group = 0; group < 4; group++) {
        add_row(&drawing, 14 + 17 * group, 30, 10, 0, 14);
    }
    struct gk_sight sight = sight_of(&drawing);
    assert_int_equal(gk_number_lines_find(&sight, lines), 1);
    assert_true(lines[0].left.x < 40 && lines[0].right.x > 276);
}

static void test_rows_below_each_other_are_a_block_from_its_top(void **state)
{
    (void)state;
    struct drawing drawing;
    struct gk_number_line lines[GK_NUMBER_LINES_MOST];
    struct gk_number_stack stacks[GK_NUMBER_STACKS_MOST];
    clear(&drawing);
    for (int row = 0; row < 4; row++) {
        add_row(&drawing, 40, 15 + 7 * row, 11, 0, 14);
    }
    struct gk_sight sight = sight_of(&drawing);
    size_t count = gk_number_lines_find(&sight, lines);
    assert_int_equal(count, 4);
    struct gk_number_line second = lines[1]; /* the order of their scores is any */
    lines[1] = lines[2];
    lines[2] = second;
    assert_int_equal(gk_number_stacks_find(lines, count, stacks), 1);
    assert_int_equal(stacks[0].row_count, 4);
    for (int row = 0; row < 4; row++) {
        assert_true(fabs(stacks[0].rows[row].left.y - 4 * (15 + 7 * row)) < 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_card_has_its_corners_at_any_turn),
        cmocka_unit_test(test_cards_that_touch_are_two),
        cmocka_unit_test(test_the_side_that_the_picture_cuts_is_told),
        cmocka_unit_test(test_specks_are_no_cards),
        cmocka_unit_test(test_a_row_is_a_line_with_ends_and_height),
        cmocka_unit_test(test_groups_of_one_row_are_joined),
        cmocka_unit_test(test_rows_below_each_other_are_a_block_from_its_top),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

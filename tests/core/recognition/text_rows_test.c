/* Rows of print: bars that stand like figures, on a ground of the card's frame. */
#include "core/recognition/text_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { GROUND = 128, DIGITS = 12, PITCH_PX = 26, BAR_PX = 8, HEIGHT_PX = 36 };

static const struct gk_homography frame = {{1, 0, 0, 0, 1, 0, 0, 0, 1}, GK_CARD_WIDTH_PX, GK_CARD_HEIGHT_PX};

static struct gk_image blank_card(void)
{
    struct gk_image card;
    assert_true(gk_image_make(GK_CARD_WIDTH_PX, GK_CARD_HEIGHT_PX, false, &card));
    memset(card.grey, GROUND, (size_t)card.width_px * (size_t)card.height_px);
    return card;
}

/* A row of bars from (x, y) on; across: one below the other. */
static void print_row(struct gk_image *card, int x, int y, bool across, uint8_t ink)
{
    for (int bar = 0; bar < DIGITS; bar++) {
        for (int along = 0; along < BAR_PX; along++) {
            for (int up = 0; up < HEIGHT_PX; up++) {
                int dx = bar * PITCH_PX + along;
                int column = x + (across ? up : dx), row = y + (across ? dx : up);
                card->grey[row * card->width_px + column] = ink;
            }
        }
    }
}

/* The row stands where it was printed, a fifth of a figure's height more or less. */
static void check_row(const struct gk_number_line *row, double left, double middle)
{
    assert_true(fabs(row->left.x - left) < HEIGHT_PX / 5.0);
    assert_true(fabs(row->left.y - middle) < HEIGHT_PX / 5.0);
    assert_true(fabs(row->right.x - (left + (DIGITS - 1) * PITCH_PX + BAR_PX)) < HEIGHT_PX / 5.0);
    assert_true(fabs(row->left_height - HEIGHT_PX) < HEIGHT_PX / 5.0);
}

static void test_dark_and_light_print_are_found(void **state)
{
    (void)state;
    struct gk_number_line rows[GK_TEXT_ROWS_MOST];
    for (int light = 0; light < 2; light++) {
        struct gk_image card = blank_card();
        print_row(&card, 200, 300, false, light ? 220 : 30);
        assert_int_equal(gk_text_rows_find(&card, &frame, false, rows), 1);
        check_row(&rows[0], 200, 300 + HEIGHT_PX / 2.0);
        gk_image_clear(&card);
    }
}

static void test_print_that_runs_across_is_found_across(void **state)
{
    (void)state;
    struct gk_number_line rows[GK_TEXT_ROWS_MOST];
    struct gk_image card = blank_card();
    print_row(&card, 500, 100, true, 30);
    assert_int_equal(gk_text_rows_find(&card, &frame, false, rows), 0);
    assert_int_equal(gk_text_rows_find(&card, &frame, true, rows), 1);
    assert_true(fabs(rows[0].left.x - (500 + HEIGHT_PX / 2.0)) < HEIGHT_PX / 5.0);
    assert_true(fabs(rows[0].left.y - 100) < HEIGHT_PX / 5.0);
    gk_image_clear(&card);
}

static void test_flat_ground_and_a_ruled_line_are_no_print(void **state)
{
    (void)state;
    struct gk_number_line rows[GK_TEXT_ROWS_MOST];
    struct gk_image card = blank_card();
    assert_int_equal(gk_text_rows_find(&card, &frame, false, rows), 0);
    memset(card.grey + 300 * card.width_px, 0, 4 * (size_t)card.width_px);
    assert_int_equal(gk_text_rows_find(&card, &frame, false, rows), 0);
    gk_image_clear(&card);
}

static void test_rows_are_told_longest_first_and_not_more_than_fit(void **state)
{
    (void)state;
    struct gk_number_line rows[GK_TEXT_ROWS_MOST];
    struct gk_image card = blank_card();
    for (int i = 0; i < 7; i++) {
        print_row(&card, 40, 20 + i * 80, false, 30);
        print_row(&card, 600, 20 + i * 80, false, 220);
    }
    size_t count = gk_text_rows_find(&card, &frame, false, rows);
    assert_int_equal(count, GK_TEXT_ROWS_MOST);
    for (size_t i = 1; i < count; i++) {
        assert_true(rows[i].right.x - rows[i].left.x <= rows[i - 1].right.x - rows[i - 1].left.x);
    }
    gk_image_clear(&card);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dark_and_light_print_are_found),
        cmocka_unit_test(test_print_that_runs_across_is_found_across),
        cmocka_unit_test(test_flat_ground_and_a_ruled_line_are_no_print),
        cmocka_unit_test(test_rows_are_told_longest_first_and_not_more_than_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

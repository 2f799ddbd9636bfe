/*
 * Whole minted cards through the finder, the digit net and the plugins' rules: whichever way they lie. Each
 * test reads several cards, demands most of them, and never forgives a wrong number that would be accepted.
 */
#include "core/recognition/card_reader.h"
#include "core/recognition/rectify.h"
#include "tests/core/recognition/finder_truth.h"
#include "tests/core/recognition/recognition_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#define CARDS 8
#define NEAR 0.05 /* of the card's length, a corner of a view that is upright */

/* A payment card in even light. */
static void set_up(uint64_t seed, enum gk_mint_print print, enum gk_mint_layout layout, double degrees,
                   struct gk_mint_card *card, struct gk_mint_scene *scene)
{
    gk_mint_card_random(GK_MINT_PAYMENT, "visa", seed, card);
    card->print = print;
    card->layout = layout;
    card->foil_wear = 0;
    gk_mint_scene_random(0.2, seed, scene);
    scene->glare = 0;
    scene->rotation_degrees = degrees;
    gk_mint_scene_fit(card, scene);
}

struct read {
    struct gk_candidate_list list;
    struct gk_card_sight sight;
    struct truth truth;
};

static void read_card(const struct rig *rig, const struct gk_mint_card *card,
                      const struct gk_mint_scene *scene, bool supply_quad, struct read *ret_read)
{
    struct gk_card_reader reader = rig_reader(rig);
    struct gk_image image;
    memset(ret_read, 0, sizeof *ret_read);
    assert_int_equal(draw_minted(card, scene, &image, &ret_read->truth), 0);
    gk_card_read(&reader, &image, supply_quad ? &ret_read->truth.quad : NULL, &ret_read->list,
                 &ret_read->sight);
    gk_image_clear(&image);
}

/* Is the likeliest number the card's? Fails where another one would be accepted. */
static bool is_right(const struct read *read, const struct gk_mint_card *card)
{
    const struct gk_candidate *best = read->list.count > 0 ? &read->list.items[0] : NULL;
    bool right = best != NULL && strcmp(best->number, card->number) == 0;
    assert_false(best != NULL && !right && !best->forced && best->probability >= GK_CANDIDATE_ACCEPTED);
    return right;
}

/* Does the view's top left corner lie at the upright card's, and the opposite one too? */
static bool is_upright(const struct read *read)
{
    const struct gk_point *corner = read->truth.quad.corner;
    const struct gk_homography *view = &read->sight.view;
    struct gk_point first = gk_homography_apply(view, (struct gk_point){0, 0});
    struct gk_point last = gk_homography_apply(view, (struct gk_point){view->width_px, view->height_px});
    double longest = fmax(hypot(corner[1].x - corner[0].x, corner[1].y - corner[0].y),
                          hypot(corner[3].x - corner[0].x, corner[3].y - corner[0].y));
    return read->sight.position_known &&
           hypot(first.x - corner[0].x, first.y - corner[0].y) < NEAR * longest &&
           hypot(last.x - corner[2].x, last.y - corner[2].y) < NEAR * longest;
}

/* Reads CARDS cards; returns how many came out right, and with the view upright. */
static int count_right(const struct rig *rig, enum gk_mint_print print, enum gk_mint_layout layout,
                       double degrees, bool supply_quad)
{
    int right = 0;
    for (uint64_t i = 0; i < CARDS; i++) {
        struct gk_mint_card card;
        struct gk_mint_scene scene;
        struct read read;
        set_up(1000 + i, print, layout, degrees, &card, &scene);
        read_card(rig, &card, &scene, supply_quad, &read);
        right += is_right(&read, &card) && is_upright(&read);
    }
    return right;
}

static void test_upright_cards_are_read(void **state)
{
    assert_in_range(count_right(*state, GK_MINT_FLAT, GK_MINT_LINE, 0, false), 7, CARDS);
}

static void test_cards_upside_down_are_read_and_seen_upright(void **state)
{
    assert_in_range(count_right(*state, GK_MINT_FLAT, GK_MINT_LINE, 180, false), 7, CARDS);
}

static void test_rotated_cards_are_read(void **state)
{
    assert_in_range(count_right(*state, GK_MINT_FLAT, GK_MINT_LINE, 30, false), 6, CARDS);
}

static void test_portrait_cards_are_read_and_seen_in_portrait(void **state)
{
    assert_in_range(count_right(*state, GK_MINT_FLAT, GK_MINT_PORTRAIT, 0, false), 6, CARDS);
    assert_in_range(count_right(*state, GK_MINT_FLAT, GK_MINT_PORTRAIT, 90, false), 6, CARDS);
}

static void test_rows_of_four_are_read_as_one_number(void **state)
{
    assert_in_range(count_right(*state, GK_MINT_FLAT, GK_MINT_BLOCKS, 0, false), 6, CARDS);
}

static void test_embossed_cards_are_read(void **state)
{
    assert_in_range(count_right(*state, GK_MINT_EMBOSSED, GK_MINT_LINE, 0, false), 6, CARDS);
}

static void test_quadrilateral_of_the_box_is_used(void **state)
{
    assert_in_range(count_right(*state, GK_MINT_FLAT, GK_MINT_LINE, 0, true), 7, CARDS);
    assert_in_range(count_right(*state, GK_MINT_FLAT, GK_MINT_LINE, 180, true), 7, CARDS);
}

static void test_quadrilateral_beside_the_card_shows_no_number(void **state)
{
    struct gk_mint_card card;
    struct gk_mint_scene scene;
    struct truth truth;
    struct gk_image image;
    struct gk_candidate_list list = {.count = 0};
    struct gk_card_sight sight;
    struct gk_card_reader reader = rig_reader(*state);
    const struct gk_quad corner = {{{0, 0}, {40, 0}, {40, 25}, {0, 25}}};
    set_up(1000, GK_MINT_FLAT, GK_MINT_LINE, 0, &card, &scene);
    assert_int_equal(draw_minted(&card, &scene, &image, &truth), 0);
    gk_card_read(&reader, &image, &corner, &list, &sight);
    gk_image_clear(&image);
    assert_int_equal(list.count, 0);
    assert_false(sight.figures_found || sight.several_cards);
}

/* A kept picture of an unrecognised card shows these rows and nothing else. */
static void test_rows_of_figures_are_told_where_they_stand(void **state)
{
    int told = 0;
    for (uint64_t i = 0; i < CARDS; i++) {
        struct gk_mint_card card;
        struct gk_mint_scene scene;
        struct read read;
        set_up(1000 + i, GK_MINT_FLAT, GK_MINT_LINE, i % 2 == 0 ? 0 : 180, &card, &scene);
        read_card(*state, &card, &scene, false, &read);
        const struct gk_point *digits = read.truth.digits.corner;
        double height = hypot(digits[3].x - digits[0].x, digits[3].y - digits[0].y);
        struct gk_point middle = {(digits[0].x + digits[2].x) / 2, (digits[0].y + digits[2].y) / 2};
        bool found = false;
        for (size_t j = 0; j < read.sight.row_count; j++) {
            const struct gk_point *row = read.sight.rows[j].corner;
            double dx = row[1].x - row[0].x, dy = row[1].y - row[0].y;
            double across =
                ((row[0].x + row[3].x) / 2 - middle.x) * dy - ((row[0].y + row[3].y) / 2 - middle.y) * dx;
            double along = dx * (digits[1].x - digits[0].x) + dy * (digits[1].y - digits[0].y);
            found = found || (fabs(across) / hypot(dx, dy) < height / 2 && along > 0);
        }
        told += found && read.sight.figures_found;
    }
    assert_in_range(told, 7, CARDS);
}

static void test_number_that_fails_its_check_is_told(void **state)
{
    int told = 0;
    for (uint64_t i = 0; i < CARDS; i++) {
        struct gk_mint_card card;
        struct gk_mint_scene scene;
        struct read read;
        set_up(1000 + i, GK_MINT_FLAT, GK_MINT_LINE, 0, &card, &scene);
        card.number[15] = card.number[15] == '9' ? '0' : (char)(card.number[15] + 1);
        read_card(*state, &card, &scene, false, &read);
        assert_false(is_right(&read, &card));
        told += read.sight.check_failed;
    }
    assert_in_range(told, 6, CARDS);
}

static void test_nothing_is_no_card_and_no_number(void **state)
{
    int seen = 0;
    for (uint64_t i = 0; i < CARDS; i++) {
        struct gk_mint_card nothing;
        struct gk_mint_scene scene;
        struct read read;
        gk_mint_card_random(GK_MINT_NOTHING, NULL, 1000 + i, &nothing);
        gk_mint_scene_random(0.5, 1000 + i, &scene);
        scene.background = (enum gk_mint_background)(i % 5);
        read_card(*state, &nothing, &scene, false, &read);
        seen += read.sight.card_found || read.sight.figures_found;
        assert_int_equal(read.list.count, 0);
    }
    assert_in_range(seen, 0, 1);
}

static void test_no_line_is_tried_after_the_time_is_up(void **state)
{
    struct gk_mint_card card;
    struct gk_mint_scene scene;
    struct truth truth;
    struct gk_image image;
    struct gk_candidate_list list = {.count = 0};
    struct gk_card_sight sight;
    struct gk_card_reader reader = rig_reader(*state);
    reader.stop_cpu_ms = gk_clock_read_ms(CLOCK_THREAD_CPUTIME_ID);
    set_up(1000, GK_MINT_FLAT, GK_MINT_LINE, 0, &card, &scene);
    assert_int_equal(draw_minted(&card, &scene, &image, &truth), 0);
    gk_card_read(&reader, &image, NULL, &list, &sight);
    gk_image_clear(&image);
    assert_int_equal(list.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_upright_cards_are_read),
        cmocka_unit_test(test_cards_upside_down_are_read_and_seen_upright),
        cmocka_unit_test(test_rotated_cards_are_read),
        cmocka_unit_test(test_portrait_cards_are_read_and_seen_in_portrait),
        cmocka_unit_test(test_rows_of_four_are_read_as_one_number),
        cmocka_unit_test(test_embossed_cards_are_read),
        cmocka_unit_test(test_quadrilateral_of_the_box_is_used),
        cmocka_unit_test(test_quadrilateral_beside_the_card_shows_no_number),
        cmocka_unit_test(test_rows_of_figures_are_told_where_they_stand),
        cmocka_unit_test(test_number_that_fails_its_check_is_told),
        cmocka_unit_test(test_nothing_is_no_card_and_no_number),
        cmocka_unit_test(test_no_line_is_tried_after_the_time_is_up),
    };
    return cmocka_run_group_tests(tests, rig_open, rig_close);
}

#include "core/recognition/card_finder.h"
#include "core/recognition/model.h"
#include "core/recognition/number_line.h"
#include "tests/core/recognition/finder_truth.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NEAR 0.03 /* of the card's length, its worst corner */

static int load_network(void **state)
{
    struct gk_network *network;
    struct gk_error error;
    size_t size;
    const uint8_t *model = gk_model_bytes(&size);
    if (gk_network_load(model, size, GK_SIGHT_NETWORK, &network, &error) != GK_OK) {
        return -1;
    }
    *state = network;
    return 0;
}

static int free_network(void **state)
{
    gk_network_free(*state);
    return 0;
}

/* A payment card without glare, in even light. */
static void set_up(uint64_t seed, struct gk_mint_card *card, struct gk_mint_scene *scene)
{
    gk_mint_card_random(GK_MINT_PAYMENT, NULL, seed, card);
    gk_mint_scene_random(0.2, seed, scene);
    scene->glare = 0;
}

struct outcome {
    bool card, row;
};

/* Is the card found, surely and near; and its number's first row on it? */
static struct outcome try_scene(struct gk_network *network, const struct gk_mint_card *card,
                                const struct gk_mint_scene *scene)
{
    struct gk_image image;
    struct truth truth;
    struct found found;
    assert_int_equal(draw_minted(card, scene, &image, &truth), 0);
    look(network, &image, &found);
    gk_image_clear(&image);
    bool near = found.card_count > 0 && corner_error(&found.cards[0].quad, &truth.quad) < NEAR;
    return (struct outcome){near && found.cards[0].score >= GK_CARD_SCORE_SURE,
                            row_found(&truth, 0, found.lines[1], found.line_counts[1])};
}

static void test_cards_and_their_numbers_are_found_at_any_turn(void **state)
{
    int cards = 0, rows = 0;
    for (int i = 0; i < 12; i++) {
        struct gk_mint_card card;
        struct gk_mint_scene scene;
        set_up((uint64_t)(100 + i), &card, &scene);
        scene.rotation_degrees = i * 30.0;
        gk_mint_scene_fit(&card, &scene);
        struct outcome outcome = try_scene(*state, &card, &scene);
        cards += outcome.card;
        rows += outcome.row;
    }
    assert_in_range(cards, 11, 12);
    assert_in_range(rows, 11, 12);
}

static void test_cards_are_found_at_a_slant(void **state)
{
    int cards = 0;
    for (int i = 0; i < 8; i++) {
        struct gk_mint_card card;
        struct gk_mint_scene scene;
        set_up((uint64_t)(200 + i), &card, &scene);
        scene.rotation_degrees = i * 47.0;
        scene.tilt_x_degrees = i % 2 == 0 ? 40 : -40;
        scene.tilt_y_degrees = i / 2 % 2 == 0 ? 25 : -25;
        gk_mint_scene_fit(&card, &scene);
        cards += try_scene(*state, &card, &scene).card;
    }
    assert_in_range(cards, 7, 8);
}

static void test_small_cards_are_found(void **state)
{
    int cards = 0, rows = 0;
    for (int i = 0; i < 8; i++) {
        struct gk_mint_card card;
        struct gk_mint_scene scene;
        set_up((uint64_t)(300 + i), &card, &scene);
        scene.card_width_share = 0.25;
        scene.background = GK_MINT_DESK;
        struct outcome outcome = try_scene(*state, &card, &scene);
        cards += outcome.card;
        rows += outcome.row;
    }
    assert_in_range(cards, 6, 8);
    assert_in_range(rows, 6, 8);
}

static void test_a_side_beyond_the_picture_is_completed(void **state)
{
    int cards = 0;
    for (int i = 0; i < 8; i++) {
        struct gk_mint_card card;
        struct gk_mint_scene scene;
        set_up((uint64_t)(400 + i), &card, &scene);
        scene.rotation_degrees = scene.tilt_x_degrees = scene.tilt_y_degrees = 0;
        scene.card_width_share = 0.8;
        scene.centre_x = i % 2 == 0 ? 0.35 : 0.65;
        scene.centre_y = 0.5;
        cards += try_scene(*state, &card, &scene).card;
    }
    assert_in_range(cards, 6, 8);
}

static void test_portrait_cards_are_found_with_their_number(void **state)
{
    int cards = 0, rows = 0;
    for (int i = 0; i < 32; i++) {
        struct gk_mint_card card;
        struct gk_mint_scene scene;
        set_up((uint64_t)(500 + i), &card, &scene);
        card.print = GK_MINT_FLAT;
        card.layout = GK_MINT_PORTRAIT;
        gk_mint_scene_fit(&card, &scene);
        struct outcome outcome = try_scene(*state, &card, &scene);
        cards += outcome.card;
        rows += outcome.row;
    }
    assert_in_range(cards, 27, 32);
    assert_in_range(rows, 28, 32);
}

static void test_four_rows_are_one_block(void **state)
{
    int blocks = 0;
    for (int i = 0; i < 8; i++) {
        struct gk_mint_card card;
        struct gk_mint_scene scene;
        struct gk_image image;
        struct truth truth;
        struct found found;
        struct gk_number_stack stacks[GK_NUMBER_STACKS_MOST];
        set_up((uint64_t)(600 + i), &card, &scene);
        card.print = GK_MINT_FLAT;
        card.layout = GK_MINT_BLOCKS;
        strcpy(card.grouping, "4-4-4-4");
        gk_mint_card_set_number(&card, "4242424242424242");
        gk_mint_scene_fit(&card, &scene);
        assert_int_equal(draw_minted(&card, &scene, &image, &truth), 0);
        look(*state, &image, &found);
        gk_image_clear(&image);
        blocks += gk_number_stacks_find(found.lines[1], found.line_counts[1], stacks) > 0 &&
                  stacks[0].row_count == 4;
    }
    assert_in_range(blocks, 6, 8);
}

/* Two photographs side by side. */
static void test_two_cards_are_two(void **state)
{
    int two = 0;
    for (int i = 0; i < 6; i++) {
        struct gk_image both, halves[2];
        struct found found;
        assert_true(gk_image_make(1280, 960, false, &both));
        for (int half = 0; half < 2; half++) {
            struct gk_mint_card card;
            struct gk_mint_scene scene;
            struct truth truth;
            set_up((uint64_t)(700 + 2 * i + half), &card, &scene);
            scene.width_px = 640;
            scene.background = GK_MINT_DESK;
            scene.seed = (uint64_t)i;
            gk_mint_scene_fit(&card, &scene);
            assert_int_equal(draw_minted(&card, &scene, &halves[half], &truth), 0);
            for (size_t y = 0; y < 960; y++) {
                memcpy(both.grey + y * 1280 + (size_t)half * 640, halves[half].grey + y * 640, 640);
            }
            gk_image_clear(&halves[half]);
        }
        look(*state, &both, &found);
        gk_image_clear(&both);
        two += found.card_count == 2 && found.cards[1].score >= GK_CARD_SCORE_SURE;
    }
    assert_in_range(two, 5, 6);
}

static void test_what_is_no_card_is_none(void **state)
{
    int none = 0;
    for (int i = 0; i < 10; i++) {
        struct gk_mint_card card;
        struct gk_mint_scene scene;
        struct gk_image image;
        struct truth truth;
        struct found found;
        gk_mint_card_random(i < 5 ? GK_MINT_NOTHING : GK_MINT_RECEIPT, NULL, (uint64_t)(800 + i), &card);
        gk_mint_scene_random(0.5, (uint64_t)(800 + i), &scene);
        scene.background = (enum gk_mint_background)(i % 5);
        assert_int_equal(draw_minted(&card, &scene, &image, &truth), 0);
        look(*state, &image, &found);
        gk_image_clear(&image);
        none += found.card_count == 0 || found.cards[0].score < GK_CARD_SCORE_SURE;
    }
    assert_in_range(none, 9, 10);
}

/* A picture that is darker towards its left and top: a strip shows which way it was cut. */
static void test_a_strip_is_upright_or_turned(void **state)
{
    (void)state;
    struct gk_image picture, strip;
    const struct gk_number_line line = {{60, 50}, {140, 50}, 10, 10, 1};
    const struct gk_framing framing = {.digit_share = 0.625};
    assert_true(gk_image_make(200, 100, false, &picture));
    for (int i = 0; i < 200 * 100; i++) {
        picture.grey[i] = (uint8_t)(i % 200 / 2 + i / 200);
    }
    for (int turned = 0; turned < 2; turned++) {
        assert_true(gk_number_line_cut(&picture, NULL, &line, turned == 1, &framing, &strip));
        assert_int_equal(strip.height_px, GK_DIGIT_STRIP_HEIGHT_PX);
        assert_int_equal(strip.width_px, (8 + 1.6) * 20);
        int first = strip.grey[0], last = strip.grey[strip.width_px * strip.height_px - 1];
        assert_int_equal(turned == 0 ? first < last : first > last, 1);
        assert_in_range(abs(turned == 0 ? last - first : first - last), 60, 66);
        gk_image_clear(&strip);
    }
    const struct gk_number_line point = {{60, 50}, {60, 50}, 10, 10, 1};
    assert_false(gk_number_line_cut(&picture, NULL, &point, false, &framing, &strip));
    gk_image_clear(&picture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cards_and_their_numbers_are_found_at_any_turn),
        cmocka_unit_test(test_cards_are_found_at_a_slant),
        cmocka_unit_test(test_small_cards_are_found),
        cmocka_unit_test(test_a_side_beyond_the_picture_is_completed),
        cmocka_unit_test(test_portrait_cards_are_found_with_their_number),
        cmocka_unit_test(test_four_rows_are_one_block),
        cmocka_unit_test(test_two_cards_are_two),
        cmocka_unit_test(test_what_is_no_card_is_none),
        cmocka_unit_test(test_a_strip_is_upright_or_turned),
    };
    return cmocka_run_group_tests(tests, load_network, free_network);
}

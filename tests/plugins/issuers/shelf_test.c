/* Cards of every plugin of the shelf, drawn after its descriptor and read with all of the shelf. How well on
 * hard ones, `./run bench shelf` says. */
#include "core/recognition/recogniser.h"
#include "tests/core/recognition/lease.h"
#include "tests/mint/issued.h"
#include "tests/plugins/issuers/shelf_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef guika_v1_internal_CompleteRecognitionRequest result_type;

static uint8_t *photograph(const struct gk_mint_card *card, const struct gk_mint_scene *scene,
                           size_t *ret_size)
{
    struct gk_mint_picture picture;
    assert_int_equal(gk_mint_draw(card, scene, &picture), 0);
    uint8_t *jpeg = gk_mint_jpeg(&picture, 88, ret_size);
    assert_non_null(jpeg);
    gk_mint_picture_clear(&picture);
    return jpeg;
}

static void read_frames(struct gk_recogniser *recogniser, const struct gk_mint_card *card,
                        const struct gk_mint_scene *scenes, size_t count, result_type *ret_result)
{
    guika_v1_Frame frames[2] = {{.picture = {NULL, 0}}};
    uint8_t *jpegs[2] = {NULL};
    for (size_t i = 0; i < count; i++) {
        size_t size;
        jpegs[i] = photograph(card, &scenes[i], &size);
        frames[i].picture = (struct gk_bytes){jpegs[i], size};
    }
    gk_recogniser_read(recogniser, frames, count, ret_result);
    for (size_t i = 0; i < count; i++) {
        free(jpegs[i]);
    }
}

static struct gk_recogniser *open_recogniser(void)
{
    const struct gk_recogniser_options options = {.issuers_directory = GUIKA_BINARY_DIR "/lib/guika/issuers"};
    struct gk_recogniser *recogniser = NULL;
    struct gk_error error;
    if (gk_recogniser_open(&options, &recogniser, &error) != GK_OK) {
        fail_msg("%s", error.message);
    }
    return recogniser;
}

/* The middle of the number lies in one of the regions that the plugin names. */
static void assert_number_lies_in_a_region(const struct guika_issuer *issuer, const struct gk_mint_card *card,
                                           const struct gk_mint_scene *scene)
{
    struct gk_mint_picture picture;
    assert_int_equal(gk_mint_draw(card, scene, &picture), 0);
    double x = (picture.digits[0].x + picture.digits[2].x) / 2,
           y = (picture.digits[0].y + picture.digits[2].y) / 2;
    bool inside = false;
    for (size_t i = 0; i < issuer->layout_count; i++) {
        for (size_t j = 0; j < issuer->layouts[i].number_count; j++) {
            const struct guika_region *at = &issuer->layouts[i].numbers[j];
            struct gk_mint_point from =
                gk_mint_picture_at(card, scene, (double)at->left_mm, (double)at->top_mm);
            struct gk_mint_point to = gk_mint_picture_at(card, scene, (double)(at->left_mm + at->width_mm),
                                                         (double)(at->top_mm + at->height_mm));
            inside = inside || (x > from.x && x < to.x && y > from.y && y < to.y);
        }
    }
    gk_mint_picture_clear(&picture);
    if (!inside) {
        fail_msg("%s: its number stands outside its regions", issuer->id);
    }
}

static void test_numbers_are_printed_where_the_plugin_says(void **state)
{
    const struct shelf *shelf = *state;
    struct gk_mint_scene scene;
    gk_mint_scene_random(0, 1, &scene);
    scene.rotation_degrees = scene.tilt_x_degrees = scene.tilt_y_degrees = 0;
    scene.width_px = 320;
    scene.height_px = 240;
    for (size_t i = 0; i < shelf->count; i++) {
        for (uint64_t seed = 0; seed < 6; seed++) {
            struct gk_mint_card card;
            assert_true(gk_mint_issue_card(shelf->issuers[i], 0, seed, &card));
            gk_mint_scene_fit(&card, &scene);
            assert_number_lies_in_a_region(shelf->issuers[i], &card, &scene);
        }
    }
}

/* Of three easy cards of each issuer, two at least; a number that is not the card's is never surer than 0.9.
 */
static void test_every_issuers_card_is_read(void **state)
{
    const struct shelf *shelf = *state;
    struct gk_recogniser *recogniser = open_recogniser();
    static result_type result;
    for (size_t i = 0; i < shelf->count; i++) {
        int right = 0;
        for (uint64_t seed = 0; seed < 3; seed++) {
            struct gk_mint_card card;
            struct gk_mint_scene scene;
            assert_true(gk_mint_issue_card(shelf->issuers[i], 0, seed, &card));
            gk_mint_scene_random(0.2, seed, &scene);
            gk_mint_scene_fit(&card, &scene);
            read_frames(recogniser, &card, &scene, 1, &result);
            bool read = result.candidates_count > 0 &&
                        strcmp(result.candidates[0].number, card.number) == 0 &&
                        strcmp(result.candidates[0].scheme, shelf->issuers[i]->scheme) == 0;
            right += read;
            assert_true(read || result.candidates_count == 0 || result.candidates[0].probability < 0.9);
        }
        if (right < 2) {
            fail_msg("%s: %d of 3 cards were read", shelf->issuers[i]->id, right);
        }
    }
    gk_recogniser_close(recogniser);
}

/* A campus numbers in a row and has no check digit: the first frame convinces, but not a full list. */
static void test_a_second_frame_makes_certain(void **state)
{
    if (LEASE_SLOWER > 1) {
        skip(); /* the reader's time is over before it comes to the second frame */
    }
    const struct guika_issuer *campus = find_issuer(*state, "guihai_campus");
    struct gk_recogniser *recogniser = open_recogniser();
    static result_type one, both;
    int tried = 0;
    for (uint64_t seed = 0; seed < 20 && tried < 2; seed++) {
        struct gk_mint_card card;
        struct gk_mint_scene scenes[2];
        assert_true(gk_mint_issue_card(campus, 0, seed, &card));
        for (uint64_t frame = 0; frame < 2; frame++) {
            gk_mint_scene_random(0.8, 2 * seed + frame, &scenes[frame]);
            gk_mint_scene_fit(&card, &scenes[frame]);
        }
        read_frames(recogniser, &card, scenes, 1, &one);
        if (one.candidates_count == 0 || one.candidates[0].probability < 0.999 ||
            one.candidates[0].probability >= 0.9999) {
            continue;
        }
        tried++;
        assert_true(one.another_frame_may_help);
        read_frames(recogniser, &card, scenes, 2, &both);
        assert_string_equal(both.candidates[0].number, card.number);
        assert_true(both.candidates[0].probability > one.candidates[0].probability);
    }
    assert_true(tried > 0);
    gk_recogniser_close(recogniser);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_are_printed_where_the_plugin_says),
        cmocka_unit_test(test_every_issuers_card_is_read),
        cmocka_unit_test(test_a_second_frame_makes_certain),
    };
    return cmocka_run_group_tests(tests, open_shelf, close_shelf);
}

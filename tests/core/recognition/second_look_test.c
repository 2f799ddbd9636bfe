#include "core/recognition/second_look.h"
#include "finder_truth.h"
#include "recognition_rig.h"
#include "tests/mint/issued.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

/* A dark row of a plain back that the finder overlooks: which ones, changes with every training. So many
 * cards, and the second look reads all that the first one does. */
#define CARDS 12

struct look {
    struct gk_candidate_list list;
    struct gk_card_sight sight;
};

static const struct guika_issuer *issuer_of(const struct rig *rig, const char *id)
{
    for (size_t i = 0; i < rig->plugin_count; i++) {
        if (strcmp(rig->issuers[i]->id, id) == 0) {
            return rig->issuers[i];
        }
    }
    fail_msg("there is no plugin %s", id);
    return NULL;
}

static double chance_of(const struct look *look, const char *number)
{
    for (size_t i = 0; i < look->list.count; i++) {
        if (strcmp(look->list.items[i].number, number) == 0) {
            return look->list.items[i].probability;
        }
    }
    return 0;
}

/* Reads a picture of the card once, and with all looks. */
static void read_both_ways(const struct gk_card_reader *reader, const struct gk_mint_card *card,
                           const struct gk_mint_scene *scene, struct look *ret_first, struct look *ret_all)
{
    struct gk_image image;
    struct truth truth;
    *ret_first = *ret_all = (struct look){.list = {.count = 0}};
    assert_int_equal(draw_minted(card, scene, &image, &truth), 0);
    gk_card_read(reader, &image, NULL, &ret_first->list, &ret_first->sight);
    gk_second_look_read(reader, &image, NULL, &ret_all->list, &ret_all->sight);
    gk_image_clear(&image);
}

static void test_what_a_first_look_reads_is_left_alone_and_more_is_read(void **state)
{
    const struct rig *rig = *state;
    const struct gk_card_reader reader = rig_reader(rig);
    int first_read = 0, second_read = 0;
    for (uint64_t seed = 0; seed < CARDS; seed++) {
        struct gk_mint_card card;
        struct gk_mint_scene scene;
        struct look first, second;
        assert_true(gk_mint_issue_card(issuer_of(rig, "oyster"), 0, seed, &card));
        gk_mint_scene_random(0.4, seed, &scene);
        gk_mint_scene_fit(&card, &scene);
        read_both_ways(&reader, &card, &scene, &first, &second);
        assert_true(chance_of(&second, card.number) >= chance_of(&first, card.number) ||
                    chance_of(&first, card.number) < 0.5);
        first_read += chance_of(&first, card.number) >= 0.9;
        second_read += chance_of(&second, card.number) >= 0.9;
        assert_true(second.sight.card_found || !first.sight.card_found);
    }
    assert_true(second_read >= first_read && second_read >= CARDS * 3 / 4);
}

/* A card of an eighth of the frame's width in the dark, which the whole picture hardly shows. */
static void test_a_card_that_is_small_in_the_picture_is_read_from_closer_by(void **state)
{
    const struct rig *rig = *state;
    const struct gk_card_reader reader = rig_reader(rig);
    int first_read = 0, second_read = 0;
    for (uint64_t seed = 0; seed < CARDS; seed++) {
        struct gk_mint_card card;
        struct gk_mint_scene scene;
        struct look first, second;
        gk_mint_card_random(GK_MINT_PAYMENT, NULL, seed, &card);
        gk_mint_scene_random(0.2, seed, &scene);
        scene.width_px = 2400;
        scene.height_px = 1800;
        scene.card_width_share = 0.13;
        read_both_ways(&reader, &card, &scene, &first, &second);
        first_read += chance_of(&first, card.number) > 0.5;
        second_read += chance_of(&second, card.number) > 0.5;
    }
    assert_true(second_read > first_read);
}

static void test_two_looks_at_one_light_do_not_strengthen_each_other(void **state)
{
    const struct rig *rig = *state;
    const struct gk_card_reader reader = rig_reader(rig);
    struct gk_image black;
    struct look look = {.list = {.count = 0}};
    assert_true(gk_image_make(320, 240, false, &black));
    memset(black.grey, 0, (size_t)320 * 240);
    /* What earlier frames said is kept as it is. */
    look.list.items[0] = (struct gk_candidate){.number = "012345678901", .probability = 0.4};
    look.list.count = look.list.places = 1;
    gk_second_look_read(&reader, &black, NULL, &look.list, &look.sight);
    gk_image_clear(&black);
    assert_int_equal(look.list.count, 1);
    assert_true(look.list.items[0].probability == 0.4);
    assert_false(look.sight.glare);
}

static void test_a_picture_of_a_few_pixels_is_looked_at_without_harm(void **state)
{
    const struct rig *rig = *state;
    const struct gk_card_reader reader = rig_reader(rig);
    static const int sizes[][2] = {{1, 1}, {2, 1}, {1, 40}, {20, 20}, {64, 48}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct gk_image image;
        struct look look = {.list = {.count = 0}};
        assert_true(gk_image_make(sizes[i][0], sizes[i][1], false, &image));
        memset(image.grey, 200, (size_t)image.width_px * (size_t)image.height_px);
        gk_second_look_read(&reader, &image, NULL, &look.list, &look.sight);
        gk_image_clear(&image);
        assert_int_equal(look.list.count, 0);
    }
}

static void test_nothing_is_read_where_no_card_is(void **state)
{
    const struct rig *rig = *state;
    const struct gk_card_reader reader = rig_reader(rig);
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct gk_mint_card nothing;
        struct gk_mint_scene scene;
        struct gk_image image;
        struct truth truth;
        struct look look = {.list = {.count = 0}};
        gk_mint_card_random(GK_MINT_NOTHING, NULL, seed, &nothing);
        gk_mint_scene_random(0.5, seed, &scene);
        assert_int_equal(draw_minted(&nothing, &scene, &image, &truth), 0);
        gk_second_look_read(&reader, &image, NULL, &look.list, &look.sight);
        gk_image_clear(&image);
        assert_true(look.list.count == 0 || look.list.items[0].probability < 0.5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_first_look_reads_is_left_alone_and_more_is_read),
        cmocka_unit_test(test_a_card_that_is_small_in_the_picture_is_read_from_closer_by),
        cmocka_unit_test(test_two_looks_at_one_light_do_not_strengthen_each_other),
        cmocka_unit_test(test_a_picture_of_a_few_pixels_is_looked_at_without_harm),
        cmocka_unit_test(test_nothing_is_read_where_no_card_is),
    };
    return cmocka_run_group_tests(tests, rig_open, rig_close);
}

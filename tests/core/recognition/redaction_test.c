/* What a kept picture shows and hides, on minted cards whose place is known. */
#include "core/recognition/redaction.h"
#include "tests/mint/mint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct guika_region portrait_region[] = {{50.0f, 5.0f, 30.0f, 36.0f}};
static const struct guika_region code_region[] = {{40.0f, 20.0f, 20.0f, 10.0f}};
static const struct guika_layout layouts[] = {
    {.name = "front", .side = GUIKA_SIDE_FRONT, .redact = portrait_region, .redact_count = 1},
    {.name = "back", .side = GUIKA_SIDE_BACK, .redact = code_region, .redact_count = 1}};
static const struct guika_issuer issuer = {.id = "both", .layouts = layouts, .layout_count = 2};
static const struct guika_issuer front_only = {.id = "front", .layouts = layouts, .layout_count = 1};

/* A photographed resident ID, and a sight of it as a reader would have it. */
struct photograph {
    uint8_t *data;
    size_t size;
    struct gk_card_sight sight;
};

static struct gk_quad quad_of(const struct gk_mint_point *corners)
{
    struct gk_quad quad;
    for (int i = 0; i < 4; i++) {
        quad.corner[i] = (struct gk_point){corners[i].x, corners[i].y};
    }
    return quad;
}

static int photograph_card(void **state)
{
    static struct photograph photograph;
    struct gk_mint_card card;
    struct gk_mint_scene scene;
    struct gk_mint_picture picture;
    gk_mint_card_random(GK_MINT_ID, NULL, 5, &card);
    gk_mint_scene_random(0, 5, &scene);
    scene.tilt_y_degrees = 12;
    gk_mint_scene_fit(&card, &scene);
    assert_int_equal(gk_mint_draw(&card, &scene, &picture), 0);
    FILE *stream = open_memstream((char **)&photograph.data, &photograph.size);
    assert_non_null(stream);
    assert_int_equal(gk_mint_write_jpeg(stream, &picture, 90), 0);
    fclose(stream);
    struct gk_quad card_quad = quad_of(picture.quad);
    photograph.sight = (struct gk_card_sight){.card_found = true, .row_count = 1};
    photograph.sight.rows[0] = quad_of(picture.digits);
    assert_true(
        gk_homography_from_quad(&card_quad, GK_CARD_WIDTH_PX, GK_CARD_HEIGHT_PX, &photograph.sight.view));
    gk_mint_picture_clear(&picture);
    *state = &photograph;
    return 0;
}

static int free_photograph(void **state)
{
    free(((struct photograph *)*state)->data);
    return 0;
}

/* The share of a region (millimetres) that shows nothing but the grey of what is hidden. */
static double hidden_share(const struct gk_image *card, double left, double top, double right, double bottom)
{
    int hidden = 0, all = 0;
    for (int y = (int)(top * GK_CARD_PX_PER_MM); y < (int)(bottom * GK_CARD_PX_PER_MM); y++) {
        for (int x = (int)(left * GK_CARD_PX_PER_MM); x < (int)(right * GK_CARD_PX_PER_MM); x++) {
            hidden += abs(card->grey[y * card->width_px + x] - 0x60) <= 3;
            all++;
        }
    }
    return (double)hidden / all;
}

/* Makes the picture and decodes it; false where none may be kept. */
static bool make(const struct photograph *photograph, const struct gk_card_sight *sight,
                 const struct gk_redaction *redaction, struct gk_picture *ret_picture)
{
    uint8_t *jpeg = NULL;
    size_t size = 0;
    if (!gk_redaction_make(photograph->data, photograph->size, sight, redaction, &jpeg, &size)) {
        return false;
    }
    assert_int_equal(gk_picture_decode(jpeg, size, ret_picture, NULL), GK_OK);
    free(jpeg);
    return true;
}

static void test_unread_front_shows_its_rows_of_figures_and_nothing_else(void **state)
{
    const struct photograph *photograph = *state;
    const struct gk_redaction front = {.front = true};
    struct gk_picture picture;
    assert_true(make(photograph, &photograph->sight, &front, &picture));
    /* Name, address, birth, portrait: all that lies above the number. */
    assert_true(hidden_share(&picture.image, 0, 0, 85, 41) > 0.99);
    double y = GK_MINT_ID_NUMBER_Y_MM;
    assert_true(hidden_share(&picture.image, 32, y - 1.4, 70, y + 1.4) < 0.1);
    gk_picture_clear(&picture);
}

static void test_unread_front_without_figures_is_not_kept(void **state)
{
    const struct photograph *photograph = *state;
    const struct gk_redaction front = {.front = true};
    struct gk_card_sight sight = photograph->sight;
    struct gk_picture picture;
    sight.row_count = 0;
    assert_false(make(photograph, &sight, &front, &picture));
    /* Nor where what was read lies beside the card. */
    sight.row_count = 1;
    for (int i = 0; i < 4; i++) {
        sight.rows[0].corner[i] = (struct gk_point){-500 + 10 * (i % 2), -500 + 10 * (i / 2)};
    }
    assert_false(make(photograph, &sight, &front, &picture));
}

static void test_what_may_be_an_unrecognised_back_is_never_kept(void **state)
{
    const struct photograph *photograph = *state;
    const struct guika_issuer *issuers[] = {&front_only};
    struct gk_card_sight sight = photograph->sight;
    struct gk_picture picture;
    assert_false(make(photograph, &sight, &(struct gk_redaction){.back = true}, &picture));
    assert_false(make(photograph, &sight, &(struct gk_redaction){.front = true, .back = true}, &picture));
    /* A number was read on it, but its issuer does not say what the back shows. */
    sight.position_known = true;
    assert_false(make(photograph, &sight, &(struct gk_redaction){issuers, 1, .back = true}, &picture));
}

static void test_recognised_card_hides_what_its_layouts_name(void **state)
{
    const struct photograph *photograph = *state;
    const struct guika_issuer *issuers[] = {&issuer};
    struct gk_card_sight sight = photograph->sight;
    struct gk_picture picture;
    sight.position_known = true;
    assert_true(make(photograph, &sight, &(struct gk_redaction){issuers, 1, .front = true}, &picture));
    assert_true(hidden_share(&picture.image, 51, 6, 79, 40) > 0.99);
    assert_true(hidden_share(&picture.image, 2, 6, 39, 40) < 0.2);
    gk_picture_clear(&picture);
    /* Of a face that may be either, both layouts hide. */
    assert_true(
        make(photograph, &sight, &(struct gk_redaction){issuers, 1, .front = true, .back = true}, &picture));
    assert_true(hidden_share(&picture.image, 41, 21, 59, 29) > 0.99);
    gk_picture_clear(&picture);
}

static void test_layout_of_another_orientation_describes_nothing(void **state)
{
    static const struct guika_layout upright[] = {
        {.name = "portrait", .side = GUIKA_SIDE_FRONT, .portrait = true}};
    static const struct guika_issuer tall = {.id = "tall", .layouts = upright, .layout_count = 1};
    const struct guika_issuer *issuers[] = {&tall};
    const struct photograph *photograph = *state;
    struct gk_card_sight sight = photograph->sight;
    struct gk_picture picture;
    sight.position_known = true;
    assert_true(make(photograph, &sight, &(struct gk_redaction){issuers, 1, .front = true}, &picture));
    assert_true(hidden_share(&picture.image, 0, 0, 85, 41) > 0.99);
    gk_picture_clear(&picture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unread_front_shows_its_rows_of_figures_and_nothing_else),
        cmocka_unit_test(test_unread_front_without_figures_is_not_kept),
        cmocka_unit_test(test_what_may_be_an_unrecognised_back_is_never_kept),
        cmocka_unit_test(test_recognised_card_hides_what_its_layouts_name),
        cmocka_unit_test(test_layout_of_another_orientation_describes_nothing),
    };
    return cmocka_run_group_tests(tests, photograph_card, free_photograph);
}

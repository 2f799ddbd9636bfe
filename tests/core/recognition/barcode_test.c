/* Bar codes of minted cards, photographed and rectified. */
#include "core/recognition/barcode.h"

#include "core/recognition/rectify.h"
#include "core/recognition/rules.h"
#include "tests/mint/mint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

static int open_reader(void **state)
{
    struct gk_barcode_reader *reader = NULL;
    struct gk_error error = {0};
    if (gk_barcode_reader_open(&reader, &error) != GK_OK) {
        fail_msg("%s", error.message);
    }
    *state = reader;
    return 0;
}

static int close_reader(void **state)
{
    gk_barcode_reader_close(*state);
    return 0;
}

/* Draws the card in the scene and reads its codes through the true corners. */
static size_t read_codes(struct gk_barcode_reader *reader, const struct gk_mint_card *card,
                         const struct gk_mint_scene *scene, struct gk_barcode *ret_codes)
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
    size_t count = gk_barcodes_read(reader, &rectified, ret_codes);
    gk_image_clear(&rectified);
    gk_image_clear(&image);
    gk_mint_picture_clear(&picture);
    return count;
}

static struct gk_mint_card card_with(enum gk_mint_kind kind, enum gk_mint_barcode barcode, uint64_t seed)
{
    struct gk_mint_card card;
    gk_mint_card_random(kind, NULL, seed, &card);
    card.barcode = barcode;
    return card;
}

static struct gk_mint_scene scene_of(const struct gk_mint_card *card, uint64_t seed, double rotation_degrees)
{
    struct gk_mint_scene scene;
    gk_mint_scene_random(0, seed, &scene);
    scene.tilt_x_degrees = (double)(seed % 31) - 15;
    scene.tilt_y_degrees = (double)(seed * 7 % 31) - 15;
    scene.rotation_degrees = rotation_degrees;
    gk_mint_scene_fit(card, &scene);
    return scene;
}

static void test_codes_of_tilted_and_turned_cards_are_read(void **state)
{
    static const enum gk_mint_kind card_kinds[] = {GK_MINT_CAMPUS, GK_MINT_PARKING};
    int read = 0;
    for (uint64_t seed = 0; seed < 16; seed++) {
        enum gk_mint_barcode barcode = seed / 2 % 2 == 0 ? GK_MINT_BARCODE_CODE128 : GK_MINT_BARCODE_QR;
        struct gk_mint_card card = card_with(card_kinds[seed % 2], barcode, 300 + seed);
        struct gk_mint_scene scene = scene_of(&card, 300 + seed, (double)seed * 67);
        struct gk_barcode codes[GK_BARCODES_MOST];
        size_t count = read_codes(*state, &card, &scene, codes);
        for (size_t i = 0; i < count; i++) {
            assert_string_equal(codes[i].text, card.number);
            assert_false(codes[i].is_part);
            assert_int_equal(codes[i].symbology,
                             barcode == GK_MINT_BARCODE_QR ? GK_BARCODE_QR : GK_BARCODE_CODE128);
        }
        read += count == 1;
    }
    assert_in_range(read, 15, 16);
}

static void test_number_in_an_address_is_offered_as_a_part(void **state)
{
    struct gk_mint_card card = card_with(GK_MINT_CAMPUS, GK_MINT_BARCODE_QR, 7);
    snprintf(card.barcode_text, sizeof card.barcode_text, "https://card.example/c?n=%s&v=2", card.number);
    struct gk_mint_scene scene = scene_of(&card, 7, 10);
    struct gk_barcode codes[GK_BARCODES_MOST];
    assert_int_equal(read_codes(*state, &card, &scene, codes), 2);
    assert_string_equal(codes[0].text, card.barcode_text);
    assert_false(codes[0].is_part);
    assert_string_equal(codes[1].text, card.number);
    assert_true(codes[1].is_part);
}

static void test_letters_before_the_number_are_told_apart(void **state)
{
    struct gk_mint_card card = card_with(GK_MINT_PARKING, GK_MINT_BARCODE_CODE128, 8);
    strcpy(card.barcode_text, "LIB-00417723");
    struct gk_mint_scene scene = scene_of(&card, 8, 180);
    struct gk_barcode codes[GK_BARCODES_MOST];
    char number[GK_NUMBER_SIZE];
    assert_int_equal(read_codes(*state, &card, &scene, codes), 2);
    assert_int_equal(gk_rules_canonical(codes[0].text, number), 11);
    assert_string_equal(number, "LIB00417723");
    assert_string_equal(codes[1].text, "00417723");
    assert_true(codes[1].is_part);
}

static void test_cards_without_a_code_give_none(void **state)
{
    static const enum gk_mint_kind card_kinds[] = {GK_MINT_PAYMENT, GK_MINT_ID, GK_MINT_TRANSIT,
                                                   GK_MINT_CAMPUS};
    for (uint64_t seed = 0; seed < 12; seed++) {
        struct gk_mint_card card = card_with(card_kinds[seed % 4], GK_MINT_BARCODE_NONE, 40 + seed);
        struct gk_mint_scene scene = scene_of(&card, 40 + seed, (double)seed * 31);
        struct gk_barcode codes[GK_BARCODES_MOST];
        assert_int_equal(read_codes(*state, &card, &scene, codes), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes_of_tilted_and_turned_cards_are_read),
        cmocka_unit_test(test_number_in_an_address_is_offered_as_a_part),
        cmocka_unit_test(test_letters_before_the_number_are_told_apart),
        cmocka_unit_test(test_cards_without_a_code_give_none),
    };
    return cmocka_run_group_tests(tests, open_reader, close_reader);
}

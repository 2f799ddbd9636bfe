/* The mint: valid numbers, true corners, the same bytes from the same seed. */
#include "tests/mint/mint.h"
#include "tests/mint/strip.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void test_check_digits_match_published_numbers(void **state)
{
    (void)state;
    assert_int_equal(gk_mint_luhn_digit("424242424242424"), '2');
    assert_int_equal(gk_mint_luhn_digit("37828224631000"), '5');
    assert_int_equal(gk_mint_octopus_digit("102012507"), '0');
    assert_int_equal(gk_mint_octopus_digit("102012508"), '9');
    assert_int_equal(gk_mint_resident_id_check("11010519491231002"), 'X');
    assert_int_equal(gk_mint_resident_id_check("44052418800101001"), '4');
}

static void test_random_cards_carry_valid_numbers(void **state)
{
    (void)state;
    struct gk_mint_card card;
    for (uint64_t seed = 0; seed < 300; seed++) {
        gk_mint_card_random(GK_MINT_PAYMENT, NULL, seed, &card);
        assert_string_equal(gk_mint_check_word(&card), "luhn_ok");
        assert_true(strlen(card.number) >= 14 && strlen(card.number) <= 19);
        gk_mint_card_random(GK_MINT_TRANSIT, "octopus", seed, &card);
        assert_string_equal(gk_mint_check_word(&card), "octopus_ok");
        gk_mint_card_random(GK_MINT_TRANSIT, "tunion", seed, &card);
        assert_string_equal(gk_mint_check_word(&card), "luhn_ok");
        assert_int_equal(strlen(card.number), 19);
        gk_mint_card_random(GK_MINT_ID, NULL, seed, &card);
        assert_string_equal(gk_mint_check_word(&card), "iso7064_ok");
        gk_mint_card_random(GK_MINT_CAMPUS, NULL, seed, &card);
        assert_int_equal(strlen(card.number), 10);
    }
}

static void test_brand_is_kept_and_unionpay_has_both_lengths(void **state)
{
    (void)state;
    struct gk_mint_card card;
    int seen16 = 0, seen19 = 0;
    const char *brand;
    for (size_t i = 0; (brand = gk_mint_brand_name(GK_MINT_PAYMENT, i)) != NULL; i++) {
        gk_mint_card_random(GK_MINT_PAYMENT, brand, i, &card);
        assert_string_equal(card.brand, brand);
    }
    for (uint64_t seed = 0; seed < 50; seed++) {
        gk_mint_card_random(GK_MINT_PAYMENT, "unionpay", seed, &card);
        assert_memory_equal(card.number, "62", 2);
        seen16 += strlen(card.number) == 16;
        seen19 += strlen(card.number) == 19;
    }
    assert_true(seen16 > 0 && seen19 > 0);
    assert_int_equal(seen16 + seen19, 50);
}

static void test_a_changed_digit_fails_its_check(void **state)
{
    (void)state;
    struct gk_mint_card card;
    gk_mint_card_random(GK_MINT_PAYMENT, "visa", 5, &card);
    card.number[7] = (char)('0' + (card.number[7] - '0' + 1) % 10);
    assert_string_equal(gk_mint_check_word(&card), "luhn_bad");
    gk_mint_card_random(GK_MINT_ID, NULL, 5, &card);
    card.number[7] = (char)('0' + (card.number[7] - '0' + 1) % 10);
    assert_string_equal(gk_mint_check_word(&card), "iso7064_bad");
}

static void test_printed_number_follows_the_grouping(void **state)
{
    (void)state;
    char text[64];
    struct gk_mint_card card = {.number = "1020125070", .grouping = "9(1)"};
    gk_mint_printed_number(&card, text);
    assert_string_equal(text, "102012507(0)");
    strcpy(card.number, "378282246310005");
    strcpy(card.grouping, "4-6-5");
    gk_mint_printed_number(&card, text);
    assert_string_equal(text, "3782 822463 10005");
    strcpy(card.number, "6212345678901234560");
    strcpy(card.grouping, "6-13");
    gk_mint_printed_number(&card, text);
    assert_string_equal(text, "621234 5678901234560");
    strcpy(card.grouping, "4");
    gk_mint_printed_number(&card, text);
    assert_string_equal(text, "6212345678901234560");
}

static void test_a_given_number_chooses_brand_and_grouping(void **state)
{
    (void)state;
    struct gk_mint_card card;
    gk_mint_card_random(GK_MINT_PAYMENT, "visa", 1, &card);
    assert_int_equal(gk_mint_card_set_number(&card, "378282246310005"), 0);
    assert_string_equal(card.brand, "amex");
    assert_string_equal(card.grouping, "4-6-5");
    assert_int_equal(gk_mint_card_set_number(&card, "4242424242424242"), 0);
    assert_string_equal(card.brand, "visa");
    assert_string_equal(card.grouping, "4-4-4-4");
    assert_int_equal(gk_mint_card_set_number(&card, "9999999999999999999"), 0);
    assert_string_equal(card.brand, "visa");
    assert_int_equal(gk_mint_card_set_number(&card, "4242 4242"), -1);
    assert_string_equal(card.number, "9999999999999999999");
    gk_mint_card_random(GK_MINT_TRANSIT, "octopus", 1, &card);
    assert_int_equal(gk_mint_card_set_number(&card, "1020125070"), 0);
    assert_string_equal(card.grouping, "9(1)");
}

static void small_scene(double difficulty, uint64_t seed, struct gk_mint_scene *ret_scene)
{
    gk_mint_scene_random(difficulty, seed, ret_scene);
    ret_scene->width_px = 400;
    ret_scene->height_px = 300;
}

static void test_same_seed_gives_the_same_pixels(void **state)
{
    (void)state;
    struct gk_mint_card card;
    struct gk_mint_scene scene;
    struct gk_mint_picture first, second, other;
    gk_mint_card_random(GK_MINT_PAYMENT, NULL, 11, &card);
    card.print = GK_MINT_EMBOSSED;
    small_scene(1, 12, &scene);
    assert_int_equal(gk_mint_draw(&card, &scene, &first), 0);
    assert_int_equal(gk_mint_draw(&card, &scene, &second), 0);
    assert_memory_equal(first.rgb, second.rgb, 400 * 300 * 3);
    scene.seed++;
    assert_int_equal(gk_mint_draw(&card, &scene, &other), 0);
    assert_memory_not_equal(first.rgb, other.rgb, 400 * 300 * 3);
    gk_mint_picture_clear(&first);
    gk_mint_picture_clear(&second);
    gk_mint_picture_clear(&other);
}

static void test_every_kind_print_and_layout_draws(void **state)
{
    (void)state;
    struct gk_mint_scene scene;
    struct gk_mint_card card;
    for (int kind = GK_MINT_PAYMENT; kind <= GK_MINT_NOTHING; kind++) {
        for (int variant = 0; variant < (kind == GK_MINT_PAYMENT ? 6 : 1); variant++) {
            struct gk_mint_picture picture;
            gk_mint_card_random((enum gk_mint_kind)kind, NULL, (uint64_t)variant, &card);
            card.print = variant < 4 ? GK_MINT_FLAT : GK_MINT_EMBOSSED;
            card.layout = (enum gk_mint_layout)(variant % 4);
            small_scene(0.6, (uint64_t)(kind * 10 + variant), &scene);
            assert_int_equal(gk_mint_draw(&card, &scene, &picture), 0);
            bool is_card = kind != GK_MINT_RECEIPT && kind != GK_MINT_NOTHING;
            assert_int_equal(picture.quad[1].x != 0, is_card);
            assert_int_equal(picture.digits[1].x != 0, is_card);
            gk_mint_picture_clear(&picture);
        }
    }
}

/* Twice the area, positive when the corners run clockwise as seen. */
static double area(const struct gk_mint_point *quad)
{
    double sum = 0;
    for (int i = 0; i < 4; i++) {
        sum += quad[i].x * quad[(i + 1) % 4].y - quad[(i + 1) % 4].x * quad[i].y;
    }
    return sum;
}

static bool is_inside(const struct gk_mint_point *quad, struct gk_mint_point p)
{
    for (int i = 0; i < 4; i++) {
        struct gk_mint_point a = quad[i], b = quad[(i + 1) % 4];
        if ((b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x) < 0) {
            return false;
        }
    }
    return true;
}

static void test_corners_lie_in_the_frame_and_around_the_number(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 12; seed++) {
        struct gk_mint_card card;
        struct gk_mint_scene scene;
        struct gk_mint_picture picture;
        gk_mint_card_random(GK_MINT_PAYMENT, NULL, seed, &card);
        small_scene(1, seed, &scene);
        gk_mint_scene_fit(&card, &scene);
        assert_int_equal(gk_mint_draw(&card, &scene, &picture), 0);
        assert_true(area(picture.quad) > 400);
        for (int i = 0; i < 4; i++) {
            assert_true(picture.quad[i].x >= 0 && picture.quad[i].x <= 400);
            assert_true(picture.quad[i].y >= 0 && picture.quad[i].y <= 300);
            assert_true(is_inside(picture.quad, picture.digits[i]));
        }
        gk_mint_picture_clear(&picture);
    }
}

static void plain_scene(double rotation_degrees, struct gk_mint_scene *ret_scene)
{
    *ret_scene = (struct gk_mint_scene){.width_px = 1000,
                                        .height_px = 800,
                                        .card_width_share = 0.856,
                                        .centre_x = 0.5,
                                        .centre_y = 0.5,
                                        .rotation_degrees = rotation_degrees,
                                        .brightness = 1};
}

static void assert_point(struct gk_mint_point point, double x, double y)
{
    assert_true(fabs(point.x - x) < 0.01);
    assert_true(fabs(point.y - y) < 0.01);
}

/* At ten pixels a millimetre the corners are known by hand. */
static void test_corners_follow_the_rotation(void **state)
{
    (void)state;
    struct gk_mint_card card = {.kind = GK_MINT_PAYMENT};
    struct gk_mint_scene scene;
    struct gk_mint_picture picture;
    plain_scene(0, &scene);
    assert_int_equal(gk_mint_draw(&card, &scene, &picture), 0);
    assert_point(picture.quad[0], 72, 130.1);
    assert_point(picture.quad[2], 928, 669.9);
    gk_mint_picture_clear(&picture);
    plain_scene(180, &scene);
    assert_int_equal(gk_mint_draw(&card, &scene, &picture), 0);
    assert_point(picture.quad[0], 928, 669.9);
    gk_mint_picture_clear(&picture);
    plain_scene(90, &scene);
    assert_point(gk_mint_picture_at(&card, &scene, 0, 0), 769.9, -28);
}

static void test_a_tilt_makes_the_far_edge_shorter(void **state)
{
    (void)state;
    struct gk_mint_card card = {.kind = GK_MINT_PAYMENT};
    struct gk_mint_scene scene;
    plain_scene(0, &scene);
    scene.tilt_x_degrees = 30;
    double top = gk_mint_picture_at(&card, &scene, GK_MINT_CARD_WIDTH_MM, 0).x;
    double bottom = gk_mint_picture_at(&card, &scene, GK_MINT_CARD_WIDTH_MM, GK_MINT_CARD_HEIGHT_MM).x;
    assert_true(top < 928 && bottom > 928);
}

/* A white tray around a dark card: the drawn edge lies where the corners say. */
static void test_card_is_drawn_where_its_corners_are(void **state)
{
    (void)state;
    struct gk_mint_scene scene;
    struct gk_mint_picture with, without;
    struct gk_mint_card card = {.kind = GK_MINT_ID, .seed = 3}, nothing = {.kind = GK_MINT_NOTHING};
    plain_scene(0, &scene);
    assert_int_equal(gk_mint_draw(&card, &scene, &with), 0);
    assert_int_equal(gk_mint_draw(&nothing, &scene, &without), 0);
    const uint8_t *row = with.rgb + 400 * 3000, *bare = without.rgb + 400 * 3000;
    assert_int_equal(memcmp(row, bare, 30 * 3), 0);
    assert_int_not_equal(memcmp(row + 74 * 3, bare + 74 * 3, 30 * 3), 0);
    assert_int_not_equal(memcmp(row + 895 * 3, bare + 895 * 3, 30 * 3), 0);
    assert_int_equal(memcmp(row + 960 * 3, bare + 960 * 3, 30 * 3), 0);
    gk_mint_picture_clear(&with);
    gk_mint_picture_clear(&without);
}

/* Pixels of two pictures of 400 x 300 that differ by more than `levels`. */
static int count_apart(const struct gk_mint_picture *first, const struct gk_mint_picture *second, int levels)
{
    int apart = 0;
    for (int i = 0; i < 400 * 300; i++) {
        apart += abs(first->rgb[i * 3 + 1] - second->rgb[i * 3 + 1]) > levels;
    }
    return apart;
}

static void test_bar_code_changes_nothing_beside_its_field(void **state)
{
    (void)state;
    struct gk_mint_card card;
    struct gk_mint_scene scene;
    struct gk_mint_picture without, with;
    gk_mint_card_random(GK_MINT_PARKING, NULL, 3, &card);
    small_scene(0, 3, &scene);
    assert_int_equal(gk_mint_draw(&card, &scene, &without), 0);
    card.barcode = GK_MINT_BARCODE_QR;
    assert_int_equal(gk_mint_draw(&card, &scene, &with), 0);
    /* The field is 11 x 11 mm of 85.60 x 53.98, and the card at most 0.85 of the frame wide. */
    assert_in_range(count_apart(&without, &with, 0), 300, 1800);
    struct gk_mint_point end = gk_mint_picture_at(&card, &scene, 61, 39);
    assert_memory_equal(without.rgb, with.rgb, 400 * (size_t)(end.y - 4) * 3);
    gk_mint_picture_clear(&without);
    gk_mint_picture_clear(&with);
}

static void test_opposite_lamp_differs_in_light_and_noise_alone(void **state)
{
    (void)state;
    struct gk_mint_card card;
    struct gk_mint_scene left, right, back;
    struct gk_mint_picture first, second;
    gk_mint_card_random(GK_MINT_CAMPUS, NULL, 4, &card);
    small_scene(0, 4, &left);
    left.lamp = GK_MINT_LAMP_LEFT;
    left.light_degrees = 180;
    left.light_strength = 0; /* without a lamp's share only the noise is left, and the shadow at the edges */
    gk_mint_scene_opposite_lamp(&left, &right);
    assert_int_equal(right.lamp, GK_MINT_LAMP_RIGHT);
    assert_true(right.light_degrees == 360);
    gk_mint_scene_opposite_lamp(&right, &back);
    assert_int_equal(back.lamp, GK_MINT_LAMP_LEFT);
    assert_int_equal(gk_mint_draw(&card, &left, &first), 0);
    assert_int_equal(gk_mint_draw(&card, &right, &second), 0);
    assert_in_range(count_apart(&first, &second, 0), 400 * 300 / 2, 400 * 300);
    assert_in_range(count_apart(&first, &second, 12), 0, 400 * 300 / 30);
    gk_mint_picture_clear(&first);
    gk_mint_picture_clear(&second);
}

static void test_issued_card_has_its_number_in_its_window(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        struct gk_mint_card card = {.kind = GK_MINT_ISSUED,
                                    .portrait = i % 2 == 1,
                                    .window = {4, 30, 45, i < 4 ? 8 : 30},
                                    .hidden = {{4, 12, 8, 6}, {30, 8, 12, 16}},
                                    .hidden_count = 2,
                                    .barcode = GK_MINT_BARCODE_CODE128,
                                    .seed = i};
        const struct gk_mint_window *window = &card.window;
        struct gk_mint_scene scene;
        struct gk_mint_picture picture;
        strcpy(card.number, "77100012341");
        strcpy(card.grouping, "3-4-4");
        strcpy(card.issuer, "North");
        card.print = i % 3 == 0 ? GK_MINT_EMBOSSED : GK_MINT_FLAT;
        gk_mint_scene_random(0, i, &scene);
        gk_mint_scene_fit(&card, &scene);
        assert_int_equal(gk_mint_draw(&card, &scene, &picture), 0);
        struct gk_mint_point from = gk_mint_picture_at(&card, &scene, window->left_mm, window->top_mm);
        struct gk_mint_point to = gk_mint_picture_at(&card, &scene, window->left_mm + window->width_mm,
                                                     window->top_mm + window->height_mm);
        assert_true(picture.digits[0].x > from.x - 2 && picture.digits[0].y > from.y - 2);
        assert_true(picture.digits[2].x < to.x + 2 && picture.digits[2].y < to.y + 2);
        gk_mint_picture_clear(&picture);
    }
}

static void test_values_out_of_range_are_refused(void **state)
{
    (void)state;
    struct gk_mint_card card = {.kind = GK_MINT_PAYMENT},
                        transit = {.kind = GK_MINT_TRANSIT, .print = GK_MINT_EMBOSSED};
    struct gk_mint_scene scene;
    struct gk_mint_picture picture = {0};
    plain_scene(0, &scene);
    assert_int_equal(gk_mint_draw(&transit, &scene, &picture), -1);
    card.barcode = GK_MINT_BARCODE_CODE128; /* on no payment card, and not without a text */
    assert_int_equal(gk_mint_draw(&card, &scene, &picture), -1);
    struct gk_mint_card parking = {.kind = GK_MINT_PARKING, .barcode = GK_MINT_BARCODE_QR};
    assert_int_equal(gk_mint_draw(&parking, &scene, &picture), -1);
    card.barcode = GK_MINT_BARCODE_NONE;
    scene.tilt_x_degrees = 61;
    assert_int_equal(gk_mint_draw(&card, &scene, &picture), -1);
    plain_scene(NAN, &scene);
    assert_int_equal(gk_mint_draw(&card, &scene, &picture), -1);
    plain_scene(0, &scene);
    scene.width_px = 0;
    assert_int_equal(gk_mint_draw(&card, &scene, &picture), -1);
    assert_null(picture.rgb);
}

static void test_pictures_are_written_as_jpeg_and_png(void **state)
{
    (void)state;
    struct gk_mint_scene scene;
    struct gk_mint_picture picture;
    struct gk_mint_card card = {.kind = GK_MINT_NOTHING};
    char *bytes = NULL;
    size_t size = 0;
    small_scene(0, 1, &scene);
    assert_int_equal(gk_mint_draw(&card, &scene, &picture), 0);
    FILE *stream = open_memstream(&bytes, &size);
    assert_int_equal(gk_mint_write_jpeg(stream, &picture, 88), 0);
    fclose(stream);
    assert_true(size > 1000);
    assert_memory_equal(bytes, "\xff\xd8\xff", 3);
    free(bytes);
    stream = open_memstream(&bytes, &size);
    assert_int_equal(gk_mint_write_png(stream, &picture), 0);
    fclose(stream);
    assert_memory_equal(bytes, "\x89PNG", 4);
    free(bytes);
    gk_mint_picture_clear(&picture);
}

static size_t count_tabs(const char *text)
{
    size_t tabs = 0;
    for (; *text != '\0'; text++) {
        tabs += *text == '\t';
    }
    return tabs;
}

static void test_manifest_has_the_columns_of_the_corpus(void **state)
{
    (void)state;
    struct gk_mint_card card;
    struct gk_mint_scene scene;
    struct gk_mint_picture picture = {
        .width_px = 640, .height_px = 480, .quad = {{1, 2}, {3, 4}, {5, 6}, {7.25, 8}}};
    char *text = NULL;
    size_t size = 0;
    gk_mint_card_random(GK_MINT_TRANSIT, "octopus", 1, &card);
    strcpy(card.number, "1020125070");
    small_scene(0, 1, &scene);
    FILE *stream = open_memstream(&text, &size);
    assert_int_equal(gk_mint_write_manifest_header(stream), 0);
    assert_int_equal(gk_mint_write_manifest_line(stream, "a.jpg", &card, &scene, &picture), 0);
    fclose(stream);
    char *line = strchr(text, '\n') + 1;
    line[-1] = '\0';
    assert_string_equal(text, "file\tkind\tissuer\tnumber\tcheck\tprint\tcapture\twidth\theight\tnotes");
    assert_int_equal(count_tabs(line), 9);
    assert_string_equal(line,
                        "a.jpg\ttransit\toctopus\t1020125070\toctopus_ok\tflat\tphoto-straight\t640\t480\t"
                        "quad=1.0,2.0;3.0,4.0;5.0,6.0;7.2,8.0\n");
    free(text);
}

/* Runs the program with these arguments; returns its exit status. What it says is dropped. */
static int run_mint(const char *arguments)
{
    char command[512];
    snprintf(command, sizeof command, GUIKA_BINARY_DIR "/bin/guika-mint %s >/dev/null 2>&1", arguments);
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_program_mints_pairs_under_two_lamps(void **state)
{
    (void)state;
    char folder[] = "/tmp/guika-mint-test-XXXXXX", arguments[256], path[64], line[512];
    assert_non_null(mkdtemp(folder));
    snprintf(arguments, sizeof arguments,
             "--out %s --kind campus --barcode qr --lamps both --size 160x120 --format png", folder);
    assert_int_equal(run_mint(arguments), 0);
    snprintf(path, sizeof path, "%s/manifest.tsv", folder);
    FILE *manifest = fopen(path, "r");
    assert_non_null(manifest);
    assert_non_null(fgets(line, sizeof line, manifest));
    static const char *const lamps[] = {"left", "right"};
    for (size_t i = 0; i < 2; i++) {
        char ending[32], file[32];
        assert_non_null(fgets(line, sizeof line, manifest));
        snprintf(ending, sizeof ending, " lamp=%s\n", lamps[i]);
        assert_string_equal(line + strlen(line) - strlen(ending), ending);
        snprintf(file, sizeof file, "campus-00000-%s.png", lamps[i]);
        assert_memory_equal(line, file, strlen(file));
        snprintf(path, sizeof path, "%s/%s", folder, file);
        assert_int_equal(unlink(path), 0);
    }
    fclose(manifest);
    snprintf(path, sizeof path, "%s/manifest.tsv", folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void test_program_exits_with_0_1_or_2(void **state)
{
    (void)state;
    char folder[] = "/tmp/guika-mint-test-XXXXXX", arguments[256], path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(arguments, sizeof arguments, "--out %s --count 2 --kind octopus --size 160x120", folder);
    assert_int_equal(run_mint(arguments), 0);
    static const char *const files[] = {"manifest.tsv", "transit-00000.jpg", "transit-00001.jpg"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, files[i]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(run_mint("--help"), 0);
    assert_int_equal(run_mint("--version"), 0);
    assert_int_equal(run_mint("--out /dev/null/none"), 1);
    static const char *const wrong[] = {"",
                                        "--out x --kind visas",
                                        "--out x --count 0",
                                        "--out x --count -1",
                                        "--out x --tilt-max-degrees 61",
                                        "--out x --size 1280",
                                        "--out x --number 12-34",
                                        "--out x --barcode ean",
                                        "--out x --lamps left",
                                        "--out x --nonsense",
                                        "--out x more"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(run_mint(wrong[i]), 2);
    }
}

static void test_line_of_a_number_follows_from_its_seed(void **state)
{
    struct gk_mint_line first, second, shorter;

    (void)state;
    assert_int_equal(gk_mint_strip_number("4000001234567899", "4-4-4-4", true, 8, &first), 0);
    assert_int_equal(gk_mint_strip_number("4000001234567899", "4-4-4-4", true, 8, &second), 0);
    assert_int_equal(gk_mint_strip_number("400000", "6", true, 8, &shorter), 0);
    assert_in_range(first.width_px, shorter.width_px + 1, 900);
    assert_int_equal(first.width_px, second.width_px);
    assert_memory_equal(first.grey, second.grey, (size_t)first.width_px * GK_MINT_STRIP_HEIGHT_PX);
    free(first.grey);
    free(second.grey);
    free(shorter.grey);
}

static void test_lines_of_other_characters_are_refused(void **state)
{
    static const char *const wrong[] = {"", "12a4", "1234 5678", "0123456789012345678901234567"};
    struct gk_mint_line line;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_equal(gk_mint_strip_number(wrong[i], "16", false, 1, &line), -1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_digits_match_published_numbers),
        cmocka_unit_test(test_random_cards_carry_valid_numbers),
        cmocka_unit_test(test_brand_is_kept_and_unionpay_has_both_lengths),
        cmocka_unit_test(test_a_changed_digit_fails_its_check),
        cmocka_unit_test(test_printed_number_follows_the_grouping),
        cmocka_unit_test(test_a_given_number_chooses_brand_and_grouping),
        cmocka_unit_test(test_same_seed_gives_the_same_pixels),
        cmocka_unit_test(test_every_kind_print_and_layout_draws),
        cmocka_unit_test(test_corners_lie_in_the_frame_and_around_the_number),
        cmocka_unit_test(test_corners_follow_the_rotation),
        cmocka_unit_test(test_a_tilt_makes_the_far_edge_shorter),
        cmocka_unit_test(test_card_is_drawn_where_its_corners_are),
        cmocka_unit_test(test_bar_code_changes_nothing_beside_its_field),
        cmocka_unit_test(test_opposite_lamp_differs_in_light_and_noise_alone),
        cmocka_unit_test(test_issued_card_has_its_number_in_its_window),
        cmocka_unit_test(test_values_out_of_range_are_refused),
        cmocka_unit_test(test_pictures_are_written_as_jpeg_and_png),
        cmocka_unit_test(test_manifest_has_the_columns_of_the_corpus),
        cmocka_unit_test(test_program_mints_pairs_under_two_lamps),
        cmocka_unit_test(test_line_of_a_number_follows_from_its_seed),
        cmocka_unit_test(test_lines_of_other_characters_are_refused),
        cmocka_unit_test(test_program_exits_with_0_1_or_2),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

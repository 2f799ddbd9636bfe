/* Whole pictures of minted cards through the real plugins, networks and Tesseract. */
#include "core/recognition/recogniser.h"
#include "tests/core/recognition/lease.h"
#include "tests/mint/mint.h"
#include "tests/mint/strip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* These pictures are not part of the source; their tests are skipped where they are missing. */
#define CORPUS GUIKA_SOURCE_DIR "/../shared/corpus/cards"

typedef guika_v1_internal_CompleteRecognitionRequest result_type;

static int open_recogniser(void **state)
{
    struct gk_recogniser_options options = {.issuers_directory = GUIKA_BINARY_DIR "/lib/guika/issuers",
                                            .keep_pictures = true};
    struct gk_recogniser *recogniser = NULL;
    struct gk_error error = {0};
    if (gk_recogniser_open(&options, &recogniser, &error) != GK_OK) {
        fail_msg("%s", error.message);
    }
    *state = recogniser;
    return 0;
}

static int close_recogniser(void **state)
{
    gk_recogniser_close(*state);
    return 0;
}

/* The JPEG of a card in a scene; free it. */
static char *photograph(const struct gk_mint_card *card, const struct gk_mint_scene *scene, size_t *ret_size)
{
    struct gk_mint_picture picture;
    char *data = NULL;
    assert_int_equal(gk_mint_draw(card, scene, &picture), 0);
    FILE *stream = open_memstream(&data, ret_size);
    assert_non_null(stream);
    assert_int_equal(gk_mint_write_jpeg(stream, &picture, 88), 0);
    fclose(stream);
    gk_mint_picture_clear(&picture);
    return data;
}

static struct gk_mint_card flat_card(enum gk_mint_kind kind, const char *brand, uint64_t seed)
{
    struct gk_mint_card card;
    gk_mint_card_random(kind, brand, seed, &card);
    card.print = GK_MINT_FLAT;
    return card;
}

static struct gk_mint_scene tilted_scene(const struct gk_mint_card *card, uint64_t seed,
                                         double rotation_degrees)
{
    struct gk_mint_scene scene;
    gk_mint_scene_random(0, seed, &scene);
    scene.tilt_x_degrees = (double)(seed % 21) - 10;
    scene.tilt_y_degrees = (double)(seed * 7 % 21) - 10;
    scene.rotation_degrees = rotation_degrees;
    gk_mint_scene_fit(card, &scene);
    return scene;
}

static void read_card(struct gk_recogniser *recogniser, const struct gk_mint_card *card,
                      const struct gk_mint_scene *scene, result_type *ret_result)
{
    size_t size;
    char *jpeg = photograph(card, scene, &size);
    guika_v1_Frame frame = {.picture = {(const uint8_t *)jpeg, size}, .side = guika_v1_Side_SIDE_FRONT};
    gk_recogniser_read(recogniser, &frame, 1, ret_result);
    free(jpeg);
}

static bool is_accepted(const result_type *result)
{
    return result->candidates_count > 0 && result->candidates[0].probability >= 0.999 &&
           !result->candidates[0].forced;
}

static void test_flat_cards_are_read_whichever_way_up(void **state)
{
    static const struct {
        enum gk_mint_kind kind;
        const char *brand;
    } kinds[] = {{GK_MINT_PAYMENT, ""},
                 {GK_MINT_PAYMENT, "unionpay"},
                 {GK_MINT_TRANSIT, "octopus"},
                 {GK_MINT_TRANSIT, "tunion"},
                 {GK_MINT_ID, ""},
                 {GK_MINT_CAMPUS, ""}};
    int right = 0;
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct gk_mint_card card = flat_card(kinds[seed % 6].kind, kinds[seed % 6].brand, 900 + seed);
        struct gk_mint_scene scene = tilted_scene(&card, 900 + seed, seed % 3 == 0 ? 180 : 0);
        result_type result;
        read_card(*state, &card, &scene, &result);
        bool same = result.candidates_count > 0 && strcmp(result.candidates[0].number, card.number) == 0;
        right += same;
        if (is_accepted(&result)) {
            assert_string_equal(result.candidates[0].number, card.number);
            assert_int_equal(result.reason, guika_v1_Reason_REASON_UNSPECIFIED);
        }
    }
    assert_in_range(right, 29, 30);
}

static void test_number_that_fails_its_check_is_difficult(void **state)
{
    struct gk_mint_card card = flat_card(GK_MINT_PAYMENT, "visa", 12);
    card.number[15] = card.number[15] == '9' ? '0' : (char)(card.number[15] + 1);
    struct gk_mint_scene scene = tilted_scene(&card, 12, 0);
    result_type result;
    read_card(*state, &card, &scene, &result);
    assert_false(is_accepted(&result));
    assert_int_equal(result.reason, guika_v1_Reason_REASON_CHECK_FAILED);
    assert_true(result.redacted_picture.size > 1000);
}

/* What a bench or a box that finds the number itself hands over: lines without a card around them. */
static void test_lines_cut_by_somebody_else_are_read(void **state)
{
    int right = 0;
    for (uint64_t seed = 300; seed < 320; seed++) {
        struct gk_mint_card card = flat_card(GK_MINT_PAYMENT, "mastercard", seed);
        struct gk_mint_line line;
        result_type result;
        assert_int_equal(gk_mint_strip_number(card.number, card.grouping, seed % 2 == 0, seed, &line), 0);
        const struct gk_image strip = {
            .width_px = line.width_px, .height_px = GK_MINT_STRIP_HEIGHT_PX, .grey = line.grey};
        gk_recogniser_read_strip(*state, &strip, &result);
        free(line.grey);
        assert_int_equal(result.redacted_picture.size, 0);
        right += result.candidates_count > 0 && strcmp(result.candidates[0].number, card.number) == 0;
        if (is_accepted(&result)) {
            assert_string_equal(result.candidates[0].number, card.number);
        }
    }
    assert_in_range(right, 14, 20);
}

static void test_empty_table_is_no_card(void **state)
{
    struct gk_mint_card nothing;
    gk_mint_card_random(GK_MINT_NOTHING, NULL, 1, &nothing);
    struct gk_mint_scene scene;
    gk_mint_scene_random(0, 1, &scene);
    scene.background = GK_MINT_DESK;
    result_type result;
    read_card(*state, &nothing, &scene, &result);
    assert_int_equal(result.candidates_count, 0);
    assert_int_equal(result.reason, guika_v1_Reason_REASON_NOT_A_CARD);
    assert_int_equal(result.redacted_picture.size, 0);
}

/* The JPEG of two cards side by side on one desk; free it. */
static char *photograph_two(uint64_t seed, size_t *ret_size)
{
    struct gk_mint_picture both = {.width_px = 1280, .height_px = 960, .rgb = malloc((size_t)1280 * 960 * 3)};
    char *data = NULL;
    assert_non_null(both.rgb);
    for (size_t half = 0; half < 2; half++) {
        struct gk_mint_card card = flat_card(GK_MINT_PAYMENT, half == 0 ? "visa" : "unionpay", seed + half);
        struct gk_mint_scene scene;
        struct gk_mint_picture picture;
        gk_mint_scene_random(0, seed, &scene);
        scene.width_px = 640;
        scene.background = GK_MINT_DESK;
        gk_mint_scene_fit(&card, &scene);
        assert_int_equal(gk_mint_draw(&card, &scene, &picture), 0);
        for (size_t y = 0; y < 960; y++) {
            memcpy(both.rgb + (y * 1280 + half * 640) * 3, picture.rgb + y * 640 * 3, (size_t)640 * 3);
        }
        gk_mint_picture_clear(&picture);
    }
    FILE *stream = open_memstream(&data, ret_size);
    assert_non_null(stream);
    assert_int_equal(gk_mint_write_jpeg(stream, &both, 88), 0);
    fclose(stream);
    free(both.rgb);
    return data;
}

static void test_two_cards_in_one_picture_are_difficult(void **state)
{
    int told = 0;
    for (uint64_t seed = 0; seed < 6; seed++) {
        size_t size;
        char *jpeg = photograph_two(40 + 2 * seed, &size);
        guika_v1_Frame frame = {.picture = {(const uint8_t *)jpeg, size}, .side = guika_v1_Side_SIDE_FRONT};
        result_type result;
        gk_recogniser_read(*state, &frame, 1, &result);
        told += result.reason == guika_v1_Reason_REASON_SEVERAL_CARDS;
        free(jpeg);
    }
    assert_in_range(told, 5, 6);
}

static void test_frames_without_a_picture_are_told(void **state)
{
    static const uint8_t garbage[] = "this is no picture";
    guika_v1_Frame frames[2] = {{.picture = {garbage, sizeof garbage}}, {.picture = {NULL, 0}}};
    result_type result;
    gk_recogniser_read(*state, frames, 2, &result);
    assert_true(result.invalid_picture);
    assert_string_equal(result.problem, "neither JPEG nor PNG");
}

/* As many pixels as a picture may have, in a file of 100 KB. */
static void test_eight_of_the_largest_pictures_end_within_the_lease(void **state)
{
    struct gk_mint_picture picture = {.width_px = 7000, .height_px = 7000};
    guika_v1_Frame frames[8];
    char *data = NULL;
    size_t size;
    picture.rgb = calloc((size_t)picture.width_px * picture.height_px, 3);
    FILE *stream = open_memstream(&data, &size);
    assert_true(picture.rgb != NULL && stream != NULL);
    assert_int_equal(gk_mint_write_png(stream, &picture), 0);
    fclose(stream);
    gk_mint_picture_clear(&picture);
    for (size_t i = 0; i < 8; i++) {
        frames[i] = (guika_v1_Frame){.picture = {(const uint8_t *)data, size}};
    }
    result_type result;
    double began = lease_cpu_ms();
    gk_recogniser_read(*state, frames, 8, &result);
    assert_true(lease_cpu_ms() - began < LEASE_CPU_MS);
    assert_false(result.invalid_picture);
    free(data);
}

static void test_supplied_quadrilateral_is_used(void **state)
{
    struct gk_mint_card card = flat_card(GK_MINT_PAYMENT, "visa", 12);
    struct gk_mint_scene scene = tilted_scene(&card, 12, 0);
    struct gk_mint_picture picture;
    assert_int_equal(gk_mint_draw(&card, &scene, &picture), 0);
    size_t size;
    char *jpeg = photograph(&card, &scene, &size);
    guika_v1_Frame frame = {.picture = {(const uint8_t *)jpeg, size}, .has_card = true};
    guika_v1_Point *corners[4] = {&frame.card.top_left, &frame.card.top_right, &frame.card.bottom_right,
                                  &frame.card.bottom_left};
    frame.card.has_top_left = frame.card.has_top_right = true;
    frame.card.has_bottom_right = frame.card.has_bottom_left = true;
    for (int i = 0; i < 4; i++) {
        *corners[i] = (guika_v1_Point){(float)picture.quad[i].x, (float)picture.quad[i].y};
    }
    result_type result;
    gk_recogniser_read(*state, &frame, 1, &result);
    assert_true(result.candidates_count > 0);
    assert_string_equal(result.candidates[0].number, card.number);
    free(jpeg);
    gk_mint_picture_clear(&picture);
}

static void test_questions_about_numbers_are_answered(void **state)
{
    guika_v1_internal_NumberQuestion question = {.number = "1020 12507(0)"};
    guika_v1_internal_NumberAnswer answer;
    gk_recogniser_check_number(*state, &question, &answer);
    assert_int_equal(answer.matches_count, 1);
    assert_string_equal(answer.matches[0].scheme, "octopus");
    assert_string_equal(answer.matches[0].number, "1020125070");
    assert_string_equal(answer.matches[0].masked, "•••• 5070");
    strcpy(question.scheme, "iso7812");
    strcpy(question.number, "4111 1111 1111 1112");
    gk_recogniser_check_number(*state, &question, &answer);
    assert_int_equal(answer.matches_count, 0);
    assert_string_equal(answer.problem, "the check character does not agree");
}

/* Reads one picture of the corpus whose number is `truth`, "": none. Unread it is difficult, never wrong. */
static void assert_not_accepted_wrongly(struct gk_recogniser *recogniser, const char *path, const char *truth)
{
    static uint8_t data[9 * 1024 * 1024];
    FILE *picture = fopen(path, "rb");
    assert_non_null(picture);
    size_t size = fread(data, 1, sizeof data, picture);
    fclose(picture);
    guika_v1_Frame frame = {.picture = {data, size}};
    result_type result;
    gk_recogniser_read(recogniser, &frame, 1, &result);
    if (is_accepted(&result) && strcmp(result.candidates[0].number, truth) != 0) {
        fail_msg("%s: read as a number that it does not carry", path);
    }
}

static void remove_spaces(char *text)
{
    char *out = text;
    for (; *text != '\0'; text++) {
        if (*text != ' ') {
            *out++ = *text;
        }
    }
    *out = '\0';
}

static void assert_no_corpus_picture_is_accepted_wrongly(struct gk_recogniser *recogniser)
{
    static const char directory[] = CORPUS;
    char path[4096], line[4096];
    snprintf(path, sizeof path, "%s/manifest.tsv", directory);
    FILE *manifest = fopen(path, "r");
    assert_non_null(manifest);
    for (int row = 0; fgets(line, sizeof line, manifest) != NULL; row++) {
        char *rest = line, *file = strsep(&rest, "\t");
        strsep(&rest, "\t");
        strsep(&rest, "\t");
        char *number = strsep(&rest, "\t");
        if (row == 0 || number == NULL || strchr(number, '?') != NULL) {
            continue; /* a number that people cannot read wholly either */
        }
        remove_spaces(number);
        snprintf(path, sizeof path, "%s/%s", directory, file);
        assert_not_accepted_wrongly(recogniser, path, number);
    }
    fclose(manifest);
}

static void skip_without_corpus(void)
{
    if (access(CORPUS "/manifest.tsv", R_OK) != 0) {
        skip();
    }
}

static void test_no_accepted_number_of_the_corpus_is_wrong(void **state)
{
    skip_without_corpus();
    assert_no_corpus_picture_is_accepted_wrongly(*state);
}

static void test_nor_is_one_without_checks(void **state)
{
    (void)state;
    const struct gk_recogniser_options options = {.issuers_directory = GUIKA_BINARY_DIR "/lib/guika/issuers",
                                                  .no_check = true};
    struct gk_recogniser *recogniser = NULL;
    skip_without_corpus();
    assert_int_equal(gk_recogniser_open(&options, &recogniser, NULL), GK_OK);
    assert_no_corpus_picture_is_accepted_wrongly(recogniser);
    gk_recogniser_close(recogniser);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flat_cards_are_read_whichever_way_up),
        cmocka_unit_test(test_number_that_fails_its_check_is_difficult),
        cmocka_unit_test(test_lines_cut_by_somebody_else_are_read),
        cmocka_unit_test(test_empty_table_is_no_card),
        cmocka_unit_test(test_two_cards_in_one_picture_are_difficult),
        cmocka_unit_test(test_frames_without_a_picture_are_told),
        cmocka_unit_test(test_eight_of_the_largest_pictures_end_within_the_lease),
        cmocka_unit_test(test_supplied_quadrilateral_is_used),
        cmocka_unit_test(test_questions_about_numbers_are_answered),
        cmocka_unit_test(test_no_accepted_number_of_the_corpus_is_wrong),
        cmocka_unit_test(test_nor_is_one_without_checks),
    };
    return cmocka_run_group_tests(tests, open_recogniser, close_recogniser);
}

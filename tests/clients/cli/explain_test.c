/* The pictures of `guika read --explain`, from observations that are made up around a minted card. */
#include "clients/cli/reading/explain.h"

#include "core/recognition/picture.h"
#include "core/recognition/rectify.h"
#include "tests/clients/c/scratch.h"
#include "tests/mint/mint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define PATH_SIZE (GK_SCRATCH_PATH_SIZE + 64)

/* A photographed card, rectified, and the strip of its number. */
struct fixture {
    char folder[GK_SCRATCH_PATH_SIZE];
    struct gk_mint_card card;
    struct gk_image picture, rectified, strip;
    struct gk_seen_quad quads[3];
    struct gk_seen_line lines[2];
    struct gk_seen_character characters[32];
    size_t character_count;
};

static const struct guika_region numbers[] = {{8, 29, 72, 7}}, hidden[] = {{60, 38, 20, 12}};
static const struct guika_layout layouts[] = {{.name = "front",
                                               .side = GUIKA_SIDE_FRONT,
                                               .numbers = numbers,
                                               .number_count = 1,
                                               .redact = hidden,
                                               .redact_count = 1}};
static const struct guika_issuer issuer = {.id = "iso7812", .layouts = layouts, .layout_count = 1};

static struct gk_quad box(double left, double top, double right, double bottom)
{
    return (struct gk_quad){{{left, top}, {right, top}, {right, bottom}, {left, bottom}}};
}

static void photograph(struct fixture *fixture)
{
    struct gk_mint_scene scene;
    struct gk_mint_picture drawn;
    gk_mint_card_random(GK_MINT_PAYMENT, "visa", 21, &fixture->card);
    fixture->card.print = GK_MINT_EMBOSSED;
    gk_mint_scene_random(0.4, 21, &scene);
    assert_int_equal(gk_mint_draw(&fixture->card, &scene, &drawn), 0);
    assert_true(gk_image_make((int)drawn.width_px, (int)drawn.height_px, true, &fixture->picture));
    memcpy(fixture->picture.rgb, drawn.rgb, (size_t)drawn.width_px * drawn.height_px * 3);
    gk_image_fill_grey(&fixture->picture);
    for (int i = 0; i < 4; i++) {
        fixture->quads[0].quad.corner[i] = (struct gk_point){drawn.quad[i].x, drawn.quad[i].y};
    }
    gk_mint_picture_clear(&drawn);
}

/* What a reader would have seen. */
static void make_observations(struct fixture *fixture)
{
    struct gk_homography view;
    double top = (GK_MINT_PAYMENT_NUMBER_Y_MM - 2.6) * GK_CARD_PX_PER_MM, scale = GK_CARD_PX_PER_MM;
    assert_true(gk_homography_from_quad(&fixture->quads[0].quad, GK_CARD_WIDTH_PX, GK_CARD_HEIGHT_PX, &view));
    assert_true(gk_rectify(&fixture->picture, &view, false, &fixture->rectified));
    fixture->quads[0].score = 0.97;
    fixture->quads[1] = (struct gk_seen_quad){.quad = box(200, 150, 1000, 700), .score = 0.61};
    fixture->quads[2] = (struct gk_seen_quad){.quad = box(2, 2, 1278, 958), .score = 0.08, .supplied = true};
    fixture->lines[0] = (struct gk_seen_line){box(8 * scale, top, 79 * scale, top + 5.2 * scale), 0.94};
    fixture->lines[1] = (struct gk_seen_line){box(30 * scale, 39.5 * scale, 50 * scale, 43.5 * scale), 0.31};
    assert_true(gk_image_make(900, 62, false, &fixture->strip));
    for (int y = 0; y < 62; y++) {
        memcpy(fixture->strip.grey + y * 900,
               fixture->rectified.grey + ((int)top + y) * GK_CARD_WIDTH_PX + 95, 900);
    }
    double x = GK_MINT_PAYMENT_FIRST_DIGIT_X_MM, pitch = GK_MINT_PAYMENT_PITCH_MM;
    for (size_t i = 0; fixture->card.number[i] != '\0'; i++, x += i % 4 == 0 ? 2 * pitch : pitch) {
        fixture->characters[fixture->character_count++] =
            (struct gk_seen_character){.character = fixture->card.number[i],
                                       .left_px = (x - pitch * 0.42) * scale - 95,
                                       .right_px = (x + pitch * 0.42) * scale - 95,
                                       .probability = 1 - 0.13 * (double)(i * 5 % 8)};
    }
}

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    gk_scratch_make(fixture->folder);
    photograph(fixture);
    make_observations(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    gk_image_clear(&fixture->picture);
    gk_image_clear(&fixture->rectified);
    gk_image_clear(&fixture->strip);
    gk_scratch_remove(fixture->folder);
    free(fixture);
    return 0;
}

static void observe(const struct fixture *fixture, const struct gk_observer *observer, size_t strips)
{
    const struct guika_issuer *issuers[] = {&issuer};
    struct gk_seen_card card = {.image = &fixture->rectified,
                                .lines = fixture->lines,
                                .line_count = 2,
                                .issuers = issuers,
                                .issuer_count = 1};
    observer->picture(observer->context, &fixture->picture, fixture->quads, 3);
    observer->card(observer->context, &card);
    for (size_t i = 0; i < strips; i++) {
        struct gk_seen_strip strip = {.image = &fixture->strip,
                                      .characters = fixture->characters,
                                      .count = fixture->character_count - i % 3,
                                      .chosen = i == 1};
        observer->strip(observer->context, &strip);
    }
    observer->verdict(observer->context, &(struct gk_seen_verdict){.number = fixture->card.number,
                                                                   .issuer = issuer.id,
                                                                   .probability = 0.9996,
                                                                   .accepted = true});
}

/* Decodes a picture that must be there, for its owner alone. */
static void assert_picture(const char *folder, const char *name, int width_px, int least_height_px)
{
    static uint8_t data[8 * 1024 * 1024];
    char path[PATH_SIZE * 2];
    struct stat about;
    struct gk_picture picture;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    assert_int_equal(gk_picture_decode(data, size, &picture, NULL), GK_OK);
    assert_int_equal(picture.stored_width_px, width_px);
    assert_true(picture.stored_height_px >= least_height_px);
    gk_picture_clear(&picture);
}

static struct gk_explainer *open_in(const struct fixture *fixture, char folder[PATH_SIZE])
{
    struct gk_explainer *explainer = NULL;
    snprintf(folder, PATH_SIZE, "%s/explained", fixture->folder);
    assert_int_equal(gk_explainer_open(folder, &explainer, NULL), GK_OK);
    return explainer;
}

static void test_each_step_becomes_a_private_picture(void **state)
{
    const struct fixture *fixture = *state;
    char folder[PATH_SIZE];
    struct gk_explainer *explainer = open_in(fixture, folder);
    gk_explainer_begin(explainer, "/some/where/my.card.jpg");
    observe(fixture, gk_explainer_observer(explainer), 3);
    assert_int_equal(gk_explainer_end(explainer, NULL), GK_OK);
    assert_picture(folder, "my.card-1-photo.png", fixture->picture.width_px, fixture->picture.height_px);
    assert_picture(folder, "my.card-2-card-1.png", GK_CARD_WIDTH_PX, GK_CARD_HEIGHT_PX);
    assert_picture(folder, "my.card-3-strips.png", 1200, 400);
    gk_explainer_close(explainer);
}

static void test_file_that_others_could_read_is_replaced(void **state)
{
    const struct fixture *fixture = *state;
    char folder[PATH_SIZE], path[PATH_SIZE * 2];
    struct gk_explainer *explainer = open_in(fixture, folder);
    snprintf(path, sizeof path, "%s/open-3-strips.png", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(chmod(path, 0644), 0);
    gk_explainer_begin(explainer, "open.png");
    assert_int_equal(gk_explainer_end(explainer, NULL), GK_OK);
    assert_picture(folder, "open-3-strips.png", 1200, 40);
    gk_explainer_close(explainer);
}

static void test_strips_are_bounded(void **state)
{
    const struct fixture *fixture = *state;
    char folder[PATH_SIZE];
    struct gk_explainer *explainer = open_in(fixture, folder);
    gk_explainer_begin(explainer, "many.jpg");
    observe(fixture, gk_explainer_observer(explainer), 200);
    assert_int_equal(gk_explainer_end(explainer, NULL), GK_OK);
    assert_picture(folder, "many-3-strips.png", 1200, 5000);
    gk_explainer_close(explainer);
}

static void test_folder_that_cannot_be_written_is_told(void **state)
{
    const struct fixture *fixture = *state;
    char path[PATH_SIZE], folder[PATH_SIZE * 2];
    struct gk_explainer *explainer = NULL;
    struct gk_error error = {0};
    snprintf(path, sizeof path, "%s/file", fixture->folder);
    fclose(fopen(path, "w"));
    snprintf(folder, sizeof folder, "%s/folder", path);
    assert_int_equal(gk_explainer_open(folder, &explainer, &error), GK_UNAVAILABLE);
    assert_non_null(strstr(error.message, "folder"));
    /* The name is taken by a file: it opens, and the first picture tells. */
    assert_int_equal(gk_explainer_open(path, &explainer, &error), GK_OK);
    gk_explainer_begin(explainer, "a.jpg");
    observe(fixture, gk_explainer_observer(explainer), 1);
    assert_int_equal(gk_explainer_end(explainer, &error), GK_UNAVAILABLE);
    assert_non_null(strstr(error.message, "a-1-photo.png"));
    gk_explainer_close(explainer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_each_step_becomes_a_private_picture, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_file_that_others_could_read_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_strips_are_bounded, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_folder_that_cannot_be_written_is_told, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

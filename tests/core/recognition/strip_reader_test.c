/* Minted strips through the digit net, as `guika corpus --strips` reads real ones. */
#include "core/recognition/strip_reader.h"
#include "tests/mint/strip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define STRIPS 60

struct rig {
    struct gk_digit_net *net;
    struct gk_reading reading;
    struct gk_line_verdict verdict;
};

static int open_net(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    *state = rig;
    return rig != NULL && gk_digit_net_open(&rig->net, NULL) == GK_OK ? 0 : -1;
}

static int close_net(void **state)
{
    struct rig *rig = *state;
    gk_digit_net_close(rig->net);
    free(rig);
    return 0;
}

static void read_strip(struct rig *rig, const struct gk_image *strip)
{
    static const struct gk_candidate_rules no_rules = {.no_check = true};
    assert_true(gk_strip_read(rig->net, strip, &rig->reading));
    gk_reading_verdict(&rig->reading, &no_rules, &rig->verdict);
}

static void read_minted(struct rig *rig, struct gk_mint_strip *strip)
{
    const struct gk_image image = {
        .width_px = GK_MINT_STRIP_WIDTH_PX, .height_px = GK_MINT_STRIP_HEIGHT_PX, .grey = strip->grey};
    read_strip(rig, &image);
}

/* Half of the strips are in relief, worn, and as small as 9 pixels a digit. */
static void test_most_minted_strips_are_read(void **state)
{
    int strips = 0, right = 0;
    for (uint64_t seed = 5000; strips < STRIPS; seed++) {
        struct gk_mint_strip strip;
        assert_int_equal(gk_mint_strip_random(seed, &strip), 0);
        if (strlen(strip.text) < 4) {
            continue;
        }
        read_minted(*state, &strip);
        strips++;
        right += strcmp(((struct rig *)*state)->verdict.best, strip.text) == 0;
    }
    assert_in_range(right, STRIPS / 2, STRIPS);
}

static void test_strips_without_a_number_are_not_read(void **state)
{
    struct rig *rig = *state;
    int strips = 0, silent = 0;
    for (uint64_t seed = 5000; strips < STRIPS; seed++) {
        struct gk_mint_strip strip;
        assert_int_equal(gk_mint_strip_random(seed, &strip), 0);
        if (strip.text[0] != '\0') {
            continue;
        }
        read_minted(rig, &strip);
        strips++;
        silent += rig->verdict.clarity < 0.5;
    }
    assert_in_range(silent, STRIPS * 9 / 10, STRIPS);
}

static void test_strip_of_any_size_is_read_in_all_framings(void **state)
{
    static const int sizes[][2] = {{1, 1}, {1, 400}, {4000, 1}, {120, 46}, {3000, 200}};
    struct rig *rig = *state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct gk_image image;
        assert_true(gk_image_make(sizes[i][0], sizes[i][1], false, &image));
        memset(image.grey, 90, (size_t)sizes[i][0] * (size_t)sizes[i][1]);
        read_strip(rig, &image);
        assert_int_equal(rig->reading.framing_count, GK_STRIP_FRAMINGS);
        assert_int_equal(rig->verdict.count, 0);
        gk_image_clear(&image);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_most_minted_strips_are_read),
        cmocka_unit_test(test_strips_without_a_number_are_not_read),
        cmocka_unit_test(test_strip_of_any_size_is_read_in_all_framings),
    };
    return cmocka_run_group_tests(tests, open_net, close_net);
}

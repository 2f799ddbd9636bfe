/* The digit net on strips that no training saw. Decoding is the decoder's: here the best class of each column
 * does. */
#include "core/recognition/digit_net.h"

#include "tests/mint/strip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEED_OF_TESTS 770000000 /* training mints from 1,000,000 and 2,000,000 on */

/* The middle 32 rows and 288 columns of a minted strip. */
static void cut(const struct gk_mint_strip *from, struct gk_image *strip)
{
    for (int y = 0; y < strip->height_px; y++) {
        memcpy(strip->grey + (size_t)y * (size_t)strip->width_px,
               from->grey + (size_t)(y + 4) * GK_MINT_STRIP_WIDTH_PX + 8, (size_t)strip->width_px);
    }
}

static void read_greedily(const struct gk_digit_matrix *matrix, char ret_text[GK_DIGIT_COLUMNS_MOST + 1])
{
    int before = 0, length = 0;
    for (int x = 0; x < matrix->columns; x++) {
        int best = gk_digit_likeliest(matrix->log_probability[x]);
        if (best != 0 && best != before) {
            ret_text[length++] = "0123456789X"[best - 1];
        }
        before = best;
    }
    ret_text[length] = '\0';
}

static void test_minted_strips_are_read(void **state)
{
    struct gk_digit_net *net = *state;
    struct gk_mint_strip *minted = malloc(sizeof *minted);
    struct gk_digit_matrix *matrix = malloc(sizeof *matrix);
    struct gk_image strip;
    int exact = 0, total = 200;
    assert_true(gk_image_make(288, GK_DIGIT_STRIP_HEIGHT_PX, false, &strip));
    for (int i = 0; i < total; i++) {
        char text[GK_DIGIT_COLUMNS_MOST + 1];
        assert_int_equal(gk_mint_strip_random((uint64_t)(SEED_OF_TESTS + i), minted), 0);
        cut(minted, &strip);
        assert_true(gk_digit_net_read(net, &strip, matrix));
        assert_int_equal(matrix->columns, 72);
        read_greedily(matrix, text);
        exact += strcmp(text, minted->text) == 0;
    }
    print_message("%d of %d minted strips read exactly\n", exact, total);
    /* A fifth of them are worn, dark or burnt out beyond reading, on purpose. */
    assert_true(exact * 10 >= total * 7);
    gk_image_clear(&strip);
    free(matrix);
    free(minted);
}

static void test_flat_ground_has_no_digits(void **state)
{
    struct gk_digit_matrix *matrix = malloc(sizeof *matrix);
    struct gk_image strip;
    char text[GK_DIGIT_COLUMNS_MOST + 1];
    assert_true(gk_image_make(320, GK_DIGIT_STRIP_HEIGHT_PX, false, &strip));
    for (int grey = 0; grey < 256; grey += 85) {
        memset(strip.grey, grey, (size_t)strip.width_px * (size_t)strip.height_px);
        assert_true(gk_digit_net_read(*state, &strip, matrix));
        read_greedily(matrix, text);
        assert_string_equal(text, "");
    }
    gk_image_clear(&strip);
    free(matrix);
}

static int open_net(void **state)
{
    struct gk_digit_net *net = NULL;
    struct gk_error error;
    int failed = gk_digit_net_open(&net, &error) != GK_OK;
    *state = net;
    return failed;
}

static int close_net(void **state)
{
    gk_digit_net_close(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_minted_strips_are_read),
        cmocka_unit_test(test_flat_ground_has_no_digits),
    };
    return cmocka_run_group_tests(tests, open_net, close_net);
}

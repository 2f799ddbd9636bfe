/* What the fields that 1.1 added do in a reader: numbers out of bar codes, masks. */
#include "core/recognition/recogniser.h"
#include "tests/mint/mint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PRINTED "771-0001-2341" /* in the code as it would be printed, which no run of digits shows */
#define NUMBER "77100012341"

/* Reads a card that shows its number in a QR code's address alone. */
static void read_coded_card(const char *issuers, const char *address,
                            guika_v1_internal_CompleteRecognitionRequest *ret_answer)
{
    struct gk_recogniser *recogniser = NULL;
    const struct gk_recogniser_options options = {.issuers_directory = issuers};
    struct gk_mint_card card;
    struct gk_mint_scene scene;
    struct gk_mint_picture picture;
    guika_v1_Frame frame = {0};
    gk_mint_card_random(GK_MINT_CAMPUS, NULL, 5, &card);
    card.number[0] = card.grouping[0] = '\0';
    card.barcode = GK_MINT_BARCODE_QR;
    snprintf(card.barcode_text, sizeof card.barcode_text, "%s", address);
    gk_mint_scene_random(0, 5, &scene);
    assert_int_equal(gk_mint_draw(&card, &scene, &picture), 0);
    uint8_t *jpeg = gk_mint_jpeg(&picture, 92, &frame.picture.size);
    frame.picture.data = jpeg;
    assert_int_equal(gk_recogniser_open(&options, &recogniser, NULL), GK_OK);
    gk_recogniser_read(recogniser, &frame, 1, ret_answer);
    gk_recogniser_close(recogniser);
    free(jpeg);
    gk_mint_picture_clear(&picture);
}

static void test_number_is_read_where_the_issuer_says_that_it_stands_in_the_code(void **state)
{
    (void)state;
    guika_v1_internal_CompleteRecognitionRequest answer;
    read_coded_card(GUIKA_BINARY_DIR "/tests/odd/codes", "https://c.example/?n=" PRINTED "&v=2", &answer);
    assert_in_range(answer.candidates_count, 1, 20);
    assert_string_equal(answer.candidates[0].number, NUMBER);
    assert_string_equal(answer.candidates[0].issuer, "odd");
    assert_true(answer.candidates[0].probability > 0.9);
    assert_string_equal(answer.candidates[0].masked, "771•••• 41");
}

static void test_number_is_not_guessed_at_without_the_field_or_the_marker(void **state)
{
    (void)state;
    guika_v1_internal_CompleteRecognitionRequest answer;
    read_coded_card(GUIKA_BINARY_DIR "/tests/odd/good", "https://c.example/?n=" PRINTED "&v=2", &answer);
    assert_int_equal(answer.candidates_count, 0);
    read_coded_card(GUIKA_BINARY_DIR "/tests/odd/codes", "https://c.example/?m=" PRINTED "&v=2", &answer);
    assert_int_equal(answer.candidates_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_number_is_read_where_the_issuer_says_that_it_stands_in_the_code),
        cmocka_unit_test(test_number_is_not_guessed_at_without_the_field_or_the_marker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

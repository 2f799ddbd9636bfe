/* A plugin of 1.0 in today's reader. */
#include "core/recognition/descriptor.h"
#include "core/recognition/recogniser.h"
#include "tests/abi/layout.h"
#include "tests/mint/mint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OLD_DIRECTORY GUIKA_BINARY_DIR "/tests/abi/1.0"

static void test_no_field_of_1_0_has_moved(void **state)
{
    (void)state;
    size_t old[GK_ABI_FIELDS] = {0}, new[GK_ABI_FIELDS] = {0};
    gk_abi_layout_old(old);
    gk_abi_layout_new(new);
    assert_memory_equal(old, new, sizeof old);
    assert_int_equal(old[GK_ABI_FIELDS - 1], GUIKA_CHECK_WEIGHS);
}

static void test_plugin_of_1_0_loads_with_its_own_size(void **state)
{
    (void)state;
    struct gk_plugin *plugin = NULL;
    struct gk_error error = {0};
    if (gk_plugin_open(OLD_DIRECTORY "/old_issuer.so", gk_descriptor_kind(), &plugin, &error) != GK_OK) {
        fail_msg("%s", error.message);
    }
    assert_int_equal(gk_plugin_head(plugin)->abi_minor, 0);
    assert_int_equal(gk_plugin_head(plugin)->struct_size, gk_descriptor_size(0));
    gk_plugin_close(plugin);
}

static void test_plugin_of_1_0_reads_its_card(void **state)
{
    (void)state;
    const struct gk_recogniser_options options = {.issuers_directory = OLD_DIRECTORY};
    struct gk_recogniser *recogniser = NULL;
    guika_v1_internal_CompleteRecognitionRequest result;
    guika_v1_internal_AnnounceRequest shelf;
    assert_int_equal(gk_recogniser_open(&options, &recogniser, NULL), GK_OK);
    gk_recogniser_shelf(recogniser, &shelf);
    assert_int_equal(shelf.issuers_count, 1);
    for (uint64_t seed = 1; seed <= 4; seed++) {
        struct gk_mint_card card;
        struct gk_mint_scene scene;
        struct gk_mint_picture picture;
        gk_mint_card_random(GK_MINT_CAMPUS, NULL, seed, &card);
        gk_mint_scene_random(0, seed, &scene);
        assert_int_equal(gk_mint_draw(&card, &scene, &picture), 0);
        guika_v1_Frame frame = {0};
        uint8_t *jpeg = gk_mint_jpeg(&picture, 90, &frame.picture.size);
        frame.picture.data = jpeg;
        gk_recogniser_read(recogniser, &frame, 1, &result);
        assert_in_range(result.candidates_count, 1, 20);
        assert_string_equal(result.candidates[0].number, card.number);
        assert_string_equal(result.candidates[0].issuer, "old_issuer");
        assert_string_equal(result.candidates[0].masked + strlen("•••• "), card.number + 6);
        free(jpeg);
        gk_mint_picture_clear(&picture);
    }
    gk_recogniser_close(recogniser);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_field_of_1_0_has_moved),
        cmocka_unit_test(test_plugin_of_1_0_loads_with_its_own_size),
        cmocka_unit_test(test_plugin_of_1_0_reads_its_card),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

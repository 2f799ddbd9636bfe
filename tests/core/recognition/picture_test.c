#include "core/recognition/picture.h"
#include "tests/mint/mint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A picture of four flat quarters: red, green, blue, white from the top left on by rows. */
static void make_jpeg(int width_px, int height_px, uint8_t **ret_data, size_t *ret_size)
{
    static const uint8_t colours[4][3] = {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {255, 255, 255}};
    struct gk_image image;
    assert_true(gk_image_make(width_px, height_px, true, &image));
    for (int y = 0; y < height_px; y++) {
        for (int x = 0; x < width_px; x++) {
            int quarter = (y >= height_px / 2) * 2 + (x >= width_px / 2);
            memcpy(image.rgb + (y * width_px + x) * 3, colours[quarter], 3);
        }
    }
    assert_true(gk_picture_encode_jpeg(&image, ret_data, ret_size));
    gk_image_clear(&image);
}

/* The JPEG with an EXIF segment that says `orientation`. */
static uint8_t *with_orientation(const uint8_t *jpeg, size_t size, int orientation, size_t *ret_size)
{
    uint8_t segment[] = {0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0, 0, 'M', 'M', 0, 42, 0,
                         0,    0,    8, 0,  1,   1,   18,  0,   3, 0, 0,   0,   1, 0,  (uint8_t)orientation,
                         0,    0,    0, 0,  0,   0};
    uint8_t *data = malloc(size + sizeof segment);
    assert_non_null(data);
    memcpy(data, jpeg, 2);
    memcpy(data + 2, segment, sizeof segment);
    memcpy(data + 2 + sizeof segment, jpeg + 2, size - 2);
    *ret_size = size + sizeof segment;
    return data;
}

/* 'r', 'g', 'b' or 'w' at a share of the picture. */
static char colour_at(const struct gk_image *image, double x, double y)
{
    const uint8_t *rgb =
        image->rgb + ((int)(y * image->height_px) * image->width_px + (int)(x * image->width_px)) * 3;
    int bits = (rgb[0] > 127) * 4 + (rgb[1] > 127) * 2 + (rgb[2] > 127);
    return bits == 4 ? 'r' : bits == 2 ? 'g' : bits == 1 ? 'b' : bits == 7 ? 'w' : '?';
}

/* Decoded without its colours it is the same picture, up to rounding and to colours that were out of range.
 */
static void assert_same_grey(const uint8_t *data, size_t size, const struct gk_picture *colour,
                             int most_apart)
{
    struct gk_picture grey;
    assert_int_equal(gk_picture_decode(data, size, &grey, NULL), GK_OK);
    assert_null(grey.image.rgb);
    assert_int_equal(grey.orientation, colour->orientation);
    assert_int_equal(grey.image.width_px, colour->image.width_px);
    assert_int_equal(grey.image.height_px, colour->image.height_px);
    for (int i = 0; i < grey.image.width_px * grey.image.height_px; i++) {
        assert_in_range(abs(grey.image.grey[i] - colour->image.grey[i]), 0, most_apart);
    }
    gk_picture_clear(&grey);
}

static void test_every_exif_orientation_is_turned_upright(void **state)
{
    (void)state;
    /* Top left, top right, bottom left, bottom right as shown (EXIF 2.3, tag 274). */
    static const char *const shown[] = {"rgbw", "grwb", "wbgr", "bwrg", "rbgw", "brwg", "wgbr", "gwrb"};
    uint8_t *jpeg;
    size_t size;
    make_jpeg(64, 32, &jpeg, &size);
    for (int orientation = 1; orientation <= 8; orientation++) {
        size_t turned_size;
        uint8_t *turned = with_orientation(jpeg, size, orientation, &turned_size);
        struct gk_picture picture;
        assert_int_equal(gk_picture_decode_colour(turned, turned_size, &picture, NULL), GK_OK);
        char seen[5] = {colour_at(&picture.image, 0.25, 0.25), colour_at(&picture.image, 0.75, 0.25),
                        colour_at(&picture.image, 0.25, 0.75), colour_at(&picture.image, 0.75, 0.75), '\0'};
        assert_string_equal(seen, shown[orientation - 1]);
        assert_int_equal(picture.image.width_px, orientation >= 5 ? 32 : 64);
        /* A point of the stored picture's red quarter lies in the shown one's. */
        struct gk_point red = gk_picture_from_stored(&picture, (struct gk_point){16, 8});
        assert_int_equal(
            colour_at(&picture.image, red.x / picture.image.width_px, red.y / picture.image.height_px), 'r');
        assert_same_grey(turned, turned_size, &picture, 30);
        gk_picture_clear(&picture);
        free(turned);
    }
    free(jpeg);
}

static void test_png_is_as_grey_as_its_colours(void **state)
{
    (void)state;
    static const int sizes[][2] = {{60, 40}, {5000, 700}}; /* the second is shrunk */
    for (size_t i = 0; i < 2; i++) {
        struct gk_mint_picture drawn = {.width_px = (uint32_t)sizes[i][0],
                                        .height_px = (uint32_t)sizes[i][1]};
        size_t samples = (size_t)drawn.width_px * drawn.height_px * 3;
        drawn.rgb = malloc(samples);
        assert_non_null(drawn.rgb);
        for (size_t j = 0; j < samples; j++) {
            drawn.rgb[j] = (uint8_t)(j * 7 % 251);
        }
        char *png = NULL;
        size_t size = 0;
        FILE *stream = open_memstream(&png, &size);
        assert_int_equal(gk_mint_write_png(stream, &drawn), 0);
        fclose(stream);
        struct gk_picture picture;
        assert_int_equal(gk_picture_decode_colour((uint8_t *)png, size, &picture, NULL), GK_OK);
        assert_same_grey((uint8_t *)png, size, &picture, 1);
        gk_picture_clear(&picture);
        gk_mint_picture_clear(&drawn);
        free(png);
    }
}

static void test_truncated_jpeg_is_refused(void **state)
{
    (void)state;
    uint8_t *jpeg;
    size_t size;
    make_jpeg(200, 100, &jpeg, &size);
    struct gk_picture picture;
    struct gk_error error = {0};
    for (size_t cut = 0; cut + 2 < size; cut += 1 + size / 50) {
        assert_int_equal(gk_picture_decode(jpeg, cut, &picture, &error), GK_INVALID_ARGUMENT);
    }
    free(jpeg);
}

static void test_large_picture_is_shrunk(void **state)
{
    (void)state;
    uint8_t *jpeg;
    size_t size;
    make_jpeg(5000, 1000, &jpeg, &size);
    struct gk_picture picture;
    assert_int_equal(gk_picture_decode_colour(jpeg, size, &picture, NULL), GK_OK);
    assert_true(picture.image.width_px <= GK_PICTURE_LONG_SIDE_PX);
    assert_int_equal(picture.stored_width_px, 5000);
    assert_int_equal(colour_at(&picture.image, 0.75, 0.75), 'w');
    gk_picture_clear(&picture);
    free(jpeg);
}

static void test_million_pixels_wide_png_header_is_refused(void **state)
{
    (void)state;
    /* 1000000 x 1000, 8 bits, RGB; the header's checksum is right. */
    static const uint8_t png[] = {0x89, 'P',  'N', 'G', '\r', '\n', 0x1a, '\n', 0,    0,    0,
                                  13,   'I',  'H', 'D', 'R',  0,    0x0f, 0x42, 0x40, 0,    0,
                                  3,    0xe8, 8,   2,   0,    0,    0,    0x1d, 0x1c, 0x50, 0xc8};
    struct gk_picture picture;
    struct gk_error error = {0};
    assert_int_equal(gk_picture_decode(png, sizeof png, &picture, &error), GK_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "1000000x1000"));
}

static void test_what_is_no_picture_is_refused(void **state)
{
    (void)state;
    static const uint8_t garbage[64] = {1, 2, 3};
    static uint8_t huge[GK_PICTURE_MAX_BYTES + 1] = {0xff, 0xd8, 0xff};
    struct gk_picture picture;
    struct gk_error error = {0};
    assert_int_equal(gk_picture_decode(garbage, sizeof garbage, &picture, &error), GK_INVALID_ARGUMENT);
    assert_int_equal(gk_picture_decode(NULL, 0, &picture, &error), GK_INVALID_ARGUMENT);
    assert_int_equal(gk_picture_decode(huge, sizeof huge, &picture, &error), GK_INVALID_ARGUMENT);
    assert_non_null(strstr(error.message, "8388608"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_exif_orientation_is_turned_upright),
        cmocka_unit_test(test_png_is_as_grey_as_its_colours),
        cmocka_unit_test(test_truncated_jpeg_is_refused),
        cmocka_unit_test(test_large_picture_is_shrunk),
        cmocka_unit_test(test_million_pixels_wide_png_header_is_refused),
        cmocka_unit_test(test_what_is_no_picture_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "core/recognition/picture.h"

#include "core/recognition/picture_codecs.h"

#include <assert.h>
#include <string.h>

enum gk_status gk_picture_check_size(double width_px, double height_px, struct gk_error *error)
{
    if (width_px < 1 || height_px < 1 || width_px > GK_PICTURE_MAX_SIDE_PX ||
        height_px > GK_PICTURE_MAX_SIDE_PX || width_px * height_px > GK_PICTURE_MAX_PIXELS) {
        return gk_error_set(error, GK_INVALID_ARGUMENT,
                            "a picture has 1 to %d pixels a side and at most %.0f in all, got %.0fx%.0f",
                            GK_PICTURE_MAX_SIDE_PX, GK_PICTURE_MAX_PIXELS, width_px, height_px);
    }
    return GK_OK;
}

/* EXIF 2.3, tag 274: 2, 3, 6, 7 mirror the shown x; 3, 4, 7, 8 the shown y; 5 to 8 then swap the axes. */
static bool flips_x(int orientation)
{
    return orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
}

static bool flips_y(int orientation)
{
    return orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
}

/* Turns the image's rgb, or grey where it has none, as `orientation` says. */
static bool orient(struct gk_image *image, int orientation)
{
    bool swaps = orientation >= 5;
    int width = swaps ? image->height_px : image->width_px;
    int height = swaps ? image->width_px : image->height_px;
    bool colour = image->rgb != NULL;
    struct gk_image shown;
    if (!gk_image_make(width, height, colour, &shown)) {
        return false;
    }
    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
            int u = flips_x(orientation) ? width - 1 - x : x;
            int v = flips_y(orientation) ? height - 1 - y : y;
            size_t from = (size_t)(swaps ? u : v) * (size_t)image->width_px + (size_t)(swaps ? v : u);
            size_t to = (size_t)y * (size_t)width + (size_t)x;
            if (colour) {
                memcpy(shown.rgb + to * 3, image->rgb + from * 3, 3);
            } else {
                shown.grey[to] = image->grey[from];
            }
        }
    }
    gk_image_clear(image);
    *image = shown;
    return true;
}

static enum gk_status decode(const uint8_t *data, size_t size, bool colour, struct gk_picture *ret_picture,
                             struct gk_error *error)
{
    static const uint8_t png_signature[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    assert(ret_picture != NULL && (data != NULL || size == 0));
    if (size > GK_PICTURE_MAX_BYTES) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "a picture has at most %u bytes, got %zu",
                            GK_PICTURE_MAX_BYTES, size);
    }
    struct gk_picture picture = {.orientation = 1};
    enum gk_status status;
    if (size > sizeof png_signature && memcmp(data, png_signature, sizeof png_signature) == 0) {
        status = gk_png_decode(data, size, colour, &picture, error);
    } else if (size > 3 && data[0] == 0xff && data[1] == 0xd8 && data[2] == 0xff) {
        status = gk_jpeg_decode(data, size, colour, &picture, error);
    } else {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "neither JPEG nor PNG");
    }
    if (status != GK_OK) {
        return status;
    }
    if (picture.orientation != 1 && !orient(&picture.image, picture.orientation)) {
        gk_picture_clear(&picture);
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "out of memory for a picture");
    }
    if (colour) {
        gk_image_fill_grey(&picture.image);
    }
    *ret_picture = picture;
    return GK_OK;
}

enum gk_status gk_picture_decode(const uint8_t *data, size_t size, struct gk_picture *ret_picture,
                                 struct gk_error *error)
{
    return decode(data, size, false, ret_picture, error);
}

enum gk_status gk_picture_decode_colour(const uint8_t *data, size_t size, struct gk_picture *ret_picture,
                                        struct gk_error *error)
{
    return decode(data, size, true, ret_picture, error);
}

void gk_picture_clear(struct gk_picture *picture)
{
    if (picture != NULL) {
        gk_image_clear(&picture->image);
    }
}

struct gk_point gk_picture_from_stored(const struct gk_picture *picture, struct gk_point stored)
{
    double x = stored.x / picture->stored_width_px, y = stored.y / picture->stored_height_px;
    double u = picture->orientation >= 5 ? y : x, v = picture->orientation >= 5 ? x : y;
    u = flips_x(picture->orientation) ? 1 - u : u;
    v = flips_y(picture->orientation) ? 1 - v : v;
    return (struct gk_point){u * picture->image.width_px, v * picture->image.height_px};
}

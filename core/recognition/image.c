#include "core/recognition/image.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool gk_image_make(int width_px, int height_px, bool with_rgb, struct gk_image *ret_image)
{
    assert(width_px > 0 && height_px > 0 && ret_image != NULL);
    size_t pixels = (size_t)width_px * (size_t)height_px;
    struct gk_image image = {.width_px = width_px, .height_px = height_px};
    image.grey = malloc(pixels);
    image.rgb = with_rgb ? malloc(pixels * 3) : NULL;
    if (image.grey == NULL || (with_rgb && image.rgb == NULL)) {
        gk_image_clear(&image);
        *ret_image = (struct gk_image){0};
        return false;
    }
    *ret_image = image;
    return true;
}

void gk_image_clear(struct gk_image *image)
{
    if (image == NULL) {
        return;
    }
    free(image->grey);
    free(image->rgb);
    *image = (struct gk_image){0};
}

void gk_image_fill_grey(struct gk_image *image)
{
    assert(image->rgb != NULL);
    size_t pixels = (size_t)image->width_px * (size_t)image->height_px;
    for (size_t i = 0; i < pixels; i++) {
        image->grey[i] = gk_image_luma(image->rgb + i * 3);
    }
}

static int clamp(int value, int most)
{
    return value < 0 ? 0 : value > most ? most : value;
}

double gk_image_grey_at(const struct gk_image *image, double x, double y)
{
    double left = fmin(fmax(x - 0.5, -1), image->width_px), top = fmin(fmax(y - 0.5, -1), image->height_px);
    int x0 = (int)floor(left), y0 = (int)floor(top);
    double dx = left - x0, dy = top - y0;
    int x1 = clamp(x0 + 1, image->width_px - 1), y1 = clamp(y0 + 1, image->height_px - 1);
    x0 = clamp(x0, image->width_px - 1);
    y0 = clamp(y0, image->height_px - 1);
    const uint8_t *upper = image->grey + (size_t)y0 * (size_t)image->width_px;
    const uint8_t *lower = image->grey + (size_t)y1 * (size_t)image->width_px;
    return (upper[x0] * (1 - dx) + upper[x1] * dx) * (1 - dy) + (lower[x0] * (1 - dx) + lower[x1] * dx) * dy;
}

void gk_image_integral(const uint8_t *grey, int width_px, int height_px, uint32_t *ret_sums)
{
    size_t stride = (size_t)width_px + 1;
    memset(ret_sums, 0, stride * sizeof *ret_sums);
    for (int y = 0; y < height_px; y++) {
        uint32_t row = 0, *here = ret_sums + (size_t)(y + 1) * stride;
        here[0] = 0;
        for (int x = 0; x < width_px; x++) {
            row += grey[(size_t)y * (size_t)width_px + (size_t)x];
            here[x + 1] = here[x + 1 - (ptrdiff_t)stride] + row;
        }
    }
}

bool gk_image_shrink(const struct gk_image *image, int long_side_px, struct gk_image *ret_image)
{
    int longest = image->width_px > image->height_px ? image->width_px : image->height_px;
    double scale = longest > long_side_px ? (double)long_side_px / longest : 1;
    int width = (int)fmax(1, round(image->width_px * scale));
    int height = (int)fmax(1, round(image->height_px * scale));
    struct gk_image small;
    if (!gk_image_make(width, height, false, &small)) {
        return false;
    }
    size_t stride = (size_t)image->width_px + 1;
    uint32_t *sums = malloc(stride * ((size_t)image->height_px + 1) * sizeof *sums);
    if (sums == NULL) {
        gk_image_clear(&small);
        return false;
    }
    gk_image_integral(image->grey, image->width_px, image->height_px, sums);
    for (int y = 0; y < height; y++) {
        int top = y * image->height_px / height, bottom = (y + 1) * image->height_px / height;
        for (int x = 0; x < width; x++) {
            int left = x * image->width_px / width, right = (x + 1) * image->width_px / width;
            const uint32_t *above = sums + (size_t)top * stride, *below = sums + (size_t)bottom * stride;
            uint32_t total = below[right] - below[left] - above[right] + above[left];
            uint32_t area = (uint32_t)(right - left) * (uint32_t)(bottom - top);
            small.grey[(size_t)y * (size_t)width + (size_t)x] = (uint8_t)(total / area);
        }
    }
    free(sums);
    *ret_image = small;
    return true;
}

#include "core/recognition/strip_reader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Shares of the strip's height: how much of it, and its middle's distance from the strip's middle. Digits
 * take a half to three quarters of a strip; narrower framings cut those of the upper end. */
static const struct {
    double height, shift;
} framings[GK_STRIP_FRAMINGS] = {{1, 0}, {1.15, 0}, {0.88, 0}, {1, -0.06}, {1, 0.06}};

/* Heights of the strip added at either end: the net was trained on characters with ground around. They are of
 * one grey, so that a stroke which touches the edge ends there; where the edge repeated, the net took such
 * characters for neighbours that the crop cuts, and left them out. By strips/dev of the study's corpus: of
 * 118 strips 5 were wrong with repeated edges, 1 to 4 with margins of 0.25 to 0.6. */
#define MARGIN 0.3

static int compare_grey(const void *a, const void *b)
{
    return *(const uint8_t *)a - *(const uint8_t *)b;
}

/* Gives the columns from `begin` to before `end` the median of the grey at `begin`. */
static void flatten(struct gk_image *framed, int begin, int end)
{
    uint8_t column[GK_DIGIT_STRIP_HEIGHT_PX];

    if (begin >= end) { /* a strip so wide that its margins have no column */
        return;
    }
    for (int y = 0; y < framed->height_px; y++) {
        column[y] = framed->grey[(size_t)y * (size_t)framed->width_px + (size_t)begin];
    }
    qsort(column, sizeof column, 1, compare_grey);
    for (int y = 0; y < framed->height_px; y++) {
        memset(framed->grey + (size_t)y * (size_t)framed->width_px + begin, column[sizeof column / 2],
               (size_t)(end - begin));
    }
}

/* One framing as the net takes it: 32 rows, the width by the same scale. */
static bool frame(const struct gk_image *strip, double height_share, double shift,
                  struct gk_image *ret_framed)
{
    double height = strip->height_px * height_share, top = strip->height_px * (0.5 + shift) - height / 2;
    double margin = strip->height_px * MARGIN, whole = strip->width_px + 2 * margin;
    int width = 4 * (int)round(whole * GK_DIGIT_STRIP_HEIGHT_PX / height / 4);
    width = width < GK_DIGIT_STRIP_LEAST_WIDTH_PX  ? GK_DIGIT_STRIP_LEAST_WIDTH_PX
            : width > GK_DIGIT_STRIP_MOST_WIDTH_PX ? GK_DIGIT_STRIP_MOST_WIDTH_PX
                                                   : width;
    const struct gk_window window = {-margin, top, whole, height};
    if (!gk_image_resample(strip, &window, width, GK_DIGIT_STRIP_HEIGHT_PX, ret_framed)) {
        return false;
    }
    const int ends = (int)floor(margin * width / whole); /* columns of a margin */
    flatten(ret_framed, 0, ends);
    flatten(ret_framed, width - ends, width);
    return true;
}

bool gk_strip_read(struct gk_digit_net *net, const struct gk_image *strip, struct gk_reading *ret_reading)
{
    struct gk_digit_matrix *matrix = malloc(sizeof *matrix);
    bool read = matrix != NULL;
    ret_reading->framing_count = 0;
    ret_reading->row_count = 0;
    for (size_t i = 0; i < GK_STRIP_FRAMINGS && read; i++) {
        struct gk_image framed;
        read = frame(strip, framings[i].height, framings[i].shift, &framed);
        if (read) {
            read = gk_digit_net_read(net, &framed, matrix);
            gk_image_clear(&framed);
        }
        if (read) {
            gk_reading_add(ret_reading, matrix);
        }
    }
    free(matrix);
    return read;
}

#include "core/recognition/strip_reader.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Shares of the strip's height: how much of it, and its middle's distance from the strip's middle. Digits
 * take a half to three quarters of a strip; narrower framings cut those of the upper end. */
static const struct {
    double height, shift;
} framings[GK_STRIP_FRAMINGS] = {{1, 0}, {1.15, 0}, {0.88, 0}, {1, -0.06}, {1, 0.06}};

/* Heights of the strip added at either end, where the edge repeats: the net was trained on characters with
 * ground around. */
#define MARGIN 0.2

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
    return gk_image_resample(strip, &window, width, GK_DIGIT_STRIP_HEIGHT_PX, ret_framed);
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

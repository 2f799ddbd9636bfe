#include "core/recognition/text_rows.h"

#include <allheaders.h>
#include <stdlib.h>

/* Pixels of the frame that one pixel of the looked at picture is wide: 6 px are a millimetre. */
#define STEP_PX 2
#define REACH_PX 8      /* of the ground that ink stands out of, to either side: as far as digits are high */
#define INK 24          /* grey levels that ink stands out by. Estimated */
#define GAP_PX 19       /* between neighbours that belong together: 3 mm */
#define LEAST_PX 24     /* a row's length */
#define THIN_PX 5       /* lines and rules are thinner than print */
#define LOWEST_PX 7     /* of a row: 1.2 mm */
#define HIGHEST_PX 34   /* 5.7 mm */
#define LEAST_RATIO 3.5 /* of length to height: six figures */

#define MOST_OVERLAP 0.6 /* of a row with one that is there already */

/* The frame mirrored along its diagonal: what runs down it runs along this one. */
static struct gk_homography mirrored(const struct gk_homography *frame)
{
    struct gk_homography other = *frame;
    for (int row = 0; row < 3; row++) {
        other.m[row * 3] = frame->m[row * 3 + 1];
        other.m[row * 3 + 1] = frame->m[row * 3];
    }
    other.width_px = frame->height_px;
    other.height_px = frame->width_px;
    return other;
}

static PIX *grey_of(const struct gk_image *picture, const struct gk_homography *frame)
{
    const int width = frame->width_px / STEP_PX, height = frame->height_px / STEP_PX;
    float values[GK_CARD_WIDTH_PX];
    PIX *grey = pixCreate(width, height, 8);
    for (int y = 0; grey != NULL && y < height; y++) {
        l_uint32 *line = pixGetData(grey) + (ptrdiff_t)y * pixGetWpl(grey);
        gk_homography_sample(frame, picture, STEP_PX / 2.0, (y + 0.5) * STEP_PX, STEP_PX, width, values);
        for (int x = 0; x < width; x++) {
            SET_DATA_BYTE(line, x, (l_uint8)values[x]);
        }
    }
    return grey;
}

/* Takes `from`, which may be NULL, and is NULL where a step before failed. */
static PIX *then(PIX *from, PIX *made)
{
    pixDestroy(&from);
    return made;
}

/* The rows of what is darker than the ground, or lighter: neighbours joined, specks and thin lines gone. */
static BOXA *boxes_of(PIX *from, PIX *other)
{
    PIX *print = pixSubtractGray(NULL, from, other);
    print = print == NULL ? NULL : then(print, pixThresholdToBinary(print, INK));
    print = print == NULL ? NULL : then(print, pixInvert(NULL, print)); /* set was what is below */
    print = print == NULL ? NULL : then(print, pixCloseSafeBrick(NULL, print, GAP_PX, 1));
    print = print == NULL ? NULL : then(print, pixOpenBrick(NULL, print, LEAST_PX, THIN_PX));
    pixWrite("/tmp/dbg-l.png", print, IFF_PNG);
    BOXA *boxes = print == NULL ? NULL : pixConnCompBB(print, 8);
    pixDestroy(&print);
    return boxes;
}

static struct gk_number_line row_of(const BOX *box, bool across)
{
    const double left = box->x * STEP_PX, right = (box->x + box->w) * STEP_PX;
    const double middle = (box->y + box->h / 2.0) * STEP_PX;
    struct gk_number_line row = {.left = {left, middle},
                                 .right = {right, middle},
                                 .left_height = box->h * STEP_PX,
                                 .right_height = box->h * STEP_PX};
    if (across) {
        row.left = (struct gk_point){middle, left};
        row.right = (struct gk_point){middle, right};
    }
    return row;
}

/* Ink leaves ground between it that stands out the other way: such a row is there already. */
static bool is_known(BOXA *kept, BOX *box)
{
    for (int i = 0; i < boxaGetCount(kept); i++) {
        BOX *other = boxaGetBox(kept, i, L_CLONE);
        l_float32 share = 0;
        (void)boxOverlapFraction(other, box, &share);
        boxDestroy(&other);
        if (share > MOST_OVERLAP) {
            return true;
        }
    }
    return false;
}

/* Those of a row's shape, longest first, each once. */
static size_t choose_rows(BOXA *found, bool across, struct gk_number_line ret_rows[GK_TEXT_ROWS_MOST])
{
    BOXA *boxes = boxaSort(found, L_SORT_BY_WIDTH, L_SORT_DECREASING, NULL);
    BOXA *kept = boxes == NULL ? NULL : boxaCreate(GK_TEXT_ROWS_MOST);
    size_t count = 0;
    for (int i = 0; kept != NULL && i < boxaGetCount(boxes) && count < GK_TEXT_ROWS_MOST; i++) {
        BOX *box = boxaGetBox(boxes, i, L_CLONE);
        if (box->h >= LOWEST_PX && box->h <= HIGHEST_PX && box->w >= LEAST_RATIO * box->h &&
            !is_known(kept, box)) {
            ret_rows[count++] = row_of(box, across);
            (void)boxaAddBox(kept, box, L_CLONE);
        }
        boxDestroy(&box);
    }
    boxaDestroy(&kept);
    boxaDestroy(&boxes);
    return count;
}

size_t gk_text_rows_find(const struct gk_image *picture, const struct gk_homography *frame, bool across,
                         struct gk_number_line ret_rows[GK_TEXT_ROWS_MOST])
{
    const struct gk_homography other = mirrored(frame);
    PIX *grey = grey_of(picture, across ? &other : frame);
    PIX *ground = grey == NULL ? NULL : pixBlockconv(grey, REACH_PX, REACH_PX);
    BOXA *found = ground == NULL ? NULL : boxes_of(ground, grey);
    BOXA *light = found == NULL ? NULL : boxes_of(grey, ground);
    size_t count = 0;
    if (light != NULL && boxaJoin(found, light, 0, -1) == 0 && boxaGetCount(found) > 0) {
        count = choose_rows(found, across, ret_rows);
    }
    boxaDestroy(&light);
    boxaDestroy(&found);
    pixDestroy(&ground);
    pixDestroy(&grey);
    return count;
}

#include "core/recognition/number_line.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Characters on cards are 1.6 to 6 mm high. */
#define LEAST_HEIGHT_PX (1.5 * GK_CARD_PX_PER_MM)
#define MOST_HEIGHT_PX (6.0 * GK_CARD_PX_PER_MM)
#define MOST_BOXES 3000
#define LEAST_CONTRAST 10 /* grey levels that print differs from its ground */
#define WINDOW_MM 2.2     /* half the side of the square that local contrast is measured in */

struct box {
    int left, top, right, bottom; /* right and bottom are one past */
    int area;                     /* pixels of the component */
    int next;                     /* to its right in its row; -1: none */
    bool has_previous;
};

struct boxes {
    struct box *items;
    size_t count;
};

/* 1 where the pixel is darker (or lighter) than its surroundings by enough. */
static bool threshold(const struct gk_image *card, bool light, uint8_t *mask)
{
    int width = card->width_px, height = card->height_px, radius = (int)(WINDOW_MM * GK_CARD_PX_PER_MM);
    size_t stride = (size_t)width + 1;
    uint32_t *sums = malloc(stride * ((size_t)height + 1) * sizeof *sums);
    if (sums == NULL) {
        return false;
    }
    gk_image_integral(card->grey, width, height, sums);
    for (int y = 0; y < height; y++) {
        int top = y - radius < 0 ? 0 : y - radius, bottom = y + radius > height ? height : y + radius;
        const uint32_t *above = sums + (size_t)top * stride, *below = sums + (size_t)bottom * stride;
        for (int x = 0; x < width; x++) {
            int left = x - radius < 0 ? 0 : x - radius, right = x + radius > width ? width : x + radius;
            int area = (right - left) * (bottom - top);
            int mean = (int)((below[right] - below[left] - above[right] + above[left]) / (uint32_t)area);
            size_t at = (size_t)y * (size_t)width + (size_t)x;
            int over = light ? card->grey[at] - mean : mean - card->grey[at];
            mask[at] = over > LEAST_CONTRAST + mean / 24;
        }
    }
    free(sums);
    return true;
}

/* Fills one component of the mask from a seed, clearing it; boxes it. `stack` holds a pixel index each. */
static struct box flood(uint8_t *mask, int width, int height, int seed, int *stack)
{
    struct box box = {seed % width, seed / width, seed % width + 1, seed / width + 1, 0, -1, false};
    size_t depth = 0;
    stack[depth++] = seed;
    mask[seed] = 0;
    while (depth > 0) {
        int at = stack[--depth], x = at % width, y = at / width;
        box.area++;
        box.left = x < box.left ? x : box.left;
        box.right = x >= box.right ? x + 1 : box.right;
        box.top = y < box.top ? y : box.top;
        box.bottom = y >= box.bottom ? y + 1 : box.bottom;
        for (int dy = -1; dy <= 1; dy++) {
            for (int dx = -1; dx <= 1; dx++) {
                int nx = x + dx, ny = y + dy;
                if (nx >= 0 && ny >= 0 && nx < width && ny < height && mask[ny * width + nx]) {
                    mask[ny * width + nx] = 0;
                    stack[depth++] = ny * width + nx;
                }
            }
        }
    }
    return box;
}

static bool may_be_character(const struct box *box)
{
    int width = box->right - box->left, height = box->bottom - box->top;
    double filled = (double)box->area / (width * height);
    return height >= LEAST_HEIGHT_PX && height <= MOST_HEIGHT_PX && width <= height * 2.2 &&
           width >= height * 0.08 && filled > 0.12;
}

static int compare_boxes(const void *a, const void *b)
{
    return ((const struct box *)a)->left - ((const struct box *)b)->left;
}

static bool find_boxes(const struct gk_image *card, bool light, struct boxes *ret_boxes)
{
    size_t pixels = (size_t)card->width_px * (size_t)card->height_px;
    uint8_t *mask = calloc(pixels, 1);
    int *stack = malloc(pixels * sizeof *stack);
    struct boxes boxes = {.items = malloc(MOST_BOXES * sizeof *boxes.items)};
    bool done = mask != NULL && stack != NULL && boxes.items != NULL && threshold(card, light, mask);
    for (size_t i = 0; done && i < pixels && boxes.count < MOST_BOXES; i++) {
        if (mask[i]) {
            struct box box = flood(mask, card->width_px, card->height_px, (int)i, stack);
            if (may_be_character(&box)) {
                boxes.items[boxes.count++] = box;
            }
        }
    }
    free(mask);
    free(stack);
    if (!done) {
        free(boxes.items);
        return false;
    }
    qsort(boxes.items, boxes.count, sizeof *boxes.items, compare_boxes);
    *ret_boxes = boxes;
    return true;
}

/* Is `b`, which begins to the right of `a`, the next character of its row? */
static bool follows(const struct box *a, const struct box *b)
{
    double ha = a->bottom - a->top, hb = b->bottom - b->top, height = fmax(ha, hb);
    double gap = b->left - a->right;
    double shift_top = fabs((double)(b->top - a->top)), shift_bottom = fabs((double)(b->bottom - a->bottom));
    double lean = 0.10 * fmax(0, b->left - a->left); /* a row may slope a little */
    return gap > -0.4 * height && gap < 2.6 * height && shift_top < 0.22 * height + lean &&
           shift_bottom < 0.22 * height + lean;
}

/* Links each box to the nearest that follows it and has no predecessor yet. */
static void link_boxes(struct boxes *boxes)
{
    for (size_t i = 0; i < boxes->count; i++) {
        struct box *box = &boxes->items[i];
        int best = -1;
        for (size_t j = i + 1; j < boxes->count; j++) {
            const struct box *other = &boxes->items[j];
            if (other->left > box->right + 2.6 * MOST_HEIGHT_PX) {
                break;
            }
            if (!other->has_previous && follows(box, other) &&
                (best < 0 || other->left < boxes->items[best].left)) {
                best = (int)j;
            }
        }
        box->next = best;
        if (best >= 0) {
            boxes->items[best].has_previous = true;
        }
    }
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Measures the chain that starts at `first`; false where it has too few characters. */
static bool measure_chain(const struct boxes *boxes, size_t first, int least_characters,
                          struct gk_number_line *ret_line)
{
    double heights[MOST_BOXES], sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0;
    int count = 0;
    const struct box *start = &boxes->items[first], *last = start;
    for (const struct box *box = start; box != NULL; box = box->next < 0 ? NULL : &boxes->items[box->next]) {
        double x = (box->left + box->right) / 2.0, y = (box->top + box->bottom) / 2.0;
        heights[count++] = box->bottom - box->top;
        sum_x += x;
        sum_y += y;
        sum_xx += x * x;
        sum_xy += x * y;
        last = box->right > last->right ? box : last;
    }
    if (count < least_characters) {
        return false;
    }
    qsort(heights, (size_t)count, sizeof *heights, compare_doubles);
    double spread = sum_xx - sum_x * sum_x / count;
    struct gk_number_line line = {.left = start->left, .right = last->right, .characters = count};
    line.height = heights[count / 2];
    line.slope = spread > 1 ? (sum_xy - sum_x * sum_y / count) / spread : 0;
    line.centre_y = sum_y / count + line.slope * ((line.left + line.right) / 2 - sum_x / count);
    double unevenness = (heights[count * 3 / 4] - heights[count / 4]) / line.height;
    /* Numbers have 8 to 19 characters of one height. */
    line.score = fmin(count, 16) / 16.0 - fmin(unevenness, 1) * 0.5 - (count > 26 ? 0.3 : 0);
    *ret_line = line;
    return true;
}

static int compare_lines(const void *a, const void *b)
{
    double x = ((const struct gk_number_line *)a)->score, y = ((const struct gk_number_line *)b)->score;
    return (x < y) - (x > y);
}

static size_t find_polarity(const struct gk_image *card, bool light, int least_characters,
                            struct gk_number_line *lines, size_t count)
{
    struct boxes boxes;
    if (!find_boxes(card, light, &boxes)) {
        return count;
    }
    link_boxes(&boxes);
    for (size_t i = 0; i < boxes.count; i++) {
        struct gk_number_line line;
        if (boxes.items[i].has_previous || !measure_chain(&boxes, i, least_characters, &line)) {
            continue;
        }
        line.light_on_dark = light;
        if (count < GK_NUMBER_LINES_MOST) {
            lines[count++] = line;
            continue;
        }
        size_t worst = 0;
        for (size_t j = 1; j < count; j++) {
            worst = lines[j].score < lines[worst].score ? j : worst;
        }
        if (line.score > lines[worst].score) {
            lines[worst] = line;
        }
    }
    free(boxes.items);
    return count;
}

size_t gk_number_lines_find(const struct gk_image *card, int least_characters,
                            struct gk_number_line ret_lines[GK_NUMBER_LINES_MOST])
{
    assert(card != NULL && least_characters > 0);
    size_t count = find_polarity(card, false, least_characters, ret_lines, 0);
    count = find_polarity(card, true, least_characters, ret_lines, count);
    qsort(ret_lines, count, sizeof *ret_lines, compare_lines);
    return count;
}

static bool may_be_group(const struct gk_number_line *line)
{
    double width = line->right - line->left;
    return line->characters <= 6 && width > line->height && width < 6 * line->height;
}

static bool belongs_below(const struct gk_number_line *above, const struct gk_number_line *below)
{
    double height = (above->height + below->height) / 2, step = below->centre_y - above->centre_y;
    return below->light_on_dark == above->light_on_dark && may_be_group(below) &&
           fabs(above->height - below->height) < 0.15 * height && step > 1.1 * height && step < 3 * height &&
           fabs(above->left - below->left) < 0.5 * height;
}

size_t gk_number_stacks_find(const struct gk_number_line *lines, size_t count,
                             struct gk_number_stack ret_stacks[GK_NUMBER_STACKS_MOST])
{
    struct gk_number_stack found[GK_NUMBER_LINES_MOST];
    size_t found_count = 0;
    for (size_t first = 0; first < count; first++) {
        struct gk_number_stack stack = {.rows = {lines[first]}, .row_count = may_be_group(&lines[first])};
        while (stack.row_count > 0 && stack.row_count < GK_STACK_MOST_ROWS) {
            size_t next = 0;
            while (next < count && !belongs_below(&stack.rows[stack.row_count - 1], &lines[next])) {
                next++;
            }
            if (next == count) {
                break;
            }
            stack.rows[stack.row_count++] = lines[next];
        }
        if (stack.row_count >= GK_STACK_LEAST_ROWS) {
            found[found_count++] = stack;
        }
    }
    /* The tallest begins at the block's top; the others are parts of it. */
    size_t kept = 0;
    for (int rows = GK_STACK_MOST_ROWS; rows >= GK_STACK_LEAST_ROWS; rows--) {
        for (size_t i = 0; i < found_count && kept < GK_NUMBER_STACKS_MOST; i++) {
            if (found[i].row_count == rows) {
                ret_stacks[kept++] = found[i];
            }
        }
    }
    return kept;
}

/* Dark on light, and the middle 96% of the grey levels spread over the whole range. */
static void stretch(struct gk_image *strip, bool invert)
{
    size_t pixels = (size_t)strip->width_px * (size_t)strip->height_px, seen = 0, counts[256] = {0};
    for (size_t i = 0; i < pixels; i++) {
        counts[strip->grey[i]]++;
    }
    int low = 0, high = 255;
    for (seen = counts[0]; low < 255 && seen < pixels / 50; low++) {
        seen += counts[low + 1];
    }
    for (seen = counts[255]; high > 0 && seen < pixels / 50; high--) {
        seen += counts[high - 1];
    }
    for (size_t i = 0; i < pixels; i++) {
        int value = high > low ? (strip->grey[i] - low) * 255 / (high - low) : 128;
        value = value < 0 ? 0 : value > 255 ? 255 : value;
        strip->grey[i] = (uint8_t)(invert ? 255 - value : value);
    }
}

/* Subtracts the local mean and divides by the local deviation (recognition.md: what mattered, 3). */
static bool flatten(struct gk_image *strip)
{
    int width = strip->width_px, height = strip->height_px, radius = height;
    size_t stride = (size_t)width + 1, cells = stride * ((size_t)height + 1);
    uint32_t *sums = malloc(cells * sizeof *sums);
    double *columns = malloc(2 * (size_t)width * sizeof *columns);
    if (sums == NULL || columns == NULL) {
        free(sums);
        free(columns);
        return false;
    }
    gk_image_integral(strip->grey, width, height, sums);
    const uint32_t *bottom = sums + (size_t)height * stride;
    for (int x = 0; x < width; x++) {
        int left = x - radius < 0 ? 0 : x - radius, right = x + radius > width ? width : x + radius;
        columns[x] = (double)(bottom[right] - bottom[left]) / ((right - left) * height);
        double squares = 0;
        for (int y = 0; y < height; y++) {
            double over = strip->grey[(size_t)y * (size_t)width + (size_t)x] - columns[x];
            squares += over * over;
        }
        columns[width + x] = squares / height;
    }
    for (int x = 0; x < width; x++) {
        int left = x - radius < 0 ? 0 : x - radius, right = x + radius > width ? width : x + radius;
        double variance = 0;
        for (int i = left; i < right; i++) {
            variance += columns[width + i];
        }
        double deviation = sqrt(variance / (right - left)) + 4;
        for (int y = 0; y < height; y++) {
            uint8_t *at = &strip->grey[(size_t)y * (size_t)width + (size_t)x];
            double value = 128 + 64 * (*at - columns[x]) / deviation;
            *at = (uint8_t)fmin(fmax(value, 0), 255);
        }
    }
    free(sums);
    free(columns);
    return true;
}

bool gk_number_line_cut(const struct gk_image *picture, const struct gk_homography *homography,
                        const struct gk_number_line *line, bool upside_down, const struct gk_framing *framing,
                        struct gk_image *ret_strip)
{
    assert(line->height > 0);
    double scale = line->height / GK_STRIP_CHARACTER_PX; /* frame pixels a strip pixel */
    double margin = 0.6 * line->height, length = line->right - line->left + 2 * margin;
    int width = (int)lround(length / scale),
        height = (int)lround(GK_STRIP_CHARACTER_PX * framing->height_share);
    struct gk_image strip;
    if (width < 8 || width > 4000 || height < 8 || !gk_image_make(width, height, false, &strip)) {
        return false;
    }
    double norm = sqrt(1 + line->slope * line->slope), ux = 1 / norm, uy = line->slope / norm;
    double middle_x = (line->left + line->right) / 2, turn = upside_down ? -1 : 1;
    for (int y = 0; y < height; y++) {
        double down = turn * (y + 0.5 - height / 2.0) * scale + turn * framing->centre_shift * line->height;
        for (int x = 0; x < width; x++) {
            double along = turn * (x + 0.5 - width / 2.0) * scale;
            struct gk_point frame = {middle_x + along * ux - down * uy,
                                     line->centre_y + along * uy + down * ux};
            struct gk_point at = gk_homography_apply(homography, frame);
            strip.grey[(size_t)y * (size_t)width + (size_t)x] =
                (uint8_t)(gk_image_grey_at(picture, at.x, at.y) + 0.5);
        }
    }
    if (framing->normalise && !flatten(&strip)) {
        gk_image_clear(&strip);
        return false;
    }
    stretch(&strip, line->light_on_dark);
    *ret_strip = strip;
    return true;
}

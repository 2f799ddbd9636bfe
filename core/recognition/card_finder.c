#include "core/recognition/card_finder.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846
#define WORK_LONG_SIDE_PX 400
#define ANGLES 180 /* one a degree: an edge's normal, 0 to 179 */
#define MOST_LINES 24
#define LINE_APART_PX 7.0
#define LINE_APART_DEGREES 7
#define SAMPLES 60 /* along a side */

/* Gradients of the small picture. */
struct edges {
    int width, height;
    float *magnitude;
    float *angle; /* of the gradient, radians, 0 to pi: light and dark sides are not told apart */
    float strong; /* the magnitude above which a pixel is an edge */
};

struct line {
    double normal; /* radians, 0 to pi */
    double offset; /* x cos + y sin, pixels */
    double votes;
};

static void edges_clear(struct edges *edges)
{
    free(edges->magnitude);
    free(edges->angle);
}

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The level that a tenth of all pixels exceed, but at least 4 grey levels a pixel. */
static bool choose_strong(struct edges *edges)
{
    size_t count = (size_t)edges->width * (size_t)edges->height;
    float *sorted = malloc(count * sizeof *sorted);
    if (sorted == NULL) {
        return false;
    }
    memcpy(sorted, edges->magnitude, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_floats);
    edges->strong = fminf(fmaxf(sorted[count * 9 / 10], 4.0f), 16.0f);
    free(sorted);
    return true;
}

/* Sobel's gradient of one channel; where it is stronger than what stands there, it replaces it. */
static void add_gradients(const struct gk_image *small, struct edges *edges)
{
    int width = small->width_px;
    for (int y = 1; y + 1 < small->height_px; y++) {
        const uint8_t *row = small->grey + (size_t)y * (size_t)width;
        for (int x = 1; x + 1 < width; x++) {
            const uint8_t *up = row - width + x, *at = row + x, *down = row + width + x;
            float gx = (float)(up[1] + 2 * at[1] + down[1] - up[-1] - 2 * at[-1] - down[-1]) / 8;
            float gy = (float)(down[-1] + 2 * down[0] + down[1] - up[-1] - 2 * up[0] - up[1]) / 8;
            float magnitude = sqrtf(gx * gx + gy * gy);
            size_t i = (size_t)y * (size_t)width + (size_t)x;
            if (magnitude > edges->magnitude[i]) {
                float angle = atan2f(gy, gx);
                edges->magnitude[i] = magnitude;
                edges->angle[i] = angle < 0 ? angle + (float)PI : angle;
            }
        }
    }
}

/* A card and a table of one brightness mostly differ in some colour: each channel is looked at. */
static bool add_channel(const struct gk_image *image, int channel, struct edges *edges)
{
    struct gk_image plane, small;
    if (!gk_image_make(image->width_px, image->height_px, false, &plane)) {
        return false;
    }
    size_t pixels = (size_t)image->width_px * (size_t)image->height_px;
    for (size_t i = 0; i < pixels; i++) {
        plane.grey[i] = image->rgb[i * 3 + (size_t)channel];
    }
    bool shrunk = gk_image_shrink(&plane, WORK_LONG_SIDE_PX, &small);
    gk_image_clear(&plane);
    if (shrunk) {
        add_gradients(&small, edges);
        gk_image_clear(&small);
    }
    return shrunk;
}

static bool edges_make(const struct gk_image *image, const struct gk_image *small, struct edges *ret_edges)
{
    size_t count = (size_t)small->width_px * (size_t)small->height_px;
    struct edges edges = {.width = small->width_px, .height = small->height_px};
    edges.magnitude = calloc(count, sizeof *edges.magnitude);
    edges.angle = calloc(count, sizeof *edges.angle);
    bool made = edges.magnitude != NULL && edges.angle != NULL;
    if (made) {
        add_gradients(small, &edges);
    }
    for (int channel = 0; made && image->rgb != NULL && channel < 3; channel += 2) {
        made = add_channel(image, channel, &edges);
    }
    if (!made || !choose_strong(&edges)) {
        edges_clear(&edges);
        return false;
    }
    *ret_edges = edges;
    return true;
}

/* Every edge pixel votes for lines whose normal is within 3 degrees of its gradient; weak edges vote less, so
 * that print and clutter do not drown a faint but long side. */
static void vote(const struct edges *edges, float *votes, int offsets)
{
    double cosines[ANGLES], sines[ANGLES];
    for (int i = 0; i < ANGLES; i++) {
        cosines[i] = cos(i * PI / ANGLES);
        sines[i] = sin(i * PI / ANGLES);
    }
    for (int y = 0; y < edges->height; y++) {
        for (int x = 0; x < edges->width; x++) {
            size_t at = (size_t)y * (size_t)edges->width + (size_t)x;
            if (edges->magnitude[at] < edges->strong * 0.5f) {
                continue;
            }
            float weight = fminf(edges->magnitude[at] / edges->strong, 1.5f);
            int middle = (int)lround(edges->angle[at] * ANGLES / PI);
            for (int step = -3; step <= 3; step++) {
                int angle = (middle + step + ANGLES) % ANGLES;
                double offset = (x + 0.5) * cosines[angle] + (y + 0.5) * sines[angle];
                int bin = (int)lround(offset) + offsets / 2;
                votes[(size_t)angle * (size_t)offsets + (size_t)bin] += weight;
            }
        }
    }
}

/* Are two lines the same one? Normals of 179 and 1 degrees are neighbours with offsets of opposite sign. */
static bool same_line(const struct line *a, int angle, double offset)
{
    int difference = abs((int)lround(a->normal * ANGLES / PI) - angle);
    if (difference > ANGLES / 2) {
        difference = ANGLES - difference;
        offset = -offset;
    }
    return difference <= LINE_APART_DEGREES && fabs(a->offset - offset) < LINE_APART_PX;
}

static size_t pick_lines(const float *votes, int offsets, double shortest, struct line *lines)
{
    size_t count = 0;
    while (count < MOST_LINES) {
        float best = (float)shortest;
        int best_angle = -1, best_bin = 0;
        for (int angle = 0; angle < ANGLES; angle++) {
            for (int bin = 1; bin + 1 < offsets; bin++) {
                float value = votes[(size_t)angle * (size_t)offsets + (size_t)bin];
                if (value <= best) {
                    continue;
                }
                bool taken = false;
                for (size_t i = 0; i < count && !taken; i++) {
                    taken = same_line(&lines[i], angle, bin - offsets / 2);
                }
                if (!taken) {
                    best = value;
                    best_angle = angle;
                    best_bin = bin;
                }
            }
        }
        if (best_angle < 0) {
            break;
        }
        lines[count++] = (struct line){
            .normal = best_angle * PI / ANGLES, .offset = best_bin - offsets / 2, .votes = best};
    }
    return count;
}

static bool cross(const struct line *a, const struct line *b, struct gk_point *ret_point)
{
    double ac = cos(a->normal), as = sin(a->normal), bc = cos(b->normal), bs = sin(b->normal);
    double determinant = ac * bs - as * bc;
    if (fabs(determinant) < 0.3) {
        return false;
    }
    ret_point->x = (a->offset * bs - b->offset * as) / determinant;
    ret_point->y = (ac * b->offset - bc * a->offset) / determinant;
    return true;
}

static double distance(struct gk_point a, struct gk_point b)
{
    return hypot(a.x - b.x, a.y - b.y);
}

/* Share of the side that lies on an edge of its direction. The rounded corners are left out. */
static double side_support(const struct edges *edges, struct gk_point from, struct gk_point to)
{
    double length = distance(from, to);
    double nx = -(to.y - from.y) / length, ny = (to.x - from.x) / length;
    double normal = atan2(ny, nx);
    int hits = 0;
    for (int i = 0; i < SAMPLES; i++) {
        double t = 0.07 + 0.86 * (i + 0.5) / SAMPLES;
        double x = from.x + (to.x - from.x) * t, y = from.y + (to.y - from.y) * t;
        bool hit = false;
        for (int step = -2; step <= 2 && !hit; step++) {
            int px = (int)floor(x + nx * step), py = (int)floor(y + ny * step);
            if (px < 0 || py < 0 || px >= edges->width || py >= edges->height) {
                continue;
            }
            size_t at = (size_t)py * (size_t)edges->width + (size_t)px;
            double turn = fabs(remainder(edges->angle[at] - normal, PI));
            hit = edges->magnitude[at] > edges->strong * 0.5f && turn < 0.3;
        }
        hits += hit;
    }
    return (double)hits / SAMPLES;
}

static double cross_product(struct gk_point o, struct gk_point a, struct gk_point b)
{
    return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
}

/* Orders the corners clockwise as seen (y down), a long side first and, of the two, the one with the lower y.
 */
static bool order_corners(struct gk_quad *quad)
{
    for (int i = 0; i < 4; i++) {
        double turn = cross_product(quad->corner[i], quad->corner[(i + 1) % 4], quad->corner[(i + 2) % 4]);
        double first = cross_product(quad->corner[0], quad->corner[1], quad->corner[2]);
        if (turn * first <= 0) {
            return false;
        }
    }
    if (cross_product(quad->corner[0], quad->corner[1], quad->corner[2]) < 0) {
        struct gk_point kept = quad->corner[1];
        quad->corner[1] = quad->corner[3];
        quad->corner[3] = kept;
    }
    double even = distance(quad->corner[0], quad->corner[1]) + distance(quad->corner[2], quad->corner[3]);
    double odd = distance(quad->corner[1], quad->corner[2]) + distance(quad->corner[3], quad->corner[0]);
    int start = even >= odd ? 0 : 1;
    const struct gk_point *c = quad->corner;
    double here = c[start].y + c[start + 1].y, there = c[(start + 2) % 4].y + c[(start + 3) % 4].y;
    start += here <= there ? 0 : 2;
    struct gk_quad turned;
    for (int i = 0; i < 4; i++) {
        turned.corner[i] = c[(start + i) % 4];
    }
    *quad = turned;
    return true;
}

/* How like an ID-1 card the ordered quadrilateral is: 1 for the right proportions, falling to 0. */
static double shape_score(const struct gk_quad *quad)
{
    const struct gk_point *c = quad->corner;
    double top = distance(c[0], c[1]), bottom = distance(c[2], c[3]);
    double right = distance(c[1], c[2]), left = distance(c[3], c[0]);
    double uneven = fmax(fabs(log(top / bottom)), fabs(log(left / right)));
    double ratio = log((top + bottom) / (left + right) / (GK_CARD_WIDTH_MM / GK_CARD_HEIGHT_MM));
    if (uneven > 0.6 || fabs(ratio) > 0.5) {
        return 0;
    }
    return exp(-ratio * ratio / (2 * 0.12 * 0.12)) * exp(-uneven * uneven / (2 * 0.3 * 0.3));
}

static double quad_score(const struct edges *edges, const struct gk_quad *quad)
{
    const struct gk_point *c = quad->corner;
    double area = fabs(cross_product(c[0], c[1], c[2]) + cross_product(c[0], c[2], c[3])) / 2;
    double share = area / ((double)edges->width * edges->height);
    double shape = share < 0.05 ? 0 : shape_score(quad);
    if (shape < 0.05) {
        return 0;
    }
    double total = 0, least = 1;
    for (int i = 0; i < 4; i++) {
        double support = side_support(edges, c[i], c[(i + 1) % 4]);
        total += support / 4;
        least = fmin(least, support);
    }
    if (least < 0.25) {
        return 0;
    }
    /* A panel printed on the card has edges too, but the card is larger. */
    return (0.7 * total + 0.3 * least) * (0.5 + 0.5 * shape) * (0.75 + 0.25 * fmin(1, sqrt(share / 0.5)));
}

static bool overlaps(const struct gk_quad *a, const struct gk_quad *b, double within)
{
    double worst = 0;
    for (int i = 0; i < 4; i++) {
        double same = distance(a->corner[i], b->corner[i]);
        double turned = distance(a->corner[i], b->corner[(i + 2) % 4]);
        worst = fmax(worst, fmin(same, turned));
    }
    return worst < within;
}

/* Keeps the best few that differ from each other. */
static size_t keep_best(struct gk_found_quad *found, size_t count, size_t most, const struct gk_quad *quad,
                        double score)
{
    for (size_t i = 0; i < count; i++) {
        if (overlaps(&found[i].quad, quad, 10)) {
            if (score > found[i].score) {
                found[i] = (struct gk_found_quad){.quad = *quad, .score = score};
            }
            return count;
        }
    }
    if (count < most) {
        found[count++] = (struct gk_found_quad){.quad = *quad, .score = score};
        return count;
    }
    size_t worst = 0;
    for (size_t i = 1; i < count; i++) {
        worst = found[i].score < found[worst].score ? i : worst;
    }
    if (score > found[worst].score) {
        found[worst] = (struct gk_found_quad){.quad = *quad, .score = score};
    }
    return count;
}

static bool nearly_parallel(const struct line *a, const struct line *b)
{
    return fabs(remainder(a->normal - b->normal, PI)) < 0.45;
}

/* Distance of two nearly parallel lines, pixels, roughly. */
static double gap(const struct line *a, const struct line *b)
{
    bool opposed = fabs(a->normal - b->normal) > PI / 2;
    return fabs(a->offset - (opposed ? -b->offset : b->offset));
}

/* Tries two pairs of lines as the four sides. */
static size_t try_sides(const struct edges *edges, const struct line *const sides[4],
                        struct gk_found_quad *found, size_t count, size_t most)
{
    struct gk_quad quad;
    bool closed = cross(sides[0], sides[2], &quad.corner[0]) && cross(sides[0], sides[3], &quad.corner[1]) &&
                  cross(sides[1], sides[3], &quad.corner[2]) && cross(sides[1], sides[2], &quad.corner[3]);
    double margin_x = edges->width * 0.06, margin_y = edges->height * 0.06;
    for (int i = 0; closed && i < 4; i++) {
        closed = quad.corner[i].x > -margin_x && quad.corner[i].x < edges->width + margin_x &&
                 quad.corner[i].y > -margin_y && quad.corner[i].y < edges->height + margin_y;
    }
    if (!closed || !order_corners(&quad)) {
        return count;
    }
    double score = quad_score(edges, &quad);
    return score > 0.3 ? keep_best(found, count, most, &quad, score) : count;
}

static size_t pair_lines(const struct edges *edges, const struct line *lines, size_t line_count,
                         struct gk_found_quad *found, size_t most)
{
    size_t count = 0;
    double least_gap = 0.12 * fmax(edges->width, edges->height);
    for (size_t a = 0; a < line_count; a++) {
        for (size_t b = a + 1; b < line_count; b++) {
            if (!nearly_parallel(&lines[a], &lines[b]) || gap(&lines[a], &lines[b]) < least_gap) {
                continue;
            }
            for (size_t c = a + 1; c < line_count; c++) {
                if (c == b || nearly_parallel(&lines[a], &lines[c])) {
                    continue;
                }
                for (size_t d = c + 1; d < line_count; d++) {
                    if (d == b || !nearly_parallel(&lines[c], &lines[d]) ||
                        gap(&lines[c], &lines[d]) < least_gap) {
                        continue;
                    }
                    const struct line *const sides[4] = {&lines[a], &lines[b], &lines[c], &lines[d]};
                    count = try_sides(edges, sides, found, count, most);
                }
            }
        }
    }
    return count;
}

static int compare_found(const void *a, const void *b)
{
    double x = ((const struct gk_found_quad *)a)->score, y = ((const struct gk_found_quad *)b)->score;
    return (x < y) - (x > y);
}

static size_t find_in_edges(const struct edges *edges, struct gk_found_quad *found, size_t most)
{
    int offsets = 2 * (int)ceil(hypot(edges->width, edges->height)) + 5;
    float *votes = calloc((size_t)ANGLES * (size_t)offsets, sizeof *votes);
    if (votes == NULL) {
        return 0;
    }
    struct line lines[MOST_LINES];
    vote(edges, votes, offsets);
    size_t line_count = pick_lines(votes, offsets, 0.1 * edges->width, lines);
    free(votes);
    size_t count = pair_lines(edges, lines, line_count, found, most);
    qsort(found, count, sizeof *found, compare_found);
    return count;
}

/* The picture itself as the card, turned so that its long side is on top. */
static struct gk_found_quad whole_picture(const struct gk_image *image)
{
    double width = image->width_px, height = image->height_px;
    struct gk_found_quad whole = {.quad = {{{0, 0}, {width, 0}, {width, height}, {0, height}}},
                                  .whole_picture = true};
    if (height > width) {
        whole.quad = (struct gk_quad){{{width, 0}, {width, height}, {0, height}, {0, 0}}};
    }
    return whole;
}

size_t gk_card_find(const struct gk_image *image, struct gk_found_quad ret_found[GK_CARD_FINDER_MOST])
{
    assert(image != NULL && ret_found != NULL);
    struct gk_image small;
    struct edges edges;
    if (!gk_image_shrink(image, WORK_LONG_SIDE_PX, &small)) {
        return 0;
    }
    size_t count = 0;
    if (small.width_px >= 32 && small.height_px >= 32 && edges_make(image, &small, &edges)) {
        count = find_in_edges(&edges, ret_found, GK_CARD_FINDER_MOST - 1);
        edges_clear(&edges);
    }
    double scale_x = (double)image->width_px / small.width_px,
           scale_y = (double)image->height_px / small.height_px;
    for (size_t i = 0; i < count; i++) {
        for (int corner = 0; corner < 4; corner++) {
            ret_found[i].quad.corner[corner].x *= scale_x;
            ret_found[i].quad.corner[corner].y *= scale_y;
        }
    }
    gk_image_clear(&small);
    ret_found[count++] = whole_picture(image);
    return count;
}

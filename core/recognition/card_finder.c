#include "core/recognition/card_finder.h"

#include "core/recognition/outline.h"
#include "core/recognition/straight.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#define MOST_OF_PICTURE 0.6 /* share of its area. Estimated */
#define RATIO (GK_CARD_WIDTH_MM / GK_CARD_HEIGHT_MM)
#define SIDE_SAMPLES 48    /* places along a side that look for the picture's edge */
#define SEARCH_CELLS 0.8   /* how far to both sides of the network's line */
#define SEARCH_STEPS 16    /* to either side */
#define STEADY_GREY 3.0    /* a weaker step of the grey levels is no edge */
#define CORNER_SHARE 0.09  /* of a side, left out at its rounded ends */
#define LEAST_AGREEING 0.4 /* share of a side's places that one line must pass */
#define WHOLE_SLACK 0.13   /* of the logarithm of a picture's proportions: 1.39 to 1.81 */
#define WHOLE_SCORE 0.4    /* of a picture that may be a card */
#define LEAST_LIKELY 0.2   /* outlines below this score are nothing */

static double distance(struct gk_point a, struct gk_point b)
{
    return hypot(a.x - b.x, a.y - b.y);
}

static double cross_product(struct gk_point o, struct gk_point a, struct gk_point b)
{
    return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
}

static struct gk_point between(struct gk_point a, struct gk_point b, double share)
{
    return (struct gk_point){a.x + (b.x - a.x) * share, a.y + (b.y - a.y) * share};
}

/* A card whose one side lies beyond the picture has the other three in it, which give its proportions. */
static void complete(struct gk_quad *quad, int cut)
{
    struct gk_point *c = quad->corner, *a = &c[cut], *b = &c[(cut + 1) % 4];
    struct gk_point b_root = c[(cut + 2) % 4], a_root = c[(cut + 3) % 4];
    double opposite = distance(a_root, b_root), seen = (distance(*a, a_root) + distance(*b, b_root)) / 2;
    double whole = opposite / RATIO >= 0.93 * seen ? opposite / RATIO : opposite * RATIO;
    double share = fmax(whole / fmax(seen, 1), 1);
    *a = between(a_root, *a, share);
    *b = between(b_root, *b, share);
}

/* The step of the grey levels across a side at one place of it, and where it is steepest: pixels from the
 * line. */
static double find_step(const struct gk_image *picture, struct gk_point at, struct gk_point normal,
                        double reach, double *ret_offset)
{
    double levels[2 * SEARCH_STEPS + 3], best = 0, step = reach / SEARCH_STEPS;
    for (int i = 0; i < 2 * SEARCH_STEPS + 3; i++) {
        double away = (i - SEARCH_STEPS - 1) * step;
        levels[i] = gk_image_grey_at(picture, at.x + normal.x * away, at.y + normal.y * away);
    }
    for (int i = 1; i < 2 * SEARCH_STEPS + 2; i++) {
        double away = (i - SEARCH_STEPS - 1) * step, rise = fabs(levels[i + 1] - levels[i - 1]);
        double weight = 1 - 0.5 * (away / reach) * (away / reach); /* nearer ones are likelier */
        if (rise * weight > best) {
            best = rise * weight;
            *ret_offset = away;
        }
    }
    return best;
}

/* Moves a side onto the edge that the picture has along it, where it has one. */
static void refine_side(const struct gk_image *picture, double reach, struct gk_point *from,
                        struct gk_point *to)
{
    double along[SIDE_SAMPLES], offsets[SIDE_SAMPLES], ends[2], length = distance(*from, *to);
    struct gk_point normal = {-(to->y - from->y) / length, (to->x - from->x) / length};
    int count = 0, inside = 0;
    for (int i = 0; i < SIDE_SAMPLES; i++) {
        double t = CORNER_SHARE + (1 - 2 * CORNER_SHARE) * (i + 0.5) / SIDE_SAMPLES, offset = 0;
        struct gk_point at = between(*from, *to, t);
        if (at.x < reach || at.y < reach || at.x > picture->width_px - reach ||
            at.y > picture->height_px - reach) {
            continue;
        }
        inside++;
        if (find_step(picture, at, normal, reach, &offset) > STEADY_GREY) {
            along[count] = t;
            offsets[count++] = offset;
        }
    }
    double slack = fmax(reach / SEARCH_STEPS * 1.5, 0.75);
    if (inside < SIDE_SAMPLES / 3 ||
        gk_straight_fit(along, offsets, count, slack, ends) < LEAST_AGREEING * inside) {
        return;
    }
    from->x += normal.x * ends[0];
    from->y += normal.y * ends[0];
    to->x += normal.x * ends[1];
    to->y += normal.y * ends[1];
}

static bool cross(const struct gk_point a[2], const struct gk_point b[2], struct gk_point *ret_point)
{
    double ux = a[1].x - a[0].x, uy = a[1].y - a[0].y, vx = b[1].x - b[0].x, vy = b[1].y - b[0].y;
    double across = ux * vy - uy * vx;
    if (fabs(across) < 1e-6) {
        return false;
    }
    double along = ((b[0].x - a[0].x) * vy - (b[0].y - a[0].y) * vx) / across;
    *ret_point = (struct gk_point){a[0].x + along * ux, a[0].y + along * uy};
    return true;
}

static void refine(const struct gk_image *picture, double cell_px, const bool cut[4], struct gk_quad *quad)
{
    struct gk_point sides[4][2];
    struct gk_quad refined = *quad;
    for (int i = 0; i < 4; i++) {
        sides[i][0] = quad->corner[i];
        sides[i][1] = quad->corner[(i + 1) % 4];
        if (!cut[i] && distance(sides[i][0], sides[i][1]) > 4 * cell_px) {
            refine_side(picture, SEARCH_CELLS * cell_px, &sides[i][0], &sides[i][1]);
        }
    }
    for (int i = 0; i < 4; i++) {
        if (!cross(sides[(i + 3) % 4], sides[i], &refined.corner[i])) {
            return;
        }
    }
    *quad = refined;
}

/* Corners clockwise as seen (y down), a long side first and, of the two, the upper one. */
static bool order_corners(struct gk_quad *quad)
{
    struct gk_quad turned;
    const struct gk_point *c = quad->corner;
    for (int i = 0; i < 4; i++) {
        if (cross_product(c[i], c[(i + 1) % 4], c[(i + 2) % 4]) <= 0) {
            return false;
        }
    }
    int start =
        distance(c[0], c[1]) + distance(c[2], c[3]) >= distance(c[1], c[2]) + distance(c[3], c[0]) ? 0 : 1;
    double here = c[start].y + c[start + 1].y, there = c[start + 2].y + c[(start + 3) % 4].y;
    start += here <= there ? 0 : 2;
    for (int i = 0; i < 4; i++) {
        turned.corner[i] = c[(start + i) % 4];
    }
    *quad = turned;
    return true;
}

/* How like an ID-1 card at a slant the quadrilateral is: 1, falling to 0. Tilted by 40 degrees, a card's
 * proportions change by a factor of 1.3; what is cut may have any. */
static double shape_score(const struct gk_quad *quad)
{
    const struct gk_point *c = quad->corner;
    double top = distance(c[0], c[1]), bottom = distance(c[2], c[3]);
    double right = distance(c[1], c[2]), left = distance(c[3], c[0]);
    double uneven = fmax(fabs(log(top / bottom)), fabs(log(left / right)));
    double ratio = fabs(log((top + bottom) / (left + right) / RATIO));
    double wrong = fmax(ratio - 0.25, 0) / 0.2, slanted = fmax(uneven - 0.35, 0) / 0.25;
    return exp(-(wrong * wrong + slanted * slanted) / 2);
}

static bool find_one(const struct gk_sight *sight, const struct gk_image *picture,
                     const struct gk_outline *outline, struct gk_found_card *ret_found)
{
    struct gk_found_card found = {.quad = outline->quad};
    int cuts = 0, cut_at = 0;
    for (int i = 0; i < 4; i++) {
        found.quad.corner[i].x = found.quad.corner[i].x * sight->cell_width + sight->left;
        found.quad.corner[i].y = found.quad.corner[i].y * sight->cell_height + sight->top;
        cuts += outline->cut[i];
        cut_at = outline->cut[i] ? i : cut_at;
    }
    refine(picture, (sight->cell_width + sight->cell_height) / 2, outline->cut, &found.quad);
    if (cuts == 1) {
        complete(&found.quad, cut_at);
    }
    found.guessed = cuts > 1;
    if (!order_corners(&found.quad)) {
        return false;
    }
    double shape = found.guessed ? 1 : shape_score(&found.quad);
    double fill = fmin(fmax((outline->fill - 0.5) / 0.4, 0), 1);
    found.score = outline->certainty * shape * fill * (0.3 + 0.7 * outline->border);
    *ret_found = found;
    return found.score >= LEAST_LIKELY;
}

static bool inside(const struct gk_quad *quad, struct gk_point point)
{
    for (int i = 0; i < 4; i++) {
        if (cross_product(quad->corner[i], quad->corner[(i + 1) % 4], point) < 0) {
            return false;
        }
    }
    return true;
}

static struct gk_point middle_of(const struct gk_quad *quad)
{
    return between(between(quad->corner[0], quad->corner[2], 0.5),
                   between(quad->corner[1], quad->corner[3], 0.5), 0.5);
}

static bool one_place(const struct gk_quad *a, const struct gk_quad *b)
{
    return inside(a, middle_of(b)) || inside(b, middle_of(a));
}

/* Keeps the best first, and of those that lie over each other only the best. */
static size_t keep(struct gk_found_card *cards, size_t count, const struct gk_found_card *found)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (one_place(&cards[i].quad, &found->quad) && cards[i].score >= found->score) {
            return count;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (!one_place(&cards[i].quad, &found->quad)) {
            cards[kept++] = cards[i];
        }
    }
    if (kept == GK_CARD_FINDER_MOST && cards[kept - 1].score >= found->score) {
        return kept;
    }
    size_t at = kept < GK_CARD_FINDER_MOST ? kept++ : kept - 1;
    for (; at > 0 && cards[at - 1].score < found->score; at--) {
        cards[at] = cards[at - 1];
    }
    cards[at] = *found;
    return kept;
}

/* A picture of a card's proportions, as scans and drawings have it: there is nothing around the card then
 * that it could be told from. */
static bool may_be_card(const struct gk_image *picture, struct gk_found_card *ret_found)
{
    double width = picture->width_px, height = picture->height_px;
    struct gk_quad quad = {{{0, 0}, {width, 0}, {width, height}, {0, height}}};
    if (fabs(log(fmax(width, height) / fmin(width, height) / RATIO)) > WHOLE_SLACK) {
        return false;
    }
    order_corners(&quad);
    *ret_found = (struct gk_found_card){.quad = quad, .score = WHOLE_SCORE, .guessed = true};
    return true;
}

/* Does the quadrilateral cover most of the picture? Else a part of a card may have been taken for one. */
static bool fills_picture(const struct gk_quad *quad, const struct gk_image *picture)
{
    return gk_quad_area(quad) > MOST_OF_PICTURE * picture->width_px * picture->height_px;
}

size_t gk_cards_find(const struct gk_sight *sight, const struct gk_image *picture,
                     struct gk_found_card ret_found[GK_CARD_FINDER_MOST])
{
    /* Where the surroundings are half taken for card, only a higher level parts the two. */
    static const float levels[] = {0, 1.5f, 3};
    size_t count = 0;
    assert(sight != NULL && picture != NULL);
    for (size_t level = 0; level < sizeof levels / sizeof *levels; level++) {
        struct gk_outline outlines[GK_OUTLINES_MOST];
        size_t outline_count = gk_outlines_find(sight, levels[level], outlines);
        for (size_t i = 0; i < outline_count; i++) {
            struct gk_found_card found;
            if (find_one(sight, picture, &outlines[i], &found)) {
                count = keep(ret_found, count, &found);
            }
        }
    }
    struct gk_found_card whole;
    bool sure = count > 0 && ret_found[0].score >= GK_CARD_SCORE_SURE;
    if ((sure && fills_picture(&ret_found[0].quad, picture)) || !may_be_card(picture, &whole)) {
        return count;
    }
    if (!sure) {
        return keep(ret_found, count, &whole);
    }
    /* A part of a card may have been taken for one: the reader tries the whole picture last. */
    if (count < GK_CARD_FINDER_MOST) {
        ret_found[count++] = whole;
    }
    return count;
}

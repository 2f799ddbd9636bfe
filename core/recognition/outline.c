#include "core/recognition/outline.h"

#include "core/recognition/straight.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_CELLS 30    /* of an area: a card a tenth as wide as the picture has 40 */
#define GROW_STEPS 3      /* cells that the border band is wide on the inside, at most */
#define FRAME_SLACK 0.75  /* cells: how near to the frame an edge lies that the frame cuts */
#define FRAME_COST 0.25   /* such an edge is given up before others */
#define CORNER_SHARE 0.08 /* of a side at either end that its rounded corner may take */
#define SIDE_SAMPLES 24

struct edge_point {
    double x, y; /* cells */
    bool frame;  /* on the frame: the area goes on beyond it */
};

struct areas {
    const struct gk_sight *sight;
    float level;
    int *label;                /* a cell's area, 1 and up; 0 none */
    int *queue;                /* as many as cells */
    struct edge_point *points; /* 8 times as many as cells */
    struct edge_point *hull;   /* likewise, and one more */
};

static size_t cell_count(const struct gk_sight *sight)
{
    return (size_t)sight->columns * (size_t)sight->rows;
}

static float value_at(const struct gk_sight *sight, int cell, enum gk_sight_channel channel)
{
    return sight->values[(size_t)cell * GK_SIGHT_CHANNELS + channel];
}

/* The neighbour in direction 0 to 3 (right, down, left, up); -1 beyond the frame. */
static int neighbour(const struct gk_sight *sight, int cell, int direction)
{
    static const int dx[4] = {1, 0, -1, 0}, dy[4] = {0, 1, 0, -1};
    int x = cell % sight->columns + dx[direction], y = cell / sight->columns + dy[direction];
    return x < 0 || y < 0 || x >= sight->columns || y >= sight->rows ? -1 : y * sight->columns + x;
}

static bool is_core(const struct areas *areas, int cell)
{
    return value_at(areas->sight, cell, GK_SIGHT_CARD) > areas->level &&
           value_at(areas->sight, cell, GK_SIGHT_BORDER) < 0;
}

/* Labels the area around a cell; too small ones lose their label again, to -1. Returns its cells. */
static int flood(struct areas *areas, int start, int label)
{
    int count = 0;
    areas->queue[count++] = start;
    areas->label[start] = label;
    for (int done = 0; done < count; done++) {
        for (int direction = 0; direction < 4; direction++) {
            int next = neighbour(areas->sight, areas->queue[done], direction);
            if (next >= 0 && areas->label[next] == 0 && is_core(areas, next)) {
                areas->label[next] = label;
                areas->queue[count++] = next;
            }
        }
    }
    for (int i = 0; i < count && count < LEAST_CELLS; i++) {
        areas->label[areas->queue[i]] = -1;
    }
    return count;
}

/* Gives the border cells that are card to the nearest area. */
static void grow(struct areas *areas)
{
    int cells = (int)cell_count(areas->sight), count = 0, begin = 0;
    for (int i = 0; i < cells; i++) {
        if (areas->label[i] > 0) {
            areas->queue[count++] = i;
        }
    }
    for (int step = 0; step < GROW_STEPS; step++) {
        int end = count;
        for (; begin < end; begin++) {
            for (int direction = 0; direction < 4; direction++) {
                int next = neighbour(areas->sight, areas->queue[begin], direction);
                if (next >= 0 && areas->label[next] <= 0 &&
                    value_at(areas->sight, next, GK_SIGHT_CARD) > areas->level) {
                    areas->label[next] = areas->label[areas->queue[begin]];
                    areas->queue[count++] = next;
                }
            }
        }
    }
}

/* Where an area ends between a cell of it and the next cell. */
static struct edge_point edge_between(const struct areas *areas, int cell, int direction)
{
    static const int dx[4] = {1, 0, -1, 0}, dy[4] = {0, 1, 0, -1};
    const struct gk_sight *sight = areas->sight;
    int next = neighbour(sight, cell, direction);
    double inside = value_at(sight, cell, GK_SIGHT_CARD), share = 0.5;
    if (next >= 0 && value_at(sight, next, GK_SIGHT_CARD) < areas->level) {
        share = (inside - areas->level) / (inside - value_at(sight, next, GK_SIGHT_CARD));
    }
    return (struct edge_point){cell % sight->columns + 0.5 + dx[direction] * share,
                               cell / sight->columns + 0.5 + dy[direction] * share, next < 0};
}

static size_t collect_points(const struct areas *areas, int label)
{
    size_t count = 0;
    for (int cell = 0; cell < (int)cell_count(areas->sight); cell++) {
        for (int direction = 0; areas->label[cell] == label && direction < 4; direction++) {
            int next = neighbour(areas->sight, cell, direction);
            if (next < 0 || areas->label[next] != label) {
                areas->points[count++] = edge_between(areas, cell, direction);
            }
        }
    }
    return count;
}

static int compare_points(const void *a, const void *b)
{
    const struct edge_point *p = a, *q = b;
    return p->x != q->x ? (p->x > q->x) - (p->x < q->x) : (p->y > q->y) - (p->y < q->y);
}

static double turn_of(struct edge_point o, struct edge_point a, struct edge_point b)
{
    return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
}

/* Andrew's monotone chain. Clockwise as seen, y down. Sorts the points. */
static size_t make_hull(struct areas *areas, size_t count)
{
    struct edge_point *hull = areas->hull;
    size_t size = 0;
    qsort(areas->points, count, sizeof *areas->points, compare_points);
    for (int pass = 0; pass < 2; pass++) {
        size_t least = size + 2;
        for (size_t i = 0; i < count; i++) {
            struct edge_point point = areas->points[pass == 0 ? i : count - 1 - i];
            while (size >= least && turn_of(hull[size - 2], hull[size - 1], point) <= 0) {
                size--;
            }
            hull[size++] = point;
        }
        size--; /* begins the other chain, or is the first again */
    }
    return size;
}

static bool on_frame(const struct gk_sight *sight, struct edge_point a, struct edge_point b)
{
    double right = sight->columns - FRAME_SLACK, bottom = sight->rows - FRAME_SLACK;
    return (a.x < FRAME_SLACK && b.x < FRAME_SLACK) || (a.y < FRAME_SLACK && b.y < FRAME_SLACK) ||
           (a.x > right && b.x > right) || (a.y > bottom && b.y > bottom);
}

/* Where the lines a-b and c-d meet; false where they nearly do not. */
static bool meet(struct edge_point a, struct edge_point b, struct edge_point c, struct edge_point d,
                 struct edge_point *ret_point)
{
    double ux = b.x - a.x, uy = b.y - a.y, vx = d.x - c.x, vy = d.y - c.y, across = ux * vy - uy * vx;
    if (fabs(across) < 0.05 * hypot(ux, uy) * hypot(vx, vy)) {
        return false;
    }
    double along = ((c.x - a.x) * vy - (c.y - a.y) * vx) / across;
    *ret_point = (struct edge_point){a.x + along * ux, a.y + along * uy, false};
    return true;
}

/* Gives up the edge of the hull whose loss adds the least area: its neighbours are drawn out until they meet.
 */
static size_t drop_edge(const struct gk_sight *sight, struct edge_point *hull, size_t count)
{
    double least = INFINITY;
    size_t least_at = count;
    struct edge_point corner, best = {0};
    for (size_t i = 0; i < count; i++) {
        struct edge_point before = hull[(i + count - 1) % count], a = hull[i], b = hull[(i + 1) % count];
        struct edge_point after = hull[(i + 2) % count];
        if (!meet(before, a, b, after, &corner) || turn_of(a, corner, b) <= 0) {
            continue;
        }
        double cost = turn_of(a, corner, b) * (on_frame(sight, a, b) ? FRAME_COST : 1);
        if (cost < least) {
            least = cost;
            least_at = i;
            best = corner;
        }
    }
    if (least_at == count) {
        return 0;
    }
    hull[least_at] = best;
    size_t gone = (least_at + 1) % count;
    memmove(hull + gone, hull + gone + 1, (count - 1 - gone) * sizeof *hull);
    return count - 1;
}

struct side {
    struct edge_point from, to;
    bool cut;
};

/* Moves a side onto the straight line that most of the area's edge near it lies on. */
static void fit_side(const struct areas *areas, size_t count, double reach, double slack, struct side *side)
{
    double along[GK_STRAIGHT_POINTS_MOST], across[GK_STRAIGHT_POINTS_MOST], ends[2];
    double dx = side->to.x - side->from.x, dy = side->to.y - side->from.y, length = hypot(dx, dy);
    int near = 0, kept = 0;
    for (int pass = 0; pass < 2; pass++) { /* counts the points, then takes as many as there is room for */
        int step = near / GK_STRAIGHT_POINTS_MOST + 1;
        near = 0;
        for (size_t i = 0; i < count; i++) {
            double px = areas->points[i].x - side->from.x, py = areas->points[i].y - side->from.y;
            double share = (px * dx + py * dy) / (length * length), off = (py * dx - px * dy) / length;
            if (areas->points[i].frame || fabs(off) > reach || share < CORNER_SHARE ||
                share > 1 - CORNER_SHARE) {
                continue;
            }
            if (pass == 1 && near % step == 0) {
                along[kept] = share;
                across[kept++] = off;
            }
            near++;
        }
    }
    if (kept < 4 || gk_straight_fit(along, across, kept, slack, ends) < kept / 3) {
        return;
    }
    side->from.x -= ends[0] * dy / length;
    side->from.y += ends[0] * dx / length;
    side->to.x -= ends[1] * dy / length;
    side->to.y += ends[1] * dx / length;
}

static float sigmoid(float logit)
{
    return 1 / (1 + expf(-logit));
}

/* Share of the sides, but for the cut ones, where the cell or one next to it is border. */
static double border_share(const struct gk_sight *sight, const struct side sides[4])
{
    int hits = 0, samples = 0;
    for (int i = 0; i < 4; i++) {
        for (int step = 0; !sides[i].cut && step < SIDE_SAMPLES; step++) {
            double t = (step + 0.5) / SIDE_SAMPLES;
            int x = (int)floor(sides[i].from.x + t * (sides[i].to.x - sides[i].from.x));
            int y = (int)floor(sides[i].from.y + t * (sides[i].to.y - sides[i].from.y));
            if (x < 0 || y < 0 || x >= sight->columns || y >= sight->rows) {
                continue;
            }
            int cell = y * sight->columns + x;
            bool hit = value_at(sight, cell, GK_SIGHT_BORDER) > 0;
            for (int direction = 0; direction < 4; direction++) {
                int next = neighbour(sight, cell, direction);
                hit = hit || (next >= 0 && value_at(sight, next, GK_SIGHT_BORDER) > 0);
            }
            hits += hit;
            samples++;
        }
    }
    return samples > 0 ? (double)hits / samples : 1;
}

static bool inside(const struct gk_quad *quad, double x, double y)
{
    for (int i = 0; i < 4; i++) {
        struct gk_point a = quad->corner[i], b = quad->corner[(i + 1) % 4];
        if ((b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x) < 0) {
            return false;
        }
    }
    return true;
}

/* How well the quadrilateral and the cells agree. */
static void compare(const struct areas *areas, int label, struct gk_outline *outline)
{
    int columns = areas->sight->columns, covered = 0, both = 0;
    double certainty = 0;
    outline->cells = 0;
    for (int cell = 0; cell < (int)cell_count(areas->sight); cell++) {
        bool labelled = areas->label[cell] == label;
        outline->cells += labelled;
        if (inside(&outline->quad, cell % columns + 0.5, cell / columns + 0.5)) {
            certainty += sigmoid(value_at(areas->sight, cell, GK_SIGHT_CARD));
            covered++;
            both += labelled;
        }
    }
    outline->certainty = covered > 0 ? certainty / covered : 0;
    outline->fill = (double)both / (covered + outline->cells - both);
}

/* Four sides through the points that collect_points left. */
static bool fit_sides(struct areas *areas, size_t points, struct side sides[4])
{
    size_t corners = make_hull(areas, points);
    while (corners > 4) {
        corners = drop_edge(areas->sight, areas->hull, corners);
    }
    for (size_t i = 0; corners == 4 && i < 4; i++) {
        sides[i] = (struct side){areas->hull[i], areas->hull[(i + 1) % 4], false};
        sides[i].cut = on_frame(areas->sight, sides[i].from, sides[i].to);
        if (!sides[i].cut) {
            fit_side(areas, points, 4, 0.4, &sides[i]);
            fit_side(areas, points, 1, 0.3, &sides[i]);
        }
    }
    return corners == 4;
}

static bool measure(struct areas *areas, int label, struct gk_outline *outline)
{
    struct side sides[4];
    if (!fit_sides(areas, collect_points(areas, label), sides)) {
        return false;
    }
    for (int i = 0; i < 4; i++) {
        struct side *before = &sides[(i + 3) % 4];
        struct edge_point corner;
        if (!meet(before->from, before->to, sides[i].from, sides[i].to, &corner)) {
            return false;
        }
        outline->quad.corner[i] = (struct gk_point){corner.x, corner.y};
        outline->cut[i] = sides[i].cut;
    }
    compare(areas, label, outline);
    outline->border = border_share(areas->sight, sides);
    return true;
}

static size_t keep_largest(struct gk_outline *outlines, size_t count, const struct gk_outline *outline)
{
    size_t at = count < GK_OUTLINES_MOST ? count : GK_OUTLINES_MOST - 1;
    if (at < count && outlines[at].cells >= outline->cells) {
        return count;
    }
    for (; at > 0 && outlines[at - 1].cells < outline->cells; at--) {
        outlines[at] = outlines[at - 1];
    }
    outlines[at] = *outline;
    return count < GK_OUTLINES_MOST ? count + 1 : count;
}

size_t gk_outlines_find(const struct gk_sight *sight, float level,
                        struct gk_outline ret_outlines[GK_OUTLINES_MOST])
{
    assert(sight->values != NULL);
    size_t cells = cell_count(sight), count = 0;
    struct areas areas = {sight,
                          level,
                          calloc(cells, sizeof(int)),
                          malloc(cells * sizeof(int)),
                          malloc(4 * cells * sizeof(struct edge_point)),
                          malloc((8 * cells + 2) * sizeof(struct edge_point))};
    if (areas.label != NULL && areas.queue != NULL && areas.points != NULL && areas.hull != NULL) {
        int labels = 0;
        for (int cell = 0; cell < (int)cells; cell++) {
            if (areas.label[cell] == 0 && is_core(&areas, cell)) {
                labels += flood(&areas, cell, labels + 1) >= LEAST_CELLS;
            }
        }
        grow(&areas);
        for (int label = 1; label <= labels; label++) {
            struct gk_outline outline;
            if (measure(&areas, label, &outline)) {
                count = keep_largest(ret_outlines, count, &outline);
            }
        }
    }
    free(areas.label);
    free(areas.queue);
    free(areas.points);
    free(areas.hull);
    return count;
}

#include "core/recognition/number_line.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_LOGIT (-0.6f) /* of a row's cells: a probability of 0.35 */
#define LEAST_WEIGHT 2.0    /* sum of the cells' probabilities */
#define LEAST_LENGTH 1.5    /* digit heights */
#define MOST_PIECES 48
#define LONG_SHAPE                                                                                           \
    6.0 /* variances' ratio from which a mark's shape says more of its direction than the cells */
#define GAP_HEIGHTS 4.0    /* between pieces of one row */
#define ASIDE_HEIGHTS 0.45 /* of a piece off the other's line */
#define UNLIKE_HEIGHTS 0.4 /* difference of the logarithms */
#define TURN_RADIANS 0.25  /* between pieces of one row, and rows of a stack */
#define END_HEIGHTS 0.2    /* the mark ends before the digits do (tests/mint/sketch_labels.c) */

/* The cells that are marked as rows, in connected pieces. */
struct marks {
    const struct gk_sight *sight;
    int *label; /* of a cell, 1 and up; 0 none */
    int *stack; /* as many as cells */
    int pieces;
    struct gk_number_line lines[MOST_PIECES + 1]; /* by label; a score of 0: none */
};

static double distance(struct gk_point a, struct gk_point b)
{
    return hypot(a.x - b.x, a.y - b.y);
}

static double mean_height(const struct gk_number_line *line)
{
    return (line->left_height + line->right_height) / 2;
}

static float value_at(const struct marks *marks, int cell, enum gk_sight_channel channel)
{
    return marks->sight->values[(size_t)cell * GK_SIGHT_CHANNELS + channel];
}

static double probability_at(const struct marks *marks, int cell)
{
    return 1 / (1 + exp(-(double)value_at(marks, cell, GK_SIGHT_ROW)));
}

static struct gk_point place_of(const struct gk_sight *sight, int cell)
{
    return (struct gk_point){(cell % sight->columns + 0.5) * sight->cell_width + sight->left,
                             (cell / sight->columns + 0.5) * sight->cell_height + sight->top};
}

static void flood(struct marks *marks, int start, int label)
{
    int columns = marks->sight->columns, rows = marks->sight->rows, depth = 0;
    marks->stack[depth++] = start;
    marks->label[start] = label;
    while (depth > 0) {
        int cell = marks->stack[--depth], x = cell % columns, y = cell / columns;
        for (int i = 0; i < 9; i++) {
            int nx = x + i % 3 - 1, ny = y + i / 3 - 1, next = ny * columns + nx;
            if (nx >= 0 && ny >= 0 && nx < columns && ny < rows && marks->label[next] == 0 &&
                value_at(marks, next, GK_SIGHT_ROW) > LEAST_LOGIT) {
                marks->label[next] = label;
                marks->stack[depth++] = next;
            }
        }
    }
}

/* Where a piece lies and which way it runs. */
struct axis {
    struct gk_point centre, along;
    double weight, probability;
};

static struct axis axis_of(const struct marks *marks, int label)
{
    int cells = marks->sight->columns * marks->sight->rows;
    double w = 0, ww = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0, cosine = 0, sine = 0;
    for (int cell = 0; cell < cells; cell++) {
        if (marks->label[cell] != label) {
            continue;
        }
        struct gk_point at = place_of(marks->sight, cell);
        double p = probability_at(marks, cell);
        w += p;
        ww += p * p;
        x += p * at.x;
        y += p * at.y;
        xx += p * at.x * at.x;
        xy += p * at.x * at.y;
        yy += p * at.y * at.y;
        cosine += p * value_at(marks, cell, GK_SIGHT_COSINE);
        sine += p * value_at(marks, cell, GK_SIGHT_SINE);
    }
    x /= w;
    y /= w;
    xx = xx / w - x * x;
    xy = xy / w - x * y;
    yy = yy / w - y * y;
    double spread = hypot(xx - yy, 2 * xy), major = xx + yy + spread, minor = xx + yy - spread;
    double turn = major > LONG_SHAPE * minor ? atan2(2 * xy, xx - yy) / 2 : atan2(sine, cosine) / 2;
    struct gk_point along = {cos(turn), sin(turn)};
    if (along.x < -0.05 || (along.x < 0.05 && along.y < 0)) {
        along = (struct gk_point){-along.x, -along.y};
    }
    return (struct axis){{x, y}, along, w, ww / w};
}

/* The ends of a piece and its digits' height there, by least squares along it. */
static void fit(struct marks *marks, int label)
{
    const struct gk_sight *sight = marks->sight;
    struct axis axis = axis_of(marks, label);
    double first = INFINITY, last = -INFINITY,
           scale = sqrt(sight->cell_width * sight->cell_height) / GK_SIGHT_CELL_PX;
    double uu = 0, uh = 0, h = 0; /* u is measured from the centre, so that it sums to 0 */
    for (int cell = 0; cell < sight->columns * sight->rows; cell++) {
        if (marks->label[cell] != label) {
            continue;
        }
        struct gk_point at = place_of(sight, cell);
        double p = probability_at(marks, cell);
        double u = (at.x - axis.centre.x) * axis.along.x + (at.y - axis.centre.y) * axis.along.y;
        double height = 8 * exp(fmin(fmax(value_at(marks, cell, GK_SIGHT_HEIGHT), -2), 3)) * scale;
        uu += p * u * u;
        uh += p * u * height;
        h += p * height;
        if (p > 0.5) {
            first = fmin(first, u);
            last = fmax(last, u);
        }
    }
    struct gk_number_line *line = &marks->lines[label];
    h /= axis.weight;
    double more = END_HEIGHTS * h + GK_SIGHT_CELL_PX * scale / 2;
    first -= more;
    last += more;
    if (!(last - first >= LEAST_LENGTH * h) || axis.weight < LEAST_WEIGHT) {
        line->score = 0;
        return;
    }
    double slope = uu > 0 ? uh / uu : 0;
    slope = fmax(fmin(slope, 0.6 * h / (last - first)), -0.6 * h / (last - first));
    line->left =
        (struct gk_point){axis.centre.x + first * axis.along.x, axis.centre.y + first * axis.along.y};
    line->right = (struct gk_point){axis.centre.x + last * axis.along.x, axis.centre.y + last * axis.along.y};
    line->left_height = h + slope * first;
    line->right_height = h + slope * last;
    line->score = axis.probability;
}

/* How far a point lies off a line, and how far beyond its ends along it. */
static void measure(const struct gk_number_line *line, struct gk_point point, double *ret_aside,
                    double *ret_beyond)
{
    double length = distance(line->left, line->right);
    double dx = (line->right.x - line->left.x) / length, dy = (line->right.y - line->left.y) / length;
    double px = point.x - line->left.x, py = point.y - line->left.y, along = px * dx + py * dy;
    *ret_aside = fabs(py * dx - px * dy);
    *ret_beyond = fmax(fmax(-along, along - length), 0);
}

static double turn_between(const struct gk_number_line *a, const struct gk_number_line *b)
{
    double one = atan2(a->right.y - a->left.y, a->right.x - a->left.x);
    double other = atan2(b->right.y - b->left.y, b->right.x - b->left.x);
    return fabs(remainder(one - other, acos(-1.0)));
}

static bool one_row(const struct gk_number_line *a, const struct gk_number_line *b)
{
    const struct gk_number_line *longer = distance(a->left, a->right) >= distance(b->left, b->right) ? a : b;
    const struct gk_number_line *other = longer == a ? b : a;
    double height = (mean_height(a) + mean_height(b)) / 2, aside[2], beyond[2];
    measure(longer, other->left, &aside[0], &beyond[0]);
    measure(longer, other->right, &aside[1], &beyond[1]);
    return fabs(log(mean_height(a) / mean_height(b))) < UNLIKE_HEIGHTS && turn_between(a, b) < TURN_RADIANS &&
           fmax(aside[0], aside[1]) < ASIDE_HEIGHTS * height &&
           fmin(beyond[0], beyond[1]) < GAP_HEIGHTS * height;
}

static void join_pieces(struct marks *marks)
{
    int cells = marks->sight->columns * marks->sight->rows;
    for (int a = 1; a <= marks->pieces; a++) {
        for (int b = 1; b <= marks->pieces; b++) {
            if (a == b || marks->lines[a].score <= 0 || marks->lines[b].score <= 0 ||
                !one_row(&marks->lines[a], &marks->lines[b])) {
                continue;
            }
            for (int cell = 0; cell < cells; cell++) {
                marks->label[cell] = marks->label[cell] == b ? a : marks->label[cell];
            }
            marks->lines[b].score = 0;
            fit(marks, a);
            b = 0; /* the longer row may reach others */
        }
    }
}

static void mark_pieces(struct marks *marks)
{
    int cells = marks->sight->columns * marks->sight->rows;
    for (int cell = 0; cell < cells && marks->pieces < MOST_PIECES; cell++) {
        if (marks->label[cell] == 0 && value_at(marks, cell, GK_SIGHT_ROW) > LEAST_LOGIT) {
            flood(marks, cell, ++marks->pieces);
            fit(marks, marks->pieces);
        }
    }
}

static size_t insert(struct gk_number_line *lines, size_t count, const struct gk_number_line *line)
{
    size_t at = count < GK_NUMBER_LINES_MOST ? count : GK_NUMBER_LINES_MOST - 1;
    if (at < count && lines[at].score >= line->score) {
        return count;
    }
    for (; at > 0 && lines[at - 1].score < line->score; at--) {
        lines[at] = lines[at - 1];
    }
    lines[at] = *line;
    return count < GK_NUMBER_LINES_MOST ? count + 1 : count;
}

size_t gk_number_lines_find(const struct gk_sight *sight,
                            struct gk_number_line ret_lines[GK_NUMBER_LINES_MOST])
{
    assert(sight->values != NULL);
    size_t cells = (size_t)sight->columns * (size_t)sight->rows, count = 0;
    struct marks marks = {
        .sight = sight, .label = calloc(cells, sizeof(int)), .stack = malloc(cells * sizeof(int))};
    if (marks.label != NULL && marks.stack != NULL) {
        mark_pieces(&marks);
        join_pieces(&marks);
        for (int label = 1; label <= marks.pieces; label++) {
            if (marks.lines[label].score > 0) {
                count = insert(ret_lines, count, &marks.lines[label]);
            }
        }
    }
    free(marks.label);
    free(marks.stack);
    return count;
}

static bool may_be_group(const struct gk_number_line *line)
{
    double length = distance(line->left, line->right) / mean_height(line);
    return length > 1.2 && length < 7;
}

/* Is `below` the next row of a block, one to three heights under `above` and as far left? */
static bool belongs_below(const struct gk_number_line *above, const struct gk_number_line *below)
{
    double height = (mean_height(above) + mean_height(below)) / 2,
           length = distance(above->left, above->right);
    double dx = (above->right.x - above->left.x) / length, dy = (above->right.y - above->left.y) / length;
    double px = (below->left.x + below->right.x - above->left.x - above->right.x) / 2;
    double py = (below->left.y + below->right.y - above->left.y - above->right.y) / 2;
    double step = py * dx - px * dy, shift = px * dx + py * dy;
    return may_be_group(below) && fabs(log(mean_height(above) / mean_height(below))) < UNLIKE_HEIGHTS &&
           turn_between(above, below) < TURN_RADIANS && step > height && step < 3.2 * height &&
           fabs(shift) < height;
}

static const struct gk_number_line *next_below(const struct gk_number_line *lines, size_t count,
                                               const struct gk_number_line *above)
{
    const struct gk_number_line *nearest = NULL;
    for (size_t i = 0; i < count; i++) {
        if (belongs_below(above, &lines[i]) &&
            (nearest == NULL ||
             distance(above->left, lines[i].left) < distance(above->left, nearest->left))) {
            nearest = &lines[i];
        }
    }
    return nearest;
}

/* Does the other stack begin within this one? */
static bool holds(const struct gk_number_stack *stack, const struct gk_number_stack *other)
{
    for (int i = 0; i < stack->row_count; i++) {
        if (distance(stack->rows[i].left, other->rows[0].left) < mean_height(&other->rows[0]) / 2) {
            return true;
        }
    }
    return false;
}

size_t gk_number_stacks_find(const struct gk_number_line *lines, size_t count,
                             struct gk_number_stack ret_stacks[GK_NUMBER_STACKS_MOST])
{
    struct gk_number_stack found[GK_NUMBER_LINES_MOST];
    size_t found_count = 0, kept = 0;
    assert(count <= GK_NUMBER_LINES_MOST);
    for (size_t first = 0; first < count; first++) {
        struct gk_number_stack stack = {.rows = {lines[first]}, .row_count = may_be_group(&lines[first])};
        while (stack.row_count > 0 && stack.row_count < GK_STACK_MOST_ROWS) {
            const struct gk_number_line *next = next_below(lines, count, &stack.rows[stack.row_count - 1]);
            if (next == NULL) {
                break;
            }
            stack.rows[stack.row_count++] = *next;
        }
        if (stack.row_count >= GK_STACK_LEAST_ROWS) {
            found[found_count++] = stack;
        }
    }
    /* The tallest begins at the block's top; others are parts of it. */
    for (int rows = GK_STACK_MOST_ROWS; rows >= GK_STACK_LEAST_ROWS; rows--) {
        for (size_t i = 0; i < found_count && kept < GK_NUMBER_STACKS_MOST; i++) {
            bool part = false;
            for (size_t j = 0; j < kept; j++) {
                part = part || holds(&ret_stacks[j], &found[i]);
            }
            if (found[i].row_count == rows && !part) {
                ret_stacks[kept++] = found[i];
            }
        }
    }
    return kept;
}

struct gk_quad gk_number_line_box(const struct gk_number_line *line)
{
    double dx = line->right.x - line->left.x, dy = line->right.y - line->left.y;
    double length = fmax(hypot(dx, dy), 1e-6), down_x = -dy / length / 2, down_y = dx / length / 2;
    return (struct gk_quad){
        {{line->left.x - down_x * line->left_height, line->left.y - down_y * line->left_height},
         {line->right.x - down_x * line->right_height, line->right.y - down_y * line->right_height},
         {line->right.x + down_x * line->right_height, line->right.y + down_y * line->right_height},
         {line->left.x + down_x * line->left_height, line->left.y + down_y * line->left_height}}};
}

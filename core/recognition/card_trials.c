/*
 * Rows and blocks that the finder saw come first; where they hold no whole number, any row of print, then the
 * layouts' regions themselves.
 */
#include "core/recognition/card_trials.h"

#include "core/recognition/sight.h"
#include "core/recognition/text_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_LINES 6 /* glanced at on a view */
#define LAYOUT_FAVOUR                                                                                        \
    2.0 /* of a direction in which some layout has a number there: 2, 5, 0, 8 are read either way up */
#define SPARE_HEIGHTS 2.0   /* digit heights that are left on a row before and behind its characters */
#define BLOCK_ROW_SHARE 0.6 /* of the mean row's strength, for a row that the finder missed */
#define BLANK_ROW_SHARE 0.3 /* of the mean row's strength, below which a row at an end is none */
#define BEYOND 0.4          /* of its length that a line in the picture may go on at either end */
#define SHORT_HEIGHTS 7     /* digit heights of a line too short to tell its slope */
#define EDGE_PX 20.0        /* of the frame that no number comes nearer to its edge */
#define TALLEST_PX 80.0     /* digit of a region that is one line: others are blocks' */

int gk_trials_turns(double dx, double dy, bool upside_down)
{
    int turns = fabs(dx) >= fabs(dy) ? (dx >= 0 ? 0 : 2) : (dy >= 0 ? 3 : 1);
    return (turns + (upside_down ? 2 : 0)) % 4;
}

/* ---- where layouts have numbers ---- */

struct spot {
    double x, y; /* millimetres on the card as it lies in the frame: 85.60 wide */
};

/* The line of a region as it lies in the frame, the card turned by `turns` quarter turns against its layout.
 */
static struct gk_number_line region_line(const struct guika_region *region, int turns)
{
    double left = (double)region->left_mm, right = left + (double)region->width_mm;
    double y = (double)region->top_mm + (double)region->height_mm / 2, height = (double)region->height_mm / 2;
    struct spot ends[2] = {{left, y}, {right, y}};
    for (int i = 0; i < 2; i++) {
        struct spot at = ends[i];
        ends[i] = turns == 0   ? at
                  : turns == 1 ? (struct spot){GK_CARD_WIDTH_MM - at.y, at.x}
                  : turns == 2 ? (struct spot){GK_CARD_WIDTH_MM - at.x, GK_CARD_HEIGHT_MM - at.y}
                               : (struct spot){at.y, GK_CARD_HEIGHT_MM - at.x};
    }
    return (struct gk_number_line){
        .left = {ends[0].x * GK_CARD_PX_PER_MM, ends[0].y * GK_CARD_PX_PER_MM},
        .right = {ends[1].x * GK_CARD_PX_PER_MM, ends[1].y * GK_CARD_PX_PER_MM},
        .left_height = height * GK_CARD_PX_PER_MM,
        .right_height = height * GK_CARD_PX_PER_MM,
    };
}

/* Does the line's middle lie within half a region's height of the region's own line, and as it does? */
static bool lies_on(const struct gk_number_line *line, const struct gk_number_line *region)
{
    double dx = region->right.x - region->left.x, dy = region->right.y - region->left.y,
           length = hypot(dx, dy);
    double x = (line->left.x + line->right.x) / 2 - region->left.x,
           y = (line->left.y + line->right.y) / 2 - region->left.y;
    double along = (x * dx + y * dy) / length, across = (x * dy - y * dx) / length;
    double run_x = line->right.x - line->left.x, run_y = line->right.y - line->left.y;
    bool same_direction = fabs(run_x * dx + run_y * dy) > 0.8 * length * hypot(run_x, run_y);
    return same_direction && along >= 0 && along <= length && fabs(across) <= region->left_height;
}

/* A region of a layout as it lies in the frame. */
struct visited {
    struct gk_number_line line;
    int turns;
};

typedef bool region_visitor(struct gk_card_view *view, const struct visited *region, void *context);

/* Calls for every region of the shelf's layouts, both ways up, until one call returns true. */
static bool visit_regions(struct gk_card_view *view, region_visitor *visit, void *context)
{
    const struct gk_candidate_rules *rules = &view->reader->rules;
    for (size_t i = 0; i < rules->issuer_count; i++) {
        const struct guika_issuer *issuer = rules->issuers[i];
        for (size_t j = 0; j < issuer->layout_count; j++) {
            const struct guika_layout *layout = &issuer->layouts[j];
            for (size_t k = 0; k < layout->number_count; k++) {
                for (int turns = layout->portrait ? 1 : 0; turns < 4; turns += 2) {
                    struct visited region = {region_line(&layout->numbers[k], turns), turns};
                    if (visit(view, &region, context)) {
                        return true;
                    }
                }
            }
        }
    }
    return false;
}

/* ---- what is tried on a view, and in which order ---- */

/* Which ways a row of this place may be read for a layout to have a number there: a bit for each quarter
 * turn. */
struct turns_sought {
    const struct gk_number_line *row;
    unsigned turns;
};

static bool note_turns(struct gk_card_view *view, const struct visited *region, void *context)
{
    struct turns_sought *sought = context;
    (void)view;
    sought->turns |= region->line.left_height < TALLEST_PX && lies_on(sought->row, &region->line)
                         ? 1u << region->turns
                         : 0;
    return false;
}

static void favour_layouts(struct gk_card_view *view, struct gk_trial *trial)
{
    const struct gk_number_line *row = &trial->rows[0];
    struct turns_sought sought = {row, 0};
    if (view->frame.width_px == 0) {
        return;
    }
    (void)visit_regions(view, note_turns, &sought);
    for (int turned = 0; turned < 2; turned++) {
        int turns = gk_trials_turns(row->right.x - row->left.x, row->right.y - row->left.y, turned == 1);
        trial->glance.favour[turned] = sought.turns & 1u << turns ? LAYOUT_FAVOUR : 1;
    }
}

/* Takes off the row what lies well before and behind the characters. */
static void trim(struct gk_number_line *row, const struct gk_line_glance *glance)
{
    double dx = row->right.x - row->left.x, dy = row->right.y - row->left.y, length = hypot(dx, dy);
    double height = (row->left_height + row->right_height) / 2,
           whole = length + 2 * GK_STRIP_MARGIN_HEIGHTS * height;
    double from = glance->left * whole - (GK_STRIP_MARGIN_HEIGHTS + SPARE_HEIGHTS) * height;
    double to = glance->right * whole - (GK_STRIP_MARGIN_HEIGHTS - SPARE_HEIGHTS) * height;
    const struct gk_number_line all = *row;
    from = fmax(from, 0) / length;
    to = fmin(to, length) / length;
    row->left = (struct gk_point){all.left.x + dx * from, all.left.y + dy * from};
    row->right = (struct gk_point){all.left.x + dx * to, all.left.y + dy * to};
    row->left_height = all.left_height + (all.right_height - all.left_height) * from;
    row->right_height = all.left_height + (all.right_height - all.left_height) * to;
}

static bool glance_at(struct gk_card_view *view, struct gk_trial *trial)
{
    const struct gk_line_place place = {view->picture, view->frame.width_px == 0 ? NULL : &view->frame,
                                        view->number, view->trial_count};
    const struct gk_number_target target = {trial->rows, trial->row_count, trial->passed_over};
    bool seen = gk_line_glance(view->reader, &place, &target, &trial->glance);
    favour_layouts(view, trial);
    if (trial->row_count == 1) {
        trim(&trial->rows[0], &trial->glance);
    }
    trial->strength = seen ? fmax(trial->glance.strength[0], trial->glance.strength[1]) : 0;
    return seen;
}

/* Is the line, or nearly the same, among the trials of one row? */
static bool is_tried(const struct gk_card_view *view, const struct gk_number_line *line)
{
    for (size_t i = 0; i < view->trial_count; i++) {
        if (view->trials[i].row_count == 1 && lies_on(line, &view->trials[i].rows[0]) &&
            lies_on(&view->trials[i].rows[0], line)) {
            return true;
        }
    }
    return false;
}

/* Does the row show no more than another trial that runs through it? A layout's region may cut a number short
 * that the finder saw whole, and the stump of a number can be somebody's number too. */
static bool is_part_of_another(const struct gk_card_view *view, const struct gk_trial *trial)
{
    for (size_t i = 0; i < view->trial_count && trial->row_count == 1; i++) {
        const struct gk_trial *other = &view->trials[i];
        if (other->row_count == 1 && other->strength >= trial->strength &&
            lies_on(&trial->rows[0], &other->rows[0])) {
            return true;
        }
    }
    return false;
}

static void add_trial(struct gk_card_view *view, const struct gk_number_line *rows, int row_count,
                      bool passed_over)
{
    if (view->trial_count == GK_TRIALS_MOST || gk_card_reader_out_of_time(view->reader) ||
        (row_count == 1 && is_tried(view, rows))) {
        return;
    }
    struct gk_trial *trial = &view->trials[view->trial_count];
    memcpy(trial->rows, rows, (size_t)row_count * sizeof *rows);
    trial->row_count = row_count;
    trial->passed_over = passed_over;
    view->trial_count += glance_at(view, trial) && !is_part_of_another(view, trial);
}

/* On a card a row runs from edge to edge for all that the finder saw of it: what is no digit the net passes
 * over. A short piece tells less of the row's slope than the card's edge does. */
static struct gk_number_line stretched(const struct gk_card_view *view, const struct gk_number_line *line)
{
    struct gk_number_line row = *line;
    double dx = line->right.x - line->left.x, dy = line->right.y - line->left.y, length = hypot(dx, dy);
    double height = (line->left_height + line->right_height) / 2;
    bool along_x = fabs(dx) >= fabs(dy);
    if (view->frame.width_px == 0) {
        row.left = (struct gk_point){line->left.x - dx * BEYOND, line->left.y - dy * BEYOND};
        row.right = (struct gk_point){line->right.x + dx * BEYOND, line->right.y + dy * BEYOND};
        return row;
    }
    double slope = length < SHORT_HEIGHTS * height ? 0 : along_x ? dy / dx : dx / dy;
    double end = (along_x ? view->frame.width_px : view->frame.height_px) - EDGE_PX;
    struct gk_point middle = {(line->left.x + line->right.x) / 2, (line->left.y + line->right.y) / 2};
    if (along_x) {
        row.left = (struct gk_point){EDGE_PX, middle.y + (EDGE_PX - middle.x) * slope};
        row.right = (struct gk_point){end, middle.y + (end - middle.x) * slope};
    } else {
        row.left = (struct gk_point){middle.x + (EDGE_PX - middle.y) * slope, EDGE_PX};
        row.right = (struct gk_point){middle.x + (end - middle.y) * slope, end};
    }
    row.left_height = row.right_height = height;
    return row;
}

/* The row of a block that would stand `steps` rows below its first one. */
static struct gk_number_line row_of_block(const struct gk_trial *block, int steps)
{
    const struct gk_number_line *first = &block->rows[0], *last = &block->rows[block->row_count - 1];
    double share = (double)steps / (block->row_count - 1);
    struct gk_number_line row = *first;
    row.left.x += (last->left.x - first->left.x) * share;
    row.left.y += (last->left.y - first->left.y) * share;
    row.right.x += (last->right.x - first->right.x) * share;
    row.right.y += (last->right.y - first->right.y) * share;
    return row;
}

/* A row of other print, above the block or below it, is none of its rows: it would take the place of one that
 * is, and a number that lacks its last row may be another one. */
static void drop_blank_ends(struct gk_card_view *view, struct gk_trial *block, struct gk_trial *spare)
{
    for (int end = 0; end < 2; end++) {
        while (block->row_count > 1) {
            *spare = (struct gk_trial){.row_count = 1};
            spare->rows[0] = block->rows[end == 0 ? 0 : block->row_count - 1];
            if (!glance_at(view, spare) ||
                spare->strength >= BLANK_ROW_SHARE * block->strength / block->row_count) {
                break;
            }
            block->row_count--;
            if (end == 0) {
                memmove(block->rows, block->rows + 1, (size_t)block->row_count * sizeof *block->rows);
            }
        }
    }
}

/* The finder may have missed the first or the last row of the block that was added last. */
static void complete_block(struct gk_card_view *view)
{
    if (view->trial_count == 0 || view->trial_count == GK_TRIALS_MOST) {
        return;
    }
    struct gk_trial *block = &view->trials[view->trial_count - 1];
    struct gk_trial *next = &view->trials[view->trial_count];
    if (block->row_count > 1) {
        drop_blank_ends(view, block, next);
    }
    for (int end = 0; end < 2 && block->row_count > 1 && block->row_count < GK_STACK_MOST_ROWS; end++) {
        *next = (struct gk_trial){.row_count = 1};
        next->rows[0] = row_of_block(block, end == 0 ? -1 : block->row_count);
        if (!glance_at(view, next) || next->strength < BLOCK_ROW_SHARE * block->strength / block->row_count) {
            continue;
        }
        const struct gk_number_line row = row_of_block(block, end == 0 ? -1 : block->row_count);
        if (end == 0) {
            memmove(block->rows + 1, block->rows, (size_t)block->row_count * sizeof *block->rows);
        }
        block->rows[end == 0 ? 0 : block->row_count] = row;
        block->row_count++;
        block->strength += next->strength;
        for (int turned = 0; turned < 2; turned++) {
            block->glance.strength[turned] += next->glance.strength[turned];
        }
    }
}

static bool try_region(struct gk_card_view *view, const struct visited *region, void *context)
{
    (void)context;
    if (region->line.left_height < TALLEST_PX) {
        add_trial(view, &region->line, 1, false);
    }
    return view->trial_count == GK_TRIALS_MOST || gk_card_reader_out_of_time(view->reader);
}

double gk_trials_strongest(const struct gk_card_view *view)
{
    double most = 0;
    for (size_t i = 0; i < view->trial_count; i++) {
        most = fmax(most, view->trials[i].strength);
    }
    return most;
}

/* Any print on the card, whichever way it runs. */
static void try_print(struct gk_card_view *view)
{
    struct gk_number_line rows[GK_TEXT_ROWS_MOST];
    for (int across = 0; across < 2 && gk_trials_strongest(view) < GK_TRIAL_WHOLE_NUMBER; across++) {
        size_t count = gk_text_rows_find(view->picture, &view->frame, across == 1, rows);
        for (size_t i = 0; i < count; i++) {
            add_trial(view, &rows[i], 1, true);
        }
    }
}

static int compare_trials(const void *a, const void *b)
{
    const struct gk_trial *x = a, *y = b;
    return (x->strength < y->strength) - (x->strength > y->strength);
}

void gk_trials_propose(struct gk_card_view *view)
{
    struct gk_number_stack stacks[GK_NUMBER_STACKS_MOST];
    size_t stack_count = gk_number_stacks_find(view->lines, view->line_count, stacks);
    view->trial_count = 0;
    for (size_t i = 0; i < stack_count; i++) {
        add_trial(view, stacks[i].rows, stacks[i].row_count, false);
        complete_block(view);
    }
    for (size_t i = 0; i < view->line_count && i < MOST_LINES; i++) {
        struct gk_number_line row = stretched(view, &view->lines[i]);
        add_trial(view, &row, 1, false);
    }
    if (view->frame.width_px != 0 && !view->reader->finder_alone) {
        try_print(view);
        (void)(gk_trials_strongest(view) < GK_TRIAL_WHOLE_NUMBER && visit_regions(view, try_region, NULL));
    }
    qsort(view->trials, view->trial_count, sizeof *view->trials, compare_trials);
}

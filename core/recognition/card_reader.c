/*
 * The order of trying: cards that the finder sees, the best one first; on each its number lines, those where
 * some layout has a number before the others; then, where the finder saw no number, the layouts' regions
 * themselves; last, lines that it saw in the picture outside every card. Whatever settles the number ends the
 * search.
 */
#include "core/recognition/card_reader.h"

#include "core/recognition/card_finder.h"
#include "core/recognition/descriptor.h"
#include "core/recognition/line_reader.h"
#include "core/recognition/number_line.h"
#include "core/recognition/observation.h"
#include "core/recognition/sight.h"
#include "core/recognition/text_rows.h"
#include "core/recognition/witness.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_LINES 6       /* glanced at on a view */
#define MOST_TRIALS 30     /* lines, blocks and regions of layouts */
#define MOST_READ 4        /* read through */
#define FULL_NUMBER 9.0    /* strength of a line that makes trying the layouts' regions needless */
#define LONG_NUMBER 12.0   /* strength of a line longer than the numbers that come as bar codes too */
#define LEAST_STRENGTH 3.0 /* of a line worth reading through */
#define LAYOUT_FAVOUR                                                                                        \
    2.0 /* of a direction in which some layout has a number there: 2, 5, 0, 8 are read either way up */
#define LEAST_SHARE 0.4     /* of the strongest line's strength, for another to be read as well */
#define WORTH_TEXT 0.2      /* probability of a candidate that Tesseract is asked about */
#define SPARE_HEIGHTS 2.0   /* digit heights that are left on a row before and behind its characters */
#define BLOCK_ROW_SHARE 0.6 /* of the mean row's strength, for a row that the finder missed */
#define BEYOND 0.4          /* of its length that a line in the picture may go on at either end */
#define SHORT_HEIGHTS 7     /* digit heights of a line too short to tell its slope */
#define EDGE_PX 20.0        /* of the frame that no number comes nearer to its edge */
#define TALLEST_PX 80.0     /* digit of a region that is one line: others are blocks' */
#define GOOD_ENOUGH 0.5     /* a candidate that makes other views needless */
#define FIGURES 0.5         /* clarity of a line that holds figures */
#define LEAST_FIGURES 6     /* of a row that a person may be shown: a security code has three or four */
#define LIKE_SIZE 0.4       /* of two cards' areas: they lie before one camera. Estimated */

/* Something that may be a number, with its rows. */
struct trial {
    struct gk_number_line rows[GK_STACK_MOST_ROWS];
    int row_count;
    struct gk_line_glance glance;
    double strength; /* of the stronger direction */
};

/* One way to look at the picture: a card, or the picture itself (frame.width_px 0). */
struct view {
    const struct gk_card_reader *reader;
    const struct gk_image *picture;
    struct gk_homography frame;
    struct gk_quad quad;
    size_t number; /* for the observer */
    struct gk_candidate_list *list;
    double enough; /* probability from which nothing more is read in this picture */
    struct gk_card_sight *sight;
    struct gk_number_line lines[GK_NUMBER_LINES_MOST];
    size_t line_count;
    struct trial trials[MOST_TRIALS];
    size_t trial_count;
};

int64_t gk_clock_read_ms(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool gk_card_reader_out_of_time(const struct gk_card_reader *reader)
{
    return gk_clock_read_ms(CLOCK_THREAD_CPUTIME_ID) >= reader->stop_cpu_ms ||
           gk_clock_read_ms(CLOCK_MONOTONIC) >= reader->stop_wall_ms;
}

static bool is_read(const struct gk_candidate_list *list, double least)
{
    return list->count > 0 && list->items[0].probability >= least && !list->items[0].forced;
}

/* Quarter turns clockwise that bring text upright which runs along (dx, dy). */
static int turns_of(double dx, double dy, bool upside_down)
{
    int turns = fabs(dx) >= fabs(dy) ? (dx >= 0 ? 0 : 2) : (dy >= 0 ? 3 : 1);
    return (turns + (upside_down ? 2 : 0)) % 4;
}

/* The card as the number reads: upright, portrait where its lines run along the short side. */
static void place_view(const struct view *view, const struct gk_number_line *line, bool upside_down)
{
    struct gk_card_sight *sight = view->sight;
    if (view->frame.width_px == 0) {
        return;
    }
    int turns = turns_of(line->right.x - line->left.x, line->right.y - line->left.y, upside_down);
    struct gk_quad quad = gk_quad_turned(&view->quad, turns);
    bool portrait = turns % 2 == 1;
    sight->position_known =
        gk_homography_from_quad(&quad, portrait ? GK_CARD_HEIGHT_PX : GK_CARD_WIDTH_PX,
                                portrait ? GK_CARD_WIDTH_PX : GK_CARD_HEIGHT_PX, &sight->view);
}

/* Remembers where figures stand, in pixels of the picture. */
static void note_rows(const struct view *view, const struct gk_number_target *target, bool upside_down)
{
    struct gk_card_sight *sight = view->sight;
    for (int i = 0; i < target->row_count && sight->row_count < GK_SIGHT_ROWS_MOST; i++) {
        struct gk_quad row = gk_number_line_box(&target->rows[i]);
        for (int corner = 0; corner < 4 && view->frame.width_px != 0; corner++) {
            row.corner[corner] = gk_homography_apply(&view->frame, row.corner[corner]);
        }
        sight->rows[sight->row_count++] = upside_down ? gk_quad_turned(&row, 2) : row;
    }
}

/* Is the best candidate in doubt, but worth a second opinion? Without checks nothing is accepted, whoever
 * agrees. */
static bool wants_witness(const struct view *view, double least, double enough)
{
    if (view->reader->text == NULL || view->reader->barcodes == NULL) {
        return false;
    }
    return !view->reader->rules.no_check && !gk_card_reader_out_of_time(view->reader) &&
           !is_read(view->list, enough) &&
           (least <= 0 || (view->list->count > 0 && view->list->items[0].probability >= least));
}

/* A card that carries a bar code as well is read until it is certain. */
static double enough_without_codes(const struct gk_candidate_list *list)
{
    size_t count = 0;
    if (list->count > 0 && list->items[0].issuer != NULL) {
        (void)gk_descriptor_barcodes(list->items[0].issuer, &count);
    }
    return count > 0 ? GK_CANDIDATE_CERTAIN : GK_CANDIDATE_ACCEPTED;
}

static bool has_letters(const struct gk_candidate_list *list)
{
    return list->count > 0 && list->items[0].number[strspn(list->items[0].number, "0123456789X")] != '\0';
}

/* Reads a trial through and adds what it says. */
static void read_trial(struct view *view, const struct trial *trial)
{
    const struct gk_line_place place = {view->picture, view->frame.width_px == 0 ? NULL : &view->frame,
                                        view->number, 0};
    const struct gk_number_target target = {trial->rows, trial->row_count};
    struct gk_line_verdict verdict;
    bool upside_down;
    if (!gk_line_read(view->reader, &place, &target, &trial->glance, &verdict, &upside_down)) {
        return;
    }
    struct gk_card_sight *sight = view->sight;
    bool likelier = verdict.count > 0 && (view->list->count == 0 || verdict.candidates[0].probability >
                                                                        view->list->items[0].probability);
    gk_candidates_add(view->list, &verdict);
    sight->figures_found = sight->figures_found || verdict.clarity >= FIGURES;
    sight->check_failed = sight->check_failed || verdict.check_failed;
    sight->unknown_issuer = sight->unknown_issuer || verdict.unknown_issuer;
    if (strlen(verdict.best) >= LEAST_FIGURES) {
        note_rows(view, &target, upside_down);
    }
    if (likelier) {
        place_view(view, target.rows, upside_down);
    }
    /* Tesseract was asked already where there are letters. */
    if (likelier && target.row_count == 1 && !has_letters(view->list) &&
        wants_witness(view, WORTH_TEXT, GK_CANDIDATE_ACCEPTED)) {
        gk_witness_text(view->reader, &place, target.rows, upside_down, view->list);
    }
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

typedef bool region_visitor(struct view *view, const struct visited *region, void *context);

/* Calls for every region of the shelf's layouts, both ways up, until one call returns true. */
static bool visit_regions(struct view *view, region_visitor *visit, void *context)
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

static bool note_turns(struct view *view, const struct visited *region, void *context)
{
    struct turns_sought *sought = context;
    (void)view;
    sought->turns |= region->line.left_height < TALLEST_PX && lies_on(sought->row, &region->line)
                         ? 1u << region->turns
                         : 0;
    return false;
}

static void favour_layouts(struct view *view, struct trial *trial)
{
    const struct gk_number_line *row = &trial->rows[0];
    struct turns_sought sought = {row, 0};
    if (view->frame.width_px == 0) {
        return;
    }
    (void)visit_regions(view, note_turns, &sought);
    for (int turned = 0; turned < 2; turned++) {
        int turns = turns_of(row->right.x - row->left.x, row->right.y - row->left.y, turned == 1);
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

static bool glance_at(struct view *view, struct trial *trial)
{
    const struct gk_line_place place = {view->picture, view->frame.width_px == 0 ? NULL : &view->frame,
                                        view->number, view->trial_count};
    const struct gk_number_target target = {trial->rows, trial->row_count};
    bool seen = gk_line_glance(view->reader, &place, &target, &trial->glance);
    favour_layouts(view, trial);
    if (trial->row_count == 1) {
        trim(&trial->rows[0], &trial->glance);
    }
    trial->strength = seen ? fmax(trial->glance.strength[0], trial->glance.strength[1]) : 0;
    return seen;
}

/* Is the line, or nearly the same, among the trials of one row? */
static bool is_tried(const struct view *view, const struct gk_number_line *line)
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
static bool is_part_of_another(const struct view *view, const struct trial *trial)
{
    for (size_t i = 0; i < view->trial_count && trial->row_count == 1; i++) {
        const struct trial *other = &view->trials[i];
        if (other->row_count == 1 && other->strength >= trial->strength &&
            lies_on(&trial->rows[0], &other->rows[0])) {
            return true;
        }
    }
    return false;
}

static void add_trial(struct view *view, const struct gk_number_line *rows, int row_count)
{
    if (view->trial_count == MOST_TRIALS || gk_card_reader_out_of_time(view->reader) ||
        (row_count == 1 && is_tried(view, rows))) {
        return;
    }
    struct trial *trial = &view->trials[view->trial_count];
    memcpy(trial->rows, rows, (size_t)row_count * sizeof *rows);
    trial->row_count = row_count;
    view->trial_count += glance_at(view, trial) && !is_part_of_another(view, trial);
}

/* On a card a row runs from edge to edge for all that the finder saw of it: what is no digit the net passes
 * over. A short piece tells less of the row's slope than the card's edge does. */
static struct gk_number_line stretched(const struct view *view, const struct gk_number_line *line)
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
static struct gk_number_line row_of_block(const struct trial *block, int steps)
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

/* The finder may have missed the first or the last row of the block that was added last. */
static void complete_block(struct view *view)
{
    if (view->trial_count == 0 || view->trial_count == MOST_TRIALS) {
        return;
    }
    struct trial *block = &view->trials[view->trial_count - 1];
    struct trial *next = &view->trials[view->trial_count];
    for (int end = 0; end < 2 && block->row_count > 1 && block->row_count < GK_STACK_MOST_ROWS; end++) {
        *next = (struct trial){.row_count = 1};
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

static bool try_region(struct view *view, const struct visited *region, void *context)
{
    (void)context;
    if (region->line.left_height < TALLEST_PX) {
        add_trial(view, &region->line, 1);
    }
    return view->trial_count == MOST_TRIALS || gk_card_reader_out_of_time(view->reader);
}

static double strongest(const struct view *view)
{
    double most = 0;
    for (size_t i = 0; i < view->trial_count; i++) {
        most = fmax(most, view->trials[i].strength);
    }
    return most;
}

/* Any print on the card, whichever way it runs. */
static void try_print(struct view *view)
{
    struct gk_number_line rows[GK_TEXT_ROWS_MOST];
    for (int across = 0; across < 2 && strongest(view) < FULL_NUMBER; across++) {
        size_t count = gk_text_rows_find(view->picture, &view->frame, across == 1, rows);
        for (size_t i = 0; i < count; i++) {
            add_trial(view, &rows[i], 1);
        }
    }
}

static int compare_trials(const void *a, const void *b)
{
    const struct trial *x = a, *y = b;
    return (x->strength < y->strength) - (x->strength > y->strength);
}

/* Glances at what may be a number, then reads what showed most. */
static void read_view(struct view *view)
{
    struct gk_number_stack stacks[GK_NUMBER_STACKS_MOST];
    size_t stack_count = gk_number_stacks_find(view->lines, view->line_count, stacks);
    view->trial_count = 0;
    for (size_t i = 0; i < stack_count; i++) {
        add_trial(view, stacks[i].rows, stacks[i].row_count);
        complete_block(view);
    }
    for (size_t i = 0; i < view->line_count && i < MOST_LINES; i++) {
        struct gk_number_line row = stretched(view, &view->lines[i]);
        add_trial(view, &row, 1);
    }
    if (view->frame.width_px != 0 && !view->reader->finder_alone) {
        try_print(view);
        (void)(strongest(view) < FULL_NUMBER && visit_regions(view, try_region, NULL));
    }
    qsort(view->trials, view->trial_count, sizeof *view->trials, compare_trials);
    double least = fmax(LEAST_STRENGTH, LEAST_SHARE * strongest(view));
    for (size_t i = 0; i < view->trial_count && i < MOST_READ && view->trials[i].strength >= least; i++) {
        if (gk_card_reader_out_of_time(view->reader) || is_read(view->list, view->enough)) {
            return;
        }
        read_trial(view, &view->trials[i]);
    }
}

/* More than a twentieth of the card burnt out? Looked at in a grid of 64 x 40 points. */
static bool burnt_out(const struct view *view)
{
    int burnt = 0, total = 0;
    for (int y = 8; y < view->frame.height_px; y += 16) {
        for (int x = 8; x < view->frame.width_px; x += 16, total++) {
            struct gk_point at = gk_homography_apply(&view->frame, (struct gk_point){x, y});
            burnt += gk_image_grey_at(view->picture, at.x, at.y) >= 252;
        }
    }
    return burnt * 20 > total;
}

static void read_card(struct view *view)
{
    struct gk_sight seen;
    const struct gk_card_reader *reader = view->reader;
    if (!gk_homography_from_quad(&view->quad, GK_CARD_WIDTH_PX, GK_CARD_HEIGHT_PX, &view->frame)) {
        return;
    }
    if (view->sight->view.width_px == 0) {
        view->sight->view = view->frame;
        view->sight->glare = burnt_out(view);
    }
    int64_t began = gk_stage_begin(reader->stages);
    bool looked = gk_sight_of_card(reader->finder, view->picture, &view->frame, &seen);
    gk_stage_end(reader->stages, GK_STAGE_RECTIFY, began);
    began = gk_stage_begin(reader->stages);
    view->line_count = looked ? gk_number_lines_find(&seen, view->lines) : 0;
    gk_stage_end(reader->stages, GK_STAGE_LINES, began);
    if (reader->observer != NULL) {
        gk_observe_card(reader->observer, view->picture, &view->frame, view->number, view->lines,
                        view->line_count, reader->rules.issuers, reader->rules.issuer_count);
    }
    read_view(view);
    if (view->number == 0 && strongest(view) < LONG_NUMBER &&
        wants_witness(view, 0, enough_without_codes(view->list))) {
        gk_witness_barcodes(reader, view->picture, &view->frame, view->list);
    }
}

static bool is_within(const struct gk_quad *quad, struct gk_point at)
{
    bool left = false, right = false;
    for (int i = 0; i < 4; i++) {
        const struct gk_point *a = &quad->corner[i], *b = &quad->corner[(i + 1) % 4];
        double side = (b->x - a->x) * (at.y - a->y) - (b->y - a->y) * (at.x - a->x);
        left = left || side < 0;
        right = right || side > 0;
    }
    return !(left && right);
}

static struct gk_point middle_of(const struct gk_quad *quad)
{
    struct gk_point sum = {0, 0};
    for (int i = 0; i < 4; i++) {
        sum.x += quad->corner[i].x / 4;
        sum.y += quad->corner[i].y / 4;
    }
    return sum;
}

/* Two cards that are surely there, beside each other and of like size: a picture on a card may look like a
 * card. */
static bool are_several(const struct gk_found_card *cards, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const struct gk_quad *first = &cards[0].quad, *other = &cards[i].quad;
        double one = gk_quad_area(first), two = gk_quad_area(other);
        bool apart = !is_within(first, middle_of(other)) && !is_within(other, middle_of(first));
        if (cards[0].score >= GK_CARD_SCORE_SURE && cards[i].score >= GK_CARD_SCORE_SURE && apart &&
            fmin(one, two) > LIKE_SIZE * fmax(one, two)) {
            return true;
        }
    }
    return false;
}

/* What the finder says of the whole picture. */
struct overview {
    struct gk_found_card cards[GK_CARD_FINDER_MOST + 1];
    size_t card_count;
    struct gk_number_line lines[GK_NUMBER_LINES_MOST];
    size_t line_count;
};

static void look_over(const struct gk_card_reader *reader, const struct gk_image *picture,
                      const struct gk_quad *card, struct overview *ret_overview)
{
    struct gk_sight seen;
    struct overview overview = {.card_count = 0};
    if (card != NULL) {
        overview.cards[overview.card_count++] = (struct gk_found_card){.quad = *card, .score = 1};
    }
    int64_t began = gk_stage_begin(reader->stages);
    if (card == NULL && gk_sight_of_picture(reader->finder, picture, &seen)) {
        overview.card_count = gk_cards_find(&seen, picture, overview.cards);
        overview.line_count = gk_number_lines_find(&seen, overview.lines);
    }
    gk_stage_end(reader->stages, GK_STAGE_SIGHT, began);
    *ret_overview = overview;
}

/* A card that showed a whole number was seen better by itself than in the picture. */
static void drop_lines_on(struct overview *overview, const struct gk_quad *card)
{
    size_t kept = 0;
    for (size_t i = 0; i < overview->line_count; i++) {
        const struct gk_number_line *line = &overview->lines[i];
        struct gk_point middle = {(line->left.x + line->right.x) / 2, (line->left.y + line->right.y) / 2};
        if (!is_within(card, middle)) {
            overview->lines[kept++] = *line;
        }
    }
    overview->line_count = kept;
}

void gk_card_read(const struct gk_card_reader *reader, const struct gk_image *picture,
                  const struct gk_quad *card, struct gk_candidate_list *list, struct gk_card_sight *ret_sight)
{
    assert(reader != NULL && picture != NULL && list != NULL && ret_sight != NULL);
    struct gk_card_sight sight = {0};
    struct overview overview;
    look_over(reader, picture, card, &overview);
    sight.card_found = overview.card_count > 0 && overview.cards[0].score >= GK_CARD_SCORE_SURE;
    sight.several_cards = card == NULL && are_several(overview.cards, overview.card_count);
    if (reader->observer != NULL) {
        gk_observe_picture(reader->observer, picture, overview.cards, overview.card_count, card != NULL);
    }
    /* Another frame of a card that was read is there to make certain. */
    struct view view = {.reader = reader,
                        .picture = picture,
                        .list = list,
                        .enough = is_read(list, GK_CANDIDATE_ACCEPTED) ? GK_CANDIDATE_CERTAIN
                                                                       : GK_CANDIDATE_ACCEPTED,
                        .sight = &sight};
    for (size_t i = 0; i < overview.card_count; i++) {
        if (gk_card_reader_out_of_time(reader) || is_read(list, i == 0 ? view.enough : GOOD_ENOUGH)) {
            break;
        }
        view.quad = overview.cards[i].quad;
        view.number = i;
        read_card(&view);
        if (strongest(&view) >= FULL_NUMBER) {
            drop_lines_on(&overview, &view.quad);
        }
    }
    if (!is_read(list, GOOD_ENOUGH) && overview.line_count > 0) {
        view.frame.width_px = 0;
        view.line_count = overview.line_count;
        memcpy(view.lines, overview.lines, sizeof view.lines);
        read_view(&view);
    }
    *ret_sight = sight;
}

#include "core/recognition/card_reader.h"

#include "core/recognition/card_finder.h"
#include "core/recognition/number_line.h"

#include <assert.h>
#include <string.h>
#include <time.h>

#define LEAST_SCORE 0.5 /* of a quadrilateral that counts as a card */
#define MOST_LINES 8    /* read a view */
#define LEAST_LINE 5    /* components of a line worth reading */
#define LEAST_DIGITS 6  /* of a run */
#define CLEAR 97        /* clarity of a reading that makes trying it upside down needless */
#define PROMISING 0.75  /* score of a line that gets a second chance in another framing */
#define GOOD_ENOUGH 0.5 /* a candidate that makes trying other quadrilaterals needless */

/* The most different from the first one come first: agreement of unlike framings says more. */
static const struct gk_framing framings[] = {{.height_share = 1.7},
                                             {.height_share = 1.45, .normalise = true},
                                             {.height_share = 1.3, .centre_shift = 0.04},
                                             {.height_share = 2.0}};
#define FRAMINGS (sizeof framings / sizeof *framings)
#define ENOUGH_FRAMINGS 3 /* where they agree; the others settle disputes */

/* One way to look at the picture. */
struct view {
    const struct gk_card_reader *reader;
    const struct gk_picture *picture;
    struct gk_homography homography;
    struct gk_candidate_list *list;
    struct gk_card_sight *sight;
};

int64_t gk_clock_read_ms(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool out_of_time(const struct gk_card_reader *reader)
{
    return gk_clock_read_ms(CLOCK_THREAD_CPUTIME_ID) >= reader->stop_cpu_ms ||
           gk_clock_read_ms(CLOCK_MONOTONIC) >= reader->stop_wall_ms;
}

static bool is_read(const struct gk_candidate_list *list, double least)
{
    return list->count > 0 && list->items[0].probability >= least && !list->items[0].forced;
}

/* A number on the card: one line, or the rows of a stack. */
struct target {
    const struct gk_number_line *rows;
    int row_count;
};

/* Appends a row of a stack: its digits alone, for what else is read there is no part of the number. */
static void append_row(struct gk_text_line *text, const struct gk_text_line *row)
{
    bool first = true;
    for (int i = 0; i < row->count && text->count < GK_TEXT_SYMBOLS_MOST; i++) {
        char character = row->symbols[i].choices[0].character;
        if (character >= '0' && character <= '9') {
            text->symbols[text->count] = row->symbols[i];
            text->symbols[text->count++].starts_word = first;
            first = false;
        }
    }
}

static bool read_row(const struct view *view, const struct gk_number_line *line, bool upside_down,
                     const struct gk_framing *framing, struct gk_text_line *ret_text)
{
    struct gk_image strip;
    if (!gk_number_line_cut(&view->picture->image, &view->homography, line, upside_down, framing, &strip)) {
        return false;
    }
    bool read = gk_text_read(view->reader->text, &strip, ret_text);
    gk_image_clear(&strip);
    return read;
}

static void read_text(const struct view *view, const struct target *target, bool upside_down,
                      const struct gk_framing *framing, struct gk_text_line *ret_text)
{
    struct gk_text_line row;
    ret_text->count = 0;
    if (target->row_count == 1) {
        if (!read_row(view, target->rows, upside_down, framing, ret_text)) {
            ret_text->count = 0;
        }
        return;
    }
    for (int i = 0; i < target->row_count; i++) {
        const struct gk_number_line *line = &target->rows[upside_down ? target->row_count - 1 - i : i];
        if (read_row(view, line, upside_down, framing, &row)) {
            append_row(ret_text, &row);
        }
    }
}

/* `*ret_clarity` as gk_lattice_clarity. */
static size_t read_runs(const struct view *view, const struct target *target, bool upside_down,
                        const struct gk_framing *framing, struct gk_lattice runs[GK_LATTICE_RUNS_MOST],
                        double *ret_clarity)
{
    struct gk_text_line text;
    read_text(view, target, upside_down, framing, &text);
    size_t count = gk_lattice_from_text(&text, LEAST_DIGITS, runs);
    *ret_clarity = gk_lattice_clarity(&text, runs, count);
    return count;
}

/* Reads the line again in other framings than the `first` and settles what they say about each run. */
static void confirm_runs(const struct view *view, const struct target *target, bool upside_down, size_t first,
                         struct gk_lattice *runs, size_t count)
{
    struct gk_lattice readings[GK_LATTICE_RUNS_MOST][FRAMINGS], others[GK_LATTICE_RUNS_MOST];
    size_t counts[GK_LATTICE_RUNS_MOST] = {0};
    bool agreed = true;
    for (size_t run = 0; run < count; run++) {
        readings[run][counts[run]++] = runs[run];
    }
    for (size_t i = 0; i < FRAMINGS && (i < ENOUGH_FRAMINGS || !agreed); i++) {
        if (i == first) {
            continue;
        }
        double clarity;
        size_t other_count = read_runs(view, target, upside_down, &framings[i], others, &clarity);
        agreed = other_count == count && agreed;
        for (size_t run = 0; run < count && run < other_count; run++) {
            readings[run][counts[run]++] = others[run];
        }
        for (size_t run = 0; run < count; run++) {
            agreed = gk_lattice_vote(readings[run], counts[run], &runs[run]) && agreed;
        }
    }
}

/* The clearest of the readings of a line so far. */
struct attempt {
    struct gk_lattice runs[GK_LATTICE_RUNS_MOST];
    size_t count, framing;
    bool upside_down;
    double clarity;
};

static void attempt_reading(const struct view *view, const struct target *target, size_t framing,
                            bool upside_down, struct attempt *best)
{
    struct attempt attempt = {.framing = framing, .upside_down = upside_down};
    attempt.count = read_runs(view, target, upside_down, &framings[framing], attempt.runs, &attempt.clarity);
    if (attempt.clarity > best->clarity) {
        *best = attempt;
    }
}

/* Reads upright and, unless that is clear, turned; a promising line in a second framing too. */
static void read_target(const struct view *view, const struct target *target)
{
    struct attempt best = {.count = 0};
    size_t tries = target->rows->score >= PROMISING ? 2 : 1;
    for (size_t i = 0; i < 2 * tries && best.clarity < CLEAR; i++) {
        attempt_reading(view, target, i / 2, i % 2 == 1, &best);
    }
    struct gk_lattice *runs = best.runs;
    size_t count = best.count;
    bool upside_down = best.upside_down;
    if (count == 0) {
        return;
    }
    confirm_runs(view, target, upside_down, best.framing, runs, count);
    for (size_t i = 0; i < count; i++) {
        struct gk_line_verdict verdict;
        gk_candidates_from_lattice(&runs[i], &view->reader->rules, &verdict);
        bool first = view->list->count == 0 || (verdict.count > 0 && verdict.candidates[0].probability >
                                                                         view->list->items[0].probability);
        gk_candidates_add(view->list, &verdict);
        view->sight->figures_found = true;
        view->sight->check_failed = view->sight->check_failed || verdict.check_failed;
        view->sight->unknown_issuer = view->sight->unknown_issuer || verdict.unknown_issuer;
        if (verdict.count > 0 && first) {
            view->sight->view = view->homography;
            view->sight->position_known = true;
            view->sight->upside_down = upside_down;
        }
    }
}

/* Does the line's middle lie in a region where some layout of this orientation has numbers, either way up? */
static bool in_region(const struct view *view, const struct gk_number_line *line)
{
    bool portrait = view->homography.height_px > view->homography.width_px;
    double x = (line->left + line->right) / 2 / GK_CARD_PX_PER_MM, y = line->centre_y / GK_CARD_PX_PER_MM;
    double width = view->homography.width_px / GK_CARD_PX_PER_MM;
    double height = view->homography.height_px / GK_CARD_PX_PER_MM;
    for (size_t i = 0; i < view->reader->rules.issuer_count; i++) {
        const struct guika_issuer *issuer = view->reader->rules.issuers[i];
        for (size_t j = 0; j < issuer->layout_count; j++) {
            const struct guika_layout *layout = &issuer->layouts[j];
            for (size_t k = 0; k < layout->number_count && layout->portrait == portrait; k++) {
                const struct guika_region *region = &layout->numbers[k];
                double dx = x - region->left_mm, dy = y - region->top_mm;
                double turned_dx = width - x - region->left_mm, turned_dy = height - y - region->top_mm;
                if ((dx >= 0 && dx <= region->width_mm && dy >= 0 && dy <= region->height_mm) ||
                    (turned_dx >= 0 && turned_dx <= region->width_mm && turned_dy >= 0 &&
                     turned_dy <= region->height_mm)) {
                    return true;
                }
            }
        }
    }
    return false;
}

/* Best first, with a bonus for lines where numbers are expected. */
static void rank_lines(const struct view *view, struct gk_number_line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        lines[i].score += in_region(view, &lines[i]) ? 0.3 : 0;
    }
    for (size_t i = 1; i < count; i++) {
        struct gk_number_line line = lines[i];
        size_t at = i;
        for (; at > 0 && lines[at - 1].score < line.score; at--) {
            lines[at] = lines[at - 1];
        }
        lines[at] = line;
    }
}

static bool burnt_out(const struct gk_image *card)
{
    size_t pixels = (size_t)card->width_px * (size_t)card->height_px, burnt = 0;
    for (size_t i = 0; i < pixels; i++) {
        burnt += card->grey[i] >= 252;
    }
    return burnt * 20 > pixels;
}

/* Stacks first: they are rare, and nothing else looks like them. */
static void read_targets(const struct view *view, const struct gk_number_line *lines, size_t count)
{
    struct gk_number_stack stacks[GK_NUMBER_STACKS_MOST];
    size_t stack_count = gk_number_stacks_find(lines, count, stacks), tried = 0;
    for (size_t i = 0; i < stack_count + count && tried < MOST_LINES; i++) {
        struct target target = {i < stack_count ? stacks[i].rows : &lines[i - stack_count],
                                i < stack_count ? stacks[i].row_count : 1};
        if (target.row_count == 1 && target.rows->characters < LEAST_LINE) {
            continue;
        }
        if (out_of_time(view->reader) || is_read(view->list, GK_CANDIDATE_ACCEPTED)) {
            return;
        }
        read_target(view, &target);
        tried++;
    }
}

static void read_view(struct view *view, const struct gk_quad *quad, bool portrait)
{
    struct gk_quad placed = portrait ? gk_quad_turned(quad, 1) : *quad;
    int width = portrait ? GK_CARD_HEIGHT_PX : GK_CARD_WIDTH_PX;
    int height = portrait ? GK_CARD_WIDTH_PX : GK_CARD_HEIGHT_PX;
    struct gk_image card;
    struct gk_number_line lines[GK_NUMBER_LINES_MOST];
    if (!gk_homography_from_quad(&placed, width, height, &view->homography) ||
        !gk_rectify(&view->picture->image, &view->homography, false, &card)) {
        return;
    }
    if (view->sight->view.width_px == 0) {
        view->sight->view = view->homography;
        view->sight->glare = burnt_out(&card);
    }
    size_t count = gk_number_lines_find(&card, GK_STACK_LEAST_CHARACTERS, lines);
    gk_image_clear(&card);
    rank_lines(view, lines, count);
    read_targets(view, lines, count);
}

void gk_card_read(const struct gk_card_reader *reader, const struct gk_picture *picture,
                  const struct gk_quad *card, struct gk_candidate_list *list, struct gk_card_sight *ret_sight)
{
    assert(reader != NULL && picture != NULL && list != NULL && ret_sight != NULL);
    struct gk_card_sight sight = {0};
    struct gk_found_quad found[GK_CARD_FINDER_MOST + 1];
    size_t count = 0;
    if (card != NULL) {
        found[count++] = (struct gk_found_quad){.quad = *card, .score = 1};
    }
    count += gk_card_find(&picture->image, found + count);
    sight.card_found = count > 0 && found[0].score >= LEAST_SCORE;
    struct view view = {reader, picture, {.width_px = 0}, list, &sight};
    for (size_t i = 0; i < count; i++) {
        for (int portrait = 0; portrait < 2; portrait++) {
            if (out_of_time(reader) || is_read(list, i == 0 ? GK_CANDIDATE_ACCEPTED : GOOD_ENOUGH)) {
                break;
            }
            read_view(&view, &found[i].quad, portrait == 1);
        }
    }
    *ret_sight = sight;
}

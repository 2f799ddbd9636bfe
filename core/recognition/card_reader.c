/*
 * Cards that the finder sees, the best one first; on each what may be a number, in the order of
 * card_trials.h, the strongest read through; last, lines that it saw in the picture outside every card.
 * Whatever settles the number ends the search.
 */
#include "core/recognition/card_reader.h"

#include "core/recognition/card_finder.h"
#include "core/recognition/card_trials.h"
#include "core/recognition/descriptor.h"
#include "core/recognition/line_reader.h"
#include "core/recognition/number_line.h"
#include "core/recognition/observation.h"
#include "core/recognition/sight.h"
#include "core/recognition/witness.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_READ 4        /* read through */
#define LONG_NUMBER 12.0   /* strength of a line longer than the numbers that come as bar codes too */
#define LEAST_STRENGTH 3.0 /* of a line worth reading through */
#define LEAST_SHARE 0.4    /* of the strongest line's strength, for another to be read as well */
#define WORTH_TEXT 0.2     /* probability of a candidate that Tesseract is asked about */
#define GOOD_ENOUGH 0.5    /* a candidate that makes other views needless */
#define FIGURES 0.5        /* clarity of a line that holds figures */
#define LEAST_FIGURES 6    /* of a row that a person may be shown: a security code has three or four */
#define LIKE_SIZE 0.4      /* of two cards' areas: they lie before one camera. Estimated */

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

/* The card as the number reads: upright, portrait where its lines run along the short side. */
static void place_view(const struct gk_card_view *view, const struct gk_number_line *line, bool upside_down)
{
    struct gk_card_sight *sight = view->sight;
    if (view->frame.width_px == 0) {
        return;
    }
    int turns = gk_trials_turns(line->right.x - line->left.x, line->right.y - line->left.y, upside_down);
    struct gk_quad quad = gk_quad_turned(&view->quad, turns);
    bool portrait = turns % 2 == 1;
    sight->position_known =
        gk_homography_from_quad(&quad, portrait ? GK_CARD_HEIGHT_PX : GK_CARD_WIDTH_PX,
                                portrait ? GK_CARD_WIDTH_PX : GK_CARD_HEIGHT_PX, &sight->view);
}

/* Remembers where figures stand, in pixels of the picture. */
static void note_rows(const struct gk_card_view *view, const struct gk_number_target *target,
                      bool upside_down)
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
static bool wants_witness(const struct gk_card_view *view, double least, double enough)
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
    return list->count > 0 && gk_descriptor_has_barcodes(list->items[0].issuer) ? GK_CANDIDATE_CERTAIN
                                                                                : GK_CANDIDATE_ACCEPTED;
}

static bool has_letters(const struct gk_candidate_list *list)
{
    return list->count > 0 && list->items[0].number[strspn(list->items[0].number, "0123456789X")] != '\0';
}

/* Reads a trial through and adds what it says. */
static void read_trial(struct gk_card_view *view, const struct gk_trial *trial)
{
    const struct gk_line_place place = {view->picture, view->frame.width_px == 0 ? NULL : &view->frame,
                                        view->number, 0};
    const struct gk_number_target target = {trial->rows, trial->row_count, trial->passed_over};
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

/* Glances at what may be a number, then reads what showed most. */
static void read_view(struct gk_card_view *view)
{
    gk_trials_propose(view);
    double least = fmax(LEAST_STRENGTH, LEAST_SHARE * gk_trials_strongest(view));
    for (size_t i = 0; i < view->trial_count && i < MOST_READ && view->trials[i].strength >= least; i++) {
        if (gk_card_reader_out_of_time(view->reader) || is_read(view->list, view->enough)) {
            return;
        }
        read_trial(view, &view->trials[i]);
    }
}

/* More than a twentieth of the card burnt out? Looked at in a grid of 64 x 40 points. */
static bool burnt_out(const struct gk_card_view *view)
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

static void read_card(struct gk_card_view *view)
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
    if (view->number == 0 && gk_trials_strongest(view) < LONG_NUMBER &&
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
    struct gk_card_view view = {.reader = reader,
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
        if (gk_trials_strongest(&view) >= GK_TRIAL_WHOLE_NUMBER) {
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

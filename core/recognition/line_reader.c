#include "core/recognition/line_reader.h"

#include "core/recognition/observation.h"
#include "core/recognition/reading.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The line finder is right about a digit's height within a fifth, mostly; the framings reach further. The
 * first decides the direction, the next two are enough where all agree. A line that is still in doubt after
 * the straight ones is read in each once more as its negative: the net was trained on either, and where
 * relief and glare mislead it in one, they often do not in the other. Then, its slope may be wrong by a
 * quarter of a digit at either end; where one way reads more than the other, the last two are steeper. */
#define STEEP 0.9
static const struct gk_framing framings[] = {
    {.digit_share = 0.62, .centre_shift = 0},   {.digit_share = 0.5, .centre_shift = 0},
    {.digit_share = 0.76, .centre_shift = 0},   {.digit_share = 0.6, .centre_shift = -0.18},
    {.digit_share = 0.6, .centre_shift = 0.18}, {.digit_share = 0.52, .centre_shift = 0.1},
    {.digit_share = 0.7, .centre_shift = -0.1}, {.digit_share = 0.62, .skew = 0.5},
    {.digit_share = 0.62, .skew = -0.5},        {.digit_share = 0.5, .skew = 0.5},
    {.digit_share = 0.5, .skew = -0.5},         {.digit_share = 0.76, .skew = 0.5},
    {.digit_share = 0.76, .skew = -0.5},        {.digit_share = 0.62, .skew = STEEP},
    {.digit_share = 0.5, .skew = STEEP},
};
#define FIRST_FRAMINGS 3
#define STRAIGHT 7
#define BOTH_WAYS (2 * STRAIGHT)  /* as it is, then as its negative */
#define SLOPED (BOTH_WAYS + 6)    /* and six that rise or fall */
#define ALL_FRAMINGS (SLOPED + 2) /* and two that do so more */
static_assert(ALL_FRAMINGS == STRAIGHT + sizeof framings / sizeof *framings, "a framing is not read");
static_assert(ALL_FRAMINGS <= GK_READING_FRAMINGS_MOST, "a framing is left out");

/* Probability from which a number needs no more framings: a little above what is accepted, so that a line is
 * not left in doubt for want of a look; where checks are off nothing is accepted, and it is estimated. */
#define CLEAR_ENOUGH 0.9992
#define CLEAR_UNCHECKED 0.98

/* Probability from which the first framings are enough. A list of consecutive numbers leaves a candidate less
 * than it had (core/registry/match.c): to be accepted there it needs 0.9995. Here twice as sure. */
#define SETTLED 0.9998
/* Clarity (reading.h) from which a line is worth all framings. Estimated. */
#define WORTH_READING 0.25
/* Share of the stronger direction's strength from which the other one is not out of the question. Estimated.
 */
#define OPEN_DIRECTION 0.5

/* What the likeliest number of digits alone may have for letters to be looked for. Estimated. */
#define LETTERED_DOUBT 0.25

/* Probability, squared, of a character that tells where the number begins or ends. */
#define RATHER_SURE 0.3

/* One direction of a target. */
struct direction {
    size_t framing_count;          /* that were read */
    uint64_t summary;              /* of the last one's likeliest characters */
    bool agreed;                   /* all framings have the same summary */
    double along, rising, falling; /* most that a framing read: that follows the line, or slopes beside it */
    struct gk_reading rows[GK_STACK_MOST_ROWS];
    struct gk_reading joined; /* of blocks */
    struct gk_line_verdict verdict;
};

struct line_work {
    const struct gk_card_reader *reader;
    const struct gk_line_place *place;
    const struct gk_number_target *target;
    struct gk_digit_matrix matrix;
    struct direction directions[2]; /* upright, upside down */
};

/* A sum over the likeliest characters, in order, on top of `before` (Fowler, Noll, Vo, 64 bits): equal texts
 * have equal sums, and that unequal ones have is as good as excluded. */
static uint64_t summary_of(const struct gk_digit_matrix *matrix, uint64_t before)
{
    uint64_t sum = before ^ UINT64_C(0xcbf29ce484222325);
    int last = 0;
    for (int x = 0; x < matrix->columns; x++) {
        int best = gk_digit_likeliest(matrix->log_probability[x]);
        if (best != 0 && best != last) {
            sum = (sum ^ (uint64_t)best) * UINT64_C(0x100000001b3);
        }
        last = best;
    }
    return sum;
}

/* How many characters the net sees, taking each column's likeliest. */
static size_t characters_of(const struct gk_digit_matrix *matrix)
{
    size_t count = 0;
    int last = 0;
    for (int x = 0; x < matrix->columns; x++) {
        int best = gk_digit_likeliest(matrix->log_probability[x]);
        count += best != 0 && best != last;
        last = best;
    }
    return count;
}

static void negate(struct gk_image *strip)
{
    for (size_t i = 0; i < (size_t)strip->width_px * (size_t)strip->height_px; i++) {
        strip->grey[i] = (uint8_t)(255 - strip->grey[i]);
    }
}

static struct gk_framing framing_of(const struct direction *direction, size_t framing)
{
    struct gk_framing cut = framings[framing < STRAIGHT ? framing : framing - STRAIGHT];
    if (framing >= SLOPED && direction->falling > direction->rising) {
        cut.skew = -cut.skew;
    }
    return cut;
}

/* Does the line slope beside the one that was found, so far that a digit more is read one way than the other,
 * and none less than along it? */
static bool is_steeper(const struct direction *direction)
{
    return fabs(direction->rising - direction->falling) >= 1 &&
           fmax(direction->rising, direction->falling) > direction->along - 1;
}

/* Leaves what the net says of the row in `work->matrix`. */
static bool look(struct line_work *work, int row, bool upside_down, size_t framing)
{
    const struct gk_card_reader *reader = work->reader;
    const struct gk_line_place *place = work->place;
    const struct gk_framing cut = framing_of(&work->directions[upside_down], framing);
    struct gk_image strip;
    int64_t began = gk_stage_begin(reader->stages);
    bool read =
        gk_number_line_cut(place->picture, place->frame, &work->target->rows[row], upside_down, &cut, &strip);
    gk_stage_end(reader->stages, GK_STAGE_CUT, began);
    if (!read) {
        return false;
    }
    if (framing >= STRAIGHT && framing < BOTH_WAYS) {
        negate(&strip);
    }
    began = gk_stage_begin(reader->stages);
    read = gk_digit_net_read(reader->digits, &strip, &work->matrix);
    gk_stage_end(reader->stages, GK_STAGE_DIGITS, began);
    if (read && reader->observer != NULL) {
        gk_observe_strip(reader->observer, &strip, &work->matrix, place->card, place->line, framing == 0);
    }
    gk_image_clear(&strip);
    return read;
}

/* The characters that stand out by column. */
struct outline {
    double strength;    /* sum of the net's probabilities, squared: doubtful ones count little */
    double left, right; /* of those that it is rather sure of, as shares of the strip */
};

static struct outline outline_of(const struct gk_digit_matrix *matrix)
{
    struct outline outline = {.left = 1, .right = 0};
    double most = 0;
    int before = 0;
    for (int x = 0; x < matrix->columns; x++) {
        const float *logs = matrix->log_probability[x];
        int best = 0;
        for (int class = 1; class < GK_DIGIT_CLASSES; class ++) {
            best = logs[class] > logs[best] ? class : best;
        }
        if (best != before) {
            outline.strength += most;
            most = 0;
        }
        most = best == 0 ? 0 : fmax(most, exp(2 * (double)logs[best]));
        if (best != 0 && most > RATHER_SURE) {
            outline.left = fmin(outline.left, (double)x / matrix->columns);
            outline.right = (x + 1.0) / matrix->columns;
        }
        before = best;
    }
    outline.strength += most;
    return outline;
}

/* Keeps what the strongest framing of each slope read. */
static void compare_slopes(struct direction *direction, double strength)
{
    const double skew = framing_of(direction, direction->framing_count).skew;
    double *most = skew > 0 ? &direction->rising : skew < 0 ? &direction->falling : &direction->along;
    *most = fmax(*most, strength);
}

/* Reads all rows in the framings up to `end` that are not read yet. */
static void read_framings(struct line_work *work, bool upside_down, size_t end)
{
    struct direction *direction = &work->directions[upside_down];
    int row_count = work->target->row_count;
    for (; direction->framing_count < end; direction->framing_count++) {
        uint64_t summary = 0;
        double strength = 0;
        for (int row = 0; row < row_count; row++) {
            int source = upside_down ? row_count - 1 - row : row;
            if (!look(work, source, upside_down, direction->framing_count)) {
                return;
            }
            gk_reading_add(&direction->rows[row], &work->matrix);
            summary = summary_of(&work->matrix, summary);
            strength += outline_of(&work->matrix).strength;
        }
        compare_slopes(direction, strength);
        direction->agreed =
            direction->framing_count == 0 || (direction->agreed && summary == direction->summary);
        direction->summary = summary;
    }
}

/* What the framings that were read say together. */
static void weigh(struct line_work *work, bool upside_down)
{
    struct direction *direction = &work->directions[upside_down];
    int64_t began = gk_stage_begin(work->reader->stages);
    const struct gk_reading *reading = direction->rows;
    direction->rows[0].passed_over = work->target->passed_over;
    if (work->target->row_count > 1) {
        gk_reading_join(direction->rows, work->target->row_count, &direction->joined);
        reading = &direction->joined;
    }
    gk_reading_verdict(reading, &work->reader->rules, &direction->verdict);
    gk_stage_end(work->reader->stages, GK_STAGE_RULES, began);
}

/* Is a number read, at least with this probability, that no rule forced? */
static bool is_read(const struct gk_line_verdict *verdict, double least)
{
    return verdict->count > 0 && verdict->candidates[0].probability >= least &&
           !verdict->candidates[0].forced;
}

/* Would it be, were there no doubt that the line holds a card's number? That does not show in another
 * framing.
 */
static bool is_clear(const struct gk_line_verdict *verdict, double least)
{
    return is_read(verdict, least * (1 - verdict->candidates[0].alien));
}

static double likeliness(const struct direction *direction)
{
    const struct gk_line_verdict *verdict = &direction->verdict;
    return verdict->clarity + (verdict->count > 0 ? verdict->candidates[0].probability : 0);
}

/* Is it upside down? Numbers of many 0, 1 and 8 read nearly as well turned: where a glance leaves it open,
 * more framings decide. */
static bool choose_direction(struct line_work *work, const struct gk_line_glance *glance)
{
    const double strength[2] = {glance->strength[0] * glance->favour[0],
                                glance->strength[1] * glance->favour[1]};
    if (fmin(strength[0], strength[1]) < OPEN_DIRECTION * fmax(strength[0], strength[1])) {
        return strength[1] > strength[0];
    }
    for (int turned = 0; turned < 2; turned++) {
        read_framings(work, turned == 1, FIRST_FRAMINGS);
        weigh(work, turned == 1);
    }
    const bool read[2] = {is_read(&work->directions[0].verdict, GK_CANDIDATE_ACCEPTED),
                          is_read(&work->directions[1].verdict, GK_CANDIDATE_ACCEPTED)};
    if (read[0] != read[1]) {
        return read[1]; /* wherever layouts have numbers */
    }
    return likeliness(&work->directions[1]) * glance->favour[1] >
           likeliness(&work->directions[0]) * glance->favour[0];
}

static void add_outline(struct gk_line_glance *glance, const struct outline *outline, int turned)
{
    bool stronger = outline->strength > glance->strength[0] && outline->strength > glance->strength[1];
    glance->strength[turned] += outline->strength;
    if (stronger && outline->left < outline->right) {
        glance->left = turned == 1 ? 1 - outline->right : outline->left;
        glance->right = turned == 1 ? 1 - outline->left : outline->right;
    }
}

static struct line_work *begin_work(const struct gk_card_reader *reader, const struct gk_line_place *place,
                                    const struct gk_number_target *target)
{
    assert(target->row_count >= 1 && target->row_count <= GK_STACK_MOST_ROWS);
    struct line_work *work = calloc(1, sizeof *work);
    if (work != NULL) {
        work->reader = reader;
        work->place = place;
        work->target = target;
    }
    return work;
}

bool gk_line_glance(const struct gk_card_reader *reader, const struct gk_line_place *place,
                    const struct gk_number_target *target, struct gk_line_glance *ret_glance)
{
    struct line_work *work = begin_work(reader, place, target);
    struct gk_line_glance glance = {.right = 1, .favour = {1, 1}};
    bool read = work != NULL;
    for (int row = 0; row < target->row_count && read; row++) {
        for (int turned = 0; turned < 2 && read; turned++) {
            read = look(work, row, turned == 1, 0);
            if (read) {
                const struct outline outline = outline_of(&work->matrix);
                add_outline(&glance, &outline, turned);
            }
        }
    }
    free(work);
    *ret_glance = glance;
    return read;
}

/* Reads a line in the framings after the straight ones, as long as those before leave it in doubt. */
static void read_in_doubt(struct line_work *work, bool upside_down)
{
    static const size_t ends[] = {BOTH_WAYS, SLOPED, ALL_FRAMINGS};
    const struct direction *direction = &work->directions[upside_down];
    const double enough = work->reader->rules.no_check ? CLEAR_UNCHECKED : CLEAR_ENOUGH;
    for (size_t i = 0; i < sizeof ends / sizeof *ends && !is_clear(&direction->verdict, enough); i++) {
        if (ends[i] == ALL_FRAMINGS && !is_steeper(direction)) {
            return;
        }
        read_framings(work, upside_down, ends[i]);
        weigh(work, upside_down);
    }
}

/* Letters are looked for only where no number of digits alone fits, and so many digits may have letters in
 * front. */
static void read_letters(struct line_work *work, bool upside_down)
{
    struct direction *direction = &work->directions[upside_down];
    const struct gk_line_verdict *verdict = &direction->verdict;
    bool open = verdict->count == 0 || verdict->candidates[0].probability < LETTERED_DOUBT;
    /* A part of the line may have been taken for the likeliest number. */
    bool may_stand = gk_letters_may_stand(&work->reader->rules, strlen(verdict->best), verdict->grouping) ||
                     gk_letters_may_stand(&work->reader->rules,
                                          characters_of(&direction->rows[0].framings[0]), verdict->grouping);
    if (work->reader->text != NULL && work->target->row_count == 1 && open && may_stand &&
        gk_letters_read(work->reader, work->place, work->target->rows, upside_down,
                        &direction->rows[0].letters)) {
        weigh(work, upside_down);
    }
}

bool gk_line_read(const struct gk_card_reader *reader, const struct gk_line_place *place,
                  const struct gk_number_target *target, const struct gk_line_glance *glance,
                  struct gk_line_verdict *ret_verdict, bool *ret_upside_down)
{
    struct line_work *work = begin_work(reader, place, target);
    *ret_verdict = (struct gk_line_verdict){0};
    if (work == NULL) {
        return false;
    }
    bool upside_down = choose_direction(work, glance);
    struct direction *direction = &work->directions[upside_down];
    read_framings(work, upside_down, FIRST_FRAMINGS);
    if (direction->agreed) {
        weigh(work, upside_down);
    }
    if (!is_clear(&direction->verdict, SETTLED)) {
        if (direction->agreed) {
            read_framings(work, upside_down, STRAIGHT);
            weigh(work, upside_down);
        }
        read_in_doubt(work, upside_down);
    }
    read_letters(work, upside_down);
    bool worth = direction->verdict.clarity >= WORTH_READING;
    if (worth) {
        *ret_verdict = direction->verdict;
        *ret_upside_down = upside_down;
    }
    free(work);
    return worth;
}

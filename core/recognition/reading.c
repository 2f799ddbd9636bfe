/*
 * A line may hold more than the number: a label, a date, a telephone number. So it is cut where figures stand
 * far apart, and every run of neighbouring parts is weighed, the whole line among them; those that leave
 * figures out have a smaller prior. All of them compete in one weighing.
 *
 * How the number is grouped follows from where its characters stand: the distance of most neighbours is the
 * pitch, and a gap is a distance well above it.
 */
#include "core/recognition/reading.h"

#include "core/recognition/calibration.h"
#include "core/recognition/fusion.h"
#include "core/recognition/weighing.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Distances of neighbouring characters' middles, in pitches. Embossed digits have a pitch of 3.63 mm and gaps
 * of twice that (ISO/IEC 7811-1); printed gaps begin at about 1.5. */
#define GAP 1.4        /* from here on: between groups */
#define CROWDED 0.5    /* below this, one of them is no character of the line */
#define APART 3.3      /* from here on: between parts of the line */
#define UNEVEN 1.6     /* times another gap, the gap between parts is of another kind */
#define PARTS_MOST 4   /* of a line */
#define LEAST_RUN 6    /* characters of a run that may be a number */
#define LEAST_PART 3   /* characters from which on a line has a pitch */
#define ROW_MARGIN 2   /* blank columns around a joined row */
#define LEAST_CLEAR 10 /* characters from which on a line is as clear as its characters are */
#define CLEAR 0.5      /* clarity of a line that was read well */
/* Two exchanges that are less likely than this, beside the text, are left out; so are all but the three
 * likeliest characters of a place. */
#define LEAST_PAIR 1e-8
#define PAIR_CHARACTERS 3
#define LEAST_WINDOW 12 /* characters of a number that may touch other figures */

static const char characters[] = "0123456789X";

void gk_reading_add(struct gk_reading *reading, const struct gk_digit_matrix *matrix)
{
    assert(matrix->columns >= 0 && matrix->columns <= GK_DIGIT_COLUMNS_MOST);
    if (reading->framing_count < GK_READING_FRAMINGS_MOST) {
        reading->pictures[reading->framing_count] = reading->picture;
        reading->framings[reading->framing_count++] = *matrix;
    }
}

void gk_reading_next_picture(struct gk_reading *reading)
{
    reading->picture++;
}

/* The columns from the first to the last that is likelier some character than blank, and ROW_MARGIN more. */
static void find_ends(const struct gk_digit_matrix *matrix, int *ret_first, int *ret_end)
{
    int first = matrix->columns, end = 0;
    for (int column = 0; column < matrix->columns; column++) {
        const float *row = matrix->log_probability[column];
        bool blank = true;
        for (int class = 1; class < GK_DIGIT_CLASSES; class ++) {
            /* A hundredth beside the blank may still matter. */
            blank = blank && row[class] < row[0] - 4.6f;
        }
        if (!blank) {
            first = column < first ? column : first;
            end = column + 1;
        }
    }
    *ret_first = first < ROW_MARGIN ? 0 : first - ROW_MARGIN;
    *ret_end = end + ROW_MARGIN > matrix->columns ? matrix->columns : end + ROW_MARGIN;
    if (*ret_first > *ret_end) {
        *ret_first = *ret_end;
    }
}

void gk_reading_join(const struct gk_reading *rows, int row_count, struct gk_reading *ret_reading)
{
    assert(row_count >= 1 && row_count <= GK_READING_ROWS_MOST);
    memset(ret_reading, 0, sizeof *ret_reading);
    int framings = rows[0].framing_count;
    for (int i = 1; i < row_count; i++) {
        framings = rows[i].framing_count < framings ? rows[i].framing_count : framings;
    }
    ret_reading->framing_count = framings;
    ret_reading->row_count = row_count;
    ret_reading->passed_over = rows[0].passed_over;
    for (int f = 0; f < framings; f++) {
        struct gk_digit_matrix *to = &ret_reading->framings[f];
        ret_reading->pictures[f] = rows[0].pictures[f];
        to->px_per_column = rows[0].framings[f].px_per_column;
        for (int i = 0; i < row_count; i++) {
            const struct gk_digit_matrix *from = &rows[i].framings[f];
            int first, end;
            find_ends(from, &first, &end);
            for (int column = first; column < end && to->columns < GK_DIGIT_COLUMNS_MOST; column++) {
                memcpy(to->log_probability[to->columns++], from->log_probability[column],
                       sizeof *to->log_probability);
            }
            ret_reading->row_ends[f][i] = to->columns;
        }
    }
}

/* The row of a block that a column of a framing lies in. */
static int row_at(const struct gk_reading *reading, int framing, double column)
{
    int row = 0;
    while (row + 1 < reading->row_count && column >= reading->row_ends[framing][row]) {
        row++;
    }
    return row;
}

/* Does a group end behind a character of a base? In a block, where its row does. */
static bool ends_group(const struct gk_reading *reading, int framing, const struct gk_fused_base *base,
                       int at)
{
    const double *columns = base->alignment.column;
    if (at + 1 == base->alignment.length) {
        return true;
    }
    return reading->row_count > 0
               ? row_at(reading, framing, columns[at]) != row_at(reading, framing, columns[at + 1])
               : base->distance[at] > GAP;
}

/* Writes "4-4-4-4"; "" where characters crowd, or one gap is too wide beside another. */
static void write_grouping(const struct gk_reading *reading, int framing, const struct gk_fused_base *base,
                           char grouping[GK_GROUPING_SIZE])
{
    const int length = base->alignment.length;
    double narrowest = HUGE_VAL, widest = 0;
    size_t used = 0;
    int group = 0;
    grouping[0] = '\0';
    for (int i = 0; i < length; i++) {
        bool ends = ends_group(reading, framing, base, i);
        if (!ends && base->distance[i] < CROWDED) {
            grouping[0] = '\0';
            return;
        }
        if (ends && i + 1 < length && reading->row_count == 0) {
            narrowest = fmin(narrowest, base->distance[i]);
            widest = fmax(widest, base->distance[i]);
        }
        group++;
        if (ends) {
            used += (size_t)snprintf(grouping + used, GK_GROUPING_SIZE - used, "%s%d", used > 0 ? "-" : "",
                                     group);
            group = 0;
        }
    }
    if (widest > APART && widest > UNEVEN * narrowest) {
        grouping[0] = '\0';
    }
}

/* The parts of a line, as shares of its length: part i lies between cuts[i] and cuts[i + 1]. */
struct parts {
    int count;
    double cuts[PARTS_MOST + 1];
};

/* Cuts at the widest distances. */
static void find_parts(const struct gk_alignment *alignment, int columns, struct parts *ret_parts)
{
    double pitch = gk_alignment_pitch(alignment), gaps[PARTS_MOST - 1] = {0};
    *ret_parts = (struct parts){.count = 1, .cuts = {0, 1}};
    for (int i = 1; i < alignment->length && alignment->length >= LEAST_PART; i++) {
        double distance = alignment->column[i] - alignment->column[i - 1];
        for (int at = 0; at < PARTS_MOST - 1 && distance > APART * pitch; at++) {
            if (distance > gaps[at]) {
                memmove(&gaps[at + 1], &gaps[at], (size_t)(PARTS_MOST - 2 - at) * sizeof *gaps);
                gaps[at] = distance;
                break;
            }
        }
    }
    int cuts = 1;
    for (int i = 1; i < alignment->length && cuts < PARTS_MOST; i++) {
        double distance = alignment->column[i] - alignment->column[i - 1];
        for (int at = 0; at < PARTS_MOST - 1; at++) {
            if (gaps[at] > 0 && distance >= gaps[at]) {
                gaps[at] = HUGE_VAL;
                ret_parts->cuts[cuts++] = (alignment->column[i] + alignment->column[i - 1] + 1) / 2 / columns;
                break;
            }
        }
    }
    ret_parts->count = cuts;
    ret_parts->cuts[cuts] = 1;
}

/* The line while it is weighed. */
struct line {
    const struct gk_reading *reading;
    struct gk_weighing *weighing;
    struct gk_fusion *fusion; /* of the run at hand */
    struct gk_run run;
    const struct gk_letters_choice *letters;          /* in front of the run's digits; NULL: none */
    char groupings[GK_NUMBER_SIZE][GK_GROUPING_SIZE]; /* of the run at hand, by length */
};

/* Fuses the parts from `first` to `last`. */
static void fuse(struct line *line, const struct parts *parts, int first, int last)
{
    const struct gk_reading *reading = line->reading;
    line->fusion->framing_count = reading->framing_count;
    for (int f = 0; f < reading->framing_count; f++) {
        const struct gk_digit_matrix *matrix = &reading->framings[f];
        line->fusion->pictures[f] = reading->pictures[f];
        gk_digit_sheet_make(matrix, (int)(parts->cuts[first] * matrix->columns),
                            (int)(parts->cuts[last + 1] * matrix->columns), &line->fusion->sheets[f]);
    }
    gk_fusion_run(line->fusion);
    memset(line->groupings, 0, sizeof line->groupings);
    for (size_t b = 0; b < line->fusion->base_count; b++) {
        const struct gk_fused_base *base = &line->fusion->bases[b];
        write_grouping(reading, line->fusion->surest, base, line->groupings[base->alignment.length]);
    }
}

/* The same with letters in front, which belong to the first group. */
static void weigh_with_letters(struct line *line, const char *text, double probability)
{
    char number[GK_LETTERS_MOST + GK_NUMBER_SIZE], grouping[GK_GROUPING_SIZE + 8] = "";
    size_t letters = strlen(line->letters->text);
    const char *behind = line->groupings[strlen(text)];
    if (letters + strlen(text) > GK_NUMBER_LONGEST) {
        return;
    }
    (void)snprintf(number, sizeof number, "%s%s", line->letters->text, text);
    if (behind[0] != '\0') {
        char *rest;
        unsigned long first = strtoul(behind, &rest, 10);
        (void)snprintf(grouping, sizeof grouping, "%lu%s", first + letters, rest);
    }
    gk_weighing_add(line->weighing, &line->run, number, grouping, probability * line->letters->probability);
}

static void weigh_text(struct line *line, const char *text, double probability)
{
    if (line->letters != NULL) {
        weigh_with_letters(line, text, probability);
        return;
    }
    gk_weighing_add(line->weighing, &line->run, text, line->groupings[strlen(text)], probability);
}

static void weigh_single_exchanges(struct line *line, const struct gk_fused_base *base)
{
    char text[GK_NUMBER_SIZE];
    memcpy(text, line->fusion->texts[base->text].text, sizeof text);
    for (int place = 0; place < base->alignment.length; place++) {
        char own = text[place];
        for (int i = 0; i < GK_DIGIT_CHARACTERS; i++) {
            text[place] = characters[i];
            if (text[place] != own && !gk_fusion_is_text(line->fusion, text)) {
                weigh_text(line, text, base->probability[place][i]);
            }
        }
        text[place] = own;
    }
}

struct exchange {
    int place, character;
    double ratio; /* of the probability with it to that without */
};

/* The likeliest exchanges of each place; returns how many. */
static int list_exchanges(const struct gk_fused_base *base, const char *text,
                          struct exchange exchanges[GK_NUMBER_LONGEST * PAIR_CHARACTERS])
{
    int count = 0;
    for (int place = 0; place < base->alignment.length; place++) {
        double own = base->probability[place][strchr(characters, text[place]) - characters];
        struct exchange best[PAIR_CHARACTERS] = {{0}};
        for (int i = 0; i < GK_DIGIT_CHARACTERS; i++) {
            struct exchange exchange = {place, i, own > 0 ? base->probability[place][i] / own : 0};
            for (int at = 0; at < PAIR_CHARACTERS && characters[i] != text[place]; at++) {
                if (exchange.ratio > best[at].ratio) {
                    struct exchange moved = best[at];
                    best[at] = exchange;
                    exchange = moved;
                }
            }
        }
        for (int at = 0; at < PAIR_CHARACTERS && best[at].ratio > LEAST_PAIR; at++) {
            exchanges[count++] = best[at];
        }
    }
    return count;
}

/* Returns the probability of those that were weighed. */
static double weigh_double_exchanges(struct line *line, const struct gk_fused_base *base)
{
    struct exchange exchanges[GK_NUMBER_LONGEST * PAIR_CHARACTERS];
    char text[GK_NUMBER_SIZE];
    double total = 0, own = line->fusion->texts[base->text].probability;
    memcpy(text, line->fusion->texts[base->text].text, sizeof text);
    int count = list_exchanges(base, text, exchanges);
    for (int i = 0; i < count; i++) {
        const struct exchange *a = &exchanges[i];
        char own_a = text[a->place];
        text[a->place] = characters[a->character];
        for (int j = i + 1; j < count; j++) {
            const struct exchange *b = &exchanges[j];
            double probability = own * a->ratio * b->ratio;
            if (b->place == a->place || a->ratio * b->ratio < LEAST_PAIR) {
                continue;
            }
            char own_b = text[b->place];
            text[b->place] = characters[b->character];
            if (!gk_fusion_is_text(line->fusion, text)) {
                weigh_text(line, text, probability);
                total += probability;
            }
            text[b->place] = own_b;
        }
        text[a->place] = own_a;
    }
    return total;
}

/* Numbers inside the likeliest text, by the lengths that rules have. They count as forced. */
static void weigh_windows(struct line *line, double alien_factor)
{
    const struct gk_candidate_rules *rules = line->weighing->rules;
    const struct gk_fused_text *best = &line->fusion->texts[0];
    size_t length = strlen(best->text);
    bool wanted[GK_NUMBER_SIZE] = {false};
    for (size_t i = 0; i < rules->issuer_count; i++) {
        for (size_t j = 0; j < rules->issuers[i]->rule_count; j++) {
            const struct guika_rule *rule = &rules->issuers[i]->rules[j];
            for (size_t k = 0; k < rule->length_count; k++) {
                wanted[rule->lengths[k]] = true;
            }
        }
    }
    struct gk_run run = {.best = best->text, .alien_factor = alien_factor * GK_ALIEN_WINDOW};
    for (size_t size = LEAST_WINDOW; size < length && !rules->no_check; size++) {
        for (size_t at = 0; wanted[size] && at + size <= length; at++) {
            char number[GK_NUMBER_SIZE];
            (void)snprintf(number, sizeof number, "%.*s", (int)size, best->text + at);
            gk_weighing_add(line->weighing, &run, number, "", best->probability);
        }
    }
}

/* Weighs the texts of the run at hand, and leaves what was not weighed one by one. */
static void weigh_texts(struct line *line, double unseen[GK_NUMBER_SIZE])
{
    const struct gk_fusion *fusion = line->fusion;
    memcpy(unseen, fusion->unseen, sizeof fusion->unseen);
    for (size_t i = 0; i < fusion->text_count; i++) {
        weigh_text(line, fusion->texts[i].text, fusion->texts[i].probability);
    }
    for (size_t b = 0; b < fusion->base_count; b++) {
        weigh_single_exchanges(line, &fusion->bases[b]);
        double *left = &unseen[fusion->bases[b].alignment.length];
        *left = fmax(0, *left - weigh_double_exchanges(line, &fusion->bases[b]));
    }
}

/* Where rules are off nothing looks like a rule's number by chance. */
static struct gk_run begin_run(const struct line *line, const char *best, double alien_factor)
{
    bool doubted = line->reading->passed_over && !line->weighing->rules->no_check;
    return (struct gk_run){.best = best, .alien_factor = alien_factor * (doubted ? GK_ALIEN_PASSED_OVER : 1)};
}

/* Weighs all that the run at hand may be. */
static void weigh_run(struct line *line, double alien_factor)
{
    const struct gk_fusion *fusion = line->fusion;
    double unseen[GK_NUMBER_SIZE];
    line->run = begin_run(line, fusion->texts[0].text, alien_factor);
    weigh_texts(line, unseen);
    gk_weighing_close_run(line->weighing, &line->run, unseen, fusion->slip);
    weigh_windows(line, line->run.alien_factor);
}

/* Tells what the run at hand was read as. */
static void describe(const struct line *line, struct gk_line_verdict *verdict)
{
    const struct gk_fusion *fusion = line->fusion;
    const struct gk_fused_text *best = &fusion->texts[0];
    memcpy(verdict->best, best->text, sizeof verdict->best);
    memcpy(verdict->grouping, line->groupings[strlen(best->text)], sizeof verdict->grouping);
    memset(verdict->confidence, 0, sizeof verdict->confidence);
    for (size_t b = 0; b < fusion->base_count; b++) {
        const struct gk_fused_base *base = &fusion->bases[b];
        for (int place = 0; place < base->alignment.length && base->text == 0; place++) {
            double total = 0;
            for (int i = 0; i < GK_DIGIT_CHARACTERS; i++) {
                total += base->probability[place][i];
            }
            verdict->confidence[place] = total > 0 ? (float)(best->probability / total) : 0;
        }
    }
}

/* Weighs every run of neighbouring parts but the whole, which is done. */
static void weigh_parts(struct line *line, const struct parts *parts, struct gk_line_verdict *verdict)
{
    double most = verdict->count > 0 ? verdict->candidates[0].probability : 0;
    for (int first = 0; first < parts->count; first++) {
        for (int last = first; last < parts->count; last++) {
            if (last - first + 1 == parts->count) {
                continue;
            }
            fuse(line, parts, first, last);
            if (line->fusion->text_count == 0 || strlen(line->fusion->texts[0].text) < LEAST_RUN) {
                continue;
            }
            weigh_run(line, GK_ALIEN_PART);
            if (verdict->count > 0 && verdict->candidates[0].probability > most) {
                most = verdict->candidates[0].probability;
                describe(line, verdict);
            }
        }
    }
}

/* Weighs the digits behind the letters with each of the letters that may be there. */
static void weigh_lettered(struct line *line, const struct gk_letters *letters,
                           struct gk_line_verdict *verdict)
{
    const struct parts behind = {.count = 1, .cuts = {letters->end, 1}};
    const struct gk_letters_choice *likeliest = &letters->choices[0];
    double unseen[GK_NUMBER_SIZE], beyond[GK_NUMBER_SIZE] = {0}, sum = 0;
    double most = verdict->count > 0 ? verdict->candidates[0].probability : 0;
    char best[GK_NUMBER_SIZE + GK_LETTERS_MOST];
    fuse(line, &behind, 0, 0);
    if (line->fusion->text_count == 0) {
        return;
    }
    for (size_t i = 0; i < letters->count; i++) {
        likeliest =
            letters->choices[i].probability > likeliest->probability ? &letters->choices[i] : likeliest;
    }
    (void)snprintf(best, sizeof best, "%s%s", likeliest->text, line->fusion->texts[0].text);
    line->run = begin_run(line, best, 1);
    for (size_t i = 0; i < letters->count; i++) {
        size_t size = strlen(letters->choices[i].text);
        line->letters = &letters->choices[i];
        weigh_texts(line, unseen);
        sum += letters->choices[i].probability;
        for (size_t length = 0; length + size < GK_NUMBER_SIZE; length++) {
            beyond[length + size] += unseen[length] * letters->choices[i].probability;
        }
    }
    line->letters = NULL;
    gk_weighing_close_run(line->weighing, &line->run, beyond, line->fusion->slip + (1 - sum));
    if (verdict->count > 0 && verdict->candidates[0].probability > most && strlen(best) < GK_NUMBER_SIZE) {
        describe(line, verdict);
        memcpy(verdict->best, best, sizeof verdict->best);
    }
}

void gk_reading_verdict(const struct gk_reading *reading, const struct gk_candidate_rules *rules,
                        struct gk_line_verdict *ret_verdict)
{
    struct gk_fusion fusion;
    struct gk_weighing weighing;
    struct line line = {.reading = reading, .weighing = &weighing, .fusion = &fusion};
    struct parts parts = {.count = 1, .cuts = {0, 1}};
    *ret_verdict = (struct gk_line_verdict){0};
    if (reading->framing_count == 0) {
        return;
    }
    fuse(&line, &parts, 0, 0);
    if (fusion.text_count == 0) {
        return;
    }
    ret_verdict->clarity = fusion.clarity * fmin(1, (double)strlen(fusion.texts[0].text) / LEAST_CLEAR);
    gk_weighing_begin(&weighing, rules, ret_verdict);
    describe(&line, ret_verdict);
    if (fusion.base_count > 0 && reading->row_count == 0) {
        find_parts(&fusion.bases[0].alignment, reading->framings[fusion.surest].columns, &parts);
    }
    bool uneven = parts.count > 1 && line.groupings[strlen(fusion.texts[0].text)][0] == '\0';
    weigh_run(&line, uneven ? GK_ALIEN_APART : 1);
    if (parts.count > 1) {
        weigh_parts(&line, &parts, ret_verdict);
    }
    if (reading->letters.count > 0) {
        weigh_lettered(&line, &reading->letters, ret_verdict);
    }
    gk_weighing_end(&weighing);
    if (ret_verdict->clarity >= CLEAR) {
        gk_weighing_explain(&weighing, ret_verdict->best);
    }
}

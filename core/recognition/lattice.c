#include "core/recognition/lattice.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/*
 * How often Tesseract is taken to be wrong about a digit at a confidence; piecewise linear between these
 * points. Estimated with a margin, not fitted: Tesseract gives nearly every digit of clean print 98 to 100.
 * What supports it: of 260 minted flat cards (guika-mint
 * --print flat, seeds 77 and 78) none was accepted wrongly.
 */
static const struct {
    double confidence, error;
} error_points[] = {{0, 0.9},   {60, 0.6},   {80, 0.3},   {90, 0.1},
                    {95, 0.03}, {98, 0.008}, {99, 0.004}, {100, 0.002}};

/* With one reading, the chance that a character was lost or made up; agreement divides it. Estimated
 * likewise. */
#define SLIP_OF_ONE 0.02
#define SLIP_AGREED 0.1   /* of the former, for each reading more that agrees */
#define SLIP_DISPUTED 8.0 /* times the former, for each that has another number of characters */
/* Two framings of one strip err together more often than independent readings would. */
#define SECOND_OPINION 0.6

static double error_at(double confidence)
{
    size_t last = sizeof error_points / sizeof *error_points - 1;
    for (size_t i = 1; i <= last; i++) {
        if (confidence <= error_points[i].confidence) {
            double span = error_points[i].confidence - error_points[i - 1].confidence;
            double t = fmax(0, confidence - error_points[i - 1].confidence) / span;
            return error_points[i - 1].error + t * (error_points[i].error - error_points[i - 1].error);
        }
    }
    return error_points[last].error;
}

/* The place in `share` of the digit that the character is or looks like; -1: neither. */
static int digit_of(char character)
{
    static const char looks[] = "O0o0Q0D0I1l1|1i1!1Z2z2S5s5$5G6b6T7B8g9q9A4";
    if (isdigit((unsigned char)character)) {
        return character - '0';
    }
    for (const char *at = looks; *at != '\0'; at += 2) {
        if (*at == character) {
            return at[1] - '0';
        }
    }
    return character == 'X' || character == 'x' ? 10 : -1;
}

static void fill_place(const struct gk_text_symbol *symbol, struct gk_lattice_place *place)
{
    double error = error_at(symbol->confidence), weights[GK_LATTICE_CHARACTERS] = {0}, total = 0;
    int best = digit_of(symbol->choices[0].character);
    bool is_digit = isdigit((unsigned char)symbol->choices[0].character) || best == 10;
    error = is_digit ? error : fmax(error, 0.1);
    for (int i = 1; i < symbol->choice_count; i++) {
        int digit = digit_of(symbol->choices[i].character);
        if (digit >= 0 && digit != best && weights[digit] == 0) {
            weights[digit] = symbol->choices[i].share + 0.02;
            total += weights[digit];
        }
    }
    for (int digit = 0; digit < GK_LATTICE_CHARACTERS; digit++) {
        /* A fifth of the doubt goes to what Tesseract did not even list. */
        double listed = total > 0 ? 0.8 * weights[digit] / total : 0;
        double unlisted = digit == best ? 0 : (total > 0 ? 0.2 : 1.0) / (GK_LATTICE_CHARACTERS - 1);
        place->share[digit] = digit == best ? 1 - error : error * (listed + unlisted);
    }
}

enum part { PART_DIGIT, PART_LIKE_DIGIT, PART_OPEN, PART_CLOSE, PART_SEPARATOR, PART_OTHER };

static enum part part_of(char character)
{
    if (isdigit((unsigned char)character)) {
        return PART_DIGIT;
    }
    if (strchr("([{", character) != NULL) {
        return PART_OPEN;
    }
    if (strchr(")]}", character) != NULL) {
        return PART_CLOSE;
    }
    if (strchr("-.,'`~_:;", character) != NULL) {
        return PART_SEPARATOR;
    }
    return digit_of(character) >= 0 ? PART_LIKE_DIGIT : PART_OTHER;
}

struct group_writer {
    char *text;
    size_t size, used;
    int group; /* digits of the group at hand */
};

static void end_group(struct group_writer *writer, const char *bracket)
{
    bool joined = writer->used == 0 || writer->text[writer->used - 1] == '(';
    if (writer->group > 0 && writer->used + 8 < writer->size) {
        writer->used += (size_t)snprintf(writer->text + writer->used, writer->size - writer->used, "%s%d%s",
                                         joined ? "" : "-", writer->group, bracket);
        writer->group = 0;
    }
}

/* Writes the groups of symbols [first, last) as "4-4-4-4" or "9(1)". Tesseract often loses one bracket of a
 * pair: one alone stands for both around the last digit. */
static void write_grouping(const struct gk_text_line *line, int first, int last, char *grouping, size_t size)
{
    struct group_writer writer = {.text = grouping, .size = size};
    bool open = false;
    grouping[0] = '\0';
    for (int i = first; i < last; i++) {
        enum part part = part_of(line->symbols[i].choices[0].character);
        if (part == PART_DIGIT || part == PART_LIKE_DIGIT) {
            if (line->symbols[i].starts_word) {
                end_group(&writer, "");
            }
            writer.group++;
        } else if (part == PART_OPEN && !open) {
            open = true;
            end_group(&writer, "(");
        } else if (part == PART_CLOSE && !open && writer.group > 1) {
            writer.group--;
            end_group(&writer, "(");
            writer.group = 1;
            end_group(&writer, ")");
        } else {
            end_group(&writer, open ? ")" : "");
            open = false;
        }
    }
    end_group(&writer, open ? ")" : "");
}

static bool make_run(const struct gk_text_line *line, int first, int last, int least,
                     struct gk_lattice *ret_run)
{
    struct gk_lattice run = {.slip = SLIP_OF_ONE, .readings = 1};
    int digits = 0;
    for (int i = first; i < last; i++) {
        const struct gk_text_symbol *symbol = &line->symbols[i];
        enum part part = part_of(symbol->choices[0].character);
        if (part != PART_DIGIT && part != PART_LIKE_DIGIT) {
            continue;
        }
        if (run.count == GK_NUMBER_LONGEST) {
            return false;
        }
        digits += part == PART_DIGIT;
        run.mean_confidence += symbol->confidence;
        fill_place(symbol, &run.places[run.count++]);
    }
    if (digits < least || digits * 4 < run.count * 3) {
        return false;
    }
    run.mean_confidence /= run.count;
    write_grouping(line, first, last, run.grouping, sizeof run.grouping);
    *ret_run = run;
    return true;
}

/* Letters at the ends of a run are words or the card's edge, but an X may end a number. */
static void trim(const struct gk_text_line *line, int *first, int *last)
{
    while (*first < *last && part_of(line->symbols[*first].choices[0].character) != PART_DIGIT) {
        (*first)++;
    }
    while (*last > *first) {
        char character = line->symbols[*last - 1].choices[0].character;
        enum part part = part_of(character);
        bool is_x = character == 'X' && *last - *first > 8;
        bool closes = part == PART_CLOSE && *last - *first > 2;
        if (part == PART_DIGIT || is_x || closes) {
            return;
        }
        (*last)--;
    }
}

size_t gk_lattice_from_text(const struct gk_text_line *line, int least,
                            struct gk_lattice ret_runs[GK_LATTICE_RUNS_MOST])
{
    size_t count = 0;
    for (int start = 0; start < line->count;) {
        int end = start;
        while (end < line->count && part_of(line->symbols[end].choices[0].character) != PART_OTHER) {
            end++;
        }
        int first = start, last = end;
        trim(line, &first, &last);
        if (count < GK_LATTICE_RUNS_MOST && make_run(line, first, last, least, &ret_runs[count])) {
            count++;
        }
        start = end + 1;
    }
    return count;
}

/* Multiplies `other` in, which has as many characters. */
static void merge(struct gk_lattice *lattice, const struct gk_lattice *other)
{
    for (int i = 0; i < lattice->count; i++) {
        double *shares = lattice->places[i].share, total = 0;
        for (int digit = 0; digit < GK_LATTICE_CHARACTERS; digit++) {
            shares[digit] *= pow(fmax(other->places[i].share[digit], 1e-6), SECOND_OPINION);
            total += shares[digit];
        }
        for (int digit = 0; digit < GK_LATTICE_CHARACTERS; digit++) {
            shares[digit] /= total;
        }
    }
    lattice->slip *= SLIP_AGREED;
    lattice->readings++;
    /* Readings lose spaces and brackets more often than they invent them. */
    bool bracket_only_there = strchr(other->grouping, '(') != NULL && strchr(lattice->grouping, '(') == NULL;
    if (bracket_only_there || strlen(other->grouping) > strlen(lattice->grouping)) {
        memcpy(lattice->grouping, other->grouping, sizeof lattice->grouping);
    }
    lattice->mean_confidence = fmin(lattice->mean_confidence, other->mean_confidence);
}

/* The first of those readings whose number of characters most share; of two such numbers the more confident
 * one. */
static size_t choose_length(const struct gk_lattice *readings, size_t count)
{
    size_t best = 0;
    double best_weight = -1;
    for (size_t i = 0; i < count; i++) {
        double weight = readings[i].mean_confidence / 1000;
        for (size_t j = 0; j < count; j++) {
            weight += readings[j].count == readings[i].count;
        }
        if (weight > best_weight) {
            best = i;
            best_weight = weight;
        }
    }
    return best;
}

bool gk_lattice_vote(const struct gk_lattice *readings, size_t count, struct gk_lattice *ret_lattice)
{
    assert(count > 0);
    size_t chosen = choose_length(readings, count);
    struct gk_lattice lattice = readings[chosen];
    bool agreed = true;
    for (size_t i = 0; i < count; i++) {
        if (i != chosen && readings[i].count == lattice.count) {
            merge(&lattice, &readings[i]);
        } else if (i != chosen) {
            lattice.slip *= SLIP_DISPUTED;
            agreed = false;
        }
    }
    lattice.slip = fmin(lattice.slip, 0.5);
    *ret_lattice = lattice;
    return agreed;
}

double gk_lattice_best(const struct gk_lattice *lattice, char ret_number[GK_NUMBER_SIZE])
{
    double probability = 1;
    for (int i = 0; i < lattice->count; i++) {
        int best = 0;
        for (int digit = 1; digit < GK_LATTICE_CHARACTERS; digit++) {
            best = lattice->places[i].share[digit] > lattice->places[i].share[best] ? digit : best;
        }
        ret_number[i] = "0123456789X"[best];
        probability *= lattice->places[i].share[best];
    }
    ret_number[lattice->count] = '\0';
    return probability;
}

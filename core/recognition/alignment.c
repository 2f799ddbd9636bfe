/*
 * A given text on a sheet: the forward and backward sums of connectionist temporal classification (Graves et
 * al. 2006, section 4.1). A text of L characters has 2 L + 1 states: blank, first character, blank, second
 * character, ..., blank. Each row stays in its state, goes on to the next one, or skips the blank between two
 * different characters.
 *
 * `forward` of a row and state sums all paths that are there, up to that row; `backward` all that go on from
 * there, after it. Both are rescaled row by row; the logarithms of the scales are kept.
 *
 * Exchanging one character changes one state alone. So the paths of the text with that character exchanged
 * are: forward sums up to the state, its own new column of sums, backward sums from where they leave it. That
 * makes all 10 L exchanges as cheap as a few texts.
 */
#include "core/recognition/decoder.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STATES_MOST (2 * GK_NUMBER_LONGEST + 1)
/* A text less likely than this (natural logarithm) cannot be: the sums of an alignment would overflow. */
#define LEAST_LOG_PROBABILITY (-300.0)

struct text {
    int length, states;
    int class_of[STATES_MOST + 2]; /* by state; two more at the end for those who look ahead */
};

static bool make_text(const char *string, struct text *ret_text)
{
    static const char characters[] = "0123456789X";
    size_t length = strnlen(string, GK_NUMBER_SIZE);
    assert(length <= GK_NUMBER_LONGEST);
    *ret_text = (struct text){.length = (int)length, .states = 2 * (int)length + 1};
    for (size_t i = 0; i < length; i++) {
        const char *at = strchr(characters, string[i]);
        if (at == NULL) {
            return false;
        }
        ret_text->class_of[2 * i + 1] = (int)(at - characters) + 1;
    }
    return true;
}

/* May a path go from the state two before straight into this one? */
static bool may_skip(const struct text *text, int state)
{
    return state >= 2 && text->class_of[state] != 0 && text->class_of[state] != text->class_of[state - 2];
}

/* One row of forward sums from the one before (NULL: the first row); returns the logarithm of its scale. */
static double go_forward(const struct text *text, const double *share, const double *before, double *sums)
{
    double most = 0;
    for (int state = 0; state < text->states; state++) {
        double sum = 0;
        if (before == NULL) {
            sum = state < 2;
        } else {
            sum = before[state] + (state > 0 ? before[state - 1] : 0) +
                  (may_skip(text, state) ? before[state - 2] : 0);
        }
        sums[state] = sum * share[text->class_of[state]];
        most = fmax(most, sums[state]);
    }
    for (int state = 0; state < text->states && most > 0; state++) {
        sums[state] /= most;
    }
    return most > 0 ? log(most) : -HUGE_VAL;
}

static double final_sum(const struct text *text, const double *sums)
{
    return sums[text->states - 1] + (text->states > 1 ? sums[text->states - 2] : 0);
}

double gk_decoder_score(const struct gk_digit_sheet *sheet, const char *string)
{
    struct text text;
    double rows[2][STATES_MOST] = {{0}}, log_scale = 0;
    if (!make_text(string, &text)) {
        return -HUGE_VAL;
    }
    if (sheet->count == 0) {
        return text.length == 0 ? 0 : -HUGE_VAL;
    }
    for (int row = 0; row < sheet->count; row++) {
        log_scale +=
            go_forward(&text, sheet->share[row], row == 0 ? NULL : rows[(row - 1) % 2], rows[row % 2]);
        if (!isfinite(log_scale)) {
            return -HUGE_VAL;
        }
    }
    double sum = final_sum(&text, rows[(sheet->count - 1) % 2]);
    return sum > 0 ? log(sum) + log_scale : -HUGE_VAL;
}

/* Paths by the number of characters so far, and by the class that they end in. No text is given, so that a
 * path ends in any class. */
void gk_decoder_lengths(const struct gk_digit_sheet *sheet, double ret_share[GK_NUMBER_SIZE])
{
    double paths[GK_NUMBER_SIZE][GK_DIGIT_CLASSES] = {{1}};
    int most = 0; /* characters so far */
    for (int row = 0; row < sheet->count; row++) {
        const double *share = sheet->share[row];
        most = most < GK_NUMBER_LONGEST ? most + 1 : most;
        for (int length = most; length >= 0; length--) {
            double all = 0, all_shorter = 0;
            for (int class = 0; class < GK_DIGIT_CLASSES; class ++) {
                all += paths[length][class];
                all_shorter += length > 0 ? paths[length - 1][class] : 0;
            }
            for (int class = 1; class < GK_DIGIT_CLASSES; class ++) {
                double started = length > 0 ? all_shorter - paths[length - 1][class] : 0;
                paths[length][class] = share[class] * (paths[length][class] + started);
            }
            paths[length][0] = share[0] * all;
        }
    }
    for (int length = 0; length < GK_NUMBER_SIZE; length++) {
        ret_share[length] = 0;
        for (int class = 0; class < GK_DIGIT_CLASSES; class ++) {
            ret_share[length] += paths[length][class];
        }
    }
}

struct sums {
    double forward[GK_DIGIT_COLUMNS_MOST][STATES_MOST], backward[GK_DIGIT_COLUMNS_MOST][STATES_MOST];
    double forward_scale[GK_DIGIT_COLUMNS_MOST]; /* logarithm of what a row's sums are to be multiplied by */
    double backward_scale[GK_DIGIT_COLUMNS_MOST];
    /* What forward times backward of a row is to be multiplied by, relative to the text's probability. */
    double factor[GK_DIGIT_COLUMNS_MOST];
    /* From the forward scale of the row before, and from the backward scale of the row after, to this row's.
     */
    double forward_step[GK_DIGIT_COLUMNS_MOST], backward_step[GK_DIGIT_COLUMNS_MOST];
};

static void sum_backward(const struct gk_digit_sheet *sheet, const struct text *text, struct sums *sums)
{
    int last = sheet->count - 1;
    for (int state = 0; state < text->states; state++) {
        sums->backward[last][state] = state >= text->states - 2;
    }
    sums->backward_scale[last] = 0;
    for (int row = last - 1; row >= 0; row--) {
        const double *share = sheet->share[row + 1], *after = sums->backward[row + 1];
        double most = 0;
        for (int state = 0; state < text->states; state++) {
            double sum = after[state] * share[text->class_of[state]];
            if (state + 1 < text->states) {
                sum += after[state + 1] * share[text->class_of[state + 1]];
            }
            if (state + 2 < text->states && may_skip(text, state + 2)) {
                sum += after[state + 2] * share[text->class_of[state + 2]];
            }
            sums->backward[row][state] = sum;
            most = fmax(most, sum);
        }
        for (int state = 0; state < text->states && most > 0; state++) {
            sums->backward[row][state] /= most;
        }
        sums->backward_scale[row] = sums->backward_scale[row + 1] + (most > 0 ? log(most) : -HUGE_VAL);
    }
}

/* Where the text cannot be, false. */
static bool sum_both_ways(const struct gk_digit_sheet *sheet, const struct text *text, struct sums *sums,
                          double *ret_log_probability)
{
    double log_scale = 0;
    for (int row = 0; row < sheet->count; row++) {
        log_scale +=
            go_forward(text, sheet->share[row], row == 0 ? NULL : sums->forward[row - 1], sums->forward[row]);
        if (!(log_scale > LEAST_LOG_PROBABILITY)) {
            return false;
        }
        sums->forward_scale[row] = log_scale;
    }
    double sum = sheet->count > 0 ? final_sum(text, sums->forward[sheet->count - 1]) : 0;
    double log_probability = sum > 0 ? log(sum) + log_scale : -HUGE_VAL;
    if (!(log_probability > LEAST_LOG_PROBABILITY)) {
        return false;
    }
    sum_backward(sheet, text, sums);
    for (int row = 0; row < sheet->count; row++) {
        sums->factor[row] = exp(sums->forward_scale[row] + sums->backward_scale[row] - log_probability);
        sums->forward_step[row] =
            exp((row > 0 ? sums->forward_scale[row - 1] : 0) - sums->forward_scale[row]);
        sums->backward_step[row] =
            row + 1 < sheet->count ? exp(sums->backward_scale[row + 1] - sums->backward_scale[row]) : 0;
    }
    *ret_log_probability = log_probability;
    return true;
}

/* Sum over all paths with `class` in place of the character of `state`, relative to the text's. */
static double exchange(const struct gk_digit_sheet *sheet, const struct text *text, const struct sums *sums,
                       int state, int class)
{
    int before = state >= 2 ? text->class_of[state - 2] : 0;
    int after = state + 2 < text->states ? text->class_of[state + 2] : 0;
    double inside = 0, total = 0; /* `inside` on the scale of the row's forward sums */
    for (int row = 0; row < sheet->count; row++) {
        double enter = state == 1 ? 1 : 0;
        if (row > 0) {
            const double *forward = sums->forward[row - 1];
            enter = inside + forward[state - 1] + (before != 0 && before != class ? forward[state - 2] : 0);
        }
        inside = enter * sums->forward_step[row] * sheet->share[row][class];
        if (row + 1 == sheet->count) {
            total += state == text->states - 2 ? inside * sums->factor[row] : 0;
            continue;
        }
        /* Leave into the blank behind, or straight into the next character. */
        const double *backward = sums->backward[row + 1], *share = sheet->share[row + 1];
        double leave = backward[state + 1] * share[0] +
                       (after != 0 && after != class ? backward[state + 2] * share[after] : 0);
        total += inside * leave * sums->factor[row] * sums->backward_step[row];
    }
    return total;
}

bool gk_decoder_align(const struct gk_digit_sheet *sheet, const char *string,
                      struct gk_alignment *ret_alignment)
{
    struct text text;
    struct sums sums = {.factor = {0}};
    struct gk_alignment alignment = {.length = 0};
    if (!make_text(string, &text) || text.length == 0 ||
        !sum_both_ways(sheet, &text, &sums, &alignment.log_probability)) {
        return false;
    }
    alignment.length = text.length;
    for (int i = 0; i < text.length; i++) {
        int state = 2 * i + 1;
        double occupied = 0, moment = 0;
        for (int row = 0; row < sheet->count; row++) {
            double there = sums.forward[row][state] * sums.backward[row][state] * sums.factor[row];
            occupied += there;
            moment += there * sheet->column[row];
        }
        alignment.column[i] = moment / occupied;
        for (int character = 0; character < GK_DIGIT_CHARACTERS; character++) {
            alignment.ratio[i][character] = text.class_of[state] == character + 1
                                                ? 1
                                                : exchange(sheet, &text, &sums, state, character + 1);
        }
    }
    *ret_alignment = alignment;
    return true;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double gk_median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare_doubles);
    return count > 0 ? values[count / 2] : 0;
}

double gk_alignment_pitch(const struct gk_alignment *alignment)
{
    double distances[GK_NUMBER_LONGEST];
    int count = 0;
    for (int i = 1; i < alignment->length; i++) {
        distances[count++] = alignment->column[i] - alignment->column[i - 1];
    }
    return gk_median(distances, count);
}

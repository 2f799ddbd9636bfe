/*
 * A given text on a sheet: the forward and backward sums of connectionist temporal classification (Graves et
 * al. 2006, section 4.1). A text of L characters has 2 L + 1 states: blank, first character, blank, second
 * character, ..., blank. Each row stays in its state, goes on to the next one, or skips the blank between two
 * different characters.
 *
 * `forward` of a row and state sums all paths that are there, up to that row; `backward` all that go on from
 * there, after it. Both are plain probabilities, 0 to 1: a text so unlikely that they would leave the range
 * of a double is taken to be impossible, and nothing has to be rescaled.
 *
 * A text that begins and ends as another one shares its forward sums where they begin alike, and its backward
 * sums where they end alike. So its paths are: forward sums up to where they part, columns of its own for the
 * characters in between, backward sums from where they meet. Exchanging one character is the shortest such
 * way; that makes all 10 L exchanges as cheap as a few texts.
 */
#include "core/recognition/decoder.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A text less likely than this (natural logarithm) cannot be. */
#define LEAST_LOG_PROBABILITY (-300.0)
/* Sums below this are 0. Far below the least text, and far above where arithmetic grows slow. */
#define LEAST_SUM 1e-250
/* With more characters in between than this, a text is summed by itself: that takes no longer. */
#define BETWEEN_MOST 5

/* Classes by character. Returns how many; -1: there is one that is none of the net's. */
static int classes_of(const char *string, int ret_classes[GK_NUMBER_SIZE])
{
    int length = 0;
    for (; string[length] != '\0'; length++) {
        assert(length < GK_NUMBER_LONGEST);
        char character = string[length];
        if (character != 'X' && (character < '0' || character > '9')) {
            return -1;
        }
        ret_classes[length] = character == 'X' ? GK_DIGIT_CLASSES - 1 : character - '0' + 1;
    }
    return length;
}

/* May a path go straight from one character into the next? */
static void find_skips(const int *classes, int length, double ret_skip[GK_NUMBER_SIZE])
{
    memset(ret_skip, 0, GK_NUMBER_SIZE * sizeof *ret_skip);
    for (int i = 1; i < length; i++) {
        ret_skip[i] = classes[i] != classes[i - 1];
    }
}

/* The row's share of every character; 0 behind the last. */
static void gather(const double *share, const int *classes, int length, double ret_shares[GK_NUMBER_SIZE])
{
    for (int i = 0; i < length; i++) {
        ret_shares[i] = share[classes[i]];
    }
    ret_shares[length] = 0;
}

/* One row of forward sums from the one before. */
static void go_forward(int length, const double *restrict skip, double blank, const double *restrict shares,
                       const struct gk_path_sums *restrict before, struct gk_path_sums *restrict ret_sums)
{
    const double *last = before->character, *own = before->character + 1;
    ret_sums->character[0] = 0;
    for (int i = 0; i <= length; i++) {
        double in_blank = (before->blank[i] + last[i]) * blank;
        double in_character = (own[i] + before->blank[i] + skip[i] * last[i]) * shares[i];
        ret_sums->blank[i] = in_blank > LEAST_SUM ? in_blank : 0;
        ret_sums->character[i + 1] = in_character > LEAST_SUM ? in_character : 0;
    }
}

/* One row of backward sums from the one after, with that row's shares. */
static void go_backward(int length, const double *restrict skip, double blank, const double *restrict shares,
                        const struct gk_path_sums *restrict after, struct gk_path_sums *restrict ret_sums)
{
    double to_blank[GK_NUMBER_SIZE + 1], to_character[GK_NUMBER_SIZE + 1], skipped[GK_NUMBER_SIZE + 1];
    for (int i = 0; i <= length; i++) {
        to_blank[i] = after->blank[i] * blank;
        to_character[i] = after->character[i + 1] * shares[i];
        skipped[i] = skip[i] * to_character[i];
    }
    to_blank[length + 1] = skipped[length + 1] = 0;
    ret_sums->character[0] = 0;
    for (int i = 0; i <= length; i++) {
        double from_blank = to_blank[i] + to_character[i];
        double from_character = to_character[i] + to_blank[i + 1] + skipped[i + 1];
        ret_sums->blank[i] = from_blank > LEAST_SUM ? from_blank : 0;
        ret_sums->character[i + 1] = from_character > LEAST_SUM ? from_character : 0;
    }
}

/* Behind the last row; of a text of no characters there is the blank alone. */
static double final_sum(const struct gk_path_sums *sums, int length)
{
    return sums->blank[length] + sums->character[length];
}

double gk_decoder_score(const struct gk_digit_sheet *sheet, const char *text)
{
    int classes[GK_NUMBER_SIZE], length = classes_of(text, classes);
    double skip[GK_NUMBER_SIZE], shares[GK_NUMBER_SIZE];
    struct gk_path_sums rows[2] = {{.blank = {1}}};
    if (length < 0) {
        return -HUGE_VAL;
    }
    find_skips(classes, length, skip);
    for (int row = 0; row < sheet->count; row++) {
        const double *share = sheet->share[row];
        gather(share, classes, length, shares);
        go_forward(length, skip, share[0], shares, &rows[row % 2], &rows[1 - row % 2]);
    }
    double sum = final_sum(&rows[sheet->count % 2], length);
    return sum > 0 ? log(sum) : -HUGE_VAL;
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

bool gk_decoder_follow(const struct gk_digit_sheet *sheet, const char *text, struct gk_paths *ret_paths)
{
    double skip[GK_NUMBER_SIZE], shares[GK_NUMBER_SIZE];
    const int length = classes_of(text, ret_paths->classes), last = sheet->count - 1;
    if (length <= 0 || sheet->count == 0) {
        return false;
    }
    ret_paths->sheet = sheet;
    ret_paths->length = length;
    find_skips(ret_paths->classes, length, skip);
    ret_paths->forward[0] = (struct gk_path_sums){.blank = {1}};
    for (int row = 0; row <= last; row++) {
        gather(sheet->share[row], ret_paths->classes, length, shares);
        go_forward(length, skip, sheet->share[row][0], shares, &ret_paths->forward[row],
                   &ret_paths->forward[row + 1]);
    }
    ret_paths->probability = final_sum(&ret_paths->forward[sheet->count], length);
    if (!(ret_paths->probability > 0 && log(ret_paths->probability) > LEAST_LOG_PROBABILITY)) {
        return false;
    }
    ret_paths->backward[last] = (struct gk_path_sums){.blank = {0}};
    ret_paths->backward[last].blank[length] = ret_paths->backward[last].character[length] = 1;
    for (int row = last; row > 0; row--) {
        gather(sheet->share[row], ret_paths->classes, length, shares);
        go_backward(length, skip, sheet->share[row][0], shares, &ret_paths->backward[row],
                    &ret_paths->backward[row - 1]);
    }
    return true;
}

/* Sum over all paths of a text that lacks what the paths' text has between its first `begin` and its last
 * `end` characters. */
static double leave_out(const struct gk_paths *paths, int begin, int end)
{
    const struct gk_digit_sheet *sheet = paths->sheet;
    const int next = paths->length - end; /* the character behind the gap */
    double total = 0;
    if (end == 0) {
        return final_sum(&paths->forward[sheet->count], begin);
    }
    const int class = paths->classes[next];
    const double skip = begin > 0 && paths->classes[begin - 1] != class;
    for (int row = 0; row < sheet->count; row++) {
        const struct gk_path_sums *before = &paths->forward[row];
        double enter = before->blank[begin] + skip * before->character[begin];
        total += enter * sheet->share[row][class] * paths->backward[row].character[next + 1];
    }
    return total;
}

/* The same with `count` other characters there, at least one. */
static double put_in(const struct gk_paths *paths, int begin, int end, const int *classes, int count)
{
    const struct gk_digit_sheet *sheet = paths->sheet;
    const int next = paths->length - end, behind = end > 0 ? paths->classes[next] : 0;
    const double enter_skip = begin > 0 && paths->classes[begin - 1] != classes[0];
    const double leave_skip = end > 0 && behind != classes[count - 1];
    double in_blank[GK_NUMBER_SIZE] = {0}, in_character[GK_NUMBER_SIZE] = {0}, total = 0;
    for (int row = 0; row < sheet->count; row++) {
        const struct gk_path_sums *before = &paths->forward[row];
        const double *share = sheet->share[row];
        for (int i = count - 1; i >= 0; i--) {
            double enter = i == 0
                               ? before->blank[begin] + enter_skip * before->character[begin]
                               : in_blank[i - 1] + (classes[i] != classes[i - 1] ? in_character[i - 1] : 0);
            in_blank[i] = (in_blank[i] + in_character[i]) * share[0];
            in_character[i] = (in_character[i] + enter) * share[classes[i]];
        }
        double leave = end == 0;
        if (row + 1 < sheet->count) {
            const struct gk_path_sums *after = &paths->backward[row + 1];
            const double *next_share = sheet->share[row + 1];
            leave = after->blank[next] * next_share[0] +
                    leave_skip * after->character[next + 1] * next_share[behind];
        }
        total += in_character[count - 1] * leave;
    }
    return total;
}

double gk_decoder_score_beside(const struct gk_paths *paths, const char *text)
{
    int classes[GK_NUMBER_SIZE], length = classes_of(text, classes), begin = 0, end = 0;
    if (length < 0) {
        return -HUGE_VAL;
    }
    const int most = length < paths->length ? length : paths->length;
    while (begin < most && classes[begin] == paths->classes[begin]) {
        begin++;
    }
    while (begin + end < most && classes[length - 1 - end] == paths->classes[paths->length - 1 - end]) {
        end++;
    }
    const int between = length - begin - end;
    if (between > BETWEEN_MOST) {
        return gk_decoder_score(paths->sheet, text);
    }
    double sum =
        between == 0 ? leave_out(paths, begin, end) : put_in(paths, begin, end, classes + begin, between);
    return sum > 0 ? log(sum) : -HUGE_VAL;
}

/* Sums over all paths with another class in place of a character, by class. */
static void exchange(const struct gk_paths *paths, int place, double ret_sums[GK_DIGIT_CLASSES])
{
    const struct gk_digit_sheet *sheet = paths->sheet;
    const int before = place > 0 ? paths->classes[place - 1] : 0;
    const int behind = place + 1 < paths->length ? paths->classes[place + 1] : 0;
    double inside[GK_DIGIT_CLASSES] = {0}, enter_skip[GK_DIGIT_CLASSES], leave_skip[GK_DIGIT_CLASSES];
    for (int class = 0; class < GK_DIGIT_CLASSES; class ++) {
        ret_sums[class] = 0;
        enter_skip[class] = before != 0 && class != before;
        leave_skip[class] = behind != 0 && class != behind;
    }
    for (int row = 0; row < sheet->count; row++) {
        const struct gk_path_sums *forward = &paths->forward[row];
        const double *share = sheet->share[row];
        double straight = behind == 0, skipped = 0;
        if (row + 1 < sheet->count) {
            const struct gk_path_sums *after = &paths->backward[row + 1];
            straight = after->blank[place + 1] * sheet->share[row + 1][0];
            skipped = after->character[place + 2] * sheet->share[row + 1][behind];
        }
        for (int class = 0; class < GK_DIGIT_CLASSES; class ++) {
            double enter =
                inside[class] + forward->blank[place] + enter_skip[class] * forward->character[place];
            inside[class] = enter * share[class];
            ret_sums[class] += inside[class] * (straight + leave_skip[class] * skipped);
        }
    }
}

/* The mean column of each character, over all paths. */
static void find_columns(const struct gk_paths *paths, double ret_columns[GK_NUMBER_LONGEST])
{
    double occupied[GK_NUMBER_LONGEST] = {0}, moment[GK_NUMBER_LONGEST] = {0};
    for (int row = 0; row < paths->sheet->count; row++) {
        const double *forward = paths->forward[row + 1].character + 1;
        const double *backward = paths->backward[row].character + 1;
        for (int i = 0; i < paths->length; i++) {
            double there = forward[i] * backward[i];
            occupied[i] += there;
            moment[i] += there * paths->sheet->column[row];
        }
    }
    for (int i = 0; i < paths->length; i++) {
        ret_columns[i] = moment[i] / occupied[i];
    }
}

void gk_decoder_align(const struct gk_paths *paths, struct gk_alignment *ret_alignment)
{
    *ret_alignment =
        (struct gk_alignment){.length = paths->length, .log_probability = log(paths->probability)};
    find_columns(paths, ret_alignment->column);
    for (int i = 0; i < paths->length; i++) {
        double sums[GK_DIGIT_CLASSES];
        exchange(paths, i, sums);
        for (int character = 0; character < GK_DIGIT_CHARACTERS; character++) {
            bool own = paths->classes[i] == character + 1;
            ret_alignment->ratio[i][character] = own ? 1 : sums[character + 1] / paths->probability;
        }
    }
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

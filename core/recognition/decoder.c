/*
 * Prefix beam search (Hannun et al. 2014, "First-Pass Large Vocabulary Continuous Speech Recognition using
 * Bi-Directional Recurrent DNNs", algorithm 1; no language model).
 *
 * A path names a class for every row of the sheet; its string is what remains when repeated classes are
 * merged and blanks dropped. The probability of a string is the sum over its paths. The search goes along the
 * rows and keeps the BEAM likeliest beginnings, each with the probability of its paths that end in a blank
 * and of those that end in its last character: only after a blank may the same character follow once more.
 *
 * Probabilities are plain numbers, rescaled after every row so that the likeliest beginning has 1; the
 * scales' logarithms are added up. That saves a logarithm and an exponential an addition.
 */
#include "core/recognition/decoder.h"

#include "core/recognition/calibration.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BEAM GK_DECODED_MOST
/* Beginnings and single steps less likely than this beside the best one are dropped. */
#define LEAST_SHARE 1e-7
/* What is left out of a result. */
#define LEAST_RESULT 1e-6
/* A column this surely blank is nothing else. 192 of them lose less than 0.2 per cent. */
#define SURELY_BLANK (1 - 1e-5)

static const char characters[] = "0123456789X";

/* Shares of one column, tempered. */
static void temper(const float log_probability[GK_DIGIT_CLASSES], double ret_share[GK_DIGIT_CLASSES])
{
    double most = -HUGE_VAL, total = 0;
    for (int i = 0; i < GK_DIGIT_CLASSES; i++) {
        double value = (double)log_probability[i];
        most = isfinite(value) && value > most ? value : most;
    }
    for (int i = 0; i < GK_DIGIT_CLASSES; i++) {
        double value = (double)log_probability[i];
        ret_share[i] = isfinite(value) ? exp((value - most) / GK_TEMPERATURE) : 0;
        total += ret_share[i];
    }
    for (int i = 0; i < GK_DIGIT_CLASSES; i++) {
        ret_share[i] = total > 0 ? ret_share[i] / total : i == 0;
    }
}

void gk_digit_sheet_make(const struct gk_digit_matrix *matrix, int first, int end,
                         struct gk_digit_sheet *ret_sheet)
{
    assert(0 <= first && first <= end && end <= matrix->columns && matrix->columns <= GK_DIGIT_COLUMNS_MOST);
    int count = 0, blank_from = -1;
    for (int column = first; column < end; column++) {
        double *share = ret_sheet->share[count];
        temper(matrix->log_probability[column], share);
        bool blank = share[0] >= SURELY_BLANK;
        if (blank && blank_from >= 0) {
            ret_sheet->column[count - 1] = (blank_from + column) / 2.0;
            continue;
        }
        if (blank) {
            memset(share, 0, sizeof ret_sheet->share[count]);
            share[0] = 1;
        }
        blank_from = blank ? column : -1;
        ret_sheet->column[count++] = column;
    }
    ret_sheet->count = count;
}

/* A beginning of a string. */
struct beginning {
    char text[GK_NUMBER_SIZE];
    int length;
    uint64_t hash;
    double in_blank, in_character; /* of the paths that end so */
};

/* What the beginnings of one row may become: a beginning of theirs, and a character more or none. */
struct successor {
    uint64_t hash;
    const struct beginning *from;
    int added; /* class; 0: none */
    double in_blank, in_character;
};

#define SUCCESSORS_MOST (BEAM * GK_DIGIT_CLASSES)
#define SLOTS 2048 /* a power of two, over three times that */

struct search {
    struct beginning beam[2][BEAM];
    size_t count;
    struct successor successors[SUCCESSORS_MOST];
    size_t successor_count;
    int16_t slots[SLOTS]; /* index of a successor by hash; -1: free */
};

static uint64_t hash_with(uint64_t hash, int class)
{
    hash = (hash + (uint64_t) class) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static double weight_of(const struct successor *successor)
{
    return successor->in_blank + successor->in_character;
}

/* The successor with that hash, found or made. */
static struct successor *successor_of(struct search *search, const struct beginning *from, int added)
{
    uint64_t hash = added == 0 ? from->hash : hash_with(from->hash, added);
    size_t slot = hash & (SLOTS - 1);
    while (search->slots[slot] >= 0) {
        struct successor *successor = &search->successors[search->slots[slot]];
        if (successor->hash == hash) {
            return successor;
        }
        slot = (slot + 1) & (SLOTS - 1);
    }
    assert(search->successor_count < SUCCESSORS_MOST);
    search->slots[slot] = (int16_t)search->successor_count;
    struct successor *successor = &search->successors[search->successor_count++];
    *successor = (struct successor){.hash = hash, .from = from, .added = added};
    return successor;
}

/* With a full beam nothing below this can stay in it: nearly every beginning has a successor at
 * least so likely. */
static double least_useful(const struct search *search, const struct beginning *beam, const double *share)
{
    double most_share = 0, least_total = 1;
    for (int class = 0; class < GK_DIGIT_CLASSES; class ++) {
        most_share = fmax(most_share, share[class]);
    }
    for (size_t i = 0; i < search->count; i++) {
        least_total = fmin(least_total, beam[i].in_blank + beam[i].in_character);
    }
    return search->count < BEAM ? LEAST_SHARE : fmax(LEAST_SHARE, least_total * most_share);
}

static void extend(struct search *search, const struct beginning *from, const double *share, double least)
{
    double total = from->in_blank + from->in_character;
    int last =
        from->length == 0 ? 0 : (int)(strchr(characters, from->text[from->length - 1]) - characters) + 1;
    struct successor *same = successor_of(search, from, 0);
    same->in_blank += total * share[0];
    same->in_character += last > 0 ? from->in_character * share[last] : 0;
    if (from->length == GK_NUMBER_LONGEST) {
        return;
    }
    for (int class = 1; class < GK_DIGIT_CLASSES; class ++) {
        double weight = (class == last ? from->in_blank : total) * share[class];
        if (weight > least) {
            successor_of(search, from, class)->in_character += weight;
        }
    }
}

static int compare_successors(const void *a, const void *b)
{
    double x = weight_of(a), y = weight_of(b);
    return (x < y) - (x > y);
}

/* The next beam from the successors; returns the scale that was taken out. */
static double choose(struct search *search, struct beginning *next)
{
    qsort(search->successors, search->successor_count, sizeof *search->successors, compare_successors);
    double most = weight_of(&search->successors[0]);
    size_t count = 0;
    while (count < search->successor_count && count < BEAM &&
           weight_of(&search->successors[count]) > most * LEAST_SHARE) {
        const struct successor *from = &search->successors[count];
        struct beginning *to = &next[count++];
        *to = *from->from;
        to->hash = from->hash;
        to->in_blank = from->in_blank / most;
        to->in_character = from->in_character / most;
        if (from->added > 0) {
            to->text[to->length++] = characters[from->added - 1];
            to->text[to->length] = '\0';
        }
    }
    search->count = count;
    return most;
}

void gk_decoder_search(const struct gk_digit_sheet *sheet, struct gk_decoding *ret_decoding)
{
    struct search search;
    double log_scale = 0;
    int current = 0;
    search.beam[0][0] = (struct beginning){.in_blank = 1};
    search.count = 1;
    for (int row = 0; row < sheet->count; row++) {
        search.successor_count = 0;
        memset(search.slots, -1, sizeof search.slots);
        double least = least_useful(&search, search.beam[current], sheet->share[row]);
        for (size_t i = 0; i < search.count; i++) {
            extend(&search, &search.beam[current][i], sheet->share[row], least);
        }
        double scale = choose(&search, search.beam[1 - current]);
        log_scale += log(scale);
        current = 1 - current;
        if (search.count == 0) {
            break;
        }
    }
    ret_decoding->count = 0;
    double most = 0;
    for (size_t i = 0; i < search.count; i++) {
        const struct beginning *from = &search.beam[current][i];
        double weight = from->in_blank + from->in_character;
        if (from->length > 0 && weight > most * LEAST_RESULT) {
            struct gk_decoded *to = &ret_decoding->items[ret_decoding->count++];
            memcpy(to->text, from->text, sizeof to->text);
            to->log_probability = log(weight) + log_scale;
            most = fmax(most, weight);
        }
    }
}

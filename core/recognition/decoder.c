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
 *
 * The beginnings are nodes of a tree, whose root is the empty one. After a row the same beginning comes from
 * two places at most: from itself, and from its parent by one more character. So what is in the beam twice is
 * found by looking at parents.
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

/* A beginning of a string: its parent's and one more character. Nodes stay when they leave the beam. */
struct node {
    int16_t parent, first_child, next_sibling; /* NO_NODE: none */
    int8_t class;                              /* of the last character; 0: the root has none */
    int8_t length;
    int8_t place; /* in the beam; -1: it is not there */
};

#define ROOT 0
#define NO_NODE (-1)
#define NODES_MOST (1 + GK_DIGIT_COLUMNS_MOST * BEAM)

/* A beginning in the beam, or one that may come into it. */
struct beginning {
    int16_t node;
    int8_t added;                          /* class of a character behind the node's; 0: none */
    double in_blank, in_character, weight; /* of the paths that end so, and of both together */
};

#define SUCCESSORS_MOST (BEAM * GK_DIGIT_CLASSES)

struct search {
    struct node nodes[NODES_MOST];
    int node_count;
    struct beginning beam[BEAM];
    int count;
    struct beginning successors[SUCCESSORS_MOST];
    int successor_count;
};

/* With a full beam nothing below this can stay in it: nearly every beginning has a successor at
 * least so likely. */
static double least_useful(const struct search *search, const double *share)
{
    double most_share = 0, least_weight = 1;
    for (int class = 0; class < GK_DIGIT_CLASSES; class ++) {
        most_share = share[class] > most_share ? share[class] : most_share;
    }
    for (int i = 0; i < search->count; i++) {
        least_weight = search->beam[i].weight < least_weight ? search->beam[i].weight : least_weight;
    }
    double least = least_weight * most_share;
    return search->count < BEAM || least < LEAST_SHARE ? LEAST_SHARE : least;
}

/* Of the paths to a beginning, those that one more character of a class may follow. */
static double open_to(const struct search *search, const struct beginning *from, int class)
{
    return class == search->nodes[from->node].class ? from->in_blank : from->weight;
}

/* The beginnings as they are, one row on. Sets in `ret_met`, for each of them, the bits of the characters
 * behind it that make another one of the beam. */
static void stay(struct search *search, const double *share, double least, unsigned ret_met[BEAM])
{
    memset(ret_met, 0, BEAM * sizeof *ret_met);
    for (int i = 0; i < search->count; i++) {
        const struct beginning *from = &search->beam[i];
        const struct node *node = &search->nodes[from->node];
        struct beginning *same = &search->successors[i];
        *same = (struct beginning){.node = from->node, .in_blank = from->weight * share[0]};
        same->in_character = node->class > 0 ? from->in_character * share[node->class] : 0;
        int parent = node->parent == NO_NODE ? -1 : search->nodes[node->parent].place;
        if (parent >= 0) {
            double weight = open_to(search, &search->beam[parent], node->class) * share[node->class];
            same->in_character += weight > least ? weight : 0;
            ret_met[parent] |= 1u << node->class;
        }
        same->weight = same->in_blank + same->in_character;
    }
    search->successor_count = search->count;
}

/* The beginnings with one more character, where that is not in the beam itself. */
static void extend(struct search *search, const double *share, double least, const unsigned met[BEAM])
{
    int classes[GK_DIGIT_CLASSES], class_count = 0;
    for (int class = 1; class < GK_DIGIT_CLASSES; class ++) {
        if (share[class] > least) {
            classes[class_count++] = class;
        }
    }
    for (int i = 0; i < search->count; i++) {
        const struct beginning *from = &search->beam[i];
        bool full = search->nodes[from->node].length == GK_NUMBER_LONGEST;
        for (int k = 0; k < class_count && !full; k++) {
            double weight = open_to(search, from, classes[k]) * share[classes[k]];
            if (weight > least && (met[i] >> classes[k] & 1u) == 0) {
                search->successors[search->successor_count++] =
                    (struct beginning){from->node, (int8_t)classes[k], 0, weight, weight};
            }
        }
    }
}

/* Puts the `count` likeliest first, in any order (Hoare's selection). */
static void select_likeliest(struct beginning *items, int item_count, int count)
{
    int first = 0, last = item_count - 1;
    while (first < last) {
        double pivot = items[(first + last) / 2].weight;
        int low = first, high = last;
        while (low <= high) {
            while (items[low].weight > pivot) {
                low++;
            }
            while (items[high].weight < pivot) {
                high--;
            }
            if (low <= high) {
                struct beginning moved = items[low];
                items[low++] = items[high];
                items[high--] = moved;
            }
        }
        /* What lies between `high` and `low` is the pivot's equal. */
        if (count - 1 <= high) {
            last = high;
        } else if (count - 1 >= low) {
            first = low;
        } else {
            return;
        }
    }
}

/* The node's child with that character, found or made. */
static int16_t child_of(struct search *search, int16_t parent, int8_t class)
{
    int16_t child = search->nodes[parent].first_child;
    while (child != NO_NODE && search->nodes[child].class != class) {
        child = search->nodes[child].next_sibling;
    }
    if (child == NO_NODE) {
        assert(search->node_count < NODES_MOST);
        child = (int16_t)search->node_count++;
        search->nodes[child] = (struct node){.parent = parent,
                                             .first_child = NO_NODE,
                                             .next_sibling = search->nodes[parent].first_child,
                                             .class = class,
                                             .length = (int8_t)(search->nodes[parent].length + 1)};
        search->nodes[parent].first_child = child;
    }
    return child;
}

/* The next beam from the successors; returns the scale that was taken out. */
static double choose(struct search *search)
{
    double most = 0;
    int count = 0;
    for (int i = 0; i < search->successor_count; i++) {
        most = search->successors[i].weight > most ? search->successors[i].weight : most;
    }
    for (int i = 0; i < search->successor_count; i++) {
        if (search->successors[i].weight > most * LEAST_SHARE) {
            search->successors[count++] = search->successors[i];
        }
    }
    if (count > BEAM) {
        select_likeliest(search->successors, count, BEAM);
        count = BEAM;
    }
    for (int i = 0; i < search->count; i++) {
        search->nodes[search->beam[i].node].place = -1;
    }
    for (int i = 0; i < count; i++) {
        const struct beginning *from = &search->successors[i];
        int16_t node = from->added == 0 ? from->node : child_of(search, from->node, from->added);
        search->nodes[node].place = (int8_t)i;
        search->beam[i] = (struct beginning){
            .node = node, .in_blank = from->in_blank / most, .in_character = from->in_character / most};
        search->beam[i].weight = search->beam[i].in_blank + search->beam[i].in_character;
    }
    search->count = count;
    return most;
}

static int compare_beginnings(const void *a, const void *b)
{
    double x = ((const struct beginning *)a)->weight, y = ((const struct beginning *)b)->weight;
    return (x < y) - (x > y);
}

/* Writes the strings of the last beam. */
static void write_decoding(struct search *search, double log_scale, struct gk_decoding *ret_decoding)
{
    double most = 0;
    ret_decoding->count = 0;
    qsort(search->beam, (size_t)search->count, sizeof *search->beam, compare_beginnings);
    for (int i = 0; i < search->count; i++) {
        const struct node *node = &search->nodes[search->beam[i].node];
        double weight = search->beam[i].weight;
        if (node->length == 0 || weight <= most * LEAST_RESULT) {
            continue;
        }
        struct gk_decoded *to = &ret_decoding->items[ret_decoding->count++];
        memset(to->text, 0, sizeof to->text);
        for (; node->length > 0; node = &search->nodes[node->parent]) {
            to->text[node->length - 1] = characters[node->class - 1];
        }
        to->log_probability = log(weight) + log_scale;
        most = weight > most ? weight : most;
    }
}

void gk_decoder_search(const struct gk_digit_sheet *sheet, struct gk_decoding *ret_decoding)
{
    struct search search;
    double log_scale = 0;
    search.nodes[ROOT] = (struct node){.parent = NO_NODE, .first_child = NO_NODE, .next_sibling = NO_NODE};
    search.node_count = 1;
    search.beam[0] = (struct beginning){.node = ROOT, .in_blank = 1, .weight = 1};
    search.count = 1;
    for (int row = 0; row < sheet->count && search.count > 0; row++) {
        unsigned met[BEAM];
        double least = least_useful(&search, sheet->share[row]);
        stay(&search, sheet->share[row], least, met);
        extend(&search, sheet->share[row], least, met);
        log_scale += log(choose(&search));
    }
    write_decoding(&search, log_scale, ret_decoding);
}

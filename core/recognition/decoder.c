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

uint64_t gk_decoder_key(const char *text)
{
    uint64_t key = UINT64_C(0xcbf29ce484222325);
    for (; *text != '\0'; text++) {
        key = (key ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    }
    return key;
}

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
    uint8_t class;                             /* of the last character; 0: the root has none */
    uint8_t length;
    int16_t place; /* in the beam; -1: it is not there */
};

#define ROOT 0
#define NO_NODE (-1)
#define SUCCESSORS_MOST (BEAM * GK_DIGIT_CLASSES)
#define NODES_MOST (1 + GK_DIGIT_COLUMNS_MOST * BEAM)

/* The beginnings that are kept, in any order: each stays in its place as long as it is here. */
struct beam {
    int count;
    int16_t node[BEAM];
    uint8_t class[BEAM];                       /* of the last character */
    double in_blank[BEAM], in_character[BEAM]; /* of the paths that end so */
    double weight[BEAM];                       /* of both together */
};

/* What the beam may become one row on: first its beginnings as they are, then those with one more character,
 * whose paths all end in it. */
struct successors {
    int count;
    double in_blank[BEAM], in_character[BEAM]; /* of the former */
    double weight[SUCCESSORS_MOST];
    int16_t parent[SUCCESSORS_MOST]; /* of the latter, as `class` */
    uint8_t class[SUCCESSORS_MOST];
};

struct search {
    struct node nodes[NODES_MOST];
    int node_count;
    struct beam beam;
    struct successors successors;
};

/* With a full beam nothing below this can stay in it: nearly every beginning has a successor at
 * least so likely. */
static double least_useful(const struct beam *beam, const double *share)
{
    double most_share = 0, least_weight = 1;
    for (int class = 0; class < GK_DIGIT_CLASSES; class ++) {
        most_share = share[class] > most_share ? share[class] : most_share;
    }
    for (int i = 0; i < beam->count; i++) {
        least_weight = beam->weight[i] < least_weight ? beam->weight[i] : least_weight;
    }
    double least = least_weight * most_share;
    return beam->count < BEAM || least < LEAST_SHARE ? LEAST_SHARE : least;
}

/* Of the paths to a beginning, those that one more character of a class may follow. */
static double open_to(const struct beam *beam, int place, int class)
{
    return class == beam->class[place] ? beam->in_blank[place] : beam->weight[place];
}

/* The beginnings as they are, one row on. Sets in `ret_closed`, for each of them, the bits of the characters
 * that make another one of the beam behind it, or all of them where it is as long as it may be. */
static void stay(struct search *search, const double *share, double least, unsigned ret_closed[BEAM])
{
    const struct beam *beam = &search->beam;
    struct successors *to = &search->successors;
    memset(ret_closed, 0, BEAM * sizeof *ret_closed);
    for (int i = 0; i < beam->count; i++) {
        const struct node *node = &search->nodes[beam->node[i]];
        int class = beam->class[i], place = node->parent == NO_NODE ? -1 : search->nodes[node->parent].place;
        to->in_blank[i] = beam->weight[i] * share[0];
        to->in_character[i] = beam->in_character[i] * share[class];
        if (place >= 0) {
            double weight = open_to(beam, place, class) * share[class];
            to->in_character[i] += weight > least ? weight : 0;
            ret_closed[place] |= 1u << class;
        }
        ret_closed[i] |= node->length == GK_NUMBER_LONGEST ? ~0u : 0;
        to->weight[i] = to->in_blank[i] + to->in_character[i];
    }
    to->count = beam->count;
}

/* The places of beginnings that may have a successor, no character of the row being likelier than `most`;
 * returns how many. Without a branch: which they are is hard to foretell. */
static int list_extendable(const struct beam *beam, double most, double least, int ret_places[BEAM])
{
    int count = 0;
    for (int i = 0; i < beam->count; i++) {
        ret_places[count] = i;
        count += beam->weight[i] * most > least;
    }
    return count;
}

/* The beginnings with one more character. */
static void extend(struct search *search, const double *share, double least, const unsigned closed[BEAM])
{
    const struct beam *beam = &search->beam;
    struct successors *to = &search->successors;
    int places[BEAM], count = to->count;
    double most = 0;
    for (int class = 1; class < GK_DIGIT_CLASSES; class ++) {
        most = share[class] > most ? share[class] : most;
    }
    const int place_count = list_extendable(beam, most, least, places);
    for (int class = 1; class < GK_DIGIT_CLASSES; class ++) {
        for (int i = 0; i < place_count && share[class] > least; i++) {
            const int place = places[i];
            double weight = open_to(beam, place, class) * share[class];
            to->weight[count] = weight;
            to->parent[count] = beam->node[place];
            to->class[count] = (uint8_t) class;
            count += (weight > least) & (int)(~closed[place] >> class & 1u);
        }
    }
    to->count = count;
}

/* Moves the values above the bound to the front; returns how many. Without a branch. */
static int move_to_front(double *values, int count, double bound)
{
    int above = 0;
    for (int i = 0; i < count; i++) {
        double value = values[i];
        values[i] = values[above];
        values[above] = value;
        above += value > bound;
    }
    return above;
}

/* The `rank`th largest of the values, from 0 on; reorders them so that larger ones stand in front of it. */
static double select_value(double *values, int count, int rank)
{
    for (;;) {
        double pivot = values[count / 2];
        int above = move_to_front(values, count, pivot);
        if (rank < above) {
            count = above;
            continue;
        }
        int equal = move_to_front(values + above, count - above, nextafter(pivot, 0));
        if (rank < above + equal) {
            return pivot;
        }
        values += above + equal;
        count -= above + equal;
        rank -= above + equal;
    }
}

/* The node's child with that character, found or made. */
static int16_t child_of(struct search *search, int16_t parent, uint8_t class)
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
                                             .length = (uint8_t)(search->nodes[parent].length + 1)};
        search->nodes[parent].first_child = child;
    }
    return child;
}

/* The weight above which successors are chosen, `most` being the largest, and how many more of just that. */
static double least_chosen(const struct successors *successors, double most, int *ret_equal)
{
    double weights[SUCCESSORS_MOST];
    int count = 0, above = 0;
    for (int i = 0; i < successors->count; i++) {
        count += successors->weight[i] > most * LEAST_SHARE;
    }
    *ret_equal = 0;
    if (count <= BEAM) {
        return most * LEAST_SHARE;
    }
    memcpy(weights, successors->weight, (size_t)successors->count * sizeof *weights);
    double least = select_value(weights, successors->count, BEAM - 1);
    for (int i = 0; i < BEAM; i++) {
        above += weights[i] > least;
    }
    *ret_equal = BEAM - above;
    return least;
}

/* Puts a successor of one more character in that place of the beam. */
static void enter(struct search *search, int successor, double scale, int place)
{
    const struct successors *from = &search->successors;
    struct beam *beam = &search->beam;
    beam->node[place] = child_of(search, from->parent[successor], from->class[successor]);
    beam->class[place] = from->class[successor];
    beam->in_blank[place] = 0;
    beam->in_character[place] = beam->weight[place] = from->weight[successor] * scale;
    search->nodes[beam->node[place]].place = (int16_t)place;
}

/* Closes a gap with the last of the beam. */
static void fill_gap(struct search *search, int place)
{
    struct beam *beam = &search->beam;
    const int last = --beam->count;
    beam->node[place] = beam->node[last];
    beam->class[place] = beam->class[last];
    beam->in_blank[place] = beam->in_blank[last];
    beam->in_character[place] = beam->in_character[last];
    beam->weight[place] = beam->weight[last];
    if (place != last) {
        search->nodes[beam->node[place]].place = (int16_t)place;
    }
}

/* Makes the next beam of the likeliest successors; returns the scale that was taken out. */
static double choose(struct search *search)
{
    const struct successors *from = &search->successors;
    struct beam *beam = &search->beam;
    const int stayed = beam->count;
    int gaps[BEAM], gap_count = 0, equal;
    double most = 0;
    for (int i = 0; i < from->count; i++) {
        most = from->weight[i] > most ? from->weight[i] : most;
    }
    const double least = least_chosen(from, most, &equal), scale = most > 0 ? 1 / most : 0;
    for (int i = 0; i < stayed; i++) {
        beam->in_blank[i] = from->in_blank[i] * scale;
        beam->in_character[i] = from->in_character[i] * scale;
        beam->weight[i] = beam->in_blank[i] + beam->in_character[i];
        if (!(from->weight[i] > least || (from->weight[i] == least && equal-- > 0))) {
            search->nodes[beam->node[i]].place = -1;
            gaps[gap_count++] = i;
        }
    }
    for (int i = stayed; i < from->count; i++) {
        if (from->weight[i] > least || (from->weight[i] == least && equal-- > 0)) {
            enter(search, i, scale, gap_count > 0 ? gaps[--gap_count] : beam->count++);
        }
    }
    while (gap_count > 0) {
        fill_gap(search, gaps[--gap_count]);
    }
    return most;
}

/* The next beam behind a row that is certainly blank. */
static void pass_blank(struct beam *beam)
{
    memcpy(beam->in_blank, beam->weight, sizeof beam->in_blank);
    memset(beam->in_character, 0, sizeof beam->in_character);
}

struct result {
    int16_t node;
    double weight;
};

static int compare_results(const void *a, const void *b)
{
    double x = ((const struct result *)a)->weight, y = ((const struct result *)b)->weight;
    return (x < y) - (x > y);
}

/* Writes the strings of the last beam. */
static void write_decoding(const struct search *search, double log_scale, struct gk_decoding *ret_decoding)
{
    struct result results[BEAM];
    int count = 0;
    for (int i = 0; i < search->beam.count; i++) {
        if (search->beam.node[i] != ROOT) {
            results[count++] = (struct result){search->beam.node[i], search->beam.weight[i]};
        }
    }
    qsort(results, (size_t)count, sizeof *results, compare_results);
    ret_decoding->count = 0;
    for (int i = 0; i < count && results[i].weight > results[0].weight * LEAST_RESULT; i++) {
        struct gk_decoded *to = &ret_decoding->items[ret_decoding->count++];
        memset(to->text, 0, sizeof to->text);
        to->log_probability = log(results[i].weight) + log_scale;
        for (int16_t at = results[i].node; at != ROOT; at = search->nodes[at].parent) {
            to->text[search->nodes[at].length - 1] = characters[search->nodes[at].class - 1];
        }
        to->key = gk_decoder_key(to->text);
    }
}

void gk_decoder_search(const struct gk_digit_sheet *sheet, struct gk_decoding *ret_decoding)
{
    struct search search;
    double log_scale = 0;
    search.nodes[ROOT] = (struct node){.parent = NO_NODE, .first_child = NO_NODE, .next_sibling = NO_NODE};
    search.node_count = 1;
    search.beam = (struct beam){.count = 1, .node = {ROOT}, .in_blank = {1}, .weight = {1}};
    for (int row = 0; row < sheet->count && search.beam.count > 0; row++) {
        unsigned closed[BEAM];
        if (sheet->share[row][0] == 1) {
            pass_blank(&search.beam);
            continue;
        }
        double least = least_useful(&search.beam, sheet->share[row]);
        stay(&search, sheet->share[row], least, closed);
        extend(&search, sheet->share[row], least, closed);
        log_scale += log(choose(&search));
    }
    write_decoding(&search, log_scale, ret_decoding);
}

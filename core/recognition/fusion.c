/*
 * Every framing f gives every text s an exact probability P_f(s). Those of one picture are pooled as
 * logarithms,
 *
 *     log W(s) = E * sum_f w_f log Q_f(s) / sum_f w_f,     E = (sum_f w_f / max_f w_f) ^ agreement,
 *
 * where w_f is how sure the framing is. E is what all the framings are worth, in independent readings; with
 * one framing W is its own probability. Pictures are pooled in the same way, with a power of their own and
 * the weights of their surest framings. In the place of P_f stands
 *
 *     Q_f(s) = (1 - slip) P_f(s) + slip * (mean of the other framings),
 *
 * for a framing that cuts through the digits says nothing about them, however sure it is.
 *
 * The texts are the framings' N-best lists, and then all texts that differ from one of the best by one
 * character: rules will ask for those. The rest is not named but has a probability as well: what the framings
 * leave, 1 - sum P, pooled down by as much as the named texts other than the best one were. By length it is
 * parted as the surest framing parts it.
 */
#include "core/recognition/fusion.h"

#include "core/recognition/calibration.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define ABOUT_AS_SURE 0.5 /* of the surest framing's weight. Estimated */

/* Beside its framing's best text; less likely ones are left to the exchanges and to the rest. Exchanges are
 * all of one length: to know what is of other lengths says how little there is beside them. */
#define LEAST_SHARE 1e-3
#define LEAST_SHARE_OF_OTHER_LENGTH 1e-5
/* Below this probability per character, 16 characters have less than 1e-8: the likeliest text is named, for
 * pictures that explain, and nothing more is worth the time. */
#define LEAST_CLARITY 0.3
/* A base is at least so likely, beside the best one. */
#define LEAST_BASE 1e-3

struct pooled {
    double weight; /* W */
    double mean;   /* of P_f, by the framings' weights */
};

/* A weighted mean of logarithms, and what it is worth. */
struct opinion {
    double weights, most, sum;
};

static void hear(struct opinion *opinion, double weight, double logarithm)
{
    opinion->weights += weight;
    opinion->most = weight > opinion->most ? weight : opinion->most;
    opinion->sum += weight * logarithm;
}

static double pooled_logarithm(const struct opinion *opinion, double agreement)
{
    return pow(opinion->weights / opinion->most, agreement) * opinion->sum / opinion->weights;
}

static struct pooled pool(const struct gk_fusion *fusion, const double *probability)
{
    double weights = 0, sum = 0;
    for (int f = 0; f < fusion->framing_count; f++) {
        weights += fusion->weight[f];
        sum += fusion->weight[f] * probability[f];
    }
    if (!(sum > 0)) {
        return (struct pooled){0, 0};
    }
    struct opinion all = {0}, picture = {0};
    for (int f = 0; f < fusion->framing_count; f++) {
        double weight = fusion->weight[f], others = weights - weight;
        double slipped = others > weights * 1e-9 ? (sum - weight * probability[f]) / others : probability[f];
        double mixed = (1 - GK_FRAMING_SLIP) * probability[f] + GK_FRAMING_SLIP * fmax(slipped, 0);
        if (weight > 0) {
            hear(&picture, weight, log(fmax(mixed, 1e-300)));
        }
        bool last = f + 1 == fusion->framing_count || fusion->pictures[f + 1] != fusion->pictures[f];
        if (last && picture.weights > 0) {
            hear(&all, picture.most, pooled_logarithm(&picture, GK_FRAMING_AGREEMENT));
            picture = (struct opinion){0};
        }
    }
    return (struct pooled){exp(pooled_logarithm(&all, GK_PICTURE_AGREEMENT)), sum / weights};
}

struct proposal {
    struct gk_decoded decoded;
    double score;
};

struct proposals {
    struct proposal items[GK_FUSION_FRAMINGS_MOST * GK_DECODED_MOST];
    size_t count;
};

static void propose(struct proposals *proposals, const struct gk_decoded *decoded, double score)
{
    for (size_t i = 0; i < proposals->count; i++) {
        if (proposals->items[i].decoded.key == decoded->key &&
            strcmp(proposals->items[i].decoded.text, decoded->text) == 0) {
            proposals->items[i].score = fmax(proposals->items[i].score, score);
            return;
        }
    }
    proposals->items[proposals->count++] = (struct proposal){*decoded, score};
}

static int compare_proposals(const void *a, const void *b)
{
    double x = ((const struct proposal *)a)->score, y = ((const struct proposal *)b)->score;
    return (x < y) - (x > y);
}

/* Sets the framings' weights by their likeliest texts. */
static void weigh_framings(struct gk_fusion *fusion, const struct gk_decoding *decodings)
{
    double longest = 1, most = -1;
    for (int f = 0; f < fusion->framing_count; f++) {
        if (decodings[f].count > 0) {
            longest = fmax(longest, (double)strlen(decodings[f].items[0].text));
        }
    }
    for (int f = 0; f < fusion->framing_count; f++) {
        fusion->weight[f] = 0;
        if (decodings[f].count == 0) {
            continue;
        }
        const struct gk_decoded *best = &decodings[f].items[0];
        double length = (double)strlen(best->text), clarity = exp(best->log_probability / length);
        fusion->weight[f] = pow(clarity * length / longest, GK_FRAMING_SELECTION);
        if (fusion->weight[f] > most) {
            most = fusion->weight[f];
            fusion->surest = f;
            fusion->clarity = fmin(clarity, 1);
        }
    }
}

static void collect(const struct gk_fusion *fusion, const struct gk_decoding *decodings,
                    struct proposals *ret_proposals)
{
    ret_proposals->count = 0;
    for (int f = 0; f < fusion->framing_count; f++) {
        const struct gk_decoded *best = &decodings[f].items[0];
        for (size_t i = 0; i < decodings[f].count && fusion->weight[f] > 0; i++) {
            const struct gk_decoded *item = &decodings[f].items[i];
            bool same_length = strlen(item->text) == strlen(best->text);
            double least = same_length ? LEAST_SHARE : LEAST_SHARE_OF_OTHER_LENGTH;
            if (item->log_probability > best->log_probability + log(least)) {
                propose(ret_proposals, item, item->log_probability + log(fusion->weight[f]));
            }
        }
    }
    qsort(ret_proposals->items, ret_proposals->count, sizeof *ret_proposals->items, compare_proposals);
}

static int compare_texts(const void *a, const void *b)
{
    double x = ((const struct gk_fused_text *)a)->probability;
    double y = ((const struct gk_fused_text *)b)->probability;
    return (x < y) - (x > y);
}

/* Sums over all that was pooled so far. */
struct sums {
    double weight, mean;
    double best_weight, best_mean;
    double surest[GK_NUMBER_SIZE]; /* of the surest framing's probabilities, by length */
};

static void add_to(struct sums *sums, const struct pooled *pooled, size_t length, double surest)
{
    sums->surest[length] += surest;
    sums->weight += pooled->weight;
    sums->mean += pooled->mean;
    if (pooled->weight > sums->best_weight) {
        sums->best_weight = pooled->weight;
        sums->best_mean = pooled->mean;
    }
}

/* What the framings say of the proposed texts, and how the likeliest proposal lies on each of them. */
struct hearing {
    size_t count;
    double probability[GK_FUSION_TEXTS_MOST][GK_FUSION_FRAMINGS_MOST];
    struct gk_alignment alignments[GK_FUSION_FRAMINGS_MOST]; /* of length 0: it cannot be there */
};

/* Of a text, by the framing's own list; -1: it is not there. */
static double listed(const struct gk_decoding *decoding, const struct gk_decoded *text)
{
    for (size_t i = 0; i < decoding->count; i++) {
        if (decoding->items[i].key == text->key && strcmp(decoding->items[i].text, text->text) == 0) {
            return exp(decoding->items[i].log_probability);
        }
    }
    return -1;
}

static void hear_framing(const struct gk_fusion *fusion, int framing, const struct gk_decoding *decoding,
                         const struct proposals *proposals, struct hearing *hearing)
{
    struct gk_paths paths;
    const struct gk_digit_sheet *sheet = &fusion->sheets[framing];
    bool followed = gk_decoder_follow(sheet, proposals->items[0].decoded.text, &paths);
    if (followed) {
        gk_decoder_align(&paths, &hearing->alignments[framing]);
    }
    for (size_t i = 0; i < hearing->count; i++) {
        const struct gk_decoded *proposed = &proposals->items[i].decoded;
        double probability = listed(decoding, proposed);
        if (probability < 0) {
            probability = exp(followed ? gk_decoder_score_beside(&paths, proposed->text)
                                       : gk_decoder_score(sheet, proposed->text));
        }
        hearing->probability[i][framing] = probability;
    }
}

static void hear_framings(const struct gk_fusion *fusion, const struct gk_decoding *decodings,
                          const struct proposals *proposals, struct hearing *ret_hearing)
{
    *ret_hearing = (struct hearing){.count = proposals->count};
    if (ret_hearing->count > GK_FUSION_TEXTS_MOST) {
        ret_hearing->count = GK_FUSION_TEXTS_MOST;
    }
    for (int f = 0; f < fusion->framing_count; f++) {
        if (fusion->weight[f] > 0) {
            hear_framing(fusion, f, &decodings[f], proposals, ret_hearing);
        }
    }
}

static void pool_texts(struct gk_fusion *fusion, const struct proposals *proposals,
                       const struct hearing *hearing, struct sums *sums)
{
    for (size_t i = 0; i < hearing->count; i++) {
        struct gk_fused_text *text = &fusion->texts[fusion->text_count++];
        memcpy(text->text, proposals->items[i].decoded.text, sizeof text->text);
        text->key = proposals->items[i].decoded.key;
        struct pooled pooled = pool(fusion, hearing->probability[i]);
        text->probability = pooled.weight;
        add_to(sums, &pooled, strlen(text->text), hearing->probability[i][fusion->surest]);
    }
    qsort(fusion->texts, fusion->text_count, sizeof *fusion->texts, compare_texts);
}

bool gk_fusion_is_text(const struct gk_fusion *fusion, const char *text)
{
    const uint64_t key = gk_decoder_key(text);
    for (size_t i = 0; i < fusion->text_count; i++) {
        if (fusion->texts[i].key == key && strcmp(fusion->texts[i].text, text) == 0) {
            return true;
        }
    }
    return false;
}

/* One framing's columns are too coarse to tell a gap: the framings that count tell it together. */
static void measure_distances(const struct gk_fusion *fusion, const struct gk_alignment *alignments,
                              struct gk_fused_base *base)
{
    double pitches[GK_FUSION_FRAMINGS_MOST];
    for (int f = 0; f < fusion->framing_count; f++) {
        bool counts =
            alignments[f].length > 0 && fusion->weight[f] >= ABOUT_AS_SURE * fusion->weight[fusion->surest];
        pitches[f] = counts ? gk_alignment_pitch(&alignments[f]) : 0;
    }
    for (int place = 0; place + 1 < base->alignment.length; place++) {
        double distances[GK_FUSION_FRAMINGS_MOST];
        int count = 0;
        for (int f = 0; f < fusion->framing_count; f++) {
            if (pitches[f] > 0) {
                distances[count++] =
                    (alignments[f].column[place + 1] - alignments[f].column[place]) / pitches[f];
            }
        }
        base->distance[place] = gk_median(distances, count);
    }
}

static void align_framings(const struct gk_fusion *fusion, const char *text,
                           struct gk_alignment ret_alignments[GK_FUSION_FRAMINGS_MOST])
{
    for (int f = 0; f < fusion->framing_count; f++) {
        struct gk_paths paths;
        ret_alignments[f].length = 0;
        if (fusion->weight[f] > 0 && gk_decoder_follow(&fusion->sheets[f], text, &paths)) {
            gk_decoder_align(&paths, &ret_alignments[f]);
        }
    }
}

/* Pools the text with every character exchanged, by its alignments on the framings. */
static void pool_exchanges(struct gk_fusion *fusion, const struct gk_alignment *alignments,
                           struct gk_fused_base *base, struct sums *sums)
{
    char text[GK_NUMBER_SIZE];
    double own[GK_FUSION_FRAMINGS_MOST];
    memcpy(text, fusion->texts[base->text].text, sizeof text);
    for (int f = 0; f < fusion->framing_count; f++) {
        own[f] = alignments[f].length > 0 ? exp(alignments[f].log_probability) : 0;
    }
    for (int place = 0; place < base->alignment.length; place++) {
        char read = text[place];
        for (int character = 0; character < GK_DIGIT_CHARACTERS; character++) {
            double probability[GK_FUSION_FRAMINGS_MOST] = {0};
            for (int f = 0; f < fusion->framing_count; f++) {
                if (alignments[f].length > 0) {
                    double ratio = alignments[f].ratio[place][character];
                    probability[f] = own[f] * (ratio > GK_CHARACTER_SLIP ? ratio : GK_CHARACTER_SLIP);
                }
            }
            struct pooled pooled = pool(fusion, probability);
            base->probability[place][character] = pooled.weight;
            text[place] = "0123456789X"[character];
            if (text[place] != read && !gk_fusion_is_text(fusion, text)) {
                add_to(sums, &pooled, (size_t)base->alignment.length, probability[fusion->surest]);
            }
        }
        text[place] = read;
    }
}

/* false where the surest framing cannot have the text. */
static bool make_base(struct gk_fusion *fusion, size_t index, const struct gk_alignment *alignments,
                      struct sums *sums)
{
    struct gk_fused_base *base = &fusion->bases[fusion->base_count];
    if (alignments[fusion->surest].length == 0) {
        return false;
    }
    base->text = index;
    base->alignment = alignments[fusion->surest];
    measure_distances(fusion, alignments, base);
    pool_exchanges(fusion, alignments, base, sums);
    return true;
}

/* The likeliest text of each of the likeliest lengths. */
static void make_bases(struct gk_fusion *fusion, const struct proposals *proposals,
                       const struct hearing *hearing, struct sums *sums)
{
    struct gk_alignment alignments[GK_FUSION_FRAMINGS_MOST];
    bool done[GK_NUMBER_SIZE] = {false};
    for (size_t i = 0; i < fusion->text_count && fusion->base_count < GK_FUSION_BASES_MOST; i++) {
        size_t length = strlen(fusion->texts[i].text);
        if (done[length] || fusion->texts[i].probability < fusion->texts[0].probability * LEAST_BASE) {
            continue;
        }
        done[length] = true;
        if (strcmp(fusion->texts[i].text, proposals->items[0].decoded.text) == 0) {
            fusion->base_count += make_base(fusion, i, hearing->alignments, sums);
        } else {
            align_framings(fusion, fusion->texts[i].text, alignments);
            fusion->base_count += make_base(fusion, i, alignments, sums);
        }
    }
}

/* Parts the unnamed by length. */
static void part_unseen(struct gk_fusion *fusion, const struct sums *sums, double unseen)
{
    double total = 0;
    gk_decoder_lengths(&fusion->sheets[fusion->surest], fusion->unseen);
    for (size_t length = 0; length < GK_NUMBER_SIZE; length++) {
        fusion->unseen[length] = fmax(0, fusion->unseen[length] - sums->surest[length]);
        total += fusion->unseen[length];
    }
    for (size_t length = 0; length < GK_NUMBER_SIZE && total > 0; length++) {
        fusion->unseen[length] *= unseen / total;
    }
    fusion->slip = GK_FRAMING_SLIP + (total > 0 ? 0 : unseen);
}

static void normalise(struct gk_fusion *fusion, const struct sums *sums)
{
    double rest_weight = sums->weight - sums->best_weight, rest_mean = sums->mean - sums->best_mean;
    double left = fmax(0, 1 - sums->mean);
    double unseen = rest_mean > 0 ? left * rest_weight / rest_mean : left;
    double scale = (1 - GK_FRAMING_SLIP) / (sums->weight + unseen);
    for (size_t i = 0; i < fusion->text_count; i++) {
        fusion->texts[i].probability *= scale;
    }
    for (size_t b = 0; b < fusion->base_count; b++) {
        for (int place = 0; place < fusion->bases[b].alignment.length; place++) {
            for (int character = 0; character < GK_DIGIT_CHARACTERS; character++) {
                fusion->bases[b].probability[place][character] *= scale;
            }
        }
    }
    part_unseen(fusion, sums, unseen * scale);
}

void gk_fusion_run(struct gk_fusion *fusion)
{
    assert(fusion->framing_count >= 1 && fusion->framing_count <= GK_FUSION_FRAMINGS_MOST);
    struct gk_decoding decodings[GK_FUSION_FRAMINGS_MOST];
    struct proposals proposals;
    struct hearing hearing;
    struct sums sums = {0};
    fusion->surest = 0;
    fusion->clarity = 0;
    fusion->text_count = fusion->base_count = 0;
    memset(fusion->unseen, 0, sizeof fusion->unseen);
    fusion->slip = 1;
    for (int f = 0; f < fusion->framing_count; f++) {
        gk_decoder_search(&fusion->sheets[f], &decodings[f]);
    }
    weigh_framings(fusion, decodings);
    if (fusion->clarity > 0 && fusion->clarity < LEAST_CLARITY) {
        const struct gk_decoded *best = &decodings[fusion->surest].items[0];
        memcpy(fusion->texts[0].text, best->text, sizeof best->text);
        fusion->texts[0].key = best->key;
        fusion->texts[0].probability = exp(best->log_probability);
        fusion->text_count = 1;
        return;
    }
    collect(fusion, decodings, &proposals);
    hear_framings(fusion, decodings, &proposals, &hearing);
    pool_texts(fusion, &proposals, &hearing, &sums);
    if (!(sums.weight > 0)) {
        fusion->text_count = 0;
        return;
    }
    make_bases(fusion, &proposals, &hearing, &sums);
    normalise(fusion, &sums);
}

/*
 * What several framings of one line, of one or more pictures, say together: texts with probabilities that sum
 * to 1 with what is left for all others. Knows no rules.
 */
#ifndef GUIKA_CORE_RECOGNITION_FUSION_H
#define GUIKA_CORE_RECOGNITION_FUSION_H

#include "core/recognition/decoder.h"

#define GK_FUSION_FRAMINGS_MOST 22
#define GK_FUSION_TEXTS_MOST 40
#define GK_FUSION_BASES_MOST 3

struct gk_fused_text {
    char text[GK_NUMBER_SIZE];
    uint64_t key; /* gk_decoder_key of it */
    double probability;
};

/* A text and all those with one character exchanged. */
struct gk_fused_base {
    size_t text;                   /* its index */
    struct gk_alignment alignment; /* on the surest framing */
    /* From each character to the next, in pitches of the text: the median over the framings that see it about
     * as surely. */
    double distance[GK_NUMBER_LONGEST];
    /* Probability with that character there, fused; the text's own at its own characters. */
    double probability[GK_NUMBER_LONGEST][GK_DIGIT_CHARACTERS];
};

/* About 460 KB. Fill in the sheets and pictures; the rest is gk_fusion_run's. Owns nothing. */
struct gk_fusion {
    int framing_count; /* 1 to GK_FUSION_FRAMINGS_MOST */
    struct gk_digit_sheet sheets[GK_FUSION_FRAMINGS_MOST];
    int pictures[GK_FUSION_FRAMINGS_MOST];  /* that the framing is of: 0, 1, ..., never falling */
    int surest;                             /* framing; clearest and with most characters */
    double weight[GK_FUSION_FRAMINGS_MOST]; /* of the framings; the surest's is the largest */
    double clarity;    /* probability per character of the surest framing's likeliest text */
    size_t text_count; /* 0: no framing has any text; then there are no bases either */
    struct gk_fused_text texts[GK_FUSION_TEXTS_MOST]; /* likeliest first */
    size_t base_count;
    struct gk_fused_base bases[GK_FUSION_BASES_MOST]; /* likeliest first, of different lengths */
    /* Probability of all texts of that length that are neither in `texts` nor bases with one exchange. */
    double unseen[GK_NUMBER_SIZE];
    double slip; /* probability of anything else, by which all sums to 1 */
};

/* Decodes the sheets and fuses what they say. Uses 560 KB of stack. [worker] */
void gk_fusion_run(struct gk_fusion *fusion);

/* Is it one of `texts`? An exchange that is must not count twice. [any] */
bool gk_fusion_is_text(const struct gk_fusion *fusion, const char *text);

#endif

/*
 * From what was read on a line to numbers that issuers have, with probabilities; and one list from many lines
 * and frames.
 */
#ifndef GUIKA_CORE_RECOGNITION_CANDIDATES_H
#define GUIKA_CORE_RECOGNITION_CANDIDATES_H

#include "core/recognition/rules.h"

#define GK_CANDIDATES_MOST 20
#define GK_GROUPING_SIZE 96

/* At and above this probability a candidate that no check character forced counts as read. */
#define GK_CANDIDATE_ACCEPTED 0.999
/* What a registry of consecutive numbers wants is more (core/registry/match.c: 0.9995); from here on nothing
 * is gained by another frame. */
#define GK_CANDIDATE_CERTAIN 0.9999

struct gk_candidate {
    char number[GK_NUMBER_SIZE];
    const struct guika_issuer *issuer; /* NULL: of no known issuer (only where checks are off) */
    double probability;                /* that the card carries it; those of one place sum to at most 1 */
    double alien;                      /* that its place holds no issuer's number: the same for all of one */
    bool forced;                       /* it is not what was read likeliest: the rules decided */
    char read_as[GK_NUMBER_SIZE];      /* where forced: what was read likeliest */
    uint32_t place;                    /* of which those of one place are rivals */
};

/* What one line says. */
struct gk_line_verdict {
    struct gk_candidate candidates[GK_CANDIDATES_MOST]; /* likeliest first, all of place 0 */
    size_t count;
    bool check_failed; /* what was read likeliest would be an issuer's number, but for its check character */
    bool unknown_issuer; /* it was read well, but no issuer has such numbers */
    /* What was read likeliest, rules left out; where candidates come from a part of the line, that part. */
    char best[GK_NUMBER_SIZE];
    float confidence[GK_NUMBER_LONGEST]; /* of each character of `best`, 0 to 1, rules left out */
    char grouping[GK_GROUPING_SIZE];     /* of `best`, as printed: "4-4-4-4", "9(1)" */
    /* 0 to 1: how much the line looks like a number that is read in the right direction. Compare it between
     * the two directions of one line; from 0.5 on it is worth reading. */
    double clarity;
};

struct gk_candidate_rules {
    const struct guika_issuer *const *issuers;
    size_t issuer_count;
    bool no_check; /* ignore check characters and prefixes */
};

/* All candidates of a card so far, over its places. */
struct gk_candidate_list {
    struct gk_candidate items[GK_CANDIDATES_MOST];
    size_t count;
    uint32_t places; /* given out */
};

/* Adds a line's verdict. Where one of its numbers is in the list, or much like the best one of a place, the
 * line is that place seen again: its candidates strengthen or rival those; else it is a new place. A forced
 * candidate stays so until a sight reads it unforced, or is forced to it from another misreading. [any] */
void gk_candidates_add(struct gk_candidate_list *list, const struct gk_line_verdict *verdict);

enum gk_witness {
    GK_WITNESS_OF_PRINT, /* Tesseract, of the same figures: whether they are a card's number he cannot know */
    GK_WITNESS_OF_CODE,  /* a bar code */
};

/* Somebody else says that `number` is on the card; `strength`, 0 to 1, is the probability that he is right.
 * From a strength of 0.5 on he takes away that it was forced. Returns false, and changes nothing, where the
 * number is not in the list: a witness alone is no reading. [any] */
bool gk_candidates_witness(struct gk_candidate_list *list, const char *number, double strength,
                           enum gk_witness witness);

#endif

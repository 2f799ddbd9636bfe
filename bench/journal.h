/*
 * What a reader made of one picture after another, on disk, so that a measurement of hours goes on where it
 * was stopped, also by kill -9. Records of one size are appended; the file is cut back to whole ones when it
 * is opened, and damaged ones are read again.
 */
#ifndef GUIKA_BENCH_JOURNAL_H
#define GUIKA_BENCH_JOURNAL_H

#include "guika/v1/internal/reader.pb.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GK_BENCH_CANDIDATES_MAX = 20,
    GK_BENCH_CANDIDATE_NUMBER_SIZE = 28,
    GK_BENCH_CANDIDATE_SCHEME_SIZE = 16,
};

/* What decides of a reader's candidate; the rest follows from it. */
struct gk_bench_candidate {
    double probability;
    char number[GK_BENCH_CANDIDATE_NUMBER_SIZE];
    char scheme[GK_BENCH_CANDIDATE_SCHEME_SIZE]; /* cut where it is longer */
    uint16_t kind;
    uint8_t place;
    bool forced;
    double unchecked_reading;
};

/* 1.3 KB. Starts zeroed, padding too: the whole record is summed. */
struct gk_bench_record {
    uint64_t index; /* of the picture in its series */
    uint32_t reason;
    uint32_t count;
    struct gk_bench_candidate candidates[GK_BENCH_CANDIDATES_MAX];
    uint64_t sum; /* the journal's */
};

struct gk_bench_journal {
    int file;
    bool *done; /* by index */
    uint64_t wanted;
};

/* Opens or makes the journal at `path` for `wanted` pictures, and locks it. False, after saying why on
 * stderr. */
bool gk_bench_journal_open(const char *path, uint64_t wanted, struct gk_bench_journal *ret_journal);
void gk_bench_journal_close(struct gk_bench_journal *journal);

/* Pictures below `wanted` that are done, as of opening. */
uint64_t gk_bench_journal_done(const struct gk_bench_journal *journal);

/* Whole records on disk by now, those of other processes too. */
uint64_t gk_bench_journal_size(const struct gk_bench_journal *journal);

/* Appends; several processes may, at once. Sets `sum`. */
bool gk_bench_journal_append(const struct gk_bench_journal *journal, struct gk_bench_record *record);
void gk_bench_journal_sync(const struct gk_bench_journal *journal);

/* Between the reader's form and the journal's. Of the latter only what decides comes back. */
void gk_bench_record_fill(struct gk_bench_record *record, uint64_t index,
                          const guika_v1_internal_CompleteRecognitionRequest *result);
void gk_bench_record_candidates(const struct gk_bench_record *record,
                                guika_v1_internal_Candidate ret_candidates[GK_BENCH_CANDIDATES_MAX]);

/* Calls `visit` once for each picture below `wanted` that is done. */
void gk_bench_journal_visit(const struct gk_bench_journal *journal,
                            void (*visit)(void *context, const struct gk_bench_record *record),
                            void *context);

/* A sum of the bytes (FNV-1a, 64 bits), going on from `sum`; begin with 0. */
uint64_t gk_bench_sum(uint64_t sum, const void *bytes, size_t size);

#endif

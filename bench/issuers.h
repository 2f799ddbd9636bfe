/*
 * A country's made-up issuers for the calibration bench, as hard for a reader as real ones: blocks of
 * consecutive numbers with gaps; and scattered numbers around each of which valid neighbours, one or two
 * digits away, are registered. Which numbers are registered follows from the row alone: nothing is kept.
 */
#ifndef GUIKA_BENCH_ISSUERS_H
#define GUIKA_BENCH_ISSUERS_H

#include "bench/listing.h"
#include "tests/mint/mint.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GK_BENCH_ISSUERS = 6 };

struct gk_bench_issuer {
    const char *account; /* its name in the registry */
    const char *scheme;
    const char *binding;
    guika_v1_CardKind kind;
    enum gk_mint_kind mint_kind;
    const char *brand;       /* the mint's; NULL: none */
    const char *prefix;      /* digits that all its numbers begin with */
    unsigned payload_digits; /* behind the prefix, without a check digit */
    bool luhn;               /* a check digit follows; it makes the whole number pass */
    bool dense;              /* consecutive numbers; else scattered ones with neighbours */
    bool gaps;               /* one of ten consecutive numbers is missing */
    unsigned rows_percent;   /* of all rows; 0: `rows` */
    uint64_t rows;
};

/* `issuer` 0 to GK_BENCH_ISSUERS - 1. */
const struct gk_bench_issuer *gk_bench_issuer(size_t issuer);

/* Rows of the issuer's list, gaps too, where all lists together have about `all_rows`, at most
 * 20,000,000, without them. */
uint64_t gk_bench_issuer_rows(size_t issuer, uint64_t all_rows);

/* The number of a row; false where the row is left out (a gap). */
bool gk_bench_issuer_row(size_t issuer, uint64_t row, char ret_number[GK_BENCH_NUMBER_SIZE]);

/* Their lists, for the registry. */
void gk_bench_issuer_lists(uint64_t all_rows, struct gk_bench_list ret_lists[GK_BENCH_ISSUERS]);

/* The number on the `index`th card that is found: one of the list, or one that is not on it but close to
 * some that are. */
void gk_bench_issuer_found(size_t issuer, uint64_t all_rows, uint64_t index, bool registered,
                           char ret_number[GK_BENCH_NUMBER_SIZE]);

#endif

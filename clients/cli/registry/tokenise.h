/*
 * From a list of numbers to a list of tokens, row by row, at the issuer's. What is written says nothing about
 * a number to anybody but the holders of the index key.
 */
#ifndef GUIKA_CLIENTS_CLI_REGISTRY_TOKENISE_H
#define GUIKA_CLIENTS_CLI_REGISTRY_TOKENISE_H

#include "clients/cli/registry/list_reader.h"
#include "core/security/index_key.h"
#include "guika/v1/internal/reader.pb.h"

/* What the run asks and tells. */
struct gk_tokenise_ends {
    /* As gk_recogniser_check_number: whether the number is one of its scheme, its canonical form and kind. */
    void (*check)(void *context, const guika_v1_internal_NumberQuestion *question,
                  guika_v1_internal_NumberAnswer *ret_answer);
    /* Called for each row that has no token. `reason` never repeats the number. */
    void (*reject)(void *context, uint64_t line, const char *reason);
    void *context;
};

struct gk_tokenise_result {
    uint64_t rows; /* read */
    uint64_t rejected;
};

/* Reads all of `reader`, a list of numbers, and writes the list of tokens to `out`. UNAVAILABLE where it
 * cannot be written; else as gk_list_reader_next. `ret_result` is filled in either way. */
enum gk_status gk_tokenise_run(struct gk_list_reader *reader, const struct gk_index_key *key,
                               const struct gk_tokenise_ends *ends, FILE *out,
                               struct gk_tokenise_result *ret_result, struct gk_error *error);

#endif

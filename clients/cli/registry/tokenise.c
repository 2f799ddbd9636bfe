#include "clients/cli/registry/tokenise.h"

#include <csv.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

/* The answer's match under the scheme that the row names; NULL where there is none. */
static const guika_v1_internal_NumberMatch *find_match(const guika_v1_internal_NumberAnswer *answer,
                                                       const char *scheme)
{
    for (pb_size_t i = 0; i < answer->matches_count; i++) {
        if (strcmp(answer->matches[i].scheme, scheme) == 0) {
            return &answer->matches[i];
        }
    }
    return NULL;
}

static const char *reference_problem(const char *reference)
{
    if (reference[0] == '\0') {
        return "the reference is missing";
    }
    for (; *reference != '\0'; reference++) {
        if ((unsigned char)*reference < ' ' || *reference == 0x7F) {
            return "the reference holds a control character";
        }
    }
    return NULL;
}

static void write_row(FILE *out, const struct gk_index_key *key, const guika_v1_internal_NumberMatch *match,
                      const char *reference)
{
    const struct gk_blocks blocks = gk_index_key_blocks(key, match->scheme, match->number);
    uint8_t token[GK_TOKEN_SIZE];
    char hex[2 * GK_BLOCK_LEVELS * GK_TOKEN_SIZE + 1];

    gk_index_key_card_token(key, match->scheme, match->number, token);
    (void)sodium_bin2hex(hex, sizeof hex, token, sizeof token);
    (void)fprintf(out, "%s,%s,%u,%s,", match->scheme, gk_list_word_of_kind(match->kind), (unsigned)key->epoch,
                  hex);
    (void)sodium_bin2hex(hex, sizeof hex, blocks.tokens[0], blocks.count * GK_TOKEN_SIZE);
    (void)fprintf(out, "%s,", hex);
    (void)csv_fwrite(out, reference, strlen(reference));
    (void)fputs("\r\n", out);
}

/* What is wrong with the row; NULL: it was written. */
static const char *tokenise(const struct gk_list_row *row, const struct gk_index_key *key,
                            const struct gk_tokenise_ends *ends, FILE *out,
                            guika_v1_internal_NumberAnswer *answer)
{
    guika_v1_internal_NumberQuestion question = guika_v1_internal_NumberQuestion_init_zero;
    const char *problem = row->problem[0] != '\0' ? row->problem : reference_problem(row->card.holder_id);

    if (problem != NULL) {
        return problem;
    }
    memcpy(question.scheme, row->card.scheme, sizeof question.scheme);
    memcpy(question.number, row->card.number, sizeof question.number);
    ends->check(ends->context, &question, answer);
    sodium_memzero(&question, sizeof question);
    const guika_v1_internal_NumberMatch *match = find_match(answer, row->card.scheme);

    if (match == NULL) {
        return answer->problem[0] == '\0' ? "not a number of this scheme" : answer->problem;
    }
    if (gk_list_word_of_kind(match->kind) == NULL) {
        return "its issuer plugin names no kind of card";
    }
    write_row(out, key, match, row->card.holder_id);
    return NULL;
}

enum gk_status gk_tokenise_run(struct gk_list_reader *reader, const struct gk_index_key *key,
                               const struct gk_tokenise_ends *ends, FILE *out,
                               struct gk_tokenise_result *ret_result, struct gk_error *error)
{
    guika_v1_internal_NumberAnswer answer = guika_v1_internal_NumberAnswer_init_zero;
    struct gk_list_row row;
    enum gk_status status;

    *ret_result = (struct gk_tokenise_result){0};
    (void)fputs(GK_LIST_TOKENS_HEADER "\r\n", out);
    while ((status = gk_list_reader_next(reader, &row, error)) == GK_OK) {
        const char *problem = tokenise(&row, key, ends, out, &answer);

        ret_result->rows++;
        if (problem != NULL) {
            ret_result->rejected++;
            ends->reject(ends->context, row.line, problem);
        }
        if (ferror(out)) {
            status = gk_error_set(error, GK_UNAVAILABLE, "the list of tokens cannot be written: %s",
                                  strerror(errno));
            break;
        }
    }
    sodium_memzero(&row, sizeof row);
    sodium_memzero(&answer, sizeof answer);
    return status == GK_NOT_FOUND ? GK_OK : status;
}

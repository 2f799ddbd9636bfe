/*
 * The lists that `guika registry` reads: which columns each has, and how a line of them becomes a row.
 *
 *     cards    scheme,number,holder_id,name,language,contacts       for import
 *     tokens   scheme,kind,key_epoch,token,blocks,reference         for import; made by tokenise
 *     numbers  scheme,number,reference                              for tokenise
 *
 * Pure. No message repeats a value.
 */
#ifndef GUIKA_CLIENTS_CLI_REGISTRY_LIST_FORMAT_H
#define GUIKA_CLIENTS_CLI_REGISTRY_LIST_FORMAT_H

#include "guika/v1/issuer.pb.h"

#include <stdint.h>

#define GK_LIST_HEADER "scheme,number,holder_id,name,language,contacts"
#define GK_LIST_TOKENS_HEADER "scheme,kind,key_epoch,token,blocks,reference"
#define GK_LIST_NUMBERS_HEADER "scheme,number,reference"

enum { GK_LIST_COLUMNS_MAX = 6, GK_LIST_TEXT_SIZE = sizeof(((guika_v1_CardRow *)NULL)->contacts) };

enum gk_list_kind { GK_LIST_CARDS, GK_LIST_TOKENS, GK_LIST_NUMBERS, GK_LIST_KIND_COUNT };

/* One value of a line. */
struct gk_list_column {
    char text[GK_LIST_TEXT_SIZE]; /* terminated */
    size_t length;                /* bytes in the file, also where they do not fit */
};

/* One row of a list. */
struct gk_list_row {
    uint64_t line;           /* of the file, from 1, where the row begins */
    char problem[97];        /* why the row cannot be sent; empty: it can */
    guika_v1_CardRow card;   /* of cards; of numbers scheme, number and, as the holder_id, the reference */
    guika_v1_TokenRow token; /* of tokens */
};

/* "PAYMENT" and so on, as in the tokens' column kind. UNSPECIFIED and NULL where there is no such kind. */
guika_v1_CardKind gk_list_kind_of_word(const char *word);
const char *gk_list_word_of_kind(guika_v1_CardKind kind);

/* Whether a first line of `count` columns is the header of `kind`. */
bool gk_list_is_header(enum gk_list_kind kind, const struct gk_list_column *columns, size_t count);
const char *gk_list_header(enum gk_list_kind kind);

/* Makes a row of a line's `count` columns, of which at most GK_LIST_COLUMNS_MAX are there. `ret_row->line` is
 * left as it is. */
void gk_list_make_row(enum gk_list_kind kind, const struct gk_list_column *columns, size_t count,
                      struct gk_list_row *ret_row);

#endif

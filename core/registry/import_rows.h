/*
 * The rows of one page of an import, made ready to be written: tokens instead of numbers, sealed contacts,
 * and a reason for each row that is refused. Everything that costs time is done here, on a worker, so that
 * the committer only writes.
 */
#ifndef GUIKA_CORE_REGISTRY_IMPORT_ROWS_H
#define GUIKA_CORE_REGISTRY_IMPORT_ROWS_H

#include "core/registry/density.h"
#include "core/registry/registry_internal.h"

enum { GK_PAGE_ROWS_MAX = 500 };

struct gk_import_row {
    const char *problem; /* NULL: accepted */
    uint8_t card_token[GK_TOKEN_SIZE];
    struct gk_card_tokens
        all_tokens; /* of the number, card_token first; none where that is an issuer's own */
    uint8_t holder_token[GK_TOKEN_SIZE];
    struct gk_blocks blocks;
    guika_v1_CardKind kind;
    uint32_t key_epoch; /* of the key that card_token and blocks were made with */
    bool own_key;       /* which is the issuer's own */
    guika_v1_internal_HolderRecord holder;
    uint8_t contact_tokens[4][GK_TOKEN_SIZE]; /* of the contacts that can be asked by */
    size_t contact_count;
    char reader_problem[97]; /* where `problem` is the reader's, its text */
};

struct gk_import_rows {
    struct gk_import_row *items;
    size_t count;
};

/* Reads the page's rows and a reader's answers to them (both as in gk_registry_import_page), then its tokens.
 * INVALID_ARGUMENT: a row cannot be read or there are more than 500; INTERNAL: the answers are not one a row.
 * [worker] */
enum gk_status gk_import_rows_read(struct gk_registry *registry, const char *issuer_id,
                                   const guika_v1_ImportCardsRequest *request, struct gk_bytes answers,
                                   struct gk_import_rows *ret_rows, struct gk_error *error);
void gk_import_rows_free(struct gk_import_rows *rows);

#endif

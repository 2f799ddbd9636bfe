/*
 * What issuer plugins the readers have loaded, as they announced it: the core opens no plugin itself.
 */
#ifndef GUIKA_CORE_SHELF_H
#define GUIKA_CORE_SHELF_H

#include "guika/v1/internal/reader.pb.h"

#include <stdbool.h>
#include <stddef.h>

#define GK_SHELF_SCHEMES_MAX 32

struct gk_shelf;

struct gk_shelf *gk_shelf_new(void); /* never NULL */
void gk_shelf_free(struct gk_shelf *shelf);

/* Takes what a reader announced in place of what was there. [any] */
void gk_shelf_set(struct gk_shelf *shelf, const guika_v1_internal_AnnounceRequest *announced);

/* The issuer `id`; false where the shelf has none. [any] */
bool gk_shelf_find(struct gk_shelf *shelf, const char *id, guika_v1_internal_ShelfIssuer *ret_issuer);

/* The different number schemes of the shelf, at most GK_SHELF_SCHEMES_MAX; returns how many. [any] */
size_t gk_shelf_schemes(struct gk_shelf *shelf, char ret_schemes[GK_SHELF_SCHEMES_MAX][32]);

#endif

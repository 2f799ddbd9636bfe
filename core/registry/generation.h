/*
 * Generations: each list of cards stands under a number of its own, the first eight bytes of all its keys
 * (big-endian), so that a list is put in force by one record and erased by a few ranges. Numbers are counted
 * in the family meta and never used twice.
 */
#ifndef GUIKA_CORE_REGISTRY_GENERATION_H
#define GUIKA_CORE_REGISTRY_GENERATION_H

#include "core/security/keys.h"
#include "core/store/store.h"

enum { GK_GENERATION_SIZE = 8, GK_GENERATION_KEY_SIZE = GK_GENERATION_SIZE + GK_TOKEN_SIZE };

void gk_generation_write(uint64_t generation, uint8_t ret_bytes[GK_GENERATION_SIZE]);

/* The key of a card or holder: generation, token. */
void gk_generation_key(uint64_t generation, const uint8_t token[GK_TOKEN_SIZE],
                       uint8_t ret_key[GK_GENERATION_KEY_SIZE]);

/* Counts a new one. [committer] */
enum gk_status gk_generation_next(struct gk_transaction *transaction, uint64_t *ret_generation,
                                  struct gk_error *error);

/* Deletes all of `generation`: cards, holders, density, contacts, older tokens. [committer] */
void gk_generation_delete(struct gk_transaction *transaction, uint64_t generation);

/* As gk_generation_delete, in a commit of its own. [worker] */
enum gk_status gk_generation_erase(struct gk_store *store, uint64_t generation, struct gk_error *error);

/* Erases every generation that is not among the `count` numbers of `named`. [worker] */
enum gk_status gk_generation_sweep(struct gk_store *store, const uint64_t *named, size_t count,
                                   struct gk_error *error);

#endif

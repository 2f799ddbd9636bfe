/*
 * The cards of the shelf's bench: one issuer after another, numbers and faces after the descriptors of the
 * plugins that were built (tests/mint/issued.h). Which cards are registered follows from seed and index;
 * nothing is kept.
 */
#ifndef GUIKA_BENCH_SHELF_CARDS_H
#define GUIKA_BENCH_SHELF_CARDS_H

#include "bench/listing.h"
#include "guika/issuer.h"
#include "tests/mint/mint.h"

enum { GK_BENCH_SHELF_MOST = 64, GK_BENCH_FRAMES = 2 };

/* A row of the table: an issuer, or a brand of a plugin that has several. */
struct gk_bench_shelf_entry {
    const char *name;
    const struct guika_issuer *issuer;
    size_t first_rule, rule_count; /* of the issuer's, those of this entry */
};

struct gk_bench_shelf {
    struct gk_plugin **plugins;
    size_t plugin_count;
    struct gk_bench_shelf_entry entries[GK_BENCH_SHELF_MOST];
    size_t entry_count;
    uint64_t seed, cards;
    uint64_t sum; /* over the plugins' files */
};

/* Opens the plugins of the build folder. False, after saying why on stderr. */
bool gk_bench_shelf_open(uint64_t seed, uint64_t cards, struct gk_bench_shelf *ret_shelf);
void gk_bench_shelf_close(struct gk_bench_shelf *shelf);

/* The entry that card `index` is of: each in turn. */
size_t gk_bench_shelf_entry_of(const struct gk_bench_shelf *shelf, uint64_t index);

/* Card `index`, as it was found. False, after saying why, where the plugin's rules let no number pass. */
bool gk_bench_shelf_card(const struct gk_bench_shelf *shelf, uint64_t index, struct gk_mint_card *ret_card);

/* How it lies before the camera in frame 0 or 1: in the second the card lies where it lay, a little off, in
 * other light. */
void gk_bench_shelf_scene(const struct gk_bench_shelf *shelf, uint64_t index, unsigned frame,
                          const struct gk_mint_card *card, struct gk_mint_scene *ret_scene);

/* Lists for the registry, one a number scheme: every card that is found, for each a registered neighbour that
 * differs in a digit (and the check digit), and all of a campus's 20,000 consecutive numbers. Returns how
 * many. */
size_t gk_bench_shelf_lists(const struct gk_bench_shelf *shelf,
                            struct gk_bench_list ret_lists[GK_BENCH_SHELF_MOST]);

#endif

/*
 * Lanes: errands with the same key run one after the other, in the order they came; errands with different
 * keys do not wait for each other. On the loop.
 */
#ifndef GUIKA_CORE_LANES_H
#define GUIKA_CORE_LANES_H

#include <stddef.h>
#include <stdint.h>

#define GK_LANE_KEY_SIZE 104 /* bytes, the largest key */

/* Embedded in what has to be done. */
struct gk_errand {
    void (*start)(struct gk_errand *errand); /* its turn has come; ends with gk_lanes_finish */
    struct gk_errand *next;                  /* the lane's */
};

struct gk_lanes;

struct gk_lanes *gk_lanes_new(void);        /* never NULL */
void gk_lanes_free(struct gk_lanes *lanes); /* empty */

/* Starts `errand` now, or when those before it in the lane of `key` have finished. */
void gk_lanes_enter(struct gk_lanes *lanes, const uint8_t *key, size_t key_size, struct gk_errand *errand);

/* `errand`, whose turn it was, is over and no longer touched; the next in its lane starts. */
void gk_lanes_finish(struct gk_lanes *lanes, struct gk_errand *errand);

/* Errands that have not finished. */
size_t gk_lanes_count(const struct gk_lanes *lanes);

#endif

/*
 * What the boxes last said of themselves. Heartbeats live in memory alone: a box repeats them. On the loop.
 */
#ifndef GUIKA_CORE_BOXES_H
#define GUIKA_CORE_BOXES_H

#include "guika/v1/box.pb.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gk_boxes;

/* What a decision needs to know of a box. A box that never said anything can keep and not give back, and has
 * one front camera. */
struct gk_box_abilities {
    bool can_give_back;
    bool normal_full;
    bool difficult_full;
    uint32_t front_lamps; /* bit n: lamp n (guika_v1_Lamp) */
    uint32_t back_lamps;  /* 0: no camera there */
};

struct gk_boxes *gk_boxes_new(void); /* never NULL */
void gk_boxes_free(struct gk_boxes *boxes);

/* Takes a heartbeat. True for the first one of this box since the start. */
bool gk_boxes_heard(struct gk_boxes *boxes, const char *box_id, const guika_v1_HeartbeatRequest *heartbeat);

/* What the box last said; NULL: nothing since the start. Borrowed until it speaks again. */
const guika_v1_HeartbeatRequest *gk_boxes_latest(const struct gk_boxes *boxes, const char *box_id);

struct gk_box_abilities gk_boxes_abilities(const struct gk_boxes *boxes, const char *box_id);

#endif

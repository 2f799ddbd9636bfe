/* What the files of the queue of difficult cards share. */
#ifndef GUIKA_CORE_DIFFICULT_INTERNAL_H
#define GUIKA_CORE_DIFFICULT_INTERNAL_H

#include "core/difficult.h"
#include "core/task.h"

enum { GK_QUEUE_KEY_SIZE = 8 + GK_CASE_ID_SIZE }; /* of GK_FAMILY_DIFFICULT, bytes */

/* How far a walk through the queue goes. */
enum gk_walk { GK_WALK_NONE, GK_WALK_TOKENS, GK_WALK_ALL };

struct gk_difficult {
    struct gk_difficult_parts parts;
    size_t in_hand;
    enum gk_walk walk;   /* that runs */
    enum gk_walk wanted; /* once it has ended */
    struct gk_task next_task;
    uint8_t at[GK_QUEUE_KEY_SIZE]; /* the card that the walk is at */
    bool has_at;
    bool has_next;
    void (*on_closed)(void *context);
    void *on_closed_context;
};

/* Something that was in hand is over; frees the queue where it is closed and this was the last. */
void gk_difficult_leave(struct gk_difficult *difficult);

/* Tries a card again by itself: writes only what is new. `tokens_alone`: reads no picture. */
void gk_difficult_try(struct gk_difficult *difficult, const uint8_t case_id[GK_CASE_ID_SIZE],
                      bool tokens_alone, gk_difficult_done_fn done, void *context);

#endif

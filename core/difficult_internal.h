/* What the files of the queue of difficult cards share. */
#ifndef GUIKA_CORE_DIFFICULT_INTERNAL_H
#define GUIKA_CORE_DIFFICULT_INTERNAL_H

#include "core/difficult.h"
#include "core/task.h"

enum { GK_QUEUE_KEY_SIZE = 8 + GK_CASE_ID_SIZE }; /* of GK_FAMILY_DIFFICULT, bytes */

/* How far a walk through the queue goes. */
enum gk_walk { GK_WALK_NONE, GK_WALK_TOKENS, GK_WALK_ALL };

/* What a step of the walk leaves for a start to go on with: what is there, the beginning of this walk or of
 * the one that is wanted, or the card that was done last. */
enum gk_walk_mark { GK_MARK_KEEP, GK_MARK_BEGIN, GK_MARK_WANTED, GK_MARK_AT };

struct gk_difficult {
    struct gk_difficult_parts parts;
    size_t in_hand;
    enum gk_walk walk;   /* that runs */
    enum gk_walk wanted; /* once it has ended */
    struct gk_task next_task;
    uint8_t at[GK_QUEUE_KEY_SIZE]; /* the card that the walk is at */
    bool has_at;
    bool has_next;
    enum gk_walk_mark mark; /* that the step in hand leaves */
    bool resumes;           /* the step in hand reads the mark first, */
    bool has_mark;          /* and says whether there is one */
    bool halted;            /* no reader could be had: the next walk goes on where this one was */
    void (*on_closed)(void *context);
    void *on_closed_context;
};

/* Something that was in hand is over; frees the queue where it is closed and this was the last. */
void gk_difficult_leave(struct gk_difficult *difficult);

/* Tries a card again by itself: writes only what is new. `tokens_alone`: reads no picture. */
void gk_difficult_try(struct gk_difficult *difficult, const uint8_t case_id[GK_CASE_ID_SIZE],
                      bool tokens_alone, gk_difficult_done_fn done, void *context);

#endif

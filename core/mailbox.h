/*
 * Letters from other threads to the loop: what a worker, the committer or a callback of NNG has to say to a
 * state machine.
 *
 * Owns: one uv_async_t and a list. The letter is embedded in the sender's own struct, so posting never fails
 * and allocates nothing.
 */
#ifndef GUIKA_CORE_MAILBOX_H
#define GUIKA_CORE_MAILBOX_H

#include <uv.h>

struct gk_mail {
    void (*deliver)(struct gk_mail *mail); /* [loop] */
    struct gk_mail *next;                  /* the mailbox's */
};

struct gk_mailbox;

/* [loop] Never NULL. The mailbox alone does not keep the loop alive. */
struct gk_mailbox *gk_mailbox_open(uv_loop_t *loop);

/* Delivers what is still there and frees the mailbox once the loop has turned. Nobody posts any more. [loop]
 */
void gk_mailbox_close(struct gk_mailbox *mailbox);

/* Has `mail` delivered on the loop, in order of posting. [any] */
void gk_mailbox_post(struct gk_mailbox *mailbox, struct gk_mail *mail);

#endif

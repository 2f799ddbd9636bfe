/*
 * What time alone does to a found card: its clocks are set when state or place change, and run out into a
 * reminder, the end of its retention, and at last the erasure of what tells whose card it was.
 */
#ifndef GUIKA_CORE_FOUND_CARD_CLOCKS_H
#define GUIKA_CORE_FOUND_CARD_CLOCKS_H

#include "core/found_card.h"
#include "core/security/keys.h"

/* Where retention differs. */
enum gk_keeping {
    GK_KEEPING_BOX, /* compartment, bin, slot, jam */
    GK_KEEPING_DESK,
    GK_KEEPING_DEPOT, /* and bag, issuer */
    GK_KEEPING_COUNT
};

#define GK_CARD_KINDS 7 /* of guika_v1_CardKind; 0 stands for what is not known */

/* All in milliseconds, greater than 0. The defaults follow core/guikad.conf.example. */
struct gk_retention {
    int64_t keep_ms[GK_CARD_KINDS][GK_KEEPING_COUNT]; /* from the deposit to EXPIRED */
    int64_t remind_ms;                                /* before the end, where there is so long */
    int64_t code_ms;                                  /* how long a pickup code is good */
    int64_t erase_ms; /* from the end of the case until it forgets card and holder */
};

struct gk_retention gk_retention_default(void);

/* What a tick did. */
struct gk_tick {
    bool again;          /* more is due for this card */
    bool notice;         /* a notice may be due */
    bool opening_lapsed; /* staff have to look into this compartment */
};

/* Sets the clocks of a card whose state or kind of place is another than they were set for; `*ret_set` says
 * whether it was. Changes nothing that anybody is told of, so it adds no audit entry, and a transaction may
 * do it for many cards. [committer] */
enum gk_status gk_found_card_set_clocks(struct gk_transaction *transaction,
                                        const struct gk_retention *retention,
                                        const uint8_t case_id[GK_CASE_ID_SIZE], bool *ret_set,
                                        struct gk_error *error);

/* Does one thing that is due for the card by the store's clock, if anything is: an opening that nobody
 * reported on ends, its place uncertain; a holder who was told is reminded, with a new code; IDENTIFIED or
 * NOTIFIED -> EXPIRED; a closed case forgets card, holder, notices and deposit. [committer] */
enum gk_status gk_found_card_tick(struct gk_transaction *transaction, const struct gk_keys *keys,
                                  const struct gk_retention *retention,
                                  const uint8_t case_id[GK_CASE_ID_SIZE], struct gk_tick *ret_tick,
                                  struct gk_error *error);

#endif

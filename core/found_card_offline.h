/*
 * What happened at a box's doors while its line was down, merged into the cases: wrong tries count as if they
 * had been made online, and an opening by a grant becomes the transition that it would have been. Each entry
 * is one transition with one audit entry, whose action ends in _offline.
 *
 * A case may have changed meanwhile. What left the box has left it, so COLLECTED closes any case whose card
 * still lay behind that door: with an older code, expired, or cancelled by its issuer. Where the service
 * knows the card elsewhere or its case is over, the record stays, the place of a case that is not over
 * becomes uncertain, and `why` says what a person has to look at.
 */
#ifndef GUIKA_CORE_FOUND_CARD_OFFLINE_H
#define GUIKA_CORE_FOUND_CARD_OFFLINE_H

#include "core/found_card.h"

/* In the family meta: this and a box id name what was taken of its journal. */
#define GK_OFFLINE_PREFIX "offline/"

struct gk_offline_merged {
    bool taken;      /* false: it was taken before */
    bool collected;  /* the case is closed by it: its pictures go */
    const char *why; /* what somebody has to look at, static; NULL: nothing */
};

/* Takes the next entry of a box's journal; one that was taken before changes nothing. [committer] */
enum gk_status gk_found_card_merge_offline(struct gk_transaction *transaction, const char *box_id,
                                           const guika_v1_OfflinePickup *entry,
                                           struct gk_offline_merged *ret_merged, struct gk_error *error);

#endif

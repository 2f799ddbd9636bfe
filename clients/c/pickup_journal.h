/*
 * The journal of what a box does by its grants: tries, openings, and what came of them.
 *
 * Owns the file `pickups` in the box's folder, replaced whole and fsynced before anybody hears of what it
 * says; a power cut therefore gives no try back and opens no door twice. Lines of text, no code and nothing
 * of a holder: GKPICKUP1 JOURNAL-ID NEXT-SEQUENCE event SEQUENCE CASE ISSUE COMPARTMENT AT-MS WRONG-TRIES
 * OUTCOME   what the spool does not have yet; at most one case CASE ISSUE OPENING FAILED LOCKED-UNTIL-MS USED
 * EXPIRES-MS            of each grant that was tried end DIGEST BLAKE2b of all before
 *
 * An event stays here until the spool has it. A crash in between leaves it in both places, under one
 * sequence, and the service takes each sequence once. A damaged journal opens nothing: nobody knows what was
 * used.
 */
#ifndef GUIKA_CLIENTS_C_PICKUP_JOURNAL_H
#define GUIKA_CLIENTS_C_PICKUP_JOURNAL_H

#include "guika/v1/box.pb.h"
#include "rpc/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GK_JOURNAL_MOST 8192 /* grants that were tried and have not run out; more are refused */

/* What was done by one grant: a case, its code's issue, and the opening before. */
struct gk_tried {
    uint8_t case_id[16];
    uint32_t issue;
    uint64_t opening;
    uint32_t failed_tries;
    int64_t locked_until_ms;
    bool used; /* its door was opened, or somebody has the card: never again */
    int64_t expires_at_ms;
};

struct gk_pickup_journal {
    int directory_fd; /* borrowed */
    bool damaged;     /* the file is there and cannot be read */
    uint8_t id[8];
    uint64_t next_sequence;
    bool has_event;
    guika_v1_OfflinePickup event;
    size_t count, capacity;
    struct gk_tried *tried; /* owned */
};

void gk_pickup_journal_open(int directory_fd, struct gk_pickup_journal *ret_journal);
void gk_pickup_journal_close(struct gk_pickup_journal *journal);

/* What stands against a try by `grant`: the count and the wait of the service and of the box, whichever is
 * more. */
struct gk_tried gk_pickup_journal_tried(const struct gk_pickup_journal *journal,
                                        const guika_v1_PickupGrant *grant);

/* Each is durable when it returns GK_OK, and without effect when it does not. The first two need that no
 * event waits (FAILED_PRECONDITION). A wrong try: counted, and an event. An opening: the grant is used, and
 * an event whose outcome is not known yet. */
enum gk_status gk_pickup_journal_wrong(struct gk_pickup_journal *journal, const guika_v1_PickupGrant *grant,
                                       int64_t now_ms, struct gk_error *error);
enum gk_status gk_pickup_journal_opened(struct gk_pickup_journal *journal, const guika_v1_PickupGrant *grant,
                                        int64_t now_ms, struct gk_error *error);
/* What came of the opening that the event tells of. */
enum gk_status gk_pickup_journal_outcome(struct gk_pickup_journal *journal,
                                         guika_v1_ConfirmCollectedRequest_Outcome outcome,
                                         struct gk_error *error);
/* The spool has the event. */
enum gk_status gk_pickup_journal_spooled(struct gk_pickup_journal *journal, struct gk_error *error);
/* The card of the grant left by another way. No event. */
enum gk_status gk_pickup_journal_void(struct gk_pickup_journal *journal, const guika_v1_PickupGrant *grant,
                                      struct gk_error *error);

/* An opening whose outcome is not known. */
bool gk_pickup_journal_is_open(const struct gk_pickup_journal *journal);

/* Reads a journal's text; what it owns is the caller's to close. False where it is none. */
bool gk_pickup_journal_read(const char *text, size_t size, struct gk_pickup_journal *ret_journal);

#endif

/*
 * Pickup on a worker: what the services and the outbox do around the transitions of found_card_pickup.h.
 * Finds the case and the holder's telephone, makes the code that a notice carries, and judges what a holder
 * types. Owns nothing.
 */
#ifndef GUIKA_CORE_PICKUP_H
#define GUIKA_CORE_PICKUP_H

#include "core/found_card_clocks.h"
#include "core/found_card_pickup.h"
#include "core/notification/outbox.h"
#include "core/registry/registry.h"

/* What it works with; all borrowed. */
struct gk_pickup_parts {
    struct gk_store *store;
    const struct gk_keys *keys;
    struct gk_registry *registry;
    const struct gk_retention *retention;
};

/* What somebody enters. Strings are borrowed. */
struct gk_pickup_entry {
    const char *place; /* box or desk id */
    bool at_desk;
    const char *actor;
    const char *case_number;
    const char *code;
    const char *typed_tail;
};

/* Judges an entry and opens (at a box) or closes (at a desk) its case. A case that does not exist is
 * GK_PICKUP_WRONG. `ret_case_id` is set with RIGHT. Errors are the store's. [worker] */
enum gk_status gk_pickup_enter(const struct gk_pickup_parts *parts, const struct gk_pickup_entry *entry,
                               struct gk_pickup_answer *ret_answer, uint8_t ret_case_id[GK_CASE_ID_SIZE],
                               struct gk_error *error);

/* What a notice tells of collecting: the code in force, made anew where it has run low. NOT_FOUND where the
 * case is over; FAILED_PRECONDITION where nobody can collect the card where it is (yet). [worker] */
enum gk_status gk_pickup_tell(const struct gk_pickup_parts *parts, const uint8_t case_id[GK_CASE_ID_SIZE],
                              const guika_v1_internal_HolderContacts *holder,
                              struct gk_outbox_pickup *ret_pickup, struct gk_error *error);

/* The holder's end of telephone number, from the first contact that is one; "" where there is none. [any] */
void gk_pickup_tail_of(const guika_v1_internal_HolderContacts *holder, char ret_tail[5]);

/* The end of the telephone number of a card's holder, "" where there is none or the holder is not registered
 * any more. [worker] */
enum gk_status gk_pickup_find_tail(const struct gk_pickup_parts *parts,
                                   const guika_v1_internal_FoundCard *card, char ret_tail[5],
                                   struct gk_error *error);

#endif

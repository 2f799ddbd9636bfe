/*
 * What is true of one enquiry, and who is told: everything behind the queue of core/enquiries.
 *
 * An enquiry by a card's number is answered to the first contact of the card's holder; one by a contact, to
 * that contact. A contact is told at most once a day, whoever asked how often about which card: the notice's
 * id is an HMAC of contact and day.
 */
#ifndef GUIKA_CORE_ENQUIRY_ANSWER_H
#define GUIKA_CORE_ENQUIRY_ANSWER_H

#include "core/registry/registry.h"
#include "core/security/keys.h"
#include "core/store/store.h"
#include "guika/v1/internal/records.pb.h"

#include <stdbool.h>

#define GK_ENQUIRY_KEY_SIZE 16 /* asked_at_ms (8, big-endian), random (8) */

struct gk_enquiry_answer {
    uint8_t key[GK_ENQUIRY_KEY_SIZE];
    guika_v1_internal_EnquiryRecord record;
    guika_v1_internal_NoticeRecord notices[2]; /* about a contact; about a number */
    size_t notice_count;
    uint8_t nonce[GK_NONCE_SIZE]; /* of the code that was asked for */
};

/* Finds out what is true; key and record are set already. Errors: the store's. [worker] */
enum gk_status gk_enquiry_answer_find(struct gk_store *store, struct gk_registry *registry,
                                      const struct gk_keys *keys, int64_t now_ms,
                                      struct gk_enquiry_answer *answer, struct gk_error *error);

/* Writes what is to be told and forgets the enquiry. [committer] */
enum gk_status gk_enquiry_answer_write(struct gk_transaction *transaction,
                                       const struct gk_enquiry_answer *answer, struct gk_error *error);

#endif

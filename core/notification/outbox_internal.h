/*
 * What the outbox's own files share: the transition that ends an attempt, and making a notice ready to leave.
 */
#ifndef GUIKA_CORE_NOTIFICATION_OUTBOX_INTERNAL_H
#define GUIKA_CORE_NOTIFICATION_OUTBOX_INTERNAL_H

#include "core/notification/outbox.h"
#include "guika/v1/internal/courier.pb.h"

#define GK_NOTICE_ID_SIZE 16
#define GK_DUE_KEY_SIZE 24 /* due time (8, big-endian ms), notice id */

/* The time in a key of outbox_due, Unix milliseconds. [any] */
int64_t gk_outbox_due_ms(const uint8_t key[GK_DUE_KEY_SIZE]);

/* One attempt to deliver, and what became of it. */
struct gk_outbox_attempt {
    uint8_t notice_id[GK_NOTICE_ID_SIZE];
    uint32_t contact;       /* the one that was used */
    uint32_t contact_count; /* of the holder; 0: there is nobody to turn to */
    guika_v1_internal_CompleteNoticeRequest_Outcome outcome;
    uint32_t retry_after_ms; /* with TRY_LATER */
    int64_t now_ms;
    char detail[257];
};

/* The transition after an attempt: delivered; due again later; on to the next contact; or dead. Does nothing
 * where the notice has moved on since. [committer] */
enum gk_status gk_outbox_settle(const struct gk_outbox_options *options, struct gk_transaction *transaction,
                                const struct gk_outbox_attempt *attempt, struct gk_error *error);

enum gk_outbox_prepared {
    GK_OUTBOX_READY,  /* the text is made */
    GK_OUTBOX_STALE,  /* not due (any more) */
    GK_OUTBOX_MOVED,  /* cannot leave this way: was moved to its next contact, or is dead */
    GK_OUTBOX_FAILED, /* the store does not answer */
};

/* Makes a due notice ready: holder, contact, box, text. Fills `ret_response` but for its lease, and contact
 * and contact_count of `ret_attempt`. [worker] */
enum gk_outbox_prepared gk_outbox_prepare(const struct gk_outbox_options *options,
                                          const uint8_t notice_id[GK_NOTICE_ID_SIZE], int64_t now_ms,
                                          guika_v1_internal_LeaseNoticeResponse *ret_response,
                                          struct gk_outbox_attempt *ret_attempt, struct gk_error *error);

#endif

/*
 * Transitions of a notice: HELD -> DUE -> DELIVERED | DEAD, and HELD | DUE -> CANCELLED.
 */
#include "core/notification/messages.h"
#include "core/notification/outbox_internal.h"
#include "core/store/record.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define LONGEST_DELAY_MS (24 * HOUR_MS)

/* The longest wait after each failed attempt at one contact, some three days in all; the wait is drawn evenly
 * below it (full jitter), so that what failed together does not come back together. The first attempt is at
 * once. */
static const int64_t delays_ms[] = {5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 5 * HOUR_MS,
                                    10 * HOUR_MS,  14 * HOUR_MS,  20 * HOUR_MS,   24 * HOUR_MS};
#define DELAY_COUNT (sizeof delays_ms / sizeof delays_ms[0])

static struct gk_bytes bytes_of(const uint8_t *data, size_t size)
{
    return (struct gk_bytes){data, size};
}

static void make_due_key(int64_t due_ms, const uint8_t notice_id[GK_NOTICE_ID_SIZE],
                         uint8_t ret_key[GK_DUE_KEY_SIZE])
{
    for (size_t i = 0; i < 8; i++)
        ret_key[i] = (uint8_t)((uint64_t)due_ms >> (56 - 8 * i));
    memcpy(ret_key + 8, notice_id, GK_NOTICE_ID_SIZE);
}

int64_t gk_outbox_due_ms(const uint8_t key[GK_DUE_KEY_SIZE])
{
    uint64_t due_ms = 0;
    for (size_t i = 0; i < 8; i++)
        due_ms = due_ms << 8 | key[i];
    return (int64_t)due_ms;
}

static enum gk_status get(struct gk_transaction *transaction, const uint8_t notice_id[GK_NOTICE_ID_SIZE],
                          guika_v1_internal_NoticeRecord *ret_notice, struct gk_error *error)
{
    enum gk_status status =
        gk_record_get(transaction, GK_FAMILY_OUTBOX, bytes_of(notice_id, GK_NOTICE_ID_SIZE),
                      guika_v1_internal_NoticeRecord_fields, ret_notice, error);
    return status == GK_NOT_FOUND ? gk_error_set(error, GK_NOT_FOUND, "no such notice") : status;
}

static enum gk_status put(struct gk_transaction *transaction, const guika_v1_internal_NoticeRecord *notice,
                          struct gk_error *error)
{
    return gk_record_put(transaction, GK_FAMILY_OUTBOX, bytes_of(notice->notice_id, GK_NOTICE_ID_SIZE),
                         guika_v1_internal_NoticeRecord_fields, notice, error);
}

/* Takes the notice out of the queue, where it was in it. */
static void leave_queue(struct gk_transaction *transaction, const guika_v1_internal_NoticeRecord *notice)
{
    uint8_t key[GK_DUE_KEY_SIZE];
    if (notice->state != guika_v1_internal_NoticeRecord_State_NOTICE_DUE)
        return;
    make_due_key(notice->due_at_ms, notice->notice_id, key);
    gk_transaction_delete(transaction, GK_FAMILY_OUTBOX_DUE, bytes_of(key, sizeof key));
}

static void enter_queue(struct gk_transaction *transaction, guika_v1_internal_NoticeRecord *notice,
                        int64_t due_ms)
{
    uint8_t key[GK_DUE_KEY_SIZE];
    leave_queue(transaction, notice);
    notice->state = guika_v1_internal_NoticeRecord_State_NOTICE_DUE;
    notice->due_at_ms = due_ms;
    make_due_key(due_ms, notice->notice_id, key);
    gk_transaction_put(transaction, GK_FAMILY_OUTBOX_DUE, bytes_of(key, sizeof key), bytes_of(NULL, 0));
}

enum gk_status gk_outbox_add(struct gk_transaction *transaction, const guika_v1_internal_NoticeRecord *notice,
                             struct gk_error *error)
{
    guika_v1_internal_NoticeRecord record = *notice;
    if (record.state == guika_v1_internal_NoticeRecord_State_NOTICE_DUE)
        enter_queue(transaction, &record, record.due_at_ms);
    else if (record.state != guika_v1_internal_NoticeRecord_State_NOTICE_HELD)
        return gk_error_set(error, GK_INVALID_ARGUMENT, "a new notice is HELD (1) or DUE (2), not %d",
                            (int)record.state);
    return put(transaction, &record, error);
}

enum gk_status gk_outbox_release(struct gk_transaction *transaction, const uint8_t notice_id[16],
                                 int64_t now_ms, struct gk_error *error)
{
    guika_v1_internal_NoticeRecord notice = guika_v1_internal_NoticeRecord_init_zero;
    enum gk_status status = get(transaction, notice_id, &notice, error);
    if (status != GK_OK || notice.state != guika_v1_internal_NoticeRecord_State_NOTICE_HELD)
        return status;
    enter_queue(transaction, &notice, now_ms);
    return put(transaction, &notice, error);
}

enum gk_status gk_outbox_cancel(struct gk_transaction *transaction, const uint8_t notice_id[16],
                                struct gk_error *error)
{
    guika_v1_internal_NoticeRecord notice = guika_v1_internal_NoticeRecord_init_zero;
    enum gk_status status = get(transaction, notice_id, &notice, error);
    if (status != GK_OK || (notice.state != guika_v1_internal_NoticeRecord_State_NOTICE_HELD &&
                            notice.state != guika_v1_internal_NoticeRecord_State_NOTICE_DUE))
        return status;
    leave_queue(transaction, &notice);
    notice.state = guika_v1_internal_NoticeRecord_State_NOTICE_CANCELLED;
    return put(transaction, &notice, error);
}

/* --- the end of an attempt --- */

static void audit(struct gk_transaction *transaction, const guika_v1_internal_NoticeRecord *notice,
                  const char *action, const char *detail)
{
    bool of_case = notice->case_id.size == sizeof notice->case_id.bytes;
    gk_transaction_audit(transaction, "core", action,
                         bytes_of(of_case ? notice->case_id.bytes : notice->notice_id, GK_NOTICE_ID_SIZE),
                         detail);
}

static bool tells_of_card(const guika_v1_internal_NoticeRecord *notice)
{
    return strcmp(notice->template_id, GK_MESSAGE_CARD_FOUND) == 0 ||
           strcmp(notice->template_id, GK_MESSAGE_CARD_MOVED) == 0 ||
           strcmp(notice->template_id, GK_MESSAGE_CARD_REMINDER) == 0 ||
           strcmp(notice->template_id, GK_MESSAGE_NEW_CODE) == 0;
}

static enum gk_status settle_delivered(const struct gk_outbox_options *options,
                                       struct gk_transaction *transaction,
                                       guika_v1_internal_NoticeRecord *notice, struct gk_error *error)
{
    leave_queue(transaction, notice);
    notice->state = guika_v1_internal_NoticeRecord_State_NOTICE_DELIVERED;
    notice->attempts++;
    if (tells_of_card(notice) && options->on_delivered != NULL) {
        enum gk_status status = options->on_delivered(options->context, transaction, notice, error);
        if (status != GK_OK)
            return status;
    }
    audit(transaction, notice, "notice.deliver", notice->template_id);
    gk_transaction_count(transaction, notice->box_id, "notices_delivered");
    return put(transaction, notice, error);
}

static enum gk_status settle_next_contact(struct gk_transaction *transaction,
                                          const struct gk_outbox_attempt *attempt,
                                          guika_v1_internal_NoticeRecord *notice, struct gk_error *error)
{
    if (notice->contact + 1 < attempt->contact_count) {
        notice->contact++;
        notice->attempts = 0;
        enter_queue(transaction, notice, attempt->now_ms);
        return put(transaction, notice, error);
    }
    leave_queue(transaction, notice);
    notice->state = guika_v1_internal_NoticeRecord_State_NOTICE_DEAD;
    char detail[97];
    gk_message_clean(notice->last_detail, detail, sizeof detail);
    audit(transaction, notice, "notice.give_up", detail);
    gk_transaction_count(transaction, notice->box_id, "notices_dead");
    return put(transaction, notice, error);
}

static enum gk_status settle_later(struct gk_transaction *transaction,
                                   const struct gk_outbox_attempt *attempt,
                                   guika_v1_internal_NoticeRecord *notice, struct gk_error *error)
{
    notice->attempts++;
    if (notice->attempts > DELAY_COUNT)
        return settle_next_contact(transaction, attempt, notice, error);
    int64_t delay_ms = (int64_t)randombytes_uniform((uint32_t)delays_ms[notice->attempts - 1] + 1);
    if (delay_ms < (int64_t)attempt->retry_after_ms)
        delay_ms = (int64_t)attempt->retry_after_ms;
    if (delay_ms > LONGEST_DELAY_MS)
        delay_ms = LONGEST_DELAY_MS;
    enter_queue(transaction, notice, attempt->now_ms + delay_ms);
    return put(transaction, notice, error);
}

enum gk_status gk_outbox_settle(const struct gk_outbox_options *options, struct gk_transaction *transaction,
                                const struct gk_outbox_attempt *attempt, struct gk_error *error)
{
    guika_v1_internal_NoticeRecord notice = guika_v1_internal_NoticeRecord_init_zero;
    enum gk_status status = get(transaction, attempt->notice_id, &notice, error);
    if (status != GK_OK)
        return status;
    if (notice.state != guika_v1_internal_NoticeRecord_State_NOTICE_DUE || notice.contact != attempt->contact)
        return GK_OK;
    gk_message_clean(attempt->detail, notice.last_detail, sizeof notice.last_detail);
    switch (attempt->outcome) {
    case guika_v1_internal_CompleteNoticeRequest_Outcome_DELIVERED:
        return settle_delivered(options, transaction, &notice, error);
    case guika_v1_internal_CompleteNoticeRequest_Outcome_REFUSED:
        return settle_next_contact(transaction, attempt, &notice, error);
    default:
        return settle_later(transaction, attempt, &notice, error);
    }
}

/* Reading and writing a found card's record, its rows in clocks and by_place, and its notices. */
#include "core/found_card_internal.h"

#include "core/issuer_queue.h"
#include "core/notification/messages.h"
#include "core/notification/outbox.h"
#include "core/statistics.h"
#include "core/store/record.h"
#include "core/words.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

enum { ROW_SIZE = 8 + GK_CASE_ID_SIZE };

static struct gk_bytes case_key(const uint8_t *case_id)
{
    return (struct gk_bytes){case_id, GK_CASE_ID_SIZE};
}

/* --- what may be done with a card --- */

bool gk_found_card_is_closed(const guika_v1_internal_FoundCard *card)
{
    switch (card->state) {
    case guika_v1_CardState_CARD_STATE_GIVEN_BACK:
    case guika_v1_CardState_CARD_STATE_COLLECTED:
    case guika_v1_CardState_CARD_STATE_RETURNED:
    case guika_v1_CardState_CARD_STATE_HANDED_OVER:
    case guika_v1_CardState_CARD_STATE_DESTROYED:
        return true;
    default:
        return false;
    }
}

bool gk_found_card_is_collectable(const guika_v1_internal_FoundCard *card)
{
    return (card->state == guika_v1_CardState_CARD_STATE_IDENTIFIED ||
            card->state == guika_v1_CardState_CARD_STATE_NOTIFIED) &&
           (card->place.kind == guika_v1_internal_Place_Kind_PLACE_COMPARTMENT ||
            card->place.kind == guika_v1_internal_Place_Kind_PLACE_DESK);
}

const char *gk_found_card_place_id(const guika_v1_internal_FoundCard *card)
{
    return card->place.location[0] != '\0' ? card->place.location : card->box_id;
}

/* --- rows that go with the record --- */

uint32_t gk_found_card_clocks_key(const guika_v1_internal_FoundCard *card)
{
    return 1U + (uint32_t)card->state * 64U + (uint32_t)card->place.kind;
}

static void earlier(int64_t *due_ms, int64_t other_ms)
{
    if (other_ms != 0 && (*due_ms == 0 || other_ms < *due_ms)) {
        *due_ms = other_ms;
    }
}

/* When the clocks have to look at the card next; 0: never. */
static int64_t next_due_ms(const guika_v1_internal_FoundCard *card, int64_t now_ms)
{
    int64_t due_ms = 0;

    if (card->clocks_for != gk_found_card_clocks_key(card)) {
        return now_ms;
    }
    if (card->opened_at_ms != 0) {
        return card->opened_at_ms + GK_OPENING_MS; /* whoever stands there is not disturbed */
    }
    earlier(&due_ms, card->remind_at_ms);
    earlier(&due_ms, card->erase_at_ms);
    if (card->state == guika_v1_CardState_CARD_STATE_IDENTIFIED ||
        card->state == guika_v1_CardState_CARD_STATE_NOTIFIED) {
        earlier(&due_ms, card->expires_at_ms);
    }
    return due_ms;
}

static void time_key(const guika_v1_internal_FoundCard *card, int64_t at_ms, uint8_t ret_key[ROW_SIZE])
{
    for (unsigned i = 0; i < 8; i++) {
        ret_key[i] = (uint8_t)((uint64_t)at_ms >> (56 - 8 * i));
    }
    memcpy(ret_key + 8, card->case_id, GK_CASE_ID_SIZE);
}

bool gk_found_card_hand_over_key(const guika_v1_internal_FoundCard *card,
                                 uint8_t ret_key[GK_HAND_OVER_KEY_SIZE])
{
    const bool waits = card->state == guika_v1_CardState_CARD_STATE_EXPIRED ||
                       (card->state == guika_v1_CardState_CARD_STATE_DIFFICULT && card->expires_at_ms != 0);

    time_key(card, card->expires_at_ms, ret_key);
    return waits;
}

static void index_hand_over(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *before,
                            const guika_v1_internal_FoundCard *after)
{
    uint8_t key[GK_HAND_OVER_KEY_SIZE];

    if (before != NULL && gk_found_card_hand_over_key(before, key)) {
        gk_transaction_delete(transaction, GK_FAMILY_HAND_OVER, (struct gk_bytes){key, sizeof key});
    }
    if (gk_found_card_hand_over_key(after, key)) {
        gk_transaction_put(transaction, GK_FAMILY_HAND_OVER, (struct gk_bytes){key, sizeof key},
                           (struct gk_bytes){NULL, 0});
    }
}

/* The queue of difficult cards holds those that are DIFFICULT, and no others. */
static void keep_queue(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *before,
                       const guika_v1_internal_FoundCard *after)
{
    const bool was_in = before != NULL && before->state == guika_v1_CardState_CARD_STATE_DIFFICULT;
    const bool is_in = after->state == guika_v1_CardState_CARD_STATE_DIFFICULT;
    uint8_t key[ROW_SIZE];

    time_key(after, after->received_at_ms, key);
    if (is_in && !was_in) {
        gk_transaction_put(transaction, GK_FAMILY_DIFFICULT, (struct gk_bytes){key, sizeof key},
                           (struct gk_bytes){NULL, 0});
    } else if (was_in && !is_in) {
        gk_transaction_delete(transaction, GK_FAMILY_DIFFICULT, (struct gk_bytes){key, sizeof key});
    }
}

static void by_card_key(const guika_v1_internal_FoundCard *card,
                        uint8_t ret_key[GK_TOKEN_SIZE + GK_CASE_ID_SIZE])
{
    memcpy(ret_key, card->card_token.bytes, GK_TOKEN_SIZE);
    memcpy(ret_key + GK_TOKEN_SIZE, card->case_id, GK_CASE_ID_SIZE);
}

void gk_found_card_index(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *card)
{
    uint8_t by_time[ROW_SIZE];

    time_key(card, card->received_at_ms, by_time);
    gk_transaction_put(transaction, GK_FAMILY_FOUND_BY_TIME, (struct gk_bytes){by_time, sizeof by_time},
                       (struct gk_bytes){NULL, 0});
    if (card->card_token.size == GK_TOKEN_SIZE) {
        uint8_t by_card[GK_TOKEN_SIZE + GK_CASE_ID_SIZE];

        by_card_key(card, by_card);
        gk_transaction_put(transaction, GK_FAMILY_FOUND_BY_CARD, (struct gk_bytes){by_card, sizeof by_card},
                           (struct gk_bytes){NULL, 0});
    }
}

/* A card whose number turned out to be another one, or is forgotten, is not found by the one before. */
static void unindex_card(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *before,
                         const guika_v1_internal_FoundCard *after)
{
    uint8_t by_card[GK_TOKEN_SIZE + GK_CASE_ID_SIZE];

    if (before->card_token.size != GK_TOKEN_SIZE ||
        (after->card_token.size == GK_TOKEN_SIZE &&
         memcmp(before->card_token.bytes, after->card_token.bytes, GK_TOKEN_SIZE) == 0)) {
        return;
    }
    by_card_key(before, by_card);
    gk_transaction_delete(transaction, GK_FAMILY_FOUND_BY_CARD, (struct gk_bytes){by_card, sizeof by_card});
}

/* The holder's token names the cards that are theirs; it changes when a card is identified and when it is
 * forgotten. */
static void index_holder(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *before,
                         const guika_v1_internal_FoundCard *after)
{
    uint8_t key[GK_TOKEN_SIZE + GK_CASE_ID_SIZE];

    memcpy(key + GK_TOKEN_SIZE, after->case_id, GK_CASE_ID_SIZE);
    if (before->holder_token.size == GK_TOKEN_SIZE) {
        memcpy(key, before->holder_token.bytes, GK_TOKEN_SIZE);
        gk_transaction_delete(transaction, GK_FAMILY_FOUND_BY_HOLDER, (struct gk_bytes){key, sizeof key});
    }
    if (after->holder_token.size == GK_TOKEN_SIZE) {
        memcpy(key, after->holder_token.bytes, GK_TOKEN_SIZE);
        gk_transaction_put(transaction, GK_FAMILY_FOUND_BY_HOLDER, (struct gk_bytes){key, sizeof key},
                           (struct gk_bytes){NULL, 0});
    }
}

static void index_clock(struct gk_transaction *transaction, guika_v1_internal_FoundCard *card)
{
    const int64_t due_ms = next_due_ms(card, gk_transaction_now_ms(transaction));
    uint8_t key[ROW_SIZE];

    if (due_ms == card->due_at_ms) {
        return;
    }
    if (card->due_at_ms != 0) {
        time_key(card, card->due_at_ms, key);
        gk_transaction_delete(transaction, GK_FAMILY_CLOCKS, (struct gk_bytes){key, sizeof key});
    }
    card->due_at_ms = due_ms;
    if (due_ms != 0) {
        time_key(card, card->due_at_ms, key);
        gk_transaction_put(transaction, GK_FAMILY_CLOCKS, (struct gk_bytes){key, sizeof key},
                           (struct gk_bytes){NULL, 0});
    }
}

size_t gk_found_card_place_key(const char *place, const uint8_t *case_id, uint8_t ret_key[GK_PLACE_KEY_SIZE])
{
    const size_t length = strlen(place);

    assert(length < sizeof((guika_v1_internal_FoundCard *)NULL)->indexed_place);
    memcpy(ret_key, place, length + 1);
    if (case_id == NULL) {
        return length + 1;
    }
    memcpy(ret_key + length + 1, case_id, GK_CASE_ID_SIZE);
    return length + 1 + GK_CASE_ID_SIZE;
}

static bool is_in_keeping(guika_v1_internal_Place_Kind kind)
{
    return kind != guika_v1_internal_Place_Kind_PLACE_UNSPECIFIED &&
           kind != guika_v1_internal_Place_Kind_PLACE_FINDER &&
           kind != guika_v1_internal_Place_Kind_PLACE_HOLDER &&
           kind != guika_v1_internal_Place_Kind_PLACE_DESTROYED;
}

static void index_place(struct gk_transaction *transaction, guika_v1_internal_FoundCard *card)
{
    const char *place = is_in_keeping(card->place.kind) ? gk_found_card_place_id(card) : "";
    uint8_t key[GK_PLACE_KEY_SIZE];

    if (strcmp(place, card->indexed_place) == 0) {
        return;
    }
    if (card->indexed_place[0] != '\0') {
        const size_t size = gk_found_card_place_key(card->indexed_place, card->case_id, key);

        gk_transaction_delete(transaction, GK_FAMILY_BY_PLACE, (struct gk_bytes){key, size});
    }
    (void)snprintf(card->indexed_place, sizeof card->indexed_place, "%s", place);
    if (place[0] != '\0') {
        const size_t size = gk_found_card_place_key(card->indexed_place, card->case_id, key);

        gk_transaction_put(transaction, GK_FAMILY_BY_PLACE, (struct gk_bytes){key, size},
                           (struct gk_bytes){NULL, 0});
    }
}

/* --- the record --- */

enum gk_status gk_found_card_get(struct gk_transaction *transaction, const uint8_t *case_id,
                                 guika_v1_internal_FoundCard *ret_card, struct gk_error *error)
{
    return gk_record_get(transaction, GK_FAMILY_FOUND_CARDS, case_key(case_id),
                         guika_v1_internal_FoundCard_fields, ret_card, error);
}

enum gk_status gk_found_card_find(struct gk_transaction *transaction, const uint8_t *case_id,
                                  guika_v1_internal_FoundCard *ret_card, struct gk_error *error)
{
    const enum gk_status status = gk_found_card_get(transaction, case_id, ret_card, error);

    return status == GK_NOT_FOUND ? gk_error_set(error, GK_NOT_FOUND, "there is no such case") : status;
}

/* What a person needed to look at. */
static void forget_evidence(guika_v1_internal_FoundCard *card)
{
    card->pictures = 0;
    card->sealed_candidates.size = 0;
    card->proposed_token.size = 0;
    card->proposed_by[0] = '\0';
}

enum gk_status gk_found_card_write(struct gk_transaction *transaction, guika_v1_internal_FoundCard *card,
                                   struct gk_error *error)
{
    guika_v1_internal_FoundCard before = {0};
    const enum gk_status status = gk_found_card_get(transaction, card->case_id, &before, error);

    if (status != GK_OK && status != GK_NOT_FOUND) {
        return status;
    }
    keep_queue(transaction, status == GK_OK ? &before : NULL, card);
    index_hand_over(transaction, status == GK_OK ? &before : NULL, card);
    gk_statistics_count(transaction, status == GK_OK ? &before : NULL, card);
    card->version++;
    if (!gk_found_card_is_closed(card)) {
        card->closed_at_ms = 0;
    } else if (card->closed_at_ms == 0) {
        card->closed_at_ms = gk_transaction_now_ms(transaction);
        card->opened_at_ms = 0; /* whatever comes of an open door, the card is not behind it */
        forget_evidence(card);
    }
    unindex_card(transaction, &before, card);
    index_holder(transaction, &before, card);
    index_clock(transaction, card);
    index_place(transaction, card);
    return gk_record_put(transaction, GK_FAMILY_FOUND_CARDS, case_key(card->case_id),
                         guika_v1_internal_FoundCard_fields, card, error);
}

enum gk_status gk_found_card_put(struct gk_transaction *transaction, guika_v1_internal_FoundCard *card,
                                 const char *actor, const char *action, const char *detail,
                                 struct gk_error *error)
{
    gk_transaction_audit(transaction, actor, action, case_key(card->case_id), detail);
    return gk_found_card_write(transaction, card, error);
}

void gk_found_card_count(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *card)
{
    static const char *const names[] = {
        [guika_v1_CardState_CARD_STATE_IDENTIFIED] = "identified",
        [guika_v1_CardState_CARD_STATE_GIVEN_BACK] = "given_back",
        [guika_v1_CardState_CARD_STATE_COLLECTED] = "collected",
        [guika_v1_CardState_CARD_STATE_EXPIRED] = "expired",
        [guika_v1_CardState_CARD_STATE_RETURNED] = "returned",
        [guika_v1_CardState_CARD_STATE_HANDED_OVER] = "handed_over",
        [guika_v1_CardState_CARD_STATE_DESTROYED] = "destroyed",
    };
    char name[64];

    if (card->state == guika_v1_CardState_CARD_STATE_DIFFICULT) {
        (void)snprintf(name, sizeof name, "difficult.%s", gk_reason_word(card->reason));
        gk_transaction_count(transaction, card->box_id, name);
    } else if (card->state < sizeof names / sizeof names[0] && names[card->state] != NULL) {
        gk_transaction_count(transaction, card->box_id, names[card->state]);
    }
}

/* --- its code and its notice --- */

void gk_found_card_next_issue(struct gk_transaction *transaction, guika_v1_internal_FoundCard *card,
                              int64_t code_ms)
{
    card->issue++;
    card->code_expires_at_ms = gk_transaction_now_ms(transaction) + code_ms;
    card->failed_tries = 0;
    card->locked_until_ms = 0;
}

enum gk_status gk_found_card_cancel_notice(struct gk_transaction *transaction,
                                           const guika_v1_internal_FoundCard *card, struct gk_error *error)
{
    if (card->notice_id.size == 0) {
        return GK_OK;
    }
    const enum gk_status status = gk_outbox_cancel(transaction, card->notice_id.bytes, error);

    return status == GK_NOT_FOUND ? GK_OK : status;
}

void gk_found_card_notice_id(const struct gk_keys *keys, const uint8_t *case_id, uint32_t issue,
                             uint8_t ret_id[16])
{
    uint8_t subject[GK_CASE_ID_SIZE + 4];

    memcpy(subject, case_id, GK_CASE_ID_SIZE);
    for (unsigned i = 0; i < 4; i++) {
        subject[GK_CASE_ID_SIZE + i] = (uint8_t)(issue >> (24 - 8 * i));
    }
    gk_keys_message_id(keys, "card_notice", (struct gk_bytes){subject, sizeof subject}, ret_id);
}

void gk_found_card_decision_notice_id(const struct gk_keys *keys, const guika_v1_internal_FoundCard *card,
                                      uint8_t ret_id[16])
{
    if (card->notice_id.size == 0) {
        gk_keys_message_id(keys, GK_MESSAGE_CARD_FOUND, case_key(card->case_id), ret_id);
    } else {
        gk_found_card_notice_id(keys, card->case_id, card->issue + 1, ret_id);
    }
}

void gk_found_card_begin_notice(guika_v1_internal_FoundCard *card)
{
    if (card->notice_id.size != 0) {
        card->issue++;
        card->code_expires_at_ms = 0;
        card->failed_tries = 0;
        card->locked_until_ms = 0;
    }
}

enum gk_status gk_found_card_notify(struct gk_transaction *transaction, const struct gk_keys *keys,
                                    guika_v1_internal_FoundCard *card, const char *template_id,
                                    struct gk_error *error)
{
    guika_v1_internal_NoticeRecord notice = {0};
    const enum gk_status status = gk_found_card_cancel_notice(transaction, card, error);

    if (status != GK_OK || card->holder_token.size == 0) {
        return status; /* a holder who was forgotten is not told */
    }
    if (card->policy == guika_v1_IssuerPolicy_ISSUER_POLICY_THROUGH_ISSUER) {
        return gk_issuer_queue_add(transaction, card->issuer_account, card->case_id, error);
    }
    if (card->policy == guika_v1_IssuerPolicy_ISSUER_POLICY_ON_ENQUIRY &&
        strcmp(template_id, GK_MESSAGE_CARD_FOUND) == 0) {
        return GK_OK;
    }
    gk_found_card_notice_id(keys, card->case_id, card->issue, notice.notice_id);
    notice.state = guika_v1_internal_NoticeRecord_State_NOTICE_DUE;
    (void)snprintf(notice.template_id, sizeof notice.template_id, "%s", template_id);
    notice.case_id.size = GK_CASE_ID_SIZE;
    memcpy(notice.case_id.bytes, card->case_id, GK_CASE_ID_SIZE);
    memcpy(notice.issuer_account, card->issuer_account, sizeof notice.issuer_account);
    notice.holder_token.size = card->holder_token.size;
    memcpy(notice.holder_token.bytes, card->holder_token.bytes, card->holder_token.size);
    (void)snprintf(notice.box_id, sizeof notice.box_id, "%s", gk_found_card_place_id(card));
    memcpy(notice.issuer, card->issuer, sizeof notice.issuer);
    notice.sealed_mask.size = card->sealed_mask.size;
    memcpy(notice.sealed_mask.bytes, card->sealed_mask.bytes, card->sealed_mask.size);
    notice.created_at_ms = gk_transaction_now_ms(transaction);
    notice.due_at_ms = notice.created_at_ms;
    card->notice_id.size = sizeof notice.notice_id;
    memcpy(card->notice_id.bytes, notice.notice_id, sizeof notice.notice_id);
    return gk_outbox_add(transaction, &notice, error);
}

enum gk_status gk_found_card_renew_token(struct gk_transaction *transaction, const uint8_t *case_id,
                                         const uint8_t old_token[GK_TOKEN_SIZE],
                                         const uint8_t new_token[GK_TOKEN_SIZE], uint32_t base,
                                         struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    const enum gk_status status = gk_found_card_get(transaction, case_id, &card, error);

    if (status != GK_OK || card.own_key || card.card_token.size != GK_TOKEN_SIZE ||
        memcmp(card.card_token.bytes, old_token, GK_TOKEN_SIZE) != 0) {
        return status == GK_NOT_FOUND ? GK_OK : status;
    }
    const guika_v1_internal_FoundCard before = card;

    memcpy(card.card_token.bytes, new_token, GK_TOKEN_SIZE);
    card.base_epoch = base;
    unindex_card(transaction, &before, &card);
    gk_found_card_index(transaction, &card);
    return gk_record_put(transaction, GK_FAMILY_FOUND_CARDS, case_key(case_id),
                         guika_v1_internal_FoundCard_fields, &card, error);
}

#include "core/found_card_clocks.h"

#include "core/found_card_internal.h"
#include "core/notification/messages.h"

#include <string.h>

#define DAY_MS (INT64_C(24) * 3600 * 1000)

/* One round of what was due. */
struct round {
    struct gk_transaction *transaction;
    const struct gk_keys *keys;
    const struct gk_retention *retention;
    guika_v1_internal_FoundCard *card;
    int64_t now_ms;
    struct gk_tick *tick;
    struct gk_error *error;
};

/* Days by kind and place. London keeps three months, Japan three months of which one week in the first hands
 * (the field's figures); compartments are few, so a card does not keep one for long. Unread cards wait for a
 * plugin or a person. */
struct gk_retention gk_retention_default(void)
{
    static const uint16_t days[GK_CARD_KINDS][GK_KEEPING_COUNT] = {
        [guika_v1_CardKind_CARD_KIND_UNSPECIFIED] = {30, 90, 90},
        [guika_v1_CardKind_CARD_KIND_PAYMENT] = {14, 30, 60},
        [guika_v1_CardKind_CARD_KIND_TRANSIT] = {30, 90, 90},
        [guika_v1_CardKind_CARD_KIND_ID] = {14, 30, 60},
        [guika_v1_CardKind_CARD_KIND_CAMPUS] = {30, 90, 90},
        [guika_v1_CardKind_CARD_KIND_PARKING] = {30, 90, 90},
        [guika_v1_CardKind_CARD_KIND_OTHER] = {30, 90, 90},
    };
    struct gk_retention retention = {.remind_ms = 5 * DAY_MS, .code_ms = 7 * DAY_MS, .erase_ms = 30 * DAY_MS};

    for (unsigned kind = 0; kind < GK_CARD_KINDS; kind++) {
        for (unsigned keeping = 0; keeping < GK_KEEPING_COUNT; keeping++) {
            retention.keep_ms[kind][keeping] = days[kind][keeping] * DAY_MS;
        }
    }
    return retention;
}

static enum gk_keeping keeping_of(guika_v1_internal_Place_Kind kind)
{
    switch (kind) {
    case guika_v1_internal_Place_Kind_PLACE_DESK:
        return GK_KEEPING_DESK;
    case guika_v1_internal_Place_Kind_PLACE_BAG:
    case guika_v1_internal_Place_Kind_PLACE_DEPOT:
    case guika_v1_internal_Place_Kind_PLACE_ISSUER:
        return GK_KEEPING_DEPOT;
    default:
        return GK_KEEPING_BOX;
    }
}

static void set_clocks(guika_v1_internal_FoundCard *card, const struct gk_retention *retention,
                       int64_t now_ms)
{
    const unsigned kind = card->kind < GK_CARD_KINDS ? card->kind : 0;

    card->clocks_for = gk_found_card_clocks_key(card);
    card->remind_at_ms = 0;
    if (gk_found_card_is_closed(card)) {
        card->expires_at_ms = 0;
        card->erase_at_ms = card->closed_at_ms + retention->erase_ms;
        return;
    }
    card->erase_at_ms = 0;
    if (card->state == guika_v1_CardState_CARD_STATE_EXPIRED) {
        return; /* expires_at_ms says when that was */
    }
    card->expires_at_ms = card->received_at_ms + retention->keep_ms[kind][keeping_of(card->place.kind)];
    const int64_t remind_at_ms = card->expires_at_ms - retention->remind_ms;

    if (card->state == guika_v1_CardState_CARD_STATE_NOTIFIED && gk_found_card_is_collectable(card) &&
        remind_at_ms > now_ms) {
        card->remind_at_ms = remind_at_ms;
    }
}

enum gk_status gk_found_card_set_clocks(struct gk_transaction *transaction,
                                        const struct gk_retention *retention,
                                        const uint8_t case_id[GK_CASE_ID_SIZE], bool *ret_set,
                                        struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    const enum gk_status status = gk_found_card_find(transaction, case_id, &card, error);

    *ret_set = status == GK_OK && card.clocks_for != gk_found_card_clocks_key(&card);
    if (!*ret_set) {
        return status;
    }
    set_clocks(&card, retention, gk_transaction_now_ms(transaction));
    return gk_found_card_write(transaction, &card, error);
}

static enum gk_status end_opening(const struct round *round)
{
    round->card->opened_at_ms = 0;
    round->card->place.uncertain = true;
    round->tick->opening_lapsed = true;
    gk_transaction_count(round->transaction, gk_found_card_place_id(round->card), "openings_lapsed");
    return gk_found_card_put(round->transaction, round->card, "core", "found_card.opening_lapsed",
                             round->card->place.compartment, round->error);
}

/* A holder who was told to come is told that it is too late. */
static enum gk_status expire(const struct round *round)
{
    guika_v1_internal_FoundCard *card = round->card;
    const bool was_told = card->state == guika_v1_CardState_CARD_STATE_NOTIFIED;
    enum gk_status status;

    card->state = guika_v1_CardState_CARD_STATE_EXPIRED;
    set_clocks(card, round->retention, round->now_ms);
    gk_found_card_count(round->transaction, card);
    if (was_told) {
        gk_found_card_next_issue(round->transaction, card, round->retention->code_ms);
        status = gk_found_card_notify(round->transaction, round->keys, card, GK_MESSAGE_CARD_EXPIRED,
                                      round->error);
        round->tick->notice = true;
    } else {
        status = gk_found_card_cancel_notice(round->transaction, card, round->error);
    }
    return status != GK_OK ? status
                           : gk_found_card_put(round->transaction, card, "core", "found_card.expire",
                                               gk_found_card_place_word(card->place.kind), round->error);
}

static enum gk_status remind(const struct round *round)
{
    guika_v1_internal_FoundCard *card = round->card;

    card->remind_at_ms = 0;
    gk_found_card_next_issue(round->transaction, card, round->retention->code_ms);
    const enum gk_status status =
        gk_found_card_notify(round->transaction, round->keys, card, GK_MESSAGE_CARD_REMINDER, round->error);

    round->tick->notice = true;
    gk_transaction_count(round->transaction, card->box_id, "reminders");
    return status != GK_OK
               ? status
               : gk_found_card_put(round->transaction, card, "core", "found_card.remind", "", round->error);
}

/* --- erasure --- */

static void delete_notices(const struct round *round)
{
    const guika_v1_internal_FoundCard *card = round->card;
    const struct gk_bytes first = {card->notice_id.bytes, card->notice_id.size};
    uint8_t id[16];

    gk_keys_message_id(round->keys, "card_found", (struct gk_bytes){card->case_id, GK_CASE_ID_SIZE}, id);
    gk_transaction_delete(round->transaction, GK_FAMILY_OUTBOX, (struct gk_bytes){id, sizeof id});
    if (first.size != 0) {
        gk_transaction_delete(round->transaction, GK_FAMILY_OUTBOX, first);
    }
    for (uint32_t issue = 1; issue <= card->issue; issue++) {
        gk_found_card_notice_id(round->keys, card->case_id, issue, id);
        gk_transaction_delete(round->transaction, GK_FAMILY_OUTBOX, (struct gk_bytes){id, sizeof id});
    }
}

static void delete_indexes(const struct round *round)
{
    const guika_v1_internal_FoundCard *card = round->card;
    uint8_t deposit[GK_DEPOSIT_KEY_SIZE];
    const size_t size = gk_deposit_key(card->box_id, card->deposit_id, deposit);

    gk_transaction_delete(round->transaction, GK_FAMILY_DEPOSITS, (struct gk_bytes){deposit, size});
    gk_found_card_forget_opening(round->transaction, card);
}

static enum gk_status erase(const struct round *round)
{
    guika_v1_internal_FoundCard *card = round->card;

    delete_notices(round);
    delete_indexes(round);
    card->card_token.size = 0;
    card->holder_token.size = 0;
    card->sealed_mask.size = 0;
    card->sealed_reference.size = 0;
    card->own_tokens_count = 0;
    card->notice_id.size = 0;
    card->issuer_account[0] = '\0';
    card->scheme[0] = '\0';
    card->fencing_token = 0;
    card->erase_at_ms = 0;
    return gk_found_card_put(round->transaction, card, "core", "found_card.erase", "", round->error);
}

/* --- which of them --- */

static bool is_due(int64_t at_ms, int64_t now_ms)
{
    return at_ms != 0 && at_ms <= now_ms;
}

static enum gk_status do_what_is_due(const struct round *round)
{
    const guika_v1_internal_FoundCard *card = round->card;

    if (card->clocks_for != gk_found_card_clocks_key(card)) {
        return GK_OK; /* they are set first */
    }
    if (card->opened_at_ms != 0) {
        return is_due(card->opened_at_ms + GK_OPENING_MS, round->now_ms) ? end_opening(round) : GK_OK;
    }
    if (is_due(card->erase_at_ms, round->now_ms)) {
        return erase(round);
    }
    if (is_due(card->expires_at_ms, round->now_ms) &&
        (card->state == guika_v1_CardState_CARD_STATE_IDENTIFIED ||
         card->state == guika_v1_CardState_CARD_STATE_NOTIFIED)) {
        return expire(round);
    }
    if (is_due(card->remind_at_ms, round->now_ms)) {
        return remind(round);
    }
    return GK_OK;
}

enum gk_status gk_found_card_tick(struct gk_transaction *transaction, const struct gk_keys *keys,
                                  const struct gk_retention *retention,
                                  const uint8_t case_id[GK_CASE_ID_SIZE], struct gk_tick *ret_tick,
                                  struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    const struct round round = {transaction, keys, retention, &card, gk_transaction_now_ms(transaction),
                                ret_tick,    error};
    enum gk_status status = gk_found_card_find(transaction, case_id, &card, error);

    *ret_tick = (struct gk_tick){.again = false};
    if (status == GK_OK) {
        status = do_what_is_due(&round);
    }
    ret_tick->again = status == GK_OK && card.clocks_for == gk_found_card_clocks_key(&card) &&
                      is_due(card.due_at_ms, round.now_ms);
    return status;
}

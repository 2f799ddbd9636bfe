#include "core/found_card_custody.h"

#include "core/found_card_internal.h"
#include "core/notification/messages.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

typedef guika_v1_internal_Place_Kind place_t;

const char *gk_found_card_place_word(guika_v1_internal_Place_Kind kind)
{
    static const char *const words[] = {"UNSPECIFIED", "FINDER", "SLOT",     "COMPARTMENT", "BIN",
                                        "JAMMED",      "BAG",    "DEPOT",    "DESK",        "ISSUER",
                                        "AUTHORITY",   "HOLDER", "DESTROYED"};

    assert(kind < sizeof words / sizeof words[0]);
    return words[kind];
}

static bool may_be_moved(const guika_v1_internal_FoundCard *card)
{
    return !gk_found_card_is_closed(card) && card->state != guika_v1_CardState_CARD_STATE_RECEIVED;
}

static bool is_same_place(const guika_v1_internal_FoundCard *card, const guika_v1_internal_Place *place)
{
    return card->place.kind == place->kind && strcmp(card->place.compartment, place->compartment) == 0 &&
           strcmp(gk_found_card_place_id(card), place->location) == 0;
}

static enum gk_status tell_of_move(struct gk_transaction *transaction, const struct gk_keys *keys,
                                   guika_v1_internal_FoundCard *card, int64_t code_ms, struct gk_error *error)
{
    const bool was_told = card->state == guika_v1_CardState_CARD_STATE_NOTIFIED;

    if (!gk_found_card_is_collectable(card)) {
        return gk_found_card_cancel_notice(transaction, card, error);
    }
    gk_found_card_next_issue(transaction, card, code_ms);
    return gk_found_card_notify(transaction, keys, card,
                                was_told ? GK_MESSAGE_CARD_MOVED : GK_MESSAGE_CARD_FOUND, error);
}

enum gk_status gk_found_card_move(struct gk_transaction *transaction, const struct gk_keys *keys,
                                  const char *actor, const uint8_t case_id[GK_CASE_ID_SIZE],
                                  const guika_v1_internal_Place *place, int64_t code_ms,
                                  struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    char detail[97];
    enum gk_status status = gk_found_card_find(transaction, case_id, &card, error);

    if (status != GK_OK) {
        return status;
    }
    if (!may_be_moved(&card)) {
        return gk_error_set(error, GK_FAILED_PRECONDITION, "the case is closed, or not yet decided");
    }
    const bool same = is_same_place(&card, place);

    if (same && !card.place.uncertain) {
        return GK_OK;
    }
    card.place = *place;
    card.place.misplaced = false;
    card.opened_at_ms = 0;
    if (card.stored_at_ms == 0) {
        card.stored_at_ms = gk_transaction_now_ms(transaction);
    }
    status = same ? GK_OK : tell_of_move(transaction, keys, &card, code_ms, error);
    if (status != GK_OK) {
        return status;
    }
    gk_transaction_count(transaction, card.box_id, "moved");
    (void)snprintf(detail, sizeof detail, "%s %s %s", gk_found_card_place_word(place->kind), place->location,
                   place->compartment);
    return gk_found_card_put(transaction, &card, actor, "found_card.move", detail, error);
}

/* --- the end --- */

static place_t place_after(guika_v1_CardState state)
{
    switch (state) {
    case guika_v1_CardState_CARD_STATE_RETURNED:
        return guika_v1_internal_Place_Kind_PLACE_ISSUER;
    case guika_v1_CardState_CARD_STATE_HANDED_OVER:
        return guika_v1_internal_Place_Kind_PLACE_AUTHORITY;
    default:
        return guika_v1_internal_Place_Kind_PLACE_DESTROYED;
    }
}

static bool may_end(guika_v1_CardState before, guika_v1_CardState after)
{
    const bool goes_away = after == guika_v1_CardState_CARD_STATE_HANDED_OVER ||
                           after == guika_v1_CardState_CARD_STATE_DESTROYED;

    return (before == guika_v1_CardState_CARD_STATE_EXPIRED &&
            (goes_away || after == guika_v1_CardState_CARD_STATE_RETURNED)) ||
           (before == guika_v1_CardState_CARD_STATE_DIFFICULT && goes_away);
}

enum gk_status gk_found_card_end(struct gk_transaction *transaction, const char *actor,
                                 const uint8_t case_id[GK_CASE_ID_SIZE], guika_v1_CardState state,
                                 const char *location, struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    enum gk_status status = gk_found_card_find(transaction, case_id, &card, error);

    if (status != GK_OK || card.state == state) {
        return status;
    }
    if (!may_end(card.state, state)) {
        return gk_error_set(
            error, GK_FAILED_PRECONDITION,
            "an expired card can be returned, handed over or destroyed; a difficult one handed "
            "over or destroyed; this one is neither");
    }
    card.state = state;
    card.place = (guika_v1_internal_Place){.kind = place_after(state)};
    (void)snprintf(card.place.location, sizeof card.place.location, "%s", location);
    gk_found_card_count(transaction, &card);
    status = gk_found_card_cancel_notice(transaction, &card, error);
    return status != GK_OK
               ? status
               : gk_found_card_put(transaction, &card, actor,
                                   state == guika_v1_CardState_CARD_STATE_RETURNED ? "found_card.return"
                                   : state == guika_v1_CardState_CARD_STATE_HANDED_OVER
                                       ? "found_card.hand_over"
                                       : "found_card.destroy",
                                   location, error);
}

enum gk_status gk_found_card_supersede(struct gk_transaction *transaction,
                                       const uint8_t case_id[GK_CASE_ID_SIZE],
                                       const uint8_t by[GK_CASE_ID_SIZE], struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    guika_v1_internal_FoundCard again = {0};
    int64_t opened_at_ms = 0;
    char detail[97];
    char number[10];
    enum gk_status status = gk_found_card_find(transaction, case_id, &card, error);

    if (status != GK_OK || !card.place.uncertain || !gk_found_card_is_collectable(&card)) {
        return status;
    }
    status = gk_found_card_find(transaction, by, &again, error);
    if (status == GK_OK) {
        status = gk_found_card_latest_opening(transaction, &card, &opened_at_ms, error);
    }
    if (status != GK_OK || again.received_at_ms < opened_at_ms) {
        return status;
    }
    card.state = guika_v1_CardState_CARD_STATE_COLLECTED;
    card.place = (guika_v1_internal_Place){.kind = guika_v1_internal_Place_Kind_PLACE_HOLDER};
    gk_found_card_count(transaction, &card);
    status = gk_found_card_cancel_notice(transaction, &card, error);
    if (status != GK_OK) {
        return status;
    }
    gk_message_case_number(by, number);
    (void)snprintf(detail, sizeof detail, "found again as %s", number);
    return gk_found_card_put(transaction, &card, "core", "found_card.supersede", detail, error);
}

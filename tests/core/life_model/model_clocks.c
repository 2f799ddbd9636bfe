/* What time does: the figures are those of guikad.conf.example. */
#include "tests/core/life_model/model.h"

enum { IN_BOX, STAFFED, STORED_AWAY };

static int64_t retention(const struct model_card *card)
{
    static const int64_t days[][3] = {
        [guika_v1_CardKind_CARD_KIND_UNSPECIFIED] = {30, 90, 90},
        [guika_v1_CardKind_CARD_KIND_PAYMENT] = {14, 30, 60},
        [guika_v1_CardKind_CARD_KIND_TRANSIT] = {30, 90, 90},
        [guika_v1_CardKind_CARD_KIND_ID] = {14, 30, 60},
        [guika_v1_CardKind_CARD_KIND_CAMPUS] = {30, 90, 90},
    };
    const bool away = card->place == IN_BAG || card->place == IN_DEPOT || card->place == AT_ISSUER;

    return days[card->kind][card->place == AT_DESK ? STAFFED : away ? STORED_AWAY : IN_BOX] * DAY_MS;
}

static uint32_t clocks_key(const struct model_card *card)
{
    return 1 + (uint32_t)card->state * 64 + (uint32_t)card->place;
}

static void set_clocks(const struct model *model, struct model_card *card)
{
    card->clocks_for = clocks_key(card);
    card->remind_at_ms = 0;
    if (model_is_closed(card)) {
        card->expires_at_ms = 0;
        card->erase_at_ms = card->closed_at_ms + 30 * DAY_MS;
        return;
    }
    card->erase_at_ms = 0;
    if (card->state == EXPIRED) {
        return;
    }
    card->expires_at_ms = card->received_at_ms + retention(card);
    if (card->state == NOTIFIED && model_is_collectable(card) &&
        card->expires_at_ms - 5 * DAY_MS > model->now_ms) {
        card->remind_at_ms = card->expires_at_ms - 5 * DAY_MS;
    }
}

/* The card lies here now: an earlier case of the same number, of which a holder may have taken the card
 * before this one was found, is over. */
static bool supersede(struct model *model, const struct model_card *card)
{
    bool did = false;

    if (card->number == NO_NUMBER || card->stored_at_ms == 0 || model_is_closed(card) || card->uncertain) {
        return false;
    }
    for (uint32_t i = 0; i < model->card_count; i++) {
        struct model_card *other = &model->cards[i];

        if (other != card && other->number == card->number && other->uncertain &&
            model_is_collectable(other) && card->received_at_ms >= other->opening_at_ms) {
            model_set_state(model, other, COLLECTED);
            model_place(other, AT_HOLDER, 0, -1);
            model_cancel_notice(other);
            model_audit(model, other);
            did = true;
        }
    }
    return did;
}

static void expire(struct model *model, struct model_card *card)
{
    const bool was_told = card->state == NOTIFIED;

    model_set_state(model, card, EXPIRED);
    set_clocks(model, card);
    if (was_told) {
        model_next_issue(model, card);
        model_tell(model, card, WORD_EXPIRED);
    } else {
        model_cancel_notice(card);
    }
}

static void erase(struct model_card *card)
{
    card->erased = true;
    card->number = NO_NUMBER;
    card->holder = HOLDER_NONE;
    card->has_reference = false;
    card->queued = false;
    card->notice_count = 0;
    card->notice = -1;
    card->opening = 0;
    card->erase_at_ms = 0;
}

static bool is_due(const struct model *model, int64_t at_ms)
{
    return at_ms != 0 && at_ms <= model->now_ms;
}

/* Does one thing that is due; false where nothing is. */
static bool tick(struct model *model, struct model_card *card)
{
    if (card->clocks_for != clocks_key(card)) {
        return false;
    }
    if (card->opened_at_ms != 0) {
        if (!is_due(model, card->opened_at_ms + 10 * MINUTE_MS)) {
            return false;
        }
        card->opened_at_ms = 0;
        card->uncertain = true;
    } else if (is_due(model, card->erase_at_ms)) {
        erase(card);
    } else if (model_is_live(card) && is_due(model, card->expires_at_ms)) {
        expire(model, card);
    } else if (is_due(model, card->remind_at_ms)) {
        card->remind_at_ms = 0;
        model_next_issue(model, card);
        model_tell(model, card, WORD_REMINDER);
    } else {
        return false;
    }
    model_audit(model, card);
    return true;
}

void model_sweep(struct model *model)
{
    bool set[CARDS_MAX] = {false};
    bool more;

    do {
        more = false;
        for (uint32_t i = 0; i < model->card_count; i++) {
            struct model_card *card = &model->cards[i];

            set[i] = !card->erased && card->clocks_for != clocks_key(card);
            if (set[i]) {
                set_clocks(model, card);
                model_touch(model, card);
            }
        }
        for (uint32_t i = 0; i < model->card_count; i++) {
            more = (set[i] && supersede(model, &model->cards[i])) || more;
        }
        for (uint32_t i = 0; i < model->card_count; i++) {
            while (!model->cards[i].erased && tick(model, &model->cards[i])) {
                more = true;
            }
        }
    } while (more);
}

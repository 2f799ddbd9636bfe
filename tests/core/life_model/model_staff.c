/* Custody: what people carry where, and how a card leaves for good. */
#include "tests/core/life_model/model.h"

static bool is_in_box(const struct model_card *card)
{
    return card->place == IN_SLOT || card->place == IN_COMPARTMENT || card->place == IN_BIN ||
           card->place == IS_JAMMED;
}

bool model_is_to_take(const struct model_card *card)
{
    return card->place == IS_JAMMED || card->place == IN_BIN || card->uncertain || card->state == DIFFICULT ||
           card->state == EXPIRED;
}

bool model_lies_in(const struct model_card *card, uint32_t box)
{
    return is_in_box(card) && !model_is_closed(card) && card->at == box;
}

static enum gk_status carry(struct model *model, struct model_card *card, guika_v1_internal_Place_Kind place,
                            uint32_t at, int compartment)
{
    const bool is_same = card->place == place && card->at == at && card->compartment == compartment;

    if (model_is_closed(card) || card->state == RECEIVED) {
        return GK_FAILED_PRECONDITION;
    }
    if (is_same && !card->uncertain) {
        return GK_OK;
    }
    card->opened_at_ms = 0;
    card->misplaced = false;
    card->uncertain = false;
    if (card->stored_at_ms == 0) {
        card->stored_at_ms = model->now_ms;
    }
    if (!is_same) {
        const bool was_told = card->state == NOTIFIED;

        model_place(card, place, at, compartment);
        card->zone = place == IN_BIN           ? ZONE_BIN
                     : place == IN_COMPARTMENT ? ZONE_NORMAL
                                               : guika_v1_Zone_ZONE_UNSPECIFIED;
        if (model_is_collectable(card)) {
            model_next_issue(model, card);
            model_tell(model, card, was_told ? WORD_MOVED : WORD_FOUND);
        } else {
            model_cancel_notice(card);
        }
    }
    model_audit(model, card);
    return GK_OK;
}

static enum gk_status move(struct model *model, struct model_card *card, const struct operation *operation)
{
    const guika_v1_internal_Place_Kind place = (guika_v1_internal_Place_Kind)operation->what;
    const bool in_box = place == IN_COMPARTMENT || place == IN_BIN;
    const uint32_t at = in_box ? operation->where % BOXES : place == AT_DESK ? operation->where % DESKS : 0;
    const int compartment = place == IN_COMPARTMENT ? 1 + (int)(operation->where / BOXES % 3) : -1;

    for (uint32_t i = 0; i < model->card_count && place == IN_COMPARTMENT; i++) {
        const struct model_card *other = &model->cards[i];

        if (other != card && other->place == IN_COMPARTMENT && other->at == at &&
            other->compartment == compartment) {
            return GK_FAILED_PRECONDITION;
        }
    }
    return carry(model, card, place, at, place == IN_BIN ? 1 : compartment);
}

static enum gk_status take(struct model *model, struct model_card *card, const struct operation *operation)
{
    const uint32_t box = is_in_box(card) ? card->at : operation->box;

    if (!model_lies_in(card, box) && (card->place != IN_BAG || model_is_closed(card))) {
        return GK_FAILED_PRECONDITION;
    }
    return carry(model, card, IN_BAG, 0, -1);
}

static void serve(struct model *model, uint32_t box)
{
    for (uint32_t i = 0; i < model->card_count; i++) {
        struct model_card *card = &model->cards[i];

        if (model_lies_in(card, box) && model_is_to_take(card)) {
            (void)carry(model, card, IN_BAG, 0, -1);
        }
    }
}

static enum gk_status close(struct model *model, struct model_card *card, guika_v1_CardState state)
{
    const bool may_end = card->state == EXPIRED || (card->state == DIFFICULT && state != RETURNED);

    if (card->state == state) {
        return GK_OK;
    }
    if (!may_end) {
        return GK_FAILED_PRECONDITION;
    }
    model_set_state(model, card, state);
    model_place(card,
                state == RETURNED      ? AT_ISSUER
                : state == HANDED_OVER ? AT_AUTHORITY
                                       : IS_DESTROYED,
                0, -1);
    model_cancel_notice(card);
    model_audit(model, card);
    return GK_OK;
}

static enum gk_status give_up(struct model *model, struct model_card *card)
{
    if (!model_is_live(card)) {
        return GK_FAILED_PRECONDITION;
    }
    model_cancel_notice(card);
    model_set_state(model, card, EXPIRED);
    card->expires_at_ms = model->now_ms;
    model_audit(model, card);
    return GK_OK;
}

enum gk_status model_staff(struct model *model, const struct operation *operation)
{
    struct model_card *card;

    if (operation->kind == OP_SERVICE) {
        serve(model, operation->box);
        return GK_OK;
    }
    card = model_find(model, operation->card);
    if (card == NULL) {
        model->did = false;
        return GK_OK;
    }
    model_touch(model, card);
    switch (operation->kind) {
    case OP_TAKE:
        return take(model, card, operation);
    case OP_MOVE:
        return move(model, card, operation);
    case OP_CLOSE:
        return close(model, card, (guika_v1_CardState)operation->what);
    default:
        return give_up(model, card);
    }
}

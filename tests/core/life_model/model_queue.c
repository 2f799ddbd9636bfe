/* Difficult cards. */
#include "tests/core/life_model/model.h"

/* What was found out becomes of the card; true where it is identified. */
static bool settle(struct model *model, struct model_card *card, uint32_t number, guika_v1_Reason reason)
{
    card->proposed = NO_NUMBER;
    if (!model_judge(model, card, number, reason, true)) {
        return false;
    }
    model_identify(model, card);
    return true;
}

/* An ID card whose number a person types needs another person who types the same. */
static enum gk_status resolve(struct model *model, struct model_card *card, const struct operation *operation)
{
    const uint32_t number = operation->reading;
    enum gk_status status = GK_OK;

    if (world_numbers[number].kind != guika_v1_CardKind_CARD_KIND_ID || card->proposed == number) {
        if (world_numbers[number].kind != guika_v1_CardKind_CARD_KIND_ID ||
            card->proposed_by != operation->what) {
            (void)settle(model, card, number, REASON_NONE);
        }
    } else if (card->proposed == NO_NUMBER || card->proposed_by == operation->what) {
        card->proposed = number;
        card->proposed_by = operation->what;
    } else {
        card->proposed = NO_NUMBER;
        status = GK_FAILED_PRECONDITION;
    }
    model_audit(model, card);
    return status;
}

static void read_again(struct model *model, struct model_card *card, const struct operation *operation)
{
    const bool is_number = operation->reading < NUMBERS;

    (void)settle(model, card, is_number ? operation->reading : NO_NUMBER,
                 is_number ? REASON_NONE : (guika_v1_Reason)(operation->reading - READING_REASON));
}

static enum gk_status retry(struct model *model, struct model_card *card, const struct operation *operation)
{
    if (card->number != NO_NUMBER) {
        (void)settle(model, card, card->number, REASON_NONE);
    } else if (card->picture) {
        read_again(model, card, operation);
    } else {
        return GK_FAILED_PRECONDITION;
    }
    model_audit(model, card);
    return GK_OK;
}

/* By itself: what changes nothing leaves no trace. */
static void try_one(struct model *model, struct model_card *card, const struct operation *operation)
{
    const struct model_card before = *card;

    if (card->number != NO_NUMBER) {
        (void)settle(model, card, card->number, REASON_NONE);
    } else if (card->picture && operation != NULL) {
        read_again(model, card, operation);
    } else {
        return;
    }
    if (card->state != before.state || card->reason != before.reason) {
        model_audit(model, card);
    } else {
        *card = before;
    }
}

void model_try_all(struct model *model, const struct operation *operation)
{
    for (uint32_t i = 0; i < model->card_count; i++) {
        if (model->cards[i].state == DIFFICULT) {
            try_one(model, &model->cards[i], operation);
        }
    }
}

static enum gk_status leave(struct model *model, struct model_card *card, guika_v1_CardState state,
                            guika_v1_internal_Place_Kind place)
{
    model_set_state(model, card, state);
    model_place(card, place, 0, -1);
    model_audit(model, card);
    return GK_OK;
}

static enum gk_status view(struct model *model, struct model_card *card)
{
    if (!card->picture) {
        return GK_NOT_FOUND;
    }
    model_audit(model, card);
    return GK_OK;
}

enum gk_status model_queue(struct model *model, const struct operation *operation)
{
    struct model_card *card;

    if (operation->kind == OP_PLUGIN) {
        model_try_all(model, operation);
        return GK_OK;
    }
    card = model_find(model, operation->card);
    if (card == NULL) {
        model->did = false;
        return GK_OK;
    }
    model_touch(model, card);
    if (card->state != DIFFICULT) {
        return GK_FAILED_PRECONDITION;
    }
    switch (operation->kind) {
    case OP_RESOLVE:
        return resolve(model, card, operation);
    case OP_RETRY:
        return retry(model, card, operation);
    case OP_VIEW:
        return view(model, card);
    case OP_DISCARD:
        return leave(model, card, DESTROYED, IS_DESTROYED);
    default:
        return operation->what == 0 && card->number == NO_NUMBER ? GK_INVALID_ARGUMENT
                                                                 : leave(model, card, HANDED_OVER, AT_ISSUER);
    }
}

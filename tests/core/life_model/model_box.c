/* What a box does with a card that drops in. */
#include "tests/core/life_model/model.h"

/* What is done with a card, from what a reader makes of it and what its box can do. */
static void decide(struct model *model, struct model_card *card, const struct operation *operation)
{
    const uint32_t abilities = model->abilities[card->box];
    const bool gives_back = (abilities & BOX_GIVES_BACK) != 0;
    const bool normal_full = (abilities & BOX_NORMAL_FULL) != 0;
    const bool bin_full = (abilities & BOX_BIN_FULL) != 0;
    const uint32_t number = operation->reading < NUMBERS ? operation->reading : NO_NUMBER;
    const bool is_full = gives_back && normal_full && bin_full;
    const bool asks = number == NO_NUMBER && !card->asked_for_frames && operation->may_ask &&
                      (abilities & BOX_HAS_LAMPS) != 0;
    const bool goes_back =
        is_full ||
        (!asks && gives_back && (operation->reading == READING_REASON + REASON_NOT_A_CARD || bin_full));
    const bool identified =
        model_judge(model, card, number, (guika_v1_Reason)(operation->reading - READING_REASON), !goes_back);

    card->audited++;
    card->clocks_for = 0; /* they are set anew */
    card->expires_at_ms = 0;
    if (is_full && identified) {
        card->holder = HOLDER_NONE;
        card->through_issuer = false;
        card->has_reference = false;
    }
    if (identified && !is_full) {
        card->decided_zone = normal_full ? ZONE_BIN : ZONE_NORMAL;
        model_identify(model, card);
    } else if (goes_back) {
        model_set_state(model, card, GIVEN_BACK);
        model_place(card, AT_FINDER, 0, -1);
    } else if (asks) {
        model_set_state(model, card, RECEIVED);
        card->asked_for_frames = true;
        card->picture = !operation->no_picture;
    } else {
        card->decided_zone = ZONE_BIN;
        card->picture = card->picture || !operation->no_picture;
        model_set_state(model, card, DIFFICULT);
    }
    model_touch(model, card);
}

static void deposit(struct model *model, const struct operation *operation, uint32_t name, uint32_t box)
{
    decide(model, model_add(model, name, box % BOXES), operation);
}

/* Nobody takes another picture of it. */
static void become_difficult(struct model *model, struct model_card *card)
{
    card->decided_zone = ZONE_BIN;
    if (card->reason == REASON_NONE) {
        card->reason = REASON_UNREADABLE;
    }
    model_set_state(model, card, DIFFICULT);
}

static void lie(struct model *model, struct model_card *card, guika_v1_Zone zone)
{
    model_place(card, zone == ZONE_NORMAL ? IN_COMPARTMENT : IN_BIN, card->box, 0);
    card->zone = zone;
    card->stored_at_ms = model->now_ms;
    if (card->state == RECEIVED || card->state == GIVEN_BACK) {
        become_difficult(model, card);
    }
    card->misplaced = card->zone != card->decided_zone;
    if (card->state == IDENTIFIED && card->through_issuer && card->holder != HOLDER_NONE) {
        card->queued = true;
    } else if (model_is_collectable(card) && card->notice >= 0 &&
               card->notices[card->notice].state == NOTICE_HELD) {
        card->notices[card->notice].state = NOTICE_DUE;
        card->notices[card->notice].due_at_ms = model->now_ms;
    }
}

static void follow(struct model *model, struct model_card *card, const struct operation *operation)
{
    switch (card->outcome) {
    case guika_v1_ConfirmStoredRequest_Outcome_STORED:
        lie(model, card, (guika_v1_Zone)operation->where);
        break;
    case guika_v1_ConfirmStoredRequest_Outcome_JAMMED:
        model_place(card, IS_JAMMED, card->box, -1);
        if (card->state == RECEIVED || card->state == GIVEN_BACK) {
            become_difficult(model, card);
        }
        break;
    default:
        model_set_state(model, card, GIVEN_BACK);
        model_place(card, AT_FINDER, 0, -1);
        model_cancel_notice(card);
    }
}

/* A jam may become anything later; all else is final. What staff have carried away since, the box knows
 * nothing of. */
static enum gk_status confirm(struct model *model, struct model_card *card, const struct operation *operation)
{
    const guika_v1_ConfirmStoredRequest_Outcome before = card->outcome;

    if (before == operation->what) {
        return GK_OK;
    }
    if (before != guika_v1_ConfirmStoredRequest_Outcome_OUTCOME_UNSPECIFIED &&
        before != guika_v1_ConfirmStoredRequest_Outcome_JAMMED) {
        return GK_FAILED_PRECONDITION;
    }
    card->outcome = (guika_v1_ConfirmStoredRequest_Outcome)operation->what;
    if (card->place == IN_SLOT || card->place == IS_JAMMED || card->place == AT_FINDER) {
        follow(model, card, operation);
    }
    model_audit(model, card);
    return GK_OK;
}

enum gk_status model_box(struct model *model, const struct operation *operation)
{
    struct model_card *card;

    switch (operation->kind) {
    case OP_DEPOSIT:
    case OP_DEPOSIT_RACE:
        deposit(model, operation, 2 * operation->id, operation->box);
        return GK_OK;
    case OP_DEPOSIT_TWO:
        deposit(model, operation, 2 * operation->id, operation->box);
        deposit(model, operation, 2 * operation->id + 1, operation->box + 1);
        return GK_OK;
    case OP_HEARTBEAT:
        model->abilities[operation->box] = operation->what;
        return GK_OK;
    default:
        break;
    }
    card = model_find(model, operation->card);
    if (card == NULL) {
        model->did = false;
        return GK_OK;
    }
    model_touch(model, card);
    if (operation->kind == OP_STORE) {
        return confirm(model, card, operation);
    }
    if (operation->kind == OP_ADD_FRAMES) {
        if (card->state == RECEIVED) {
            decide(model, card, operation);
        }
        return GK_OK;
    }
    return operation->what == 1 ? GK_ALREADY_EXISTS : GK_OK;
}

void model_crash(struct model *model)
{
    for (uint32_t i = 0; i < BOXES; i++) {
        model->abilities[i] = 0;
    }
    for (uint32_t i = 0; i < model->card_count; i++) {
        struct model_card *card = &model->cards[i];

        if (card->state == RECEIVED) {
            become_difficult(model, card);
            model_audit(model, card);
        }
    }
    model_try_all(model, NULL);
}

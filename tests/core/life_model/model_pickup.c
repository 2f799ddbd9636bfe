/* Codes, and what comes of them. */
#include "tests/core/life_model/model.h"

enum { FREE_TRIES = 5 };

static bool has_telephone(const struct model *model, const struct model_card *card)
{
    const char *const *contacts;

    if (card->holder != HOLDER_LISTED || !model_is_listed(model, card->number)) {
        return false;
    }
    contacts = world_numbers[card->number].contacts;
    return (contacts[0] != NULL && contacts[0][1] == 'm' && contacts[0][2] == 's') ||
           (contacts[1] != NULL && contacts[1][1] == 'm' && contacts[1][2] == 's');
}

/* The holder enters the code of the last message; one of six digits is good only with their telephone. */
static bool is_right(const struct model *model, const struct model_card *card,
                     const struct operation *operation)
{
    return operation->right && card->told_issue != 0 && card->told_issue == card->issue &&
           (!card->told_short || has_telephone(model, card));
}

static enum gk_status enter(struct model *model, struct model_card *card, const struct operation *operation,
                            bool is_here)
{
    if (!is_here || card->issue == 0) {
        return GK_PERMISSION_DENIED;
    }
    if (model->now_ms < card->locked_until_ms) {
        return GK_RESOURCE_EXHAUSTED;
    }
    if (!is_right(model, card, operation)) {
        card->tries++;
        if (card->tries >= FREE_TRIES) {
            const uint32_t doublings = card->tries - FREE_TRIES;
            const int64_t wait_ms = doublings < 11 ? MINUTE_MS << doublings : DAY_MS;

            card->locked_until_ms = model->now_ms + (wait_ms < DAY_MS ? wait_ms : DAY_MS);
        }
        model_audit(model, card);
        return GK_PERMISSION_DENIED;
    }
    return model->now_ms >= card->code_expires_at_ms ? GK_FAILED_PRECONDITION : GK_OK;
}

static enum gk_status open_box(struct model *model, struct model_card *card,
                               const struct operation *operation)
{
    const uint32_t box =
        card->place == IN_COMPARTMENT ? (card->at + operation->where) % BOXES : operation->where % BOXES;
    const enum gk_status status =
        enter(model, card, operation,
              model_is_collectable(card) && card->place == IN_COMPARTMENT && card->at == box);

    if (status == GK_OK) {
        card->opening = ++model->openings;
        card->opening_outcome = guika_v1_ConfirmCollectedRequest_Outcome_OUTCOME_UNSPECIFIED;
        card->opening_box = box;
        card->opening_compartment = card->compartment;
        card->opening_at_ms = model->now_ms;
        card->opened_at_ms = model->now_ms;
        card->tries = 0;
        model_audit(model, card);
    }
    return status;
}

static void collect(struct model *model, struct model_card *card)
{
    model_set_state(model, card, COLLECTED);
    model_place(card, AT_HOLDER, 0, -1);
    model_cancel_notice(card);
}

static enum gk_status hand_out(struct model *model, struct model_card *card,
                               const struct operation *operation)
{
    const enum gk_status status =
        enter(model, card, operation, model_is_collectable(card) && card->place == AT_DESK);

    if (status == GK_OK) {
        collect(model, card);
        model_audit(model, card);
    }
    return status;
}

static enum gk_status report(struct model *model, struct model_card *card, const struct operation *operation)
{
    const guika_v1_ConfirmCollectedRequest_Outcome outcome =
        (guika_v1_ConfirmCollectedRequest_Outcome)operation->what;
    const guika_v1_ConfirmCollectedRequest_Outcome before = card->opening_outcome;

    if (before == outcome) {
        return GK_OK;
    }
    if (before != guika_v1_ConfirmCollectedRequest_Outcome_OUTCOME_UNSPECIFIED &&
        before != guika_v1_ConfirmCollectedRequest_Outcome_UNCERTAIN) {
        return GK_FAILED_PRECONDITION;
    }
    card->opening_outcome = outcome;
    /* Of a card that lies elsewhere by now the box knows nothing. */
    if (!model_is_closed(card) && card->place == IN_COMPARTMENT && card->at == card->opening_box &&
        card->compartment == card->opening_compartment) {
        card->opened_at_ms = 0;
        card->uncertain = outcome == guika_v1_ConfirmCollectedRequest_Outcome_UNCERTAIN;
        if (outcome == guika_v1_ConfirmCollectedRequest_Outcome_COLLECTED) {
            collect(model, card);
        }
    }
    model_audit(model, card);
    return GK_OK;
}

static enum gk_status reissue(struct model *model, struct model_card *card)
{
    if (!model_is_collectable(card)) {
        return GK_FAILED_PRECONDITION;
    }
    model_next_issue(model, card);
    model_tell(model, card, WORD_NEW_CODE);
    model_audit(model, card);
    return GK_OK;
}

enum gk_status model_pickup(struct model *model, const struct operation *operation)
{
    struct model_card *card = model_find(model, operation->card);

    if (card == NULL || (operation->kind == OP_COLLECTED && card->opening == 0)) {
        model->did = false;
        return GK_OK;
    }
    model_touch(model, card);
    switch (operation->kind) {
    case OP_REISSUE:
        return reissue(model, card);
    case OP_PICKUP:
        return open_box(model, card, operation);
    case OP_HAND_OUT:
        return hand_out(model, card, operation);
    default:
        return report(model, card, operation);
    }
}

/* --- the courier --- */

static uint32_t contact_count(const struct model_card *card)
{
    if (card->holder == HOLDER_WATCHER) {
        return 1;
    }
    const char *const *contacts = world_numbers[card->number].contacts;

    return contacts[0] == NULL ? 0 : contacts[1] == NULL ? 1 : 2;
}

static bool is_known(const struct model *model, const struct model_card *card)
{
    return card->holder == HOLDER_WATCHER ||
           (card->holder == HOLDER_LISTED && model_is_listed(model, card->number));
}

static void give_up(struct model *model, struct model_card *card, struct model_notice *notice)
{
    notice->state = NOTICE_DEAD;
    model_audit(model, card);
}

static void try_next_contact(struct model *model, struct model_card *card, struct model_notice *notice)
{
    if (notice->contact + 1 < contact_count(card)) {
        notice->contact++;
        notice->attempts = 0;
        notice->due_at_ms = model->now_ms;
    } else {
        give_up(model, card, notice);
    }
}

static void deliver(struct model *model, struct model_card *card, struct model_notice *notice)
{
    notice->state = NOTICE_DELIVERED;
    if (card->state == IDENTIFIED && notice->word != WORD_EXPIRED) {
        model_set_state(model, card, NOTIFIED);
    }
    model_audit(model, card);
}

static void attempt(struct model *model, struct model_card *card, struct model_notice *notice, uint32_t what)
{
    enum { ATTEMPTS = 9 };

    if (what == COURIER_IS_REFUSED) {
        try_next_contact(model, card, notice);
        return;
    }
    if (what == COURIER_TRIES_LATER) {
        if (++notice->attempts > ATTEMPTS) {
            try_next_contact(model, card, notice);
        } else {
            notice->due_at_ms = model->now_ms + DAY_MS;
        }
        return;
    }
    /* It has left: whatever becomes of the courier, the holder has it. */
    card->messages += !notice->reached;
    notice->reached = true;
    if (notice->word != WORD_EXPIRED) {
        card->told_issue = card->issue;
        card->told_short = has_telephone(model, card);
    }
    if (what == COURIER_DELIVERS) {
        deliver(model, card, notice);
    }
}

enum gk_status model_courier(struct model *model, const struct operation *operation)
{
    enum { SMTP = 's' };
    struct model_card *card = model_find(model, operation->card);
    struct model_notice *notice = card == NULL || card->notice < 0 ? NULL : &card->notices[card->notice];

    if (notice == NULL || notice->state != NOTICE_DUE || notice->due_at_ms > model->now_ms) {
        model->did = false;
        return GK_OK;
    }
    model_touch(model, card);
    if (!is_known(model, card) || contact_count(card) == 0) {
        give_up(model, card, notice);
        return GK_OK;
    }
    if (card->holder == HOLDER_LISTED && world_numbers[card->number].contacts[notice->contact][0] != SMTP) {
        try_next_contact(model, card, notice); /* of a channel that nobody has */
        return GK_OK;
    }
    if (notice->word != WORD_EXPIRED) {
        if (!model_is_collectable(card)) {
            give_up(model, card, notice);
            return GK_OK;
        }
        if (card->issue == 0 || card->code_expires_at_ms - model->now_ms < 7 * DAY_MS / 2) {
            model_next_issue(model, card);
            model_audit(model, card);
        }
    }
    attempt(model, card, notice, operation->what);
    return GK_OK;
}

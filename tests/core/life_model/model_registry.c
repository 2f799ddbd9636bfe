/* Lists, holders, watches, and what an issuer says of its cards. */
#include "tests/core/life_model/model.h"

#include <assert.h>

/* --- lists --- */

static void import(struct model *model, const struct operation *operation)
{
    for (uint32_t i = 0; i < NUMBERS; i++) {
        if (world_numbers[i].account == operation->where) {
            model->listed = (model->listed & ~(1U << i)) | (operation->what & 1U << i);
            model->cancelled &= ~(1U << i);
        }
    }
    model_try_all(model, NULL);
}

static void cancel(struct model *model, struct model_card *card)
{
    model_cancel_notice(card);
    card->queued = false;
    card->reason = REASON_CANCELLED;
    card->disposition = guika_v1_Disposition_DISPOSITION_DESTROY;
    card->decided_zone = ZONE_BIN;
    card->misplaced = card->place == IN_COMPARTMENT;
    model_set_state(model, card, DIFFICULT);
    model_audit(model, card);
}

static enum gk_status revoke(struct model *model, uint32_t number)
{
    if (!model_is_listed(model, number)) {
        return GK_NOT_FOUND;
    }
    model->cancelled |= 1U << number;
    for (uint32_t i = 0; i < model->card_count; i++) {
        struct model_card *card = &model->cards[i];

        if (card->number == number && card->holder == HOLDER_LISTED && model_is_live(card)) {
            cancel(model, card);
        }
    }
    return GK_OK;
}

static bool forget_notices(struct model_card *card, uint32_t number)
{
    bool was_known = false;

    for (uint32_t i = 0; i < card->notice_count; i++) {
        struct model_notice *notice = &card->notices[i];

        if (notice->number == number) {
            was_known = true;
            notice->number = NO_NUMBER;
            notice->state = notice->state == NOTICE_HELD || notice->state == NOTICE_DUE ? NOTICE_CANCELLED
                                                                                        : notice->state;
        }
    }
    return was_known;
}

/* A card whose holder is forgotten stays where it is. */
static enum gk_status forget(struct model *model, uint32_t number)
{
    bool was_known = model_is_listed(model, number);

    for (uint32_t i = 0; i < model->card_count; i++) {
        struct model_card *card = &model->cards[i];

        if (card->number == number && card->holder == HOLDER_LISTED && !card->erased) {
            was_known = true;
            card->holder = HOLDER_NONE;
            card->queued = false;
            model_touch(model, card);
        }
        was_known = forget_notices(card, number) || was_known;
    }
    model->listed &= ~(1U << number);
    model->cancelled &= ~(1U << number);
    return was_known ? GK_OK : GK_NOT_FOUND;
}

/* --- watches --- */

static bool is_found_already(const struct model *model, uint32_t number)
{
    for (uint32_t i = 0; i < model->noted_count[number]; i++) {
        if (!model_is_closed(&model->cards[model->noted[number][i]])) {
            return true;
        }
    }
    return false;
}

struct model_watch *model_waiting(struct model *model, uint32_t number, uint32_t contact)
{
    for (uint32_t i = 0; i < model->watch_count; i++) {
        struct model_watch *watch = &model->watches[i];

        if (!watch->matched && watch->number == number && watch->contact == contact) {
            return watch;
        }
    }
    return NULL;
}

/* One of each contact and number is enough. */
static void watch(struct model *model, const struct operation *operation)
{
    if (model->watch_count == WATCHES_MAX ||
        model_waiting(model, operation->reading, operation->what) != NULL) {
        model->did = false;
        return;
    }
    model->watches[model->watch_count++] =
        (struct model_watch){.id = operation->id,
                             .number = operation->reading,
                             .contact = operation->what,
                             .filed_at_ms = model->now_ms,
                             .marked = is_found_already(model, operation->reading)};
}

/* An operator gives a card that is nobody's to one who watches for it. */
static enum gk_status grant(struct model *model, struct model_card *card, const struct operation *operation)
{
    struct model_watch *waiting =
        card->number == NO_NUMBER ? NULL : model_waiting(model, card->number, operation->what);

    if (waiting == NULL || waiting->id != operation->where || !waiting->marked) {
        model->did = false;
        return GK_OK;
    }
    if (card->state != DIFFICULT || card->reason != REASON_UNREGISTERED ||
        model_is_listed(model, card->number) || card->kind == guika_v1_CardKind_CARD_KIND_PAYMENT ||
        card->kind == guika_v1_CardKind_CARD_KIND_ID) {
        return GK_FAILED_PRECONDITION;
    }
    waiting->matched = true;
    waiting->card = (uint32_t)(card - model->cards);
    card->holder = HOLDER_WATCHER;
    card->watcher = operation->what;
    card->through_issuer = false;
    card->reason = REASON_NONE;
    model_identify(model, card);
    model_audit(model, card);
    return GK_OK;
}

void model_forget_watches(struct model *model)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < model->watch_count; i++) {
        const struct model_watch *waiting = &model->watches[i];

        if (waiting->matched ? !model->cards[waiting->card].erased
                             : model->now_ms - waiting->filed_at_ms < 180 * DAY_MS) {
            model->watches[kept++] = *waiting;
        }
    }
    model->watch_count = kept;
}

/* --- the issuer --- */

static enum gk_status acknowledge(struct model *model, struct model_card *card)
{
    if (card->queued) {
        card->queued = false;
        model_audit(model, card);
    }
    return GK_OK;
}

/* RELAY makes the code that the issuer tells. */
static enum gk_status relay(struct model *model, struct model_card *card)
{
    if (!model_is_collectable(card)) {
        return GK_FAILED_PRECONDITION;
    }
    if (card->issue == 0 || card->code_expires_at_ms - model->now_ms < 7 * DAY_MS / 2) {
        model_next_issue(model, card);
        model_audit(model, card);
    }
    card->told_issue = card->issue;
    card->told_short = false;
    return GK_OK;
}

static enum gk_status decide(struct model *model, struct model_card *card, const struct operation *operation)
{
    const bool relays = operation->what == guika_v1_IssuerDecision_ISSUER_DECISION_RELAY;
    const guika_v1_Disposition disposition =
        relays ? guika_v1_Disposition_DISPOSITION_UNSPECIFIED
        : operation->what == guika_v1_IssuerDecision_ISSUER_DECISION_RETURN
            ? guika_v1_Disposition_DISPOSITION_RETURN
            : guika_v1_Disposition_DISPOSITION_DESTROY;
    const bool is_so =
        relays ? card->state == NOTIFIED : card->state == EXPIRED && card->disposition == disposition;

    if (!is_so && (!model_is_live(card) || (relays && !model_is_collectable(card)))) {
        return GK_FAILED_PRECONDITION;
    }
    card->queued = false;
    if (!is_so) {
        card->disposition = disposition;
        model_set_state(model, card, relays ? NOTIFIED : EXPIRED);
        model_audit(model, card);
    }
    return relays ? relay(model, card) : GK_OK;
}

static enum gk_status say(struct model *model, struct model_card *card, const struct operation *operation)
{
    if (card->holder != HOLDER_LISTED || card->stored_at_ms == 0 || !card->has_reference ||
        world_numbers[card->number].account != operation->where) {
        return GK_NOT_FOUND;
    }
    return operation->kind == OP_ACKNOWLEDGE ? acknowledge(model, card) : decide(model, card, operation);
}

enum gk_status model_registry(struct model *model, const struct operation *operation)
{
    struct model_card *card;

    switch (operation->kind) {
    case OP_IMPORT:
        import(model, operation);
        return GK_OK;
    case OP_REVOKE:
        return revoke(model, operation->reading);
    case OP_FORGET:
        return forget(model, operation->reading);
    case OP_WATCH:
        watch(model, operation);
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
    return operation->kind == OP_GRANT ? grant(model, card, operation) : say(model, card, operation);
}

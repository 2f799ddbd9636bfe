#include "tests/core/life_model/model.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CODE_MS (7 * DAY_MS)

struct model *model_new(void)
{
    struct model *model = calloc(1, sizeof *model);

    if (model == NULL || (model->cards = calloc(CARDS_MAX, sizeof *model->cards)) == NULL) {
        abort();
    }
    model->now_ms = WORLD_BEGINS_MS;
    for (uint32_t i = 0; i < ACCOUNTS; i++) {
        model->listed |= world_accounts[i].registered;
    }
    return model;
}

void model_free(struct model *model)
{
    free(model->cards);
    free(model);
}

struct model_card *model_find(struct model *model, uint32_t name)
{
    uint32_t from = 0;
    uint32_t to = model->card_count;

    while (from < to) {
        const uint32_t middle = (from + to) / 2;

        if (model->cards[middle].name < name) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from < model->card_count && model->cards[from].name == name && !model->cards[from].erased
               ? &model->cards[from]
               : NULL;
}

struct model_card *model_add(struct model *model, uint32_t name, uint32_t box)
{
    assert(model->card_count < CARDS_MAX);
    struct model_card *card = &model->cards[model->card_count++];

    *card = (struct model_card){.name = name,
                                .box = box,
                                .at = box,
                                .place = IN_SLOT,
                                .compartment = -1,
                                .number = NO_NUMBER,
                                .proposed = NO_NUMBER,
                                .notice = -1,
                                .received_at_ms = model->now_ms};
    return card;
}

/* --- what is true of a card --- */

bool model_is_closed(const struct model_card *card)
{
    return card->state == GIVEN_BACK || card->state == COLLECTED || card->state == RETURNED ||
           card->state == HANDED_OVER || card->state == DESTROYED;
}

bool model_is_live(const struct model_card *card)
{
    return card->state == IDENTIFIED || card->state == NOTIFIED;
}

bool model_is_collectable(const struct model_card *card)
{
    return model_is_live(card) && (card->place == IN_COMPARTMENT || card->place == AT_DESK);
}

bool model_is_listed(const struct model *model, uint32_t number)
{
    return (model->listed >> number & 1U) != 0;
}

bool model_is_cancelled(const struct model *model, uint32_t number)
{
    return (model->cancelled >> number & 1U) != 0;
}

/* --- what every transition does --- */

void model_touch(struct model *model, const struct model_card *card)
{
    const uint32_t index = (uint32_t)(card - model->cards);

    for (uint32_t i = 0; i < model->touched_count; i++) {
        if (model->touched[i] == index) {
            return;
        }
    }
    model->touched[model->touched_count++] = index;
}

void model_audit(struct model *model, struct model_card *card)
{
    card->audited++;
    model_touch(model, card);
}

static enum model_count count_of(guika_v1_CardState state)
{
    switch (state) {
    case DIFFICULT:
        return COUNT_DIFFICULT;
    case GIVEN_BACK:
        return COUNT_GIVEN_BACK;
    case NOTIFIED:
        return COUNT_NOTIFIED;
    case COLLECTED:
        return COUNT_COLLECTED;
    case EXPIRED:
        return COUNT_EXPIRED;
    case RETURNED:
        return COUNT_RETURNED;
    case HANDED_OVER:
        return COUNT_HANDED_OVER;
    default:
        return COUNT_DESTROYED;
    }
}

static void count(struct model *model, const struct model_card *card, guika_v1_CardState state)
{
    const bool was_undecided =
        card->state == RECEIVED || card->state == guika_v1_CardState_CARD_STATE_UNSPECIFIED;

    if (card->state == state || state == RECEIVED) {
        return;
    }
    if (was_undecided) {
        model->counts[COUNT_FOUND]++;
        model->counts[COUNT_READ] +=
            state == IDENTIFIED || card->reason == REASON_UNREGISTERED || card->reason == REASON_CANCELLED;
    }
    if (state != IDENTIFIED) {
        model->counts[count_of(state)]++;
    } else if (card->state == DIFFICULT) {
        model->counts[COUNT_RESOLVED]++;
    }
}

void model_set_state(struct model *model, struct model_card *card, guika_v1_CardState state)
{
    count(model, card, state);
    card->state = state;
    if (!model_is_closed(card)) {
        card->closed_at_ms = 0;
    } else if (card->closed_at_ms == 0) {
        card->closed_at_ms = model->now_ms;
        card->picture = false;
        card->proposed = NO_NUMBER;
        card->opened_at_ms = 0;
    }
    if (state == IDENTIFIED) {
        card->picture = false;
        card->proposed = NO_NUMBER;
    }
}

void model_place(struct model_card *card, guika_v1_internal_Place_Kind place, uint32_t at, int compartment)
{
    card->place = place;
    card->at = at;
    card->compartment = compartment;
    card->misplaced = false;
    card->uncertain = false;
}

/* --- notices --- */

void model_cancel_notice(struct model_card *card)
{
    if (card->notice >= 0 && (card->notices[card->notice].state == NOTICE_HELD ||
                              card->notices[card->notice].state == NOTICE_DUE)) {
        card->notices[card->notice].state = NOTICE_CANCELLED;
    }
}

void model_add_notice(struct model *model, struct model_card *card, uint32_t issue, enum model_word word,
                      guika_v1_internal_NoticeRecord_State state)
{
    uint32_t i = 0;

    while (i < card->notice_count && card->notices[i].issue != issue) {
        i++;
    }
    assert(i < NOTICES_MAX);
    card->notice_count += i == card->notice_count;
    card->notice = (int)i;
    card->notices[i] =
        (struct model_notice){.issue = issue,
                              .word = word,
                              .state = state,
                              .due_at_ms = model->now_ms,
                              .number = card->holder == HOLDER_LISTED ? card->number : NO_NUMBER};
}

void model_tell(struct model *model, struct model_card *card, enum model_word word)
{
    model_cancel_notice(card);
    if (card->holder == HOLDER_NONE) {
        return; /* there is nobody to tell */
    }
    if (card->through_issuer) {
        card->queued = true;
    } else {
        model_add_notice(model, card, card->issue, word, NOTICE_DUE);
    }
}

void model_next_issue(struct model *model, struct model_card *card)
{
    card->issue++;
    card->code_expires_at_ms = model->now_ms + CODE_MS;
    card->tries = 0;
    card->locked_until_ms = 0;
}

/* --- whose is it? --- */

static struct model_watch *first_watch(struct model *model, const struct model_card *card)
{
    struct model_watch *first = NULL;
    bool rivals = false;

    for (uint32_t i = 0; i < model->watch_count; i++) {
        struct model_watch *watch = &model->watches[i];

        if (watch->matched || watch->number != card->number) {
            continue;
        }
        rivals = rivals || (first != NULL && watch->contact != first->contact);
        first = first == NULL ? watch : first;
    }
    if (first == NULL || (!rivals && first->filed_at_ms < card->received_at_ms)) {
        return first;
    }
    for (uint32_t i = 0; i < model->watch_count; i++) {
        struct model_watch *watch = &model->watches[i];

        watch->marked = watch->marked || (!watch->matched && watch->number == card->number);
    }
    return NULL;
}

/* Watches that come later are compared with it. */
static void note(struct model *model, const struct model_card *card)
{
    uint32_t *noted = model->noted[card->number];
    uint32_t *count = &model->noted_count[card->number];
    const uint32_t index = (uint32_t)(card - model->cards);

    for (uint32_t i = 0; i < *count; i++) {
        if (noted[i] == index) {
            return;
        }
    }
    if (*count == NOTED_MAX) {
        memmove(noted, noted + 1, (NOTED_MAX - 1) * sizeof *noted);
        --*count;
    }
    noted[(*count)++] = index;
}

/* Nobody registered it: it may be the card of the one contact that reported it lost before. */
static bool is_claimed(struct model *model, struct model_card *card)
{
    if (card->kind != guika_v1_CardKind_CARD_KIND_TRANSIT &&
        card->kind != guika_v1_CardKind_CARD_KIND_PARKING &&
        card->kind != guika_v1_CardKind_CARD_KIND_CAMPUS) {
        return false;
    }
    note(model, card);
    struct model_watch *watch = first_watch(model, card);

    if (watch == NULL) {
        return false;
    }
    watch->matched = true;
    watch->card = (uint32_t)(card - model->cards);
    card->holder = HOLDER_WATCHER;
    card->watcher = watch->contact;
    card->through_issuer = false;
    card->reason = REASON_NONE;
    card->disposition = guika_v1_Disposition_DISPOSITION_UNSPECIFIED;
    return true;
}

bool model_judge(struct model *model, struct model_card *card, uint32_t number, guika_v1_Reason reason,
                 bool may_claim)
{
    const bool is_same = card->reason == REASON_UNREGISTERED && card->number == number;

    if (number == NO_NUMBER) {
        card->reason = reason;
        return false;
    }
    card->number = number;
    card->kind = world_numbers[number].kind;
    if (!model_is_listed(model, number)) {
        card->reason = REASON_UNREGISTERED;
        card->holder = HOLDER_NONE;
        card->through_issuer = false;
        card->has_reference = false;
        card->disposition = guika_v1_Disposition_DISPOSITION_UNSPECIFIED;
        return may_claim && !is_same && is_claimed(model, card);
    }
    if (model_is_cancelled(model, number)) {
        card->reason = REASON_CANCELLED;
        card->holder = HOLDER_LISTED;
        card->through_issuer = false;
        card->has_reference = false;
        card->disposition = guika_v1_Disposition_DISPOSITION_DESTROY;
        return false;
    }
    card->reason = REASON_NONE;
    card->disposition = guika_v1_Disposition_DISPOSITION_UNSPECIFIED;
    card->holder = HOLDER_LISTED;
    card->through_issuer = world_accounts[world_numbers[number].account].through_issuer;
    card->has_reference = card->through_issuer;
    return true;
}

void model_identify(struct model *model, struct model_card *card)
{
    model_set_state(model, card, IDENTIFIED);
    if (card->through_issuer) {
        card->queued = card->stored_at_ms != 0;
        return;
    }
    if (card->notice >= 0) { /* another message than the one before, which went out under its own name */
        card->issue++;
        card->code_expires_at_ms = 0;
        card->tries = 0;
        card->locked_until_ms = 0;
    }
    model_add_notice(model, card, card->notice >= 0 ? card->issue : 0, WORD_FOUND,
                     model_is_collectable(card) ? NOTICE_DUE : NOTICE_HELD);
}

/* --- */

enum gk_status model_apply(struct model *model, const struct operation *operation)
{
    enum gk_status status = GK_OK;

    model->now_ms++;
    model->touched_count = 0;
    model->did = true;
    if (operation->lost && operation_has_card(operation->kind) &&
        model_find(model, operation->card) == NULL) {
        model->did = false;
        return GK_OK;
    }
    if (operation->lost) {
        model_crash(model);
        return GK_OK;
    }
    switch (operation->kind) {
    case OP_DEPOSIT:
    case OP_DEPOSIT_TWO:
    case OP_DEPOSIT_RACE:
    case OP_DEPOSIT_AGAIN:
    case OP_ADD_FRAMES:
    case OP_STORE:
    case OP_HEARTBEAT:
        return model_box(model, operation);
    case OP_COURIER:
        return model_courier(model, operation);
    case OP_REISSUE:
    case OP_PICKUP:
    case OP_COLLECTED:
    case OP_HAND_OUT:
        return model_pickup(model, operation);
    case OP_SERVICE:
    case OP_TAKE:
    case OP_MOVE:
    case OP_CLOSE:
    case OP_GIVE_UP:
        return model_staff(model, operation);
    case OP_RESOLVE:
    case OP_RETRY:
    case OP_VIEW:
    case OP_DISCARD:
    case OP_HAND_TO_ISSUER:
    case OP_PLUGIN:
        return model_queue(model, operation);
    case OP_PASS:
        model->now_ms += operation->pass_ms;
        model_sweep(model);
        model_forget_watches(model);
        break;
    case OP_CRASH:
    case OP_ROTATE:
        model_crash(model);
        break;
    default:
        status = model_registry(model, operation);
    }
    return status;
}

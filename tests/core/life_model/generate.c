#include "tests/core/life_model/sequence.h"

#include <stdlib.h>

struct generator {
    uint64_t state;
    struct model *model;
};

/* Sebastiano Vigna's splitmix64. */
static uint64_t next(struct generator *generator)
{
    uint64_t z = generator->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static uint32_t below(struct generator *generator, uint32_t bound)
{
    return (uint32_t)(((next(generator) >> 32) * bound) >> 32);
}

static bool chance(struct generator *generator, uint32_t percent)
{
    return below(generator, 100) < percent;
}

/* --- which card --- */

static bool suits(const struct model_card *card, enum operation_kind kind)
{
    switch (kind) {
    case OP_STORE:
        return card->outcome != guika_v1_ConfirmStoredRequest_Outcome_STORED && !model_is_closed(card);
    case OP_ADD_FRAMES:
        return card->asked_for_frames;
    case OP_COURIER:
        return card->notice >= 0 && card->notices[card->notice].state == NOTICE_DUE;
    case OP_REISSUE:
        return model_is_collectable(card);
    case OP_PICKUP:
        return model_is_collectable(card) && card->issue > 0 && card->place == IN_COMPARTMENT;
    case OP_HAND_OUT:
        return model_is_collectable(card) && card->issue > 0 && card->place == AT_DESK;
    case OP_COLLECTED:
        return card->opening != 0;
    case OP_RESOLVE:
    case OP_RETRY:
    case OP_VIEW:
    case OP_DISCARD:
    case OP_HAND_TO_ISSUER:
        return card->state == DIFFICULT;
    case OP_CLOSE:
        return card->state == EXPIRED || card->state == DIFFICULT;
    case OP_GIVE_UP:
        return model_is_live(card);
    case OP_ACKNOWLEDGE:
    case OP_DECIDE:
        return card->has_reference;
    case OP_GRANT:
        return card->state == DIFFICULT && card->reason == REASON_UNREGISTERED;
    default:
        return !model_is_closed(card);
    }
}

/* Mostly one of which there is something to do, and mostly a late one. */
static const struct model_card *pick(struct generator *generator, enum operation_kind kind)
{
    const struct model *model = generator->model;
    const uint32_t tries = chance(generator, 92) ? 40 : 0;

    if (model->card_count == 0) {
        return NULL;
    }
    for (uint32_t i = 0; i < tries; i++) {
        const uint32_t back = below(generator, 1 + below(generator, model->card_count));
        const struct model_card *card = &model->cards[model->card_count - 1 - back];

        if (!card->erased && suits(card, kind)) {
            return card;
        }
    }
    return &model->cards[below(generator, model->card_count)];
}

/* --- what about it --- */

static uint32_t draw_reading(struct generator *generator)
{
    static const guika_v1_Reason reasons[] = {
        guika_v1_Reason_REASON_NOT_A_CARD,   guika_v1_Reason_REASON_UNREADABLE,
        guika_v1_Reason_REASON_GLARE,        guika_v1_Reason_REASON_UNKNOWN_ISSUER,
        guika_v1_Reason_REASON_CHECK_FAILED, guika_v1_Reason_REASON_AMBIGUOUS,
        guika_v1_Reason_REASON_SEVERAL_CARDS};

    return chance(generator, 75)
               ? below(generator, NUMBERS)
               : READING_REASON + reasons[below(generator, sizeof reasons / sizeof reasons[0])];
}

static guika_v1_Zone draw_zone(struct generator *generator, const struct model_card *card)
{
    const guika_v1_Zone right = card->decided_zone == ZONE_BIN ? ZONE_BIN : ZONE_NORMAL;
    const guika_v1_Zone wrong = right == ZONE_BIN ? ZONE_NORMAL : ZONE_BIN;

    return chance(generator, 90) ? right : wrong;
}

static int64_t draw_time(struct generator *generator)
{
    switch (below(generator, 8)) {
    case 0:
        return below(generator, 120) * SECOND_MS;
    case 1:
    case 2:
        return below(generator, 30) * MINUTE_MS;
    case 3:
        return below(generator, 24 * 60) * MINUTE_MS;
    case 4:
    case 5:
        return below(generator, 8) * DAY_MS;
    case 6:
        return below(generator, 40) * DAY_MS;
    default:
        return below(generator, 10) == 0 ? below(generator, 400) * DAY_MS : 0;
    }
}

static uint32_t draw_list(struct generator *generator, uint32_t account)
{
    uint32_t all = 0;
    uint32_t numbers = 0;

    for (uint32_t i = 0; i < NUMBERS; i++) {
        all |= world_numbers[i].account == account ? 1U << i : 0;
    }
    while (numbers == 0) {
        numbers = (uint32_t)next(generator) & all;
    }
    return numbers;
}

static uint32_t draw_place(struct generator *generator)
{
    static const guika_v1_internal_Place_Kind places[] = {IN_COMPARTMENT, IN_COMPARTMENT, IN_COMPARTMENT,
                                                          IN_BIN,         IN_BAG,         IN_DEPOT,
                                                          AT_DESK,        AT_DESK,        AT_ISSUER};

    return places[below(generator, sizeof places / sizeof places[0])];
}

static uint32_t draw_what(struct generator *generator, enum operation_kind kind)
{
    static const uint32_t courier[] = {COURIER_DELIVERS,   COURIER_DELIVERS,    COURIER_DELIVERS,
                                       COURIER_DELIVERS,   COURIER_DELIVERS,    COURIER_DELIVERS,
                                       COURIER_IS_REFUSED, COURIER_TRIES_LATER, COURIER_DIES};
    static const guika_v1_CardState ends[] = {RETURNED, HANDED_OVER, DESTROYED};

    switch (kind) {
    case OP_STORE:
        return chance(generator, 75) ? guika_v1_ConfirmStoredRequest_Outcome_STORED
                                     : 1 + below(generator, guika_v1_ConfirmStoredRequest_Outcome_FULL);
    case OP_COURIER:
        return courier[below(generator, sizeof courier / sizeof courier[0])];
    case OP_COLLECTED:
        return 1 + below(generator, guika_v1_ConfirmCollectedRequest_Outcome_UNCERTAIN);
    case OP_MOVE:
        return draw_place(generator);
    case OP_CLOSE:
        return ends[below(generator, 3)];
    case OP_DECIDE:
        return 1 + below(generator, 3);
    case OP_HEARTBEAT:
        return below(generator, 16);
    case OP_WATCH:
        return below(generator, CONTACTS);
    default:
        return below(generator, 2);
    }
}

/* --- an operation --- */

static enum operation_kind draw_kind(struct generator *generator)
{
    static const uint8_t weights[OP_KINDS] = {
        [OP_DEPOSIT] = 110,   [OP_DEPOSIT_TWO] = 5, [OP_DEPOSIT_RACE] = 5, [OP_DEPOSIT_AGAIN] = 12,
        [OP_ADD_FRAMES] = 12, [OP_STORE] = 130,     [OP_HEARTBEAT] = 15,   [OP_COURIER] = 120,
        [OP_REISSUE] = 20,    [OP_PICKUP] = 90,     [OP_COLLECTED] = 60,   [OP_SERVICE] = 8,
        [OP_TAKE] = 10,       [OP_MOVE] = 50,       [OP_HAND_OUT] = 25,    [OP_RESOLVE] = 35,
        [OP_RETRY] = 15,      [OP_VIEW] = 8,        [OP_DISCARD] = 6,      [OP_HAND_TO_ISSUER] = 6,
        [OP_CLOSE] = 20,      [OP_GIVE_UP] = 6,     [OP_ACKNOWLEDGE] = 8,  [OP_DECIDE] = 12,
        [OP_IMPORT] = 10,     [OP_REVOKE] = 5,      [OP_FORGET] = 4,       [OP_WATCH] = 15,
        [OP_GRANT] = 10,      [OP_PLUGIN] = 4,      [OP_PASS] = 70,        [OP_CRASH] = 8,
        [OP_ROTATE] = 1,
    };
    uint32_t sum = 0;

    for (unsigned i = 0; i < OP_KINDS; i++) {
        sum += weights[i];
    }
    uint32_t drawn = below(generator, sum);
    unsigned kind = 0;

    while (drawn >= weights[kind]) {
        drawn -= weights[kind++];
    }
    return (enum operation_kind)kind;
}

/* Whose bytes may be lost: nothing of it is left outside the store. */
static bool may_be_lost(enum operation_kind kind)
{
    return kind == OP_DEPOSIT || kind == OP_REISSUE || kind == OP_PICKUP || kind == OP_MOVE ||
           kind == OP_WATCH || kind == OP_HAND_OUT || kind == OP_REVOKE || kind == OP_GIVE_UP;
}

/* The grant of a claim names the watch. */
static void name_watch(const struct model *model, const struct model_card *card, struct operation *operation)
{
    for (uint32_t i = 0; i < model->watch_count; i++) {
        if (!model->watches[i].matched && model->watches[i].marked &&
            model->watches[i].number == card->number) {
            operation->what = model->watches[i].contact;
            operation->where = model->watches[i].id;
        }
    }
}

static struct operation draw(struct generator *generator, uint32_t id)
{
    struct operation operation = {.id = id, .kind = draw_kind(generator)};
    const struct model_card *card = pick(generator, operation.kind);

    operation.card = card == NULL ? UINT32_MAX : card->name;
    operation.box = below(generator, BOXES);
    operation.reading = draw_reading(generator);
    operation.what = draw_what(generator, operation.kind);
    operation.where = below(generator, BOXES * 3 * DESKS);
    operation.may_ask = chance(generator, 50);
    operation.no_picture = chance(generator, 20);
    operation.right = chance(generator, 80);
    operation.pass_ms = operation.kind == OP_PASS ? draw_time(generator) : 0;
    operation.lost = chance(generator, 1) && may_be_lost(operation.kind);
    switch (operation.kind) {
    case OP_DEPOSIT_TWO: /* no watch decides whose it is: that would depend on who comes first */
        operation.reading = below(generator, 6);
        break;
    case OP_STORE:
        operation.where = card == NULL ? ZONE_NORMAL : draw_zone(generator, card);
        break;
    case OP_PICKUP:
        operation.where = chance(generator, 90) ? 0 : operation.where;
        break;
    case OP_RESOLVE:
        operation.reading = card != NULL && card->proposed != NO_NUMBER && chance(generator, 70)
                                ? card->proposed
                                : below(generator, NUMBERS);
        break;
    case OP_ACKNOWLEDGE:
    case OP_DECIDE:
        operation.where = chance(generator, 95) ? 3 : 0;
        break;
    case OP_REVOKE:
    case OP_FORGET:
        operation.reading = below(generator, NUMBERS);
        break;
    case OP_WATCH:
        operation.reading = chance(generator, 80) ? 6 + below(generator, 4) : below(generator, NUMBERS);
        break;
    case OP_GRANT:
        if (card != NULL) {
            name_watch(generator->model, card, &operation);
        }
        break;
    case OP_IMPORT:
        operation.where = below(generator, ACCOUNTS);
        operation.what = draw_list(generator, operation.where);
        break;
    default:
        break;
    }
    return operation;
}

struct sequence sequence_generate(uint64_t seed, size_t length)
{
    struct generator generator = {seed, model_new()};
    struct sequence sequence = {calloc(length, sizeof *sequence.operations), length};

    for (size_t i = 0; i < length; i++) {
        sequence.operations[i] = draw(&generator, (uint32_t)i);
        (void)model_apply(generator.model, &sequence.operations[i]);
    }
    model_free(generator.model);
    return sequence;
}

void sequence_free(struct sequence *sequence)
{
    free(sequence->operations);
}

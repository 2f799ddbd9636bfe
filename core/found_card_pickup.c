#include "core/found_card_pickup.h"

#include "core/found_card_internal.h"
#include "core/notification/messages.h"
#include "core/security/pickup_code.h"
#include "core/store/record.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define FENCE_KEY "fencing_token" /* in meta: the highest one given, 8 bytes, big-endian */

typedef guika_v1_ConfirmCollectedRequest_Outcome outcome_t;

static void put_be64(uint8_t *to, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++) {
        to[i] = (uint8_t)(value >> (56 - 8 * i));
    }
}

static enum gk_status next_fencing_token(struct gk_transaction *transaction, uint64_t *ret_token,
                                         struct gk_error *error)
{
    const struct gk_bytes key = {(const uint8_t *)FENCE_KEY, sizeof FENCE_KEY - 1};
    struct gk_value found = {NULL, 0};
    uint8_t next[8];
    uint64_t token = 0;
    const enum gk_status status = gk_transaction_get(transaction, GK_FAMILY_META, key, &found, error);

    if (status != GK_OK && status != GK_NOT_FOUND) {
        return status;
    }
    for (size_t i = 0; i < found.size; i++) {
        token = token << 8 | found.data[i];
    }
    gk_value_free(&found);
    put_be64(next, ++token);
    gk_transaction_put(transaction, GK_FAMILY_META, key, (struct gk_bytes){next, sizeof next});
    *ret_token = token;
    return GK_OK;
}

static enum gk_status put_opening(struct gk_transaction *transaction, uint64_t token,
                                  const guika_v1_internal_OpeningRecord *opening, struct gk_error *error)
{
    uint8_t key[8];

    put_be64(key, token);
    return gk_record_put(transaction, GK_FAMILY_OPENINGS, (struct gk_bytes){key, sizeof key},
                         guika_v1_internal_OpeningRecord_fields, opening, error);
}

enum gk_status gk_found_card_begin_opening(struct gk_transaction *transaction,
                                           guika_v1_internal_FoundCard *card,
                                           guika_v1_internal_OpeningRecord *opening, struct gk_error *error)
{
    gk_found_card_forget_opening(transaction, card);
    const enum gk_status status = next_fencing_token(transaction, &card->fencing_token, error);

    memcpy(opening->case_id, card->case_id, GK_CASE_ID_SIZE);
    return status != GK_OK ? status : put_opening(transaction, card->fencing_token, opening, error);
}

void gk_found_card_forget_opening(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *card)
{
    uint8_t key[8];

    put_be64(key, card->fencing_token);
    if (card->fencing_token != 0) {
        gk_transaction_delete(transaction, GK_FAMILY_OPENINGS, (struct gk_bytes){key, sizeof key});
    }
}

enum gk_status gk_found_card_latest_opening(struct gk_transaction *transaction,
                                            const guika_v1_internal_FoundCard *card, int64_t *ret_at_ms,
                                            struct gk_error *error)
{
    guika_v1_internal_OpeningRecord opening = {0};
    uint8_t key[8];

    put_be64(key, card->fencing_token);
    const enum gk_status status =
        gk_record_get(transaction, GK_FAMILY_OPENINGS, (struct gk_bytes){key, sizeof key},
                      guika_v1_internal_OpeningRecord_fields, &opening, error);

    if (status == GK_OK || status == GK_NOT_FOUND) {
        *ret_at_ms = opening.opened_at_ms;
        return GK_OK;
    }
    return status;
}

/* --- tries --- */

static bool is_here(const guika_v1_internal_FoundCard *card, const struct gk_pickup_try *attempt)
{
    const bool at_desk = card->place.kind == guika_v1_internal_Place_Kind_PLACE_DESK;

    return gk_found_card_is_collectable(card) && at_desk == attempt->at_desk && card->issue > 0 &&
           strcmp(gk_found_card_place_id(card), attempt->place) == 0;
}

static bool is_right(const struct gk_keys *keys, const guika_v1_internal_FoundCard *card,
                     const struct gk_pickup_try *attempt)
{
    const struct gk_pickup_binding binding = {card->case_id, card->issue, gk_found_card_place_id(card),
                                              card->place.compartment};

    return gk_pickup_code_matches(keys, &binding, attempt->code, attempt->tail, attempt->typed_tail);
}

static enum gk_status count_wrong_try(struct gk_transaction *transaction, guika_v1_internal_FoundCard *card,
                                      const struct gk_pickup_try *attempt, struct gk_error *error)
{
    const int64_t wait_ms = gk_pickup_wait_after(card->failed_tries + 1);

    card->failed_tries++;
    if (wait_ms > 0) {
        card->locked_until_ms = gk_transaction_now_ms(transaction) + wait_ms;
    }
    gk_transaction_count(transaction, attempt->place, "wrong_codes");
    return gk_found_card_put(transaction, card, attempt->actor, "found_card.refuse_code", attempt->place,
                             error);
}

/* Judges the try and counts it where it was wrong; `*ret_card` is the card as it rests. */
static enum gk_status judge(struct gk_transaction *transaction, const struct gk_keys *keys,
                            const struct gk_pickup_try *attempt, guika_v1_internal_FoundCard *ret_card,
                            struct gk_pickup_answer *ret_answer, struct gk_error *error)
{
    const int64_t now_ms = gk_transaction_now_ms(transaction);
    const enum gk_status status = gk_found_card_find(transaction, attempt->case_id, ret_card, error);

    if (status != GK_OK) {
        return status;
    }
    *ret_answer = (struct gk_pickup_answer){.result = GK_PICKUP_WRONG};
    if (!is_here(ret_card, attempt)) {
        return GK_OK;
    }
    if (now_ms < ret_card->locked_until_ms) {
        const int64_t wait_ms = ret_card->locked_until_ms - now_ms;

        ret_answer->result = GK_PICKUP_WAIT;
        ret_answer->wait_ms =
            wait_ms < GK_PICKUP_LONGEST_WAIT_MS ? (uint32_t)wait_ms : GK_PICKUP_LONGEST_WAIT_MS;
        return GK_OK;
    }
    if (!is_right(keys, ret_card, attempt)) {
        return count_wrong_try(transaction, ret_card, attempt, error);
    }
    ret_answer->result = now_ms >= ret_card->code_expires_at_ms ? GK_PICKUP_RUN_OUT : GK_PICKUP_RIGHT;
    return GK_OK;
}

enum gk_status gk_found_card_open(struct gk_transaction *transaction, const struct gk_keys *keys,
                                  const struct gk_pickup_try *attempt, struct gk_pickup_answer *ret_answer,
                                  struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    guika_v1_internal_OpeningRecord opening = {0};
    enum gk_status status = judge(transaction, keys, attempt, &card, ret_answer, error);

    if (status != GK_OK || ret_answer->result != GK_PICKUP_RIGHT) {
        return status;
    }
    card.opened_at_ms = gk_transaction_now_ms(transaction);
    card.failed_tries = 0;
    (void)snprintf(opening.box_id, sizeof opening.box_id, "%.32s", attempt->place);
    opening.opened_at_ms = card.opened_at_ms;
    memcpy(opening.compartment, card.place.compartment, sizeof opening.compartment);
    status = gk_found_card_begin_opening(transaction, &card, &opening, error);
    if (status != GK_OK) {
        return status;
    }
    memcpy(ret_answer->compartment, card.place.compartment, sizeof ret_answer->compartment);
    ret_answer->fencing_token = card.fencing_token;
    gk_transaction_count(transaction, attempt->place, "opened");
    return gk_found_card_put(transaction, &card, attempt->actor, "found_card.open", card.place.compartment,
                             error);
}

/* --- the end of it --- */

enum gk_status gk_found_card_close_as_collected(struct gk_transaction *transaction,
                                                guika_v1_internal_FoundCard *card, struct gk_error *error)
{
    card->state = guika_v1_CardState_CARD_STATE_COLLECTED;
    card->place = (guika_v1_internal_Place){.kind = guika_v1_internal_Place_Kind_PLACE_HOLDER};
    card->opened_at_ms = 0;
    gk_found_card_count(transaction, card);
    return gk_found_card_cancel_notice(transaction, card, error);
}

enum gk_status gk_found_card_hand_out(struct gk_transaction *transaction, const struct gk_keys *keys,
                                      const struct gk_pickup_try *attempt,
                                      struct gk_pickup_answer *ret_answer, struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    enum gk_status status = judge(transaction, keys, attempt, &card, ret_answer, error);

    if (status != GK_OK || ret_answer->result != GK_PICKUP_RIGHT) {
        return status;
    }
    status = gk_found_card_close_as_collected(transaction, &card, error);
    return status != GK_OK ? status
                           : gk_found_card_put(transaction, &card, attempt->actor, "found_card.hand_out",
                                               attempt->place, error);
}

const char *gk_found_card_outcome_word(guika_v1_ConfirmCollectedRequest_Outcome outcome)
{
    static const char *const words[] = {"UNSPECIFIED", "COLLECTED", "NOT_OPENED", "CARD_INSIDE", "UNCERTAIN"};

    assert(outcome < sizeof words / sizeof words[0]);
    return words[outcome];
}

/* What the box's word makes of the card. Where staff have moved it meanwhile, its place is known better: only
 * COLLECTED still counts, while it lies where it was. */
enum gk_status gk_found_card_settle_opening(struct gk_transaction *transaction,
                                            guika_v1_internal_FoundCard *card,
                                            guika_v1_ConfirmCollectedRequest_Outcome outcome,
                                            struct gk_error *error)
{
    card->opened_at_ms = 0;
    card->place.uncertain = outcome == guika_v1_ConfirmCollectedRequest_Outcome_UNCERTAIN;
    return outcome == guika_v1_ConfirmCollectedRequest_Outcome_COLLECTED
               ? gk_found_card_close_as_collected(transaction, card, error)
               : GK_OK;
}

static bool may_follow(outcome_t before, outcome_t after)
{
    return before == guika_v1_ConfirmCollectedRequest_Outcome_OUTCOME_UNSPECIFIED ||
           (before == guika_v1_ConfirmCollectedRequest_Outcome_UNCERTAIN && after != before);
}

static enum gk_status find_opening(struct gk_transaction *transaction, const char *box_id, uint64_t token,
                                   guika_v1_internal_OpeningRecord *ret_opening, struct gk_error *error)
{
    uint8_t key[8];

    put_be64(key, token);
    const enum gk_status status =
        gk_record_get(transaction, GK_FAMILY_OPENINGS, (struct gk_bytes){key, sizeof key},
                      guika_v1_internal_OpeningRecord_fields, ret_opening, error);

    if (status == GK_NOT_FOUND || (status == GK_OK && strcmp(ret_opening->box_id, box_id) != 0)) {
        return gk_error_set(error, GK_NOT_FOUND,
                            "this box has no opening %llu, or a later one took its place",
                            (unsigned long long)token);
    }
    return status;
}

/* The card that the opening was of, where it still lies behind that door. Its time may have run out
 * meanwhile. */
bool gk_found_card_is_behind_door(const guika_v1_internal_FoundCard *card, const char *box_id,
                                  const char *compartment)
{
    return !gk_found_card_is_closed(card) &&
           card->place.kind == guika_v1_internal_Place_Kind_PLACE_COMPARTMENT &&
           strcmp(gk_found_card_place_id(card), box_id) == 0 &&
           (compartment[0] == '\0' || strcmp(card->place.compartment, compartment) == 0);
}

enum gk_status gk_found_card_collected(struct gk_transaction *transaction, const char *box_id,
                                       const guika_v1_ConfirmCollectedRequest *request,
                                       uint8_t ret_case_id[GK_CASE_ID_SIZE], struct gk_error *error)
{
    guika_v1_internal_OpeningRecord opening = {0};
    guika_v1_internal_FoundCard card = {0};
    char actor[48];
    enum gk_status status = find_opening(transaction, box_id, request->fencing_token, &opening, error);

    if (status != GK_OK) {
        return status;
    }
    memcpy(ret_case_id, opening.case_id, GK_CASE_ID_SIZE);
    if (opening.outcome == request->outcome) {
        return GK_OK;
    }
    if (!may_follow(opening.outcome, request->outcome)) {
        return gk_error_set(
            error, GK_FAILED_PRECONDITION, "this opening was reported %s before and cannot be %s now",
            gk_found_card_outcome_word(opening.outcome), gk_found_card_outcome_word(request->outcome));
    }
    status = gk_found_card_find(transaction, opening.case_id, &card, error);
    if (status != GK_OK) {
        return status;
    }
    if (gk_found_card_is_behind_door(&card, box_id, opening.compartment)) {
        status = gk_found_card_settle_opening(transaction, &card, request->outcome, error);
    }
    opening.outcome = request->outcome;
    if (status == GK_OK) {
        status = put_opening(transaction, request->fencing_token, &opening, error);
    }
    (void)snprintf(actor, sizeof actor, "box:%s", box_id);
    return status != GK_OK ? status
                           : gk_found_card_put(transaction, &card, actor, "found_card.confirm_collected",
                                               gk_found_card_outcome_word(request->outcome), error);
}

/* --- issues --- */

static enum gk_status get_collectable(struct gk_transaction *transaction, const uint8_t *case_id,
                                      guika_v1_internal_FoundCard *ret_card, struct gk_error *error)
{
    const enum gk_status status = gk_found_card_find(transaction, case_id, ret_card, error);

    if (status == GK_OK && !gk_found_card_is_collectable(ret_card)) {
        return gk_error_set(error, GK_FAILED_PRECONDITION,
                            "the card cannot be collected where it is; move it to a compartment or a desk");
    }
    return status;
}

enum gk_status gk_found_card_renew_code(struct gk_transaction *transaction,
                                        const uint8_t case_id[GK_CASE_ID_SIZE], int64_t code_ms,
                                        guika_v1_internal_FoundCard *ret_card, struct gk_error *error)
{
    const int64_t now_ms = gk_transaction_now_ms(transaction);
    const enum gk_status status = get_collectable(transaction, case_id, ret_card, error);

    if (status != GK_OK || (ret_card->issue > 0 && ret_card->code_expires_at_ms - now_ms >= code_ms / 2)) {
        return status;
    }
    gk_found_card_next_issue(transaction, ret_card, code_ms);
    return gk_found_card_put(transaction, ret_card, "core", "found_card.issue_code", "", error);
}

enum gk_status gk_found_card_reissue(struct gk_transaction *transaction, const struct gk_keys *keys,
                                     const char *actor, const uint8_t case_id[GK_CASE_ID_SIZE],
                                     int64_t code_ms, struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    enum gk_status status = get_collectable(transaction, case_id, &card, error);

    if (status != GK_OK) {
        return status;
    }
    gk_found_card_next_issue(transaction, &card, code_ms);
    status = gk_found_card_notify(transaction, keys, &card, GK_MESSAGE_NEW_CODE, error);
    return status != GK_OK
               ? status
               : gk_found_card_put(transaction, &card, actor, "found_card.reissue_code", "", error);
}

#include "core/pickup.h"

#include "core/case_number.h"
#include "core/holdings.h"
#include "core/memory.h"
#include "core/security/pickup_code.h"
#include "core/store/record.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

void gk_pickup_tail_of(const guika_v1_internal_HolderContacts *holder, char ret_tail[5])
{
    ret_tail[0] = '\0';
    for (size_t i = 0; i < holder->contacts_count; i++) {
        if (gk_pickup_telephone_tail(holder->contacts[i], ret_tail)) {
            return;
        }
    }
}

/* A holder who is not registered any more has no telephone: then a code of eight digits alone is good. */
enum gk_status gk_pickup_find_tail(const struct gk_pickup_parts *parts,
                                   const guika_v1_internal_FoundCard *card, char ret_tail[5],
                                   struct gk_error *error)
{
    ret_tail[0] = '\0';
    if (card->holder_token.size != GK_TOKEN_SIZE) {
        return GK_OK;
    }
    guika_v1_internal_HolderContacts *holder = gk_allocate(sizeof *holder);
    const enum gk_status status =
        gk_holdings_contacts(parts->registry, parts->store, parts->keys, card->issuer_account,
                             card->holder_token.bytes, holder, error);

    if (status == GK_OK) {
        gk_pickup_tail_of(holder, ret_tail);
    }
    sodium_memzero(holder, sizeof *holder);
    free(holder);
    return status == GK_NOT_FOUND || status == GK_DATA_LOSS ? GK_OK : status;
}

static enum gk_status find_tail(const struct gk_pickup_parts *parts, const uint8_t *case_id, char ret_tail[5],
                                struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    const enum gk_status status =
        gk_record_read(parts->store, GK_FAMILY_FOUND_CARDS, (struct gk_bytes){case_id, GK_CASE_ID_SIZE},
                       guika_v1_internal_FoundCard_fields, &card, error);

    return status == GK_OK ? gk_pickup_find_tail(parts, &card, ret_tail, error) : status;
}

struct entering {
    const struct gk_pickup_parts *parts;
    struct gk_pickup_try attempt;
    struct gk_pickup_answer *answer;
};

static enum gk_status apply_entry(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct entering *entering = context;

    return entering->attempt.at_desk ? gk_found_card_hand_out(transaction, entering->parts->keys,
                                                              &entering->attempt, entering->answer, error)
                                     : gk_found_card_open(transaction, entering->parts->keys,
                                                          &entering->attempt, entering->answer, error);
}

enum gk_status gk_pickup_enter(const struct gk_pickup_parts *parts, const struct gk_pickup_entry *entry,
                               struct gk_pickup_answer *ret_answer, uint8_t ret_case_id[GK_CASE_ID_SIZE],
                               struct gk_error *error)
{
    char tail[5];
    struct entering entering = {.parts = parts, .answer = ret_answer};
    struct gk_pickup_try *attempt = &entering.attempt;
    enum gk_status status = gk_case_number_find(parts->store, entry->case_number, attempt->case_id, error);

    *ret_answer = (struct gk_pickup_answer){.result = GK_PICKUP_WRONG};
    if (status != GK_OK) {
        return status == GK_NOT_FOUND || status == GK_INVALID_ARGUMENT ? GK_OK : status;
    }
    status = find_tail(parts, attempt->case_id, tail, error);
    if (status != GK_OK) {
        return status;
    }
    attempt->place = entry->place;
    attempt->at_desk = entry->at_desk;
    attempt->actor = entry->actor;
    attempt->code = entry->code;
    attempt->typed_tail = entry->typed_tail;
    attempt->tail = tail;
    status = gk_store_commit_and_wait(parts->store, apply_entry, &entering, error);
    memcpy(ret_case_id, attempt->case_id, GK_CASE_ID_SIZE);
    return status;
}

/* --- what a notice carries --- */

struct renewing {
    const uint8_t *case_id;
    int64_t code_ms;
    guika_v1_internal_FoundCard card;
};

static enum gk_status apply_renew(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct renewing *renewing = context;

    return gk_found_card_renew_code(transaction, renewing->case_id, renewing->code_ms, &renewing->card,
                                    error);
}

enum gk_status gk_pickup_tell(const struct gk_pickup_parts *parts, const uint8_t case_id[GK_CASE_ID_SIZE],
                              const guika_v1_internal_HolderContacts *holder,
                              struct gk_outbox_pickup *ret_pickup, struct gk_error *error)
{
    struct renewing renewing = {.case_id = case_id, .code_ms = parts->retention->code_ms};
    const enum gk_status status = gk_store_commit_and_wait(parts->store, apply_renew, &renewing, error);
    const guika_v1_internal_FoundCard *card = &renewing.card;
    const struct gk_pickup_binding binding = {card->case_id, card->issue, gk_found_card_place_id(card),
                                              card->place.compartment};
    char tail[5];

    if (status != GK_OK) {
        const bool is_over =
            gk_found_card_is_closed(card) || card->state == guika_v1_CardState_CARD_STATE_EXPIRED;

        return status == GK_FAILED_PRECONDITION && is_over
                   ? gk_error_set(error, GK_NOT_FOUND, "the case is over")
                   : status;
    }
    gk_pickup_tail_of(holder, tail);
    ret_pickup->tail_digits = tail[0] == '\0' ? 0 : GK_PICKUP_TAIL;
    gk_pickup_code_make(parts->keys, &binding, tail[0] == '\0' ? GK_PICKUP_LONG : GK_PICKUP_SHORT,
                        ret_pickup->code);
    ret_pickup->expires_at_ms = card->code_expires_at_ms;
    (void)snprintf(ret_pickup->place_id, sizeof ret_pickup->place_id, "%s", gk_found_card_place_id(card));
    return GK_OK;
}

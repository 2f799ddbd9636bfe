#include "core/found_card_offline.h"

#include "core/found_card_internal.h"
#include "core/security/pickup_grant.h"
#include "core/store/record.h"

#include <stdio.h>
#include <string.h>

enum { KEY_SIZE = sizeof GK_OFFLINE_PREFIX + 32 };

typedef guika_v1_ConfirmCollectedRequest_Outcome outcome_t;

/* One entry on its way into its case. */
struct merging {
    struct gk_transaction *transaction;
    const char *box_id;
    const guika_v1_OfflinePickup *entry;
    char actor[48];
    guika_v1_internal_FoundCard card;
    struct gk_offline_merged *merged;
};

static bool collected(const guika_v1_OfflinePickup *entry)
{
    return entry->outcome == guika_v1_ConfirmCollectedRequest_Outcome_COLLECTED;
}

/* Each box's entries come in order, so the latest one taken tells of all before it. A box with a new journal
 * begins anew; so does one whose disk was put back to an earlier day, where the same numbers come with later
 * times. */
static bool was_taken(const guika_v1_internal_OfflineRecord *record, const guika_v1_OfflinePickup *entry)
{
    return memcmp(record->journal_id, entry->journal_id, sizeof record->journal_id) == 0 &&
           entry->sequence <= record->sequence && entry->at_ms <= record->at_ms;
}

static enum gk_status take_once(struct merging *merging, struct gk_error *error)
{
    guika_v1_internal_OfflineRecord record = {0};
    const guika_v1_OfflinePickup *entry = merging->entry;
    char text[KEY_SIZE];
    const int length = snprintf(text, sizeof text, GK_OFFLINE_PREFIX "%.32s", merging->box_id);
    const struct gk_bytes key = {(const uint8_t *)text, (size_t)length};
    const enum gk_status status = gk_record_get(merging->transaction, GK_FAMILY_META, key,
                                                guika_v1_internal_OfflineRecord_fields, &record, error);

    if (status != GK_OK && status != GK_NOT_FOUND) {
        return status;
    }
    if (status == GK_OK && was_taken(&record, entry)) {
        return GK_OK;
    }
    merging->merged->taken = true;
    memcpy(record.journal_id, entry->journal_id, sizeof record.journal_id);
    record.sequence = entry->sequence;
    record.at_ms = entry->at_ms > record.at_ms ? entry->at_ms : record.at_ms;
    return gk_record_put(merging->transaction, GK_FAMILY_META, key, guika_v1_internal_OfflineRecord_fields,
                         &record, error);
}

static enum gk_status put(struct merging *merging, const char *action, const char *detail,
                          struct gk_error *error)
{
    return gk_found_card_put(merging->transaction, &merging->card, merging->actor, action, detail, error);
}

static void note(const struct merging *merging, const char *action, const char *detail)
{
    gk_transaction_audit(merging->transaction, merging->actor, action,
                         (struct gk_bytes){merging->entry->case_id, GK_CASE_ID_SIZE}, detail);
}

/* The card lies behind the door that the entry tells of, as far as the service knows. */
static bool is_behind_door(const struct merging *merging)
{
    return merging->entry->compartment[0] != '\0' &&
           gk_found_card_is_behind_door(&merging->card, merging->box_id, merging->entry->compartment);
}

/* The box's clock goes by the service's, but nothing happened after now. */
static int64_t happened_at_ms(const struct merging *merging)
{
    const int64_t now_ms = gk_transaction_now_ms(merging->transaction);

    return merging->entry->at_ms > 0 && merging->entry->at_ms < now_ms ? merging->entry->at_ms : now_ms;
}

static enum gk_status merge_tries(struct merging *merging, struct gk_error *error)
{
    guika_v1_internal_FoundCard *card = &merging->card;

    if (!is_behind_door(merging) || card->issue != merging->entry->issue) {
        note(merging, "found_card.refuse_code_offline", "the code was void already");
        return GK_OK;
    }
    for (uint32_t i = 0; i < merging->entry->wrong_tries; i++) {
        const int64_t wait_ms = gk_pickup_wait_after(++card->failed_tries);
        const int64_t until_ms = happened_at_ms(merging) + wait_ms;

        if (wait_ms > 0 && until_ms > card->locked_until_ms) {
            card->locked_until_ms = until_ms;
        }
        gk_transaction_count(merging->transaction, merging->box_id, "wrong_codes");
    }
    return put(merging, "found_card.refuse_code_offline", merging->box_id, error);
}

/* The service knows better, or worse, where the card is. */
static enum gk_status merge_elsewhere(struct merging *merging, struct gk_error *error)
{
    guika_v1_internal_FoundCard *card = &merging->card;
    const bool at_holder = card->state == guika_v1_CardState_CARD_STATE_COLLECTED;
    char detail[64];

    (void)snprintf(detail, sizeof detail, "%s, while the card was %s",
                   gk_found_card_outcome_word(merging->entry->outcome),
                   gk_found_card_place_word(card->place.kind));
    if (at_holder || merging->entry->outcome == guika_v1_ConfirmCollectedRequest_Outcome_NOT_OPENED) {
        note(merging, "found_card.confirm_offline", detail);
        return GK_OK;
    }
    merging->merged->why = "a box opened for a card that was recorded elsewhere";
    if (gk_found_card_is_closed(card)) {
        note(merging, "found_card.confirm_offline", detail);
        return GK_OK;
    }
    card->place.uncertain = true;
    return put(merging, "found_card.confirm_offline", detail, error);
}

static enum gk_status merge_opening(struct merging *merging, struct gk_error *error)
{
    guika_v1_internal_FoundCard *card = &merging->card;
    const guika_v1_OfflinePickup *entry = merging->entry;
    guika_v1_internal_OpeningRecord opening = {.opened_at_ms = happened_at_ms(merging),
                                               .outcome = entry->outcome};
    const bool older_code = card->issue != entry->issue;
    const bool cancelled = card->reason == guika_v1_Reason_REASON_CANCELLED;
    char detail[64];

    if (!is_behind_door(merging)) {
        return merge_elsewhere(merging, error);
    }
    (void)snprintf(detail, sizeof detail, "%s%s%s", gk_found_card_outcome_word(entry->outcome),
                   older_code ? ", with an older code" : "", cancelled ? ", after it was cancelled" : "");
    if (collected(entry) && (older_code || cancelled)) {
        merging->merged->why = older_code ? "a card was collected with an older code"
                                          : "a card was collected after its issuer had cancelled it";
    }
    (void)snprintf(opening.box_id, sizeof opening.box_id, "%.32s", merging->box_id);
    memcpy(opening.compartment, card->place.compartment, sizeof opening.compartment);
    enum gk_status status = gk_found_card_begin_opening(merging->transaction, card, &opening, error);

    if (status == GK_OK) {
        gk_transaction_count(merging->transaction, merging->box_id, "opened");
        card->failed_tries = older_code ? card->failed_tries : 0;
        status = gk_found_card_settle_opening(merging->transaction, card, entry->outcome, error);
    }
    if (status == GK_OK) {
        status = put(merging, "found_card.confirm_offline", detail, error);
    }
    merging->merged->collected = status == GK_OK && collected(entry);
    return status;
}

enum gk_status gk_found_card_merge_offline(struct gk_transaction *transaction, const char *box_id,
                                           const guika_v1_OfflinePickup *entry,
                                           struct gk_offline_merged *ret_merged, struct gk_error *error)
{
    struct merging merging = {
        .transaction = transaction, .box_id = box_id, .entry = entry, .merged = ret_merged};

    *ret_merged = (struct gk_offline_merged){0};
    enum gk_status status = take_once(&merging, error);

    if (status != GK_OK || !ret_merged->taken) {
        return status;
    }
    (void)snprintf(merging.actor, sizeof merging.actor, "box:%.32s", box_id);
    status = gk_found_card_get(transaction, entry->case_id, &merging.card, error);
    if (status == GK_NOT_FOUND) {
        ret_merged->why = "a box opened for a case that is not known (any more)";
        note(&merging, "found_card.unknown_offline", gk_found_card_outcome_word(entry->outcome));
        return GK_OK;
    }
    if (status != GK_OK) {
        return status;
    }
    return entry->wrong_tries > 0 ? merge_tries(&merging, error) : merge_opening(&merging, error);
}

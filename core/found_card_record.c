/* Reading and writing a found card's record. */
#include "core/found_card_internal.h"
#include "core/store/record.h"

#include <assert.h>
#include <stdio.h>

static struct gk_bytes case_key(const uint8_t *case_id)
{
    return (struct gk_bytes){case_id, GK_CASE_ID_SIZE};
}

enum gk_status gk_found_card_get(struct gk_transaction *transaction, const uint8_t *case_id,
                                 guika_v1_internal_FoundCard *ret_card, struct gk_error *error)
{
    return gk_record_get(transaction, GK_FAMILY_FOUND_CARDS, case_key(case_id),
                         guika_v1_internal_FoundCard_fields, ret_card, error);
}

enum gk_status gk_found_card_write(struct gk_transaction *transaction, guika_v1_internal_FoundCard *card,
                                   struct gk_error *error)
{
    card->version++;
    return gk_record_put(transaction, GK_FAMILY_FOUND_CARDS, case_key(card->case_id),
                         guika_v1_internal_FoundCard_fields, card, error);
}

/* As write_card, and audits the step as `action` by `actor`. */
enum gk_status gk_found_card_put(struct gk_transaction *transaction, guika_v1_internal_FoundCard *card,
                                 const char *actor, const char *action, const char *detail,
                                 struct gk_error *error)
{
    gk_transaction_audit(transaction, actor, action, case_key(card->case_id), detail);
    return gk_found_card_write(transaction, card, error);
}

const char *gk_found_card_reason_word(guika_v1_Reason reason)
{
    static const char *const words[] = {"UNSPECIFIED",    "NOT_A_CARD",   "UNREADABLE", "GLARE",
                                        "UNKNOWN_ISSUER", "CHECK_FAILED", "AMBIGUOUS",  "UNREGISTERED",
                                        "CANCELLED",      "SEVERAL_CARDS"};

    assert(reason < sizeof words / sizeof words[0]);
    return words[reason];
}

void gk_found_card_count_state(struct gk_transaction *transaction, const guika_v1_internal_FoundCard *card)
{
    char name[64];

    switch (card->state) {
    case guika_v1_CardState_CARD_STATE_IDENTIFIED:
        gk_transaction_count(transaction, card->box_id, "identified");
        break;
    case guika_v1_CardState_CARD_STATE_DIFFICULT:
        (void)snprintf(name, sizeof name, "difficult.%s", gk_found_card_reason_word(card->reason));
        gk_transaction_count(transaction, card->box_id, name);
        break;
    case guika_v1_CardState_CARD_STATE_GIVEN_BACK:
        gk_transaction_count(transaction, card->box_id, "given_back");
        break;
    case guika_v1_CardState_CARD_STATE_EXPIRED:
        gk_transaction_count(transaction, card->box_id, "expired");
        break;
    default:
        break;
    }
}

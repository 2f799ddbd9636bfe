/* One card: its record, its notice and what its holder was told. */
#include "core/store/record.h"
#include "tests/core/life_model/compare.h"

#include <string.h>

struct comparing {
    const struct model_card *card;
    char *difference;
};

/* Notes the first field that differs. */
static void expect(const struct comparing *comparing, const char *field, int64_t is, int64_t wanted)
{
    if (is != wanted && comparing->difference[0] == '\0') {
        (void)snprintf(comparing->difference, DIFFERENCE_SIZE, "card %u: %s is %lld, the model says %lld",
                       comparing->card->name, field, (long long)is, (long long)wanted);
    }
}

static void expect_place(const struct comparing *comparing, const guika_v1_internal_FoundCard *found)
{
    const struct model_card *card = comparing->card;
    char compartment[33] = "";

    expect(comparing, "place", found->place.kind, card->place);
    expect(comparing, "uncertain", found->place.uncertain, card->uncertain);
    expect(comparing, "misplaced", found->place.misplaced, card->misplaced);
    if (model_is_closed(card)) {
        return;
    }
    if (strcmp(gk_found_card_place_id(found), world_place(card->place, card->at)) != 0 &&
        comparing->difference[0] == '\0') {
        (void)snprintf(comparing->difference, DIFFERENCE_SIZE, "card %u: is at %s, the model says %s",
                       card->name, gk_found_card_place_id(found), world_place(card->place, card->at));
    }
    if (card->compartment == 0) {
        (void)snprintf(compartment, sizeof compartment, "N%u", card->name);
    } else if (card->compartment > 0) {
        (void)snprintf(compartment, sizeof compartment, "M%d", card->compartment);
    }
    expect(comparing, "compartment", strcmp(found->place.compartment, compartment), 0);
}

static void expect_clocks(const struct comparing *comparing, const guika_v1_internal_FoundCard *found)
{
    const struct model_card *card = comparing->card;

    expect(comparing, "opened_at_ms", found->opened_at_ms, card->opened_at_ms);
    expect(comparing, "remind_at_ms", found->remind_at_ms, card->remind_at_ms);
    expect(comparing, "expires_at_ms", found->expires_at_ms, card->expires_at_ms);
    expect(comparing, "erase_at_ms", found->erase_at_ms, card->erase_at_ms);
}

static void expect_code(const struct comparing *comparing, const guika_v1_internal_FoundCard *found)
{
    const struct model_card *card = comparing->card;

    expect(comparing, "issue", found->issue, card->issue);
    expect(comparing, "code_expires_at_ms", found->code_expires_at_ms, card->code_expires_at_ms);
    expect(comparing, "failed_tries", found->failed_tries, card->tries);
    expect(comparing, "locked_until_ms", found->locked_until_ms, card->locked_until_ms);
}

static const char *word_of(enum model_word word)
{
    static const char *const words[] = {"card_found", "card_moved", "card_reminder", "card_expired",
                                        "new_code"};

    return words[word];
}

static void expect_notice(const struct comparing *comparing, const struct driver *driver,
                          const guika_v1_internal_FoundCard *found)
{
    const struct model_card *card = comparing->card;
    guika_v1_internal_NoticeRecord notice = {0};

    if (card->notice < 0) {
        return;
    }
    const struct model_notice *wanted = &card->notices[card->notice];
    const enum gk_status status = gk_record_read(
        driver->rig.store, GK_FAMILY_OUTBOX, (struct gk_bytes){found->notice_id.bytes, found->notice_id.size},
        guika_v1_internal_NoticeRecord_fields, &notice, NULL);

    expect(comparing, "reading its notice", status, GK_OK);
    expect(comparing, "notice's state", notice.state, wanted->state);
    expect(comparing, "notice's word", strcmp(notice.template_id, word_of(wanted->word)), 0);
    if (wanted->state == NOTICE_DUE) {
        expect(comparing, "notice's due_at_ms", notice.due_at_ms, wanted->due_at_ms);
        expect(comparing, "notice's contact", notice.contact, wanted->contact);
        expect(comparing, "notice's attempts", notice.attempts, wanted->attempts);
    }
}

bool compare_card(struct driver *driver, const struct model_card *card, const struct driver_card *real,
                  char ret_difference[DIFFERENCE_SIZE])
{
    const struct comparing comparing = {card, ret_difference};
    guika_v1_internal_FoundCard found = {0};
    const enum gk_status status = gk_record_read(driver->rig.store, GK_FAMILY_FOUND_CARDS,
                                                 (struct gk_bytes){real->case_id, GK_CASE_ID_SIZE},
                                                 guika_v1_internal_FoundCard_fields, &found, NULL);

    ret_difference[0] = '\0';
    expect(&comparing, "reading its record", status, GK_OK);
    expect(&comparing, "state", found.state, card->state);
    expect(&comparing, "reason", found.reason, card->reason);
    expect_place(&comparing, &found);
    expect(&comparing, "kind", found.kind, card->kind);
    expect(&comparing, "a known number", found.card_token.size > 0, card->number != NO_NUMBER);
    expect(&comparing, "received_at_ms", found.received_at_ms, card->received_at_ms);
    expect(&comparing, "closed_at_ms", found.closed_at_ms, card->closed_at_ms);
    expect(&comparing, "pictures", found.pictures, card->picture);
    expect(&comparing, "a proposed number", found.proposed_token.size > 0, card->proposed != NO_NUMBER);
    if (model_is_live(card)) {
        expect(&comparing, "a holder", found.holder_token.size > 0, card->holder != HOLDER_NONE);
        expect(&comparing, "policy THROUGH_ISSUER",
               found.policy == guika_v1_IssuerPolicy_ISSUER_POLICY_THROUGH_ISSUER, card->through_issuer);
    }
    if (card->state == EXPIRED || card->reason == REASON_CANCELLED) {
        expect(&comparing, "disposition", found.disposition, card->disposition);
    }
    expect_code(&comparing, &found);
    expect_clocks(&comparing, &found);
    expect_notice(&comparing, driver, &found);
    expect(&comparing, "messages that reached the holder", real->message_count, card->messages);
    return ret_difference[0] == '\0';
}

bool compare_touched(struct driver *driver, const struct model *model, char ret_difference[DIFFERENCE_SIZE])
{
    for (uint32_t i = 0; i < model->touched_count; i++) {
        const uint32_t index = model->touched[i];

        if (!compare_card(driver, &model->cards[index], &driver->cards[index], ret_difference)) {
            return false;
        }
    }
    return true;
}

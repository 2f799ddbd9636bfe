/*
 * What boxes, people and time say of one card in an order that nobody planned. Each of these was found by the
 * model test (tests/core/life_model).
 */
#include "core/found_card_claim.h"
#include "core/found_card_internal.h"
#include "core/found_card_issuer.h"
#include "core/found_card_queue.h"
#include "core/notification/outbox_internal.h"
#include "core/watches.h"
#include "tests/core/life_words.h"

#define JAMMED guika_v1_ConfirmStoredRequest_Outcome_JAMMED
#define TAKEN_BACK guika_v1_ConfirmStoredRequest_Outcome_TAKEN_BACK
#define GIVEN_BACK guika_v1_CardState_CARD_STATE_GIVEN_BACK
#define RECEIVED guika_v1_CardState_CARD_STATE_RECEIVED
#define UNREGISTERED guika_v1_Reason_REASON_UNREGISTERED

/* --- one transition each --- */

struct doing {
    struct life *life;
    uint8_t case_id[GK_CASE_ID_SIZE];
    guika_v1_ConfirmStoredRequest stored;
    guika_v1_CardState state;
    struct gk_found_card_decision decision;
    guika_v1_internal_DepositRecord deposit;
    struct gk_settlement settlement;
    guika_v1_internal_WatchRecord watch;
    guika_v1_internal_FoundCard card;
};

static struct doing begin(struct life *life, uint8_t id)
{
    struct doing doing = {.life = life};

    doing.case_id[0] = id;
    return doing;
}

static enum gk_status run(struct doing *doing,
                          enum gk_status (*apply)(void *, struct gk_transaction *, struct gk_error *))
{
    return gk_store_commit_and_wait(doing->life->fixture->store, apply, doing, NULL);
}

static enum gk_status apply_confirm(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct doing *doing = context;

    return gk_found_card_confirm(transaction, LIFE_BOX, &doing->stored, doing->case_id, error);
}

static enum gk_status confirm(struct life *life, uint8_t id, guika_v1_ConfirmStoredRequest_Outcome outcome)
{
    struct doing doing = begin(life, id);

    doing.stored.outcome = outcome;
    (void)snprintf(doing.stored.deposit_id, sizeof doing.stored.deposit_id, "d-%u", id);
    return run(&doing, apply_confirm);
}

static enum gk_status apply_decide(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct doing *doing = context;

    return gk_found_card_decide(transaction, &doing->decision, &doing->deposit, error);
}

/* A transit card of token `card`, as the pipeline would decide it, with a picture. */
static void decide(struct life *life, uint8_t id, uint8_t card_token, guika_v1_CardState state)
{
    struct doing doing = begin(life, id);
    guika_v1_internal_FoundCard *card = &doing.decision.card;

    memcpy(card->case_id, doing.case_id, GK_CASE_ID_SIZE);
    card->state = state;
    card->kind = guika_v1_CardKind_CARD_KIND_TRANSIT;
    card->pictures = state == GIVEN_BACK ? 0 : 1;
    card->reason = state == DIFFICULT ? UNREGISTERED : guika_v1_Reason_REASON_UNSPECIFIED;
    card->received_at_ms = atomic_load(&life->fixture->now_ms);
    card->has_place = true;
    card->place.kind = state == GIVEN_BACK ? guika_v1_internal_Place_Kind_PLACE_FINDER
                                           : guika_v1_internal_Place_Kind_PLACE_SLOT;
    (void)snprintf(card->box_id, sizeof card->box_id, LIFE_BOX);
    (void)snprintf(card->deposit_id, sizeof card->deposit_id, "d-%u", id);
    if (card_token != 0) {
        card->card_token.size = GK_TOKEN_SIZE;
        memset(card->card_token.bytes, card_token, GK_TOKEN_SIZE);
    }
    memcpy(doing.decision.deposit.case_id, doing.case_id, GK_CASE_ID_SIZE);
    doing.decision.deposit.has_answer = true;
    doing.decision.deposit.answer.decision = state == RECEIVED ? guika_v1_DepositResponse_Decision_MORE_FRAMES
                                                               : guika_v1_DepositResponse_Decision_KEEP;
    doing.decision.deposit.sequence = state == RECEIVED ? 0 : 1;
    assert_int_equal(run(&doing, apply_decide), GK_OK);
}

/* --- the box is late --- */

static void test_late_word_of_the_box_does_not_undo_a_move(void **state)
{
    struct life *life = *state;

    life_find(life, 1, 3, LIFE_BOX, true);
    assert_int_equal(life_move(life, 1, BAG, "bag-1", ""), GK_OK);
    const uint64_t before = life_audited(life);

    life_store(life, 1, LIFE_BOX, NORMAL);
    assert_int_equal(life_card(life, 1).place.kind, BAG);
    assert_int_equal(life_records(life, GK_FAMILY_OUTBOX_DUE), 0);
    assert_int_equal(life_audited(life), before + 1);
}

static void test_end_of_a_jam_does_not_reopen_a_case(void **state)
{
    struct life *life = *state;

    life_find(life, 1, 3, LIFE_BOX, false);
    assert_int_equal(confirm(life, 1, JAMMED), GK_OK);
    assert_int_equal(life_move(life, 1, DEPOT, "depot-1", ""), GK_OK);
    assert_int_equal(life_end(life, 1, DESTROYED, ""), GK_OK);
    assert_int_equal(confirm(life, 1, TAKEN_BACK), GK_OK);
    assert_int_equal(life_card(life, 1).state, DESTROYED);
    assert_int_equal(life_card(life, 1).place.kind, guika_v1_internal_Place_Kind_PLACE_DESTROYED);
}

static void test_card_that_jams_on_its_way_back_is_difficult(void **state)
{
    struct life *life = *state;

    decide(life, 1, 0, GIVEN_BACK);
    assert_int_equal(confirm(life, 1, JAMMED), GK_OK);
    assert_int_equal(life_card(life, 1).state, DIFFICULT);
    assert_int_equal(life_records(life, GK_FAMILY_DIFFICULT), 1);
    assert_int_equal(life_move(life, 1, BAG, "bag-1", ""), GK_OK);
}

static void test_late_report_on_a_door_counts_only_while_the_card_lies_behind_it(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    const uint64_t token = life_open(life, 1);

    assert_int_equal(life_move(life, 1, COMPARTMENT, LIFE_BOX, "N77"), GK_OK);
    assert_int_equal(life_confirm(life, LIFE_BOX, token, TOOK), GK_OK);
    assert_int_equal(life_card(life, 1).state, NOTIFIED);
}

static enum gk_status apply_give_up(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    return gk_found_card_give_up(transaction, ((struct doing *)context)->case_id, error);
}

static void test_open_door_of_a_case_that_is_over_makes_nothing_uncertain(void **state)
{
    struct life *life = *state;
    struct doing doing = begin(life, 1);

    life_ready(life, 1, 3);
    (void)life_open(life, 1);
    assert_int_equal(run(&doing, apply_give_up), GK_OK);
    assert_int_equal(life_end(life, 1, RETURNED, "bank"), GK_OK);
    const uint64_t before = life_audited(life);

    life_pass(life, LIFE_DAY_MS);
    life_sweep(life);
    assert_false(life_card(life, 1).place.uncertain);
    assert_int_equal(life_audited(life), before);
}

/* --- two cards, or one found twice --- */

static void test_card_that_lay_here_before_the_door_opened_is_another_one(void **state)
{
    struct life *life = *state;

    life_find(life, 2, 3, LIFE_BOX, true);
    life_pass(life, 1000);
    life_ready(life, 1, 3);
    (void)life_open(life, 1);
    life_pass(life, 60 * 60 * 1000);
    life_sweep(life);
    assert_true(life_card(life, 1).place.uncertain);
    life_store(life, 2, LIFE_BOX, NORMAL);
    life_sweep(life);
    assert_int_equal(life_card(life, 1).state, NOTIFIED);
    /* One that comes after it is the same card. */
    life_ready(life, 4, 3);
    assert_int_equal(life_card(life, 1).state, COLLECTED);
}

/* --- rows that stay behind --- */

static void test_deposit_that_is_continued_leaves_no_row_behind(void **state)
{
    struct life *life = *state;

    decide(life, 1, 0, RECEIVED);
    life_sweep(life);
    life_pass(life, 1000);
    decide(life, 1, 0, DIFFICULT);
    life_sweep(life);
    assert_int_equal(life_records(life, GK_FAMILY_CLOCKS), 0); /* nothing is due for a difficult card */
    life_pass(life, 1000);
    decide(life, 2, 0, RECEIVED);
    decide(life, 2, 0, GIVEN_BACK);
    assert_int_equal(life_records(life, GK_FAMILY_BY_PLACE), 1); /* the first one's */
}

static enum gk_status apply_settle(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct doing *doing = context;
    enum gk_settled settled;

    return gk_found_card_settle(transaction, &doing->settlement, &settled, &doing->card, error);
}

static void test_corrected_number_does_not_find_the_card_by_the_one_before(void **state)
{
    struct life *life = *state;
    struct doing doing = begin(life, 1);

    decide(life, 1, 3, DIFFICULT);
    doing.decision.card = life_card(life, 1);
    memset(doing.decision.card.card_token.bytes, 4, GK_TOKEN_SIZE);
    doing.settlement = (struct gk_settlement){&doing.decision, doing.decision.card.version, "operator:anna",
                                              "found_card.resolve", true};
    assert_int_equal(run(&doing, apply_settle), GK_OK);
    assert_int_equal(life_card(life, 1).card_token.bytes[0], 4);
    assert_int_equal(life_records(life, GK_FAMILY_FOUND_BY_CARD), 1);
}

static enum gk_status apply_close(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct doing *doing = context;

    return gk_found_card_close(transaction, doing->case_id, doing->state, "operator:anna", "bank", error);
}

static void test_discarded_card_lies_in_no_box(void **state)
{
    struct life *life = *state;
    struct doing first = begin(life, 1);
    struct doing second = begin(life, 2);

    life_find(life, 1, 3, LIFE_BOX, false);
    life_find(life, 2, 4, LIFE_BOX, false);
    life_store(life, 1, LIFE_BOX, BIN_ZONE);
    life_store(life, 2, LIFE_BOX, BIN_ZONE);
    first.state = DESTROYED;
    second.state = HANDED_OVER;
    assert_int_equal(run(&first, apply_close), GK_OK);
    assert_int_equal(run(&second, apply_close), GK_OK);
    assert_int_equal(life_card(life, 1).place.kind, guika_v1_internal_Place_Kind_PLACE_DESTROYED);
    assert_int_equal(life_card(life, 2).place.kind, guika_v1_internal_Place_Kind_PLACE_ISSUER);
    assert_string_equal(life_card(life, 2).indexed_place, "bank");
}

/* --- holders --- */

static enum gk_status apply_watch(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    return gk_watches_file(transaction, &((struct doing *)context)->watch, error);
}

static void test_claimed_card_keeps_no_picture(void **state)
{
    struct life *life = *state;
    struct doing doing = begin(life, 1);

    memset(doing.watch.contact_token, 0x22, GK_TOKEN_SIZE);
    doing.watch.card_tokens_count = 1;
    memset(doing.watch.card_tokens[0], 3, GK_TOKEN_SIZE);
    assert_int_equal(run(&doing, apply_watch), GK_OK);
    life_pass(life, 1000);
    decide(life, 1, 3, DIFFICULT);
    assert_int_equal(life_card(life, 1).state, IDENTIFIED);
    assert_int_equal(life_card(life, 1).pictures, 0);
}

static enum gk_status apply_unlink(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct doing *doing = context;
    const enum gk_status status = gk_found_card_find(transaction, doing->case_id, &doing->card, error);

    doing->card.holder_token.size = 0;
    return status == GK_OK ? gk_found_card_write(transaction, &doing->card, error) : status;
}

static void test_nobody_is_told_of_a_card_whose_holder_was_forgotten(void **state)
{
    struct life *life = *state;
    struct doing doing = begin(life, 1);

    life_ready(life, 1, 3);
    const size_t notices = life_records(life, GK_FAMILY_OUTBOX);

    assert_int_equal(run(&doing, apply_unlink), GK_OK);
    assert_int_equal(life_move(life, 1, COMPARTMENT, LIFE_BOX, "N77"), GK_OK);
    assert_int_equal(life_records(life, GK_FAMILY_OUTBOX), notices);
}

static enum gk_status find_holder(void *context, const char *issuer_account,
                                  const uint8_t holder_token[GK_TOKEN_SIZE],
                                  guika_v1_internal_HolderContacts *ret_contacts, struct gk_error *error)
{
    (void)context;
    (void)issuer_account;
    (void)holder_token;
    (void)error;
    ret_contacts->contacts_count = 1;
    strcpy(ret_contacts->contacts[0], "smtp:a@b.example");
    return GK_OK;
}

static void no_name(void *context, const char *issuer, struct gk_issuer_name *ret_name)
{
    (void)context;
    (void)issuer;
    (void)ret_name;
}

static void test_holder_hears_of_a_card_that_expired_in_a_bag(void **state)
{
    static const struct gk_channel_setting smtp = {"smtp", "plugin", "maildir"};
    struct life *life = *state;
    const struct gk_outbox_options options = {.store = life->fixture->store,
                                              .keys = life->keys,
                                              .settings = &smtp,
                                              .setting_count = 1,
                                              .holder = find_holder,
                                              .issuer_name = no_name};
    guika_v1_internal_LeaseNoticeResponse *notice = calloc(1, sizeof *notice);
    struct gk_outbox_attempt attempt;
    struct gk_error error;

    life_ready(life, 1, 3);
    assert_int_equal(life_move(life, 1, BAG, "bag-1", ""), GK_OK);
    life_pass(life, 61 * LIFE_DAY_MS);
    life_sweep(life);
    assert_int_equal(life_card(life, 1).state, EXPIRED);
    assert_int_equal(gk_outbox_prepare(&options, life_notice_record(life, 1).notice_id,
                                       atomic_load(&life->fixture->now_ms), notice, &attempt, &error),
                     GK_OUTBOX_READY);
    free(notice);
}

/* --- issuers --- */

static enum gk_status apply_cancel(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    return gk_found_card_cancel(transaction, "bank", ((struct doing *)context)->case_id, error);
}

static void test_cancelled_card_lies_wrong_in_a_compartment_alone(void **state)
{
    struct life *life = *state;
    struct doing first = begin(life, 1);
    struct doing second = begin(life, 2);

    life_ready(life, 1, 3);
    life_ready(life, 2, 4);
    assert_int_equal(life_move(life, 2, DEPOT, "depot-1", ""), GK_OK);
    assert_int_equal(run(&first, apply_cancel), GK_OK);
    assert_int_equal(run(&second, apply_cancel), GK_OK);
    assert_true(life_card(life, 1).place.misplaced);
    assert_false(life_card(life, 2).place.misplaced);
}

static void test_card_that_is_identified_again_is_told_of_under_another_name(void **state)
{
    struct life *life = *state;
    struct doing doing = begin(life, 1);

    life_ready(life, 1, 3);
    const guika_v1_internal_NoticeRecord told = life_notice_record(life, 1);

    assert_int_equal(run(&doing, apply_cancel), GK_OK);
    doing.decision.card = life_card(life, 1);
    doing.decision.card.state = IDENTIFIED;
    doing.decision.notice = told;
    doing.decision.notice.state = HELD;
    doing.decision.has_notice = true;
    gk_found_card_decision_notice_id(life->keys, &doing.decision.card, doing.decision.notice.notice_id);
    memcpy(doing.decision.card.notice_id.bytes, doing.decision.notice.notice_id,
           sizeof doing.decision.notice.notice_id);
    doing.settlement = (struct gk_settlement){&doing.decision, doing.decision.card.version, "core",
                                              "found_card.retry", false};
    assert_int_equal(run(&doing, apply_settle), GK_OK);
    assert_int_equal(life_card(life, 1).state, IDENTIFIED);
    assert_int_equal(life_notice(life, 1), DUE);
    assert_memory_not_equal(life_notice_record(life, 1).notice_id, told.notice_id, sizeof told.notice_id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIFE_TEST(test_late_word_of_the_box_does_not_undo_a_move),
        LIFE_TEST(test_end_of_a_jam_does_not_reopen_a_case),
        LIFE_TEST(test_card_that_jams_on_its_way_back_is_difficult),
        LIFE_TEST(test_late_report_on_a_door_counts_only_while_the_card_lies_behind_it),
        LIFE_TEST(test_open_door_of_a_case_that_is_over_makes_nothing_uncertain),
        LIFE_TEST(test_card_that_lay_here_before_the_door_opened_is_another_one),
        LIFE_TEST(test_deposit_that_is_continued_leaves_no_row_behind),
        LIFE_TEST(test_corrected_number_does_not_find_the_card_by_the_one_before),
        LIFE_TEST(test_discarded_card_lies_in_no_box),
        LIFE_TEST(test_claimed_card_keeps_no_picture),
        LIFE_TEST(test_nobody_is_told_of_a_card_whose_holder_was_forgotten),
        LIFE_TEST(test_holder_hears_of_a_card_that_expired_in_a_bag),
        LIFE_TEST(test_cancelled_card_lies_wrong_in_a_compartment_alone),
        LIFE_TEST(test_card_that_is_identified_again_is_told_of_under_another_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

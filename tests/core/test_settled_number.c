/* What becomes of watches and proposals where an operator types a difficult card's number, before and after
 * rotations. */
#include "core/found_card_queue.h"

#include "core/same_number.h"
#include "core/store/record.h"
#include "core/watches.h"
#include "tests/core/registry/registry_fixture.h"
#include "tests/core/rotation_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MISREAD "6200000000000005"
#define NUMBER "6200000000000013"

#define DIFFICULT guika_v1_CardState_CARD_STATE_DIFFICULT
#define TRANSIT guika_v1_CardKind_CARD_KIND_TRANSIT
#define ID guika_v1_CardKind_CARD_KIND_ID
#define GLARE guika_v1_Reason_REASON_GLARE
#define UNREGISTERED guika_v1_Reason_REASON_UNREGISTERED

enum { OLDER = 1, NEWER, WATCH_ID = 7, CONTACT = 9 };

/* --- what happens --- */

static guika_v1_internal_FoundCard card_of(struct registry_fixture *fixture, uint8_t case_id)
{
    const uint8_t key[GK_CASE_ID_SIZE] = {case_id};
    guika_v1_internal_FoundCard card = {0};

    assert_int_equal(gk_record_read(fixture->store, GK_FAMILY_FOUND_CARDS, (struct gk_bytes){key, sizeof key},
                                    guika_v1_internal_FoundCard_fields, &card, NULL),
                     GK_OK);
    return card;
}

/* Nobody registered the number. */
static void take_number(struct registry_fixture *fixture, const char *number,
                        struct gk_found_card_decision *decision)
{
    guika_v1_internal_FoundCard *card = &decision->card;

    decision->tokens = gk_keys_card_tokens(fixture->keys, "iso7812", number);
    card->reason = UNREGISTERED;
    card->card_token.size = GK_TOKEN_SIZE;
    memcpy(card->card_token.bytes, decision->tokens.tokens[0], GK_TOKEN_SIZE);
    card->key_epoch = gk_keys_epoch(fixture->keys);
    card->base_epoch = decision->tokens.newest;
    decision->claim_notice_id[0] = card->case_id[0];
}

static enum gk_status apply_find(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    guika_v1_internal_DepositRecord deposit;

    return gk_found_card_decide(transaction, context, &deposit, error);
}

/* A card comes to be difficult; `number` is NULL where it could not be read. */
static void find(struct registry_fixture *fixture, uint8_t case_id, const char *number)
{
    struct gk_found_card_decision *decision = calloc(1, sizeof *decision);
    guika_v1_internal_FoundCard *card = &decision->card;

    card->case_id[0] = case_id;
    card->received_at_ms = INT64_C(4000000000000) + case_id; /* after every watch */
    card->kind = TRANSIT;
    card->state = DIFFICULT;
    card->reason = GLARE;
    (void)snprintf(card->box_id, sizeof card->box_id, "library-1");
    (void)snprintf(card->deposit_id, sizeof card->deposit_id, "d-%u", case_id);
    memcpy(decision->deposit.case_id, card->case_id, GK_CASE_ID_SIZE);
    decision->deposit.has_answer = true;
    if (number != NULL) {
        take_number(fixture, number, decision);
    }
    assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_find, decision, NULL), GK_OK);
    free(decision);
}

static enum gk_status apply_settle(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    guika_v1_internal_FoundCard card = {0};
    enum gk_settled settled = GK_SETTLED;
    const enum gk_status status = gk_found_card_settle(transaction, context, &settled, &card, error);

    return status == GK_OK && settled == GK_SETTLED_DISAGREED ? GK_FAILED_PRECONDITION : status;
}

/* `actor` types the card's number. `own` is the token that the issuer registered it by; NULL: nobody did. */
static enum gk_status resolve(struct registry_fixture *fixture, uint8_t case_id, guika_v1_CardKind kind,
                              const uint8_t *own, const char *actor)
{
    struct gk_found_card_decision *decision = calloc(1, sizeof *decision);

    decision->card = card_of(fixture, case_id);
    const struct gk_settlement settlement = {.decision = decision,
                                             .version = decision->card.version,
                                             .actor = actor,
                                             .action = "found_card.resolve",
                                             .typed = true};

    take_number(fixture, NUMBER, decision);
    decision->card.kind = kind;
    if (own != NULL) {
        memcpy(decision->card.card_token.bytes, own, GK_TOKEN_SIZE);
        decision->card.own_key = true;
        decision->card.reason = guika_v1_Reason_REASON_CANCELLED;
    }
    const enum gk_status status =
        gk_store_commit_and_wait(fixture->store, apply_settle, (void *)&settlement, &fixture->error);

    free(decision);
    return status;
}

static enum gk_status apply_file(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    return gk_watches_file(transaction, context, error);
}

static void watch(struct registry_fixture *fixture)
{
    guika_v1_internal_WatchRecord record = {.watch_id = {WATCH_ID}, .contact_token = {CONTACT}};
    struct gk_card_tokens tokens = gk_keys_card_tokens(fixture->keys, "iso7812", NUMBER);

    assert_int_equal(gk_watches_choose(fixture->registry, fixture->store, &tokens, &fixture->error), GK_OK);
    record.kind = TRANSIT;
    memcpy(record.card_tokens[record.card_tokens_count++], tokens.tokens[0], GK_TOKEN_SIZE);
    record.card_bases[record.card_bases_count++] = tokens.newest;
    record.key_epoch = gk_keys_epoch(fixture->keys);
    assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_file, &record, NULL), GK_OK);
}

static bool note_watch(void *context, struct gk_bytes key, struct gk_bytes value)
{
    (void)key;
    return gk_record_decode(value, guika_v1_internal_WatchRecord_fields, context, NULL) != GK_OK;
}

/* The one watch that there is. */
static guika_v1_internal_WatchRecord the_watch(struct registry_fixture *fixture)
{
    guika_v1_internal_WatchRecord record = guika_v1_internal_WatchRecord_init_zero;
    const struct gk_bytes all = {NULL, 0};

    assert_int_equal(
        gk_store_scan(fixture->store, GK_FAMILY_WATCHES, all, all, false, note_watch, &record, NULL), GK_OK);
    assert_int_equal(record.watch_id[0], WATCH_ID);
    return record;
}

static void assert_newest(struct registry_fixture *fixture, const uint8_t token[GK_TOKEN_SIZE])
{
    uint8_t newest[GK_TOKEN_SIZE];

    gk_keys_card_token(fixture->keys, "iso7812", NUMBER, newest);
    assert_memory_equal(token, newest, GK_TOKEN_SIZE);
}

static enum gk_status apply_forget_claims(void *context, struct gk_transaction *transaction,
                                          struct gk_error *error)
{
    uint8_t token[GK_TOKEN_SIZE];

    (void)error;
    gk_keys_card_token(context, "iso7812", NUMBER, token);
    gk_transaction_delete(transaction, GK_FAMILY_CLAIMS, (struct gk_bytes){token, sizeof token});
    return GK_OK;
}

static void forget_claims(struct registry_fixture *fixture)
{
    assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_forget_claims, fixture->keys, NULL),
                     GK_OK);
}

/* --- tests --- */

static void test_corrected_number_is_claimed_by_whoever_watches_for_it(void **state)
{
    struct registry_fixture *fixture = *state;

    watch(fixture);
    find(fixture, OLDER, MISREAD);
    assert_int_equal(resolve(fixture, OLDER, TRANSIT, NULL, "operator:anna"), GK_OK);
    const guika_v1_internal_FoundCard card = card_of(fixture, OLDER);

    assert_int_equal(card.state, guika_v1_CardState_CARD_STATE_IDENTIFIED);
    assert_int_equal(card.holder_token.bytes[0], CONTACT);
}

static void test_corrected_card_follows_its_number_to_a_newer_token(void **state)
{
    struct registry_fixture *fixture = *state;

    find(fixture, OLDER, MISREAD);
    assert_int_equal(resolve(fixture, OLDER, TRANSIT, NULL, "operator:anna"), GK_OK);
    find(fixture, NEWER, NULL);
    rotation_run(fixture);
    assert_int_equal(resolve(fixture, NEWER, TRANSIT, NULL, "operator:anna"), GK_OK);
    /* Whoever watches for the number may be given either. */
    assert_newest(fixture, card_of(fixture, NEWER).card_token.bytes);
    assert_newest(fixture, card_of(fixture, OLDER).card_token.bytes);
    assert_int_equal(card_of(fixture, OLDER).base_epoch, 2);
}

static void test_all_cards_of_a_number_follow_it_to_a_newer_token(void **state)
{
    struct registry_fixture *fixture = *state;
    const uint8_t count = 8;

    for (uint8_t i = 1; i < count; i++) {
        find(fixture, i, NUMBER);
    }
    rotation_run(fixture);
    find(fixture, count, NUMBER);
    for (uint8_t i = 1; i <= count; i++) {
        assert_newest(fixture, card_of(fixture, i).card_token.bytes);
    }
}

/* A card that a list named when it was found is noted nowhere, and there may be any number of others. */
static void test_cards_noted_in_no_claim_follow_their_number_too(void **state)
{
    struct registry_fixture *fixture = *state;
    const uint8_t count = 100;

    for (uint8_t i = 1; i < count; i++) {
        find(fixture, i, NUMBER);
    }
    forget_claims(fixture);
    rotation_run(fixture);
    const struct gk_card_tokens tokens = gk_keys_card_tokens(fixture->keys, "iso7812", NUMBER);

    assert_int_equal(gk_same_number_gather(fixture->store, &tokens, &fixture->error), GK_OK);
    find(fixture, count, NUMBER);
    for (uint8_t i = 1; i <= count; i++) {
        assert_newest(fixture, card_of(fixture, i).card_token.bytes);
        assert_int_equal(card_of(fixture, i).base_epoch, 2);
    }
}

static void test_watch_follows_a_card_whose_number_is_typed_again(void **state)
{
    struct registry_fixture *fixture = *state;

    find(fixture, OLDER, NUMBER);
    watch(fixture); /* late: a person is to look at it */
    rotation_run(fixture);
    assert_int_equal(resolve(fixture, OLDER, TRANSIT, NULL, "operator:anna"), GK_OK);
    assert_newest(fixture, card_of(fixture, OLDER).card_token.bytes);
    const guika_v1_internal_WatchRecord record = the_watch(fixture);

    assert_newest(fixture, record.card_tokens[0]);
}

static void test_second_operator_agrees_after_a_rotation_on_a_number_of_an_issuers_own_key(void **state)
{
    struct registry_fixture *fixture = *state;
    const uint8_t own[GK_TOKEN_SIZE] = {1, 2, 3};

    find(fixture, OLDER, NULL);
    assert_int_equal(resolve(fixture, OLDER, ID, own, "operator:anna"), GK_OK);
    assert_int_equal(card_of(fixture, OLDER).card_token.size, 0); /* it awaits the second */
    rotation_run(fixture);
    assert_int_equal(resolve(fixture, OLDER, ID, own, "operator:ben"), GK_OK);
    const guika_v1_internal_FoundCard card = card_of(fixture, OLDER);

    assert_memory_equal(card.card_token.bytes, own, GK_TOKEN_SIZE);
    assert_int_equal(card.proposed_token.size, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, registry_setup, registry_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_corrected_number_is_claimed_by_whoever_watches_for_it),
        TEST(test_corrected_card_follows_its_number_to_a_newer_token),
        TEST(test_all_cards_of_a_number_follow_it_to_a_newer_token),
        TEST(test_cards_noted_in_no_claim_follow_their_number_too),
        TEST(test_watch_follows_a_card_whose_number_is_typed_again),
        TEST(test_second_operator_agrees_after_a_rotation_on_a_number_of_an_issuers_own_key),
    };

    return cmocka_run_group_tests_name("core/found_card_queue, numbers", tests, NULL, NULL);
}

/* Numbers' tokens after rotations: what an import brings under the newest key, what keeps its own, and when
 * an old key may go. */
#include "core/collapse.h"

#include "core/found_card.h"
#include "core/key_census.h"
#include "core/retirement.h"
#include "core/store/record.h"
#include "core/watches.h"
#include "tests/core/registry/registry_fixture.h"
#include "tests/core/rotation_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define OWNED "6250941006528599"   /* in the list from the first day */
#define STRANGE "6200000000000005" /* found before anybody registered it */
#define WATCHED "6200000000000013" /* watched for */
#define NOBODYS "6200000000000021" /* found, and in no list ever */

enum { OWNED_CASE = 1, STRANGE_CASE, NOBODYS_CASE, WATCHED_CASE };

static bool has_key(const struct registry_fixture *fixture, const char *name)
{
    char path[128];

    rotation_keys_path(fixture, name, path);
    return access(path, F_OK) == 0;
}

/* --- what happens --- */

static void import(struct registry_fixture *fixture, const char *import_id, const char *const *numbers)
{
    struct page page = {0};

    for (size_t i = 0; numbers[i] != NULL; i++) {
        char holder[32];

        (void)snprintf(holder, sizeof holder, "holder-%zu", i);
        page_add(&page, numbers[i], holder, "smtp:a@b.example");
    }
    assert_int_equal(page_send(fixture, &page, import_id, 0, true), GK_OK);
}

static size_t collapse(struct registry_fixture *fixture)
{
    const struct gk_collapse_parts parts = {
        .keys = fixture->keys, .store = fixture->store, .registry = fixture->registry};
    size_t count = 0;

    assert_int_equal(gk_collapse_run(&parts, &count, &fixture->error), GK_OK);
    return count;
}

static enum gk_status apply_note(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    (void)error;
    gk_retirement_note(transaction, *(const uint32_t *)context);
    return GK_OK;
}

static void note_retirement(struct registry_fixture *fixture, uint32_t lowest)
{
    assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_note, &lowest, NULL), GK_OK);
}

static enum gk_status settle(struct registry_fixture *fixture)
{
    char path[128];

    rotation_keys_path(fixture, "", path);
    return gk_retirement_settle(fixture->store, fixture->keys, path, &fixture->error);
}

static uint32_t needed(struct registry_fixture *fixture)
{
    struct gk_key_census census;

    assert_int_equal(gk_key_census_take(fixture->store, &census, &fixture->error), GK_OK);
    return gk_key_census_lowest(&census, gk_keys_epoch(fixture->keys));
}

static enum gk_status apply_find(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    guika_v1_internal_DepositRecord deposit;

    return gk_found_card_decide(transaction, context, &deposit, error);
}

static guika_v1_internal_FoundCard card_of(struct registry_fixture *fixture, uint8_t case_id)
{
    const uint8_t key[GK_CASE_ID_SIZE] = {case_id};
    guika_v1_internal_FoundCard card = {0};

    assert_int_equal(gk_record_read(fixture->store, GK_FAMILY_FOUND_CARDS, (struct gk_bytes){key, sizeof key},
                                    guika_v1_internal_FoundCard_fields, &card, NULL),
                     GK_OK);
    return card;
}

/* A card is found as the pipeline decides on it; of transit where nobody registered it. */
static guika_v1_internal_FoundCard find(struct registry_fixture *fixture, uint8_t case_id, const char *number)
{
    struct gk_found_card_decision *decision = calloc(1, sizeof *decision);
    guika_v1_internal_FoundCard *card = &decision->card;
    const struct gk_registration registration = registry_find(fixture, number);

    card->case_id[0] = case_id;
    card->received_at_ms = INT64_C(4000000000000) + case_id;
    card->kind =
        registration.registered ? guika_v1_CardKind_CARD_KIND_PAYMENT : guika_v1_CardKind_CARD_KIND_TRANSIT;
    card->state = registration.registered ? guika_v1_CardState_CARD_STATE_IDENTIFIED
                                          : guika_v1_CardState_CARD_STATE_DIFFICULT;
    card->reason =
        registration.registered ? guika_v1_Reason_REASON_UNSPECIFIED : guika_v1_Reason_REASON_UNREGISTERED;
    card->decided_zone = guika_v1_Zone_ZONE_NORMAL;
    (void)snprintf(card->box_id, sizeof card->box_id, "library-1");
    (void)snprintf(card->deposit_id, sizeof card->deposit_id, "d-%u", case_id);
    card->card_token.size = GK_TOKEN_SIZE;
    memcpy(card->card_token.bytes, registration.card_token, GK_TOKEN_SIZE);
    card->base_epoch = registration.base_epoch;
    card->key_epoch = gk_keys_epoch(fixture->keys);
    decision->tokens = gk_keys_card_tokens(fixture->keys, "iso7812", number);
    memcpy(decision->deposit.case_id, card->case_id, GK_CASE_ID_SIZE);
    decision->deposit.has_answer = true;
    decision->claimed_zone = guika_v1_Zone_ZONE_NORMAL;
    decision->claim_notice_id[0] = case_id;
    assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_find, decision, NULL), GK_OK);
    free(decision);
    return card_of(fixture, case_id);
}

static enum gk_status apply_file(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    return gk_watches_file(transaction, context, error);
}

static void watch(struct registry_fixture *fixture, const char *number)
{
    guika_v1_internal_WatchRecord record = {.watch_id = {7}, .contact_token = {9}};
    struct gk_card_tokens tokens = gk_keys_card_tokens(fixture->keys, "iso7812", number);

    assert_int_equal(gk_watches_choose(fixture->registry, fixture->store, &tokens, &fixture->error), GK_OK);
    record.kind = guika_v1_CardKind_CARD_KIND_TRANSIT;
    memcpy(record.card_tokens[record.card_tokens_count++], tokens.tokens[0], GK_TOKEN_SIZE);
    record.card_bases[record.card_bases_count++] = tokens.newest;
    record.key_epoch = gk_keys_epoch(fixture->keys);
    assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_file, &record, NULL), GK_OK);
}

/* The number's found card is there under the token that goes from `base`, and by the index under it alone. */
static void assert_base(struct registry_fixture *fixture, uint8_t case_id, const char *number, uint32_t base)
{
    const guika_v1_internal_FoundCard card = card_of(fixture, case_id);
    uint8_t token[GK_TOKEN_SIZE];
    uint8_t key[GK_TOKEN_SIZE + GK_CASE_ID_SIZE] = {0};
    struct gk_value value = {0};

    gk_keys_card_token_from(fixture->keys, base, "iso7812", number, token);
    assert_memory_equal(card.card_token.bytes, token, GK_TOKEN_SIZE);
    assert_int_equal(card.base_epoch, base);
    memcpy(key, token, GK_TOKEN_SIZE);
    key[GK_TOKEN_SIZE] = case_id;
    assert_int_equal(gk_store_get(fixture->store, GK_FAMILY_FOUND_BY_CARD, (struct gk_bytes){key, sizeof key},
                                  &value, NULL),
                     GK_OK);
    gk_value_free(&value);
}

static bool is_registered(struct registry_fixture *fixture, uint8_t case_id)
{
    const guika_v1_internal_FoundCard card = card_of(fixture, case_id);
    struct gk_registration registration = {0};

    assert_int_equal(gk_registry_look_up_token(fixture->registry, card.card_token.bytes, &registration, NULL),
                     GK_OK);
    return registration.registered;
}

/* --- tests --- */

static const char *const before[] = {OWNED, NULL};
static const char *const after[] = {"6200000000000039", STRANGE, OWNED, NULL};

static void test_import_after_rotations_stands_under_the_newest_key_alone(void **state)
{
    struct registry_fixture *fixture = *state;

    import(fixture, "one", before);
    (void)find(fixture, OWNED_CASE, OWNED);
    (void)find(fixture, STRANGE_CASE, STRANGE);
    rotation_run(fixture);
    rotation_run(fixture);
    assert_base(fixture, OWNED_CASE, OWNED, 1);
    assert_int_equal(needed(fixture), 1);
    assert_int_equal(collapse(fixture), 0); /* the list is of the first day still */
    import(fixture, "two", after);
    /* Right from the first moment, before anything was brought under the new key. */
    assert_true(is_registered(fixture, OWNED_CASE));
    assert_true(is_registered(fixture, STRANGE_CASE));
    assert_int_equal(collapse(fixture), 2); /* numbers; the stranger with its claims */
    assert_base(fixture, OWNED_CASE, OWNED, 3);
    assert_base(fixture, STRANGE_CASE, STRANGE, 3);
    assert_int_equal(registry_count(fixture, GK_FAMILY_FOUND_BY_CARD), 2);
    assert_int_equal(registry_count(fixture, GK_FAMILY_CARDS), 3);
    assert_int_equal(collapse(fixture), 0);
    assert_int_equal(needed(fixture), 3);
}

static void test_look_ups_are_right_with_the_newest_key_alone(void **state)
{
    struct registry_fixture *fixture = *state;

    import(fixture, "one", before);
    const double density = registry_find(fixture, OWNED).density;

    (void)find(fixture, OWNED_CASE, OWNED);
    rotation_run(fixture);
    rotation_run(fixture);
    import(fixture, "two", before);
    (void)collapse(fixture);
    note_retirement(fixture, 3);
    assert_int_equal(settle(fixture), GK_OK);
    registry_reopen(fixture);
    assert_int_equal(gk_keys_lowest(fixture->keys), 3);
    assert_false(has_key(fixture, "index.key"));
    assert_false(has_key(fixture, "index.2.key"));
    assert_true(registry_find(fixture, OWNED).registered);
    assert_false(registry_find(fixture, STRANGE).registered);
    assert_float_equal(registry_find(fixture, OWNED).density, density, 1e-9);
    assert_true(is_registered(fixture, OWNED_CASE));
    assert_int_equal(registry_count(fixture, GK_FAMILY_OLDER_CARDS), 0);
    assert_int_equal(gk_registry_revoke(fixture->registry, "bank", "iso7812", OWNED, NULL, NULL), GK_OK);
    assert_true(registry_find(fixture, OWNED).cancelled);
    /* Holders' tokens are what they were: their subkeys stay. */
    guika_v1_internal_HolderContacts contacts = {0};
    uint8_t holder[GK_TOKEN_SIZE];

    gk_keys_holder_token(fixture->keys, "bank", "holder-0", holder);
    assert_int_equal(gk_registry_holder(fixture->registry, "bank", holder, &contacts, NULL), GK_OK);
    rotation_run(fixture);
    assert_true(registry_find(fixture, OWNED).registered);
    assert_true(is_registered(fixture, OWNED_CASE));
}

static void test_number_that_no_list_brings_keeps_its_chain_and_its_key(void **state)
{
    struct registry_fixture *fixture = *state;

    import(fixture, "one", before);
    (void)find(fixture, NOBODYS_CASE, NOBODYS);
    rotation_run(fixture);
    import(fixture, "two", before);
    (void)collapse(fixture);
    assert_base(fixture, NOBODYS_CASE, NOBODYS, 1);
    assert_int_equal(needed(fixture), 1);
    note_retirement(fixture, 2);
    assert_int_equal(settle(fixture), GK_OK); /* counts again, and leaves the key */
    assert_true(has_key(fixture, "index.key"));
    registry_reopen(fixture);
    assert_int_equal(gk_keys_lowest(fixture->keys), 1);
    /* It comes in a list at last. */
    const char *const late[] = {NOBODYS, OWNED, NULL};

    import(fixture, "three", late);
    assert_true(is_registered(fixture, NOBODYS_CASE));
    (void)collapse(fixture);
    assert_base(fixture, NOBODYS_CASE, NOBODYS, 2);
    assert_int_equal(needed(fixture), 2);
}

static void test_watch_from_before_claims_a_card_found_after(void **state)
{
    struct registry_fixture *fixture = *state;

    watch(fixture, WATCHED);
    rotation_run(fixture);
    rotation_run(fixture);
    const guika_v1_internal_FoundCard found = find(fixture, WATCHED_CASE, WATCHED);

    assert_int_equal(found.state, guika_v1_CardState_CARD_STATE_IDENTIFIED); /* the watcher's */
    assert_base(fixture, WATCHED_CASE, WATCHED, 3);
    assert_int_equal(registry_count(fixture, GK_FAMILY_CLAIMS), 1);
    assert_int_equal(needed(fixture), 3);
}

static void test_import_brings_a_watch_under_the_newest_key(void **state)
{
    struct registry_fixture *fixture = *state;
    const char *const list[] = {WATCHED, NULL};

    watch(fixture, WATCHED);
    rotation_run(fixture);
    assert_int_equal(needed(fixture), 1);
    import(fixture, "one", list);
    (void)collapse(fixture);
    assert_int_equal(needed(fixture), 2);
    assert_int_equal(registry_count(fixture, GK_FAMILY_CLAIMS), 1);
}

static bool is_watched(struct registry_fixture *fixture, uint32_t base)
{
    uint8_t token[GK_TOKEN_SIZE];
    struct gk_value value = {0};

    gk_keys_card_token_from(fixture->keys, base, "iso7812", WATCHED, token);
    const enum gk_status status =
        gk_store_get(fixture->store, GK_FAMILY_CLAIMS, (struct gk_bytes){token, sizeof token}, &value, NULL);

    gk_value_free(&value);
    return status == GK_OK;
}

static void test_watch_goes_by_the_token_that_a_list_from_before_has(void **state)
{
    struct registry_fixture *fixture = *state;
    const char *const list[] = {WATCHED, NULL};

    import(fixture, "one", list);
    rotation_run(fixture);
    watch(fixture, WATCHED);
    assert_true(is_watched(fixture, 1)); /* a card that was found by the list has the same */
    import(fixture, "two", list);
    (void)collapse(fixture);
    assert_true(is_watched(fixture, 2));
    assert_false(is_watched(fixture, 1));
}

static void test_revocation_finds_the_card_in_whatever_list(void **state)
{
    struct registry_fixture *fixture = *state;
    struct gk_card_tokens tokens = {0};
    struct page page = {0};

    import(fixture, "one", before);
    rotation_run(fixture);
    /* Half of the next list is here: both have to know. */
    page_add(&page, OWNED, "holder-0", "smtp:a@b.example");
    assert_int_equal(page_send(fixture, &page, "two", 0, false), GK_OK);
    assert_int_equal(gk_registry_revoke(fixture->registry, "bank", "iso7812", OWNED, &tokens, NULL), GK_OK);
    assert_int_equal(tokens.count, 2);
    assert_true(registry_find(fixture, OWNED).cancelled);
    page_add(&page, STRANGE, "holder-1", "smtp:a@b.example");
    assert_int_equal(page_send(fixture, &page, "two", 1, true), GK_OK);
    assert_true(registry_find(fixture, OWNED).cancelled);
    assert_false(registry_find(fixture, STRANGE).cancelled);
}

static void test_retirement_cut_short_is_repeated(void **state)
{
    struct registry_fixture *fixture = *state;
    uint8_t message[16];
    uint8_t again[16];
    char kept[128];

    import(fixture, "one", before);
    rotation_run(fixture);
    import(fixture, "two", before);
    gk_keys_message_id(fixture->keys, "card_found", (struct gk_bytes){(const uint8_t *)"x", 1}, message);
    note_retirement(fixture, 2);
    /* The crash left a kept.key behind, half of it, and the index key. */
    rotation_keys_path(fixture, "kept.key", kept);
    FILE *file = fopen(kept, "we");

    assert_non_null(file);
    assert_int_equal(fputs("half", file) >= 0, true);
    assert_int_equal(fclose(file), 0);
    registry_reopen(fixture);
    assert_int_equal(gk_keys_lowest(fixture->keys), 1);
    assert_int_equal(settle(fixture), GK_OK);
    assert_false(has_key(fixture, "index.key"));
    registry_reopen(fixture);
    assert_int_equal(settle(fixture), GK_OK); /* nothing is left to do */
    gk_keys_message_id(fixture->keys, "card_found", (struct gk_bytes){(const uint8_t *)"x", 1}, again);
    assert_memory_equal(message, again, sizeof message);
    assert_true(registry_find(fixture, OWNED).registered);
}

static void test_forgotten_holder_leaves_no_older_token(void **state)
{
    struct registry_fixture *fixture = *state;
    uint8_t holder[GK_TOKEN_SIZE];
    size_t cards = 0;

    import(fixture, "one", before);
    rotation_run(fixture);
    import(fixture, "two", before);
    assert_int_equal(registry_count(fixture, GK_FAMILY_OLDER_CARDS), 1);
    gk_keys_holder_token(fixture->keys, "bank", "holder-0", holder);
    assert_int_equal(gk_registry_forget_holder(fixture->registry, "bank", holder, registry_add_nothing, NULL,
                                               &cards, NULL),
                     GK_OK);
    assert_int_equal(cards, 1);
    assert_int_equal(registry_count(fixture, GK_FAMILY_OLDER_CARDS), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, registry_setup, registry_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_import_after_rotations_stands_under_the_newest_key_alone),
        TEST(test_look_ups_are_right_with_the_newest_key_alone),
        TEST(test_number_that_no_list_brings_keeps_its_chain_and_its_key),
        TEST(test_watch_from_before_claims_a_card_found_after),
        TEST(test_import_brings_a_watch_under_the_newest_key),
        TEST(test_watch_goes_by_the_token_that_a_list_from_before_has),
        TEST(test_revocation_finds_the_card_in_whatever_list),
        TEST(test_retirement_cut_short_is_repeated),
        TEST(test_forgotten_holder_leaves_no_older_token),
    };

    return cmocka_run_group_tests_name("core/collapse", tests, NULL, NULL);
}

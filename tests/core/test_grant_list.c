#include "core/grant_list.h"

#include "core/case_number.h"
#include "core/store/record.h"
#include "tests/core/life_words.h"

struct rig {
    struct gk_pickup_parts parts;
    struct gk_registry *registry;
    atomic_bool stop;
};

static struct rig begin(struct life *life)
{
    struct rig rig = {.registry = NULL};

    assert_int_equal(gk_registry_open(life->fixture->store, life->keys, &rig.registry, NULL), GK_OK);
    rig.parts = (struct gk_pickup_parts){life->fixture->store, life->keys, rig.registry, &life->retention};
    return rig;
}

static struct gk_grant_list make(struct life *life, struct rig *rig, const char *box,
                                 const struct gk_grant_list *before)
{
    struct gk_grant_list list = {0};
    struct gk_error error = {0};

    if (gk_grant_list_make(&rig->parts, box, atomic_load(&life->fixture->now_ms), before, &rig->stop, &list,
                           &error) != GK_OK) {
        fail_msg("%s", error.message);
    }
    return list;
}

static guika_v1_PickupGrant open_grant(struct life *life, const struct gk_grant_list *list, size_t index)
{
    guika_v1_PickupGrant grant = {0};
    uint8_t key[GK_GRANT_KEY_SIZE];

    gk_keys_grant_public(life->keys, key);
    assert_int_equal(gk_grant_open(&list->items[index].grant, key, LIFE_BOX, &grant, NULL), GK_OK);
    return grant;
}

static void test_card_that_is_ready_is_granted_to_its_box_alone(void **state)
{
    struct life *life = *state;
    struct rig rig = begin(life);
    char code[9], text[GK_GRANT_CODE_SIZE];
    uint8_t verifier[GK_GRANT_VERIFIER_SIZE];

    life_ready(life, 1, 3);
    life_code(life, 1, code);
    struct gk_grant_list list = make(life, &rig, LIFE_BOX, NULL);
    struct gk_grant_list other = make(life, &rig, "library-2", NULL);

    assert_int_equal(list.count, 1);
    assert_int_equal(other.count, 0);
    const guika_v1_PickupGrant grant = open_grant(life, &list, 0);

    assert_string_equal(grant.compartment, "N1");
    assert_string_equal(grant.deposit_id, "d-1");
    assert_int_equal(grant.issue, 1);
    assert_true(gk_grant_code(code, "", text));
    assert_int_equal(gk_grant_verifier(text, grant.salt, verifier, NULL), GK_OK);
    assert_memory_equal(verifier, grant.verifier, sizeof verifier);
    const int64_t left_ms = grant.expires_at_ms - atomic_load(&life->fixture->now_ms);

    assert_true(left_ms > GK_GRANT_LIFE_MS - GK_GRANT_STEP_MS && left_ms <= GK_GRANT_LIFE_MS);
    assert_true(grant.not_before_ms <= atomic_load(&life->fixture->now_ms));
    gk_grant_list_clear(&list);
    gk_grant_list_clear(&other);
    gk_registry_close(rig.registry);
}

static void test_same_cards_are_the_same_list_and_any_change_is_another(void **state)
{
    struct life *life = *state;
    struct rig rig = begin(life);
    uint64_t versions[4];
    unsigned count = 0;

    life_ready(life, 1, 3);
    struct gk_grant_list list = make(life, &rig, LIFE_BOX, NULL);
    struct gk_grant_list again = make(life, &rig, LIFE_BOX, &list);

    assert_true(list.version != 0);
    assert_true(list.version == again.version);
    versions[count++] = list.version;
    gk_grant_list_clear(&again);
    (void)life_try(life, 1, LIFE_BOX, "00000000");
    again = make(life, &rig, LIFE_BOX, &list);
    assert_int_equal(open_grant(life, &again, 0).failed_tries, 1);
    versions[count++] = again.version;
    gk_grant_list_clear(&again);
    const uint64_t token = life_open(life, 1);

    assert_int_equal(life_confirm(life, LIFE_BOX, token, NOT_OPENED), GK_OK);
    again = make(life, &rig, LIFE_BOX, &list);
    assert_int_equal(open_grant(life, &again, 0).opening, token);
    versions[count++] = again.version;
    gk_grant_list_clear(&again);
    assert_int_equal(life_reissue(life, 1), GK_OK);
    again = make(life, &rig, LIFE_BOX, &list);
    assert_int_equal(open_grant(life, &again, 0).issue, 2);
    assert_memory_not_equal(again.items[0].verifier, list.items[0].verifier, GK_GRANT_VERIFIER_SIZE);
    versions[count++] = again.version;
    for (unsigned i = 0; i < count; i++) {
        for (unsigned k = 0; k < i; k++) {
            assert_true(versions[i] != versions[k]);
        }
    }
    gk_grant_list_clear(&again);
    gk_grant_list_clear(&list);
    gk_registry_close(rig.registry);
}

static enum gk_status apply_make_id_card(void *context, struct gk_transaction *transaction,
                                         struct gk_error *error)
{
    guika_v1_internal_FoundCard *card = context;

    return gk_record_put(transaction, GK_FAMILY_FOUND_CARDS,
                         (struct gk_bytes){card->case_id, GK_CASE_ID_SIZE},
                         guika_v1_internal_FoundCard_fields, card, error);
}

static void test_id_cards_uncertain_places_bins_and_what_was_collected_are_not_granted(void **state)
{
    struct life *life = *state;
    struct rig rig = begin(life);

    for (uint8_t id = 1; id <= 4; id++) {
        life_ready(life, id, (uint8_t)(id + 10));
    }
    guika_v1_internal_FoundCard card = life_card(life, 1);

    card.kind = guika_v1_CardKind_CARD_KIND_ID;
    assert_int_equal(gk_store_commit_and_wait(life->fixture->store, apply_make_id_card, &card, NULL), GK_OK);
    assert_int_equal(life_confirm(life, LIFE_BOX, life_open(life, 2), UNCERTAIN), GK_OK);
    assert_int_equal(life_confirm(life, LIFE_BOX, life_open(life, 3), TOOK), GK_OK);
    life_find(life, 5, 20, LIFE_BOX, true); /* no notice carried a code yet */
    life_store(life, 5, LIFE_BOX, NORMAL);
    life_find(life, 6, 21, LIFE_BOX, false);
    life_store(life, 6, LIFE_BOX, BIN_ZONE);
    struct gk_grant_list list = make(life, &rig, LIFE_BOX, NULL);

    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].case_id[0], 4);
    gk_grant_list_clear(&list);
    gk_registry_close(rig.registry);
}

static void test_grant_never_outlives_its_code(void **state)
{
    struct life *life = *state;
    struct rig rig = begin(life);

    life_ready(life, 1, 3);
    const int64_t until_ms = life_card(life, 1).code_expires_at_ms;

    atomic_store(&life->fixture->now_ms, until_ms - 1000);
    struct gk_grant_list list = make(life, &rig, LIFE_BOX, NULL);

    assert_int_equal(list.count, 1);
    assert_true(open_grant(life, &list, 0).expires_at_ms == until_ms);
    gk_grant_list_clear(&list);
    atomic_store(&life->fixture->now_ms, until_ms);
    list = make(life, &rig, LIFE_BOX, NULL);
    assert_int_equal(list.count, 0);
    gk_grant_list_clear(&list);
    gk_registry_close(rig.registry);
}

static void test_service_that_stops_does_not_wait_for_a_long_list(void **state)
{
    struct life *life = *state;
    struct rig rig = begin(life);
    struct gk_grant_list list = {0};

    life_ready(life, 1, 3);
    atomic_store(&rig.stop, true);
    assert_int_equal(gk_grant_list_make(&rig.parts, LIFE_BOX, 0, NULL, &rig.stop, &list, NULL), GK_CANCELLED);
    assert_null(list.items);
    gk_registry_close(rig.registry);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIFE_TEST(test_card_that_is_ready_is_granted_to_its_box_alone),
        LIFE_TEST(test_same_cards_are_the_same_list_and_any_change_is_another),
        LIFE_TEST(test_id_cards_uncertain_places_bins_and_what_was_collected_are_not_granted),
        LIFE_TEST(test_grant_never_outlives_its_code),
        LIFE_TEST(test_service_that_stops_does_not_wait_for_a_long_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "core/found_card_offline.h"

#include "core/found_card_issuer.h"
#include "core/store/record.h"
#include "tests/core/life_words.h"

/* What a box says of a case that it had a grant of. */
static guika_v1_OfflinePickup say(struct life *life, uint8_t id, uint64_t sequence)
{
    const guika_v1_internal_FoundCard card = life_card(life, id);
    guika_v1_OfflinePickup entry = {.sequence = sequence, .issue = card.issue};

    memset(entry.journal_id, 7, sizeof entry.journal_id);
    entry.case_id[0] = id;
    entry.at_ms = atomic_load(&life->fixture->now_ms) - 1000;
    (void)snprintf(entry.compartment, sizeof entry.compartment, "N%u", id);
    return entry;
}

struct merging {
    const char *box;
    const guika_v1_OfflinePickup *entry;
    struct gk_offline_merged merged;
};

static enum gk_status apply_merge(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    struct merging *merging = context;

    return gk_found_card_merge_offline(transaction, merging->box, merging->entry, &merging->merged, error);
}

static struct gk_offline_merged merge_from(struct life *life, const char *box,
                                           const guika_v1_OfflinePickup *entry)
{
    struct merging merging = {.box = box, .entry = entry};

    assert_int_equal(gk_store_commit_and_wait(life->fixture->store, apply_merge, &merging, NULL), GK_OK);
    return merging.merged;
}

static struct gk_offline_merged merge(struct life *life, const guika_v1_OfflinePickup *entry)
{
    return merge_from(life, LIFE_BOX, entry);
}

static void test_card_collected_without_the_line_closes_its_case_once(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    guika_v1_OfflinePickup entry = say(life, 1, 1);

    entry.outcome = TOOK;
    const uint64_t before = life_audited(life);
    const struct gk_offline_merged merged = merge(life, &entry);

    assert_true(merged.taken);
    assert_true(merged.collected);
    assert_null(merged.why);
    assert_int_equal(life_card(life, 1).state, COLLECTED);
    assert_int_equal(life_card(life, 1).place.kind, AT_HOLDER);
    assert_int_equal(life_audited(life), before + 1);
    /* The answer was lost: the box says it again. */
    assert_false(merge(life, &entry).taken);
    assert_int_equal(life_audited(life), before + 1);
}

static void test_wrong_tries_count_once_each_and_make_the_case_wait(void **state)
{
    struct life *life = *state;
    char code[9];

    life_ready(life, 1, 3);
    life_code(life, 1, code);
    for (uint64_t sequence = 1; sequence <= 5; sequence++) {
        guika_v1_OfflinePickup entry = say(life, 1, sequence);

        entry.wrong_tries = 1;
        assert_true(merge(life, &entry).taken);
        assert_false(merge(life, &entry).taken);
        assert_int_equal(life_card(life, 1).failed_tries, sequence);
    }
    assert_int_equal(life_try(life, 1, LIFE_BOX, code).result, GK_PICKUP_WAIT);
    life_pass(life, 61 * 1000);
    assert_int_equal(life_try(life, 1, LIFE_BOX, code).result, GK_PICKUP_RIGHT);
}

static void test_tries_of_a_code_that_was_issued_anew_do_not_count(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    guika_v1_OfflinePickup entry = say(life, 1, 1);

    entry.wrong_tries = 3;
    assert_int_equal(life_reissue(life, 1), GK_OK);
    assert_true(merge(life, &entry).taken);
    assert_int_equal(life_card(life, 1).failed_tries, 0);
}

static void test_door_without_the_line_ends_as_with_it(void **state)
{
    struct life *life = *state;
    static const guika_v1_ConfirmCollectedRequest_Outcome outcomes[] = {NOT_OPENED, CARD_INSIDE, UNCERTAIN};

    life_ready(life, 1, 3);
    for (unsigned i = 0; i < 3; i++) {
        guika_v1_OfflinePickup entry = say(life, 1, i + 1);
        const uint64_t token = life_card(life, 1).fencing_token;

        entry.outcome = outcomes[i];
        assert_true(merge(life, &entry).taken);
        assert_int_equal(life_card(life, 1).state, NOTIFIED);
        assert_int_equal(life_card(life, 1).place.uncertain, outcomes[i] == UNCERTAIN);
        /* Another opening: the grant is used up, and the next one is another. */
        assert_true(life_card(life, 1).fencing_token > token);
    }
    assert_int_equal(life_confirm(life, LIFE_BOX, life_open(life, 1), TOOK), GK_OK);
}

static void test_opening_whose_answer_was_lost_gives_way_to_the_one_by_a_grant(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    guika_v1_OfflinePickup entry = say(life, 1, 1);
    const uint64_t lost = life_open(life, 1);

    entry.outcome = TOOK;
    assert_true(merge(life, &entry).collected);
    assert_int_equal(life_card(life, 1).state, COLLECTED);
    assert_int_equal(life_confirm(life, LIFE_BOX, lost, NOT_OPENED), GK_NOT_FOUND);
    assert_int_equal(life_card(life, 1).opened_at_ms, 0);
    assert_int_equal(life_records(life, GK_FAMILY_OPENINGS), 1);
}

static void test_card_that_left_closes_a_case_with_a_newer_code_or_that_expired(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    life_ready(life, 2, 4);
    guika_v1_OfflinePickup older = say(life, 1, 1);
    guika_v1_OfflinePickup expired = say(life, 2, 2);

    older.outcome = TOOK;
    expired.outcome = TOOK;
    assert_int_equal(life_reissue(life, 1), GK_OK);
    assert_non_null(merge(life, &older).why);
    assert_int_equal(life_card(life, 1).state, COLLECTED);
    assert_int_equal(life_notice(life, 1), CANCELLED);
    life_pass(life, 20 * LIFE_DAY_MS);
    life_sweep(life);
    assert_int_equal(life_card(life, 2).state, EXPIRED);
    assert_true(merge(life, &expired).collected); /* with the code of before the reminder */
    assert_int_equal(life_card(life, 2).state, COLLECTED);
}

static enum gk_status apply_cancel(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const uint8_t case_id[GK_CASE_ID_SIZE] = {1};

    (void)context;
    return gk_found_card_cancel(transaction, "bank", case_id, error);
}

static void test_card_cancelled_meanwhile_is_collected_and_somebody_looks(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    guika_v1_OfflinePickup entry = say(life, 1, 1);

    entry.outcome = TOOK;
    assert_int_equal(gk_store_commit_and_wait(life->fixture->store, apply_cancel, NULL, NULL), GK_OK);
    assert_int_equal(life_card(life, 1).state, DIFFICULT);
    const struct gk_offline_merged merged = merge(life, &entry);

    assert_true(merged.collected);
    assert_non_null(merged.why);
    assert_int_equal(life_card(life, 1).state, COLLECTED);
    assert_int_equal(life_records(life, GK_FAMILY_DIFFICULT), 0);
}

static void test_card_that_staff_took_meanwhile_becomes_uncertain_where_it_is_said_to_be(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    guika_v1_OfflinePickup entry = say(life, 1, 1);

    entry.outcome = TOOK;
    assert_int_equal(life_move(life, 1, BAG, "bag-7", ""), GK_OK);
    const struct gk_offline_merged merged = merge(life, &entry);

    assert_false(merged.collected);
    assert_non_null(merged.why);
    assert_int_equal(life_card(life, 1).place.kind, BAG);
    assert_true(life_card(life, 1).place.uncertain);
}

static void test_case_that_is_over_stays_over(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    life_ready(life, 2, 4);
    guika_v1_OfflinePickup collected = say(life, 1, 1);
    guika_v1_OfflinePickup destroyed = say(life, 2, 2);

    collected.outcome = TOOK;
    destroyed.outcome = TOOK;
    assert_int_equal(life_confirm(life, LIFE_BOX, life_open(life, 1), TOOK), GK_OK);
    assert_null(merge(life, &collected).why);
    assert_int_equal(life_card(life, 1).state, COLLECTED);
    life_pass(life, 20 * LIFE_DAY_MS);
    life_sweep(life);
    assert_int_equal(life_end(life, 2, DESTROYED, ""), GK_OK);
    assert_non_null(merge(life, &destroyed).why);
    assert_int_equal(life_card(life, 2).state, DESTROYED);
}

static void test_unknown_case_is_taken_and_audited(void **state)
{
    struct life *life = *state;
    guika_v1_OfflinePickup entry = {.sequence = 1, .issue = 1, .outcome = TOOK};
    const uint64_t before = life_audited(life);

    entry.case_id[0] = 99;
    const struct gk_offline_merged merged = merge(life, &entry);

    assert_true(merged.taken);
    assert_non_null(merged.why);
    assert_int_equal(life_audited(life), before + 1);
}

static void test_new_journal_of_a_box_begins_anew_and_boxes_do_not_share_one(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    guika_v1_OfflinePickup entry = say(life, 1, 9);

    entry.wrong_tries = 1;
    assert_true(merge(life, &entry).taken);
    entry.sequence = 1;
    assert_false(merge(life, &entry).taken);
    entry.journal_id[0] = 8; /* the box's disk was replaced */
    assert_true(merge(life, &entry).taken);
    assert_int_equal(life_card(life, 1).failed_tries, 2);
    assert_true(merge_from(life, "library-2", &entry).taken); /* which has no such card */
    assert_int_equal(life_card(life, 1).failed_tries, 2);
}

static void test_disk_that_was_put_back_to_an_earlier_day_loses_nothing(void **state)
{
    struct life *life = *state;

    life_ready(life, 1, 3);
    for (uint64_t sequence = 1; sequence <= 4; sequence++) {
        guika_v1_OfflinePickup entry = say(life, 1, sequence);

        entry.wrong_tries = 1;
        assert_true(merge(life, &entry).taken);
        life_pass(life, 1000);
    }
    guika_v1_OfflinePickup entry = say(life, 1, 2); /* the same journal, at a number of before */

    entry.outcome = TOOK;
    assert_true(merge(life, &entry).collected);
    assert_false(merge(life, &entry).taken);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIFE_TEST(test_card_collected_without_the_line_closes_its_case_once),
        LIFE_TEST(test_wrong_tries_count_once_each_and_make_the_case_wait),
        LIFE_TEST(test_tries_of_a_code_that_was_issued_anew_do_not_count),
        LIFE_TEST(test_door_without_the_line_ends_as_with_it),
        LIFE_TEST(test_opening_whose_answer_was_lost_gives_way_to_the_one_by_a_grant),
        LIFE_TEST(test_card_that_left_closes_a_case_with_a_newer_code_or_that_expired),
        LIFE_TEST(test_card_cancelled_meanwhile_is_collected_and_somebody_looks),
        LIFE_TEST(test_card_that_staff_took_meanwhile_becomes_uncertain_where_it_is_said_to_be),
        LIFE_TEST(test_case_that_is_over_stays_over),
        LIFE_TEST(test_unknown_case_is_taken_and_audited),
        LIFE_TEST(test_disk_that_was_put_back_to_an_earlier_day_loses_nothing),
        LIFE_TEST(test_new_journal_of_a_box_begins_anew_and_boxes_do_not_share_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Difficult cards that are tried again, by a person and by themselves. */
#include "core/difficult.h"

#include "core/security/hex.h"
#include "core/store/record.h"
#include "guika/v1/box.rpc.h"
#include "guika/v1/issuer.rpc.h"
#include "rpc/repeated.h"
#include "tests/core/difficult_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* --- Retry --- */

static void test_retry_reads_the_kept_picture_again(void **state)
{
    struct difficult_rig *rig = *state;
    const char *case_id = difficult_drop(rig, "d-1");

    assert_int_equal(difficult_retry(rig, case_id), GK_OK);
    assert_int_equal(rig->resolved.card.card.state, DIFFICULT);
    assert_string_equal(rig->last_picture, "redacted picture");
    core_rig_certain(rig->seen, CORE_RIG_REGISTERED);
    assert_int_equal(difficult_retry(rig, case_id), GK_OK);
    assert_int_equal(rig->resolved.card.card.state, IDENTIFIED);
    difficult_assert_last_entry(rig, "operator:anna", "found_card.retry");
    difficult_await_erasure(rig, case_id);
}

static void retry_all(struct core_rig *rig, void *argument)
{
    (void)argument;
    gk_difficult_retry_all(rig->difficult);
}

static void test_all_are_tried_again_by_themselves_and_what_stays_leaves_no_trace(void **state)
{
    struct difficult_rig *rig = *state;
    char first[33];

    strcpy(first, difficult_drop(rig, "d-1"));
    const char *second = difficult_drop(rig, "d-2");
    const uint64_t before = difficult_audited(rig);
    const unsigned read = atomic_load(&rig->read);

    core_rig_run(&rig->core, retry_all, NULL);
    core_rig_wait(&rig->read, read + 2);
    core_rig_run(&rig->core, retry_all, NULL);
    core_rig_wait(&rig->read, read + 4);
    assert_int_equal(difficult_audited(rig), before);
    core_rig_certain(rig->seen, CORE_RIG_REGISTERED);
    core_rig_run(&rig->core, retry_all, NULL);
    difficult_await_state(rig, first, IDENTIFIED);
    difficult_await_state(rig, second, IDENTIFIED);
}

static void test_retry_without_picture_and_number_says_what_to_do(void **state)
{
    struct difficult_rig *rig = *state;

    rig->seen->redacted_picture = (struct gk_bytes){NULL, 0};
    assert_int_equal(difficult_retry(rig, difficult_drop(rig, "d-1")), GK_FAILED_PRECONDITION);
    assert_non_null(strstr(rig->error.message, "typing its number"));
}

/* A start in the middle of a walk. */
static void resume(struct core_rig *core, void *argument)
{
    (void)argument;
    gk_difficult_resume(core->difficult);
}

static bool has_mark(const struct difficult_rig *rig)
{
    struct gk_value mark = {0};
    const struct gk_bytes key = {(const uint8_t *)"difficult_walk", strlen("difficult_walk")};
    const bool has = gk_store_get(rig->core.store, GK_FAMILY_META, key, &mark, NULL) == GK_OK;

    gk_value_free(&mark);
    return has;
}

static void await_no_mark(const struct difficult_rig *rig)
{
    for (int i = 0; i < 2000 && has_mark(rig); i++) {
        (void)usleep(10000);
    }
    assert_false(has_mark(rig));
}

static void test_walk_goes_on_after_a_restart_where_it_was(void **state)
{
    enum { CARDS = 8, BEFORE = 5 };
    struct difficult_rig *rig = *state;

    for (unsigned i = 0; i < CARDS; i++) {
        char deposit_id[8];

        (void)snprintf(deposit_id, sizeof deposit_id, "d-%u", i);
        (void)difficult_drop(rig, deposit_id);
        atomic_fetch_add(&rig->core.now_ms, 1);
    }
    const unsigned read = atomic_load(&rig->read);

    atomic_store(&rig->read_limit, read + BEFORE);
    core_rig_run(&rig->core, retry_all, NULL);
    core_rig_wait(&rig->read, read + BEFORE); /* then the reader goes */
    assert_true(has_mark(rig));
    difficult_restart(rig);
    core_rig_run(&rig->core, resume, NULL);
    core_rig_wait(&rig->read, read + CARDS);
    await_no_mark(rig);
    /* At most the card that was in hand is read twice. */
    assert_in_range(atomic_load(&rig->read), read + CARDS, read + CARDS + 1);
    /* Nothing is left for another start. */
    difficult_restart(rig);
    const unsigned again = atomic_load(&rig->read);

    core_rig_run(&rig->core, resume, NULL);
    core_rig_run(&rig->core, retry_all, NULL);
    core_rig_wait(&rig->read, again + CARDS);
    await_no_mark(rig);
    assert_int_equal(atomic_load(&rig->read), again + CARDS);
}

static void test_walk_through_an_empty_queue_leaves_no_mark(void **state)
{
    struct difficult_rig *rig = *state;

    core_rig_run(&rig->core, retry_all, NULL);
    core_rig_run(&rig->core, retry_all, NULL);
    await_no_mark(rig);
    core_rig_run(&rig->core, resume, NULL);
    await_no_mark(rig);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, difficult_setup, difficult_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_retry_reads_the_kept_picture_again),
        TEST(test_all_are_tried_again_by_themselves_and_what_stays_leaves_no_trace),
        TEST(test_retry_without_picture_and_number_says_what_to_do),
        TEST(test_walk_goes_on_after_a_restart_where_it_was),
        TEST(test_walk_through_an_empty_queue_leaves_no_mark),
    };

    return cmocka_run_group_tests_name("core/difficult, tried again", tests, NULL, NULL);
}

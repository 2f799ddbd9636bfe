#include "tests/core/store/store_fixture.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define QUEUE 4096 /* as store.h says of gk_store_commit */

/* A work of the tests: what it does is `act`; what became of it is kept. */
struct test_work {
    struct gk_work work;
    enum gk_status (*act)(struct test_work *test, struct gk_transaction *transaction, struct gk_error *error);
    const char *key;
    const char *value;
    struct gk_value found;  /* what `act` read */
    atomic_uint *order;     /* counts the works done; may be NULL */
    struct gk_store *store; /* where not NULL, `done` reads `key` from it */
    sem_t *begun;           /* posted by act_gate, which then waits for `open` */
    sem_t *open;
    enum gk_status status;
    enum gk_status found_status;
    enum gk_status seen_at_done;
    unsigned done_at; /* 1 for the first */
    char message[64];
};

static enum gk_status test_apply(struct gk_work *work, struct gk_transaction *transaction,
                                 struct gk_error *error)
{
    struct test_work *test = (struct test_work *)work;

    return test->act(test, transaction, error);
}

static void test_done(struct gk_work *work, enum gk_status status, const struct gk_error *error)
{
    struct test_work *test = (struct test_work *)work;

    test->status = status;
    (void)snprintf(test->message, sizeof test->message, "%.63s", error->message);
    if (test->store != NULL) {
        struct gk_value value = {0};

        test->seen_at_done = gk_store_get(test->store, GK_FAMILY_CARDS, bytes_of(test->key), &value, NULL);
        gk_value_free(&value);
    }
    if (test->order != NULL) {
        test->done_at = atomic_fetch_add(test->order, 1) + 1;
    }
}

static struct test_work make_work(enum gk_status (*act)(struct test_work *test,
                                                        struct gk_transaction *transaction,
                                                        struct gk_error *error),
                                  const char *key, const char *value)
{
    return (struct test_work){.work = {.apply = test_apply, .done = test_done},
                              .act = act,
                              .key = key,
                              .value = value,
                              .status = GK_UNKNOWN};
}

static enum gk_status act_put(struct test_work *test, struct gk_transaction *transaction,
                              struct gk_error *error)
{
    (void)error;
    gk_transaction_put(transaction, GK_FAMILY_CARDS, bytes_of(test->key), bytes_of(test->value));
    return GK_OK;
}

static enum gk_status act_get(struct test_work *test, struct gk_transaction *transaction,
                              struct gk_error *error)
{
    test->found_status =
        gk_transaction_get(transaction, GK_FAMILY_CARDS, bytes_of(test->key), &test->found, error);
    return GK_OK;
}

static enum gk_status act_gate(struct test_work *test, struct gk_transaction *transaction,
                               struct gk_error *error)
{
    (void)transaction;
    (void)error;
    (void)sem_post(test->begun);
    (void)sem_wait(test->open);
    return GK_OK;
}

/* Holds the committer, so that what is handed over meanwhile becomes one group. */
struct gate {
    struct test_work work;
    sem_t begun;
    sem_t open;
};

static void gate_close(struct gate *gate, struct gk_store *store)
{
    (void)sem_init(&gate->begun, 0, 0);
    (void)sem_init(&gate->open, 0, 0);
    gate->work = make_work(act_gate, NULL, NULL);
    gate->work.begun = &gate->begun;
    gate->work.open = &gate->open;
    assert_true(gk_store_commit(store, &gate->work.work));
    (void)sem_wait(&gate->begun);
}

static void gate_open(struct gate *gate)
{
    (void)sem_post(&gate->open);
}

static enum gk_status apply_nothing(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    (void)context;
    (void)transaction;
    (void)error;
    return GK_OK;
}

/* Waits until all that was handed over is done. */
static void drain(struct gk_store *store)
{
    assert_int_equal(gk_store_commit_and_wait(store, apply_nothing, NULL, NULL), GK_OK);
}

/* --- groups --- */

static void test_a_work_sees_what_its_group_did_before_it(void **state)
{
    struct store_fixture *fixture = *state;
    struct gate gate;
    struct test_work put = make_work(act_put, "a", "1");
    struct test_work get = make_work(act_get, "a", NULL);

    gate_close(&gate, fixture->store);
    assert_true(gk_store_commit(fixture->store, &put.work));
    assert_true(gk_store_commit(fixture->store, &get.work));
    assert_stored(fixture->store, GK_FAMILY_CARDS, "a", NULL);
    gate_open(&gate);
    drain(fixture->store);
    assert_int_equal(get.found_status, GK_OK);
    assert_memory_equal(get.found.data, "1", 1);
    gk_value_free(&get.found);
}

static enum gk_status act_meddle_and_refuse(struct test_work *test, struct gk_transaction *transaction,
                                            struct gk_error *error)
{
    gk_transaction_put(transaction, GK_FAMILY_CARDS, bytes_of("a"), bytes_of("meddled"));
    gk_transaction_delete(transaction, GK_FAMILY_CARDS, bytes_of("b"));
    gk_transaction_put(transaction, GK_FAMILY_CARDS, bytes_of(test->key), bytes_of("new"));
    gk_transaction_delete_range(transaction, GK_FAMILY_CARDS, bytes_of("a"), bytes_of("z"));
    gk_transaction_add(transaction, GK_FAMILY_DENSITY, bytes_of("sum"), 5);
    gk_transaction_count(transaction, "library-1", "found");
    gk_transaction_audit(transaction, "test", "meddle", (struct gk_bytes){0}, "");
    return gk_error_set(error, GK_ABORTED, "no, %s", test->key);
}

static void test_a_refused_work_leaves_nothing_and_disturbs_no_neighbour(void **state)
{
    struct store_fixture *fixture = *state;
    struct gate gate;
    struct test_work first = make_work(act_put, "a", "1");
    struct test_work second = make_work(act_put, "b", "2");
    struct test_work refused = make_work(act_meddle_and_refuse, "c", NULL);
    struct test_work last = make_work(act_put, "d", "4");
    uint64_t entries = 99;

    gate_close(&gate, fixture->store);
    assert_true(gk_store_commit(fixture->store, &first.work));
    assert_true(gk_store_commit(fixture->store, &second.work));
    assert_true(gk_store_commit(fixture->store, &refused.work));
    assert_true(gk_store_commit(fixture->store, &last.work));
    gate_open(&gate);
    drain(fixture->store);

    assert_int_equal(first.status, GK_OK);
    assert_int_equal(second.status, GK_OK);
    assert_int_equal(refused.status, GK_ABORTED);
    assert_string_equal(refused.message, "no, c");
    assert_int_equal(last.status, GK_OK);
    assert_string_equal(last.message, "");
    assert_stored(fixture->store, GK_FAMILY_CARDS, "a", "1");
    assert_stored(fixture->store, GK_FAMILY_CARDS, "b", "2");
    assert_stored(fixture->store, GK_FAMILY_CARDS, "c", NULL);
    assert_stored(fixture->store, GK_FAMILY_CARDS, "d", "4");
    assert_stored(fixture->store, GK_FAMILY_DENSITY, "sum", NULL);
    assert_int_equal(gk_store_verify_audit(fixture->store, &entries, NULL), GK_OK);
    assert_int_equal(entries, 0);
}

static enum gk_status act_delete_range(struct test_work *test, struct gk_transaction *transaction,
                                       struct gk_error *error)
{
    (void)error;
    gk_transaction_delete_range(transaction, GK_FAMILY_CARDS, bytes_of(test->key), bytes_of(test->value));
    return GK_OK;
}

static void test_a_range_delete_keeps_its_place_in_the_group(void **state)
{
    struct store_fixture *fixture = *state;
    struct gate gate;
    struct test_work before = make_work(act_put, "c", "before");
    struct test_work range = make_work(act_delete_range, "b", "e");
    struct test_work read_old = make_work(act_get, "b", NULL);
    struct test_work read_before = make_work(act_get, "c", NULL);
    struct test_work after = make_work(act_put, "d", "after");

    assert_int_equal(store_put(fixture->store, GK_FAMILY_CARDS, "b", "old", NULL), GK_OK);
    assert_int_equal(store_put(fixture->store, GK_FAMILY_CARDS, "e", "outside", NULL), GK_OK);
    gate_close(&gate, fixture->store);
    assert_true(gk_store_commit(fixture->store, &before.work));
    assert_true(gk_store_commit(fixture->store, &range.work));
    assert_true(gk_store_commit(fixture->store, &read_old.work));
    assert_true(gk_store_commit(fixture->store, &read_before.work));
    assert_true(gk_store_commit(fixture->store, &after.work));
    gate_open(&gate);
    drain(fixture->store);

    assert_int_equal(read_old.found_status, GK_NOT_FOUND);
    assert_int_equal(read_before.found_status, GK_NOT_FOUND);
    for (int reopened = 0; reopened <= 1; reopened++) {
        assert_stored(fixture->store, GK_FAMILY_CARDS, "b", NULL);
        assert_stored(fixture->store, GK_FAMILY_CARDS, "c", NULL);
        assert_stored(fixture->store, GK_FAMILY_CARDS, "d", "after");
        assert_stored(fixture->store, GK_FAMILY_CARDS, "e", "outside");
        store_reopen(fixture);
    }
}

static enum gk_status act_add(struct test_work *test, struct gk_transaction *transaction,
                              struct gk_error *error)
{
    gk_transaction_add(transaction, GK_FAMILY_DENSITY, bytes_of(test->key), 3);
    gk_transaction_add(transaction, GK_FAMILY_DENSITY, bytes_of(test->key), 4);
    test->found_status =
        gk_transaction_get(transaction, GK_FAMILY_DENSITY, bytes_of(test->key), &test->found, error);
    return GK_OK;
}

static uint64_t taken_sum(struct gk_value *value)
{
    const uint64_t sum = gk_sum_decode((struct gk_bytes){.data = value->data, .size = value->size});

    gk_value_free(value);
    return sum;
}

static void test_sums_add_up_over_works_groups_and_restarts(void **state)
{
    struct store_fixture *fixture = *state;

    for (int round = 0; round < 2; round++) {
        struct gate gate;
        struct test_work adds[3];

        gate_close(&gate, fixture->store);
        for (size_t i = 0; i < 3; i++) {
            adds[i] = make_work(act_add, "block", NULL);
            assert_true(gk_store_commit(fixture->store, &adds[i].work));
        }
        gate_open(&gate);
        drain(fixture->store);
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(adds[i].found_status, GK_OK);
            assert_int_equal(taken_sum(&adds[i].found), 21 * round + 7 * (int)(i + 1));
        }
        store_reopen(fixture);
    }
    struct gk_value value = {0};

    assert_int_equal(gk_store_get(fixture->store, GK_FAMILY_DENSITY, bytes_of("block"), &value, NULL), GK_OK);
    assert_int_equal(taken_sum(&value), 42);
}

/* --- order and limits --- */

static void test_works_are_told_in_order_once_they_are_stored(void **state)
{
    struct store_fixture *fixture = *state;
    static char keys[600][8];
    static struct test_work works[600]; /* more than two groups */
    struct gate gate;
    atomic_uint order = 0;

    gate_close(&gate, fixture->store);
    for (size_t i = 0; i < 600; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "k%u", (unsigned)i % 1000);
        works[i] = make_work(act_put, keys[i], "x");
        works[i].order = &order;
        works[i].store = fixture->store;
        assert_true(gk_store_commit(fixture->store, &works[i].work));
    }
    gate_open(&gate);
    drain(fixture->store);
    for (size_t i = 0; i < 600; i++) {
        assert_int_equal(works[i].status, GK_OK);
        assert_int_equal(works[i].done_at, i + 1);
        assert_int_equal(works[i].seen_at_done, GK_OK);
    }
}

static void test_the_queue_is_bounded_and_closing_finishes_what_it_holds(void **state)
{
    struct store_fixture *fixture = *state;
    struct test_work *works = calloc(QUEUE + 1, sizeof *works);
    struct gate gate;
    atomic_uint done = 0;

    gate_close(&gate, fixture->store);
    for (size_t i = 0; i < QUEUE; i++) {
        works[i] = make_work(act_put, i + 1 < QUEUE ? "same" : "last", "x");
        works[i].order = &done;
        assert_true(gk_store_commit(fixture->store, &works[i].work));
    }
    works[QUEUE] = make_work(act_put, "too many", "x");
    works[QUEUE].order = &done;
    assert_false(gk_store_commit(fixture->store, &works[QUEUE].work));

    gate_open(&gate);
    store_reopen(fixture);
    assert_int_equal(atomic_load(&done), QUEUE);
    assert_stored(fixture->store, GK_FAMILY_CARDS, "last", "x");
    assert_stored(fixture->store, GK_FAMILY_CARDS, "too many", NULL);
    free(works);
}

static void test_large_changes_are_split_over_groups(void **state)
{
    struct store_fixture *fixture = *state;
    struct test_work works[12];
    char *large = malloc((1 << 20) + 1);
    const char *const keys[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"};
    struct gate gate;

    memset(large, 'x', 1 << 20);
    large[1 << 20] = '\0';
    gate_close(&gate, fixture->store);
    for (size_t i = 0; i < 12; i++) {
        works[i] = make_work(act_put, keys[i], large);
        assert_true(gk_store_commit(fixture->store, &works[i].work));
    }
    gate_open(&gate);
    drain(fixture->store);
    for (size_t i = 0; i < 12; i++) {
        assert_int_equal(works[i].status, GK_OK);
        assert_stored(fixture->store, GK_FAMILY_CARDS, keys[i], large);
    }
    free(large);
}

/* --- threads --- */

static enum gk_status apply_increment(void *context, struct gk_transaction *transaction,
                                      struct gk_error *error)
{
    struct gk_value value = {0};
    unsigned number = 0;
    char text[16];

    (void)context;
    if (gk_transaction_get(transaction, GK_FAMILY_META, bytes_of("n"), &value, error) == GK_OK) {
        (void)snprintf(text, sizeof text, "%.*s", (int)value.size, (const char *)value.data);
        number = (unsigned)strtoul(text, NULL, 10);
        gk_value_free(&value);
    }
    (void)snprintf(text, sizeof text, "%u", number + 1);
    gk_transaction_put(transaction, GK_FAMILY_META, bytes_of("n"), bytes_of(text));
    return GK_OK;
}

static void *increment_often(void *context)
{
    struct store_fixture *fixture = context;
    intptr_t failures = 0;

    for (int i = 0; i < 50; i++) {
        failures += gk_store_commit_and_wait(fixture->store, apply_increment, NULL, NULL) != GK_OK;
    }
    return (void *)failures; /* NOLINT(performance-no-int-to-ptr): pthread's way to give a number back */
}

static void test_works_of_many_threads_never_interleave(void **state)
{
    struct store_fixture *fixture = *state;
    pthread_t threads[8];

    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, increment_often, fixture), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        void *failures = NULL;

        assert_int_equal(pthread_join(threads[i], &failures), 0);
        assert_null(failures);
    }
    assert_stored(fixture->store, GK_FAMILY_META, "n", "400");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_a_work_sees_what_its_group_did_before_it),
        STORE_TEST(test_a_refused_work_leaves_nothing_and_disturbs_no_neighbour),
        STORE_TEST(test_a_range_delete_keeps_its_place_in_the_group),
        STORE_TEST(test_sums_add_up_over_works_groups_and_restarts),
        STORE_TEST(test_works_are_told_in_order_once_they_are_stored),
        STORE_TEST(test_the_queue_is_bounded_and_closing_finishes_what_it_holds),
        STORE_TEST(test_large_changes_are_split_over_groups),
        STORE_TEST(test_works_of_many_threads_never_interleave),
    };

    return cmocka_run_group_tests_name("committer", tests, NULL, NULL);
}

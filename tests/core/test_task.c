#include "core/task.h"

#include "tests/core/store/store_fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct job {
    struct gk_task task;
    struct gk_commit commit;
    uv_loop_t *loop;
    uv_timer_t keep_alive; /* the mailbox alone does not */
    pthread_t ran_on;
    pthread_t done_on;
    enum gk_status answer; /* what apply returns */
    unsigned done;
};

static void run(struct gk_task *task)
{
    gk_container_of(task, struct job, task)->ran_on = pthread_self();
}

static void on_done(struct gk_task *task)
{
    struct job *job = gk_container_of(task, struct job, task);

    job->done_on = pthread_self();
    job->done++;
}

static void test_task_runs_on_a_worker_and_ends_on_the_loop(void **state)
{
    struct job job = {.task = {.run = run, .done = on_done}};
    uv_loop_t loop;

    (void)state;
    (void)uv_loop_init(&loop);
    gk_task_start(&loop, &job.task);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(job.done, 1);
    assert_true(pthread_equal(job.done_on, pthread_self()));
    assert_false(pthread_equal(job.ran_on, pthread_self()));
    assert_int_equal(uv_loop_close(&loop), 0);
}

static enum gk_status apply(struct gk_commit *commit, struct gk_transaction *transaction,
                            struct gk_error *error)
{
    const struct job *job = gk_container_of(commit, struct job, commit);

    gk_transaction_put(transaction, GK_FAMILY_META, bytes_of("key"), bytes_of("value"));
    return job->answer == GK_OK ? GK_OK : gk_error_set(error, job->answer, "no, thank you");
}

static void on_committed(struct gk_commit *commit)
{
    struct job *job = gk_container_of(commit, struct job, commit);

    job->done_on = pthread_self();
    job->done++;
    uv_close((uv_handle_t *)&job->keep_alive, NULL);
}

static void on_time_over(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static void commit_and_turn(struct gk_store *store, struct job *job)
{
    uv_loop_t loop;

    (void)uv_loop_init(&loop);
    (void)uv_timer_init(&loop, &job->keep_alive);
    (void)uv_timer_start(&job->keep_alive, on_time_over, 30000, 0);
    struct gk_mailbox *mailbox = gk_mailbox_open(&loop);

    job->commit.apply = apply;
    job->commit.done = on_committed;
    gk_commit_start(store, mailbox, &job->commit);
    assert_int_equal(job->done, 0);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    gk_mailbox_close(mailbox);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(job->done, 1);
    assert_true(pthread_equal(job->done_on, pthread_self()));
}

static void test_commit_is_durable_when_the_loop_hears_of_it(void **state)
{
    struct store_fixture *fixture = *state;
    struct job job = {.answer = GK_OK};

    commit_and_turn(fixture->store, &job);
    assert_int_equal(job.commit.status, GK_OK);
    store_reopen(fixture);
    assert_stored(fixture->store, GK_FAMILY_META, "key", "value");
}

static void test_refused_commit_says_why_and_writes_nothing(void **state)
{
    struct store_fixture *fixture = *state;
    struct job job = {.answer = GK_FAILED_PRECONDITION};

    commit_and_turn(fixture->store, &job);
    assert_int_equal(job.commit.status, GK_FAILED_PRECONDITION);
    assert_string_equal(job.commit.error.message, "no, thank you");
    assert_stored(fixture->store, GK_FAMILY_META, "key", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_task_runs_on_a_worker_and_ends_on_the_loop),
        STORE_TEST(test_commit_is_durable_when_the_loop_hears_of_it),
        STORE_TEST(test_refused_commit_says_why_and_writes_nothing),
    };

    return cmocka_run_group_tests_name("core/task", tests, NULL, NULL);
}

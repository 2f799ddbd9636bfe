#include "core/reader_jobs.h"

#include "tests/core/core_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* Long enough that a slow machine does not lose a lease by accident where a test does not want it. */
enum { LEASE_MS = 300, WAIT_MS = 700, QUEUE = 3, JOBS_MAX = 4 };

/* A job that the test queues, and what became of it. */
struct job {
    guika_v1_Frame frame;
    struct gk_bytes questions; /* data NULL: a recognition */
    bool taken;                /* by the queue */
    enum gk_status status;
    guika_v1_Reason reason;
    uint8_t answers[16];
    size_t answers_size;
    atomic_uint done; /* times */
};

struct fixture {
    struct core_rig rig;
    struct gk_rpc_client *readers[2];
    guika_v1_internal_LeaseJobResponse *leased;
    struct job jobs[JOBS_MAX];
};

static int setup(void **state)
{
    const struct core_rig_options options = {.lease_ms = LEASE_MS, .reader_wait_ms = WAIT_MS, .queue = QUEUE};
    struct fixture *fixture = calloc(1, sizeof *fixture);

    core_rig_start(&fixture->rig, &options);
    fixture->readers[0] = core_rig_connect(&fixture->rig, GK_ROLE_READER, "reader-0");
    fixture->readers[1] = core_rig_connect(&fixture->rig, GK_ROLE_READER, "reader-1");
    fixture->leased = calloc(1, sizeof *fixture->leased);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    gk_rpc_client_close(fixture->readers[0]);
    gk_rpc_client_close(fixture->readers[1]);
    core_rig_end(&fixture->rig);
    free(fixture->leased);
    free(fixture);
    return 0;
}

/* --- the core's side
 * ------------------------------------------------------------------------------------------- */

static void on_recognised(void *context, enum gk_status status,
                          const guika_v1_internal_CompleteRecognitionRequest *result)
{
    struct job *job = context;

    job->status = status;
    job->reason = result == NULL ? guika_v1_Reason_REASON_UNSPECIFIED : result->reason;
    atomic_fetch_add(&job->done, 1);
}

static void on_checked(void *context, enum gk_status status, struct gk_bytes answers)
{
    struct job *job = context;

    job->status = status;
    job->answers_size = answers.size < sizeof job->answers ? answers.size : sizeof job->answers;
    if (answers.size > 0) {
        memcpy(job->answers, answers.data, job->answers_size);
    }
    atomic_fetch_add(&job->done, 1);
}

static void do_queue(struct core_rig *rig, void *argument)
{
    struct job *job = argument;

    job->taken = job->questions.data != NULL
                     ? gk_reader_jobs_check_numbers(rig->jobs, job->questions, on_checked, job)
                     : gk_reader_jobs_recognise(rig->jobs, &job->frame, 1, on_recognised, job);
}

static bool queue(struct fixture *fixture, size_t index, const char *picture)
{
    struct job *job = &fixture->jobs[index];

    job->frame.picture = (struct gk_bytes){(const uint8_t *)picture, strlen(picture)};
    core_rig_run(&fixture->rig, do_queue, job);
    return job->taken;
}

static void do_lose(struct core_rig *rig, void *argument)
{
    gk_reader_jobs_lost(rig->jobs, argument);
}

static void lose(struct fixture *fixture, const char *reader_id)
{
    char id[GK_PRINCIPAL_ID_SIZE];

    (void)snprintf(id, sizeof id, "%s", reader_id);
    core_rig_run(&fixture->rig, do_lose, id);
}

/* --- the reader's side
 * ---------------------------------------------------------------------------------------- */

static uint64_t lease(struct fixture *fixture, size_t reader)
{
    return core_rig_lease(fixture->readers[reader], fixture->leased);
}

static enum gk_status complete(struct fixture *fixture, size_t reader, uint64_t job_id,
                               guika_v1_Reason reason)
{
    guika_v1_internal_CompleteRecognitionRequest *result = calloc(1, sizeof *result);

    result->reason = reason;
    const enum gk_status status = core_rig_complete(fixture->readers[reader], job_id, result);

    free(result);
    return status;
}

static void rest_ms(long ms)
{
    (void)nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* --- tests
 * ------------------------------------------------------------------------------------------------------------
 */

static void test_job_goes_to_a_reader_and_its_result_comes_back(void **state)
{
    struct fixture *fixture = *state;

    assert_true(queue(fixture, 0, "picture"));
    const uint64_t id = lease(fixture, 0);

    assert_int_not_equal(id, 0);
    assert_int_equal(fixture->leased->lease_ms, LEASE_MS);
    assert_int_equal(fixture->leased->which_job, guika_v1_internal_LeaseJobResponse_recognise_tag);
    assert_memory_equal(fixture->leased->job.recognise.frames[0].picture.data, "picture", 7);
    assert_int_equal(complete(fixture, 0, id, guika_v1_Reason_REASON_GLARE), GK_OK);
    core_rig_wait(&fixture->jobs[0].done, 1);
    assert_int_equal(fixture->jobs[0].status, GK_OK);
    assert_int_equal(fixture->jobs[0].reason, guika_v1_Reason_REASON_GLARE);
    assert_int_equal(atomic_load(&fixture->rig.overdue), 0);
}

static void test_numbers_travel_as_they_are(void **state)
{
    static const uint8_t encoded[] = {0x0a, 0x00, 0x0a, 0x00}; /* two empty items */
    struct fixture *fixture = *state;
    struct job *job = &fixture->jobs[0];
    guika_v1_internal_CompleteNumbersRequest request = {.answers = {encoded, sizeof encoded}};
    guika_v1_internal_CompleteJobResponse response = {0};

    job->questions = (struct gk_bytes){encoded, 2};
    core_rig_run(&fixture->rig, do_queue, job);
    request.job_id = lease(fixture, 0);
    assert_int_equal(fixture->leased->which_job, guika_v1_internal_LeaseJobResponse_numbers_tag);
    assert_int_equal(fixture->leased->job.numbers.questions.size, 2);
    /* The wrong kind of answer is none. */
    assert_int_equal(complete(fixture, 0, request.job_id, guika_v1_Reason_REASON_GLARE),
                     GK_FAILED_PRECONDITION);
    assert_int_equal(guika_v1_internal_reader_service_complete_numbers(fixture->readers[0], NULL, &request,
                                                                       &response, NULL),
                     GK_OK);
    core_rig_wait(&job->done, 1);
    assert_int_equal(job->status, GK_OK);
    assert_int_equal(job->answers_size, sizeof encoded);
}

static void test_jobs_are_handed_out_oldest_first(void **state)
{
    struct fixture *fixture = *state;

    assert_true(queue(fixture, 0, "first"));
    assert_true(queue(fixture, 1, "second"));
    const uint64_t first = lease(fixture, 0);

    assert_memory_equal(fixture->leased->job.recognise.frames[0].picture.data, "first", 5);
    const uint64_t second = lease(fixture, 1);

    assert_memory_equal(fixture->leased->job.recognise.frames[0].picture.data, "second", 6);
    assert_int_equal(complete(fixture, 1, second, guika_v1_Reason_REASON_GLARE), GK_OK);
    assert_int_equal(complete(fixture, 0, first, guika_v1_Reason_REASON_GLARE), GK_OK);
}

static void test_full_queue_takes_nothing_more(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < QUEUE; i++) {
        assert_true(queue(fixture, i, "picture"));
    }
    assert_false(queue(fixture, QUEUE, "picture"));
    assert_int_equal(atomic_load(&fixture->jobs[QUEUE].done), 0);
}

static void test_lease_that_runs_out_goes_to_another_reader(void **state)
{
    struct fixture *fixture = *state;

    assert_true(queue(fixture, 0, "picture"));
    const uint64_t id = lease(fixture, 0);

    assert_int_equal(lease(fixture, 1), id);
    assert_int_equal(atomic_load(&fixture->rig.overdue), 1);
    /* The first one comes too late. */
    assert_int_equal(complete(fixture, 0, id, guika_v1_Reason_REASON_UNREADABLE), GK_FAILED_PRECONDITION);
    assert_int_equal(complete(fixture, 1, id, guika_v1_Reason_REASON_GLARE), GK_OK);
    core_rig_wait(&fixture->jobs[0].done, 1);
    assert_int_equal(fixture->jobs[0].reason, guika_v1_Reason_REASON_GLARE);
    assert_int_equal(atomic_load(&fixture->jobs[0].done), 1);
}

static void test_two_attempts_are_all(void **state)
{
    struct fixture *fixture = *state;

    assert_true(queue(fixture, 0, "picture"));
    const uint64_t id = lease(fixture, 0);

    assert_int_equal(lease(fixture, 1), id);
    core_rig_wait(&fixture->jobs[0].done, 1);
    assert_int_equal(fixture->jobs[0].status, GK_ABORTED);
    assert_int_equal(atomic_load(&fixture->rig.overdue), 2);
    assert_int_equal(complete(fixture, 1, id, guika_v1_Reason_REASON_GLARE), GK_FAILED_PRECONDITION);
    assert_int_equal(atomic_load(&fixture->jobs[0].done), 1);
}

static void test_job_of_a_lost_reader_is_handed_on_at_once(void **state)
{
    struct fixture *fixture = *state;

    assert_true(queue(fixture, 0, "picture"));
    const uint64_t id = lease(fixture, 0);

    lose(fixture, "reader-0");
    assert_int_equal(lease(fixture, 1), id);
    assert_int_equal(atomic_load(&fixture->rig.overdue), 0);
    assert_int_equal(complete(fixture, 0, id, guika_v1_Reason_REASON_GLARE), GK_FAILED_PRECONDITION);
    assert_int_equal(complete(fixture, 1, id, guika_v1_Reason_REASON_GLARE), GK_OK);
}

static void test_two_lost_readers_are_two_attempts(void **state)
{
    struct fixture *fixture = *state;

    assert_true(queue(fixture, 0, "picture"));
    (void)lease(fixture, 0);
    lose(fixture, "reader-0");
    (void)lease(fixture, 1);
    lose(fixture, "reader-1");
    core_rig_wait(&fixture->jobs[0].done, 1);
    assert_int_equal(fixture->jobs[0].status, GK_ABORTED);
}

static void test_job_that_no_reader_takes_is_given_up(void **state)
{
    struct fixture *fixture = *state;

    assert_true(queue(fixture, 0, "picture"));
    core_rig_wait(&fixture->jobs[0].done, 1);
    assert_int_equal(fixture->jobs[0].status, GK_UNAVAILABLE);
    assert_int_equal(atomic_load(&fixture->rig.overdue), 0);
    /* Its place is free again. */
    for (size_t i = 1; i < 1 + QUEUE; i++) {
        assert_true(queue(fixture, i, "picture"));
    }
}

/* A poll in a thread of its own. */
struct polling {
    struct gk_rpc_client *client;
    pthread_t thread;
    uint32_t deadline_ms;
    guika_v1_internal_LeaseJobResponse response;
    enum gk_status status;
};

static void *run_poll(void *context)
{
    struct polling *polling = context;
    const struct gk_rpc_call_options options = {.deadline_ms = polling->deadline_ms};
    const guika_v1_internal_LeaseJobRequest request = {0};

    polling->status = guika_v1_internal_reader_service_lease_job(polling->client, &options, &request,
                                                                 &polling->response, NULL);
    return NULL;
}

static struct polling *poll(struct fixture *fixture, size_t reader, uint32_t deadline_ms)
{
    struct polling *polling = calloc(1, sizeof *polling);

    polling->client = fixture->readers[reader];
    polling->deadline_ms = deadline_ms;
    assert_int_equal(pthread_create(&polling->thread, NULL, run_poll, polling), 0);
    rest_ms(100);
    return polling;
}

static uint64_t end_poll(struct polling *polling)
{
    (void)pthread_join(polling->thread, NULL);
    assert_int_equal(polling->status, GK_OK);
    const uint64_t id = polling->response.job_id;

    free(polling);
    return id;
}

static void test_poll_is_answered_empty_before_its_deadline(void **state)
{
    assert_int_equal(end_poll(poll(*state, 0, 1300)), 0);
}

static void test_reader_that_waits_gets_the_job_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct polling *polling = poll(fixture, 0, 10000);

    assert_true(queue(fixture, 0, "picture"));
    const uint64_t id = end_poll(polling);

    assert_int_not_equal(id, 0);
    assert_int_equal(complete(fixture, 0, id, guika_v1_Reason_REASON_GLARE), GK_OK);
}

static void test_nothing_is_handed_to_the_poll_of_a_lost_reader(void **state)
{
    struct fixture *fixture = *state;
    struct polling *polling = poll(fixture, 0, 10000);

    lose(fixture, "reader-0");
    assert_int_equal(end_poll(polling), 0);
    assert_true(queue(fixture, 0, "picture"));
    const uint64_t id = lease(fixture, 1);

    assert_int_equal(complete(fixture, 1, id, guika_v1_Reason_REASON_GLARE), GK_OK);
    core_rig_wait(&fixture->jobs[0].done, 1);
    assert_int_equal(fixture->jobs[0].status, GK_OK);
}

static void test_poll_of_a_reader_that_hung_up_is_forgotten(void **state)
{
    struct fixture *fixture = *state;
    struct gk_rpc_client *gone = core_rig_connect(&fixture->rig, GK_ROLE_READER, "reader-2");
    const struct gk_rpc_call_options options = {.deadline_ms = 50};
    const guika_v1_internal_LeaseJobRequest request = {0};

    (void)guika_v1_internal_reader_service_lease_job(gone, &options, &request, fixture->leased, NULL);
    gk_rpc_client_close(gone);
    core_rig_wait(&fixture->rig.peers_closed, 1);
    assert_true(queue(fixture, 0, "picture"));
    const uint64_t id = lease(fixture, 1);

    assert_int_not_equal(id, 0);
    assert_int_equal(complete(fixture, 1, id, guika_v1_Reason_REASON_GLARE), GK_OK);
}

static void do_retire(struct core_rig *rig, void *argument)
{
    gk_reader_jobs_retire(rig->jobs, argument);
}

static void test_retired_reader_finishes_its_job_and_is_told_to_leave(void **state)
{
    struct fixture *fixture = *state;
    const guika_v1_internal_LeaseJobRequest request = {0};
    char id[] = "reader-0";

    assert_true(queue(fixture, 0, "in hand"));
    const uint64_t job = lease(fixture, 0);

    core_rig_run(&fixture->rig, do_retire, id);
    assert_true(queue(fixture, 1, "for the other"));
    assert_int_equal(complete(fixture, 0, job, guika_v1_Reason_REASON_GLARE), GK_OK);
    core_rig_wait(&fixture->jobs[0].done, 1);
    assert_int_equal(fixture->jobs[0].status, GK_OK);
    assert_int_equal(guika_v1_internal_reader_service_lease_job(fixture->readers[0], NULL, &request,
                                                                fixture->leased, NULL),
                     GK_OK);
    assert_true(fixture->leased->leave);
    assert_int_equal(fixture->leased->job_id, 0);
    assert_int_not_equal(lease(fixture, 1), 0);
    assert_false(fixture->leased->leave);
    lose(fixture, id); /* another one of that name is as good as any */
    assert_true(queue(fixture, 2, "next"));
    assert_int_not_equal(lease(fixture, 0), 0);
}

static void do_queue_kept(struct core_rig *rig, void *argument)
{
    struct job *job = argument;

    job->taken = gk_reader_jobs_recognise_kept(rig->jobs, &job->frame, false, on_recognised, job);
}

static void test_kept_picture_waits_for_everything_else_and_as_long_as_it_takes(void **state)
{
    struct fixture *fixture = *state;

    core_rig_run(&fixture->rig, do_queue_kept, &fixture->jobs[0]);
    assert_true(fixture->jobs[0].taken);
    rest_ms(WAIT_MS + 100);
    assert_int_equal(atomic_load(&fixture->jobs[0].done), 0);
    assert_true(queue(fixture, 1, "deposit"));
    (void)lease(fixture, 0);
    assert_false(fixture->leased->job.recognise.kept);
    (void)lease(fixture, 1);
    assert_true(fixture->leased->job.recognise.kept);
}

static void test_only_readers_may_lease(void **state)
{
    struct fixture *fixture = *state;
    struct gk_rpc_client *box = core_rig_connect(&fixture->rig, GK_ROLE_BOX, "library-1");
    const guika_v1_internal_LeaseJobRequest request = {0};

    assert_int_equal(guika_v1_internal_reader_service_lease_job(box, NULL, &request, fixture->leased, NULL),
                     GK_PERMISSION_DENIED);
    gk_rpc_client_close(box);
}

static void test_announced_plugins_fill_the_shelf(void **state)
{
    struct fixture *fixture = *state;
    guika_v1_internal_AnnounceRequest *request = calloc(1, sizeof *request);
    guika_v1_internal_AnnounceResponse response = {0};
    guika_v1_internal_ShelfIssuer issuer;

    request->issuers_count = 1;
    strcpy(request->issuers[0].issuer, "octopus");
    strcpy(request->issuers[0].scheme, "octopus");
    assert_int_equal(
        guika_v1_internal_reader_service_announce(fixture->readers[0], NULL, request, &response, NULL),
        GK_OK);
    assert_true(gk_shelf_find(fixture->rig.shelf, "octopus", &issuer));
    free(request);
}

static void test_close_gives_everything_up_and_takes_nothing_more(void **state)
{
    struct fixture *fixture = *state;

    assert_true(queue(fixture, 0, "waits"));
    (void)lease(fixture, 0);
    assert_true(queue(fixture, 1, "waits"));
    core_rig_restart(&fixture->rig);
    assert_int_equal(atomic_load(&fixture->jobs[0].done), 1);
    assert_int_equal(atomic_load(&fixture->jobs[1].done), 1);
    assert_int_equal(fixture->jobs[0].status, GK_UNAVAILABLE);
    assert_int_equal(fixture->jobs[1].status, GK_UNAVAILABLE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_job_goes_to_a_reader_and_its_result_comes_back),
        TEST(test_numbers_travel_as_they_are),
        TEST(test_jobs_are_handed_out_oldest_first),
        TEST(test_full_queue_takes_nothing_more),
        TEST(test_lease_that_runs_out_goes_to_another_reader),
        TEST(test_two_attempts_are_all),
        TEST(test_job_of_a_lost_reader_is_handed_on_at_once),
        TEST(test_two_lost_readers_are_two_attempts),
        TEST(test_job_that_no_reader_takes_is_given_up),
        TEST(test_poll_is_answered_empty_before_its_deadline),
        TEST(test_reader_that_waits_gets_the_job_at_once),
        TEST(test_nothing_is_handed_to_the_poll_of_a_lost_reader),
        TEST(test_poll_of_a_reader_that_hung_up_is_forgotten),
        TEST(test_retired_reader_finishes_its_job_and_is_told_to_leave),
        TEST(test_kept_picture_waits_for_everything_else_and_as_long_as_it_takes),
        TEST(test_only_readers_may_lease),
        TEST(test_announced_plugins_fill_the_shelf),
        TEST(test_close_gives_everything_up_and_takes_nothing_more),
    };

    return cmocka_run_group_tests_name("core/reader_jobs", tests, NULL, NULL);
}

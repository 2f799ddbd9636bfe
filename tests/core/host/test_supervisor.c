#include "core/host/supervisor.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { STARTS_MAX = 16 };

/* What the supervisor said, and when. */
struct watch {
    uv_loop_t loop;
    uv_timer_t limit;
    struct gk_supervisor *supervisor;
    unsigned starts;
    unsigned stop_after_starts; /* closes then */
    unsigned stop_after_ends;
    unsigned stop_after_failures;
    unsigned ends;
    unsigned failures;
    uint64_t started_at_ms[STARTS_MAX];
    uint32_t restart_ms[STARTS_MAX];
    int process_id[STARTS_MAX];
    unsigned index[STARTS_MAX];
    int fd[STARTS_MAX];
    int64_t exit_status;
    int signal_number;
    uint32_t grace_ms;
    bool kill_first; /* as soon as it has started */
    bool closed;
    uint64_t closing_at_ms;
    uint64_t closed_at_ms;
    char failure[256];
};

static void on_closed(void *context)
{
    struct watch *watch = context;

    watch->closed = true;
    watch->closed_at_ms = uv_hrtime() / 1000000;
    uv_close((uv_handle_t *)&watch->limit, NULL);
}

static void stop(struct watch *watch)
{
    watch->closing_at_ms = uv_hrtime() / 1000000;
    (void)uv_timer_stop(&watch->limit);
    gk_supervisor_close(watch->supervisor, watch->grace_ms, on_closed, watch);
}

/* Asynchronously: some events come before the supervisor has been returned. */
static void on_stop(uv_timer_t *timer)
{
    stop(timer->data);
}

static void stop_soon(struct watch *watch, uint64_t delay_ms)
{
    (void)uv_timer_start(&watch->limit, on_stop, delay_ms, 0);
}

static void on_started(void *context, unsigned index, int process_id, int fd)
{
    struct watch *watch = context;

    assert_true(watch->starts < STARTS_MAX);
    watch->started_at_ms[watch->starts] = uv_hrtime() / 1000000;
    watch->process_id[watch->starts] = process_id;
    watch->index[watch->starts] = index;
    watch->fd[watch->starts++] = fd;
    if (watch->starts == watch->stop_after_starts) {
        stop_soon(watch, 100); /* the script has begun by then */
    }
}

static void on_ended(void *context, unsigned index, int process_id, int64_t exit_status, int signal_number,
                     uint32_t restart_ms)
{
    struct watch *watch = context;

    (void)index;
    (void)process_id;
    watch->exit_status = exit_status;
    watch->signal_number = signal_number;
    watch->restart_ms[watch->ends++] = restart_ms;
    if (watch->ends == watch->stop_after_ends) {
        stop_soon(watch, 0);
    }
}

static void on_failed(void *context, unsigned index, const struct gk_error *error)
{
    struct watch *watch = context;

    (void)index;
    (void)snprintf(watch->failure, sizeof watch->failure, "%s", error->message);
    if (++watch->failures == watch->stop_after_failures) {
        stop_soon(watch, 0);
    }
}

static void on_kill(uv_timer_t *timer)
{
    struct watch *watch = timer->data;

    gk_supervisor_kill(watch->supervisor, 0);
}

static void on_too_long(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("%s", "the children did not do in 20 s what they should");
}

/* Runs `count` children of /bin/sh with `script` (or of `program`) until the watch says stop. */
static void run(struct watch *watch, const char *program, const char *script, unsigned count)
{
    const char *arguments[] = {"-c", script, NULL};
    const struct gk_supervisor_options options = {.program = program,
                                                  .arguments = arguments,
                                                  .count = count,
                                                  .on_started = on_started,
                                                  .on_ended = on_ended,
                                                  .on_failed = on_failed,
                                                  .context = watch};
    uv_timer_t killer;

    (void)uv_loop_init(&watch->loop);
    (void)uv_timer_init(&watch->loop, &watch->limit);
    watch->limit.data = watch;
    (void)uv_timer_start(&watch->limit, on_too_long, 20000, 0);
    watch->supervisor = gk_supervisor_open(&watch->loop, &options);
    (void)uv_timer_init(&watch->loop, &killer);
    killer.data = watch;
    if (watch->kill_first) {
        (void)uv_timer_start(&killer, on_kill, 100, 0);
    }
    uv_unref((uv_handle_t *)&killer);
    if (count == 0) {
        stop_soon(watch, 0);
    }
    (void)uv_run(&watch->loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&killer, NULL);
    (void)uv_run(&watch->loop, UV_RUN_DEFAULT);
    assert_true(watch->closed);
    assert_int_equal(uv_loop_close(&watch->loop), 0);
    for (unsigned i = 0; i < watch->starts; i++) {
        (void)close(watch->fd[i]);
    }
}

static void assert_gone(const struct watch *watch)
{
    for (unsigned i = 0; i < watch->starts; i++) {
        assert_int_not_equal(kill(watch->process_id[i], 0), 0);
    }
}

static void test_every_child_is_started_and_none_outlives_the_close(void **state)
{
    struct watch watch = {.stop_after_starts = 3, .grace_ms = 10000};

    (void)state;
    run(&watch, "/bin/sh", "exec sleep 60", 3);
    assert_int_equal(watch.starts, 3);
    assert_int_equal(watch.index[0] + watch.index[1] + watch.index[2], 3);
    assert_int_equal(watch.ends, 0); /* the end was asked for */
    assert_true(watch.closed_at_ms - watch.closing_at_ms < 5000);
    assert_gone(&watch);
}

static void test_no_children_close_too(void **state)
{
    struct watch watch = {.grace_ms = 1000};

    (void)state;
    run(&watch, "/bin/sh", "exit 0", 0);
    assert_int_equal(watch.starts, 0);
}

static void test_child_that_ends_is_started_again_with_growing_pauses(void **state)
{
    struct watch watch = {.stop_after_ends = 5, .grace_ms = 1000};
    static const uint32_t pauses[] = {0, 100, 200, 400, 800};

    (void)state;
    run(&watch, "/bin/sh", "exit 3", 1);
    assert_int_equal(watch.exit_status, 3);
    assert_int_equal(watch.signal_number, 0);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(watch.restart_ms[i], pauses[i]);
    }
    for (unsigned i = 1; i < watch.starts; i++) {
        assert_true(watch.started_at_ms[i] - watch.started_at_ms[i - 1] + 2 >= pauses[i - 1]);
    }
}

static void test_killed_child_is_started_again(void **state)
{
    struct watch watch = {.stop_after_starts = 2, .grace_ms = 10000, .kill_first = true};

    (void)state;
    run(&watch, "/bin/sh", "exec sleep 60", 1);
    assert_int_equal(watch.ends, 1);
    assert_int_equal(watch.signal_number, SIGKILL);
    assert_int_equal(watch.restart_ms[0], 0);
    assert_int_equal(watch.starts, 2);
    assert_gone(&watch);
}

static void test_child_that_does_not_heed_the_end_is_killed_after_the_grace(void **state)
{
    struct watch watch = {.stop_after_starts = 1, .grace_ms = 300};

    (void)state;
    run(&watch, "/bin/sh", "trap '' TERM; while :; do sleep 0.05; done", 1);
    assert_true(watch.closed_at_ms - watch.closing_at_ms >= 290);
    assert_gone(&watch);
}

static void test_program_that_is_not_there_is_told_and_tried_again(void **state)
{
    struct watch watch = {.stop_after_failures = 3, .grace_ms = 1000};

    (void)state;
    run(&watch, "/no/such/program", "", 1);
    assert_int_equal(watch.starts, 0);
    assert_non_null(strstr(watch.failure, "/no/such/program"));
}

static void test_child_finds_its_socket_as_descriptor_three(void **state)
{
    struct watch watch = {.stop_after_ends = 1, .grace_ms = 1000};
    const char *arguments[] = {"-c", "printf hello >&3", NULL};
    const struct gk_supervisor_options options = {.program = "/bin/sh",
                                                  .arguments = arguments,
                                                  .count = 1,
                                                  .on_started = on_started,
                                                  .on_ended = on_ended,
                                                  .on_failed = on_failed,
                                                  .context = &watch};
    char text[16] = {0};

    (void)state;
    (void)uv_loop_init(&watch.loop);
    (void)uv_timer_init(&watch.loop, &watch.limit);
    watch.limit.data = &watch;
    (void)uv_timer_start(&watch.limit, on_too_long, 20000, 0);
    watch.supervisor = gk_supervisor_open(&watch.loop, &options);
    (void)uv_run(&watch.loop, UV_RUN_DEFAULT);
    assert_int_equal(read(watch.fd[0], text, sizeof text - 1), 5);
    assert_string_equal(text, "hello");
    /* Nobody else holds the child's end: it is at its end. */
    assert_int_equal(read(watch.fd[0], text, sizeof text), 0);
    assert_int_equal(uv_loop_close(&watch.loop), 0);
    for (unsigned i = 0; i < watch.starts; i++) {
        (void)close(watch.fd[i]);
    }
}

static void on_retire(uv_timer_t *timer)
{
    struct watch *watch = timer->data;

    gk_supervisor_retire(watch->supervisor, 0);
}

static void test_retired_child_is_not_started_again(void **state)
{
    struct watch watch = {.stop_after_ends = 1, .grace_ms = 1000};
    const char *arguments[] = {"-c", "sleep 0.3", NULL};
    const struct gk_supervisor_options options = {.program = "/bin/sh",
                                                  .arguments = arguments,
                                                  .count = 1,
                                                  .on_started = on_started,
                                                  .on_ended = on_ended,
                                                  .on_failed = on_failed,
                                                  .context = &watch};
    uv_timer_t retire;

    (void)state;
    (void)uv_loop_init(&watch.loop);
    (void)uv_timer_init(&watch.loop, &watch.limit);
    (void)uv_timer_init(&watch.loop, &retire);
    watch.limit.data = &watch;
    retire.data = &watch;
    (void)uv_timer_start(&watch.limit, on_too_long, 20000, 0);
    (void)uv_timer_start(&retire, on_retire, 0, 0);
    watch.supervisor = gk_supervisor_open(&watch.loop, &options);
    (void)uv_run(&watch.loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&retire, NULL);
    (void)uv_run(&watch.loop, UV_RUN_DEFAULT);
    assert_int_equal(watch.starts, 1);
    assert_true(watch.restart_ms[0] == GK_SUPERVISOR_NEVER);
    assert_int_equal(uv_loop_close(&watch.loop), 0);
    (void)close(watch.fd[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_child_is_started_and_none_outlives_the_close),
        cmocka_unit_test(test_no_children_close_too),
        cmocka_unit_test(test_child_that_ends_is_started_again_with_growing_pauses),
        cmocka_unit_test(test_killed_child_is_started_again),
        cmocka_unit_test(test_child_that_does_not_heed_the_end_is_killed_after_the_grace),
        cmocka_unit_test(test_program_that_is_not_there_is_told_and_tried_again),
        cmocka_unit_test(test_child_finds_its_socket_as_descriptor_three),
        cmocka_unit_test(test_retired_child_is_not_started_again),
    };

    return cmocka_run_group_tests_name("core/host/supervisor", tests, NULL, NULL);
}

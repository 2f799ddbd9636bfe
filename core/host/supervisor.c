#include "core/host/supervisor.h"

#include "core/memory.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    CHILD_FD = 3,           /* what the child finds its end of the socket pair as */
    PAGE_FD = 4,            /* and the page that it shares with the service */
    RESTART_FIRST_MS = 100, /* the pause doubles from here */
    RESTART_LARGEST_MS = 30000,
    SETTLED_MS = 60000, /* a life this long makes the next pause the first again */
};

struct child {
    struct gk_supervisor *supervisor;
    unsigned index;
    uv_process_t process;
    uv_timer_t restart;
    bool running;
    bool retired;
    uint64_t started_at_ms; /* on the loop's clock */
    uint32_t pause_ms;      /* before the next start */
};

struct gk_supervisor {
    uv_loop_t *loop;
    struct gk_supervisor_options options;
    char *program;
    char **arguments; /* with the program's name first */
    struct child *children;
    uv_timer_t grace;
    bool closing;
    unsigned open_handles;
    void (*on_closed)(void *context);
    void *on_closed_context;
};

static void start(struct child *child);

static void on_restart(uv_timer_t *timer)
{
    start(timer->data);
}

static void close_if_done(struct gk_supervisor *supervisor);

static void on_process_closed(uv_handle_t *handle)
{
    struct child *child = handle->data;

    child->running = false;
    if (child->supervisor->closing) {
        close_if_done(child->supervisor);
    }
}

/* Returns the pause before the start, milliseconds. */
static uint32_t plan_restart(struct child *child)
{
    if (child->retired) {
        (void)uv_timer_stop(&child->restart);
        return GK_SUPERVISOR_NEVER;
    }
    if (uv_now(child->supervisor->loop) - child->started_at_ms >= SETTLED_MS) {
        child->pause_ms = 0;
    }
    const uint32_t pause_ms = child->pause_ms;

    (void)uv_timer_start(&child->restart, on_restart, pause_ms, 0);
    child->pause_ms = child->pause_ms == 0                       ? RESTART_FIRST_MS
                      : child->pause_ms * 2 > RESTART_LARGEST_MS ? RESTART_LARGEST_MS
                                                                 : child->pause_ms * 2;
    return pause_ms;
}

static void on_child_exit(uv_process_t *process, int64_t exit_status, int signal_number)
{
    struct child *child = process->data;
    struct gk_supervisor *supervisor = child->supervisor;
    const int process_id = process->pid;

    uv_close((uv_handle_t *)process, on_process_closed);
    if (!supervisor->closing) {
        const uint32_t pause_ms = plan_restart(child);

        supervisor->options.on_ended(supervisor->options.context, child->index, process_id, exit_status,
                                     signal_number, pause_ms);
    }
}

/* Spawns the child with `fd` as its descriptor 3; standard error is the service's. */
static int spawn(struct child *child, int fd)
{
    struct gk_supervisor *supervisor = child->supervisor;
    uv_stdio_container_t stdio[PAGE_FD + 1] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data = {.fd = STDERR_FILENO}},
        {.flags = UV_INHERIT_FD, .data = {.fd = STDERR_FILENO}},
        {.flags = UV_INHERIT_FD, .data = {.fd = fd}},
        {.flags = UV_INHERIT_FD, .data = {.fd = supervisor->options.page_fd}},
    };
    const uv_process_options_t options = {
        .exit_cb = on_child_exit,
        .file = supervisor->program,
        .args = supervisor->arguments,
        .stdio_count = supervisor->options.page_fd > 0 ? PAGE_FD + 1 : CHILD_FD + 1,
        .stdio = stdio,
    };

    child->process.data = child;
    return uv_spawn(supervisor->loop, &child->process, &options);
}

static void fail(struct child *child, const char *what, const char *why)
{
    struct gk_supervisor *supervisor = child->supervisor;
    struct gk_error error;

    (void)gk_error_set(&error, GK_UNAVAILABLE, "%s %s: %s", what, supervisor->program, why);
    (void)plan_restart(child);
    supervisor->options.on_failed(supervisor->options.context, child->index, &error);
}

/* It hangs before it has begun, in a plugin's constructor say. */
static void on_start_overdue(uv_timer_t *timer)
{
    const struct child *child = timer->data;

    gk_supervisor_kill(child->supervisor, child->index);
}

static void start(struct child *child)
{
    struct gk_supervisor *supervisor = child->supervisor;
    int ends[2];

    if (supervisor->closing || child->retired) {
        return;
    }
    if (child->running) {
        /* The handle of the one before has not been closed yet. */
        (void)uv_timer_start(&child->restart, on_restart, 1, 0);
        return;
    }
    child->started_at_ms = uv_now(supervisor->loop);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        fail(child, "no socket pair for", strerror(errno));
        return;
    }
    const int failed = spawn(child, ends[1]);

    (void)close(ends[1]);
    child->running = true;
    if (failed != 0) {
        (void)close(ends[0]);
        uv_close((uv_handle_t *)&child->process, on_process_closed);
        fail(child, "cannot start", uv_strerror(failed));
        return;
    }
    if (supervisor->options.start_ms > 0) {
        (void)uv_timer_start(&child->restart, on_start_overdue, supervisor->options.start_ms, 0);
    }
    supervisor->options.on_started(supervisor->options.context, child->index, child->process.pid, ends[0]);
}

static char **copy_arguments(const char *program, const char *const *arguments)
{
    size_t count = 0;

    while (arguments[count] != NULL) {
        count++;
    }
    char **result = gk_allocate((count + 2) * sizeof *result);

    result[0] = strdup(program);
    for (size_t i = 0; i < count; i++) {
        result[i + 1] = strdup(arguments[i]);
    }
    return result;
}

struct gk_supervisor *gk_supervisor_open(uv_loop_t *loop, const struct gk_supervisor_options *options)
{
    struct gk_supervisor *supervisor = gk_allocate(sizeof *supervisor);

    supervisor->loop = loop;
    supervisor->options = *options;
    supervisor->program = strdup(options->program);
    supervisor->arguments = copy_arguments(options->program, options->arguments);
    supervisor->children = gk_allocate((options->count + 1) * sizeof *supervisor->children);
    (void)uv_timer_init(loop, &supervisor->grace);
    supervisor->grace.data = supervisor;
    for (unsigned i = 0; i < options->count; i++) {
        struct child *child = &supervisor->children[i];

        child->supervisor = supervisor;
        child->index = i;
        (void)uv_timer_init(loop, &child->restart);
        child->restart.data = child;
        start(child);
    }
    return supervisor;
}

void gk_supervisor_ready(struct gk_supervisor *supervisor, unsigned index)
{
    assert(index < supervisor->options.count);
    if (supervisor->children[index].running) {
        (void)uv_timer_stop(&supervisor->children[index].restart);
    }
}

void gk_supervisor_kill(struct gk_supervisor *supervisor, unsigned index)
{
    assert(index < supervisor->options.count);
    struct child *child = &supervisor->children[index];

    if (child->running && !uv_is_closing((uv_handle_t *)&child->process)) {
        (void)uv_process_kill(&child->process, SIGKILL);
    }
}

void gk_supervisor_retire(struct gk_supervisor *supervisor, unsigned index)
{
    assert(index < supervisor->options.count);
    supervisor->children[index].retired = true;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct gk_supervisor *supervisor = handle->data;

    if (--supervisor->open_handles > 0) {
        return;
    }
    void (*on_closed)(void *context) = supervisor->on_closed;
    void *context = supervisor->on_closed_context;

    for (char **argument = supervisor->arguments; *argument != NULL; argument++) {
        free(*argument);
    }
    free(supervisor->arguments);
    free(supervisor->program);
    free(supervisor->children);
    free(supervisor);
    on_closed(context);
}

/* Once no child is left: closes the timers, whose last one frees everything. */
static void close_if_done(struct gk_supervisor *supervisor)
{
    for (unsigned i = 0; i < supervisor->options.count; i++) {
        if (supervisor->children[i].running) {
            return;
        }
    }
    supervisor->open_handles = supervisor->options.count + 1;
    for (unsigned i = 0; i < supervisor->options.count; i++) {
        supervisor->children[i].restart.data = supervisor;
        uv_close((uv_handle_t *)&supervisor->children[i].restart, on_handle_closed);
    }
    uv_close((uv_handle_t *)&supervisor->grace, on_handle_closed);
}

static void signal_all(struct gk_supervisor *supervisor, int signal_number)
{
    for (unsigned i = 0; i < supervisor->options.count; i++) {
        struct child *child = &supervisor->children[i];

        if (child->running && !uv_is_closing((uv_handle_t *)&child->process)) {
            (void)uv_process_kill(&child->process, signal_number);
        }
    }
}

static void on_grace_over(uv_timer_t *timer)
{
    signal_all(timer->data, SIGKILL);
}

void gk_supervisor_close(struct gk_supervisor *supervisor, uint32_t grace_ms,
                         void (*on_closed)(void *context), void *context)
{
    assert(!supervisor->closing);
    supervisor->closing = true;
    supervisor->on_closed = on_closed;
    supervisor->on_closed_context = context;
    for (unsigned i = 0; i < supervisor->options.count; i++) {
        (void)uv_timer_stop(&supervisor->children[i].restart);
    }
    (void)uv_timer_start(&supervisor->grace, on_grace_over, grace_ms, 0);
    signal_all(supervisor, SIGTERM);
    close_if_done(supervisor);
}

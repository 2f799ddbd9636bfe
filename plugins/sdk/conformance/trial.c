#include "plugins/sdk/conformance/trial.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static void write_text(char *text, size_t size, const char *format, va_list arguments)
{
    (void)vsnprintf(text, size, format, arguments);
}

void gk_trial_note(struct gk_trial *trial, bool fails, const char *format, ...)
{
    if (trial->finding_count == GK_TRIAL_FINDINGS_MOST) {
        trial->left_out++;
        trial->findings[GK_TRIAL_FINDINGS_MOST - 1].fails |= fails;
        return;
    }
    struct gk_trial_finding *finding = &trial->findings[trial->finding_count++];
    va_list arguments;
    va_start(arguments, format);
    write_text(finding->text, sizeof finding->text, format, arguments);
    va_end(arguments);
    finding->fails = fails;
}

void gk_trial_doing(struct gk_trial *trial, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_text(trial->doing, sizeof trial->doing, format, arguments);
    va_end(arguments);
}

void gk_trial_sum_up(struct gk_trial *trial, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_text(trial->summary, sizeof trial->summary, format, arguments);
    va_end(arguments);
}

bool gk_trial_failed(const struct gk_trial *trial)
{
    bool fails = trial->end != GK_TRIAL_DONE && trial->end != GK_TRIAL_NOT_RUN;
    for (size_t i = 0; i < trial->finding_count; i++) {
        fails = fails || trial->findings[i].fails;
    }
    return fails;
}

_Noreturn static void be_child(void (*step)(void *context, struct gk_trial *trial), void *context,
                               struct gk_trial *trial)
{
    const struct rlimit none = {0, 0};
    const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)setpgid(0, 0); /* so that what the plugin starts ends with it */
    (void)setrlimit(RLIMIT_CORE, &none);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        (void)dup2(nowhere, fd);
    }
    step(context, trial);
    trial->done = true;
    _exit(0);
}

/* Waits for the child's end, or makes it; true where it ended by itself. */
static bool await(pid_t child, unsigned limit_ms, int *ret_status)
{
    struct pollfd ended = {.fd = pidfd_open(child, 0), .events = POLLIN};
    int ready;
    do {
        ready = ended.fd < 0 ? 0 : poll(&ended, 1, (int)limit_ms);
    } while (ready < 0 && errno == EINTR);
    if (ready <= 0) {
        (void)kill(child, SIGKILL);
    }
    (void)kill(-child, SIGKILL);
    while (waitpid(child, ret_status, 0) < 0 && errno == EINTR) {
    }
    if (ended.fd >= 0) {
        close(ended.fd);
    }
    return ready > 0;
}

/* What the child left is not to be trusted. */
static void make_sound(struct gk_trial *trial)
{
    if (trial->finding_count > GK_TRIAL_FINDINGS_MOST) {
        trial->finding_count = GK_TRIAL_FINDINGS_MOST;
    }
    for (size_t i = 0; i < GK_TRIAL_FINDINGS_MOST; i++) {
        trial->findings[i].text[GK_TRIAL_TEXT_SIZE - 1] = '\0';
    }
    trial->summary[sizeof trial->summary - 1] = '\0';
    trial->doing[sizeof trial->doing - 1] = '\0';
    trial->about.id[sizeof trial->about.id - 1] = '\0';
    trial->about.version[sizeof trial->about.version - 1] = '\0';
    trial->about.scheme[sizeof trial->about.scheme - 1] = '\0';
    trial->about.layouts = trial->about.layouts > 16 ? 16 : trial->about.layouts; /* guika/issuer.h */
}

void gk_trial_run(void (*step)(void *context, struct gk_trial *trial), void *context, unsigned limit_ms,
                  struct gk_trial *ret_trial)
{
    assert(step != NULL && ret_trial != NULL);
    int status = 0;
    struct gk_trial *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    *ret_trial = (struct gk_trial){.end = GK_TRIAL_LEFT};
    if (shared == MAP_FAILED) {
        return;
    }
    (void)fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        be_child(step, context, shared);
    }
    const bool by_itself = child > 0 && await(child, limit_ms, &status);
    *ret_trial = *shared;
    (void)munmap(shared, sizeof *shared);
    make_sound(ret_trial);
    ret_trial->end = GK_TRIAL_LEFT;
    if (child > 0 && !by_itself) {
        ret_trial->end = GK_TRIAL_HUNG;
    } else if (child > 0 && WIFSIGNALED(status)) {
        ret_trial->end = GK_TRIAL_CRASHED;
        ret_trial->signal_number = WTERMSIG(status);
    } else if (ret_trial->done) {
        ret_trial->end = GK_TRIAL_DONE;
    }
}

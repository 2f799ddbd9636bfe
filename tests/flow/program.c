#include "tests/flow/program.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { RUN_LIMIT_MS = 300000 };

void gk_test_sleep_ms(unsigned ms)
{
    const struct timespec pause = {ms / 1000, (long)(ms % 1000) * 1000000};

    (void)nanosleep(&pause, NULL);
}

long long gk_test_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static pid_t start(const char *output, const char *errors, const char *const *arguments)
{
    const pid_t id = fork();

    assert_true(id >= 0);
    if (id == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)dup2(open("/dev/null", O_RDONLY), STDIN_FILENO);
        (void)dup2(open(output, O_WRONLY | O_CREAT | O_APPEND, 0600), STDOUT_FILENO);
        (void)dup2(open(errors, O_WRONLY | O_CREAT | O_APPEND, 0600), STDERR_FILENO);
        (void)execv(arguments[0], (char *const *)(uintptr_t)arguments);
        _exit(127);
    }
    return id;
}

pid_t gk_test_spawn(const char *log, const char *const *arguments)
{
    return start(log, log, arguments);
}

int gk_test_wait(pid_t id, unsigned wait_ms)
{
    const long long ends_ms = gk_test_now_ms() + wait_ms;
    int status = 0;

    do {
        if (waitpid(id, &status, WNOHANG) == id) {
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        gk_test_sleep_ms(5);
    } while (gk_test_now_ms() < ends_ms);
    return -1;
}

struct gk_test_run gk_test_run(const char *const *arguments)
{
    char output[] = "/tmp/guika-output-XXXXXX";
    char errors[] = "/tmp/guika-errors-XXXXXX";
    struct gk_test_run run;

    (void)close(mkstemp(output));
    (void)close(mkstemp(errors));
    run.exit_status = gk_test_wait(start(output, errors, arguments), RUN_LIMIT_MS);
    run.output = gk_test_read_file(output, NULL);
    run.errors = gk_test_read_file(errors, NULL);
    (void)unlink(output);
    (void)unlink(errors);
    assert_non_null(run.output);
    assert_non_null(run.errors);
    assert_true(run.exit_status >= 0);
    return run;
}

void gk_test_run_clear(struct gk_test_run *run)
{
    free(run->output);
    free(run->errors);
    *run = (struct gk_test_run){0};
}

char *gk_test_read_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rb");
    char *data = NULL;
    char block[65536];
    size_t size;
    size_t got;

    if (file == NULL) {
        return NULL;
    }
    FILE *stream = open_memstream(&data, &size);

    while ((got = fread(block, 1, sizeof block, file)) > 0) {
        (void)fwrite(block, 1, got, stream);
    }
    (void)fclose(stream);
    (void)fclose(file);
    if (ret_size != NULL) {
        *ret_size = size;
    }
    return data;
}

size_t gk_test_occurrences(const char *file, const char *words)
{
    char *text = gk_test_read_file(file, NULL);
    size_t count = 0;

    for (const char *at = text; at != NULL && (at = strstr(at, words)) != NULL; at += strlen(words)) {
        count++;
    }
    free(text);
    return count;
}

void gk_test_write_file(const char *path, const void *bytes, size_t size)
{
    char beside[PATH_MAX];
    const char *name = strrchr(path, '/') + 1;

    (void)snprintf(beside, sizeof beside, "%.*s.%s", (int)(name - path), path, name);
    FILE *file = fopen(beside, "wb");

    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(rename(beside, path), 0);
}

unsigned gk_test_free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    (void)close(fd);
    return ntohs(address.sin_port);
}

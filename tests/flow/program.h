/*
 * Processes of ours, started and watched by a flow test. Each ends with the test's, however that ends. A
 * failure of anything here fails the test that asked for it.
 */
#ifndef GUIKA_TESTS_FLOW_PROGRAM_H
#define GUIKA_TESTS_FLOW_PROGRAM_H

#include <stddef.h>
#include <sys/types.h>

#define GK_TEST_PROGRAM(name) GUIKA_BINARY_DIR "/bin/" name

/* Starts arguments[0] (the list ends with NULL); what it says is added to the file `log`. */
pid_t gk_test_spawn(const char *log, const char *const *arguments);

/* The exit status; 128 and the signal where one ended it; -1 where it runs on after `wait_ms`. */
int gk_test_wait(pid_t id, unsigned wait_ms);

/* What a program said and how it ended. */
struct gk_test_run {
    int exit_status;
    char *output; /* of standard output; terminated, like errors */
    char *errors;
};

/* Runs a program to its end, which has to come within five minutes; gk_test_run_clear frees. */
struct gk_test_run gk_test_run(const char *const *arguments);
void gk_test_run_clear(struct gk_test_run *run);

/* The bytes of a file, with a terminator behind them; NULL where there is none. free() it. */
char *gk_test_read_file(const char *path, size_t *ret_size);
/* How often `words` stand in a file. */
size_t gk_test_occurrences(const char *file, const char *words);
/* Writes it beside and renames it into place. */
void gk_test_write_file(const char *path, const void *bytes, size_t size);

/* A port of loopback that nobody listens on. */
unsigned gk_test_free_port(void);

void gk_test_sleep_ms(unsigned ms);
/* Milliseconds of a clock that never goes back. */
long long gk_test_now_ms(void);

#endif

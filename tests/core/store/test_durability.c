/*
 * What a crash, a full disk and a damaged log do. The crashing and the failing process are this program
 * itself, started anew with a mode and the store's path (a fork would lack RocksDB's threads).
 */
#include "tests/core/security/scratch.h"
#include "tests/core/store/store_fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

/* --- the process that is killed --- */

static enum gk_status apply_numbered(void *context, struct gk_transaction *transaction,
                                     struct gk_error *error)
{
    char key[16];

    (void)error;
    (void)snprintf(key, sizeof key, "%u", *(const unsigned *)context);
    gk_transaction_put(transaction, GK_FAMILY_DEPOSITS, bytes_of(key), bytes_of("kept"));
    gk_transaction_audit(transaction, "test", "deposit", bytes_of(key), "");
    gk_transaction_count(transaction, "library-1", "deposits");
    return GK_OK;
}

/* Commits for ever; writes the number of each acknowledged record to standard output. */
static int commit_until_killed(struct gk_store *store)
{
    unsigned number = 0;

    for (;;) {
        if (gk_store_commit_and_wait(store, apply_numbered, &number, NULL) != GK_OK ||
            write(STDOUT_FILENO, &number, sizeof number) != (ssize_t)sizeof number) {
            return 1;
        }
        number++;
    }
}

/* --- the process whose disk fails --- */

#define FILE_LIMIT_BYTES (1 << 20)

static int commit_until_refused(struct gk_store *store)
{
    const struct rlimit limit = {.rlim_cur = FILE_LIMIT_BYTES, .rlim_max = RLIM_INFINITY};
    const struct rlimit none = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    struct gk_error error = {0};
    enum gk_status status = GK_OK;
    static char value[16384];

    memset(value, 'x', sizeof value - 1);
    if (signal(SIGXFSZ, SIG_IGN) == SIG_ERR || setrlimit(RLIMIT_FSIZE, &limit) != 0) {
        return 10;
    }
    for (unsigned i = 0; status == GK_OK && i < (size_t)2 * FILE_LIMIT_BYTES / sizeof value; i++) {
        char key[16];

        (void)snprintf(key, sizeof key, "%u", i);
        status = store_put(store, GK_FAMILY_DEPOSITS, key, value, &error);
    }
    if (status != GK_UNAVAILABLE || error.message[0] == '\0') {
        return 11;
    }
    if (!gk_store_failed(store)) {
        return 12;
    }
    /* Even where the disk works again. */
    if (setrlimit(RLIMIT_FSIZE, &none) != 0) {
        return 10;
    }
    if (store_put(store, GK_FAMILY_DEPOSITS, "after", "x", NULL) != GK_UNAVAILABLE) {
        return 13;
    }
    return 0;
}

static int64_t child_now(void *context)
{
    (void)context;
    return INT64_C(1700000000000);
}

static int run_child(const char *mode, const char *path)
{
    const struct gk_store_options options = {.path = path, .now_ms = child_now};
    struct gk_store *store = NULL;

    if (gk_store_open(&options, &store, NULL) != GK_OK) {
        return 9;
    }
    const int result =
        strcmp(mode, "--commit") == 0 ? commit_until_killed(store) : commit_until_refused(store);

    gk_store_close(store);
    return result;
}

/* Starts this program in `mode`; its standard output can be read from *ret_output. */
static pid_t start_child(const char *mode, char *path, int *ret_output)
{
    char program[] = "/proc/self/exe";
    char *arguments[] = {program, strdup(mode), path, NULL};
    posix_spawn_file_actions_t actions;
    int ends[2];
    pid_t child = 0;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO), 0);
    assert_int_equal(posix_spawn(&child, program, &actions, NULL, arguments, environ), 0);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)close(ends[1]);
    free(arguments[1]);
    *ret_output = ends[0];
    return child;
}

/* --- kill -9 --- */

/* Lets a child commit for a while past its first acknowledgement, kills it, and returns how many records it
 * had acknowledged. */
static unsigned acknowledged_before_kill(char *path, long milliseconds)
{
    const struct timespec pause = {.tv_nsec = milliseconds * 1000000};
    unsigned acknowledged = 0;
    unsigned number = 0;
    int output = -1;
    const pid_t child = start_child("--commit", path, &output);

    assert_int_equal(read(output, &number, sizeof number), sizeof number);
    acknowledged++;
    (void)nanosleep(&pause, NULL);
    assert_int_equal(kill(child, SIGKILL), 0);
    while (read(output, &number, sizeof number) == (ssize_t)sizeof number) {
        assert_int_equal(number, acknowledged);
        acknowledged++;
    }
    (void)close(output);
    assert_int_equal(waitpid(child, NULL, 0), child);
    return acknowledged;
}

static void take_count(void *context, const char *name, uint64_t value)
{
    assert_string_equal(name, "deposits");
    *(uint64_t *)context = value;
}

static void test_kill_9_loses_nothing_that_was_acknowledged(void **state)
{
    struct store_fixture *fixture = *state;

    gk_store_close(fixture->store);
    fixture->store = NULL;
    for (long round = 0; round < 5; round++) {
        scratch_remove(fixture->path);
        fixture->path = scratch_path(fixture->directory, "store");
        const unsigned acknowledged = acknowledged_before_kill(fixture->path, 10 + 37 * round);
        uint64_t entries = 0;
        uint64_t counted = 0;

        store_reopen(fixture);
        for (unsigned number = 0; number < acknowledged; number++) {
            char key[16];

            (void)snprintf(key, sizeof key, "%u", number);
            assert_stored(fixture->store, GK_FAMILY_DEPOSITS, key, "kept");
        }
        assert_int_equal(gk_store_verify_audit(fixture->store, &entries, NULL), GK_OK);
        /* One may have been stored without its acknowledgement having come through. */
        assert_in_range(entries, acknowledged, acknowledged + 1);
        assert_int_equal(gk_store_counters(fixture->store, "library-1", 0, take_count, &counted, NULL),
                         GK_OK);
        assert_int_equal(counted, entries);
        gk_store_close(fixture->store);
        fixture->store = NULL;
    }
}

/* --- a failing disk --- */

static void test_a_failed_write_is_told_and_ends_all_commits(void **state)
{
    struct store_fixture *fixture = *state;
    int result = -1;
    int output = -1;

    gk_store_close(fixture->store);
    fixture->store = NULL;
    const pid_t child = start_child("--fail", fixture->path, &output);

    assert_int_equal(waitpid(child, &result, 0), child);
    (void)close(output);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), 0);

    /* What had been acknowledged before is all there, and the store works again. */
    store_reopen(fixture);
    assert_stored(fixture->store, GK_FAMILY_DEPOSITS, "after", NULL);
    assert_int_equal(store_put(fixture->store, GK_FAMILY_DEPOSITS, "after", "y", NULL), GK_OK);
    assert_false(gk_store_failed(fixture->store));
}

/* --- a damaged log --- */

/* The largest log file of the store, to be freed. */
static char *find_log(const char *store_path)
{
    DIR *directory = opendir(store_path);
    char *largest = NULL;
    off_t size = -1;

    assert_non_null(directory);
    for (const struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        const char *ending = strrchr(entry->d_name, '.');
        struct stat found;

        if (ending != NULL && strcmp(ending, ".log") == 0) {
            char *path = scratch_path(store_path, entry->d_name);

            assert_int_equal(stat(path, &found), 0);
            if (found.st_size > size) {
                free(largest);
                largest = path;
                size = found.st_size;
            } else {
                free(path);
            }
        }
    }
    (void)closedir(directory);
    assert_non_null(largest);
    return largest;
}

static void fill(struct store_fixture *fixture)
{
    char key[16];

    for (int i = 0; i < 40; i++) {
        (void)snprintf(key, sizeof key, "%d", i);
        assert_int_equal(store_put(fixture->store, GK_FAMILY_DEPOSITS, key, "kept", NULL), GK_OK);
    }
    gk_store_close(fixture->store);
    fixture->store = NULL;
}

static void test_a_torn_tail_of_the_log_is_tolerated(void **state)
{
    struct store_fixture *fixture = *state;
    struct stat found;

    fill(fixture);
    char *log = find_log(fixture->path);

    assert_int_equal(stat(log, &found), 0);
    assert_int_equal(truncate(log, found.st_size - 3), 0);
    store_reopen(fixture);
    assert_stored(fixture->store, GK_FAMILY_DEPOSITS, "38", "kept");
    assert_stored(fixture->store, GK_FAMILY_DEPOSITS, "39", NULL);
    free(log);
}

static void test_damage_in_the_middle_of_the_log_is_refused(void **state)
{
    struct store_fixture *fixture = *state;
    struct gk_store *store = NULL;
    struct gk_error error = {0};
    struct stat found;

    fill(fixture);
    char *log = find_log(fixture->path);
    const int fd = open(log, O_WRONLY | O_CLOEXEC);

    assert_int_equal(stat(log, &found), 0);
    assert_int_equal(pwrite(fd, "\xff\xff\xff\xff", 4, found.st_size / 2), 4);
    (void)close(fd);
    assert_int_equal(store_try_open(fixture, &store, &error), GK_DATA_LOSS);
    assert_null(store);
    free(log);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_kill_9_loses_nothing_that_was_acknowledged),
        STORE_TEST(test_a_failed_write_is_told_and_ends_all_commits),
        STORE_TEST(test_a_torn_tail_of_the_log_is_tolerated),
        STORE_TEST(test_damage_in_the_middle_of_the_log_is_refused),
    };

    if (count == 3) {
        return run_child(arguments[1], arguments[2]);
    }
    return cmocka_run_group_tests_name("durability", tests, NULL, NULL);
}

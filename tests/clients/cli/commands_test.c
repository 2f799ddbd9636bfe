/* The commands of guika that talk to a service, against a real one; their output is read from a file. */
#include "clients/cli/commands.h"

#include "tests/clients/c/scratch.h"
#include "tests/clients/service.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#define PATH_SIZE (GK_SCRATCH_PATH_SIZE + 16)
#define MAX_ARGUMENTS 24
#define OUTPUT_SIZE 8192

struct fixture {
    struct gk_test_service *service;
    char path[GK_SCRATCH_PATH_SIZE];
    char token[PATH_SIZE];
    char output[OUTPUT_SIZE]; /* of the last command: standard output, then standard error */
    char error[OUTPUT_SIZE];
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    gk_scratch_make(fixture->path);
    (void)snprintf(fixture->token, PATH_SIZE, "%s/token", fixture->path);
    gk_scratch_write(fixture->path, "token", "operator-token\n", 15);
    assert_int_equal(setenv("HOME", fixture->path, 1), 0);
    fixture->service = gk_test_service_new();
    gk_test_service_start(fixture->service);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    gk_test_service_free(fixture->service);
    gk_scratch_remove(fixture->path);
    free(fixture);
    return 0;
}

/* Points descriptor `fd` at a file and returns what it was. */
static int redirect(struct fixture *fixture, int fd, const char *name, int flags)
{
    char path[PATH_SIZE];
    const int saved = dup(fd);

    (void)snprintf(path, sizeof path, "%s/%s", fixture->path, name);
    const int file = open(path, flags | O_CREAT, 0600);

    assert_true(saved >= 0 && file >= 0 && dup2(file, fd) == fd);
    (void)close(file);
    return saved;
}

static void restore(int fd, int saved)
{
    assert_int_equal(dup2(saved, fd), fd);
    (void)close(saved);
}

static void read_back(struct fixture *fixture, const char *name, char ret_text[OUTPUT_SIZE])
{
    size_t size = 0;
    uint8_t *text = gk_scratch_read(fixture->path, name, &size);

    (void)snprintf(ret_text, OUTPUT_SIZE, "%s", (char *)text);
    free(text);
}

/* Runs a command with these arguments, up to NULL; returns its exit status. */
static int run(struct fixture *fixture, int (*command)(int argc, char **argv), ...)
{
    char *arguments[MAX_ARGUMENTS] = {"command"};
    int count = 1;
    va_list more;

    va_start(more, command);
    for (char *argument; (argument = va_arg(more, char *)) != NULL && count < MAX_ARGUMENTS - 1;) {
        arguments[count++] = argument;
    }
    va_end(more);
    (void)fflush(stdout);
    const int out = redirect(fixture, 1, "out", O_WRONLY | O_TRUNC);
    const int err = redirect(fixture, 2, "err", O_WRONLY | O_TRUNC);
    const int exit_status = command(count, arguments);

    (void)fflush(stdout);
    restore(1, out);
    restore(2, err);
    read_back(fixture, "out", fixture->output);
    read_back(fixture, "err", fixture->error);
    return exit_status;
}

static char *url(const struct fixture *fixture)
{
    return (char *)(uintptr_t)gk_test_service_url(fixture->service);
}

static void test_status_says_whether_the_service_serves(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(run(fixture, gk_cli_status, "--server", url(fixture), NULL), 0);
    assert_memory_equal(fixture->output, "serving, version ", 17);
    assert_int_equal(run(fixture, gk_cli_status, "--server", url(fixture), "--json", NULL), 0);
    json_t *object = json_loads(fixture->output, 0, NULL);

    assert_true(json_is_true(json_object_get(object, "serving")));
    json_decref(object);
    gk_test_service_stop(fixture->service);
    assert_int_equal(run(fixture, gk_cli_status, "--server", url(fixture), NULL), 1);
    assert_non_null(strstr(fixture->error, "is the service running at "));
    assert_non_null(strstr(fixture->error, url(fixture)));
}

static void test_a_token_goes_to_standard_output_alone(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(run(fixture, gk_cli_box, "add", "lib-1", "--place-en", "Hall", "--server", url(fixture),
                         "--token-file", fixture->token, NULL),
                     0);
    assert_string_equal(fixture->output, "token-of-lib-1-Hall\n");
    assert_null(strstr(fixture->error, "token-of"));
    assert_int_equal(run(fixture, gk_cli_issuer, "add", "bank", "iso7812:622576", "unionpay", "--server",
                         url(fixture), "--token-file", fixture->token, NULL),
                     0);
    assert_string_equal(fixture->output, "token-of-bank-2\n");
}

static void test_a_wrong_token_is_explained(void **state)
{
    struct fixture *fixture = *state;

    gk_scratch_write(fixture->path, "token", "box-token\n", 10);
    assert_int_equal(
        run(fixture, gk_cli_stats, "--server", url(fixture), "--token-file", fixture->token, NULL), 1);
    assert_non_null(strstr(fixture->error, "use a token with the right role"));
    gk_scratch_write(fixture->path, "token", "nobody\n", 7);
    assert_int_equal(
        run(fixture, gk_cli_stats, "--server", url(fixture), "--token-file", fixture->token, NULL), 1);
    assert_non_null(strstr(fixture->error, "look at --token-file"));
}

static void test_found_cards_are_listed_page_by_page(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(run(fixture, gk_cli_found, "list", "--state", "difficult", "--server", url(fixture),
                         "--token-file", fixture->token, NULL),
                     0);
    assert_non_null(strstr(fixture->output, "DIFFICULT"));
    assert_non_null(strstr(fixture->output, "N01 "));
    assert_non_null(strstr(fixture->output, "N01!"));
    assert_int_equal(run(fixture, gk_cli_found, "list", "--json", "--server", url(fixture), "--token-file",
                         fixture->token, NULL),
                     0);
    json_t *object = json_loads(fixture->output, 0, NULL);
    const json_t *cards = json_object_get(object, "cards");

    assert_int_equal(json_array_size(cards), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(cards, 0), "state")), "NOTIFIED");
    assert_true(json_is_true(json_object_get(json_array_get(cards, 1), "misplaced")));
    json_decref(object);
}

static void test_figures_are_shown(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(run(fixture, gk_cli_stats, "--json", "--days", "3", "--server", url(fixture),
                         "--token-file", fixture->token, NULL),
                     0);
    json_t *object = json_loads(fixture->output, 0, NULL);

    assert_int_equal(json_integer_value(json_object_get(object, "deposits")), 15);
    json_decref(object);
    assert_int_equal(
        run(fixture, gk_cli_stats, "--server", url(fixture), "--token-file", fixture->token, NULL), 0);
    assert_string_equal(fixture->output, "WHAT        COUNT\ndeposits    12\nidentified  9\n");
}

static void test_an_enquiry_takes_its_number_from_standard_input_alone(void **state)
{
    struct fixture *fixture = *state;
    char entry[64] = "";

    gk_scratch_write(fixture->path, "in", "4111 1111 1111 1111\n", 20);
    const int saved = redirect(fixture, 0, "in", O_RDONLY);

    assert_int_equal(run(fixture, gk_cli_check, "--server", url(fixture), NULL), 0);
    restore(0, saved);
    assert_non_null(strstr(fixture->output, "Your enquiry is taken."));
    assert_true(gk_test_service_entry(fixture->service, 0, entry, sizeof entry));
    assert_string_equal(entry, "check 19");
    assert_int_equal(run(fixture, gk_cli_check, "4111111111111111", "--server", url(fixture), NULL), 2);
    assert_null(strstr(fixture->error, "4111"));
}

static void test_the_configuration_file_is_read_and_options_win(void **state)
{
    struct fixture *fixture = *state;
    char conf[PATH_SIZE];
    char text[512];

    (void)snprintf(conf, sizeof conf, "%s/guika.conf", fixture->path);
    const int size = snprintf(text, sizeof text, "# mine\nserver = \"%s\"\n", url(fixture));

    gk_scratch_write(fixture->path, "guika.conf", text, (size_t)size);
    assert_int_equal(run(fixture, gk_cli_status, "--config", conf, NULL), 0);
    assert_int_equal(run(fixture, gk_cli_status, "--server", "nonsense", "--config", conf, NULL), 2);
    assert_int_equal(run(fixture, gk_cli_status, "--config", "/nowhere", NULL), 2);
    assert_int_equal(run(fixture, gk_cli_status, NULL), 2);
    assert_non_null(strstr(fixture->error, "give --server URL"));
}

static void test_issuer_plugins_come_from_the_configuration_file_and_options_win(void **state)
{
    static const char text[] = "issuers = \"/nowhere/issuers\"\n";
    static int (*const commands[])(int argc, char **argv) = {gk_cli_read, gk_cli_corpus};
    struct fixture *fixture = *state;
    char conf[PATH_SIZE];

    (void)snprintf(conf, sizeof conf, "%s/guika.conf", fixture->path);
    gk_scratch_write(fixture->path, "guika.conf", text, sizeof text - 1);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        assert_int_equal(run(fixture, commands[i], "--config", conf, fixture->path, NULL), 1);
        assert_non_null(strstr(fixture->error, "/nowhere/issuers"));
        assert_int_equal(
            run(fixture, commands[i], "--issuers", "/other", "--config", conf, fixture->path, NULL), 1);
        assert_non_null(strstr(fixture->error, "/other"));
        assert_null(strstr(fixture->error, "/nowhere/issuers"));
        assert_int_equal(run(fixture, commands[i], "--config", "/nowhere", fixture->path, NULL), 2);
        assert_int_equal(run(fixture, commands[i], "--server", url(fixture), fixture->path, NULL), 2);
        assert_int_equal(run(fixture, commands[i], NULL), 2);
        assert_int_equal(run(fixture, commands[i], "--help", "--config", "/nowhere", NULL), 0);
        assert_memory_equal(fixture->output, "usage: ", 7);
    }
}

static void test_wrong_usage_ends_with_2(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(run(fixture, gk_cli_found, "list", "--state", "LOST", NULL), 2);
    assert_int_equal(run(fixture, gk_cli_found, "lists", NULL), 2);
    assert_int_equal(run(fixture, gk_cli_box, "add", NULL), 2);
    assert_int_equal(run(fixture, gk_cli_issuer, "add", "bank", NULL), 2);
    assert_int_equal(run(fixture, gk_cli_stats, "--days", "-1", NULL), 2);
    assert_int_equal(run(fixture, gk_cli_stats, "--speed", NULL), 2);
    assert_int_equal(run(fixture, gk_cli_stats, "--help", NULL), 0);
    assert_non_null(strstr(fixture->output, "usage: guika stats"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_status_says_whether_the_service_serves, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_token_goes_to_standard_output_alone, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_wrong_token_is_explained, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_found_cards_are_listed_page_by_page, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_figures_are_shown, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_enquiry_takes_its_number_from_standard_input_alone, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_the_configuration_file_is_read_and_options_win, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_issuer_plugins_come_from_the_configuration_file_and_options_win,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_usage_ends_with_2, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

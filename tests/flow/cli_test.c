/* What scripts rely on: exit statuses, one line of error that says what to do, and the JSON of `guika read`.
 */
#include "tests/flow/program.h"
#include "tests/flow/service.h"

#include <jansson.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ARGUMENTS_MAX 12
#define NOBODY "tcp://127.0.0.1:9" /* the discard port: nobody listens there */

struct world {
    char directory[64];
    char token_file[96];
    char card_file[96];
    char table_file[96];
    char text_file[96];
    char number[40];
};

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct gk_test_picture picture;

    (void)snprintf(world->directory, sizeof world->directory, "/tmp/guika-cli-XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    (void)snprintf(world->token_file, sizeof world->token_file, "%s/token", world->directory);
    (void)snprintf(world->card_file, sizeof world->card_file, "%s/card.jpg", world->directory);
    (void)snprintf(world->table_file, sizeof world->table_file, "%s/table.jpg", world->directory);
    (void)snprintf(world->text_file, sizeof world->text_file, "%s/text.jpg", world->directory);
    gk_test_write_file(world->token_file, "gk_operator_nobody\n", 19);
    gk_test_write_file(world->text_file, "no picture", 10);
    picture = gk_test_mint_card(100, world->number);
    gk_test_write_file(world->card_file, picture.data, picture.size);
    free(picture.data);
    picture = gk_test_mint_nothing(5);
    gk_test_write_file(world->table_file, picture.data, picture.size);
    free(picture.data);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    (void)unlink(world->token_file);
    (void)unlink(world->card_file);
    (void)unlink(world->table_file);
    (void)unlink(world->text_file);
    assert_int_equal(rmdir(world->directory), 0);
    free(world);
    return 0;
}

/* Runs "PROGRAM ARGUMENT ..." with words that are parted by single spaces. */
static struct gk_test_run run_line(const char *line)
{
    char words[512];
    char program[PATH_MAX];
    const char *arguments[ARGUMENTS_MAX + 1] = {program};
    size_t count = 1;
    char *rest = words;

    (void)snprintf(words, sizeof words, "%s", line);
    (void)snprintf(program, sizeof program, GK_TEST_PROGRAM("%s"), strsep(&rest, " "));
    while (rest != NULL) {
        assert_true(count < ARGUMENTS_MAX);
        arguments[count++] = strsep(&rest, " ");
    }
    return gk_test_run(arguments);
}

static size_t lines(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++) {
        count += *text == '\n';
    }
    return count;
}

static void assert_says(const char *line)
{
    struct gk_test_run run = run_line(line);

    if (run.exit_status != 0 || run.output[0] == '\0' || run.errors[0] != '\0') {
        fail_msg("%s: exit status %d, says \"%s\", complains \"%s\"", line, run.exit_status, run.output,
                 run.errors);
    }
    gk_test_run_clear(&run);
}

/* Nothing on standard output, and one line on standard error that has `word` in it. */
static void assert_complains(const char *line, int exit_status, const char *word)
{
    struct gk_test_run run = run_line(line);

    if (run.exit_status != exit_status || run.output[0] != '\0' || lines(run.errors) != 1 ||
        strstr(run.errors, word) == NULL) {
        fail_msg("%s: exit status %d, says \"%s\", complains \"%s\"", line, run.exit_status, run.output,
                 run.errors);
    }
    gk_test_run_clear(&run);
}

static const char *const programs[] = {"guikad", "guika", "guika-box", "guika-reader", "guika-courier"};

static void test_every_program_has_help_and_version(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        char line[64];
        char wanted[64];

        (void)snprintf(line, sizeof line, "%s --help", programs[i]);
        assert_says(line);
        (void)snprintf(line, sizeof line, "%s --version", programs[i]);
        (void)snprintf(wanted, sizeof wanted, "%s " GUIKA_VERSION "\n", programs[i]);
        struct gk_test_run run = run_line(line);

        assert_int_equal(run.exit_status, 0);
        assert_string_equal(run.output, wanted);
        gk_test_run_clear(&run);
    }
}

static void test_every_command_has_help(void **state)
{
    static const char *const commands[] = {"read",
                                           "corpus",
                                           "registry",
                                           "registry import",
                                           "registry revoke",
                                           "status",
                                           "box",
                                           "box add",
                                           "registry tokenise",
                                           "issuer",
                                           "issuer add",
                                           "found",
                                           "found list",
                                           "stats",
                                           "check",
                                           "audit"};

    (void)state;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        char line[64];

        (void)snprintf(line, sizeof line, "guika %s --help", commands[i]);
        assert_says(line);
        (void)snprintf(line, sizeof line, "guika %s --nonsense", commands[i]);
        assert_complains(line, 2,
                         commands[i][0] == 'r' && strcmp(commands[i], "registry") == 0 ? "import" : "--help");
    }
}

static void test_wrong_usage_is_one_line_and_exit_status_2(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof programs / sizeof programs[0]; i++) {
        char line[64];

        (void)snprintf(line, sizeof line, "%s --nonsense", programs[i]);
        assert_complains(line, 2, "--help");
    }
    assert_complains("guikad extra", 2, "--help");
    assert_complains("guikad --config", 2, "--help");
    assert_complains("guika", 2, "--help");
    assert_complains("guika nonsense", 2, "--help");
    assert_complains("guika read", 2, "--help");
    assert_complains("guika corpus", 2, "--help");
    assert_complains("guika registry", 2, "import");
    assert_complains("guika registry nonsense", 2, "import");
    assert_complains("guika registry import", 2, "FILE.csv");
    assert_complains("guika registry import list.csv", 2, "--server");
    assert_complains("guika status", 2, "--server");
    assert_complains("guika box add", 2, "--help");
    assert_complains("guika found", 2, "--help");
    assert_complains("guika-box", 2, "--server");
    assert_complains("guika-reader", 2, "guikad");
    assert_complains("guika-courier", 2, "guikad");
    assert_complains("guika found list --server " NOBODY " --token-file /nowhere", 2, "/nowhere");
    assert_complains("guika status --server nonsense", 2, "nonsense");
}

static void test_failure_is_one_line_that_says_what_to_do(void **state)
{
    const struct world *world = *state;
    static const char *const commands[] = {"found list", "box add library"};
    char line[400];

    assert_complains("guikad --config /nowhere/guikad.conf", 1, "--init");
    assert_complains("guika status --server " NOBODY, 1, "is the service running");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        (void)snprintf(line, sizeof line, "guika %s --server " NOBODY " --token-file %s", commands[i],
                       world->token_file);
        assert_complains(line, 1, "is the service running");
    }
    (void)snprintf(line, sizeof line,
                   "guika registry import --server " NOBODY " --token-file %s /nowhere.csv",
                   world->token_file);
    assert_complains(line, 1, "/nowhere.csv");
    (void)snprintf(line, sizeof line,
                   "guika-box --server " NOBODY " --token-file %s --camera /nowhere --spool %s/spool",
                   world->token_file, "/proc/self");
    assert_complains(line, 1, "spool");
    assert_complains("guika read /nowhere.jpg", 1, "/nowhere.jpg");
}

/* --- guika read --json
 * ---------------------------------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_string(value)) {
        fail_msg("\"%s\" is missing or no text", key);
    }
    return json_string_value(value);
}

static double number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    if (!json_is_number(value)) {
        fail_msg("\"%s\" is missing or no number", key);
    }
    return json_number_value(value);
}

/* One object for `file`, with every key of the contract. */
static json_t *parse_reading(const char *line, const char *file)
{
    json_t *object = json_loads(line, 0, NULL);

    assert_non_null(object);
    assert_string_equal(text_of(object, "file"), file);
    (void)text_of(object, "reason");
    (void)text_of(object, "issuer");
    (void)text_of(object, "scheme");
    (void)text_of(object, "number");
    assert_true(number_of(object, "probability") >= 0 && number_of(object, "probability") <= 1);
    assert_true(number_of(object, "ms") >= 0);
    const json_t *candidates = json_object_get(object, "candidates");

    assert_true(json_is_array(candidates));
    assert_true(json_array_size(candidates) <= 20);
    for (size_t i = 0; i < json_array_size(candidates); i++) {
        const json_t *candidate = json_array_get(candidates, i);

        (void)text_of(candidate, "issuer");
        (void)text_of(candidate, "scheme");
        (void)text_of(candidate, "number");
        assert_true(number_of(candidate, "probability") > 0);
    }
    return object;
}

static void test_reading_is_the_contracts_json_one_object_a_line(void **state)
{
    const struct world *world = *state;
    char line[400];

    (void)snprintf(line, sizeof line, "guika read --json %s %s %s", world->card_file, world->table_file,
                   world->text_file);
    struct gk_test_run run = run_line(line);

    assert_int_equal(run.exit_status, 0);
    assert_int_equal(lines(run.output), 3);
    char *rest = run.output;
    json_t *card = parse_reading(strsep(&rest, "\n"), world->card_file);
    json_t *table = parse_reading(strsep(&rest, "\n"), world->table_file);
    json_t *text = parse_reading(strsep(&rest, "\n"), world->text_file);

    assert_string_equal(text_of(card, "disposition"), "read");
    assert_string_equal(text_of(card, "number"), world->number);
    assert_string_equal(text_of(card, "scheme"), "iso7812");
    assert_true(number_of(card, "probability") >= 0.999);
    assert_string_equal(text_of(table, "disposition"), "difficult");
    assert_string_equal(text_of(table, "number"), "");
    assert_string_not_equal(text_of(table, "reason"), "");
    assert_string_equal(text_of(text, "disposition"), "difficult");
    json_decref(card);
    json_decref(table);
    json_decref(text);
    gk_test_run_clear(&run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_program_has_help_and_version),
        cmocka_unit_test(test_every_command_has_help),
        cmocka_unit_test(test_wrong_usage_is_one_line_and_exit_status_2),
        cmocka_unit_test(test_failure_is_one_line_that_says_what_to_do),
        cmocka_unit_test(test_reading_is_the_contracts_json_one_object_a_line),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

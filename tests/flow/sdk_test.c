/*
 * An issuer's afternoon, from an installed prefix and outside the source tree: a new plugin is written,
 * built, checked, seen, dropped into the folder of the running service, and a card of it goes through a box
 * to its holder.
 */
#include "tests/flow/plugin_folder.h"
#include "tests/flow/service.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { SECONDS_MOST = 120, WAIT_MS = 30000 };

struct world {
    char directory[64];
    char prefix[80];
    char programs[96];
    char number[40]; /* of the first card that the plugin's own mint draws */
    long long began_ms;
    struct gk_test_service service;
};

/* Runs a command of the shell in the test's folder, with the prefix's programs first; it has to succeed. The
 * output is the caller's to free. */
__attribute__((format(printf, 2, 3))) static char *shell(const struct world *world, const char *format, ...)
{
    char command[2048];
    int length =
        snprintf(command, sizeof command, "cd %s && PATH=%s:$PATH && ", world->directory, world->programs);
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(command + length, sizeof command - (size_t)length, format, arguments);
    va_end(arguments);
    const char *const words[] = {"/bin/sh", "-ec", command, NULL};
    struct gk_test_run run = gk_test_run(words);
    if (run.exit_status != 0) {
        fail_msg("%s\n%s%s", command, run.output, run.errors);
    }
    char *output = run.output;
    run.output = NULL;
    gk_test_run_clear(&run);
    return output;
}

static void expect_words(char *output, const char *words)
{
    if (strstr(output, words) == NULL) {
        fail_msg("\"%s\" is not in: %s", words, output);
    }
    free(output);
}

static int set_up(void **state)
{
    struct world *world = calloc(1, sizeof *world);

    world->began_ms = gk_test_now_ms();
    (void)snprintf(world->directory, sizeof world->directory, "/tmp/guika-sdk-XXXXXX");
    assert_non_null(mkdtemp(world->directory));
    (void)snprintf(world->prefix, sizeof world->prefix, "%s/prefix", world->directory);
    (void)snprintf(world->programs, sizeof world->programs, "%s/bin", world->prefix);
    free(shell(world, "cmake --install %s --prefix %s", GUIKA_BINARY_DIR, world->prefix));
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    if (world->service.process_id != 0) {
        assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
        gk_test_service_remove(&world->service);
    }
    free(shell(world, "rm -rf %s/prefix %s/north %s/alone %s/box", world->directory, world->directory,
               world->directory, world->directory));
    (void)rmdir(world->directory);
    free(world);
    return 0;
}

static void test_new_plugin_builds_and_passes_its_check_unchanged(void **state)
{
    struct world *world = *state;
    struct stat written;
    char path[128];

    free(shell(world, "guika plugin new north"));
    free(shell(world, "test $(wc -l < north/north.c) -le 40"));
    free(shell(world, "cmake -G Ninja -S north -B north/build && cmake --build north/build"));
    expect_words(shell(world, "cmake --build north/build --target check"), "north.so: passed");
    free(shell(world, "cmake --build north/build --target preview cards"));
    (void)snprintf(path, sizeof path, "%s/north/build/sheet/north.png", world->directory);
    assert_int_equal(stat(path, &written), 0);
    (void)snprintf(path, sizeof path, "%s/north/build/north.png", world->directory);
    assert_int_equal(stat(path, &written), 0);
    /* Over the card in a photograph, whose picture is for its owner alone. */
    free(shell(world, "guika plugin preview north/build/north.so --photo north/build/cards/north-front-1.jpg "
                      "-o over.png && "
                      "test $(stat -c %%a over.png) = 600 && rm over.png"));
    /* A project is not written over. */
    expect_words(shell(world, "guika plugin new north 2>&1 || true"), "cannot make the folder north");
}

/* By pkg-config and a compiler alone: the same source as C11, another plugin as C++17. */
static void test_plugins_build_by_pkg_config_in_both_languages(void **state)
{
    const struct world *world = *state;
    static const char warnings[] = "-Wall -Wextra -Wpedantic -Werror -fPIC -shared -fvisibility=hidden";

    free(shell(
        world,
        "mkdir alone && export PKG_CONFIG_PATH=%s/lib/pkgconfig && flags=$(pkg-config --cflags guika-sdk) && "
        "cc -std=c11 %s $flags north/north.c -o alone/north.so && "
        "c++ -std=c++17 %s $flags %s/tests/plugins/sdk/cxx_issuer.cc -o alone/south.so && "
        "test $(pkg-config --variable=issuersdir guika-sdk) -ef %s/lib/guika/issuers",
        world->prefix, warnings, warnings, GUIKA_SOURCE_DIR, world->prefix));
    expect_words(shell(world, "guika plugin check --json --cards 4 alone/north.so"), "\"id\":\"north\"");
    expect_words(shell(world, "guika plugin check --json --cards 4 alone/south.so"), "\"id\":\"south\"");
}

static void expect_status(const struct world *world, const char *arguments, int wanted, const char *words)
{
    char *output = shell(
        world, "guika plugin %s > out 2>&1 && status=0 || status=$?; test $status = %d && cat out; rm out",
        arguments, wanted);

    expect_words(output, words);
}

static void test_exit_statuses_tell_verdict_and_usage(void **state)
{
    const struct world *world = *state;

    expect_status(world, "check prefix/lib/guika/channels/maildir.so", 1, "exports no \"guika_issuer\"");
    expect_status(world, "check nowhere.so", 1, "nowhere.so: failed");
    expect_status(world, "preview nowhere.so -o x.png", 1, "guika plugin preview: nowhere.so");
    free(shell(world, "mkfifo pipe"));
    expect_status(world, "preview north/build/north.so -o pipe", 1, "cannot write pipe: File exists");
    free(shell(world, "test -p pipe"));
    expect_status(world, "mint nowhere.so -o x", 1, "guika plugin mint: nowhere.so");
    expect_status(world, "check", 2, "takes one file");
    expect_status(world, "check --cards 0 north/build/north.so", 2, "--cards");
    expect_status(world, "preview north/build/north.so", 2, "-o OUT.png");
    expect_status(world, "new North", 2, "NAME is a letter");
    expect_status(world, "new ../north", 2, "NAME is a letter");
    expect_status(world, "nonsense", 2, "is no command");
    expect_status(world, "check --help", 0, "usage: guika plugin check");
}

/* As an operator puts it there: written beside, then renamed. */
static void put_on_shelf(struct world *world)
{
    char *number;

    free(shell(world, "cp north/build/north.so prefix/lib/guika/issuers/.north.new && "
                      "mv prefix/lib/guika/issuers/.north.new prefix/lib/guika/issuers/north.so"));
    number = shell(world, "awk -F '\\t' 'NR == 2 { printf \"%%s\", $4 }' north/build/cards/manifest.tsv");
    (void)snprintf(world->number, sizeof world->number, "%s", number);
    free(number);
    assert_int_equal(strlen(world->number), 11);
}

static void register_holder(struct world *world)
{
    char issuer[GK_TEST_TOKEN_SIZE];
    struct gk_test_holder holder = {
        .scheme = "north", .holder_id = "h1", .language = "en", .contact = "smtp:h1@holders.example"};

    (void)snprintf(holder.number, sizeof holder.number, "%s", world->number);
    gk_test_add_issuer(&world->service, "north-campus", "north", issuer);
    gk_test_import(&world->service, issuer, "all", &holder, 1);
}

static void test_card_of_the_plugin_goes_home_through_a_box(void **state)
{
    struct world *world = *state;
    char token[GK_TEST_TOKEN_SIZE], path[128];
    size_t count = 0;

    gk_test_service_make_from(&world->service, world->programs, 1);
    gk_test_service_start(&world->service);
    put_on_shelf(world);
    (void)gk_test_plugins_wait(&world->service, "north.so", guika_v1_PluginState_PLUGIN_STATE_IN_USE);
    gk_test_plugins_settle(&world->service);
    register_holder(world);
    gk_test_add_box(&world->service, "library-1", token);
    free(shell(world, "mkdir -p box/camera"));
    (void)snprintf(path, sizeof path, "%s/box/token", world->directory);
    gk_test_write_file(path, token, strlen(token));
    free(shell(world,
               "cp north/build/cards/north-front-0.jpg box/camera/first.jpg && "
               "guika-box --server %s --token-file box/token --camera box/camera --spool box/spool --once",
               world->service.url));
    assert_true(gk_test_mail_wait(&world->service, 1, WAIT_MS));
    guika_v1_FoundCardRow *rows = gk_test_found(&world->service, &count);
    assert_int_equal(count, 1);
    assert_string_equal(rows[0].issuer, "north");
    assert_int_equal(rows[0].kind, guika_v1_CardKind_CARD_KIND_CAMPUS);
    assert_int_equal(rows[0].reason, guika_v1_Reason_REASON_UNSPECIFIED);
    assert_string_equal(rows[0].masked_number + strlen("•••• "), world->number + 7);
    free(rows);
    char *mail = gk_test_mail_text(&world->service);
    assert_non_null(strstr(mail, "h1@holders.example"));
    assert_non_null(strstr(mail, "north card"));
    assert_null(strstr(mail, world->number));
    free(mail);
}

static void test_all_of_it_takes_less_than_two_minutes(void **state)
{
    const struct world *world = *state;
    const char *allowed = getenv("GUIKA_SDK_SECONDS");
    const long long took_ms = gk_test_now_ms() - world->began_ms;

    print_message("from the installed prefix to the holder's notice: %lld s\n", took_ms / 1000);
    assert_true(took_ms < 1000LL * (allowed != NULL ? strtol(allowed, NULL, 10) : SECONDS_MOST));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_plugin_builds_and_passes_its_check_unchanged),
        cmocka_unit_test(test_plugins_build_by_pkg_config_in_both_languages),
        cmocka_unit_test(test_exit_statuses_tell_verdict_and_usage),
        cmocka_unit_test(test_card_of_the_plugin_goes_home_through_a_box),
        cmocka_unit_test(test_all_of_it_takes_less_than_two_minutes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* Where the operator trusts keys, only what they signed is used; by the commands that people have. */
#include "tests/flow/plugin_folder.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct paths {
    char key[96];
    char iso7812[128];
    char octopus[128];
    char token[128];
};

static void run_well(const char *const *arguments, char **ret_output)
{
    struct gk_test_run run = gk_test_run(arguments);

    if (run.exit_status != 0) {
        fail_msg("%s %s: %s", arguments[1], arguments[2], run.errors);
    }
    if (ret_output != NULL) {
        *ret_output = strdup(run.output);
    }
    gk_test_run_clear(&run);
}

static void sign(const char *file, const char *key)
{
    const char *arguments[] = {GK_TEST_PROGRAM("guika"), "plugin", "sign", file, "--key", key, NULL};

    run_well(arguments, NULL);
}

static char *list(const struct gk_test_service *service, const struct paths *paths, bool json)
{
    const char *arguments[] = {
        GK_TEST_PROGRAM("guika"), "plugin", "list", "--server", service->url, "--token-file", paths->token,
        json ? "--json" : NULL,   NULL};
    char *output;

    run_well(arguments, &output);
    return output;
}

/* A service that trusts one new key; its folder's plugins are unsigned. */
static void make(struct gk_test_service *service, struct paths *paths)
{
    char folder[] = "/tmp/guika-key-XXXXXX", more[256], *public;

    assert_non_null(mkdtemp(folder));
    (void)snprintf(paths->key, sizeof paths->key, "%s/maker.key", folder);
    const char *keygen[] = {GK_TEST_PROGRAM("guika"), "plugin", "keygen", "--key", paths->key, NULL};
    struct stat about;

    run_well(keygen, &public);
    assert_int_equal(stat(paths->key, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    public[strcspn(public, "\n")] = '\0';
    (void)snprintf(more, sizeof more, "trusted_keys = {\"%s\"}", public);
    free(public);
    gk_test_plugins_make(service, 1, more);
    (void)snprintf(paths->iso7812, sizeof paths->iso7812, "%s/issuers/iso7812.so", service->directory);
    (void)snprintf(paths->octopus, sizeof paths->octopus, "%s/issuers/octopus.so", service->directory);
    (void)snprintf(paths->token, sizeof paths->token, "%s/service/operator.token", service->directory);
}

static void clear(struct gk_test_service *service, struct paths *paths)
{
    assert_int_equal(gk_test_service_stop(service, SIGTERM), 0);
    gk_test_service_remove(service);
    (void)unlink(paths->key);
    *strrchr(paths->key, '/') = '\0';
    (void)rmdir(paths->key);
}

static void test_signed_plugins_alone_are_used(void **state)
{
    struct gk_test_service service;
    struct paths paths;
    char *text;

    (void)state;
    make(&service, &paths);
    sign(paths.iso7812, paths.key);
    gk_test_service_start(&service);
    (void)gk_test_plugins_wait(&service, "iso7812.so", guika_v1_PluginState_PLUGIN_STATE_IN_USE);
    (void)gk_test_plugins_wait(&service, "octopus.so", guika_v1_PluginState_PLUGIN_STATE_REFUSED);
    text = list(&service, &paths, false);
    assert_non_null(strstr(text, "octopus.so: it is not signed"));
    free(text);

    sign(paths.octopus, paths.key); /* the signature alone comes */
    (void)gk_test_plugins_wait(&service, "octopus.so", guika_v1_PluginState_PLUGIN_STATE_IN_USE);
    gk_test_plugins_put(&service, GK_TEST_SHELF "octopus.so", "octopus.so", 1); /* one byte more */
    const guika_v1_PluginRow row =
        gk_test_plugins_wait(&service, "octopus.so", guika_v1_PluginState_PLUGIN_STATE_OLD_IN_USE);

    assert_non_null(strstr(row.reason, "not of this file"));
    text = list(&service, &paths, true);
    assert_non_null(strstr(text, "\"state\":\"OLD_IN_USE\""));
    free(text);
    clear(&service, &paths);
}

static void test_wrong_usage_is_told_in_one_line(void **state)
{
    const char *no_key[] = {GK_TEST_PROGRAM("guika"), "plugin", "sign", "x.so", NULL};
    const char *no_file[] = {GK_TEST_PROGRAM("guika"), "plugin", "sign", "/nonexistent.so", "--key",
                             "/nonexistent",           NULL};
    const char *overwrites[] = {GK_TEST_PROGRAM("guika"), "plugin", "keygen", "--key", "/etc/passwd", NULL};
    const struct {
        const char *const *arguments;
        int exit_status;
    } cases[] = {{no_key, 2}, {no_file, 1}, {overwrites, 1}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct gk_test_run run = gk_test_run(cases[i].arguments);

        assert_int_equal(run.exit_status, cases[i].exit_status);
        assert_ptr_equal(strchr(run.errors, '\n'), run.errors + strlen(run.errors) - 1);
        gk_test_run_clear(&run);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signed_plugins_alone_are_used),
        cmocka_unit_test(test_wrong_usage_is_told_in_one_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

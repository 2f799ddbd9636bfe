#include "core/host/plugin_loader.h"
#include "core/recognition/descriptor.h"
#include "core/recognition/rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOADER_DIRECTORY GUIKA_BINARY_DIR "/tests/loader/"

static void expect_refused(const char *name, const char *word)
{
    char path[512];
    struct gk_plugin *plugin = NULL;
    struct gk_error error = {0};
    snprintf(path, sizeof path, "%s%s/%s.so", LOADER_DIRECTORY, name, name);
    assert_int_equal(gk_plugin_open(path, gk_descriptor_kind(), &plugin, &error), GK_INVALID_ARGUMENT);
    assert_null(plugin);
    if (strstr(error.message, word) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", error.message, word);
    }
}

static void test_good_plugin_is_opened(void **state)
{
    (void)state;
    struct gk_plugin *plugin = NULL;
    struct gk_error error = {0};
    assert_int_equal(gk_plugin_open(LOADER_DIRECTORY "good/good.so", gk_descriptor_kind(), &plugin, &error),
                     GK_OK);
    assert_string_equal(gk_plugin_head(plugin)->id, "good");
    gk_plugin_close(plugin);
}

static void test_misbehaving_plugins_are_refused_with_reasons(void **state)
{
    (void)state;
    expect_refused("major", "interface 2.1; this program has 1.1: update Guika");
    expect_refused("old_major", "interface 0.1; this program has 1.1: build the plugin anew");
    expect_refused("stale_size", "struct_size is less than its minor version has");
    expect_refused("minor", "interface 1.2; this program has 1.1: update Guika");
    expect_refused("missing", "exports no \"guika_issuer\"");
    expect_refused("short", "descriptor");
    expect_refused("bad_id", "id must be");
    expect_refused("bad_example", "example 0 breaks its own rules");
}

static void test_garbage_and_missing_files_are_refused(void **state)
{
    (void)state;
    struct gk_plugin *plugin = NULL;
    struct gk_error error = {0};
    assert_int_equal(gk_plugin_open("/nonexistent.so", gk_descriptor_kind(), &plugin, &error), GK_NOT_FOUND);
    assert_int_equal(gk_plugin_open("/dev/null", gk_descriptor_kind(), &plugin, &error), GK_INVALID_ARGUMENT);
    assert_int_equal(gk_plugin_open(GUIKA_SOURCE_DIR "/LICENSE", gk_descriptor_kind(), &plugin, &error),
                     GK_INVALID_ARGUMENT);
    assert_null(plugin);
}

static void copy_file(const char *from, const char *to)
{
    static char data[4 * 1024 * 1024];
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    assert_non_null(in);
    assert_non_null(out);
    size_t size = fread(data, 1, sizeof data, in);
    assert_int_equal(fwrite(data, 1, size, out), size);
    fclose(in);
    fclose(out);
}

struct refusals {
    int count;
    char last[256];
};

static void on_refused(void *context, const char *path, const struct gk_error *error)
{
    struct refusals *refusals = context;
    assert_non_null(path);
    refusals->count++;
    snprintf(refusals->last, sizeof refusals->last, "%s", error->message);
}

static void test_second_plugin_of_one_id_is_refused(void **state)
{
    (void)state;
    char directory[] = "/tmp/guika-loader-XXXXXX", first[64], second[64];
    assert_non_null(mkdtemp(directory));
    snprintf(first, sizeof first, "%s/a.so", directory);
    snprintf(second, sizeof second, "%s/b.so", directory);
    copy_file(LOADER_DIRECTORY "good/good.so", first);
    copy_file(LOADER_DIRECTORY "good/good.so", second);
    struct refusals refusals = {0};
    struct gk_plugin **plugins = NULL;
    size_t count = 0;
    assert_int_equal(
        gk_plugin_open_all(directory, gk_descriptor_kind(), on_refused, &refusals, &plugins, &count, NULL),
        GK_OK);
    assert_int_equal(count, 1);
    assert_int_equal(refusals.count, 1);
    assert_non_null(strstr(refusals.last, "b.so: another plugin with the id \"good\""));
    /* What is mapped is a copy: the file may change under it. */
    assert_int_equal(truncate(first, 0), 0);
    assert_string_equal(gk_plugin_head(plugins[0])->id, "good");
    gk_plugin_close(plugins[0]);
    free(plugins);
    unlink(first);
    unlink(second);
    rmdir(directory);
}

static void test_missing_directory_is_told(void **state)
{
    (void)state;
    struct gk_plugin **plugins = NULL;
    size_t count = 0;
    struct gk_error error = {0};
    assert_int_equal(
        gk_plugin_open_all("/nonexistent", gk_descriptor_kind(), NULL, NULL, &plugins, &count, &error),
        GK_NOT_FOUND);
    assert_null(plugins);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_plugin_is_opened),
        cmocka_unit_test(test_misbehaving_plugins_are_refused_with_reasons),
        cmocka_unit_test(test_garbage_and_missing_files_are_refused),
        cmocka_unit_test(test_second_plugin_of_one_id_is_refused),
        cmocka_unit_test(test_missing_directory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

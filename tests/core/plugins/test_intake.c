#include "core/plugins/intake.h"

#include "core/security/hex.h"
#include "tests/core/security/scratch.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char *scratch;
    char *folder;
    char *copies;
    struct gk_plugin_key key;
    char secret[GK_PLUGIN_KEY_TEXT_SIZE];
    struct gk_intake_options options;
    struct gk_plugin_found *found;
    size_t count;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    char public[GK_PLUGIN_KEY_TEXT_SIZE];

    fixture->scratch = scratch_make();
    fixture->folder = scratch_path(fixture->scratch, "folder");
    fixture->copies = scratch_path(fixture->scratch, "copies");
    assert_int_equal(mkdir(fixture->folder, 0700), 0);
    assert_int_equal(gk_intake_begin(fixture->copies, NULL), GK_OK);
    gk_plugin_key_make(fixture->secret, public);
    assert_int_equal(gk_plugin_key_read(public, &fixture->key, NULL), GK_OK);
    fixture->options = (struct gk_intake_options){.folder = fixture->folder, .copies = fixture->copies};
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    free(fixture->found);
    free(fixture->folder);
    free(fixture->copies);
    scratch_remove(fixture->scratch);
    free(fixture);
    return 0;
}

static void write_file(const struct fixture *fixture, const char *name, const char *text)
{
    char *path = scratch_path(fixture->folder, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    free(path);
}

static void scan(struct fixture *fixture)
{
    struct gk_plugin_known known[8];
    size_t count = fixture->count;

    for (size_t i = 0; i < count; i++) {
        memcpy(known[i].file, fixture->found[i].file, sizeof known[i].file);
        known[i].stamp = fixture->found[i].stamp;
    }
    free(fixture->found);
    assert_int_equal(gk_intake_scan(&fixture->options, known, count, &fixture->found, &fixture->count, NULL),
                     GK_OK);
}

static void test_changed_files_are_copied_and_others_left_alone(void **state)
{
    struct fixture *fixture = *state;

    write_file(fixture, "b.so", "second");
    write_file(fixture, "a.so", "first");
    write_file(fixture, "notes.txt", "no plugin");
    write_file(fixture, ".hidden.so", "half written");
    scan(fixture);
    assert_int_equal(fixture->count, 2);
    assert_string_equal(fixture->found[0].file, "a.so");
    assert_string_equal(fixture->found[1].file, "b.so");
    assert_string_equal(fixture->found[0].refused, "");
    assert_int_equal(gk_intake_check_copy(fixture->copies, fixture->found[0].hash, NULL), GK_OK);
    scan(fixture);
    assert_true(fixture->found[0].unchanged && fixture->found[1].unchanged);
    write_file(fixture, "new", "first again");
    char *from = scratch_path(fixture->folder, "new"), *to = scratch_path(fixture->folder, "a.so");

    assert_int_equal(rename(from, to), 0);
    free(from);
    free(to);
    scan(fixture);
    assert_false(fixture->found[0].unchanged);
    assert_true(fixture->found[1].unchanged);
}

static void test_damaged_copy_is_found_out_and_made_anew(void **state)
{
    struct fixture *fixture = *state;
    char hex[2 * GK_PLUGIN_HASH_SIZE + 1], name[2 * GK_PLUGIN_HASH_SIZE + 4];
    uint8_t hash[GK_PLUGIN_HASH_SIZE];
    struct gk_error error = {0};

    write_file(fixture, "a.so", "first");
    scan(fixture);
    memcpy(hash, fixture->found[0].hash, sizeof hash);
    gk_hex_encode(hash, sizeof hash, hex);
    (void)snprintf(name, sizeof name, "%s.so", hex);
    char *path = scratch_path(fixture->copies, name);

    assert_int_equal(truncate(path, 2), 0);
    assert_int_equal(gk_intake_check_copy(fixture->copies, hash, &error), GK_DATA_LOSS);
    fixture->count = 0; /* as after a restart */
    scan(fixture);
    assert_int_equal(gk_intake_check_copy(fixture->copies, hash, &error), GK_OK);
    gk_intake_forget(fixture->copies, NULL, 0);
    assert_int_equal(gk_intake_check_copy(fixture->copies, hash, &error), GK_NOT_FOUND);
    free(path);
}

static void test_what_cannot_be_a_plugin_is_refused_with_its_reason(void **state)
{
    struct fixture *fixture = *state;
    char *path = scratch_path(fixture->folder, "folder.so");

    assert_int_equal(mkdir(path, 0700), 0);
    write_file(fixture, "a-name-that-is-far-too-long-for-any-plugin-because-ids-are-short.so", "x");
    write_file(fixture, "bad\nname\xff.so", "x");
    scan(fixture);
    assert_int_equal(fixture->count, 3);
    assert_non_null(strstr(fixture->found[0].refused, "file name has at most 61 characters"));
    assert_string_equal(fixture->found[1].file, "bad?name?.so");
    assert_non_null(strstr(fixture->found[1].refused, "[A-Za-z0-9._-]"));
    assert_non_null(strstr(fixture->found[2].refused, "not a regular file"));
    free(path);
}

static void sign(const struct fixture *fixture, const char *text)
{
    char signature[GK_PLUGIN_SIGNATURE_SIZE];

    assert_int_equal(gk_plugin_sign(fixture->secret, (struct gk_bytes){(const uint8_t *)text, strlen(text)},
                                    signature, NULL),
                     GK_OK);
    write_file(fixture, "a.so.sig", signature);
}

static void test_unsigned_file_is_refused_until_its_signature_comes(void **state)
{
    struct fixture *fixture = *state;

    fixture->options.keys = &fixture->key;
    fixture->options.key_count = 1;
    write_file(fixture, "a.so", "first");
    scan(fixture);
    assert_non_null(strstr(fixture->found[0].refused, "not signed"));
    sign(fixture, "another");
    scan(fixture);
    assert_non_null(strstr(fixture->found[0].refused, "not of this file"));
    sign(fixture, "first");
    scan(fixture);
    assert_string_equal(fixture->found[0].refused, "");
    assert_string_equal(fixture->found[0].signed_by, fixture->key.id);
}

static void test_missing_folder_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct gk_error error = {0};

    assert_int_equal(rmdir(fixture->folder), 0);
    assert_int_equal(gk_intake_scan(&fixture->options, NULL, 0, &fixture->found, &fixture->count, &error),
                     GK_NOT_FOUND);
    assert_non_null(strstr(error.message, fixture->folder));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_changed_files_are_copied_and_others_left_alone),
        TEST(test_damaged_copy_is_found_out_and_made_anew),
        TEST(test_what_cannot_be_a_plugin_is_refused_with_its_reason),
        TEST(test_unsigned_file_is_refused_until_its_signature_comes),
        TEST(test_missing_folder_is_told),
    };

    if (sodium_init() < 0) {
        return 1;
    }
    return cmocka_run_group_tests_name("core/plugins/intake", tests, NULL, NULL);
}

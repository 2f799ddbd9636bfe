#include "core/setup.h"

#include "core/clock.h"
#include "core/recovery.h"
#include "core/security/keys.h"
#include "tests/core/security/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char *folder;
    char *home; /* below it: what setup makes */
    char *path;
    struct gk_error error;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    (void)umask(077);
    fixture->folder = scratch_make();
    fixture->home = scratch_path(fixture->folder, "home");
    fixture->path = scratch_path(fixture->home, "guikad.conf");
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    scratch_remove(fixture->folder);
    free(fixture->home);
    free(fixture->path);
    free(fixture);
    return 0;
}

static void run(struct fixture *fixture)
{
    if (gk_setup_run(fixture->path, "/opt/guika/bin", &fixture->error) != GK_OK) {
        fail_msg("%s", fixture->error.message);
    }
}

static void read_file(const struct fixture *fixture, const char *name, char *ret_text, size_t size)
{
    char *path = scratch_path(fixture->home, name);
    FILE *file = fopen(path, "r");

    assert_non_null(file);
    ret_text[fread(ret_text, 1, size - 1, file)] = '\0';
    (void)fclose(file);
    free(path);
}

static void write_file(const struct fixture *fixture, const char *name, const char *text)
{
    char *path = scratch_path(fixture->home, name);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
    free(path);
}

static void assert_mode(const struct fixture *fixture, const char *name, mode_t mode)
{
    char *path = scratch_path(fixture->home, name);
    struct stat status;

    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, mode);
    free(path);
}

static bool exists(const struct fixture *fixture, const char *name)
{
    char *path = scratch_path(fixture->home, name);
    const bool there = access(path, F_OK) == 0;

    free(path);
    return there;
}

static void test_everything_is_made_with_narrow_modes(void **state)
{
    struct fixture *fixture = *state;

    run(fixture);
    assert_mode(fixture, ".", 0700);
    assert_mode(fixture, "guikad.conf", 0600);
    assert_mode(fixture, "operator.token", 0600);
    assert_mode(fixture, "keys", 0700);
    assert_mode(fixture, "keys/index.key", 0600);
    assert_mode(fixture, "keys/tls.key", 0600);
    assert_mode(fixture, "data", 0700);
    assert_true(exists(fixture, "tls.crt"));
}

static void test_configuration_is_the_example(void **state)
{
    struct fixture *fixture = *state;
    FILE *file = fopen(GUIKA_SOURCE_DIR "/core/guikad.conf.example", "r");
    char example[16384];
    char made[16384];

    run(fixture);
    example[fread(example, 1, sizeof example - 1, file)] = '\0';
    (void)fclose(file);
    read_file(fixture, "guikad.conf", made, sizeof made);
    assert_string_equal(made, example);
}

static void test_token_is_the_first_operators(void **state)
{
    struct fixture *fixture = *state;
    char *data = scratch_path(fixture->home, "data");
    char *keys_folder = scratch_path(fixture->home, "keys");
    char *pictures = scratch_path(fixture->home, "pictures");
    struct gk_picture_vault *vault;
    struct gk_principal principal;
    struct gk_store *store;
    struct gk_keys *keys;
    char token[128];

    run(fixture);
    read_file(fixture, "operator.token", token, sizeof token);
    token[strcspn(token, "\n")] = '\0';
    const struct gk_clock clock = gk_clock_system();
    const struct gk_store_options options = {
        .path = data, .now_ms = clock.now_ms, .now_context = clock.context};

    assert_int_equal(gk_keys_open(keys_folder, &keys, &fixture->error), GK_OK);
    assert_int_equal(gk_store_open(&options, &store, &fixture->error), GK_OK);
    assert_int_equal(gk_picture_vault_open(pictures, keys, &vault, &fixture->error), GK_OK);
    struct gk_credentials *credentials = gk_credentials_new(keys);

    assert_int_equal(gk_recover(store, vault, credentials, &fixture->error), GK_OK);
    assert_true(gk_credentials_authenticate(credentials, token, &principal));
    assert_int_equal(principal.role, GK_ROLE_OPERATOR);
    assert_string_equal(principal.id, "first");
    assert_false(gk_credentials_authenticate(credentials, "gk_operator_x", &principal));
    gk_credentials_free(credentials);
    gk_picture_vault_close(vault);
    gk_store_close(store);
    gk_keys_close(keys);
    free(pictures);
    free(keys_folder);
    free(data);
}

static void test_second_run_is_refused_and_changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    char before[128];
    char after[128];

    run(fixture);
    read_file(fixture, "operator.token", before, sizeof before);
    assert_int_equal(gk_setup_run(fixture->path, "/opt/guika/bin", &fixture->error), GK_ALREADY_EXISTS);
    assert_non_null(strstr(fixture->error.message, "guikad.conf is there already"));
    read_file(fixture, "operator.token", after, sizeof after);
    assert_string_equal(before, after);
}

static void refuses_with(struct fixture *fixture, const char *name)
{
    char text[64];

    assert_int_equal(mkdir(fixture->home, 0700), 0);
    write_file(fixture, name, "mine");
    assert_int_equal(gk_setup_run(fixture->path, "/opt/guika/bin", &fixture->error), GK_ALREADY_EXISTS);
    assert_non_null(strstr(fixture->error.message, name));
    read_file(fixture, name, text, sizeof text);
    assert_string_equal(text, "mine");
    /* Nothing was made, so that it can be tried again. */
    assert_false(exists(fixture, "guikad.conf"));
    assert_false(exists(fixture, "keys"));
    assert_false(exists(fixture, "data"));
}

static void test_token_in_the_way_is_kept(void **state)
{
    refuses_with(*state, "operator.token");
}

static void test_certificate_in_the_way_is_kept(void **state)
{
    refuses_with(*state, "tls.crt");
}

static void test_keys_in_the_way_are_kept(void **state)
{
    struct fixture *fixture = *state;
    char text[64];

    assert_int_equal(mkdir(fixture->home, 0700), 0);
    char *keys = scratch_path(fixture->home, "keys");

    assert_int_equal(mkdir(keys, 0700), 0);
    free(keys);
    write_file(fixture, "keys/index.key", "mine");
    assert_int_equal(gk_setup_run(fixture->path, "/opt/guika/bin", &fixture->error), GK_ALREADY_EXISTS);
    read_file(fixture, "keys/index.key", text, sizeof text);
    assert_string_equal(text, "mine");
    assert_false(exists(fixture, "guikad.conf"));
}

static void test_folder_that_cannot_be_made_is_named(void **state)
{
    struct fixture *fixture = *state;
    char *path = scratch_path(fixture->folder, "no/such/guikad.conf");

    assert_int_equal(gk_setup_run(path, "/opt/guika/bin", &fixture->error), GK_UNAVAILABLE);
    assert_non_null(strstr(fixture->error.message, "no/such"));
    free(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_everything_is_made_with_narrow_modes),
        TEST(test_configuration_is_the_example),
        TEST(test_token_is_the_first_operators),
        TEST(test_second_run_is_refused_and_changes_nothing),
        TEST(test_token_in_the_way_is_kept),
        TEST(test_certificate_in_the_way_is_kept),
        TEST(test_keys_in_the_way_are_kept),
        TEST(test_folder_that_cannot_be_made_is_named),
    };

    return cmocka_run_group_tests_name("core/setup", tests, NULL, NULL);
}

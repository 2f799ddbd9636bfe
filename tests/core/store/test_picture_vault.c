#include "core/store/picture_vault.h"

#include "tests/core/security/scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define CASE_A_HEX "a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0"
#define CASE_B_HEX "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0"

struct fixture {
    char *directory;
    char *pictures;
    struct gk_keys *keys;
    struct gk_picture_vault *vault;
    uint8_t case_a[16];
    uint8_t case_b[16];
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    fixture->directory = scratch_make();
    fixture->pictures = scratch_path(fixture->directory, "pictures");
    memset(fixture->case_a, 0xa0, 16);
    memset(fixture->case_b, 0xb0, 16);
    *state = fixture;

    char *keys = scratch_path(fixture->directory, "keys");
    const bool ready =
        gk_keys_generate(keys, NULL) == GK_OK && gk_keys_open(keys, &fixture->keys, NULL) == GK_OK &&
        gk_picture_vault_open(fixture->pictures, fixture->keys, &fixture->vault, NULL) == GK_OK;

    free(keys);
    return ready ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    gk_picture_vault_close(fixture->vault);
    gk_keys_close(fixture->keys);
    free(fixture->pictures);
    scratch_remove(fixture->directory);
    free(fixture);
    return 0;
}

static const uint8_t picture[] = "\xff\xd8\xff\xe0 JFIF a picture of a card";

static void put(struct fixture *fixture, const uint8_t case_id[16], unsigned index)
{
    const struct gk_bytes bytes = {.data = picture, .size = sizeof picture};

    assert_int_equal(gk_picture_vault_put(fixture->vault, case_id, index, bytes, NULL), GK_OK);
}

static enum gk_status get_status(struct fixture *fixture, const uint8_t case_id[16], unsigned index)
{
    struct gk_value value = {0};
    const enum gk_status status = gk_picture_vault_get(fixture->vault, case_id, index, &value, NULL);

    assert_true((status == GK_OK) == (value.data != NULL));
    gk_value_free(&value);
    return status;
}

/* --- */

static void test_a_picture_is_read_back_by_another_vault_with_the_same_keys(void **state)
{
    struct fixture *fixture = *state;
    struct gk_value value = {0};

    put(fixture, fixture->case_a, 15);
    gk_picture_vault_close(fixture->vault);
    fixture->vault = NULL;
    assert_int_equal(gk_picture_vault_open(fixture->pictures, fixture->keys, &fixture->vault, NULL), GK_OK);
    assert_int_equal(gk_picture_vault_get(fixture->vault, fixture->case_a, 15, &value, NULL), GK_OK);
    assert_int_equal(value.size, sizeof picture);
    assert_memory_equal(value.data, picture, sizeof picture);
    gk_value_free(&value);
    assert_int_equal(get_status(fixture, fixture->case_a, 0), GK_NOT_FOUND);
}

static void test_a_second_picture_replaces_the_first_whole(void **state)
{
    struct fixture *fixture = *state;
    const struct gk_bytes shorter = {.data = (const uint8_t *)"short", .size = 5};
    struct gk_value value = {0};

    put(fixture, fixture->case_a, 0);
    assert_int_equal(gk_picture_vault_put(fixture->vault, fixture->case_a, 0, shorter, NULL), GK_OK);
    assert_int_equal(gk_picture_vault_get(fixture->vault, fixture->case_a, 0, &value, NULL), GK_OK);
    assert_int_equal(value.size, 5);
    gk_value_free(&value);
}

static void test_nothing_of_a_picture_rests_in_clear(void **state)
{
    struct fixture *fixture = *state;
    char *path = scratch_path(fixture->pictures, CASE_A_HEX ".0");
    uint8_t bytes[256];
    struct stat found;

    put(fixture, fixture->case_a, 0);
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
    assert_int_equal(found.st_size, sizeof picture + GK_SEAL_OVERHEAD);

    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t size = read(fd, bytes, sizeof bytes);

    (void)close(fd);
    assert_int_equal(size, found.st_size);
    assert_null(memmem(bytes, (size_t)size, "JFIF", 4));
    assert_null(memmem(bytes, (size_t)size, "\xff\xd8\xff", 3));
    free(path);
}

static void test_a_picture_of_another_case_or_index_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char *from = scratch_path(fixture->pictures, CASE_A_HEX ".0");
    char *other_case = scratch_path(fixture->pictures, CASE_B_HEX ".0");
    char *other_index = scratch_path(fixture->pictures, CASE_A_HEX ".1");

    put(fixture, fixture->case_a, 0);
    assert_int_equal(link(from, other_case), 0);
    assert_int_equal(link(from, other_index), 0);
    assert_int_equal(get_status(fixture, fixture->case_a, 0), GK_OK);
    assert_int_equal(get_status(fixture, fixture->case_b, 0), GK_DATA_LOSS);
    assert_int_equal(get_status(fixture, fixture->case_a, 1), GK_DATA_LOSS);
    free(from);
    free(other_case);
    free(other_index);
}

static void test_a_damaged_file_is_data_loss(void **state)
{
    struct fixture *fixture = *state;
    char *path = scratch_path(fixture->pictures, CASE_A_HEX ".0");

    put(fixture, fixture->case_a, 0);
    assert_int_equal(truncate(path, sizeof picture), 0);
    assert_int_equal(get_status(fixture, fixture->case_a, 0), GK_DATA_LOSS);
    assert_int_equal(truncate(path, 3), 0);
    assert_int_equal(get_status(fixture, fixture->case_a, 0), GK_DATA_LOSS);
    free(path);
}

static void test_erasing_takes_all_pictures_of_the_case_alone(void **state)
{
    struct fixture *fixture = *state;

    put(fixture, fixture->case_a, 0);
    put(fixture, fixture->case_a, 15);
    put(fixture, fixture->case_b, 0);
    assert_int_equal(gk_picture_vault_erase(fixture->vault, fixture->case_a, NULL), GK_OK);
    assert_int_equal(get_status(fixture, fixture->case_a, 0), GK_NOT_FOUND);
    assert_int_equal(get_status(fixture, fixture->case_a, 15), GK_NOT_FOUND);
    assert_int_equal(get_status(fixture, fixture->case_b, 0), GK_OK);
    assert_int_equal(gk_picture_vault_erase(fixture->vault, fixture->case_a, NULL), GK_OK);
}

struct sweep {
    struct fixture *fixture;
    unsigned seen;
};

static bool erase_case(void *context, const uint8_t case_id[16])
{
    struct sweep *sweep = context;

    sweep->seen++;
    return gk_picture_vault_erase(sweep->fixture->vault, case_id, NULL) == GK_OK;
}

static void test_every_case_is_visited_once_and_may_be_erased_meanwhile(void **state)
{
    struct fixture *fixture = *state;
    struct sweep sweep = {.fixture = fixture};

    put(fixture, fixture->case_a, 0);
    put(fixture, fixture->case_a, 1);
    put(fixture, fixture->case_b, 3);
    assert_int_equal(gk_picture_vault_each(fixture->vault, erase_case, &sweep, NULL), GK_OK);
    assert_int_equal(sweep.seen, 2);
    assert_int_equal(gk_picture_vault_each(fixture->vault, erase_case, &sweep, NULL), GK_OK);
    assert_int_equal(sweep.seen, 2);
}

static void test_opening_sweeps_what_a_crash_left_half_written(void **state)
{
    struct fixture *fixture = *state;
    char *half = scratch_path(fixture->pictures, ".new-0123456789abcdef");
    const int fd = open(half, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    struct sweep sweep = {.fixture = fixture};

    assert_true(fd >= 0);
    (void)close(fd);
    assert_int_equal(gk_picture_vault_each(fixture->vault, erase_case, &sweep, NULL), GK_OK);
    assert_int_equal(sweep.seen, 0);
    gk_picture_vault_close(fixture->vault);
    fixture->vault = NULL;
    assert_int_equal(gk_picture_vault_open(fixture->pictures, fixture->keys, &fixture->vault, NULL), GK_OK);
    assert_int_not_equal(access(half, F_OK), 0);
    free(half);
}

#define VAULT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        VAULT_TEST(test_a_picture_is_read_back_by_another_vault_with_the_same_keys),
        VAULT_TEST(test_a_second_picture_replaces_the_first_whole),
        VAULT_TEST(test_nothing_of_a_picture_rests_in_clear),
        VAULT_TEST(test_a_picture_of_another_case_or_index_is_refused),
        VAULT_TEST(test_a_damaged_file_is_data_loss),
        VAULT_TEST(test_erasing_takes_all_pictures_of_the_case_alone),
        VAULT_TEST(test_every_case_is_visited_once_and_may_be_erased_meanwhile),
        VAULT_TEST(test_opening_sweeps_what_a_crash_left_half_written),
    };

    return cmocka_run_group_tests_name("picture_vault", tests, NULL, NULL);
}

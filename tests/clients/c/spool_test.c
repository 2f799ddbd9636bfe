#include "clients/c/spool.h"

#include "tests/clients/c/scratch.h"

#include <fcntl.h>
#include <pb_decode.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LIMIT (1024 * 1024)
#define PICTURE_SIZE 20000

struct fixture {
    char path[GK_SCRATCH_PATH_SIZE];
    uint8_t public_key[crypto_box_PUBLICKEYBYTES];
    uint8_t secret_key[crypto_box_SECRETKEYBYTES];
    uint8_t picture[PICTURE_SIZE];
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    assert_true(sodium_init() >= 0);
    gk_scratch_make(fixture->path);
    (void)crypto_box_keypair(fixture->public_key, fixture->secret_key);
    randombytes_buf(fixture->picture, sizeof fixture->picture);
    memcpy(fixture->picture, "\xff\xd8\xff\xe0\x00\x10JFIF", 10);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    gk_scratch_remove(fixture->path);
    free(fixture);
    return 0;
}

static struct gk_spool *open_spool(const struct fixture *fixture, uint64_t limit)
{
    struct gk_spool *spool = NULL;

    assert_int_equal(gk_spool_open(fixture->path, limit, &spool, NULL), GK_OK);
    return spool;
}

static struct gk_spool *open_with_key(const struct fixture *fixture, uint64_t limit)
{
    struct gk_spool *spool = open_spool(fixture, limit);

    assert_int_equal(gk_spool_learn_key(spool, fixture->public_key, NULL), GK_OK);
    return spool;
}

static enum gk_status add_deposit(struct gk_spool *spool, const struct fixture *fixture,
                                  const char *deposit_id)
{
    guika_v1_SpoolEntry entry = {.which_entry = guika_v1_SpoolEntry_deposit_tag};

    (void)snprintf(entry.entry.deposit.deposit_id, sizeof entry.entry.deposit.deposit_id, "%s", deposit_id);
    entry.entry.deposit.frames_count = 1;
    entry.entry.deposit.frames[0].picture = (struct gk_bytes){fixture->picture, sizeof fixture->picture};
    entry.entry.deposit.frames[0].side = guika_v1_Side_SIDE_FRONT;
    return gk_spool_append(spool, &entry, NULL);
}

static enum gk_status add_confirm(struct gk_spool *spool, const char *deposit_id)
{
    guika_v1_SpoolEntry entry = {.which_entry = guika_v1_SpoolEntry_confirm_tag};

    (void)snprintf(entry.entry.confirm.deposit_id, sizeof entry.entry.confirm.deposit_id, "%s", deposit_id);
    entry.entry.confirm.outcome = guika_v1_ConfirmStoredRequest_Outcome_STORED;
    return gk_spool_append(spool, &entry, NULL);
}

static void assert_oldest(struct gk_spool *spool, const char *deposit_id, enum gk_spool_kind kind)
{
    struct gk_spool_item item;

    assert_int_equal(gk_spool_oldest(spool, &item, NULL), GK_OK);
    assert_string_equal(item.deposit_id, deposit_id);
    assert_int_equal(item.kind, kind);
    gk_spool_item_clear(&item);
}

static void test_entries_come_back_oldest_first_across_restarts(void **state)
{
    struct fixture *fixture = *state;
    struct gk_spool *spool = open_with_key(fixture, LIMIT);

    assert_int_equal(add_deposit(spool, fixture, "first"), GK_OK);
    assert_int_equal(add_confirm(spool, "first"), GK_OK);
    gk_spool_close(spool);
    spool = open_spool(fixture, LIMIT);
    assert_int_equal(add_deposit(spool, fixture, "second"), GK_OK);
    assert_int_equal(gk_spool_count(spool), 3);
    assert_true(gk_spool_holds(spool, "second"));
    assert_false(gk_spool_holds(spool, "third"));

    assert_oldest(spool, "first", GK_SPOOL_DEPOSIT);
    assert_int_equal(gk_spool_erase_oldest(spool, NULL), GK_OK);
    assert_oldest(spool, "first", GK_SPOOL_CONFIRM);
    assert_int_equal(gk_spool_erase_oldest(spool, NULL), GK_OK);
    assert_oldest(spool, "second", GK_SPOOL_DEPOSIT);
    assert_int_equal(gk_spool_erase_oldest(spool, NULL), GK_OK);
    struct gk_spool_item item;

    assert_int_equal(gk_spool_oldest(spool, &item, NULL), GK_NOT_FOUND);
    assert_int_equal(gk_spool_bytes(spool), 0);
    gk_spool_close(spool);
}

static void test_the_service_alone_can_read_an_entry(void **state)
{
    struct fixture *fixture = *state;
    struct gk_spool *spool = open_with_key(fixture, LIMIT);
    struct gk_spool_item item;

    assert_int_equal(add_deposit(spool, fixture, "secret"), GK_OK);
    assert_false(gk_scratch_contains(fixture->path, fixture->picture, 16));
    assert_false(gk_scratch_contains(fixture->path, fixture->picture + 9000, 16));
    assert_false(gk_scratch_contains(fixture->path, "\xff\xd8\xff\xe0", 4));

    assert_int_equal(gk_spool_oldest(spool, &item, NULL), GK_OK);
    const size_t size = item.sealed_size - crypto_box_SEALBYTES;
    uint8_t *plain = malloc(size);

    assert_int_equal(
        crypto_box_seal_open(plain, item.sealed, item.sealed_size, fixture->public_key, fixture->secret_key),
        0);
    guika_v1_SpoolEntry entry = {0};
    pb_istream_t stream = pb_istream_from_buffer(plain, size);

    assert_true(pb_decode(&stream, guika_v1_SpoolEntry_fields, &entry));
    assert_int_equal(entry.which_entry, guika_v1_SpoolEntry_deposit_tag);
    assert_string_equal(entry.entry.deposit.deposit_id, "secret");
    assert_int_equal(entry.entry.deposit.frames[0].picture.size, PICTURE_SIZE);
    assert_memory_equal(entry.entry.deposit.frames[0].picture.data, fixture->picture, PICTURE_SIZE);
    free(plain);
    gk_spool_item_clear(&item);
    gk_spool_close(spool);
}

static void test_without_the_services_key_nothing_is_taken(void **state)
{
    struct fixture *fixture = *state;
    struct gk_spool *spool = open_spool(fixture, LIMIT);
    const uint8_t no_key[GK_SPOOL_KEY_SIZE] = {0};

    assert_int_equal(add_deposit(spool, fixture, "early"), GK_UNAVAILABLE);
    assert_int_equal(gk_spool_learn_key(spool, no_key, NULL), GK_INVALID_ARGUMENT);
    assert_int_equal(gk_spool_count(spool), 0);
    gk_spool_close(spool);
}

static void test_a_full_spool_refuses_and_takes_again_when_erased(void **state)
{
    struct fixture *fixture = *state;
    struct gk_spool *spool = open_with_key(fixture, 3 * 20480 - 1); /* one entry takes 5 blocks of 4096 */

    assert_int_equal(add_deposit(spool, fixture, "one"), GK_OK);
    assert_int_equal(add_deposit(spool, fixture, "two"), GK_OK);
    assert_int_equal(add_deposit(spool, fixture, "three"), GK_RESOURCE_EXHAUSTED);
    assert_int_equal(gk_spool_count(spool), 2);
    assert_int_equal(gk_scratch_count(fixture->path, ".deposit"), 2);
    assert_int_equal(gk_spool_erase_oldest(spool, NULL), GK_OK);
    assert_int_equal(add_deposit(spool, fixture, "three"), GK_OK);
    assert_oldest(spool, "two", GK_SPOOL_DEPOSIT);
    gk_spool_close(spool);
}

static void test_what_was_set_aside_makes_room(void **state)
{
    struct fixture *fixture = *state;
    struct gk_spool *spool = open_with_key(fixture, 3 * 20480 - 1);

    assert_int_equal(add_deposit(spool, fixture, "one"), GK_OK);
    assert_int_equal(add_deposit(spool, fixture, "two"), GK_OK);
    assert_int_equal(gk_spool_refuse_oldest(spool, NULL), GK_OK);
    assert_int_equal(gk_scratch_count(fixture->path, ".refused"), 1);
    assert_oldest(spool, "two", GK_SPOOL_DEPOSIT);
    assert_int_equal(add_deposit(spool, fixture, "three"), GK_OK);
    assert_int_equal(gk_scratch_count(fixture->path, ".refused"), 0);
    gk_spool_close(spool);
}

static void test_what_a_crash_left_half_written_is_removed(void **state)
{
    struct fixture *fixture = *state;
    struct gk_spool *spool = open_with_key(fixture, LIMIT);

    assert_int_equal(add_deposit(spool, fixture, "whole"), GK_OK);
    gk_spool_close(spool);
    gk_scratch_write(fixture->path, "00000000000000000002.deposit.tmp", "GKSPOOL1half", 12);
    spool = open_spool(fixture, LIMIT);
    assert_int_equal(gk_scratch_count(fixture->path, ".tmp"), 0);
    assert_int_equal(gk_spool_count(spool), 1);
    assert_oldest(spool, "whole", GK_SPOOL_DEPOSIT);
    gk_spool_close(spool);
}

static void test_corrupt_entries_are_set_aside_and_block_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct gk_spool *spool = open_with_key(fixture, LIMIT);
    char name[32];
    size_t size = 0;

    for (int i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof name, "card-%d", i);
        assert_int_equal(add_deposit(spool, fixture, name), GK_OK);
    }
    gk_spool_close(spool);
    uint8_t *file = gk_scratch_read(fixture->path, "00000000000000000001.deposit", &size);

    file[size / 2] ^= 1;
    gk_scratch_write(fixture->path, "00000000000000000001.deposit", file, size);
    gk_scratch_write(fixture->path, "00000000000000000002.deposit", file, size - 100);
    gk_scratch_write(fixture->path, "00000000000000000003.deposit", "", 0);
    free(file);
    spool = open_spool(fixture, LIMIT);
    assert_oldest(spool, "card-3", GK_SPOOL_DEPOSIT);
    assert_int_equal(gk_spool_count(spool), 1);
    assert_int_equal(gk_scratch_count(fixture->path, ".refused"), 3);
    gk_spool_close(spool);
}

static void test_a_second_program_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct gk_spool *spool = open_spool(fixture, LIMIT);
    struct gk_spool *second = NULL;
    struct gk_error error;

    assert_int_equal(gk_spool_open(fixture->path, LIMIT, &second, &error), GK_FAILED_PRECONDITION);
    assert_null(second);
    assert_non_null(strstr(error.message, "in use"));
    gk_spool_close(spool);
    gk_spool_close(NULL);
}

static void test_an_unusable_directory_is_refused(void **state)
{
    (void)state;
    struct gk_spool *spool = NULL;

    assert_int_equal(gk_spool_open("/dev/null/spool", LIMIT, &spool, NULL), GK_INVALID_ARGUMENT);
    assert_null(spool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_entries_come_back_oldest_first_across_restarts, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_the_service_alone_can_read_an_entry, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_without_the_services_key_nothing_is_taken, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_full_spool_refuses_and_takes_again_when_erased, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_what_was_set_aside_makes_room, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_what_a_crash_left_half_written_is_removed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_corrupt_entries_are_set_aside_and_block_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_second_program_is_refused, set_up, tear_down),
        cmocka_unit_test(test_an_unusable_directory_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

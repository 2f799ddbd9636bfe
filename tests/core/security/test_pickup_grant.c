#include "core/security/grant_key.h"

#include "tests/core/security/scratch.h"

#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define BOX "library-1"

struct fixture {
    char *folder, *path;
    struct gk_keys *keys;
    uint8_t key[GK_GRANT_KEY_SIZE];
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    fixture->folder = scratch_make();
    fixture->path = scratch_path(fixture->folder, "keys");
    assert_int_equal(gk_keys_generate(fixture->path, NULL), GK_OK);
    assert_int_equal(gk_keys_open(fixture->path, &fixture->keys, NULL), GK_OK);
    gk_keys_grant_public(fixture->keys, fixture->key);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    gk_keys_close(fixture->keys);
    free(fixture->path);
    scratch_remove(fixture->folder);
    free(fixture);
    return 0;
}

static guika_v1_PickupGrant a_grant(void)
{
    guika_v1_PickupGrant grant = {.issue = 1, .code_digits = 8, .expires_at_ms = 1000};

    strcpy(grant.box_id, BOX);
    strcpy(grant.compartment, "N07");
    strcpy(grant.deposit_id, "d-1");
    grant.case_id[0] = 7;
    return grant;
}

static guika_v1_SignedGrant sign(const struct fixture *fixture, const guika_v1_PickupGrant *grant)
{
    guika_v1_SignedGrant made = {0};

    assert_int_equal(gk_keys_sign_grant(fixture->keys, grant, &made, NULL), GK_OK);
    return made;
}

static enum gk_status open_grant(const struct fixture *fixture, const guika_v1_SignedGrant *made)
{
    guika_v1_PickupGrant grant;

    return gk_grant_open(made, fixture->key, BOX, &grant, NULL);
}

static void test_grant_comes_back_as_it_was_signed(void **state)
{
    const struct fixture *fixture = *state;
    const guika_v1_PickupGrant grant = a_grant();
    const guika_v1_SignedGrant made = sign(fixture, &grant);
    const guika_v1_SignedGrant again = sign(fixture, &grant);
    guika_v1_PickupGrant opened;

    assert_int_equal(gk_grant_open(&made, fixture->key, BOX, &opened, NULL), GK_OK);
    assert_string_equal(opened.compartment, "N07");
    assert_int_equal(opened.case_id[0], 7);
    assert_memory_equal(made.signature, again.signature, sizeof made.signature);
}

static void test_any_changed_byte_and_another_services_key_are_refused(void **state)
{
    const struct fixture *fixture = *state;
    const guika_v1_PickupGrant grant = a_grant();
    const guika_v1_SignedGrant made = sign(fixture, &grant);
    uint8_t secret[GK_GRANT_SECRET_SIZE], public[GK_GRANT_KEY_SIZE];
    guika_v1_SignedGrant forged;

    for (size_t i = 0; i < made.grant.size; i++) {
        forged = made;
        forged.grant.bytes[i] ^= 1; /* the compartment's name among them */
        assert_int_equal(open_grant(fixture, &forged), GK_PERMISSION_DENIED);
    }
    for (size_t i = 0; i < sizeof made.signature; i++) {
        forged = made;
        forged.signature[i] ^= 1;
        assert_int_equal(open_grant(fixture, &forged), GK_PERMISSION_DENIED);
    }
    forged = made;
    forged.grant.size--;
    assert_int_equal(open_grant(fixture, &forged), GK_PERMISSION_DENIED);
    (void)crypto_sign_keypair(public, secret);
    assert_int_equal(gk_grant_sign(&grant, secret, &forged, NULL), GK_OK);
    assert_int_equal(open_grant(fixture, &forged), GK_PERMISSION_DENIED);
    forged = (guika_v1_SignedGrant){0};
    assert_int_equal(open_grant(fixture, &forged), GK_PERMISSION_DENIED);
}

static void test_another_boxs_grant_and_one_that_opens_nothing_are_refused(void **state)
{
    const struct fixture *fixture = *state;
    guika_v1_PickupGrant grants[5];

    for (size_t i = 0; i < 5; i++) {
        grants[i] = a_grant();
    }
    strcpy(grants[0].box_id, "library-2");
    strcpy(grants[1].compartment, "");
    strcpy(grants[2].compartment, "../N07");
    grants[3].issue = 0;
    grants[4].code_digits = 4;
    for (size_t i = 0; i < 5; i++) {
        const guika_v1_SignedGrant made = sign(fixture, &grants[i]);

        assert_int_equal(open_grant(fixture, &made), GK_INVALID_ARGUMENT);
    }
}

static void test_codes_are_read_as_the_service_reads_them(void **state)
{
    char text[GK_GRANT_CODE_SIZE];

    (void)state;
    assert_true(gk_grant_code("1234-5678", "", text));
    assert_string_equal(text, "12345678");
    assert_true(gk_grant_code("123 456", "78-90", text));
    assert_string_equal(text, "1234567890");
    assert_true(gk_grant_code("12345678", "9999", text));
    assert_string_equal(text, "12345678");
    assert_false(gk_grant_code("123456", "", text));
    assert_false(gk_grant_code("123456", "789", text));
    assert_false(gk_grant_code("123456", "78901", text));
    assert_false(gk_grant_code("1234567", "8901", text));
    assert_false(gk_grant_code("123456789", "", text));
    assert_false(gk_grant_code("12345a", "7890", text));
    assert_string_equal(text, "");
}

static void test_salt_follows_all_that_the_code_is_bound_to(void **state)
{
    const struct fixture *fixture = *state;
    const uint8_t case_id[16] = {1}, other_case[16] = {2};
    const struct gk_pickup_binding bindings[] = {{case_id, 1, BOX, "N01"},
                                                 {other_case, 1, BOX, "N01"},
                                                 {case_id, 2, BOX, "N01"},
                                                 {case_id, 1, "library-2", "N01"},
                                                 {case_id, 1, BOX, "N02"}};
    uint8_t first[GK_GRANT_SALT_SIZE], other[GK_GRANT_SALT_SIZE];

    gk_keys_grant_salt(fixture->keys, &bindings[0], "12345678", first);
    gk_keys_grant_salt(fixture->keys, &bindings[0], "12345678", other);
    assert_memory_equal(first, other, sizeof first);
    gk_keys_grant_salt(fixture->keys, &bindings[0], "12345679", other);
    assert_memory_not_equal(first, other, sizeof first);
    for (size_t i = 1; i < 5; i++) {
        gk_keys_grant_salt(fixture->keys, &bindings[i], "12345678", other);
        assert_memory_not_equal(first, other, sizeof first);
    }
}

static void test_waits_double_after_five_tries_up_to_a_day(void **state)
{
    (void)state;
    assert_int_equal(gk_pickup_wait_after(4), 0);
    assert_int_equal(gk_pickup_wait_after(5), 60000);
    assert_int_equal(gk_pickup_wait_after(6), 120000);
    assert_int_equal(gk_pickup_wait_after(UINT32_MAX), 24 * 3600 * 1000);
}

static void test_checking_a_code_takes_well_under_a_second(void **state)
{
    const uint8_t salt[GK_GRANT_SALT_SIZE] = {1};
    uint8_t verifier[GK_GRANT_VERIFIER_SIZE];
    struct timespec before, after;

    (void)state;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(gk_grant_verifier("12345678", salt, verifier, NULL), GK_OK);
    }
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    const long ms = ((after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000) / 5;

    print_message("a verifier takes %ld ms of this core\n", ms);
    assert_true(ms < 1000);
}

static void test_folder_from_before_there_were_grants_gets_its_key(void **state)
{
    struct fixture *fixture = *state;
    char *path = scratch_path(fixture->path, "grant.key");
    char *audit = scratch_path(fixture->path, "audit.key");
    uint8_t key[GK_GRANT_KEY_SIZE], again[GK_GRANT_KEY_SIZE];

    gk_keys_close(fixture->keys);
    fixture->keys = NULL;
    assert_int_equal(unlink(path), 0);
    assert_int_equal(gk_keys_open(fixture->path, &fixture->keys, NULL), GK_OK);
    gk_keys_grant_public(fixture->keys, key);
    assert_memory_not_equal(key, fixture->key, sizeof key);
    gk_keys_close(fixture->keys);
    assert_int_equal(gk_keys_open(fixture->path, &fixture->keys, NULL), GK_OK);
    gk_keys_grant_public(fixture->keys, again);
    assert_memory_equal(key, again, sizeof key);
    gk_keys_close(fixture->keys);
    fixture->keys = NULL;
    /* Where others are missing too it is no folder of keys, and nothing is made. */
    assert_int_equal(unlink(path), 0);
    assert_int_equal(unlink(audit), 0);
    assert_int_equal(gk_keys_open(fixture->path, &fixture->keys, NULL), GK_FAILED_PRECONDITION);
    assert_int_not_equal(access(path, F_OK), 0);
    free(path);
    free(audit);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grant_comes_back_as_it_was_signed),
        cmocka_unit_test(test_any_changed_byte_and_another_services_key_are_refused),
        cmocka_unit_test(test_another_boxs_grant_and_one_that_opens_nothing_are_refused),
        cmocka_unit_test(test_codes_are_read_as_the_service_reads_them),
        cmocka_unit_test(test_salt_follows_all_that_the_code_is_bound_to),
        cmocka_unit_test(test_waits_double_after_five_tries_up_to_a_day),
        cmocka_unit_test(test_checking_a_code_takes_well_under_a_second),
        cmocka_unit_test(test_folder_from_before_there_were_grants_gets_its_key),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

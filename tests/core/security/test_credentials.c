#include "core/security/credentials.h"

#include "tests/core/security/scratch.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    char *directory;
    struct gk_keys *keys;
    struct gk_credentials *credentials;
    atomic_bool stop;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    fixture->directory = scratch_make();
    *state = fixture;
    if (gk_keys_generate(fixture->directory, NULL) != GK_OK ||
        gk_keys_open(fixture->directory, &fixture->keys, NULL) != GK_OK) {
        return -1;
    }
    fixture->credentials = gk_credentials_new(fixture->keys);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    gk_credentials_free(fixture->credentials);
    gk_keys_close(fixture->keys);
    scratch_remove(fixture->directory);
    free(fixture);
    return 0;
}

static void add(struct fixture *fixture, const char *token, enum gk_role role, const char *id)
{
    struct gk_principal principal = {.role = role};
    uint8_t hash[GK_TOKEN_SIZE];

    (void)snprintf(principal.id, sizeof principal.id, "%s", id);
    gk_keys_credential_hash(fixture->keys, token, hash);
    gk_credentials_add(fixture->credentials, hash, &principal);
}

static void test_the_holder_of_a_token_is_known(void **state)
{
    struct fixture *fixture = *state;
    struct gk_principal principal = {0};

    add(fixture, "gk_box_one", GK_ROLE_BOX, "library-1");
    add(fixture, "gk_issuer_two", GK_ROLE_ISSUER, "bank");
    assert_true(gk_credentials_authenticate(fixture->credentials, "gk_box_one", &principal));
    assert_int_equal(principal.role, GK_ROLE_BOX);
    assert_string_equal(principal.id, "library-1");
    assert_true(gk_credentials_authenticate(fixture->credentials, "gk_issuer_two", &principal));
    assert_string_equal(principal.id, "bank");
}

static void test_an_unknown_token_is_nobodys(void **state)
{
    struct fixture *fixture = *state;
    struct gk_principal principal = {.role = GK_ROLE_HOLDER};

    add(fixture, "gk_box_one", GK_ROLE_BOX, "library-1");
    assert_false(gk_credentials_authenticate(fixture->credentials, "", &principal));
    assert_false(gk_credentials_authenticate(fixture->credentials, "gk_box_on", &principal));
    assert_false(gk_credentials_authenticate(fixture->credentials, "gk_box_onee", &principal));
    assert_int_equal(principal.role, GK_ROLE_HOLDER);
}

static void test_a_token_added_again_has_its_new_holder(void **state)
{
    struct fixture *fixture = *state;
    struct gk_principal principal = {0};

    add(fixture, "token", GK_ROLE_BOX, "old");
    add(fixture, "token", GK_ROLE_BOX, "new");
    assert_true(gk_credentials_authenticate(fixture->credentials, "token", &principal));
    assert_string_equal(principal.id, "new");
}

static void test_a_removed_token_is_nobodys_and_others_stay(void **state)
{
    struct fixture *fixture = *state;
    struct gk_principal principal = {0};
    uint8_t hash[GK_TOKEN_SIZE];
    char token[32];

    /* Enough that chains are longer than one. */
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(token, sizeof token, "token-%d", i);
        add(fixture, token, GK_ROLE_BOX, token);
    }
    for (int i = 0; i < 20000; i += 2) {
        (void)snprintf(token, sizeof token, "token-%d", i);
        gk_keys_credential_hash(fixture->keys, token, hash);
        gk_credentials_remove(fixture->credentials, hash);
        gk_credentials_remove(fixture->credentials, hash);
    }
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(token, sizeof token, "token-%d", i);
        assert_int_equal(gk_credentials_authenticate(fixture->credentials, token, &principal), i % 2);
        assert_true(i % 2 == 0 || strcmp(principal.id, token) == 0);
    }
}

static void *authenticate_often(void *context)
{
    struct fixture *fixture = context;
    struct gk_principal principal;
    intptr_t wrong = 0;

    while (!atomic_load(&fixture->stop)) {
        wrong += !gk_credentials_authenticate(fixture->credentials, "steady", &principal) ||
                 strcmp(principal.id, "steady") != 0;
    }
    return (void *)wrong; /* NOLINT(performance-no-int-to-ptr): pthread's way to give a number back */
}

static void test_readers_see_a_steady_token_while_others_come_and_go(void **state)
{
    struct fixture *fixture = *state;
    pthread_t readers[2];
    uint8_t hash[GK_TOKEN_SIZE];

    add(fixture, "steady", GK_ROLE_BOX, "steady");
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&readers[i], NULL, authenticate_often, fixture), 0);
    }
    for (int i = 0; i < 2000; i++) {
        add(fixture, "passing", GK_ROLE_BOX, "passing");
        gk_keys_credential_hash(fixture->keys, "passing", hash);
        gk_credentials_remove(fixture->credentials, hash);
    }
    atomic_store(&fixture->stop, true);
    for (size_t i = 0; i < 2; i++) {
        void *wrong = NULL;

        assert_int_equal(pthread_join(readers[i], &wrong), 0);
        assert_null(wrong);
    }
}

#define CREDENTIALS_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CREDENTIALS_TEST(test_the_holder_of_a_token_is_known),
        CREDENTIALS_TEST(test_an_unknown_token_is_nobodys),
        CREDENTIALS_TEST(test_a_token_added_again_has_its_new_holder),
        CREDENTIALS_TEST(test_a_removed_token_is_nobodys_and_others_stay),
        CREDENTIALS_TEST(test_readers_see_a_steady_token_while_others_come_and_go),
    };

    return cmocka_run_group_tests_name("credentials", tests, NULL, NULL);
}

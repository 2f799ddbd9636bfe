#include "tests/core/registry/registry_fixture.h"

#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char A[] = "6222021234567890128";
static const char B[] = "6222029876543210987";

static void import_numbers(struct registry_fixture *fixture, const char *import_id,
                           const char *const *numbers, size_t count)
{
    struct page page = {0};

    for (size_t i = 0; i < count; i++) {
        page_add(&page, numbers[i], numbers[i], "smtp:fang@bank.example");
    }
    assert_int_equal(page_send(fixture, &page, import_id, 0, true), GK_OK);
    assert_int_equal(fixture->response.accepted, count);
}

static void test_density_is_the_share_of_registered_neighbours(void **state)
{
    struct registry_fixture *fixture = *state;
    char texts[50][24];
    const char *numbers[50];

    /* 50 consecutive numbers: of 100 valid ones in a block of 1000, of 1000 in 10000, of 100000 in 10^6. */
    for (int i = 0; i < 50; i++) {
        snprintf(texts[i], sizeof texts[i], "62220212345678%05d", 12000 + i);
        numbers[i] = texts[i];
    }
    import_numbers(fixture, "block", numbers, 50);
    /* Itself left out. */
    assert_float_equal(registry_find(fixture, numbers[7]).density, 0.49, 1e-9);
    /* Not registered: all of them are neighbours. */
    assert_float_equal(registry_find(fixture, "6222021234567812999").density, 0.50, 1e-9);
    /* Other block of 1000, same block of 10000. */
    assert_float_equal(registry_find(fixture, "6222021234567813000").density, 0.05, 1e-9);
    /* Other block of 10000, same block of a million. */
    assert_float_equal(registry_find(fixture, "6222021234567999999").density, 0.0005, 1e-9);
    assert_float_equal(registry_find(fixture, B).density, 0, 1e-12);
    /* Of another length: another block. */
    assert_float_equal(registry_find(fixture, "622202123456781200").density, 0, 1e-12);
    /* Counts of the old list do not outlive it. */
    import_numbers(fixture, "again", numbers, 50);
    assert_float_equal(registry_find(fixture, numbers[7]).density, 0.49, 1e-9);
}

static void test_density_is_at_most_one(void **state)
{
    struct registry_fixture *fixture = *state;
    char texts[500][24];
    const char *numbers[500];

    for (int i = 0; i < 500; i++) {
        snprintf(texts[i], sizeof texts[i], "62220212345678%05d", 12000 + i);
        numbers[i] = texts[i];
    }
    import_numbers(fixture, "full", numbers, 500);
    assert_float_equal(registry_find(fixture, numbers[0]).density, 1, 1e-12);
}

static void test_card_of_another_kind_is_not_registered(void **state)
{
    struct registry_fixture *fixture = *state;
    const char *const numbers[] = {A};
    guika_v1_internal_Candidate candidate = {.kind = guika_v1_CardKind_CARD_KIND_TRANSIT,
                                             .scheme = "iso7812"};
    struct gk_registration registration;

    import_numbers(fixture, "one", numbers, 1);
    strcpy(candidate.number, A);
    assert_int_equal(gk_registry_look_up(fixture->registry, &candidate, &registration, &fixture->error),
                     GK_OK);
    assert_false(registration.registered);
    assert_float_equal(registration.density, 0, 1e-12);
    /* The token is the number's all the same. */
    assert_memory_equal(registration.card_token, registry_find(fixture, A).card_token, GK_TOKEN_SIZE);
    strcpy(candidate.scheme, "octopus");
    candidate.kind = guika_v1_CardKind_CARD_KIND_PAYMENT;
    assert_int_equal(gk_registry_look_up(fixture->registry, &candidate, &registration, &fixture->error),
                     GK_OK);
    assert_false(registration.registered);
}

static void test_enquiry_by_token_finds_the_card(void **state)
{
    struct registry_fixture *fixture = *state;
    const char *const numbers[] = {A};
    const uint8_t unknown[GK_TOKEN_SIZE] = {1};
    struct gk_registration registration;

    import_numbers(fixture, "one", numbers, 1);
    const struct gk_registration known = registry_find(fixture, A);

    assert_int_equal(
        gk_registry_look_up_token(fixture->registry, known.card_token, &registration, &fixture->error),
        GK_OK);
    assert_true(registration.registered);
    assert_memory_equal(registration.holder_token, known.holder_token, GK_TOKEN_SIZE);
    assert_int_equal(gk_registry_look_up_token(fixture->registry, unknown, &registration, &fixture->error),
                     GK_OK);
    assert_false(registration.registered);
}

static void test_more_specific_account_has_the_card(void **state)
{
    static const char bindings[][65] = {"octopus", "iso7812:622202"};
    struct registry_fixture *fixture = *state;
    const char *const numbers[] = {A};
    struct page page = {0};

    import_numbers(fixture, "one", numbers, 1);
    assert_int_equal(gk_registry_add_account(fixture->registry, "branch", bindings, 2, registry_add_nothing,
                                             NULL, &fixture->error),
                     GK_OK);
    assert_string_equal(registry_find(fixture, A).issuer_account, "bank");
    page_add(&page, A, "h", NULL);
    const guika_v1_ImportCardsRequest request = {
        .import_id = "b", .page_rows = gk_repeated_bytes(&page.rows), .last = true};

    assert_int_equal(gk_registry_import_page(fixture->registry, "branch", &request,
                                             gk_repeated_bytes(&page.answers), &fixture->response,
                                             &fixture->error),
                     GK_OK);
    gk_repeated_free(&page.rows);
    gk_repeated_free(&page.answers);
    assert_string_equal(registry_find(fixture, A).issuer_account, "branch");
    assert_int_equal(gk_registry_cards(fixture->registry), 2);
}

static void test_bindings_bound_what_an_account_may_register(void **state)
{
    static const char whole[][65] = {"octopus"};
    static const char bad[][4][65] = {{""}, {"ISO7812"}, {"iso7812:"}, {"iso7812:62x"}};
    struct registry_fixture *fixture = *state;
    struct gk_registry *registry = fixture->registry;

    assert_true(gk_registry_is_bound(registry, "bank", "iso7812", A));
    assert_false(gk_registry_is_bound(registry, "bank", "iso7812", "4111111111111111"));
    assert_false(gk_registry_is_bound(registry, "bank", "iso78", A));
    assert_false(gk_registry_is_bound(registry, "bank", "iso78120", A));
    assert_false(gk_registry_is_bound(registry, "nobody", "iso7812", A));
    assert_int_equal(
        gk_registry_add_account(registry, "metro", whole, 1, registry_add_nothing, NULL, &fixture->error),
        GK_OK);
    assert_true(gk_registry_is_bound(registry, "metro", "octopus", "1020125070"));

    assert_int_equal(
        gk_registry_add_account(registry, "metro", whole, 1, registry_add_nothing, NULL, &fixture->error),
        GK_ALREADY_EXISTS);
    assert_int_equal(
        gk_registry_add_account(registry, "a b", whole, 1, registry_add_nothing, NULL, &fixture->error),
        GK_INVALID_ARGUMENT);
    assert_int_equal(
        gk_registry_add_account(registry, "", whole, 1, registry_add_nothing, NULL, &fixture->error),
        GK_INVALID_ARGUMENT);
    assert_int_equal(
        gk_registry_add_account(registry, "x", whole, 0, registry_add_nothing, NULL, &fixture->error),
        GK_INVALID_ARGUMENT);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(
            gk_registry_add_account(registry, "x", bad[i], 1, registry_add_nothing, NULL, &fixture->error),
            GK_INVALID_ARGUMENT);
    }
}

static void test_revoked_card_is_cancelled(void **state)
{
    struct registry_fixture *fixture = *state;
    struct gk_registry *registry = fixture->registry;
    const char *const numbers[] = {A};

    import_numbers(fixture, "one", numbers, 1);
    assert_int_equal(gk_registry_revoke(registry, "bank", "iso7812", B, NULL, &fixture->error), GK_NOT_FOUND);
    assert_int_equal(
        gk_registry_revoke(registry, "bank", "iso7812", "4111111111111111", NULL, &fixture->error),
        GK_PERMISSION_DENIED);
    assert_false(registry_find(fixture, A).cancelled);
    assert_int_equal(gk_registry_revoke(registry, "bank", "iso7812", A, NULL, &fixture->error), GK_OK);
    assert_int_equal(gk_registry_revoke(registry, "bank", "iso7812", A, NULL, &fixture->error), GK_OK);
    registry_reopen(fixture);
    assert_true(registry_find(fixture, A).registered);
    assert_true(registry_find(fixture, A).cancelled);
    /* A list that is sent later says anew what is in force. */
    import_numbers(fixture, "two", numbers, 1);
    assert_false(registry_find(fixture, A).cancelled);
}

static void test_import_under_way_does_not_undo_a_revocation(void **state)
{
    struct registry_fixture *fixture = *state;
    const char *const numbers[] = {A, B};
    struct page page = {0};

    import_numbers(fixture, "one", numbers, 2);
    page_add(&page, A, "h", NULL);
    assert_int_equal(page_send(fixture, &page, "two", 0, false), GK_OK);
    /* A's row has come, B's has not. */
    assert_int_equal(gk_registry_revoke(fixture->registry, "bank", "iso7812", A, NULL, &fixture->error),
                     GK_OK);
    assert_int_equal(gk_registry_revoke(fixture->registry, "bank", "iso7812", B, NULL, &fixture->error),
                     GK_OK);
    page_add(&page, B, "h", NULL);
    assert_int_equal(page_send(fixture, &page, "two", 1, true), GK_OK);
    assert_true(registry_find(fixture, A).cancelled);
    assert_true(registry_find(fixture, B).cancelled);
}

static void test_holder_of_a_replaced_list_is_gone(void **state)
{
    struct registry_fixture *fixture = *state;
    const char *const a[] = {A};
    const char *const b[] = {B};
    guika_v1_internal_HolderContacts contacts = guika_v1_internal_HolderContacts_init_zero;

    import_numbers(fixture, "one", a, 1);
    const struct gk_registration old = registry_find(fixture, A);

    import_numbers(fixture, "two", b, 1);
    assert_int_equal(
        gk_registry_holder(fixture->registry, "bank", old.holder_token, &contacts, &fixture->error),
        GK_NOT_FOUND);
    assert_int_equal(
        gk_registry_holder(fixture->registry, "nobody", old.holder_token, &contacts, &fixture->error),
        GK_NOT_FOUND);
}

/* --- nothing in clear --- */

/* True where some file of the directory holds the bytes. */
static bool directory_holds(const char *directory, const char *needle)
{
    DIR *stream = opendir(directory);
    const struct dirent *entry;
    bool found = false;

    assert_non_null(stream);
    while ((entry = readdir(stream)) != NULL) {
        char path[400];
        size_t size = 0;

        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        FILE *file = entry->d_type == DT_REG ? fopen(path, "re") : NULL;

        if (file == NULL) {
            continue;
        }
        fseek(file, 0, SEEK_END);
        char *content = malloc((size_t)ftell(file) + 1);

        rewind(file);
        assert_non_null(content);
        while (!feof(file)) {
            size += fread(content + size, 1, 4096, file);
            content = realloc(content, size + 4097);
            assert_non_null(content);
        }
        found = found || memmem(content, size, needle, strlen(needle)) != NULL;
        free(content);
        fclose(file);
    }
    closedir(stream);
    return found;
}

static void test_nothing_personal_rests_in_clear(void **state)
{
    struct registry_fixture *fixture = *state;
    const char *const numbers[] = {A, B};

    import_numbers(fixture, "visible-import-id", numbers, 2);
    assert_int_equal(gk_registry_revoke(fixture->registry, "bank", "iso7812", B, NULL, &fixture->error),
                     GK_OK);
    for (int round = 0; round < 2; round++) {
        assert_false(directory_holds(fixture->store_path, A));
        assert_false(directory_holds(fixture->store_path, B));
        assert_false(directory_holds(fixture->store_path, "fang@bank.example"));
        assert_false(directory_holds(fixture->store_path, "Wang Fang"));
        /* The search can find what is there. */
        assert_true(directory_holds(fixture->store_path, "visible-import-id"));
        registry_reopen(fixture);
    }
}

/* --- a flip in one step --- */

struct watcher {
    struct registry_fixture *fixture;
    atomic_bool stop;
    size_t look_ups;
    size_t missing;
};

static void *watch(void *context)
{
    struct watcher *watcher = context;
    guika_v1_internal_Candidate candidate = {.kind = guika_v1_CardKind_CARD_KIND_PAYMENT,
                                             .scheme = "iso7812"};
    guika_v1_internal_HolderContacts contacts = guika_v1_internal_HolderContacts_init_zero;
    struct gk_registration registration;
    struct gk_error error;

    strcpy(candidate.number, A);
    while (!atomic_load(&watcher->stop)) {
        const bool found =
            gk_registry_look_up(watcher->fixture->registry, &candidate, &registration, &error) == GK_OK &&
            registration.registered &&
            gk_registry_holder(watcher->fixture->registry, "bank", registration.holder_token, &contacts,
                               &error) == GK_OK;

        watcher->look_ups++;
        watcher->missing += !found;
    }
    return NULL;
}

static void test_card_of_both_lists_is_never_missed_while_they_change(void **state)
{
    struct registry_fixture *fixture = *state;
    const char *const numbers[] = {A, B};
    struct watcher watcher = {.fixture = fixture};
    pthread_t thread;

    import_numbers(fixture, "first", numbers, 2);
    atomic_init(&watcher.stop, false);
    assert_int_equal(pthread_create(&thread, NULL, watch, &watcher), 0);
    for (int i = 0; i < 60; i++) {
        char import_id[16];

        snprintf(import_id, sizeof import_id, "list-%d", i);
        import_numbers(fixture, import_id, numbers, 2);
    }
    atomic_store(&watcher.stop, true);
    pthread_join(thread, NULL);
    assert_true(watcher.look_ups > 60);
    assert_int_equal(watcher.missing, 0);
}

int main(void)
{
#define REGISTRY_TEST(test) cmocka_unit_test_setup_teardown(test, registry_setup, registry_teardown)
    const struct CMUnitTest tests[] = {
        REGISTRY_TEST(test_density_is_the_share_of_registered_neighbours),
        REGISTRY_TEST(test_density_is_at_most_one),
        REGISTRY_TEST(test_card_of_another_kind_is_not_registered),
        REGISTRY_TEST(test_enquiry_by_token_finds_the_card),
        REGISTRY_TEST(test_more_specific_account_has_the_card),
        REGISTRY_TEST(test_bindings_bound_what_an_account_may_register),
        REGISTRY_TEST(test_revoked_card_is_cancelled),
        REGISTRY_TEST(test_import_under_way_does_not_undo_a_revocation),
        REGISTRY_TEST(test_holder_of_a_replaced_list_is_gone),
        REGISTRY_TEST(test_nothing_personal_rests_in_clear),
        REGISTRY_TEST(test_card_of_both_lists_is_never_missed_while_they_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

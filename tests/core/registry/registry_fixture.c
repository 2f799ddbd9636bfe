#include "tests/core/registry/registry_fixture.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int64_t fixed_now_ms(void *context)
{
    (void)context;
    return INT64_C(1700000000000);
}

static void open_all(struct registry_fixture *fixture)
{
    const struct gk_store_options options = {.path = fixture->store_path, .now_ms = fixed_now_ms};
    char keys_path[80];

    snprintf(keys_path, sizeof keys_path, "%s/keys", fixture->directory);
    assert_int_equal(gk_keys_open(keys_path, &fixture->keys, &fixture->error), GK_OK);
    assert_int_equal(gk_store_open(&options, &fixture->store, &fixture->error), GK_OK);
    assert_int_equal(gk_registry_open(fixture->store, fixture->keys, &fixture->registry, &fixture->error),
                     GK_OK);
}

static void close_all(struct registry_fixture *fixture)
{
    gk_registry_close(fixture->registry);
    gk_store_close(fixture->store);
    gk_keys_close(fixture->keys);
}

enum gk_status registry_add_nothing(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    (void)context;
    (void)transaction;
    (void)error;
    return GK_OK;
}

int registry_setup(void **state)
{
    static const char bindings[][65] = {"iso7812:62"};
    struct registry_fixture *fixture = calloc(1, sizeof *fixture);
    char keys_path[80];

    assert_non_null(fixture);
    strcpy(fixture->directory, "/tmp/guika-registry-XXXXXX");
    assert_non_null(mkdtemp(fixture->directory));
    snprintf(fixture->store_path, sizeof fixture->store_path, "%s/store", fixture->directory);
    snprintf(keys_path, sizeof keys_path, "%s/keys", fixture->directory);
    assert_int_equal(gk_keys_generate(keys_path, &fixture->error), GK_OK);
    open_all(fixture);
    assert_int_equal(gk_registry_add_account(fixture->registry, "bank", bindings, 1, registry_add_nothing,
                                             NULL, &fixture->error),
                     GK_OK);
    *state = fixture;
    return 0;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

int registry_teardown(void **state)
{
    struct registry_fixture *fixture = *state;

    close_all(fixture);
    nftw(fixture->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(fixture);
    return 0;
}

void registry_reopen(struct registry_fixture *fixture)
{
    close_all(fixture);
    open_all(fixture);
}

void page_add_answered(struct page *page, const guika_v1_CardRow *row,
                       const guika_v1_internal_NumberMatch *match, const char *problem)
{
    guika_v1_internal_NumberAnswer answer = guika_v1_internal_NumberAnswer_init_zero;

    if (match != NULL) {
        answer.matches_count = 1;
        answer.matches[0] = *match;
    }
    snprintf(answer.problem, sizeof answer.problem, "%s", problem);
    assert_int_equal(gk_repeated_append(&page->rows, guika_v1_CardRow_fields, row), GK_OK);
    assert_int_equal(gk_repeated_append(&page->answers, guika_v1_internal_NumberAnswer_fields, &answer),
                     GK_OK);
}

void page_add(struct page *page, const char *number, const char *holder_id, const char *contact)
{
    guika_v1_CardRow row = guika_v1_CardRow_init_zero;
    guika_v1_internal_NumberMatch match = guika_v1_internal_NumberMatch_init_zero;

    strcpy(row.scheme, "iso7812");
    snprintf(row.number, sizeof row.number, "%s", number);
    snprintf(row.holder_id, sizeof row.holder_id, "%s", holder_id);
    strcpy(row.name, "Wang Fang");
    if (contact != NULL) {
        row.contacts_count = 1;
        snprintf(row.contacts[0], sizeof row.contacts[0], "%s", contact);
    }
    strcpy(match.scheme, "iso7812");
    snprintf(match.number, sizeof match.number, "%s", number);
    match.kind = guika_v1_CardKind_CARD_KIND_PAYMENT;
    page_add_answered(page, &row, &match, "");
}

enum gk_status page_send(struct registry_fixture *fixture, struct page *page, const char *import_id,
                         uint32_t number, bool last)
{
    guika_v1_ImportCardsRequest request = {.page = number, .last = last};

    snprintf(request.import_id, sizeof request.import_id, "%s", import_id);
    request.page_rows = gk_repeated_bytes(&page->rows);
    fixture->error.message[0] = '\0';
    const enum gk_status status =
        gk_registry_import_page(fixture->registry, "bank", &request, gk_repeated_bytes(&page->answers),
                                &fixture->response, &fixture->error);

    gk_repeated_free(&page->rows);
    gk_repeated_free(&page->answers);
    return status;
}

struct gk_registration registry_find(struct registry_fixture *fixture, const char *number)
{
    guika_v1_internal_Candidate candidate = {.kind = guika_v1_CardKind_CARD_KIND_PAYMENT};
    struct gk_registration registration = {.registered = false};

    strcpy(candidate.scheme, "iso7812");
    snprintf(candidate.number, sizeof candidate.number, "%s", number);
    assert_int_equal(gk_registry_look_up(fixture->registry, &candidate, &registration, &fixture->error),
                     GK_OK);
    return registration;
}

static bool count_one(void *context, struct gk_bytes key, struct gk_bytes value)
{
    (void)key;
    (void)value;
    ++*(size_t *)context;
    return true;
}

size_t registry_count(struct registry_fixture *fixture, enum gk_family family)
{
    const struct gk_bytes all = {NULL, 0};
    size_t count = 0;

    assert_int_equal(
        gk_store_scan(fixture->store, family, all, all, false, count_one, &count, &fixture->error), GK_OK);
    return count;
}

static enum gk_status apply_forget(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    (void)context;
    (void)error;
    gk_transaction_delete(transaction, GK_FAMILY_ISSUER_ACCOUNTS,
                          (struct gk_bytes){(const uint8_t *)"bank", 4});
    return GK_OK;
}

void registry_forget_accounts(struct registry_fixture *fixture)
{
    assert_int_equal(gk_store_commit_and_wait(fixture->store, apply_forget, NULL, &fixture->error), GK_OK);
}

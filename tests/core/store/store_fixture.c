#include "tests/core/store/store_fixture.h"

#include "tests/core/security/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int64_t fixture_now(void *context)
{
    struct store_fixture *fixture = context;

    return atomic_load(&fixture->now_ms);
}

enum gk_status store_try_open(struct store_fixture *fixture, struct gk_store **ret_store,
                              struct gk_error *error)
{
    const struct gk_store_options options = {
        .path = fixture->path, .cache_bytes = 8 << 20, .now_ms = fixture_now, .now_context = fixture};

    return gk_store_open(&options, ret_store, error);
}

int store_setup(void **state)
{
    struct store_fixture *fixture = calloc(1, sizeof *fixture);
    struct gk_error error = {0};

    fixture->directory = scratch_make();
    fixture->path = scratch_path(fixture->directory, "store");
    atomic_store(&fixture->now_ms, INT64_C(1700000000000));
    *state = fixture;
    if (store_try_open(fixture, &fixture->store, &error) != GK_OK) {
        print_error("%s\n", error.message);
        return -1;
    }
    return 0;
}

int store_teardown(void **state)
{
    struct store_fixture *fixture = *state;

    gk_store_close(fixture->store);
    free(fixture->path);
    scratch_remove(fixture->directory);
    free(fixture);
    return 0;
}

void store_reopen(struct store_fixture *fixture)
{
    struct gk_error error = {0};

    gk_store_close(fixture->store);
    fixture->store = NULL;
    if (store_try_open(fixture, &fixture->store, &error) != GK_OK) {
        fail_msg("%s", error.message);
    }
}

struct gk_bytes bytes_of(const char *text)
{
    return (struct gk_bytes){.data = (const uint8_t *)text, .size = strlen(text)};
}

struct one_put {
    enum gk_family family;
    struct gk_bytes key;
    struct gk_bytes value;
};

static enum gk_status apply_put(void *context, struct gk_transaction *transaction, struct gk_error *error)
{
    const struct one_put *put = context;

    (void)error;
    gk_transaction_put(transaction, put->family, put->key, put->value);
    return GK_OK;
}

enum gk_status store_put(struct gk_store *store, enum gk_family family, const char *key, const char *value,
                         struct gk_error *error)
{
    struct one_put put = {.family = family, .key = bytes_of(key), .value = bytes_of(value)};

    return gk_store_commit_and_wait(store, apply_put, &put, error);
}

void assert_stored(struct gk_store *store, enum gk_family family, const char *key, const char *value)
{
    struct gk_value found = {0};
    const enum gk_status status = gk_store_get(store, family, bytes_of(key), &found, NULL);

    if (value == NULL) {
        assert_int_equal(status, GK_NOT_FOUND);
        assert_null(found.data);
        return;
    }
    assert_int_equal(status, GK_OK);
    assert_int_equal(found.size, strlen(value));
    assert_memory_equal(found.data, value, found.size);
    gk_value_free(&found);
}

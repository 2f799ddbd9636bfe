/* A real store in a directory of its own, with a clock that the test sets. */
#ifndef GUIKA_TESTS_CORE_STORE_STORE_FIXTURE_H
#define GUIKA_TESTS_CORE_STORE_STORE_FIXTURE_H

#include "core/store/store.h"

#include <stdatomic.h>

struct store_fixture {
    char *directory; /* scratch; the store lies in "store" below it */
    char *path;
    struct gk_store *store;
    _Atomic int64_t now_ms;
};

/* cmocka's setup and teardown; *state is the fixture. */
int store_setup(void **state);
int store_teardown(void **state);
#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, store_setup, store_teardown)

/* Closes and opens the store again, or fails the test. */
void store_reopen(struct store_fixture *fixture);

/* Opens `path` with the fixture's clock. */
enum gk_status store_try_open(struct store_fixture *fixture, struct gk_store **ret_store,
                              struct gk_error *error);

struct gk_bytes bytes_of(const char *text);

/* Puts one record and waits. */
enum gk_status store_put(struct gk_store *store, enum gk_family family, const char *key, const char *value,
                         struct gk_error *error);

/* Fails the test unless `key` holds `value` (NULL: unless there is none). */
void assert_stored(struct gk_store *store, enum gk_family family, const char *key, const char *value);

#endif

#include "core/plugins/plugin_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The table is large; the tests speak of one file "x.so" alone, unless they say otherwise. */
struct fixture {
    struct gk_plugin_table table;
    struct gk_shelf_folder shelf;
    guika_v1_internal_AnnounceRequest announced;
};

static int set_up(void **state)
{
    *state = calloc(1, sizeof(struct fixture));
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

static struct gk_plugin_found found(const char *file, uint8_t content)
{
    struct gk_plugin_found found = {.stamp = {.size = content}};

    (void)snprintf(found.file, sizeof found.file, "%s", file);
    memset(found.hash, content, sizeof found.hash);
    return found;
}

static bool put(struct fixture *fixture, uint8_t content)
{
    const struct gk_plugin_found file = found("x.so", content);

    return gk_plugin_table_merge(&fixture->table, &file, 1);
}

/* A reader says that all is well with the shelf. */
static void accept_all(struct fixture *fixture)
{
    gk_plugin_table_fill(&fixture->table, &fixture->shelf);
    fixture->announced.issuers_count = (pb_size_t)fixture->shelf.count;
    for (size_t i = 0; i < fixture->shelf.count; i++) {
        guika_v1_internal_ShelfIssuer *issuer = &fixture->announced.issuers[i];
        const struct gk_shelf_copy *copy = &fixture->shelf.copies[i];

        (void)snprintf(issuer->file, sizeof issuer->file, "%c-%.32s", copy->is_new ? 'b' : 'a', copy->file);
        (void)snprintf(issuer->issuer, sizeof issuer->issuer, "id");
        (void)snprintf(issuer->version, sizeof issuer->version, "%u", copy->hash[0]);
    }
    gk_plugin_table_accept(&fixture->table, &fixture->shelf, &fixture->announced, 1000);
}

static guika_v1_PluginRow row(struct fixture *fixture)
{
    guika_v1_PluginRow row = {0};
    const struct gk_plugin_entry *entry = gk_plugin_table_find(&fixture->table, "x.so");

    assert_non_null(entry);
    assert_true(gk_plugin_table_row(entry, &row));
    return row;
}

static bool strike(struct fixture *fixture, uint8_t content)
{
    struct gk_shelf_copy copy = {.file = "x.so"};

    memset(copy.hash, content, sizeof copy.hash);
    return gk_plugin_table_strike(&fixture->table, &copy, "it broke", 2000);
}

static void test_new_file_is_a_candidate_until_a_reader_has_seen_it(void **state)
{
    struct fixture *fixture = *state;

    assert_false(put(fixture, 1));
    assert_int_equal(row(fixture).state, guika_v1_PluginState_PLUGIN_STATE_CHECKING);
    accept_all(fixture);
    assert_int_equal(row(fixture).state, guika_v1_PluginState_PLUGIN_STATE_IN_USE);
    assert_string_equal(row(fixture).version, "1");
    assert_true(gk_plugin_table_find(&fixture->table, "x.so")->is_changed);
}

static void test_refused_file_leaves_the_one_before_it_in_use(void **state)
{
    struct fixture *fixture = *state;

    (void)put(fixture, 1);
    accept_all(fixture);
    (void)put(fixture, 2);
    gk_plugin_table_fill(&fixture->table, &fixture->shelf);
    assert_true(fixture->shelf.copies[0].is_new);
    assert_int_equal(fixture->shelf.copies[0].hash[0], 2);
    gk_plugin_table_refuse(&fixture->table, &fixture->shelf.copies[0], "no");
    assert_int_equal(row(fixture).state, guika_v1_PluginState_PLUGIN_STATE_OLD_IN_USE);
    assert_string_equal(row(fixture).version, "1");
    assert_string_equal(row(fixture).reason, "no");
    gk_plugin_table_fill(&fixture->table, &fixture->shelf);
    assert_int_equal(fixture->shelf.count, 1);
    assert_int_equal(fixture->shelf.copies[0].hash[0], 1);
    assert_false(fixture->shelf.copies[0].is_new);
}

static void test_file_that_may_not_even_be_tried_does_the_same(void **state)
{
    struct fixture *fixture = *state;
    struct gk_plugin_found unsigned_file = found("x.so", 2);

    (void)put(fixture, 1);
    accept_all(fixture);
    (void)snprintf(unsigned_file.refused, sizeof unsigned_file.refused, "not signed");
    (void)gk_plugin_table_merge(&fixture->table, &unsigned_file, 1);
    assert_int_equal(row(fixture).state, guika_v1_PluginState_PLUGIN_STATE_OLD_IN_USE);
    (void)put(fixture, 1); /* the old file is back */
    assert_int_equal(row(fixture).state, guika_v1_PluginState_PLUGIN_STATE_IN_USE);
    assert_string_equal(row(fixture).reason, "");
}

static void test_removed_file_is_used_no_more(void **state)
{
    struct fixture *fixture = *state;
    guika_v1_PluginRow gone;

    (void)put(fixture, 1);
    accept_all(fixture);
    assert_true(gk_plugin_table_merge(&fixture->table, NULL, 0));
    assert_false(gk_plugin_table_merge(&fixture->table, NULL, 0));
    gk_plugin_table_fill(&fixture->table, &fixture->shelf);
    assert_int_equal(fixture->shelf.count, 0);
    assert_false(gk_plugin_table_row(gk_plugin_table_find(&fixture->table, "x.so"), &gone));
}

static void test_third_strike_is_the_end_until_another_file_comes(void **state)
{
    struct fixture *fixture = *state;

    (void)put(fixture, 1);
    accept_all(fixture);
    assert_false(strike(fixture, 9)); /* of a reader with an older file */
    assert_false(strike(fixture, 1));
    assert_false(strike(fixture, 1));
    assert_int_equal(row(fixture).strikes, 2);
    assert_true(strike(fixture, 1));
    assert_int_equal(row(fixture).state, guika_v1_PluginState_PLUGIN_STATE_QUARANTINED);
    assert_string_equal(row(fixture).reason, "it broke");
    assert_false(strike(fixture, 1)); /* of a reader that had it still */
    (void)gk_plugin_table_merge(&fixture->table, NULL, 0);
    (void)put(fixture, 1); /* taken out and put back */
    assert_int_equal(row(fixture).state, guika_v1_PluginState_PLUGIN_STATE_QUARANTINED);
    (void)put(fixture, 2);
    assert_int_equal(row(fixture).state, guika_v1_PluginState_PLUGIN_STATE_CHECKING);
    accept_all(fixture);
    assert_int_equal(row(fixture).strikes, 0);
}

static void test_release_lets_it_be_tried_again(void **state)
{
    struct fixture *fixture = *state;
    struct gk_error error;

    (void)put(fixture, 1);
    accept_all(fixture);
    for (unsigned i = 0; i < GK_PLUGIN_STRIKES; i++) {
        (void)strike(fixture, 1);
    }
    assert_int_equal(gk_plugin_table_release(&fixture->table, "y.so", &error), GK_NOT_FOUND);
    assert_int_equal(gk_plugin_table_release(&fixture->table, "x.so", &error), GK_OK);
    assert_int_equal(row(fixture).state, guika_v1_PluginState_PLUGIN_STATE_CHECKING);
    accept_all(fixture);
    assert_int_equal(row(fixture).state, guika_v1_PluginState_PLUGIN_STATE_IN_USE);
}

static void test_what_no_trusted_key_signed_is_not_used_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    const struct gk_plugin_key keys[] = {{.id = "0123456789abcdef"}};
    guika_v1_internal_PluginRecord record = {.used_hash.size = GK_PLUGIN_HASH_SIZE};

    gk_plugin_table_load(&fixture->table, "x.so", &record, keys, 1);
    assert_int_equal(gk_plugin_table_find(&fixture->table, "x.so")->record.used_hash.size, 0);
    (void)snprintf(record.signed_by, sizeof record.signed_by, "0123456789abcdef");
    gk_plugin_table_load(&fixture->table, "x.so", &record, keys, 1);
    assert_int_equal(gk_plugin_table_find(&fixture->table, "x.so")->record.used_hash.size,
                     GK_PLUGIN_HASH_SIZE);
}

static void test_files_that_come_and_go_do_not_fill_the_table(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned i = 0; i < 1000; i++) {
        char name[16];

        (void)snprintf(name, sizeof name, "%u.so", i);
        const struct gk_plugin_found file = found(name, 1);

        (void)gk_plugin_table_merge(&fixture->table, &file, 1);
        accept_all(fixture);
    }
    gk_plugin_table_fill(&fixture->table, &fixture->shelf);
    assert_int_equal(fixture->shelf.count, 1);
    assert_string_equal(fixture->shelf.copies[0].file, "999.so");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_new_file_is_a_candidate_until_a_reader_has_seen_it),
        TEST(test_refused_file_leaves_the_one_before_it_in_use),
        TEST(test_file_that_may_not_even_be_tried_does_the_same),
        TEST(test_removed_file_is_used_no_more),
        TEST(test_third_strike_is_the_end_until_another_file_comes),
        TEST(test_release_lets_it_be_tried_again),
        TEST(test_what_no_trusted_key_signed_is_not_used_after_a_restart),
        TEST(test_files_that_come_and_go_do_not_fill_the_table),
    };

    return cmocka_run_group_tests_name("core/plugins/plugin_table", tests, NULL, NULL);
}
